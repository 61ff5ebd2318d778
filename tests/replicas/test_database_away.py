"""PostgreSQL is away: nobody is restarted for it, everybody says so, and nothing is lost by it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections import Counter
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import grpc
import httpx
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from peyvandctl import first_node
from tests.chaos.clients import Client
from tests.support.http import PATIENCE_SECONDS
from tests.support.messaging import eventually
from tests.support.written import DATABASES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from peyvandctl.processes import ManagedProcess
    from tests.replicas.pair import Pair

pytestmark = pytest.mark.timeout(1800)

# A probe of an orchestrator waits so long for its answer, in seconds, and so many in a row
# that fail have it start a process again.
PROBE_TIMEOUT = 4.0
PROBES_THAT_FAIL = 3
REPORTS = 5


class Agent:
    """The agent of a center, as a system of the center talks to it."""

    def __init__(self, pair: Pair, center_id: str) -> None:
        self.center_id = center_id
        self.handed_in = 0
        self._pair = pair

    async def hand_in(self) -> None:
        """Hand one report in."""
        self.handed_in += 1
        report = {
            "observed_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "items": [{"kind": "gmp_suite", "total": 1000, "used": self.handed_in}],
        }
        note = first_node.folder_of(self._pair.cluster.home) / "agent.json"
        url = json.loads(note.read_text(encoding="utf-8"))["url"]
        async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_SECONDS) as http:
            answer = await http.post(
                "/reports/capacity",
                json=report,
                headers={"Idempotency-Key": f"capacity-{self.handed_in}"},
            )
        assert answer.status_code == HTTPStatus.ACCEPTED, answer.text

    async def has_all(self) -> bool:
        """Tell whether the hub has each report once."""
        answer = await self._pair.http.get(
            "/v1/capacity-snapshots", params={"center_id": self.center_id, "page_size": 200}
        )
        used = Counter(
            item["used"] for found in answer.json()["capacity_snapshots"] for item in found["items"]
        )
        return used == Counter(range(1, self.handed_in + 1))


@pytest.fixture(scope="module")
async def agent(pair: Pair) -> Agent:
    center = await pair.create_center("AWAY-1", external_key="center-razavi-khorasan")
    await first_node.start(pair.cluster, lambda _: None)
    return Agent(pair, center["id"])


@contextlib.asynccontextmanager
async def without(postgres: ManagedProcess, how: str) -> AsyncGenerator[None]:
    """Take the server away: it ends, or it keeps its connections and says nothing at all."""
    if how == "stopped":
        await postgres.stop()
        try:
            yield
        finally:
            await postgres.start()
        return
    postgres.pause()
    # Each connection has a process of its own, which would go on answering.
    others = psutil.Process(postgres.pid).children(recursive=True)
    try:
        for process in others:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
        yield
    finally:
        for process in others:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()
        postgres.resume()


@contextlib.asynccontextmanager
async def liveness_watched(pair: Pair) -> AsyncGenerator[list[str]]:
    """Ask every process all the time, as who would restart it does; give what went wrong."""
    wrong: list[str] = []

    async def ask(name: str) -> None:
        url = f"{pair.cluster.metrics_url(name)}/livez"
        failed: list[str] = []
        async with httpx.AsyncClient(timeout=PROBE_TIMEOUT) as http:
            while True:
                try:
                    answer = await http.get(url)
                except httpx.HTTPError as error:
                    failed.append(f"{name}: {error!r}")
                else:
                    if answer.status_code == HTTPStatus.OK:
                        failed.clear()
                    else:
                        failed.append(f"{name}: {answer.status_code}")
                if len(failed) >= PROBES_THAT_FAIL:
                    wrong.extend(failed)
                    failed.clear()
                await asyncio.sleep(0.5)

    asking = [asyncio.create_task(ask(replica.name)) for replica in pair.cluster.replicas]
    try:
        yield wrong
    finally:
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


async def readiness(pair: Pair, name: str) -> tuple[int, str]:
    async with httpx.AsyncClient(timeout=PROBE_TIMEOUT) as http:
        answer = await http.get(f"{pair.cluster.metrics_url(name)}/readyz")
    return answer.status_code, answer.text


async def health(pair: Pair, name: str) -> int:
    """What a process says of itself over gRPC."""
    place = pair.cluster.process(name).spec.env["PEYVAND_LISTEN"]
    async with grpc.aio.insecure_channel(place) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=PROBE_TIMEOUT)
        return answer.status


@pytest.mark.parametrize("how", ["stopped", "silent"])
async def test_the_database_is_away_and_all_catches_up(
    pair: Pair, agent: Agent, away_seconds: int, how: str
) -> None:
    pids = {name: process.pid for name, process in pair.cluster.processes.items()}
    refused = dict(pair.ledger.refused)
    async with writing(pair, how.upper()), liveness_watched(pair) as wrong:
        await hand_in(agent, within=60)
        async with without(pair.cluster.process("postgres"), how):
            until = time.monotonic() + away_seconds
            await eventually(lambda: all_say(pair, serving=False), within=60)
            for _ in range(REPORTS):
                await agent.hand_in()
            # Before that it may take a while until a call is given up, also a moment longer
            # than all have said so: each gateway has to hear of it.
            await eventually(lambda: is_refused_at_once(pair), within=60)
            while time.monotonic() < until:
                assert await is_refused_at_once(pair)
                await asyncio.sleep(0.5)
        await eventually(lambda: all_say(pair, serving=True), within=60)
        await eventually(agent.has_all, within=120)
        written = len(pair.ledger.acknowledged)
        await eventually(lambda: _more(pair, written), within=60)

    assert wrong == []
    # Whoever wrote met an outage, was told so, and nothing else.
    expected = ("UNKNOWN_CENTER", "CENTER_NOT_ACTIVE")
    new = {
        reason for reason, count in pair.ledger.refused.items() if count > refused.get(reason, 0)
    }
    assert [reason for reason in new if not any(word in reason for word in expected)] == []
    # Nobody was restarted.
    now = {name: process.pid for name, process in pair.cluster.processes.items()}
    assert {name for name, pid in now.items() if pid != pids[name]} <= {"postgres"}
    assert await pair.verdict() == []


async def hand_in(agent: Agent, *, within: float) -> None:
    """Hand reports in, and wait until the hub has them."""
    for _ in range(REPORTS):
        await agent.hand_in()
    await eventually(agent.has_all, within=within)


@contextlib.asynccontextmanager
async def writing(pair: Pair, name: str) -> AsyncGenerator[None]:
    """Write all the while; what was begun is brought to its end."""
    done = asyncio.Event()
    working = [
        asyncio.create_task(
            Client(pair.http, pair.ledger, f"AWAY{name}{number}", random.Random(number)).work(done)
        )
        for number in range(2)
    ]
    try:
        yield
        done.set()
        await asyncio.wait_for(asyncio.gather(*working), 60)
    finally:
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)


async def all_say(pair: Pair, *, serving: bool) -> bool:
    """Whether all processes of all services say, over HTTP and gRPC, that they serve, or not."""
    wanted = (
        (HTTPStatus.OK, "database: ok", health_pb2.HealthCheckResponse.SERVING)
        if serving
        else (
            HTTPStatus.SERVICE_UNAVAILABLE,
            "database: not ready",
            health_pb2.HealthCheckResponse.NOT_SERVING,
        )
    )
    status, word, state = wanted
    for name in (name for service in DATABASES for name in pair.cluster.names(service)):
        told, text = await readiness(pair, name)
        if (told, await health(pair, name)) != (status, state) or word not in text:
            return False
    return True


async def _more(pair: Pair, than: int) -> bool:
    return len(pair.ledger.acknowledged) > than


async def is_refused_at_once(pair: Pair) -> bool:
    """See that each gateway says in the reader's language that it is an outage, and until when."""
    for http in pair.at:
        for language, word in (("en", "reach"), ("fa", "دسترس")):
            answer = await http.get("/v1/centers", headers={"Accept-Language": language})
            assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE, answer.text
            assert answer.json()["reason"] == "UNAVAILABLE"
            assert word in answer.json()["detail"]
            assert int(answer.headers["Retry-After"]) >= 1
    return True
