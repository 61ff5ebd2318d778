"""Projects and their decisions, tried over gRPC against a real database."""

import asyncio
from collections import Counter
from typing import Any, cast

import pytest
import sqlalchemy as sa
import sqlalchemy.exc
from google.protobuf.field_mask_pb2 import FieldMask

from peyvand.api.v1 import types_pb2
from peyvand.centers.v1 import centers_pb2
from peyvand.partners.v1 import agreements_pb2
from peyvand.projects.v1 import decisions_pb2, stages_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from projects.tables import metadata
from servicekit.errors import Fault
from servicekit.ids import new_id
from servicekit.migrations import differences
from tests.integration.projects.conftest import (
    KILL,
    ProjectsBench,
    agreement_event,
    center_event,
    heard,
    project,
)
from tests.support.rpc import outbox


def found(fault: Fault) -> list[tuple[str, str]]:
    return [(item.field, item.reason) for item in fault.violations]


async def update(
    bench: ProjectsBench, at: pb.Project, given: pb.Project, *paths: str, **who: Any
) -> pb.Project:
    request = pb.UpdateProjectRequest(
        project_id=at.id, etag=at.etag, project=given, update_mask=FieldMask(paths=paths)
    )
    return cast("pb.Project", await bench.rpc.call("UpdateProject", request, **who))


async def test_a_project_lives_its_life_and_every_step_is_an_event(bench: ProjectsBench) -> None:
    made = await bench.create(project(await bench.center(), external_key="prj-patch"))
    assert (made.stage, made.template_version) == (stages_pb2.STAGE_S0, "1")
    assert list(made.allowed_actions) == ["update", "decide"]
    advanced = await bench.decide(made, decisions_pb2.DECISION_KIND_GO)
    assert advanced.stage == stages_pb2.STAGE_S1
    held = await bench.decide(advanced, decisions_pb2.DECISION_KIND_HOLD, resume_date="2099-01-01")
    assert held.state == pb.PROJECT_STATE_ON_HOLD
    assert list(held.allowed_actions) == ["update", "decide", "resume"]
    step = pb.ProjectStepRequest(project_id=held.id, etag=held.etag, idempotency_key=bench.key())
    resumed = cast("pb.Project", await bench.rpc.call("ResumeProject", step))
    back = await bench.decide(
        resumed, decisions_pb2.DECISION_KIND_RECYCLE, to_stage=stages_pb2.STAGE_S0
    )
    killed = await bench.decide(back, decisions_pb2.DECISION_KIND_KILL, kill=KILL)
    assert killed.state == pb.PROJECT_STATE_KILLED
    assert list(killed.allowed_actions) == []
    again = bench.ruling(killed, decisions_pb2.DECISION_KIND_GO)
    assert (await bench.rpc.fault("DecideProject", again)).reason == "KILLED_IS_FINAL"

    events = await outbox(bench.database)
    assert [(kind.rsplit(".", 1)[1], version) for kind, _, version in events] == [
        ("created", 1),
        ("advanced", 2),
        ("held", 3),
        ("resumed", 4),
        ("recycled", 5),
        ("killed", 6),
    ]
    request = decisions_pb2.ListProjectDecisionsRequest(project_id=made.id, page_size=3)
    decisions: list[decisions_pb2.Decision] = []
    while True:
        answer = await bench.rpc.call("ListProjectDecisions", request)
        page = cast("decisions_pb2.ListProjectDecisionsResponse", answer)
        decisions += page.decisions
        request.page_token = page.next_page_token
        if not request.page_token:
            break
    assert [decision.kind for decision in decisions] == [1, 3, 4, 5]
    assert decisions[-1].kill == KILL
    assert killed.latest_decision_id == decisions[-1].id
    assert [visit.decision_id for visit in killed.stage_visits] == [
        "",
        decisions[0].id,
        decisions[2].id,
    ]
    async with bench.database.engine.connect() as connection:
        query = sa.text("SELECT payload FROM outbox ORDER BY seq DESC LIMIT 1")
        event = pb.ProjectEvent.FromString(await connection.scalar(query))
    assert event.decision == decisions[-1]
    assert event.project.state == pb.PROJECT_STATE_KILLED


