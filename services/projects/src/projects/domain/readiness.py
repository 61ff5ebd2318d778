"""Readiness: what a project claims to have reached, what is verified, what is missing."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, ClassVar

from domainkit.aggregate import Occasion, Stateful
from domainkit.machine import Machine
from domainkit.rules import Broken, Refused, RulesBroken
from domainkit.values import LocalizedText
from projects.domain.evidence import EvidenceState
from projects.domain.project import ENDED, ProjectState

LEVELS = range(1, 10)


class Dimension(StrEnum):
    """What a project can be ready in."""

    CUSTOMER = "customer"
    TECHNOLOGY = "technology"
    BUSINESS = "business"
    IP = "ip"
    TEAM = "team"
    FUNDING = "funding"
    MANUFACTURING = "manufacturing"
    REGULATORY = "regulatory"


class ClaimState(StrEnum):
    """Where a claim is in its life."""

    CLAIMED = "claimed"
    VERIFIED = "verified"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


# A claim in one of these states stands: its level is claimed.
STANDING = frozenset({ClaimState.CLAIMED, ClaimState.VERIFIED})
# What takes another than who made the claim.
_BY_ANOTHER = frozenset({"verify", "reject"})
# What is evidence of no criterion, so that words are enough to show it.
SHOWN_BY_WORDS = frozenset(
    {Dimension.CUSTOMER, Dimension.BUSINESS, Dimension.TEAM, Dimension.FUNDING}
)


@dataclass(kw_only=True)
class ReadinessClaim(Stateful):
    """The claim that a project has reached one level of one dimension, and what shows it."""

    MACHINE: ClassVar[Machine[ClaimState]] = Machine(
        {
            "verify": ([ClaimState.CLAIMED], ClaimState.VERIFIED),
            "reject": ([ClaimState.CLAIMED, ClaimState.VERIFIED], ClaimState.REJECTED),
            "withdraw": ([ClaimState.CLAIMED, ClaimState.VERIFIED], ClaimState.WITHDRAWN),
        }
    )
    EVENTS: ClassVar[Mapping[str, str]] = {
        "verify": "verified",
        "reject": "rejected",
        "withdraw": "withdrawn",
    }
    REASONED: ClassVar[frozenset[str]] = frozenset({"reject", "withdraw"})
    # Given when a claim is made, and fixed from then on.
    FIXED: ClassVar[frozenset[str]] = frozenset(
        {
            "external_key",
            "project_id",
            "dimension",
            "level",
            "evidence_ids",
            "statement",
            "citations",
            "sample",
        }
    )

    project_id: str
    dimension: Dimension
    level: int
    evidence_ids: list[str] = field(default_factory=list[str])
    statement: LocalizedText | None = None
    scale_version: str
    claimed_by: str
    state: ClaimState = ClaimState.CLAIMED

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        del today
        broken: list[Broken] = []
        if not self.evidence_ids and not self.statement:
            broken.append(Broken("statement", "READINESS_NOT_SHOWN"))
        elif self._is_words_alone():
            params = {"dimension": self.dimension.value}
            broken.append(Broken("evidence_ids", "READINESS_NEEDS_EVIDENCE", params))
        for index, id in enumerate(self.evidence_ids):
            if id in self.evidence_ids[:index]:
                broken.append(Broken(f"evidence_ids[{index}]", "DUPLICATE", {"value": id}))
        return broken

    def verify(self, evidence_states: Mapping[str, str], occasion: Occasion) -> None:
        """Find that it holds; the evidence that it names was found to hold before.

        `evidence_states` are the states of that evidence by id. Raises as `take` does,
        besides `Refused` ``EVIDENCE_NOT_VERIFIED``, and `RulesBroken` for words alone where
        these are not enough: such claims were made before that was asked.
        """
        self.target_of("verify")
        if self._is_words_alone():
            params = {"dimension": self.dimension.value}
            raise RulesBroken(Broken("evidence_ids", "READINESS_NEEDS_EVIDENCE", params))
        for id in self.evidence_ids:
            state = evidence_states.get(id, "")
            if state != EvidenceState.VERIFIED:
                raise Refused("EVIDENCE_NOT_VERIFIED", evidence_id=id, state=state)
        self.take("verify", occasion)

    def take(self, action: str, occasion: Occasion) -> None:
        """Take a step. Raises `Refused` ``CLAIMED_BY_YOURSELF`` besides what every step does."""
        self.target_of(action)
        if action in _BY_ANOTHER and occasion.actor == self.claimed_by:
            raise Refused("CLAIMED_BY_YOURSELF")
        super().take(action, occasion)

    def holds(self, evidence_states: Mapping[str, str]) -> bool:
        """Tell whether it is verified, and all evidence that it names is so still."""
        return self.state == ClaimState.VERIFIED and self._is_shown(evidence_states)

    def _is_shown(self, evidence_states: Mapping[str, str]) -> bool:
        return all(
            evidence_states.get(id, "") == EvidenceState.VERIFIED for id in self.evidence_ids
        )

    def _is_words_alone(self) -> bool:
        return not self.evidence_ids and self.dimension not in SHOWN_BY_WORDS

    def steps_of(
        self, subject: str, project: ProjectState, evidence_states: Mapping[str, str]
    ) -> list[str]:
        """Steps that are possible for somebody, as far as the rules go."""
        if project in ENDED:
            return []
        own = subject == self.claimed_by
        steps = [step for step in self.allowed_steps() if not (own and step in _BY_ANOTHER)]
        if self._is_words_alone() or not self._is_shown(evidence_states):
            steps = [step for step in steps if step != "verify"]
        return steps


def require_going_on(project: ProjectState) -> None:
    """Raise `Refused` ``READINESS_IS_FINAL`` for a project that has ended."""
    if project in ENDED:
        raise Refused("READINESS_IS_FINAL", state=project.value)


@dataclass(frozen=True)
class Gap:
    """A level that is not verified; `claim_id` is the claim that waits, if there is one.

    It is `fallen` where that claim was verified by evidence that does not hold any more.
    """

    level: int
    claim_id: str = ""
    fallen: bool = False


@dataclass(frozen=True)
class Standing:
    """How ready a project is in one dimension; level 0 is below all."""

    dimension: Dimension
    claimed_level: int
    verified_level: int
    missing: tuple[Gap, ...]


def standing(
    dimension: Dimension, claims: Iterable[ReadinessClaim], evidence_states: Mapping[str, str]
) -> Standing:
    """How ready a project is in a dimension, by all its claims.

    `evidence_states` are the states of the evidence that they name, by id. A level counts
    with every level below it. What is missing are the levels above the verified one, up to
    the next that nobody has claimed.
    """
    known = {c.level: c for c in claims if c.dimension == dimension and c.state in STANDING}
    verified = {level for level, claim in known.items() if claim.holds(evidence_states)}
    claimed_level, verified_level = _reached(known), _reached(verified)
    missing = [
        _gap(level, known.get(level))
        for level in range(verified_level + 1, min(claimed_level + 1, LEVELS[-1]) + 1)
        if level not in verified
    ]
    return Standing(dimension, claimed_level, verified_level, tuple(missing))


def _gap(level: int, claim: ReadinessClaim | None) -> Gap:
    return Gap(level, claim.id, claim.state == ClaimState.VERIFIED) if claim else Gap(level)


def _reached(levels: Iterable[int]) -> int:
    there = set(levels)
    reached = 0
    while reached + 1 in there:
        reached += 1
    return reached


@dataclass(frozen=True)
class Scale:
    """One version of what the levels mean."""

    version: str
    levels: Mapping[Dimension, Mapping[int, LocalizedText]]


def read_scale(text: str) -> Scale:
    """Read a scale from TOML. Raises `ValueError` for one that leaves something out."""
    data: dict[str, Any] = tomllib.loads(text)
    levels = {
        Dimension(name): {
            int(level): LocalizedText(fa=item["fa"], en=item["en"]) for level, item in items.items()
        }
        for name, items in data["levels"].items()
    }
    if set(levels) != set(Dimension):
        raise ValueError("a scale describes every dimension")
    for dimension, described in levels.items():
        if list(described) != list(LEVELS):
            raise ValueError(f"{dimension} has not the levels 1 to 9, in their order")
        if not all(text.fa and text.en for text in described.values()):
            raise ValueError(f"{dimension} is not described in both languages")
    return Scale(data["version"], levels)
