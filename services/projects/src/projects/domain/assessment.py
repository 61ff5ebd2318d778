"""What a project still needs to leave its stage: each criterion, and what speaks for it.

Pure: what is known of evidence and waivers is handed in, so that the same rule holds for
a gate, for the question what is missing, and for a test.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from projects.domain.evidence import EvidenceState
from projects.domain.pathways import Criterion, Stage, Template
from projects.domain.project import Project
from projects.domain.visits import Visited
from projects.domain.waivers import WaiverState


class CriterionState(StrEnum):
    """How it stands with one criterion in the present stage visit."""

    MISSING = "missing"
    """No evidence that counts in this visit, or waits for someone."""
    SUBMITTED = "submitted"
    """Evidence is there and waits to be verified."""
    REJECTED = "rejected"
    """What was brought in this visit was rejected."""
    TO_RECONFIRM = "to_reconfirm"
    """Verified evidence is there from an earlier visit; in this one nobody has confirmed it."""
    VERIFIED = "verified"
    """Evidence was found to hold in this visit."""
    WAIVED = "waived"
    """A waiver is in effect today."""
    OTHER_ROUTE = "other_route"
    """Not needed: the criteria of another route are met."""


SATISFIED = frozenset({CriterionState.VERIFIED, CriterionState.WAIVED})
"""States in which a criterion is met."""


@dataclass(frozen=True)
class Piece:
    """What counts of a piece of evidence; `confirmed_visit` is 0 where nobody confirmed it."""

    id: str
    criterion: str
    state: EvidenceState
    visit: int
    confirmed_visit: int
    sha256: str


@dataclass(frozen=True)
class Leave:
    """What counts of a waiver; `expiry` is the last day on which it holds."""

    id: str
    criterion: str
    state: WaiverState
    visit: int
    expiry: date


@dataclass(frozen=True)
class Assessed:
    """One criterion, and the evidence or the waiver that its state stands on."""

    criterion: Criterion
    state: CriterionState
    evidence_ids: tuple[str, ...] = ()
    evidence_hashes: tuple[str, ...] = ()
    waiver_id: str = ""

    @property
    def is_satisfied(self) -> bool:
        """Whether the criterion is met."""
        return self.state in SATISFIED

    @property
    def is_met(self) -> bool:
        """Whether nothing more is needed for it: met, or those of another route are."""
        return self.is_satisfied or self.state == CriterionState.OTHER_ROUTE


@dataclass(frozen=True)
class Assessment:
    """How it stands with the criteria of the stage that a project is in, in this visit."""

    stage: Stage
    visit: int
    criteria: tuple[Assessed, ...]

    @property
    def is_satisfied(self) -> bool:
        """Whether the project has all that it needs to leave the stage."""
        return not self.missing

    @property
    def missing(self) -> tuple[Assessed, ...]:
        """Criteria that are still to be met; of alternative routes those of the nearest one."""
        return self.open_but_for(())

    @property
    def evidence_hashes(self) -> tuple[str, ...]:
        """SHA-256 of the evidence by which criteria are met, each once."""
        met = [item for item in self.criteria if item.state == CriterionState.VERIFIED]
        return tuple(dict.fromkeys(digest for item in met for digest in item.evidence_hashes))

    @property
    def routes(self) -> tuple[str, ...]:
        """Names of the alternative routes through the stage, in the template's order."""
        return tuple(dict.fromkeys(a.criterion.route for a in self.criteria if a.criterion.route))

    def open_but_for(self, named: Collection[str]) -> tuple[Assessed, ...]:
        """Criteria that stay open when those of these codes are left to conditions.

        Those without a route are always needed; of the routes, all criteria of one. It is
        the route with the fewest that stay open, and of several such the first.
        """
        still = [
            item
            for item in self.criteria
            if not item.is_satisfied and item.criterion.code not in named
        ]
        needed = [item for item in still if not item.criterion.route]
        ways = [[item for item in still if item.criterion.route == route] for route in self.routes]
        return (*needed, *min(ways, key=len, default=[]))


def assess(
    project: Project,
    template: Template,
    pieces: Iterable[Piece],
    leaves: Iterable[Leave],
    today: date,
) -> Assessment:
    """Tell how it stands with the criteria of the project's present stage.

    `template` is the one that the project keeps to. Superseded evidence counts for nothing.
    """
    if template.version != project.template_version:
        raise ValueError(f"{project.id} keeps to template {project.template_version}")
    visit = Visited.by(project).present
    by_criterion: dict[str, list[Piece]] = {}
    for piece in pieces:
        by_criterion.setdefault(piece.criterion, []).append(piece)
    waived = {
        leave.criterion: leave.id
        for leave in leaves
        if leave.state == WaiverState.GRANTED and leave.visit == visit and leave.expiry >= today
    }
    assessed = [
        _assess_one(criterion, by_criterion.get(criterion.code, []), waived, visit)
        for criterion in template.criteria_of(project.pathway, project.stage)
    ]
    return Assessment(project.stage, visit, tuple(_with_routes(assessed)))


def _assess_one(
    criterion: Criterion, pieces: list[Piece], waived: Mapping[str, str], visit: int
) -> Assessed:
    state, counted = _state_of(pieces, visit)
    if state != CriterionState.VERIFIED and criterion.code in waived:
        return Assessed(criterion, CriterionState.WAIVED, waiver_id=waived[criterion.code])
    return Assessed(
        criterion,
        state,
        evidence_ids=tuple(piece.id for piece in counted),
        evidence_hashes=tuple(dict.fromkeys(piece.sha256 for piece in counted)),
    )


def _state_of(pieces: list[Piece], visit: int) -> tuple[CriterionState, list[Piece]]:
    """The best that the pieces of a criterion make of it, and the pieces that do."""
    verified = [piece for piece in pieces if piece.state == EvidenceState.VERIFIED]
    found = {
        CriterionState.VERIFIED: [p for p in verified if p.confirmed_visit == visit],
        CriterionState.SUBMITTED: [p for p in pieces if p.state == EvidenceState.SUBMITTED],
        CriterionState.TO_RECONFIRM: verified,
        CriterionState.REJECTED: [
            p for p in pieces if p.state == EvidenceState.REJECTED and p.visit == visit
        ],
    }
    for state, counted in found.items():
        if counted:
            return state, counted
    return CriterionState.MISSING, []


def _with_routes(assessed: list[Assessed]) -> list[Assessed]:
    """Where all criteria of one route are met, those of the others are not needed."""
    routes = {item.criterion.route for item in assessed if item.criterion.route}
    met = {
        route
        for route in routes
        if all(item.is_satisfied for item in assessed if item.criterion.route == route)
    }
    if not met:
        return assessed
    return [
        item
        if not item.criterion.route or item.criterion.route in met or item.is_satisfied
        else replace(item, state=CriterionState.OTHER_ROUTE)
        for item in assessed
    ]
