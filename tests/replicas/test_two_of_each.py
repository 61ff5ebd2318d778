"""Two processes of every service side by side: what one does the other knows, and nothing is
done by both.
"""

import asyncio
import random
from collections import Counter
from typing import Any

import pytest

from tests.chaos.clients import Client
from tests.replicas.pair import Pair, connected
from tests.support.messaging import eventually
from tests.support.server_sent import Sent, stream

pytestmark = pytest.mark.timeout(900)

Json = dict[str, Any]


async def leads(pair: Pair, service: str) -> list[str]:
    """The processes of a service that say that they publish its events."""
    stream_name = f"EVT_{service.upper()}"
    return [
        name
        for name in pair.cluster.names(service)
        if pair.cluster.process(name).running
        and await pair.metric(name, "outbox_leads", stream=stream_name) == 1
    ]


async def one_leads(pair: Pair, service: str) -> str:
    found: list[str] = []

    async def just_one() -> bool:
        found[:] = await leads(pair, service)
        return len(found) == 1

    await eventually(just_one, within=60)
    return found[0]


async def is_on_the_timeline(pair: Pair, id: str, gateway: int = 0) -> bool:
    page = await pair.at[gateway].get("/v1/events", params={"subject": id})
    return [event["type"] for event in page.json()["events"]] != []


@pytest.mark.parametrize("service", ["centers", "projects", "partners", "observatory"])
async def test_each_outbox_has_one_relay_at_work(pair: Pair, service: str) -> None:
    assert await one_leads(pair, service) in pair.cluster.names(service)


async def test_a_relay_that_is_killed_is_followed_by_the_other(pair: Pair) -> None:
    leader = await one_leads(pair, "centers")
    (other,) = set(pair.cluster.names("centers")) - {leader}
    await pair.cluster.process(leader).kill()
    try:
        created = await pair.create_center("RELAY-1")
        await eventually(lambda: is_on_the_timeline(pair, created["id"]), within=60)
        assert await one_leads(pair, "centers") == other
    finally:
        await pair.cluster.process(leader).start()
    assert await one_leads(pair, "centers") == other


async def test_consumers_share_the_events_and_each_counts_once(pair: Pair) -> None:
    processes = pair.cluster.names("partners")

    async def handled() -> list[float]:
        return [
            await pair.metric(name, "effects_handled_total", consumer="partners-centers")
            for name in processes
        ]

    async def events() -> int:
        async with connected(pair.cluster, "centers") as connection:
            found = await connection.fetchval(
                "SELECT count(*) FROM outbox WHERE subject LIKE 'evt.centers.center.%'"
            )
            return int(found or 0)

    async def all_are_handled() -> bool:
        return sum(await handled()) - sum(before) == await events() - had

    # All that was told before has been dealt with.
    assert await pair.verdict() == []
    had, before = await events(), await handled()
    done = asyncio.Event()
    clients = [
        Client(pair.http, pair.ledger, f"SHARE{number}", random.Random(number))
        for number in range(4)
    ]
    working = [asyncio.create_task(client.work(done)) for client in clients]

    async def both_work() -> bool:
        return all(now > then for now, then in zip(await handled(), before, strict=True))

    await eventually(both_work, within=60)
    done.set()
    await asyncio.gather(*working)
    await eventually(all_are_handled, within=60)
    # Nothing was lost, doubled or out of order on its way, also to the copies.
    assert await pair.verdict() == []


@pytest.mark.parametrize(("writer", "reader"), [(0, 1), (1, 0)])
async def test_what_is_written_at_one_gateway_is_read_at_the_other(
    pair: Pair, writer: int, reader: int
) -> None:
    center = await pair.create_center(f"CACHE-{writer}")
    path = f"/v1/centers/{center['id']}"
    there = await pair.at[reader].get(path)
    known = {"If-None-Match": there.headers["ETag"]}
    assert (await pair.at[reader].get(path, headers=known)).status_code == 304

    for number in range(20):
        etag = (await pair.at[writer].get(path)).headers["ETag"]
        changed = await pair.at[writer].patch(
            path, json={"names": {"en": f"Changed {number}"}}, headers={"If-Match": etag}
        )
        assert changed.status_code == 200, changed.text
        # No process of a service keeps what it has read, so it is there at once.
        seen = await pair.at[reader].get(path, headers=known)
        assert seen.status_code == 200
        assert seen.json()["names"]["en"] == f"Changed {number}"
        known = {"If-None-Match": seen.headers["ETag"]}


