"""Reads and writes of a center: Peyvand beside the plain monolith, in one run.

The contenders take turns within each round, and each round turns the order around, so
that what else happens on the machine meets all of them. What is told is the median of
the rounds.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from tests.bench.contenders import CENTER, Contender, cluster, monolith, peyvand
from tests.bench.load import Load, Result, run
from tests.support.collector import TraceCollector

TRACED_SHARE = 0.1

Work = Literal["read", "write"]


@dataclass(frozen=True)
class Plan:
    """How much is measured: rounds of `seconds` for each contender and kind of work."""

    rounds: int = 4
    seconds: float = 2.5
    warm_up: float = 1.0
    connections: int = 16
    centers: int = 200


@dataclass(frozen=True)
class Figures:
    """Medians for one contender and one kind of work; times in milliseconds.

    `cpu` is the CPU time of its own processes for each request, `postgres_cpu` that of
    the database server.
    """

    contender: str
    work: Work
    rate: float
    p50: float
    p99: float
    cpu: float
    postgres_cpu: float
    failed: int


@dataclass(frozen=True)
class _Round:
    result: Result
    cpu: float
    postgres_cpu: float


async def compare(plan: Plan) -> list[Figures]:
    """Run the comparison and return its figures, the first contender's first."""
    async with contextlib.AsyncExitStack() as stack:
        collector = await stack.enter_async_context(TraceCollector())
        tracing = {
            "PEYVAND_OTLP_ENDPOINT": collector.endpoint,
            "PEYVAND_TRACE_RATIO": str(TRACED_SHARE),
        }
        services = ["centers", "gateway"]
        plain = await stack.enter_async_context(cluster(services))
        traced = await stack.enter_async_context(cluster(services, tracing))
        contenders = [
            peyvand(plain),
            await stack.enter_async_context(monolith(plain)),
            peyvand(traced, "peyvand, traced"),
        ]
        return [
            *await _measure(contenders, "read", plan),
            *await _measure(contenders, "write", plan),
        ]


async def _measure(contenders: Sequence[Contender], work: Work, plan: Plan) -> list[Figures]:
    ids = {
        contender.name: await contender.make_centers(plan.centers if work == "read" else 1, "READ")
        for contender in contenders
        if work == "read"
    }
    rounds: dict[str, list[_Round]] = {contender.name: [] for contender in contenders}
    for number in range(-1, plan.rounds):
        seconds = plan.warm_up if number < 0 else plan.seconds
        for contender in contenders if number % 2 else reversed(contenders):
            load = Load(
                url=contender.url,
                headers=contender.headers,
                seconds=seconds,
                connections=plan.connections,
                paths=[f"/v1/centers/{id}" for id in ids.get(contender.name, [])],
                path="/v1/centers",
                body=CENTER,
                prefix=f"W{number + 1}",
            )
            measured = await _one(contender, load)
            if number >= 0:
                rounds[contender.name].append(measured)
    return [_figures(name, work, measured) for name, measured in rounds.items()]


async def _one(contender: Contender, load: Load) -> _Round:
    # What the last load left to be published belongs to the last one.
    await asyncio.sleep(0.7)
    cpu, postgres_cpu = contender.cpu_seconds(), contender.postgres_cpu_seconds()
    result = await run(load)
    await asyncio.sleep(0.7)
    return _Round(
        result,
        contender.cpu_seconds() - cpu,
        contender.postgres_cpu_seconds() - postgres_cpu,
    )


def _figures(name: str, work: Work, rounds: Sequence[_Round]) -> Figures:
    def per_request(seconds: float, result: Result) -> float:
        return seconds / max(result.answered, 1) * 1000

    return Figures(
        contender=name,
        work=work,
        rate=median(one.result.rate for one in rounds),
        p50=median(one.result.p50 for one in rounds),
        p99=median(one.result.p99 for one in rounds),
        cpu=median(per_request(one.cpu, one.result) for one in rounds),
        postgres_cpu=median(per_request(one.postgres_cpu, one.result) for one in rounds),
        failed=sum(one.result.answered - one.result.good for one in rounds),
    )
