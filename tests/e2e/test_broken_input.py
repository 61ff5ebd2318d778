"""Whatever is wrong with a request, the answer says where and which rule, and nothing is written.

Each request is sent in both languages to the real network.
"""

import json
import re
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from peyvandctl.cluster import Cluster
from tests.support.http import client
from tests.support.written import events_written

Json = dict[str, Any]

_PERSIAN = re.compile(r"[\u0600-\u06ff]")
# Words that a Persian sentence leaves as a caller types or meets them.
_TYPED = re.compile(
    r"[A-Z][a-z]*(-[A-Z][a-z]+)+"  # headers
    r"|[a-z]+_[\w…]*"  # ids, names of roles and of fields
    r"|[\w.+-]+/[\w.+-]+"  # media types, patterns with slashes
    r"|\S+ \(\^.*\)|\^.*\$"  # patterns, with their examples
    r"|\"\w+\""
    r"|\b(JSON|UTF|NUL|RFC|ISO|ETag|Bearer|Authorization|token|errors|true|false|null|NaN)\b"
    r"|\b(GET|HEAD|POST|PATCH|PUT|DELETE)\b"
    r"|\b[A-Z]{2}-[0-9]{2}\b|\b[A-Z]+-[A-Z0-9]+\b|\be[+-][0-9]+\b"
)
MEGABYTE = 1024 * 1024
JSON_TYPE = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Known:
    """What the requests can speak of."""

    center: str
    etag: str
    draft: str
    used_key: str
    tokens: dict[str, str]


@dataclass(frozen=True)
class Broken:
    """A request that cannot be fulfilled, and what has to be said of it.

    `errors` are place and rule; a place is a JSON pointer, or ``?name`` for a
    parameter, or ``name:`` for a header.
    """

    name: str
    method: str
    path: str
    status: int
    reason: str
    errors: tuple[tuple[str, str], ...] = ()
    body: Json | bytes | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    caller: str = "hq_admin"
    allowed: tuple[str, ...] | None = None
    keyed: bool = True


def center(**changes: Any) -> Json:
    """A center that can be recorded, but for the changes."""
    return {"code": "BROKEN", "names": {"fa": "مرکز"}, "province": "IR-10"} | changes


def raw(body: bytes, says: str, status: int = 400, reason: str = "MALFORMED_BODY") -> Broken:
    return Broken(says, "POST", "/v1/centers", status, reason, body=body)


def field_case(name: str, errors: tuple[tuple[str, str], ...], **changes: Any) -> Broken:
    return Broken(
        name, "POST", "/v1/centers", 422, "INVALID_ARGUMENT", errors, body=center(**changes)
    )


