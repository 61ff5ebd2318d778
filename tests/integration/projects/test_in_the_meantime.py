"""What changes while a step waits for its turn is found by it: a rule is kept under the lock.

Whoever looked before the lock, and not under it, would take the step. The change is made
by the one who holds the row, and leaves the version alone: so it is the rule itself that
refuses the step, not that the caller has read another version.
"""

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from peyvand.projects.v1 import gates_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from projects import tables
from tests.integration.projects import result_steps as result
from tests.integration.projects import review_steps as review
from tests.integration.projects.conftest import ProjectsBench, project
from tests.integration.projects.results import Results, held, results_of
from tests.integration.projects.steps import (
    Prepare,
    Step,
    of_project,
    snapshot,
    take_while,
    the_project,
)

Change = Callable[[str], sa.Update]
HEADQUARTERS = "local:hq_admin"
NO_SAY = "TEAM_HAS_NO_SAY"
IN_CONFLICT = "CONFLICT_HAS_NO_SAY"
ENDED = "PROJECT_HAS_ENDED"
FINAL = "KILLED_IS_FINAL"
CLOSED = "READINESS_IS_FINAL"


@pytest.fixture
async def results(bench: ProjectsBench) -> AsyncGenerator[Results]:
    async with results_of(bench) as served:
        yield served


async def made_by(results: Results, **values: Any) -> pb.Project:
    return await results.bench.create(project(await results.bench.center(), **values))


def subject_of(step: Step) -> str:
    return step.who.get("subject", HEADQUARTERS)


async def refused_by(results: Results, step: Step, locked: sa.Select[Any], *changes: Any) -> str:
    """Why a step is refused that waits meanwhile; it has left nothing then."""
    before = await snapshot(results)
    reason = await take_while(results, step, locked, *changes)
    if reason:
        after = await snapshot(results)
        assert (after["step"], after["outbox"]) == (before["step"], before["outbox"])
        assert {name: len(rows) for name, rows in after.items()} == {
            name: len(rows) for name, rows in before.items()
        }
    return reason


def killed(id: str) -> sa.Update:
    return of_project(id, state="killed", resume_date="", hold_cause=None)


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (review.joined, FINAL),
        (review.naming, FINAL),
        (review.striking, FINAL),
        (review.acknowledging, FINAL),
        (review.resuming, FINAL),
        (review.opening, FINAL),
        (review.going_on, FINAL),
        (review.correcting, FINAL),
        (review.superseding, ENDED),
        (review.verifying, ENDED),
        (review.rejecting, ENDED),
        (review.reconfirming, ENDED),
        (review.asking, ENDED),
        (review.granting, ENDED),
        (review.refusing, ENDED),
        (review.taking_back, ENDED),
        (review.revoking, ENDED),
        (result.giving, FINAL),
        (result.paying, FINAL),
        (result.claiming, CLOSED),
        (result.verifying_claim, CLOSED),
        (result.rejecting_claim, CLOSED),
        (result.withdrawing_claim, CLOSED),
    ],
)
async def test_a_project_that_is_killed_meanwhile_takes_nothing(
    results: Results, prepare: Prepare, reason: str
) -> None:
    made = await made_by(results)
    step = await prepare(results, made)
    assert await refused_by(results, step, the_project(made.id), killed(made.id)) == reason


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (review.opening, NO_SAY),
        (review.proposing, NO_SAY),
        (review.withdrawing, NO_SAY),
        (review.going_on, NO_SAY),
        (review.voting, "TEAM_HAS_NO_VOTE"),
        (review.granting, NO_SAY),
        (review.confirming, NO_SAY),
        (review.resuming, NO_SAY),
        (review.acknowledging, NO_SAY),
        (result.meeting, NO_SAY),
        (result.paying, NO_SAY),
    ],
)
async def test_who_becomes_one_of_the_team_meanwhile_has_no_say(
    results: Results, prepare: Prepare, reason: str
) -> None:
    made = await made_by(results)
    step = await prepare(results, made)
    named = of_project(made.id, named_subjects=[subject_of(step)])
    assert await refused_by(results, step, the_project(made.id), named) == reason


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (review.proposing, IN_CONFLICT),
        (review.withdrawing, IN_CONFLICT),
        (review.going_on, IN_CONFLICT),
        (review.voting, "CONFLICT_HAS_NO_VOTE"),
        (review.granting, IN_CONFLICT),
        (review.confirming, IN_CONFLICT),
        (review.resuming, IN_CONFLICT),
        (review.acknowledging, IN_CONFLICT),
        (result.meeting, IN_CONFLICT),
        (result.paying, IN_CONFLICT),
    ],
)
async def test_who_declares_a_conflict_meanwhile_has_no_say(
    results: Results, prepare: Prepare, reason: str
) -> None:
    made = await made_by(results)
    step = await prepare(results, made)
    at = await results.bench.get(made.id)
    if not at.open_gate_id:
        await results.bench.open_gate(made.id)
        at = await results.bench.get(made.id)
        if "project_id" in step.request.DESCRIPTOR.fields_by_name:
            cast("Any", step.request).etag = at.etag
    declared = {
        "subject": subject_of(step),
        "conflict": "financial",
        "note": "Holds shares.",
        "declared_at": datetime.now(UTC).isoformat(),
        "center_ids": [],
    }
    gate = tables.gate
    declares = gate.update().where(gate.c.id == at.open_gate_id).values(declarations=[declared])
    assert await refused_by(results, step, the_project(made.id), declares) == reason


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (review.going_on, "VOTES_OUTDATED"),
        (review.confirming, "EVIDENCE_NOT_VERIFIED"),
        (result.meeting, "EVIDENCE_NOT_VERIFIED"),
        (result.paying, "EVIDENCE_NOT_VERIFIED"),
        (result.verifying_claim, "EVIDENCE_NOT_VERIFIED"),
    ],
)
async def test_what_stands_on_evidence_that_is_rejected_meanwhile_falls(
    results: Results, prepare: Prepare, reason: str
) -> None:
    made = await made_by(results)
    step = await prepare(results, made)
    evidence = tables.evidence
    of = (evidence.c.project_id == made.id, evidence.c.criterion == review.CRITERION)
    rejects = evidence.update().where(*of).values(state="rejected", rejected_visit=1)
    assert await refused_by(results, step, the_project(made.id), rejects) == reason


