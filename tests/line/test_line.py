"""Reports go over a line that fails, while both ends are killed; each arrives once, in order.

`--line-reports=N` brings more of them; `PEYVAND_CHAOS_SEED` fixes what befalls the line.
"""

import asyncio
import contextlib
import os
import random
import resource
import sys
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import asyncpg
import psutil
import pytest
from sqlalchemy import make_url

from peyvandctl.cluster import Cluster
from tests.line.joined import Joined, joined
from tests.line.oracle import Hub, Log, judge, read_hub
from tests.line.storm import Storm
from tests.support.fault_proxy import REPOSITORY
from tests.support.messaging import eventually
from tests.support.namespaces import line_place, on_loopback

pytestmark = pytest.mark.timeout(7200)

# What an agent may grow by while a storm has it kept busy, over what it was once it answered:
# a backlog is read in batches, and each of its processes begins anew.
MOST_GROWTH_IN_STORM_BYTES = 48 * 1024 * 1024
# What one process may grow by once it has worked for a while: its allocator's play, and
# far less than a report holds, for each report.
MOST_PLAY_BYTES = 6 * 1024 * 1024
MOST_GROWTH_PER_REPORT_BYTES = 64
SETTLING_SECONDS = 180.0


@dataclass
class Aftermath:
    """Both ends after the storm."""

    log: Log
    hub: Hub
    store: Path
    storm: Storm
    growth: int
    seconds: float


class Memory:
    """How much the agent grows, whichever of its processes: each from its own beginning."""

    def __init__(self) -> None:
        self.growth = 0
        self.first = 0
        self._pid = 0
        self._first = 0

    async def watch(self, joined: Joined) -> None:
        while True:
            await asyncio.sleep(0.5)
            agent = joined.agent
            if not agent.running:
                continue
            pid = agent.pid
            if pid != self._pid and await joined.status() is None:
                # It is still being loaded.
                continue
            with contextlib.suppress(psutil.NoSuchProcess):
                size = psutil.Process(pid).memory_info().rss
                if pid != self._pid:
                    self._pid, self._first = pid, size
                self.growth = max(self.growth, size - self._first)
                self.first = self._first


@pytest.fixture(scope="module")
async def aftermath(line_reports: int) -> AsyncGenerator[Aftermath]:
    seed = int(os.environ.get("PEYVAND_CHAOS_SEED") or random.SystemRandom().getrandbits(32))
    async with line_place() as place, joined(place) as world:
        sys.stdout.write(f"\nPEYVAND_CHAOS_SEED={seed}; {place.note}\n")
        log = world.folder / "accepted.log"
        began = time.monotonic()
        storm, memory = Storm(world, random.Random(seed)), Memory()
        watching = asyncio.create_task(memory.watch(world))
        try:
            await _hand_in(world, storm, log, line_reports)
            await _settled(world, line_reports)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        seconds = time.monotonic() - began
        await world.agent.stop()
        async with _database(world.cluster) as connection:
            hub = await read_hub(connection, world.node_id)
        sys.stdout.write(
            f"line: {line_reports} reports in {seconds:.0f} s through {dict(storm.struck)};"
            f" the agent grew by {memory.growth / 2**20:.1f} MiB from"
            f" {memory.first / 2**20:.1f}; CPU of the test's children"
            f" {resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime:.0f} s\n"
        )
        store = world.folder / "reports.db"
        yield Aftermath(Log.read(log), hub, store, storm, memory.growth, seconds)


async def _hand_in(world: Joined, storm: Storm, log: Path, count: int) -> None:
    """Hand reports in, while it storms until the last one was accepted."""
    over = asyncio.Event()
    raging = asyncio.create_task(storm.rage(over))
    handing_in = asyncio.create_task(_produce(world, log, count))
    try:
        await asyncio.wait({handing_in, raging}, return_when=asyncio.FIRST_COMPLETED)
        over.set()
        await raging
        assert await handing_in == 0
    finally:
        raging.cancel()
        handing_in.cancel()
        await asyncio.gather(raging, handing_in, return_exceptions=True)


