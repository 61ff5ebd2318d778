"""Nodes, presence and reports in the picture: what is shown, to whom, and since when."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.json_format import MessageToDict

from observatory.projections.following import LIVE_SUBJECT
from peyvand.centers.v1 import centers_pb2, nodes_pb2, reports_pb2
from peyvand.observatory.v1 import network_pb2 as pb
from servicekit.ids import new_id
from tests.integration.observatory.conftest import (
    SILENT_AFTER,
    ObservatoryBench,
    center,
    node,
    presence,
)
from tests.integration.observatory.test_picture import events, parts, status
from tests.support import messaging

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ONLINE, LATE = nodes_pb2.FEED_LIVENESS_ONLINE, nodes_pb2.FEED_LIVENESS_LATE
STALE = nodes_pb2.FEED_LIVENESS_STALE


def health(
    of: nodes_pb2.Node, queued: int = 0, **feeds: nodes_pb2.FeedLiveness
) -> nodes_pb2.NodeHealth:
    """What is known of a node: its feeds, all since noon."""
    made = nodes_pb2.NodeHealth(node_id=of.id, center_id=of.center_id)
    for name, liveness in feeds.items():
        state = made.feeds.add(feed=name, liveness=liveness)
        state.since.FromDatetime(NOON)
        state.last_received_at.GetCurrentTime()
    made.vitals.software_version = "0.1.0"
    made.vitals.queued_reports = queued
    return made


def snapshot(center_id: str, used: float, observed: datetime, **values: Any) -> Any:
    made = reports_pb2.CapacitySnapshot(id=new_id("cap"), center_id=center_id, **values)
    made.items.add(kind=reports_pb2.CAPABILITY_KIND_GMP_SUITE, total=4, used=used)
    made.observed_at.FromDatetime(observed)
    return made


def report(center_id: str, period: str, state: str) -> reports_pb2.PeriodReport:
    return reports_pb2.PeriodReport(
        id=new_id("rep"),
        center_id=center_id,
        period=period,
        state=f"PERIOD_REPORT_STATE_{state}",
    )


async def shown(
    bench: ObservatoryBench, center_id: str, role: str | None = "hq_admin", **who: Any
) -> pb.CenterStatus:
    """One center as a caller sees it."""
    answer = await bench.call("GetNetworkStatus", pb.GetNetworkStatusRequest(), role, **who)
    return next(c for c in answer.centers if c.center_id == center_id)


async def becomes(bench: ObservatoryBench, center_id: str, liveness: int) -> pb.CenterStatus:
    async def there() -> bool:
        return (await shown(bench, center_id)).liveness == liveness

    await messaging.eventually(there)
    return await shown(bench, center_id)


async def words(bench: ObservatoryBench) -> asyncio.Queue[dict[str, Any]]:
    """What gateways are told of changes from now on."""
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def hear(message: Any) -> None:
        heard.put_nowait(json.loads(message.data))

    await bench.broker.hear(LIVE_SUBJECT, hear)
    return heard


async def told_of(heard: asyncio.Queue[dict[str, Any]], what: str, least: int = 1) -> None:
    """Return once a change of presence, or how far a stream was followed, was told."""
    while (await asyncio.wait_for(heard.get(), 60)).get(what, 0) < least:
        pass


async def test_a_center_is_as_fresh_as_its_worst_feed_and_its_best_nodes(
    bench: ObservatoryBench,
) -> None:
    tabriz, shiraz = center("TBZ"), center("SHZ")
    pilot = center("PILOT", sample=True)
    first, second = node(tabriz.id, "A"), node(tabriz.id, "B")
    gone = node(tabriz.id, "C", state=nodes_pb2.NODE_STATE_REVOKED)
    trial = node(pilot.id, "D", sample=True)
    told = bench.owners["centers"]
    await told.tell_all([(c, "created") for c in (tabriz, shiraz, pilot)])
    await told.tell_all([(n, "activated") for n in (first, second, gone, trial)])
    await bench.caught_up()
    before = await status(bench)
    assert {c.liveness for c in before.centers} == {pb.LIVENESS_UNKNOWN}
    assert not before.totals.fresh_centers.HasField("as_of")
    assert [n.name for n in (await shown(bench, tabriz.id)).nodes] == ["A", "B"]

    await bench.tell_presence(
        health(first, heartbeat=ONLINE, capacity=STALE),
        health(second, heartbeat=STALE, capacity=ONLINE),
        health(gone, heartbeat=STALE),
        health(trial, heartbeat=ONLINE),
    )
    online = await becomes(bench, tabriz.id, pb.LIVENESS_ONLINE)
    assert online.liveness_since.ToDatetime(tzinfo=UTC) == NOON
    assert [(f.feed, f.liveness) for f in online.feeds] == [
        ("heartbeat", pb.LIVENESS_ONLINE),
        ("capacity", pb.LIVENESS_ONLINE),
    ]
    assert [n.liveness for n in online.nodes] == [pb.LIVENESS_ONLINE, pb.LIVENESS_STALE]
    fresh = (await status(bench)).totals.fresh_centers
    assert (fresh.value, fresh.known, fresh.of, fresh.sample) == (1, 1, 2, 1)
    assert parts(fresh) == {"online": (1, 1), "unknown": (1, 0)}
    assert fresh.HasField("as_of")

    await bench.tell_presence(health(second, heartbeat=STALE, capacity=LATE), complete=False)
    late = await becomes(bench, tabriz.id, pb.LIVENESS_LATE)
    assert [f.liveness for f in late.feeds] == [pb.LIVENESS_ONLINE, pb.LIVENESS_LATE]
    assert (await status(bench)).totals.fresh_centers.value == 0


async def test_a_change_of_liveness_is_told_and_a_heartbeat_changes_no_tag(
    bench: ObservatoryBench,
) -> None:
    tabriz = center("TBZ")
    one = node(tabriz.id)
    heard = await words(bench)
    await bench.owners["centers"].tell_all([(tabriz, "created"), (one, "activated")])
    # Nothing is left to be told of events.
    await told_of(heard, "EVT_CENTERS", 2)
    await bench.tell_presence(health(one, heartbeat=ONLINE))
    await told_of(heard, "presence")
    await becomes(bench, tabriz.id, pb.LIVENESS_ONLINE)

    async def streams_looked_at() -> bool:
        return {s.liveness for s in (await status(bench)).streams} == {pb.LIVENESS_ONLINE}

    await messaging.eventually(streams_looked_at)
    tag = (await status(bench)).etag
    await bench.tell_presence(health(one, queued=7, heartbeat=ONLINE))

    async def queued() -> bool:
        return (await shown(bench, tabriz.id)).nodes[0].vitals.queued_reports == 7

    await messaging.eventually(queued)
    assert (await status(bench)).etag == tag
    assert heard.empty()
    await bench.tell_presence(health(one, heartbeat=LATE), complete=False)
    word = await asyncio.wait_for(heard.get(), 60)
    assert set(word) == {"presence"}
    # It is said once the change can be read.
    assert (await shown(bench, tabriz.id)).liveness == pb.LIVENESS_LATE
    assert (await status(bench)).etag != tag


async def test_when_nobody_tells_of_presence_nothing_is_online(bench: ObservatoryBench) -> None:
    seconds = 0.0
    bench.following.presence._clock = lambda: seconds
    tabriz = center("TBZ")
    one = node(tabriz.id)
    await bench.owners["centers"].tell_all([(tabriz, "created"), (one, "activated")])
    await bench.caught_up()
    heard = await words(bench)
    await bench.tell_presence(health(one, heartbeat=ONLINE))
    await told_of(heard, "presence")
    await becomes(bench, tabriz.id, pb.LIVENESS_ONLINE)
    told = (await status(bench)).totals.fresh_centers.as_of
    seconds = SILENT_AFTER + 1
    # An open page is told, although no message came.
    await told_of(heard, "presence")
    silent = await shown(bench, tabriz.id)
    assert (silent.liveness, silent.liveness_since) == (pb.LIVENESS_STALE, told)
    fresh = (await status(bench)).totals.fresh_centers
    assert (fresh.value, fresh.known, fresh.of, fresh.as_of) == (0, 1, 1, told)
    await bench.tell_presence(health(one, heartbeat=ONLINE))
    await becomes(bench, tabriz.id, pb.LIVENESS_ONLINE)


async def test_every_process_knows_by_itself_and_one_that_has_just_begun_knows_nothing(
    bench: ObservatoryBench,
) -> None:
    tabriz = center("TBZ")
    one = node(tabriz.id)
    await bench.tell_presence(health(one, heartbeat=ONLINE))
    other = bench.another()
    await other.start()
    try:
        assert other.presence.now().as_of is None
        await bench.tell_presence(health(one, heartbeat=ONLINE))

        async def both() -> bool:
            boards = (bench.following.presence, other.presence)
            return all(board.now().node(one.id).heartbeat.is_known for board in boards)

        await messaging.eventually(both)
    finally:
        await other.stop()


async def test_the_headquarters_and_the_own_center_see_more_than_others(
    bench: ObservatoryBench,
) -> None:
    tabriz = center("TBZ")
    one = node(tabriz.id)
    one.credentials_expire_at.FromDatetime(NOON)
    taken = snapshot(tabriz.id, 3, NOON, node_id=one.id)
    refused = reports_pb2.RefusedReport(
        id=new_id("ref"), node_id=one.id, center_id=tabriz.id, feed="capacity"
    )
    told = bench.owners["centers"]
    await told.tell_all(
        [
            (tabriz, "created"),
            (one, "activated"),
            presence(one, "ONLINE", NOON),
            (taken, "received"),
            (report(tabriz.id, "1405-07", "APPROVED"), "approved"),
            (refused, "recorded"),
        ]
    )
    await bench.caught_up()
    await bench.tell_presence(health(one, heartbeat=ONLINE))
    await becomes(bench, tabriz.id, pb.LIVENESS_ONLINE)
    own = {"center_ids": [tabriz.id]}
    foreign = {"center_ids": [new_id("ctr")]}
    for role, who in [("hq_analyst", {}), ("center_operator", own), ("center_admin", own)]:
        seen = await shown(bench, tabriz.id, role, **who)
        assert seen.nodes[0].name == "Server room"
        assert seen.nodes[0].vitals.software_version == "0.1.0"
        assert seen.nodes[0].credentials_expire_at.ToDatetime(tzinfo=UTC) == NOON
        assert seen.capacity.node_id == one.id
        assert (seen.HasField("open_alerts"), seen.open_alerts) == (True, 1)
    for role, who in [(None, {}), ("center_admin", foreign), ("partner", own)]:
        seen = await shown(bench, tabriz.id, role, **who)
        (only,) = seen.nodes
        assert (only.node_id, only.liveness) == (one.id, pb.LIVENESS_ONLINE)
        assert not only.name
        assert not only.HasField("vitals")
        assert not only.HasField("credentials_expire_at")
        assert seen.capacity.items[0].used == 3
        assert not seen.capacity.node_id
        assert seen.last_approved_period == "1405-07"
        assert not seen.HasField("open_alerts")

    happened = {
        "capacity_snapshot.received": 'Capacity of "TBZ" reported',
        "center.created": 'Center "TBZ" recorded',
        "node.activated": 'Node "Server room" became active',
        "period_report.approved": 'Period report "TBZ: 1405-07" approved',
        "presence.came_online": 'Feed "Server room: heartbeat" came online',
        "refused_report.recorded": 'Report of node "Server room: capacity" refused',
    }
    for role, who in [("hq_admin", {}), ("center_operator", own)]:
        found = {e.type.split(".", 3)[3]: e.summaryen for e in await events(bench, role, **who)}
        assert found == happened
    for role, who in [(None, {}), ("center_admin", foreign), ("partner", own)]:
        assert [e.type for e in await events(bench, role, **who)] == [
            "peyvand.centers.v1.center.created"
        ]


async def test_the_newest_capacity_and_the_last_approved_month_count(
    bench: ObservatoryBench,
) -> None:
    tabriz = center("TBZ")
    told = bench.owners["centers"]
    await told.tell_all(
        [
            (tabriz, "created"),
            (snapshot(tabriz.id, 1, NOON), "received"),
            (snapshot(tabriz.id, 3, NOON + timedelta(days=1)), "received"),
            # What waited at the node while the line was down comes after what is newer.
            (snapshot(tabriz.id, 2, NOON + timedelta(hours=1)), "received"),
            (report(tabriz.id, "1405-07", "APPROVED"), "approved"),
            (report(tabriz.id, "2026-06", "APPROVED"), "approved"),
            (report(tabriz.id, "1405-08", "SUBMITTED"), "submitted"),
        ]
    )
    await bench.caught_up()
    seen = await shown(bench, tabriz.id)
    assert [item.used for item in seen.capacity.items] == [3]
    assert seen.last_approved_period == "1405-07"
    await told.tell(snapshot(tabriz.id, 0, NOON + timedelta(days=1)), "received")
    await bench.caught_up()
    assert [item.used for item in (await shown(bench, tabriz.id)).capacity.items] == [0]


async def test_a_node_that_has_left_is_shown_no_more_and_its_history_stays(
    bench: ObservatoryBench,
) -> None:
    tabriz = center("TBZ", state=centers_pb2.CENTER_STATE_OPERATIONAL)
    one = node(tabriz.id)
    told = bench.owners["centers"]
    await told.tell_all([(tabriz, "created"), (one, "activated")])
    await bench.caught_up()
    await bench.tell_presence(health(one, heartbeat=ONLINE))
    await becomes(bench, tabriz.id, pb.LIVENESS_ONLINE)
    one.state = nodes_pb2.NODE_STATE_SUSPENDED
    await told.tell(one, "suspended")
    await bench.caught_up()
    suspended = await shown(bench, tabriz.id)
    assert [n.state for n in suspended.nodes] == [nodes_pb2.NODE_STATE_SUSPENDED]
    # A node that is cut off makes no center fresh, whatever was last heard of it.
    assert suspended.liveness == pb.LIVENESS_UNKNOWN
    one.state = nodes_pb2.NODE_STATE_WITHDRAWN
    await told.tell(one, "withdrawn")
    await bench.caught_up()
    assert not (await shown(bench, tabriz.id)).nodes
    history = await events(bench, subject=one.id)
    assert [e.type.rpartition(".")[2] for e in history] == ["activated", "suspended", "withdrawn"]
    assert MessageToDict(history[0].data)["node"]["name"] == "Server room"
