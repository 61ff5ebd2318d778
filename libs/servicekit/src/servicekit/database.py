"""PostgreSQL: sessions that only read, sessions that write, and the one place that commits.

The two are distinct types, so that a function that writes cannot be given a
session that reads. A write collects its events and stores them in the outbox as
the last statement of its own transaction.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncpg
import sqlalchemy as sa
import structlog
from opentelemetry.trace import SpanKind
from prometheus_client import Gauge
from sqlalchemy import event, exc
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from servicekit import outbox, tracing
from servicekit.outbox import Event

log = structlog.get_logger(__name__)
T = TypeVar("T")

REHEARSAL = "rehearsal"
ANSWERS_WITHIN = 2.0
"""Seconds within which a database that is well answers that it is."""

REACHABLE = Gauge("database_reachable", "1 while the database answers")

# SQLSTATEs after which the same transaction may well succeed: serialization
# failure, deadlock, and a unique value that another transaction has just taken,
# which the second run then sees and can name.
_WORTH_REPEATING = frozenset({"40001", "40P01", "23505", "23P01"})
_ATTEMPTS = 3
_LOCK_NOT_AVAILABLE = "55P03"
_DEADLOCK = "40P01"
# How long a connection may have been idle and still be used without asking the server.
_TRUSTED_SECONDS = 10.0
# A rehearsal may hold its connection for half an hour. So many may do so at once, at most.
_MOST_REHEARSALS = 3
_LAST_USE = "last use"
_SERVER_SETTINGS = {
    "jit": "off",
    "timezone": "UTC",
    # A process that hangs within a transaction must not keep the locks of its rows.
    "idle_in_transaction_session_timeout": "60s",
}


@dataclass(frozen=True)
class Patience:
    """How long one waits for others, in seconds.

    Attributes:
        connection: for a connection, one of the pool or a new one.
        lock: for a row that another transaction holds. Who waits is told so before whoever
            called gives up waiting.
    """

    connection: float = 5.0
    lock: float = 3.0


_USUAL = Patience()


class ReadSession:
    """Reads from the database."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def rows(self, query: sa.Select[*tuple[Any, ...]]) -> Sequence[sa.Row[Any]]:
        """All rows of a query."""
        return (await self._connection.execute(query)).all()

    async def row(self, query: sa.Select[*tuple[Any, ...]]) -> sa.Row[Any] | None:
        """First row of a query, or `None`."""
        return (await self._connection.execute(query)).first()

    async def scalar(self, query: sa.Select[*tuple[Any, ...]]) -> Any:
        """First value of the first row, or `None`."""
        return (await self._connection.execute(query)).scalar()


