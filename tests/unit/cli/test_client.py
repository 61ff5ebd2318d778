"""What the command line asks for, what it makes of refusals, and where it finds the network."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from peyvandctl.client import Access, Api, ApiError
from peyvandctl.issuer import LocalIssuer
from peyvandctl.paths import Home
from peyvandctl.state import State

Answer = Callable[[httpx.Request], httpx.Response]


def api(answer: Answer) -> Api:
    return Api(Access("http://net.test", "secret", "fa"), httpx.MockTransport(answer))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    for name in ("PEYVAND_URL", "PEYVAND_TOKEN", "PEYVAND_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PEYVAND_HOME", str(tmp_path / "home"))
    home = Home.locate()
    home.prepare()
    state = State(home)
    state.gateway_url = "http://127.0.0.1:9999"
    state.save()
    LocalIssuer(home, state.cluster_id).ensure_key()
    return home


def test_the_network_of_the_home_is_found_with_a_token_of_its_issuer(home: Home) -> None:
    access = Access.locate(None, None, "en")
    assert access.url == "http://127.0.0.1:9999"
    assert access.token
    assert access.token.count(".") == 2


@pytest.mark.parametrize("by_option", [True, False])
def test_a_token_of_the_local_issuer_is_sent_to_no_other_network(
    home: Home, monkeypatch: pytest.MonkeyPatch, *, by_option: bool
) -> None:
    if not by_option:
        monkeypatch.setenv("PEYVAND_URL", "https://elsewhere.test/")
    access = Access.locate("https://elsewhere.test/" if by_option else None, None, "en")
    assert (access.url, access.token) == ("https://elsewhere.test", None)
    assert Access.locate("https://elsewhere.test", "given", "en").token == "given"
    monkeypatch.setenv("PEYVAND_TOKEN", "from-environment")
    assert Access.locate("https://elsewhere.test", None, "en").token == "from-environment"


def test_a_home_without_keys_still_reads_what_is_public(home: Home) -> None:
    for file in home.issuer.iterdir():
        file.unlink()
    assert Access.locate(None, None, "en").token is None


def test_the_token_is_not_shown_with_the_access() -> None:
    assert "secret" not in repr(Access("http://net.test", "secret"))


def test_calls_carry_the_token_the_language_and_a_key_each() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    with api(answer) as calls:
        calls.post("/v1/x")
        calls.post("/v1/x")
        calls.get("/v1/x", state=None, page_size=1)
    assert {request.headers["authorization"] for request in seen} == {"Bearer secret"}
    assert {request.headers["accept-language"] for request in seen} == {"fa"}
    assert seen[0].headers["idempotency-key"] != seen[1].headers["idempotency-key"]
    assert str(seen[2].url) == "http://net.test/v1/x?page_size=1"


def test_lists_are_read_to_their_end_or_to_the_limit() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        begin = int(request.url.params.get("page_token", 0))
        end = min(begin + int(request.url.params["page_size"]), 450)
        page: dict[str, Any] = {"centers": [{"n": n} for n in range(begin, end)]}
        return httpx.Response(200, json=page | {"next_page_token": str(end) if end < 450 else None})

    with api(answer) as calls:
        assert [item["n"] for item in calls.pages("/v1/centers", "centers")] == list(range(450))
        assert len(calls.pages("/v1/centers", "centers", limit=201)) == 201


@pytest.mark.parametrize(
    ("status", "exit_code"), [(422, 2), (404, 2), (401, 4), (403, 4), (500, 1), (503, 1)]
)
def test_a_refusal_is_the_problem_in_words(status: int, exit_code: int) -> None:
    problem = {"detail": "It cannot be.", "reason": "X", "trace_id": "abc", "errors": []}
    with (
        api(lambda _: httpx.Response(status, content=json.dumps(problem))) as calls,
        pytest.raises(ApiError) as caught,
    ):
        calls.get("/v1/x")
    assert (caught.value.message, caught.value.exit_code) == ("It cannot be.", exit_code)
    assert caught.value.problem == problem
    if status >= 500:
        assert "abc" in caught.value.mend


@pytest.mark.parametrize(
    ("status", "reason"),
    # The last is what is said of a call whose first try nobody waited for.
    [(503, "UNAVAILABLE"), (504, "DEADLINE_EXCEEDED"), (409, "IDEMPOTENCY_KEY_IN_USE")],
)
def test_while_a_network_starts_calls_that_do_nothing_twice_are_made_again(
    monkeypatch: pytest.MonkeyPatch, status: int, reason: str
) -> None:
    monkeypatch.setattr("peyvandctl.client._PAUSE", 0.0)
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        away = {"detail": "Away.", "reason": reason, "trace_id": "abc"}
        return httpx.Response(200 if len(seen) == 3 else status, json=away)

    access = Access("http://net.test")
    with Api(access, httpx.MockTransport(answer), patience=60) as calls:
        calls.post("/v1/x")
        assert len({request.headers["idempotency-key"] for request in seen}) == 1
        assert len(seen) == 3
        seen.clear()
        calls.get("/v1/x")
        assert len(seen) == 3
        seen.clear()
        # Its version would make the second call fail where the first had succeeded.
        with pytest.raises(ApiError):
            calls.patch("/v1/x", b"{}", etag="1")
    assert len(seen) == 1


def test_nobody_answering_is_told_with_what_to_do() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with api(answer) as calls, pytest.raises(ApiError) as caught:
        calls.get("/v1/x")
    assert caught.value.exit_code == 3
    assert "make run" in caught.value.mend


@pytest.mark.parametrize("status", [200, 404])
def test_an_answer_that_is_not_of_a_gateway_is_told_as_such(status: int) -> None:
    with (
        api(lambda _: httpx.Response(status, text="<html>")) as calls,
        pytest.raises(ApiError, match=r"Peyvand gateway|HTTP 404"),
    ):
        calls.get("/v1/x")
