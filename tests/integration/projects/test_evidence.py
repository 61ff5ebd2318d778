"""Evidence, tried over gRPC against a real database."""

from typing import Any

from peyvand.projects.v1 import criteria_pb2, decisions_pb2, evidence_pb2, stages_pb2, waivers_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from projects.pathway_templates import NEWEST, template
from servicekit.ids import new_id
from tests.integration.projects.conftest import KILL, ProjectsBench, at_s1, back_in_s1
from tests.support.criteria import (
    OMID,
    SARA,
    CriteriaBench,
    Person,
    reference,
    ruling_on,
    serve_criteria,
    states,
    step_of,
    waiver_request,
)
from tests.support.rpc import outbox, rules_broken

S1 = [c.code for c in template(NEWEST).criteria if c.stage == "s1"]


async def test_evidence_is_submitted_and_verified_by_another_and_every_step_is_an_event(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    submitted = await criteria.submit(made.id, "prior-art", external_key="evd-1")
    assert (submitted.state, submitted.visit) == (evidence_pb2.EVIDENCE_STATE_SUBMITTED, 1)
    assert (submitted.stage, submitted.submitted_by) == (stages_pb2.STAGE_S1, "sara")
    assert list(submitted.allowed_actions) == ["reject"]
    own = await criteria.fault("VerifyEvidence", step_of(submitted), SARA)
    assert own.reason == "OWN_EVIDENCE"
    read = evidence_pb2.GetEvidenceRequest(evidence_id=submitted.id)
    seen = await criteria.call("GetEvidence", read, OMID)
    assert list(seen.allowed_actions) == ["verify", "reject"]
    verified = await criteria.step("Verify", seen)
    assert [(c.visit, c.confirmed_by) for c in verified.confirmations] == [(1, "omid")]
    assert list(verified.allowed_actions) == ["reject"]
    again = await criteria.fault("VerifyEvidence", step_of(verified), OMID)
    assert (again.reason, again.allowed) == (
        "ILLEGAL_TRANSITION",
        ("reconfirm", "reject", "supersede"),
    )
    no_reason = await criteria.fault("RejectEvidence", step_of(verified), OMID)
    assert rules_broken(no_reason) == [("reason", "REASON_REQUIRED")]
    rejected = await criteria.step("Reject", verified, reason="Of another study.")
    assert rejected.state_reason == "Of another study."
    kinds = [(kind.split(".", 3)[3], v) for kind, _, v in await outbox(criteria.database)]
    assert kinds[1:] == [
        ("evidence.created", 1),
        ("evidence.verified", 2),
        ("evidence.rejected", 3),
    ]
    steps = await criteria.call(
        "ListEvidenceSteps", evidence_pb2.ListEvidenceStepsRequest(evidence_id=rejected.id)
    )
    assert [(step.action, step.actor) for step in steps.steps] == [
        ("created", "sara"),
        ("verified", "omid"),
        ("rejected", "omid"),
    ]


async def test_a_file_is_named_once_the_store_has_it(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    file = await criteria.file(b"%PDF-1.7 prior art")
    kept = await criteria.submit(made.id, "prior-art", file=file)
    assert kept.file == file
    other = evidence_pb2.EvidenceFile()
    other.CopyFrom(file)
    other.size_bytes += 1
    wrong_size = await criteria.fault(
        "CreateEvidence", criteria.submission(made.id, "prior-art", file=other)
    )
    assert rules_broken(wrong_size) == [("file.size_bytes", "FILE_SIZE_DIFFERS")]
    other.sha256 = "b" * 64
    missing = await criteria.fault(
        "CreateEvidence", criteria.submission(made.id, "prior-art", file=other)
    )
    assert rules_broken(missing) == [("file.sha256", "FILE_NOT_STORED")]
    both = criteria.submission(made.id, "prior-art", file=file, reference=reference())
    assert rules_broken(await criteria.fault("CreateEvidence", both)) == [
        ("file", "ONE_SOURCE_NEEDED")
    ]
    named = evidence_pb2.EvidenceFile()
    named.CopyFrom(file)
    named.name = "patient 0499370899.pdf"
    personal = criteria.submission(made.id, "prior-art", file=named)
    assert rules_broken(await criteria.fault("CreateEvidence", personal)) == [
        ("file.name", "PERSONAL_DATA")
    ]


async def test_without_a_store_evidence_is_a_reference(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    file = await criteria.file(b"%PDF-1.7 prior art")
    async with serve_criteria(bench.database, criteria.objects, told_of_store=False) as bare:
        request = bare.submission(made.id, "prior-art", file=file)
        assert (await bare.fault("CreateEvidence", request)).reason == "FILES_NOT_SET_UP"
        assert (await bare.submit(made.id, "prior-art")).reference == reference()


async def test_evidence_is_for_a_criterion_of_a_stage_that_the_project_has_come_to(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    unknown = await criteria.fault("CreateEvidence", criteria.submission(made.id, "no-such"))
    assert rules_broken(unknown) == [("criterion", "UNKNOWN_CRITERION")]
    ahead = await criteria.fault("CreateEvidence", criteria.submission(made.id, "ip-decision"))
    assert rules_broken(ahead) == [("criterion", "STAGE_NOT_VISITED")]
    # It began at S1 here, so that S0 was never entered.
    before = await criteria.fault("CreateEvidence", criteria.submission(made.id, "disclosure"))
    assert rules_broken(before) == [("criterion", "STAGE_NOT_VISITED")]
    # A gene therapy needs what a cell therapy does not.
    tool = await at_s1(bench, pathway=stages_pb2.PATHWAY_RESEARCH_TOOL)
    other = await criteria.fault("CreateEvidence", criteria.submission(tool.id, "biodistribution"))
    assert rules_broken(other) == [("criterion", "UNKNOWN_CRITERION")]
    recycled = await bench.decide(
        made, decisions_pb2.DECISION_KIND_RECYCLE, to_stage=stages_pb2.STAGE_S0
    )
    # What a condition left open is brought after the stage was left.
    late = await criteria.submit(recycled.id, "prior-art")
    assert (late.stage, late.visit) == (stages_pb2.STAGE_S1, 1)


async def test_an_ended_project_takes_no_evidence_and_no_waivers(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    evidence = await criteria.submit(made.id, "prior-art")
    waiver = await criteria.ask(made.id, "in-vitro-proof")
    await bench.decide(made, decisions_pb2.DECISION_KIND_KILL, kill=KILL)
    refusals = [
        await criteria.fault("CreateEvidence", criteria.submission(made.id, "prior-art")),
        await criteria.fault("VerifyEvidence", step_of(evidence), OMID),
        await criteria.fault("RejectEvidence", step_of(evidence, "No."), OMID),
        await criteria.fault("GrantWaiver", ruling_on(waiver), OMID),
    ]
    assert {fault.reason for fault in refusals} == {"PROJECT_HAS_ENDED"}
    # What was there stays to be read, and what is missing stays said.
    gate = await criteria.next_gate(made.id)
    assert states(gate)["prior-art"] == "submitted"
    assert gate.next_stage == stages_pb2.STAGE_UNSPECIFIED


async def test_a_better_piece_takes_the_place_of_a_worse_one_and_both_stay(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    (first,) = await criteria.verified(made.id, "prior-art")
    second = await criteria.submit(made.id, "prior-art", supersedes_id=first.id)
    read = evidence_pb2.GetEvidenceRequest(evidence_id=first.id)
    former = await criteria.call("GetEvidence", read)
    assert former.state == evidence_pb2.EVIDENCE_STATE_SUPERSEDED
    assert (former.superseded_by_id, second.supersedes_id) == (second.id, first.id)
    assert list(former.allowed_actions) == []
    # What was verified no longer counts; what took its place has to be looked at.
    assert states(await criteria.next_gate(made.id))["prior-art"] == "submitted"
    twice = criteria.submission(made.id, "prior-art", supersedes_id=first.id)
    assert (await criteria.fault("CreateEvidence", twice)).reason == "ILLEGAL_TRANSITION"
    elsewhere = criteria.submission(made.id, "in-vitro-proof", supersedes_id=second.id)
    assert rules_broken(await criteria.fault("CreateEvidence", elsewhere)) == [
        ("supersedes_id", "UNKNOWN_REFERENCE")
    ]
    other = await at_s1(bench)
    foreign = criteria.submission(other.id, "prior-art", supersedes_id=second.id)
    assert rules_broken(await criteria.fault("CreateEvidence", foreign)) == [
        ("supersedes_id", "UNKNOWN_REFERENCE")
    ]


async def test_evidence_of_an_earlier_visit_counts_once_another_has_reconfirmed_it(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    (old,) = await criteria.verified(made.id, "prior-art")
    early = await criteria.fault("ReconfirmEvidence", step_of(old), OMID)
    assert early.reason == "CONFIRMED_ALREADY"
    await back_in_s1(bench, criteria, made)
    gate = await criteria.next_gate(made.id)
    assert (gate.visit, states(gate)["prior-art"]) == (3, "to_reconfirm")
    assert not gate.satisfied
    read = evidence_pb2.GetEvidenceRequest(evidence_id=old.id)
    assert list((await criteria.call("GetEvidence", read, SARA)).allowed_actions) == ["reject"]
    seen = await criteria.call("GetEvidence", read, OMID)
    assert list(seen.allowed_actions) == ["reconfirm", "reject"]
    own = await criteria.fault("ReconfirmEvidence", step_of(old), SARA)
    assert own.reason == "OWN_EVIDENCE"
    reconfirmed = await criteria.step("Reconfirm", seen)
    assert [confirmation.visit for confirmation in reconfirmed.confirmations] == [1, 3]
    assert states(await criteria.next_gate(made.id))["prior-art"] == "verified"


async def test_evidence_is_seen_by_those_who_see_its_project(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    lead, partner, stranger = [await bench.center() for _ in range(3)]
    made = await at_s1(bench, center=lead, participants=[pb.ProjectParticipant(center_id=partner)])
    at_lead = Person("leila", "center_operator", (lead,))
    at_partner = Person("parviz", "center_operator", (partner,))
    foreign = Person("fereydun", "center_admin", (stranger,))
    piece = await criteria.submit(made.id, "prior-art", at_lead)
    await criteria.submit(made.id, "prior-art", at_partner)
    waiver = await criteria.ask(made.id, "in-vitro-proof", at_partner)
    read = evidence_pb2.GetEvidenceRequest(evidence_id=piece.id)
    seen = await criteria.call("GetEvidence", read, at_partner)
    # A center verifies nothing, also not what others have submitted.
    assert list(seen.allowed_actions) == []
    verify = await criteria.fault("VerifyEvidence", step_of(piece), at_partner)
    assert verify.reason == "PERMISSION_DENIED"
    listed = evidence_pb2.ListEvidenceRequest(project_id=made.id)
    assert len((await criteria.call("ListEvidence", listed, at_partner)).evidence) == 2
    assert not (await criteria.call("ListEvidence", listed, foreign)).evidence
    for name, request in {
        "GetEvidence": read,
        "ListEvidenceSteps": evidence_pb2.ListEvidenceStepsRequest(evidence_id=piece.id),
        "CreateEvidence": criteria.submission(made.id, "prior-art"),
        "CreateWaiver": waiver_request(made.id, "prior-art"),
        "WithdrawWaiver": ruling_on(waiver),
        "GetWaiver": waivers_pb2.GetWaiverRequest(waiver_id=waiver.id),
        "ListWaiverSteps": waivers_pb2.ListWaiverStepsRequest(waiver_id=waiver.id),
        "GetNextGate": criteria_pb2.GetNextGateRequest(project_id=made.id),
    }.items():
        assert (await criteria.fault(name, request, foreign)).reason == "NOT_FOUND", name
    waivers = waivers_pb2.ListWaiversRequest()
    assert not (await criteria.call("ListWaivers", waivers, foreign)).waivers
    assert len((await criteria.call("ListWaivers", waivers, at_lead)).waivers) == 1


async def test_lists_narrow_by_what_they_are_asked_for(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    await criteria.verified(made.id, "prior-art")
    await criteria.submit(made.id, "in-vitro-proof", external_key="evd-proof")
    await criteria.rule("Grant", await criteria.ask(made.id, "in-vitro-proof"))

    async def count(**filters: Any) -> int:
        request = evidence_pb2.ListEvidenceRequest(**filters)
        return len((await criteria.call("ListEvidence", request)).evidence)

    assert await count() == 2
    assert await count(criterion="prior-art") == 1
    assert await count(stage=stages_pb2.STAGE_S1) == 2
    assert await count(stage=stages_pb2.STAGE_S0) == 0
    assert await count(visit=2) == 0
    assert await count(state=evidence_pb2.EVIDENCE_STATE_VERIFIED) == 1
    assert await count(external_key="evd-proof") == 1
    assert await count(project_id=new_id("prj")) == 0
    granted = waivers_pb2.ListWaiversRequest(
        project_id=made.id, state=waivers_pb2.WAIVER_STATE_GRANTED, criterion="in-vitro-proof"
    )
    assert len((await criteria.call("ListWaivers", granted)).waivers) == 1
    granted.criterion = "prior-art"
    assert not (await criteria.call("ListWaivers", granted)).waivers
