"""Writes from both ends of the network while its containers are killed, and judges it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg
import httpx

from hubkit.topology import SERVICES
from servicekit.broker import Broker
from tests.chaos.clients import Client, Ledger
from tests.chaos.oracle import SERVICES as WRITTEN
from tests.chaos.oracle import judge as judge_hub
from tests.chaos.oracle import names
from tests.compose.network import AGENT_PORT
from tests.compose.podman import say
from tests.line import oracle as line

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.compose.network import Network

CLIENTS = 3
REPORTS = 2000
PERIOD = "1405-07"
KILLED = ("centers", "broker", "observatory", "postgres", "gateway", "node", "centers")
_CALM_SECONDS = 4.0
_BACK_SECONDS = 120.0
_SETTLING_SECONDS = 120.0


@dataclass
class Oracle:
    """Reads both sides."""

    network: Network
    connections: dict[str, asyncpg.Connection]
    broker: Broker

    async def names(self) -> set[str | None]:
        """What was there before anybody of the storm wrote."""
        found = [await names(self.connections[service], service) for service in WRITTEN]
        return set[str | None]().union(*found)


@contextlib.asynccontextmanager
async def reading(network: Network) -> AsyncGenerator[Oracle]:
    """Connect to every database and to the broker."""
    async with contextlib.AsyncExitStack() as stack:
        connections: dict[str, asyncpg.Connection] = {}
        for service in SERVICES:
            if service.has_database:
                opened = await asyncpg.connect(database=service.name, **network.postgres())
                stack.push_async_callback(opened.close)
                connections[service.name] = opened
        broker = await Broker.connect(network.broker(), name="oracle")
        stack.push_async_callback(broker.close)
        yield Oracle(network, connections, broker)


@dataclass
class Written:
    """What both ends were told.

    Attributes:
        ledger: what clients of the gateway were answered.
        log: what the node's own systems were.
    """

    ledger: Ledger
    log: Path


async def storm(network: Network) -> Written:
    """Write, kill, settle and judge. Raises `AssertionError` when something was lost."""
    async with reading(network) as oracle:
        ledger = Ledger(there=await oracle.names())
    log = network.podman.folder / "handed-in.log"
    log.unlink(missing_ok=True)
    headers = {"Authorization": f"Bearer {network.token()}"}
    done = asyncio.Event()
    async with httpx.AsyncClient(
        base_url=network.url, headers=headers, timeout=15, trust_env=False
    ) as http:
        writers = [
            asyncio.create_task(Client(http, ledger, f"W{n}", random.Random(n)).work(done))
            for n in range(CLIENTS)
        ]
        producer = await _producer(network, log, REPORTS)
        try:
            for service in KILLED:
                await asyncio.sleep(_CALM_SECONDS)
                if service == "node":
                    # Its own systems are in its network, which goes with it.
                    assert await producer.wait() == 0, "the node's systems gave up"
                await _kill(network, service)
        finally:
            done.set()
        await asyncio.gather(*writers)
    say(
        f"written: {len(ledger.acknowledged)} acknowledged writes,"
        f" {ledger.sent_again.total()} sent again because of an outage;"
        f" refused: {dict(ledger.refused) or 'none'}"
    )
    written = Written(ledger, log)
    await judge(network, written)
    return written


async def hand_in_more(network: Network, written: Written, reports: int) -> None:
    """Let the center's systems hand in more, and write it down with the rest."""
    # The name of a log is in the keys that its reports are sent with.
    log = written.log.with_name("handed-in-later.log")
    log.unlink(missing_ok=True)
    producer = await _producer(network, log, reports)
    assert await producer.wait() == 0, "the node's systems gave up"
    with written.log.open("a", encoding="utf-8") as whole:
        whole.write(log.read_text("utf-8"))


async def _producer(network: Network, log: Path, reports: int) -> asyncio.subprocess.Process:
    """A center's own systems, in the network of the node, handing in reports."""
    command = network.in_network_of_node(
        sys.executable, "-m", "tests.line.producer",
        f"http://127.0.0.1:{AGENT_PORT}", log, str(reports), PERIOD,
    )  # fmt: skip
    return await asyncio.create_subprocess_exec(*map(str, command))


async def _kill(network: Network, service: str) -> None:
    began = time.monotonic()
    before = await asyncio.to_thread(network.podman.pid, service)
    await asyncio.to_thread(network.kill, service)
    await asyncio.sleep(0.5)
    while not await asyncio.to_thread(network.is_back, service):
        assert time.monotonic() - began < _BACK_SECONDS, f"{service} has not come back"
        await asyncio.sleep(0.2)
    after = await asyncio.to_thread(network.podman.pid, service)
    assert after not in (0, before), f"{service} was not started again"
    say(f"SIGKILL {service}: healthy again after {time.monotonic() - began:.1f} s")


async def judge(network: Network, written: Written) -> None:
    """Ask the oracles; ends the node. Raises `AssertionError` when something is amiss."""
    began = time.monotonic()
    handed_in = line.Log.read(written.log)
    while True:
        async with reading(network) as oracle:
            wrong = await judge_hub(oracle.connections, oracle.broker, written.ledger)
            center = oracle.connections["centers"]
            node_id = await center.fetchval("SELECT id FROM node")
            hub = await line.read_hub(center, str(node_id))
        arrived = sum(map(len, hub.recorded.values()))
        if not wrong and arrived == handed_in.count:
            break
        if time.monotonic() - began > _SETTLING_SECONDS:
            raise AssertionError("\n".join([f"{arrived} of {handed_in.count} reports", *wrong]))
        await asyncio.sleep(1)
    say(f"oracle of the hub: nothing wrong, {time.monotonic() - began:.0f} s after the last write")
    store = network.podman.volume("node") / "reports.db"
    network.podman.run("stop", "--time=20", network.podman.container("node"))
    wrong = line.judge(handed_in, hub, store)
    assert not wrong, "\n".join(wrong)
    say(
        f"oracle of the line: {handed_in.count} reports accepted by the node, {arrived} in the "
        "hub's database, each once and in order, each with its receipt"
    )
