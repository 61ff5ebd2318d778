"""Connections that end beneath a service: replaced unseen where possible, else told as such."""

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator
from typing import Any

import psutil
import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from servicekit import database
from servicekit.database import Database, WriteSession
from servicekit.delivery import is_transient
from tests.support.cluster import Infra
from tests.support.messaging import eventually

CONNECTIONS = 5


@pytest.fixture
async def pooled(infra: Infra) -> AsyncGenerator[Database]:
    """A database with several idle connections in its pool."""
    url = await infra.fresh_database("centers")
    pool = Database(url, pool=CONNECTIONS)
    await asyncio.gather(*(read_backend(pool) for _ in range(CONNECTIONS)))
    yield pool
    await pool.close()
    await infra.drop_database(url)


async def read_backend(pool: Database, seconds: float = 0.1) -> int:
    """Hold a connection for a moment and return the id of its server process."""
    async with pool.read() as session:
        await session.scalar(sa.select(sa.func.pg_sleep(seconds)))
        return await session.scalar(sa.select(sa.func.pg_backend_pid()))


def have_ended(backends: list[int]) -> bool:
    """Tell whether these processes are gone, and so the ends of their sockets here."""
    return not any(psutil.pid_exists(backend) for backend in backends)


def hold_up_the_loop(backends: list[int]) -> None:
    until = time.monotonic() + 60
    while not have_ended(backends):
        assert time.monotonic() < until
        time.sleep(0.02)


async def end_backends(infra: Infra, pool: Database) -> list[int]:
    """End all server processes of the database, as a server that goes away does."""
    admin = await infra.cluster.postgres.connect()
    try:
        ended = await admin.fetch(
            "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
            pool.engine.url.database,
        )
        return [row["pid"] for row in ended]
    finally:
        await admin.close()


async def sleeps(infra: Infra, pool: Database) -> bool:
    """Tell whether the server is within a statement that sleeps."""
    admin = await infra.cluster.postgres.connect()
    try:
        found = await admin.fetchval(
            "SELECT EXISTS (SELECT FROM pg_stat_activity"
            " WHERE datname = $1 AND wait_event = 'PgSleep')",
            pool.engine.url.database,
        )
        return bool(found)
    finally:
        await admin.close()


async def test_connections_that_ended_are_replaced_and_nobody_notices(
    infra: Infra, pooled: Database
) -> None:
    ended = await end_backends(infra, pooled)
    await eventually(lambda: asyncio.to_thread(have_ended, ended), within=60)
    await asyncio.sleep(0.1)  # the loop hears of the ends
    backends = await asyncio.gather(*(read_backend(pooled) for _ in range(CONNECTIONS)))
    assert len(set(backends)) == CONNECTIONS


async def test_a_connection_that_was_idle_for_long_is_asked_before_it_is_used(
    infra: Infra, pooled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    dialect = pooled.engine.sync_engine.dialect
    do_ping = dialect.do_ping

    def cut(connection: Any) -> bool:
        asked.append(connection)
        if len(asked) == 1:
            raise ConnectionResetError
        return do_ping(connection)

    monkeypatch.setattr(dialect, "do_ping", cut)
    monkeypatch.setattr(database, "_TRUSTED_SECONDS", 3600)
    before = await read_backend(pooled, 0)
    assert not asked
    monkeypatch.setattr(database, "_TRUSTED_SECONDS", -1)
    after = await read_backend(pooled, 0)
    assert asked
    assert after != before


async def test_a_connection_that_ends_within_a_statement_is_an_outage(
    infra: Infra, pooled: Database
) -> None:
    running = asyncio.create_task(read_backend(pooled, 300))
    await eventually(lambda: sleeps(infra, pooled), within=60)
    await end_backends(infra, pooled)
    with pytest.raises(exc.DBAPIError) as caught:
        await running
    assert is_transient(caught.value)


async def test_a_connection_that_ends_between_two_statements_is_an_outage(
    infra: Infra, pooled: Database
) -> None:
    async def work(session: WriteSession) -> None:
        await session.scalar(sa.select(sa.literal(1)))
        ended = await end_backends(infra, pooled)
        hold_up_the_loop(ended)  # so that the news of the end waits in the socket
        await session.scalar(sa.select(sa.literal(2)))

    for _ in range(CONNECTIONS):
        with pytest.raises(exc.DBAPIError) as caught:
            await pooled.write(work)
        assert is_transient(caught.value), caught.value


async def test_a_process_that_hangs_within_a_transaction_loses_its_locks(pooled: Database) -> None:
    async with pooled.read() as session:
        setting = sa.func.current_setting("idle_in_transaction_session_timeout")
        assert await session.scalar(sa.select(setting)) == "1min"


@pytest.mark.parametrize(
    "value",
    [sa.literal(1) / sa.literal(0), sa.literal(2**63, sa.BigInteger), sa.literal("\ud800")],
    ids=["refused by the server", "too great for the driver", "no text for the driver"],
)
async def test_an_error_of_a_statement_is_no_outage(
    pooled: Database, value: sa.ColumnElement[Any]
) -> None:
    async with pooled.read() as session:
        with pytest.raises(exc.DBAPIError) as caught:
            await session.scalar(sa.select(value))
    assert not is_transient(caught.value)


async def test_what_people_entered_is_not_told_with_a_failed_statement(pooled: Database) -> None:
    async with pooled.read() as session:
        with pytest.raises(exc.DBAPIError) as caught:
            await session.scalar(sa.select(sa.literal("Kept in confidence").cast(sa.Integer)))
    # The server's own sentence names the value that it refuses; ours does not repeat it.
    assert "parameters hidden" in str(caught.value)


async def test_a_snapshot_sees_what_its_first_statement_saw_and_writes_nothing(
    pooled: Database,
) -> None:
    table = sa.Table(f"seen_{secrets.token_hex(4)}", sa.MetaData(), sa.Column("n", sa.Integer))
    count = sa.select(sa.func.count()).select_from(table)
    async with pooled.engine.begin() as connection:
        await connection.run_sync(table.create)
    async with pooled.snapshot() as session:
        assert await session.scalar(count) == 0
        async with pooled.engine.begin() as connection:
            await connection.execute(sa.insert(table).values(n=1))
        assert await session.scalar(count) == 0
        async with pooled.read() as other:
            assert await other.scalar(count) == 1
        with pytest.raises(exc.DBAPIError, match="read-only"):
            await session._connection.execute(sa.insert(table).values(n=2))
    # The connection comes back as one that reads and writes.
    async with pooled.engine.begin() as connection:
        await connection.run_sync(table.drop)
