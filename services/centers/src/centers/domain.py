"""The center: what it is, where it is in its life, and which rules it keeps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import ClassVar

from domainkit.aggregate import Stateful
from domainkit.machine import Machine
from domainkit.rules import Broken
from domainkit.values import ImpreciseDate, LocalizedText, check_date, check_name

# ISO 3166-2:IR as of its change of 2020-11-24: 31 provinces, IR-00 to IR-30.
PROVINCES = frozenset(f"IR-{number:02d}" for number in range(31))


class CenterState(StrEnum):
    """Where a center is in its life."""

    PLANNED = "planned"
    ESTABLISHING = "establishing"
    OPERATIONAL = "operational"
    SUSPENDED = "suspended"
    CLOSED = "closed"
    CANCELLED = "cancelled"


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
    state: CenterState = CenterState.PLANNED

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        broken = [*check_name(self.names, "names")]
        broken += check_date(self.opened_date, "opened_date", today=today)
        if self.province not in PROVINCES:
            broken.append(Broken("province", "UNKNOWN_PROVINCE", {"value": self.province}))
        return broken
