"""Where the cluster keeps what it must not forget."""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from peyvandctl.errors import ClusterError

DEFAULT_HOME = ".peyvand"


@dataclass(frozen=True)
class Home:
    """The folder that holds all state of one cluster. Nothing is written outside it.

    Attributes:
        root: absolute path of the folder.
    """

    root: Path

    @classmethod
    def locate(cls, path: str | Path | None = None) -> Home:
        """Take ``path``, else ``PEYVAND_HOME``, else ``.peyvand`` in the current folder."""
        chosen = path or os.environ.get("PEYVAND_HOME") or DEFAULT_HOME
        return cls(Path(chosen).expanduser().absolute())

    @property
    def lock(self) -> Path:
        """Locked by the process that runs this cluster."""
        return self.root / "lock"

    @property
    def state(self) -> Path:
        """Remembered ports and the id of the cluster."""
        return self.root / "state.json"

    @property
    def secrets(self) -> Path:
        """Generated passwords; readable by the owner only."""
        return self.root / "secrets.json"

    @property
    def running(self) -> Path:
        """One record for each child process that may be alive."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        """One log for each child process, with the three before."""
        return self.root / "logs"

    @property
    def postgres(self) -> Path:
        """What belongs to PostgreSQL; on a root installation, to its user."""
        return self.root / "postgres"

    @property
    def nats(self) -> Path:
        """Configuration and JetStream store of the broker."""
        return self.root / "nats"

    @property
    def objects(self) -> Path:
        """Files of evidence, under their SHA-256."""
        return self.root / "objects"

    @property
    def issuer(self) -> Path:
        """Keys of the local token issuer."""
        return self.root / "issuer"

    def prepare(self) -> None:
        """Make the folders.

        Raises:
            ClusterError: the folder cannot be made, or belongs to another user.
        """
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            owner = self.root.stat().st_uid
            if os.geteuid() not in (0, owner):
                raise ClusterError(
                    f"{self.root} belongs to the user with id {owner}.",
                    "Run as that user, or set PEYVAND_HOME to a folder of your own.",
                )
            for folder in (self.running, self.logs, self.nats, self.issuer):
                folder.mkdir(mode=0o700, exist_ok=True)
            # Its data folder is closed; this one must let the user of PostgreSQL through.
            self.postgres.mkdir(mode=0o711, exist_ok=True)
        except OSError as error:
            raise ClusterError(
                f"The folder {self.root} cannot be used: {error.strerror}.",
                "Set PEYVAND_HOME to a folder you can write to.",
            ) from error


def script(name: str) -> Path:
    """Path of a program that a wheel put beside this interpreter.

    Raises:
        ClusterError: it is not installed.
    """
    for folder in (Path(sysconfig.get_path("scripts")), Path(sys.executable).parent):
        if (folder / name).is_file():
            return folder / name
    raise ClusterError(
        f"The program {name} is not installed beside {sys.executable}.", "Run: make install"
    )
