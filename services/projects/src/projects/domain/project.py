"""The project: its way through the stages, and which rules it keeps."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from domainkit.aggregate import Occasion, Stateful
from domainkit.machine import Machine
from domainkit.rules import Broken, Refused, RulesBroken
from domainkit.values import LocalizedText, check_name
from projects.domain.decisions import Decision, DecisionKind, Ruling, Terms
from projects.domain.flags import (
    Acknowledgement,
    Flag,
    FlagKind,
    Neighbours,
    in_order,
    in_words,
)
from projects.domain.participants import Participant, check_participants
from projects.domain.pathways import Pathway, Stage, Template
from projects.domain.people import ProjectPerson, check_people


class ProjectState(StrEnum):
    """Where a project is in its life."""

    ACTIVE = "active"
    ON_HOLD = "on_hold"
    COMPLETED = "completed"
    KILLED = "killed"


class HoldCause(StrEnum):
    """What has put a project on hold."""

    DECISION = "decision"
    OVERDUE_CONDITION = "overdue_condition"


# States that a project does not come out of.
ENDED = frozenset({ProjectState.COMPLETED, ProjectState.KILLED})
# The decisions that lead to the next stage.
ONWARD = frozenset({DecisionKind.GO, DecisionKind.CONDITIONAL_GO})
# Who is of the team follows from these; they stay as they are while a gate is open.
_NAMING = frozenset({"lead_center_id", "participants", "people"})


@dataclass(frozen=True)
class StageVisit:
    """The time in one stage; coming back to a stage is another visit.

    Evidence, waivers, gates and decisions know it by its number, which no other visit of the
    project ever has, also after a correction has struck it.
    """

    stage: Stage
    entered_at: datetime
    left_at: datetime | None = None
    decision_id: str = ""
    number: int = 0


@dataclass(kw_only=True)
class Project(Stateful):
    """A project that is to turn science into treatment or business.

    Its stage is changed by decisions alone, one gate after another. `template_version`
    names the pathway template that holds for it. A project that an overdue condition has
    put on hold has no day on which it is looked at again: it goes on when none is overdue.
    `flags` follow from its neighbours and from what of regulations was `acknowledged`.
    `named_subjects` and `named_center_ids` are all who were ever named on it: nobody gets
    a vote at its gates by being taken off. `struck_subjects` are those whom the headquarters
    found to be named wrongly: nobody loses a vote by being named by those who are reviewed.
    `visits_begun` counts its stage visits with those that corrections have struck.
    """

    MACHINE: ClassVar[Machine[ProjectState]] = Machine(
        {
            DecisionKind.GO: ([ProjectState.ACTIVE], ProjectState.ACTIVE),
            DecisionKind.CONDITIONAL_GO: ([ProjectState.ACTIVE], ProjectState.ACTIVE),
            DecisionKind.HOLD: ([ProjectState.ACTIVE], ProjectState.ON_HOLD),
            DecisionKind.RECYCLE: ([ProjectState.ACTIVE], ProjectState.ACTIVE),
            DecisionKind.KILL: ([ProjectState.ACTIVE, ProjectState.ON_HOLD], ProjectState.KILLED),
            "resume": ([ProjectState.ON_HOLD], ProjectState.ACTIVE),
        }
    )
    EVENTS: ClassVar[Mapping[str, str]] = {
        DecisionKind.GO: "advanced",
        DecisionKind.CONDITIONAL_GO: "advanced",
        DecisionKind.HOLD: "held",
        DecisionKind.RECYCLE: "recycled",
        DecisionKind.KILL: "killed",
        "resume": "resumed",
    }
    EDITABLE: ClassVar[frozenset[str]] = frozenset(
        {"titles", "summary", "lead_center_id", "participants", "people", "citations", "sample"}
    )
    # Given when a project is recorded, and fixed from then on.
    FIXED: ClassVar[frozenset[str]] = frozenset(
        {"pathway", "initial_stage", "initial_stage_reason", "revival_of_id"}
    )

    titles: LocalizedText | None
    summary: LocalizedText | None = None
    lead_center_id: str
    pathway: Pathway
    participants: list[Participant] = field(default_factory=list[Participant])
    people: list[ProjectPerson] = field(default_factory=list[ProjectPerson])
    initial_stage: Stage
    initial_stage_reason: str = ""
    revival_of_id: str | None = None
    template_version: str
    stage: Stage
    stage_visits: list[StageVisit]
    visits_begun: int = 0
    resume_date: str = ""
    hold_cause: HoldCause | None = None
    latest_decision_id: str = ""
    open_gate_id: str = ""
    flags: list[Flag] = field(default_factory=list[Flag])
    acknowledged: list[Acknowledgement] = field(default_factory=list[Acknowledgement])
    named_subjects: list[str] = field(default_factory=list[str])
    named_center_ids: list[str] = field(default_factory=list[str])
    struck_subjects: list[str] = field(default_factory=list[str])
    state: ProjectState = ProjectState.ACTIVE

    def __post_init__(self) -> None:
        """Number the visits from before numbers were kept: theirs is their place."""
        self.stage_visits = [
            visit if visit.number else replace(visit, number=place)
            for place, visit in enumerate(self.stage_visits, 1)
        ]
        self.visits_begun = max(self.visits_begun, self.stage_visits[-1].number)

    @classmethod
    def begin(
        cls, template: Template, id: str, at: datetime, values: Mapping[str, Any]
    ) -> "Project":
        """A new project, in the stage that `values` give as its first.

        Raises `RulesBroken` if its pathway does not have that stage.
        """
        pathway: Pathway = values["pathway"]
        stages = template.stages(pathway)
        first: Stage = values.get("initial_stage") or stages[0]
        if first not in stages:
            raise RulesBroken(_not_in_pathway("initial_stage", first, pathway, template))
        given: dict[str, Any] = {**values, "initial_stage": first}
        made = cls(
            id=id,
            created_at=at,
            updated_at=at,
            state_since=at,
            template_version=template.version,
            stage=first,
            stage_visits=[StageVisit(first, at)],
            **given,
        )
        made._remember_named()
        return made

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        del today
        broken = check_name(self.titles, "titles")
        if self.initial_stage != Stage.S0 and not self.initial_stage_reason.strip():
            params = {"stage": self.initial_stage.value}
            broken.append(Broken("initial_stage_reason", "INITIAL_STAGE_REASON_REQUIRED", params))
        broken += check_participants(
            self.participants, "participants", lead_center_id=self.lead_center_id
        )
        return broken + check_people(self.people, "people")

    def can_be_amended(self) -> bool:
        """Tell whether anything about it can be changed: nothing once it was killed."""
        return self.state != ProjectState.KILLED

    def amend(self, values: Mapping[str, Any], occasion: Occasion) -> bool:
        """Set editable fields.

        Raises besides `RulesBroken` `Refused`: ``KILLED_IS_FINAL``, ``FROZEN_AT_GATE`` for who
        is named on it while a gate is open, and ``NAMING_STRUCK`` for naming somebody again.
        """
        self._require_alive()
        self._require_not_frozen(
            name for name in _NAMING & values.keys() if getattr(self, name) != values[name]
        )
        people: list[ProjectPerson] = values.get("people", [])
        if again := {person.subject for person in people}.intersection(self.struck_subjects):
            raise Refused("NAMING_STRUCK", subjects=", ".join(sorted(again)))
        changed = super().amend(values, occasion)
        self._remember_named()
        return changed

    def strike_naming(self, subject: str, occasion: Occasion) -> None:
        """Note that somebody was named on it wrongly, and take the subject off.

        Being named then makes nobody a part of its team; what somebody does for it still does.
        Raises `Refused` ``KILLED_IS_FINAL``, ``FROZEN_AT_GATE``, ``NOT_NAMED``, or `RulesBroken`
        without a reason.
        """
        self._require_alive()
        self._require_not_frozen(["people"])
        if subject not in self.named_subjects or subject in self.struck_subjects:
            raise Refused("NOT_NAMED", subject=subject)
        if not occasion.reason.strip():
            raise RulesBroken(Broken("reason", "REASON_REQUIRED"))
        self.struck_subjects = sorted([*self.struck_subjects, subject])
        self.people = [
            replace(person, subject="") if person.subject == subject else person
            for person in self.people
        ]
        self._stay("naming_struck", occasion, ["people", "struck_subjects"])

    def open_gate(self, gate_id: str, occasion: Occasion) -> None:
        """Come under review. Raises `Refused`: ``KILLED_IS_FINAL``, ``GATE_ALREADY_OPEN``."""
        self._require_alive()
        if self.open_gate_id:
            raise Refused("GATE_ALREADY_OPEN", gate_id=self.open_gate_id)
        self.open_gate_id = gate_id
        self._stay("gate_opened", occasion, ["open_gate_id"])

    def withdraw_gate(self, occasion: Occasion) -> None:
        """Be under review no more, undecided."""
        self.open_gate_id = ""
        self._stay("gate_withdrawn", occasion, ["open_gate_id"])

    def require_at_gate(self) -> None:
        """Raise `Refused` unless it can be decided on: ``KILLED_IS_FINAL``, ``GATE_NEEDED``."""
        self._require_alive()
        if not self.open_gate_id:
            raise Refused("GATE_NEEDED")

    def before(self, decision: Decision) -> "Project":
        """The project as it was when its last decision was laid before it.

        Raises `Refused`: ``KILLED_IS_FINAL``, and ``NOT_THE_LATEST_DECISION`` for any other.
        """
        self._require_alive()
        if decision.id != self.latest_decision_id:
            raise Refused("NOT_THE_LATEST_DECISION", latest=self.latest_decision_id)
        visits = self.stage_visits
        if len(visits) > 1 and visits[-1].decision_id == decision.id:
            visits = visits[:-1]
        *earlier, present = visits
        return replace(
            self,
            state=ProjectState.ACTIVE,
            stage=decision.from_stage,
            stage_visits=[*earlier, replace(present, left_at=None)],
            resume_date="",
            hold_cause=None,
        )

    def decide(
        self,
        ruling: Ruling,
        template: Template,
        id: str,
        occasion: Occasion,
        *,
        superseded: Decision | None = None,
        flags: Sequence[Flag] | None = None,
    ) -> Decision:
        """Do what is decided at the gate of the present stage, and return the decision.

        `Review.decide` is the way here: it sees to the gate, its votes and the criteria.
        `template` is the one that the project began with, `id` that of the decision. What
        corrects the last decision, `superseded`, is applied to where the project was
        before that; `flags` are those that are due on it there, else those that it has.
        Raises `Refused` ``KILLED_IS_FINAL``, ``FLAGS_BLOCK_GO``, ``NOT_THE_LATEST_DECISION``,
        `IllegalStep`, or `RulesBroken`; nothing was changed then.
        """
        if template.version != self.template_version:
            raise ValueError(f"{self.id} keeps to template {self.template_version}")
        self._require_alive()
        start = self.before(superseded) if superseded else self
        target = start.target_of(ruling.kind)
        broken = ruling.rules(occasion.today)
        if broken := [*broken, *start.recycle_rules(ruling.terms, template)]:
            raise RulesBroken(*broken)
        blocking = self.flags if flags is None else flags
        if ruling.kind in ONWARD and blocking:
            raise Refused("FLAGS_BLOCK_GO", flags=in_words(blocking))
        occasion = replace(occasion, reason=ruling.reason, effective_date=ruling.decided_date)
        struck = self.stage_visits[len(start.stage_visits) :]
        self.stage, self.stage_visits = start.stage, start.stage_visits
        before = self.stage
        self._apply(ruling, target, template, id, occasion, struck=struck)
        return Decision(
            id=id,
            project_id=self.id,
            kind=ruling.kind,
            from_stage=before,
            to_stage=self.stage,
            reason=ruling.reason,
            resume_date=ruling.resume_date,
            kill=ruling.kill,
            conditions=ruling.conditions,
            decided_date=ruling.decided_date,
            recorded_by=occasion.actor,
            created_at=occasion.at,
            template_version=template.version,
        )

    def recycle_rules(self, terms: Terms, template: Template) -> list[Broken]:
        """Rules of the stage to go back to, if terms name one."""
        if not terms.to_stage or terms.kind != DecisionKind.RECYCLE:
            return []
        stages = template.stages(self.pathway)
        if terms.to_stage not in stages:
            return [_not_in_pathway("to_stage", terms.to_stage, self.pathway, template)]
        if stages.index(terms.to_stage) >= stages.index(self.stage):
            params = {"to_stage": terms.to_stage.value, "stage": self.stage.value}
            return [Broken("to_stage", "STAGE_NOT_EARLIER", params)]
        return []

    def resume(self, occasion: Occasion, *, overdue: Collection[str]) -> None:
        """Go on after a hold, in the same stage; `overdue` are its overdue conditions.

        Raises as `decide` does, and `Refused` ``CONDITION_OVERDUE`` while there are any, or
        ``HOLD_NOT_OVER`` before the day that a decision has set.
        """
        self._require_alive()
        self.target_of("resume")
        if self._is_held_on(occasion.today):
            raise Refused("HOLD_NOT_OVER", resume_date=self.resume_date)
        if overdue:
            raise Refused("CONDITION_OVERDUE", conditions=", ".join(overdue))
        self.take("resume", occasion)
        self.resume_date = ""
        self.hold_cause = None

    def hold_overdue(self, occasion: Occasion) -> bool:
        """Stop because a condition is overdue; `False` for one that is not worked on anyway."""
        if self.state != ProjectState.ACTIVE:
            return False
        self.hold_cause = HoldCause.OVERDUE_CONDITION
        self.enter(ProjectState.ON_HOLD, occasion, self.EVENTS[DecisionKind.HOLD])
        return True

    @property
    def visit(self) -> int:
        """The number of the present or last stage visit."""
        return self.stage_visits[-1].number

    def allowed_steps(self) -> list[str]:
        """Verbs that are possible now, besides what the panel at its gate does."""
        verbs = ["decide"] if self.open_gate_id else []
        possible = self.MACHINE.allowed(self.state)
        if any(flag.kind == FlagKind.REGULATION_CHANGED for flag in self.flags):
            verbs.append("acknowledge-flag")
        can_strike = self.can_be_amended() and not self.open_gate_id
        if can_strike and set(self.named_subjects).difference(self.struck_subjects):
            verbs.append("strike-naming")
        return [*verbs, *(step for step in possible if step == "resume")]

    def steps_on(self, today: date) -> list[str]:
        """Verbs that are possible on a day: what a decision holds is not resumed before its day."""
        held = self._is_held_on(today)
        return [verb for verb in self.allowed_steps() if not (held and verb == "resume")]

    def center_ids(self) -> set[str]:
        """The centers that lead it or take part."""
        return {self.lead_center_id, *(p.center_id for p in self.participants if p.center_id)}

    def agreement_ids(self) -> set[str]:
        """The agreements under which institutions take part."""
        return {p.agreement_id for p in self.participants if p.agreement_id}

    def due_flags(self, neighbours: Neighbours, template: Template) -> list[Flag]:
        """The flags that it should have, as its neighbours are.

        `neighbours` hold what is known of all that it points to, `template` is its own.
        """
        if self.state in ENDED:
            return []
        cited = template.regulations_ahead(self.pathway, self.stage)
        return in_order(
            [
                *neighbours.center_flags(self.center_ids()),
                *neighbours.agreement_flags(self.agreement_ids()),
                *neighbours.regulation_flags(cited, self.created_at, self.acknowledged),
            ]
        )

    def heed(self, due: list[Flag]) -> None:
        """Set the flags that are due within the step that was just taken."""
        if self.flags == due:
            return
        self.flags = due
        *earlier, last = self.pending
        if last.changed_fields:
            self.pending = [*earlier, replace(last, changed_fields=[*last.changed_fields, "flags"])]

    def unflag(self, due: list[Flag], occasion: Occasion) -> bool:
        """Take away, as a step, the flags whose cause has gone; `False` if there is none."""
        causes = {(flag.kind, flag.resource_id) for flag in due}
        gone = [flag for flag in self.flags if (flag.kind, flag.resource_id) not in causes]
        if gone:
            self._note("unflagged", [f for f in self.flags if f not in gone], gone, occasion)
        return bool(gone)

    def flag(self, due: list[Flag], occasion: Occasion) -> bool:
        """Set, as a step, the flags that are due; `False` if they are set."""
        new = [flag for flag in due if flag not in self.flags]
        if new:
            self._note("flagged", due, new, occasion)
        return bool(new)

    def acknowledge_flag(self, regulation_id: str, occasion: Occasion) -> None:
        """Note that somebody has looked at what a changed regulation means for it.

        Raises `Refused` ``KILLED_IS_FINAL``, ``REGULATION_NOT_FLAGGED``, or `RulesBroken`
        without a reason.
        """
        self._require_alive()
        if not occasion.reason.strip():
            raise RulesBroken(Broken("reason", "REASON_REQUIRED"))
        flags = [
            flag
            for flag in self.flags
            if (flag.kind, flag.resource_id) == (FlagKind.REGULATION_CHANGED, regulation_id)
        ]
        if not flags:
            raise Refused("REGULATION_NOT_FLAGGED", regulation_id=regulation_id)
        (flag,) = flags
        others = [item for item in self.acknowledged if item.regulation_id != regulation_id]
        self.acknowledged = [*others, Acknowledgement(regulation_id, flag.version)]
        self.flags = [other for other in self.flags if other != flag]
        self._record_aside("flag_acknowledged", occasion)

    def _note(self, action: str, flags: list[Flag], told: list[Flag], occasion: Occasion) -> None:
        self.flags = flags
        self._record_aside(action, replace(occasion, reason=in_words(told)))

    def _record_aside(self, action: str, occasion: Occasion) -> None:
        """Note a step that changes nothing but the flags; it stays in its state."""
        state = self.state.value
        self.record_step(
            action, occasion, from_state=state, to_state=state, changed_fields=["flags"]
        )

    def _apply(
        self,
        ruling: Ruling,
        target: ProjectState,
        template: Template,
        id: str,
        occasion: Occasion,
        *,
        struck: Sequence[StageVisit],
    ) -> None:
        self.latest_decision_id = id
        self.open_gate_id = ""
        self.resume_date = ruling.resume_date
        self.hold_cause = HoldCause.DECISION if ruling.kind == DecisionKind.HOLD else None
        event = self.EVENTS[ruling.kind]
        stage: Stage | None = self.stage
        if ruling.kind in ONWARD:
            stage = template.next_stage(self.pathway, self.stage)
            if stage is None:
                target, event = ProjectState.COMPLETED, "completed"
        elif ruling.kind == DecisionKind.RECYCLE:
            stage = ruling.to_stage
        if target in ENDED:
            self._leave_stage(occasion.at)
            self.flags = []
        elif stage is not None and stage != self.stage:
            self._leave_stage(occasion.at)
            self.stage = stage
            self._enter_stage(stage, occasion.at, id, struck)
        if target == self.state:
            self._stay(event, occasion, ["stage"])
        else:
            self.enter(target, occasion, event)

    def _stay(self, event: str, occasion: Occasion, changed: list[str]) -> None:
        """Note a step that leaves its state; since when, and why it is in it, stays as well."""
        state = self.state.value
        self.record_step(event, occasion, from_state=state, to_state=state, changed_fields=changed)

    def _leave_stage(self, at: datetime) -> None:
        *earlier, present = self.stage_visits
        self.stage_visits = [*earlier, replace(present, left_at=at)]

    def _enter_stage(
        self, stage: Stage, at: datetime, decision_id: str, struck: Sequence[StageVisit]
    ) -> None:
        """Begin a visit; where a correction leads to the stage that it strikes, that goes on."""
        going_on = next((visit.number for visit in struck if visit.stage == stage), 0)
        entered = StageVisit(stage, at, None, decision_id, going_on or self.visits_begun + 1)
        self.visits_begun = max(self.visits_begun, entered.number)
        self.stage_visits = [*self.stage_visits, entered]

    def _remember_named(self) -> None:
        subjects = {person.subject for person in self.people if person.subject}
        self.named_subjects = sorted({*self.named_subjects, *subjects})
        self.named_center_ids = sorted({*self.named_center_ids, *self.center_ids()})

    def _is_held_on(self, today: date) -> bool:
        return bool(self.resume_date) and today < date.fromisoformat(self.resume_date)

    def _require_not_frozen(self, fields: Iterable[str]) -> None:
        """Raise `Refused` ``FROZEN_AT_GATE`` for these while a gate is open."""
        if self.open_gate_id and (named := ", ".join(sorted(fields))):
            raise Refused("FROZEN_AT_GATE", gate_id=self.open_gate_id, fields=named)

    def _require_alive(self) -> None:
        if self.state == ProjectState.KILLED:
            raise Refused("KILLED_IS_FINAL")


def _not_in_pathway(path: str, stage: Stage, pathway: Pathway, template: Template) -> Broken:
    params = {
        "pathway": pathway.value,
        "stage": stage.value,
        "stages": ", ".join(template.stages(pathway)),
    }
    return Broken(path, "STAGE_NOT_IN_PATHWAY", params)
