"""The connection to NATS, and the one place that declares JetStream streams.

nats-py's defaults lose messages around a disconnect and give up reconnecting after
two minutes; `Broker.connect` sets what a service needs. Which streams exist is said by
`StreamSpec` values, and `Broker.declare` makes the server agree with them, however
often it is called and by however many processes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import DEFAULT_SUB_PENDING_MSGS_LIMIT, Subscription
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import StorageType, StoreCompression, StreamConfig, StreamInfo, StreamSource
from nats.js.errors import BadRequestError, NotFoundError
from prometheus_client import Gauge

from servicekit.broker_access import BrokerAccess

log = structlog.get_logger(__name__)

CONNECTED = Gauge("broker_connected", "1 while the connection of this name is up", ["connection"])

_STREAM_NAME_IN_USE = 10058
_FLUSH_SECONDS = 2


@dataclass(frozen=True)
class StreamSpec:
    """What a stream must be. Times of zero or `None` mean without a limit.

    One with `sources` is filled from other streams, and needs no subjects of its own.
    """

    name: str
    subjects: tuple[str, ...]
    max_age: timedelta | None = None
    duplicate_window: timedelta = timedelta(minutes=5)
    in_memory: bool = False
    max_messages_per_subject: int = -1
    replicas: int = 1
    sources: tuple[StreamSource, ...] = ()

    def config(self, first_sequence: int = 1) -> StreamConfig:
        """Return the server's form; the first message of a new stream gets `first_sequence`."""
        return StreamConfig(
            name=self.name,
            subjects=list(self.subjects),
            sources=list(self.sources) or None,
            max_age=self.max_age.total_seconds() if self.max_age else 0,
            duplicate_window=self.duplicate_window.total_seconds(),
            storage=StorageType.MEMORY if self.in_memory else StorageType.FILE,
            compression=StoreCompression.NONE if self.in_memory else StoreCompression.S2,
            max_msgs_per_subject=self.max_messages_per_subject,
            num_replicas=self.replicas,
            allow_direct=True,
            first_seq=first_sequence if first_sequence > 1 else None,
        )


def event_stream(service: str, *, replicas: int = 1) -> StreamSpec:
    """Return the stream of the events that `service` owns: `EVT_<SERVICE>`, kept 14 days.

    The events stay in the service's outbox for ever, so a younger stream can be
    refilled from there (see `servicekit.history`).
    """
    return StreamSpec(
        name=f"EVT_{service.upper().replace('-', '_')}",
        subjects=(f"evt.{service}.>",),
        max_age=timedelta(days=14),
        replicas=replicas,
    )


DEAD_LETTERS = StreamSpec(name="DLQ", subjects=("dlq.*",), max_age=timedelta(days=90))
"""Events that a consumer could not digest, on `dlq.<consumer>`, with their reason."""


