"""Who is of a project's team and has no say at its gates; what that is looked up from."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
import sqlalchemy.exc
from alembic import command
from alembic.config import Config
from google.protobuf.field_mask_pb2 import FieldMask

import projects
from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import (
    awards_pb2,
    conditions_pb2,
    decisions_pb2,
    gates_pb2,
    panel_pb2,
    people_pb2,
    readiness_pb2,
    waivers_pb2,
)
from peyvand.projects.v1 import projects_pb2 as pb
from projects import tables
from servicekit.errors import Fault
from tests.integration.projects.conftest import VOTERS, ProjectsBench, in_days, project
from tests.integration.projects.results import award, results_of
from tests.integration.projects.standing import deadlocks
from tests.support.rpc import RpcBench, rules_broken

HOLD = decisions_pb2.DECISION_KIND_HOLD
CONDITIONAL_GO = decisions_pb2.DECISION_KIND_CONDITIONAL_GO
ROUNDS = 10


def person(subject: str) -> people_pb2.ProjectPerson:
    name = types_pb2.LocalizedText(en=f"Dr {subject}")
    role = people_pb2.PERSON_ROLE_QUALITY
    return people_pb2.ProjectPerson(name=name, role=role, subject=subject)


def change(at: pb.Project, path: str, **values: Any) -> pb.UpdateProjectRequest:
    return pb.UpdateProjectRequest(
        project_id=at.id,
        etag=at.etag,
        project=pb.Project(**values),
        update_mask=FieldMask(paths=[path]),
    )


async def unvoted(bench: ProjectsBench, gate_id: str, subject: str, **who: Any) -> str:
    """Why a vote is not taken; fails if it is."""
    request = gates_pb2.VoteAtGateRequest(
        gate_id=gate_id,
        decision=HOLD,
        reason="It can wait.",
        etag=(await bench.gate(gate_id)).etag,
        idempotency_key=bench.key(),
    )
    return (await bench.gates.fault("VoteAtGate", request, subject=subject, **who)).reason


async def test_while_a_gate_is_open_nobody_is_named_or_taken_off(bench: ProjectsBench) -> None:
    lead, part, other = [await bench.center() for _ in range(3)]
    parts = [pb.ProjectParticipant(center_id=part)]
    made = await bench.create(
        project(lead, participants=parts, people=[person("omid")], external_key="prj-frozen")
    )
    gate = await bench.open_gate(made.id, *VOTERS)
    at = await bench.get(made.id)
    more = [pb.ProjectParticipant(center_id=part), pb.ProjectParticipant(center_id=other)]
    callers: list[dict[str, Any]] = [
        {"role": "hq_admin"},
        {"role": "center_admin", "center_ids": [lead, other]},
    ]
    for path, values in (
        ("people", {"people": []}),
        ("people", {"people": [person("omid"), person("dana")]}),
        ("participants", {"participants": []}),
        ("participants", {"participants": more}),
        ("lead_center_id", {"lead_center_id": other}),
    ):
        for who in callers:
            given: dict[str, Any] = values
            fault = await bench.rpc.fault("UpdateProject", change(at, path, **given), **who)
            assert (fault.reason, fault.params) == (
                "FROZEN_AT_GATE",
                {"gate_id": gate.id, "fields": path},
            )
    row = pb.ProjectRow(project=project(lead, external_key="prj-frozen", people=[person("dana")]))
    request = pb.ImportProjectsRequest(rows=[pb.ProjectsRow(project=row)])
    answer = await bench.rpc.call("ImportProjects", request)
    (result,) = cast("pb.ImportProjectsResponse", answer).results
    assert result.action == types_pb2.ROW_ACTION_REFUSED
    assert await bench.get(made.id) == at
    # What else is known of it can be changed, and all of it once the gate has ended.
    summary = types_pb2.LocalizedText(en="On")
    await bench.rpc.call("UpdateProject", change(at, "summary", summary=summary))
    await bench.withdraw(gate.id)
    await bench.rpc.call("UpdateProject", change(await bench.get(made.id), "people", people=[]))


async def test_who_was_taken_off_has_no_vote_either(bench: ProjectsBench) -> None:
    lead, part = await bench.center(), await bench.center()
    parts = [pb.ProjectParticipant(center_id=part)]
    made = await bench.create(project(lead, participants=parts, people=[person("dana")]))
    await bench.rpc.call("UpdateProject", change(made, "people", people=[]))
    at = await bench.get(made.id)
    await bench.rpc.call("UpdateProject", change(at, "participants", participants=[]))
    gate = await bench.open_gate(made.id, "dana", "mina", "omid", "vida", "yas")
    await bench.propose(gate.id, HOLD)
    await bench.declare(gate.id, "dana")
    assert await unvoted(bench, gate.id, "dana") == "TEAM_HAS_NO_VOTE"
    of_center: dict[str, Any] = {"role": "center_admin", "center_ids": [part]}
    await bench.declare(gate.id, "mina", **of_center)
    assert await unvoted(bench, gate.id, "mina", **of_center) == "TEAM_HAS_NO_VOTE"
    for statement in (
        "UPDATE project SET named_subjects = '[]'",
        "UPDATE project SET named_center_ids = named_center_ids - 0",
    ):
        with pytest.raises(sqlalchemy.exc.DBAPIError, match="stays named"):
            async with bench.database.engine.begin() as connection:
                await connection.execute(sa.text(statement))


async def test_projects_from_before_this_was_kept_remember_who_they_name(
    bench: ProjectsBench,
) -> None:
    lead, part = await bench.center(), await bench.center()
    parts = [pb.ProjectParticipant(center_id=part)]
    people = [person("omid"), person("sara"), person("")]
    made = await bench.create(project(lead, participants=parts, people=people))
    alone = await bench.create(project(lead))
    directory = Path(projects.__file__).parent / "migrations"

    def there_and_back(connection: sa.Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(directory))
        config.attributes["connection"] = connection
        command.downgrade(config, "0005")
        command.upgrade(config, "head")

    async with bench.database.engine.begin() as connection:
        await connection.run_sync(there_and_back)
    columns = tables.project.c
    async with bench.database.read() as session:
        query = sa.select(columns.id, columns.named_subjects, columns.named_center_ids)
        rows = await session.rows(query)
    found = {row.id: (row.named_subjects, set(row.named_center_ids)) for row in rows}
    assert found == {
        made.id: (["omid", "sara"], {lead, part}),
        alone.id: ([], {lead}),
    }


async def test_people_are_named_before_a_gate_or_after_it_never_within(
    bench: ProjectsBench,
) -> None:
    outcomes: Counter[tuple[str, str]] = Counter()

    async def outcome(work: Any) -> str:
        try:
            await work
        except Fault as fault:
            return fault.reason
        return ""

    for _ in range(ROUNDS):
        made = await bench.create(project(await bench.center()))
        panel = ("dana", "mina", "omid", "vida")
        naming = change(made, "people", people=[person("dana")])
        named, opened = await asyncio.gather(
            outcome(bench.rpc.call("UpdateProject", naming)),
            outcome(bench.open_gate(made.id, *panel)),
        )
        outcomes[named, opened] += 1
        assert opened == ""
        at = await bench.get(made.id)
        gate = await bench.gate(at.open_gate_id)
        # A gate over a project that names her was opened knowing it.
        assert [p.subject for p in at.people] == ([] if named else ["dana"])
        assert gate.quorum == (3 if named else 2)
    assert set(outcomes) <= {("", ""), ("STALE_ETAG", ""), ("FROZEN_AT_GATE", "")}
    assert await deadlocks(bench) == 0


async def test_who_reports_or_claims_for_a_project_is_of_its_team(
    bench: ProjectsBench, readiness: RpcBench
) -> None:
    made = await bench.create(project(await bench.center()))
    await bench.satisfy(made.id)
    await bench.review(made.id, CONDITIONAL_GO)
    await bench.rpc.call("DecideProject", bench.ruling(await bench.get(made.id), CONDITIONAL_GO))
    (left,) = await bench.conditions(project_id=made.id)
    told = conditions_pb2.ReportProjectConditionRequest(
        condition_id=left.id, note="Done.", etag=left.etag, idempotency_key=bench.key()
    )
    answer = await bench.gates.call("ReportProjectCondition", told, subject="reporter-1")
    reported = cast("conditions_pb2.ProjectCondition", answer)
    # Returned, a report is gone from the condition; who made it is not forgotten.
    returned = conditions_pb2.ProjectConditionStepRequest(
        condition_id=left.id, etag=reported.etag, reason="No.", idempotency_key=bench.key()
    )
    await bench.gates.call("ReturnProjectCondition", returned)
    claim = readiness_pb2.ReadinessClaim(
        project_id=made.id,
        dimension=readiness_pb2.READINESS_DIMENSION_TEAM,
        level=1,
        statement=types_pb2.LocalizedText(en="Two of us."),
    )
    claiming = readiness_pb2.CreateReadinessClaimRequest(
        readiness_claim=claim, idempotency_key=bench.key()
    )
    await readiness.call("CreateReadinessClaim", claiming, subject="claimant")
    async with results_of(bench) as results:
        given: awards_pb2.Award = await results.give(award(made.id))
        await results.do("ReportMilestone", results.report(given), "reporter-2")
        again = await results.read(given.id)
        await results.do("ReturnMilestone", results.about(again, reason="Not yet."), "checker")
    gate = await bench.open_gate(
        made.id, "reporter-1", "reporter-2", "claimant", "dana", "mina", "omid"
    )
    assert gate.quorum == 2
    await bench.propose(gate.id, HOLD)
    for subject in ("reporter-1", "reporter-2", "claimant"):
        await bench.declare(gate.id, subject)
        assert await unvoted(bench, gate.id, subject) == "TEAM_HAS_NO_VOTE"
    await bench.declare(gate.id, "dana")
    await bench.vote(gate.id, "dana", HOLD)


async def test_the_team_opens_proposes_records_and_withdraws_nothing(bench: ProjectsBench) -> None:
    lead = await bench.center()
    made = await bench.create(project(lead, people=[person("omid")]))
    insiders: list[dict[str, Any]] = [
        {"subject": "omid"},
        # By a center that the token names beside the role.
        {"subject": "azar", "center_ids": [lead]},
    ]
    for who in insiders:
        fault = await bench.gates.fault("CreateGate", bench.opening(made.id), **who)
        assert fault.reason == "TEAM_HAS_NO_SAY"
    assert (await bench.get(made.id)).open_gate_id == ""
    gate = await bench.review(made.id, HOLD)
    await bench.declare(gate.id, "vida", panel_pb2.CONFLICT_FAMILY, "A cousin.")
    gate, at = await bench.gate(gate.id), await bench.get(made.id)
    ruling = bench.ruling(at, HOLD)
    proposal = gates_pb2.ProposeAtGateRequest(
        gate_id=gate.id, decision=HOLD, resume_date=in_days(3), etag=gate.etag
    )
    leave = gates_pb2.GateStepRequest(gate_id=gate.id, etag=gate.etag, reason="Not now.")
    proposal.idempotency_key, leave.idempotency_key = bench.key(), bench.key()
    for who, reason in (
        *((who, "TEAM_HAS_NO_SAY") for who in insiders),
        ({"subject": "vida"}, "CONFLICT_HAS_NO_SAY"),
    ):
        assert (await bench.rpc.fault("DecideProject", ruling, **who)).reason == reason
        assert (await bench.gates.fault("ProposeAtGate", proposal, **who)).reason == reason
        assert (await bench.gates.fault("WithdrawGate", leave, **who)).reason == reason
        assert "withdraw" not in (await bench.gate(gate.id, **who)).allowed_actions
    assert (await bench.gate(gate.id), await bench.get(made.id)) == (gate, at)
    assert "withdraw" in gate.allowed_actions
    assert "propose" in gate.allowed_actions


async def test_a_conflict_stands_at_the_next_gate_over_the_visit(bench: ProjectsBench) -> None:
    made = await bench.create(project(await bench.center()))
    gate = await bench.open_gate(made.id, *VOTERS)
    await bench.declare(gate.id, "dana", panel_pb2.CONFLICT_FINANCIAL, "Holds shares.")
    await bench.withdraw(gate.id)
    request = bench.opening(made.id, *VOTERS)
    fault = await bench.gates.fault("CreateGate", request)
    assert rules_broken(fault) == [("panel", "PANEL_TOO_SMALL")]
    fault = await bench.gates.fault("CreateGate", bench.opening(made.id, "mina"), subject="dana")
    assert fault.reason == "CONFLICT_HAS_NO_SAY"
    again = await bench.open_gate(made.id, *VOTERS, "omid", "vida")
    assert [(d.subject, d.conflict) for d in again.declarations] == [
        ("dana", panel_pb2.CONFLICT_FINANCIAL)
    ]
    with pytest.raises(Fault, match="CONFLICT_STANDS"):
        await bench.declare(again.id, "dana")
    assert await unvoted(bench, again.id, "dana") == "CONFLICT_HAS_NO_VOTE"


async def test_who_is_in_conflict_acts_at_no_gate_over_the_visit_also_unseated(
    bench: ProjectsBench,
) -> None:
    made = await bench.create(project(await bench.center()))
    first = await bench.open_gate(made.id, *VOTERS, "vida", "yas", "zari")
    await bench.declare(first.id, "dana", panel_pb2.CONFLICT_FINANCIAL, "Holds shares.")
    await bench.withdraw(first.id)
    gate = await bench.review(made.id, HOLD, "mina", "omid", "vida")
    at = await bench.get(made.id)
    proposal = gates_pb2.ProposeAtGateRequest(
        gate_id=gate.id, decision=HOLD, resume_date=in_days(3), etag=gate.etag
    )
    leave = gates_pb2.GateStepRequest(gate_id=gate.id, etag=gate.etag, reason="Not now.")
    proposal.idempotency_key, leave.idempotency_key = bench.key(), bench.key()
    ruling = bench.ruling(at, HOLD)
    for fault in (
        await bench.rpc.fault("DecideProject", ruling, subject="dana"),
        await bench.gates.fault("ProposeAtGate", proposal, subject="dana"),
        await bench.gates.fault("WithdrawGate", leave, subject="dana"),
    ):
        assert fault.reason == "CONFLICT_HAS_NO_SAY"
    listing = gates_pb2.ListGatesRequest(project_id=made.id)
    page = await bench.gates.call("ListGates", listing, subject="dana")
    *_, listed = cast("gates_pb2.ListGatesResponse", page).gates
    for shown in (await bench.gate(gate.id, subject="dana"), listed):
        assert shown.id == gate.id
        assert not shown.allowed_actions
    assert (await bench.gate(gate.id)).etag == gate.etag
    await bench.rpc.call("DecideProject", ruling, subject="somebody-else")


async def test_nobody_of_the_team_or_in_conflict_grants_a_waiver(bench: ProjectsBench) -> None:
    lead = await bench.center()
    made = await bench.create(project(lead, people=[person("omid")]))
    gate = await bench.open_gate(made.id, *VOTERS)
    await bench.declare(gate.id, "dana", panel_pb2.CONFLICT_FAMILY, "A cousin.")
    await bench.withdraw(gate.id)
    waiver = waivers_pb2.Waiver(
        project_id=made.id,
        criterion="inventors",
        reason="As in the project before.",
        expiry_date=in_days(30),
    )
    asking = waivers_pb2.CreateWaiverRequest(waiver=waiver, idempotency_key=bench.key())
    answer = await bench.criteria.call("CreateWaiver", asking, subject="kian")
    asked = cast("waivers_pb2.Waiver", answer)
    grant = waivers_pb2.WaiverStepRequest(
        waiver_id=asked.id, etag=asked.etag, idempotency_key=bench.key()
    )
    cases: list[tuple[dict[str, Any], str]] = [
        ({"subject": "kian"}, "OWN_WAIVER"),
        ({"subject": "omid"}, "TEAM_HAS_NO_SAY"),
        ({"subject": "azar", "center_ids": [lead]}, "TEAM_HAS_NO_SAY"),
        ({"subject": "dana"}, "CONFLICT_HAS_NO_SAY"),
    ]
    seen = waivers_pb2.GetWaiverRequest(waiver_id=asked.id)
    for who, reason in cases:
        assert (await bench.criteria.fault("GrantWaiver", grant, **who)).reason == reason
    for who, _ in cases[:3]:
        got = cast("waivers_pb2.Waiver", await bench.criteria.call("GetWaiver", seen, **who))
        assert "grant" not in got.allowed_actions
    await bench.criteria.call("GrantWaiver", grant, subject="mina")


async def test_the_team_sees_no_votes_before_the_gate_has_ended(bench: ProjectsBench) -> None:
    lead, foreign = await bench.center(), await bench.center()
    made = await bench.create(project(lead, people=[person("omid")]))
    gate = await bench.review(made.id, HOLD)
    steps = gates_pb2.ListGateStepsRequest(gate_id=gate.id)
    listing = gates_pb2.ListGatesRequest(project_id=made.id)

    async def told(**who: Any) -> tuple[int, int, int, set[str]]:
        """Votes that the gate, its entry in a list and its count tell of; reasons of its steps."""
        found = await bench.gate(gate.id, **who)
        page = await bench.gates.call("ListGates", listing, **who)
        (entry,) = cast("gates_pb2.ListGatesResponse", page).gates
        taken = await bench.gates.call("ListGateSteps", steps, **who)
        reasons = {
            step.reason
            for step in cast("gates_pb2.ListGateStepsResponse", taken).steps
            if step.action == "voted"
        }
        return len(found.votes), len(entry.votes), found.counted_votes, reasons

    inside: list[dict[str, Any]] = [
        {"subject": "omid"},
        {"role": "center_operator", "center_ids": [lead]},
    ]
    outside: list[dict[str, Any]] = [
        {"role": "hq_analyst"},
        {"subject": "dana", "role": "center_admin", "center_ids": [foreign]},
    ]
    for who in inside:
        assert await told(**who) == (0, 0, 0, {""})
    for who in outside:
        assert await told(**who) == (2, 2, 2, {"As the evidence stands."})
    await bench.rpc.call("DecideProject", bench.ruling(await bench.get(made.id), HOLD))
    for who in inside:
        votes, listed, _, reasons = await told(**who)
        assert (votes, listed, reasons) == (2, 2, {"As the evidence stands."})


@pytest.mark.parametrize(
    ("members", "quorum", "broken"),
    [
        (2, 0, ("panel", "PANEL_TOO_SMALL")),
        (9, 1, ("quorum", "QUORUM_TOO_SMALL")),
        (9, 4, ("quorum", "QUORUM_TOO_SMALL")),
        (9, 10, ("quorum", "QUORUM_NOT_POSSIBLE")),
    ],
)
async def test_a_panel_is_large_enough_and_so_is_its_quorum(
    bench: ProjectsBench, members: int, quorum: int, broken: tuple[str, str]
) -> None:
    made = await bench.create(project(await bench.center()))
    # One of the team does not make a panel larger.
    await bench.evidence(made.id, "inventors", subject="kian")
    subjects = [*(f"member-{n}" for n in range(members)), "kian"]
    request = bench.opening(made.id, *subjects, quorum=quorum)
    fault = await bench.gates.fault("CreateGate", request)
    assert rules_broken(fault) == [broken]
    assert (await bench.get(made.id)).open_gate_id == ""
