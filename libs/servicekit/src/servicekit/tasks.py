"""Ending background tasks for certain."""

import asyncio
from collections.abc import Iterable
from typing import Any


async def end_tasks(*tasks: asyncio.Task[Any] | None, again_after: float = 5.0) -> None:
    """Cancel tasks and return when all have ended, whatever they raised.

    One request to cancel is not enough: `asyncio.wait_for` of Python 3.11, which the
    broker's client uses, drops it when what it waits for arrives at the same moment.
    The task would then go on for ever, and with it whoever waits for its end. So they
    are asked again after `again_after` seconds, which must leave them time to clean up.
    """
    waiting = _running(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting, timeout=again_after)
        waiting = _running(waiting)
    for task in tasks:
        if task is not None and not task.cancelled():
            task.exception()  # looked at, so that it is not reported as forgotten


def _running(tasks: Iterable[asyncio.Task[Any] | None]) -> set[asyncio.Task[Any]]:
    return {task for task in tasks if task is not None and not task.done()}
