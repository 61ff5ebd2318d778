"""Identifiers that several domains keep: taken in usual spellings, damage found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domainkit.identifiers import full_ror, is_ror, plain

# Ids that the registry has given out.
REAL_ROR_IDS = ["01c4pz451", "042nb2s44", "03vek6s52", "05gq02987", "03yrm5c26"]


@pytest.mark.parametrize("ror", REAL_ROR_IDS)
@pytest.mark.parametrize(
    "spelling", ["{}", "ror.org/{}", "https://ror.org/{}", "http://www.ror.org/{}/", "\u200f {} "]
)
def test_real_ror_ids_are_taken_in_every_form_and_kept_in_one(ror: str, spelling: str) -> None:
    for written in (ror, ror.upper()):
        assert full_ror(spelling.format(written)) == f"https://ror.org/{ror}"
    assert is_ror(f"https://ror.org/{ror}")


def test_persian_digits_are_digits() -> None:
    assert full_ror("\u06f0\u06f1c\u06f4pz\u06f4\u06f5\u06f1") == "https://ror.org/01c4pz451"


def test_no_ror_id_is_none() -> None:
    assert full_ror(None) is None
    assert full_ror("") is None


@given(
    st.sampled_from(REAL_ROR_IDS),
    st.integers(0, 8),
    st.sampled_from("0123456789abcdefghjkmnpqrstvwxyz"),
)
def test_one_wrong_character_in_a_ror_id_is_always_found(ror: str, at: int, wrong: str) -> None:
    damaged = ror[:at] + wrong + ror[at + 1 :]
    assert is_ror(damaged) == (damaged == ror)


@given(st.text(max_size=12))
def test_any_text_can_be_asked_whether_it_is_a_ror_id(junk: str) -> None:
    assert is_ror(full_ror(junk) or "") in (True, False)
    assert plain(plain(junk)) == plain(junk)
