"""A database and a broker of its own for each test of messaging."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from peyvandctl.nats import NatsServer
from peyvandctl.processes import ManagedProcess
from servicekit.broker import Broker
from tests.support.cluster import Infra
from tests.support.messaging import declare, make_database


@dataclass
class Bench:
    """What a test of messaging works on."""

    url: str
    engine: AsyncEngine
    broker: Broker
    nats: NatsServer
    nats_process: ManagedProcess


@pytest.fixture
async def bench(infra: Infra) -> AsyncIterator[Bench]:
    url = await infra.fresh_database("centers")
    engine = await make_database(url)
    async with infra.fresh_nats() as (nats, process):
        broker = await Broker.connect(nats.access, name="test")
        await declare(broker)
        yield Bench(url, engine, broker, nats, process)
        await broker.close()
    await engine.dispose()
    await infra.drop_database(url)
