"""The picture of the network: what it shows, to whom, and that it can be built anew."""

from __future__ import annotations

import asyncio
import json
import shutil
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from google.protobuf.json_format import MessageToDict

from observatory import tables
from observatory.projections.following import LIVE_SUBJECT
from observatory.projections.network_status import build_status, take_snapshot
from observatory.projections.presence_board import Presence
from observatory.projections.viewers import Viewer
from peyvand.api.v1 import types_pb2
from peyvand.centers.v1 import centers_pb2
from peyvand.observatory.v1 import events_pb2, plan_pb2
from peyvand.observatory.v1 import network_pb2 as pb
from peyvand.partners.v1 import activities_pb2, agreements_pb2, institutions_pb2
from peyvand.projects.v1 import awards_pb2, companies_pb2, outputs_pb2, projects_pb2, stages_pb2
from servicekit.identity import Principal
from servicekit.ids import new_id
from servicekit.migrations import differences
from servicekit.outbox import Event, record
from tests.integration.observatory.conftest import STALE_AFTER, ObservatoryBench, center
from tests.support import messaging

HEADQUARTERS = Viewer(Principal("hq", "hq", frozenset({"hq_admin"})))
OPERATIONAL = centers_pb2.CENTER_STATE_OPERATIONAL


async def status(bench: ObservatoryBench, role: str | None = "hq_admin") -> pb.NetworkStatus:
    return await bench.call("GetNetworkStatus", pb.GetNetworkStatusRequest(), role)


async def test_a_center_that_has_ended_is_named_and_counted_no_more(
    bench: ObservatoryBench,
) -> None:
    await tell_of_a_network(bench)
    closed = center("OLD", state=centers_pb2.CENTER_STATE_CLOSED)
    await bench.owners["centers"].tell(closed, "closed")
    await bench.caught_up()
    centers = (await status(bench)).totals.centers
    assert (centers.value, centers.known, centers.of) == (2, 2, 2)
    assert parts(centers) == {"closed": (1, 0), "operational": (1, 1), "planned": (1, 0)}


async def events(
    bench: ObservatoryBench, role: str | None = "hq_admin", **asked: Any
) -> list[events_pb2.Event]:
    """All events that a caller may see, page by page."""
    who = {name: asked.pop(name) for name in ("center_ids", "institution_ids") if name in asked}
    found: list[events_pb2.Event] = []
    cursor = asked.pop("after", "")
    while True:
        request = events_pb2.ListEventsRequest(after=cursor, page_size=7, **asked)
        page = await bench.call("ListEvents", request, role, **who)
        found += page.events
        cursor = page.next_cursor
        if not page.more:
            return found


def parts(total: pb.Total) -> dict[str, tuple[int, int]]:
    return {part.key: (part.value, part.sample) for part in total.parts}


def agreement(state: str, **values: Any) -> agreements_pb2.Agreement:
    given: dict[str, Any] = {
        "id": new_id("agr"),
        "kind": agreements_pb2.AGREEMENT_KIND_MOU,
        "state": agreements_pb2.AgreementState.Value(f"AGREEMENT_STATE_{state}"),
    }
    return agreements_pb2.Agreement(**(given | values))


