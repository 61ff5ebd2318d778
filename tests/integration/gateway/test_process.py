"""The gateway as a process of its own."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx

from peyvandctl.cluster import Cluster, ClusterEvent
from peyvandctl.paths import Home
from peyvandctl.processes import http_status
from peyvandctl.state import State
from tests.support.cluster import free_port
from tests.support.http import client


@contextlib.asynccontextmanager
async def gateway(folder: Path, **settings: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run a gateway with these settings alone; there is no key of an issuer."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PEYVAND_")}
    settings["PEYVAND_JWKS"] = str(folder / "keys.json")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway"), env=kept | settings, cwd=folder
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_it_serves_says_what_is_missing_and_ends_when_asked(tmp_path: Path) -> None:
    port, internal, nobody = free_port(), free_port(), free_port()
    async with gateway(
        tmp_path,
        PEYVAND_LISTEN=f"127.0.0.1:{port}",
        PEYVAND_METRICS_LISTEN=f"127.0.0.1:{internal}",
        PEYVAND_NATS_URL=f"nats://127.0.0.1:{nobody}",
        PEYVAND_CENTERS_TARGET=f"127.0.0.1:{nobody}",
    ) as process:
        async with client(f"http://127.0.0.1:{port}") as http:
            await until_live(http)
            ready = await http.get("/readyz")
            assert (ready.status_code, ready.json()["services"]) == (503, {"centers": False})
            answer = await http.get("/v1/centers")
            assert (answer.status_code, answer.json()["reason"]) == (503, "UNAVAILABLE")
            assert len(answer.json()["trace_id"].strip("0")) > 0
            await http.get("/v1/nothing")
            metrics = (await http.get(f"http://127.0.0.1:{internal}/metrics")).text
        assert 'method="GET",route="/v1/centers",status="503"' in metrics
        assert 'route="(none)",status="404"' in metrics
        assert "/v1/nothing" not in metrics
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 60) == 0


async def test_it_is_not_ready_while_another_has_its_port(tmp_path: Path) -> None:
    internal, nobody = free_port(), free_port()
    with socket.create_server(("127.0.0.1", 0)) as other:
        async with gateway(
            tmp_path,
            PEYVAND_LISTEN=f"127.0.0.1:{other.getsockname()[1]}",
            PEYVAND_METRICS_LISTEN=f"127.0.0.1:{internal}",
            PEYVAND_NATS_URL=f"nats://127.0.0.1:{nobody}",
        ) as process:
            ended = asyncio.create_task(process.wait())
            said: set[int | None] = set()
            while not ended.done():
                said.add(await http_status("127.0.0.1", internal, "/readyz"))
                await asyncio.sleep(0.01)
            assert await ended > 0
            assert said <= {None, 503}


async def test_a_network_whose_gateway_lost_its_port_takes_another(tmp_path: Path) -> None:
    """Somebody takes the port after it was chosen, and answers there in the gateway's stead."""
    others: list[socket.socket] = []

    def take(event: ClusterEvent) -> None:
        if (event.kind, event.name) == ("starting", "nats") and not others:
            others.append(
                socket.create_server(("127.0.0.1", State(Home(tmp_path)).ports["gateway"]))
            )

    async with Cluster(tmp_path, port=0, on_event=take) as cluster:
        (other,) = others
        assert cluster.gateway_url != f"http://127.0.0.1:{other.getsockname()[1]}"
        async with client(cluster.gateway_url) as http:
            assert (await http.get("/v1/centers")).json()["centers"] == []
    other.close()


async def until_live(http: httpx.AsyncClient) -> None:
    for _ in range(900):
        try:
            if (await http.get("/livez")).status_code == 200:
                return
        except httpx.TransportError:
            await asyncio.sleep(0.1)
    raise AssertionError("the gateway did not start")
