"""The rules of the people on a project, each tried to be broken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domainkit.rules import RulesBroken
from domainkit.values import ImpreciseDate, LocalizedText
from projects.domain.pathways import Template
from projects.domain.people import PersonRole, ProjectPerson, check_people
from tests.unit.projects.examples import begin, broken_by, occasion

ORCID = "https://orcid.org/0000-0002-1825-0097"
LEADER = ProjectPerson(
    LocalizedText(en="A. Leader"), PersonRole.PRINCIPAL_INVESTIGATOR, "0000-0002-1825-0097"
)


def at(value: str) -> ImpreciseDate:
    return ImpreciseDate(value)


def rules(*people: ProjectPerson) -> set[tuple[str, str]]:
    return {(item.field, item.rule) for item in check_people(people, "people")}


def test_a_person_is_kept_with_the_canonical_orcid(way: Template) -> None:
    project = begin(way, people=[LEADER])
    project.recorded(occasion())
    assert project.people[0].orcid == ORCID
    written = replace(LEADER, orcid="orcid.org/0000 0002 1825 0097")
    assert not project.amend({"people": [written]}, occasion())


@pytest.mark.parametrize(
    ("person", "broken"),
    [
        (replace(LEADER, name=None), ("people[0].name", "NAME_REQUIRED")),
        (replace(LEADER, role=None), ("people[0].role", "REQUIRED")),
        (replace(LEADER, orcid="0000-0002-1825-0098"), ("people[0].orcid", "ORCID_CHECKSUM")),
        (replace(LEADER, orcid="someone"), ("people[0].orcid", "NOT_AN_ORCID")),
        (
            replace(LEADER, since_date=at("2025-13")),
            ("people[0].since_date.value", "NO_SUCH_DATE"),
        ),
        (
            replace(LEADER, since_date=at("2025"), until_date=at("2024-12-31")),
            ("people[0].until_date.value", "DATES_OUT_OF_ORDER"),
        ),
    ],
)
def test_values_that_break_a_rule_are_refused(
    way: Template, person: ProjectPerson, broken: tuple[str, str]
) -> None:
    project = begin(way)
    with pytest.raises(RulesBroken) as refusal:
        project.amend({"people": [person]}, occasion())
    assert broken_by(refusal.value) == {broken}


def test_a_date_within_a_year_is_not_before_that_year() -> None:
    assert rules(replace(LEADER, since_date=at("2025"), until_date=at("2025-01-01"))) == set()
    assert rules(replace(LEADER, until_date=at("2030"))) == set()


def test_nobody_has_one_role_twice_at_once() -> None:
    twice = {("people[1]", "PERSON_TWICE")}
    assert rules(LEADER, LEADER) == twice
    assert rules(LEADER, replace(LEADER, role=PersonRole.CLINICAL)) == set()
    # Who left and came back stands here twice.
    before = replace(LEADER, until_date=at("2023-05"))
    assert rules(before, replace(LEADER, since_date=at("2023-06"))) == set()
    assert rules(before, replace(LEADER, since_date=at("2023-05"))) == twice
    # The same subject is the same person; the same name is not.
    named = replace(LEADER, orcid="", subject="someone")
    assert rules(named, named) == twice
    assert rules(replace(named, subject=""), replace(named, subject="")) == set()
