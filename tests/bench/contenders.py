"""Starts what is compared: Peyvand, Peyvand with tracing, and the peer monolith."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx
import psutil

from hubkit.databases import create_database
from peyvandctl.cluster import Cluster
from peyvandctl.processes import ManagedProcess, ProcessSpec, http_status
from peyvandctl.state import LOOPBACK, free_port
from tests.bench.load import REPOSITORY
from tests.support.cluster import fresh_home
from tests.support.http import PATIENCE_SECONDS

# The load comes from one caller, who would meet the limit at once; and what a machine that
# stands still for some seconds delays is slow, and not refused.
UNLIMITED = {
    "PEYVAND_RATE_LIMIT": "100000000",
    "PEYVAND_CALL_TIMEOUT": str(PATIENCE_SECONDS),
}

# What is known of a typical center.
CENTER: Mapping[str, Any] = {
    "names": {"fa": "مرکز جامع سلول‌های بنیادی تبریز", "en": "Tabriz Stem Cell Center"},
    "province": "IR-03",
    "city": {"fa": "تبریز", "en": "Tabriz"},
    "position": {"latitude": 38.08, "longitude": 46.29},
    "host_institution": {"fa": "دانشگاه علوم پزشکی تبریز"},
    "opened_date": {"value": "2025-04"},
    "contact": {"phones": ["+98 41 3334 0000"], "website": "https://center.example"},
}


@dataclass(frozen=True)
class Contender:
    """Something that answers for centers.

    `processes` are those that serve it, PostgreSQL and NATS apart; their ids are read
    anew each time, because a process may have been started again.
    """

    name: str
    url: str
    token: str
    processes: Callable[[], Sequence[int]]
    postgres: Callable[[], int]

    @property
    def headers(self) -> dict[str, str]:
        """Headers that each request carries."""
        return {"Authorization": f"Bearer {self.token}"}

    def cpu_seconds(self) -> float:
        """CPU time that its own processes have used."""
        return sum(cpu_seconds(pid) for pid in self.processes())

    def postgres_cpu_seconds(self) -> float:
        """CPU time that its database server has used, for all its databases."""
        return cpu_seconds(self.postgres())

    async def make_centers(self, count: int, prefix: str) -> list[str]:
        """Record centers and return their ids."""
        async with httpx.AsyncClient(
            base_url=self.url, headers=self.headers, timeout=PATIENCE_SECONDS
        ) as client:

            async def make(number: int) -> str:
                code = f"{prefix}-{number}"
                answer = await client.post(
                    "/v1/centers",
                    json={**CENTER, "code": code},
                    headers={"Idempotency-Key": code},
                )
                return answer.raise_for_status().json()["id"]

            return await asyncio.gather(*map(make, range(count)))


@contextlib.asynccontextmanager
async def cluster(
    services: Sequence[str], settings: Mapping[str, str] | None = None
) -> AsyncGenerator[Cluster]:
    """A network of its own, with no data in it."""
    with fresh_home() as home:
        async with Cluster(
            home.root, services=services, port=0, env=UNLIMITED | dict(settings or {})
        ) as running:
            yield running


def peyvand(running: Cluster, name: str = "peyvand") -> Contender:
    """Peyvand's gateway and centers, with the relay that runs within centers."""
    return Contender(
        name,
        running.gateway_url,
        running.token("hq_admin"),
        lambda: [running.process(part).pid for part in ("gateway", "centers")],
        lambda: running.process("postgres").pid,
    )


@contextlib.asynccontextmanager
async def monolith(beside: Cluster) -> AsyncGenerator[Contender]:
    """The peer, with a database on the PostgreSQL server of a cluster, and its NATS."""
    connection = await beside.postgres.connect()
    try:
        await create_database(connection, "monolith", owner="centers")
    finally:
        await connection.close()
    port = free_port()

    async def ready() -> bool:
        return await http_status(LOOPBACK, port, "/livez") == HTTPStatus.OK

    options = (
        *("--host", LOOPBACK, "--port", str(port), "--loop", "uvloop", "--http", "httptools"),
        *("--no-access-log", "--log-level", "warning"),
    )
    application = "tests.bench.peer_monolith.app:create_app"
    process = ManagedProcess(
        beside.home,
        ProcessSpec(
            "monolith",
            (sys.executable, "-m", "uvicorn", "--factory", application, *options),
            {
                **os.environ,
                "PYTHONPATH": str(REPOSITORY),
                "PEER_DATABASE_URL": beside.postgres.dsn("centers", "monolith"),
                **beside.nats.environment("platform"),
                "PEER_JWKS": str(beside.issuer.jwks),
            },
            beside.home.root,
            ready,
        ),
    )
    await process.start()
    try:
        yield Contender(
            "monolith",
            f"http://{LOOPBACK}:{port}",
            beside.token("hq_admin"),
            lambda: [process.pid],
            lambda: beside.process("postgres").pid,
        )
    finally:
        await process.stop()


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and its children, those that have ended included."""
    process = psutil.Process(pid)
    own = process.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = child.cpu_times()
            total += times.user + times.system
    return total
