"""Whatever is wrong with a request is told by a problem document that names it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from servicekit.errors import Fault
from servicekit.ids import new_id
from tests.support.gateway import FakeClients

ADMIN = {"Authorization": "Bearer hq_admin"}
WRITE = ADMIN | {"Idempotency-Key": "k", "Content-Type": "application/json"}
GOOD = {"code": "TBZ", "names": {"fa": "تبریز"}, "province": "IR-03"}
ID = new_id("ctr")


def problem(answer: httpx.Response, status: int, reason: str) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (answer.status_code, body["reason"]) == (status, reason), body
    assert body["status"] == status
    assert body["type"] == f"/problems/{reason}"
    assert body["detail"]
    assert "…" not in body["detail"] or reason == "BODY_TOO_LARGE", body["detail"]
    assert body["trace_id"] == answer.headers["x-trace-id"]
    assert answer.headers["content-language"] == "en"
    assert "ratelimit" in answer.headers
    return body


@pytest.mark.parametrize(
    ("change", "pointer", "rule"),
    [
        ({"code": 7}, "/code", "WRONG_TYPE"),
        ({"code": None}, "/code", "REQUIRED"),
        ({"code": ""}, "/code", "REQUIRED"),
        ({"code": "T"}, "/code", "TOO_SHORT"),
        ({"code": "T" * 21}, "/code", "TOO_LONG"),
        ({"code": "tbz"}, "/code", "WRONG_FORMAT"),
        ({"code": "TBZ\n"}, "/code", "WRONG_FORMAT"),
        ({"names": []}, "/names", "WRONG_TYPE"),
        ({"names": {"de": "Täbris"}}, "/names/de", "UNKNOWN_FIELD"),
        ({"colour": "red"}, "/colour", "UNKNOWN_FIELD"),
        ({"a/b~c.d[0]": 1}, "/a~1b~0c.d[0]", "UNKNOWN_FIELD"),
        ({"state": "operational"}, "/state", "IMMUTABLE"),
        ({"id": ID}, "/id", "IMMUTABLE"),
        ({"sample": "true"}, "/sample", "WRONG_TYPE"),
        ({"sample": 1}, "/sample", "WRONG_TYPE"),
        ({"position": {"latitude": 38}}, "/position/longitude", "REQUIRED"),
        ({"position": {"latitude": 91, "longitude": 0}}, "/position/latitude", "OUT_OF_RANGE"),
        ({"position": {"latitude": "1", "longitude": 0}}, "/position/latitude", "WRONG_TYPE"),
        ({"position": {"latitude": True, "longitude": 0}}, "/position/latitude", "WRONG_TYPE"),
        ({"position": {"latitude": 10**400, "longitude": 0}}, "/position/latitude", "OUT_OF_RANGE"),
        ({"contact": {"phones": "1"}}, "/contact/phones", "WRONG_TYPE"),
        ({"contact": {"phones": ["+98 21", 3]}}, "/contact/phones/1", "WRONG_TYPE"),
        ({"contact": {"phones": ["+98 21 1"] * 11}}, "/contact/phones", "TOO_MANY_ITEMS"),
        ({"citations": [{}]}, "/citations/0/source", "REQUIRED"),
        ({"opened_date": {"value": "2025-13"}}, "/opened_date/value", "WRONG_FORMAT"),
    ],
)
async def test_a_broken_value_is_named(
    http: httpx.AsyncClient, clients: FakeClients, change: dict[str, Any], pointer: str, rule: str
) -> None:
    answer = await http.post("/v1/centers", json=GOOD | change, headers=WRITE)
    errors = problem(answer, 422, "INVALID_ARGUMENT")["errors"]
    assert (pointer, rule) in [(error["pointer"], error["rule"]) for error in errors]
    assert all(error["detail"] and "…" not in error["detail"] for error in errors)
    assert not clients.calls


async def test_all_broken_values_are_named_at_once(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/centers?x=1", json={"code": 1, "y": 2}, headers=WRITE)
    errors = problem(answer, 422, "INVALID_ARGUMENT")["errors"]
    assert [(e.get("pointer", e.get("parameter")), e["rule"]) for e in errors] == [
        ("x", "UNKNOWN_FIELD"),
        ("/code", "WRONG_TYPE"),
        ("/y", "UNKNOWN_FIELD"),
        ("/names", "REQUIRED"),
        ("/province", "REQUIRED"),
    ]


async def test_a_hostile_body_does_not_get_a_larger_answer(http: httpx.AsyncClient) -> None:
    body = {f"k{number}": number for number in range(50_000)}
    answer = await http.post("/v1/centers", json=body, headers=WRITE)
    assert len(problem(answer, 422, "INVALID_ARGUMENT")["errors"]) <= 110


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "line 1"),
        (b"{", "line 1"),
        (b'{"code": "TBZ", "code": "TBZ"}', "twice"),
        (b'{"names": {"fa": "a", "fa": "a"}}', "twice"),
        (b'{"code": "\xff"}', "UTF-8"),
        (b'\xef\xbb\xbf{"code": "TBZ"}', "BOM"),
        (b'{"code": NaN}', "NaN"),
        (b'{"code": Infinity}', "Infinity"),
        (b'{"position": {"latitude": 1e999}}', "too large"),
        (b'{"code": "\\ud800"}', "surrogate"),
        (b"[" * 33 + b"]" * 33, "deeper"),
        (b"[" * 200_000, "deeper"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "deeper"),
        (b'{"code": 1' + b"0" * 5000 + b"}", "too large"),
    ],
)
async def test_a_body_that_is_not_json_is_told_so(
    http: httpx.AsyncClient, body: bytes, says: str
) -> None:
    answer = await http.post("/v1/centers", content=body, headers=WRITE)
    assert says in problem(answer, 400, "MALFORMED_BODY")["detail"]


async def test_a_nul_is_refused_by_the_field_that_it_stands_in(http: httpx.AsyncClient) -> None:
    body = (
        b'{"code": "T\\u0000", "province": "IR-03", "names": {"fa": "\\u0000"}, "\\u0000": 1,'
        b' "contact": {"email": "\\u0000@a.b"}}'
    )
    answer = await http.post("/v1/centers", content=body, headers=WRITE)
    errors = problem(answer, 422, "INVALID_ARGUMENT")["errors"]
    assert [(error["pointer"], error["rule"]) for error in errors] == [
        ("/code", "WRONG_FORMAT"),
        ("/names/fa", "WRONG_FORMAT"),
        ("/\ufffd", "UNKNOWN_FIELD"),
        ("/contact/email", "WRONG_FORMAT"),
    ]


async def test_escaped_text_that_is_sound_is_taken(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    body = (
        b'{"code": "TBZ", "province": "IR-03", "names": {"fa": "\\u062a\\\\u0000 \\ud83d\\ude00"}}'
    )
    answer = await http.post("/v1/centers", content=body, headers=WRITE)
    assert answer.status_code == 201
    assert clients.calls[0][1].center.names.fa == "ت\\u0000 😀"


async def test_a_body_can_be_as_deep_as_the_limit(http: httpx.AsyncClient) -> None:
    body = b"[" * 32 + b"]" * 32
    answer = await http.post("/v1/centers", content=body, headers=WRITE)
    assert problem(answer, 422, "INVALID_ARGUMENT")["errors"][0]["pointer"] == ""


async def test_a_large_body_is_refused_declared_or_not(http: httpx.AsyncClient) -> None:
    large = b" " * 1_048_577
    answer = await http.post("/v1/centers", content=large, headers=WRITE)
    assert "1048576" in problem(answer, 413, "BODY_TOO_LARGE")["detail"]

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(1025):
            yield b" " * 1024

    answer = await http.post("/v1/centers", content=chunks(), headers=WRITE)
    problem(answer, 413, "BODY_TOO_LARGE")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Encoding": "gzip"},
    ],
)
async def test_a_body_of_another_type_is_refused(
    http: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await http.post("/v1/centers", content=b"{}", headers=WRITE | headers)
    problem(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


async def test_an_answer_in_another_form_is_not_given(http: httpx.AsyncClient) -> None:
    for accept in ("text/html", "application/json;q=0", "application/xml, text/*"):
        answer = await http.get("/v1/centers", headers={"Accept": accept})
        problem(answer, 406, "NOT_ACCEPTABLE")
    for accept in ("application/*", "text/html, */*;q=0.1", "application/json;q=0.5"):
        answer = await http.get("/v1/centers", headers={"Accept": accept})
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("query", "parameter", "rule"),
    [
        ("page_size=x", "page_size", "WRONG_TYPE"),
        ("page_size=", "page_size", "WRONG_TYPE"),
        ("page_size=%D9%A7", "page_size", "WRONG_TYPE"),
        ("page_size=201", "page_size", "OUT_OF_RANGE"),
        ("page_size=-1", "page_size", "OUT_OF_RANGE"),
        ("page_size=99999999999999999999", "page_size", "OUT_OF_RANGE"),
        ("page_size=" + "9" * 5000, "page_size", "WRONG_TYPE"),
        ("page_size=1&page_size=2", "page_size", "DUPLICATE"),
        ("state=OPERATIONAL", "state", "UNKNOWN_VALUE"),
        ("state=unspecified", "state", "UNKNOWN_VALUE"),
        ("state=", "state", "UNKNOWN_VALUE"),
        ("province=IR-3", "province", "WRONG_FORMAT"),
        ("external_key=%00", "external_key", "WRONG_FORMAT"),
        ("external_key=%FF", "external_key", "WRONG_FORMAT"),
        ("%FF=1", "�", "UNKNOWN_FIELD"),
        ("%00=1", "�", "UNKNOWN_FIELD"),
        ("a.b[0]=1", "a.b[0]", "UNKNOWN_FIELD"),
        ("updated_since=yesterday", "updated_since", "WRONG_FORMAT"),
        ("updated_since=2025-02-30T00:00:00Z", "updated_since", "NO_SUCH_DATE"),
        ("updated_since=0001-01-01T00:00:00%2B03:00", "updated_since", "NO_SUCH_DATE"),
        ("updated_since=2025-02-03T00:00:00", "updated_since", "WRONG_FORMAT"),
    ],
)
async def test_a_broken_parameter_is_named(
    http: httpx.AsyncClient, query: str, parameter: str, rule: str
) -> None:
    answer = await http.get(f"/v1/centers?{query}")
    errors = problem(answer, 422, "INVALID_ARGUMENT")["errors"]
    assert [(error["parameter"], error["rule"]) for error in errors] == [(parameter, rule)]


async def test_an_id_of_another_kind_is_named(http: httpx.AsyncClient) -> None:
    for id in (new_id("prj"), "7", "ctr_", "%00", "%FF", ID.upper()):
        answer = await http.get(f"/v1/centers/{id}")
        errors = problem(answer, 422, "INVALID_ARGUMENT")["errors"]
        assert [(e["parameter"], e["rule"]) for e in errors] == [("center_id", "WRONG_ID_KIND")]


async def test_a_change_needs_the_version_that_was_read(http: httpx.AsyncClient) -> None:
    url = f"/v1/centers/{ID}"
    answer = await http.patch(url, json={"sample": True}, headers=ADMIN)
    problem(answer, 428, "PRECONDITION_REQUIRED")
    for value in ("*", "3", '"1", "2"', '"' + "x" * 101 + '"'):
        headers = ADMIN | {"If-Match": value}
        answer = await http.patch(url, json={"sample": True}, headers=headers)
        errors = problem(answer, 422, "INVALID_ARGUMENT")["errors"]
        assert errors[0]["header"] == "If-Match"


async def test_a_change_changes_something_and_only_what_can_change(http: httpx.AsyncClient) -> None:
    url, headers = f"/v1/centers/{ID}", ADMIN | {"If-Match": '"3"'}
    for body, pointer, rule in (
        ({}, "", "TOO_FEW_ITEMS"),
        ({"code": None}, "/code", "REQUIRED"),
        ({"external_key": "k"}, "/external_key", "IMMUTABLE"),
        ({"etag": "3"}, "/etag", "IMMUTABLE"),
        ({"names": None}, "/names", "REQUIRED"),
    ):
        answer = await http.patch(url, json=body, headers=headers)
        errors = problem(answer, 422, "INVALID_ARGUMENT")["errors"]
        assert [(e["pointer"], e["rule"]) for e in errors] == [(pointer, rule)]


async def test_a_conditional_read_names_versions(http: httpx.AsyncClient) -> None:
    for value in (b"\xc2\x84", b'"' + b"x" * 1000 + b'"'):
        answer = await http.get(f"/v1/centers/{ID}", headers={b"If-None-Match": value})
        errors = problem(answer, 422, "INVALID_ARGUMENT")["errors"]
        assert errors[0]["header"] == "If-None-Match"


async def test_a_post_needs_a_key_against_acting_twice(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/centers", json=GOOD, headers=ADMIN)
    problem(answer, 400, "IDEMPOTENCY_KEY_REQUIRED")
    for key in (b"k" * 256, "کلید".encode()):
        headers = {b"Authorization": b"Bearer hq_admin", b"Idempotency-Key": key}
        answer = await http.post("/v1/centers", json=GOOD, headers=headers)
        errors = problem(answer, 422, "INVALID_ARGUMENT")["errors"]
        assert errors[0]["header"] == "Idempotency-Key"


async def test_addresses_and_methods_that_are_not_there(http: httpx.AsyncClient) -> None:
    for path in ("/v2", "/v1/centers/", f"/v1/centers/{ID}/", "/v1/centers//steps", "/problems/NO"):
        problem(await http.get(path), 404, "ROUTE_NOT_FOUND")
    for method in ("TRACE", "DELETE", "PUT", "OPTIONS", "PROPFIND"):
        answer = await http.request(method, f"/v1/centers/{ID}")
        body = problem(answer, 405, "METHOD_NOT_ALLOWED")
        assert answer.headers["allow"] == "GET, HEAD, PATCH"
        assert body["allowed"] == ["GET", "HEAD", "PATCH"]


async def test_a_fault_of_ours_is_told_without_its_inside(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    clients.answers["ListCenters"] = RuntimeError("password=hunter2")
    answer = await http.get("/v1/centers")
    problem(answer, 500, "INTERNAL")
    assert "hunter2" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_what_is_out_of_reach_is_told_so(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    for reason, status in (("UNAVAILABLE", 503), ("DEADLINE_EXCEEDED", 504)):
        clients.answers["ListCenters"] = Fault(reason)
        problem(await http.get("/v1/centers"), status, reason)


async def test_a_reason_that_no_contract_declares_is_a_fault_of_ours(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    clients.answers["ListCenters"] = Fault("SOMETHING_NEW")
    problem(await http.get("/v1/centers"), 500, "INTERNAL")


async def test_problems_are_told_in_the_language_of_the_reader(http: httpx.AsyncClient) -> None:
    for accept, language in (
        ("fa", "fa"),
        ("fa-IR,en;q=0.5", "fa"),
        ("en;q=0.4, fa;q=0.6", "fa"),
        ("fa;q=0, en", "en"),
        ("de, *;q=0.1", "en"),
        ("fa;q=x", "en"),
        ("", "en"),
    ):
        answer = await http.get("/v1/nothing", headers={"Accept-Language": accept})
        assert answer.headers["content-language"] == language, accept
        assert "Accept-Language" in answer.headers["vary"]
        persian = answer.json()["detail"] == "در این نشانی چیزی نیست."
        assert persian is (language == "fa")
    answer = await http.get("/v1/centers?page_size=x", headers={"Accept-Language": "fa"})
    assert answer.json()["errors"][0]["detail"] == "این مقدار باید عددی صحیح باشد."


async def test_addresses_written_by_hand_tell_their_methods_too(http: httpx.AsyncClient) -> None:
    for path in ("/v1/events:stream", "/docs", "/problems/NOT_FOUND"):
        answer = await http.delete(path)
        problem(answer, 405, "METHOD_NOT_ALLOWED")
        assert answer.headers["allow"] == "GET"
