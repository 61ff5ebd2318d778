"""Keeps a copy of what this service must know of centers: that they are there, and their keys.

A row of the copy remembers the version that it shows, so an event that comes late, or
twice, changes nothing, and the order of arrival is irrelevant.
"""

from collections.abc import Sequence
from typing import Any

from google.protobuf.message import DecodeError
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from partners.tables import known_center
from peyvand.centers.v1 import centers_pb2
from servicekit.broker import Broker, event_stream
from servicekit.delivery import Delivery, PoisonError
from servicekit.effects import EffectConsumer


def center_copies(broker: Broker, engine: AsyncEngine) -> EffectConsumer:
    """The consumer that keeps `known_center`."""
    return EffectConsumer(
        name="partners-centers",
        stream=event_stream("centers").name,
        subjects=["evt.centers.center.>"],
        broker=broker,
        engine=engine,
        handle=keep_copies,
    )


async def keep_copies(connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
    """Bring the copy to what the events say, unless it shows something newer."""
    newest: dict[str, dict[str, Any]] = {}
    for delivery in deliveries:
        known = newest.get(delivery.aggregate_id)
        if known is None or known["version"] < delivery.aggregate_version:
            newest[delivery.aggregate_id] = _row(delivery)
    # In one order everywhere, so that two processes never wait for each other crosswise.
    statement = insert(known_center).values([newest[id] for id in sorted(newest)])
    excluded = statement.excluded
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=[known_center.c.id],
            set_={"external_key": excluded.external_key, "version": excluded.version},
            where=known_center.c.version < excluded.version,
        )
    )


def _row(delivery: Delivery) -> dict[str, Any]:
    try:
        center = centers_pb2.CenterEvent.FromString(delivery.payload).center
    except DecodeError as error:
        raise PoisonError(f"cannot be read as center: {error!r}") from error
    return {
        "id": delivery.aggregate_id,
        "external_key": center.external_key,
        "version": delivery.aggregate_version,
    }
