"""The project: its way through the stages, and which rules it keeps."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from domainkit.aggregate import Occasion, Stateful
from domainkit.machine import Machine
from domainkit.rules import Broken, Refused, RulesBroken
from domainkit.values import LocalizedText, check_name
from projects.domain.decisions import Decision, DecisionKind, Ruling
from projects.domain.pathways import Pathway, Stage, Template

# States of a center, as its own service names them, in which it can lead a new project.
LEADING_STATES = frozenset({"planned", "establishing", "operational"})
# State of an agreement under which an institution can take part.
IN_FORCE = "in_force"


class ProjectState(StrEnum):
    """Where a project is in its life."""

    ACTIVE = "active"
    ON_HOLD = "on_hold"
    COMPLETED = "completed"
    KILLED = "killed"


@dataclass(frozen=True)
class Participant:
    """Who takes part besides the lead center: a center, or an institution and its agreement."""

    center_id: str = ""
    institution_id: str = ""
    agreement_id: str = ""
    role: LocalizedText | None = None


@dataclass(frozen=True)
class StageVisit:
    """The time in one stage; coming back to a stage is another visit."""

    stage: Stage
    entered_at: datetime
    left_at: datetime | None = None
    decision_id: str = ""


@dataclass(kw_only=True)
class Project(Stateful):
    """A project that is to turn science into treatment or business.

    Its stage is changed by decisions alone, one gate after another. `template_version`
    names the pathway template that holds for it.
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
        {"titles", "summary", "lead_center_id", "participants", "citations", "sample"}
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
    initial_stage: Stage
    initial_stage_reason: str = ""
    revival_of_id: str | None = None
    template_version: str
    stage: Stage
    stage_visits: list[StageVisit]
    resume_date: str = ""
    latest_decision_id: str = ""
    state: ProjectState = ProjectState.ACTIVE

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
        return cls(
            id=id,
            created_at=at,
            updated_at=at,
            state_since=at,
            template_version=template.version,
            stage=first,
            stage_visits=[StageVisit(first, at)],
            **given,
        )

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        del today
        broken = check_name(self.titles, "titles")
        if self.initial_stage != Stage.S0 and not self.initial_stage_reason.strip():
            params = {"stage": self.initial_stage.value}
            broken.append(Broken("initial_stage_reason", "INITIAL_STAGE_REASON_REQUIRED", params))
        return broken + self._participant_rules()

    def can_be_amended(self) -> bool:
        """Tell whether anything about it can be changed: nothing once it was killed."""
        return self.state != ProjectState.KILLED

    def amend(self, values: Mapping[str, Any], occasion: Occasion) -> bool:
        """Set editable fields. Raises `Refused` ``KILLED_IS_FINAL`` besides `RulesBroken`."""
        self._require_alive()
        return super().amend(values, occasion)

    def decide(self, ruling: Ruling, template: Template, id: str, occasion: Occasion) -> Decision:
        """Do what is decided at the gate of the present stage, and return the decision.

        `template` is the one that the project began with, `id` that of the decision.
        Raises `Refused` ``KILLED_IS_FINAL``, `IllegalStep`, or `RulesBroken`.
        """
        if template.version != self.template_version:
            raise ValueError(f"{self.id} keeps to template {self.template_version}")
        self._require_alive()
        target = self.MACHINE.target(ruling.kind, self.state)
        broken = ruling.rules(occasion.today)
        if ruling.to_stage and ruling.kind == DecisionKind.RECYCLE:
            broken += self._recycle_rules(ruling.to_stage, template)
        if broken:
            raise RulesBroken(*broken)
        occasion = replace(occasion, reason=ruling.reason, effective_date=ruling.decided_date)
        before = self.stage
        self._apply(ruling, target, template, id, occasion)
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

    def resume(self, occasion: Occasion) -> None:
        """Go on after a hold, in the same stage. Raises as `decide` does."""
        self._require_alive()
        self.take("resume", occasion)
        self.resume_date = ""

    def allowed_steps(self) -> list[str]:
        """Verbs that the state allows: a decision, if any kind of it is possible, and resuming."""
        possible = self.MACHINE.allowed(self.state)
        verbs = ["decide"] if any(kind in possible for kind in DecisionKind) else []
        return [*verbs, *(step for step in possible if step == "resume")]

    def _apply(
        self, ruling: Ruling, target: ProjectState, template: Template, id: str, occasion: Occasion
    ) -> None:
        self.latest_decision_id = id
        self.resume_date = ruling.resume_date
        event = self.EVENTS[ruling.kind]
        stage: Stage | None = self.stage
        if ruling.kind in (DecisionKind.GO, DecisionKind.CONDITIONAL_GO):
            stage = template.next_stage(self.pathway, self.stage)
            if stage is None:
                target, event = ProjectState.COMPLETED, "completed"
        elif ruling.kind == DecisionKind.RECYCLE:
            stage = ruling.to_stage
        if target in (ProjectState.COMPLETED, ProjectState.KILLED):
            self._leave_stage(occasion.at)
        elif stage is not None and stage != self.stage:
            self._leave_stage(occasion.at)
            self.stage = stage
            self.stage_visits = [*self.stage_visits, StageVisit(stage, occasion.at, None, id)]
        if target == self.state:
            # It stays in its state; since when, and why it is in it, stays as well.
            self.record_step(
                event,
                occasion,
                from_state=target.value,
                to_state=target.value,
                changed_fields=["stage"],
            )
        else:
            self.enter(target, occasion, event)

    def _leave_stage(self, at: datetime) -> None:
        *earlier, present = self.stage_visits
        self.stage_visits = [*earlier, replace(present, left_at=at)]

    def _require_alive(self) -> None:
        if self.state == ProjectState.KILLED:
            raise Refused("KILLED_IS_FINAL")

    def _recycle_rules(self, to_stage: Stage, template: Template) -> list[Broken]:
        stages = template.stages(self.pathway)
        if to_stage not in stages:
            return [_not_in_pathway("to_stage", to_stage, self.pathway, template)]
        if stages.index(to_stage) >= stages.index(self.stage):
            params = {"to_stage": to_stage.value, "stage": self.stage.value}
            return [Broken("to_stage", "STAGE_NOT_EARLIER", params)]
        return []

    def _participant_rules(self) -> list[Broken]:
        broken: list[Broken] = []
        seen = Counter([self.lead_center_id])
        for index, participant in enumerate(self.participants):
            path = f"participants[{index}]"
            if bool(participant.center_id) == bool(participant.institution_id):
                params = {"fields": "center_id, institution_id"}
                broken.append(Broken(path, "ONE_PARTICIPANT_NEEDED", params))
                continue
            if participant.center_id and participant.agreement_id:
                params = {"fields": "center_id, agreement_id"}
                broken.append(Broken(path, "ONE_PARTICIPANT_NEEDED", params))
            if participant.institution_id and not participant.agreement_id:
                broken.append(Broken(f"{path}.agreement_id", "REQUIRED"))
            name = "center_id" if participant.center_id else "institution_id"
            value = getattr(participant, name)
            if seen[value]:
                broken.append(Broken(f"{path}.{name}", "DUPLICATE", {"value": value}))
            seen[value] += 1
        return broken


def _not_in_pathway(path: str, stage: Stage, pathway: Pathway, template: Template) -> Broken:
    params = {
        "pathway": pathway.value,
        "stage": stage.value,
        "stages": ", ".join(template.stages(pathway)),
    }
    return Broken(path, "STAGE_NOT_IN_PATHWAY", params)
