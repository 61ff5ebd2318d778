"""The folder of a node: who it is, what it keeps, and where files are dropped.

| Name | What it is |
|---|---|
| `node.json` | identity, credentials and the hub's authority; only its owner can read it |
| `reports.db` | reports and receipts |
| `ballast` | room on the disk that is held, for what must be noted when it is full |
| `inbox/`, `inbox/done/`, `inbox/refused/` | the watched folder |
| `agent.json` | where the agent that runs now listens; gone when it does not run |
| `agent.log` | what it writes when it was started in the background |
| `lock` | held by the agent that runs; its process id stands in it |

`node.json` is written whole, beside the old one, and then put in its place. So there is
never a half of an identity.
"""

import fcntl
import json
import os
import secrets
import struct
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from nodekit.keys import KeyKind, NKey, UserCredentials


class NotJoined(Exception):
    """There is no identity in the folder."""


class AlreadyRuns(Exception):
    """An agent runs in the folder already."""


class DamagedIdentity(Exception):
    """There is an identity in the folder, and it cannot be read."""


@dataclass(frozen=True)
class RunningAgent:
    """The agent that holds a folder.

    Attributes:
        pid: its process; `None` when it could not write it down.
        url: where its local API listens; empty when that is not known.
    """

    pid: int | None
    url: str


@dataclass(frozen=True)
class NodeCredentials:
    """What the node shows the broker. The seed never leaves the machine."""

    jwt: str = field(repr=False)
    seed: str = field(repr=False)
    expires_at: datetime

    @property
    def public_key(self) -> str:
        """The public key that they were made for."""
        return NKey.from_seed(self.seed, KeyKind.USER).public

    def shown(self) -> UserCredentials:
        """Give them in the form that a line takes."""
        return UserCredentials(self.jwt, NKey.from_seed(self.seed, KeyKind.USER))


@dataclass(frozen=True)
class Identity:
    """Who a node is, and whom it trusts.

    Attributes:
        center_names: by language, `fa` and `en`.
        hub: host and port.
        fingerprint: of the hub's authority, as the token named it.
        authority: its certificate in PEM.
        next_credentials: renewed ones with which the hub was not greeted yet.
        api_port: where its local API listens; 0 before it first ran.
    """

    node_id: str
    center_id: str
    center_code: str
    center_names: dict[str, str]
    hub: str
    fingerprint: str
    authority: str
    joined_at: datetime
    credentials: NodeCredentials
    next_credentials: NodeCredentials | None = None
    api_port: int = 0

    def with_renewed(self, credentials: NodeCredentials) -> "Identity":
        """Keep new credentials beside the old ones."""
        return replace(self, next_credentials=credentials)

    def with_settled(self, credentials: NodeCredentials) -> "Identity":
        """Keep these credentials alone: the hub was greeted with them."""
        return replace(self, credentials=credentials, next_credentials=None)


