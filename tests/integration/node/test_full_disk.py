"""A disk that others have filled: what was accepted goes out, and the agent starts."""

import asyncio
import contextlib
import resource
import sys
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

import httpx

from node_agent.home import Home
from node_agent.local_client import agent_status
from tests.integration.node.conftest import joined
from tests.support.fault_proxy import FaultProxy
from tests.support.hub_line import until
from tests.support.small_disk import SmallDisk, small_disk
from tests.support.small_hub import SmallHub

SIZE = 96 * 1024**2
BALLAST = 8 * 1024**2
REPORTS = 150


@contextlib.asynccontextmanager
async def agent(
    disk: SmallDisk | None, folder: Path, home: Home
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """An agent as a process of its own, on a disk that may be full."""
    with home.log_file.open("ab") as log:  # on the full disk too, as when join has started it
        process = await asyncio.create_subprocess_exec(
            *(() if disk is None else disk.launcher),
            *(sys.executable, "-m", "node_agent", "run", "--home", str(folder)),
            *("--reserve-mib", "4"),
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def hand_in(home: Home, count: int, name: str) -> list[str]:
    """Hand reports in until one is not accepted; returns the names of those that were."""
    accepted: list[str] = []
    async with httpx.AsyncClient(timeout=60) as client:
        for number in range(count):
            value = {
                "observed_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
                "items": [{"kind": "training", "total": number, "used": 0}],
            }
            url = f"http://127.0.0.1:{home.identity().api_port}/reports/capacity"
            key = {"Idempotency-Key": f"{name}-{number}"}
            answer = await client.post(url, json=value, headers=key)
            if answer.status_code == 507:
                break
            assert answer.status_code == 202, answer.text
            accepted.append(answer.json()["key"])
    return accepted


async def answers(home: Home) -> None:
    await until(lambda: agent_status(home) is not None, 60)


def is_online(home: Home) -> bool:
    status = agent_status(home)
    return status is not None and status["line"]["state"] == "online"


async def test_on_a_full_disk_what_waits_goes_out_and_the_agent_starts(
    hub: SmallHub, proxy: FaultProxy, tmp_path: Path
) -> None:
    mount = tmp_path / "disk"
    mount.mkdir()
    async with small_disk(mount, SIZE) as disk:
        if disk is None:
            await _files_that_grow_no_more(hub, proxy, tmp_path)
            return
        home, _ = await joined(disk.seen_from_here / "node", hub.token(proxy))
        folder = mount / "node"
        async with agent(disk, folder, home) as process:
            await answers(home)
            assert (home.path / "ballast").stat().st_size == BALLAST
            await proxy.refuse()
            accepted = await hand_in(home, REPORTS, "first")
            assert len(accepted) == REPORTS
            process.terminate()
            assert await process.wait() == 0
        # Ended in order, it has left nothing of its own that could be written in again.
        disk.fill()
        assert disk.free == 0
        async with agent(disk, folder, home) as process:
            await answers(home)
            assert await hand_in(home, 1, "full") == []
            process.kill()
            await process.wait()
        disk.fill()
        async with agent(disk, folder, home) as process:
            await answers(home)
            await proxy.mend()
            await until(lambda: len(hub.keys_taken()) == REPORTS, 90)
            await until(lambda: not (agent_status(home) or {"queued_reports": 1})["queued_reports"])
            assert await hand_in(home, 1, "full") == []
            process.terminate()
            assert await process.wait() == 0
        disk.fill()
        async with agent(disk, folder, home):
            await answers(home)
            await until(lambda: is_online(home), 60)
            assert await hand_in(home, 1, "full") == []
            disk.clear()
            more = await hand_in(home, 5, "after")
            assert len(more) == 5
            await until(lambda: hub.keys_taken() == accepted + more, 60)
            assert (home.path / "ballast").stat().st_size == BALLAST


async def _files_that_grow_no_more(hub: SmallHub, proxy: FaultProxy, tmp_path: Path) -> None:
    """The same without a disk of its own: the kernel lets no file of the agent grow."""
    home, _ = await joined(tmp_path / "node", hub.token(proxy))
    async with agent(None, home.path, home) as process:
        await answers(home)
        await proxy.refuse()
        accepted = await hand_in(home, REPORTS, "first")
        most = max(path.stat().st_size for path in home.path.glob("reports.db*"))
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
        accepted += await hand_in(home, 10 * REPORTS, "more")
        assert REPORTS <= len(accepted) < 11 * REPORTS
        process.kill()
        await process.wait()
    async with agent(None, home.path, home):
        await answers(home)
        await proxy.mend()
        await until(lambda: hub.keys_taken() == accepted, 90)
