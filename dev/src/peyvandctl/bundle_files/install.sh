#!/bin/sh
# Installs the node of a center from this folder alone, and lets it join.
#
#   sh install.sh [FINGERPRINT]
#
# Where a node is installed and has joined already, its software is updated in place instead.
#
# FINGERPRINT is the one that the headquarters has told by phone; without it you are
# asked to compare. Settings, from the environment:
#   PYTHON               the interpreter (python3)
#   PEYVAND_NODE_DIR     where the software goes (/opt/peyvand-node for root, else ~/peyvand-node)
#   PEYVAND_NODE_HOME    where the node keeps its state (/var/lib/peyvand-node for root,
#                        else the folder home beside the software)
#   PEYVAND_NODE_START=no   join, and start nothing
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
if [ "$(id -u)" = 0 ] && [ -z "${PEYVAND_NODE_DIR:-}" ]; then
    folder=/opt/peyvand-node
    home=${PEYVAND_NODE_HOME:-/var/lib/peyvand-node}
else
    folder=${PEYVAND_NODE_DIR:-$HOME/peyvand-node}
    home=${PEYVAND_NODE_HOME:-$folder/home}
fi

if [ -z "${PYTHON:-}" ]; then
    # The one that the bundle was packed for, when it is there.
    for candidate in python3.11 python3.12 python3.13 python3; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -I -B -c 'import json, sys
wanted = json.load(open(sys.argv[1] + "/manifest.json"))["python"]
sys.exit("{}.{}".format(*sys.version_info) != wanted)' "$here" 2>/dev/null; then
            PYTHON=$candidate
            break
        fi
    done
fi
PYTHON=${PYTHON:-python3}
if ! command -v "$PYTHON" >/dev/null 2>&1; then
    echo "There is no $PYTHON on this machine. Install Python, or name it: PYTHON=/path/to/python3" >&2
    exit 1
fi

# Before anything is installed or sent.
"$PYTHON" -I -B "$here/verify.py" "$@"

# Each version has a folder of its own, and the name software leads to the one that runs.
mkdir -p "$folder"
fresh=$folder/software-$(date +%Y%m%dT%H%M%S)-$$
before=
if [ -L "$folder/software" ]; then
    before=$(readlink -f "$folder/software")
elif [ -e "$folder/software" ]; then
    before=$folder/software-before-$$
fi
done=no
trap '[ "$done" = yes ] || rm -rf "$fresh"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
"$PYTHON" -I -m venv --without-pip "$fresh"
set --
for wheel in "$here"/wheels/*.whl; do
    case ${wheel##*/} in
    pip-*) pip=$wheel ;;
    *) set -- "$@" "$wheel" ;;
    esac
done
# The installer is in the bundle too, so that the machine needs none.
export PYTHONPATH="$pip" PIP_CONFIG_FILE=/dev/null PIP_DISABLE_PIP_VERSION_CHECK=1
python=$fresh/bin/python
"$python" -B -m pip --isolated install --quiet --no-index --no-deps --no-cache-dir "$@"
"$python" -B -m pip --isolated check
unset PYTHONPATH

# In one step, so that there is always a software that can be started.
lead_to() {
    ln -s "$1" "$folder/.software-$$"
    mv -T "$folder/.software-$$" "$folder/software"
}
if [ -n "$before" ] && [ ! -L "$folder/software" ]; then
    # Of before there were versions: its programs name their own folder, and keep working by it.
    mv "$folder/software" "$before"
fi
lead_to "$fresh"
done=yes
echo "Installed in $folder/software."

if [ -n "$before" ] && [ -e "$home/node.json" ]; then
    # An update: who has joined goes on as the node that it is, and the token stays unused.
    if ! "$folder/software/bin/peyvand-node" restart --home "$home"; then
        lead_to "$before"
        rm -rf "$fresh"
        echo "What was installed before is in place again; start it: $folder/software/bin/peyvand-node restart --home $home" >&2
        exit 1
    fi
    rm -rf "$before"
    echo "Updated. $folder/software/bin/peyvand-node status --home $home"
    exit 0
fi

[ -z "$before" ] || rm -rf "$before"
mkdir -p "$home"
chmod 700 "$home"
start=--start
[ "${PEYVAND_NODE_START:-yes}" = no ] && start=--no-start
# By standard input, so that no list of processes shows the token.
"$folder/software/bin/peyvand-node" join --home "$home" $start - <"$here/token"
echo "Later: $folder/software/bin/peyvand-node status --home $home"
