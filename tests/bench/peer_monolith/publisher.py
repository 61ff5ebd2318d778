"""The peer's relay: looks into the outbox every half second and publishes what it finds.

This is how most outboxes are emptied (Debezium's polling publisher, Django's and
Rails' outbox packages): a query at an interval, one acknowledged publish after the
other, one update.
"""

import asyncio
import json
from datetime import UTC, datetime

import nats
from nats.errors import Error as NatsError
from nats.js.client import JetStreamContext
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from servicekit.broker_access import BrokerAccess
from tests.bench.peer_monolith.models import Outbox

INTERVAL_SECONDS = 0.5
STREAM = "PEER"
_BATCH = 500


async def publish_forever(sessions: async_sessionmaker[AsyncSession], access: BrokerAccess) -> None:
    """Publish until cancelled."""
    client = await nats.connect(**access.options())
    try:
        jetstream = client.jetstream()
        await jetstream.add_stream(name=STREAM, subjects=["peer.>"])
        while True:
            try:
                while await _publish_batch(sessions, jetstream) == _BATCH:
                    pass
            except (NatsError, SQLAlchemyError, OSError, TimeoutError):
                pass  # tried again after the interval
            await asyncio.sleep(INTERVAL_SECONDS)
    finally:
        await client.close()


async def _publish_batch(
    sessions: async_sessionmaker[AsyncSession], jetstream: JetStreamContext
) -> int:
    async with sessions.begin() as session:
        waiting = select(Outbox).where(Outbox.published_at.is_(None)).order_by(Outbox.seq)
        events = (await session.scalars(waiting.limit(_BATCH).with_for_update())).all()
        for event in events:
            await jetstream.publish(
                event.subject,
                json.dumps(event.payload).encode(),
                headers={"Nats-Msg-Id": str(event.event_id)},
            )
        if events:
            await session.execute(
                update(Outbox)
                .where(Outbox.seq.in_([event.seq for event in events]))
                .values(published_at=datetime.now(UTC))
                .execution_options(synchronize_session=False)
            )
    return len(events)