async def tell_of_a_network(bench: ObservatoryBench) -> dict[str, str]:
    """Tell of a small network; returns the ids of its centers."""
    tabriz, shiraz = center("TBZ", state=OPERATIONAL), center("SHZ")
    pilot = center("PILOT", state=OPERATIONAL, sample=True)
    told = bench.owners["centers"]
    await told.tell_all([(tabriz, "created"), (shiraz, "created"), (pilot, "created")])
    project = projects_pb2.Project(
        id=new_id("prj"),
        lead_center_id=tabriz.id,
        stage=stages_pb2.STAGE_S2,
        state=projects_pb2.PROJECT_STATE_ACTIVE,
        participants=[projects_pb2.ProjectParticipant(center_id=shiraz.id)],
    )
    killed = projects_pb2.Project(
        id=new_id("prj"),
        lead_center_id=tabriz.id,
        stage=stages_pb2.STAGE_S1,
        state=projects_pb2.PROJECT_STATE_KILLED,
    )
    company = companies_pb2.Company(
        id=new_id("com"),
        knowledge_based=True,
        project_ids=[project.id],
        state=companies_pb2.COMPANY_STATE_ACTIVE,
    )
    await bench.owners["projects"].tell_all(
        [(project, "created"), (killed, "killed"), (company, "created")]
    )
    institution = institutions_pb2.Institution(id=new_id("ins"), country="RU")
    institution.names.add(text="Гематологический центр", language="ru")
    institution.names.add(text="Hematological Center", language="en")
    parties = [
        agreements_pb2.Party(key="a", center_id=tabriz.id),
        agreements_pb2.Party(key="b", institution_id=institution.id),
    ]
    draft = agreement("DRAFT", parties=parties)
    signed = agreement("SIGNED", parties=parties)
    proposed = activities_pb2.Activity(
        id=new_id("act"),
        agreement_id=signed.id,
        state=activities_pb2.ACTIVITY_STATE_PROPOSED,
    )
    person = institutions_pb2.Person(id=new_id("per"))
    person.names.add(text="Somebody", language="en")
    await bench.owners["partners"].tell_all(
        [
            (institution, "created"),
            (draft, "created"),
            (signed, "signed"),
            (proposed, "created"),
            (person, "created"),
        ]
    )
    item = plan_pb2.ActionItem(text=types_pb2.LocalizedText(en="Settle it"))
    await bench.call("CreateActionItem", plan_pb2.CreateActionItemRequest(action_item=item))
    await bench.caught_up()
    return {"TBZ": tabriz.id, "SHZ": shiraz.id, "institution": institution.id, "person": person.id}


async def test_the_tables_are_what_the_migrations_make(bench: ObservatoryBench) -> None:
    async with bench.database.engine.connect() as connection:
        assert await connection.run_sync(lambda sync: differences(sync, tables.metadata)) == []


async def test_status_counts_what_is_there_and_sample_data_apart(bench: ObservatoryBench) -> None:
    ids = await tell_of_a_network(bench)
    shown = await status(bench)
    assert [(c.code, c.sample) for c in shown.centers] == [
        ("PILOT", True),
        ("SHZ", False),
        ("TBZ", False),
    ]
    assert {c.liveness for c in shown.centers} == {pb.LIVENESS_UNKNOWN}
    assert not any(c.HasField("liveness_since") for c in shown.centers)
    tabriz = next(c for c in shown.centers if c.center_id == ids["TBZ"])
    assert [(c.key, c.value) for c in tabriz.projects_by_stage] == [("s2", 1)]
    assert [(c.key, c.value) for c in tabriz.agreements_by_state] == [("signed", 1)]
    totals = shown.totals
    assert (totals.centers.value, totals.centers.sample) == (2, 1)
    assert (totals.centers.known, totals.centers.of) == (2, 2)
    assert parts(totals.centers) == {"operational": (1, 1), "planned": (1, 0)}
    fresh = totals.fresh_centers
    assert (fresh.value, fresh.known, fresh.of) == (0, 0, 2)
    assert not fresh.HasField("as_of")
    assert parts(totals.projects) == {"s2": (1, 0)}
    assert (totals.projects.known, totals.projects.of) == (2, 2)
    assert parts(totals.companies) == {"knowledge_based": (1, 0)}
    assert parts(totals.institutions) == {"RU": (1, 0)}
    assert parts(totals.agreements) == {"signed": (1, 0)}
    assert parts(totals.activities) == {"proposed": (1, 0)}
    assert totals.open_action_items.value == 1
    assert shown.sample
    assert not shown.HasField("rebuild")

    public = await status(bench, None)
    assert not public.totals.HasField("open_action_items")
    assert public.totals.centers.value == 2


