"""Ids sort as they were made, and say what they identify."""

import re
import threading

from hypothesis import given
from hypothesis import strategies as st

from servicekit.ids import id_pattern, is_id, new_id, uuid7


def test_ids_of_one_process_sort_as_they_were_made() -> None:
    made: list[list[str]] = [[] for _ in range(4)]

    def make(into: list[str]) -> None:
        into.extend(new_id("ctr") for _ in range(5000))

    threads = [threading.Thread(target=make, args=(into,)) for into in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in made:
        assert one == sorted(one)
    assert len({id for one in made for id in one}) == 20_000


def test_a_uuid_is_of_version_7_and_carries_the_time() -> None:
    made = [uuid7() for _ in range(10_000)]
    assert {(value.version, value.variant) for value in made} == {(7, "specified in RFC 4122")}
    assert made == sorted(made)


@given(st.text(max_size=40))
def test_only_ids_of_the_kind_are_ids(text: str) -> None:
    assert is_id(text, "ctr") == bool(re.search(id_pattern("ctr"), text) and "\n" not in text)


def test_an_id_of_another_kind_is_none() -> None:
    assert is_id(new_id("ctr"), "ctr")
    assert not is_id(new_id("prj"), "ctr")
    assert not is_id(new_id("ctr").upper(), "ctr")
