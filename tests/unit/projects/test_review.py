"""The guard of every decision, and what a decision keeps of what it stood on."""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import replace
from typing import Any

import pytest

from domainkit.rules import IllegalStep, Refused, RulesBroken
from domainkit.values import ImpreciseDate, LocalizedText
from peyvand.projects.v1 import decisions_pb2, panel_pb2
from projects.domain.assessment import SATISFIED, CriterionState
from projects.domain.decisions import (
    Condition,
    Decision,
    DecisionKind,
    Ruling,
    WithdrawnGate,
)
from projects.domain.flags import KnownState, Neighbours
from projects.domain.gates import GateState
from projects.domain.panel import Conflict
from projects.domain.pathways import Stage, Template
from projects.domain.project import HoldCause, Project, ProjectState
from projects.domain.record_hashes import (
    assessment_hash,
    canonical,
    damaged,
    record_hash,
    sealed,
    terms_hash,
)
from projects.domain.team import Team
from projects.domain.visits import Visited
from servicekit.personal_data import holds_national_id, personal_data
from tests.unit.projects.examples import (
    CONDITIONAL_GO,
    GO,
    HOLD,
    KILL,
    NOW,
    TOMORROW,
    assessed,
    begin,
    broken_by,
    occasion,
    open_gate,
    recycle,
    reviewed,
)

MISSING = CriterionState.MISSING
NOT_MET = [
    state
    for state in CriterionState
    if state not in SATISFIED and state != CriterionState.OTHER_ROUTE
]


def decide(
    project: Project, ruling: Ruling, way: Template, id: str = "dec_1", **given: Any
) -> Decision:
    review = reviewed(project, ruling, way, **given)
    return review.decide(project, ruling, way, id, occasion())


def refused(project: Project, ruling: Ruling, way: Template, **given: Any) -> Refused:
    """The reason for which nothing is decided, and nothing changed."""
    review = reviewed(project, given.pop("voted", ruling), way, **given)
    before, gate = replace(project), replace(review.gate)
    with pytest.raises(Refused) as refusal:
        review.decide(project, ruling, way, "dec_1", occasion())
    assert (project, review.gate) == (before, gate)
    return refusal.value


def test_a_decision_keeps_what_it_stood_on(way: Template) -> None:
    project = begin(way)
    review = reviewed(project, GO, way)
    decision = review.decide(project, GO, way, "dec_1", occasion())
    assert (decision.gate_id, decision.visit, decision.quorum) == ("gat_1", 1, 2)
    assert [member.subject for member in decision.panel] == ["dana", "mina", "omid"]
    assert [item.subject for item in decision.declarations] == ["dana", "mina"]
    assert {(item.subject, item.kind) for item in decision.votes} == {
        ("dana", DecisionKind.GO),
        ("mina", DecisionKind.GO),
    }
    assert [item.code for item in decision.criteria] == [
        item.code for item in way.criteria_of(project.pathway, Stage.S0)
    ]
    assert all(item.state == "verified" for item in decision.criteria)
    assert len(decision.criteria[0].evidence_hashes[0]) == 64
    gate = review.gate
    assert (gate.state, gate.decision_id) == (GateState.DECIDED, "dec_1")
    assert (project.stage, project.open_gate_id) == (Stage.S1, "")


def test_it_is_what_was_voted_for(way: Template) -> None:
    refusal = refused(begin(way), GO, way, voted=HOLD)
    assert refusal.reason == "NOT_WHAT_WAS_VOTED"
    assert refusal.params == {"decision": "go", "voted": "hold"}


def test_votes_of_the_team_make_no_quorum(way: Template) -> None:
    team = Team(frozenset({"dana"}), frozenset())
    assert refused(begin(way), GO, way, team=team).reason == "QUORUM_NOT_REACHED"


@pytest.mark.parametrize("state", NOT_MET)
def test_go_takes_every_criterion(way: Template, state: CriterionState) -> None:
    project = begin(way)
    given = assessed(way, project, inventors=state)
    refusal = refused(project, GO, way, assessment=given)
    assert refusal.reason == "CRITERIA_OPEN"
    assert refusal.params == {"criteria": "inventors"}


