"""What looks like a national id is found in free texts, and in nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peyvand.api.v1 import types_pb2
from peyvand.centers.v1 import centers_pb2 as pb
from peyvand.projects.v1 import evidence_pb2, people_pb2
from servicekit.personal_data import is_national_id, is_written_national_id, personal_data

VALID = "0013542419"  # made by the rule, of nobody


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        (VALID, True),
        ("0013542418", False),
        ("1111111111", False),
        ("۰۰۱۳۵۴۲۴۱۹", True),
        ("٠٠١٣٥٤٢٤١٩", True),
        ("001354241", False),
    ],
)
def test_the_check_digit_decides(digits: str, expected: bool) -> None:
    assert is_national_id(digits) is expected


@given(st.from_regex(r"[0-9]{9}", fullmatch=True).filter(lambda text: len(set(text)) > 1))
def test_nine_digits_have_exactly_one_check_digit(digits: str) -> None:
    assert len([last for last in "0123456789" if is_national_id(digits + last)]) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"کد ملی {VALID}", True),
        (f"id:{VALID}.", True),
        (f"{VALID}7", False),
        (f"9{VALID}", False),
        ("001354-2419", False),
        ("001-354241-9", True),
        ("کد ملی ۰۰۱-۳۵۴۲۴۱-۹", True),
        ("001 354241 9", True),
        ("001354241-9", True),
        ("٠٠١/٣٥٤٢٤١/٩", True),
        ("001-354241-8", False),
        ("001-354241-95", False),
        ("5001-354241-9", False),
        ("001--354241-9", False),
        ("", False),
    ],
)
def test_only_ten_digits_that_stand_alone_count(text: str, found: bool) -> None:
    message = pb.Center(names=types_pb2.LocalizedText(fa=text))
    expected = [("names.fa", "PERSONAL_DATA")] if found else []
    assert [(item.field, item.reason) for item in personal_data(message)] == expected


def test_it_is_found_at_any_depth_and_named_by_its_place() -> None:
    message = pb.Center(
        state_reason=f"reported by {VALID}",
        contact=pb.Contact(address=types_pb2.LocalizedText(en=VALID)),
        citations=[types_pb2.Citation(), types_pb2.Citation(note=VALID)],
    )
    assert {item.field for item in personal_data(message)} == {
        "state_reason",
        "contact.address.en",
        "citations[1].note",
    }


def test_texts_of_a_form_of_their_own_are_not_looked_at() -> None:
    assert not personal_data(
        pb.Center(code=VALID, external_key=VALID, contact=pb.Contact(phones=[VALID]))
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"9f86d081{VALID}a0c55ad015", False),
        (f"{VALID}-9f86-4c7d-9a2f-0c55ad015a3b", False),
        (f"auth0|{VALID}", False),
        (VALID, True),
        ("001-354241-9", True),
        ("0013542418", False),
    ],
)
def test_what_a_machine_has_made_is_one_where_it_is_nothing_else(text: str, found: bool) -> None:
    """Hashes and subjects of tokens have ten digits that would do soon enough."""
    expected = ["PERSONAL_DATA"] if found else []
    person = people_pb2.ProjectPerson(subject=text)
    assert [item.reason for item in personal_data(person)] == expected
    evidence = evidence_pb2.EvidenceEvent(
        evidence=evidence_pb2.Evidence(
            submitted_by=text,
            confirmations=[evidence_pb2.EvidenceConfirmation(confirmed_by=text)],
        )
    )
    assert {item.field for item in personal_data(evidence)} == (
        {"evidence.submitted_by", "evidence.confirmations[0].confirmed_by"} if found else set()
    )


def test_texts_beside_what_a_machine_has_made_are_looked_at_as_ever() -> None:
    evidence = evidence_pb2.Evidence(
        submitted_by=f"auth0|{VALID}",
        description=f"of {VALID}",
        resubmission_reason=f"by {VALID}",
    )
    assert [item.field for item in personal_data(evidence)] == [
        "description",
        "resubmission_reason",
    ]


@pytest.mark.parametrize(
    ("key", "found"),
    [
        (VALID, True),
        ("001-354241-9", True),
        ("001.354241.9", True),
        ("0013542418", False),
        (f"person-{VALID}", False),
        (f"{VALID}-2", False),
        ("", False),
    ],
)
def test_a_key_is_one_where_it_is_nothing_else(key: str, found: bool) -> None:
    assert is_written_national_id(key) is found
