"""The company: what came out of projects, and where it is in its life."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import ClassVar

from domainkit.aggregate import Stateful
from domainkit.machine import Machine
from domainkit.rules import Broken
from domainkit.values import ImpreciseDate, LocalizedText, check_date, check_name


class CompanyState(StrEnum):
    """Where a company is in its life."""

    ACTIVE = "active"
    DISSOLVED = "dissolved"


@dataclass(kw_only=True)
class Company(Stateful):
    """A company, startup or other business that came out of the network's work."""

    MACHINE: ClassVar[Machine[CompanyState]] = Machine(
        {
            "dissolve": ([CompanyState.ACTIVE], CompanyState.DISSOLVED),
            "reinstate": ([CompanyState.DISSOLVED], CompanyState.ACTIVE),
        }
    )
    EVENTS: ClassVar[Mapping[str, str]] = {"dissolve": "dissolved", "reinstate": "reinstated"}
    REASONED: ClassVar[frozenset[str]] = frozenset({"dissolve", "reinstate"})
    EDITABLE: ClassVar[frozenset[str]] = frozenset(
        {
            "names",
            "knowledge_based",
            "registration_number",
            "founded_date",
            "project_ids",
            "citations",
            "sample",
        }
    )

    names: LocalizedText | None
    knowledge_based: bool = False
    registration_number: str = ""
    founded_date: ImpreciseDate | None = None
    project_ids: list[str] = field(default_factory=list[str])
    state: CompanyState = CompanyState.ACTIVE

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        broken = check_name(self.names, "names")
        broken += check_date(self.founded_date, "founded_date", today=today)
        for index, id in enumerate(self.project_ids):
            if id in self.project_ids[:index]:
                broken.append(Broken(f"project_ids[{index}]", "DUPLICATE", {"value": id}))
        return broken
