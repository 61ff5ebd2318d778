"""What a model of a project's life has in its books, and what it takes from them.

The books are kept by the steps of `life_bringing` and `test_life_of_a_project`; here stands
what follows from them, worked out anew and not by what the domain would say.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis.stateful import RuleBasedStateMachine

from domainkit.aggregate import Occasion
from domainkit.rules import IllegalStep, Refused, RulesBroken
from domainkit.values import LocalizedText
from projects.domain.assessment import Assessment, Leave, Piece, assess
from projects.domain.conditions import (
    ConditionState,
    ProjectCondition,
    Shown,
)
from projects.domain.decisions import Condition, Decision, DecisionKind, Ruling, Terms
from projects.domain.evidence import Evidence, EvidenceKind, EvidenceState, Reference
from projects.domain.gates import Gate
from projects.domain.panel import Conflict, Declaration
from projects.domain.pathways import Criterion, Stage
from projects.domain.project import HoldCause, Project, ProjectState
from projects.domain.team import Team, team_of
from projects.domain.visits import Visited
from projects.domain.waivers import Waiver, WaiverState
from projects.pathway_templates import NEWEST, template
from tests.unit.projects.examples import (
    CONDITIONAL_GO,
    GO,
    HOLD,
    KILL,
    NOW,
    recycle,
)

WAY = template(NEWEST)
# Those who bring what a project needs, and those who look at it; one does both.
BRINGERS = ("azar", "kian")
PEOPLE = ("azar", "dana", "mina", "omid", "sara", "vida")
# Who opens gates and records what is decided at them has no other part.
CHAIR = "chair"
ENDED = (ProjectState.COMPLETED, ProjectState.KILLED)
ADVANCES = (DecisionKind.GO, DecisionKind.CONDITIONAL_GO)


class LifeModel(RuleBasedStateMachine):
    """The books. What is in them has no say in what the domain does."""

    project: Project
    stages: tuple[Stage, ...]
    day: int
    # The model: where the project must be.
    place: int
    state: ProjectState
    cause: HoldCause | None
    path: list[tuple[int, Stage]]
    # How many visits it began, with those that corrections have struck.
    begun: int

    def __init__(self) -> None:
        super().__init__()
        self.gate: Gate | None = None
        self.over: Decision | None = None
        self.evidence: list[Evidence] = []
        self.waivers: list[Waiver] = []
        self.conditions: list[ProjectCondition] = []
        self.decisions: list[Decision] = []
        self.team: set[str] = set()
        # What each vote is for: the kind, its terms, and how it stood with the criteria.
        self.votes: dict[str, tuple[DecisionKind, Terms, Assessment]] = {}
        self.terms: dict[DecisionKind, Terms] = {}
        self.declared: dict[str, Conflict] = {}
        # Who has declared a conflict, by the visit under review; and all gates that ended.
        self.conflicts: dict[int, set[str]] = {}
        self.past: list[Gate] = []
        self.until = ""
        # Where the project was before its last decision: place, path.
        self.came_from: tuple[int, list[tuple[int, Stage]]] | None = None

    def attempt(self, possible: bool, act: Callable[[], Any]) -> Any:
        """Do what has to be possible; of what has not, see that it is refused without a trace."""
        if possible:
            return act()
        kept = (self.evidence, self.waivers, self.conditions, self.gate, self.project)
        before = deepcopy(kept)
        with pytest.raises((IllegalStep, Refused, RulesBroken)):
            act()
        assert kept == before
        return None

    def by(self, who: str) -> Occasion:
        return Occasion(actor=who, at=NOW + timedelta(days=self.day))

    def today(self) -> date:
        return (NOW + timedelta(days=self.day)).date()

    def on(self, days: int) -> str:
        return (self.today() + timedelta(days=days)).isoformat()

    def at_gate(self) -> Gate:
        assert self.gate is not None
        return self.gate

    def sits(self, who: str) -> bool:
        return who in {member.subject for member in self.at_gate().panel}

    def before(self) -> tuple[int, list[tuple[int, Stage]]]:
        assert self.came_from is not None
        return self.came_from

    def reviewed_visit(self) -> int:
        path = self.before()[1] if self.over else self.path
        return path[-1][0]

    def reviewed(self) -> Project:
        return self.project.before(self.over) if self.over else self.project

    def assessed(self) -> Assessment:
        """How it stands with the criteria under review, as the domain has it."""
        return assess(self.reviewed(), WAY, self.pieces(), self.leaves(), self.today())

    def has_say(self, who: str) -> bool:
        return who not in self.team and self.declared.get(who, Conflict.NONE) == Conflict.NONE

    def is_timely(self, terms: Terms) -> bool:
        """Whether all days of terms are still to come."""
        days = [terms.resume_date, *(item.due_date for item in terms.conditions)]
        return all(not day or day >= self.today().isoformat() for day in days)

    def left_open(self, terms: Terms, start: int) -> bool:
        """Whether something stays open that the terms do not name, or that is never asked for."""
        still = self.still_open(self.reviewed())
        named = {item.criterion for item in terms.conditions}
        return bool(still) if start + 1 == len(self.stages) else not named.issuperset(still)

    def unmet(self) -> list[str]:
        """Conditions for a criterion that is not shown, by the model's books."""
        found: list[str] = []
        for item in self.conditions:
            corrected = self.over is not None and item.decision_id == self.over.id
            if not item.criterion or corrected or item.state == ConditionState.CANCELLED:
                continue
            shown = any(
                e.criterion == item.criterion
                and e.state == EvidenceState.VERIFIED
                and e.confirmed_visit >= self.decision_of(item).visit
                for e in self.evidence
            )
            if item.state == ConditionState.OPEN or not shown:
                found.append(item.id)
        return found

    def decision_of(self, item: ProjectCondition) -> Decision:
        (found,) = (decision for decision in self.decisions if decision.id == item.decision_id)
        return found

    def shown(self, id: str) -> Shown | None:
        for e in self.evidence:
            if e.id == id:
                return Shown(e.id, e.criterion, e.state, e.confirmed_visit, e.submitted_by)
        return None

    def declared_over(self, visit: int) -> list[Declaration]:
        gates = [*self.past, *([self.gate] if self.gate else [])]
        return [
            declared
            for gate in gates
            if gate.visit == visit
            for declared in gate.declarations
            if declared.conflict != Conflict.NONE
        ]

    def in_conflict(self) -> set[str]:
        return {declared.subject for declared in self.declared_over(self.path[-1][0])}

    def known_team(self) -> Team:
        return team_of(self.project, self.team)

    def overdue(self) -> list[str]:
        today = self.today().isoformat()
        return [
            item.id
            for item in self.conditions
            if item.state == ConditionState.OPEN and item.due_date < today
        ]

    def criteria(self) -> list[Criterion]:
        return WAY.criteria_of(self.project.pathway, self.project.stage)

    def bring(self, criterion: Criterion, who: str) -> Evidence:
        piece = Evidence(
            id=f"evd_{len(self.evidence)}",
            created_at=NOW,
            updated_at=NOW,
            state_since=NOW,
            project_id=self.project.id,
            criterion=criterion.code,
            stage=criterion.stage,
            visit=Visited.by(self.project).last_visit(criterion.stage),
            kind=EvidenceKind.REPORT,
            title=LocalizedText(en="Report"),
            reference=Reference("https://example.org/report", "a" * 64),
            submitted_by=who,
        )
        self.evidence.append(piece)
        self.team.add(who)
        return piece

    def pieces(self) -> list[Piece]:
        return [
            Piece(e.id, e.criterion, e.state, e.visit, e.confirmed_visit, e.sha256)
            for e in self.evidence
        ]

    def leaves(self) -> list[Leave]:
        return [
            Leave(w.id, w.criterion, w.state, w.visit, date.fromisoformat(w.expiry_date))
            for w in self.waivers
        ]

    def still_open(self, reviewed: Project) -> list[str]:
        """Codes of the criteria that are open in the visit under review, by the model's books."""
        visit, today = self.reviewed_visit(), self.today().isoformat()
        met = {
            e.criterion
            for e in self.evidence
            if e.state == EvidenceState.VERIFIED and e.confirmed_visit == visit
        }
        met |= {
            w.criterion
            for w in self.waivers
            if w.state == WaiverState.GRANTED and w.visit == visit and w.expiry_date >= today
        }
        asked = WAY.criteria_of(reviewed.pathway, reviewed.stage)
        still = [c.code for c in asked if not c.route and c.code not in met]
        ways: dict[str, list[str]] = {}
        for criterion in asked:
            if criterion.route:
                lacks = ways.setdefault(criterion.route, [])
                lacks += [] if criterion.code in met else [criterion.code]
        return [*still, *min(ways.values(), key=len, default=[])]

    def ruling(self, kind: DecisionKind, to: Stage, named: list[str]) -> Ruling:
        if kind == DecisionKind.CONDITIONAL_GO:
            text = LocalizedText(en="Bring it")
            conditions = [
                Condition(text, "Quality, Tabriz", self.on(index % 3), code)
                for index, code in enumerate(named or [""])
            ]
            return replace(CONDITIONAL_GO, conditions=conditions)
        if kind == DecisionKind.HOLD:
            return replace(HOLD, resume_date=self.on(1))
        return {DecisionKind.GO: GO, DecisionKind.KILL: KILL}.get(kind) or recycle(to)


def met_in(assessment: Assessment) -> list[tuple[Any, ...]]:
    """What a panel has before it: which criteria are met, and on what."""
    met = ("verified", "waived", "other_route")
    return [
        (item.criterion.code, item.state, item.evidence_ids, item.waiver_id)
        for item in assessment.criteria
        if item.state in met
    ]