def test_a_waived_criterion_is_no_obstacle(way: Template) -> None:
    project = begin(way)
    given = assessed(way, project, inventors=CriterionState.WAIVED)
    assert decide(project, GO, way, assessment=given).to_stage == Stage.S1


def naming(*criteria: str) -> Ruling:
    text = LocalizedText(en="Bring it")
    conditions = [Condition(text, "Quality, Tabriz", TOMORROW, code) for code in criteria]
    return replace(CONDITIONAL_GO, conditions=conditions)


def test_a_conditional_go_leaves_open_what_its_conditions_name(way: Template) -> None:
    project = begin(way)
    given = assessed(way, project, inventors=MISSING, ownership=MISSING)
    refusal = refused(project, naming("inventors", ""), way, assessment=given)
    assert refusal.params == {"criteria": "ownership"}
    project.withdraw_gate(occasion())
    decision = decide(project, naming("inventors", "ownership"), way, assessment=given)
    assert decision.to_stage == Stage.S1
    assert [item.state for item in decision.criteria].count("missing") == 2


def test_a_condition_names_a_criterion_of_the_stage(way: Template) -> None:
    project = begin(way)
    review = reviewed(project, naming("", "potency-assay-draft"), way)
    with pytest.raises(RulesBroken) as refusal:
        review.decide(project, naming("", "potency-assay-draft"), way, "dec_1", occasion())
    assert broken_by(refusal.value) == {("conditions[1].criterion", "CRITERION_NOT_OF_STAGE")}


@pytest.mark.parametrize("ruling", [HOLD, KILL, recycle(Stage.S0)])
def test_to_stop_or_go_back_takes_no_evidence(way: Template, ruling: Ruling) -> None:
    project = begin(way, initial_stage=Stage.S1, initial_stage_reason="Under way.")
    decide(project, ruling, way, assessment=assessed(way, project, MISSING))
    assert project.latest_decision_id == "dec_1"


@pytest.mark.parametrize("ruling", [GO, CONDITIONAL_GO, HOLD, recycle(Stage.S0)])
def test_with_an_overdue_condition_nothing_but_kill_is_decided(
    way: Template, ruling: Ruling
) -> None:
    project = begin(way, initial_stage=Stage.S1, initial_stage_reason="Under way.")
    refusal = refused(project, ruling, way, overdue=["cnd_1", "cnd_2"])
    assert refusal.reason == "CONDITION_OVERDUE"
    assert refusal.params == {"conditions": "cnd_1, cnd_2"}
    project.withdraw_gate(occasion())
    assert project.hold_overdue(occasion())
    decide(project, KILL, way, overdue=["cnd_1", "cnd_2"])
    assert (project.state, project.hold_cause) == (ProjectState.KILLED, None)


def test_an_overdue_condition_holds_until_none_is(way: Template) -> None:
    project = begin(way)
    assert project.hold_overdue(occasion(reason="cnd_1"))
    assert (project.state, project.hold_cause) == (
        ProjectState.ON_HOLD,
        HoldCause.OVERDUE_CONDITION,
    )
    assert (project.resume_date, project.state_reason) == ("", "cnd_1")
    assert not project.hold_overdue(occasion())
    with pytest.raises(Refused, match="CONDITION_OVERDUE"):
        project.resume(occasion(), overdue=["cnd_1"])
    project.resume(occasion(), overdue=[])
    assert (project.state, project.hold_cause) == (ProjectState.ACTIVE, None)


def test_a_decision_takes_the_gate_that_the_project_stands_at(way: Template) -> None:
    project = begin(way)
    with pytest.raises(Refused, match="GATE_NEEDED"):
        project.require_at_gate()
    review = reviewed(project, GO, way)
    project.withdraw_gate(occasion())
    open_gate(project, id="gat_2")
    with pytest.raises(ValueError, match="gat_1"):
        review.decide(project, GO, way, "dec_1", occasion())
    assert project.stage == Stage.S0


