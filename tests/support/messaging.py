"""A small service to test messaging with: things with versions, and what was seen of them.

``python -m tests.support.messaging ROLE DATABASE_URL`` runs one role of it as a
process that a test can kill.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import uuid
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa
from nats.js.api import AckPolicy, ConsumerConfig
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from servicekit.broker import DEAD_LETTERS, Broker, StreamSpec, event_stream
from servicekit.effects import EffectConsumer
from servicekit.messaging_tables import messaging_tables
from servicekit.outbox import Event, record
from servicekit.projector import Projector
from servicekit.pull import PullReader
from servicekit.relay import Relay
from servicekit.settings import ServiceSettings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from peyvandctl.nats import NatsServer
    from servicekit.delivery import Delivery

STREAM = event_stream("things")
METADATA = sa.MetaData()
TABLES = messaging_tables(METADATA)
THING = sa.Table(
    "thing",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
)
# What consumers saw, in the order in which they saw it.
SEEN = sa.Table(
    "seen",
    METADATA,
    sa.Column("place", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("event_id", sa.Uuid, nullable=False),
    sa.Column("aggregate_id", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("stream_seq", sa.BigInteger, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
)


@dataclass(frozen=True)
class Stored:
    """A message as it lies in a stream."""

    sequence: int
    subject: str
    headers: dict[str, str]
    payload: bytes


def thing_event(thing: str, version: int, payload: bytes = b"") -> Event:
    return Event(
        type="peyvand.things.v1.thing.changed",
        subject=f"evt.things.thing.changed.{thing}",
        aggregate_id=thing,
        aggregate_version=version,
        payload=payload or f"{thing}@{version}".encode(),
    )


async def change(
    engine: AsyncEngine,
    thing: str,
    *,
    payload: bytes = b"",
    before_commit: Callable[[], Awaitable[object]] | None = None,
) -> Event:
    """Change a thing in one transaction, with its event."""
    async with engine.begin() as connection:
        version = (
            await connection.execute(
                sa.text(
                    "INSERT INTO thing VALUES (:id, 1) ON CONFLICT (id)"
                    " DO UPDATE SET version = thing.version + 1 RETURNING version"
                ),
                {"id": thing},
            )
        ).scalar_one()
        event = thing_event(thing, version, payload)
        await record(connection, [event])
        if before_commit is not None:
            await before_commit()
    return event


async def change_many(engine: AsyncEngine, *, things: int, times: int) -> None:
    """Change each of ``things`` things ``times`` times, all things at once."""

    async def one(thing: str) -> None:
        for number in range(times):
            pause = partial(asyncio.sleep, 0.003 * (number % 3))
            await change(engine, thing, before_commit=pause)

    await asyncio.gather(*(one(f"t{number}") for number in range(things)))


async def make_database(url: str) -> AsyncEngine:
    engine = create_async_engine(url, pool_size=12, max_overflow=0, pool_pre_ping=True)
    async with engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    return engine


async def read_stream(broker: Broker, stream: str = STREAM.name) -> list[Stored]:
    """Return all messages of a stream."""
    consumer = await broker.jetstream.add_consumer(
        stream, ConsumerConfig(ack_policy=AckPolicy.NONE, mem_storage=True, inactive_threshold=300)
    )
    found: list[Stored] = []
    pending = consumer.num_pending or 0
    async with PullReader(broker, stream, consumer.name or "", batch=500) as reader:
        while len(found) < pending:
            found += [
                Stored(m.metadata.sequence.stream, m.subject, dict(m.headers or {}), m.data)
                for m in await reader.next_batch()
            ]
    return found


async def eventually(condition: Callable[[], Awaitable[bool]], *, within: float = 60.0) -> None:
    """Wait until ``condition`` holds; errors on the way count as not yet."""
    async with asyncio.timeout(within):
        while True:
            with contextlib.suppress(Exception):
                if await condition():
                    return
            await asyncio.sleep(0.03)


async def count(engine: AsyncEngine, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
    async with engine.connect() as connection:
        query = sa.select(sa.func.count()).select_from(table).where(*where)
        return (await connection.execute(query)).scalar_one()


async def all_published(engine: AsyncEngine, *, within: float = 60.0) -> None:
    async def none_left() -> bool:
        return await count(engine, TABLES.outbox, TABLES.outbox.c.published_at.is_(None)) == 0

    await eventually(none_left, within=within)


async def outbox_ids(engine: AsyncEngine) -> list[str]:
    """Ids of all events, in the order of the sequences that the outbox knows."""
    async with engine.connect() as connection:
        query = sa.select(TABLES.outbox.c.event_id).order_by(TABLES.outbox.c.stream_seq)
        return [str(event_id) for event_id in (await connection.execute(query)).scalars()]


async def seen(engine: AsyncEngine) -> list[sa.Row[tuple[object, ...]]]:
    async with engine.connect() as connection:
        return list((await connection.execute(sa.select(SEEN).order_by(SEEN.c.place))).all())


def assert_in_order(pairs: Sequence[tuple[str, int]]) -> None:
    """Each aggregate's versions come as 1, 2, 3, … with none missing and none twice."""
    versions: dict[str, list[int]] = {}
    for aggregate, version in pairs:
        versions.setdefault(aggregate, []).append(version)
    for aggregate, found in versions.items():
        assert found == list(range(1, len(found) + 1)), aggregate


