"""Databases of a hub, and a place to restore them to."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from tests.support.backups import NAMES, Hub, databases_of_a_hub

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.support.cluster import Infra


@pytest.fixture
async def hub(infra: Infra) -> AsyncGenerator[Hub]:
    async with databases_of_a_hub(infra) as urls:
        yield Hub(infra, urls)


@pytest.fixture
async def target(infra: Infra) -> AsyncGenerator[dict[str, str]]:
    """URLs of databases that do not exist yet."""
    stamp = secrets.token_hex(5)
    urls = {name: infra.cluster.postgres.dsn(name, f"{name}_to_{stamp}") for name in NAMES}
    yield urls
    connection = await infra.cluster.postgres.connect()
    query = "SELECT datname FROM pg_database WHERE datname LIKE $1"
    for (name,) in await connection.fetch(query, f"%_to_{stamp}%"):
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await connection.close()
