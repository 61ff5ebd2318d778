"""The rules of what comes out of a project, each tried to be broken."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domainkit.rules import IllegalStep, Refused, RulesBroken
from domainkit.values import ImpreciseDate, LocalizedText
from projects.domain.company import Company, CompanyState
from projects.domain.outputs import (
    CompanyOutput,
    Licence,
    Output,
    OutputKind,
    OutputState,
    Patent,
    Product,
    Publication,
    Therapy,
    Trial,
    TrialRegister,
)
from tests.unit.projects.examples import NOW, broken_by, occasion

TEXT = LocalizedText(en="Cells for cartilage")
PUBLICATION = Publication("https://doi.org/10.1016/J.CELL.2006.07.024")
THINGS: dict[str, Any] = {
    "publication": PUBLICATION,
    "patent": Patent("US 8,048,999 B2"),
    "licence": Licence(TEXT),
    "trial": Trial(TrialRegister.IRCT, "irct20111224008505n47"),
    "company": CompanyOutput("com_1"),
    "product": Product(),
    "therapy": Therapy("ctr_1"),
}


def output(**values: Any) -> Output:
    given: dict[str, Any] = {"project_id": "prj_1", "titles": TEXT, **values}
    return Output(id="out_1", created_at=NOW, updated_at=NOW, state_since=NOW, **given)


def at(value: str) -> ImpreciseDate:
    return ImpreciseDate(value)


@pytest.mark.parametrize("kind", OutputKind)
def test_each_kind_is_recorded_and_known_by_what_it_is(kind: OutputKind) -> None:
    made = output(**{kind: THINGS[kind]})
    made.recorded(occasion())
    assert made.kind == kind
    assert made.thing == THINGS[kind]
    assert {
        "publication": "doi:10.1016/j.cell.2006.07.024",
        "patent": "patent:US8048999",
        "licence": "",
        "trial": "trial:irct:IRCT20111224008505N47",
        "company": "company:com_1",
        "product": "",
        "therapy": "",
    }[kind] == made.identifier


def test_an_application_and_its_grant_are_one_patent() -> None:
    applied, granted = Patent("1970446", "EP", "A1"), Patent("EP 1 970 446 B1")
    assert applied.identifier == granted.identifier
    assert (granted.office, granted.number, granted.kind_code) == ("EP", "1970446", "B1")


@pytest.mark.parametrize("kinds", [(), ("publication", "patent"), tuple(OutputKind)])
def test_an_output_is_exactly_one_thing(kinds: tuple[str, ...]) -> None:
    with pytest.raises(RulesBroken) as refusal:
        output(**{kind: THINGS[kind] for kind in kinds}).recorded(occasion())
    assert broken_by(refusal.value) == {("", "ONE_OUTPUT_NEEDED")}


def test_an_output_stays_what_it_is() -> None:
    for values in ({"patent": THINGS["patent"]}, {"publication": None}):
        made = output(publication=PUBLICATION)
        with pytest.raises(RulesBroken) as refusal:
            made.amend(values, occasion())
        assert broken_by(refusal.value) == {(next(iter(values)), "OUTPUT_KIND_STAYS")}
    with pytest.raises(RulesBroken) as refusal:
        output(publication=PUBLICATION).amend({"project_id": "prj_2"}, occasion())
    assert broken_by(refusal.value) == {("project_id", "IMMUTABLE")}


@pytest.mark.parametrize(
    ("values", "broken"),
    [
        ({"publication": Publication("10.1016")}, {("publication.doi", "NOT_A_DOI")}),
        (
            {"publication": Publication(PUBLICATION.doi, published_date=at("2027"))},
            {("publication.published_date.value", "DATE_IN_FUTURE")},
        ),
        (
            {"titles": None, "publication": PUBLICATION},
            {("titles", "NAME_REQUIRED")},
        ),
        ({"patent": Patent("8048999", "XX")}, {("patent.office", "UNKNOWN_PATENT_OFFICE")}),
        ({"patent": Patent("12", "IR")}, {("patent.number", "NOT_A_PATENT_NUMBER")}),
        (
            {"patent": Patent("8048999", "US", "22")},
            {("patent.kind_code", "NOT_A_KIND_CODE")},
        ),
        (
            {"patent": Patent("68912", "IR", filed_date=at("2020-05"), granted_date=at("2020-04"))},
            {("patent.granted_date.value", "DATES_OUT_OF_ORDER")},
        ),
        (
            {"patent": Patent("68912", "IR", filed_date=at("2021"), published_date=at("2020"))},
            {("patent.published_date.value", "DATES_OUT_OF_ORDER")},
        ),
        (
            {"patent": Patent("68912", "IR", granted_date=at("2020-02-30"))},
            {("patent.granted_date.value", "NO_SUCH_DATE")},
        ),
        ({"licence": Licence(None)}, {("licence.licensee", "NAME_REQUIRED")}),
        (
            {"licence": Licence(TEXT, signed_date=at("2025-06"), until_date=at("2025-05"))},
            {("licence.until_date.value", "DATES_OUT_OF_ORDER")},
        ),
        (
            {"trial": Trial(TrialRegister.IRCT, "NCT01217008")},
            {("trial.number", "NOT_AN_IRCT_NUMBER")},
        ),
        (
            {"trial": Trial(TrialRegister.CLINICALTRIALS_GOV, "IRCT20111224008505N47")},
            {("trial.number", "NOT_AN_NCT_NUMBER")},
        ),
        (
            {"trial": Trial(TrialRegister.OTHER, "ISRCTN78181544")},
            {("trial.register_name", "REGISTER_NAME_MISPLACED")},
        ),
        (
            {"trial": Trial(TrialRegister.IRCT, "IRCT20111224008505N47", "ISRCTN")},
            {("trial.register_name", "REGISTER_NAME_MISPLACED")},
        ),
        ({"trial": Trial(TrialRegister.OTHER, " ", "ISRCTN")}, {("trial.number", "REQUIRED")}),
        ({"trial": Trial(None, "NCT01217008")}, {("trial.register", "REQUIRED")}),
        (
            {
                "trial": Trial(
                    TrialRegister.IRCT,
                    "IRCT20111224008505N47",
                    registered_date=at("2025-03-02"),
                    first_enrolment_date=at("2025-03-01"),
                )
            },
            {("trial.first_enrolment_date.value", "DATES_OUT_OF_ORDER")},
        ),
        (
            {"product": Product(launched_date=at("2030"))},
            {("product.launched_date.value", "DATE_IN_FUTURE")},
        ),
        (
            {"therapy": Therapy("ctr_1", since_date=at("2025"), until_date=at("2024"))},
            {("therapy.until_date.value", "DATES_OUT_OF_ORDER")},
        ),
    ],
)
def test_values_that_break_a_rule_are_refused(
    values: dict[str, Any], broken: set[tuple[str, str]]
) -> None:
    with pytest.raises(RulesBroken) as refusal:
        output(**values).recorded(occasion())
    assert broken_by(refusal.value) == broken


def test_another_register_keeps_its_numbers_as_they_come() -> None:
    trial = Trial(TrialRegister.OTHER, "2004-001234-12", "EudraCT")
    made = output(trial=trial)
    made.recorded(occasion())
    assert made.thing == trial
    assert made.identifier == "trial:eudract:2004-001234-12"


def test_what_was_withdrawn_is_not_changed_and_can_come_back() -> None:
    made = output(publication=PUBLICATION)
    with pytest.raises(RulesBroken) as refusal:
        made.take("withdraw", occasion())
    assert broken_by(refusal.value) == {("reason", "REASON_REQUIRED")}
    made.take("withdraw", occasion(reason="Retracted."))
    assert made.state == OutputState.WITHDRAWN
    assert not made.can_be_amended()
    with pytest.raises(IllegalStep) as illegal:
        made.amend({"titles": LocalizedText(en="New")}, occasion())
    assert list(illegal.value.allowed) == ["reinstate"]
    made.take("reinstate", occasion(reason="Not retracted after all."))
    assert made.state == OutputState.RECORDED


def test_the_same_thing_is_recorded_once() -> None:
    made = output(publication=PUBLICATION)
    made.require_only(None)
    with pytest.raises(Refused) as refusal:
        made.require_only("out_2")
    assert refusal.value.reason == "OUTPUT_RECORDED"
    assert refusal.value.params == {"value": PUBLICATION.doi, "id": "out_2"}


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"project_ids": ["prj_2"]}, "COMPANY_OF_OTHER_PROJECTS"),
        ({"state": CompanyState.DISSOLVED}, "COMPANY_DISSOLVED"),
        ({"knowledge_based": False}, "COMPANY_NOT_KNOWLEDGE_BASED"),
        ({}, ""),
    ],
)
def test_a_company_output_is_a_knowledge_based_company_of_the_project(
    values: dict[str, Any], rule: str
) -> None:
    given: dict[str, Any] = {"names": TEXT, "knowledge_based": True, "project_ids": ["prj_1"]}
    company = Company(
        id="com_1", created_at=NOW, updated_at=NOW, state_since=NOW, **(given | values)
    )
    made = output(company=CompanyOutput("com_1"))
    if not rule:
        made.require_company(company, "company.company_id")
        return
    with pytest.raises(RulesBroken) as refusal:
        made.require_company(company, "company.company_id")
    assert broken_by(refusal.value) == {("company.company_id", rule)}


@pytest.mark.parametrize(
    ("values", "field", "register"),
    [
        ({"register_name": "IRCT", "number": "2011"}, "register_name", "irct"),
        ({"register_name": "NCT", "number": "1"}, "register_name", "clinicaltrials_gov"),
        ({"register_name": "ISRCTN", "number": "NCT01217008"}, "number", "clinicaltrials_gov"),
    ],
)
def test_no_other_register_passes_by_the_checks_of_a_listed_one(
    values: dict[str, Any], field: str, register: str
) -> None:
    trial = Trial(register=TrialRegister.OTHER, **values)
    (broken,) = trial.rules("trial", NOW.date())
    assert (broken.field, broken.rule) == (f"trial.{field}", "REGISTER_IS_LISTED")
    assert broken.params["register"] == register


def test_numbers_that_name_a_day_or_a_year_to_come_are_refused() -> None:
    ahead = Trial(register=TrialRegister.IRCT, number="IRCT20260302008505N1")
    assert [b.rule for b in ahead.rules("trial", NOW.date())] == ["NOT_AN_IRCT_NUMBER"]
    assert ahead.rules("trial", date(2026, 3, 2)) == []
    patent = Patent(office="WO", number="2027/000001")
    assert [b.rule for b in patent.rules("patent", NOW.date())] == ["NOT_A_PATENT_NUMBER"]
