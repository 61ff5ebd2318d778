"""The regulation that the field works under, or waits for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from domainkit.aggregate import Stateful
from domainkit.machine import Machine
from domainkit.rules import Broken
from domainkit.values import ImpreciseDate, LocalizedText, check_date, check_name


class RegulationKind(StrEnum):
    """What a regulation is about."""

    CELL_THERAPY = "cell_therapy"
    GENE_THERAPY = "gene_therapy"
    OTHER = "other"


class RegulationState(StrEnum):
    """Where a regulation is in its life."""

    DRAFTING = "drafting"
    CONSULTATION = "consultation"
    IN_FORCE = "in_force"
    REPEALED = "repealed"


@dataclass(kw_only=True)
class Regulation(Stateful):
    """A law, by-law, directive or guideline."""

    MACHINE: ClassVar[Machine[RegulationState]] = Machine(
        {
            "consult": ([RegulationState.DRAFTING], RegulationState.CONSULTATION),
            "enact": (
                [RegulationState.DRAFTING, RegulationState.CONSULTATION],
                RegulationState.IN_FORCE,
            ),
            "repeal": ([RegulationState.IN_FORCE], RegulationState.REPEALED),
        }
    )
    EVENTS: ClassVar[Mapping[str, str]] = {
        "consult": "consulted",
        "enact": "enacted",
        "repeal": "repealed",
    }
    REASONED: ClassVar[frozenset[str]] = frozenset({"repeal"})
    EDITABLE: ClassVar[frozenset[str]] = frozenset(
        {
            "kind",
            "titles",
            "issuer",
            "number",
            "effective_date",
            "url",
            "note",
            "citations",
            "sample",
        }
    )

    kind: RegulationKind
    titles: LocalizedText | None
    issuer: LocalizedText | None = None
    number: str = ""
    effective_date: ImpreciseDate | None = None
    url: str = ""
    note: LocalizedText | None = None
    state: RegulationState = RegulationState.DRAFTING

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        del today
        broken = [*check_name(self.titles, "titles")]
        broken += check_date(self.effective_date, "effective_date")
        return broken
