"""Sets the flags that a version of this service without flags could not set."""

import asyncio
from datetime import UTC, datetime
from functools import partial

import structlog

from projects.use_cases.flags import heed_all
from servicekit.database import Database
from servicekit.delivery import is_transient
from servicekit.tasks import end_tasks

log = structlog.get_logger(__name__)

_PAUSE = 1.0  # seconds


class FlagsAtStart:
    """Sets, once at the start, the flags that a version without them could not set."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin in the background."""
        self._task = asyncio.create_task(self._run(), name="flags at start")

    async def stop(self) -> None:
        """End."""
        await end_tasks(self._task)
        self._task = None

    async def _run(self) -> None:
        while True:
            try:
                await self._database.write(partial(heed_all, now=datetime.now(UTC)))
            except Exception as error:
                if not is_transient(error):
                    log.exception("looking for flags at the start failed")
                    return
                log.info("flags cannot be looked at now", error=repr(error))
                await asyncio.sleep(_PAUSE)
            else:
                return