async def test_status_says_how_far_each_stream_is_followed(bench: ObservatoryBench) -> None:
    event = await bench.owners["centers"].tell(center("TBZ"), "created")
    await bench.caught_up()

    async def seen() -> bool:
        head = bench.following.heads.get("EVT_CENTERS")
        return head is not None and head.last == 1 and len(bench.following.heads) == 4

    await messaging.eventually(seen)
    shown = await status(bench)
    by_service = {stream.service: stream for stream in shown.streams}
    assert list(by_service) == ["centers", "projects", "partners", "observatory"]
    centers = by_service["centers"]
    assert (centers.position, centers.last_position, centers.lag) == (1, 1, 0)
    assert centers.liveness == pb.LIVENESS_ONLINE
    assert abs(centers.last_event_at.ToDatetime(UTC) - event.time) < timedelta(milliseconds=1)
    assert shown.totals.centers.as_of == centers.checked_at
    # The same again, but for the times of looking.
    await asyncio.sleep(1.2)
    assert (await status(bench)).etag == shown.etag

    async with bench.database.read() as session:
        snapshot = await take_snapshot(session)
    later = datetime.now(UTC) + STALE_AFTER + timedelta(seconds=1)
    late = build_status(snapshot, bench.following.heads, Presence(), later, HEADQUARTERS)
    assert late.streams[0].liveness == pb.LIVENESS_STALE
    assert late.streams[0].since == late.streams[0].checked_at
    # What cannot be looked at is right for the time of its last event only.
    assert late.totals.centers.as_of == late.streams[0].last_event_at
    never = build_status(snapshot, {}, Presence(), later, HEADQUARTERS)
    assert {stream.liveness for stream in never.streams} == {pb.LIVENESS_UNKNOWN}


async def test_what_is_not_followed_any_more_shows_as_late(bench: ObservatoryBench) -> None:
    told = bench.owners["centers"]
    await told.tell(center("TBZ"), "created")
    await bench.caught_up()
    assert bench.following._projector is not None
    await bench.following._projector.stop()
    await told.tell(center("SHZ"), "created")

    async def late() -> bool:
        shown = await status(bench)
        return shown.streams[0].liveness == pb.LIVENESS_LATE and shown.streams[0].lag == 1

    await messaging.eventually(late)
    await bench.following._projector.start()
    await bench.caught_up()
    assert len((await status(bench)).centers) == 2


async def test_each_caller_sees_of_the_timeline_what_the_contract_opens(
    bench: ObservatoryBench,
) -> None:
    ids = await tell_of_a_network(bench)

    async def kinds(role: str | None, **who: Any) -> list[str]:
        return sorted(e.type.split(".", 3)[3] for e in await events(bench, role, **who))

    everything = await kinds("hq_analyst")
    assert len(everything) == 12
    public = [
        "agreement.signed",
        "center.created",
        "center.created",
        "center.created",
        "institution.created",
    ]
    assert await kinds(None) == public
    assert await kinds("partner") == public
    assert await kinds("center_admin", center_ids=[new_id("ctr")]) == public
    # A claim counts only with the role that it belongs to.
    assert await kinds("partner", center_ids=[ids["TBZ"]]) == public
    partner = await kinds("partner", institution_ids=[ids["institution"]])
    assert partner == sorted([*public, "agreement.created", "activity.created"])
    own = ["agreement.created", "activity.created", "company.created"]
    tabriz = await kinds("center_operator", center_ids=[ids["TBZ"]])
    assert tabriz == sorted([*public, *own, "project.created", "project.killed"])
    shiraz = await kinds("center_admin", center_ids=[ids["SHZ"]])
    assert shiraz == sorted([*public, "project.created", "company.created"])