class Home:
    """One folder of a node."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def identity_file(self) -> Path:
        """File with identity and credentials."""
        return self.path / "node.json"

    @property
    def store_file(self) -> Path:
        """File with reports and receipts."""
        return self.path / "reports.db"

    @property
    def inbox(self) -> Path:
        """The watched folder."""
        return self.path / "inbox"

    def file_faults(self) -> list[Path]:
        """Files that say what was wrong with files of the watched folder."""
        return sorted((self.inbox / "refused").glob("*.errors"))

    @property
    def log_file(self) -> Path:
        """What an agent in the background writes."""
        return self.path / "agent.log"

    @property
    def running_file(self) -> Path:
        """Where the agent that runs listens."""
        return self.path / "agent.json"

    def has_joined(self) -> bool:
        """Whether there is an identity."""
        return self.identity_file.exists()

    def identity(self) -> Identity:
        """Read the identity. Raises `NotJoined` and `DamagedIdentity`."""
        try:
            return _identity(json.loads(self.identity_file.read_text("utf-8")))
        except (FileNotFoundError, NotADirectoryError):
            raise NotJoined(f"No node has joined in {self.path}.") from None
        except KeyError as error:
            text = f"{self.identity_file} cannot be read: {error} is missing"
            raise DamagedIdentity(text) from None
        except (ValueError, TypeError, AttributeError, OSError) as error:
            raise DamagedIdentity(f"{self.identity_file} cannot be read: {error}") from None

    def keep(self, identity: Identity) -> None:
        """Write the identity, whole or not at all."""
        self.make()
        write_whole(self.identity_file, json.dumps(asdict(identity), default=str, indent=1))

    def make(self) -> None:
        """Make the folder, for its owner alone."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def forget(self) -> None:
        """Remove the identity; reports and receipts stay."""
        self.identity_file.unlink(missing_ok=True)
        self.running_file.unlink(missing_ok=True)

    def note_running(self, port: int) -> None:
        """Write down where the agent listens."""
        note = {"pid": os.getpid(), "url": f"http://127.0.0.1:{port}"}
        write_whole(self.running_file, json.dumps(note))

    def running(self) -> RunningAgent | None:
        """Say who holds the folder, when an agent does.

        What it has not noted, as on a full disk, is taken from its lock and the identity.
        """
        if not self.is_locked():
            return None
        try:
            note = json.loads(self.running_file.read_text("utf-8"))
            return RunningAgent(int(note["pid"]), str(note["url"]))
        except (OSError, ValueError, KeyError, TypeError):
            return RunningAgent(self._pid_in_lock(), self._known_url())

    def _pid_in_lock(self) -> int | None:
        try:
            return int((self.path / "lock").read_text("ascii"))
        except (OSError, ValueError):
            return None

    def _known_url(self) -> str:
        try:
            port = self.identity().api_port
        except (NotJoined, DamagedIdentity):
            return ""
        return f"http://127.0.0.1:{port}" if port else ""

    def is_held_by(self, pid: int) -> bool:
        """Whether a process has the lock open: a number alone may be another's by now."""
        try:
            lock = (self.path / "lock").stat()
            opened = list(Path(f"/proc/{pid}/fd").iterdir())
        except OSError:
            return False
        for path in opened:
            with suppress(OSError):
                state = path.stat()
                if (state.st_dev, state.st_ino) == (lock.st_dev, lock.st_ino):
                    return True
        return False

    def is_locked(self) -> bool:
        """Whether an agent runs in the folder. Looking does not stand in the way of one."""
        try:
            with (self.path / "lock").open("rb") as file:
                asked = _lock(fcntl.F_WRLCK)
                found = fcntl.fcntl(file, fcntl.F_OFD_GETLK, asked)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return struct.unpack(_LOCK, found)[0] != fcntl.F_UNLCK

    @contextmanager
    def locked(self) -> Generator[None]:
        """Hold the folder for one agent; the system lets go of it when the process ends.

        Raises `AlreadyRuns`.
        """
        with (self.path / "lock").open("ab") as file:
            _give_to_owner(self.path, file.fileno())
            try:
                fcntl.fcntl(file, fcntl.F_OFD_SETLK, _lock(fcntl.F_WRLCK))
            except OSError:
                raise AlreadyRuns(f"An agent runs in {self.path} already.") from None
            # On a full disk the lock holds all the same.
            with suppress(OSError):
                file.truncate(0)
                os.write(file.fileno(), str(os.getpid()).encode())
            yield


# `struct flock`: what kind, from where, start, length, process; the last is 0 for locks that
# belong to the open file, as these do.
_LOCK = "hhqqi0q"


def _lock(kind: int) -> bytes:
    return struct.pack(_LOCK, kind, os.SEEK_SET, 0, 0, 0)


def write_whole(path: Path, text: str) -> None:
    """Replace a file by a new one that only its owner can read; never leave a part of it.

    Its owner is that of the folder, also when root writes it.
    """
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            _give_to_owner(path.parent, descriptor)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(path.parent)


def _give_to_owner(folder: Path, descriptor: int) -> None:
    """Give a file that root writes to whom the folder belongs.

    A service of systemd has a user of its own, and the folder is that user's; what root
    leaves there, as by joining anew, must be the service's to read.
    """
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def sync_folder(path: Path) -> None:
    """See that names made or moved in a folder are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _identity(value: dict[str, Any]) -> Identity:
    following = value["next_credentials"]
    members: dict[str, Any] = dict(value)
    members["joined_at"] = datetime.fromisoformat(value["joined_at"])
    members["credentials"] = _credentials(value["credentials"])
    members["next_credentials"] = None if following is None else _credentials(following)
    return Identity(**members)


def _credentials(value: dict[str, str]) -> NodeCredentials:
    return NodeCredentials(value["jwt"], value["seed"], datetime.fromisoformat(value["expires_at"]))
