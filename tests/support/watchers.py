"""A watch of a service in a process of its own, which looks all the time.

``python -m tests.support.watchers KIND DATABASE_URL TIME [FOLDER]`` looks as at that time and
says after each look what came of it. Two of them look at the same things at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from centers.line.credential_watch import CredentialWatch
from observatory.watches.escalation_watch import EscalationWatch
from projects.watches.condition_watch import ConditionWatch
from projects.watches.file_sweep import FileSweep
from servicekit.database import Database
from servicekit.object_store import ObjectStore
from tests.support.messaging import eventually
from tests.support.patience import PATIENT

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from servicekit.watch import Watch

ESCALATE_AFTER = timedelta(hours=4)
_PAUSE = 0.02


class Watcher:
    """One process with a watch.

    Attributes:
        looks: what came of each look so far; empty where it has to wait for the next one.
            Any other failure ends the process.
    """

    def __init__(self, *arguments: str) -> None:
        self.looks: list[str] = []
        self._arguments = arguments
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it; it looks at once."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.support.watchers", *self._arguments),
            stdout=asyncio.subprocess.PIPE,
        )
        self._reading = asyncio.create_task(self._read(self._process))

    async def kill(self) -> None:
        """End it with SIGKILL, wherever it is."""
        if self._process is None or self._reading is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._reading

    async def looks_again(self, times: int = 3) -> None:
        """Return when it has looked so often from now on."""
        goal = len(self.looks) + times

        async def has_looked() -> bool:
            return len(self.looks) >= goal

        await eventually(has_looked, within=90)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            self.looks.append(line.decode().strip())


@contextlib.asynccontextmanager
async def two_watchers(
    kind: str, database: Database, at: datetime, *more: str
) -> AsyncGenerator[tuple[Watcher, Watcher]]:
    """Run two processes with the same watch, over the database that the test uses."""
    url = database.engine.url.render_as_string(hide_password=False)
    one, other = (Watcher(kind, url, at.isoformat(), *more) for _ in range(2))
    try:
        for watcher in (one, other):
            await watcher.start()
        for watcher in (one, other):
            await watcher.looks_again(1)
        yield one, other
    finally:
        await one.kill()
        await other.kill()


def _watch(kind: str, database: Database, more: list[str]) -> Watch:
    match kind:
        case "alerts":
            return EscalationWatch(database, ESCALATE_AFTER)
        case "conditions":
            return ConditionWatch(database)
        case "credentials":
            return CredentialWatch(database)
        case _:
            return FileSweep(database, ObjectStore.in_folder(Path(more[0])))


async def _look_on(kind: str, url: str, at: str, *more: str) -> None:
    # What it says of its looks is all that it says there.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    database = Database(url, pool=2, patience=PATIENT)
    watch, now = _watch(kind, database, list(more)), datetime.fromisoformat(at).astimezone(UTC)
    while os.getppid() != 1:
        try:
            told = str(await watch.look(now) or 0)
        except watch.PASSING:
            told = ""
        sys.stdout.write(f"{told}\n")
        sys.stdout.flush()
        await asyncio.sleep(_PAUSE)


if __name__ == "__main__":
    asyncio.run(_look_on(*sys.argv[1:]))
