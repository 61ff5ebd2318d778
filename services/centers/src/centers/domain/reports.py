"""What centers report: their capacity as it stands, and their activity month by month."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from domainkit.aggregate import Aggregate, Occasion, Stateful
from domainkit.machine import Machine
from domainkit.months import Month, day_in_iran
from domainkit.rules import Broken, Refused, RulesBroken

# How far ahead of the hub's clock a center's may be before what it says was "just now"
# counts as the future. A node further off could not have joined.
CLOCK_TOLERANCE = timedelta(minutes=5)
# How far a node's clock is believed, ahead of the hub's, when it is asked what day it is.
_DAY_TOLERANCE = timedelta(days=1)


class CapabilityKind(StrEnum):
    """A kind of thing that a center can do."""

    GMP_SUITE = "gmp_suite"
    CRYOSTORAGE = "cryostorage"
    FLOW_CYTOMETRY = "flow_cytometry"
    IPSC_LAB = "ipsc_lab"
    GENE_EDITING = "gene_editing"
    QC_LAB = "qc_lab"
    ANIMAL_FACILITY = "animal_facility"
    CLINICAL_WARD = "clinical_ward"
    TRAINING = "training"


@dataclass(frozen=True)
class CapacityItem:
    """How much of one capability there is and how much is in use, in the unit of its kind."""

    kind: CapabilityKind
    total: float = 0.0
    used: float = 0.0


@dataclass(kw_only=True)
class CapacitySnapshot(Aggregate):
    """What a center has and uses at one time. It is recorded once and never changes."""

    center_id: str
    node_id: str | None = None
    observed_at: datetime
    items: list[CapacityItem] = field(default_factory=list[CapacityItem])
    received_at: datetime
    told_observed_at: datetime | None = None

    def observed_by(self, clock: datetime, last_taken: datetime | None) -> None:
        """Put a time right that lies ahead of the hub's clock, but not of the node's.

        `clock` is what the node's said when it took the snapshot. One of the two is wrong, and
        nobody can tell which; the snapshot is as good as any. It counts as of when it was
        received, so that it is not the newest for longer than it is, and what was told is
        kept. `last_taken` is when the hub took the one before: later than now, where it is
        the hub's clock that was set back, and then this one is still the newer.
        """
        if self.received_at + CLOCK_TOLERANCE < self.observed_at <= clock + CLOCK_TOLERANCE:
            self.told_observed_at = self.observed_at
            self.observed_at = max(self.received_at, last_taken or self.received_at)

    def recorded(self, occasion: Occasion) -> None:
        """Note that it was received, once the values are checked."""
        self.check(occasion.today)
        self.record_step("received", occasion)

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        del today
        broken: list[Broken] = []
        if self.observed_at > self.received_at + CLOCK_TOLERANCE:
            broken.append(Broken("observed_at", "DATE_IN_FUTURE"))
        seen: set[CapabilityKind] = set()
        for index, item in enumerate(self.items):
            path = f"items[{index}]"
            if item.kind in seen:
                kind = {"kind": item.kind.value}
                broken.append(Broken(f"{path}.kind", "CAPABILITY_REPEATED", kind))
            seen.add(item.kind)
            if item.used > item.total:
                amounts = {"used": f"{item.used:g}", "total": f"{item.total:g}"}
                broken.append(Broken(f"{path}.used", "USED_OVER_TOTAL", amounts))
        return broken


class PeriodReportState(StrEnum):
    """Where a period report is."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"
    SUPERSEDED = "superseded"


UNFINISHED = (
    PeriodReportState.DRAFT,
    PeriodReportState.SUBMITTED,
    PeriodReportState.RETURNED,
)
"""The states in which a report is still in work; there is one such for a center and month."""


@dataclass(frozen=True)
class ActivityFigures:
    """What a center did in a month; `None` is unknown, zero is none."""

    samples_processed: int | None = None
    products_released: int | None = None
    procedures: int | None = None
    trainees: int | None = None
    articles: int | None = None

    def given(self) -> bool:
        """Tell whether there is any figure."""
        return any(getattr(self, figure.name) is not None for figure in fields(self))


