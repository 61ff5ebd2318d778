"""Brings a service's database to the schema that its code expects.

Each service keeps its revisions in ``<package>/migrations`` with a three-line
``env.py`` that calls `run_environment`. Upgrades of several processes at once wait
for one another; one that cannot get its locks within seconds gives up instead of
holding up the running version.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import command, context
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine

_LOCK = 0x6D696772  # "migr": one upgrade at a time in a database
_LOCK_TIMEOUT = "5s"
_STATEMENT_TIMEOUT = "10min"


async def upgrade(url: str, directory: Path) -> bool:
    """Apply the revisions in `directory` that are missing; tell whether there were any."""
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            current = await connection.run_sync(_current_revision)
        if current == ScriptDirectory(str(directory)).get_current_head():
            return False
        async with engine.begin() as connection:
            await connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            await connection.execute(sa.text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"))
            await connection.execute(
                sa.text(f"SET LOCAL statement_timeout = '{_STATEMENT_TIMEOUT}'")
            )
            await connection.run_sync(lambda sync: _run(sync, directory))
    finally:
        await engine.dispose()
    return True


async def at_head(url: str, directory: Path) -> bool:
    """Tell whether the database has every revision."""
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            current = await connection.run_sync(_current_revision)
    finally:
        await engine.dispose()
    return current == ScriptDirectory(str(directory)).get_current_head()


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


def _run(connection: sa.Connection, directory: Path) -> None:
    command.upgrade(_config(directory, connection), "head")


def _config(directory: Path, connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(directory).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _current_revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _next_id(directory: Path) -> str:
    return f"{len(list((directory / 'versions').glob('*.py'))) + 1:04d}"
