"""Rows of a file that somebody holds: a check or an import stands still there, however fast."""

import contextlib
from collections.abc import AsyncGenerator

from peyvandctl.cluster import Cluster


@contextlib.asynccontextmanager
async def check_held(network: Cluster, key: str) -> AsyncGenerator[None]:
    """Have checks come no further than the row of an institution that is known already."""
    async with _transaction(
        network, "SELECT id FROM institution WHERE external_key = $1 FOR UPDATE", key
    ):
        yield


@contextlib.asynccontextmanager
async def import_held(network: Cluster, key: str) -> AsyncGenerator[None]:
    """Have imports come no further than the row of an institution, and checks pass it."""
    async with _transaction(
        network,
        "INSERT INTO imported_row (kind, external_key, digest, aggregate_id)"
        " VALUES ('institution', $1, '', '') RETURNING external_key",
        key,
    ):
        yield


@contextlib.asynccontextmanager
async def _transaction(network: Cluster, query: str, key: str) -> AsyncGenerator[None]:
    connection = await network.postgres.connect("partners")
    try:
        transaction = connection.transaction()
        await transaction.start()
        assert await connection.fetchval(query, key)
        yield
        await transaction.rollback()
    finally:
        await connection.close()
