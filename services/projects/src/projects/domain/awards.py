"""Money given for a project: what has to be reached for it, and what was released.

Nothing is released but a tranche whose milestone somebody else than its reporter has
confirmed, by evidence that holds still, in the currency of the award, never more than was
awarded, and only while the project may be paid.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

from domainkit.aggregate import Occasion, Stateful
from domainkit.identifiers import full_ror
from domainkit.machine import Machine
from domainkit.rules import Broken, IllegalStep, Refused, RulesBroken
from domainkit.values import ImpreciseDate, LocalizedText, check_date, check_name
from projects.domain.evidence import EvidenceFound, EvidenceState
from projects.domain.identifiers import check_ror
from projects.domain.money import Money


class AwardState(StrEnum):
    """Where an award is in its life."""

    ACTIVE = "active"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class MilestoneState(StrEnum):
    """Where a milestone is."""

    OPEN = "open"
    REPORTED = "reported"
    MET = "met"


@dataclass(frozen=True)
class Funder:
    """Who gives the money."""

    names: LocalizedText | None
    institution_id: str = ""
    ror_id: str = ""

    def __post_init__(self) -> None:
        """Write the ROR id in its full form."""
        object.__setattr__(self, "ror_id", full_ror(self.ror_id) or "")


@dataclass(frozen=True)
class Milestone:
    """Something that has to be reached; what stands from `state` on was not planned but done."""

    code: str
    text: LocalizedText | None
    due_date: str = ""
    state: MilestoneState = MilestoneState.OPEN
    evidence_ids: list[str] = field(default_factory=list[str])
    note: str = ""
    reported_by: str = ""
    reported_at: datetime | None = None
    confirmed_by: str = ""
    confirmed_at: datetime | None = None

    @property
    def plan(self) -> "Milestone":
        """The milestone as it was agreed, with nothing done."""
        return Milestone(self.code, self.text, self.due_date)


@dataclass(frozen=True)
class Tranche:
    """A part of the money; what stands from `released` on was not planned but done."""

    code: str
    amount: Money | None
    milestone_code: str
    released: Money | None = None
    released_at: datetime | None = None
    released_by: str = ""
    payment_reference: str = ""

    @property
    def plan(self) -> "Tranche":
        """The tranche as it was agreed, with nothing released."""
        return Tranche(self.code, self.amount, self.milestone_code)


@dataclass(frozen=True)
class Disbursement:
    """What was released of a tranche, as it stands in the books."""

    tranche_code: str
    milestone_code: str
    amount: Decimal
    currency: str


@dataclass(kw_only=True)
class Award(Stateful):
    """Money given for a project; `awarded_value` and the like say it in numbers."""

    MACHINE: ClassVar[Machine[AwardState]] = Machine(
        {
            "report-milestone": ([AwardState.ACTIVE], AwardState.ACTIVE),
            "return-milestone": ([AwardState.ACTIVE], AwardState.ACTIVE),
            "meet-milestone": ([AwardState.ACTIVE], AwardState.ACTIVE),
            "release-tranche": ([AwardState.ACTIVE], AwardState.ACTIVE),
            "close": ([AwardState.ACTIVE], AwardState.CLOSED),
            "cancel": ([AwardState.ACTIVE], AwardState.CANCELLED),
        }
    )
    EVENTS: ClassVar[Mapping[str, str]] = {
        "report-milestone": "milestone_reported",
        "return-milestone": "milestone_returned",
        "meet-milestone": "milestone_met",
        "release-tranche": "tranche_released",
        "close": "closed",
        "cancel": "cancelled",
    }
    REASONED: ClassVar[frozenset[str]] = frozenset({"return-milestone", "cancel"})
    EDITABLE: ClassVar[frozenset[str]] = frozenset(
        {
            "titles",
            "funder",
            "grant_number",
            "amount",
            "awarded_date",
            "milestones",
            "tranches",
            "citations",
            "sample",
        }
    )
    FIXED: ClassVar[frozenset[str]] = frozenset({"project_id"})

    project_id: str
    titles: LocalizedText | None
    funder: Funder | None
    grant_number: str = ""
    amount: Money
    awarded_date: ImpreciseDate | None = None
    milestones: list[Milestone] = field(default_factory=list[Milestone])
    tranches: list[Tranche] = field(default_factory=list[Tranche])
    released: Money | None = None
    state: AwardState = AwardState.ACTIVE

    @classmethod
    def begin(cls, id: str, at: datetime, values: Mapping[str, Any]) -> "Award":
        """A new award, of which nothing was reached and nothing released."""
        given = dict(values)
        given["milestones"] = [milestone.plan for milestone in given.get("milestones", [])]
        given["tranches"] = [tranche.plan for tranche in given.get("tranches", [])]
        made = cls(id=id, created_at=at, updated_at=at, state_since=at, **given)
        made.released = Money("0", made.amount.currency)
        return made

    @property
    def currency(self) -> str:
        """The currency of all its money."""
        return self.amount.currency

    @property
    def awarded_value(self) -> Decimal:
        """How much was awarded."""
        return self.amount.value

    @property
    def released_value(self) -> Decimal:
        """How much was released."""
        return sum((t.released.value for t in self.tranches if t.released), start=Decimal(0))

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        broken = check_name(self.titles, "titles")
        if self.funder is None:
            broken.append(Broken("funder", "REQUIRED"))
        else:
            broken += check_name(self.funder.names, "funder.names")
            broken += check_ror(self.funder.ror_id, "funder.ror_id")
        broken += check_date(self.awarded_date, "awarded_date", today=today)
        broken += self.amount.rules("amount", self.currency)
        broken += self._milestone_rules()
        return broken + self._tranche_rules()

    def can_be_amended(self) -> bool:
        """Tell whether `amend` would take anything now."""
        return self.state == AwardState.ACTIVE

    def amend(self, values: Mapping[str, Any], occasion: Occasion) -> bool:
        """Set editable fields; what was reached and released is kept.

        Raises `IllegalStep` for an award that has ended, or `RulesBroken`.
        """
        if not self.can_be_amended():
            raise IllegalStep("update", self.state.value, self.allowed_steps())
        planned = dict(values)
        broken: list[Broken] = []
        if "milestones" in planned:
            planned["milestones"], broken = self._planned_milestones(planned["milestones"])
        if "tranches" in planned:
            planned["tranches"], found = self._planned_tranches(planned["tranches"])
            broken += found
        if broken:
            raise RulesBroken(*broken)
        changed = super().amend(planned, occasion)
        if changed and self.released is not None and not self.released_value:
            self.released = Money("0", self.currency)
        return changed

    def report_milestone(
        self, code: str, evidence_ids: Sequence[str], note: str, occasion: Occasion
    ) -> None:
        """Note that an open milestone was reached, as somebody says.

        Raises `IllegalStep`, `RulesBroken`, or `Refused` ``MILESTONE_STATE_WRONG``.
        """
        self.target_of("report-milestone")
        milestone = self._milestone(code, MilestoneState.OPEN)
        if not evidence_ids and not note.strip():
            raise RulesBroken(Broken("note", "EVIDENCE_OR_NOTE_NEEDED"))
        reported = replace(
            milestone.plan,
            state=MilestoneState.REPORTED,
            evidence_ids=list(evidence_ids),
            note=note,
            reported_by=occasion.actor,
            reported_at=occasion.at,
        )
        self._put(reported, "report-milestone", replace(occasion, reason=_about(code, note)))

    def return_milestone(self, code: str, occasion: Occasion) -> None:
        """Open a reported milestone again, or a met one of which nothing was released.

        Raises as `report_milestone` does, besides `Refused` ``MILESTONE_PAID``.
        """
        self.target_of("return-milestone")
        milestone = self._milestone(code, MilestoneState.REPORTED, MilestoneState.MET)
        if paid := [t.code for t in self.tranches if t.released and t.milestone_code == code]:
            raise Refused("MILESTONE_PAID", code=code, tranches=", ".join(paid))
        if not occasion.reason.strip():
            raise RulesBroken(Broken("reason", "REASON_REQUIRED"))
        returned = replace(milestone.plan, note=occasion.reason)
        told = replace(occasion, reason=_about(code, occasion.reason))
        self._put(returned, "return-milestone", told)

    def meet_milestone(
        self, code: str, evidence_states: Mapping[str, str], occasion: Occasion
    ) -> None:
        """Confirm a reported milestone; the evidence that it was reported with is verified.

        `evidence_states` are, by id, the states of the newest versions of that evidence: who
        confirms has them to look at. Raises as `report_milestone` does, besides `Refused`
        ``REPORTER_CANNOT_CONFIRM`` and ``EVIDENCE_NOT_VERIFIED``.
        """
        self.target_of("meet-milestone")
        milestone = self._milestone(code, MilestoneState.REPORTED)
        if milestone.reported_by == occasion.actor:
            raise Refused("REPORTER_CANNOT_CONFIRM", code=code)
        _require_verified(milestone, evidence_states)
        met = replace(
            milestone,
            state=MilestoneState.MET,
            confirmed_by=occasion.actor,
            confirmed_at=occasion.at,
        )
        self._put(met, "meet-milestone", replace(occasion, reason=_about(code, occasion.reason)))

    def release_tranche(
        self,
        code: str,
        amount: Money | None,
        payment_reference: str,
        evidence_states: Mapping[str, str],
        occasion: Occasion,
    ) -> Disbursement:
        """Release a tranche, or a part of it, once; the rest is then not released any more.

        `require_payable` comes before it; `evidence_states` are those of `evidence_behind` by
        id, as they were judged last: a newer version that waits holds no money up. Raises
        `IllegalStep`, `RulesBroken`, or `Refused` ``TRANCHE_RELEASED``, ``MILESTONE_NOT_MET``,
        ``EVIDENCE_NOT_VERIFIED``.
        """
        self.target_of("release-tranche")
        tranche = next((item for item in self.tranches if item.code == code), None)
        if tranche is None or tranche.amount is None:
            raise RulesBroken(Broken("tranche_code", "UNKNOWN_TRANCHE", {"value": code}))
        if tranche.released:
            raise Refused("TRANCHE_RELEASED", code=code)
        milestone = next(m for m in self.milestones if m.code == tranche.milestone_code)
        if milestone.state != MilestoneState.MET:
            state = milestone.state.value
            raise Refused("MILESTONE_NOT_MET", code=code, milestone=milestone.code, state=state)
        _require_verified(milestone, evidence_states)
        paid = amount or tranche.amount
        broken = paid.rules("amount", self.currency)
        if not broken and paid.value > tranche.amount.value:
            params = {"code": code, "amount": tranche.amount.amount}
            broken = [Broken("amount.amount", "RELEASE_EXCEEDS_TRANCHE", params)]
        if broken:
            raise RulesBroken(*broken)
        done = replace(
            tranche,
            released=paid,
            released_at=occasion.at,
            released_by=occasion.actor,
            payment_reference=payment_reference,
        )
        self.tranches = [done if item.code == code else item for item in self.tranches]
        self.released = Money(_as_text(self.released_value), self.currency)
        told = replace(occasion, reason=_about(code, occasion.reason))
        self._note("release-tranche", told, ["tranches", "released"])
        return Disbursement(code, tranche.milestone_code, paid.value, paid.currency)

    def allowed_steps(self) -> list[str]:
        """Verbs that its state, its milestones and its tranches allow."""
        states = self._states()
        possible: Mapping[str, Callable[[], bool]] = {
            "report-milestone": lambda: MilestoneState.OPEN in states.values(),
            "return-milestone": self._has_returnable,
            "meet-milestone": lambda: MilestoneState.REPORTED in states.values(),
            "release-tranche": lambda: bool(self._waiting()),
        }
        steps = self.MACHINE.allowed(self.state)
        return [step for step in steps if step not in possible or possible[step]()]

    def steps_of(
        self,
        subject: str,
        *,
        found: Mapping[str, EvidenceFound],
        is_payable: bool,
        is_outside: bool,
    ) -> list[str]:
        """Steps that are possible for somebody, as far as the rules go.

        `found` is what is known of the evidence in `evidence_asked_for`, `is_payable` whether
        `require_payable` lets the project pass, `is_outside` whether nothing ties this person
        to the project.
        """
        reported = [
            m
            for m in self.milestones
            if m.state == MilestoneState.REPORTED and m.reported_by != subject
        ]
        newest = {id: item.newest for id, item in found.items()}
        judged = {id: item.judged for id, item in found.items()}
        possible: Mapping[str, bool] = {
            "meet-milestone": is_outside and _has_shown(reported, newest),
            "release-tranche": is_outside and is_payable and _has_shown(self._waiting(), judged),
        }
        return [step for step in self.allowed_steps() if possible.get(step, True)]

    @property
    def evidence_behind(self) -> list[str]:
        """Ids of the evidence by which those milestones are met that money waits for."""
        return [id for milestone in self._waiting() for id in milestone.evidence_ids]

    @property
    def evidence_asked_for(self) -> list[str]:
        """Ids of the evidence on which it hangs what can be done: `steps_of` takes them."""
        told = [m for m in self.milestones if m.state == MilestoneState.REPORTED]
        return [*self.evidence_behind, *(id for m in told for id in m.evidence_ids)]

    def evidence_of(self, code: str) -> list[str]:
        """Ids of the evidence that a milestone was reported with."""
        return [id for m in self.milestones if m.code == code for id in m.evidence_ids]

    def _waiting(self) -> list[Milestone]:
        """The milestones that are met and that have a tranche that was not released."""
        waiting = {t.milestone_code for t in self.tranches if not t.released}
        return [m for m in self.milestones if m.state == MilestoneState.MET and m.code in waiting]

    def _has_returnable(self) -> bool:
        paid = {t.milestone_code for t in self.tranches if t.released}
        return any(m.state != MilestoneState.OPEN and m.code not in paid for m in self.milestones)

    def _milestone(self, code: str, *needed: MilestoneState) -> Milestone:
        for milestone in self.milestones:
            if milestone.code == code:
                break
        else:
            raise RulesBroken(Broken("milestone_code", "UNKNOWN_MILESTONE", {"value": code}))
        if milestone.state not in needed:
            params = {"state": milestone.state.value, "needed": ", ".join(needed)}
            raise Refused("MILESTONE_STATE_WRONG", code=code, **params)
        return milestone

    def _put(self, milestone: Milestone, action: str, occasion: Occasion) -> None:
        self.milestones = [milestone if m.code == milestone.code else m for m in self.milestones]
        self._note(action, occasion, ["milestones"])

    def _note(self, action: str, occasion: Occasion, changed: list[str]) -> None:
        """Note a step that leaves the award in its state; since when, and why, stays as well."""
        state = self.state.value
        self.record_step(
            self.EVENTS[action],
            occasion,
            from_state=state,
            to_state=state,
            changed_fields=changed,
        )

    def _states(self) -> dict[str, MilestoneState]:
        return {milestone.code: milestone.state for milestone in self.milestones}

    def _planned_milestones(
        self, planned: Sequence[Milestone]
    ) -> tuple[list[Milestone], list[Broken]]:
        """New milestones with what was done of them kept, and the rules that they break."""
        known = {milestone.code: milestone for milestone in self.milestones}
        merged: list[Milestone] = []
        kept = set[str]()
        for milestone in planned:
            before = known.get(milestone.code)
            if before is not None and before.plan == milestone.plan:
                kept.add(before.code)
                merged.append(before)
            else:
                merged.append(milestone.plan)
        broken = [
            Broken("milestones", "MILESTONE_STAYS", {"code": m.code, "state": m.state.value})
            for m in self.milestones
            if m.state != MilestoneState.OPEN and m.code not in kept
        ]
        return merged, broken

    def _planned_tranches(self, planned: Sequence[Tranche]) -> tuple[list[Tranche], list[Broken]]:
        """New tranches with what was released of them kept, and the rules that they break."""
        known = {tranche.code: tranche for tranche in self.tranches}
        states = self._states()
        merged: list[Tranche] = []
        broken: list[Broken] = []
        for index, tranche in enumerate(planned):
            before = known.get(tranche.code)
            if before is not None and before.plan == tranche.plan:
                merged.append(before)
                continue
            merged.append(tranche.plan)
            bound = before is not None and before.milestone_code == tranche.milestone_code
            smaller = bound and _is_smaller(tranche, before)
            if states.get(tranche.milestone_code) == MilestoneState.MET and not smaller:
                params = {"value": tranche.milestone_code}
                path = f"tranches[{index}].milestone_code"
                broken.append(Broken(path, "MILESTONE_MET_ALREADY", params))
        kept = {tranche.code for tranche in merged if tranche.released}
        broken += [
            Broken("tranches", "TRANCHE_STAYS", {"code": tranche.code})
            for tranche in self.tranches
            if tranche.released and tranche.code not in kept
        ]
        return merged, broken

    def _milestone_rules(self) -> list[Broken]:
        broken: list[Broken] = []
        seen = set[str]()
        for index, milestone in enumerate(self.milestones):
            path = f"milestones[{index}]"
            broken += check_name(milestone.text, f"{path}.text")
            if milestone.code in seen:
                broken.append(Broken(f"{path}.code", "DUPLICATE", {"value": milestone.code}))
            seen.add(milestone.code)
            if milestone.due_date and not _is_day(milestone.due_date):
                broken.append(Broken(f"{path}.due_date", "NO_SUCH_DATE"))
        return broken

    def _tranche_rules(self) -> list[Broken]:
        broken: list[Broken] = []
        milestones, seen = self._states(), set[str]()
        for index, tranche in enumerate(self.tranches):
            path = f"tranches[{index}]"
            if tranche.code in seen:
                broken.append(Broken(f"{path}.code", "DUPLICATE", {"value": tranche.code}))
            seen.add(tranche.code)
            if tranche.amount is None:
                broken.append(Broken(f"{path}.amount", "REQUIRED"))
            else:
                broken += tranche.amount.rules(f"{path}.amount", self.currency)
            if tranche.milestone_code not in milestones:
                params = {"value": tranche.milestone_code}
                broken.append(Broken(f"{path}.milestone_code", "UNKNOWN_MILESTONE", params))
        total = sum((t.amount.value for t in self.tranches if t.amount), start=Decimal(0))
        if total > self.awarded_value:
            params = {"total": _as_text(total), "amount": self.amount.amount}
            broken.append(Broken("tranches", "TRANCHES_EXCEED_AWARD", params))
        return broken


def _has_shown(milestones: Sequence[Milestone], evidence_states: Mapping[str, str]) -> bool:
    """Whether the evidence of one of these milestones, all of it, holds."""
    return any(
        all(evidence_states.get(id, "") == EvidenceState.VERIFIED for id in milestone.evidence_ids)
        for milestone in milestones
    )


def _require_verified(milestone: Milestone, evidence_states: Mapping[str, str]) -> None:
    for id in milestone.evidence_ids:
        state = evidence_states.get(id, "")
        if state != EvidenceState.VERIFIED:
            raise Refused("EVIDENCE_NOT_VERIFIED", evidence_id=id, state=state)


def _about(code: str, reason: str) -> str:
    """The reason of a step about one milestone or tranche, which names it."""
    return f"{code}: {reason}" if reason.strip() else code


def _is_smaller(tranche: Tranche, before: Tranche | None) -> bool:
    """Whether a tranche is certainly less than it was; of two currencies nobody can tell."""
    if before is None or before.amount is None or tranche.amount is None:
        return False
    same = tranche.amount.currency == before.amount.currency
    return same and tranche.amount.value < before.amount.value


def _is_day(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _as_text(value: Decimal) -> str:
    """A number without an exponent, and without zeros that say nothing."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
