"""How long until a committed write is seen: at the broker, on the timeline, as status, as flag.

The time of the commit is PostgreSQL's own (`pg_xact_commit_timestamp` of the row), so
neither the client nor the answer on its way is in it; all clocks are this machine's.
The peer is the monolith, whose outbox is looked into every half second.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg
import httpx
import nats
from nats.aio.msg import Msg
from sqlalchemy import make_url

from peyvandctl.cluster import Cluster
from tests.bench.contenders import CENTER, Contender, cluster, monolith, peyvand

_PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Delays:
    """Times from commit to being seen somewhere, in milliseconds."""

    contender: str
    seen: str
    writes: int
    p50: float
    p99: float


@dataclass
class _Sightings:
    """When each center was first seen at one place, in seconds since the epoch."""

    first: dict[str, float] = field(default_factory=dict[str, float])
    more: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, id: str) -> None:
        self.first.setdefault(id, time.time())
        self.more.set()

    async def wait_for(self, ids: Sequence[str]) -> None:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not self.first.keys() >= set(ids):
                self.more.clear()
                await self.more.wait()


async def follow(writes: int, per_second: float) -> list[Delays]:
    """Write centers at a moderate rate, to Peyvand and to the peer in turn; tell the delays."""
    async with contextlib.AsyncExitStack() as stack:
        running = await stack.enter_async_context(cluster(["centers", "observatory", "gateway"]))
        await _track_commits(running)
        ours = peyvand(running)
        client = httpx.AsyncClient(
            base_url=ours.url, headers=ours.headers, timeout=_PATIENCE_SECONDS
        )
        http = await stack.enter_async_context(client)
        await _answered(http, "/v1/centers", "/v1/events")
        peer = await stack.enter_async_context(monolith(running))
        broker = await nats.connect(**running.nats.access.options())
        stack.push_async_callback(broker.close)
        published, timeline, status = _Sightings(), _Sightings(), _Sightings()

        async def arrived(message: Msg) -> None:
            published.note(message.subject.rpartition(".")[2])

        await broker.subscribe("evt.centers.center.>", cb=arrived)
        await broker.subscribe("peer.>", cb=arrived)
        await broker.flush()
        watching = asyncio.Event()
        stream = asyncio.create_task(_watch_timeline(http, timeline, watching))
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await watching.wait()
            await asyncio.sleep(1)
            # In turn, so that what else happens on the machine meets both.
            ids: dict[str, list[str]] = {ours.name: [], peer.name: []}
            for half in range(2):
                for contender in (ours, peer):
                    ids[contender.name] += await _write(
                        contender, writes // 2, per_second, f"P{half}"
                    )
            await published.wait_for([*ids[ours.name], *ids[peer.name]])
            await timeline.wait_for(ids[ours.name])
        finally:
            stream.cancel()
            await asyncio.gather(stream, return_exceptions=True)
        # Apart from the others: it is the answer to a question, and asking is work.
        asked_for = await _write_and_ask(http, max(writes // 10, 2), status)
        committed = await _commit_times(running, "centers") | await _commit_times(
            running, "monolith"
        )
        found = [
            _delays(ours.name, "event at the broker", ids[ours.name], committed, published),
            _delays(peer.name, "event at the broker", ids[peer.name], committed, published),
            _delays(ours.name, "on the timeline (SSE)", ids[ours.name], committed, timeline),
            _delays(ours.name, "in the network status", asked_for, committed, status),
        ]
    # In a network of its own, so that nothing more runs beside what is compared.
    return [*found, await _follow_flags(max(writes // 10, 2))]


async def _follow_flags(count: int) -> Delays:
    """Suspend centers one by one, and ask for a project of each until that is flagged."""
    async with contextlib.AsyncExitStack() as stack:
        running = await stack.enter_async_context(cluster(["centers", "projects", "gateway"]))
        await _track_commits(running)
        ours, seen = peyvand(running), _Sightings()
        client = httpx.AsyncClient(
            base_url=ours.url, headers=ours.headers, timeout=_PATIENCE_SECONDS
        )
        http = await stack.enter_async_context(client)
        await _answered(http, "/v1/centers", "/v1/projects")
        ids = [await _suspend_and_ask(http, f"F-{number}", seen) for number in range(count)]
        # The row of a center was last written when it was suspended.
        committed = await _commit_times(running, "centers")
        return _delays(ours.name, "as the flag of a project", ids, committed, seen)


async def _suspend_and_ask(http: httpx.AsyncClient, code: str, seen: _Sightings) -> str:
    """Suspend a center with a project; note when the project has its flag. Gives the center."""

    async def post(path: str, body: Mapping[str, Any], etag: str = "") -> httpx.Response:
        headers = {"Idempotency-Key": secrets.token_hex(8)} | ({"If-Match": etag} if etag else {})
        return await http.post(path, json=body, headers=headers)

    center = await post("/v1/centers", {**CENTER, "code": code})
    id: str = center.raise_for_status().json()["id"]
    project = {"titles": {"en": code}, "lead_center_id": id, "pathway": "somatic_cell"}

    async def step(verb: str) -> None:
        etag = (await http.get(f"/v1/centers/{id}")).raise_for_status().json()["etag"]
        taken = await post(f"/v1/centers/{id}:{verb}", {"reason": "Rebuilt."}, f'"{etag}"')
        taken.raise_for_status()

    await step("establish")
    await step("open")
    async with asyncio.timeout(_PATIENCE_SECONDS):
        # The center may not be known to the projects in the first moment.
        while (made := await post("/v1/projects", project)).is_client_error:
            pass
        place = f"/v1/projects/{made.raise_for_status().json()['id']}"
        await step("suspend")
        while id not in seen.first:
            if (await http.get(place)).raise_for_status().json().get("flags"):
                seen.note(id)
    return id


async def _track_commits(running: Cluster) -> None:
    connection = await running.postgres.connect()
    try:
        await connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    finally:
        await connection.close()
    await running.process("postgres").restart()


async def _answered(http: httpx.AsyncClient, *paths: str) -> None:
    """Wait until services answer again whose database was started anew."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        for path in paths:
            answer = await http.get(path)
            while answer.is_server_error:
                await asyncio.sleep(0.1)
                answer = await http.get(path)


