"""The agent as a process of its own that is killed while it accepts reports."""

import asyncio
import contextlib
import random
import sys
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

import httpx

from node_agent.home import Home
from node_agent.local_client import agent_status
from tests.integration.node.conftest import eventually
from tests.support.fault_proxy import FaultProxy
from tests.support.hub_line import until
from tests.support.small_hub import SmallHub

KILLS = 4
CALLERS = 8
ENOUGH = 25  # reports sent before each kill, however slow the machine


@contextlib.asynccontextmanager
async def agent_process(home: Home) -> AsyncGenerator[asyncio.subprocess.Process]:
    with home.log_file.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "node_agent", "run", "--home", str(home.path)),
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


def is_listening(home: Home) -> bool:
    return agent_status(home) is not None


class Caller:
    """A program of the center: sends each report until it is accepted."""

    def __init__(self, home: Home, name: str) -> None:
        self.home = home
        self.name = name
        self.accepted: dict[str, str] = {}
        self.sent = 0
        self.stopping = False

    async def run(self) -> None:
        async with httpx.AsyncClient(timeout=60) as client:
            while not self.stopping:
                self.sent += 1
                await self.deliver(client, f"{self.name}-{self.sent}")

    async def deliver(self, client: httpx.AsyncClient, key: str) -> None:
        value = {
            "observed_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "items": [{"kind": "training", "total": self.sent, "used": 0}],
        }
        while key not in self.accepted:
            try:
                url = f"http://127.0.0.1:{self.home.identity().api_port}/reports/capacity"
                answer = await client.post(url, json=value, headers={"Idempotency-Key": key})
            except httpx.HTTPError:
                await asyncio.sleep(0.05)
                continue
            assert answer.status_code == 202, answer.text
            self.accepted[key] = answer.json()["key"]


async def test_an_agent_killed_while_accepting_loses_and_doubles_nothing(
    hub: SmallHub, home: Home, proxy: FaultProxy
) -> None:
    chance = random.Random(11)
    callers = [Caller(home, f"caller{n}") for n in range(CALLERS)]
    works: list[asyncio.Task[None]] = []
    for kill in range(KILLS):
        async with agent_process(home) as process:
            await until(lambda: is_listening(home))
            if not works:
                works = [asyncio.create_task(caller.run()) for caller in callers]
            enough = ENOUGH * (kill + 1)
            await until(lambda enough=enough: sum(caller.sent for caller in callers) > enough)
            await asyncio.sleep(chance.uniform(0.5, 1.5))
            if kill % 2:
                await proxy.reset()
            process.kill()
            await process.wait()
    async with agent_process(home):
        await until(lambda: is_listening(home))
        for caller in callers:
            caller.stopping = True
        await asyncio.gather(*works)

        async def all_sent() -> bool:
            status = await asyncio.to_thread(agent_status, home)
            return status is not None and not status["queued_reports"]

        await eventually(all_sent, 120)
    accepted = [key for caller in callers for key in caller.accepted.values()]
    assert len(accepted) == sum(caller.sent for caller in callers) > ENOUGH * KILLS
    taken = hub.keys_taken()
    # Not one more than was accepted either: what a caller sent again was known by its key.
    assert sorted(taken) == sorted(accepted)
    assert hub.numbers() == list(range(1, len(taken) + 1))
    for caller in callers:
        order = [taken.index(key) for key in caller.accepted.values()]
        assert order == sorted(order)


async def test_a_stop_in_order_answers_who_waits_and_leaves_no_note(
    hub: SmallHub, home: Home
) -> None:
    async with agent_process(home) as process:
        await until(lambda: is_listening(home))
        assert home.running() is not None
        await until(lambda: bool(hub.hellos))
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 60) == 0
    assert not home.running_file.exists()
    log = home.log_file.read_text()
    identity = home.identity()
    assert identity.credentials.seed not in log
    assert identity.credentials.jwt not in log


async def test_two_agents_do_not_share_a_folder(hub: SmallHub, home: Home) -> None:
    async with agent_process(home):
        await until(lambda: is_listening(home))
        async with agent_process(home) as second:
            assert await asyncio.wait_for(second.wait(), 60) == 1
        assert is_listening(home)
        assert "runs in" in home.log_file.read_text()


async def test_the_port_of_the_api_stays(home: Home, tmp_path: Path) -> None:
    ports: list[int] = []
    for _ in range(2):
        async with agent_process(home):
            await until(lambda: is_listening(home))
            ports.append(home.identity().api_port)
    assert ports[0] == ports[1] > 0
    # Nor does the kernel lend it to a connection while the agent is away.
    first_lent = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert ports[0] < first_lent or first_lent <= 10_000
