"""PostgreSQL: sessions that only read, sessions that write, and the one place that commits.

The two are distinct types, so that a function that writes cannot be given a
session that reads. A write collects its events and stores them in the outbox as
the last statement of its own transaction.
"""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog
from opentelemetry.trace import SpanKind
from sqlalchemy import event, exc
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from servicekit import outbox, tracing
from servicekit.outbox import Event

log = structlog.get_logger(__name__)
T = TypeVar("T")

# SQLSTATEs after which the same transaction may well succeed: serialization
# failure, deadlock, and a unique value that another transaction has just taken,
# which the second run then sees and can name.
_WORTH_REPEATING = frozenset({"40001", "40P01", "23505", "23P01"})
_ATTEMPTS = 3
# How long a connection may have been idle and still be used without asking the server.
_TRUSTED_SECONDS = 10.0
_LAST_USE = "last use"
_SERVER_SETTINGS = {
    "jit": "off",
    "timezone": "UTC",
    # A process that hangs within a transaction must not keep the locks of its rows.
    "idle_in_transaction_session_timeout": "60s",
}


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
        self, url: str, *, pool: int = 10, after_commit: Callable[[], None] = lambda: None
    ) -> None:
        self.engine = create_async_engine(
            url,
            pool_size=pool,
            max_overflow=0,
            pool_timeout=5,
            # Statements are logged when they fail; what people entered is not.
            hide_parameters=True,
            connect_args={"timeout": 5, "server_settings": _SERVER_SETTINGS},
        )
        event.listen(self.engine.sync_engine, "checkout", self._check)
        event.listen(self.engine.sync_engine, "checkin", _note_use)
        self._readers = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self.after_commit = after_commit

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[ReadSession]:
        """Open a session that reads; each statement sees what was committed before it."""
        with tracing.span("database read", SpanKind.CLIENT):
            async with self._readers.connect() as connection:
                yield ReadSession(connection)

    async def write(self, work: Callable[[WriteSession], Awaitable[T]]) -> T:
        """Run `work` in one transaction and commit it, with its events.

        It may run more than once, when another transaction was in its way; it must
        therefore do nothing but work with the session.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._write_once(work)
            except exc.DBAPIError as error:
                if attempt == _ATTEMPTS or sqlstate(error) not in _WORTH_REPEATING:
                    raise
                log.info("transaction repeated", sqlstate=sqlstate(error), attempt=attempt)
        raise AssertionError("the last attempt returns or raises")

    async def rehearse(self, work: Callable[[WriteSession], Awaitable[T]]) -> T:
        """Run `work` in a transaction that is rolled back in any case."""
        async with self.engine.connect() as connection:
            transaction = await connection.begin()
            try:
                return await work(WriteSession(connection))
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
        """Tell whether the database answers."""
        try:
            async with self._readers.connect() as connection:
                await connection.execute(sa.text("SELECT 1"))
        except (exc.SQLAlchemyError, OSError, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


def _note_use(_dbapi: object, record: ConnectionPoolEntry) -> None:
    record.info[_LAST_USE] = time.monotonic()


def sqlstate(error: exc.DBAPIError) -> str:
    """SQLSTATE of a database error, five characters; empty if it has none."""
    return getattr(error.orig, "sqlstate", None) or ""
