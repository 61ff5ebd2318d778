"""Conditional reads, pages under writes, changes with tombstones, and the quota."""

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx

from peyvandctl.cluster import Cluster
from tests.support.cluster import fresh_home
from tests.support.http import client

Json = dict[str, Any]


async def post(http: httpx.AsyncClient, path: str, body: Json) -> Json:
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    answer = await http.post(path, json=body, headers=headers)
    assert answer.is_success, answer.text
    return answer.json()


async def rename(http: httpx.AsyncClient, institution: Json, name: str) -> Json:
    answer = await http.patch(
        f"/v1/institutions/{institution['id']}",
        json={"names": [{"text": name, "language": "en"}]},
        headers={"If-Match": f'"{institution["etag"]}"'},
    )
    assert answer.is_success, answer.text
    return answer.json()


def institution(name: str, country: str = "IR") -> Json:
    return {"names": [{"text": name, "language": "en"}], "country": country}


async def pages(
    http: httpx.AsyncClient, collection: str, **query: str | int
) -> AsyncIterator[list[Json]]:
    token = None
    while True:
        given = {**query, **({"page_token": token} if token else {})}
        answer = await http.get(f"/v1/{collection}", params=given)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        yield page[collection]
        token = page["next_page_token"]
        if not token:
            return


async def test_a_version_that_is_known_is_not_sent_again(http: httpx.AsyncClient) -> None:
    made = await post(http, "/v1/institutions", institution("Cached"))
    path = f"/v1/institutions/{made['id']}"
    first = await http.get(path)
    etag = first.headers["etag"]
    assert etag == f'"{made["etag"]}"'
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        same = await http.get(path, headers={"If-None-Match": known})
        assert (same.status_code, same.content) == (304, b""), known
        assert same.headers["etag"] == etag
    assert (await http.get(path, headers={"If-None-Match": '"other"'})).status_code == 200

    changed = await rename(http, made, "Changed")
    second = await http.get(path, headers={"If-None-Match": etag})
    assert second.status_code == 200
    assert second.headers["etag"] == f'"{changed["etag"]}"' != etag
    # Answers are for the caller alone, and are asked about each time.
    assert second.headers["cache-control"] == "private, no-cache"


async def test_the_picture_of_the_network_is_not_sent_again_while_nothing_happens(
    http: httpx.AsyncClient,
) -> None:
    path = "/v1/network/status"
    async with asyncio.timeout(60):
        while True:
            first = await http.get(path)
            etag = first.headers["etag"]
            assert etag == f'W/"{first.json()["etag"]}"'
            same = await http.get(path, headers={"If-None-Match": etag})
            if same.status_code == 304:
                break  # else what other tests have written was still on its way
    assert (same.content, same.headers["etag"]) == (b"", etag)

    await post(http, "/v1/institutions", institution("In the picture"))
    async with asyncio.timeout(60):
        while True:
            answer = await http.get(path, headers={"If-None-Match": etag})
            if answer.status_code == 200:
                break
            await asyncio.sleep(0.1)
    assert answer.headers["etag"] != etag


async def test_pages_hold_still_while_others_write(http: httpx.AsyncClient) -> None:
    # A country of its own keeps other tests' institutions off the list.
    names = [f"Still {n}" for n in range(30)]
    there = [await post(http, "/v1/institutions", institution(name, "LI")) for name in names]
    done = asyncio.Event()

    async def write(mine: list[Json]) -> None:
        number = 0
        while not done.is_set():
            await post(http, "/v1/institutions", institution(f"Later {number}", "LI"))
            one = number % len(mine)
            mine[one] = await rename(http, mine[one], f"Renamed {number}")
            number += 1

    writers = [asyncio.create_task(write(there[n::3])) for n in range(3)]
    walks: list[list[str]] = []
    for _ in range(5):
        walk: list[str] = []
        async for page in pages(http, "institutions", country="LI", page_size=4):
            walk += [item["id"] for item in page]
            if len(walk) > 2000:
                break
        walks.append(walk)
    done.set()
    await asyncio.gather(*writers)
    for walk in walks:
        assert max(Counter(walk).values()) == 1, "a resource stands on two pages"
        assert [id for id in walk if id in {item["id"] for item in there}] == [
            item["id"] for item in there
        ]


async def test_changes_are_followed_without_a_gap_while_others_write(
    http: httpx.AsyncClient,
) -> None:
    first = await post(http, "/v1/institutions", institution("First", "AD"))
    there = [await post(http, "/v1/institutions", institution(f"{n}", "AD")) for n in range(12)]
    done = asyncio.Event()

    async def write(mine: list[Json]) -> None:
        for number in range(25):
            one = number % len(mine)
            mine[one] = await rename(http, mine[one], f"Version {number}")

    groups = [there[n::6] for n in range(6)]
    held: dict[str, str] = {}

    def latest() -> dict[str, str]:
        return {item["id"]: item["etag"] for group in groups for item in group}

    async def copy() -> None:
        """Keep a copy of the list by asking for what has changed since the last change."""
        since = first["updated_at"]
        while not (done.is_set() and latest().items() <= held.items()):
            query = {"country": "AD", "updated_since": since, "page_size": 5}
            async for page in pages(http, "institutions", **query):
                for item in page:
                    held[item["id"]] = item["etag"]
                    since = item["updated_at"]
            await asyncio.sleep(0.01)

    copying = asyncio.create_task(copy())
    await asyncio.gather(*(write(group) for group in groups))
    done.set()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(copying, 60)
    assert {id: held.get(id) for id in latest()} == latest()


