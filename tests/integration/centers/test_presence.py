"""Who is heard of, with a real broker and database, and clocks that tests can stop."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from centers import tables
from centers.domain.centers import Expectations
from centers.domain.nodes import NodeState
from centers.domain.reports import (
    ActivityFigures,
    CapabilityKind,
    CapacityItem,
    CapacitySnapshot,
    PeriodReport,
    PeriodReportState,
)
from centers.line.presence_keeper import PresenceKeeper
from centers.repository.presence import read_roll, read_vitals
from centers.repository.reports import capacity_snapshots, period_reports
from domainkit.aggregate import Occasion
from nodekit.subjects import LIVE_PRESENCE, to_hub
from peyvand.centers.v1 import nodes_pb2
from peyvand.node.v1 import protocol_pb2 as pb
from servicekit.broker import Broker
from servicekit.database import Database, WriteSession
from servicekit.ids import new_id
from servicekit.messaging_tables import TABLES
from tests.support.messaging import eventually
from tests.support.reports import Reporting, capacity, reporting

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from nats.aio.msg import Msg

    from tests.support.cluster import Infra

QUICK = Expectations(late_seconds=3, stale_seconds=5, offline_seconds=7)
# For nodes that are to be online, however slow the machine.
SLOW = Expectations(late_seconds=60, stale_seconds=120, offline_seconds=180)
# What is told of a node that is silent by `QUICK`, after so many seconds more.
SILENCE = {"went_late": 4.0, "went_stale": 2.0, "went_offline": 2.0}
_STEP = 2.0  # seconds; a hub takes longer ones for a standstill


class Clock:
    """A clock of hubs that stands still unless a test lets time pass."""

    def __init__(self) -> None:
        self._seconds = 1000.0

    def __call__(self) -> float:
        return self._seconds

    async def passes(self, seconds: float, hub: PresenceKeeper) -> None:
        """Let time pass in which a hub listens."""
        end = self._seconds + seconds
        while self._seconds < end:
            self._seconds = min(end, self._seconds + _STEP)

            async def has_listened() -> bool:
                return hub._clock.last_heard == self._seconds

            await eventually(has_listened)


class PresenceBench:
    """Hubs that listen, and nodes that beat."""

    def __init__(self, reporting: Reporting, infra: Infra) -> None:
        self.reporting = reporting
        self.infra = infra
        self.woken: list[str] = []
        self.digests: list[nodes_pb2.PresenceDigest] = []
        self.broker: Broker

    async def heard(self, message: Msg) -> None:
        self.digests.append(nodes_pb2.PresenceDigest.FromString(message.data))

    async def wake(self, node_id: str) -> None:
        self.woken.append(node_id)

    async def beat(self, node_id: str) -> None:
        """One heartbeat of a node, whose clock is a minute ahead."""
        told = pb.Heartbeat(number=1, software_version="0.1.0", queued_reports=7)
        told.time.FromDatetime(datetime.now(UTC) + timedelta(minutes=1))
        await self.broker.client.publish(to_hub(node_id, "hb"), told.SerializeToString())

    @contextlib.asynccontextmanager
    async def beating(self, node_id: str, every: float = 0.5) -> AsyncGenerator[None]:
        """Let a node beat until the block ends."""

        async def run() -> None:
            while True:
                await self.beat(node_id)
                await asyncio.sleep(every)

        task = asyncio.create_task(run())
        try:
            yield
        finally:
            task.cancel()

    @contextlib.asynccontextmanager
    async def hub(
        self, monotonic: Callable[[], float] = time.monotonic
    ) -> AsyncGenerator[PresenceKeeper]:
        """A process of the hub, with connections of its own."""
        database = Database(self.reporting.url, pool=3)
        broker = await Broker.connect(self.infra.cluster.nats.access, name="presence test")
        keeper = PresenceKeeper(database, self.reporting.url, self.wake, monotonic=monotonic)
        await keeper.on(broker).start()
        try:
            yield keeper
        finally:
            await keeper.stop()
            await broker.close()
            await database.close()

    async def node(self, expectations: Expectations = SLOW) -> str:
        """A node of a center of its own."""
        center = await self.reporting.center(
            f"C{await self.reporting.count(tables.center)}", expectations=expectations
        )
        return await self.reporting.node(center)

    async def told(self, node_id: str, feed: str = "heartbeat") -> list[str]:
        """What was announced of a feed, in order."""
        columns = TABLES.outbox.c
        payloads = await self.reporting.numbers(
            sa.select(columns.payload).where(columns.type.like("%presence%")).order_by(columns.seq)
        )
        events = [nodes_pb2.PresenceEvent.FromString(payload) for payload in payloads]
        return [
            one.change.step.action
            for one in events
            if (one.presence.node_id, one.presence.feed) == (node_id, feed)
        ]

    async def until_told(self, node_id: str, *events: str, feed: str = "heartbeat") -> None:
        async def is_told() -> bool:
            return await self.told(node_id, feed) == list(events)

        try:
            await eventually(is_told, within=60)
        except TimeoutError:
            raise AssertionError(f"{await self.told(node_id, feed)}, not {events}") from None

    async def until_silent(
        self, last: str, node_id: str, hub: PresenceKeeper, clock: Clock
    ) -> None:
        """Let a node be silent until `last` is told of it, and each change before."""
        for change, seconds in SILENCE.items():
            told = await self.told(node_id)
            await clock.passes(seconds, hub)
            await self.until_told(node_id, *told, change)
            if change == last:
                return

    def livenesses(self, node_id: str) -> list[str]:
        """How fresh its heartbeat was in the digests, one after another."""
        seen = [
            nodes_pb2.FeedLiveness.Name(state.liveness).rpartition("_")[2]
            for digest in self.digests
            for health in digest.nodes
            if health.node_id == node_id
            for state in health.feeds
            if state.feed == "heartbeat"
        ]
        return [name for name, before in zip(seen, ["", *seen], strict=False) if name != before]


@pytest.fixture
async def bench(infra: Infra) -> AsyncGenerator[PresenceBench]:
    async with reporting(infra) as hub:
        bench = PresenceBench(hub, infra)
        bench.broker = await Broker.connect(infra.cluster.nats.access, name="nodes")
        subscription = await bench.broker.hear(LIVE_PRESENCE, bench.heard)
        yield bench
        await subscription.unsubscribe()
        await bench.broker.close()


async def test_a_node_comes_falls_silent_and_comes_back(bench: PresenceBench) -> None:
    node, clock = await bench.node(QUICK), Clock()
    changes = ["ONLINE", "LATE", "STALE", "OFFLINE", "ONLINE"]

    async def is_told_to_others() -> bool:
        return bench.livenesses(node)[-5:] == changes

    async with bench.hub(clock) as hub:
        await bench.beat(node)
        await bench.until_told(node, "came_online")
        await bench.until_silent("went_offline", node, hub, clock)
        async with bench.beating(node):
            await bench.until_told(
                node, "came_online", "went_late", "went_stale", "went_offline", "came_online"
            )
        await eventually(is_told_to_others)
        health = hub.health_of(node, "")
        assert health.feeds[0].liveness == nodes_pb2.FEED_LIVENESS_ONLINE
        assert [feed.liveness for feed in health.feeds[1:]] == [nodes_pb2.FEED_LIVENESS_UNKNOWN] * 2
        assert health.vitals.software_version == "0.1.0"
        # What is on its way for long makes the node's clock look less ahead than it is.
        assert 0 < health.vitals.clock_ahead_ms <= 60_000
    numbers = [digest.number for digest in bench.digests]
    assert numbers == list(range(1, len(numbers) + 1))
    assert bench.digests[0].complete


async def test_two_hubs_tell_each_change_once_and_a_change_of_the_leader_tells_nothing(
    bench: PresenceBench,
) -> None:
    node = await bench.node(Expectations(late_seconds=4, stale_seconds=8, offline_seconds=12))
    async with bench.beating(node), contextlib.AsyncExitStack() as second:
        async with bench.hub() as first:
            await bench.until_told(node, "came_online")
            other = await second.enter_async_context(bench.hub())
            await asyncio.sleep(3)
            assert (first.leads, other.leads) == (True, False)
            await eventually(lambda: _is_online(other, node))
            before = {digest.teller for digest in bench.digests}

        async def takes_over() -> bool:
            return other.leads

        async def tells() -> bool:
            return bool({digest.teller for digest in bench.digests} - before)

        await eventually(takes_over)
        await eventually(tells)
        await asyncio.sleep(5)
        assert await bench.told(node) == ["came_online"]
        assert len({digest.teller for digest in bench.digests} - before) == 1


async def test_what_was_known_stays_over_a_restart_until_it_is_known_anew(
    bench: PresenceBench,
) -> None:
    silent, there, clock = await bench.node(QUICK), await bench.node(), Clock()
    async with bench.hub(clock) as hub:
        await bench.beat(silent)
        async with bench.beating(there):
            for node in (silent, there):
                await bench.until_told(node, "came_online")
            await bench.until_silent("went_stale", silent, hub, clock)
    # As by a hub whose clock goes: that one has noted it when its clock began.
    await listened_until(bench, timedelta())
    async with bench.hub(clock) as again, bench.beating(there):

        async def known() -> bool:
            state = again.health_of(silent, "").feeds[0]
            return state.liveness == nodes_pb2.FEED_LIVENESS_STALE

        await eventually(known)
        assert again.health_of(silent, "").feeds[0].HasField("last_received_at")
        await clock.passes(8, again)
        await bench.until_told(silent, "came_online", "went_late", "went_stale", "went_offline")
        assert await bench.told(there) == ["came_online"]


async def test_a_hub_that_stood_still_calls_nobody_late(bench: PresenceBench) -> None:
    node, shift = await bench.node(QUICK), 0.0
    async with bench.hub(lambda: time.monotonic() + shift), bench.beating(node):
        await bench.until_told(node, "came_online")
        for pause in (5, 20):
            shift += pause
            await asyncio.sleep(2)
        assert await bench.told(node) == ["came_online"]
        # What it missed while it stood for longer is no time in which the node was there.
        shift += 3600
        await bench.until_told(node, "came_online", "became_unknown", "came_online")


async def listened_until(bench: PresenceBench, ago: timedelta) -> datetime:
    """Have the database know that nobody has listened since a while ago."""
    heard_until = datetime.now(UTC) - ago
    async with bench.reporting.database.engine.begin() as connection:
        done = await connection.execute(sa.update(tables.listening).values(heard_until=heard_until))
        assert done.rowcount == 1
    return heard_until


async def test_while_nobody_listened_nobody_was_online(bench: PresenceBench) -> None:
    slow = Expectations(late_seconds=86_400, stale_seconds=86_400 * 2, offline_seconds=86_400 * 3)
    died, there = await bench.node(slow), await bench.node(slow)
    async with bench.hub():
        await bench.beat(died)
        async with bench.beating(there):
            for node in (died, there):
                await bench.until_told(node, "came_online")
    heard_until = await listened_until(bench, timedelta(days=5))
    async with bench.hub() as again, bench.beating(there):
        await bench.until_told(there, "came_online", "became_unknown", "came_online")
        # By its own limits it may be silent for a day; but it was not there for five.
        await bench.until_told(died, "came_online", "became_unknown")
        state = again.health_of(died, "").feeds[0]
        assert state.liveness == nodes_pb2.FEED_LIVENESS_UNKNOWN
        # Never before it came: in this test it came later than the time that was written.
        assert heard_until < state.since.ToDatetime(tzinfo=UTC) < datetime.now(UTC)


async def test_who_listened_all_along_has_missed_nothing_whoever_leads(
    bench: PresenceBench,
) -> None:
    node = await bench.node()
    async with bench.beating(node):
        async with bench.hub() as second:
            async with bench.hub():
                await bench.until_told(node, "came_online")
                await asyncio.sleep(1.5)
            await eventually(lambda: _leads(second))
            await asyncio.sleep(2)
        assert await bench.told(node) == ["came_online"]
        # A hub that is started anew is back before anything is unknown.
        async with bench.hub() as third:
            await eventually(lambda: _leads(third))
            await asyncio.sleep(2)
        assert await bench.told(node) == ["came_online"]


async def _leads(keeper: PresenceKeeper) -> bool:
    return keeper.leads


async def _is_online(keeper: PresenceKeeper, node_id: str) -> bool:
    state = keeper.health_of(node_id, "").feeds[0]
    return state.liveness == nodes_pb2.FEED_LIVENESS_ONLINE


async def test_a_clock_that_was_set_back_hides_no_time_in_which_nobody_listened(
    bench: PresenceBench,
) -> None:
    node = await bench.node()
    async with bench.hub(), bench.beating(node):
        await bench.until_told(node, "came_online")
    await listened_until(bench, timedelta(hours=-2))
    async with bench.hub(), bench.beating(node):
        await bench.until_told(node, "came_online", "became_unknown", "came_online")


async def test_a_feed_is_as_fresh_as_what_was_accepted_last(bench: PresenceBench) -> None:
    node = await bench.node()
    async with bench.hub(), bench.beating(node):
        await bench.until_told(node, "came_online")
        await bench.reporting.take(capacity(1, used=9), node_id=node)
        await asyncio.sleep(2)
        assert await bench.told(node, "capacity") == []
        await bench.reporting.take(capacity(2), node_id=node)
        await bench.until_told(node, "came_online", feed="capacity")
        assert await bench.told(node, "report") == []


async def test_figures_are_owed_since_a_node_joined_or_its_center_gave_some_otherwise(
    bench: PresenceBench,
) -> None:
    made = bench.reporting
    joined = datetime(2026, 11, 1, 9, tzinfo=UTC)

    async def owed() -> tuple[datetime | None, datetime | None]:
        async with made.database.read() as session:
            roll = await read_roll(session, None)
        (entry,) = [entry for entry in roll.entries if entry.node_id == made.node_id]
        return entry.capacity_owed_since, entry.report_owed_since

    async def tell(snapshot: CapacitySnapshot, report: PeriodReport) -> None:
        async def work(session: WriteSession) -> None:
            snapshot.recorded(Occasion("test", snapshot.received_at))
            await capacity_snapshots.save(session, snapshot)
            report.recorded(Occasion("test", snapshot.received_at))
            await period_reports.save(session, report)

        await made.database.write(work)

    def given(at: datetime, month: str, **values: Any) -> tuple[CapacitySnapshot, PeriodReport]:
        common: dict[str, Any] = {"center_id": made.center_id, "created_at": at, "updated_at": at}
        snapshot = CapacitySnapshot(
            id=new_id("cap"),
            observed_at=at,
            received_at=at,
            items=[CapacityItem(CapabilityKind.GMP_SUITE, 4, 1)],
            **common,
            node_id=values.get("node_id"),
        )
        figures = ActivityFigures(articles=1)
        report = PeriodReport(
            id=new_id("rep"), period=month, figures=figures, state_since=at, **common, **values
        )
        return snapshot, report

    assert await owed() == (None, None)
    async with made.database.engine.begin() as connection:
        columns = tables.node.c
        changed = sa.update(tables.node).where(columns.id == made.node_id)
        await connection.execute(changed.values(joined_at=joined))
    assert await owed() == (joined, joined)
    later = joined + timedelta(days=5)
    # What a node sends is heard of as it comes, and a draft is handed to nobody.
    await tell(*given(later, "1405-05", node_id=made.node_id))
    assert await owed() == (joined, joined)
    await tell(*given(later, "1405-06"))
    assert await owed() == (later, joined)
    await tell(*given(later, "1405-07", state=PeriodReportState.SUBMITTED))
    assert await owed() == (later, later)


async def test_a_suspended_node_is_unknown_and_one_that_has_left_is_told_of_no_more(
    bench: PresenceBench,
) -> None:
    node = await bench.node()
    async with bench.hub() as hub, bench.beating(node):
        await bench.until_told(node, "came_online")
        await bench.reporting.set_state(node, NodeState.SUSPENDED)
        await bench.until_told(node, "came_online", "became_unknown")
        await bench.reporting.set_state(node, NodeState.ACTIVE)
        await bench.until_told(node, "came_online", "became_unknown", "came_online")
        await bench.reporting.set_state(node, NodeState.REVOKED)
        await bench.until_told(node, "came_online", "became_unknown", "came_online", "ended")
        await asyncio.sleep(2)
        state = hub.health_of(node, "").feeds[0]
        assert state.liveness == nodes_pb2.FEED_LIVENESS_UNKNOWN


async def test_another_writer_of_the_same_presence_is_noticed(bench: PresenceBench) -> None:
    node, clock = await bench.node(QUICK), Clock()
    async with bench.hub(clock) as hub:
        await bench.beat(node)
        await bench.until_told(node, "came_online")
        changed = sa.update(tables.presence).values(version=tables.presence.c.version + 5)
        async with bench.reporting.database.engine.begin() as connection:
            await connection.execute(changed)
        await bench.until_silent("went_offline", node, hub, clock)
        versions = await bench.reporting.numbers(sa.select(tables.presence.c.version))
        assert versions == [9]


async def test_a_thousand_nodes_cost_the_database_one_statement_for_their_vitals(
    bench: PresenceBench,
) -> None:
    # None of them is late before the last one was counted, however slow the machine.
    await bench.node(Expectations(late_seconds=120, stale_seconds=240, offline_seconds=360))
    async with bench.reporting.database.engine.begin() as connection:
        copies = sa.text(
            "INSERT INTO node SELECT (jsonb_populate_record(n, jsonb_build_object("
            "'id', 'nod_' || lpad(i::text, 26, '0')))).* FROM node n, generate_series(1, 1000) i"
            " WHERE n.center_id <> :center"
        )
        await connection.execute(copies, {"center": bench.reporting.center_id})
    names = await bench.reporting.numbers(
        sa.select(tables.node.c.id).where(tables.node.c.id.like("nod_00%"))
    )
    assert len(names) == 1000

    async def written() -> int:
        async with bench.reporting.database.read() as session:
            return len(await read_vitals(session))

    statements: list[str] = []
    began = time.monotonic()
    async with bench.hub() as hub:
        event.listen(
            hub._database.engine.sync_engine,
            "before_cursor_execute",
            lambda _c, _u, statement, *_: statements.append(statement),
        )
        for name in names:
            await bench.beat(name)

        async def all_online() -> bool:
            online = tables.presence.c.liveness == "online"
            return await bench.reporting.count(tables.presence, online) == 1000

        await eventually(all_online, within=60)
        async with asyncio.timeout(120):
            while await written() < 1000:
                for name in names:
                    await bench.beat(name)
                await asyncio.sleep(1)
    writes = [text for text in statements if text.startswith("INSERT INTO node_vitals")]
    # One each half a minute, of which a slow machine needs more than one.
    assert 1 <= len(writes) <= 2 + (time.monotonic() - began) / 30


async def test_a_node_that_left_its_receipts_lying_is_woken_when_it_is_there(
    bench: PresenceBench,
) -> None:
    there, away = await bench.node(), await bench.node()
    for node in (there, away):
        await bench.reporting.take(capacity(1), node_id=node)
    async with bench.hub() as hub, bench.beating(there):
        await eventually(lambda: _is_online(hub, there))
        await hub._wake_those_with_receipts()
        assert bench.woken == []
        minute_ago = sa.func.clock_timestamp() - sa.text("interval '1 minute'")
        async with bench.reporting.database.engine.begin() as connection:
            await connection.execute(sa.update(tables.node_receipt).values(recorded_at=minute_ago))
        await hub._wake_those_with_receipts()
        # By its own look, which may be due now, it may be so as well.
        assert set(bench.woken) == {there}


async def test_a_node_is_woken_when_it_is_to_be_heard_of_more_often(bench: PresenceBench) -> None:
    node, same = await bench.node(Expectations(late_seconds=90)), await bench.node()

    async def expect(**seconds: int) -> None:
        # Any way to change it counts, also a file of centers or a backup.
        center_id = sa.select(tables.node.c.center_id).where(tables.node.c.id == node)
        change = sa.update(tables.center).where(tables.center.c.id == center_id.scalar_subquery())
        values = {"expectations": seconds, "updated_at": sa.func.clock_timestamp()}
        async with bench.reporting.database.engine.begin() as connection:
            assert (await connection.execute(change.values(**values))).rowcount == 1

    async with bench.hub() as first, bench.hub() as second, bench.beating(node):
        await bench.until_told(node, "came_online")
        assert {first.leads, second.leads} == {True, False}
        assert bench.woken == []
        await expect(late_seconds=30)

        async def woken() -> bool:
            return bool(bench.woken)

        await eventually(woken)
        # Once, by the one that leads; its figures are no reason.
        await expect(late_seconds=30, capacity_hours=12)
        await bench.until_told(same)
        await asyncio.sleep(3)
        assert bench.woken == [node]


async def test_a_node_that_is_let_in_again_is_known_by_its_last_delivery(
    bench: PresenceBench,
) -> None:
    node = await bench.node()
    await bench.reporting.take(capacity(1), node_id=node)
    async with bench.hub(), bench.beating(node):
        await bench.until_told(node, "came_online", feed="capacity")
        await bench.reporting.set_state(node, NodeState.SUSPENDED)
        await bench.until_told(node, "came_online", "became_unknown", feed="capacity")
        await bench.reporting.set_state(node, NodeState.ACTIVE)
        told = "came_online", "became_unknown", "came_online"
        await bench.until_told(node, *told, feed="capacity")


async def test_less_than_nothing_is_shown_of_no_node(bench: PresenceBench) -> None:
    node = await bench.node()
    told = pb.Heartbeat(queued_reports=-1, oldest_queued_seconds=-2, disk_free_bytes=-3)
    async with bench.hub() as hub:
        await bench.broker.client.publish(to_hub(node, "hb"), told.SerializeToString())
        await bench.until_told(node, "came_online")
        vitals = hub.health_of(node, "").vitals
    assert (vitals.queued_reports, vitals.oldest_queued_seconds, vitals.disk_free_bytes) == (
        0,
        0,
        0,
    )
