"""What can be decided at a gate, and what each decision must come with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from domainkit.rules import Broken
from domainkit.values import ImpreciseDate, LocalizedText, check_date, check_name
from projects.domain.pathways import Stage


class DecisionKind(StrEnum):
    """What is decided at a gate."""

    GO = "go"
    CONDITIONAL_GO = "conditional_go"
    HOLD = "hold"
    RECYCLE = "recycle"
    KILL = "kill"


class KillCode(StrEnum):
    """The main cause for which a project was ended."""

    SAFETY = "safety"
    EFFICACY = "efficacy"
    MANUFACTURING = "manufacturing"
    REGULATORY = "regulatory"
    ETHICS = "ethics"
    INTELLECTUAL_PROPERTY = "intellectual_property"
    MARKET = "market"
    FUNDING = "funding"
    TEAM = "team"
    STRATEGY = "strategy"


@dataclass(frozen=True)
class Condition:
    """Something that must be done by a day, ISO 8601, for a conditional go to hold."""

    text: LocalizedText | None
    owner: str
    due_date: str


@dataclass(frozen=True)
class KillReason:
    """Why a project is ended, for those who come after."""

    code: KillCode | None
    narrative: str
    lessons: str


# The one field that each kind of decision needs and no other kind takes.
_OWN_FIELD: Mapping[DecisionKind, str] = {
    DecisionKind.CONDITIONAL_GO: "conditions",
    DecisionKind.HOLD: "resume_date",
    DecisionKind.RECYCLE: "to_stage",
    DecisionKind.KILL: "kill",
}


@dataclass(frozen=True)
class Ruling:
    """A decision as it is laid before a project. Days are ISO 8601."""

    kind: DecisionKind
    reason: str
    to_stage: Stage | None = None
    resume_date: str = ""
    kill: KillReason | None = None
    conditions: list[Condition] = field(default_factory=list[Condition])
    decided_date: ImpreciseDate | None = None

    def rules(self, today: date) -> list[Broken]:
        """Rules that the ruling breaks, whatever project it is laid before."""
        broken: list[Broken] = []
        if not self.reason.strip():
            broken.append(Broken("reason", "REASON_REQUIRED"))
        for kind, name in _OWN_FIELD.items():
            given = bool(getattr(self, name))
            if given != (kind == self.kind):
                rule = "NOT_FOR_DECISION" if given else "NEEDED_FOR_DECISION"
                broken.append(Broken(name, rule, {"decision": self.kind.value}))
        broken += check_date(self.decided_date, "decided_date", today=today)
        if self.resume_date:
            broken += _check_day(self.resume_date, "resume_date", today)
        for index, condition in enumerate(self.conditions):
            broken += _check_condition(condition, f"conditions[{index}]", today)
        if self.kill:
            broken += _check_kill(self.kill)
        return broken


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What was decided at a gate. It is never changed."""

    id: str
    project_id: str
    kind: DecisionKind
    from_stage: Stage
    to_stage: Stage
    reason: str
    resume_date: str = ""
    kill: KillReason | None = None
    conditions: list[Condition] = field(default_factory=list[Condition])
    decided_date: ImpreciseDate | None = None
    recorded_by: str
    created_at: datetime
    template_version: str


def _check_condition(condition: Condition, path: str, today: date) -> list[Broken]:
    broken = check_name(condition.text, f"{path}.text")
    if not condition.owner.strip():
        broken.append(Broken(f"{path}.owner", "REQUIRED"))
    return broken + _check_day(condition.due_date, f"{path}.due_date", today)


def _check_kill(kill: KillReason) -> list[Broken]:
    missing = {
        "kill.code": kill.code is None,
        "kill.narrative": not kill.narrative.strip(),
        "kill.lessons": not kill.lessons.strip(),
    }
    return [Broken(path, "REQUIRED") for path, absent in missing.items() if absent]


def _check_day(value: str, path: str, today: date) -> list[Broken]:
    """Rules of a day to come: the calendar has it, and it is not over."""
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return [Broken(path, "NO_SUCH_DATE")]
    return [Broken(path, "DATE_IN_PAST")] if day < today else []
