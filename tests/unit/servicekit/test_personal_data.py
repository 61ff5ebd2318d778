"""What looks like a national id is found in free texts, and in nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peyvand.api.v1 import types_pb2
from peyvand.centers.v1 import centers_pb2 as pb
from servicekit.personal_data import is_national_id, personal_data

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
