"""Steps of projects, their gates, decisions, conditions, evidence and waivers."""

from typing import Any, cast

from google.protobuf.field_mask_pb2 import FieldMask

from peyvand.observatory.v1 import regulations_pb2
from peyvand.partners.v1 import agreements_pb2
from peyvand.projects.v1 import (
    conditions_pb2,
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
from servicekit.ids import new_id
from tests.integration.projects.conftest import (
    KILL,
    VOTERS,
    ProjectsBench,
    condition,
    heard,
    in_days,
    project,
    regulation_event,
)
from tests.integration.projects.results import Results
from tests.integration.projects.steps import Step
from tests.support.criteria import reference

GO = decisions_pb2.DECISION_KIND_GO
HOLD = decisions_pb2.DECISION_KIND_HOLD
RECYCLE = decisions_pb2.DECISION_KIND_RECYCLE
CONDITIONAL_GO = decisions_pb2.DECISION_KIND_CONDITIONAL_GO
KILLED = decisions_pb2.DECISION_KIND_KILL
# Of the stage in which a project begins; it can be waived.
CRITERION = "inventors"


async def joining(bench: ProjectsBench) -> pb.ProjectParticipant:
    """An institution that can take part, under an agreement in force."""
    id = await bench.institution()
    agreement = await bench.agreement(agreements_pb2.AGREEMENT_STATE_IN_FORCE, id)
    return pb.ProjectParticipant(institution_id=id, agreement_id=agreement)


async def recording(results: Results, made: pb.Project) -> Step:
    given = project(made.lead_center_id, participants=[await joining(results.bench)])
    request = pb.CreateProjectRequest(project=given, idempotency_key=results.bench.key())
    return Step("CreateProject", request)


async def reviving(results: Results, made: pb.Project) -> Step:
    await results.bench.decide(made, KILLED, kill=KILL)
    given = project(made.lead_center_id, revival_of_id=made.id)
    request = pb.CreateProjectRequest(project=given, idempotency_key=results.bench.key())
    return Step("CreateProject", request)


async def joined(results: Results, made: pb.Project) -> Step:
    request = pb.UpdateProjectRequest(
        project_id=made.id,
        etag=made.etag,
        project=pb.Project(participants=[await joining(results.bench)]),
        update_mask=FieldMask(paths=["participants"]),
    )
    return Step("UpdateProject", request)


async def naming(_: Results, made: pb.Project) -> Step:
    person = people_pb2.ProjectPerson(
        name=made.titles,
        orcid="0000-0002-1825-0097",
        role=people_pb2.PERSON_ROLE_QUALITY,
        subject="omid",
    )
    request = pb.UpdateProjectRequest(
        project_id=made.id,
        etag=made.etag,
        project=pb.Project(people=[person]),
        update_mask=FieldMask(paths=["people"]),
    )
    return Step("UpdateProject", request)


async def striking(results: Results, made: pb.Project) -> Step:
    bench = results.bench
    named = await naming(results, made)
    await bench.rpc.call(named.name, named.request)
    request = people_pb2.StrikeProjectNamingRequest(
        project_id=made.id,
        subject="omid",
        reason="Never worked on it.",
        etag=(await bench.get(made.id)).etag,
        idempotency_key=bench.key(),
    )
    return Step("StrikeProjectNaming", request)


async def importing(results: Results, made: pb.Project) -> Step:
    given = project(made.lead_center_id, external_key="prj-cartilage")
    row = pb.ProjectsRow(project=pb.ProjectRow(project=given))
    del results
    return Step("ImportProjects", pb.ImportProjectsRequest(rows=[row]))


async def acknowledging(results: Results, made: pb.Project) -> Step:
    bench, id, key = results.bench, new_id("reg"), "reg-cell-therapy"
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
    return Step("AcknowledgeProjectFlag", request)


async def resuming(results: Results, made: pb.Project) -> Step:
    bench = results.bench
    held = await bench.decide(made, HOLD, resume_date=in_days(0))
    request = pb.ProjectStepRequest(project_id=held.id, etag=held.etag, idempotency_key=bench.key())
    return Step("ResumeProject", request)


async def opening(results: Results, made: pb.Project) -> Step:
    return Step("CreateGate", results.bench.opening(made.id, *VOTERS))


async def declaring(results: Results, made: pb.Project) -> Step:
    bench = results.bench
    gate = await bench.open_gate(made.id, *VOTERS)
    request = gates_pb2.DeclareAtGateRequest(
        gate_id=gate.id,
        conflict=panel_pb2.CONFLICT_NONE,
        etag=gate.etag,
        idempotency_key=bench.key(),
    )
    return Step("DeclareAtGate", request, {"subject": "dana"})


async def proposing(results: Results, made: pb.Project) -> Step:
    bench = results.bench
    gate = await bench.review(made.id, HOLD)
    request = gates_pb2.ProposeAtGateRequest(
        gate_id=gate.id,
        decision=HOLD,
        resume_date=in_days(9),
        etag=gate.etag,
        idempotency_key=bench.key(),
    )
    return Step("ProposeAtGate", request)


async def voting(results: Results, made: pb.Project) -> Step:
    bench = results.bench
    gate = await bench.review(made.id, HOLD)
    request = gates_pb2.VoteAtGateRequest(
        gate_id=gate.id,
        decision=HOLD,
        reason="Once more.",
        etag=gate.etag,
        idempotency_key=bench.key(),
    )
    return Step("VoteAtGate", request, {"subject": "dana"})


async def withdrawing(results: Results, made: pb.Project) -> Step:
    bench = results.bench
    gate = await bench.review(made.id, HOLD)
    request = gates_pb2.GateStepRequest(
        gate_id=gate.id, etag=gate.etag, reason="Later.", idempotency_key=bench.key()
    )
    return Step("WithdrawGate", request)


async def going_on(results: Results, made: pb.Project) -> Step:
    await results.bench.satisfy(made.id)
    await results.bench.review(made.id, GO)
    return await deciding(results, made, GO)


async def killing(results: Results, made: pb.Project) -> Step:
    """What is open then falls with it."""
    await results.bench.decide(made, CONDITIONAL_GO, conditions=[condition()])
    await results.bench.review(made.id, KILLED)
    return await deciding(results, made, KILLED)


async def correcting(results: Results, made: pb.Project) -> Step:
    await results.bench.decide(made, CONDITIONAL_GO)
    (decision,) = await results.bench.decisions(made.id)
    await results.bench.review(made.id, HOLD, supersedes_id=decision.id)
    return await deciding(results, made, HOLD)


async def deciding(results: Results, made: pb.Project, kind: Any) -> Step:
    return Step("DecideProject", results.bench.ruling(await results.bench.get(made.id), kind))


async def telling(results: Results, made: pb.Project) -> Step:
    bench = results.bench
    await bench.decide(made, CONDITIONAL_GO, conditions=[condition()])
    (left,) = await bench.conditions(project_id=made.id)
    request = conditions_pb2.ReportProjectConditionRequest(
        condition_id=left.id, note="Done.", etag=left.etag, idempotency_key=bench.key()
    )
    return Step("ReportProjectCondition", request, {"subject": "kian"})


async def returning(results: Results, made: pb.Project) -> Step:
    told = await telling(results, made)
    found = await results.bench.gates.call(told.name, told.request, subject="kian")
    return found_of_condition(results, "Return", found, "Not shown.")


async def confirming(results: Results, made: pb.Project) -> Step:
    """A condition that stands for a criterion, and is met by evidence of it."""
    bench = results.bench
    await bench.satisfy(made.id, but=[CRITERION])
    await bench.review(made.id, CONDITIONAL_GO, conditions=[condition(CRITERION)])
    ruling = await deciding(results, made, CONDITIONAL_GO)
    await bench.rpc.call(ruling.name, ruling.request)
    (left,) = await bench.conditions(project_id=made.id)
    shown = await bench.verified(made.id, CRITERION)
    told = conditions_pb2.ReportProjectConditionRequest(
        condition_id=left.id, evidence_id=shown.id, etag=left.etag, idempotency_key=bench.key()
    )
    found = await bench.gates.call("ReportProjectCondition", told, subject="kian")
    return found_of_condition(results, "Confirm", found)


def found_of_condition(results: Results, verb: str, at: Any, reason: str = "") -> Step:
    request = conditions_pb2.ProjectConditionStepRequest(
        condition_id=at.id, etag=at.etag, reason=reason, idempotency_key=results.bench.key()
    )
    return Step(f"{verb}ProjectCondition", request, {"subject": "dana"})


async def superseding(results: Results, made: pb.Project) -> Step:
    former = await results.bench.verified(made.id, CRITERION)
    given = evidence_pb2.Evidence(
        project_id=made.id,
        criterion=CRITERION,
        kind=evidence_pb2.EVIDENCE_KIND_REPORT,
        title=made.titles,
        reference=reference(),
        supersedes_id=former.id,
    )
    request = evidence_pb2.CreateEvidenceRequest(
        evidence=given, idempotency_key=results.bench.key()
    )
    return Step("CreateEvidence", request, {"subject": "kian"})


async def verifying(results: Results, made: pb.Project) -> Step:
    return of_evidence(results, "Verify", await results.bench.evidence(made.id, CRITERION))


async def rejecting(results: Results, made: pb.Project) -> Step:
    return of_evidence(results, "Reject", await results.bench.verified(made.id, CRITERION))


async def reconfirming(results: Results, made: pb.Project) -> Step:
    bench = results.bench
    await bench.decide(made, GO)
    await bench.decide(await bench.get(made.id), RECYCLE, to_stage=stages_pb2.STAGE_S0)
    listing = evidence_pb2.ListEvidenceRequest(project_id=made.id, criterion=CRITERION)
    answer = await bench.criteria.call("ListEvidence", listing)
    (piece,) = cast("evidence_pb2.ListEvidenceResponse", answer).evidence
    return of_evidence(results, "Reconfirm", piece)


def of_evidence(results: Results, verb: str, at: evidence_pb2.Evidence) -> Step:
    request = evidence_pb2.EvidenceStepRequest(
        evidence_id=at.id, etag=at.etag, reason="Seen.", idempotency_key=results.bench.key()
    )
    return Step(f"{verb}Evidence", request, {"subject": "verifier"})


async def asking(results: Results, made: pb.Project) -> Step:
    waiver = waivers_pb2.Waiver(
        project_id=made.id,
        criterion=CRITERION,
        reason="As in the project before.",
        expiry_date=in_days(30),
    )
    request = waivers_pb2.CreateWaiverRequest(waiver=waiver, idempotency_key=results.bench.key())
    return Step("CreateWaiver", request, {"subject": "kian"})


async def asked(results: Results, made: pb.Project) -> waivers_pb2.Waiver:
    step = await asking(results, made)
    answer = await results.bench.criteria.call(step.name, step.request, **step.who)
    return cast("waivers_pb2.Waiver", answer)


async def granting(results: Results, made: pb.Project) -> Step:
    return of_waiver(results, "Grant", await asked(results, made))


async def refusing(results: Results, made: pb.Project) -> Step:
    return of_waiver(results, "Refuse", await asked(results, made))


async def taking_back(results: Results, made: pb.Project) -> Step:
    return of_waiver(results, "Withdraw", await asked(results, made))


async def revoking(results: Results, made: pb.Project) -> Step:
    grant = await granting(results, made)
    granted = await results.bench.criteria.call(grant.name, grant.request, **grant.who)
    return of_waiver(results, "Revoke", granted)


def of_waiver(results: Results, verb: str, at: Any) -> Step:
    request = waivers_pb2.WaiverStepRequest(
        waiver_id=at.id, etag=at.etag, reason="Shown now.", idempotency_key=results.bench.key()
    )
    return Step(f"{verb}Waiver", request, {"subject": "approver"})