async def _write(contender: Contender, count: int, per_second: float, prefix: str) -> list[str]:
    """Create centers at an even rate, whether or not the one before was answered."""
    async with httpx.AsyncClient(
        base_url=contender.url, headers=contender.headers, timeout=_PATIENCE_SECONDS
    ) as http:

        async def create(number: int) -> str:
            await asyncio.sleep(number / per_second)
            code = f"{prefix}-{number}"
            answer = await http.post(
                "/v1/centers",
                json={**CENTER, "code": code},
                headers={"Idempotency-Key": code},
            )
            return answer.raise_for_status().json()["id"]

        return await asyncio.gather(*map(create, range(count)))


async def _watch_timeline(http: httpx.AsyncClient, seen: _Sightings, begun: asyncio.Event) -> None:
    """Follow the event stream as a page does; say when it has begun."""
    async with http.stream("GET", "/v1/events:stream") as answer:
        answer.raise_for_status()
        begun.set()
        async for line in answer.aiter_lines():
            if line.startswith("data:"):
                begin = line.index('"subject":') + len('"subject":')
                seen.note(line[begin:].split('"')[1])


async def _write_and_ask(http: httpx.AsyncClient, count: int, seen: _Sightings) -> list[str]:
    """Create centers one by one and ask for the status until it shows the new one."""
    ids: list[str] = []
    for number in range(count):
        code = f"S-{number}"
        answer = await http.post(
            "/v1/centers", json={**CENTER, "code": code}, headers={"Idempotency-Key": code}
        )
        id: str = answer.raise_for_status().json()["id"]
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while id not in seen.first:
                if id in (await http.get("/v1/network/status")).text:
                    seen.note(id)
        ids.append(id)
    return ids


async def _commit_times(running: Cluster, database: str) -> dict[str, float]:
    url = make_url(running.postgres.dsn("centers", database)).set(drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    try:
        rows = await connection.fetch(
            "SELECT id, pg_xact_commit_timestamp(xmin) AS committed FROM center"
        )
    finally:
        await connection.close()
    found: dict[str, float] = {}
    for row in rows:
        committed: datetime = row["committed"]
        found[row["id"]] = committed.timestamp()
    return found


def _delays(
    contender: str,
    seen: str,
    ids: Sequence[str],
    committed: dict[str, float],
    sightings: _Sightings,
) -> Delays:
    times = sorted((sightings.first[id] - committed[id]) * 1000 for id in ids)
    p50, p99 = (times[int(share * (len(times) - 1))] for share in (0.5, 0.99))
    return Delays(contender, seen, len(times), p50, p99)
