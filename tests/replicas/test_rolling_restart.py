"""Every process is replaced while the network is written to and read, and nobody notices."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil
import pytest

from hubkit.topology import GATEWAY
from tests.chaos.clients import Client
from tests.replicas.pair import connected
from tests.replicas.readers import Follower, Read, read_on
from tests.support.messaging import eventually
from tests.support.written import DATABASES

if TYPE_CHECKING:
    from tests.replicas.pair import Pair

pytestmark = pytest.mark.timeout(1800)

WRITERS, READERS = 4, 4


@dataclass
class Rolled:
    """What was seen while all was replaced."""

    replaced: list[str]
    sent_again: Counter[str]
    refused: dict[str, int]
    acknowledged: int
    read: Read
    follower: Follower
    seconds: float


@pytest.fixture(scope="module")
async def rolled(pair: Pair, rolling_seconds: int) -> Rolled:
    done, ledger, read = asyncio.Event(), pair.ledger, Read()
    before = ledger.sent_again.copy(), dict(ledger.refused), len(ledger.acknowledged)
    head = (await pair.http.get("/v1/events", params={"page_size": 1})).json()["head_cursor"]
    # After the cursor was asked for: the follower sees all that was recorded since.
    begun = time.monotonic()
    follower = Follower(pair.http, head)
    following = asyncio.create_task(follower.follow())
    working = [
        *(
            asyncio.create_task(
                Client(pair.http, ledger, f"ROLL{number}", random.Random(number)).work(done)
            )
            for number in range(WRITERS)
        ),
        *(asyncio.create_task(read_on(pair.http, read, done, first)) for first in range(READERS)),
    ]
    replaced: list[str] = []
    try:
        while not replaced or time.monotonic() - begun < rolling_seconds:
            for replica in pair.cluster.replicas:
                await pair.cluster.process(replica.name).restart()
                await taken_up(pair, replica.name)
                replaced.append(replica.name)
        done.set()
        await asyncio.wait_for(asyncio.gather(*working), 60)
        told = await told_since(pair, begun)
        await eventually(lambda: _nothing(follower.missing(told)), within=60)
    finally:
        for task in (*working, following):
            task.cancel()
        await asyncio.gather(*working, following, return_exceptions=True)
    return Rolled(
        replaced,
        ledger.sent_again - before[0],
        {
            reason: count - before[1].get(reason, 0)
            for reason, count in ledger.refused.items()
            if count > before[1].get(reason, 0)
        },
        len(ledger.acknowledged) - before[2],
        read,
        follower,
        time.monotonic() - begun,
    )


async def taken_up(pair: Pair, name: str) -> None:
    """Wait until those who call a process that was replaced have it again.

    An orchestrator waits for a while between one pod and the next for the same reason.
    """
    process = pair.cluster.process(name)
    service = name.partition("-")[0]
    if service == GATEWAY:
        url = pair.cluster.gateway_urls[pair.cluster.names(GATEWAY).index(name)]
        await eventually(lambda: _is(url in pair.balancer.ready), within=60)
        return

    async def answers() -> bool:
        callers = {psutil.Process(pair.cluster.process(each).pid) for each in gateways}
        port = int(process.spec.env["PEYVAND_LISTEN"].rpartition(":")[2])
        reached = [
            any(
                link.status == psutil.CONN_ESTABLISHED and link.raddr and link.raddr.port == port
                for link in caller.net_connections("tcp")
            )
            for caller in callers
        ]
        return all(reached) and await pair.metric(name, "peyvand_rpc_duration_seconds_count") > 0

    gateways = pair.cluster.names(GATEWAY)
    if service in DATABASES:
        await eventually(answers, within=60)


async def _is(condition: bool) -> bool:
    return condition


async def _nothing(found: object) -> bool:
    return not found


async def told_since(pair: Pair, begun: float) -> list[str]:
    """Ids of the events of the services since then, as their outboxes say."""
    age = time.monotonic() - begun
    found: list[str] = []
    for service in DATABASES:
        async with connected(pair.cluster, service) as connection:
            rows = await connection.fetch(
                "SELECT event_id FROM outbox WHERE recorded_at > now() - make_interval(secs => $1)",
                age,
            )
        found += [str(row["event_id"]) for row in rows]
    return found


def test_every_process_was_replaced_under_load(pair: Pair, rolled: Rolled) -> None:
    assert set(rolled.replaced) == {replica.name for replica in pair.cluster.replicas}
    assert rolled.acknowledged > 100
    assert rolled.read.answered > 100
    assert all(pair.balancer.carried[url] > 100 for url in pair.cluster.gateway_urls)


def test_no_request_failed(rolled: Rolled) -> None:
    assert rolled.read.failed == []
    # The writers of the chaos tests send again what failed; here they never had to.
    assert not rolled.sent_again
    expected = ("UNKNOWN_CENTER", "CENTER_NOT_ACTIVE")
    assert [r for r in rolled.refused if not any(reason in r for reason in expected)] == []


def test_a_stream_that_is_cut_goes_on_and_shows_each_event_once(rolled: Rolled) -> None:
    assert rolled.follower.failed == []
    assert rolled.follower.cut_off > 0
    assert len(rolled.follower.seen) == len(set(rolled.follower.seen))


async def test_no_event_is_lost_doubled_or_out_of_order(pair: Pair, rolled: Rolled) -> None:
    assert await pair.verdict() == []
