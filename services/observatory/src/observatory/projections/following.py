"""What runs beside the calls: the projector, and a watch over the streams that it follows.

One process leads the projector; every process watches the streams itself, so that each
can tell how far the picture is behind and whether the broker is to be reached. Every
process hears the digests of presence too, and says when they change what it shows.
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

import sqlalchemy as sa
import structlog
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from observatory import tables
from observatory.projections.picture import STREAMS, Picture
from observatory.projections.presence_board import PRESENCE_SUBJECT, PresenceBoard
from servicekit.broker import Broker
from servicekit.database import Database
from servicekit.delivery import Delivery
from servicekit.errors import Fault
from servicekit.ids import new_id
from servicekit.projector import Projector
from servicekit.tasks import end_tasks

log = structlog.get_logger(__name__)

LIVE_SUBJECT = "live.observatory"
"""Core NATS, not kept: says what has changed: which streams of the picture have moved,
and where to; or that nodes are heard of in another way than before."""

_LOOK_INTERVAL = 1.0
_LISTEN_INTERVAL = 0.5
_PRESENCE = "presence"
_OWN_NAME = "observatory"  # who asks, where nobody does


@dataclass(frozen=True)
class Head:
    """The end of a stream as it was seen at a time; `last` is `None` when there was none."""

    last: int | None
    seen_at: datetime


class Following:
    """The projector and the watch of one process; idle until `begin` is given a broker."""

    def __init__(self, database: Database, database_url: str) -> None:
        self.heads: dict[str, Head] = {}
        self.presence = PresenceBoard(self._note_presence)
        self._database = database
        self._database_url = database_url
        self._broker: Broker | None = None
        self._projector: Projector | None = None
        self._moved: dict[str, int] = {}
        self._telling = asyncio.Event()
        self._digests: Subscription | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self, broker: Broker) -> Self:
        """Take the broker; `start` then follows the streams."""
        self._broker = broker
        self._projector = Projector(
            projection=Picture(),
            broker=broker,
            engine=self._database.engine,
            database_url=self._database_url,
            after_commit=self._note,
            remake=self._remake,
        )
        return self

    async def start(self) -> None:
        """Begin in the background."""
        broker, projector = self._joined()
        await projector.start()
        self._digests = await broker.hear(PRESENCE_SUBJECT, self._hear)
        self._tasks = [
            asyncio.create_task(self._listen(), name="listen to presence"),
            asyncio.create_task(self._watch(broker), name="watch streams"),
            asyncio.create_task(self._tell(broker), name="tell of changes"),
        ]

    async def stop(self) -> None:
        """End."""
        await end_tasks(*self._tasks, again_after=0.5)
        self._tasks = []
        if self._digests is not None:
            with contextlib.suppress(NatsError, OSError):
                await self._digests.unsubscribe()
            self._digests = None
        if self._projector is not None:
            await self._projector.stop()

    async def ends(self) -> dict[str, int]:
        """Where each stream ends now. Raises `Fault` ``UNAVAILABLE`` without a broker."""
        broker, _ = self._joined()
        try:
            return await broker.last_sequences(STREAMS)
        except (NatsError, OSError, TimeoutError) as error:
            raise Fault("UNAVAILABLE") from error

    async def rebuild(self) -> None:
        """Have the picture made anew from all events; returns when that has begun.

        Raises `Fault` ``UNAVAILABLE`` without a broker, or when an old event cannot be
        had; nothing is changed then.
        """
        _, projector = self._joined()
        try:
            await projector.rebuild()
        except (NatsError, OSError, TimeoutError) as error:
            log.warning("rebuild_refused", error=repr(error))
            raise Fault("UNAVAILABLE") from error

    async def _remake(self, ends: Mapping[str, int]) -> None:
        """Have the picture made anew up to these ends, for a stream is of another history."""
        request = {
            "subject": _OWN_NAME,
            "idempotency_key": new_id("rbd"),
            "requested_at": datetime.now(UTC),
            "goals": dict(ends),
        }
        await self._database.write(
            lambda session: session.execute(sa.insert(tables.rebuild).values(request))
        )
        _, projector = self._joined()
        await projector.rebuild()

    def _joined(self) -> tuple[Broker, Projector]:
        if self._broker is None or self._projector is None:
            raise Fault("UNAVAILABLE")
        return self._broker, self._projector

    async def _watch(self, broker: Broker) -> None:
        while True:
            # While the broker is away, what was seen last grows old, and that shows.
            with contextlib.suppress(NatsError, OSError, TimeoutError):
                for stream in STREAMS:
                    info = await broker.stream_info(stream)
                    last = info.state.last_seq if info else None
                    self.heads[stream] = Head(last, datetime.now(UTC))
            await asyncio.sleep(_LOOK_INTERVAL)

    async def _hear(self, message: Msg) -> None:
        self.presence.take(message.data)

    async def _listen(self) -> None:
        # That nobody tells of presence any more is told by no message.
        while True:
            self.presence.look()
            await asyncio.sleep(_LISTEN_INTERVAL)

    def _note_presence(self) -> None:
        self._moved[_PRESENCE] = self._moved.get(_PRESENCE, 0) + 1
        self._telling.set()

    def _note(self, deliveries: Sequence[Delivery]) -> None:
        last = deliveries[-1]
        self._moved[last.stream] = last.stream_seq
        self._telling.set()

    async def _tell(self, broker: Broker) -> None:
        while True:
            await self._telling.wait()
            self._telling.clear()
            moved, self._moved = self._moved, {}
            # Who misses it looks by itself after a short while.
            with contextlib.suppress(NatsError, OSError):
                await broker.client.publish(LIVE_SUBJECT, json.dumps(moved).encode())