def test_what_was_voted_for_is_recorded_with_its_terms(way: Template) -> None:
    project = begin(way)
    review = reviewed(project, HOLD, way)
    other = replace(HOLD, resume_date="2026-03-09")
    with pytest.raises(Refused, match="TERMS_DIFFER") as refusal:
        review.decide(project, other, way, "dec_1", occasion())
    assert refusal.value.params == {"decision": "hold"}
    assert (project.state, review.gate.state) == (ProjectState.ACTIVE, GateState.OPEN)
    # Left out, they are those of the vote.
    bare = Ruling(DecisionKind.HOLD, "As it was voted.")
    decision = review.decide(project, bare, way, "dec_1", occasion())
    assert (decision.resume_date, project.resume_date) == (TOMORROW, TOMORROW)
    assert decision.terms_hash == terms_hash(HOLD.terms) == decision.votes[0].terms_hash
    assert (decision.proposed_by, decision.opened_by) == ("chair", "someone")


@pytest.mark.parametrize("state", NOT_MET)
def test_what_has_changed_since_the_vote_is_voted_on_again(
    way: Template, state: CriterionState
) -> None:
    project = begin(way)
    review = reviewed(project, HOLD, way)
    changed = replace(review, assessment=assessed(way, project, inventors=state))
    with pytest.raises(Refused, match="VOTES_OUTDATED") as refusal:
        changed.decide(project, HOLD, way, "dec_1", occasion())
    assert refusal.value.params == {"members": "dana, mina"}
    decision = review.decide(project, HOLD, way, "dec_1", occasion())
    assert decision.assessment_hash == assessment_hash(review.assessment)
    assert {item.assessment_hash for item in decision.votes} == {decision.assessment_hash}


def test_the_digest_of_what_is_reviewed_is_of_all_that_it_stands_on(way: Template) -> None:
    given = assessed(way, begin(way))
    first, *others = given.criteria
    for other in (
        replace(given, visit=2),
        replace(given, stage=Stage.S1),
        replace(given, criteria=tuple(others)),
        *(
            replace(given, criteria=(replace(first, **change), *others))
            for change in (
                {"state": MISSING},
                {"evidence_ids": ("evd_2",)},
                {"evidence_hashes": ("0" * 64,)},
                {"waiver_id": "wvr_1"},
            )
        ),
    ):
        assert assessment_hash(other) != assessment_hash(given)
    assert assessment_hash(assessed(way, begin(way))) == assessment_hash(given)
    # What nobody has verified is not met, whatever becomes of it: it makes nobody vote again.
    open_still = {
        assessment_hash(replace(given, criteria=(replace(first, state=state), *others)))
        for state in NOT_MET
    }
    assert len(open_still) == 1


def test_who_records_a_decision_is_neither_of_the_team_nor_in_conflict(way: Template) -> None:
    project = begin(way)
    review = reviewed(project, HOLD, way, team=Team(frozenset({"kian"}), frozenset({"ctr_a"})))
    review.gate.declare(Conflict.FAMILY, "A cousin.", (), replace(occasion(), actor="omid"))
    for who, centers, reason in (
        ("kian", [], "TEAM_HAS_NO_SAY"),
        ("someone", ["ctr_a"], "TEAM_HAS_NO_SAY"),
        ("omid", [], "CONFLICT_HAS_NO_SAY"),
    ):
        recorded = replace(review, center_ids=centers)
        with pytest.raises(Refused, match=reason):
            recorded.decide(project, HOLD, way, "dec_1", replace(occasion(), actor=who))
    assert project.state == ProjectState.ACTIVE
    review.decide(project, HOLD, way, "dec_1", occasion())


@pytest.mark.parametrize("ruling", [GO, CONDITIONAL_GO])
def test_no_further_stage_while_a_criterion_of_an_earlier_gate_is_open(
    way: Template, ruling: Ruling
) -> None:
    project = begin(way, initial_stage=Stage.S1, initial_stage_reason="Under way.")
    refusal = refused(project, ruling, way, unmet=["cnd_1", "cnd_2"])
    assert (refusal.reason, refusal.params) == (
        "CONDITION_UNMET",
        {"conditions": "cnd_1, cnd_2"},
    )


@pytest.mark.parametrize("ruling", [HOLD, KILL, recycle(Stage.S0)])
def test_an_unmet_criterion_stops_nothing_but_a_go(way: Template, ruling: Ruling) -> None:
    project = begin(way, initial_stage=Stage.S1, initial_stage_reason="Under way.")
    decide(project, ruling, way, unmet=["cnd_1"])
    assert project.latest_decision_id == "dec_1"


