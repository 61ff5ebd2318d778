"""The center: what it is, where it is in its life, and which rules it keeps."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import ClassVar

from domainkit.aggregate import Occasion, Stateful
from domainkit.machine import Machine
from domainkit.provinces import PROVINCES
from domainkit.rules import Broken
from domainkit.values import ImpreciseDate, LocalizedText, check_date, check_name


class CenterState(StrEnum):
    """Where a center is in its life."""

    PLANNED = "planned"
    ESTABLISHING = "establishing"
    OPERATIONAL = "operational"
    SUSPENDED = "suspended"
    CLOSED = "closed"
    CANCELLED = "cancelled"


ENDED = frozenset({CenterState.CLOSED, CenterState.CANCELLED})


@dataclass(frozen=True)
class Position:
    """A point on the earth, WGS 84, in degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True)
class Contact:
    """How to reach the office of a center."""

    address: LocalizedText | None = None
    phones: list[str] = field(default_factory=list[str])
    email: str = ""
    website: str = ""


@dataclass(frozen=True)
class Expectations:
    """How often a center is expected to be heard of; 0 is "as the network has it"."""

    late_seconds: int = 0
    stale_seconds: int = 0
    offline_seconds: int = 0
    capacity_hours: int = 0
    report_days: int = 0

    def filled(self) -> "Expectations":
        """The same with the network's own values where none is given."""
        values = {name: value for name, value in asdict(self).items() if value}
        return replace(USUAL_EXPECTATIONS, **values)


USUAL_EXPECTATIONS = Expectations(
    late_seconds=30, stale_seconds=120, offline_seconds=600, capacity_hours=24, report_days=45
)


SHORTEST_LATE_SECONDS = 3
"""Seconds without a heartbeat that a node can keep short of, at the least."""


@dataclass(kw_only=True)
class Center(Stateful):
    """A comprehensive stem cell and regenerative medicine center."""

    MACHINE: ClassVar[Machine[CenterState]] = Machine(
        {
            "establish": ([CenterState.PLANNED], CenterState.ESTABLISHING),
            "open": ([CenterState.ESTABLISHING], CenterState.OPERATIONAL),
            "suspend": ([CenterState.OPERATIONAL], CenterState.SUSPENDED),
            "resume": ([CenterState.SUSPENDED], CenterState.OPERATIONAL),
            "close": ([CenterState.OPERATIONAL, CenterState.SUSPENDED], CenterState.CLOSED),
            "cancel": ([CenterState.PLANNED, CenterState.ESTABLISHING], CenterState.CANCELLED),
        }
    )
    EVENTS: ClassVar[Mapping[str, str]] = {
        "establish": "established",
        "open": "opened",
        "suspend": "suspended",
        "resume": "resumed",
        "close": "closed",
        "cancel": "cancelled",
    }
    REASONED: ClassVar[frozenset[str]] = frozenset({"suspend", "close", "cancel"})
    EDITABLE: ClassVar[frozenset[str]] = frozenset(
        {
            "code",
            "names",
            "province",
            "city",
            "position",
            "host_institution",
            "opened_date",
            "contact",
            "expectations",
            "citations",
            "sample",
        }
    )

    code: str
    names: LocalizedText | None
    province: str
    city: LocalizedText | None = None
    position: Position | None = None
    host_institution: LocalizedText | None = None
    opened_date: ImpreciseDate | None = None
    contact: Contact | None = None
    expectations: Expectations | None = None
    state: CenterState = CenterState.PLANNED

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        broken = [*check_name(self.names, "names")]
        broken += check_date(self.opened_date, "opened_date", today=today)
        if self.province not in PROVINCES:
            broken.append(Broken("province", "UNKNOWN_PROVINCE", {"value": self.province}))
        return [*broken, *_unmeetable(self.expectations or Expectations())]

    def open(self, occasion: Occasion) -> None:
        """Begin operation; where no opening date is known, it is when the step takes effect.

        A file that says nothing but that a center is operational does not say since when.
        It is walked there by `take`, and its date stays unknown.
        """
        self.take("open", occasion)
        if self.opened_date is None:
            self.opened_date = occasion.effective_date or ImpreciseDate(occasion.today.isoformat())

    def expected(self) -> Expectations:
        """How often it is expected to be heard of, all values given."""
        return (self.expectations or Expectations()).filled()


def _unmeetable(expectations: Expectations) -> list[Broken]:
    """A center is late before it is stale, and stale before it is taken as cut off.

    Nodes beat once a second at the most, and three beats have to fit in before one is late.
    """
    filled = expectations.filled()
    broken: list[Broken] = []
    if filled.late_seconds < SHORTEST_LATE_SECONDS:
        shortest = {"expected": f"at least {SHORTEST_LATE_SECONDS}"}
        broken.append(Broken("expectations.late_seconds", "OUT_OF_RANGE", shortest))
    return broken + [
        Broken(f"expectations.{later}", "OUT_OF_RANGE", {"expected": f"more than {earlier}"})
        for earlier, later in (
            ("late_seconds", "stale_seconds"),
            ("stale_seconds", "offline_seconds"),
        )
        if getattr(filled, earlier) >= getattr(filled, later)
    ]
