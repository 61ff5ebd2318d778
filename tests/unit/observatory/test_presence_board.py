"""What a process makes of the digests of presence, and of their silence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from observatory.domain.liveness import Liveness
from observatory.projections.presence_board import SILENT_AFTER, PresenceBoard
from peyvand.centers.v1 import nodes_pb2

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ONLINE = nodes_pb2.FEED_LIVENESS_ONLINE
LATE = nodes_pb2.FEED_LIVENESS_LATE
OFFLINE = nodes_pb2.FEED_LIVENESS_OFFLINE


class Bench:
    """A board with a clock that is turned by hand, and a count of the changes it told of."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.changes = 0
        self.number = 0
        self.board = PresenceBoard(self._changed, lambda: self.seconds)

    def _changed(self) -> None:
        self.changes += 1

    def tell(self, nodes: dict[str, Any], *, complete: bool = True, **given: Any) -> None:
        """Tell of nodes by their heartbeat."""
        self.number += 1
        values: dict[str, Any] = {"teller": "one", "number": self.number} | given
        digest = nodes_pb2.PresenceDigest(complete=complete, **values)
        digest.as_of.FromDatetime(NOON + timedelta(seconds=self.seconds))
        for node_id, liveness in nodes.items():
            health = digest.nodes.add(node_id=node_id)
            state = health.feeds.add(feed="heartbeat", liveness=liveness)
            state.since.FromDatetime(NOON)
            state.last_received_at.FromDatetime(NOON + timedelta(seconds=self.seconds))
            health.vitals.queued_reports = int(self.seconds)
        self.board.take(digest.SerializeToString())

    def shown(self, node_id: str) -> Liveness:
        """How a node is shown now."""
        return self.board.now().node(node_id).heartbeat.liveness


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_before_the_first_digest_nothing_is_known(bench: Bench) -> None:
    assert bench.board.now().as_of is None
    bench.board.look()
    assert bench.changes == 0
    assert bench.shown("nod_1") is Liveness.UNKNOWN


def test_until_when_it_was_told_of_nodes_is_known(bench: Bench) -> None:
    assert bench.board.told_until() is None
    bench.seconds += SILENT_AFTER + 1
    began = bench.board.told_until()
    assert began is not None
    assert abs(began - datetime.now(UTC)) < timedelta(minutes=1)
    bench.tell({"nod_1": ONLINE})
    told = NOON + timedelta(seconds=bench.seconds)
    assert bench.board.told_until() is None
    bench.seconds += SILENT_AFTER + 1
    assert bench.board.told_until() == told
    bench.tell({"nod_1": ONLINE})
    assert bench.board.told_until() is None


def test_only_what_a_reader_would_see_is_a_change(bench: Bench) -> None:
    bench.tell({"nod_1": ONLINE})
    assert (bench.changes, bench.shown("nod_1")) == (1, Liveness.ONLINE)
    bench.seconds += 1
    bench.tell({"nod_1": ONLINE})
    assert bench.changes == 1
    bench.tell({"nod_1": LATE}, complete=False)
    assert (bench.changes, bench.shown("nod_1")) == (2, Liveness.LATE)


def test_a_part_leaves_the_others_and_a_whole_does_not(bench: Bench) -> None:
    bench.tell({"nod_1": ONLINE, "nod_2": ONLINE})
    bench.tell({"nod_2": OFFLINE}, complete=False)
    assert bench.shown("nod_1") is Liveness.ONLINE
    bench.tell({"nod_2": OFFLINE})
    assert (bench.changes, bench.shown("nod_1")) == (3, Liveness.UNKNOWN)


def test_silence_is_shown_as_nobody_knowing(bench: Bench) -> None:
    bench.tell({"nod_1": ONLINE, "nod_2": OFFLINE})
    told = bench.board.now().as_of
    bench.seconds += SILENT_AFTER
    bench.board.look()
    assert (bench.changes, bench.shown("nod_1")) == (1, Liveness.ONLINE)
    bench.seconds += 0.1
    # Also before anybody has looked.
    heartbeat = bench.board.now().node("nod_1").heartbeat
    assert (heartbeat.liveness, heartbeat.since) == (Liveness.STALE, told)
    assert bench.shown("nod_2") is Liveness.OFFLINE
    bench.board.look()
    bench.board.look()
    assert bench.changes == 2
    bench.tell({"nod_1": ONLINE, "nod_2": OFFLINE})
    assert (bench.changes, bench.shown("nod_1")) == (3, Liveness.ONLINE)


def test_a_return_that_comes_before_anybody_looked_is_a_change_too(bench: Bench) -> None:
    bench.tell({"nod_1": ONLINE})
    bench.seconds += SILENT_AFTER + 1
    assert bench.shown("nod_1") is Liveness.STALE
    bench.tell({"nod_1": ONLINE})
    assert (bench.changes, bench.shown("nod_1")) == (2, Liveness.ONLINE)


def test_what_comes_late_or_broken_is_passed_over(bench: Bench) -> None:
    bench.tell({"nod_1": ONLINE})
    bench.tell({"nod_1": LATE})
    bench.tell({"nod_1": ONLINE}, number=1)
    assert bench.shown("nod_1") is Liveness.LATE
    bench.board.take(b"\xff\xff")
    assert bench.shown("nod_1") is Liveness.LATE
    # Another teller counts anew.
    bench.tell({"nod_1": ONLINE}, number=1, teller="two")
    assert bench.shown("nod_1") is Liveness.ONLINE