async def cut_connections(engine: AsyncEngine, name: str) -> int:
    """End the connections of this database whose application name begins with ``name``."""
    async with engine.connect() as connection:
        cut = await connection.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ="
                " current_database() AND pid <> pg_backend_pid()"
                " AND application_name LIKE :name || '%'"
            ),
            {"name": name},
        )
        return len(cut.all())


async def see(connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
    """Note what was delivered; a payload ``poison`` cannot be digested."""
    for delivery in deliveries:
        if delivery.payload == b"poison":
            raise ValueError(f"cannot digest {delivery.aggregate_id}")
    await connection.execute(
        sa.insert(SEEN),
        [
            {
                "event_id": delivery.event_id,
                "aggregate_id": delivery.aggregate_id,
                "version": delivery.aggregate_version,
                "stream_seq": delivery.stream_seq,
                "payload": delivery.payload,
            }
            for delivery in deliveries
        ],
    )


class SeenProjection:
    """A read model of everything that was seen."""

    name = "seen"
    streams = (STREAM.name,)

    async def apply(self, connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
        await see(connection, deliveries)

    async def truncate(self, connection: AsyncConnection) -> None:
        await connection.execute(sa.text("TRUNCATE seen RESTART IDENTITY"))


def make_relay(
    broker: Broker,
    url: str,
    *,
    spec: StreamSpec = STREAM,
    window: int = 100,
    safety_poll: float = 1.0,
    check_interval: float = 0.3,
) -> Relay:
    """Make a relay that looks after its stream often, so that tests of mending are short."""
    return Relay(
        broker=broker,
        database_url=url,
        stream=spec,
        window=window,
        safety_poll=safety_poll,
        check_interval=check_interval,
        ack_timeout=2.0,
    )


def make_effects(broker: Broker, engine: AsyncEngine) -> EffectConsumer:
    return EffectConsumer(
        name="things-effects",
        stream=STREAM.name,
        broker=broker,
        engine=engine,
        handle=see,
        batch=50,
        ack_wait=1.0,
    )


def make_projector(broker: Broker, engine: AsyncEngine, url: str) -> Projector:
    return Projector(
        projection=SeenProjection(), broker=broker, engine=engine, database_url=url, batch=50
    )


@contextlib.asynccontextmanager
async def running(*parts: Relay | EffectConsumer | Projector) -> AsyncGenerator[None]:
    for part in parts:
        await part.start()
    try:
        yield
    finally:
        for part in reversed(parts):
            await part.stop()


class Child:
    """One role in a process of its own."""

    def __init__(self, role: str, database_url: str, nats: NatsServer) -> None:
        self._arguments = ("-m", "tests.support.messaging", role, database_url)
        self._environment = os.environ | nats.environment("platform")
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, *self._arguments, env=self._environment
        )

    async def kill(self) -> None:
        """End it with SIGKILL."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)
            await self._process.wait()

    async def __aenter__(self) -> Child:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()


async def _run(role: str, database_url: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    broker = await Broker.connect(
        ServiceSettings.from_environment().broker, name=f"test {role} {uuid.uuid4()}"
    )
    engine = create_async_engine(database_url, pool_pre_ping=True)
    parts = {
        "relay": lambda: make_relay(broker, database_url),
        "effects": lambda: make_effects(broker, engine),
        "projector": lambda: make_projector(broker, engine, database_url),
    }
    async with running(parts[role]()):
        await stop.wait()
    await broker.close()
    await engine.dispose()


async def declare(broker: Broker) -> None:
    await broker.declare_all([STREAM, DEAD_LETTERS])


if __name__ == "__main__":
    asyncio.run(_run(*sys.argv[1:3]))