async def test_what_a_project_has_concerns_those_whom_the_project_does(
    bench: ObservatoryBench,
) -> None:
    lead, other = new_id("ctr"), new_id("ctr")
    project = projects_pb2.Project(id=new_id("prj"), lead_center_id=lead)
    project.participants.add(center_id=other)
    titles = types_pb2.LocalizedText(fa="وصلهٔ غضروفی", en="Cartilage patch")
    output = outputs_pb2.Output(id=new_id("out"), project_id=project.id, titles=titles)
    award = awards_pb2.Award(id=new_id("awd"), project_id=project.id, titles=titles)
    await bench.owners["projects"].tell_all(
        [(project, "created"), (output, "created"), (award, "tranche_released")]
    )
    await bench.caught_up()
    for role, centers in [("hq_analyst", []), ("center_admin", [lead]), ("center_admin", [other])]:
        seen = await events(bench, role, center_ids=centers)
        assert [event.summaryen for event in seen][1:] == [
            'Output "Cartilage patch" recorded',
            'Award "Cartilage patch" has a tranche released',
        ]
        assert seen[1].summaryfa == "دستاورد «وصلهٔ غضروفی» ثبت شد"
    assert await events(bench, None) == []
    assert await events(bench, "center_admin", center_ids=[new_id("ctr")]) == []


async def test_who_did_it_and_why_is_told_to_those_concerned_only(bench: ObservatoryBench) -> None:
    tabriz = center("TBZ", city=types_pb2.LocalizedText(fa="تبریز"))
    await bench.owners["centers"].tell(tabriz, "created")
    await bench.caught_up()
    (public,) = await events(bench, None)
    (own,) = await events(bench, "center_operator", center_ids=[tabriz.id])
    shown = MessageToDict(public.data)
    assert set(shown) == {"center"}
    assert shown["center"]["state"] == "planned"
    assert shown["center"]["city"] == {"fa": "تبریز", "en": None}
    assert shown["center"]["opened_date"] is None
    assert MessageToDict(own.data)["change"]["step"]["actor"] == "somebody"
    assert own.id == public.id
    assert public.specversion == "1.0"
    assert public.source == "/services/centers"
    assert public.subject == tabriz.id
    assert public.summaryen == 'Center "TBZ" recorded'
    assert public.summaryfa == "مرکز «TBZ» ثبت شد"


async def test_filters_pass_over_what_does_not_fit(bench: ObservatoryBench) -> None:
    ids = await tell_of_a_network(bench)
    whole = await events(bench)
    assert len(await events(bench, types=["peyvand.centers.v1.*"])) == 3
    assert len(await events(bench, types=["peyvand.partners.v1.agreement.signed"])) == 1
    assert len(await events(bench, types=["peyvand.partners.v1.agreement"])) == 0
    assert len(await events(bench, kinds=["agreement", "person"])) == 3
    assert [e.subject for e in await events(bench, subject=ids["TBZ"])] == [ids["TBZ"]]
    assert len(await events(bench, since=whole[-1].time)) == 1
    request = events_pb2.ListEventsRequest(subject=new_id("ctr"))
    page = await bench.call("ListEvents", request)
    assert not page.events
    assert page.next_cursor == page.head_cursor
    latest = events_pb2.ListEventsRequest(order="EVENT_ORDER_LATEST_FIRST", page_size=5)
    first = await bench.call("ListEvents", latest)
    assert first.more
    # What happens meanwhile does not disturb the walk back.
    await bench.owners["centers"].tell(center("LATE"), "created")
    await bench.caught_up()
    latest.before = first.next_cursor
    latest.page_size = 50
    second = await bench.call("ListEvents", latest)
    assert not second.more
    walked = [*first.events, *second.events]
    assert sorted(e.id for e in walked) == sorted(e.id for e in whole)
    onwards = await events(bench, after=first.events[0].cursor)
    assert [e.type for e in onwards] == ["peyvand.centers.v1.center.created"]


async def test_a_cursor_that_was_not_made_here_is_refused(bench: ObservatoryBench) -> None:
    fault = await bench.fault("ListEvents", events_pb2.ListEventsRequest(before="zzz"))
    assert fault.reason == "INVALID_CURSOR"
    assert fault.violations[0].field == "before"


