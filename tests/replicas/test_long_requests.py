"""What takes long is not cut off by a restart: it is ended where it began, or taken over."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from hubkit.topology import GATEWAY
from tests.replicas.pair import connected
from tests.replicas.readers import Follower
from tests.support.messaging import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.replicas.pair import Pair

pytestmark = pytest.mark.timeout(1800)

PIECE = 64 * 1024
PIECES = 24
ROWS = 500


class Parcel:
    """A file that is sent in halves: the second when it is told to go on."""

    def __init__(self) -> None:
        self.content = os.urandom(PIECE * PIECES)
        self.half_is_sent = asyncio.Event()
        self.go_on = asyncio.Event()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The file, piece by piece."""
        for number in range(PIECES):
            if number == PIECES // 2:
                self.half_is_sent.set()
                await self.go_on.wait()
            yield self.content[number * PIECE : (number + 1) * PIECE]


@pytest.fixture(scope="module")
async def project(pair: Pair) -> str:
    """The id of a project with a dossier."""
    center = await pair.create_center(f"LONG-{secrets.token_hex(3).upper()}")
    key = f"long-{secrets.token_hex(4)}"
    pair.ledger.asked.add(key)
    described = {
        "titles": {"en": key},
        "lead_center_id": center["id"],
        "pathway": "somatic_cell",
        "external_key": key,
    }
    made: dict[str, Any] = {}

    async def the_center_is_known() -> bool:
        headers = {"Idempotency-Key": key}
        answer = await pair.http.post("/v1/projects", json=described, headers=headers)
        made.update(answer.json())
        return answer.status_code == 201

    await eventually(the_center_is_known, within=60)
    return made["id"]


async def is_setting(pair: Pair, name: str) -> bool:
    """Tell whether a gateway has begun to set a document: that is a process of its own."""
    gateway = psutil.Process(pair.cluster.process(name).pid)
    return any("gateway.dossier.typeset" in child.cmdline() for child in gateway.children())


async def takes_nothing_new(url: str) -> bool:
    """Tell whether nobody listens there any more."""
    try:
        async with httpx.AsyncClient() as http:
            await http.get(f"{url}/livez")
    except httpx.ConnectError:
        return True
    return False


@pytest.mark.parametrize("place", [0, 1])
async def test_a_gateway_ends_what_it_has_begun(pair: Pair, project: str, place: int) -> None:
    url, process = pair.cluster.gateway_urls[place], pair.cluster.names(GATEWAY)[place]
    head = (await pair.http.get("/v1/events", params={"page_size": 1})).json()["head_cursor"]
    async with (
        httpx.AsyncClient(base_url=url, headers=pair.http.headers, timeout=300) as there,
        # Little happens meanwhile: a follower has to bear silence.
        httpx.AsyncClient(
            transport=pair.balancer,
            base_url="http://hub.example",
            headers=pair.http.headers,
            timeout=120,
        ) as anywhere,
    ):
        follower, parcel = Follower(anywhere, head), Parcel()
        tasks: list[asyncio.Task[Any]] = [asyncio.create_task(follower.follow())]
        try:
            sending = asyncio.create_task(
                there.post(
                    "/v1/files", content=parcel.pieces(), headers={"Content-Type": "text/plain"}
                )
            )
            tasks.append(sending)
            await asyncio.wait_for(parcel.half_is_sent.wait(), 60)
            document = f"/v1/projects/{project}/dossier.pdf"
            setting = asyncio.create_task(there.get(document))
            tasks.append(setting)

            async def is_under_way() -> bool:
                nonlocal setting
                if setting.done():
                    # It was set before it was looked for.
                    setting = asyncio.create_task(there.get(document))
                    tasks.append(setting)
                return await is_setting(pair, process)

            await eventually(is_under_way, within=60)

            restarting = asyncio.create_task(pair.cluster.process(process).restart())
            tasks.append(restarting)
            # It no longer listens, and still has what it took before.
            await eventually(lambda: takes_nothing_new(url), within=60)
            assert not sending.done()
            created = await pair.create_center(f"LONG-{place}-{secrets.token_hex(3).upper()}")
            parcel.go_on.set()
            sent, given = await asyncio.wait_for(asyncio.gather(sending, setting), 120)
            await asyncio.wait_for(restarting, 120)
            told = await told_of(pair, created["id"])
            await eventually(lambda: has_seen(follower, told), within=60)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    assert (sent.status_code, given.status_code) == (201, 200), (sent.text, given.text)
    digest = hashlib.sha256(parcel.content).hexdigest()
    stored = sent.json()
    assert (stored["sha256"], stored["size_bytes"]) == (digest, str(len(parcel.content)))
    assert given.content.startswith(b"%PDF-")
    # The same document at the other gateway.
    again = await pair.at[1 - place].get(document, timeout=300)
    assert again.content == given.content
    assert follower.failed == []
    assert len(follower.seen) == len(set(follower.seen))


async def told_of(pair: Pair, id: str) -> list[str]:
    """Ids of the events of a center, as the outbox of its service has them."""
    async with connected(pair.cluster, "centers") as connection:
        rows = await connection.fetch("SELECT event_id FROM outbox WHERE aggregate_id = $1", id)
    assert rows
    return [str(row["event_id"]) for row in rows]


async def has_seen(follower: Follower, told: list[str]) -> bool:
    return not follower.missing(told)


async def test_an_import_goes_on_while_all_that_carry_it_are_replaced(pair: Pair) -> None:
    keys: list[str] = []
    failed: list[str] = []
    found: dict[str, Any] = {}
    place: list[str] = []

    async def has_begun() -> bool:
        # A gateway that has just started may not have found its services yet.
        rows = "".join(
            f"  - external_key: {key}\n    country: IR\n"
            f"    names: [{{text: {key}, language: en}}]\n"
            for key in keys
        )
        answer = await pair.at[0].post(
            "/v1/imports",
            content=f"institutions:\n{rows}".encode(),
            headers={"Content-Type": "application/yaml", "Idempotency-Key": keys[0]},
        )
        place[:] = [answer.headers.get("location", "")]
        return answer.status_code == 202

    async def is_running() -> bool:
        found.update(await look())
        return found["state"] != "checking"

    async def has_ended() -> bool:
        found.update(await look())
        return found["state"] not in ("checking", "running")

    async def look() -> dict[str, Any]:
        now = await pair.http.get(place[0])
        if now.status_code != 200:
            failed.append(now.text)
        return now.json()

    for _ in range(5):
        mark = secrets.token_hex(4)
        keys[:] = [f"ins-{mark}-{number}" for number in range(ROWS)]
        pair.ledger.asked |= set(keys)
        await eventually(has_begun, within=60)
        await eventually(is_running, within=120)
        if found["state"] == "running":
            break
        # It ended before it was looked at: it takes seconds, and the machine may stand still.
    assert found["state"] == "running"
    for name in (*pair.cluster.names(GATEWAY), *pair.cluster.names("partners")):
        await pair.cluster.process(name).restart()
    await eventually(has_ended, within=300)
    (section,) = (each for each in found["sections"] if each["name"] == "institutions")
    assert found["state"] == "done", found
    assert (section["created"], section["refused"]) == (ROWS, 0), found
    assert failed == []
    async with connected(pair.cluster, "partners") as connection:
        there = await connection.fetchval(
            "SELECT count(*) FROM institution WHERE external_key = ANY($1)", keys
        )
    assert there == ROWS


async def test_nothing_was_lost_or_doubled_by_any_of_it(pair: Pair) -> None:
    assert await pair.verdict() == []
