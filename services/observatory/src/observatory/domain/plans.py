"""The plan: what it says, one statement at a time."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import ClassVar

from domainkit.aggregate import Aggregate
from domainkit.rules import Broken
from domainkit.values import Citation, LocalizedText, check_name


class StatementKind(StrEnum):
    """What a statement of a plan is."""

    GOAL = "goal"
    POLICY = "policy"
    AIM = "aim"
    FINDING = "finding"


@dataclass(frozen=True)
class PlanStatement:
    """One thing that a plan says; `number` is unique among those of its kind."""

    kind: StatementKind
    number: str
    text: LocalizedText | None
    attributed_to: LocalizedText | None = None
    citations: list[Citation] = field(default_factory=list[Citation])


@dataclass(kw_only=True)
class Plan(Aggregate):
    """A plan for the whole network."""

    EDITABLE: ClassVar[frozenset[str]] = frozenset(
        {"code", "titles", "statements", "note", "citations", "sample"}
    )

    code: str
    titles: LocalizedText | None
    statements: list[PlanStatement] = field(default_factory=list[PlanStatement])
    note: LocalizedText | None = None

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        del today
        broken = [*check_name(self.titles, "titles")]
        seen: set[tuple[str, str]] = set()
        for index, statement in enumerate(self.statements):
            broken += check_name(statement.text, f"statements[{index}].text")
            key = (statement.kind.value, statement.number)
            if key in seen:
                params = {"kind": statement.kind.value, "number": statement.number}
                broken.append(Broken(f"statements[{index}].number", "STATEMENT_TWICE", params))
            seen.add(key)
        return broken

    def goal_numbers(self) -> frozenset[str]:
        """Numbers of the goals."""
        return frozenset(s.number for s in self.statements if s.kind is StatementKind.GOAL)