async def test_a_change_waits_for_those_that_may_come_before_it(
    network: Cluster, http: httpx.AsyncClient
) -> None:
    async def listed(since: str) -> list[str]:
        query = {"country": "VA", "updated_since": since}
        return [item["id"] async for page in pages(http, "institutions", **query) for item in page]

    dsn = network.postgres.dsn("partners").replace("+asyncpg", "")
    slow = await asyncpg.connect(dsn)
    try:
        # A transaction of the service that has not yet written what it is going to.
        transaction = slow.transaction()
        await transaction.start()
        await slow.execute("SELECT 1")
        made = await post(http, "/v1/institutions", institution("Quick", "VA"))
        since = made["updated_at"]
        assert (await http.get(f"/v1/institutions/{made['id']}")).status_code == 200
        assert await listed(since) == []
        await transaction.rollback()
        async with asyncio.timeout(60):
            while await listed(since) != [made["id"]]:
                pass
    finally:
        await slow.close()


async def test_what_was_deleted_is_told_to_who_follows(http: httpx.AsyncClient) -> None:
    names = [{"text": "Person to delete", "language": "en"}]
    kept = await post(http, "/v1/persons", {"names": names})
    gone = await post(http, "/v1/persons", {"names": names})
    path = f"/v1/persons/{gone['id']}"
    deleted = await http.delete(path, headers={"If-Match": f'"{gone["etag"]}"'})
    assert deleted.is_success, deleted.text
    assert (await http.get(path)).status_code == 404

    plain = [item["id"] async for page in pages(http, "persons") for item in page]
    assert kept["id"] in plain
    assert gone["id"] not in plain
    since = {"updated_since": kept["updated_at"]}
    changed: list[Json] = []
    async with asyncio.timeout(60):
        # Changes wait for those before them that may be under way.
        while gone["id"] not in {item["id"] for item in changed}:
            changed = [item async for page in pages(http, "persons", **since) for item in page]
    assert [item["id"] for item in changed if item["id"] in (kept["id"], gone["id"])] == [
        kept["id"],
        gone["id"],
    ]
    (tombstone,) = (item for item in changed if item["id"] == gone["id"])
    assert kept["updated_at"] < tombstone["deleted_at"] <= tombstone["updated_at"]
    assert tombstone["names"] == []
    assert "Person to delete" not in str(tombstone)


async def test_a_page_token_is_good_for_its_own_list_alone(http: httpx.AsyncClient) -> None:
    for n in range(2):
        await post(http, "/v1/institutions", institution(f"Token {n}", "SM"))
    query = {"country": "SM", "page_size": 1}
    token = (await http.get("/v1/institutions", params=query)).json()["next_page_token"]
    assert token
    for path, other in (
        ("/v1/institutions", {"country": "MC", "page_token": token}),
        ("/v1/centers", {"page_token": token}),
        ("/v1/institutions", {"country": "SM", "page_token": token[:-2]}),
    ):
        answer = await http.get(path, params=other)
        assert (answer.status_code, answer.json()["reason"]) == (422, "INVALID_PAGE_TOKEN")
    # The size of a page may change on the way.
    more = await http.get("/v1/institutions", params={**query, "page_size": 9, "page_token": token})
    assert more.status_code == 200


async def test_who_calls_too_often_is_told_when_to_come_back() -> None:
    quota = {"PEYVAND_RATE_LIMIT": "5", "PEYVAND_RATE_WINDOW": "5"}
    with fresh_home() as home:
        async with (
            Cluster(home.root, services=["gateway"], port=0, env=quota) as cluster,
            client(cluster.gateway_url) as http,
        ):
            answers = [await http.get("/v1/openapi.json") for _ in range(5)]
            assert [answer.status_code for answer in answers] == [200] * 5
            # Side by side, and more than a slow machine could spread over several windows.
            asked = (http.get("/v1/openapi.json") for _ in range(40))
            answers += await asyncio.gather(*asked)
            for answer in answers:
                assert answer.headers["ratelimit-policy"] == '"default";q=5;w=5'
                assert answer.headers["ratelimit"].startswith('"default";r=')
            refused = next(answer for answer in answers if answer.status_code == 429)
            problem = refused.json()
            assert refused.headers["content-type"] == "application/problem+json"
            assert problem["reason"] == "RATE_LIMITED"
            wait = int(refused.headers["retry-after"])
            assert 1 <= wait <= 5
            assert str(wait) in problem["detail"]
            # Another caller has a quota of their own; probes have none.
            token = {"Authorization": f"Bearer {cluster.token('hq_admin')}"}
            assert (await http.get("/v1/openapi.json", headers=token)).status_code == 200
            for _ in range(10):
                assert (await http.get("/livez")).status_code == 200
            await asyncio.sleep(wait)
            assert (await http.get("/v1/openapi.json")).status_code == 200
