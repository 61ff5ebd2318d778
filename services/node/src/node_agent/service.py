"""The agent as a service of systemd: it is started with the machine, and again when it ends.

deploy/node/peyvand-node.service is what this writes for the usual places.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from node_agent.findings import halt
from node_agent.home import Home

NAME = "peyvand-node.service"
_RUNS = Path("/run/systemd/system")  # there while systemd is the machine's service manager
_UNITS = Path("/etc/systemd/system")
_STATE = Path("/var/lib")
# What the unit's ProtectHome hides from the service.
_HIDDEN = tuple(Path(folder) for folder in ("/home", "/root", "/run/user"))
_SECONDS = 90.0

_PLAIN = re.compile(r"[\w./@:+-]+")
_UNIT = """\
# The node of a center as a service of systemd; written by peyvand-node install-service.
#
# The user is made by systemd, which also gives it the folder.
#
# It makes one outbound connection and listens on loopback alone.
[Unit]
Description=Peyvand node of this center
Wants=network-online.target
After=network-online.target
# It keeps trying for as long as it takes: a line may be down for days.
StartLimitIntervalSec=0

[Service]
Type=exec
DynamicUser=yes
ExecStart={program} run --home {home}
# PEYVAND_NODE_PORT, PEYVAND_NODE_QUOTA_MIB, PEYVAND_NODE_RESERVE_MIB
EnvironmentFile=-/etc/default/peyvand-node
StateDirectory={state}
StateDirectoryMode=0700
UMask=0077
Restart=always
RestartSec=5
TimeoutStopSec=30
MemoryMax=512M
TasksMax=64
LimitNOFILE=4096
LimitCORE=0

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""


def unit(program: Path, home: Path) -> str:
    """Write the unit of a node in a folder of /var/lib."""
    return _UNIT.format(program=quoted(program), home=quoted(home), state=home.name)


def quoted(path: Path) -> str:
    """A path as one word of a unit, whatever signs it has."""
    text = str(path).replace("%", "%%")
    if _PLAIN.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def obstacle(home: Home) -> tuple[str, str]:
    """Why this agent cannot be a service here, and what to do; both empty when it can."""
    keeper = "Or let whatever starts this machine's services run peyvand-node run."
    if not _RUNS.is_dir():
        return "systemd does not run on this machine.", keeper
    if os.geteuid() != 0:
        return "Only root can install a service.", "Run it as root, by sudo for example."
    if home.path.parent != _STATE:
        says = f"A service keeps its state in a folder of {_STATE}, and this is {home.path}."
        return says, f"Join with --home {_STATE / 'peyvand-node'}. {keeper}"
    for path in (program(), Path(sys.base_prefix).resolve()):
        if any(path.is_relative_to(folder) for folder in _HIDDEN):
            says = f"{path} is in a folder that services do not see."
            return says, "Install software and Python elsewhere, in /opt/peyvand-node for example."
    if not program().exists():
        return f"There is no {program()}.", "Install the package peyvand-node."
    return "", ""


def program() -> Path:
    """The command of this software, by the name under which it stays when it is updated."""
    prefix = Path(sys.prefix)
    steady = prefix.parent / "software"
    if steady.resolve() == prefix.resolve():
        prefix = steady
    return prefix / "bin" / "peyvand-node"


def is_installed(home: Home) -> bool:
    """Whether a service runs the node of a folder, or is to do so."""
    try:
        return f" --home {quoted(home.path)}\n" in (_UNITS / NAME).read_text("utf-8")
    except OSError:
        return False


def install(home: Home) -> None:
    """Install the service and start it; one that runs is started anew. Raises `Halted`."""
    says, mend = obstacle(home)
    if says:
        raise halt("service", says, mend)
    try:
        fresh = _UNITS / f".{NAME}"
        fresh.write_text(unit(program(), home.path), "utf-8")
        fresh.chmod(0o644)
        fresh.replace(_UNITS / NAME)
    except OSError as error:
        raise halt(
            "service", f"{_UNITS / NAME} cannot be written: {error.strerror}.", "See why not."
        ) from None
    _systemctl("daemon-reload")
    _systemctl("enable", NAME)
    _systemctl("restart", NAME)


def remove(home: Home) -> None:
    """Take the service of a folder away, if there is one and this is root. Raises `Halted`."""
    if os.geteuid() != 0 or not _RUNS.is_dir() or not is_installed(home):
        return
    _systemctl("disable", "--now", NAME)
    (_UNITS / NAME).unlink(missing_ok=True)
    _systemctl("daemon-reload")


def _systemctl(*arguments: str) -> None:
    command = ("systemctl", *arguments)
    try:
        subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise halt(
            "service",
            f"{' '.join(command)} did not do it: {said.strip()}",
            f"See systemctl status {NAME} and journalctl -u {NAME}.",
        ) from None
