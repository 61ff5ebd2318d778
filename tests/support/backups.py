"""A backup of databases that hold a little, made without any service."""

from __future__ import annotations

import contextlib
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubkit.backup.archive import Archive
from hubkit.backup.making import Made, Source, make_backup
from hubkit.backup.restoring import check, restore_databases
from hubkit.backup.tables import connect, hashes
from hubkit.topology import SERVICES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from servicekit.object_store import ObjectStore
    from tests.support.cluster import Infra

NAMES = [service.name for service in SERVICES if service.has_database]
EVENT = """
INSERT INTO outbox (event_id, aggregate_id, aggregate_version, subject, type, headers, payload)
VALUES (gen_random_uuid(), $1, $2, 'evt.x.y.z.1', 't', '{"a": "b"}', $3)
"""


async def execute(url: str, statement: str, *values: object) -> None:
    """Run a statement in a database."""
    connection = await connect(url)
    try:
        await connection.execute(statement, *values)
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def databases_of_a_hub(infra: Infra) -> AsyncGenerator[dict[str, str]]:
    """URLs of a database for each service, with its schema and one event."""
    urls = {name: await infra.fresh_database(name, migrated=True) for name in NAMES}
    try:
        for number, (name, url) in enumerate(urls.items(), 1):
            await execute(url, EVENT, f"it_{name}", number, bytes(range(256)))
        yield urls
    finally:
        for url in urls.values():
            await infra.drop_database(url)


def as_setting(urls: dict[str, str]) -> str:
    """What ``PEYVAND_DATABASE_URLS`` says of databases."""
    return json.dumps(urls)


@dataclass
class Hub:
    """Databases of all services, on the server of the session."""

    infra: Infra
    urls: dict[str, str]

    async def execute(self, service: str, statement: str, *values: object) -> None:
        """Run a statement in the database of a service."""
        await execute(self.urls[service], statement, *values)

    async def all_hashes(self) -> dict[str, Any]:
        """The rows of all databases, hashed."""
        return {service: await hashes(url) for service, url in self.urls.items()}

    async def databases(self, like: str) -> list[str]:
        """Names of the databases of the server that have this in them."""
        connection = await self.infra.cluster.postgres.connect()
        try:
            query = "SELECT datname FROM pg_database WHERE datname LIKE $1 ORDER BY datname"
            return [row[0] for row in await connection.fetch(query, f"%{like}%")]
        finally:
            await connection.close()


async def taken(hub: Hub, folder: Path, files: ObjectStore | None = None) -> Made:
    """A backup of a hub."""
    source = Source(hub.urls, files, None, None)
    return await make_backup(source, folder / f"{secrets.token_hex(4)}.backup", lambda _: None)


async def put_back(
    hub: Hub, path: Path, urls: dict[str, str], *, replace: bool = False
) -> list[str]:
    """Restore a backup into databases of the same server."""
    with Archive.open(path) as archive:
        await check(archive, lambda _: None)
        admin = hub.infra.cluster.postgres.connect
        return await restore_databases(archive, admin, urls, lambda _: None, replace=replace)