def test_after_the_last_gate_nothing_is_asked_for_so_nothing_is_left_open(way: Template) -> None:
    project = begin(way, initial_stage=Stage.S7, initial_stage_reason="In use.")
    criteria = [c.code for c in way.criteria_of(project.pathway, Stage.S7) if not c.route]
    given = assessed(way, project, **{criteria[0].replace("-", "_"): MISSING})
    refusal = refused(project, naming(criteria[0]), way, assessment=given)
    assert (refusal.reason, refusal.params) == ("CRITERIA_OPEN", {"criteria": criteria[0]})
    project.withdraw_gate(occasion())
    # Other conditions can be made there.
    decide(project, CONDITIONAL_GO, way)
    assert project.state == ProjectState.COMPLETED


def test_a_decision_tells_of_gates_that_were_withdrawn(way: Template) -> None:
    told = WithdrawnGate("gat_0", "azar", NOW, "omid", NOW, "It would have been a no.")
    decision = decide(begin(way), GO, way, withdrawn=[told])
    assert decision.withdrawn_gates == [told]
    forged = replace(decision, withdrawn_gates=[])
    assert damaged([decision]) == []
    assert damaged([forged]) == ["dec_1"]


# Corrections.


@pytest.mark.parametrize(
    ("first", "then", "stages", "state"),
    [
        (GO, HOLD, [Stage.S1], ProjectState.ON_HOLD),
        (GO, CONDITIONAL_GO, [Stage.S1, Stage.S2], ProjectState.ACTIVE),
        (GO, recycle(Stage.S0), [Stage.S1, Stage.S0], ProjectState.ACTIVE),
        (GO, KILL, [Stage.S1], ProjectState.KILLED),
        (HOLD, GO, [Stage.S1, Stage.S2], ProjectState.ACTIVE),
        (recycle(Stage.S0), GO, [Stage.S1, Stage.S2], ProjectState.ACTIVE),
    ],
)
def test_a_correction_is_applied_to_where_the_project_was(
    way: Template, first: Ruling, then: Ruling, stages: list[Stage], state: ProjectState
) -> None:
    project = begin(way, initial_stage=Stage.S1, initial_stage_reason="Under way.")
    decision = decide(project, first, way)
    held = project.state
    corrected = decide(project, then, way, "dec_2", gate_id="gat_2", superseded=decision)
    assert corrected.supersedes_id == "dec_1"
    assert corrected.from_stage == Stage.S1
    assert [visit.stage for visit in project.stage_visits] == stages
    assert project.stage == stages[-1]
    assert (project.state, project.latest_decision_id) == (state, "dec_2")
    assert [visit.left_at is None for visit in project.stage_visits][:-1] == [False] * (
        len(stages) - 1
    )
    assert (project.stage_visits[-1].left_at is None) == (state != ProjectState.KILLED)
    step = project.pending[-1]
    assert (step.from_state, step.to_state) == (held.value, state.value)


def test_a_completed_project_comes_back_by_correction_alone(way: Template) -> None:
    project = begin(way, initial_stage=Stage.S7, initial_stage_reason="In use.")
    decision = decide(project, GO, way)
    assert project.state == ProjectState.COMPLETED
    decide(project, HOLD, way, "dec_2", gate_id="gat_2", superseded=decision)
    assert (project.state, project.stage) == (ProjectState.ON_HOLD, Stage.S7)
    assert project.stage_visits[-1].left_at is None
    step = project.pending[-1]
    assert (step.from_state, step.to_state) == ("completed", "on_hold")


def test_a_correction_is_flagged_as_the_project_was_that_it_is_applied_to(way: Template) -> None:
    project = begin(way, initial_stage=Stage.S7, initial_stage_reason="In use.")
    decision = decide(project, GO, way)
    assert (project.state, project.flags) == (ProjectState.COMPLETED, [])
    # What has ended has no flags; what it comes back to would have one.
    out = Neighbours(centers={"ctr_a": KnownState("suspended", None)})
    due = project.before(decision).due_flags(out, way)
    assert due
    refusal = refused(project, GO, way, gate_id="gat_2", superseded=decision, flags=due)
    assert refusal.reason == "FLAGS_BLOCK_GO"
    assert project.state == ProjectState.COMPLETED


