"""A watch goes on, whatever a look comes to, until it is stopped."""

import asyncio
from datetime import UTC, datetime

import structlog

from servicekit.errors import Fault
from servicekit.watch import Watch


class Looks(Watch):
    """Meets one error after another, then nothing."""

    OF = "tests"
    PASSING = (Fault,)

    def __init__(self, *errors: Exception) -> None:
        super().__init__(0.001)
        self.errors = list(errors)
        self.at: list[datetime] = []
        self.done = asyncio.Event()

    async def look(self, now: datetime) -> None:
        self.at.append(now)
        if self.errors:
            raise self.errors.pop(0)
        self.done.set()


async def test_a_watch_looks_again_after_every_kind_of_error() -> None:
    watch = Looks(ConnectionResetError(), Fault("UNAVAILABLE"), ValueError("a mistake"))
    with structlog.testing.capture_logs() as told:
        await watch.start()
        async with asyncio.timeout(60):
            await watch.done.wait()
        await watch.stop()
    # Others of this process may have something to say meanwhile.
    own = [entry["log_level"] for entry in told if entry.get("of") == Looks.OF]
    assert own == ["info", "info", "error"]
    assert all(at.tzinfo is UTC for at in watch.at)


async def test_a_watch_that_was_stopped_looks_no_more_and_can_begin_again() -> None:
    watch = Looks()
    await watch.stop()
    await watch.start()
    async with asyncio.timeout(60):
        await watch.done.wait()
    await watch.stop()
    seen = len(watch.at)
    await asyncio.sleep(0.02)
    assert len(watch.at) == seen
    watch.done.clear()
    await watch.start()
    async with asyncio.timeout(60):
        await watch.done.wait()
    await watch.stop()
