"""The rules of a gate: who declares, who votes, which votes count, what they come to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domainkit.aggregate import Occasion
from domainkit.rules import IllegalStep, Refused, RulesBroken
from domainkit.values import LocalizedText
from projects.domain.decisions import DecisionKind, Terms
from projects.domain.gates import Gate, GateState
from projects.domain.panel import Conflict, Declaration, PanelMember, PanelRole
from projects.domain.participants import Participant
from projects.domain.pathways import Template
from projects.domain.people import PersonRole, ProjectPerson
from projects.domain.team import Team, team_of
from tests.unit.projects.examples import (
    BASIS,
    NO_TEAM,
    TERMS,
    begin,
    broken_by,
    occasion,
    on_panel,
    open_gate,
    propose,
    vote,
)

GO, HOLD, KILL = DecisionKind.GO, DecisionKind.HOLD, DecisionKind.KILL


def by(subject: str, reason: str = "As the evidence stands.") -> Occasion:
    return replace(occasion(reason=reason), actor=subject)


@pytest.mark.parametrize(("size", "quorum"), [(3, 2), (4, 3), (5, 3), (9, 5)])
def test_without_a_quorum_more_than_half_of_the_panel_is_one(
    way: Template, size: int, quorum: int
) -> None:
    gate = open_gate(begin(way), *(f"member-{n}" for n in range(size)))
    assert (gate.quorum, gate.visit, gate.stage) == (quorum, 1, "s0")


def test_a_quorum_counts_those_alone_who_can_have_a_vote(way: Template) -> None:
    project, team = begin(way), Team(frozenset({"dana"}), frozenset())
    panel = on_panel("dana", "mina", "omid", "sara", "vida")

    def gate(quorum: int) -> Gate:
        values = {"project_id": project.id, "panel": panel, "quorum": quorum}
        return Gate.open(project, team, "gat_1", occasion(), values)

    assert gate(0).quorum == 3
    assert gate(4).quorum == 4
    for quorum, rule in ((5, "QUORUM_NOT_POSSIBLE"), (2, "QUORUM_TOO_SMALL")):
        with pytest.raises(RulesBroken) as refusal:
            gate(quorum)
        assert broken_by(refusal.value) == {("quorum", rule)}


@pytest.mark.parametrize("quorum", [1, 4])
def test_a_minority_of_the_panel_decides_nothing(way: Template, quorum: int) -> None:
    with pytest.raises(RulesBroken) as refusal:
        open_gate(begin(way), *(f"member-{n}" for n in range(9)), quorum=quorum)
    assert broken_by(refusal.value) == {("quorum", "QUORUM_TOO_SMALL")}


def test_three_are_needed_who_can_have_a_vote(way: Template) -> None:
    project = begin(way)
    values = {"project_id": project.id, "panel": on_panel("dana", "mina", "omid")}
    family = Declaration("mina", Conflict.FAMILY, "A cousin.", occasion().at)
    for team, conflicts in ((Team(frozenset({"dana"}), frozenset()), []), (NO_TEAM, [family])):
        with pytest.raises(RulesBroken) as refusal:
            Gate.open(project, team, "gat_1", occasion(), values, conflicts=conflicts)
        (broken,) = refusal.value.broken
        assert (broken.field, broken.rule) == ("panel", "PANEL_TOO_SMALL")
        assert broken.params == {"eligible": "2", "least": "3"}


def test_a_gate_from_before_takes_a_quorum_of_today(way: Template) -> None:
    gate = open_gate(begin(way), *(f"member-{n}" for n in range(5)))
    gate.quorum = 1
    vote(gate, GO, "member-0", "member-1")
    with pytest.raises(Refused, match="QUORUM_NOT_REACHED") as refusal:
        gate.outcome(NO_TEAM, BASIS)
    assert refusal.value.params == {"votes": "2", "quorum": "3"}
    gate.panel = on_panel("member-0")
    gate.votes = gate.votes[:1]
    with pytest.raises(Refused, match="QUORUM_NOT_REACHED"):
        gate.outcome(NO_TEAM, BASIS)


def test_a_conflict_that_was_declared_over_the_visit_stands_at_the_next_gate(
    way: Template,
) -> None:
    project = begin(way)
    values = {"project_id": project.id, "panel": on_panel("dana", "mina", "omid", "sara")}
    conflicts = [
        Declaration(subject, Conflict.FINANCIAL, "Holds shares.", occasion().at)
        for subject in ("dana", "stranger")
    ]
    gate = Gate.open(project, NO_TEAM, "gat_2", occasion(), values, conflicts=conflicts)
    assert gate.declarations == conflicts[:1]
    assert gate.quorum == 2
    with pytest.raises(Refused, match="CONFLICT_STANDS"):
        gate.declare(Conflict.NONE, "", (), by("dana"))
    with pytest.raises(Refused, match="CONFLICT_HAS_NO_VOTE"):
        gate.vote(GO, NO_TEAM, (), BASIS, by("dana"))


def test_a_vote_is_for_terms_and_falls_with_them(way: Template) -> None:
    gate = open_gate(begin(way))
    gate.declare(Conflict.NONE, "", (), by("dana"))
    for kind in TERMS:
        with pytest.raises(Refused, match="TERMS_NEEDED"):
            gate.vote(kind, NO_TEAM, (), BASIS, by("dana"))
    propose(gate, TERMS[HOLD])
    vote(gate, HOLD, "dana", "mina")
    assert gate.outcome(NO_TEAM, BASIS) == HOLD
    # Those of another kind are no matter of theirs.
    propose(gate, TERMS[KILL])
    assert gate.outcome(NO_TEAM, BASIS) == HOLD
    propose(gate, replace(TERMS[HOLD], resume_date="2026-03-09"))
    assert gate.counted(NO_TEAM, BASIS) == []
    with pytest.raises(Refused, match="VOTES_OUTDATED") as refusal:
        gate.outcome(NO_TEAM, BASIS)
    assert refusal.value.params == {"members": "dana, mina"}
    vote(gate, HOLD, "dana", "mina")
    assert gate.outcome(NO_TEAM, BASIS) == HOLD
    # Put back, they are those of the first votes, not of these.
    propose(gate, TERMS[HOLD])
    with pytest.raises(Refused, match="VOTES_OUTDATED"):
        gate.outcome(NO_TEAM, BASIS)


def test_a_vote_falls_with_what_was_reviewed(way: Template) -> None:
    gate = open_gate(begin(way))
    vote(gate, GO, "dana", "mina")
    with pytest.raises(Refused, match="VOTES_OUTDATED"):
        gate.outcome(NO_TEAM, "1" * 64)
    vote(gate, GO, "dana", basis="1" * 64)
    # One who has not looked at it again is not passed over.
    with pytest.raises(Refused, match="VOTES_OUTDATED") as refusal:
        gate.outcome(NO_TEAM, "1" * 64)
    assert refusal.value.params == {"members": "mina"}
    gate.declare(Conflict.FAMILY, "A cousin.", (), by("mina"))
    vote(gate, GO, "omid", basis="1" * 64)
    assert gate.outcome(NO_TEAM, "1" * 64) == GO


@pytest.mark.parametrize(
    ("terms", "broken"),
    [
        (Terms(GO), ("decision", "NO_TERMS")),
        (Terms(HOLD), ("resume_date", "NEEDED_FOR_DECISION")),
        (replace(TERMS[KILL], resume_date="2026-03-09"), ("resume_date", "NOT_FOR_DECISION")),
        (replace(TERMS[HOLD], resume_date="2026-02-01"), ("resume_date", "DATE_IN_PAST")),
    ],
)
def test_terms_are_whole(way: Template, terms: Terms, broken: tuple[str, str]) -> None:
    gate = open_gate(begin(way))
    with pytest.raises(RulesBroken) as refusal:
        propose(gate, terms)
    assert broken in broken_by(refusal.value)
    assert gate.proposals == []


@pytest.mark.parametrize(
    ("due", "rule"),
    [("2027-03-01", ""), ("2027-03-02", "DUE_TOO_LATE"), ("2026-02-28", "DATE_IN_PAST")],
)
def test_a_condition_is_due_within_a_year(way: Template, due: str, rule: str) -> None:
    gate = open_gate(begin(way))
    (given,) = TERMS[DecisionKind.CONDITIONAL_GO].conditions
    terms = Terms(DecisionKind.CONDITIONAL_GO, conditions=[replace(given, due_date=due)])
    if not rule:
        propose(gate, terms)
        return
    with pytest.raises(RulesBroken) as refusal:
        propose(gate, terms)
    assert broken_by(refusal.value) == {("conditions[0].due_date", rule)}


def test_who_is_of_the_team_or_in_conflict_has_no_say(way: Template) -> None:
    team = Team(frozenset({"kian"}), frozenset({"ctr_a"}))
    gate = open_gate(begin(way))
    gate.declare(Conflict.FAMILY, "A cousin.", (), by("dana"))
    gate.declare(Conflict.NONE, "", ["ctr_a"], by("mina"))
    for who, centers, reason in (
        ("kian", (), "TEAM_HAS_NO_SAY"),
        ("someone", ("ctr_a",), "TEAM_HAS_NO_SAY"),
        ("mina", (), "TEAM_HAS_NO_SAY"),
        ("dana", (), "CONFLICT_HAS_NO_SAY"),
    ):
        with pytest.raises(Refused, match=reason):
            gate.propose(TERMS[HOLD], team, centers, by(who))
        with pytest.raises(Refused, match=reason):
            gate.withdraw(team, centers, by(who))
        assert not {"propose", "withdraw", "decide"} & {*gate.steps_of(who, centers, team)}
    assert (gate.state, gate.proposals) == (GateState.OPEN, [])
    assert gate.steps_of("chair", (), team) == ["propose", "decide", "withdraw"]


@pytest.mark.parametrize(
    ("panel", "broken"),
    [
        (on_panel("dana", "dana"), {("panel[1].subject", "DUPLICATE")}),
        (on_panel("dana", " "), {("panel[1].subject", "REQUIRED")}),
        ([PanelMember("dana", None)], {("panel[0].role", "REQUIRED")}),
        ([], {("panel", "PANEL_TOO_SMALL")}),
    ],
)
def test_a_panel_is_made_of_people_who_are_there_once(
    way: Template, panel: list[PanelMember], broken: set[tuple[str, str]]
) -> None:
    project = begin(way)
    values = {"project_id": project.id, "panel": panel}
    with pytest.raises(RulesBroken) as refusal:
        Gate.open(project, NO_TEAM, "gat_1", occasion(), values)
    assert broken_by(refusal.value) == broken


def test_a_project_has_one_open_gate_and_a_killed_one_none(way: Template) -> None:
    project = begin(way)
    open_gate(project)
    with pytest.raises(Refused, match="GATE_ALREADY_OPEN"):
        project.open_gate("gat_2", occasion())
    project.withdraw_gate(occasion())
    project.open_gate("gat_2", occasion())
    assert [step.action for step in project.pending] == [
        "gate_opened",
        "gate_withdrawn",
        "gate_opened",
    ]


def test_a_member_declares_before_voting(way: Template) -> None:
    gate = open_gate(begin(way))
    with pytest.raises(Refused, match="DECLARATION_NEEDED"):
        gate.vote(GO, NO_TEAM, (), BASIS, by("dana"))
    gate.declare(Conflict.NONE, "", (), by("dana"))
    gate.vote(GO, NO_TEAM, (), BASIS, by("dana"))
    assert [(item.subject, item.kind) for item in gate.counted(NO_TEAM, BASIS)] == [("dana", GO)]
    assert [step.action for step in gate.pending] == ["declared", "voted"]
    assert gate.state_reason == ""


def test_who_is_not_on_the_panel_neither_declares_nor_votes(way: Template) -> None:
    gate = open_gate(begin(way))
    with pytest.raises(Refused, match="NOT_ON_PANEL"):
        gate.declare(Conflict.NONE, "", (), by("stranger"))
    with pytest.raises(Refused, match="NOT_ON_PANEL"):
        gate.vote(GO, NO_TEAM, (), BASIS, by("stranger"))
    assert gate.steps_of("stranger", (), NO_TEAM) == ["propose", "decide", "withdraw"]


def test_a_conflict_takes_the_vote_and_stands(way: Template) -> None:
    gate = open_gate(begin(way))
    vote(gate, GO, "dana", "mina")
    with pytest.raises(RulesBroken) as refusal:
        gate.declare(Conflict.FINANCIAL, " ", (), by("dana"))
    assert broken_by(refusal.value) == {("note", "REQUIRED")}
    gate.declare(Conflict.FINANCIAL, "Holds shares.", (), by("dana"))
    # The vote that was given stays on record, and counts no more.
    assert [item.subject for item in gate.votes] == ["dana", "mina"]
    assert [item.subject for item in gate.counted(NO_TEAM, BASIS)] == ["mina"]
    with pytest.raises(Refused, match="CONFLICT_HAS_NO_VOTE"):
        gate.vote(GO, NO_TEAM, (), BASIS, by("dana"))
    with pytest.raises(Refused, match="CONFLICT_STANDS"):
        gate.declare(Conflict.NONE, "", (), by("dana"))
    gate.declare(Conflict.FAMILY, "And a cousin.", (), by("dana"))
    assert "vote" not in gate.steps_of("dana", (), NO_TEAM)
    with pytest.raises(Refused, match="QUORUM_NOT_REACHED"):
        gate.outcome(NO_TEAM, BASIS)


def test_the_team_is_all_who_stand_behind_a_project(way: Template) -> None:
    parts = [Participant(center_id="ctr_b"), Participant(institution_id="i", agreement_id="a")]
    project = begin(way, participants=parts, people=[person("omid"), person("")])
    team = team_of(project, ["mina"])
    assert team == Team(frozenset({"omid", "mina"}), frozenset({"ctr_a", "ctr_b"}))
    assert team.includes("mina")
    assert team.includes("someone", ["ctr_b"])
    assert not team.includes("", ["ctr_c"])


def person(subject: str) -> ProjectPerson:
    return ProjectPerson(LocalizedText(en=f"Dr {subject}"), PersonRole.QUALITY, subject=subject)


def test_who_was_named_once_stays_of_the_team(way: Template) -> None:
    project = begin(
        way, participants=[Participant(center_id="ctr_b")], people=[person("omid"), person("sara")]
    )
    project.amend({"people": [person("vida")], "participants": []}, occasion())
    project.amend({"lead_center_id": "ctr_c", "people": []}, occasion())
    assert team_of(project, ()) == Team(
        frozenset({"omid", "sara", "vida"}), frozenset({"ctr_a", "ctr_b", "ctr_c"})
    )


@pytest.mark.parametrize(
    "change",
    [{"people": []}, {"participants": []}, {"lead_center_id": "ctr_c"}, {"people": [person("d")]}],
)
def test_while_a_gate_is_open_nobody_is_named_or_taken_off(
    way: Template, change: dict[str, Any]
) -> None:
    parts = [Participant(center_id="ctr_b")]
    project = begin(way, participants=parts, people=[person("kian")])
    open_gate(project)
    before = replace(project, pending=list(project.pending))
    with pytest.raises(Refused, match="FROZEN_AT_GATE") as refusal:
        project.amend(change, occasion())
    assert refusal.value.params == {"gate_id": "gat_1", "fields": ", ".join(change)}
    assert project == before
    # The same again is no change, and what else is known of it is no matter of the gate.
    assert project.amend({"people": [person("kian")], "sample": True}, occasion())
    project.withdraw_gate(occasion())
    assert project.amend(change, occasion())


def test_who_comes_to_be_of_the_team_loses_the_vote(way: Template) -> None:
    gate = open_gate(begin(way))
    vote(gate, GO, "dana", "mina")
    team = Team(frozenset({"mina"}), frozenset({"ctr_a"}))
    assert [item.subject for item in gate.counted(team, BASIS)] == ["dana"]
    with pytest.raises(Refused, match="TEAM_HAS_NO_VOTE"):
        gate.vote(GO, team, (), BASIS, by("mina"))
    # Nor does a token help that does not name the center any more.
    gate.declare(Conflict.NONE, "", ["ctr_a"], by("omid"))
    with pytest.raises(Refused, match="TEAM_HAS_NO_VOTE"):
        gate.vote(GO, team, (), BASIS, by("omid"))
    assert gate.steps_of("omid", (), team) == ["declare"]


def test_a_later_vote_takes_the_place_of_an_earlier_one(way: Template) -> None:
    gate = open_gate(begin(way))
    vote(gate, GO, "dana", "mina")
    vote(gate, KILL, "dana", "mina")
    assert len(gate.votes) == 2
    assert gate.outcome(NO_TEAM, BASIS) == KILL


@pytest.mark.parametrize(
    ("votes", "outcome"),
    [
        ([GO, GO, HOLD], GO),
        ([GO, HOLD, HOLD, GO, HOLD], HOLD),
        ([GO, HOLD], "NO_MAJORITY"),
        ([GO, GO, HOLD, KILL], "NO_MAJORITY"),
        ([GO], "QUORUM_NOT_REACHED"),
        ([], "QUORUM_NOT_REACHED"),
    ],
)
def test_what_is_decided_is_what_more_than_half_are_for(
    way: Template, votes: list[DecisionKind], outcome: str
) -> None:
    members = [f"member-{n}" for n in range(max(3, len(votes)))]
    gate = open_gate(begin(way), *members)
    for member, kind in zip(members, votes, strict=False):
        vote(gate, kind, member)
    if outcome in {GO, HOLD}:
        assert gate.outcome(NO_TEAM, BASIS) == outcome
    else:
        with pytest.raises(Refused, match=outcome):
            gate.outcome(NO_TEAM, BASIS)


def test_a_vote_has_a_reason(way: Template) -> None:
    gate = open_gate(begin(way))
    gate.declare(Conflict.NONE, "", (), by("dana"))
    with pytest.raises(RulesBroken) as refusal:
        gate.vote(GO, NO_TEAM, (), BASIS, by("dana", " "))
    assert broken_by(refusal.value) == {("reason", "REASON_REQUIRED")}
    assert gate.votes == []


@pytest.mark.parametrize("end", [GateState.DECIDED, GateState.WITHDRAWN])
def test_at_a_gate_that_has_ended_nothing_happens(way: Template, end: GateState) -> None:
    gate = open_gate(begin(way))
    vote(gate, GO, "dana")
    if end == GateState.DECIDED:
        gate.close("dec_1", occasion())
    else:
        with pytest.raises(RulesBroken):
            gate.take("withdraw", occasion())
        gate.take("withdraw", occasion(reason="Another panel is called."))
    assert gate.state == end
    for act in (
        lambda: gate.declare(Conflict.NONE, "", (), by("dana")),
        lambda: gate.vote(KILL, NO_TEAM, (), BASIS, by("dana")),
        lambda: gate.close("dec_2", occasion()),
        lambda: gate.take("withdraw", occasion(reason="Again.")),
    ):
        with pytest.raises(IllegalStep) as refusal:
            act()
        assert refusal.value.allowed == ()
    assert gate.steps_of("dana", (), NO_TEAM) == []
    assert PanelRole.SCIENCE in {member.role for member in gate.panel}
