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
from peyvand.projects.v1 import decisions_pb2, evidence_pb2, gates_pb2, people_pb2, stages_pb2
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
    in_days,
    project,
)
from tests.support.rpc import outbox, rules_broken


async def update(
    bench: ProjectsBench, at: pb.Project, given: pb.Project, *paths: str, **who: Any
) -> pb.Project:
    request = pb.UpdateProjectRequest(
        project_id=at.id, etag=at.etag, project=given, update_mask=FieldMask(paths=paths)
    )
    return cast("pb.Project", await bench.rpc.call("UpdateProject", request, **who))


async def test_a_project_lives_its_life_and_every_step_is_an_event(bench: ProjectsBench) -> None:
    made = await bench.create(project(await bench.center(), external_key="prj-patch"))
    assert (made.stage, made.template_version) == (stages_pb2.STAGE_S0, "3")
    assert list(made.allowed_actions) == ["update"]
    advanced = await bench.decide(made, decisions_pb2.DECISION_KIND_GO)
    assert advanced.stage == stages_pb2.STAGE_S1
    held = await bench.decide(advanced, decisions_pb2.DECISION_KIND_HOLD, resume_date=in_days(0))
    assert held.state == pb.PROJECT_STATE_ON_HOLD
    assert held.hold_cause == pb.HOLD_CAUSE_DECISION
    assert list(held.allowed_actions) == ["update", "resume"]
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
    told = [(kind.rsplit(".", 1)[1], version) for kind, id, version in events if id == made.id]
    assert told == [
        ("created", 1),
        ("gate_opened", 2),
        ("advanced", 3),
        ("gate_opened", 4),
        ("held", 5),
        ("resumed", 6),
        ("gate_opened", 7),
        ("recycled", 8),
        ("gate_opened", 9),
        ("killed", 10),
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
        query = sa.text("SELECT payload FROM outbox WHERE type LIKE '%project.killed'")
        event = pb.ProjectEvent.FromString(await connection.scalar(query))
    assert event.decision == decisions[-1]
    assert event.project.state == pb.PROJECT_STATE_KILLED


async def test_of_many_who_decide_at_once_one_decides(bench: ProjectsBench) -> None:
    made = await bench.create(project(await bench.center()))
    await bench.satisfy(made.id)
    await bench.review(made.id, decisions_pb2.DECISION_KIND_GO, "dana", "mina")
    reviewed = await bench.get(made.id)
    kinds = [decisions_pb2.DECISION_KIND_GO, decisions_pb2.DECISION_KIND_KILL] * 6

    async def decide(kind: "decisions_pb2.DecisionKind") -> str:
        kill = KILL if kind == decisions_pb2.DECISION_KIND_KILL else None
        try:
            await bench.rpc.call("DecideProject", bench.ruling(reviewed, kind, kill=kill))
        except Fault as fault:
            return fault.reason
        return "decided"

    outcomes = Counter(await asyncio.gather(*map(decide, kinds)))
    # Those who came before the one that was voted for had no votes; the others came late.
    assert outcomes["decided"] == 1
    assert outcomes["STALE_ETAG"] >= 5
    assert outcomes.keys() <= {"decided", "STALE_ETAG", "NOT_WHAT_WAS_VOTED"}
    assert [kind for kind, _, _ in await outbox(bench.database)].count(
        "peyvand.projects.v1.project.advanced"
    ) == 1
    async with bench.database.engine.connect() as connection:
        assert await connection.scalar(sa.text("SELECT count(*) FROM decision")) == 1


async def test_a_decision_that_is_sent_again_is_the_same_decision(bench: ProjectsBench) -> None:
    made = await bench.create(project(await bench.center()))
    await bench.satisfy(made.id)
    await bench.review(made.id, decisions_pb2.DECISION_KIND_GO)
    request = bench.ruling(await bench.get(made.id), decisions_pb2.DECISION_KIND_GO)
    first = await bench.rpc.call("DecideProject", request)
    told = len(await outbox(bench.database))
    assert await bench.rpc.call("DecideProject", request) == first
    assert len(await outbox(bench.database)) == told


@pytest.mark.parametrize(
    "statement",
    ["UPDATE decision SET kind = 'kill'", "DELETE FROM decision", "TRUNCATE decision CASCADE"],
)
async def test_the_database_changes_no_decision(bench: ProjectsBench, statement: str) -> None:
    made = await bench.create(project(await bench.center()))
    await bench.decide(made, decisions_pb2.DECISION_KIND_GO)
    with pytest.raises(sqlalchemy.exc.DBAPIError, match="append-only"):
        async with bench.database.engine.begin() as connection:
            await connection.execute(sa.text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE step SET step = jsonb_set(step, '{actor}', '\"somebody\"')",
        "DELETE FROM step WHERE version > 1",
        "TRUNCATE step",
    ],
)
async def test_the_database_changes_no_step(bench: ProjectsBench, statement: str) -> None:
    made = await bench.create(project(await bench.center()))
    await bench.decide(made, decisions_pb2.DECISION_KIND_GO)
    with pytest.raises(sqlalchemy.exc.DBAPIError, match="append-only"):
        async with bench.database.engine.begin() as connection:
            await connection.execute(sa.text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE evidence SET confirmations = '[]'",
        "UPDATE evidence SET confirmations = confirmations[0] || confirmations",
        "UPDATE evidence SET confirmations = jsonb_set(confirmations, '{0,visit}', '7')",
        """UPDATE evidence SET confirmations =
        jsonb_set(confirmations, '{0,confirmed_by}', '"somebody"')""",
        "UPDATE evidence SET resubmission_reason = 'Said later.'",
    ],
)
async def test_the_database_adds_to_confirmations_alone(
    bench: ProjectsBench, statement: str
) -> None:
    made = await bench.create(project(await bench.center()))
    piece = await bench.verified(made.id, "disclosure")
    rejection = evidence_pb2.EvidenceStepRequest(
        evidence_id=piece.id, etag=piece.etag, reason="No.", idempotency_key=bench.key()
    )
    await bench.criteria.call("RejectEvidence", rejection, subject="verifier")
    another = """UPDATE evidence SET confirmations =
    confirmations || '[{"visit": 2, "confirmed_by": "dana"}]'"""
    async with bench.database.engine.begin() as connection:
        await connection.execute(sa.text(another))
    with pytest.raises(sqlalchemy.exc.DBAPIError, match="append-only"):
        async with bench.database.engine.begin() as connection:
            await connection.execute(sa.text(statement))