class WriteSession(ReadSession):
    """Reads and writes within one transaction; its end is decided by `Database.write`."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection)
        self.events: list[Event] = []

    @property
    def connection(self) -> AsyncConnection:
        """The connection, for statements that the helpers here do not cover."""
        return self._connection

    async def execute(self, statement: sa.Executable, rows: Any = None) -> sa.CursorResult[Any]:
        """Run a statement that changes something."""
        return await self._connection.execute(statement, rows)

    def emit(self, event: Event) -> None:
        """Announce what this transaction does; the event is stored when it commits."""
        self.events.append(event)

    @asynccontextmanager
    async def attempt(self) -> AsyncGenerator[None]:
        """Run a block under a savepoint: if it raises, its writes and events are undone."""
        kept = len(self.events)
        async with self._connection.begin_nested():
            try:
                yield
            except BaseException:
                del self.events[kept:]
                raise


class Database:
    """One service's database. `after_commit` is called once events have been stored."""

    def __init__(
        self,
        url: str,
        *,
        pool: int = 10,
        after_commit: Callable[[], None] = lambda: None,
        patience: Patience = _USUAL,
    ) -> None:
        settings = _SERVER_SETTINGS | {"lock_timeout": f"{round(patience.lock * 1000)}ms"}
        self.engine = create_async_engine(
            url,
            pool_size=pool,
            max_overflow=0,
            pool_timeout=patience.connection,
            # Statements are logged when they fail; what people entered is not.
            hide_parameters=True,
            connect_args={"timeout": patience.connection, "server_settings": settings},
        )
        event.listen(self.engine.sync_engine, "checkout", self._check)
        event.listen(self.engine.sync_engine, "checkin", _note_use)
        self._readers = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._snapshots = self.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self.after_commit = after_commit
        # Whoever rehearses takes a turn first: most connections are for all others.
        self.rehearsals = asyncio.Semaphore(max(1, min(_MOST_REHEARSALS, pool // 3)))

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[ReadSession]:
        """Open a session that reads; each statement sees what was committed before it."""
        with tracing.span("database read", SpanKind.CLIENT):
            async with self._readers.connect() as connection:
                yield ReadSession(connection)

    @asynccontextmanager
    async def snapshot(self) -> AsyncGenerator[ReadSession]:
        """Open a session that reads; all its statements see what was committed before the first."""
        with tracing.span("database snapshot", SpanKind.CLIENT):
            async with self._snapshots.connect() as connection:
                yield ReadSession(connection)

    async def write(self, work: Callable[[WriteSession], Awaitable[T]]) -> T:
        """Run `work` in one transaction and commit it, with its events.

        It may run more than once, when another transaction was in its way; it must
        therefore do nothing but work with the session.
        """
        return await repeated(lambda: self._write_once(work))

    @asynccontextmanager
    async def rehearsal(self) -> AsyncGenerator[WriteSession]:
        """Open a session whose transaction is rolled back in any case.

        Who may hold it for long has taken a turn of `rehearsals`.
        To the server it goes by the name `REHEARSAL`: others need not wait to see what
        it will have done.
        """
        async with self.engine.connect() as connection:
            transaction = await connection.begin()
            try:
                session = WriteSession(connection)
                named = sa.func.set_config("application_name", REHEARSAL, True)
                await session.scalar(sa.select(named))
                yield session
            finally:
                await transaction.rollback()

    async def _write_once(self, work: Callable[[WriteSession], Awaitable[T]]) -> T:
        with tracing.span("database transaction", SpanKind.CLIENT):
            async with self.engine.begin() as connection:
                session = WriteSession(connection)
                result = await work(session)
                if session.events:
                    await outbox.record(connection, session.events)
        if session.events:
            self.after_commit()
        return result

    def _check(self, dbapi: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        """Keep a pooled connection from use that died with the server, or may have.

        SQLAlchemy's own check asks the server each time, in three round trips. The
        connection knows itself when its server ended; only one that was idle for long
        may have been cut without a word.
        """
        if dbapi.driver_connection.is_closed():
            # What has ended one connection has ended them all.
            raise exc.InvalidatePoolError
        if time.monotonic() - record.info.get(_LAST_USE, 0) < _TRUSTED_SECONDS:
            return
        try:
            self.engine.sync_engine.dialect.do_ping(dbapi)
        except (self.engine.sync_engine.dialect.loaded_dbapi.Error, OSError) as error:
            raise exc.DisconnectionError from error

    async def reachable(self) -> bool:
        """Tell whether the database answers, within the time that a probe waits for it.

        A server that hangs, or a line that swallows everything, says nothing at all.
        """
        try:
            async with asyncio.timeout(ANSWERS_WITHIN), self._readers.connect() as connection:
                await connection.execute(sa.text("SELECT 1"))
        except (exc.SQLAlchemyError, asyncpg.InterfaceError, OSError, TimeoutError):
            REACHABLE.set(0)
            return False
        REACHABLE.set(1)
        return True

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


def _note_use(_dbapi: object, record: ConnectionPoolEntry) -> None:
    record.info[_LAST_USE] = time.monotonic()


def sqlstate(error: exc.DBAPIError) -> str:
    """SQLSTATE of a database error, five characters; empty if it has none."""
    return getattr(error.orig, "sqlstate", None) or ""


def is_held_up(error: BaseException) -> bool:
    """Tell whether a statement failed because others held a lock for too long."""
    return isinstance(error, exc.DBAPIError) and sqlstate(error) == _LOCK_NOT_AVAILABLE


def is_deadlock(error: exc.DBAPIError) -> bool:
    """Tell whether a statement failed because two transactions waited for each other."""
    return sqlstate(error) == _DEADLOCK


async def repeated(once: Callable[[], Awaitable[T]]) -> T:
    """Run a transaction, or an attempt within one, again where another was in its way.

    That is a deadlock, or a unique value that another has just taken: the second run sees
    it, and can name it.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return await once()
        except exc.DBAPIError as error:
            if attempt == _ATTEMPTS or sqlstate(error) not in _WORTH_REPEATING:
                raise
            log.info("transaction repeated", sqlstate=sqlstate(error), attempt=attempt)
    raise AssertionError("the last attempt returns or raises")
