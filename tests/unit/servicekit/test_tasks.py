"""Background tasks end when they are told to."""

from __future__ import annotations

import asyncio
import contextlib

from servicekit.tasks import end_tasks


async def test_a_task_that_loses_the_first_request_is_asked_again() -> None:
    lost = 0

    async def deaf() -> None:
        nonlocal lost
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        lost += 1
        await asyncio.Event().wait()

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await end_tasks(task, None, again_after=0.05)
    assert lost == 1
    assert task.cancelled()


async def test_a_task_is_given_its_time_to_clean_up() -> None:
    cleaned = False

    async def careful() -> None:
        nonlocal cleaned
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.1)
            cleaned = True

    task = asyncio.create_task(careful())
    await asyncio.sleep(0)
    await end_tasks(task, again_after=2)
    assert cleaned


async def test_what_a_task_raised_at_its_end_goes_no_further() -> None:
    async def failing() -> None:
        raise ValueError

    task = asyncio.create_task(failing())
    await asyncio.sleep(0)
    await end_tasks(task)
    assert isinstance(task.exception(), ValueError)
