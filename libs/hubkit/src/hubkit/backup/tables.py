"""The rows of one database as a backup has them, and their hashes.

They are read in one snapshot and put back in one transaction. A row is a line of PostgreSQL's
``COPY`` in text, under settings that give the same text for the same value on every server.
The hash of a table is the sum of the SHA-256 of its rows, modulo 2**256: it does not depend on
the order in which rows lie, and a row that is missing, doubled or changed changes it.
"""

import hashlib
from collections import defaultdict
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, cast

import asyncpg
import sqlalchemy as sa
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from hubkit.backup.manifest import DatabaseEntry, TableEntry
from hubkit.errors import HubError
from servicekit import migrations

# Which revision the schema is at is in the manifest; the schema's own revisions write it.
_REVISION_TABLE = "alembic_version"
_REVISION = "SELECT version_num FROM alembic_version"
_SETTINGS = {
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "idle_in_transaction_session_timeout": "0",
    "statement_timeout": "0",
}
_COLUMNS = """
SELECT c.relname AS name, a.attname AS column
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> $1
    AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY c.relname, a.attnum
"""
# One that has given no number yet says none: it stands before its first.
_SEQUENCES = """
SELECT sequencename, coalesce(last_value, start_value) AS last, last_value IS NOT NULL AS is_called
FROM pg_sequences WHERE schemaname = 'public' ORDER BY sequencename
"""
_REFERENCES = """
SELECT DISTINCT own.relname AS name, other.relname AS refers_to
FROM pg_constraint k JOIN pg_class own ON own.oid = k.conrelid
    JOIN pg_class other ON other.oid = k.confrelid
WHERE k.contype = 'f' AND k.conrelid <> k.confrelid
    AND own.relnamespace = 'public'::regnamespace
"""
_MODULUS = 1 << 256

Columns = Mapping[str, Sequence[str]]
"""Columns that hold what was given, by table."""


class RowHash:
    """Hashes the rows of one table, from the pieces that ``COPY`` gives."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0
        self._rest = b""

    def take(self, piece: bytes) -> None:
        """Take the next piece; it may end within a row."""
        *rows, self._rest = (self._rest + piece).split(b"\n")
        for row in rows:
            self._sum += int.from_bytes(hashlib.sha256(row).digest(), "big")
        self.rows += len(rows)

    @property
    def value(self) -> str:
        """The hash of the rows so far, hexadecimal."""
        return f"{self._sum % _MODULUS:064x}"


class Snapshot:
    """One database, as it was at one moment; its transaction only reads."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    @classmethod
    async def connect(cls, url: str) -> Self:
        """Connect; the moment comes with `hold`."""
        return cls(await connect(url))

    async def hold(self) -> None:
        """Take the snapshot that all that is read from now on belongs to."""
        await self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        await self._connection.fetchval("SELECT pg_current_snapshot()")

    async def close(self) -> None:
        """End the transaction and the connection."""
        await self._connection.close()

    async def revision(self) -> str:
        """The revision of the schema. Raises `HubError` for a database without one."""
        try:
            found = await self._connection.fetchval(_REVISION)
        except asyncpg.UndefinedTableError:
            found = None
        if found is None:
            raise HubError(
                f"The database {await self._name()} has no schema yet.",
                "Start the network once, so that there is something to keep.",
            )
        return str(found)

    async def server_version(self) -> str:
        """The version of the server."""
        return str(await self._connection.fetchval("SHOW server_version"))

    async def columns(self) -> Columns:
        """All tables with their columns."""
        return await _columns(self._connection)

    async def sequences(self) -> dict[str, tuple[int, bool]]:
        """The last number of each sequence, and whether it was given."""
        rows = await self._connection.fetch(_SEQUENCES)
        return {row["sequencename"]: (row["last"], row["is_called"]) for row in rows}

    async def copy(
        self, table: str, columns: Sequence[str], write: Callable[[bytes], object]
    ) -> RowHash:
        """Give all rows of a table to `write`, piece by piece; returns their hash."""
        return await _copy(self._connection, table, columns, write)

    async def _name(self) -> str:
        return str(await self._connection.fetchval("SELECT current_database()"))