async def test_a_decision_without_what_it_needs_changes_nothing(bench: ProjectsBench) -> None:
    made = await bench.create(project(await bench.center()))
    await bench.review(made.id, decisions_pb2.DECISION_KIND_HOLD)
    reviewed, told = await bench.get(made.id), len(await outbox(bench.database))
    request = bench.ruling(reviewed, decisions_pb2.DECISION_KIND_HOLD, to_stage=stages_pb2.STAGE_S0)
    assert (await bench.rpc.fault("DecideProject", request)).reason == "TERMS_DIFFER"
    request = gates_pb2.ProposeAtGateRequest(
        gate_id=reviewed.open_gate_id,
        decision=decisions_pb2.DECISION_KIND_HOLD,
        to_stage=stages_pb2.STAGE_S0,
        etag=(await bench.gate(reviewed.open_gate_id)).etag,
        idempotency_key=bench.key(),
    )
    assert rules_broken(await bench.gates.fault("ProposeAtGate", request)) == [
        ("resume_date", "NEEDED_FOR_DECISION"),
        ("to_stage", "NOT_FOR_DECISION"),
    ]
    assert len(await outbox(bench.database)) == told


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

    assert rules_broken(await refused(new_id("ctr"))) == [("lead_center_id", "UNKNOWN_CENTER")]
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
    # What it leads already, it goes on leading, if flagged.
    made = await bench.get(made.id)
    summary = project("", summary=types_pb2.LocalizedText(en="On"))
    assert (await update(bench, made, summary, "summary")).summary.en == "On"