@dataclass(kw_only=True)
class PeriodReport(Stateful):
    """The activity of a center in one month, in one revision."""

    MACHINE: ClassVar[Machine[PeriodReportState]] = Machine(
        {
            "submit": (
                [PeriodReportState.DRAFT, PeriodReportState.RETURNED],
                PeriodReportState.SUBMITTED,
            ),
            "approve": ([PeriodReportState.SUBMITTED], PeriodReportState.APPROVED),
            "return": ([PeriodReportState.SUBMITTED], PeriodReportState.RETURNED),
        }
    )
    EVENTS: ClassVar[Mapping[str, str]] = {
        "submit": "submitted",
        "approve": "approved",
        "return": "returned",
    }
    REASONED: ClassVar[frozenset[str]] = frozenset({"return"})
    EDITABLE: ClassVar[frozenset[str]] = frozenset({"figures", "sample"})

    center_id: str
    period: str
    revision: int = 1
    figures: ActivityFigures | None = None
    state: PeriodReportState = PeriodReportState.DRAFT
    node_id: str | None = None

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        del today
        broken: list[Broken] = []
        if self.figures is None or not self.figures.given():
            broken.append(Broken("figures", "FIGURES_MISSING"))
        if Month.parse(self.period) is None:
            expected = {"expected": "2026-10 or 1405-07"}
            broken.append(Broken("period", "WRONG_FORMAT", expected))
        return broken

    def recorded(self, occasion: Occasion, clock: datetime | None = None) -> None:
        """Note the first step; the month has begun, by the hub's clock or the node's."""
        self.check(occasion.today)
        if self._month().first_day() > _latest_day(occasion, clock):
            raise RulesBroken(Broken("period", "PERIOD_NOT_BEGUN", {"value": self.period}))
        self.record_step("created", occasion, to_state=self.state.value)

    def can_be_amended(self) -> bool:
        """Whether its center may still write in it."""
        return self.state in (PeriodReportState.DRAFT, PeriodReportState.RETURNED)

    def amend(self, values: Mapping[str, Any], occasion: Occasion) -> bool:
        """Change the figures. Raises `Refused` ``PERIOD_REPORT_LOCKED`` when it is too late."""
        if not self.can_be_amended():
            raise Refused("PERIOD_REPORT_LOCKED", state=self.state.value)
        return super().amend(values, occasion)

    def take(self, action: str, occasion: Occasion, *, clock: datetime | None = None) -> None:
        """Take a step of the life cycle; a report is submitted of a month that is over.

        It is over by the hub's clock, or by that of the node which took the report.
        """
        self.target_of(action)
        if action == "submit" and self._month().last_day() >= _latest_day(occasion, clock):
            raise RulesBroken(Broken("period", "PERIOD_NOT_OVER", {"value": self.period}))
        super().take(action, occasion)

    def superseded(self, occasion: Occasion) -> None:
        """Give way to a later revision that was approved."""
        self.enter(PeriodReportState.SUPERSEDED, occasion, "superseded")

    def says(self, figures: ActivityFigures | None, *, submitted: bool) -> bool:
        """Tell whether a delivery of these figures would bring nothing new."""
        if self.figures != figures:
            return False
        return not (submitted and self.can_be_amended())

    def _month(self) -> Month:
        month = Month.parse(self.period)
        if month is None:
            raise ValueError(f"not a month: {self.period}")
        return month


def _latest_day(occasion: Occasion, clock: datetime | None) -> date:
    """The day by the later of the hub's clock and a node's, which is believed for a day.

    A hub whose clock was set back would else refuse for good what is right.
    """
    by_node = occasion.at if clock is None else min(clock, occasion.at + _DAY_TOLERANCE)
    return day_in_iran(max(occasion.at, by_node))


@dataclass(frozen=True)
class FieldViolation:
    """A rule that one value of a refused report breaks, with what its sentence needs."""

    field: str
    reason: str
    params: dict[str, str] = dataclasses.field(default_factory=dict[str, str])


@dataclass(kw_only=True)
class RefusedReport(Aggregate):
    """A report of a node that was not accepted: which rules it breaks, not what it said."""

    node_id: str
    center_id: str
    feed: str
    number: int
    report_key: str = ""
    violations: list[FieldViolation] = field(default_factory=list[FieldViolation])
    refused_at: datetime

    def recorded(self, occasion: Occasion) -> None:
        """Note the refusal."""
        self.record_step("recorded", occasion)
