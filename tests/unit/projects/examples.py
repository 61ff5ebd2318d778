"""Projects and rulings as they would really be, for tests to break."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from domainkit.aggregate import Occasion
from domainkit.rules import RulesBroken
from domainkit.values import LocalizedText
from projects.domain.decisions import Condition, DecisionKind, KillCode, KillReason, Ruling
from projects.domain.pathways import Pathway, Stage, Template
from projects.domain.project import Project

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
TOMORROW = "2026-03-02"
YESTERDAY = "2026-02-28"

GO = Ruling(DecisionKind.GO, "All evidence is there.")
CONDITIONAL_GO = Ruling(
    DecisionKind.CONDITIONAL_GO,
    "The assay is to be repeated.",
    conditions=[Condition(LocalizedText(en="Repeat the assay"), "Quality, Tabriz", TOMORROW)],
)
HOLD = Ruling(DecisionKind.HOLD, "The clean room is being rebuilt.", resume_date=TOMORROW)
KILL = Ruling(
    DecisionKind.KILL,
    "It harms.",
    kill=KillReason(KillCode.SAFETY, "Tumours in two animals.", "Test the bank first."),
)


def recycle(to: Stage) -> Ruling:
    return Ruling(DecisionKind.RECYCLE, "The candidate did not hold.", to_stage=to)


def occasion(day: int = 0, reason: str = "") -> Occasion:
    return Occasion(actor="someone", at=NOW + timedelta(days=day), reason=reason)


def begin(way: Template, **values: Any) -> Project:
    given = {
        "titles": LocalizedText(en="Cartilage patch"),
        "lead_center_id": "ctr_a",
        "pathway": Pathway.SOMATIC_CELL,
        **values,
    }
    return Project.begin(way, "prj_1", NOW, given)


def broken_by(error: RulesBroken) -> set[tuple[str, str]]:
    return {(item.field, item.rule) for item in error.broken}
