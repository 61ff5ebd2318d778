"""Fixtures that give tests a real PostgreSQL, a real NATS, or the whole network.

``infra`` is cheap and shared by a session; what a test must have for itself comes
from it fresh: ``infra.fresh_database("centers")``, ``infra.fresh_nats()``.
``network`` is all of Peyvand, started once for the tests that need it.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hubkit.databases import create_database, drop_database
from hubkit.topology import SERVICES
from peyvandctl import seed
from peyvandctl.cluster import Cluster
from peyvandctl.errors import ClusterError
from peyvandctl.nats import NatsServer
from peyvandctl.paths import Home
from peyvandctl.processes import ManagedProcess, ProcessSpec, end_orphans, orphans
from peyvandctl.state import HomeLock, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

HOMES = Path(tempfile.gettempdir()) / f"peyvand-tests-{os.getuid()}"
_ABOUT_TO_BE_HELD_SECONDS = 60
# For the services of a network that tests call, unless they are about these very limits: no
# test calls too often, and a call that meets a machine at a standstill is late and not refused.
# Less than a test's own client waits.
PATIENT = {"PEYVAND_RATE_LIMIT": "100000000", "PEYVAND_CALL_TIMEOUT": "50"}


class Infra:
    """PostgreSQL and NATS for the tests of one session."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._templates: dict[str, str] = {}
        self._making = asyncio.Lock()

    async def fresh_database(self, service: str, *, migrated: bool = False) -> str:
        """Make a database owned by the service's role and return its SQLAlchemy URL.

        Args:
            service: name of the service.
            migrated: run the service's migrations; they run once a session, every
                later database is a copy.
        """
        template = await self._template(service) if migrated else None
        return await self._create(service, f"{service}_{secrets.token_hex(6)}", template)

    async def drop_database(self, url: str) -> None:
        """Drop a database that ``fresh_database`` made, with its connections."""
        connection = await self.cluster.postgres.connect()
        try:
            await drop_database(connection, url.rpartition("/")[2])
        finally:
            await connection.close()

    @contextlib.asynccontextmanager
    async def fresh_nats(
        self, *, leaves: bool = False
    ) -> AsyncGenerator[tuple[NatsServer, ManagedProcess]]:
        """Run an empty broker of its own; its process can be killed and started again."""
        with fresh_home() as home:
            home.prepare()
            lock = HomeLock(home)
            lock.acquire()
            port = free_port()
            monitor = free_port(taken=[port])
            own = free_port(taken=[port, monitor]) if leaves else 0
            server = NatsServer(home, port, monitor, leaves_port=own)
            process = ManagedProcess(home, server.spec())
            try:
                await process.start()
                yield server, process
            finally:
                await process.stop()
                lock.release()

    async def _template(self, service: str) -> str:
        async with self._making:
            if service not in self._templates:
                name = f"{service}_template"
                url = await self._create(service, name, None)
                (spec,) = (spec for spec in SERVICES if spec.name == service)
                await ManagedProcess(
                    self.cluster.home,
                    ProcessSpec(
                        f"{service}-template",
                        (sys.executable, "-m", spec.module, "migrate"),
                        os.environ
                        | {
                            "PEYVAND_DATABASE_URL": url,
                            "PEYVAND_HOME": str(self.cluster.home.root),
                        },
                        self.cluster.home.root,
                    ),
                ).run_to_end()
                self._templates[service] = name
        return self._templates[service]

    async def _create(self, service: str, name: str, template: str | None) -> str:
        connection = await self.cluster.postgres.connect()
        try:
            await create_database(connection, name, owner=service, template=template)
        finally:
            await connection.close()
        return self.cluster.postgres.dsn(service, name)


@contextlib.contextmanager
def fresh_home() -> Generator[Home]:
    """Give a home of its own, removed at the end."""
    HOMES.mkdir(mode=0o700, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=HOMES))
    holder = _hold(folder)
    try:
        yield Home(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if holder is not None:
            os.close(holder)


async def remove_abandoned_homes() -> None:
    """End and remove what a test run left that was killed and could not clean up.

    A home that another run uses is held, also while no cluster runs in it. One that was just
    made may be about to be.
    """
    for folder in HOMES.glob("*"):
        holder = _hold(folder, made_before=time.time() - _ABOUT_TO_BE_HELD_SECONDS)
        if holder is None:
            continue
        try:
            # A test may have made several in its own.
            for path in (folder, *folder.glob("*")):
                if (path / "lock").exists():
                    await _end_left(Home(path))
            shutil.rmtree(folder, ignore_errors=True)
        except ClusterError:
            continue
        finally:
            os.close(holder)


async def _end_left(home: Home) -> None:
    """End what runs there. Raises `ClusterError` where somebody still sees to it."""
    lock = HomeLock(home)
    lock.acquire()
    try:
        await end_orphans(home, orphans(home))
    finally:
        lock.release()


def _hold(folder: Path, *, made_before: float = float("inf")) -> int | None:
    """Take a folder for as long as the descriptor is open; `None` if it is held, or is none.

    The kernel lets go of it when this process ends, however it ends.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if os.fstat(descriptor).st_mtime < made_before:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
    os.close(descriptor)
    return None


@pytest.fixture(scope="session")
async def infra() -> AsyncGenerator[Infra]:
    """PostgreSQL and NATS, without any service."""
    await remove_abandoned_homes()
    with fresh_home() as home:
        async with Cluster(home.root, services=[], port=0) as cluster:
            yield Infra(cluster)


@pytest.fixture(scope="session")
async def network() -> AsyncGenerator[Cluster]:
    """The whole network with no data in it; a process that a test kills stays dead."""
    await remove_abandoned_homes()
    with fresh_home() as home:
        async with Cluster(home.root, port=0, env=PATIENT) as cluster:
            yield cluster


@pytest.fixture(scope="session")
async def seeded() -> AsyncGenerator[Cluster]:
    """The whole network with the facts of the reports."""
    await remove_abandoned_homes()
    with fresh_home() as home:
        async with Cluster(home.root, port=0, env=PATIENT) as cluster:
            await seed.load(cluster, lambda _: None)
            yield cluster
