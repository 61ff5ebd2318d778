"""The whole service in processes of their own, which are killed and stopped under a node."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from nats.errors import Error as NatsError

from centers.domain.centers import Expectations
from centers.tables import capacity_snapshot, node_receipt, presence
from nodekit.batches import pack
from nodekit.subjects import to_hub
from peyvand.centers.v1 import nodes_pb2
from peyvand.node.v1 import protocol_pb2 as pb
from servicekit.broker import Broker
from servicekit.messaging_tables import TABLES
from tests.support.messaging import eventually
from tests.support.reports import Reporting, capacity, reporting

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from peyvandctl.nats import NatsServer
    from tests.support.cluster import Infra

REPORTS, BATCH = 800, 25


class Hub:
    """Two processes of the service, and a node that talks to them."""

    def __init__(self, bench: Reporting, nats: NatsServer, broker: Broker) -> None:
        self.bench = bench
        self.broker = broker
        self._environment = (
            os.environ
            | nats.environment("centers")
            | {"PEYVAND_DATABASE_URL": bench.url, "PEYVAND_LOG_LEVEL": "warning"}
        )
        self._processes: list[asyncio.subprocess.Process] = []

    async def start(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "centers", env=self._environment
        )
        self._processes.append(process)
        return process

    async def kill(self, process: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
            process.kill()
        await process.wait()

    async def kill_all(self) -> None:
        for process in self._processes:
            await self.kill(process)

    async def send(self, batch: pb.ReportBatch, wait: float = 1.0) -> pb.BatchReply | None:
        """Hand a batch over the line; `None` when no answer came."""
        subject = to_hub(self.bench.node_id, "reports")
        try:
            answer = await self.broker.client.request(subject, pack(batch), timeout=wait)
        except (NatsError, TimeoutError):
            return None
        return pb.BatchReply.FromString(answer.data)

    async def answers(self) -> bool:
        """Whether somebody takes batches: an empty one changes nothing."""
        return await self.send(self.bench.batch()) is not None

    @contextlib.asynccontextmanager
    async def beating(self) -> AsyncGenerator[None]:
        async def run() -> None:
            while True:
                beat = pb.Heartbeat(number=1, software_version="0.1.0").SerializeToString()
                await self.broker.client.publish(to_hub(self.bench.node_id, "hb"), beat)
                await asyncio.sleep(0.5)

        task = asyncio.create_task(run())
        try:
            yield
        finally:
            task.cancel()

    async def told(self) -> list[str]:
        """What was announced of the node's heartbeat."""
        columns = TABLES.outbox.c
        query = sa.select(columns.payload).where(columns.type.like("%presence%"))
        payloads = await self.bench.numbers(query.order_by(columns.seq))
        events = [nodes_pb2.PresenceEvent.FromString(payload) for payload in payloads]
        return [e.change.step.action for e in events if e.presence.feed == "heartbeat"]


@pytest.fixture
async def hub(infra: Infra) -> AsyncGenerator[Hub]:
    async with infra.fresh_nats() as (nats, _), reporting(infra) as bench:
        broker = await Broker.connect(nats.access, name="the node")
        hub = Hub(bench, nats, broker)
        try:
            yield hub
        finally:
            await hub.kill_all()
            await broker.close()


async def test_reports_count_once_and_in_order_while_hubs_are_killed(hub: Hub) -> None:
    bench, dice = hub.bench, random.Random(7)
    reports = [capacity(number, total=10_000, used=number) for number in range(1, REPORTS + 1)]
    running = [await hub.start(), await hub.start()]
    await eventually(hub.answers, within=60)

    async def murder() -> None:
        while True:
            await asyncio.sleep(dice.uniform(0.3, 1.5))
            victim = running.pop(dice.randrange(len(running)))
            await hub.kill(victim)
            running.append(await hub.start())
            await eventually(hub.answers, within=60)

    murderer = asyncio.create_task(murder())
    last, repeated = 0, 0
    async with asyncio.timeout(400):
        while last < REPORTS:
            batch = bench.batch(*reports[last : last + BATCH])
            reply = await hub.send(batch)
            if reply is None:
                repeated += 1
                continue
            if reply.HasField("refusal"):
                await asyncio.sleep(0.1)
                continue
            assert reply.taken.last_number >= last
            last = reply.taken.last_number
    murderer.cancel()
    columns = capacity_snapshot.c
    used = await bench.numbers(
        sa.select(sa.cast(columns["items"][0]["used"].astext, sa.Float)).order_by(columns.id)
    )
    assert used == [float(number) for number in range(1, REPORTS + 1)]
    outbox = TABLES.outbox.c
    assert await bench.count(TABLES.outbox, outbox.type.like("%capacity_snapshot%")) == REPORTS
    receipts = await bench.numbers(sa.select(node_receipt.c.number).order_by(node_receipt.c.number))
    assert receipts == list(range(1, REPORTS + 1))


async def test_no_node_is_called_late_when_hubs_are_stopped_killed_or_started(hub: Hub) -> None:
    expectations = Expectations(late_seconds=8, stale_seconds=12, offline_seconds=16)
    center = await hub.bench.center("QCK", expectations=expectations)
    hub.bench.node_id = await hub.bench.node(center)
    first = await hub.start()
    await eventually(hub.answers, within=60)
    async with hub.beating():

        async def is_online() -> bool:
            return await hub.told() == ["came_online"]

        await eventually(is_online, within=60)
        second = await hub.start()
        await asyncio.sleep(5)
        for process in (first, second):
            process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(12)
        for process in (first, second):
            process.send_signal(signal.SIGCONT)
        await asyncio.sleep(4)
        await hub.kill(first)
        await asyncio.sleep(10)
        await hub.kill(second)
        await hub.start()
        await asyncio.sleep(10)
        assert await hub.told() == ["came_online"]
    # And when the node is silent, somebody is there to say so.

    async def is_silent() -> bool:
        return (await hub.told())[1:] == ["went_late", "went_stale", "went_offline"]

    await eventually(is_silent, within=120)
    assert await hub.bench.count(presence) == 1