async def test_a_deleted_person_leaves_no_name_behind(bench: ObservatoryBench) -> None:
    ids = await tell_of_a_network(bench)
    tombstone = institutions_pb2.Person(id=ids["person"])
    tombstone.deleted_at.GetCurrentTime()
    await bench.owners["partners"].tell(tombstone, "deleted")
    await bench.caught_up()
    told = await events(bench, subject=ids["person"])
    assert [e.type.rpartition(".")[2] for e in told] == ["created", "deleted"]
    assert [set(MessageToDict(e.data)) for e in told] == [{"change"}, {"change"}]
    assert told[0].summaryen == "Person recorded"
    async with bench.database.engine.connect() as connection:
        for table in (tables.timeline, tables.record):
            rows = (await connection.execute(sa.select(table))).all()
            assert rows
            assert "Somebody" not in str(rows)


async def test_an_event_that_cannot_be_read_shows_and_holds_back_its_resource_alone(
    bench: ObservatoryBench,
) -> None:
    told = bench.owners["centers"]
    good, bad = center("GOOD"), center("BAD")
    await told.tell_all([(good, "created"), (bad, "created")])
    broken = Event(
        type="peyvand.centers.v1.center.updated",
        subject=f"evt.centers.center.updated.{bad.id}",
        aggregate_id=bad.id,
        aggregate_version=2,
        payload=b"\xff\xff\xff",
    )
    strange = Event(
        type="peyvand.centers.v9.satellite.launched",
        subject="evt.centers.satellite.launched.sat_1",
        aggregate_id="sat_1",
        aggregate_version=1,
        payload=b"whatever",
    )
    async with told.engine.begin() as connection:
        await record(connection, [broken, strange])
    good.state = OPERATIONAL
    await told.tell(good, "opened")
    await bench.caught_up()
    shown = await status(bench)
    assert {c.code: c.state for c in shown.centers}["GOOD"] == OPERATIONAL
    assert shown.streams[0].held_back == 1
    assert (shown.totals.centers.known, shown.totals.centers.of) == (1, 2)
    seen = {e.type.rpartition(".")[2]: e for e in await events(bench, kinds=["satellite"])}
    assert seen["launched"].visibility == events_pb2.EVENT_VISIBILITY_HEADQUARTERS
    assert seen["launched"].summaryen == "satellite launched"
    assert not await events(bench, None, kinds=["satellite"])


async def test_word_goes_out_when_the_picture_has_changed(bench: ObservatoryBench) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def hear(message: Any) -> None:
        heard.put_nowait(message.data)

    await bench.broker.hear(LIVE_SUBJECT, hear)
    await bench.owners["centers"].tell(center("TBZ"), "created")
    word = json.loads(await asyncio.wait_for(heard.get(), 60))
    assert word == {"EVT_CENTERS": 1}
    # It is said once the event can be read.
    assert len(await events(bench)) == 1


async def test_building_anew_gives_the_same_and_cursors_stay_good(bench: ObservatoryBench) -> None:
    await tell_of_a_network(bench)
    before = await events(bench)
    shown = await status(bench)
    first = await bench.call("RebuildProjections", pb.RebuildProjectionsRequest())
    assert first.digest_before == first.digest_after
    assert first.digest_after.startswith("sha256:")
    assert first.events_before == first.events_after == 12
    rows = {t.name: t.rows_after for t in first.tables if t.rows_after}
    assert rows == {"timeline": 12, "record": 12}
    assert await events(bench) == before

    # The broker loses everything; the outboxes fill it again.
    await bench.nats_process.kill()
    shutil.rmtree(bench.nats.store)
    await bench.nats_process.start()
    await bench.caught_up()
    request = pb.RebuildProjectionsRequest(idempotency_key="after the loss")
    second = await bench.call("RebuildProjections", request)
    assert second.digest_after == first.digest_after
    assert await events(bench) == before
    assert await bench.call("RebuildProjections", request) == second
    again = await status(bench)
    assert again.cursor == shown.cursor
    assert again.totals.centers.value == shown.totals.centers.value

    # The digest is one of the content: it changes with it.
    await bench.owners["centers"].tell(center("NEW"), "created")
    await bench.caught_up()
    third = await bench.call("RebuildProjections", pb.RebuildProjectionsRequest())
    assert third.digest_after == third.digest_before != first.digest_after
    async with bench.database.engine.connect() as connection:
        generations = set[int]()
        for table in tables.PICTURE:
            found = await connection.execute(sa.select(table.c.generation).distinct())
            generations |= set(found.scalars())
        assert len(generations) == 1


