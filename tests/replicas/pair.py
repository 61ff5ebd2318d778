"""The network with two processes of every service, and all that tests ask of it."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import asyncpg
import httpx
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import make_url

from peyvandctl.cluster import Cluster
from servicekit.broker import Broker
from tests.chaos.clients import Ledger
from tests.chaos.oracle import SERVICES, judge
from tests.support.balancer import Balancer
from tests.support.cluster import fresh_home, remove_abandoned_homes
from tests.support.http import client

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

SETTLING_SECONDS = 60


@dataclass
class Pair:
    """Two of each.

    Attributes:
        cluster: what runs.
        balancer: what stands before the gateways.
        http: a client of the headquarters that comes through the balancer.
        at: clients of the headquarters at each of the gateways.
        ledger: what was asked of the network, by any test; the oracle has to know it all.
    """

    cluster: Cluster
    balancer: Balancer
    http: httpx.AsyncClient
    at: list[httpx.AsyncClient]
    ledger: Ledger = field(default_factory=Ledger)

    async def metric(self, process: str, name: str, **labels: str) -> float:
        """Sum of the samples of this name and these labels that a process tells; else 0."""
        async with client(self.cluster.metrics_url(process)) as http:
            page = await http.get("/metrics")
        return sum(
            sample.value
            for family in text_string_to_metric_families(page.text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    async def create_center(self, code: str, **values: Any) -> dict[str, Any]:
        """Record a center, with its code as the key."""
        self.ledger.asked.add(code)
        center = {"code": code, "names": {"en": f"Center {code}"}, "province": "IR-03", **values}
        answer = await self.http.post("/v1/centers", json=center, headers={"Idempotency-Key": code})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def verdict(self) -> list[str]:
        """What the oracle says once it is content, or at last when what is wrong stays."""
        async with contextlib.AsyncExitStack() as stack:
            connections: Mapping[str, asyncpg.Connection] = {
                name: await stack.enter_async_context(connected(self.cluster, name))
                for name in (*SERVICES, "observatory")
            }
            broker = await Broker.connect(self.cluster.nats.access, name="oracle")
            stack.push_async_callback(broker.close)
            wrong = await judge(connections, broker, self.ledger)
            for _ in range(SETTLING_SECONDS):
                if not wrong:
                    break
                await asyncio.sleep(1)
                wrong = await judge(connections, broker, self.ledger)
            return wrong


@contextlib.asynccontextmanager
async def connected(cluster: Cluster, service: str) -> AsyncGenerator[asyncpg.Connection]:
    """Connect to the database of a service, as the service."""
    url = make_url(cluster.postgres.dsn(service)).set(drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    try:
        yield connection
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def two_of_each() -> AsyncGenerator[Pair]:
    """Run the network with two of each."""
    await remove_abandoned_homes()
    settings = {
        "PEYVAND_RATE_LIMIT": "100000000",
        # Longer than the balancer needs to hear, also on a machine that is busy.
        "PEYVAND_LINGER_SECONDS": "3",
        # What is long under way there gets its time too.
        "PEYVAND_DRAIN_SECONDS": "60",
        # No request may fail here because the machine stood still for some seconds. Shorter
        # than the database is away: what hangs is given up then.
        "PEYVAND_CALL_TIMEOUT": "15",
    }
    async with contextlib.AsyncExitStack() as stack:
        home = stack.enter_context(fresh_home())
        cluster = await stack.enter_async_context(
            Cluster(home.root, port=0, replicas=2, env=settings)
        )
        balancer = await stack.enter_async_context(Balancer.before(cluster.gateway_urls))
        headers = {"Authorization": f"Bearer {cluster.token('hq_admin')}"}
        http = await stack.enter_async_context(
            httpx.AsyncClient(
                transport=balancer, base_url="http://hub.example", headers=headers, timeout=60
            )
        )
        at = [
            await stack.enter_async_context(
                httpx.AsyncClient(base_url=url, headers=headers, timeout=60)
            )
            for url in cluster.gateway_urls
        ]
        yield Pair(cluster, balancer, http, at)
