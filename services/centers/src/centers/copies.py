"""The copy of this service's events in the account COPIES, which leaves copy from.

`nodekit.leaves` says why it stands in an account of its own. It is a stream that the broker
fills by itself from that of the events; this only sees to it that it is there.
"""

import asyncio
import contextlib
import time
from datetime import timedelta

import structlog
from nats.errors import Error as NatsError
from nats.js.api import ExternalStream, StreamInfo, StreamSource
from nats.js.errors import NotFoundError
from prometheus_client import Gauge

from nodekit.leaves import COPY, SOURCE, SOURCE_API, SOURCE_DELIVERIES, SOURCE_SUBJECTS
from servicekit.broker import Broker, StreamSpec
from servicekit.broker_access import BrokerAccess

log = structlog.get_logger(__name__)

FOLLOWS = Gauge(
    "leaf_copy_follows",
    "1 while what leaves copy from is there and goes with its source",
    ["stream"],
)

LOOK_EVERY = 10.0
"""Seconds between two looks at the stream."""
_AGAIN_AFTER = 1.0  # seconds after a look that failed
# The broker tells of itself every second where there is nothing else to tell.
_SILENT_AFTER = timedelta(seconds=30)
# Longer than any line was down for; a leaf that comes later lacks what was before.
_KEPT = timedelta(days=90)


def copy_of_events(replicas: int) -> StreamSpec:
    """What the copy must be."""
    events = StreamSource(
        name=SOURCE,
        filter_subject=SOURCE_SUBJECTS,
        external=ExternalStream(api=SOURCE_API, deliver=f"{SOURCE_DELIVERIES}.centers"),
    )
    return StreamSpec(name=COPY, subjects=(), max_age=_KEPT, replicas=replicas, sources=(events,))


async def keep_copy(access: BrokerAccess, replicas: int) -> None:
    """See to it that the broker has the copy, until cancelled.

    Args:
        access: to the account COPIES.
        replicas: servers of the broker that keep the copy.
    """
    FOLLOWS.labels(COPY).set(0)
    trouble = ""
    before: StreamInfo | None = None
    broker: Broker | None = None
    is_clean = False
    try:
        while True:
            pause = LOOK_EVERY
            try:
                if broker is None or broker.client.is_closed:
                    broker = await Broker.connect(access, name="copies")
                # A leaf goes on after the number that it had last. One that was made anew
                # begins above all numbers that there have been.
                first = int(time.time() * 1000)
                await broker.declare(copy_of_events(replicas), first_sequence=first)
                if not is_clean:
                    await _forget_consumers(broker)
                    is_clean = True
                now = await broker.jetstream.stream_info(COPY)
                FOLLOWS.labels(COPY).set(follows(before, now))
                before = now
                trouble = ""
            except (NatsError, OSError, TimeoutError) as error:
                # Also before the broker was told of the account.
                FOLLOWS.labels(COPY).set(0)
                pause = _AGAIN_AFTER
                if trouble != repr(error):
                    log.warning("leaves have nothing to copy yet", error=repr(error))
                trouble = repr(error)
            await asyncio.sleep(pause)
    finally:
        if broker is not None:
            await broker.close()


def follows(before: StreamInfo | None, now: StreamInfo) -> bool:
    """Tell whether the copy goes with its source, but for seconds.

    Args:
        before: what the broker said of it at the last look, if there was one.
        now: what it says at this one.
    """
    source = next(iter(now.sources or ()), None)
    # In nanoseconds; below zero where it never heard anything.
    if source is None or source.active is None or source.active < 0:
        return False
    if timedelta(microseconds=source.active / 1000) >= _SILENT_AFTER:
        return False
    # A copy for which there is no room hears of what it does not take.
    moves = before is None or now.state.last_seq != before.state.last_seq
    return not source.lag or moves


async def _forget_consumers(broker: Broker) -> None:
    """Remove what leaves have asked for, also those that were barred since.

    Those that are let in ask again by themselves, and go on where they were.
    """
    for consumer in await broker.jetstream.consumers_info(COPY):
        with contextlib.suppress(NotFoundError):
            await broker.jetstream.delete_consumer(COPY, consumer.name)
