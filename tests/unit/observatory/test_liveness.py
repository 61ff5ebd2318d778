"""What several nodes and several feeds of a center make together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from observatory.domain.liveness import NEVER, Heard, Liveness, best_of, worst_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ONLINE, LATE, STALE, OFFLINE, UNKNOWN = Liveness


def heard(liveness: Liveness, minute: int) -> Heard:
    """So since a minute after noon, and heard of a minute before that."""
    since = NOON + timedelta(minutes=minute)
    return Heard(liveness, since, since - timedelta(minutes=1))


def test_a_feed_is_as_fresh_as_the_freshest_node() -> None:
    feed = best_of([heard(OFFLINE, 5), heard(ONLINE, 2), heard(ONLINE, 9)])
    # Online since the first of those that are; heard of when any was.
    assert (feed.liveness, feed.since) == (ONLINE, NOON + timedelta(minutes=2))
    assert feed.last_received_at == NOON + timedelta(minutes=8)


def test_a_feed_is_silent_since_the_last_of_its_nodes_fell_silent() -> None:
    feed = best_of([heard(OFFLINE, 5), heard(OFFLINE, 7)])
    assert (feed.liveness, feed.since) == (OFFLINE, NOON + timedelta(minutes=7))


def test_a_node_that_was_never_heard_of_hides_no_silence() -> None:
    assert best_of([NEVER, heard(OFFLINE, 5)]).liveness is OFFLINE
    assert best_of([]) == NEVER


def test_the_worst_feed_decides() -> None:
    feeds = {"heartbeat": heard(ONLINE, 1), "capacity": heard(LATE, 5), "report": heard(LATE, 3)}
    together = worst_of(feeds)
    assert (together.liveness, together.since) == (LATE, NOON + timedelta(minutes=3))
    assert worst_of(feeds | {"heartbeat": heard(STALE, 9)}).liveness is STALE


def test_a_feed_that_never_came_makes_a_center_no_worse() -> None:
    together = worst_of({"heartbeat": heard(ONLINE, 1), "report": NEVER})
    assert (together.liveness, together.since) == (ONLINE, NOON + timedelta(minutes=1))
    both = {"heartbeat": heard(ONLINE, 1), "capacity": heard(ONLINE, 4)}
    assert worst_of(both).since == NOON + timedelta(minutes=4)


def test_without_a_heartbeat_nothing_is_online() -> None:
    assert worst_of({"capacity": heard(ONLINE, 1)}).liveness is UNKNOWN
    assert worst_of({"heartbeat": NEVER, "capacity": heard(ONLINE, 1)}).liveness is UNKNOWN
    assert worst_of({"heartbeat": NEVER, "capacity": heard(STALE, 1)}).liveness is STALE
    assert worst_of({}) == NEVER


def test_what_nobody_tells_of_any_more_shows_no_sign_of_life() -> None:
    told = NOON + timedelta(hours=1)
    for liveness in (ONLINE, LATE):
        old = heard(liveness, 1).grown_old(told)
        assert (old.liveness, old.since) == (STALE, told)
        assert old.last_received_at == NOON
    for liveness in (STALE, OFFLINE, UNKNOWN):
        assert heard(liveness, 1).grown_old(told) == heard(liveness, 1)