async def test_the_picture_changes_at_both_gateways(pair: Pair) -> None:
    """The one thing that gateways keep is the page, and events make it anew."""

    async def shown(gateway: int) -> tuple[str, str]:
        status = await pair.at[gateway].get("/v1/network/status")
        page = await pair.at[gateway].get("/")
        return status.headers["ETag"], page.headers["ETag"]

    before = [await shown(gateway) for gateway in (0, 1)]
    center = await pair.create_center("PICTURE-1")

    async def changed() -> bool:
        now = [await shown(gateway) for gateway in (0, 1)]
        return not {mark for pair in now for mark in pair} & {
            mark for old in before for mark in old
        }

    async def told() -> bool:
        return all([await is_on_the_timeline(pair, center["id"], gateway) for gateway in (0, 1)])

    await eventually(told)
    await eventually(changed)


async def test_a_key_at_both_gateways_at_once_acts_once(pair: Pair) -> None:
    codes: list[str] = []

    async def ask(gateway: int, code: str) -> tuple[int, Json]:
        answer = await pair.at[gateway].post(
            "/v1/centers",
            json={"code": code, "names": {"en": code}, "province": "IR-03"},
            headers={"Idempotency-Key": code},
        )
        return answer.status_code, answer.json()

    outcomes: Counter[str] = Counter()
    # As often as it takes for some to meet on the way.
    while len(codes) < 25 or (not outcomes["409"] and len(codes) < 500):
        code = f"BOTH-{len(codes)}"
        codes.append(code)
        pair.ledger.asked.add(code)
        answers = await asyncio.gather(*(ask(number % 2, code) for number in range(4)))
        made = {body["id"] for status, body in answers if status == 201}
        refused = {body["reason"] for status, body in answers if status != 201}
        assert len(made) == 1
        assert refused <= {"IDEMPOTENCY_KEY_IN_USE"}
        outcomes.update(str(status) for status, _ in answers)
        # Whoever asks again gets the answer of the first, at either of them.
        again = [await ask(gateway, code) for gateway in (0, 1)]
        assert [(status, body["id"]) for status, body in again] == [(201, *made)] * 2
    async with connected(pair.cluster, "centers") as connection:
        rows = await connection.fetchval("SELECT count(*) FROM center WHERE code LIKE 'BOTH-%'")
    assert rows == len(codes)
    assert outcomes["409"] > 0


async def test_a_stream_goes_on_at_the_other_gateway(pair: Pair) -> None:
    # What was told before is on the timeline once this is: it has no place in what follows.
    last = await pair.create_center("STREAM")
    await eventually(lambda: is_on_the_timeline(pair, last["id"]), within=60)
    page = await pair.http.get("/v1/events", params={"page_size": 1})
    cursor, wanted, seen = page.json()["head_cursor"], list[str](), list[str]()
    for turn in range(6):
        async with stream(
            pair.at[turn % 2], last_event_id=cursor, types="peyvand.centers.v1.center.*"
        ) as events:
            # One that nobody was connected for, and one while it is.
            wanted += [(await pair.create_center(f"STREAM-{turn}-{n}"))["id"] for n in (1, 2)]
            async with asyncio.timeout(60):
                async for event in events:
                    if isinstance(event, Sent):
                        seen.append(event.data["subject"])
                        cursor = event.id
                        if len(seen) >= len(wanted) - 1:
                            break
    async with (
        stream(pair.at[0], last_event_id=cursor, types="peyvand.centers.v1.center.*") as events,
        asyncio.timeout(60),
    ):
        async for event in events:
            if isinstance(event, Sent):
                seen.append(event.data["subject"])
                break
    assert seen == wanted
