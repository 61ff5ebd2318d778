"""A backup of databases that hold a little, made without any service."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from hubkit.backup.tables import connect
from hubkit.topology import SERVICES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

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
