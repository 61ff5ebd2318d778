"""The rules of a project, each tried to be broken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domainkit.rules import IllegalStep, Refused, RulesBroken
from domainkit.values import ImpreciseDate, LocalizedText
from projects.domain.decisions import Condition, DecisionKind, KillCode, KillReason, Ruling
from projects.domain.participants import Participant
from projects.domain.pathways import Pathway, Stage, Template
from projects.domain.project import HoldCause, Project, ProjectState
from projects.pathway_templates import template
from tests.unit.projects.examples import (
    CONDITIONAL_GO,
    GO,
    HOLD,
    KILL,
    TOMORROW,
    YESTERDAY,
    begin,
    broken_by,
    occasion,
    recycle,
)


def decide(project: Project, ruling: Ruling, way: Template) -> None:
    project.decide(ruling, way, f"dec_{project.version}", occasion(project.version))


def test_go_leads_through_every_stage_and_ends_completed(way: Template) -> None:
    project = begin(way)
    stages = [project.stage]
    while project.state == ProjectState.ACTIVE:
        decide(project, GO, way)
        stages.append(project.stage)
    assert stages == [*Stage, Stage.S7]
    assert project.state == ProjectState.COMPLETED
    assert [visit.stage for visit in project.stage_visits] == list(Stage)
    assert all(visit.left_at for visit in project.stage_visits)
    assert [step.action for step in project.pending] == ["advanced"] * 7 + ["completed"]


def test_a_device_goes_from_s3_to_s5(way: Template) -> None:
    project = begin(
        way, pathway=Pathway.DEVICE, initial_stage=Stage.S3, initial_stage_reason="Under way."
    )
    decide(project, CONDITIONAL_GO, way)
    assert project.stage == Stage.S5


def test_go_keeps_since_when_it_is_active(way: Template) -> None:
    project = begin(way)
    since = project.state_since
    decide(project, GO, way)
    assert (project.state_since, project.state_reason) == (since, "")
    assert project.stage_visits[0].left_at == project.stage_visits[1].entered_at
    assert project.stage_visits[1].decision_id == "dec_0"


def test_a_hold_keeps_the_stage_and_its_visit(way: Template) -> None:
    project = begin(way)
    decide(project, GO, way)
    visits = project.stage_visits
    decide(project, HOLD, way)
    assert (project.state, project.resume_date) == (ProjectState.ON_HOLD, TOMORROW)
    assert project.hold_cause == HoldCause.DECISION
    project.resume(occasion(3), overdue=[])
    assert (project.state, project.resume_date) == (ProjectState.ACTIVE, "")
    assert project.hold_cause is None
    assert (project.stage, project.stage_visits) == (Stage.S1, visits)


def test_what_a_panel_holds_is_not_resumed_before_its_day(way: Template) -> None:
    project = begin(way)
    decide(project, replace(HOLD, resume_date="2026-03-05"), way)
    for day in range(4):
        with pytest.raises(Refused, match="HOLD_NOT_OVER") as refusal:
            project.resume(occasion(day), overdue=[])
        assert refusal.value.params == {"resume_date": "2026-03-05"}
        assert project.steps_on(occasion(day).today) == []
    assert project.state == ProjectState.ON_HOLD
    assert project.steps_on(occasion(4).today) == ["resume"]
    project.resume(occasion(4), overdue=[])
    assert project.state == ProjectState.ACTIVE


@pytest.mark.parametrize("ruling", [GO, CONDITIONAL_GO, HOLD, recycle(Stage.S0)])
def test_on_hold_nothing_but_kill_is_decided(way: Template, ruling: Ruling) -> None:
    project = begin(way)
    decide(project, HOLD, way)
    with pytest.raises(IllegalStep) as refusal:
        decide(project, ruling, way)
    assert list(refusal.value.allowed) == project.allowed_steps() == ["resume"]
    project.open_gate("gat_1", occasion())
    assert project.allowed_steps() == ["decide", "resume"]


def test_a_refused_step_names_verbs_and_not_kinds_of_decisions(way: Template) -> None:
    project = begin(way)
    project.open_gate("gat_1", occasion())
    with pytest.raises(IllegalStep) as refusal:
        project.resume(occasion(), overdue=())
    assert list(refusal.value.allowed) == ["decide"]


def test_recycling_visits_the_stage_again(way: Template) -> None:
    project = begin(way)
    for _ in range(3):
        decide(project, GO, way)
    decide(project, recycle(Stage.S1), way)
    visited = [visit.stage for visit in project.stage_visits]
    assert visited == [Stage.S0, Stage.S1, Stage.S2, Stage.S3, Stage.S1]
    decide(project, GO, way)
    assert project.stage == Stage.S2


@pytest.mark.parametrize(
    ("to", "rule"),
    [
        (Stage.S5, "STAGE_NOT_EARLIER"),
        (Stage.S6, "STAGE_NOT_EARLIER"),
        (Stage.S4, "STAGE_NOT_IN_PATHWAY"),
    ],
)
def test_recycling_leads_nowhere_but_back(way: Template, to: Stage, rule: str) -> None:
    project = begin(
        way, pathway=Pathway.DEVICE, initial_stage=Stage.S5, initial_stage_reason="Under way."
    )
    with pytest.raises(RulesBroken) as refusal:
        decide(project, recycle(to), way)
    assert broken_by(refusal.value) == {("to_stage", rule)}
    assert (project.stage, project.version) == (Stage.S5, 0)


@pytest.mark.parametrize("ruling", [GO, CONDITIONAL_GO, HOLD, KILL, recycle(Stage.S0)])
def test_a_killed_project_stays_killed(way: Template, ruling: Ruling) -> None:
    project = begin(way)
    decide(project, HOLD, way)
    decide(project, KILL, way)
    assert project.resume_date == ""
    assert project.stage_visits[-1].left_at is not None
    before = replace(project)
    with pytest.raises(Refused, match="KILLED_IS_FINAL"):
        decide(project, ruling, way)
    with pytest.raises(Refused, match="KILLED_IS_FINAL"):
        project.resume(occasion(), overdue=[])
    with pytest.raises(Refused, match="KILLED_IS_FINAL"):
        project.amend({"titles": LocalizedText(en="Revived")}, occasion())
    assert project == before
    assert project.allowed_steps() == []
    assert not project.can_be_amended()


@pytest.mark.parametrize("ruling", [GO, HOLD, KILL, recycle(Stage.S0)])
def test_a_completed_project_takes_no_decision(way: Template, ruling: Ruling) -> None:
    project = begin(way, initial_stage=Stage.S7, initial_stage_reason="In use.")
    decide(project, GO, way)
    with pytest.raises(IllegalStep) as refusal:
        decide(project, ruling, way)
    assert refusal.value.allowed == ()
    assert project.amend({"summary": LocalizedText(en="Done")}, occasion())


def test_an_active_project_cannot_be_resumed(way: Template) -> None:
    with pytest.raises(IllegalStep):
        begin(way).resume(occasion(), overdue=[])


NO_KILL = KillReason(None, " ", "")
OPEN = Condition(None, " ", YESTERDAY)


@pytest.mark.parametrize(
    ("ruling", "broken"),
    [
        (replace(GO, reason=" "), {("reason", "REASON_REQUIRED")}),
        (replace(GO, to_stage=Stage.S5), {("to_stage", "NOT_FOR_DECISION")}),
        (replace(GO, resume_date=TOMORROW), {("resume_date", "NOT_FOR_DECISION")}),
        (replace(GO, kill=KILL.kill), {("kill", "NOT_FOR_DECISION")}),
        (
            replace(GO, conditions=CONDITIONAL_GO.conditions),
            {("conditions", "NOT_FOR_DECISION")},
        ),
        (replace(CONDITIONAL_GO, conditions=[]), {("conditions", "NEEDED_FOR_DECISION")}),
        (
            replace(CONDITIONAL_GO, conditions=[OPEN]),
            {
                ("conditions[0].text", "NAME_REQUIRED"),
                ("conditions[0].owner", "REQUIRED"),
                ("conditions[0].due_date", "DATE_IN_PAST"),
            },
        ),
        (replace(HOLD, resume_date=""), {("resume_date", "NEEDED_FOR_DECISION")}),
        (replace(HOLD, resume_date=YESTERDAY), {("resume_date", "DATE_IN_PAST")}),
        (replace(HOLD, resume_date="2026-02-30"), {("resume_date", "NO_SUCH_DATE")}),
        (replace(KILL, kill=None), {("kill", "NEEDED_FOR_DECISION")}),
        (
            replace(KILL, kill=NO_KILL),
            {
                ("kill.code", "REQUIRED"),
                ("kill.narrative", "REQUIRED"),
                ("kill.lessons", "REQUIRED"),
            },
        ),
        (Ruling(DecisionKind.RECYCLE, "Back."), {("to_stage", "NEEDED_FOR_DECISION")}),
        (
            replace(GO, decided_date=ImpreciseDate("2026-03-02")),
            {("decided_date.value", "DATE_IN_FUTURE")},
        ),
    ],
)
def test_each_decision_comes_with_what_it_needs_and_no_more(
    way: Template, ruling: Ruling, broken: set[tuple[str, str]]
) -> None:
    project = begin(way)
    before = replace(project)
    with pytest.raises(RulesBroken) as refusal:
        project.decide(ruling, way, "dec_1", occasion())
    assert broken_by(refusal.value) == broken
    assert project == before


def test_a_decision_says_what_was_decided_by_which_template(way: Template) -> None:
    project = begin(way)
    ruling = replace(KILL, decided_date=ImpreciseDate("2026-02"))
    decision = project.decide(ruling, way, "dec_1", occasion())
    assert (decision.from_stage, decision.to_stage) == (Stage.S0, Stage.S0)
    assert (decision.template_version, decision.recorded_by) == (way.version, "someone")
    assert decision.kill is not None
    assert decision.kill.code == KillCode.SAFETY
    assert project.latest_decision_id == "dec_1"
    assert project.state_reason == "It harms."
    assert project.pending[-1].effective_date == ImpreciseDate("2026-02")


def test_a_project_keeps_to_the_template_it_began_with(way: Template) -> None:
    project = begin(way)
    with pytest.raises(ValueError, match=f"template {way.version}"):
        project.decide(GO, template("1"), "dec_1", occasion())


def test_a_later_first_stage_is_one_of_the_pathway_and_has_a_reason(way: Template) -> None:
    with pytest.raises(RulesBroken) as refusal:
        begin(way, pathway=Pathway.RESEARCH_TOOL, initial_stage=Stage.S4)
    assert broken_by(refusal.value) == {("initial_stage", "STAGE_NOT_IN_PATHWAY")}
    with pytest.raises(RulesBroken) as refusal:
        begin(way, initial_stage=Stage.S2).recorded(occasion())
    rule = ("initial_stage_reason", "INITIAL_STAGE_REASON_REQUIRED")
    assert broken_by(refusal.value) == {rule}


INSTITUTION = Participant(institution_id="ins_1", agreement_id="agr_1")


@pytest.mark.parametrize(
    ("participants", "broken"),
    [
        ([Participant()], {("participants[0]", "ONE_PARTICIPANT_NEEDED")}),
        (
            [Participant(center_id="ctr_b", institution_id="ins_1")],
            {("participants[0]", "ONE_PARTICIPANT_NEEDED")},
        ),
        (
            [Participant(center_id="ctr_b", agreement_id="agr_1")],
            {("participants[0]", "ONE_PARTICIPANT_NEEDED")},
        ),
        (
            [Participant(institution_id="ins_1")],
            {("participants[0].agreement_id", "REQUIRED")},
        ),
        ([INSTITUTION, INSTITUTION], {("participants[1].institution_id", "DUPLICATE")}),
        ([Participant(center_id="ctr_a")], {("participants[0].center_id", "DUPLICATE")}),
    ],
)
def test_a_participant_is_one_center_or_one_institution_under_an_agreement(
    way: Template, participants: list[Participant], broken: set[tuple[str, str]]
) -> None:
    with pytest.raises(RulesBroken) as refusal:
        begin(way, participants=participants).recorded(occasion())
    assert broken_by(refusal.value) == broken


@pytest.mark.parametrize(
    "fixed",
    [
        {"pathway": Pathway.DEVICE},
        {"initial_stage": Stage.S1},
        {"revival_of_id": "prj_2"},
        {"stage": Stage.S7},
        {"state": ProjectState.ACTIVE},
        {"template_version": "2"},
    ],
)
def test_what_is_fixed_cannot_be_amended(way: Template, fixed: dict[str, Any]) -> None:
    with pytest.raises(RulesBroken) as refusal:
        begin(way).amend(fixed, occasion())
    assert {rule for _, rule in broken_by(refusal.value)} == {"IMMUTABLE"}


def test_a_project_has_a_title(way: Template) -> None:
    with pytest.raises(RulesBroken) as refusal:
        begin(way, titles=LocalizedText(fa=" ")).recorded(occasion())
    assert broken_by(refusal.value) == {("titles", "NAME_REQUIRED")}
