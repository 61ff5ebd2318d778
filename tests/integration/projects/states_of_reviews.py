"""What projects are reviewed by, in every state that makes a difference to what can be done."""

from typing import Any

from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import (
    conditions_pb2,
    decisions_pb2,
    evidence_pb2,
    gates_pb2,
    panel_pb2,
    readiness_pb2,
    stages_pb2,
    waivers_pb2,
)
from tests.integration.projects.conftest import (
    TERMS,
    VOTERS,
    condition,
)
from tests.integration.projects.offered import Stage, Tried, step_of, superseding

GO = decisions_pb2.DECISION_KIND_GO
CONDITIONAL_GO = decisions_pb2.DECISION_KIND_CONDITIONAL_GO
HOLD = decisions_pb2.DECISION_KIND_HOLD
RECYCLE = decisions_pb2.DECISION_KIND_RECYCLE


# Conditions.


async def of_condition(
    stage: Stage, criterion: str = "", *, report: str = "", by: str = "reporter"
) -> Tried:
    """A condition; `report` is the evidence that it was reported with, or a note."""
    await stage.decide(CONDITIONAL_GO, conditions=[condition(criterion)])
    (made,) = await stage.bench.conditions(project_id=stage.at.id)
    ways: list[dict[str, Any]] = [{"note": "Done."}]
    if criterion:
        piece = await stage.bench.evidence(stage.at.id, criterion, content="For its condition")
        if report == "verified":
            await step_of(stage, "Verify", piece)
        ways = [{"evidence_id": piece.id}]
    if report:
        request = conditions_pb2.ReportProjectConditionRequest(
            condition_id=made.id, etag=made.etag, idempotency_key=stage.bench.key(), **ways[0]
        )
        await stage.bench.gates.call("ReportProjectCondition", request, subject=by)
    return Tried(stage.bench.gates, conditions_pb2.ProjectCondition, made.id, {"report": ways})


async def made(stage: Stage) -> Tried:
    return await of_condition(stage)


async def made_for_a_criterion(stage: Stage) -> Tried:
    return await of_condition(stage, "ownership")


async def told_in_words(stage: Stage) -> Tried:
    return await of_condition(stage, report="note")


async def told_with_what_waits(stage: Stage) -> Tried:
    return await of_condition(stage, "ownership", report="submitted")


async def told_with_what_holds(stage: Stage) -> Tried:
    return await of_condition(stage, "ownership", report="verified")


async def confirmed(stage: Stage) -> Tried:
    tried = await of_condition(stage, report="note")
    (at,) = await stage.bench.conditions(project_id=stage.at.id)
    request = conditions_pb2.ProjectConditionStepRequest(
        condition_id=at.id, etag=at.etag, idempotency_key=stage.bench.key()
    )
    await stage.bench.gates.call("ConfirmProjectCondition", request, subject="outsider")
    return tried


async def void(stage: Stage) -> Tried:
    tried = await of_condition(stage, report="note")
    await stage.kill()
    return tried


CONDITIONS = [
    made,
    made_for_a_criterion,
    told_in_words,
    told_with_what_waits,
    told_with_what_holds,
    confirmed,
    void,
]


# Waivers and evidence.


async def of_waiver(stage: Stage, *verbs: str) -> Tried:
    given = waivers_pb2.Waiver(
        project_id=stage.at.id,
        criterion="ownership",
        reason="The same substance.",
        expiry_date="2099-01-01",
    )
    key = stage.bench.key()
    request = waivers_pb2.CreateWaiverRequest(waiver=given, idempotency_key=key)
    at = await stage.criteria("CreateWaiver", request, "reporter")
    for verb in verbs:
        step = waivers_pb2.WaiverStepRequest(
            waiver_id=at.id, etag=at.etag, reason="No.", idempotency_key=stage.bench.key()
        )
        at = await stage.criteria(f"{verb}Waiver", step)
    return Tried(stage.bench.criteria, waivers_pb2.Waiver, at.id)


async def asked_for(stage: Stage) -> Tried:
    return await of_waiver(stage)


async def granted(stage: Stage) -> Tried:
    return await of_waiver(stage, "Grant")


async def revoked(stage: Stage) -> Tried:
    return await of_waiver(stage, "Grant", "Revoke")


async def asked_for_in_another_visit(stage: Stage) -> Tried:
    tried = await of_waiver(stage)
    await stage.decide(GO)
    return tried


async def asked_for_and_killed(stage: Stage) -> Tried:
    tried = await of_waiver(stage)
    await stage.kill()
    return tried


def of_piece(stage: Stage, at: evidence_pb2.Evidence) -> Tried:
    return Tried(stage.bench.criteria, evidence_pb2.Evidence, at.id)


async def submitted(stage: Stage) -> Tried:
    return of_piece(stage, await stage.bench.evidence(stage.at.id, "ownership"))


async def submitted_and_killed(stage: Stage) -> Tried:
    tried = await submitted(stage)
    await stage.kill()
    return tried


