"""One key acts once: whoever sends it, however often, and whatever is killed in between."""

import asyncio
import secrets
import time
from collections import Counter
from typing import Any

import httpx
import pytest

from peyvandctl.cluster import Cluster
from tests.support.messaging import eventually
from tests.support.written import count

Json = dict[str, Any]
CALLERS = 50


@pytest.fixture
def code() -> str:
    """The code of the one center that a test makes."""
    return f"I-{secrets.token_hex(5).upper()}"


async def create(http: httpx.AsyncClient, code: str, key: str) -> httpx.Response:
    body = {"code": code, "names": {"fa": "مرکز"}, "province": "IR-10"}
    return await http.post("/v1/centers", json=body, headers={"Idempotency-Key": key})


async def create_until_told(http: httpx.AsyncClient, code: str, key: str) -> httpx.Response:
    """Send again whenever the answer was lost, as a careful client does."""
    until = time.monotonic() + 100
    while True:
        try:
            answer = await create(http, code, key)
        except httpx.TransportError:
            answer = None
        in_use = answer is not None and answer.status_code == 409
        if answer is not None and answer.status_code < 500 and not in_use:
            return answer
        assert time.monotonic() < until, "no answer"
        await asyncio.sleep(0.1)


async def assert_made_once(network: Cluster, http: httpx.AsyncClient, made: Json) -> None:
    """One row, one event in the outbox, one event in the timeline."""
    id, code = made["id"], made["code"]
    assert await count(network, "centers", "SELECT count(*) FROM center WHERE code = $1", code) == 1
    outbox = "SELECT count(*) FROM outbox WHERE aggregate_id = $1"
    assert await count(network, "centers", outbox, id) == 1
    # An event of the same center that comes later shows that none is under way.
    step = await http.post(
        f"/v1/centers/{id}:establish",
        json={},
        headers={"If-Match": f'"{made["etag"]}"', "Idempotency-Key": secrets.token_hex(8)},
    )
    assert step.status_code == 200, step.text
    until = time.monotonic() + 60
    types: list[str] = []
    while "peyvand.centers.v1.center.established" not in types:
        assert time.monotonic() < until, types
        await asyncio.sleep(0.1)
        page = await http.get("/v1/events", params={"subject": id, "page_size": 200})
        if page.status_code != 503:  # whose database was killed is away for a moment
            types = [event["type"] for event in page.raise_for_status().json()["events"]]
    assert types == [
        "peyvand.centers.v1.center.created",
        "peyvand.centers.v1.center.established",
    ]


async def test_fifty_at_once_with_one_key_make_one_row_and_one_event(
    network: Cluster, http: httpx.AsyncClient, code: str
) -> None:
    answers = await asyncio.gather(*(create(http, code, code) for _ in range(CALLERS)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    made = [answer for answer in answers if answer.status_code == 201]
    assert made, Counter(answer.text for answer in answers)
    assert len({answer.content for answer in made}) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["reason"] == "IDEMPOTENCY_KEY_IN_USE"
    first = made[0]
    assert first.headers["location"] == f"/v1/centers/{first.json()['id']}"
    again = await create(http, code, code)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["etag"] == first.headers["etag"]
    await assert_made_once(network, http, first.json())


async def test_the_same_body_under_fifty_keys_is_refused_but_once(
    network: Cluster, http: httpx.AsyncClient, code: str
) -> None:
    answers = await asyncio.gather(*(create(http, code, f"{code}-{n}") for n in range(CALLERS)))
    (made,) = (answer for answer in answers if answer.status_code == 201)
    refused = [answer.json() for answer in answers if answer is not made]
    assert {problem["reason"] for problem in refused} == {"CENTER_CODE_TAKEN"}
    await assert_made_once(network, http, made.json())


async def test_one_key_taken_by_two_callers_is_two_keys(
    network: Cluster, http: httpx.AsyncClient, code: str
) -> None:
    first = await create(http, code, code)
    other = {"Authorization": f"Bearer {network.token('hq_admin', sub='local:another')}"}
    body = {"code": f"{code}-2", "names": {"fa": "مرکز"}, "province": "IR-10"}
    second = await http.post("/v1/centers", json=body, headers=other | {"Idempotency-Key": code})
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]


async def test_a_refusal_is_not_kept_as_the_answer(http: httpx.AsyncClient, code: str) -> None:
    body = {"code": code, "names": {"fa": "مرکز"}, "province": "IR-77"}
    headers = {"Idempotency-Key": code}
    refused = await http.post("/v1/centers", json=body, headers=headers)
    assert refused.status_code == 422
    assert (await create(http, code, code)).status_code == 201


@pytest.mark.parametrize("victim", ["centers", "gateway", "postgres"])
async def test_a_kill_in_between_makes_no_second_one(
    network: Cluster, http: httpx.AsyncClient, code: str, victim: str
) -> None:
    process = network.process(victim)
    sending = [
        asyncio.create_task(create_until_told(http, code, code)) for _ in range(CALLERS // 5)
    ]
    # Later than the connection, sooner than the answer; where it falls does not matter.
    await asyncio.sleep(0.02)
    await process.kill()
    await asyncio.sleep(0.2)
    await process.start()
    answers = await asyncio.gather(*sending)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    await assert_made_once(network, http, answers[0].json())

    async def all_are_back() -> bool:
        return (await http.get("/readyz")).status_code == 200

    # Each service looks by itself for a database that was away; other tests call them all.
    await eventually(all_are_back)
