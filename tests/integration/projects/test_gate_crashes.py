"""A process that is killed within a step of a gate leaves all of it, or nothing."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
import sqlalchemy as sa
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from peyvand.observatory.v1 import regulations_pb2
from peyvand.projects.v1 import (
    conditions_pb2,
    criteria_pb2,
    decisions_pb2,
    evidence_pb2,
    flags_pb2,
    gates_pb2,
    panel_pb2,
    people_pb2,
    stages_pb2,
    waivers_pb2,
)
from peyvand.projects.v1 import projects_pb2 as pb
from projects import tables
from projects.api.criteria import criteria_api
from projects.api.gates import gates_api
from projects.api.projects import projects_api
from servicekit.database import Database
from servicekit.ids import new_id
from servicekit.messaging_tables import TABLES
from servicekit.rpcs import Rpcs
from tests.integration.projects.conftest import (
    VOTERS,
    ProjectsBench,
    condition,
    heard,
    in_days,
    project,
    regulation_event,
)
from tests.integration.projects.results import killed_at_each_statement, results_of
from tests.support.rpc import RpcBench

HOLD = decisions_pb2.DECISION_KIND_HOLD
CONDITIONAL_GO = decisions_pb2.DECISION_KIND_CONDITIONAL_GO
GATES = gates_pb2.DESCRIPTOR.services_by_name["Gates"]
PROJECTS = pb.DESCRIPTOR.services_by_name["Projects"]
CRITERIA = criteria_pb2.DESCRIPTOR.services_by_name["Criteria"]
SERVED: list[tuple[ServiceDescriptor, Callable[[Database], Rpcs]]] = [
    (PROJECTS, projects_api),
    (GATES, gates_api),
    (CRITERIA, lambda database: criteria_api(database, None)),
]
KEPT = (
    tables.project,
    tables.evidence,
    tables.waiver,
    tables.gate,
    tables.decision,
    tables.project_condition,
    tables.service_tables.step,
    TABLES.outbox,
)

Prepared = tuple[str, Message, str | None]


async def snapshot(bench: ProjectsBench) -> dict[str, list[Any]]:
    """All rows of what a step could change."""
    found: dict[str, list[Any]] = {}
    async with bench.database.engine.connect() as connection:
        for table in KEPT:
            key = list(table.primary_key.columns)
            rows = await connection.execute(sa.select(table).order_by(*key))
            # What the relay notes of an event is no part of the step.
            found[table.name] = [
                {name: value for name, value in row.items() if not name.startswith("publish")}
                for row in rows.mappings()
            ]
    return found


async def opening(bench: ProjectsBench, made: pb.Project) -> Prepared:
    return "CreateGate", bench.opening(made.id, *VOTERS), None


async def proposing(bench: ProjectsBench, made: pb.Project) -> Prepared:
    gate = await bench.review(made.id, HOLD)
    request = gates_pb2.ProposeAtGateRequest(
        gate_id=gate.id,
        decision=HOLD,
        resume_date=in_days(9),
        etag=gate.etag,
        idempotency_key=bench.key(),
    )
    return "ProposeAtGate", request, None


async def voting(bench: ProjectsBench, made: pb.Project) -> Prepared:
    gate = await bench.review(made.id, HOLD)
    request = gates_pb2.VoteAtGateRequest(
        gate_id=gate.id,
        decision=HOLD,
        reason="Once more.",
        etag=gate.etag,
        idempotency_key=bench.key(),
    )
    return "VoteAtGate", request, "dana"


async def withdrawing(bench: ProjectsBench, made: pb.Project) -> Prepared:
    gate = await bench.review(made.id, HOLD)
    request = gates_pb2.GateStepRequest(
        gate_id=gate.id, etag=gate.etag, reason="Later.", idempotency_key=bench.key()
    )
    return "WithdrawGate", request, None


async def confirming(bench: ProjectsBench, made: pb.Project) -> Prepared:
    await bench.satisfy(made.id, but=["inventors"])
    await bench.review(made.id, CONDITIONAL_GO, conditions=[condition("inventors")])
    await bench.rpc.call("DecideProject", bench.ruling(await bench.get(made.id), CONDITIONAL_GO))
    (left,) = await bench.conditions(project_id=made.id)
    shown = await bench.verified(made.id, "inventors")
    told = conditions_pb2.ReportProjectConditionRequest(
        condition_id=left.id, evidence_id=shown.id, etag=left.etag, idempotency_key=bench.key()
    )
    answer = await bench.gates.call("ReportProjectCondition", told, subject="kian")
    reported = cast("conditions_pb2.ProjectCondition", answer)
    request = conditions_pb2.ProjectConditionStepRequest(
        condition_id=left.id, etag=reported.etag, idempotency_key=bench.key()
    )
    return "ConfirmProjectCondition", request, "dana"


async def declaring(bench: ProjectsBench, made: pb.Project) -> Prepared:
    gate = await bench.open_gate(made.id, *VOTERS)
    request = gates_pb2.DeclareAtGateRequest(
        gate_id=gate.id,
        conflict=panel_pb2.CONFLICT_NONE,
        etag=gate.etag,
        idempotency_key=bench.key(),
    )
    return "DeclareAtGate", request, "dana"


async def reporting(bench: ProjectsBench, made: pb.Project) -> Prepared:
    await bench.decide(made, CONDITIONAL_GO, conditions=[condition()])
    (left,) = await bench.conditions(project_id=made.id)
    request = conditions_pb2.ReportProjectConditionRequest(
        condition_id=left.id, note="Done.", etag=left.etag, idempotency_key=bench.key()
    )
    return "ReportProjectCondition", request, "kian"


async def acknowledging(bench: ProjectsBench, made: pb.Project) -> Prepared:
    id, key = new_id("reg"), "reg-cell-therapy"
    in_force = regulations_pb2.REGULATION_STATE_IN_FORCE
    await bench.hear(heard("regulation", id, 1, regulation_event(id, key, 1)))
    enacted = regulation_event(id, key, 2, in_force, before="drafting")
    await bench.hear(heard("regulation", id, 2, enacted))
    request = flags_pb2.AcknowledgeProjectFlagRequest(
        project_id=made.id,
        regulation_id=id,
        reason="It asks for nothing new.",
        etag=(await bench.get(made.id)).etag,
        idempotency_key=bench.key(),
    )
    return "AcknowledgeProjectFlag", request, None


async def striking(bench: ProjectsBench, made: pb.Project) -> Prepared:
    name, change, _ = await naming(bench, made)
    await bench.rpc.call(name, change)
    request = people_pb2.StrikeProjectNamingRequest(
        project_id=made.id,
        subject="omid",
        reason="Never worked on it.",
        etag=(await bench.get(made.id)).etag,
        idempotency_key=bench.key(),
    )
    return "StrikeProjectNaming", request, None


async def rejecting(bench: ProjectsBench, made: pb.Project) -> Prepared:
    piece = await bench.verified(made.id, "inventors")
    request = evidence_pb2.EvidenceStepRequest(
        evidence_id=piece.id, etag=piece.etag, reason="No.", idempotency_key=bench.key()
    )
    return "RejectEvidence", request, "verifier"


async def reconfirming(bench: ProjectsBench, made: pb.Project) -> Prepared:
    await bench.decide(made, decisions_pb2.DECISION_KIND_GO)
    back = decisions_pb2.DECISION_KIND_RECYCLE
    await bench.decide(await bench.get(made.id), back, to_stage=stages_pb2.STAGE_S0)
    listing = evidence_pb2.ListEvidenceRequest(project_id=made.id, criterion="inventors")
    answer = await bench.criteria.call("ListEvidence", listing)
    (piece,) = cast("evidence_pb2.ListEvidenceResponse", answer).evidence
    request = evidence_pb2.EvidenceStepRequest(
        evidence_id=piece.id, etag=piece.etag, idempotency_key=bench.key()
    )
    return "ReconfirmEvidence", request, "verifier"


async def revoking(bench: ProjectsBench, made: pb.Project) -> Prepared:
    waiver = waivers_pb2.Waiver(
        project_id=made.id,
        criterion="inventors",
        reason="As in the project before.",
        expiry_date=in_days(30),
    )
    asking = waivers_pb2.CreateWaiverRequest(waiver=waiver, idempotency_key=bench.key())
    asked = cast(
        "waivers_pb2.Waiver", await bench.criteria.call("CreateWaiver", asking, subject="kian")
    )
    grant = waivers_pb2.WaiverStepRequest(
        waiver_id=asked.id, etag=asked.etag, idempotency_key=bench.key()
    )
    granted = cast("waivers_pb2.Waiver", await bench.criteria.call("GrantWaiver", grant))
    request = waivers_pb2.WaiverStepRequest(
        waiver_id=asked.id, etag=granted.etag, reason="Shown now.", idempotency_key=bench.key()
    )
    return "RevokeWaiver", request, None


async def resuming(bench: ProjectsBench, made: pb.Project) -> Prepared:
    held = await bench.decide(made, HOLD, resume_date=in_days(0))
    request = pb.ProjectStepRequest(project_id=held.id, etag=held.etag, idempotency_key=bench.key())
    return "ResumeProject", request, None


async def naming(bench: ProjectsBench, made: pb.Project) -> Prepared:
    person = people_pb2.ProjectPerson(
        name=made.titles, role=people_pb2.PERSON_ROLE_QUALITY, subject="omid"
    )
    request = pb.UpdateProjectRequest(
        project_id=made.id,
        etag=made.etag,
        project=pb.Project(people=[person]),
        update_mask=FieldMask(paths=["people"]),
    )
    return "UpdateProject", request, None


async def correcting(bench: ProjectsBench, made: pb.Project) -> Prepared:
    await bench.satisfy(made.id)
    await bench.review(made.id, CONDITIONAL_GO)
    await bench.rpc.call("DecideProject", bench.ruling(await bench.get(made.id), CONDITIONAL_GO))
    (decision,) = await bench.decisions(made.id)
    await bench.review(made.id, HOLD, supersedes_id=decision.id)
    return "DecideProject", bench.ruling(await bench.get(made.id), HOLD), None


@pytest.mark.parametrize(
    "prepare",
    [
        opening,
        declaring,
        proposing,
        voting,
        withdrawing,
        reporting,
        confirming,
        resuming,
        acknowledging,
        naming,
        striking,
        rejecting,
        reconfirming,
        revoking,
        correcting,
    ],
)
async def test_a_step_that_is_cut_off_at_any_statement_has_not_been_taken(
    bench: ProjectsBench, prepare: Callable[[ProjectsBench, pb.Project], Awaitable[Prepared]]
) -> None:
    made = await bench.create(project(await bench.center()))
    name, request, subject = await prepare(bench, made)
    before = await snapshot(bench)

    async def call(rpc: RpcBench) -> Message:
        return await rpc.call(name, request, subject=subject)

    ((service, api),) = [item for item in SERVED if name in item[0].methods_by_name]
    deaths = 0
    async with results_of(bench) as results:
        async for answer in killed_at_each_statement(results, service, api, call):
            after = await snapshot(bench)
            if answer is None:
                deaths += 1
                assert after == before
            else:
                # Once, however often it was tried.
                events = len(after["outbox"]) - len(before["outbox"])
                steps = len(after["step"]) - len(before["step"])
                assert 0 < events == steps
    assert deaths >= 5
