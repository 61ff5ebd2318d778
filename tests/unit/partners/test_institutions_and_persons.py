"""Rules of institutions and persons, each tried to be broken."""

import pytest

from domainkit.values import LocalizedText
from partners.domain.names import Name, NameKind, as_text
from partners.domain.persons import PersonPosition
from tests.unit.partners.builders import (
    broken_by,
    institution,
    occasion,
    on,
    person,
    text,
)

# Ids that the registry has given out.
REAL_ROR_IDS = ["01c4pz451", "042nb2s44", "03vek6s52", "05gq02987", "03yrm5c26"]


@pytest.mark.parametrize("ror", REAL_ROR_IDS)
def test_real_ror_ids_are_taken_in_every_form_and_kept_in_one(ror: str) -> None:
    for form in (ror, f"ror.org/{ror}", f"https://ror.org/{ror}"):
        found = institution(ror_id=form)
        assert found.ror_id == f"https://ror.org/{ror}"
        assert broken_by(found) == set()


def test_a_wrong_ror_id_is_refused_and_none_is_fine() -> None:
    assert broken_by(institution(ror_id="01c4pz452")) == {("ror_id", "ROR_CHECKSUM")}
    assert broken_by(institution(ror_id=None)) == set()


def test_the_same_ror_id_in_another_form_is_no_change() -> None:
    found = institution(ror_id="01c4pz451")
    assert not found.amend({"ror_id": "https://ror.org/01c4pz451"}, occasion())


@pytest.mark.parametrize("country", ["XX", "UK", "ir", "IRN", ""])
def test_a_country_is_one_of_iso_3166(country: str) -> None:
    assert broken_by(institution(country=country)) == {("country", "UNKNOWN_COUNTRY")}


def test_names_are_there_once_each() -> None:
    name = Name("TUMS", "en", kind=NameKind.ACRONYM)
    assert broken_by(institution(names=[])) == {("names", "NAME_REQUIRED")}
    assert broken_by(institution(names=[name, name])) == {("names[1]", "DUPLICATE")}
    assert broken_by(institution(names=[name, Name(" ", "fa")])) == {("names[1].text", "REQUIRED")}


@pytest.mark.parametrize("name", ["parent_id", "predecessor_id"])
def test_an_institution_does_not_stand_above_itself(name: str) -> None:
    assert broken_by(institution(**{name: "ins_1"})) == {(name, "PARENT_CYCLE")}


def test_a_document_takes_the_official_name_before_others() -> None:
    names = [
        Name("HRC", "en", kind=NameKind.ACRONYM),
        Name("Hematological Research Center", "en", kind=NameKind.OFFICIAL),
        Name("مرکز خون‌شناسی", "fa", kind=NameKind.SPELLING),
    ]
    assert as_text(names) == LocalizedText("مرکز خون‌شناسی", "Hematological Research Center")
    assert as_text([Name("Гематологический центр", "ru")]).en == "Гематологический центр"


def test_a_position_does_not_surely_end_before_it_begins() -> None:
    def held(start: str, end: str) -> PersonPosition:
        return PersonPosition(text("Head"), from_date=on(start), until_date=on(end))

    unsure = [held("2024", "2024-05"), held("2024-05", "2024")]
    wrong = person(positions=[*unsure, held("2024-06", "2024-05")])
    assert broken_by(wrong) == {("positions[2].until_date", "END_BEFORE_START")}
    assert broken_by(person(positions=[PersonPosition()])) == {
        ("positions[0].title", "NAME_REQUIRED")
    }
    nowhere = person(positions=[held("2024-02-30", "2025")])
    assert broken_by(nowhere) == {("positions[0].from_date.value", "NO_SUCH_DATE")}


def test_of_an_erased_person_nothing_is_left() -> None:
    found = person(positions=[PersonPosition(text("Head"))], note=text("n"))
    found.erase(occasion("asked for it"))
    assert found.deleted_at is not None
    assert (found.names, found.positions, found.note, found.citations) == ([], [], None, [])
    assert [step.action for step in found.pending] == ["deleted"]