async def test_while_it_is_built_anew_the_picture_before_is_shown(
    bench: ObservatoryBench, monkeypatch: Any
) -> None:
    await tell_of_a_network(bench)
    before = await events(bench)
    await bench.following.stop()
    monkeypatch.setattr("observatory.api._REBUILD_PATIENCE", 0.2)
    request = pb.RebuildProjectionsRequest(idempotency_key="one")
    assert (await bench.fault("RebuildProjections", request)).reason == "REBUILD_RUNNING"
    other = pb.RebuildProjectionsRequest(idempotency_key="two")
    assert (await bench.fault("RebuildProjections", other)).reason == "REBUILD_RUNNING"
    shown = await status(bench)
    assert (shown.rebuild.events_done, shown.rebuild.events_total) == (0, 12)
    assert shown.totals.centers.value == 2
    assert await events(bench) == before
    # Something happens that the picture before will never have.
    await bench.owners["centers"].tell(center("NEW"), "created")
    await bench.following.start()
    await bench.caught_up()
    monkeypatch.setattr("observatory.api._REBUILD_PATIENCE", 50.0)
    done = await bench.call("RebuildProjections", request)
    assert done.events_before == 12
    assert not (await status(bench)).HasField("rebuild")
    assert [e.id for e in before] == [
        e.id for e in (await events(bench)) if e.id in {known.id for known in before}
    ]
    assert len(await events(bench)) == 13


async def test_a_rebuild_that_cannot_begin_leaves_everything_as_it_is(
    bench: ObservatoryBench, monkeypatch: Any
) -> None:
    await tell_of_a_network(bench)

    async def fails() -> None:
        raise RuntimeError

    monkeypatch.setattr(bench.following, "rebuild", fails)
    request = pb.RebuildProjectionsRequest(idempotency_key="one")
    assert (await bench.fault("RebuildProjections", request)).reason == "INTERNAL"
    monkeypatch.undo()
    assert (await status(bench)).totals.centers.value == 2
    done = await bench.call("RebuildProjections", request)
    assert done.digest_before == done.digest_after


async def test_projectors_that_come_and_go_lose_nothing_and_double_nothing(
    bench: ObservatoryBench,
) -> None:
    told = bench.owners["centers"]
    centers = [center(f"C{number}") for number in range(20)]

    async def load() -> None:
        for round_ in range(10):
            for one in centers:
                one.city.en = str(round_)
                await told.tell(one, "updated" if round_ else "created")

    followed: list[str] = []

    async def follow(done: asyncio.Event) -> None:
        cursor = ""
        while True:
            over = done.is_set()
            request = events_pb2.ListEventsRequest(after=cursor, page_size=30)
            page = await bench.call("ListEvents", request)
            followed.extend(event.id for event in page.events)
            cursor = page.next_cursor
            if over and not page.more:
                return
            await asyncio.sleep(0.02)

    done = asyncio.Event()
    follower = asyncio.create_task(follow(done))
    loading = asyncio.create_task(load())
    other = bench.another()
    for number in range(6):
        await asyncio.sleep(0.2)
        current, following = (
            (bench.following, other) if number % 2 == 0 else (other, bench.following)
        )
        await following.start()
        await current.stop()
        if number == 3:
            await bench.nats_process.kill()
            await bench.nats_process.start()
    await loading
    await bench.caught_up()
    done.set()
    await follower
    await other.stop()
    async with told.engine.connect() as connection:
        query = sa.text("SELECT event_id::text FROM outbox ORDER BY stream_seq")
        recorded = list((await connection.execute(query)).scalars())
    assert len(recorded) == 200
    assert followed == recorded
    shown = await status(bench)
    assert {c.city.en for c in shown.centers} == {"9"}
    rebuilt = await bench.call("RebuildProjections", pb.RebuildProjectionsRequest())
    assert rebuilt.digest_before == rebuilt.digest_after
