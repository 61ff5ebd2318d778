"""The action item: something that somebody has to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from domainkit.aggregate import Stateful
from domainkit.machine import Machine
from domainkit.rules import Broken
from domainkit.values import ImpreciseDate, LocalizedText, check_date, check_name


class ActionItemState(StrEnum):
    """Where an action item is in its life."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


@dataclass(kw_only=True)
class ActionItem(Stateful):
    """Something that somebody has to do."""

    MACHINE: ClassVar[Machine[ActionItemState]] = Machine(
        {
            "complete": ([ActionItemState.OPEN], ActionItemState.DONE),
            "drop": ([ActionItemState.OPEN], ActionItemState.DROPPED),
            "reopen": ([ActionItemState.DONE, ActionItemState.DROPPED], ActionItemState.OPEN),
        }
    )
    EVENTS: ClassVar[Mapping[str, str]] = {
        "complete": "completed",
        "drop": "dropped",
        "reopen": "reopened",
    }
    REASONED: ClassVar[frozenset[str]] = frozenset({"drop", "reopen"})
    EDITABLE: ClassVar[frozenset[str]] = frozenset(
        {"text", "owner", "due_date", "due_text", "plan_id", "citations", "sample"}
    )

    text: LocalizedText | None
    owner: LocalizedText | None = None
    due_date: ImpreciseDate | None = None
    due_text: LocalizedText | None = None
    plan_id: str | None = None
    state: ActionItemState = ActionItemState.OPEN

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        del today
        return [*check_name(self.text, "text"), *check_date(self.due_date, "due_date")]
