"""While a gate is open its panel reads what the project has brought, and writes none of it."""

import secrets
from dataclasses import dataclass
from typing import Any

import pytest
from google.protobuf.message import Message

from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import (
    conditions_pb2,
    criteria_pb2,
    decisions_pb2,
    evidence_pb2,
    gates_pb2,
    panel_pb2,
    waivers_pb2,
)
from peyvand.projects.v1 import projects_pb2 as pb
from tests.integration.projects.conftest import ProjectsBench, at_s1, condition
from tests.support.criteria import CriteriaBench, Person, ruling_on, step_of
from tests.support.rpc import RpcBench

GO = decisions_pb2.DECISION_KIND_CONDITIONAL_GO


@dataclass
class Brought:
    """A project, and what belongs to it."""

    project: pb.Project
    evidence: evidence_pb2.Evidence
    waiver: waivers_pb2.Waiver
    condition: conditions_pb2.ProjectCondition


@pytest.fixture
async def brought(bench: ProjectsBench, criteria: CriteriaBench) -> Brought:
    made = await at_s1(bench)
    await bench.decide(made, GO, conditions=[condition()])
    (due,) = await bench.conditions(project_id=made.id)
    file = await criteria.file(secrets.token_bytes(30))
    evidence = await criteria.submit(made.id, "prior-art", file=file)
    waiver = await criteria.ask(made.id, "ip-decision")
    return Brought(await bench.get(made.id), evidence, waiver, due)


def reads(brought: Brought) -> dict[str, Message]:
    """Calls that read one thing of a project."""
    return {
        "GetEvidence": evidence_pb2.GetEvidenceRequest(evidence_id=brought.evidence.id),
        "ListEvidenceSteps": evidence_pb2.ListEvidenceStepsRequest(evidence_id=brought.evidence.id),
        "GetWaiver": waivers_pb2.GetWaiverRequest(waiver_id=brought.waiver.id),
        "ListWaiverSteps": waivers_pb2.ListWaiverStepsRequest(waiver_id=brought.waiver.id),
        "GetNextGate": criteria_pb2.GetNextGateRequest(project_id=brought.project.id),
        "GetProjectCondition": conditions_pb2.GetProjectConditionRequest(
            condition_id=brought.condition.id
        ),
        "ListProjectConditionSteps": conditions_pb2.ListProjectConditionStepsRequest(
            condition_id=brought.condition.id
        ),
    }


def lists(brought: Brought) -> dict[str, tuple[Message, str]]:
    """Calls that list, and the field that holds what they give."""
    id = brought.project.id
    return {
        "ListEvidence": (evidence_pb2.ListEvidenceRequest(project_id=id), "evidence"),
        "ListWaivers": (waivers_pb2.ListWaiversRequest(project_id=id), "waivers"),
        "ListProjectConditions": (
            conditions_pb2.ListProjectConditionsRequest(project_id=id),
            "conditions",
        ),
    }


def serving(bench: ProjectsBench, criteria: CriteriaBench, name: str) -> RpcBench:
    return bench.gates if "Condition" in name else criteria.rpc


async def test_the_panel_of_an_open_gate_reads_all_of_the_project_until_it_ends(
    bench: ProjectsBench, criteria: CriteriaBench, brought: Brought
) -> None:
    elsewhere: dict[str, Any] = {"role": "center_admin", "center_ids": [await bench.center()]}
    dana, outsider = {**elsewhere, "subject": "dana"}, {**elsewhere, "subject": "outsider"}

    async def require_nothing(who: dict[str, Any]) -> None:
        for name, request in reads(brought).items():
            fault = await serving(bench, criteria, name).fault(name, request, **who)
            assert fault.reason == "NOT_FOUND", name
        for name, (request, held) in lists(brought).items():
            answer = await serving(bench, criteria, name).call(name, request, **who)
            assert not getattr(answer, held), name

    await require_nothing(dana)
    gate = await bench.open_gate(brought.project.id, "dana", "mina", "omid", "vida")
    # To declare, she has to be told whose project it is; nothing besides that.
    await require_nothing(dana)
    assert (await bench.get(brought.project.id, **dana)).id == brought.project.id
    await bench.declare(gate.id, "dana", **elsewhere)
    for name, request in reads(brought).items():
        answer: Any = await serving(bench, criteria, name).call(name, request, **dana)
        assert not getattr(answer, "allowed_actions", []), name
    for name, (request, held) in lists(brought).items():
        answer = await serving(bench, criteria, name).call(name, request, **dana)
        found = getattr(answer, held)
        assert found, name
        assert not any(item.allowed_actions for item in found), name
    # Only who is on it; and nothing of another project.
    await require_nothing(outsider)
    other = await at_s1(bench)
    foreign = await criteria.submit(other.id, "prior-art")
    get = evidence_pb2.GetEvidenceRequest(evidence_id=foreign.id)
    assert (await criteria.rpc.fault("GetEvidence", get, **dana)).reason == "NOT_FOUND"
    # Who has a conflict reads nothing, not even the project.
    mina = {**elsewhere, "subject": "mina"}
    await bench.declare(gate.id, "mina", panel_pb2.CONFLICT_FAMILY, "A cousin.", **elsewhere)
    await require_nothing(mina)
    get_project = pb.GetProjectRequest(project_id=brought.project.id)
    assert (await bench.rpc.fault("GetProject", get_project, **mina)).reason == "NOT_FOUND"
    await bench.declare(gate.id, "dana", panel_pb2.CONFLICT_OTHER, "A neighbour.", **elsewhere)
    await require_nothing(dana)
    await bench.withdraw(gate.id)
    await require_nothing(dana)


