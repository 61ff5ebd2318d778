"""Alerts and availability over the rpcs: opened by events, seen by people, built anew."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from observatory.domain.availability import TEHRAN
from peyvand.centers.v1 import nodes_pb2, reports_pb2
from peyvand.observatory.v1 import alerts_pb2 as pb
from peyvand.observatory.v1 import network_pb2
from servicekit.errors import Fault
from servicekit.ids import is_id, new_id
from tests.integration.observatory.conftest import ObservatoryBench, center, node, presence
from tests.integration.observatory.test_picture import events, status
from tests.support import messaging

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OPEN, SEEN, CLOSED = (
    pb.ALERT_STATE_OPEN,
    pb.ALERT_STATE_ACKNOWLEDGED,
    pb.ALERT_STATE_CLOSED,
)


async def alerts(
    bench: ObservatoryBench, role: str | None = "hq_admin", size: int = 0, **asked: Any
) -> list[pb.Alert]:
    """All alerts that a caller may see, page by page."""
    who = {"center_ids": asked.pop("own")} if "own" in asked else {}
    found: list[pb.Alert] = []
    token = ""
    while True:
        request = pb.ListAlertsRequest(page_token=token, page_size=size, **asked)
        page = await bench.call("ListAlerts", request, role, **who)
        found += page.alerts
        token = page.next_page_token
        if not token:
            return found


async def acknowledge(
    bench: ObservatoryBench, alert: pb.Alert, comment: str = "", key: str = ""
) -> pb.Alert:
    request = pb.AcknowledgeAlertRequest(alert_id=alert.id, comment=comment, idempotency_key=key)
    return await bench.call("AcknowledgeAlert", request)


async def refused_reports(bench: ObservatoryBench, of: nodes_pb2.Node, number: int) -> None:
    await bench.owners["centers"].tell_all(
        [
            (
                reports_pb2.RefusedReport(
                    id=new_id("ref"), node_id=of.id, center_id=of.center_id, feed="capacity"
                ),
                "recorded",
            )
            for _ in range(number)
        ]
    )
    await bench.caught_up()


async def is_rebuilt_alike(bench: ObservatoryBench) -> None:
    before = await alerts(bench)
    done = await bench.call("RebuildProjections", network_pb2.RebuildProjectionsRequest())
    assert done.digest_before == done.digest_after
    assert {t.name: t.rows_after for t in done.tables}["alert"] == len(before) > 0
    assert await alerts(bench) == before


async def test_alerts_are_opened_and_closed_by_what_happens(bench: ObservatoryBench) -> None:
    tabriz, shiraz = center("TBZ"), center("SHZ")
    first, second, other = node(tabriz.id, "A"), node(tabriz.id, "B"), node(shiraz.id, "C")
    told = bench.owners["centers"]
    await told.tell_all([(c, "created") for c in (tabriz, shiraz)])
    await told.tell_all([(n, "activated") for n in (first, second, other)])

    async def open_now(center_id: str) -> list[tuple[str, str, int]]:
        await bench.caught_up()
        names = {n.id: n.name for n in (first, second, other)} | {"": ""}
        return sorted(
            (pb.AlertKind.Name(a.kind).removeprefix("ALERT_KIND_"), names[a.node_id], a.occurrences)
            for a in await alerts(bench, state=OPEN, center_id=center_id)
        )

    await told.tell(*presence(first, "LATE", NOON))
    assert await open_now(tabriz.id) == []
    await told.tell(*presence(first, "STALE", NOON))
    # That it lasts and grows worse is the same silence.
    await told.tell(*presence(first, "OFFLINE", NOON + timedelta(minutes=8)))
    assert await open_now(tabriz.id) == [("NODE_SILENT", "A", 1)]
    # That nobody could listen does not mean that it was heard of.
    await told.tell(*presence(first, "UNKNOWN", NOON + timedelta(minutes=9)))
    assert await open_now(tabriz.id) == [("NODE_SILENT", "A", 1)]
    await told.tell(*presence(first, "ONLINE", NOON + timedelta(minutes=10)))
    assert await open_now(tabriz.id) == []
    (silence,) = await alerts(bench, center_id=tabriz.id)
    assert silence.state == CLOSED
    assert silence.opened_at.ToDatetime(tzinfo=UTC) == NOON
    assert silence.closed_at.ToDatetime(tzinfo=UTC) == NOON + timedelta(minutes=10)
    assert silence.summary.en == 'TBZ: Nothing is heard of node "A"'
    assert silence.summary.fa == "TBZ: از گره «A» خبری نیست"
    assert is_id(silence.id, "alr")
    await told.tell(*presence(first, "STALE", NOON + timedelta(minutes=20)))
    assert await open_now(tabriz.id) == [("NODE_SILENT", "A", 1)]
    await told.tell(first, "suspended")
    assert await open_now(tabriz.id) == []

    # A feed of a center is overdue when none of its nodes keeps it fresh.
    await told.tell(*presence(first, "STALE", NOON, "capacity"))
    assert await open_now(tabriz.id) == [("REPORT_LATE", "", 1)]
    await told.tell(*presence(second, "ONLINE", NOON, "capacity"))
    assert await open_now(tabriz.id) == []
    await told.tell(*presence(second, "LATE", NOON, "capacity"))
    assert await open_now(tabriz.id) == [("REPORT_LATE", "", 1)]
    taken = reports_pb2.CapacitySnapshot(id=new_id("cap"), center_id=tabriz.id)
    await told.tell(taken, "received")
    assert await open_now(tabriz.id) == []
    await told.tell(*presence(second, "STALE", NOON, "capacity"))
    await told.tell(*presence(second, "ENDED", NOON, "capacity"))
    assert await open_now(tabriz.id) == [("REPORT_LATE", "", 1)]
    await told.tell(first, "revoked")
    assert await open_now(tabriz.id) == []

    await told.tell(other, "credentials_expiring")
    await told.tell(other, "credentials_expiring")
    assert await open_now(shiraz.id) == [("CREDENTIALS_EXPIRING", "C", 2)]
    await told.tell(other, "renewed")
    assert await open_now(shiraz.id) == []
    await told.tell(other, "token_reused")
    await refused_reports(bench, other, 3)
    assert await open_now(shiraz.id) == [("REPORTS_REFUSED", "C", 3), ("TOKEN_REUSED", "C", 1)]
    shown = {c.code: c.open_alerts for c in (await status(bench)).centers}
    assert shown == {"SHZ": 2, "TBZ": 0}

    everything = await alerts(bench)
    opened = [a.opened_at.ToDatetime() for a in everything]
    assert opened == sorted(opened, reverse=True)
    assert await alerts(bench, size=2) == everything
    own = await alerts(bench, "center_operator", own=[shiraz.id])
    assert [a.center_id for a in own] == [shiraz.id] * 3
    assert not any(a.allowed_actions for a in own)
    assert await alerts(bench, "center_operator", own=[shiraz.id], center_id=tabriz.id) == []
    assert await alerts(bench, "hq_analyst", state=CLOSED) == [
        a for a in everything if a.state == CLOSED
    ]
    for role, reason in [(None, "UNAUTHENTICATED"), ("partner", "PERMISSION_DENIED")]:
        assert (await bench.fault("ListAlerts", pb.ListAlertsRequest(), role)).reason == reason
    await is_rebuilt_alike(bench)


async def test_a_person_says_once_that_an_alert_was_seen(bench: ObservatoryBench) -> None:
    tabriz = center("TBZ")
    one = node(tabriz.id)
    told = bench.owners["centers"]
    await told.tell_all([(tabriz, "created"), (one, "activated"), presence(one, "STALE", NOON)])
    await bench.caught_up()
    (alert,) = await alerts(bench)
    assert list(alert.allowed_actions) == ["acknowledge"]
    request = pb.AcknowledgeAlertRequest(alert_id=alert.id, comment="Called.")
    for role in ("hq_analyst", "center_admin"):
        fault = await bench.fault("AcknowledgeAlert", request, role, center_ids=[tabriz.id])
        assert fault.reason == "PERMISSION_DENIED"
    unknown = pb.AcknowledgeAlertRequest(alert_id=new_id("alr"))
    assert (await bench.fault("AcknowledgeAlert", unknown)).reason == "NOT_FOUND"
    private = pb.AcknowledgeAlertRequest(alert_id=alert.id, comment="Ask 0499370899.")
    assert (await bench.fault("AcknowledgeAlert", private)).reason == "INVALID_ARGUMENT"

    # Many at once, while the picture does not follow: one of them has said it.
    assert bench.following._projector is not None
    await bench.following._projector.stop()

    async def say(number: int) -> str:
        try:
            await acknowledge(bench, alert, f"By {number}", f"at-once-{number}")
        except Fault as fault:
            return fault.reason
        return f"By {number}"

    words = await asyncio.gather(*map(say, range(6)))
    said = [word for word in words if word != "ILLEGAL_TRANSITION"]
    assert len(said) == 1
    assert said[0].startswith("By ")
    await bench.following._projector.start()
    await bench.caught_up()
    (seen,) = await alerts(bench)
    assert (seen.state, seen.comment) == (SEEN, said[0])
    assert seen.acknowledged_by
    assert not seen.allowed_actions
    assert (await status(bench)).centers[0].open_alerts == 0
    # The same key is answered as it was, and acts no second time.
    number = said[0].removeprefix("By ")
    again = await acknowledge(bench, alert, said[0], f"at-once-{number}")
    assert (again.state, again.comment) == (SEEN, said[0])
    (happened,) = [e for e in await events(bench) if ".alert." in e.type]
    assert happened.summaryen == (
        'Alert "TBZ: Nothing is heard of node "Server room"" acknowledged'
    )
    change = MessageToDict(happened.data)["change"]["step"]
    assert (change["from_state"], change["to_state"]) == ("open", "acknowledged")
    own = await events(bench, "center_admin", center_ids=[tabriz.id], kinds=["alert"])
    assert len(own) == 1
    assert not await events(bench, None, kinds=["alert"])
    await told.tell(*presence(one, "ONLINE", NOON + timedelta(minutes=5)))
    await bench.caught_up()
    (closed,) = await alerts(bench)
    assert (closed.state, closed.comment) == (CLOSED, said[0])
    fault = await bench.fault("AcknowledgeAlert", request)
    assert (fault.reason, fault.params["state"]) == ("ILLEGAL_TRANSITION", "closed")
    await is_rebuilt_alike(bench)


async def test_what_has_happened_is_over_once_it_is_seen_and_what_comes_after_is_new(
    bench: ObservatoryBench,
) -> None:
    tabriz = center("TBZ")
    one = node(tabriz.id)
    await bench.owners["centers"].tell_all([(tabriz, "created"), (one, "activated")])
    await refused_reports(bench, one, 4)
    (alert,) = await alerts(bench)
    assert alert.occurrences == 4
    answer = await acknowledge(bench, alert, "They mend it.")
    assert (answer.state, answer.occurrences) == (CLOSED, 4)
    assert answer.closed_at == answer.acknowledged_at
    await bench.caught_up()
    await refused_reports(bench, one, 2)
    newer, older = await alerts(bench)
    assert (older.id, older.state, older.occurrences) == (alert.id, CLOSED, 4)
    assert (newer.state, newer.occurrences) == (OPEN, 2)
    # More come up between the look of a person and the event of it.
    assert bench.following._projector is not None
    await bench.following._projector.stop()
    await acknowledge(bench, newer)
    await bench.owners["centers"].tell_all(
        [
            (
                reports_pb2.RefusedReport(
                    id=new_id("ref"), node_id=one.id, center_id=tabriz.id, feed="report"
                ),
                "recorded",
            )
        ]
    )
    await bench.following._projector.start()
    await bench.caught_up()
    assert [(a.state, a.occurrences) for a in await alerts(bench)] == [
        (OPEN, 1),
        (CLOSED, 2),
        (CLOSED, 4),
    ]
    await is_rebuilt_alike(bench)

    # What was seen and comes up once more has to be seen once more.
    one.state = nodes_pb2.NODE_STATE_ACTIVE
    told = bench.owners["centers"]
    await told.tell(one, "credentials_expiring")
    await bench.caught_up()
    expiring = (await alerts(bench, state=OPEN))[0]
    await acknowledge(bench, expiring, "In a month.")
    await told.tell(one, "credentials_expiring")
    await bench.caught_up()
    (expiring,) = [a for a in await alerts(bench, state=OPEN) if a.id == expiring.id]
    assert (expiring.occurrences, expiring.comment) == (2, "In a month.")
    await acknowledge(bench, expiring, "Tomorrow.")
    await bench.caught_up()
    (expiring,) = await alerts(bench, state=SEEN)
    assert expiring.comment == "Tomorrow."
    await is_rebuilt_alike(bench)


async def test_the_days_of_a_center_follow_from_its_events(
    bench: ObservatoryBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    tabriz = center("TBZ")
    one = node(tabriz.id)
    # Noon of the next day, so that no midnight comes in between.
    day = datetime.now(TEHRAN).date() + timedelta(days=1)
    begin = datetime.combine(day, datetime.min.time(), TEHRAN).astimezone(UTC)
    now = begin + timedelta(hours=12)
    monkeypatch.setattr("servicekit.rpc_server.datetime", SimpleNamespace(now=lambda _: now))
    told = bench.owners["centers"]
    await told.tell_all(
        [
            (tabriz, "created"),
            (one, "activated"),
            presence(one, "ONLINE", begin - timedelta(days=2, hours=6)),
            presence(one, "LATE", begin - timedelta(days=1, hours=6)),
            # That a report is late takes nothing from having been heard of.
            presence(one, "OFFLINE", begin - timedelta(days=1, hours=6), "report"),
            presence(one, "OFFLINE", begin - timedelta(hours=12)),
            presence(one, "ONLINE", begin - timedelta(hours=3)),
        ]
    )
    await bench.caught_up()

    async def days(number: int) -> list[pb.AvailabilityDay]:
        request = pb.GetAvailabilityRequest(center_id=tabriz.id, days=number)
        # Everyone may know.
        return list((await bench.call("GetAvailability", request, None)).days)

    hour = 3600
    third, second, first, today = await days(4)
    assert (third.unknown_seconds, third.online_seconds) == (18 * hour, 6 * hour)
    assert third.worst == network_pb2.LIVENESS_UNKNOWN
    assert (second.online_seconds, second.late_seconds) == (18 * hour, 6 * hour)
    assert (first.late_seconds, first.offline_seconds) == (12 * hour, 9 * hour)
    assert (first.online_seconds, first.worst) == (3 * hour, network_pb2.LIVENESS_OFFLINE)
    assert today.date == day.isoformat()
    assert (today.online_seconds, today.unknown_seconds) == (12 * hour, 0)
    # What was so before the days asked for is known all the same.
    (alone,) = await days(1)
    assert alone.unknown_seconds == 0
    assert (await days(2))[0] == first
    assert len(await days(0)) == 90
    await is_rebuilt_alike(bench)
    assert await days(4) == [third, second, first, today]
    foreign = pb.GetAvailabilityRequest(center_id=new_id("ctr"))
    assert (await bench.fault("GetAvailability", foreign, None)).reason == "NOT_FOUND"
    # A hub that does not tell of nodes any more has none that was heard of meanwhile.
    monkeypatch.setattr("observatory.projections.presence_board.SILENT_AFTER", 0.0)
    assert (await days(1))[0].unknown_seconds > 0


async def test_many_nodes_that_fall_silent_again_and_again_have_an_alert_each_time(
    bench: ObservatoryBench,
) -> None:
    tabriz = center("TBZ")
    nodes = [node(tabriz.id, f"N{number}") for number in range(40)]
    told = bench.owners["centers"]
    await told.tell_all([(tabriz, "created"), *((one, "activated") for one in nodes)])
    for round_ in range(10):
        since = NOON + timedelta(minutes=round_)
        liveness = "ONLINE" if round_ % 2 else "STALE"
        await told.tell_all([presence(one, liveness, since) for one in nodes])
    await bench.caught_up()
    assert len(await alerts(bench, size=50)) == 200
    assert await alerts(bench, state=OPEN) == []
    await is_rebuilt_alike(bench)


async def test_a_rebuild_while_things_happen_loses_none_of_them(bench: ObservatoryBench) -> None:
    tabriz = center("TBZ")
    one = node(tabriz.id)
    await bench.owners["centers"].tell_all([(tabriz, "created"), (one, "activated")])
    for _ in range(3):
        await refused_reports(bench, one, 2)
        (open_one,) = await alerts(bench, state=OPEN)
        await acknowledge(bench, open_one)
        await bench.caught_up()
    rebuilding = asyncio.create_task(
        bench.call("RebuildProjections", network_pb2.RebuildProjectionsRequest())
    )
    await refused_reports(bench, one, 3)
    await rebuilding

    async def whole() -> bool:
        return [(a.state, a.occurrences) for a in await alerts(bench)] == [
            (OPEN, 3),
            *[(CLOSED, 2)] * 3,
        ]

    await messaging.eventually(whole)
    await is_rebuilt_alike(bench)
