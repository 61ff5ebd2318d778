"""Waivers: the leave to go on without the evidence for one criterion, for one visit, for a time."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from domainkit.aggregate import Occasion, Stateful
from domainkit.machine import Machine
from domainkit.rules import Broken, Refused
from projects.domain.pathways import Stage
from projects.domain.team import Team
from projects.domain.visits import Visited


class WaiverState(StrEnum):
    """Where a waiver is in its life. That it has expired is computed for a day."""

    REQUESTED = "requested"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"


@dataclass(kw_only=True)
class Waiver(Stateful):
    """Leave to go on without the evidence for a criterion in one stage visit.

    `expiry_date` is the last day on which it holds, ISO 8601.
    """

    MACHINE: ClassVar[Machine[WaiverState]] = Machine(
        {
            "grant": ([WaiverState.REQUESTED], WaiverState.GRANTED),
            "refuse": ([WaiverState.REQUESTED], WaiverState.REFUSED),
            "withdraw": ([WaiverState.REQUESTED], WaiverState.WITHDRAWN),
            "revoke": ([WaiverState.GRANTED], WaiverState.REVOKED),
        }
    )
    EVENTS: ClassVar[Mapping[str, str]] = {
        "grant": "granted",
        "refuse": "refused",
        "withdraw": "withdrawn",
        "revoke": "revoked",
    }
    REASONED: ClassVar[frozenset[str]] = frozenset({"refuse", "revoke"})
    # Given when it is asked for, and fixed from then on.
    FIXED: ClassVar[frozenset[str]] = frozenset(
        {"external_key", "project_id", "criterion", "reason", "expiry_date", "citations", "sample"}
    )

    project_id: str
    criterion: str
    stage: Stage
    visit: int
    reason: str
    expiry_date: str
    requested_by: str
    ruled_by: str = ""
    state: WaiverState = WaiverState.REQUESTED

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        broken: list[Broken] = []
        if not self.reason.strip():
            broken.append(Broken("reason", "REASON_REQUIRED"))
        try:
            expiry = date.fromisoformat(self.expiry_date)
        except ValueError:
            return [*broken, Broken("expiry_date", "NO_SUCH_DATE")]
        if expiry < today:
            broken.append(Broken("expiry_date", "DATE_IN_PAST"))
        return broken

    def is_expired(self, today: date) -> bool:
        """Tell whether its last day is over."""
        return date.fromisoformat(self.expiry_date) < today

    def grant(
        self,
        visited: Visited,
        team: Team,
        occasion: Occasion,
        center_ids: Iterable[str] = (),
        in_conflict: Collection[str] = (),
    ) -> None:
        """Give the leave that was asked for.

        `center_ids` are those that the granter's token names, `in_conflict` who has declared a
        conflict of interest at a gate over the visit. Raises `Refused` ``OWN_WAIVER`` for who
        asked for it, ``TEAM_HAS_NO_SAY`` for the project's team, ``CONFLICT_HAS_NO_SAY``,
        ``WAIVER_EXPIRED`` when its last day is over, ``VISIT_IS_OVER`` when the stage was left
        meanwhile, or `IllegalStep`.
        """
        self.target_of("grant")
        if occasion.actor == self.requested_by:
            raise Refused("OWN_WAIVER")
        team.require_outside(occasion.actor, center_ids)
        if occasion.actor in in_conflict:
            raise Refused("CONFLICT_HAS_NO_SAY")
        if self.is_expired(occasion.today):
            raise Refused("WAIVER_EXPIRED", expiry_date=self.expiry_date)
        if visited.present != self.visit:
            raise Refused("VISIT_IS_OVER", visit=str(self.visit), stage=self.stage.value)
        self.ruled_by = occasion.actor
        self.take("grant", occasion)

    def refuse(self, occasion: Occasion) -> None:
        """Not give it; needs a reason. Raises as `take` does."""
        self.ruled_by = occasion.actor
        self.take("refuse", occasion)

    def steps_of(
        self,
        subject: str,
        visited: Visited,
        team: Team,
        today: date,
        center_ids: Iterable[str] = (),
        *,
        in_conflict: Collection[str] = (),
        under_way: bool = True,
    ) -> list[str]:
        """Steps that the states of it and of its project allow to this person.

        Of a project that is not `under_way` any more none is possible; the rest is as for
        `grant`.
        """
        steps = self.allowed_steps() if under_way else []
        over = visited.present != self.visit or self.is_expired(today)
        tied = team.includes(subject, center_ids) or subject in in_conflict
        if over or subject == self.requested_by or tied:
            steps = [step for step in steps if step != "grant"]
        return steps
