"""A page token continues the list that it was made for, and a forged one is refused."""

import base64
import json
from datetime import UTC, datetime

import pytest

from peyvand.centers.v1 import centers_pb2 as pb
from servicekit import paging
from servicekit.errors import Fault

MOMENT = datetime(2025, 4, 25, 12, tzinfo=UTC)


def request(token: str = "", province: str = "IR-03") -> pb.ListCentersRequest:
    return pb.ListCentersRequest(page_size=10, page_token=token, province=province)


def forged(*position: object) -> str:
    """A token that anybody can make who has seen one for the same list."""
    token = paging.write_token(request(), [])
    (digest,) = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    text = json.dumps([digest, *position])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def test_a_position_comes_back_as_it_was() -> None:
    token = paging.write_token(request(), [MOMENT.isoformat(), "ctr_1", "7"])
    readers = (paging.moment, paging.text, paging.number)
    assert paging.read_token(request(token), *readers) == [MOMENT, "ctr_1", 7]
    assert paging.read_token(request(), *readers) is None


def test_a_token_of_other_filters_is_refused() -> None:
    token = paging.write_token(request(), ["ctr_1"])
    with pytest.raises(Fault, match="INVALID_PAGE_TOKEN"):
        paging.read_token(request(token, province="IR-04"), paging.text)


@pytest.mark.parametrize(
    "position",
    [
        (),
        (MOMENT.isoformat(),),
        (MOMENT.isoformat(), "ctr_1"),
        (MOMENT.isoformat(), "ctr_1", "7", "8"),
        ("yesterday", "ctr_1", "7"),
        ("2025-04-25T12:00:00", "ctr_1", "7"),
        ("0001-01-01T00:00:00+10:00", "ctr_1", "7"),
        (MOMENT.isoformat(), "ctr_\x00", "7"),
        (MOMENT.isoformat(), "ctr_\ud800", "7"),
        (MOMENT.isoformat(), "ctr_1", "seven"),
        (MOMENT.isoformat(), "ctr_1", "-1"),
        (MOMENT.isoformat(), "ctr_1", str(2**63)),
        (MOMENT.isoformat(), "ctr_1", 7),
        (MOMENT.isoformat(), None, "7"),
        (MOMENT.isoformat(), ["ctr_1"], "7"),
    ],
)
def test_a_position_that_no_list_has_is_refused(position: tuple[object, ...]) -> None:
    token = request(forged(*position))
    with pytest.raises(Fault, match="INVALID_PAGE_TOKEN"):
        paging.read_token(token, paging.moment, paging.text, paging.number)


@pytest.mark.parametrize("token", ["x", "é", "W10", "e30", "bnVsbA", "W1tbW1td", "/w=="])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(Fault, match="INVALID_PAGE_TOKEN"):
        paging.read_token(request(token), paging.text)
