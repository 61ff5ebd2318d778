"""The rules of a company, each tried to be broken."""

from __future__ import annotations

from typing import Any

import pytest

from domainkit.rules import IllegalStep, RulesBroken
from domainkit.values import ImpreciseDate, LocalizedText
from projects.domain.company import Company, CompanyState
from tests.unit.projects.examples import NOW, broken_by, occasion


def company(**values: Any) -> Company:
    given: dict[str, Any] = {"names": LocalizedText(en="CellMade"), **values}
    return Company(id="com_1", created_at=NOW, updated_at=NOW, state_since=NOW, **given)


@pytest.mark.parametrize(
    ("values", "broken"),
    [
        ({"names": LocalizedText()}, {("names", "NAME_REQUIRED")}),
        (
            {"founded_date": ImpreciseDate("2026-04")},
            {("founded_date.value", "DATE_IN_FUTURE")},
        ),
        ({"founded_date": ImpreciseDate("2025-13")}, {("founded_date.value", "NO_SUCH_DATE")}),
        ({"project_ids": ["prj_1", "prj_2", "prj_1"]}, {("project_ids[2]", "DUPLICATE")}),
        (
            {"legal_entity_id": "10380284791"},
            {("legal_entity_id", "NOT_A_LEGAL_ENTITY_ID")},
        ),
        (
            {"recognised_until": "2027-03-20"},
            {("recognised_until", "RECOGNITION_MISPLACED")},
        ),
        (
            {"knowledge_based": True, "recognised_until": "2027-02-30"},
            {("recognised_until", "NO_SUCH_DATE")},
        ),
    ],
)
def test_values_that_break_a_rule_are_refused(
    values: dict[str, Any], broken: set[tuple[str, str]]
) -> None:
    with pytest.raises(RulesBroken) as refusal:
        company(**values).recorded(occasion())
    assert broken_by(refusal.value) == broken


def test_it_is_dissolved_and_reinstated_with_a_reason() -> None:
    made = company(founded_date=ImpreciseDate("2026"))
    made.recorded(occasion())
    with pytest.raises(IllegalStep):
        made.take("reinstate", occasion(reason="A mistake."))
    with pytest.raises(RulesBroken) as refusal:
        made.take("dissolve", occasion())
    assert broken_by(refusal.value) == {("reason", "REASON_REQUIRED")}
    made.take("dissolve", occasion(reason="Struck off."))
    assert made.state == CompanyState.DISSOLVED
    made.take("reinstate", occasion(reason="A mistake."))
    assert made.state == CompanyState.ACTIVE
    assert [step.action for step in made.pending] == ["created", "dissolved", "reinstated"]


def test_its_national_id_is_kept_in_one_form() -> None:
    made = company(
        legal_entity_id="۱۰۳۸۰۲۸۴۷۹۰", knowledge_based=True, recognised_until="2027-03-20"
    )
    made.recorded(occasion())
    assert made.legal_entity_id == "10380284790"
    assert not made.amend({"legal_entity_id": "1038 028 4790"}, occasion())
