"""Alerts that nobody sees in time, and conditions that are overdue."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from observatory.watches.escalation_watch import EscalationWatch
from peyvand.api.v1 import types_pb2
from peyvand.centers.v1 import nodes_pb2
from peyvand.observatory.v1 import alerts_pb2 as pb
from peyvand.observatory.v1 import network_pb2
from peyvand.projects.v1 import conditions_pb2, projects_pb2, stages_pb2
from servicekit.ids import new_id
from tests.integration.observatory.conftest import ObservatoryBench, center, node, presence
from tests.integration.observatory.test_alerts import (
    CLOSED,
    NOON,
    OPEN,
    SEEN,
    acknowledge,
    alerts,
    is_rebuilt_alike,
)
from tests.integration.observatory.test_picture import events
from tests.support import messaging

HOURS = timedelta(hours=4)


def watch(bench: ObservatoryBench) -> EscalationWatch:
    return EscalationWatch(bench.database, HOURS, interval=3600)


async def look(bench: ObservatoryBench, now: datetime, times: int = 1) -> None:
    await asyncio.gather(*(watch(bench).look(now) for _ in range(times)))
    await bench.caught_up()


async def silent(bench: ObservatoryBench) -> nodes_pb2.Node:
    """A node of a center that is silent since noon."""
    tabriz = center("TBZ")
    one = node(tabriz.id)
    told = bench.owners["centers"]
    await told.tell_all([(tabriz, "created"), (one, "activated")])
    await told.tell(*presence(one, "STALE", NOON))
    await bench.caught_up()
    return one


async def test_what_nobody_sees_in_time_is_escalated_once(bench: ObservatoryBench) -> None:
    one = await silent(bench)
    await look(bench, NOON + HOURS)
    (alert,) = await alerts(bench)
    assert not alert.HasField("escalated_at")
    assert await alerts(bench, escalated=True) == []
    # Of many processes that look at once, one tells it.
    at = NOON + HOURS + timedelta(minutes=1)
    await look(bench, at, times=6)
    await look(bench, at + timedelta(days=1))
    (alert,) = await alerts(bench, escalated=True)
    assert alert.escalated_at.ToDatetime(tzinfo=UTC) == at
    assert alert.state == OPEN
    assert list(alert.allowed_actions) == ["acknowledge"]
    assert await alerts(bench, escalated=False) == []
    (happened,) = await events(bench, kinds=["alert"])
    assert happened.type == "peyvand.observatory.v1.alert.escalated"
    assert happened.summaryen.endswith("not seen in time, and escalated")
    own = await events(bench, "center_admin", center_ids=[one.center_id], kinds=["alert"])
    assert [event.id for event in own] == [happened.id]
    await is_rebuilt_alike(bench)

    # It can be seen all the same, and it closes by itself when its cause is gone.
    seen = await acknowledge(bench, alert, "The line is mended.")
    assert (seen.state, seen.escalated_at) == (SEEN, alert.escalated_at)
    await bench.owners["centers"].tell(*presence(one, "ONLINE", at + timedelta(hours=1)))
    await bench.caught_up()
    (closed,) = await alerts(bench)
    assert (closed.state, closed.escalated_at) == (CLOSED, alert.escalated_at)
    await look(bench, at + timedelta(days=2))
    assert len(await events(bench, kinds=["alert"])) == 2
    await is_rebuilt_alike(bench)


async def test_what_was_seen_or_is_gone_is_not_escalated(bench: ObservatoryBench) -> None:
    one = await silent(bench)
    (alert,) = await alerts(bench)
    # A person has seen it, and the picture does not follow yet.
    assert bench.following._projector is not None
    await bench.following._projector.stop()
    await acknowledge(bench, alert)
    await watch(bench).look(NOON + timedelta(days=1))
    await bench.following._projector.start()
    await look(bench, NOON + timedelta(days=1))
    (alert,) = await alerts(bench)
    assert (alert.state, alert.HasField("escalated_at")) == (SEEN, False)
    await bench.owners["centers"].tell(*presence(one, "ONLINE", NOON + timedelta(hours=1)))
    await bench.caught_up()
    await look(bench, NOON + timedelta(days=2))
    assert await alerts(bench, escalated=True) == []


async def test_what_comes_up_again_is_given_its_time_again(bench: ObservatoryBench) -> None:
    one = await silent(bench)
    told = bench.owners["centers"]
    begin = datetime.now(UTC)
    await told.tell(*presence(one, "ONLINE", NOON + timedelta(minutes=1)))
    await told.tell(one, "credentials_expiring", time=begin - timedelta(days=23))
    await bench.caught_up()
    (expiring,) = await alerts(bench, state=OPEN)
    await acknowledge(bench, expiring, "In a month.")
    await bench.caught_up()
    await told.tell(one, "credentials_expiring", time=begin)
    await bench.caught_up()
    await look(bench, begin + HOURS)
    assert await alerts(bench, escalated=True) == []
    await look(bench, begin + HOURS + timedelta(seconds=1))
    (expiring,) = await alerts(bench, escalated=True)
    assert (expiring.occurrences, expiring.state) == (2, OPEN)
    await is_rebuilt_alike(bench)


async def test_an_escalation_and_an_acknowledgement_at_once_are_both_told(
    bench: ObservatoryBench,
) -> None:
    await silent(bench)
    (alert,) = await alerts(bench)
    await asyncio.gather(
        *(watch(bench).look(NOON + timedelta(days=1)) for _ in range(3)),
        acknowledge(bench, alert, "Seen."),
    )
    await bench.caught_up()
    (after,) = await alerts(bench)
    assert (after.state, after.comment) == (SEEN, "Seen.")
    told = [e.type.rpartition(".")[2] for e in await events(bench, kinds=["alert"])]
    # Which of the two came first decides whether it was escalated at all, and nothing else.
    assert sorted(told) in (["acknowledged"], ["acknowledged", "escalated"])
    assert after.HasField("escalated_at") == ("escalated" in told)
    await is_rebuilt_alike(bench)


async def test_the_watch_looks_as_soon_as_it_starts(bench: ObservatoryBench) -> None:
    await silent(bench)
    looking = watch(bench)
    await looking.start()

    async def is_escalated() -> bool:
        return bool(await alerts(bench, escalated=True))

    await messaging.eventually(is_escalated)
    await looking.stop()


def condition(project_id: str) -> conditions_pb2.ProjectCondition:
    return conditions_pb2.ProjectCondition(
        id=new_id("cnd"),
        project_id=project_id,
        text=types_pb2.LocalizedText(fa="تکرار سنجش", en="Repeat the assay"),
        due_date="2026-11-01",
        state=conditions_pb2.CONDITION_STATE_OPEN,
    )


async def test_an_overdue_condition_is_an_alert_until_it_is_met_or_cancelled(
    bench: ObservatoryBench,
) -> None:
    tabriz, shiraz = center("TBZ"), center("SHZ")
    await bench.owners["centers"].tell_all([(tabriz, "created"), (shiraz, "created")])
    project = projects_pb2.Project(
        id=new_id("prj"),
        lead_center_id=tabriz.id,
        state=projects_pb2.PROJECT_STATE_ACTIVE,
        stage=stages_pb2.STAGE_S2,
    )
    met, cancelled = condition(project.id), condition(project.id)
    told = bench.owners["projects"]
    await told.tell_all(
        [
            (project, "created"),
            (met, "created"),
            (cancelled, "created"),
            (met, "became_overdue"),
            (cancelled, "became_overdue"),
        ]
    )
    await bench.caught_up()
    open_now = await alerts(bench, state=OPEN)
    assert {one.resource_id for one in open_now} == {met.id, cancelled.id}
    for one in open_now:
        assert one.kind == pb.ALERT_KIND_CONDITION_OVERDUE
        assert one.center_id == tabriz.id
        assert one.summary.en == 'TBZ: The condition "Repeat the assay" is overdue'
        assert one.summary.fa == "TBZ: شرط «تکرار سنجش» از سررسید گذشته است"
    # That of the center which leads the project sees it; another one does not.
    assert len(await alerts(bench, "center_operator", own=[tabriz.id])) == 2
    assert await alerts(bench, "center_operator", own=[shiraz.id]) == []
    # Another center leads from now on; it stays one alert, and closes as one.
    project.lead_center_id = shiraz.id
    await told.tell_all([(project, "updated"), (met, "reported"), (met, "met")])
    await bench.caught_up()
    assert [one.resource_id for one in await alerts(bench, state=OPEN)] == [cancelled.id]
    # With the end of the project its conditions are cancelled.
    project.state = projects_pb2.PROJECT_STATE_KILLED
    await told.tell_all([(project, "killed"), (cancelled, "cancelled")])
    await bench.caught_up()
    assert [one.state for one in await alerts(bench)] == [CLOSED, CLOSED]
    # One that never was overdue leaves no alert.
    other = condition(project.id)
    await told.tell_all([(other, "created"), (other, "cancelled")])
    await bench.caught_up()
    assert len(await alerts(bench)) == 2
    await is_rebuilt_alike(bench)
    done = await bench.call("RebuildProjections", network_pb2.RebuildProjectionsRequest())
    assert done.digest_before == done.digest_after


async def test_sample_conditions_are_marked_as_such(bench: ObservatoryBench) -> None:
    tabriz = center("TBZ")
    await bench.owners["centers"].tell(tabriz, "created")
    project = projects_pb2.Project(id=new_id("prj"), lead_center_id=tabriz.id, sample=True)
    late = condition(project.id)
    late.sample = True
    await bench.owners["projects"].tell_all(
        [(project, "created"), (late, "created"), (late, "became_overdue")]
    )
    await bench.caught_up()
    (alert,) = await alerts(bench)
    assert alert.sample
