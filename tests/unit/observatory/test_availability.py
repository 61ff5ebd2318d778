"""The days of a center, from the changes of its nodes' heartbeats."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from observatory.domain.availability import Day, HeartbeatChange, by_day, first_day, first_moment
from observatory.domain.liveness import Liveness, best

ONLINE, LATE, STALE, OFFLINE, UNKNOWN = Liveness
# 15:30 in Tehran, which is three and a half hours ahead.
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 21, 20, 30, tzinfo=UTC)
HOUR = 3600


def change(liveness: Liveness | None, at: datetime, node: str = "nod_1") -> HeartbeatChange:
    return HeartbeatChange(node, liveness, at)


def hours(day: Day) -> dict[Liveness, float]:
    return {liveness: seconds / HOUR for liveness, seconds in day.seconds.items() if seconds}


def test_a_day_is_that_of_tehran() -> None:
    assert first_day(MIDNIGHT, 1) == date(2026, 11, 22)
    assert first_day(MIDNIGHT - timedelta(seconds=1), 1) == date(2026, 11, 21)
    assert first_moment(date(2026, 11, 22)) == MIDNIGHT
    # There is no summer time any more; there was until 2022.
    assert first_moment(date(2022, 7, 1)) == datetime(2022, 6, 30, 19, 30, tzinfo=UTC)


def test_when_nobody_tells_of_nodes_any_more_nothing_is_known() -> None:
    changes = [change(ONLINE, MIDNIGHT - timedelta(days=3))]
    told_until = MIDNIGHT - timedelta(hours=20)
    days = by_day(changes, NOW, 3, told_until)
    assert [hours(day) for day in days] == [
        {ONLINE: 24},
        {ONLINE: 4, UNKNOWN: 20},
        {UNKNOWN: 15.5},
    ]
    assert by_day(changes, NOW, 3, NOW + timedelta(hours=1)) == by_day(changes, NOW, 3)
    # A change is told of a time before; what is told after all is not known either.
    late = [*changes, change(OFFLINE, MIDNIGHT)]
    assert by_day(late, NOW, 3, told_until) == days


def test_before_the_first_event_nothing_is_known() -> None:
    yesterday, today = by_day([change(ONLINE, MIDNIGHT - timedelta(hours=6))], NOW, 2)
    assert hours(yesterday) == {UNKNOWN: 18, ONLINE: 6}
    assert hours(today) == {ONLINE: 15.5}
    assert (yesterday.worst, today.worst) == (UNKNOWN, ONLINE)
    (alone,) = by_day([], NOW, 1)
    assert hours(alone) == {UNKNOWN: 15.5}


def test_what_was_so_before_the_first_day_still_is() -> None:
    (today,) = by_day([change(OFFLINE, NOW - timedelta(days=30))], NOW, 1)
    assert hours(today) == {OFFLINE: 15.5}


def test_the_best_of_several_nodes_counts() -> None:
    changes = [
        change(ONLINE, MIDNIGHT, "nod_1"),
        change(ONLINE, MIDNIGHT + timedelta(hours=1), "nod_2"),
        change(OFFLINE, MIDNIGHT + timedelta(hours=2), "nod_1"),
        change(STALE, MIDNIGHT + timedelta(hours=5), "nod_2"),
        change(OFFLINE, MIDNIGHT + timedelta(hours=6), "nod_2"),
        # One that is no longer expected is no longer asked.
        change(None, MIDNIGHT + timedelta(hours=10), "nod_1"),
        change(None, MIDNIGHT + timedelta(hours=12), "nod_2"),
    ]
    (today,) = by_day(changes, NOW, 1)
    assert hours(today) == {ONLINE: 5, STALE: 1, OFFLINE: 6, UNKNOWN: 3.5}
    assert today.worst is OFFLINE


def test_what_lasts_less_than_a_minute_colours_no_day() -> None:
    changes = [
        change(ONLINE, MIDNIGHT),
        change(OFFLINE, MIDNIGHT + timedelta(hours=1)),
        change(ONLINE, MIDNIGHT + timedelta(hours=1, seconds=59)),
    ]
    (today,) = by_day(changes, NOW, 1)
    assert (today.seconds[OFFLINE], today.worst) == (59, ONLINE)
    (begun,) = by_day([change(LATE, MIDNIGHT)], MIDNIGHT + timedelta(seconds=5), 1)
    assert (begun.seconds[LATE], begun.worst) == (5, LATE)
    (begins,) = by_day([change(LATE, MIDNIGHT)], MIDNIGHT, 1)
    assert begins.worst is UNKNOWN


def test_a_clock_that_was_set_back_takes_no_time_away() -> None:
    changes = [
        change(ONLINE, MIDNIGHT + timedelta(hours=5)),
        change(OFFLINE, MIDNIGHT + timedelta(hours=2)),
        change(ONLINE, MIDNIGHT + timedelta(hours=6)),
    ]
    (today,) = by_day(changes, NOW, 1)
    assert hours(today) == {UNKNOWN: 5, OFFLINE: 1, ONLINE: 9.5}


@pytest.mark.parametrize("seed", range(30))
def test_every_second_is_counted_once(seed: int) -> None:
    """Against a clock that ticks through every minute, with changes on whole minutes."""
    chance = random.Random(seed)
    days = chance.randint(1, 3)
    begin = first_moment(first_day(NOW, days))
    minutes = int((NOW - begin).total_seconds()) // 60
    changes = [
        change(
            chance.choice([*Liveness, None]),
            begin + timedelta(minutes=minute),
            chance.choice(["nod_1", "nod_2", "nod_3"]),
        )
        for minute in sorted(chance.choices(range(-500, minutes + 200), k=chance.randint(0, 40)))
    ]
    expected = [dict.fromkeys(Liveness, 0) for _ in range(days)]
    nodes: dict[str, Liveness] = {}
    waiting = list(changes)
    for minute in range(minutes):
        at = begin + timedelta(minutes=minute)
        while waiting and waiting[0].at <= at:
            one = waiting.pop(0)
            if one.liveness is None:
                nodes.pop(one.node_id, None)
            else:
                nodes[one.node_id] = one.liveness
        expected[minute // 1440][best(nodes.values())] += 60
    assert [day.seconds for day in by_day(changes, NOW, days)] == expected