async def test_a_center_that_is_out_joins_no_project_and_does_not_come_back_unflagged(
    bench: ProjectsBench,
) -> None:
    lead, part = await bench.center(), await bench.center()
    for state in (
        centers_pb2.CENTER_STATE_SUSPENDED,
        centers_pb2.CENTER_STATE_CLOSED,
        centers_pb2.CENTER_STATE_CANCELLED,
    ):
        out = pb.ProjectParticipant(center_id=await bench.center(state=state))
        request = pb.CreateProjectRequest(
            project=project(lead, participants=[out]), idempotency_key=bench.key()
        )
        refusal = await bench.rpc.fault("CreateProject", request)
        assert (refusal.reason, refusal.params["center_id"]) == ("CENTER_NOT_ACTIVE", out.center_id)
    joined = pb.ProjectParticipant(center_id=part)
    made = await bench.create(project(lead, participants=[joined]))
    suspended = center_event(part, centers_pb2.CENTER_STATE_SUSPENDED)
    await bench.hear(heard("center", part, 2, suspended))
    flagged = await bench.get(made.id)
    assert [flag.resource_id for flag in flagged.flags] == [part]
    # While it is out it keeps its place, in whatever role, and the project its flag.
    role = types_pb2.LocalizedText(en="Supplies the bank")
    renamed = pb.ProjectParticipant(center_id=part, role=role)
    kept = await update(bench, flagged, project(lead, participants=[renamed]), "participants")
    assert [flag.resource_id for flag in kept.flags] == [part]
    dropped = await update(bench, kept, project(lead), "participants")
    assert not dropped.flags
    back = pb.UpdateProjectRequest(
        project_id=made.id,
        etag=dropped.etag,
        project=project(lead, participants=[joined]),
        update_mask=FieldMask(paths=["participants"]),
    )
    assert (await bench.rpc.fault("UpdateProject", back)).reason == "CENTER_NOT_ACTIVE"


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
    assert sorted(rules_broken(await bench.rpc.fault("CreateProject", request))) == [
        ("participants[0].agreement_id", "AGREEMENT_NOT_IN_FORCE"),
        ("participants[0].institution_id", "UNKNOWN_REFERENCE"),
        ("participants[1].agreement_id", "UNKNOWN_REFERENCE"),
        ("participants[2].center_id", "UNKNOWN_CENTER"),
    ]
    state = agreements_pb2.AGREEMENT_STATE_IN_FORCE
    await bench.hear(heard("agreement", agreement, 2, agreement_event(agreement, state)))
    # It is in force, but between others.
    request = pb.CreateProjectRequest(
        project=project(lead, participants=[part()]), idempotency_key=bench.key()
    )
    stranger = await bench.rpc.fault("CreateProject", request)
    assert rules_broken(stranger) == [("participants[0].agreement_id", "NOT_A_PARTY")]
    assert stranger.violations[0].params == {"value": agreement, "institution_id": institution}
    # Word comes again, read with its parties.
    with_parties = agreement_event(agreement, state, new_id("ins"), institution)
    await bench.hear(heard("agreement", agreement, 2, with_parties))
    made = await bench.create(project(lead, participants=[part()]))
    expired = agreement_event(agreement, agreements_pb2.AGREEMENT_STATE_EXPIRED, institution)
    await bench.hear(heard("agreement", agreement, 3, expired))
    # Another role for someone who takes part already is no new part.
    made = await bench.get(made.id)
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
        return rules_broken(await bench.rpc.fault("CreateProject", request, **who))

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