async def verified(stage: Stage) -> Tried:
    return of_piece(stage, await stage.bench.verified(stage.at.id, "ownership"))


async def rejected(stage: Stage) -> Tried:
    piece = await stage.bench.evidence(stage.at.id, "ownership")
    return of_piece(stage, await step_of(stage, "Reject", piece))


async def a_copy_of_what_was_rejected(stage: Stage) -> Tried:
    first = await stage.bench.evidence(stage.at.id, "ownership")
    copy = await stage.bench.evidence(stage.at.id, "ownership")
    await step_of(stage, "Reject", first)
    return of_piece(stage, copy)


async def superseded(stage: Stage) -> Tried:
    piece = await stage.bench.verified(stage.at.id, "ownership")
    await superseding(stage, piece)
    return of_piece(stage, piece)


async def of_an_earlier_visit(stage: Stage) -> Tried:
    piece = await stage.bench.verified(stage.at.id, "ownership")
    await stage.decide(GO)
    await stage.decide(RECYCLE, to_stage=stages_pb2.STAGE_S0)
    return of_piece(stage, piece)


CRITERIA = [
    asked_for,
    granted,
    revoked,
    asked_for_in_another_visit,
    asked_for_and_killed,
    submitted,
    submitted_and_killed,
    verified,
    rejected,
    a_copy_of_what_was_rejected,
    superseded,
    of_an_earlier_visit,
]


# Claims of readiness.


async def of_claim(stage: Stage, *evidence_ids: str, verify: bool = False) -> Tried:
    given = readiness_pb2.ReadinessClaim(
        project_id=stage.at.id,
        dimension=readiness_pb2.READINESS_DIMENSION_TEAM,
        level=1,
        evidence_ids=evidence_ids,
        statement=types_pb2.LocalizedText(en="Two have joined."),
    )
    request = readiness_pb2.CreateReadinessClaimRequest(
        readiness_claim=given, idempotency_key=stage.bench.key()
    )
    at: Any = await stage.readiness.call("CreateReadinessClaim", request, subject="reporter")
    if verify:
        step = readiness_pb2.ReadinessClaimStepRequest(
            readiness_claim_id=at.id, etag=at.etag, idempotency_key=stage.bench.key()
        )
        await stage.readiness.call("VerifyReadinessClaim", step, subject="outsider")
    return Tried(stage.readiness, readiness_pb2.ReadinessClaim, at.id)


async def claimed(stage: Stage) -> Tried:
    return await of_claim(stage)


async def claimed_by_what_waits(stage: Stage) -> Tried:
    return await of_claim(stage, (await stage.bench.evidence(stage.at.id, "ownership")).id)


async def claimed_by_what_holds(stage: Stage) -> Tried:
    return await of_claim(stage, (await stage.bench.verified(stage.at.id, "ownership")).id)


async def claimed_and_verified(stage: Stage) -> Tried:
    return await of_claim(stage, verify=True)


async def claimed_and_killed(stage: Stage) -> Tried:
    tried = await of_claim(stage)
    await stage.kill()
    return tried


CLAIMS = [
    claimed,
    claimed_by_what_waits,
    claimed_by_what_holds,
    claimed_and_verified,
    claimed_and_killed,
]


# Gates.


def of_gate(stage: Stage, at: gates_pb2.Gate) -> Tried:
    conflict = {"conflict": panel_pb2.CONFLICT_SCIENTIFIC, "note": "A paper together."}
    return Tried(
        stage.bench.gates,
        gates_pb2.Gate,
        at.id,
        {
            "declare": [{"conflict": panel_pb2.CONFLICT_NONE}, conflict],
            "propose": [{"decision": kind, **terms} for kind, terms in TERMS.items()],
            "vote": [{"decision": kind} for kind in (GO, *TERMS)],
        },
    )


async def opened(stage: Stage) -> gates_pb2.Gate:
    seats = (*VOTERS, "vida", "yas", "sara", "omid", "kian")
    return await stage.bench.open_gate(stage.at.id, *seats)


async def just_opened(stage: Stage) -> Tried:
    return of_gate(stage, await opened(stage))


async def declared_at(stage: Stage) -> Tried:
    gate = await opened(stage)
    for person in (*VOTERS, "omid", "kian"):
        await stage.bench.declare(gate.id, person)
    return of_gate(stage, gate)


async def withdrawn(stage: Stage) -> Tried:
    gate = await opened(stage)
    await stage.bench.declare(gate.id, "dana")
    return of_gate(stage, await stage.bench.withdraw(gate.id))


async def decided(stage: Stage) -> Tried:
    gate = await stage.bench.review(stage.at.id, HOLD, *VOTERS)
    ruling = stage.bench.ruling(await stage.bench.get(stage.at.id), HOLD)
    await stage.bench.rpc.call("DecideProject", ruling)
    return of_gate(stage, gate)


GATES = [just_opened, declared_at, withdrawn, decided]