async def connect(url: str) -> asyncpg.Connection:
    """Connect so that the same value is always the same text. The caller closes it.

    Raises:
        HubError: the database does not let us in, or does not answer.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        # It may hold a password.
        raise HubError(
            "The URL of a database cannot be read.", "postgresql://user:password@host:port/name"
        ) from None
    try:
        return await asyncpg.connect(
            host=parsed.host,
            port=parsed.port or 5432,
            user=parsed.username,
            password=parsed.password,
            database=parsed.database,
            server_settings=_SETTINGS,
            timeout=10,
        )
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise HubError(
            f"The database {parsed.database} at {parsed.host}:{parsed.port} cannot be entered:"
            f" {error}."
        ) from error


async def hashes(url: str) -> dict[str, TableEntry]:
    """The rows of each table of a database, counted and hashed at one moment."""
    snapshot = await Snapshot.connect(url)
    try:
        await snapshot.hold()
        found: dict[str, TableEntry] = {}
        for table, columns in (await snapshot.columns()).items():
            rows = await snapshot.copy(table, columns, len)
            found[table] = TableEntry([*columns], rows.rows, rows.value)
        return found
    finally:
        await snapshot.close()


async def load(
    url: str,
    directory: Path,
    entry: DatabaseEntry,
    pieces: Callable[[str], AsyncIterable[bytes]],
) -> None:
    """Fill an empty database with what a backup has, all of it or nothing.

    The schema is made by the revisions up to the one that the backup was made at. What the
    database then holds is hashed again, in the same transaction.

    Args:
        url: of the database, as its owner.
        directory: the revisions of the service.
        entry: what the manifest says.
        pieces: gives the rows of a table.

    Raises:
        HubError: the schema is another one, a row does not fit, or hashes differ.
    """
    engine = create_async_engine(url, connect_args={"server_settings": _SETTINGS})
    try:
        async with engine.begin() as connection:
            await migrations.bring_to(connection, directory, entry.revision)
            await _fill(connection, entry, pieces)
            await _require_equal(await _driver(connection), entry)
    except (asyncpg.PostgresError, DBAPIError) as error:
        raise HubError(
            f"{make_url(url).database}: PostgreSQL does not take the backup: {error}.",
            "The backup and this version do not fit together, or it was tampered with.",
        ) from error
    finally:
        await engine.dispose()


async def _fill(
    session: AsyncConnection,
    entry: DatabaseEntry,
    pieces: Callable[[str], AsyncIterable[bytes]],
) -> None:
    connection = await _driver(session)
    columns = await _columns(connection)
    for table in sorted(columns.keys() | entry.tables.keys()):
        told = entry.tables[table].columns if table in entry.tables else []
        if [*columns.get(table, ())] != told:
            raise HubError(
                f"The table {table} has other columns at revision {entry.revision} here than in"
                " the backup.",
                "Restore with the version that made the backup, then update.",
            )
    # What triggers would do was done when the rows were written first. References between
    # rows are checked all the same.
    for table in columns:
        await connection.execute(f"ALTER TABLE {_quoted(table)} DISABLE TRIGGER USER")
    order = await _in_order(connection, columns)
    # A revision may have written rows of its own; the backup has them too.
    for table in reversed(order):
        await session.execute(sa.delete(sa.table(table)))
    for table in order:
        await connection.copy_to_table(
            table, source=cast("Any", pieces(table)), columns=[*columns[table]]
        )
    await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in columns:
        await connection.execute(f"ALTER TABLE {_quoted(table)} ENABLE TRIGGER USER")
    for name, (last, is_called) in entry.sequences.items():
        await connection.fetchval(
            "SELECT setval($1::text::regclass, $2, $3)", _quoted(name), last, is_called
        )


async def _driver(connection: AsyncConnection) -> asyncpg.Connection:
    """The connection beneath, which knows ``COPY``; it is within the same transaction."""
    raw = await connection.get_raw_connection()
    return cast("asyncpg.Connection", raw.driver_connection)


async def _require_equal(connection: asyncpg.Connection, entry: DatabaseEntry) -> None:
    for table, told in entry.tables.items():
        found = await _copy(connection, table, told.columns, len)
        if (found.rows, found.value) != (told.rows, told.hash):
            raise HubError(
                f"The table {table} has {found.rows} rows with the hash {found.value} after it was"
                f" filled; the backup says {told.rows} rows, {told.hash}."
            )


async def _in_order(connection: asyncpg.Connection, columns: Columns) -> list[str]:
    """The tables, each after those that its rows refer to."""
    waits: dict[str, set[str]] = defaultdict(set)
    for row in await connection.fetch(_REFERENCES):
        waits[row["name"]].add(row["refers_to"])
    order: list[str] = []
    while left := [table for table in columns if table not in order]:
        ready = [table for table in left if waits[table] <= {*order}]
        if not ready:
            raise HubError(f"These tables refer to one another: {', '.join(left)}.")
        order += ready
    return order


async def _columns(connection: asyncpg.Connection) -> Columns:
    found: dict[str, list[str]] = {}
    for row in await connection.fetch(_COLUMNS, _REVISION_TABLE):
        found.setdefault(row["name"], []).append(row["column"])
    return found


async def _copy(
    connection: asyncpg.Connection,
    table: str,
    columns: Sequence[str],
    write: Callable[[bytes], object],
) -> RowHash:
    rows = RowHash()

    async def take(piece: bytes) -> None:
        rows.take(piece)
        write(piece)

    await connection.copy_from_table(
        table, columns=[*columns], output=cast("Callable[[bytes], Awaitable[None]]", take)
    )
    return rows


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