async def test_only_the_headquarters_let_a_project_begin_at_a_later_stage(
    bench: ProjectsBench,
) -> None:
    lead = await bench.center()
    late = {"initial_stage": stages_pb2.STAGE_S3, "initial_stage_reason": "Under way since 2019."}

    async def refused(given: pb.Project, **who: Any) -> Fault:
        request = pb.CreateProjectRequest(project=given, idempotency_key=bench.key())
        return await bench.rpc.fault("CreateProject", request, **who)

    center: dict[str, Any] = {"role": "center_admin", "center_ids": [lead]}
    fault = await refused(project(lead, **late), **center)
    assert (fault.reason, fault.params) == ("INITIAL_STAGE_RESERVED", {"stage": "s3"})
    unsaid = await refused(project(lead, initial_stage=stages_pb2.STAGE_S3))
    assert rules_broken(unsaid) == [("initial_stage_reason", "INITIAL_STAGE_REASON_REQUIRED")]
    first = project(lead, initial_stage=stages_pb2.STAGE_S0)
    assert (await bench.create(first, center_ids=[lead])).stage == stages_pb2.STAGE_S0
    assert (await bench.create(project(lead, **late))).stage == stages_pb2.STAGE_S3
    # Nor is it one of its team who says so, whatever else that person is.
    person = people_pb2.ProjectPerson(
        name=types_pb2.LocalizedText(en="Sample Investigator"),
        role=people_pb2.PERSON_ROLE_PRINCIPAL_INVESTIGATOR,
        subject="kian",
    )
    named = project(lead, people=[person], **late)
    fault = await refused(named, subject="kian")
    assert (fault.reason, fault.params) == ("INITIAL_STAGE_BY_TEAM", {"stage": "s3"})
    request = pb.CreateProjectRequest(project=named, idempotency_key=bench.key())
    made = cast("pb.Project", await bench.rpc.call("CreateProject", request, subject="dana"))
    assert made.stage == stages_pb2.STAGE_S3


async def test_a_revival_begins_no_later_than_what_it_revives_had_come(
    bench: ProjectsBench,
) -> None:
    lead = await bench.center()
    given = {"initial_stage": stages_pb2.STAGE_S2, "initial_stage_reason": "Under way."}
    made = await bench.create(project(lead, **given))
    killed = await bench.decide(made, decisions_pb2.DECISION_KIND_KILL, kill=KILL)
    given["initial_stage"] = stages_pb2.STAGE_S3
    request = pb.CreateProjectRequest(
        project=project(lead, revival_of_id=killed.id, **given), idempotency_key=bench.key()
    )
    fault = await bench.rpc.fault("CreateProject", request)
    assert [(item.reason, item.params) for item in fault.violations] == [
        ("STAGE_AFTER_REVIVED", {"id": killed.id, "stage": "s2"})
    ]
    given["initial_stage"] = stages_pb2.STAGE_S2
    revived = await bench.create(project(lead, revival_of_id=killed.id, **given))
    assert (revived.stage, revived.revival_of_id) == (stages_pb2.STAGE_S2, killed.id)


async def test_what_a_panel_holds_goes_on_before_its_day_by_another_decision_alone(
    bench: ProjectsBench,
) -> None:
    made = await bench.create(project(await bench.center()))
    hold = decisions_pb2.DECISION_KIND_HOLD
    held = await bench.decide(made, hold, resume_date=in_days(1))
    assert list(held.allowed_actions) == ["update"]
    step = pb.ProjectStepRequest(project_id=held.id, etag=held.etag, idempotency_key=bench.key())
    fault = await bench.rpc.fault("ResumeProject", step)
    assert (fault.reason, fault.params) == ("HOLD_NOT_OVER", {"resume_date": in_days(1)})
    (decision,) = await bench.decisions(made.id)
    await bench.review(made.id, hold, supersedes_id=decision.id, resume_date=in_days(0))
    ruling = bench.ruling(await bench.get(made.id), hold)
    today = cast("pb.Project", await bench.rpc.call("DecideProject", ruling))
    assert list(today.allowed_actions) == ["update", "resume"]
    step = pb.ProjectStepRequest(project_id=held.id, etag=today.etag, idempotency_key=bench.key())
    resumed = cast("pb.Project", await bench.rpc.call("ResumeProject", step))
    assert resumed.state == pb.PROJECT_STATE_ACTIVE


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