def test_only_the_last_decision_is_corrected_and_never_a_kill(way: Template) -> None:
    project = begin(way)
    first = decide(project, GO, way)
    second = decide(project, KILL, way, "dec_2", gate_id="gat_2")
    with pytest.raises(Refused, match="KILLED_IS_FINAL"):
        project.before(second)
    other = begin(way)
    first = decide(other, GO, way)
    decide(other, HOLD, way, "dec_2", gate_id="gat_2")
    with pytest.raises(Refused, match="NOT_THE_LATEST_DECISION"):
        other.before(first)


def test_a_correction_can_be_corrected(way: Template) -> None:
    project = begin(way)
    first = decide(project, GO, way)
    second = decide(project, HOLD, way, "dec_2", gate_id="gat_2", superseded=first)
    third = decide(project, GO, way, "dec_3", gate_id="gat_3", superseded=second)
    assert (third.from_stage, third.to_stage) == (Stage.S0, Stage.S1)
    assert [visit.decision_id for visit in project.stage_visits] == ["", "dec_3"]


@pytest.mark.parametrize(("then", "number"), [(CONDITIONAL_GO, 2), (recycle(Stage.S0), 3)])
def test_the_number_of_a_visit_that_was_struck_is_given_to_no_other_stage(
    way: Template, then: Ruling, number: int
) -> None:
    project = begin(way, initial_stage=Stage.S1, initial_stage_reason="Under way.")
    first = decide(project, GO, way)
    assert [visit.number for visit in project.stage_visits] == [1, 2]
    # What leads to the same stage lets the visit go on; else it is another.
    decide(project, then, way, "dec_2", gate_id="gat_2", superseded=first)
    assert [visit.number for visit in project.stage_visits] == [1, number]
    assert project.visit == number


def test_a_stage_that_is_entered_again_after_a_correction_is_another_visit(way: Template) -> None:
    project = begin(way)
    first = decide(project, GO, way)
    hold = replace(HOLD, resume_date=NOW.date().isoformat())
    decide(project, hold, way, "dec_2", gate_id="gat_2", superseded=first)
    assert (project.visit, project.visits_begun) == (1, 2)
    project.resume(occasion(), overdue=())
    decide(project, GO, way, "dec_3", gate_id="gat_3")
    assert [visit.number for visit in project.stage_visits] == [1, 3]
    assert Visited.by(project).last_visit(Stage.S1) == 3


def test_visits_from_before_numbers_were_kept_have_that_of_their_place(way: Template) -> None:
    project = begin(way)
    decide(project, GO, way)
    before = [replace(visit, number=0) for visit in project.stage_visits]
    again = replace(project, stage_visits=before, visits_begun=0)
    assert (again.visit, again.visits_begun) == (2, 2)
    # Where one was struck since, the count of all knows.
    assert replace(again, stage_visits=before[:1], visits_begun=2).visits_begun == 2


@pytest.mark.parametrize(
    ("day", "rule"),
    [
        ("2026-02-28", "DECIDED_BEFORE_GATE"),
        ("2026-02", "DECIDED_BEFORE_GATE"),
        ("2025", "DECIDED_BEFORE_GATE"),
        ("2026-02-30", "NO_SUCH_DATE"),
        ("2026-03-02", "DATE_IN_FUTURE"),
        ("2026-03-01", ""),
        ("2026-03", ""),
    ],
)
def test_what_a_gate_decides_is_decided_while_it_is_open(
    way: Template, day: str, rule: str
) -> None:
    project = begin(way)
    ruling = replace(GO, decided_date=ImpreciseDate(day))
    review = reviewed(project, GO, way)
    before = replace(project)
    if not rule:
        assert review.decide(project, ruling, way, "dec_1", occasion()).decided_date
        return
    with pytest.raises(RulesBroken) as refusal:
        review.decide(project, ruling, way, "dec_1", occasion())
    assert broken_by(refusal.value) == {("decided_date.value", rule)}
    assert project == before


def test_that_it_can_be_decided_is_told_as_it_is_done(way: Template) -> None:
    for state, possible in ((CriterionState.VERIFIED, True), (CriterionState.SUBMITTED, False)):
        project = begin(way)
        review = reviewed(project, GO, way, assessment=assessed(way, project, state))
        before, gate = replace(project), replace(review.gate)
        assert review.can_be_decided(project, way, occasion()) is possible
        assert (project, project.pending, review.gate, review.gate.pending) == (
            before,
            before.pending,
            gate,
            gate.pending,
        )


