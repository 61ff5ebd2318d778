"""What every aggregate is: an identity, a version, and the steps it has taken."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from domainkit.machine import Machine
from domainkit.rules import Broken, IllegalStep, RulesBroken
from domainkit.values import Citation, ImpreciseDate, check_date

# How far ahead of UTC the clocks are where a day begins first.
_FIRST_ON_EARTH = timedelta(hours=14)


@dataclass(frozen=True)
class Occasion:
    """Who takes a step, when and why."""

    actor: str
    at: datetime
    reason: str = ""
    effective_date: ImpreciseDate | None = None

    @property
    def today(self) -> date:
        """The day of the step, UTC."""
        return self.at.astimezone(UTC).date()

    def rules(self) -> list[Broken]:
        """Rules of a step: it has taken effect, on a day that has begun somewhere on earth."""
        begun = (self.at.astimezone(UTC) + _FIRST_ON_EARTH).date()
        return check_date(self.effective_date, "effective_date", today=begun)


@dataclass(frozen=True)
class Step:
    """One step that was taken. `action` is named as its event is: ``created``, ``suspended``."""

    version: int
    action: str
    from_state: str
    to_state: str
    actor: str
    reason: str
    at: datetime
    effective_date: ImpreciseDate | None = None
    changed_fields: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Aggregate:
    """A thing with an identity that changes step by step.

    `version` counts the steps. `pending` are steps that are not stored yet.
    """

    # Fields that `amend` takes.
    EDITABLE: ClassVar[frozenset[str]] = frozenset()

    id: str
    external_key: str | None = None
    version: int = 0
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    citations: list[Citation] = field(default_factory=list)
    sample: bool = False
    pending: list[Step] = field(default_factory=list, repr=False, compare=False)

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are; `today` is for rules about the future."""
        del today
        return []

    def check(self, today: date) -> None:
        """Raise `RulesBroken` if any rule of the values is broken."""
        if broken := self.rules(today):
            raise RulesBroken(*broken)

    def recorded(self, occasion: Occasion) -> None:
        """Note the first step, once the values are checked."""
        self.check(occasion.today)
        self.record_step("created", occasion)

    def can_be_amended(self) -> bool:
        """Tell whether `amend` would take anything now."""
        return bool(self.EDITABLE)

    def amend(self, values: Mapping[str, Any], occasion: Occasion) -> bool:
        """Set editable fields and note the step; `False` if nothing differs.

        Raises `RulesBroken` for a field that cannot be set, or when a rule would
        be broken; the aggregate must then be discarded.
        """
        if fixed := [name for name in values if name not in self.EDITABLE]:
            raise RulesBroken(*(Broken(name, "IMMUTABLE") for name in fixed))
        changed = [name for name, value in values.items() if getattr(self, name) != value]
        for name in changed:
            setattr(self, name, values[name])
        if changed:
            self.check(occasion.today)
            self.record_step("updated", occasion, changed_fields=changed)
        return bool(changed)

    def delete(self, occasion: Occasion) -> None:
        """Become a tombstone and note the step; the id is never used again."""
        self.deleted_at = occasion.at
        self.record_step("deleted", occasion)

    def record_step(
        self,
        action: str,
        occasion: Occasion,
        *,
        from_state: str = "",
        to_state: str = "",
        changed_fields: list[str] | None = None,
    ) -> None:
        """Count a step and keep it for the store."""
        self.version += 1
        self.updated_at = occasion.at
        self.pending.append(
            Step(
                version=self.version,
                action=action,
                from_state=from_state,
                to_state=to_state,
                actor=occasion.actor,
                reason=occasion.reason,
                at=occasion.at,
                effective_date=occasion.effective_date,
                changed_fields=changed_fields or [],
            )
        )


@dataclass(kw_only=True)
class Stateful(Aggregate):
    """An aggregate with a life cycle. A subclass declares `state`, `MACHINE` and `EVENTS`."""

    MACHINE: ClassVar[Machine[Any]]
    # Name of the event that each action makes: suspend → suspended.
    EVENTS: ClassVar[Mapping[str, str]]
    # Actions that cannot be taken without a reason.
    REASONED: ClassVar[frozenset[str]] = frozenset()

    state: Any  # the `StrEnum` that the subclass names
    state_reason: str = ""
    state_since: datetime

    def recorded(self, occasion: Occasion) -> None:
        """Note the first step, once the values are checked."""
        self.check(occasion.today)
        self.record_step("created", occasion, to_state=self.state.value)

    def take(self, action: str, occasion: Occasion) -> None:
        """Take a step of the life cycle.

        Raises `IllegalStep`, or `RulesBroken` when the reason that the step needs is
        missing, or its date does not exist or is still to come.
        """
        target = self.target_of(action)
        broken = occasion.rules()
        if action in self.REASONED and not occasion.reason.strip():
            broken.append(Broken("reason", "REASON_REQUIRED"))
        if broken:
            raise RulesBroken(*broken)
        self.enter(target, occasion, self.EVENTS[action])

    def enter(self, target: StrEnum, occasion: Occasion, event: str) -> None:
        """Come into a state and note the step under the event's name."""
        before = self.state
        self.state = target
        self.state_reason = occasion.reason
        self.state_since = occasion.at
        self.record_step(event, occasion, from_state=before.value, to_state=target.value)

    def target_of(self, action: str) -> Any:
        """State that an action leads to. Raises `IllegalStep`, with the steps allowed now."""
        try:
            return self.MACHINE.target(action, self.state)
        except IllegalStep:
            raise IllegalStep(action, self.state.value, self.allowed_steps()) from None

    def walk(self, goal: StrEnum) -> list[str] | None:
        """Actions that lead from here to `goal`; `None` if no way leads there."""
        return self.MACHINE.path(self.state, goal)

    def allowed_steps(self) -> list[str]:
        """Actions that the state allows, whoever asks."""
        return self.MACHINE.allowed(self.state)


def without_reason(occasion: Occasion) -> Occasion:
    """The same occasion for a step that has a reason of its own, or needs none."""
    return replace(occasion, reason="", effective_date=None)
