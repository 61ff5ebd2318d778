"""A service as a process of its own."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from servicekit.rpc_client import RpcClient
from tests.support.cluster import Infra, free_port


async def until_ready(client: RpcClient, wanted: bool) -> None:
    for _ in range(1200):
        if await client.ready() is wanted:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"it does not become {'ready' if wanted else 'unready'}")


async def test_its_health_is_that_of_its_database(infra: Infra, tmp_path: Path) -> None:
    url = await infra.fresh_database("centers", migrated=True)
    port = free_port()
    target, nobody = f"127.0.0.1:{port}", free_port(taken=[port])
    settings = {
        "PEYVAND_DATABASE_URL": url,
        "PEYVAND_LISTEN": target,
        "PEYVAND_NATS_URL": f"nats://127.0.0.1:{nobody}",
        "PEYVAND_JWKS": str(tmp_path / "keys.json"),
    }
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PEYVAND_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "centers"), env=kept | settings, cwd=tmp_path
    )
    client = RpcClient(target)
    try:
        # Without the broker calls are answered all the same.
        await until_ready(client, True)
        await infra.drop_database(url)
        await until_ready(client, False)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 60) == 0
    finally:
        await client.close()
        if process.returncode is None:
            process.kill()
            await process.wait()
