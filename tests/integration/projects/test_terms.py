"""What a panel votes for and on: terms, criteria, conditions; by the API and by races."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from peyvand.projects.v1 import (
    conditions_pb2,
    criteria_pb2,
    decisions_pb2,
    evidence_pb2,
    gates_pb2,
    stages_pb2,
    waivers_pb2,
)
from peyvand.projects.v1 import projects_pb2 as pb
from servicekit.errors import Fault
from tests.integration.projects.conftest import (
    TERMS,
    VOTERS,
    ProjectsBench,
    condition,
    in_days,
    project,
)
from tests.integration.projects.standing import deadlocks
from tests.support.rpc import rules_broken

GO = decisions_pb2.DECISION_KIND_GO
CONDITIONAL_GO = decisions_pb2.DECISION_KIND_CONDITIONAL_GO
HOLD = decisions_pb2.DECISION_KIND_HOLD
RECYCLE = decisions_pb2.DECISION_KIND_RECYCLE
ROUNDS = 6


async def undecided(bench: ProjectsBench, id: str, kind: Any, **values: Any) -> Fault:
    """Why nothing is decided; fails if something is."""
    request = bench.ruling(await bench.get(id), kind, **values)
    return await bench.rpc.fault("DecideProject", request)


async def decided(bench: ProjectsBench, id: str, kind: Any, **values: Any) -> pb.Project:
    request = bench.ruling(await bench.get(id), kind, **values)
    return cast("pb.Project", await bench.rpc.call("DecideProject", request))


async def vote(bench: ProjectsBench, gate_id: str, kind: Any) -> None:
    for subject in VOTERS:
        await bench.vote(gate_id, subject, kind)


async def asked(bench: ProjectsBench, id: str) -> criteria_pb2.NextGate:
    request = criteria_pb2.GetNextGateRequest(project_id=id)
    return cast("criteria_pb2.NextGate", await bench.criteria.call("GetNextGate", request))


async def evidence_step(
    bench: ProjectsBench, verb: str, id: str, reason: str = ""
) -> evidence_pb2.Evidence:
    found = evidence_pb2.GetEvidenceRequest(evidence_id=id)
    at = cast("evidence_pb2.Evidence", await bench.criteria.call("GetEvidence", found))
    request = evidence_pb2.EvidenceStepRequest(
        evidence_id=id, etag=at.etag, reason=reason, idempotency_key=bench.key()
    )
    answer = await bench.criteria.call(f"{verb}Evidence", request, subject="verifier")
    return cast("evidence_pb2.Evidence", answer)


async def report(
    bench: ProjectsBench, at: conditions_pb2.ProjectCondition, evidence_id: str
) -> conditions_pb2.ProjectCondition:
    request = conditions_pb2.ReportProjectConditionRequest(
        condition_id=at.id,
        evidence_id=evidence_id,
        etag=at.etag,
        idempotency_key=bench.key(),
    )
    answer = await bench.gates.call("ReportProjectCondition", request, subject="kian")
    return cast("conditions_pb2.ProjectCondition", answer)


def confirmation(bench: ProjectsBench, at: conditions_pb2.ProjectCondition) -> Any:
    return conditions_pb2.ProjectConditionStepRequest(
        condition_id=at.id, etag=at.etag, idempotency_key=bench.key()
    )


async def outcome(work: Awaitable[Any]) -> str:
    """What became of a call: nothing, or the reason for which it was refused."""
    try:
        await work
    except Fault as fault:
        return fault.reason
    return ""


async def test_what_is_decided_comes_with_the_terms_that_were_voted_for(
    bench: ProjectsBench,
) -> None:
    made = await bench.create(project(await bench.center()))
    await bench.satisfy(made.id, but=["inventors"])
    gate = await bench.open_gate(made.id, *VOTERS)
    for subject in VOTERS:
        await bench.declare(gate.id, subject)
    early = gates_pb2.VoteAtGateRequest(
        gate_id=gate.id,
        decision=CONDITIONAL_GO,
        reason="Of whatever.",
        etag=(await bench.gate(gate.id)).etag,
        idempotency_key=bench.key(),
    )
    refused = await bench.gates.fault("VoteAtGate", early, subject="dana")
    assert (refused.reason, refused.params) == ("TERMS_NEEDED", {"decision": "conditional_go"})
    agreed = [condition("inventors", in_days(30))]
    gate = await bench.propose(gate.id, CONDITIONAL_GO, conditions=agreed)
    (proposal,) = gate.proposals
    assert (proposal.terms.kind, list(proposal.terms.conditions)) == (CONDITIONAL_GO, agreed)
    await vote(bench, gate.id, CONDITIONAL_GO)
    for other in (
        [condition("inventors", in_days(31))],
        [condition("inventors", in_days(30)), condition("ownership")],
        [condition("ownership", in_days(30))],
    ):
        fault = await undecided(bench, made.id, CONDITIONAL_GO, conditions=other)
        assert fault.reason == "TERMS_DIFFER"
    # Other terms in their place void the votes on them, also when the first come back.
    await bench.propose(gate.id, CONDITIONAL_GO, conditions=[condition("inventors")])
    await bench.propose(gate.id, CONDITIONAL_GO, conditions=[condition("inventors", in_days(9))])
    fault = await undecided(bench, made.id, CONDITIONAL_GO)
    assert (fault.reason, fault.params) == ("VOTES_OUTDATED", {"members": "dana, mina"})
    gate = await bench.vote(gate.id, "dana", CONDITIONAL_GO)
    assert gate.counted_votes == 1
    assert (await undecided(bench, made.id, CONDITIONAL_GO)).params == {"members": "mina"}
    await bench.vote(gate.id, "mina", CONDITIONAL_GO)
    assert (await decided(bench, made.id, CONDITIONAL_GO)).stage == stages_pb2.STAGE_S1
    (decision,) = await bench.decisions(made.id)
    (left_open,) = await bench.conditions(project_id=made.id)
    assert [c.due_date for c in decision.conditions] == [left_open.due_date] == [in_days(9)]
    assert {v.terms_hash for v in decision.votes} == {decision.terms_hash}
    assert {v.assessment_hash for v in decision.votes} == {decision.assessment_hash}
    assert decision.proposed_by == decision.opened_by == "local:hq_admin"


@pytest.mark.parametrize(
    ("kind", "terms", "broken"),
    [
        (GO, dict, ("decision", "NO_TERMS")),
        (HOLD, lambda: {"resume_date": "2020-01-01"}, ("resume_date", "DATE_IN_PAST")),
        (
            CONDITIONAL_GO,
            # Of the day on which the test runs: it may be another than that of its collection.
            lambda: {"conditions": [condition("", in_days(366))]},
            ("conditions[0].due_date", "DUE_TOO_LATE"),
        ),
        (
            CONDITIONAL_GO,
            lambda: {"conditions": [condition(), condition("potency-assay-draft")]},
            ("conditions[1].criterion", "CRITERION_NOT_OF_STAGE"),
        ),
        (RECYCLE, lambda: {"to_stage": stages_pb2.STAGE_S5}, ("to_stage", "STAGE_NOT_EARLIER")),
    ],
)
async def test_terms_that_could_not_be_decided_are_not_put_to_a_panel(
    bench: ProjectsBench,
    kind: Any,
    terms: Callable[[], dict[str, Any]],
    broken: tuple[str, str],
) -> None:
    made = await bench.create(project(await bench.center()))
    gate = await bench.open_gate(made.id)
    request = gates_pb2.ProposeAtGateRequest(
        gate_id=gate.id, decision=kind, etag=gate.etag, idempotency_key=bench.key(), **terms()
    )
    fault = await bench.gates.fault("ProposeAtGate", request)
    assert rules_broken(fault) == [broken]
    assert await bench.gate(gate.id) == gate
    assert (await bench.gates.fault("ProposeAtGate", request, "center_admin")).reason == (
        "PERMISSION_DENIED"
    )


async def left_open(bench: ProjectsBench, *codes: str) -> tuple[pb.Project, Any]:
    """A project that went to S1 with these criteria left open, and its conditions."""
    made = await bench.create(project(await bench.center()))
    await bench.satisfy(made.id, but=codes)
    await bench.review(made.id, CONDITIONAL_GO, conditions=[condition(code) for code in codes])
    await decided(bench, made.id, CONDITIONAL_GO)
    return made, await bench.conditions(project_id=made.id)


async def test_what_one_gate_left_open_is_met_before_the_next_is_passed(
    bench: ProjectsBench,
) -> None:
    made, (left,) = await left_open(bench, "inventors")
    await bench.satisfy(made.id)
    standing = await asked(bench, made.id)
    assert (list(standing.missing), standing.satisfied) == ([], False)
    assert list(standing.unmet_condition_ids) == [left.id]
    # Neither by another condition, nor by a go.
    for kind in (GO, CONDITIONAL_GO):
        gate = await bench.review(made.id, kind)
        fault = await undecided(bench, made.id, kind)
        assert (fault.reason, fault.params) == ("CONDITION_UNMET", {"conditions": left.id})
        await bench.withdraw(gate.id)
    shown = await bench.verified(made.id, "inventors")
    reported = await report(bench, left, shown.id)
    gate = await bench.review(made.id, GO)
    assert (await undecided(bench, made.id, GO)).reason == "CONDITION_UNMET"
    await bench.gates.call("ConfirmProjectCondition", confirmation(bench, reported))
    # What turns out not to hold takes the condition with it.
    await evidence_step(bench, "Reject", shown.id, "The list is of another project.")
    assert list((await asked(bench, made.id)).unmet_condition_ids) == [left.id]
    assert (await undecided(bench, made.id, GO)).reason == "CONDITION_UNMET"
    await bench.verified(made.id, "inventors", content="the right list")
    assert (await asked(bench, made.id)).satisfied
    assert (await decided(bench, made.id, GO)).stage == stages_pb2.STAGE_S2
    assert gate.id == (await bench.decisions(made.id))[-1].gate_id


async def test_a_correction_takes_the_conditions_of_what_it_corrects_with_it(
    bench: ProjectsBench,
) -> None:
    made, _ = await left_open(bench, "inventors")
    (decision,) = await bench.decisions(made.id)
    await bench.verified(made.id, "inventors")
    await bench.review(made.id, GO, supersedes_id=decision.id)
    assert (await decided(bench, made.id, GO)).stage == stages_pb2.STAGE_S1
    assert list((await asked(bench, made.id)).unmet_condition_ids) == []


async def test_evidence_of_an_earlier_visit_meets_no_condition_of_a_later_one(
    bench: ProjectsBench,
) -> None:
    made = await bench.create(project(await bench.center()))
    old = await bench.verified(made.id, "inventors")
    await bench.decide(made, GO)
    await bench.decide(await bench.get(made.id), RECYCLE, to_stage=stages_pb2.STAGE_S0)
    # In the third visit nobody has confirmed it: it is left open once more.
    await bench.satisfy(made.id, but=["inventors"])
    await bench.review(made.id, CONDITIONAL_GO, conditions=[condition("inventors")])
    await decided(bench, made.id, CONDITIONAL_GO)
    (left,) = await bench.conditions(project_id=made.id)
    reported = await report(bench, left, old.id)
    fault = await bench.gates.fault("ConfirmProjectCondition", confirmation(bench, reported))
    assert (fault.reason, fault.params) == ("CRITERION_NOT_SHOWN", {"criterion": "inventors"})
    await evidence_step(bench, "Reconfirm", old.id)
    await bench.gates.call("ConfirmProjectCondition", confirmation(bench, reported))
    assert list((await asked(bench, made.id)).unmet_condition_ids) == []


async def test_at_the_last_gate_no_criterion_is_left_open(bench: ProjectsBench) -> None:
    given = project(
        await bench.center(), initial_stage=stages_pb2.STAGE_S7, initial_stage_reason="In use."
    )
    made = await bench.create(given)
    code, *_ = (await asked(bench, made.id)).missing
    await bench.satisfy(made.id, but=[code])
    gate = await bench.review(made.id, CONDITIONAL_GO, conditions=[condition(code)])
    fault = await undecided(bench, made.id, CONDITIONAL_GO)
    assert (fault.reason, fault.params) == ("CRITERIA_OPEN", {"criteria": code})
    await bench.verified(made.id, code)
    await vote(bench, gate.id, CONDITIONAL_GO)
    assert (await decided(bench, made.id, CONDITIONAL_GO)).state == pb.PROJECT_STATE_COMPLETED


async def test_a_vote_can_name_what_its_member_has_read(bench: ProjectsBench) -> None:
    made = await bench.create(project(await bench.center()))
    gate = await bench.open_gate(made.id, *VOTERS)
    gate = await bench.declare(gate.id, "dana")
    read = (await asked(bench, made.id)).assessment_hash
    assert read == gate.assessment_hash

    def vote_on(seen: str) -> gates_pb2.VoteAtGateRequest:
        return gates_pb2.VoteAtGateRequest(
            gate_id=gate.id,
            decision=GO,
            reason="As I have read it.",
            etag=gate.etag,
            assessment_hash=seen,
            idempotency_key=bench.key(),
        )

    # What is only submitted is not before the panel yet.
    piece = await bench.evidence(made.id, "inventors")
    assert (await bench.gate(gate.id)).assessment_hash == read
    await evidence_step(bench, "Verify", piece.id)
    fault = await bench.gates.fault("VoteAtGate", vote_on(read), subject="dana")
    assert fault.reason == "ASSESSMENT_CHANGED"
    assert list((await bench.gate(gate.id)).votes) == []
    now = (await bench.gate(gate.id)).assessment_hash
    answer = await bench.gates.call("VoteAtGate", vote_on(now), subject="dana")
    (voted,) = cast("gates_pb2.Gate", answer).votes
    assert voted.assessment_hash == now != read


async def test_terms_that_change_while_somebody_votes_get_no_vote_that_was_not_for_them(
    bench: ProjectsBench,
) -> None:
    outcomes: Counter[tuple[str, str]] = Counter()
    for round in range(ROUNDS):
        made = await bench.create(project(await bench.center()))
        gate = await bench.review(made.id, HOLD)
        days = [in_days(30), in_days(60)]
        rewrite = gates_pb2.ProposeAtGateRequest(
            gate_id=gate.id, decision=HOLD, resume_date=days[round % 2], etag=gate.etag
        )
        rewrite.idempotency_key = bench.key()
        turn = gates_pb2.VoteAtGateRequest(
            gate_id=gate.id, decision=HOLD, reason="Yes.", etag=gate.etag
        )
        turn.idempotency_key = bench.key()
        ruling = bench.ruling(await bench.get(made.id), HOLD)
        ended, changed, voted = await asyncio.gather(
            outcome(bench.rpc.call("DecideProject", ruling)),
            outcome(bench.gates.call("ProposeAtGate", rewrite)),
            outcome(bench.gates.call("VoteAtGate", turn, subject="dana")),
        )
        outcomes[ended, changed] += 1
        now = await bench.gate(gate.id)
        if not ended:
            assert changed in ("ILLEGAL_TRANSITION", "STALE_ETAG")
            (decision,) = await bench.decisions(made.id)
            assert decision.resume_date == TERMS[HOLD]["resume_date"]
        else:
            # Nobody has voted for what stands there now.
            assert ended == "VOTES_OUTDATED"
            assert changed == ""
            assert voted == "STALE_ETAG"
            assert now.counted_votes == 0
    assert await deadlocks(bench) == 0
    assert sum(outcomes.values()) == ROUNDS


async def test_a_go_and_what_it_stands_on_do_not_pass_each_other(bench: ProjectsBench) -> None:
    outcomes: Counter[str] = Counter()
    for _ in range(ROUNDS):
        made = await bench.create(project(await bench.center()))
        piece = await bench.verified(made.id, "inventors")
        await bench.satisfy(made.id)
        await bench.review(made.id, GO)
        ruling = bench.ruling(await bench.get(made.id), GO)
        went, _ = await asyncio.gather(
            outcome(bench.rpc.call("DecideProject", ruling)),
            evidence_step(bench, "Reject", piece.id, "It is of another project."),
        )
        outcomes[went] += 1
        if went:
            assert went == "VOTES_OUTDATED"
            assert await bench.decisions(made.id) == []
        else:
            (decision,) = await bench.decisions(made.id)
            (inventors,) = (c for c in decision.criteria if c.code == "inventors")
            assert list(inventors.evidence_ids) == [piece.id]
    assert set(outcomes) <= {"", "VOTES_OUTDATED"}
    assert await deadlocks(bench) == 0


async def test_a_go_and_the_end_of_a_waiver_do_not_pass_each_other(bench: ProjectsBench) -> None:
    outcomes: Counter[str] = Counter()
    for _ in range(ROUNDS):
        made = await bench.create(project(await bench.center()))
        await bench.satisfy(made.id, but=["inventors"])
        waiver = waivers_pb2.Waiver(
            project_id=made.id,
            criterion="inventors",
            reason="As in the project before.",
            expiry_date=in_days(30),
        )
        asking = waivers_pb2.CreateWaiverRequest(waiver=waiver, idempotency_key=bench.key())
        asked_for: Any = await bench.criteria.call("CreateWaiver", asking, subject="kian")
        granting = waivers_pb2.WaiverStepRequest(
            waiver_id=asked_for.id, etag=asked_for.etag, idempotency_key=bench.key()
        )
        granted: Any = await bench.criteria.call("GrantWaiver", granting, subject="verifier")
        await bench.review(made.id, GO)
        revoking = waivers_pb2.WaiverStepRequest(
            waiver_id=granted.id,
            etag=granted.etag,
            reason="It is another project.",
            idempotency_key=bench.key(),
        )
        ruling = bench.ruling(await bench.get(made.id), GO)
        went, _ = await asyncio.gather(
            outcome(bench.rpc.call("DecideProject", ruling)),
            bench.criteria.call("RevokeWaiver", revoking),
        )
        outcomes[went] += 1
        decisions = await bench.decisions(made.id)
        if went:
            assert (went, decisions) == ("VOTES_OUTDATED", [])
        else:
            (inventors,) = (c for c in decisions[0].criteria if c.code == "inventors")
            assert inventors.waiver_id == granted.id
    assert set(outcomes) <= {"", "VOTES_OUTDATED"}
    assert await deadlocks(bench) == 0


async def test_a_confirmation_and_a_rejection_at_once_let_nobody_pass(
    bench: ProjectsBench,
) -> None:
    outcomes: Counter[str] = Counter()
    for _ in range(ROUNDS):
        made, (left,) = await left_open(bench, "inventors")
        shown = await bench.verified(made.id, "inventors")
        reported = await report(bench, left, shown.id)
        confirmed, _ = await asyncio.gather(
            outcome(bench.gates.call("ConfirmProjectCondition", confirmation(bench, reported))),
            evidence_step(bench, "Reject", shown.id, "It is of another project."),
        )
        outcomes[confirmed] += 1
        # Whoever came first: it is not shown, and the next gate knows.
        assert list((await asked(bench, made.id)).unmet_condition_ids) == [left.id]
    assert set(outcomes) <= {"", "EVIDENCE_NOT_VERIFIED"}
    assert await deadlocks(bench) == 0


async def test_a_confirmation_waits_for_who_holds_the_project(bench: ProjectsBench) -> None:
    """The project is locked first, as by everyone: what is decided meanwhile is seen."""
    _, (left,) = await left_open(bench, "inventors")
    shown = await bench.verified(left.project_id, "inventors")
    reported = await report(bench, left, shown.id)
    ruling = decisions_pb2.DECISION_KIND_KILL
    await bench.review(left.project_id, ruling)
    kill = bench.ruling(await bench.get(left.project_id), ruling)
    results = await asyncio.gather(
        outcome(bench.rpc.call("DecideProject", kill)),
        outcome(bench.gates.call("ConfirmProjectCondition", confirmation(bench, reported))),
        outcome(
            bench.gates.call(
                "ReturnProjectCondition",
                conditions_pb2.ProjectConditionStepRequest(
                    condition_id=left.id,
                    etag=reported.etag,
                    reason="Look again.",
                    idempotency_key=bench.key(),
                ),
            )
        ),
    )
    assert results[0] == ""
    assert set(results[1:]) <= {"", "STALE_ETAG", "ILLEGAL_TRANSITION"}
    (after,) = await bench.conditions(project_id=left.project_id)
    assert after.state in (
        conditions_pb2.CONDITION_STATE_MET,
        conditions_pb2.CONDITION_STATE_CANCELLED,
    )
    assert await deadlocks(bench) == 0
