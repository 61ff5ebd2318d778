"""The whole network is written to while its processes are killed, and nothing goes wrong.

The oracle that says so is tried as well: things are planted for it to find.
"""

import asyncio
import contextlib
import json
import os
import random
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import asyncpg
import httpx
import pytest
from sqlalchemy import make_url

from peyvandctl.cluster import Cluster
from servicekit.broker import Broker
from tests.chaos.blows import Blows
from tests.chaos.clients import Client, Ledger
from tests.chaos.oracle import SERVICES, Connections, judge
from tests.support.cluster import fresh_home, remove_abandoned_homes
from tests.support.messaging import eventually

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800)]

CLIENTS = 6
SETTLING_SECONDS = 120
# Of ids of all that clients make.
_KINDS = {"ctr", "ins", "agr", "act", "prj", "pln", "ind", "obs", "itm"}
# The center has not reached the other service yet, or is not one that projects may be at.
_EXPECTED_REFUSALS = ("UNKNOWN_CENTER", "CENTER_NOT_ACTIVE")


@dataclass
class Aftermath:
    """The network after a chaos run, with all that the oracle reads."""

    connections: Connections
    broker: Broker
    ledger: Ledger
    blows: Blows
    verdict: list[str]

    async def judge(self) -> list[str]:
        return await judge(self.connections, self.broker, self.ledger)


@pytest.fixture(scope="module")
async def aftermath(chaos_seconds: int) -> AsyncGenerator[Aftermath]:
    seed = int(os.environ.get("PEYVAND_CHAOS_SEED") or random.SystemRandom().getrandbits(32))
    sys.stdout.write(f"\nchaos: PEYVAND_CHAOS_SEED={seed}\n")
    await remove_abandoned_homes()
    with fresh_home() as home:
        limits = {"PEYVAND_RATE_LIMIT": "100000000"}
        async with Cluster(home.root, port=0, env=limits) as cluster:
            ledger, blows = Ledger(), Blows(cluster, random.Random(seed))
            await _run(cluster, ledger, blows, seed, chaos_seconds)
            async with contextlib.AsyncExitStack() as stack:
                connections = {name: await _connect(cluster, name, stack) for name in SERVICES}
                broker = await Broker.connect(cluster.nats.access, name="oracle")
                stack.push_async_callback(broker.close)
                verdict = await _settled(connections, broker, ledger)
                yield Aftermath(connections, broker, ledger, blows, verdict)


async def _run(cluster: Cluster, ledger: Ledger, blows: Blows, seed: int, seconds: int) -> None:
    done = asyncio.Event()
    headers = {"Authorization": f"Bearer {cluster.token('hq_admin')}"}
    async with httpx.AsyncClient(base_url=cluster.gateway_url, headers=headers, timeout=60) as http:
        writers = [
            asyncio.create_task(
                Client(http, ledger, f"C{number}", random.Random(seed + number)).work(done)
            )
            for number in range(CLIENTS)
        ]
        try:
            await blows.strike(seconds)
            # A slow machine may not have come to all by then.
            await eventually(lambda: _is_enough(ledger), within=SETTLING_SECONDS)
            done.set()
            await asyncio.wait_for(asyncio.gather(*writers), SETTLING_SECONDS)
        finally:
            for writer in writers:
                writer.cancel()
            await asyncio.gather(*writers, return_exceptions=True)


async def _is_enough(ledger: Ledger) -> bool:
    """Whether there is something of each kind, and a center with a history, to plant faults in."""
    kinds = {write.id.partition("_")[0] for write in ledger.acknowledged}
    stepped = any(write.version > 1 for write in ledger.acknowledged if write.service == "centers")
    return stepped and kinds >= _KINDS


