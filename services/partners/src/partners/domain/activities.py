"""The activity: what partners do, or mean to do, together."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import ClassVar

from domainkit.aggregate import Occasion, Stateful
from domainkit.machine import Machine
from domainkit.rules import Broken, RulesBroken
from domainkit.values import ImpreciseDate, LocalizedText, check_name
from partners.domain.agreement_terms import RenewalMode
from partners.domain.agreements import BEFORE_SIGNED, ENDED, Agreement
from partners.domain.persons import check_period


class ActivityKind(StrEnum):
    """What is done."""

    JOINT_RESEARCH = "joint_research"
    COMMITTEE = "committee"
    UNIVERSITY_NETWORK = "university_network"
    EXCHANGE = "exchange"
    TRAINING = "training"
    MEETING = "meeting"
    DIASPORA_EXPERT = "diaspora_expert"
    PLATFORM = "platform"


class ActivityState(StrEnum):
    """Where an activity is in its life."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    ACTIVE = "active"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class ActivityParticipant:
    """Someone who takes part: an institution, a person, a center, or just a name."""

    institution_id: str | None = None
    person_id: str | None = None
    center_id: str | None = None
    name: LocalizedText | None = None
    role: LocalizedText | None = None

    def named(self, name: LocalizedText | None) -> "ActivityParticipant":
        """The same participant with a name as it is now."""
        return replace(self, name=name)


_S = ActivityState


@dataclass(kw_only=True)
class Activity(Stateful):
    """Something done together. `was_approved` stays true when it is cancelled afterwards."""

    MACHINE: ClassVar[Machine[ActivityState]] = Machine(
        {
            "approve": ([_S.PROPOSED], _S.APPROVED),
            "start": ([_S.APPROVED], _S.ACTIVE),
            "complete": ([_S.ACTIVE], _S.DONE),
            "cancel": ([_S.PROPOSED, _S.APPROVED, _S.ACTIVE], _S.CANCELLED),
        }
    )
    EVENTS: ClassVar[Mapping[str, str]] = {
        "approve": "approved",
        "start": "started",
        "complete": "completed",
        "cancel": "cancelled",
    }
    REASONED: ClassVar[frozenset[str]] = frozenset({"cancel"})
    EDITABLE: ClassVar[frozenset[str]] = frozenset(
        {
            "kind",
            "titles",
            "agreement_id",
            "scope_codes",
            "out_of_scope_reason",
            "participants",
            "start_date",
            "end_date",
            "place",
            "note",
            "citations",
            "sample",
        }
    )

    kind: ActivityKind
    titles: LocalizedText | None
    agreement_id: str | None = None
    scope_codes: list[str] = field(default_factory=list[str])
    out_of_scope_reason: LocalizedText | None = None
    participants: list[ActivityParticipant] = field(default_factory=list[ActivityParticipant])
    start_date: ImpreciseDate | None = None
    end_date: ImpreciseDate | None = None
    place: LocalizedText | None = None
    note: LocalizedText | None = None
    state: ActivityState = ActivityState.PROPOSED
    was_approved: bool = False

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        broken = [*super().rules(today), *check_name(self.titles, "titles")]
        broken += check_period(self.start_date, self.end_date, "", ("start_date", "end_date"))
        for index, participant in enumerate(self.participants):
            path = f"participants[{index}]"
            ids = [participant.institution_id, participant.person_id, participant.center_id]
            given = sum(bool(id) for id in ids)
            if given > 1:
                params = {"fields": "institution_id, person_id, center_id"}
                broken.append(Broken(path, "ONE_REFERENCE_NEEDED", params))
            elif not given:
                broken += check_name(participant.name, f"{path}.name")
        if self.scope_codes and not self.agreement_id:
            broken.append(Broken("agreement_id", "REQUIRED"))
        return broken

    def references(self) -> list[tuple[str, str]]:
        """Ids of what it refers to, centers among them, with their paths."""
        named = [("agreement_id", self.agreement_id)]
        for index, participant in enumerate(self.participants):
            path = f"participants[{index}]"
            named.append((f"{path}.institution_id", participant.institution_id))
            named.append((f"{path}.person_id", participant.person_id))
            named.append((f"{path}.center_id", participant.center_id))
        return [(path, id) for path, id in named if id]

    def check_within(self, agreement: Agreement | None, *, decided: bool = False) -> None:
        """Raise `RulesBroken` if it lies outside of its agreement and no reason is given.

        A proposal may leave open which part of the scope it falls under; once it is
        `decided` it may not. Dates count as outside only where they surely are.
        """
        if agreement is None or self.out_of_scope_reason:
            return
        part = ""
        if self._is_out_of_scope(agreement, decided=decided):
            part = "scope"
        elif self._is_out_of_time(agreement):
            part = "dates"
        if part:
            params = {"part": part, "agreement_id": agreement.id}
            raise RulesBroken(Broken("out_of_scope_reason", "OUTSIDE_AGREEMENT", params))

    def check_carried(self, agreement: Agreement | None, *, decided: bool = False) -> None:
        """Raise `RulesBroken` if its agreement carries nothing new and no reason is given.

        One that has ended carries nothing any more; what is over already stays under it.
        One that not every party has signed carries proposals, and what is `decided` only
        where it is applied provisionally.
        """
        if agreement is None or self.out_of_scope_reason:
            return
        is_over = self.state in (ActivityState.DONE, ActivityState.CANCELLED)
        ended = agreement.state in ENDED and not is_over
        unsigned = decided and agreement.state in BEFORE_SIGNED
        if ended or (unsigned and not (agreement.provisional and agreement.state not in ENDED)):
            params = {"agreement_id": agreement.id, "state": agreement.state.value}
            raise RulesBroken(Broken("out_of_scope_reason", "AGREEMENT_NOT_STANDING", params))

    def approve(self, agreement: Agreement | None, occasion: Occasion) -> None:
        """Approve the proposal, which stands on `agreement` if on any."""
        self.target_of("approve")
        self.check_carried(agreement, decided=True)
        self.check_within(agreement, decided=True)
        self.was_approved = True
        super().take("approve", occasion)

    def start(self, agreement: Agreement | None, occasion: Occasion) -> None:
        """Begin what was approved, as long as `agreement`, if it stands on any, carries it."""
        self.target_of("start")
        self.check_carried(agreement, decided=True)
        super().take("start", occasion)

    def take(self, action: str, occasion: Occasion) -> None:
        """Take a step of the life cycle other than `approve` and `start`; see `Stateful.take`."""
        if action in ("approve", "start"):
            raise ValueError(f"{action} takes the agreement besides the occasion")
        super().take(action, occasion)

    def _is_out_of_scope(self, agreement: Agreement, *, decided: bool) -> bool:
        codes = {area.code for area in agreement.scope}
        if not self.scope_codes:
            return decided and bool(codes)
        return not codes.issuperset(self.scope_codes)

    def _is_out_of_time(self, agreement: Agreement) -> bool:
        begins = agreement.effective_date or agreement.signed_date
        if begins and not agreement.provisional:
            first = self.start_date or self.end_date
            if first and first.latest() < begins.earliest():
                return True
        ends = agreement.expiry_date
        if ends and agreement.renewal_mode != RenewalMode.AUTOMATIC:
            last = self.end_date or self.start_date
            if last and last.earliest() > ends.latest():
                return True
        return False