def under_review(id: str) -> sa.Update:
    return of_project(id, open_gate_id="gat_other")


def in_the_next_stage(id: str) -> sa.Update:
    visit = {
        "stage": "s1",
        "entered_at": datetime.now(UTC).isoformat(),
        "left_at": None,
        "decision_id": "",
    }
    visits = tables.project.c.stage_visits + sa.cast([visit], JSONB)
    return of_project(id, stage="s1", stage_visits=visits)


def struck(id: str) -> sa.Update:
    return of_project(id, named_subjects=["omid"], struck_subjects=["omid"])


def decided_anew(id: str) -> sa.Update:
    return of_project(id, latest_decision_id="dec_other")


@pytest.mark.parametrize(
    ("prepare", "change", "reason"),
    [
        (review.opening, under_review, "GATE_ALREADY_OPEN"),
        (review.naming, under_review, "FROZEN_AT_GATE"),
        (review.joined, under_review, "FROZEN_AT_GATE"),
        (review.striking, under_review, "FROZEN_AT_GATE"),
        (review.superseding, under_review, "UNDER_REVIEW"),
        (review.naming, struck, "NAMING_STRUCK"),
        (review.striking, struck, "NOT_NAMED"),
        (review.asking, in_the_next_stage, "CRITERION_OF_OTHER_STAGE"),
        (review.granting, in_the_next_stage, "VISIT_IS_OVER"),
        (review.correcting, decided_anew, "NOT_THE_LATEST_DECISION"),
        (review.going_on, held, "ILLEGAL_TRANSITION"),
        (result.paying, held, "PROJECT_ON_HOLD"),
    ],
)
async def test_a_project_that_has_moved_meanwhile_is_seen_as_it_is(
    results: Results, prepare: Prepare, change: Change, reason: str
) -> None:
    made = await made_by(results)
    step = await prepare(results, made)
    assert await refused_by(results, step, the_project(made.id), change(made.id)) == reason


@pytest.mark.parametrize(
    "prepare",
    [
        review.superseding,
        review.asking,
        review.taking_back,
        review.telling,
        result.reporting,
        result.claiming,
        result.withdrawing_claim,
    ],
)
async def test_a_center_that_is_taken_off_meanwhile_brings_nothing_any_more(
    results: Results, prepare: Prepare
) -> None:
    part = await results.bench.center()
    made = await made_by(results, participants=[pb.ProjectParticipant(center_id=part)])
    step = await prepare(results, made)
    who = {"subject": "kian", "role": "center_admin", "center_ids": [part]}
    center = Step(step.name, step.request, who)
    taken_off = of_project(made.id, participants=[])
    assert await refused_by(results, center, the_project(made.id), taken_off) == "NOT_FOUND"


@pytest.mark.parametrize("prepare", [review.naming, review.joined])
async def test_a_center_that_does_not_lead_any_more_changes_nothing(
    results: Results, prepare: Prepare
) -> None:
    lead, other = await results.bench.center(), await results.bench.center()
    made = await results.bench.create(project(lead))
    step = await prepare(results, made)
    center = Step(step.name, step.request, {"role": "center_admin", "center_ids": [lead]})
    led = of_project(made.id, lead_center_id=other)
    assert await refused_by(results, center, the_project(made.id), led) == "NOT_YOUR_CENTER"


def out(table: sa.Table, **values: Any) -> tuple[sa.Select[Any], sa.Update]:
    return sa.select(table.c.id), table.update().values(**values)


AGREEMENT, CENTER = tables.known_agreement, tables.known_center


@pytest.mark.parametrize(
    ("prepare", "table", "values", "reason"),
    [
        (review.recording, AGREEMENT, {"state": "suspended"}, "AGREEMENT_NOT_IN_FORCE"),
        (review.joined, AGREEMENT, {"state": "expired"}, "AGREEMENT_NOT_IN_FORCE"),
        (review.recording, AGREEMENT, {"party_ids": []}, "NOT_A_PARTY"),
        (review.joined, AGREEMENT, {"party_ids": []}, "NOT_A_PARTY"),
        (review.recording, CENTER, {"state": "suspended"}, "CENTER_NOT_ACTIVE"),
        (review.going_on, CENTER, {"state": "suspended"}, "FLAGS_BLOCK_GO"),
        (result.paying, CENTER, {"state": "closed"}, "FLAGS_BLOCK_PAYMENT"),
    ],
)
async def test_a_neighbour_that_is_out_meanwhile_is_found_to_be(
    results: Results, prepare: Prepare, table: sa.Table, values: dict[str, Any], reason: str
) -> None:
    step = await prepare(results, await made_by(results))
    assert await refused_by(results, step, *out(table, **values)) == reason


async def test_a_vote_at_a_gate_that_ends_meanwhile_is_not_taken(results: Results) -> None:
    made = await made_by(results)
    step = await review.voting(results, made)
    gate = tables.gate
    id = cast("gates_pb2.VoteAtGateRequest", step.request).gate_id
    ends = gate.update().where(gate.c.id == id).values(state="withdrawn")
    assert await refused_by(results, step, the_project(made.id), ends) == "ILLEGAL_TRANSITION"
