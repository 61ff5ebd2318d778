"""The rules of a condition: who reports it, who finds it met, when it is overdue."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from domainkit.aggregate import Occasion
from domainkit.rules import IllegalStep, Refused, RulesBroken
from projects.domain.conditions import (
    ConditionReport,
    ConditionState,
    ProjectCondition,
    Shown,
)
from projects.domain.evidence import EvidenceState
from projects.domain.pathways import Template
from projects.domain.review import conditions_of
from tests.unit.projects.examples import CONDITIONAL_GO, NOW, begin, broken_by, occasion


@pytest.fixture
def condition(way: Template) -> ProjectCondition:
    decision = begin(way).decide(CONDITIONAL_GO, way, "dec_1", occasion())
    (made,) = conditions_of(decision, ["cnd_1"], occasion())
    return made


def by(subject: str, reason: str = "") -> Occasion:
    return replace(occasion(reason=reason), actor=subject)


def report(subject: str = "dana", note: str = "Repeated on three batches.") -> ConditionReport:
    return ConditionReport(subject, NOW, note=note)


def test_a_condition_is_what_the_decision_says(condition: ProjectCondition) -> None:
    (given,) = CONDITIONAL_GO.conditions
    assert (condition.text, condition.owner) == (given.text, given.owner)
    assert (condition.project_id, condition.decision_id) == ("prj_1", "dec_1")


def steps(condition: ProjectCondition, subject: str) -> list[str]:
    """What is possible for somebody whom nothing ties to the project."""
    return condition.steps_of(subject, None, 1, is_outside=True)


@pytest.mark.parametrize(
    ("today", "overdue"), [("2026-03-01", False), ("2026-03-02", False), ("2026-03-03", True)]
)
def test_it_is_overdue_when_its_last_day_is_over(
    condition: ProjectCondition, today: str, overdue: bool
) -> None:
    assert condition.is_overdue(date.fromisoformat(today)) is overdue
    # To say that it is met does not make it so.
    condition.tell(report(), None, by("dana"))
    assert condition.is_overdue(date.fromisoformat(today)) is overdue
    condition.confirm(None, 1, by("mina"))
    assert not condition.is_overdue(date.fromisoformat(today))


def test_another_than_who_reported_it_finds_it_met(condition: ProjectCondition) -> None:
    with pytest.raises(Refused, match="NOTHING_REPORTED"):
        condition.confirm(None, 1, by("mina"))
    condition.tell(report(), None, by("dana"))
    assert steps(condition, "dana") == ["report", "return", "cancel"]
    assert steps(condition, "mina") == ["report", "return", "confirm", "cancel"]
    assert "confirm" not in condition.steps_of("mina", None, 1, is_outside=False)
    with pytest.raises(Refused, match="OWN_REPORT"):
        condition.confirm(None, 1, by("dana"))
    assert condition.state == ConditionState.OPEN
    condition.confirm(None, 1, by("mina"))
    assert (condition.state, condition.confirmed_by) == (ConditionState.MET, "mina")
    assert [step.action for step in condition.pending] == ["reported", "met"]


def test_a_report_shows_something(condition: ProjectCondition) -> None:
    with pytest.raises(RulesBroken) as refusal:
        condition.tell(report(note=" "), None, by("dana"))
    assert broken_by(refusal.value) == {("note", "EVIDENCE_OR_NOTE_NEEDED")}
    condition.tell(ConditionReport("dana", NOW, evidence_id="evd_1"), None, by("dana"))


def test_what_was_reported_can_be_given_back(condition: ProjectCondition) -> None:
    with pytest.raises(Refused, match="NOTHING_REPORTED"):
        condition.give_back(by("mina", "Not shown."))
    condition.tell(report(), None, by("dana"))
    with pytest.raises(RulesBroken):
        condition.give_back(by("mina"))
    condition.give_back(by("mina", "The third batch is missing."))
    assert (condition.report, condition.state_reason) == (None, "")
    with pytest.raises(Refused, match="NOTHING_REPORTED"):
        condition.confirm(None, 1, by("mina"))
    assert steps(condition, "dana") == ["report", "cancel"]


@pytest.mark.parametrize("end", [ConditionState.MET, ConditionState.CANCELLED])
def test_once_it_has_ended_it_stays(condition: ProjectCondition, end: ConditionState) -> None:
    condition.tell(report(), None, by("dana"))
    if end == ConditionState.MET:
        condition.confirm(None, 1, by("mina"))
    else:
        condition.take("cancel", by("mina", "The decision was corrected."))
    for act in (
        lambda: condition.tell(report(), None, by("dana")),
        lambda: condition.give_back(by("mina", "No.")),
        lambda: condition.confirm(None, 1, by("mina")),
        lambda: condition.take("cancel", by("mina", "No.")),
    ):
        with pytest.raises(IllegalStep):
            act()
    assert condition.state == end
    assert steps(condition, "mina") == []


# Conditions that stand for a criterion.


@pytest.fixture
def of_criterion(condition: ProjectCondition) -> ProjectCondition:
    return replace(condition, criterion="ownership", pending=[])


OWNERSHIP = Shown("evd_1", "ownership", EvidenceState.VERIFIED, confirmed_visit=2, submitted_by="d")
SHOWN = ConditionReport("dana", NOW, evidence_id="evd_1")


@pytest.mark.parametrize(
    ("shown", "rule"),
    [
        (None, "CRITERION_EVIDENCE_NEEDED"),
        (replace(OWNERSHIP, criterion="inventors"), "EVIDENCE_OF_OTHER_CRITERION"),
    ],
)
def test_a_criterion_is_reported_with_evidence_of_it_alone(
    of_criterion: ProjectCondition, shown: Shown | None, rule: str
) -> None:
    told = SHOWN if shown else report()
    with pytest.raises(RulesBroken) as refusal:
        of_criterion.tell(told, shown, by("dana"))
    assert broken_by(refusal.value) == {("evidence_id", rule)}
    assert of_criterion.report is None
    of_criterion.tell(SHOWN, OWNERSHIP, by("dana"))
    assert of_criterion.report == SHOWN


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        (None, "CRITERION_NOT_SHOWN"),
        (replace(OWNERSHIP, criterion="inventors"), "CRITERION_NOT_SHOWN"),
        (replace(OWNERSHIP, confirmed_visit=1), "CRITERION_NOT_SHOWN"),
        (replace(OWNERSHIP, submitted_by="mina"), "OWN_EVIDENCE"),
        *(
            (replace(OWNERSHIP, state=state), "EVIDENCE_NOT_VERIFIED")
            for state in EvidenceState
            if state != EvidenceState.VERIFIED
        ),
    ],
)
def test_a_criterion_is_met_by_evidence_that_holds_in_the_visit_in_which_it_was_left_open(
    of_criterion: ProjectCondition, shown: Shown | None, reason: str
) -> None:
    # Whatever was reported before there were these rules.
    of_criterion.report = SHOWN
    with pytest.raises(Refused, match=reason):
        of_criterion.confirm(shown, 2, by("mina"))
    assert of_criterion.state == ConditionState.OPEN
    of_criterion.confirm(OWNERSHIP, 2, by("mina"))
    assert of_criterion.state == ConditionState.MET
