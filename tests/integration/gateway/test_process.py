"""The gateway as a process of its own."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx

from tests.support.cluster import free_port
from tests.support.http import client


async def test_it_serves_says_what_is_missing_and_ends_when_asked(tmp_path: Path) -> None:
    port = free_port()
    internal = free_port(taken=[port])
    nobody = free_port(taken=[port, internal])
    settings = {
        "PEYVAND_LISTEN": f"127.0.0.1:{port}",
        "PEYVAND_METRICS_LISTEN": f"127.0.0.1:{internal}",
        "PEYVAND_NATS_URL": f"nats://127.0.0.1:{nobody}",
        "PEYVAND_CENTERS_TARGET": f"127.0.0.1:{nobody}",
        "PEYVAND_JWKS": str(tmp_path / "keys.json"),
    }
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PEYVAND_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway"), env=kept | settings, cwd=tmp_path
    )
    try:
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
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until_live(http: httpx.AsyncClient) -> None:
    for _ in range(900):
        try:
            if (await http.get("/livez")).status_code == 200:
                return
        except httpx.TransportError:
            await asyncio.sleep(0.1)
    raise AssertionError("the gateway did not start")