async def test_of_two_who_decide_at_once_one_decides(bench: ProjectsBench) -> None:
    made = await bench.create(project(await bench.center()))
    kinds = [decisions_pb2.DECISION_KIND_GO, decisions_pb2.DECISION_KIND_KILL] * 6

    async def decide(kind: "decisions_pb2.DecisionKind") -> str:
        kill = KILL if kind == decisions_pb2.DECISION_KIND_KILL else None
        try:
            await bench.decide(made, kind, kill=kill)
        except Fault as fault:
            return fault.reason
        return "decided"

    outcomes = Counter(await asyncio.gather(*map(decide, kinds)))
    assert outcomes == {"decided": 1, "STALE_ETAG": 11}
    assert len(await outbox(bench.database)) == 2
    async with bench.database.engine.connect() as connection:
        assert await connection.scalar(sa.text("SELECT count(*) FROM decision")) == 1


async def test_a_decision_that_is_sent_again_is_the_same_decision(bench: ProjectsBench) -> None:
    made = await bench.create(project(await bench.center()))
    request = bench.ruling(made, decisions_pb2.DECISION_KIND_GO)
    first = await bench.rpc.call("DecideProject", request)
    assert await bench.rpc.call("DecideProject", request) == first
    assert len(await outbox(bench.database)) == 2


@pytest.mark.parametrize(
    "statement", ["UPDATE decision SET kind = 'kill'", "DELETE FROM decision", "TRUNCATE decision"]
)
async def test_the_database_changes_no_decision(bench: ProjectsBench, statement: str) -> None:
    made = await bench.create(project(await bench.center()))
    await bench.decide(made, decisions_pb2.DECISION_KIND_GO)
    with pytest.raises(sqlalchemy.exc.DBAPIError, match="append-only"):
        async with bench.database.engine.begin() as connection:
            await connection.execute(sa.text(statement))


async def test_a_decision_without_what_it_needs_changes_nothing(bench: ProjectsBench) -> None:
    made = await bench.create(project(await bench.center()))
    request = bench.ruling(made, decisions_pb2.DECISION_KIND_HOLD, to_stage=stages_pb2.STAGE_S0)
    assert found(await bench.rpc.fault("DecideProject", request)) == [
        ("resume_date", "NEEDED_FOR_DECISION"),
        ("to_stage", "NOT_FOR_DECISION"),
    ]
    assert len(await outbox(bench.database)) == 1


async def test_who_leads_or_takes_part_sees_a_project_and_nobody_else(
    bench: ProjectsBench,
) -> None:
    lead, other, foreign = [await bench.center() for _ in range(3)]
    participants = [pb.ProjectParticipant(center_id=other)]
    made = await bench.create(project(lead, participants=participants))
    get = pb.GetProjectRequest(project_id=made.id)
    listing = pb.ListProjectsRequest()
    reads = [
        ("GetProject", get),
        ("ListProjectDecisions", decisions_pb2.ListProjectDecisionsRequest(project_id=made.id)),
        ("ListProjectSteps", pb.ListProjectStepsRequest(project_id=made.id)),
    ]
    seeing = [("hq_admin", ""), ("hq_analyst", ""), ("center_admin", lead)]
    for role, center in [*seeing, ("center_operator", lead), ("center_admin", other)]:
        who: dict[str, Any] = {"role": role, "center_ids": [center] if center else []}
        for name, request in reads:
            await bench.rpc.call(name, request, **who)
        page = cast("pb.ListProjectsResponse", await bench.rpc.call("ListProjects", listing, **who))
        assert [item.id for item in page.projects] == [made.id]
    for role in ("center_admin", "center_operator"):
        for centers in ([foreign], []):
            for name, request in reads:
                fault = await bench.rpc.fault(name, request, role, center_ids=centers)
                assert fault.reason == "NOT_FOUND"
            answer = await bench.rpc.call("ListProjects", listing, role, center_ids=centers)
            assert not cast("pb.ListProjectsResponse", answer).projects
    assert (await bench.rpc.fault("GetProject", get, "partner")).reason == "PERMISSION_DENIED"
    assert (await bench.rpc.fault("ListProjects", listing, None)).reason == "UNAUTHENTICATED"


