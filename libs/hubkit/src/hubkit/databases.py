"""Roles and databases: each service has its own, and no other role can connect to it."""

from collections.abc import Mapping

import asyncpg


async def make_databases(connection: asyncpg.Connection, passwords: Mapping[str, str]) -> None:
    """Give each service a role and a database, those that it has not.

    Args:
        connection: of a superuser.
        passwords: the password of each role, by the name that role and database have.
    """
    roles = {row[0] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
    databases = {row[0] for row in await connection.fetch("SELECT datname FROM pg_database")}
    await connection.execute("REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC")
    for service, password in passwords.items():
        if service not in roles:
            await connection.execute(
                f"CREATE ROLE {_identifier(service)} LOGIN NOSUPERUSER NOCREATEDB "
                f"NOCREATEROLE NOINHERIT PASSWORD {_literal(password)}"
            )
        if service not in databases:
            await create_database(connection, service, owner=service)
        else:
            # A start that was killed may have made the one and not done the other.
            await _close_to_others(connection, service)


async def create_database(
    connection: asyncpg.Connection, name: str, *, owner: str, template: str | None = None
) -> None:
    """Create a database that only its owner (and the superuser) can connect to."""
    copied = f" TEMPLATE {_identifier(template)}" if template else ""
    await connection.execute(
        f"CREATE DATABASE {_identifier(name)} OWNER {_identifier(owner)}{copied}"
    )
    await _close_to_others(connection, name)


async def drop_database(connection: asyncpg.Connection, name: str) -> None:
    """Drop a database, and end whoever is connected to it."""
    await connection.execute(f"DROP DATABASE IF EXISTS {_identifier(name)} WITH (FORCE)")


async def rename_database(connection: asyncpg.Connection, name: str, to: str) -> None:
    """Give a database another name; nobody may be connected to it."""
    await connection.execute(f"ALTER DATABASE {_identifier(name)} RENAME TO {_identifier(to)}")


async def _close_to_others(connection: asyncpg.Connection, name: str) -> None:
    await connection.execute(f"REVOKE ALL ON DATABASE {_identifier(name)} FROM PUBLIC")


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
