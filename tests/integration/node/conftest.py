"""An agent on a real line to a small hub."""

import asyncio
import contextlib
import random
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from node_agent.agent import Agent, Timing
from node_agent.findings import Finding, Halted
from node_agent.home import Home, Identity
from node_agent.joining import join
from node_agent.line import Hub, trusting
from node_agent.sending import Pace
from node_agent.store import Store
from node_agent.taking import Taker
from node_agent.writer import StoreThread
from peyvand.node.v1 import protocol_pb2 as pb
from tests.support.fault_proxy import FaultProxy
from tests.support.hub_line import until
from tests.support.small_hub import SmallHub, small_hub

QUICK = Timing(
    ping_every=0.5,
    ping_deadline=1.0,
    pace=Pace(first_wait=0.05, longest_wait=0.5, rejected_wait=0.3, request_timeout=2.0),
)
# For a line on which nothing is lost: what is slow there is the machine.
PATIENT = replace(QUICK, ping_deadline=60.0, pace=replace(QUICK.pace, request_timeout=60.0))


@pytest.fixture
async def hub() -> AsyncGenerator[SmallHub]:
    async with small_hub() as found:
        yield found


@pytest.fixture
async def proxy(hub: SmallHub) -> AsyncGenerator[FaultProxy]:
    async with FaultProxy.start(("127.0.0.1", hub.server.port)) as found:
        yield found


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    """Wait until something is so."""
    began = asyncio.get_running_loop().time()
    while not await condition():
        assert asyncio.get_running_loop().time() - began < seconds, "it did not come true in time"
        await asyncio.sleep(0.02)


@dataclass
class Running:
    """An agent at work."""

    agent: Agent
    taker: Taker
    home: Home
    counter: int = 0
    keys: list[str] = field(default_factory=list[str])

    async def hand_in(self, count: int = 1, *, total: float = 4.0) -> list[str]:
        """Hand in snapshots; returns the names that they were accepted under."""
        made: list[str] = []
        for _ in range(count):
            self.counter += 1
            value = {
                "observed_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
                "items": [{"kind": "gmp_suite", "total": total, "used": 1}],
            }
            made.append((await self.taker.capacity(value, f"k{self.counter}")).key)
        self.keys += made
        return made

    async def settled(self, seconds: float = 60.0) -> None:
        """Wait until the hub has everything."""

        async def nothing_waits() -> bool:
            return not (await self.agent.status()).queued

        await eventually(nothing_waits, seconds)

    async def online(self, seconds: float = 60.0) -> None:
        """Wait until the hub has greeted."""
        async with asyncio.timeout(seconds):
            await self.agent.wait_online()

    async def in_state(self, state: str, seconds: float = 60.0) -> None:
        """Wait until the line is in a state."""
        await until(lambda: self.agent.line.state == state, seconds)

    async def receipts(self) -> list[pb.Receipt]:
        """Receipts that the node has."""
        found = await self.agent.ask(lambda store: store.receipts(0, 10_000))
        return [receipt for _, receipt in found]

    async def has_receipts(self, count: int, seconds: float = 60.0) -> None:
        """Wait until the node has so many."""

        async def there() -> bool:
            return len(await self.receipts()) >= count

        await eventually(there, seconds)


@contextlib.asynccontextmanager
async def running(
    home: Home,
    *,
    timing: Timing = QUICK,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> AsyncGenerator[Running]:
    """Run the agent of a folder within this process."""

    async def keep(identity: Identity) -> None:
        await asyncio.to_thread(home.keep, identity)

    identity = home.identity()
    store = StoreThread(Store(home.store_file))
    agent = Agent(
        identity,
        store,
        Hub(identity.hub, trusting(identity.authority, by_any_clock=True), connect_seconds=3.0),
        keep=keep,
        folder=home.path,
        clock=clock,
        chance=random.Random(5),
        timing=timing,
    )
    work = asyncio.create_task(agent.run())
    try:
        yield Running(agent, Taker(agent, clock), home)
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await store.close()


async def joined(
    home: Path, token: str, *, again: bool = False, through: str | None = None
) -> tuple[Home, list[Finding]]:
    """Join in a folder."""
    found: list[Finding] = []
    folder = Home(home)
    await join(token, folder, found.append, again=again, through=through)
    return folder, found


async def refused(home: Path, token: str, *, again: bool = False) -> Finding:
    """Try to join, and give the finding with which it ended."""
    with pytest.raises(Halted) as halted:
        await join(token, Home(home), lambda _: None, again=again)
    return halted.value.finding


async def command(*arguments: str) -> tuple[int, str]:
    """Run the command of the node; returns its exit status and what it wrote."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "node_agent", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


@pytest.fixture
async def home(tmp_path: Path, hub: SmallHub, proxy: FaultProxy) -> Home:
    """A folder that has joined, through the proxy."""
    found, _ = await joined(tmp_path / "node", hub.token(proxy))
    return found