async def test_a_center_acts_on_projects_that_it_leads_and_no_other(bench: ProjectsBench) -> None:
    lead, other, foreign = [await bench.center() for _ in range(3)]
    made = await bench.create(
        project(lead, participants=[pb.ProjectParticipant(center_id=other)]), center_ids=[lead]
    )
    assert list(made.allowed_actions) == ["update"]
    request = pb.CreateProjectRequest(project=project(foreign), idempotency_key=bench.key())
    fault = await bench.rpc.fault("CreateProject", request, "center_admin", center_ids=[lead])
    assert fault.reason == "NOT_YOUR_CENTER"
    given = project(foreign, summary=types_pb2.LocalizedText(en="Ours now"))
    for own, path, reason in [
        (lead, "lead_center_id", "NOT_YOUR_CENTER"),  # it cannot be given away either
        (other, "summary", "NOT_YOUR_CENTER"),
        (foreign, "summary", "NOT_FOUND"),
    ]:
        change = pb.UpdateProjectRequest(
            project_id=made.id, etag=made.etag, project=given, update_mask=FieldMask(paths=[path])
        )
        fault = await bench.rpc.fault("UpdateProject", change, "center_admin", center_ids=[own])
        assert fault.reason == reason
    ruling = bench.ruling(made, decisions_pb2.DECISION_KIND_GO)
    fault = await bench.rpc.fault("DecideProject", ruling, "center_admin", center_ids=[lead])
    assert fault.reason == "PERMISSION_DENIED"
    changed = await update(bench, made, given, "summary", role="center_admin", center_ids=[lead])
    assert changed.summary.en == "Ours now"


async def test_a_project_is_led_by_a_center_that_is_known_and_works(bench: ProjectsBench) -> None:
    async def refused(lead: str) -> Fault:
        request = pb.CreateProjectRequest(project=project(lead), idempotency_key=bench.key())
        return await bench.rpc.fault("CreateProject", request)

    assert found(await refused(new_id("ctr"))) == [("lead_center_id", "UNKNOWN_CENTER")]
    for state in (
        centers_pb2.CENTER_STATE_SUSPENDED,
        centers_pb2.CENTER_STATE_CLOSED,
        centers_pb2.CENTER_STATE_CANCELLED,
    ):
        assert (await refused(await bench.center(state=state))).reason == "CENTER_NOT_ACTIVE"
    assert not await outbox(bench.database)

    lead = await bench.center()
    made = await bench.create(project(lead))
    suspended = center_event(lead, centers_pb2.CENTER_STATE_SUSPENDED)
    await bench.hear(heard("center", lead, 2, suspended))
    # What it leads already, it goes on leading.
    summary = project("", summary=types_pb2.LocalizedText(en="On"))
    assert (await update(bench, made, summary, "summary")).summary.en == "On"


