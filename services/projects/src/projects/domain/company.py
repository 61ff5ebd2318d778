"""The company: what came out of projects, and where it is in its life."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, ClassVar

from domainkit.aggregate import Occasion, Stateful
from domainkit.machine import Machine
from domainkit.rules import Broken
from domainkit.values import ImpreciseDate, LocalizedText, check_date, check_name
from projects.domain.identifiers import canonical_legal_entity, check_legal_entity


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
            "recognised_until",
            "registration_number",
            "legal_entity_id",
            "founded_date",
            "project_ids",
            "citations",
            "sample",
        }
    )

    names: LocalizedText | None
    knowledge_based: bool = False
    recognised_until: str = ""
    registration_number: str = ""
    legal_entity_id: str = ""
    founded_date: ImpreciseDate | None = None
    project_ids: list[str] = field(default_factory=list[str])
    state: CompanyState = CompanyState.ACTIVE

    def __post_init__(self) -> None:
        """Write the national id in its canonical form."""
        self.legal_entity_id = canonical_legal_entity(self.legal_entity_id)

    def amend(self, values: Mapping[str, Any], occasion: Occasion) -> bool:
        """Set editable fields and note the step; see `Aggregate.amend`."""
        if "legal_entity_id" in values:
            id = canonical_legal_entity(values["legal_entity_id"])
            values = {**values, "legal_entity_id": id}
        return super().amend(values, occasion)

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        broken = check_name(self.names, "names")
        broken += check_date(self.founded_date, "founded_date", today=today)
        if self.legal_entity_id:
            broken += check_legal_entity(self.legal_entity_id, "legal_entity_id")
        if self.recognised_until:
            broken += self._recognition_rules()
        for index, id in enumerate(self.project_ids):
            if id in self.project_ids[:index]:
                broken.append(Broken(f"project_ids[{index}]", "DUPLICATE", {"value": id}))
        return broken

    def _recognition_rules(self) -> list[Broken]:
        if not self.knowledge_based:
            return [Broken("recognised_until", "RECOGNITION_MISPLACED")]
        if not ImpreciseDate(self.recognised_until).exists():
            return [Broken("recognised_until", "NO_SUCH_DATE")]
        return []
