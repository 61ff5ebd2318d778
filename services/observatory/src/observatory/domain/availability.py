"""How a center was heard of, day by day, from the changes of its nodes' heartbeats."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from observatory.domain.liveness import Liveness, best

TEHRAN = ZoneInfo("Asia/Tehran")

# What is shorter than this colours no day: a node that was started anew is no outage.
_WORTH_SHOWING = 60
# From the best to the worst for a whole day. Time of which nothing can be said is worse
# than having been heard of and better than having been silent.
_SEVERITY = (
    Liveness.ONLINE,
    Liveness.UNKNOWN,
    Liveness.LATE,
    Liveness.STALE,
    Liveness.OFFLINE,
)


@dataclass(frozen=True)
class HeartbeatChange:
    """The heartbeat of a node has become so at a time; `None`: it is no longer expected."""

    node_id: str
    liveness: Liveness | None
    at: datetime


@dataclass
class Day:
    """One day in the time of Tehran, with the seconds that a center was heard of so."""

    date: date
    seconds: dict[Liveness, int] = field(default_factory=lambda: dict.fromkeys(Liveness, 0))

    @property
    def worst(self) -> Liveness:
        """The worst that lasted a minute or longer; on a day that has just begun, the longest."""
        lasting = [one for one in _SEVERITY if self.seconds[one] >= _WORTH_SHOWING]
        if lasting:
            return lasting[-1]
        longest = max(_SEVERITY, key=lambda one: self.seconds[one])
        return longest if self.seconds[longest] else Liveness.UNKNOWN


def first_moment(day: date) -> datetime:
    """When a day begins in Tehran, in UTC."""
    return datetime.combine(day, time.min, TEHRAN).astimezone(UTC)


def first_day(now: datetime, days: int) -> date:
    """The first of `days` days of which the last one is that of `now`."""
    return now.astimezone(TEHRAN).date() - timedelta(days=days - 1)


def by_day(
    changes: Iterable[HeartbeatChange],
    now: datetime,
    days: int,
    told_until: datetime | None = None,
) -> list[Day]:
    """The last `days` days, the oldest first, that of `now` included as far as it has come.

    `changes` are in the order in which they were told; they may begin earlier. Before the
    first of them nothing is known, nor after `told_until`, when nobody tells of nodes any
    more. At each moment the best of the nodes counts.
    """
    first = first_day(now, days)
    # Whole seconds: all days together are then as long as they should be.
    end = now.astimezone(UTC).replace(microsecond=0)
    found = [Day(first + timedelta(days=number)) for number in range(days)]
    starts = [max(first_moment(day.date), first_moment(first)) for day in found]
    nodes: dict[str, Liveness] = {}
    current, place = Liveness.UNKNOWN, starts[0]
    index = 0
    known_end = end if told_until is None else min(end, told_until.replace(microsecond=0))

    def go_on(to: datetime) -> None:
        nonlocal place, index
        while place < to:
            day_ends = starts[index + 1] if index + 1 < days else end
            step = min(to, day_ends)
            found[index].seconds[current] += int((step - place).total_seconds())
            place = step
            if place == day_ends:
                index += 1

    for change in changes:
        # A clock that was set back moves no change before the one that was told earlier.
        go_on(min(max(change.at.replace(microsecond=0), place), known_end))
        if change.liveness is None:
            nodes.pop(change.node_id, None)
        else:
            nodes[change.node_id] = change.liveness
        current = best(nodes.values())
    go_on(known_end)
    current = Liveness.UNKNOWN
    go_on(end)
    return found