def test_a_correction_keeps_to_what_was_possible_then(way: Template) -> None:
    project = begin(way)
    decision = decide(project, HOLD, way)
    ruling = recycle(Stage.S0)
    review = reviewed(project, ruling, way, gate_id="gat_2", superseded=decision)
    with pytest.raises(RulesBroken) as refusal:
        review.decide(project, recycle(Stage.S0), way, "dec_2", occasion())
    assert broken_by(refusal.value) == {("to_stage", "STAGE_NOT_EARLIER")}
    assert project.state == ProjectState.ON_HOLD
    with pytest.raises(IllegalStep):
        project.decide(GO, way, "dec_2", occasion())


# The chain of digests.


def chain(way: Template) -> list[Decision]:
    project, found = begin(way), list[Decision]()
    for n, ruling in enumerate([GO, CONDITIONAL_GO, recycle(Stage.S0), HOLD]):
        previous = found[-1] if found else None
        found.append(
            decide(project, ruling, way, f"dec_{n}", gate_id=f"gat_{n}", previous=previous)
        )
    return found


def test_each_decision_carries_the_digest_of_the_one_before(way: Template) -> None:
    decisions = chain(way)
    assert decisions[0].previous_hash == ""
    for before, after in itertools.pairwise(decisions):
        assert after.previous_hash == before.record_hash
    assert len({item.record_hash for item in decisions}) == 4
    assert damaged(decisions) == []


def test_a_digest_can_be_made_with_any_tool(way: Template) -> None:
    decision = chain(way)[1]
    plain = canonical(replace(decision, record_hash=""))
    assert plain["conditions"] == [
        {"text": {"en": "Repeat the assay"}, "owner": "Quality, Tabriz", "due_date": TOMORROW}
    ]
    assert plain["created_at"].endswith("Z")
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert decision.record_hash == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "Because."},
        {"votes": []},
        {"quorum": 1},
        {"criteria": []},
        {"kind": DecisionKind.KILL},
        {"previous_hash": ""},
        {"record_hash": ""},
    ],
)
def test_what_was_changed_afterwards_shows(way: Template, change: dict[str, Any]) -> None:
    decisions = chain(way)
    forged = replace(decisions[1], **change)
    assert "dec_1" in damaged([decisions[0], forged, *decisions[2:]])
    # Sealed anew, it does not fit the one after it.
    resealed = replace(forged, record_hash=record_hash(forged))
    unchanged = change == {"record_hash": ""}
    assert (damaged([decisions[0], resealed, *decisions[2:]]) == []) is unchanged


def test_what_was_left_out_or_put_elsewhere_shows(way: Template) -> None:
    first, second, third, fourth = chain(way)
    assert damaged([first, third, fourth]) == ["dec_2"]
    assert damaged([second, third, fourth]) == ["dec_1"]
    assert damaged([first, third, second, fourth])


def test_decisions_from_before_gates_are_vouched_for_by_those_after(way: Template) -> None:
    project = begin(way)
    old = project.decide(GO, way, "dec_old", occasion())
    assert (old.record_hash, old.gate_id) == ("", "")
    new = decide(project, GO, way, previous=old)
    assert damaged([old, new]) == []
    assert damaged([replace(old, reason="Other."), new]) == ["dec_1"]
    assert sealed(replace(new, previous_hash="0" * 64), old) == new


def test_a_digest_with_ten_digits_is_no_personal_number() -> None:
    """One digest in some hundred holds ten digits that look like a national id."""
    digest = "c39b2b892f5c1fb416c5380fbe98e1aef26a28e1160520781f12962b947520e8"
    assert holds_national_id(digest)
    decision = decisions_pb2.Decision(
        record_hash=digest,
        previous_hash=digest,
        votes=[decisions_pb2.Vote(subject=digest)],
        declarations=[panel_pb2.Declaration(subject=digest)],
        panel=[panel_pb2.PanelMember(subject=digest)],
        criteria=[decisions_pb2.DecidedCriterion(evidence_hashes=[digest])],
    )
    assert personal_data(decision) == []
