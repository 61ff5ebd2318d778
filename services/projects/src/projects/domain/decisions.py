"""What can be decided at a gate, and what each decision must come with."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from domainkit.rules import Broken
from domainkit.values import ImpreciseDate, LocalizedText, check_date, check_name
from projects.domain.panel import Declaration, PanelMember
from projects.domain.pathways import Stage

# A condition bridges the time to the next gate; what takes more than a year is no condition
# but a criterion that is not met.
_LONGEST = timedelta(days=365)


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
    """Something that must be done by a day, ISO 8601, for a conditional go to hold.

    `criterion` is the code of the one that is left open for it, if one is.
    """

    text: LocalizedText | None
    owner: str
    due_date: str
    criterion: str = ""


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
class Terms:
    """What a decision of a kind comes with: one field of its own, or none. Days are ISO 8601."""

    kind: DecisionKind
    to_stage: Stage | None = None
    resume_date: str = ""
    kill: KillReason | None = None
    conditions: list[Condition] = field(default_factory=list[Condition])

    @property
    def are_needed(self) -> bool:
        """Whether a decision of this kind has terms at all."""
        return self.kind in _OWN_FIELD

    def rules(self, today: date) -> list[Broken]:
        """Rules that they break, whatever project they are laid before."""
        broken: list[Broken] = []
        for kind, name in _OWN_FIELD.items():
            given = bool(getattr(self, name))
            if given != (kind == self.kind):
                rule = "NOT_FOR_DECISION" if given else "NEEDED_FOR_DECISION"
                broken.append(Broken(name, rule, {"decision": self.kind.value}))
        if self.resume_date:
            broken += _check_day(self.resume_date, "resume_date", today)
        for index, condition in enumerate(self.conditions):
            broken += _check_condition(condition, f"conditions[{index}]", today)
        if self.kill:
            broken += _check_kill(self.kill)
        return broken


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

    @property
    def terms(self) -> Terms:
        """What it comes with."""
        return Terms(self.kind, self.to_stage, self.resume_date, self.kill, self.conditions)

    def on(self, terms: Terms) -> "Ruling":
        """The same ruling on these terms, where it names none itself."""
        if self.terms != Terms(self.kind):
            return self
        return replace(
            self,
            to_stage=terms.to_stage,
            resume_date=terms.resume_date,
            kill=terms.kill,
            conditions=terms.conditions,
        )

    def rules(self, today: date) -> list[Broken]:
        """Rules that the ruling breaks, whatever project it is laid before."""
        broken: list[Broken] = []
        if not self.reason.strip():
            broken.append(Broken("reason", "REASON_REQUIRED"))
        broken += self.terms.rules(today)
        return broken + check_date(self.decided_date, "decided_date", today=today)


@dataclass(frozen=True)
class Proposal:
    """The terms of one kind of decision as they are put to a panel; votes are for their digest."""

    terms: Terms
    proposed_by: str
    proposed_at: datetime
    terms_hash: str


@dataclass(frozen=True)
class Vote:
    """What a member of a panel is for; `center_ids` are those that the token named then.

    `terms_hash` and `assessment_hash` are digests of the terms that the vote is for, and of
    how it stood with the criteria when it was given.
    """

    subject: str
    kind: DecisionKind
    reason: str
    voted_at: datetime
    center_ids: list[str] = field(default_factory=list[str])
    terms_hash: str = ""
    assessment_hash: str = ""


@dataclass(frozen=True)
class DecidedCriterion:
    """How it stood with a criterion when the decision was made, and what that stood on."""

    code: str
    state: str
    evidence_ids: list[str] = field(default_factory=list[str])
    evidence_hashes: list[str] = field(default_factory=list[str])
    waiver_id: str = ""


@dataclass(frozen=True)
class WithdrawnGate:
    """A gate over the same visit that ended without a decision: by whom, why, after which votes."""

    gate_id: str
    opened_by: str
    opened_at: datetime
    withdrawn_by: str
    withdrawn_at: datetime
    reason: str
    votes: list[Vote] = field(default_factory=list[Vote])


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What was decided at a gate. It is never changed.

    What it stood on is there since there are gates: the panel with what its members
    declared, the votes that counted, the criteria. `supersedes_id` is the decision that
    it corrects, `withdrawn_gates` are earlier gates over the visit. The hashes are those
    of `record_hashes`.
    """

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
    gate_id: str = ""
    visit: int = 0
    panel: list[PanelMember] = field(default_factory=list[PanelMember])
    quorum: int = 0
    declarations: list[Declaration] = field(default_factory=list[Declaration])
    votes: list[Vote] = field(default_factory=list[Vote])
    criteria: list[DecidedCriterion] = field(default_factory=list[DecidedCriterion])
    supersedes_id: str = ""
    opened_by: str = ""
    proposed_by: str = ""
    terms_hash: str = ""
    assessment_hash: str = ""
    withdrawn_gates: list[WithdrawnGate] = field(default_factory=list[WithdrawnGate])
    previous_hash: str = ""
    record_hash: str = ""


def _check_condition(condition: Condition, path: str, today: date) -> list[Broken]:
    broken = check_name(condition.text, f"{path}.text")
    if not condition.owner.strip():
        broken.append(Broken(f"{path}.owner", "REQUIRED"))
    return broken + _check_day(condition.due_date, f"{path}.due_date", today, today + _LONGEST)


def _check_kill(kill: KillReason) -> list[Broken]:
    missing = {
        "kill.code": kill.code is None,
        "kill.narrative": not kill.narrative.strip(),
        "kill.lessons": not kill.lessons.strip(),
    }
    return [Broken(path, "REQUIRED") for path, absent in missing.items() if absent]


def _check_day(value: str, path: str, today: date, latest: date | None = None) -> list[Broken]:
    """Rules of a day to come: the calendar has it, it is not over, nor after the latest."""
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return [Broken(path, "NO_SUCH_DATE")]
    if latest and day > latest:
        return [Broken(path, "DUE_TOO_LATE", {"latest": latest.isoformat()})]
    return [Broken(path, "DATE_IN_PAST")] if day < today else []
