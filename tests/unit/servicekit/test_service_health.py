"""What a service says of its database, to those who would call it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from servicekit import service
from servicekit.service import Service
from servicekit.settings import DatabaseSettings

WITHIN = 0.2


class Told:
    """A server that notes what it is told to say, the first so many times."""

    def __init__(self, times: int) -> None:
        self.said: list[bool] = []
        self.enough = asyncio.Event()
        self._times = times

    async def set_serving(self, serving: bool) -> None:
        if len(self.said) < self._times:
            self.said.append(serving)
        else:
            self.enough.set()


class Database:
    """Answers as it is told: `True`, `False`, or `None` for not in time; then `True` for ever."""

    def __init__(self, answers: Sequence[bool | None]) -> None:
        self.answers = list(answers)

    async def reachable(self) -> bool:
        answer = self.answers.pop(0) if self.answers else True
        if answer is None:
            # As the real one, which gives up at the same time as who asked.
            await asyncio.sleep(WITHIN)
            return False
        return answer


async def said_of(
    answers: Sequence[bool | None], monkeypatch: pytest.MonkeyPatch, *, times: int
) -> list[bool]:
    """What a service says, the first so many times, whose database answers like that."""
    # Where no answer is late, none is because the machine stands still for a moment.
    monkeypatch.setattr(service, "ANSWERS_WITHIN", WITHIN if None in answers else 60.0)
    monkeypatch.setattr(service, "_HEALTH_INTERVAL", 0.0)
    url = "postgresql+asyncpg://nobody@127.0.0.1:1/none"
    one = Service("centers", DatabaseSettings(database_url=url), Path())
    database: Any = Database(answers)
    one.database = database
    told: Any = Told(times)
    telling = asyncio.create_task(one._tell_health(told))
    await asyncio.wait_for(told.enough.wait(), 60)
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)
    return told.said


async def test_a_database_that_is_late_once_is_asked_again_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert await said_of([True, None, True], monkeypatch, times=3) == [True, True, True]


async def test_one_that_is_late_twice_is_away_until_it_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = await said_of([True, None, None, True], monkeypatch, times=4)
    assert said == [True, False, False, True]


async def test_one_that_refuses_is_away_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await said_of([True, False, True], monkeypatch, times=4) == [True, False, False, True]