async def test_the_panel_writes_declarations_and_votes_and_nothing_else(
    bench: ProjectsBench, criteria: CriteriaBench, brought: Brought
) -> None:
    center = await bench.center()
    who: dict[str, Any] = {"role": "center_admin", "center_ids": [center], "subject": "dana"}
    gate = await bench.open_gate(brought.project.id, "dana")
    await bench.declare(gate.id, "dana")
    due = brought.condition
    writes: dict[str, Message] = {
        "CreateEvidence": criteria.submission(brought.project.id, "prior-art"),
        "CreateWaiver": waivers_pb2.CreateWaiverRequest(
            waiver=waivers_pb2.Waiver(
                project_id=brought.project.id,
                criterion="potency-assay-draft",
                reason="The same.",
                expiry_date="2099-01-01",
            ),
            idempotency_key=bench.key(),
        ),
        "WithdrawWaiver": ruling_on(brought.waiver),
        "ReportProjectCondition": conditions_pb2.ReportProjectConditionRequest(
            condition_id=due.id,
            note="Done.",
            etag=due.etag,
            idempotency_key=bench.key(),
        ),
    }
    for name, request in writes.items():
        fault = await serving(bench, criteria, name).fault(name, request, **who)
        assert fault.reason == "NOT_FOUND", name
    for name in ("VerifyEvidence", "RejectEvidence"):
        fault = await criteria.rpc.fault(name, step_of(brought.evidence, "No."), **who)
        assert fault.reason == "PERMISSION_DENIED", name
    update = pb.UpdateProjectRequest(
        project_id=brought.project.id,
        etag=(await bench.get(brought.project.id)).etag,
        project=pb.Project(summary=types_pb2.LocalizedText(en="Mine")),
    )
    update.update_mask.paths.append("summary")
    assert (await bench.rpc.fault("UpdateProject", update, **who)).reason == "NOT_YOUR_CENTER"
    # What it is there for, it does.
    await bench.vote(gate.id, "dana", decisions_pb2.DECISION_KIND_GO)


async def test_who_reviews_a_project_may_not_name_its_files_elsewhere_once_the_gate_is_over(
    bench: ProjectsBench, criteria: CriteriaBench, brought: Brought
) -> None:
    center = await bench.center()
    own = await at_s1(bench, center=center)
    dana = Person("dana", "center_operator", (center,))
    request = criteria.submission(own.id, "prior-art", file=brought.evidence.file)
    fault = await criteria.fault("CreateEvidence", request, dana)
    assert [item.reason for item in fault.violations] == ["FILE_NOT_STORED"]
    gate = await bench.declare((await bench.open_gate(brought.project.id, "dana")).id, "dana")
    read = evidence_pb2.GetEvidenceRequest(evidence_id=brought.evidence.id)
    assert (await criteria.call("GetEvidence", read, dana)).file == brought.evidence.file
    withdraw = gates_pb2.GateStepRequest(
        gate_id=gate.id, etag=gate.etag, reason="Later.", idempotency_key=bench.key()
    )
    await bench.gates.call("WithdrawGate", withdraw)
    fault = await criteria.fault("CreateEvidence", request, dana)
    assert [item.reason for item in fault.violations] == ["FILE_NOT_STORED"]