async def _produce(world: Joined, log: Path, count: int) -> int:
    """Hand reports in where the agent is; returns how the producer ended."""
    month = (datetime.now(UTC).replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
    producer = await asyncio.create_subprocess_exec(
        *(*world.place.node_launcher, sys.executable, "-m", "tests.line.producer"),
        *(world.url, str(log), str(count), month),
        cwd=REPOSITORY,
    )
    try:
        return await producer.wait()
    finally:
        if producer.returncode is None:
            producer.kill()
            await producer.wait()


async def _handed_in(world: Joined, count: int) -> bool:
    """Whether the agent has accepted so many reports in all."""
    status = await world.status()
    return bool(status) and int(status["last_number"]) >= count


async def _settled(world: Joined, count: int) -> None:
    """Wait until the agent knows that the hub has all."""
    until = time.monotonic() + SETTLING_SECONDS + count / 200
    status = None
    while time.monotonic() < until:
        status = await world.status()
        arrived = status and int(status["hub_has_number"]) == count
        if arrived and status and status["receipts"] >= count:
            return
        await asyncio.sleep(0.5)
    pytest.fail(f"it does not settle: {status}")


@contextlib.asynccontextmanager
async def _database(cluster: Cluster) -> AsyncGenerator[asyncpg.Connection]:
    url = make_url(cluster.postgres.dsn("centers")).set(drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    try:
        yield connection
    finally:
        await connection.close()


def test_every_fault_struck_while_reports_were_handed_in(
    aftermath: Aftermath, line_reports: int
) -> None:
    assert set(aftermath.storm.struck) == set(aftermath.storm.kinds)
    assert aftermath.log.count == line_reports


def test_each_accepted_report_arrived_once_in_order_and_was_answered(aftermath: Aftermath) -> None:
    assert judge(aftermath.log, aftermath.hub, aftermath.store) == []


def test_no_storm_makes_the_agent_large(aftermath: Aftermath) -> None:
    assert aftermath.growth < MOST_GROWTH_IN_STORM_BYTES


async def test_the_memory_of_one_agent_stays_flat_over_backlogs_and_deliveries(
    line_reports: int,
) -> None:
    rounds = 6
    share = line_reports // rounds
    sizes: list[int] = []
    async with joined(on_loopback("one agent, never killed")) as world:
        agent = psutil.Process(world.agent.pid)
        for number in range(rounds):
            # Away while half of them come in, so that a backlog builds up and goes out.
            await world.proxy.refuse()
            await world.proxy.reset()
            log = world.folder / f"accepted-{number}.log"
            producing = asyncio.create_task(_produce(world, log, share))
            half = number * share + share // 2
            await eventually(partial(_handed_in, world, half), within=60 + share / 50)
            await world.proxy.mend()
            assert await producing == 0
            await _settled(world, (number + 1) * share)
            sizes.append(agent.memory_info().rss)
        assert agent.pid == world.agent.pid
    told = ", ".join(f"{size / 2**20:.1f}" for size in sizes)
    sys.stdout.write(f"line: MiB of one agent after every {share} reports: {told}\n")
    reports = share * (rounds - 2)
    growth = sizes[-1] - sizes[1]
    assert growth < MOST_PLAY_BYTES + MOST_GROWTH_PER_REPORT_BYTES * reports


def test_the_oracle_finds_what_is_planted(aftermath: Aftermath) -> None:
    log, store = aftermath.log, aftermath.store
    hub = aftermath.hub
    capacity = hub.recorded["capacity"]

    def seen(changed: list[int]) -> str:
        found = {**hub.recorded, "capacity": changed}
        planted = Hub(found, hub.snapshots, hub.last_numbers, hub.refused)
        return "; ".join(judge(log, planted, store))

    assert f"capacity {capacity[-1]} is lost" in seen(capacity[:-1])
    assert f"capacity {capacity[3]} is there 2 times" in seen([*capacity, capacity[3]])
    assert "comes after" in seen([capacity[1], capacity[0], *capacity[2:]])
    assert "was never accepted" in seen([*capacity, 10**9])
    refused = Hub(hub.recorded, hub.snapshots, hub.last_numbers, ["capacity 1: USED_OVER_TOTAL"])
    assert "the hub refused" in "; ".join(judge(log, refused, store))
    unknown = Log(log.accepted, {**log.keys, "rpt_of_nobody": ("capacity", 1)}, [])
    assert "has 0 receipts" in "; ".join(judge(unknown, hub, store))
