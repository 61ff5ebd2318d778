"""The institution: a university, research center, ministry, company or other body."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, ClassVar

import pycountry

from domainkit.aggregate import Aggregate, Occasion
from domainkit.identifiers import full_ror, is_ror
from domainkit.rules import Broken
from domainkit.values import LocalizedText
from partners.domain.names import Name, check_names

COUNTRIES = frozenset(country.alpha_2 for country in pycountry.countries)
"""Codes of ISO 3166-1 alpha-2."""


class InstitutionType(StrEnum):
    """What an institution is, in the terms of the Research Organization Registry."""

    EDUCATION = "education"
    HEALTHCARE = "healthcare"
    FACILITY = "facility"
    COMPANY = "company"
    FUNDER = "funder"
    GOVERNMENT = "government"
    NONPROFIT = "nonprofit"
    OTHER = "other"


@dataclass(frozen=True)
class InstitutionContact:
    """How to reach the office of an institution."""

    address: LocalizedText | None = None
    phones: list[str] = field(default_factory=list[str])
    email: str = ""
    website: str = ""


@dataclass(kw_only=True)
class Institution(Aggregate):
    """A body that is, or may become, a partner."""

    EDITABLE: ClassVar[frozenset[str]] = frozenset(
        {
            "names",
            "ror_id",
            "type",
            "country",
            "parent_id",
            "predecessor_id",
            "contact",
            "citations",
            "sample",
        }
    )

    names: list[Name]
    ror_id: str | None = None
    type: InstitutionType | None = None
    country: str
    parent_id: str | None = None
    predecessor_id: str | None = None
    contact: InstitutionContact | None = None

    def __post_init__(self) -> None:
        """Write the ROR id in its full form."""
        self.ror_id = full_ror(self.ror_id)

    def amend(self, values: Mapping[str, Any], occasion: Occasion) -> bool:
        """Set editable fields and note the step; see `Aggregate.amend`."""
        if "ror_id" in values:
            values = {**values, "ror_id": full_ror(values["ror_id"])}
        return super().amend(values, occasion)

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        broken = [*super().rules(today), *check_names(self.names)]
        if self.country not in COUNTRIES:
            broken.append(Broken("country", "UNKNOWN_COUNTRY", {"value": self.country}))
        if self.ror_id and not is_ror(self.ror_id):
            broken.append(Broken("ror_id", "ROR_CHECKSUM", {"value": self.ror_id}))
        broken += [
            Broken(name, "PARENT_CYCLE", {"id": self.id})
            for name in ("parent_id", "predecessor_id")
            if getattr(self, name) == self.id
        ]
        return broken

    def references(self) -> list[tuple[str, str]]:
        """Ids that it refers to, with the path of the field."""
        named = [("parent_id", self.parent_id), ("predecessor_id", self.predecessor_id)]
        return [(path, id) for path, id in named if id]
