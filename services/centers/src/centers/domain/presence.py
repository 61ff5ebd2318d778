"""Who is heard of: how fresh each feed of each node is, found from arrivals alone.

Time is given to everything here as an argument. What decides is the `ListeningClock`, made
of the hub's monotonic clock; wall-clock times are only carried along, to be shown. Neither
a clock that jumps nor a hub that stood still can make a node look silent: silence is
counted only while somebody listened.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from centers.domain.centers import Expectations
from domainkit.aggregate import Aggregate, Occasion

HEARTBEAT = "heartbeat"
CAPACITY = "capacity"
REPORT = "report"
FEEDS = (HEARTBEAT, CAPACITY, REPORT)

_HOUR = 3600.0
_DAY = 86400.0


class Liveness(StrEnum):
    """How long since it was heard of a feed is told of."""

    ONLINE = "online"
    LATE = "late"
    STALE = "stale"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


_WORSE: Mapping[Liveness, int] = {
    Liveness.ONLINE: 0,
    Liveness.LATE: 1,
    Liveness.STALE: 2,
    Liveness.OFFLINE: 3,
}


_THERE = (Liveness.ONLINE, Liveness.LATE)


@dataclass(frozen=True)
class Thresholds:
    """Seconds of silence after which a feed is late, stale, offline.

    Feeds of figures know no `offline`: it is the node that is cut off, not its figures.
    """

    late: float
    stale: float
    offline: float | None = None

    def judge(self, silence: float) -> Liveness:
        """What so long a silence means."""
        if self.offline is not None and silence >= self.offline:
            return Liveness.OFFLINE
        if silence >= self.stale:
            return Liveness.STALE
        return Liveness.LATE if silence >= self.late else Liveness.ONLINE


def thresholds(expectations: Expectations | None) -> dict[str, Thresholds]:
    """Thresholds of each feed by what a center is expected to do, `None`: the usual."""
    expected = (expectations or Expectations()).filled()
    capacity, report = expected.capacity_hours * _HOUR, expected.report_days * _DAY
    return {
        HEARTBEAT: Thresholds(
            expected.late_seconds, expected.stale_seconds, expected.offline_seconds
        ),
        CAPACITY: Thresholds(capacity, 2 * capacity),
        REPORT: Thresholds(report, 2 * report),
    }


class ListeningClock:
    """Counts the seconds in which somebody listened.

    It is advanced several times a second. A step that is much longer than that means that
    the process stood still, and nobody knows what came meanwhile; so does a broker that
    is away. After either, nodes get `settling` seconds to connect and be heard again
    before their silence counts.
    """

    def __init__(
        self, monotonic: float, *, longest_step: float = 3.0, settling: float = 15.0
    ) -> None:
        self.seconds = 0.0
        # When it was last listened, and since when without a break, by the monotonic clock.
        self.unbroken_since = monotonic
        self._last = monotonic
        self.last_heard = monotonic
        self._settled_at = monotonic
        self._longest_step = longest_step
        self._settling = settling

    def advance(self, monotonic: float, *, listening: bool = True) -> float:
        """Note that time has passed, heard or unheard; return the seconds listened so far."""
        step = monotonic - self._last
        self._last = monotonic
        if listening:
            if monotonic - self.last_heard > self._longest_step:
                self.unbroken_since = monotonic
            self.last_heard = monotonic
        if not listening or step > self._longest_step:
            self._settled_at = monotonic + self._settling
        elif monotonic - step >= self._settled_at:
            self.seconds += max(0.0, step)
        return self.seconds


@dataclass(kw_only=True)
class Presence(Aggregate):
    """How fresh one feed of one node is, as it was last announced."""

    EVENTS: ClassVar[Mapping[Liveness, str]] = {
        Liveness.ONLINE: "came_online",
        Liveness.LATE: "went_late",
        Liveness.STALE: "went_stale",
        Liveness.OFFLINE: "went_offline",
        Liveness.UNKNOWN: "became_unknown",
    }

    node_id: str
    center_id: str
    feed: str
    liveness: Liveness = Liveness.UNKNOWN
    since: datetime
    last_received_at: datetime | None = None
    ended: bool = False

    def become(
        self,
        liveness: Liveness,
        occasion: Occasion,
        *,
        last_received_at: datetime | None,
        ended: bool = False,
    ) -> None:
        """Note a change of freshness, or that nothing more is expected."""
        before, self.liveness = self.liveness, liveness
        self.since = occasion.at
        self.last_received_at = last_received_at
        self.ended = ended
        self.record_step(
            "ended" if ended else self.EVENTS[liveness],
            occasion,
            from_state=before.value if self.version else "",
            to_state=liveness.value,
        )


@dataclass(frozen=True)
class Standing:
    """What is known of a feed of a node now."""

    liveness: Liveness
    since: datetime
    last_received_at: datetime | None = None


@dataclass(frozen=True)
class Change:
    """A feed that is to be told of otherwise from now on."""

    node_id: str
    center_id: str
    feed: str
    after: Standing
    ended: bool = False


@dataclass(frozen=True)
class _Arrival:
    listened: float  # when, by the listening clock; below 0: before this process began
    received_at: datetime


@dataclass(frozen=True)
class _Expected:
    center_id: str
    thresholds: Mapping[str, Thresholds]
    # Silence before this, by the listening clock, was not this watch's to hear.
    since: float


class PresenceWatch:
    """Judges all nodes by what arrived of them.

    `changes` only says what should be told; `told` makes it so, once it is recorded. A
    watch that begins, or takes over, declares nothing silent before the thresholds have
    passed since; what was known before (`known`) holds until then. Of time in which nobody
    listened nothing good is held for known: see `interrupted` and `unheard`.
    """

    def __init__(self, *, figures_grace: float = 600.0) -> None:
        self._figures_grace = figures_grace
        self._expected: dict[str, _Expected] = {}
        self._leaving: dict[str, tuple[str, bool]] = {}
        self._arrivals: dict[tuple[str, str], _Arrival] = {}
        self._owed: dict[tuple[str, str], float] = {}
        self._standings: dict[tuple[str, str], Standing] = {}

    @property
    def nodes(self) -> Mapping[str, str]:
        """The nodes that are expected to be heard of, with their centers."""
        return {node_id: expected.center_id for node_id, expected in self._expected.items()}

    def limits(self, node_id: str) -> Mapping[str, Thresholds] | None:
        """By what thresholds a node is expected to be heard of; `None` if it is not."""
        expected = self._expected.get(node_id)
        return None if expected is None else expected.thresholds

    def expect(
        self, node_id: str, center_id: str, by: Mapping[str, Thresholds], listened: float
    ) -> None:
        """Expect to hear of a node from now on, or by other thresholds than before."""
        known = self._expected.get(node_id)
        since = listened if known is None else known.since
        self._expected[node_id] = _Expected(center_id, by, since)
        self._leaving.pop(node_id, None)

    def dismiss(self, node_id: str, center_id: str, *, ended: bool) -> None:
        """Expect no more of a node: for a time, or for good."""
        self._expected.pop(node_id, None)
        for feed in FEEDS:
            self._arrivals.pop((node_id, feed), None)
            self._owed.pop((node_id, feed), None)
        if any((node_id, feed) in self._standings for feed in FEEDS):
            self._leaving[node_id] = (center_id, ended)

    def known(self, node_id: str, feed: str, standing: Standing) -> None:
        """Take over what was told of a feed before."""
        self._standings[node_id, feed] = standing

    def hear(self, node_id: str, feed: str, listened: float, received_at: datetime) -> None:
        """Note that a feed was heard of. An arrival before the last one changes nothing."""
        last = self._arrivals.get((node_id, feed))
        if last is None or listened >= last.listened:
            self._arrivals[node_id, feed] = _Arrival(listened, received_at)

    def owe(self, node_id: str, feed: str, listened: float) -> None:
        """Note since when figures are owed that a node may never have sent.

        Below 0: since before this process began.
        """
        self._owed[node_id, feed] = listened

    def interrupted(self, listened: float) -> None:
        """Nobody has listened for a while: whether a node is there has to be heard anew."""
        for node_id, expected in self._expected.items():
            self._arrivals.pop((node_id, HEARTBEAT), None)
            self._expected[node_id] = replace(expected, since=listened)

    def unheard(self, since: datetime) -> list[Change]:
        """What should be told when it is found that nobody has listened since then.

        Nodes that were there are unknown from then on, until they are heard or have been silent
        for long enough; those that were not are no better known than before.
        """
        changes: list[Change] = []
        for node_id, expected in self._expected.items():
            told = self._standings.get((node_id, HEARTBEAT))
            if told is not None and told.liveness in _THERE:
                at = max(since, told.since)
                after = Standing(Liveness.UNKNOWN, at, told.last_received_at)
                changes.append(Change(node_id, expected.center_id, HEARTBEAT, after))
        return changes

    def standing(self, node_id: str, feed: str) -> Standing | None:
        """What is told of a feed, with the time of its last arrival; `None` if nothing ever."""
        told, arrival = self._standings.get((node_id, feed)), self._arrivals.get((node_id, feed))
        if told is None or arrival is None:
            return told
        return Standing(told.liveness, told.since, arrival.received_at)

    def changes(self, listened: float, now: datetime) -> list[Change]:
        """What should be told otherwise, `listened` seconds into the listening, at `now`."""
        return [*self._judged(listened, now), *self._left(now)]

    def told(self, change: Change) -> None:
        """Hold what was recorded for what is known."""
        key = (change.node_id, change.feed)
        if change.ended:
            self._standings.pop(key, None)
        else:
            self._standings[key] = change.after
        if next(self._left_of(change.node_id, change.after.since), None) is None:
            self._leaving.pop(change.node_id, None)

    def _judged(self, listened: float, now: datetime) -> Iterator[Change]:
        for node_id, expected in self._expected.items():
            for feed in expected.thresholds:
                told = self._standings.get((node_id, feed))
                found = self._judge(node_id, feed, expected, listened)
                if found is None or (told is not None and found is told.liveness):
                    continue
                arrival = self._arrivals.get((node_id, feed))
                received = arrival.received_at if arrival else told and told.last_received_at
                came = found is Liveness.ONLINE and feed == HEARTBEAT and received is not None
                after = Standing(found, received if came and received else now, received)
                yield Change(node_id, expected.center_id, feed, after)

    def _judge(
        self, node_id: str, feed: str, expected: _Expected, listened: float
    ) -> Liveness | None:
        """How fresh a feed is; `None` where nothing new can be said."""
        told = self._standings.get((node_id, feed))
        arrival = self._arrivals.get((node_id, feed))
        before = told.liveness if told else Liveness.UNKNOWN
        if feed != HEARTBEAT and arrival is None and (told is None or not told.last_received_at):
            return self._judge_owed(node_id, feed, before, listened)
        if arrival is None and before is Liveness.UNKNOWN:
            return self._judge_missed(feed, told, expected, listened)
        heard = arrival.listened if arrival else expected.since
        found = expected.thresholds[feed].judge(listened - heard)
        if before is Liveness.UNKNOWN:
            return found
        if _WORSE[found] < _WORSE[before]:
            return found if arrival else None
        if feed != HEARTBEAT and listened - expected.since < self._figures_grace:
            # What the node kept while the hub was away is let in first.
            return None
        return found

    def _judge_missed(
        self, feed: str, told: Standing | None, expected: _Expected, listened: float
    ) -> Liveness | None:
        """How silent a node is that was there once, and of which nothing is known since.

        What never came is unknown and not silent; so are figures, which have no heartbeat.
        """
        if feed != HEARTBEAT or told is None or told.last_received_at is None:
            return None
        found = expected.thresholds[feed].judge(listened - expected.since)
        return None if found is Liveness.ONLINE else found

    def _judge_owed(
        self, node_id: str, feed: str, before: Liveness, listened: float
    ) -> Liveness | None:
        """What is said of figures that a node has never sent.

        They are unknown until the node is there and has owed them for so long that others
        of this age would be stale.
        """
        owed, beat = self._owed.get((node_id, feed)), self._standings.get((node_id, HEARTBEAT))
        expected = self._expected[node_id]
        if owed is None or beat is None or beat.liveness not in _THERE:
            return None
        if listened - expected.since < self._figures_grace:
            return None
        if expected.thresholds[feed].judge(listened - owed) is Liveness.STALE:
            return Liveness.STALE
        # By other thresholds than before it may be too early after all.
        return Liveness.UNKNOWN if before is Liveness.STALE else None

    def _left(self, now: datetime) -> Iterator[Change]:
        for node_id in self._leaving:
            yield from self._left_of(node_id, now)

    def _left_of(self, node_id: str, now: datetime) -> Iterator[Change]:
        if node_id not in self._leaving:
            return
        center_id, ended = self._leaving[node_id]
        for feed in FEEDS:
            told = self._standings.get((node_id, feed))
            if told is None or (told.liveness is Liveness.UNKNOWN and not ended):
                continue
            after = Standing(Liveness.UNKNOWN, now, told.last_received_at)
            yield Change(node_id, center_id, feed, after, ended)
