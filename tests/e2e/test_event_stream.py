"""The stream of events on the real network: nothing lost, nothing twice, nothing shown to
whom it is not for.
"""

import asyncio
import contextlib
import secrets
import time
from typing import Any

import httpx

from peyvandctl.cluster import Cluster
from tests.support.http import client
from tests.support.server_sent import Sent, stream

Json = dict[str, Any]
# A token still counts for so long after its expiry, as clocks differ.
LEEWAY = 30


async def post(http: httpx.AsyncClient, path: str, body: Json, etag: str = "") -> Json:
    """Write, and send again with the same key until there is an answer."""
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    if etag:
        headers["If-Match"] = f'"{etag}"'
    until = time.monotonic() + 100
    while True:
        try:
            answer = await http.post(path, json=body, headers=headers)
        except httpx.TransportError:
            answer = None
        # What a gateway that was killed has asked for may be under way still.
        in_use = answer is not None and "IDEMPOTENCY_KEY_IN_USE" in answer.text
        if answer is not None and answer.status_code < 500 and not in_use:
            assert answer.is_success, answer.text
            return answer.json()
        assert time.monotonic() < until
        await asyncio.sleep(0.1)


def institution(name: str) -> Json:
    return {"names": [{"text": name, "language": "en"}], "country": "IR"}


async def head(http: httpx.AsyncClient) -> str:
    """The end of the timeline."""
    page = await http.get("/v1/events", params={"page_size": 1})
    return page.raise_for_status().json()["head_cursor"]


async def timeline(http: httpx.AsyncClient, after: str) -> list[Json]:
    """All events after a cursor, page by page."""
    found: list[Json] = []
    while True:
        page = await http.get("/v1/events", params={"after": after, "page_size": 50})
        events = page.raise_for_status().json()
        found += events["events"]
        after = events["next_cursor"]
        if not events["more"]:
            return found


async def follow(http: httpx.AsyncClient, begin: str, seen: list[Sent]) -> None:
    """Read as a browser does: go on after the last id whenever the line is cut."""
    cursor = begin
    while True:
        try:
            async with stream(http, last_event_id=cursor) as events:
                async for event in events:
                    if isinstance(event, Sent):
                        seen.append(event)
                        cursor = event.id
        except (httpx.TransportError, AssertionError):
            # Cut off, or not there yet: a browser waits and tries again.
            await asyncio.sleep(0.2)


async def test_a_stream_that_is_cut_off_goes_on_where_it_stopped(
    network: Cluster, http: httpx.AsyncClient
) -> None:
    begin = await head(http)
    mark = secrets.token_hex(4).upper()
    seen: list[Sent] = []
    following = asyncio.create_task(follow(http, begin, seen))
    made: list[str] = []

    async def write(number: int) -> None:
        for n in range(12):
            one = await post(http, "/v1/institutions", institution(f"{mark} {number} {n}"))
            made.append(one["id"])
            await asyncio.sleep(0.05)

    writers = [asyncio.create_task(write(number)) for number in range(5)]
    for name in ("gateway", "observatory"):
        await asyncio.sleep(0.5)
        process = network.process(name)
        await process.kill()
        await asyncio.sleep(0.3)
        await process.start()
    gateway = network.process("gateway")
    await gateway.stop()
    await gateway.start()
    await asyncio.gather(*writers)
    assert len(made) == 60
    center = {"code": f"S-{mark}", "names": {"en": "Last"}, "province": "IR-10"}
    last = await post(http, "/v1/centers", center)
    # The center's event may come before the last one of another service.
    awaited = {*made, last["id"]}
    until = time.monotonic() + 60
    while awaited - {event.data["subject"] for event in seen} and not following.done():
        assert time.monotonic() < until, "an event is lost"
        await asyncio.sleep(0.05)
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following

    ids = [event.data["id"] for event in seen]
    assert len(ids) == len(set(ids)), "an event came twice"
    listed = await timeline(http, begin)
    # Services' clocks differ: an event may still come before the last one of another.
    assert set(ids) <= {event["id"] for event in listed}
    of_partners = [event["id"] for event in listed if event["source"] == "/services/partners"]
    streamed = [event.data["id"] for event in seen if event.data["source"] == "/services/partners"]
    assert streamed == of_partners
    for event in seen:
        assert event.type == event.data["type"]
        assert event.id == event.data["cursor"]


async def test_each_sees_what_is_for_them(network: Cluster, http: httpx.AsyncClient) -> None:
    mark = secrets.token_hex(4).upper()
    begin = await head(http)
    person = {"names": [{"text": f"Person {mark}", "language": "en"}]}
    await post(http, "/v1/persons", person)
    parties = [{"key": "a", "country": "IR"}, {"key": "b", "country": "RU"}]
    draft = {"kind": "mou", "titles": {"en": f"Secret {mark}"}, "parties": parties}
    await post(http, "/v1/agreements", draft)
    center = {"code": f"V-{mark}", "names": {"en": f"Open {mark}"}, "province": "IR-10"}
    await post(http, "/v1/centers", center)
    expected = {"person.created", "agreement.created", "center.created"}

    async def read(client: httpx.AsyncClient) -> list[Sent]:
        seen: list[Sent] = []
        async with asyncio.timeout(60), stream(client, last_event_id=begin) as events:
            async for event in events:
                if isinstance(event, Sent):
                    seen.append(event)
                    named = {one.type.partition(".v1.")[2] for one in seen}
                    # The center is for all; it ends the reading of the public.
                    if "center.created" in named and (client is not http or expected <= named):
                        break
        return seen

    async with client(network.gateway_url) as public:
        for_headquarters, for_all = await asyncio.gather(read(http), read(public))
        # Whatever comes late has come by now, as the headquarters' stream has it all.
        listed = await timeline(public, begin)
    assert expected <= {event.type.partition(".v1.")[2] for event in for_headquarters}
    for shown in ([event.data for event in for_all], listed):
        assert {event["type"].partition(".v1.")[2] for event in shown} == {"center.created"}
        assert "Secret" not in str(shown)
        assert all("change" not in event["data"] for event in shown)
    (about_center,) = (one.data for one in for_headquarters if one.type.endswith("center.created"))
    assert about_center["data"]["change"]["step"]["actor"] == "local:hq_admin"


async def test_a_stream_without_a_cursor_begins_at_the_end(http: httpx.AsyncClient) -> None:
    mark = secrets.token_hex(4)
    old = await post(http, "/v1/institutions", institution(f"Old {mark}"))
    until = time.monotonic() + 60
    while not (await http.get("/v1/events", params={"subject": old["id"]})).json()["events"]:
        assert time.monotonic() < until
        await asyncio.sleep(0.05)
    async with asyncio.timeout(60), stream(http, types="peyvand.partners.v1.*") as events:
        # The id comes first: who is cut off before the first event loses none.
        assert isinstance(await anext(events), str)
        new = await post(http, "/v1/institutions", institution(f"New {mark}"))
        event = await anext(events)
    assert isinstance(event, Sent)
    assert event.data["subject"] == new["id"]


async def test_a_stream_ends_with_the_token_that_opened_it(
    network: Cluster, http: httpx.AsyncClient
) -> None:
    http.headers["Authorization"] = f"Bearer {network.token('hq_admin', ttl=12 - LEEWAY)}"
    began = time.monotonic()
    async with asyncio.timeout(60), stream(http) as events:
        assert [event async for event in events if isinstance(event, Sent)] == []
    assert time.monotonic() - began > 10
    again = await http.get("/v1/events:stream")
    assert (again.status_code, again.json()["reason"]) == (401, "TOKEN_REJECTED")