STEP = "/v1/centers/{center}:establish"
CASES = [
    # Values.
    field_case("wrong type", (("/code", "WRONG_TYPE"),), code=5),
    field_case("wrong type of an object", (("/names", "WRONG_TYPE"),), names="مرکز"),
    field_case("wrong type of a list", (("/citations", "WRONG_TYPE"),), citations={}),
    field_case("wrong type deep within", (("/names/fa", "WRONG_TYPE"),), names={"fa": [1]}),
    field_case("unknown field", (("/colour", "UNKNOWN_FIELD"),), colour="red"),
    field_case(
        "unknown field with signs of its own",
        (("/a~1b.c[0]~0", "UNKNOWN_FIELD"),),
        **{"a/b.c[0]~": 1},
    ),
    field_case("bad province", (("/province", "UNKNOWN_PROVINCE"),), province="IR-77"),
    field_case("no province at all", (("/province", "WRONG_FORMAT"),), province="Tehra"),
    field_case("no name", (("/names", "NAME_REQUIRED"),), names={}),
    field_case("what only the network sets", (("/state", "IMMUTABLE"),), state="operational"),
    field_case("NUL", (("/names/fa", "WRONG_FORMAT"),), names={"fa": "a\x00b"}),
    field_case(
        "number too large",
        (("/position/latitude", "OUT_OF_RANGE"),),
        position={"latitude": 10**400, "longitude": 1},
    ),
    field_case(
        "several at once",
        (("/code", "WRONG_FORMAT"), ("/position/latitude", "OUT_OF_RANGE")),
        code="tbz!",
        position={"latitude": 91, "longitude": 1},
    ),
    field_case("text too long", (("/code", "TOO_LONG"),), code="A" * 21),
    Broken(
        "missing fields",
        "POST",
        "/v1/centers",
        422,
        "INVALID_ARGUMENT",
        (("/code", "REQUIRED"), ("/names", "REQUIRED"), ("/province", "REQUIRED")),
        body={},
    ),
    Broken(
        "not an object", "POST", "/v1/centers", 422, "INVALID_ARGUMENT", (("", "WRONG_TYPE"),),
        body=b"[]",
    ),
    Broken(
        "empty change", "PATCH", "/v1/centers/{center}", 422, "INVALID_ARGUMENT",
        (("", "TOO_FEW_ITEMS"),), body={}, headers={"If-Match": '"{etag}"'}, keyed=False,
    ),
    Broken(
        "step without its reason", "POST", "/v1/centers/{center}:cancel", 422,
        "INVALID_ARGUMENT", (("/reason", "REASON_REQUIRED"),), body={},
        headers={"If-Match": '"{etag}"'},
    ),
    # Bodies.
    raw(b"", "nothing"),
    raw(b"{", "half of it"),
    raw(b'{"code": "\xff\xfe"}', "not UTF-8"),
    raw(b'{"a":' * 500 + b"1" + b"}" * 500, "too deep"),
    raw(b'{"code": "A", "code": "B"}', "a key twice"),
    raw(b'{"position": {"latitude": NaN}}', "NaN"),
    raw(b'{"position": {"latitude": 1' + b"0" * 5000 + b"}}", "a number of 5000 digits"),
    raw(b'{"code": "' + b"A" * 10 * MEGABYTE + b'"}', "10 MB", 413, "BODY_TOO_LARGE"),
    Broken(
        "another media type", "POST", "/v1/centers", 415, "UNSUPPORTED_MEDIA_TYPE",
        body=b"code=A", headers={"Content-Type": "application/x-www-form-urlencoded"},
    ),
    Broken(
        "compressed", "POST", "/v1/centers", 415, "UNSUPPORTED_MEDIA_TYPE",
        body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"},
    ),
    # Headers.
    Broken(
        "no answer of that type", "GET", "/v1/centers", 406, "NOT_ACCEPTABLE",
        headers={"Accept": "text/html"},
    ),
    Broken(
        "no key", "POST", "/v1/centers", 400, "IDEMPOTENCY_KEY_REQUIRED",
        body=center(), keyed=False,
    ),
    Broken(
        "key used for something else", "POST", "/v1/centers", 422, "IDEMPOTENCY_KEY_REUSED",
        body=center(), headers={"Idempotency-Key": "{used_key}"}, keyed=False,
    ),
    Broken(
        "key too long", "POST", "/v1/centers", 422, "INVALID_ARGUMENT",
        (("Idempotency-Key:", "TOO_LONG"),), body=center(),
        headers={"Idempotency-Key": "k" * 256}, keyed=False,
    ),
    Broken("no version read", "POST", STEP, 428, "PRECONDITION_REQUIRED", body={}),
    Broken(
        "old version read", "POST", STEP, 412, "STALE_ETAG", body={},
        headers={"If-Match": '"v0"'},
    ),
    Broken(
        "any version", "POST", STEP, 422, "INVALID_ARGUMENT", (("If-Match:", "WRONG_FORMAT"),),
        body={}, headers={"If-Match": "*"},
    ),
    # Steps.
    Broken(
        "illegal step", "POST", "/v1/centers/{center}:resume", 409, "ILLEGAL_TRANSITION",
        body={}, headers={"If-Match": '"{etag}"'}, allowed=("establish", "cancel"),
    ),
    # Addresses and parameters.
    Broken("no such address", "GET", "/v1/nothing", 404, "ROUTE_NOT_FOUND"),
    Broken("no such step", "POST", "/v1/centers/{center}:fly", 404, "ROUTE_NOT_FOUND", body={}),
    Broken(
        "no such method", "PUT", "/v1/centers", 405, "METHOD_NOT_ALLOWED", body=center(),
        allowed=("GET", "HEAD", "POST"),
    ),
    Broken(
        "id of another kind", "GET", "/v1/centers/{draft}", 422, "INVALID_ARGUMENT",
        (("?center_id", "WRONG_ID_KIND"),),
    ),
    Broken(
        "no such object", "GET", "/v1/centers/ctr_01k8zj3n5vexs8p2q4r6t7w9yb", 404, "NOT_FOUND"
    ),
    Broken(
        "bad page token", "GET", "/v1/centers?page_token=!", 422, "INVALID_PAGE_TOKEN",
        (("?page_token", "INVALID_PAGE_TOKEN"),),
    ),
    *(
        Broken(
            f"bad cursor of {path}", "GET", f"/v1/{path}?after=nonsense", 422,
            "INVALID_CURSOR", (("?after", "INVALID_CURSOR"),),
        )
        for path in ("events", "events:stream")
    ),
    Broken(
        "page too large", "GET", "/v1/centers?page_size=201", 422, "INVALID_ARGUMENT",
        (("?page_size", "OUT_OF_RANGE"),),
    ),
    Broken(
        "unknown parameter", "GET", "/v1/centers?colour=red", 422, "INVALID_ARGUMENT",
        (("?colour", "UNKNOWN_FIELD"),),
    ),
    Broken(
        "parameter twice", "GET", "/v1/centers?state=closed&state=planned", 422,
        "INVALID_ARGUMENT", (("?state", "DUPLICATE"),),
    ),
    Broken(
        "unknown value", "GET", "/v1/centers?state=flying", 422, "INVALID_ARGUMENT",
        (("?state", "UNKNOWN_VALUE"),),
    ),
    Broken(
        "no such day", "GET", "/v1/centers?updated_since=2025-02-30T00:00:00Z", 422,
        "INVALID_ARGUMENT", (("?updated_since", "NO_SUCH_DATE"),),
    ),
    Broken(
        "parameter that is not UTF-8", "GET", "/v1/centers?external_key=%ff", 422,
        "INVALID_ARGUMENT", (("?external_key", "WRONG_FORMAT"),),
    ),
    # Callers.
    Broken("no token", "POST", "/v1/centers", 401, "UNAUTHENTICATED", body=center(), caller=""),
    *(
        Broken(
            f"{kind} token", "GET", "/v1/centers", 401, "TOKEN_REJECTED", caller=kind
        )
        for kind in ("bad", "expired", "foreign", "unsigned", "altered")
    ),
    Broken(
        "foreign role", "POST", "/v1/centers", 403, "PERMISSION_DENIED", body=center(),
        caller="hq_analyst",
    ),
    Broken(
        "foreign center", "PATCH", "/v1/centers/{center}", 404, "NOT_FOUND",
        body={"city": {"fa": "شهر"}}, headers={"If-Match": '"{etag}"'},
        caller="center_admin", keyed=False,
    ),
    Broken(
        "foreign object", "GET", "/v1/agreements/{draft}", 404, "NOT_FOUND", caller="partner"
    ),
    Broken(
        "foreign object for everyone", "GET", "/v1/agreements/{draft}", 404, "NOT_FOUND",
        caller="",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
async def known(network: Cluster) -> Known:
    """Records what the requests speak of."""
    mark = secrets.token_hex(4)
    tokens = {role: network.token(role) for role in ("hq_admin", "hq_analyst")}
    other = "ctr_01k8zj3n5vexs8p2q4r6t7w9yb"
    tokens["center_admin"] = network.token("center_admin", center_ids=[other])
    tokens["partner"] = network.token("partner", institution_ids=["ins_" + other[4:]])
    tokens["bad"] = "x.y.z"
    tokens["expired"] = network.token("hq_admin", ttl=-3600)
    header, payload, signature = tokens["hq_admin"].split(".")
    tokens["unsigned"] = f"eyJhbGciOiJub25lIn0.{payload}."
    tokens["altered"] = f"{header}.{tokens['hq_analyst'].split('.')[1]}.{signature}"
    tokens["foreign"] = "eyJhbGciOiJIUzI1NiJ9." + payload + ".c2lnbmF0dXJl"
    async with client(network.gateway_url, tokens["hq_admin"]) as http:
        used_key = f"used-{mark}"
        made = await http.post(
            "/v1/centers",
            json=center(code=f"B-{mark.upper()}"),
            headers={"Idempotency-Key": used_key},
        )
        assert made.status_code == 201, made.text
        draft = await http.post(
            "/v1/agreements",
            json={
                "kind": "mou",
                "titles": {"en": f"Draft {mark}"},
                "parties": [{"key": "a", "country": "IR"}, {"key": "b", "country": "RU"}],
            },
            headers={"Idempotency-Key": f"draft-{mark}"},
        )
        assert draft.status_code == 201, draft.text
    return Known(made.json()["id"], made.json()["etag"], draft.json()["id"], used_key, tokens)


def _sent(case: Broken) -> set[str]:
    """Words that the request itself had, and the steps that the answer may name."""
    body = case.body if isinstance(case.body, bytes) else json.dumps(case.body).encode()
    texts = (case.path, body.decode("utf-8", "replace"), *case.headers.values())
    words = {word for text in texts for word in re.findall(r"[A-Za-z]{2,}", text)}
    return words | set(case.allowed or ())


def filled(known: Known) -> Callable[[str], str]:
    def fill(text: str) -> str:
        for name in ("center", "etag", "draft", "used_key"):
            text = text.replace(f"{{{name}}}", getattr(known, name))
        return text

    return fill


async def send(
    anyone: httpx.AsyncClient, known: Known, case: Broken, language: str
) -> httpx.Response:
    fill = filled(known)
    headers = {name: fill(value) for name, value in case.headers.items()}
    headers["Accept-Language"] = language
    if case.caller:
        headers["Authorization"] = f"Bearer {known.tokens[case.caller]}"
    if case.keyed and case.method == "POST":
        headers["Idempotency-Key"] = secrets.token_hex(8)
    content = case.body
    if content is not None:
        headers = JSON_TYPE | headers
    if isinstance(content, dict):
        content = json.dumps(content).encode()
    return await anyone.request(case.method, fill(case.path), content=content, headers=headers)


def place(error: Json) -> str:
    if "parameter" in error:
        return f"?{error['parameter']}"
    return f"{error['header']}:" if "header" in error else error["pointer"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_broken_request_is_told_what_is_wrong_with_it(
    network: Cluster, anyone: httpx.AsyncClient, known: Known, case: Broken
) -> None:
    before = await events_written(network)
    for language in ("fa", "en"):
        answer = await send(anyone, known, case, language)
        assert answer.status_code == case.status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["content-language"] == language
        problem = answer.json()
        assert (problem["reason"], problem["status"]) == (case.reason, case.status)
        assert problem["type"] == f"/problems/{case.reason}"
        assert re.fullmatch("[0-9a-f]{32}", problem["trace_id"])
        assert problem["trace_id"] == answer.headers["x-trace-id"]
        errors = problem.get("errors", [])
        assert tuple((place(error), error["rule"]) for error in errors) == case.errors
        for said in (problem["detail"], *(error["detail"] for error in errors)):
            assert bool(_PERSIAN.search(said)) == (language == "fa"), said
            if language == "fa" and "UNKNOWN_VALUE" not in (error["rule"] for error in errors):
                left = set(re.findall(r"[A-Za-z]{2,}", _TYPED.sub(" ", said)))
                assert left <= _sent(case), said
        # A word that is missing from a sentence shows as an ellipsis.
        assert "…" not in problem["detail"]
        if case.allowed is not None:
            assert sorted(problem["allowed"]) == sorted(case.allowed)
        if case.status == 405:
            assert answer.headers["allow"] == "GET, HEAD, POST"
        if case.status == 401:
            assert answer.headers["www-authenticate"].startswith("Bearer")
        assert (await anyone.get(problem["type"])).status_code == 200
    assert await events_written(network) == before


async def test_a_body_without_a_declared_length_is_cut_off_too(
    network: Cluster, anyone: httpx.AsyncClient, known: Known
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b" " * MEGABYTE

    headers = JSON_TYPE | {
        "Authorization": f"Bearer {known.tokens['hq_admin']}",
        "Idempotency-Key": secrets.token_hex(8),
    }
    before = await events_written(network)
    answer = await anyone.post("/v1/centers", content=endless(), headers=headers)
    assert answer.status_code == 413
    assert answer.json()["reason"] == "BODY_TOO_LARGE"
    assert await events_written(network) == before


async def test_a_foreign_object_looks_like_one_that_does_not_exist(
    anyone: httpx.AsyncClient, known: Known
) -> None:
    headers = {"Authorization": f"Bearer {known.tokens['partner']}"}
    missing = "agr_01k8zj3n5vexs8p2q4r6t7w9yb"
    foreign = (await anyone.get(f"/v1/agreements/{known.draft}", headers=headers)).json()
    absent = (await anyone.get(f"/v1/agreements/{missing}", headers=headers)).json()
    assert foreign.pop("trace_id") != absent.pop("trace_id")
    assert json.dumps(foreign).replace(known.draft, missing) == json.dumps(absent)


async def test_every_problem_names_a_page_that_people_can_read(anyone: httpx.AsyncClient) -> None:
    for language, word in (("fa", "rtl"), ("en", "ltr")):
        headers = {"Accept": "text/html", "Accept-Language": language}
        page = await anyone.get("/problems/STALE_ETAG", headers=headers)
        assert page.headers["content-type"].startswith("text/html")
        assert f'dir="{word}"' in page.text
