"""Brings a service's database to the schema that its code expects.

Each service keeps its revisions in ``<package>/migrations`` with a three-line
``env.py`` that calls `run_environment`. Upgrades of several processes at once wait
for one another; one that cannot get its locks within seconds gives up instead of
holding up the running version. Each revision is a transaction of its own: an upgrade that
is broken off keeps what it has done, holds no lock longer than one revision needs it, and
goes on there when it is run again.

A revision works with the version of the code before it: it adds, and what nobody reads
any more goes with a later one, which says so (docs/deploy.md). So a database that is ahead
of the code suffices, and the code can be rolled back without its database.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import command, context
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

_LOCK = 0x6D696772  # "migr": one upgrade at a time in a database
_LOCK_TIMEOUT = "5s"
_STATEMENT_TIMEOUT = "10min"


async def upgrade(url: str, directory: Path) -> bool:
    """Apply the revisions in `directory` that are missing; tell whether there were any."""
    engine = create_async_engine(url)
    changed = False
    try:
        async with engine.connect() as connection:
            current = await connection.run_sync(_current_revision)
        while (following := _next_revision(current, directory)) is not None:
            async with engine.begin() as connection:
                current = await _apply(connection, directory, current, following)
            changed = True
    finally:
        await engine.dispose()
    return changed


async def _apply(
    connection: AsyncConnection, directory: Path, known: str | None, following: str
) -> str | None:
    """Apply one revision, unless another process has done so; returns where the database is."""
    await connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    current = await connection.run_sync(_current_revision)
    if current != known:
        return current
    await connection.execute(sa.text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"))
    await connection.execute(sa.text(f"SET LOCAL statement_timeout = '{_STATEMENT_TIMEOUT}'"))
    await connection.run_sync(lambda sync: _run(sync, directory, following))
    return following


async def suffices(url: str, directory: Path) -> bool:
    """Tell whether the database has every revision in `directory`; it may have later ones."""
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            current = await connection.run_sync(_current_revision)
    finally:
        await engine.dispose()
    return _next_revision(current, directory) is None


async def bring_to(connection: AsyncConnection, directory: Path, revision: str) -> None:
    """Bring an empty database to a revision, within the transaction of the caller."""
    await connection.run_sync(lambda sync: _run(sync, directory, revision))


async def current_revision(connection: AsyncConnection) -> str | None:
    """The revision that a database is at; `None` for one without a schema."""
    return await connection.run_sync(_current_revision)


def revisions(directory: Path) -> list[str]:
    """The revisions in `directory`, the first one first."""
    return sorted(script.revision for script in ScriptDirectory(str(directory)).walk_revisions())


async def draft(url: str, directory: Path, message: str) -> None:
    """Write a new revision with what differs between the database and the tables in code."""

    def write(connection: sa.Connection) -> None:
        config = _config(directory, connection)
        command.revision(config, message=message, autogenerate=True, rev_id=_next_id(directory))

    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(write)
    finally:
        await engine.dispose()


def run_environment(metadata: sa.MetaData) -> None:
    """Run alembic's commands; called by each service's ``env.py``."""
    connection: sa.Connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata, compare_type=True)
    context.run_migrations()


def differences(connection: sa.Connection, metadata: sa.MetaData) -> list[object]:
    """What autogeneration would still change; empty when code and database agree."""
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


def _run(connection: sa.Connection, directory: Path, revision: str) -> None:
    command.upgrade(_config(directory, connection), revision)


def _config(directory: Path, connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(directory).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _current_revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _next_revision(current: str | None, directory: Path) -> str | None:
    """The first revision that a database lacks; `None` when it has all, or later ones."""
    # Revisions are one line, numbered with four digits, so that their names have its order.
    return next((it for it in revisions(directory) if current is None or it > current), None)


def _next_id(directory: Path) -> str:
    return f"{len(list((directory / 'versions').glob('*.py'))) + 1:04d}"
