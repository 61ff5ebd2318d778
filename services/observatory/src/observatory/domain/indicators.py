"""Indicators, what was observed of them, and how they stand against their targets."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from domainkit.aggregate import Aggregate, Occasion
from domainkit.rules import Broken, Refused
from domainkit.values import Citation, ImpreciseDate, LocalizedText, check_date, check_name

# How much of the expected progress is enough to be on track, and to be at risk only.
_ON_TRACK = Decimal("0.9")
_AT_RISK = Decimal("0.6")


class Direction(StrEnum):
    """Which way is better."""

    UP = "up"
    DOWN = "down"


class IndicatorKind(StrEnum):
    """What sort of figure an indicator is."""

    STOCK = "stock"
    FLOW = "flow"
    RANK = "rank"
    RATIO = "ratio"


class IndicatorSource(StrEnum):
    """Where the values of an indicator come from."""

    COMPUTED = "computed"
    ENTERED = "entered"


class Frequency(StrEnum):
    """How often an indicator is observed."""

    CONTINUOUS = "continuous"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"
    IRREGULAR = "irregular"


class IndicatorStatus(StrEnum):
    """How an indicator stands against its target."""

    ACHIEVED = "achieved"
    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    OFF_TRACK = "off_track"
    NO_TARGET = "no_target"
    STALE = "stale"


class Verification(StrEnum):
    """How sure a value is."""

    CLAIMED = "claimed"
    VERIFIED = "verified"


@dataclass(frozen=True)
class ReferenceValue:
    """A value that progress is measured from or to, a decimal number in text."""

    value: str
    period: ImpreciseDate | None = None
    citations: list[Citation] = field(default_factory=list[Citation])

    @property
    def number(self) -> Decimal:
        """The value as a number."""
        return Decimal(self.value)


@dataclass(frozen=True)
class Reading:
    """A value of an indicator, and the last day of the period that it is for, if known."""

    number: Decimal
    day: date | None


@dataclass(frozen=True)
class Standing:
    """How an indicator stands; `progress` is absent where it cannot be measured."""

    status: IndicatorStatus
    progress: Decimal | None


@dataclass(kw_only=True)
class Indicator(Aggregate):
    """Something that is measured to see whether the plan works."""

    EDITABLE: ClassVar[frozenset[str]] = frozenset(
        {
            "code",
            "titles",
            "definition",
            "unit",
            "direction",
            "kind",
            "frequency",
            "owner",
            "staleness_limit_days",
            "baseline",
            "target",
            "plan_id",
            "goal_numbers",
            "note",
            "citations",
            "sample",
        }
    )

    code: str
    titles: LocalizedText | None
    definition: LocalizedText | None = None
    unit: LocalizedText | None = None
    direction: Direction
    kind: IndicatorKind
    source_kind: IndicatorSource
    measure: str = ""
    frequency: Frequency | None = None
    owner: LocalizedText | None = None
    staleness_limit_days: int | None = None
    baseline: ReferenceValue | None = None
    target: ReferenceValue | None = None
    plan_id: str | None = None
    goal_numbers: list[str] = field(default_factory=list[str])
    note: LocalizedText | None = None

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        broken = [*check_name(self.titles, "titles")]
        if bool(self.measure) != (self.source_kind is IndicatorSource.COMPUTED):
            broken.append(Broken("measure", "MEASURE_MISMATCH"))
        for name in ("baseline", "target"):
            reference: ReferenceValue | None = getattr(self, name)
            if reference is not None:
                latest = today if name == "baseline" else None
                broken += check_date(reference.period, f"{name}.period", today=latest)
                broken += check_value(reference.value, f"{name}.value", self.kind)
        broken += self._check_way()
        doubled = [n for i, n in enumerate(self.goal_numbers) if n in self.goal_numbers[:i]]
        broken += [Broken("goal_numbers", "DUPLICATE", {"value": number}) for number in doubled]
        if self.goal_numbers and self.plan_id is None:
            broken.append(Broken("plan_id", "REQUIRED"))
        return broken

    def _check_way(self) -> list[Broken]:
        if self.baseline is None or self.target is None:
            return []
        start, goal = self.baseline.number, self.target.number
        if start == goal:
            return [Broken("target.value", "TARGET_IS_BASELINE")]
        if (goal > start) != (self.direction is Direction.UP):
            params = {
                "baseline": self.baseline.value,
                "target": self.target.value,
                "direction": self.direction.value,
            }
            return [Broken("target.value", "TARGET_AGAINST_DIRECTION", params)]
        return []

    def standing(self, latest: Reading | None, today: date) -> Standing:
        """How the indicator stands on a day with its latest value.

        Progress is (latest - baseline) / (target - baseline). Both spans are negative
        where less is better, so that it is right for ranks as it is.
        """
        progress = self._progress(latest)
        if latest is None or self._is_stale(latest, today):
            return Standing(IndicatorStatus.STALE, progress)
        if self.target is None:
            return Standing(IndicatorStatus.NO_TARGET, None)
        ahead = latest.number - self.target.number
        if ahead == 0 or (ahead > 0) == (self.direction is Direction.UP):
            return Standing(IndicatorStatus.ACHIEVED, progress)
        if progress is None:
            return Standing(IndicatorStatus.NO_TARGET, None)
        return Standing(self._pace(progress, today), progress)

    def _progress(self, latest: Reading | None) -> Decimal | None:
        if latest is None or self.baseline is None or self.target is None:
            return None
        span = self.target.number - self.baseline.number
        return (latest.number - self.baseline.number) / span if span else None

    def _is_stale(self, latest: Reading, today: date) -> bool:
        if self.staleness_limit_days is None:
            return False
        # A value of which nobody knows when it was right cannot be called fresh.
        return latest.day is None or (today - latest.day).days > self.staleness_limit_days

    def _pace(self, progress: Decimal, today: date) -> IndicatorStatus:
        expected = self._expected(today)
        if expected is None:
            return IndicatorStatus.ON_TRACK if progress > 0 else IndicatorStatus.OFF_TRACK
        if progress >= _ON_TRACK * expected:
            return IndicatorStatus.ON_TRACK
        return (
            IndicatorStatus.AT_RISK
            if progress >= _AT_RISK * expected
            else IndicatorStatus.OFF_TRACK
        )

    def _expected(self, today: date) -> Decimal | None:
        """Share of the time between baseline and target that has passed, 0 to 1."""
        start = self.baseline.period if self.baseline else None
        end = self.target.period if self.target else None
        if start is None or end is None:
            return None
        whole = (end.latest() - start.latest()).days
        passed = (today - start.latest()).days
        if whole <= 0:
            return Decimal(1)
        return min(max(Decimal(passed) / Decimal(whole), Decimal(0)), Decimal(1))


@dataclass(kw_only=True)
class Observation(Aggregate):
    """What was observed of an indicator; it is corrected by another one, never changed."""

    indicator_id: str
    period: ImpreciseDate | None = None
    value: str = ""
    claim: LocalizedText | None = None
    method: LocalizedText | None = None
    verification: Verification = Verification.CLAIMED
    revision_of: str | None = None
    revised_by: str | None = None
    note: LocalizedText | None = None

    @property
    def period_end(self) -> date | None:
        """Last day of the period, by which observations are ordered."""
        return self.period.latest() if self.period else None

    @property
    def reading(self) -> Reading | None:
        """The value that it gives; `None` for a claim without one."""
        return Reading(Decimal(self.value), self.period_end) if self.value else None

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        broken = check_date(self.period, "period", today=today)
        if not self.value and not self.claim:
            broken.append(Broken("value", "VALUE_OR_CLAIM_REQUIRED"))
        return broken

    def check_fits(self, indicator: Indicator) -> list[Broken]:
        """Rules that the value breaks as one of this indicator."""
        return check_value(self.value, "value", indicator.kind) if self.value else []

    def revise(self, successor_id: str, occasion: Occasion) -> None:
        """Note that another observation corrects this one.

        Raises `Refused` ``ALREADY_REVISED`` if one does already.
        """
        if self.revised_by is not None:
            raise Refused("ALREADY_REVISED", id=self.id, revised_by=self.revised_by)
        self.revised_by = successor_id
        self.record_step("revised", occasion, changed_fields=["revised_by"])


def check_value(value: str, path: str, kind: IndicatorKind) -> list[Broken]:
    """Rule of a rank: it is a place in an order, a whole number from 1 on."""
    number = Decimal(value)
    if kind is IndicatorKind.RANK and (number < 1 or number != number.to_integral_value()):
        return [Broken(path, "OUT_OF_RANGE", {"expected": "a place in an order: 1, 2, 3, …"})]
    return []
