"""Liveness under clocks that tests set: who is late, and what makes nobody late."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from centers.domain.centers import Expectations
from centers.domain.presence import (
    CAPACITY,
    HEARTBEAT,
    Change,
    ListeningClock,
    Liveness,
    PresenceWatch,
    Standing,
    thresholds,
)

NODE, CENTER = "nod_1", "ctr_1"
START = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = 3600.0


class World:
    """A watch with a clock of its own, and the wall clock beside it."""

    def __init__(self, **expected: int) -> None:
        self.monotonic = 1000.0
        self.wall = START
        self.clock = ListeningClock(self.monotonic)
        self.watch = PresenceWatch()
        self.limits = thresholds(Expectations(**expected))
        self.told: list[tuple[str, Liveness]] = []
        self.expect()

    def expect(self) -> None:
        self.watch.expect(NODE, CENTER, self.limits, self.clock.seconds)

    def hear(self, feed: str = HEARTBEAT) -> None:
        self.watch.hear(NODE, feed, self.clock.seconds, self.wall)

    def stand_still(self, seconds: float) -> None:
        """Time passes and the process does not."""
        self.monotonic += seconds
        self.wall += timedelta(seconds=seconds)

    def run(
        self, seconds: float, *, beat: float | None = None, listening: bool = True
    ) -> list[Liveness]:
        """Let time pass in steps of half a second; a node beats every `beat` seconds."""
        found: list[Liveness] = []
        for step in range(round(seconds * 2)):
            self.stand_still(0.5)
            self.clock.advance(self.monotonic, listening=listening)
            if beat is not None and listening and (step * 0.5) % beat == 0:
                self.hear()
            found += [change.after.liveness for change in self.tick()]
        return found

    def listen(self, hours: float) -> list[Liveness]:
        """Listen for hours, in which the node beats as it should."""
        self.clock.seconds += hours * HOUR
        self.hear()
        return [change.after.liveness for change in self.tick()]

    def tick(self) -> list[Change]:
        changes = self.watch.changes(self.clock.seconds, self.wall)
        for change in changes:
            self.watch.told(change)
            self.told.append((change.feed, change.after.liveness))
        return changes


def test_a_node_that_falls_silent_is_late_then_stale_then_offline() -> None:
    world = World()
    assert world.run(20, beat=10) == [Liveness.ONLINE]
    assert world.run(29 - 10) == []
    assert world.run(2) == [Liveness.LATE]
    assert world.run(90) == [Liveness.STALE]
    assert world.run(480) == [Liveness.OFFLINE]
    assert world.run(700) == []
    world.hear()
    (change,) = world.tick()
    assert change.after == Standing(Liveness.ONLINE, world.wall, world.wall)


def test_a_center_says_itself_what_is_late() -> None:
    world = World(late_seconds=5, stale_seconds=8, offline_seconds=11)
    world.hear()
    assert world.run(20) == [
        Liveness.ONLINE,
        Liveness.LATE,
        Liveness.STALE,
        Liveness.OFFLINE,
    ]


def test_of_a_node_that_was_never_heard_nothing_is_told() -> None:
    world = World()
    assert world.run(2000) == []
    assert world.watch.standing(NODE, HEARTBEAT) is None


@pytest.mark.parametrize("pause", [4, 60, 3600, 86400 * 3])
def test_a_hub_that_stood_still_makes_no_node_late(pause: int) -> None:
    world = World()
    world.run(60, beat=10)
    world.stand_still(pause)
    assert world.run(120, beat=10) == []


@pytest.mark.parametrize("outage", [5, 60, 700])
def test_a_broker_that_was_away_makes_no_node_late(outage: int) -> None:
    world = World()
    world.run(60, beat=10)
    assert world.run(outage, listening=False) == []
    # The nodes take a while to be back.
    assert world.run(14) == []
    assert world.run(120, beat=10) == []


def test_silence_before_a_pause_counts_on_after_it() -> None:
    world = World()
    world.hear()
    assert world.run(25) == [Liveness.ONLINE]
    world.stand_still(600)
    assert world.run(15) == []
    assert world.run(10) == [Liveness.LATE]


@given(
    jumps=st.lists(
        st.tuples(st.integers(1, 100), st.integers(-(10**7), 10**7)), min_size=1, max_size=8
    )
)
def test_a_wall_clock_may_jump_as_it_likes(jumps: list[tuple[int, int]]) -> None:
    world = World()
    world.run(10, beat=5)
    for seconds, jump in jumps:
        world.wall += timedelta(seconds=jump)
        assert world.run(seconds, beat=5) == []


def test_what_was_known_before_a_start_holds_until_the_thresholds_have_passed() -> None:
    for before in (Liveness.ONLINE, Liveness.LATE, Liveness.STALE, Liveness.OFFLINE):
        world = World()
        world.watch.known(NODE, HEARTBEAT, Standing(before, START, START))
        told = world.run(620)
        order = [Liveness.ONLINE, Liveness.LATE, Liveness.STALE, Liveness.OFFLINE]
        assert told == order[order.index(before) + 1 :]
    world = World()
    world.watch.known(NODE, HEARTBEAT, Standing(Liveness.STALE, START, START))
    assert world.run(100) == []
    world.hear()
    assert world.run(1) == [Liveness.ONLINE]


def test_a_clock_knows_since_when_it_was_listened_without_a_break() -> None:
    clock = ListeningClock(100.0)
    for now in (100.5, 101.0):
        clock.advance(now)
    assert (clock.unbroken_since, clock.last_heard) == (100.0, 101.0)
    clock.advance(500.0)
    assert clock.unbroken_since == 500.0
    for now in (500.5, 600.0, 600.5):
        clock.advance(now, listening=False)
    clock.advance(601.0)
    assert (clock.unbroken_since, clock.last_heard) == (601.0, 601.0)
    clock.advance(601.5, listening=False)
    clock.advance(602.0)
    assert clock.unbroken_since == 601.0


@pytest.mark.parametrize("before", list(Liveness))
def test_of_time_in_which_nobody_listened_nothing_good_is_held_for_known(before: Liveness) -> None:
    world, since = World(), START + timedelta(days=3)
    world.watch.known(NODE, HEARTBEAT, Standing(before, START, START))
    changes = world.watch.unheard(since)
    if before in (Liveness.STALE, Liveness.OFFLINE, Liveness.UNKNOWN):
        assert changes == []
        return
    (change,) = changes
    assert change.after == Standing(Liveness.UNKNOWN, since, START)
    world.watch.told(change)
    assert world.watch.unheard(since) == []
    # One that has died meanwhile is never told to be online, and then that it is silent.
    assert world.run(29) == []
    assert world.run(700) == [Liveness.LATE, Liveness.STALE, Liveness.OFFLINE]


def test_after_an_interruption_a_node_is_online_when_it_is_heard_and_not_before() -> None:
    world = World()
    world.run(20, beat=10)
    world.stand_still(5 * HOUR)
    world.watch.interrupted(world.clock.advance(world.monotonic))
    (change,) = world.watch.unheard(world.wall - timedelta(hours=5))
    world.watch.told(change)
    assert world.run(30) == []
    world.hear()
    assert world.run(1) == [Liveness.ONLINE]
    assert world.watch.unheard(START)[0].after.since == world.wall - timedelta(seconds=1)


def test_figures_are_late_by_hours_and_never_offline() -> None:
    world = World()
    world.watch.hear(NODE, CAPACITY, -23 * HOUR, START - timedelta(hours=23))
    assert world.run(10, beat=10) == [Liveness.ONLINE, Liveness.ONLINE]
    assert world.listen(0.9) == []
    assert world.listen(1) == [Liveness.LATE]
    assert world.listen(24) == [Liveness.STALE]
    assert world.listen(2000) == []


def test_figures_that_never_came_are_stale_once_a_node_was_there_for_long_enough() -> None:
    world = World()
    world.watch.owe(NODE, CAPACITY, -47 * HOUR)
    assert world.run(700, beat=10) == [Liveness.ONLINE]
    assert world.watch.standing(NODE, CAPACITY) is None
    assert world.listen(1) == [Liveness.STALE]
    told = world.watch.standing(NODE, CAPACITY)
    assert told is not None
    assert told.last_received_at is None
    assert world.listen(100) == []
    # What the center gives in another way is owed from there on; what it was is told no more.
    world.watch.owe(NODE, CAPACITY, world.clock.seconds)
    assert world.listen(1) == [Liveness.UNKNOWN]
    assert world.listen(46) == []
    assert world.listen(2) == [Liveness.STALE]
    world.hear(CAPACITY)
    assert world.listen(1) == [Liveness.ONLINE]


def test_of_figures_that_never_came_nothing_is_told_of_a_node_that_is_not_there() -> None:
    world = World()
    world.watch.owe(NODE, CAPACITY, -100 * HOUR)
    assert world.run(700) == []
    # Nor in the first minutes, in which nodes bring what they kept.
    began = World()
    began.watch.owe(NODE, CAPACITY, -100 * HOUR)
    assert began.run(590, beat=10) == [Liveness.ONLINE]
    began.hear(CAPACITY)
    assert began.run(700, beat=10) == [Liveness.ONLINE]


def test_after_a_long_outage_of_the_hub_nodes_may_bring_what_they_kept() -> None:
    world = World()
    world.watch.known(NODE, CAPACITY, Standing(Liveness.ONLINE, START, START))
    world.watch.hear(NODE, CAPACITY, -50 * HOUR, START - timedelta(hours=50))
    assert world.run(500, beat=10) == [Liveness.ONLINE]
    world.hear(CAPACITY)
    assert world.run(500, beat=10) == []

    overdue = World()
    overdue.watch.known(NODE, CAPACITY, Standing(Liveness.ONLINE, START, START))
    overdue.watch.hear(NODE, CAPACITY, -50 * HOUR, START - timedelta(hours=50))
    assert overdue.run(700, beat=10) == [Liveness.ONLINE, Liveness.STALE]


def test_a_node_that_is_suspended_becomes_unknown_and_begins_anew_when_it_is_resumed() -> None:
    world = World()
    world.run(20, beat=10)
    world.watch.dismiss(NODE, CENTER, ended=False)
    (change,) = world.tick()
    assert (change.after.liveness, change.ended) == (Liveness.UNKNOWN, False)
    world.watch.dismiss(NODE, CENTER, ended=False)
    assert world.run(1000) == []
    world.expect()
    assert world.run(29) == []
    # It was there before, and does not come back though it may: that is silence.
    assert world.run(700) == [Liveness.LATE, Liveness.STALE, Liveness.OFFLINE]
    world.hear()
    assert world.run(1) == [Liveness.ONLINE]


def test_a_node_that_has_left_is_told_of_once_more() -> None:
    world = World()
    world.run(20, beat=10)
    world.watch.dismiss(NODE, CENTER, ended=True)
    (change,) = world.tick()
    assert change.ended
    world.watch.dismiss(NODE, CENTER, ended=True)
    assert world.tick() == []


def test_a_change_that_could_not_be_recorded_is_told_again() -> None:
    world = World()
    world.hear()
    first = world.watch.changes(0.0, world.wall)
    assert first == world.watch.changes(0.0, world.wall)
    world.watch.told(first[0])
    assert world.watch.changes(0.0, world.wall) == []


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["beat", "wait", "pause", "cut"]), st.integers(1, 60)),
        max_size=12,
    )
)
def test_silence_is_told_when_somebody_has_listened_that_long_and_not_before(
    steps: list[tuple[str, int]],
) -> None:
    world, listened, breaks = World(), 0.0, 0
    world.hear()
    for what, seconds in steps:
        if what == "beat":
            world.hear()
            listened, breaks = 0.0, min(breaks, 1)
            world.tick()
        elif what == "wait":
            world.run(seconds)
            listened += seconds
        else:
            breaks += 1
            if what == "pause":
                world.stand_still(seconds + 3)
            else:
                world.run(seconds, listening=False)
        standing = world.watch.standing(NODE, HEARTBEAT)
        told = standing.liveness if standing else Liveness.ONLINE
        least, most = world.limits[HEARTBEAT], 15 * breaks + 1
        assert listened >= {"late": least.late, "stale": least.stale}.get(told.value, 0)
        if listened > least.late + most:
            assert told is not Liveness.ONLINE
        if listened > least.stale + most:
            assert told not in (Liveness.ONLINE, Liveness.LATE)
