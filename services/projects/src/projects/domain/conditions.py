"""Conditions of a conditional go: who sees to them, until when, and who found them met."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from domainkit.aggregate import Occasion, Stateful
from domainkit.machine import Machine
from domainkit.rules import Broken, Refused, RulesBroken
from domainkit.values import LocalizedText
from projects.domain.evidence import EvidenceState


class ConditionState(StrEnum):
    """Where a condition is in its life. That it is overdue is computed for a day."""

    OPEN = "open"
    MET = "met"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class ConditionReport:
    """Someone has said that a condition is met, and what shows it."""

    reported_by: str
    reported_at: datetime
    evidence_id: str = ""
    note: str = ""


@dataclass(frozen=True)
class Shown:
    """What is known of the evidence that a report names.

    `confirmed_visit` is the last stage visit for which it was found to hold, 0 for none.
    """

    id: str
    criterion: str
    state: EvidenceState
    confirmed_visit: int
    submitted_by: str


@dataclass(kw_only=True)
class ProjectCondition(Stateful):
    """Something that must be done by a day for a conditional go to hold.

    It is made by the decision and its terms never change: another day takes another
    decision, at a gate. `due_date` is the last day, ISO 8601; `criterion` is the one
    that was left open for it, if one was: then it is met by evidence of that criterion
    alone. What was only reported is not met yet.
    """

    MACHINE: ClassVar[Machine[ConditionState]] = Machine(
        {
            "report": ([ConditionState.OPEN], ConditionState.OPEN),
            "return": ([ConditionState.OPEN], ConditionState.OPEN),
            "confirm": ([ConditionState.OPEN], ConditionState.MET),
            "cancel": ([ConditionState.OPEN], ConditionState.CANCELLED),
        }
    )
    EVENTS: ClassVar[Mapping[str, str]] = {
        "report": "reported",
        "return": "returned",
        "confirm": "met",
        "cancel": "cancelled",
    }
    REASONED: ClassVar[frozenset[str]] = frozenset({"return", "cancel"})
    OVERDUE: ClassVar[str] = "became_overdue"
    """The step that tells, once, that its last day is over; its due date never changes."""

    project_id: str
    decision_id: str
    criterion: str = ""
    text: LocalizedText | None
    owner: str
    due_date: str
    report: ConditionReport | None = None
    confirmed_by: str = ""
    state: ConditionState = ConditionState.OPEN

    def is_overdue(self, today: date) -> bool:
        """Tell whether its last day is over, and it is neither met nor cancelled."""
        return self.state == ConditionState.OPEN and date.fromisoformat(self.due_date) < today

    def fall_overdue(self, occasion: Occasion) -> bool:
        """Tell that its last day is over; `False` while it is not, or where it is met."""
        if not self.is_overdue(occasion.today):
            return False
        state = self.state.value
        self.record_step(self.OVERDUE, occasion, from_state=state, to_state=state)
        return True

    def tell(self, report: ConditionReport, shown: Shown | None, occasion: Occasion) -> None:
        """Take what someone says of it being met; a later report replaces an earlier one.

        `shown` is the evidence that the report names. Raises `IllegalStep`, or `RulesBroken`
        where neither evidence nor a note shows it, or where a criterion was left open and the
        evidence is not of that.
        """
        self.target_of("report")
        if self.criterion and shown is None:
            params = {"criterion": self.criterion}
            raise RulesBroken(Broken("evidence_id", "CRITERION_EVIDENCE_NEEDED", params))
        if self.criterion and shown and shown.criterion != self.criterion:
            params = {"criterion": self.criterion, "given": shown.criterion}
            raise RulesBroken(Broken("evidence_id", "EVIDENCE_OF_OTHER_CRITERION", params))
        if not report.evidence_id and not report.note.strip():
            raise RulesBroken(Broken("note", "EVIDENCE_OR_NOTE_NEEDED"))
        self.report = report
        self._stay("report", occasion)

    def give_back(self, occasion: Occasion) -> None:
        """Find that what was reported does not show it; needs a reason.

        Raises `IllegalStep`, `RulesBroken`, or `Refused` ``NOTHING_REPORTED``.
        """
        self.target_of("return")
        self._require_report()
        if not occasion.reason.strip():
            raise RulesBroken(Broken("reason", "REASON_REQUIRED"))
        self.report = None
        self._stay("return", occasion)

    def confirm(self, shown: Shown | None, since_visit: int, occasion: Occasion) -> None:
        """Find that it is met.

        `shown` is the evidence that the report names, `since_visit` the stage visit in which
        the condition was made: evidence for a criterion that was left open was found to hold
        in that visit or a later one. Raises `IllegalStep`, or `Refused`: ``NOTHING_REPORTED``,
        ``OWN_REPORT`` for who reported it, ``OWN_EVIDENCE`` for who submitted what shows it,
        ``EVIDENCE_NOT_VERIFIED``, ``CRITERION_NOT_SHOWN``.
        """
        self.target_of("confirm")
        self._require_report()
        if why := self._why_not_confirmed(shown, since_visit, occasion.actor):
            raise why
        self.confirmed_by = occasion.actor
        self.take("confirm", occasion)

    def steps_of(
        self, subject: str, shown: Shown | None, since_visit: int, *, is_outside: bool
    ) -> list[str]:
        """Steps that are possible for somebody, as far as the rules go.

        `shown` and `since_visit` are as for `confirm`, `is_outside` says that nothing ties
        this person to the project.
        """
        steps = self.allowed_steps()
        if self.report is None:
            return [step for step in steps if step not in ("return", "confirm")]
        if not is_outside or self._why_not_confirmed(shown, since_visit, subject):
            steps = [step for step in steps if step != "confirm"]
        return steps

    def _why_not_confirmed(
        self, shown: Shown | None, since_visit: int, actor: str
    ) -> Refused | None:
        """Why somebody cannot find it met by what was reported; `None` for who can."""
        if self.report and self.report.reported_by == actor:
            return Refused("OWN_REPORT")
        if shown is not None:
            if shown.submitted_by == actor:
                return Refused("OWN_EVIDENCE")
            if shown.state != EvidenceState.VERIFIED:
                params = {"evidence_id": shown.id, "state": shown.state.value}
                return Refused("EVIDENCE_NOT_VERIFIED", **params)
        if self.criterion and not self._is_shown_by(shown, since_visit):
            return Refused("CRITERION_NOT_SHOWN", criterion=self.criterion)
        return None

    def _is_shown_by(self, shown: Shown | None, since_visit: int) -> bool:
        return (
            shown is not None
            and shown.criterion == self.criterion
            and shown.confirmed_visit >= since_visit
        )

    def _require_report(self) -> None:
        if self.report is None:
            raise Refused("NOTHING_REPORTED")

    def _stay(self, action: str, occasion: Occasion) -> None:
        """Note a step that leaves it open; since when it is, and why, stays as well."""
        state = self.state.value
        self.record_step(
            self.EVENTS[action],
            occasion,
            from_state=state,
            to_state=state,
            changed_fields=["report"],
        )