class Broker:
    """One connection to NATS, shared by everything in a process that talks to it."""

    def __init__(self, client: Client, name: str = "") -> None:
        self.client = client
        self._up = CONNECTED.labels(name)
        self.jetstream: JetStreamContext = client.jetstream(timeout=5)
        self._on_disconnect: list[Callable[[], None]] = []
        self._on_reconnect: list[Callable[[], None]] = []
        self._last_error = ""

    @classmethod
    async def connect(
        cls,
        access: BrokerAccess,
        *,
        name: str,
    ) -> "Broker":
        """Connect as `name`, waiting as long as it takes until a server answers.

        The connection comes back by itself after any outage. While it is gone a
        publish fails at once instead of waiting in a buffer that may be dropped.
        """
        broker = cls(Client(), name)
        options: dict[str, Any] = {
            "max_reconnect_attempts": -1,
            "reconnect_time_wait": 0.25,
            "connect_timeout": 3,
            "ping_interval": 10,
            "max_outstanding_pings": 2,
            "pending_size": 0,
            "error_cb": broker._report,
            "disconnected_cb": broker._disconnected,
            "reconnected_cb": broker._reconnected,
        }
        await broker.client.connect(name=name, **(options | access.options()))
        broker._up.set(1)
        return broker

    @property
    def connected(self) -> bool:
        """Whether a server is at the other end now."""
        return self.client.is_connected

    async def hear(
        self,
        subject: str,
        callback: Callable[[Msg], Awaitable[None]],
        *,
        queue: str = "",
        most_waiting: int = DEFAULT_SUB_PENDING_MSGS_LIMIT,
    ) -> Subscription:
        """Subscribe, and wait until the server has it: what is published from then on is heard.

        While the connection is gone nobody waits; the client subscribes again by itself
        once it is back.
        """
        subscription = await self.client.subscribe(
            subject, queue=queue, cb=callback, pending_msgs_limit=most_waiting
        )
        try:
            await self.client.flush(_FLUSH_SECONDS)
        except (NatsError, OSError, TimeoutError) as error:
            log.info("nothing is heard yet", subject=subject, error=repr(error))
        return subscription

    def on_disconnect(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` whenever the connection is lost; calling the result ends that."""
        self._on_disconnect.append(callback)
        return lambda: self._on_disconnect.remove(callback)

    def on_reconnect(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` whenever the connection is back; calling the result ends that."""
        self._on_reconnect.append(callback)
        return lambda: self._on_reconnect.remove(callback)

    async def close(self) -> None:
        """Send what waits, then close."""
        try:
            await asyncio.wait_for(self.client.flush(), _FLUSH_SECONDS)
        except (NatsError, OSError, TimeoutError):
            log.warning("broker_closed_unflushed")
        await self.client.close()

    async def declare(self, spec: StreamSpec, *, first_sequence: int = 1) -> StreamInfo:
        """Create the stream, or change the one that exists to what `spec` says.

        Raises `nats.js.errors.APIError` when the server refuses a change, for example
        of the storage kind.
        """
        try:
            return await self.jetstream.add_stream(spec.config(first_sequence))
        except BadRequestError as error:
            if error.err_code != _STREAM_NAME_IN_USE:
                raise
        existing = await self.jetstream.stream_info(spec.name)
        # The first sequence is a fact of the stream's birth and cannot be updated.
        wanted = replace(spec.config(), first_seq=existing.config.first_seq)
        return await self.jetstream.update_stream(wanted)

    async def declare_all(self, specs: Iterable[StreamSpec]) -> None:
        """Declare several streams."""
        for spec in specs:
            await self.declare(spec)

    async def stream_info(self, stream: str) -> StreamInfo | None:
        """Return what the server knows of a stream, or `None` when there is none."""
        try:
            return await self.jetstream.stream_info(stream)
        except NotFoundError:
            return None

    async def message_id_at(self, stream: str, sequence: int) -> str | None:
        """Return the `Nats-Msg-Id` of one stored message; `None` when it is not there."""
        try:
            message = await self.jetstream.get_msg(stream, seq=sequence)
        except NotFoundError:
            return None
        return (message.headers or {}).get("Nats-Msg-Id", "")

    async def last_sequences(self, streams: Iterable[str]) -> dict[str, int]:
        """Return the sequence of the last message of each stream, 0 for one that is missing."""
        found: dict[str, int] = {}
        for stream in streams:
            info = await self.stream_info(stream)
            found[stream] = info.state.last_seq if info else 0
        return found

    async def _report(self, error: Exception) -> None:
        # A denied publish shows only here, so it is told every time; that the server is
        # still not there is told once.
        reason = str(error) or type(error).__name__
        if self.connected or reason != self._last_error:
            log.warning("broker_error", error=reason)
        self._last_error = reason

    async def _disconnected(self) -> None:
        self._up.set(0)
        log.warning("broker_disconnected")
        for callback in self._on_disconnect:
            callback()

    async def _reconnected(self) -> None:
        self._up.set(1)
        log.info("broker_reconnected")
        self._last_error = ""
        for callback in self._on_reconnect:
            callback()
