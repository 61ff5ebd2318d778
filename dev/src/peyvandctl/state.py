"""What a cluster remembers from one run to the next, and who may run it now."""

from __future__ import annotations

import fcntl
import json
import os
import random
import secrets
import socket
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, cast

from hubkit.private_files import write_private
from peyvandctl.errors import ClusterError
from peyvandctl.paths import Home

if TYPE_CHECKING:
    from collections.abc import Iterable

LOOPBACK = "127.0.0.1"
_HIGHEST_PORT = 65_535
# Some kernels lend ports from 16 000 on; below this one stand the well-known servers.
_LOWEST_PORT = 12_000
_EPHEMERAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_ENOUGH_PORTS = 1_000
_TRIES = 200
_PROMISES_KEPT = 256


class HomeLock:
    """Held by the one process that runs the cluster of a home.

    The kernel drops the lock when that process ends, however it ends, so a lock
    that is held always means a cluster that is supervised.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock at once.

        Raises:
            ClusterError: another process holds it.
        """
        descriptor = os.open(self._home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise ClusterError(
                f"Peyvand is already running with the data in {self._home.root} "
                f"(process {holder or 'unknown'}).",
                "Stop that one, or set PEYVAND_HOME to another folder and PEYVAND_PORT to "
                "another port.",
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; does nothing when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class _Promises:
    """Ports that this process was given and on which its servers do not listen yet.

    To promise a port is to bind the UDP port of the same number: the kernel lets no second
    process have it, takes it back however this one ends, and no TCP server minds.
    """

    def __init__(self) -> None:
        self._held: OrderedDict[int, socket.socket] = OrderedDict()

    def make(self, port: int) -> bool:
        """Promise a port; tell whether it was to be had. The oldest promises lapse."""
        if port in self._held:
            return False
        mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            mark.bind((LOOPBACK, port))
        except OSError:
            mark.close()
            return False
        self._held[port] = mark
        if len(self._held) > _PROMISES_KEPT:
            self._held.popitem(last=False)[1].close()
        return True


_PROMISES = _Promises()


class State:
    """Ports, addresses and the id of the cluster, kept in ``state.json``."""

    def __init__(self, home: Home) -> None:
        self._path = home.state
        known = _load(self._path, "Remove it: ports are then chosen anew.")
        ports = known.get("ports")
        self._ports: dict[str, int] = (
            {str(name): int(port) for name, port in cast("dict[str, int]", ports).items()}
            if isinstance(ports, dict)
            else {}
        )
        cluster_id = known.get("cluster_id")
        self.cluster_id = cluster_id if isinstance(cluster_id, str) else secrets.token_hex(8)
        url = known.get("gateway_url")
        self.gateway_url = url if isinstance(url, str) else ""
        """Where the gateway answered when the cluster last started; empty before that."""

    @property
    def ports(self) -> dict[str, int]:
        """The ports that were chosen last, by name."""
        return dict(self._ports)

    def choose_ports(self, names: Iterable[str]) -> dict[str, int]:
        """Give each name a free port of its own: the one it had, when it is still free."""
        chosen: dict[str, int] = {}
        for name in names:
            port = self._ports.get(name)
            if port is None or port in chosen.values() or not port_is_free(port):
                port = free_port(taken=chosen.values())
            else:
                # Held or not: it may be promised to a parent that runs this very home.
                _PROMISES.make(port)
            chosen[name] = port
        self._ports.update(chosen)
        self.save()
        return chosen

    def remember_port(self, name: str, port: int) -> None:
        """Have a name get this port at the next choice, if it is free then."""
        self._ports[name] = port

    def forget_ports(self) -> None:
        """Have all be chosen anew, and the gateway be nowhere."""
        self._ports.clear()
        self.gateway_url = ""

    def save(self) -> None:
        """Write the file."""
        document = {
            "cluster_id": self.cluster_id,
            "gateway_url": self.gateway_url,
            "ports": self._ports,
        }
        write_private(self._path, json.dumps(document, indent=2) + "\n")


class Secrets:
    """Generated passwords by name, kept in ``secrets.json``."""

    def __init__(self, home: Home) -> None:
        self._path = home.secrets
        known = _load(
            self._path,
            "Restore it from a backup: without it the data beside it cannot be opened.",
        )
        self._known = {name: str(value) for name, value in known.items()}

    def get(self, name: str) -> str:
        """Return the password of ``name``; make it, and write it down, when it is new."""
        if name not in self._known:
            self._known[name] = secrets.token_urlsafe(24)
            write_private(self._path, json.dumps(self._known, indent=2) + "\n")
        return self._known[name]


def port_is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen on the port now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As servers do: connections of the last run that linger are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(taken: Iterable[int] = ()) -> int:
    """Find a port nobody listens on, and that the kernel gives to no outgoing connection.

    A port from the range of outgoing connections could be lent to any of them
    between this call and the start of the server, and again before the next run.
    To this process the port is promised: no other that asks here gets it before this
    one ends, or has asked for many more.

    Raises:
        ClusterError: none was found.
    """
    avoided = set(taken)
    highest = _first_ephemeral_port() - 1
    if highest - _LOWEST_PORT >= _ENOUGH_PORTS:
        source = random.SystemRandom()
        for _ in range(_TRIES):
            port = source.randint(_LOWEST_PORT, highest)
            if port not in avoided and port_is_free(port) and _PROMISES.make(port):
                return port
    for _ in range(_TRIES):
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port = cast("int", probe.getsockname()[1])
        if port not in avoided and _PROMISES.make(port):
            return port
    raise ClusterError("No free port was found on the loopback address.")


def port_setting(name: str, default: int) -> int:
    """Read a port from the environment, ``default`` when it is not set.

    Raises:
        ClusterError: it is no port.
    """
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    if not text.isdecimal() or int(text) > _HIGHEST_PORT:
        raise ClusterError(
            f"{name} is {text!r}, which is no port.",
            "Set it to a number from 0 to 65535; 0 takes any free port.",
        )
    return int(text)


def claim_port(port: int, host: str, setting: str) -> None:
    """See that a port that somebody has chosen, by ``setting``, is free.

    Raises:
        ClusterError: it is not.
    """
    if not port_is_free(port, host):
        raise ClusterError(
            f"Port {port} is taken by another program (or may not be used).",
            f"Set {setting} to another port, or to 0 for any free one.",
        )


def _first_ephemeral_port() -> int:
    try:
        return int(_EPHEMERAL_RANGE.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return 0


def _load(path: Path, mend: str) -> dict[str, object]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ClusterError(f"{path} cannot be read: {error}.", mend) from error
    return cast("dict[str, object]", document) if isinstance(document, dict) else {}
