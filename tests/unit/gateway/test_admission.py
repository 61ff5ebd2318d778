"""Who is let in, and how often."""

from collections.abc import Callable

import httpx
from fastapi import FastAPI

from gateway.limits import RateLimiter
from servicekit.ids import new_id
from tests.support.gateway import FakeClients

ID = new_id("ctr")
GOOD = {"code": "TBZ", "names": {"fa": "تبریز"}, "province": "IR-03"}
KEY = {"Idempotency-Key": "k"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_public_operations_need_no_token(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    assert (await http.get("/v1/centers")).status_code == 200
    assert clients.calls[0][2].token is None


async def test_others_need_one_of_their_roles(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    answer = await http.post("/v1/centers", json=GOOD, headers=KEY)
    assert (answer.status_code, answer.json()["reason"]) == (401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"] == 'Bearer realm="peyvand"'
    answer = await http.post("/v1/centers", json=GOOD, headers=KEY | bearer("partner"))
    assert (answer.status_code, answer.json()["reason"]) == (403, "PERMISSION_DENIED")
    assert "hq_admin" in answer.json()["detail"]
    assert not clients.calls
    answer = await http.post("/v1/centers", json=GOOD, headers=KEY | bearer("hq_admin"))
    assert answer.status_code == 201


async def test_a_bad_token_is_refused_everywhere(http: httpx.AsyncClient) -> None:
    for header in ("Bearer bad", "Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "bad"):
        answer = await http.get("/v1/centers", headers={"Authorization": header})
        assert (answer.status_code, answer.json()["reason"]) == (401, "TOKEN_REJECTED")
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert (await http.get("/livez", headers={"Authorization": "Bearer bad"})).status_code == 200


async def test_a_session_cookie_serves_its_own_site_alone(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    http.cookies.set("peyvand_session", "hq_admin")
    host = {"Host": "gateway.test"}
    for headers, status in (
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Origin": "http://gateway.test"}, 201),
        ({"Sec-Fetch-Site": "cross-site"}, 401),
        ({"Sec-Fetch-Site": "same-site"}, 401),
        ({"Origin": "http://elsewhere.test"}, 401),
        ({"Origin": "null"}, 401),
        ({}, 401),
    ):
        answer = await http.post("/v1/centers", json=GOOD, headers=KEY | host | headers)
        assert answer.status_code == status, headers
    answer = await http.get(f"/v1/centers/{ID}/steps")
    assert answer.status_code == 200
    assert clients.calls[-1][2].token == "hq_admin"


async def test_a_cookie_that_has_expired_counts_as_none(http: httpx.AsyncClient) -> None:
    http.cookies.set("peyvand_session", "bad")
    assert (await http.get("/v1/centers")).status_code == 200


async def test_each_caller_has_a_quota_of_its_own(make_app: Callable[..., FastAPI]) -> None:
    transport = httpx.ASGITransport(make_app(rate_limit=3, rate_window=3600))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as http:
        for left in (2, 1, 0):
            answer = await http.get("/v1/centers", headers=bearer("partner:one"))
            assert answer.headers["ratelimit"].startswith(f'"default";r={left};t=')
            assert answer.headers["ratelimit-policy"] == '"default";q=3;w=3600'
        answer = await http.get("/v1/centers", headers=bearer("partner:one"))
        assert (answer.status_code, answer.json()["reason"]) == (429, "RATE_LIMITED")
        assert 1 <= int(answer.headers["retry-after"]) <= 1200
        assert answer.headers["ratelimit"].startswith('"default";r=0;')
        answer = await http.get("/v1/centers", headers=bearer("partner:two"))
        assert answer.status_code == 200
        assert (await http.get("/livez")).status_code == 200


def test_a_bucket_fills_again_with_time() -> None:
    now = 0.0
    limiter = RateLimiter(2, 10, clock=lambda: now)
    assert [limiter.count("a").allowed for _ in range(3)] == [True, True, False]
    assert limiter.count("a").retry_after == 5
    now = 5.0
    assert [limiter.count("a").allowed for _ in range(2)] == [True, False]
    now = 1000.0
    assert [limiter.count("a").allowed for _ in range(3)] == [True, True, False]


def test_callers_that_come_once_do_not_fill_the_memory() -> None:
    limiter = RateLimiter(2, 10)
    for number in range(10_050):
        limiter.count(str(number))
    assert len(limiter._buckets) == 10_000


async def test_applications_of_other_sites_are_let_in_by_name(
    make_app: Callable[..., FastAPI],
) -> None:
    transport = httpx.ASGITransport(make_app(allowed_origins=["https://app.test"]))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as http:
        answer = await http.get("/v1/centers", headers={"Origin": "https://app.test"})
        assert answer.headers["access-control-allow-origin"] == "https://app.test"
        answer = await http.get("/v1/centers", headers={"Origin": "https://other.test"})
        assert "access-control-allow-origin" not in answer.headers
        asks = {"Origin": "https://app.test", "Access-Control-Request-Method": "PATCH"}
        answer = await http.options(f"/v1/centers/{ID}", headers=asks)
        assert answer.status_code == 200
