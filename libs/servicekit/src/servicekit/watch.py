"""Work that is looked for again and again, in the background of a process.

Every process of a service looks, at its start and then each interval; what it finds it has
to look at again under a lock, so that it does not matter how many look, or which one dies.
"""

import asyncio
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import ClassVar

import structlog

from servicekit.delivery import is_transient
from servicekit.tasks import end_tasks

log = structlog.get_logger(__name__)


class Watch(ABC):
    """Looks every `interval` seconds.

    Attributes:
        OF: what it looks at, as logs name it.
        PASSING: errors that will pass, besides those of a database or broker that is away.
    """

    OF: ClassVar[str]
    PASSING: ClassVar[tuple[type[Exception], ...]] = ()

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def look(self, now: datetime) -> object:
        """Do what is due at this time; what it cannot do now it does the next time."""

    async def start(self) -> None:
        """Begin in the background."""
        self._task = asyncio.create_task(self._run(), name=f"watch of {self.OF}")

    async def stop(self) -> None:
        """End."""
        await end_tasks(self._task)
        self._task = None

    async def _run(self) -> None:
        while True:
            try:
                await self.look(datetime.now(UTC))
            except Exception as error:
                # It must not end.
                if is_transient(error) or isinstance(error, self.PASSING):
                    log.info("a watch cannot look now", of=self.OF, error=repr(error))
                else:
                    log.exception("a watch failed", of=self.OF)
            await asyncio.sleep(self._interval)