async def _connect(
    cluster: Cluster, service: str, stack: contextlib.AsyncExitStack
) -> asyncpg.Connection:
    url = make_url(cluster.postgres.dsn(service)).set(drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    stack.push_async_callback(connection.close)
    return connection


async def _settled(connections: Connections, broker: Broker, ledger: Ledger) -> list[str]:
    """The verdict once it is good, or the last one when what is wrong does not pass."""
    wrong = await judge(connections, broker, ledger)
    for _ in range(SETTLING_SECONDS):
        if not wrong:
            break
        await asyncio.sleep(1)
        wrong = await judge(connections, broker, ledger)
    return wrong


def test_every_process_was_killed_under_load(aftermath: Aftermath) -> None:
    assert set(aftermath.blows.kills) == {
        *("postgres", "nats", "gateway", "centers", "partners", "projects", "observatory"),
        "registrar",
    }
    for service in SERVICES:
        assert any(write.service == service for write in aftermath.ledger.acknowledged)
    assert aftermath.ledger.sent_again.total() > 0


def test_nothing_is_lost_nothing_is_done_twice_and_the_order_is_kept(aftermath: Aftermath) -> None:
    assert aftermath.verdict == []


def test_clients_meet_outages_and_no_other_errors(aftermath: Aftermath) -> None:
    assert [
        refusal
        for refusal in aftermath.ledger.refused
        if not any(reason in refusal for reason in _EXPECTED_REFUSALS)
    ] == []


# What is planted, in which service's database, and what the oracle then says.
_PLANTS = {
    "an event is lost from the timeline": (
        "observatory",
        "DELETE FROM timeline WHERE ctid = (SELECT max(ctid) FROM timeline)",
        "timeline: event",
        "is lost",
    ),
    "an event is twice in the timeline": (
        "observatory",
        """
        CREATE TEMPORARY TABLE doubled AS SELECT * FROM timeline WHERE stream = 'EVT_CENTERS'
        ORDER BY stream_seq LIMIT 1;
        UPDATE doubled SET stream_seq = 1000000000;
        INSERT INTO timeline SELECT * FROM doubled
        """,
        "timeline: event",
        "is there 2 times",
    ),
    "two events of an aggregate change places": (
        "observatory",
        "UPDATE timeline SET stream_seq = -stream_seq WHERE stream = 'EVT_CENTERS'",
        "timeline: ctr_",
        "goes from",
    ),
    "an acknowledged write is gone": (
        "centers",
        "DELETE FROM step WHERE ctid = (SELECT max(ctid) FROM step)",
        "acknowledged write",
        "is there 0 times",
    ),
    "a key acted twice": (
        "partners",
        """
        INSERT INTO institution
        SELECT (jsonb_populate_record(known, '{"id": "ins_second"}')).* FROM institution known
        LIMIT 1
        """,
        "made 2 resources",
        "partners: key",
    ),
    "a key made two agreements": (
        "partners",
        """
        INSERT INTO agreement
        SELECT (jsonb_populate_record(known, '{"id": "agr_second"}')).* FROM agreement known
        LIMIT 1
        """,
        "made 2 resources",
        "partners: key",
    ),
    "a committed event of an activity is gone from the outbox": (
        "partners",
        """
        DELETE FROM outbox WHERE seq = (
            SELECT max(seq) FROM outbox WHERE aggregate_id LIKE 'act%'
        )
        """,
        "its events tell",
        "act_",
    ),
    "an acknowledged write of an action item is gone": (
        "observatory",
        """
        DELETE FROM step WHERE ctid = (SELECT max(ctid) FROM step WHERE aggregate_id LIKE 'itm%')
        """,
        "observatory: acknowledged write itm_",
        "is there 0 times",
    ),
    "a plan is written to without an event": (
        "observatory",
        "UPDATE plan SET version = version + 1 WHERE ctid = (SELECT max(ctid) FROM plan)",
        "observatory: pln_",
        "its events tell",
    ),
    "an observation is missing from the records": (
        "observatory",
        "DELETE FROM record WHERE id = (SELECT max(id) FROM record WHERE id LIKE 'obs%')",
        "records: obs_",
        "is missing",
    ),
    "an event of the observatory is lost from its own timeline": (
        "observatory",
        """
        DELETE FROM timeline WHERE ctid = (
            SELECT max(ctid) FROM timeline WHERE stream = 'EVT_OBSERVATORY'
        )
        """,
        "observatory: timeline: event",
        "is lost",
    ),
    "a copy of an agreement is old": (
        "projects",
        """
        UPDATE known_agreement SET version = 0
        WHERE ctid = (SELECT max(ctid) FROM known_agreement)
        """,
        "copies: agr_",
        "projects knows",
    ),
    "a committed event is gone from the outbox": (
        "projects",
        "DELETE FROM outbox WHERE seq = (SELECT max(seq) FROM outbox)",
        "its events tell",
        "prj_",
    ),
    "an event in the stream differs from the recorded one": (
        "centers",
        "UPDATE outbox SET payload = payload || '\\x00' WHERE seq = (SELECT max(seq) FROM outbox)",
        "is another one in the stream",
        "centers: event",
    ),
    "a record shows an old state": (
        "centers",
        "UPDATE center SET state = 'closed' WHERE ctid = (SELECT max(ctid) FROM center)",
        "records: ctr_",
        "'closed'",
    ),
    "a copy is old": (
        "projects",
        "UPDATE known_center SET version = 0 WHERE ctid = (SELECT max(ctid) FROM known_center)",
        "copies: ctr_",
        "projects knows",
    ),
    "a center is not known": (
        "partners",
        "DELETE FROM known_center WHERE ctid = (SELECT max(ctid) FROM known_center)",
        "copies: ctr_",
        "partners knows None",
    ),
}


@pytest.mark.parametrize("plant", _PLANTS.values(), ids=_PLANTS.keys())
async def test_the_oracle_finds_what_is_planted_in_a_database(
    aftermath: Aftermath, plant: tuple[str, str, str, str]
) -> None:
    service, statement, *words = plant
    async with _undone(aftermath.connections[service]):
        await aftermath.connections[service].execute(statement)
        verdict = await aftermath.judge()
    assert [sentence for sentence in verdict if all(word in sentence for word in words)]


async def test_what_was_planted_in_the_databases_is_undone(aftermath: Aftermath) -> None:
    # Before what touches the streams, which is not undone for those who have read it.
    assert await aftermath.judge() == []


@pytest.mark.parametrize("service", SERVICES)
async def test_the_oracle_finds_an_event_that_is_twice_in_a_stream(
    aftermath: Aftermath, service: str
) -> None:
    row = await aftermath.connections[service].fetchrow(
        "SELECT subject, headers, payload FROM outbox ORDER BY seq LIMIT 1"
    )
    assert row is not None
    jetstream = aftermath.broker.jetstream
    headers = json.loads(row["headers"])
    acknowledged = await jetstream.publish(row["subject"], row["payload"], headers=headers)
    try:
        verdict = await aftermath.judge()
    finally:
        await jetstream.delete_msg(acknowledged.stream, acknowledged.seq)
    found = f"{service}: stream: event"
    assert [line for line in verdict if found in line and "is there 2 times" in line]


@pytest.mark.parametrize("service", SERVICES)
async def test_the_oracle_finds_an_event_that_a_stream_has_lost(
    aftermath: Aftermath, service: str
) -> None:
    # The last test here: nothing puts a single message back.
    await aftermath.broker.jetstream.delete_msg(f"EVT_{service.upper()}", 1)
    verdict = await aftermath.judge()
    found = f"{service}: stream: event"
    assert [line for line in verdict if found in line and "is lost" in line]


@contextlib.asynccontextmanager
async def _undone(connection: asyncpg.Connection) -> AsyncGenerator[None]:
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    finally:
        await transaction.rollback()