async def test_an_institution_takes_part_under_an_agreement_in_force(bench: ProjectsBench) -> None:
    lead, institution = await bench.center(), await bench.institution()
    agreement = await bench.agreement(agreements_pb2.AGREEMENT_STATE_SIGNED)

    def part(
        institution_id: str = institution, agreement_id: str = agreement
    ) -> pb.ProjectParticipant:
        return pb.ProjectParticipant(institution_id=institution_id, agreement_id=agreement_id)

    strangers = [
        part(institution_id=new_id("ins")),
        part(agreement_id=new_id("agr")),
        pb.ProjectParticipant(center_id=new_id("ctr")),
    ]
    request = pb.CreateProjectRequest(
        project=project(lead, participants=strangers), idempotency_key=bench.key()
    )
    assert sorted(found(await bench.rpc.fault("CreateProject", request))) == [
        ("participants[0].agreement_id", "AGREEMENT_NOT_IN_FORCE"),
        ("participants[0].institution_id", "UNKNOWN_REFERENCE"),
        ("participants[1].agreement_id", "UNKNOWN_REFERENCE"),
        ("participants[2].center_id", "UNKNOWN_CENTER"),
    ]
    in_force = agreement_event(agreement, agreements_pb2.AGREEMENT_STATE_IN_FORCE)
    await bench.hear(heard("agreement", agreement, 2, in_force))
    made = await bench.create(project(lead, participants=[part()]))
    expired = agreement_event(agreement, agreements_pb2.AGREEMENT_STATE_EXPIRED)
    await bench.hear(heard("agreement", agreement, 3, expired))
    # Another role for someone who takes part already is no new part.
    role = types_pb2.LocalizedText(en="Potency assay")
    kept = part()
    kept.role.CopyFrom(role)
    changed = await update(bench, made, project(lead, participants=[kept]), "participants")
    assert changed.participants[0].role == role

    for listing in (
        pb.ListProjectsRequest(institution_id=institution),
        pb.ListProjectsRequest(agreement_id=agreement),
    ):
        answer = cast("pb.ListProjectsResponse", await bench.rpc.call("ListProjects", listing))
        assert [item.id for item in answer.projects] == [made.id]


async def test_only_a_killed_project_is_revived_by_a_new_one(bench: ProjectsBench) -> None:
    lead = await bench.center()
    made = await bench.create(project(lead))

    async def refused(id: str, **who: Any) -> list[tuple[str, str]]:
        request = pb.CreateProjectRequest(
            project=project(lead, revival_of_id=id), idempotency_key=bench.key()
        )
        return found(await bench.rpc.fault("CreateProject", request, **who))

    assert await refused(made.id) == [("revival_of_id", "REVIVED_NOT_KILLED")]
    assert await refused(new_id("prj")) == [("revival_of_id", "UNKNOWN_REFERENCE")]
    killed = await bench.decide(made, decisions_pb2.DECISION_KIND_KILL, kill=KILL)
    revived = await bench.create(project(lead, revival_of_id=killed.id))
    assert (revived.revival_of_id, revived.state) == (killed.id, pb.PROJECT_STATE_ACTIVE)

    foreign = await bench.create(project(await bench.center()))
    hidden = await bench.decide(foreign, decisions_pb2.DECISION_KIND_KILL, kill=KILL)
    assert await refused(hidden.id, role="center_admin", center_ids=[lead]) == [
        ("revival_of_id", "UNKNOWN_REFERENCE")
    ]


async def test_projects_are_found_by_what_they_are(bench: ProjectsBench) -> None:
    lead, other = await bench.center(), await bench.center()
    first = await bench.create(project(lead, external_key="prj-1"))
    second = await bench.create(
        project(
            other,
            pathway=stages_pb2.PATHWAY_DEVICE,
            participants=[pb.ProjectParticipant(center_id=lead)],
        )
    )
    await bench.decide(second, decisions_pb2.DECISION_KIND_GO)

    async def ids(**filters: Any) -> set[str]:
        answer = await bench.rpc.call("ListProjects", pb.ListProjectsRequest(**filters))
        return {item.id for item in cast("pb.ListProjectsResponse", answer).projects}

    assert await ids(center_id=lead) == {first.id, second.id}
    assert await ids(center_id=other) == {second.id}
    assert await ids(stage=stages_pb2.STAGE_S1) == {second.id}
    assert await ids(pathway=stages_pb2.PATHWAY_SOMATIC_CELL) == {first.id}
    assert await ids(external_key="prj-1") == {first.id}
    assert await ids(state=pb.PROJECT_STATE_KILLED) == set()


async def test_the_revisions_lead_to_the_tables_in_code(bench: ProjectsBench) -> None:
    async with bench.database.engine.connect() as connection:
        assert await connection.run_sync(differences, metadata) == []
