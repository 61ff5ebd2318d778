"""Connections that end beneath a service: replaced unseen where possible, else told as such."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from servicekit import database, rpc_server
from servicekit.database import Database, ReadSession
from tests.support.cluster import Infra

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


async def end_backends(infra: Infra, pool: Database) -> None:
    """End all server processes of the database, as a server that goes away does."""
    admin = await infra.cluster.postgres.connect()
    try:
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
            pool.engine.url.database,
        )
    finally:
        await admin.close()


async def test_connections_that_ended_are_replaced_and_nobody_notices(
    infra: Infra, pooled: Database
) -> None:
    await end_backends(infra, pooled)
    await asyncio.sleep(0.2)  # until the ends of the sockets have arrived
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
    before = await read_backend(pooled, 0)
    assert not asked
    monkeypatch.setattr(database, "_TRUSTED_SECONDS", -1)
    after = await read_backend(pooled, 0)
    assert asked
    assert after != before


async def test_a_connection_that_ends_within_a_statement_counts_as_out_of_reach(
    infra: Infra, pooled: Database
) -> None:
    running = asyncio.create_task(read_backend(pooled, 30))
    await asyncio.sleep(0.3)
    await end_backends(infra, pooled)
    with pytest.raises(exc.DBAPIError) as caught:
        await running
    assert rpc_server._is_out_of_reach(caught.value)


async def test_an_error_of_a_statement_is_not_out_of_reach(pooled: Database) -> None:
    async def divide(session: ReadSession) -> None:
        await session.scalar(sa.select(sa.literal(1) / sa.literal(0)))

    async with pooled.read() as session:
        with pytest.raises(exc.DBAPIError) as caught:
            await divide(session)
    assert not rpc_server._is_out_of_reach(caught.value)
