"""Projects and rulings as they would really be, for tests to break."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from domainkit.aggregate import Occasion
from domainkit.rules import RulesBroken
from domainkit.values import LocalizedText
from projects.domain.assessment import Assessed, Assessment, CriterionState
from projects.domain.decisions import (
    Condition,
    Decision,
    DecisionKind,
    KillCode,
    KillReason,
    Ruling,
    Terms,
)
from projects.domain.gates import Gate
from projects.domain.panel import Conflict, PanelMember, PanelRole
from projects.domain.pathways import Pathway, Stage, Template
from projects.domain.project import Project
from projects.domain.record_hashes import assessment_hash
from projects.domain.review import Review
from projects.domain.team import Team, team_of

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
TOMORROW = "2026-03-02"
YESTERDAY = "2026-02-28"

GO = Ruling(DecisionKind.GO, "All evidence is there.")
CONDITIONAL_GO = Ruling(
    DecisionKind.CONDITIONAL_GO,
    "The assay is to be repeated.",
    conditions=[Condition(LocalizedText(en="Repeat the assay"), "Quality, Tabriz", TOMORROW)],
)
HOLD = Ruling(DecisionKind.HOLD, "The clean room is being rebuilt.", resume_date=TOMORROW)
KILL = Ruling(
    DecisionKind.KILL,
    "It harms.",
    kill=KillReason(KillCode.SAFETY, "Tumours in two animals.", "Test the bank first."),
)

NO_TEAM = Team(frozenset(), frozenset())
BASIS = "0" * 64
"""The digest of what is reviewed, where it is of no matter what that is."""


def recycle(to: Stage) -> Ruling:
    return Ruling(DecisionKind.RECYCLE, "The candidate did not hold.", to_stage=to)


TERMS = {ruling.kind: ruling.terms for ruling in (CONDITIONAL_GO, HOLD, KILL, recycle(Stage.S0))}


def occasion(day: int = 0, reason: str = "") -> Occasion:
    return Occasion(actor="someone", at=NOW + timedelta(days=day), reason=reason)


def begin(way: Template, **values: Any) -> Project:
    given = {
        "titles": LocalizedText(en="Cartilage patch"),
        "lead_center_id": "ctr_a",
        "pathway": Pathway.SOMATIC_CELL,
        **values,
    }
    return Project.begin(way, "prj_1", NOW, given)


def broken_by(error: RulesBroken) -> set[tuple[str, str]]:
    return {(item.field, item.rule) for item in error.broken}


def assessed(
    way: Template, project: Project, state: CriterionState = CriterionState.VERIFIED, **other: Any
) -> Assessment:
    """How it stands with the criteria of a project's stage: all alike, but for `other`.

    `other` are states by the code of the criterion, its dashes as underscores.
    """
    states = {code.replace("_", "-"): value for code, value in other.items()}
    criteria = way.criteria_of(project.pathway, project.stage)
    return Assessment(
        project.stage,
        project.visit,
        tuple(
            Assessed(
                criterion,
                states.get(criterion.code, state),
                evidence_ids=(f"evd_{criterion.code}",),
                evidence_hashes=(hashlib.sha256(criterion.code.encode()).hexdigest(),),
            )
            for criterion in criteria
        ),
    )


def on_panel(*subjects: str) -> list[PanelMember]:
    return [PanelMember(subject, PanelRole.SCIENCE) for subject in subjects]


def open_gate(
    project: Project,
    *subjects: str,
    id: str = "gat_1",
    reviewed: Project | None = None,
    **given: Any,
) -> Gate:
    """A gate over a project's visit, with these on its panel."""
    panel = on_panel(*(subjects or ("dana", "mina", "omid")))
    values = {"project_id": project.id, "panel": panel, **given}
    project.open_gate(id, occasion())
    return Gate.open(reviewed or project, team_of(project, ()), id, occasion(), values)


def propose(gate: Gate, terms: Terms, actor: str = "chair") -> None:
    """Put terms to the panel."""
    gate.propose(terms, NO_TEAM, (), replace(occasion(), actor=actor))


def vote(
    gate: Gate,
    kind: DecisionKind,
    *subjects: str,
    team: Team | None = None,
    basis: str = BASIS,
) -> None:
    """Let these declare that they have no conflict, and vote for the terms as they stand.

    Where there are none yet, those of the example are put to the panel.
    """
    if gate.terms_of(kind) is None:
        propose(gate, TERMS[kind])
    for subject in subjects:
        who = replace(occasion(reason="As the evidence stands."), actor=subject)
        gate.declare(Conflict.NONE, "", (), who)
        gate.vote(kind, team or NO_TEAM, (), basis, who)


def reviewed(
    project: Project,
    ruling: Ruling,
    way: Template,
    *,
    gate_id: str = "gat_1",
    superseded: Decision | None = None,
    **given: Any,
) -> Review:
    """A review of a project that has come to a decision; all criteria are met."""
    under_review = project.before(superseded) if superseded else project
    over = {"supersedes_id": superseded.id} if superseded else {}
    gate = open_gate(project, id=gate_id, reviewed=under_review, **over)
    known: dict[str, Any] = {
        "gate": gate,
        "team": NO_TEAM,
        "assessment": assessed(way, under_review),
        "superseded": superseded,
    }
    review = Review(**(known | given))
    if ruling.terms.are_needed:
        propose(gate, ruling.terms)
    vote(gate, ruling.kind, "dana", "mina", basis=assessment_hash(review.assessment))
    return review
