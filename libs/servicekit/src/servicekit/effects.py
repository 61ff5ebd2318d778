"""The consumer for effects: each event changes this database exactly once.

A durable consumer with explicit acknowledgement. The inbox row of an event is written
in the transaction of its effect, so a redelivery, after a crash or a refill of the
stream, finds it there and does nothing. A batch that fails is halved until the event
that cannot be digested stands alone; it goes to the dead letters with its reason, and
the rest goes on. Failures of the infrastructure are waited out, never counted against
an event. A redelivered event may come after later ones of its aggregate; where the order
counts, `servicekit.projector` keeps it.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Literal, Protocol

import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, StreamInfo
from prometheus_client import Counter, Gauge
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from servicekit import tracing
from servicekit.broker import DEAD_LETTERS, Broker, StreamSpec
from servicekit.delivery import Delivery, PoisonError, is_transient, read_delivery
from servicekit.messaging_tables import TABLES
from servicekit.pull import PullInterruptedError, PullReader
from servicekit.relay import request_refill
from servicekit.tasks import end_tasks

log = structlog.get_logger(__name__)

HANDLED = Counter("effects_handled", "Events whose effect was committed", ["consumer"])
REPEATED = Counter("effects_repeated", "Deliveries of events handled before", ["consumer"])
DEAD = Counter("effects_dead_lettered", "Events sent to the dead letters", ["consumer"])
WAITING = Gauge("effects_pending", "Events of the stream not delivered yet", ["consumer"])

_REASON_LENGTH = 500
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_LOOK_FOR_STREAM_SECONDS = 0.25


class EffectHandler(Protocol):
    """What a service does with events, in the transaction of `connection`.

    It raises `PoisonError` for an event that no later attempt could digest. It must
    neither commit nor call anything over the network.
    """

    async def __call__(self, connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
        """Apply `deliveries`, none of which this consumer has applied before."""
        ...


@dataclass
class EffectsState:
    """What a health check shows. `reason` says why the consumer is recovering."""

    role: Literal["starting", "consuming", "recovering", "stopped"] = "starting"
    reason: str = ""
    handled: int = 0
    dead_lettered: int = 0

    @property
    def healthy(self) -> bool:
        """Whether events are being consumed."""
        return self.role == "consuming"


@dataclass
class _Batch:
    messages: list[Msg] = field(default_factory=list[Msg])
    deliveries: list[Delivery] = field(default_factory=list[Delivery])


class EffectConsumer:
    """Applies the events of one stream by a handler, once each.

    `name` names the durable consumer and its inbox; processes with the same name share
    the work. `subjects` narrows the stream. One that has handled nothing yet, as its inbox
    tells, begins with the owner's whole history: what the stream no longer keeps is filled
    in again first. An event that fails `attempts` times in a
    row, alone, becomes a dead letter. `after_commit` is called once effects are stored,
    for the events that they recorded in their turn.
    """

    def __init__(
        self,
        *,
        name: str,
        stream: str,
        subjects: Sequence[str] = (),
        broker: Broker,
        engine: AsyncEngine,
        handle: EffectHandler,
        batch: int = 100,
        attempts: int = 3,
        ack_wait: float = 30.0,
        dead_letters: StreamSpec = DEAD_LETTERS,
        after_commit: Callable[[], None] = lambda: None,
    ) -> None:
        self.state = EffectsState()
        self._name = name
        self._stream = stream
        self._subjects = list(subjects)
        self._broker = broker
        self._engine = engine
        self._handle = handle
        self._batch = batch
        self._attempts = attempts
        self._ack_wait = ack_wait
        self._dead_letters = dead_letters
        self._after_commit = after_commit
        self._asked_for_history = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to consume in the background."""
        self._task = asyncio.create_task(self._run(), name=f"effects {self._name}")

    async def stop(self) -> None:
        """Stop; a batch in work is rolled back and given back, to be taken by another process."""
        await end_tasks(self._task)
        self._task = None
        self.state.role = "stopped"

    async def _run(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            handled = self.state.handled
            try:
                await self._consume()
            except Exception as error:
                if not (isinstance(error, PullInterruptedError) or is_transient(error)):
                    log.exception("effects_failed", consumer=self._name)
                reason = repr(error)
            else:
                reason = "ended"
            self.state.role, self.state.reason = "recovering", reason
            log.warning("effects_interrupted", consumer=self._name, reason=reason)
            pause = _FIRST_PAUSE if self.state.handled > handled else min(2 * pause, _LONGEST_PAUSE)
            await asyncio.sleep(pause)

    async def _consume(self) -> None:
        # Without it an event could not be given up; it may have gone with the whole store.
        await self._broker.declare(self._dead_letters)
        await self._fill_in_history(await self._made_stream())
        await self._broker.jetstream.add_consumer(
            self._stream,
            ConsumerConfig(
                durable_name=self._name,
                deliver_policy=DeliverPolicy.ALL,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=self._ack_wait,
                max_deliver=-1,  # this class decides what is given up, visibly
                max_ack_pending=4 * self._batch,
                filter_subjects=self._subjects or None,
            ),
        )
        async with PullReader(self._broker, self._stream, self._name, batch=self._batch) as reader:
            self.state.role, self.state.reason = "consuming", ""
            messages: list[Msg] = []
            try:
                while True:
                    messages = await reader.next_batch()
                    await self._take(messages)
                    WAITING.labels(self._name).set(messages[-1].metadata.num_pending)
            finally:
                # Give back at once what another process can work on: it would else come to
                # that one only when the time to acknowledge has passed.
                with contextlib.suppress(NatsError):
                    for message in [*messages, *reader.leftover()]:
                        if not message.is_acked:
                            await message.nak()

    async def _made_stream(self) -> StreamInfo:
        """Wait until the owner has made the stream.

        That is no failure, after which pauses would grow: where all services start at once,
        each is then there for the others' news as soon as they can be had.
        """
        while (info := await self._broker.stream_info(self._stream)) is None:
            self.state.role, self.state.reason = "recovering", "no such stream"
            await asyncio.sleep(_LOOK_FOR_STREAM_SECONDS)
        return info

    async def _fill_in_history(self, info: StreamInfo) -> None:
        """Have a stream refilled that has lost its beginning, for one who never read that.

        Asked once by a process: where nothing of the stream is for this consumer, its inbox
        stays empty, and where the owner's history was cut, the stream stays as it is.
        """
        if self._asked_for_history or not info.state.last_seq:
            return
        if info.state.first_seq > 1 and not await self._has_handled_any():
            log.info("effects_fill_in_history", consumer=self._name, stream=self._stream)
            await request_refill(self._broker, self._stream)
        self._asked_for_history = True

    async def _has_handled_any(self) -> bool:
        inbox = TABLES.inbox
        any_row = select(inbox.c.event_id).where(inbox.c.consumer == self._name).limit(1)
        async with self._engine.connect() as connection:
            return (await connection.execute(any_row)).first() is not None

    async def _take(self, messages: Sequence[Msg]) -> None:
        batch = _Batch()
        for message in messages:
            try:
                batch.deliveries.append(read_delivery(message))
                batch.messages.append(message)
            except PoisonError as error:
                await self._bury(message, None, str(error), attempts=1)
        await self._work(batch)

    async def _work(self, batch: _Batch) -> None:
        """Apply and acknowledge a batch, waiting for as long as the infrastructure is down."""
        pause = _FIRST_PAUSE
        attempt = 0
        while batch.messages:
            try:
                await self._apply(batch.deliveries)
            except PoisonError as error:
                reason, poison = str(error), True
            except Exception as error:
                if is_transient(error):
                    log.warning("effects_wait", consumer=self._name, reason=repr(error))
                    self.state.role, self.state.reason = "recovering", repr(error)
                    for message in batch.messages:
                        await message.in_progress()
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE)
                    continue
                if len(batch.messages) == 1:
                    log.exception("effect_failed", consumer=self._name)
                reason, poison = f"{type(error).__name__}: {error}", False
            else:
                self.state.role, self.state.reason = "consuming", ""
                for message in batch.messages:
                    await message.ack()
                return
            middle = len(batch.messages) // 2
            if middle:
                await self._work(_Batch(batch.messages[:middle], batch.deliveries[:middle]))
                await self._work(_Batch(batch.messages[middle:], batch.deliveries[middle:]))
                return
            attempt += 1
            if poison or attempt >= self._attempts:
                await self._bury(batch.messages[0], batch.deliveries[0], reason, attempts=attempt)
                return
            await asyncio.sleep(_FIRST_PAUSE * 2**attempt)

    async def _apply(self, deliveries: Sequence[Delivery]) -> None:
        """Apply what is new of `deliveries`, with its inbox rows, in one transaction."""
        inbox = TABLES.inbox
        # Sorted, so that two processes never wait for each other's rows crosswise.
        rows = [
            {"consumer": self._name, "event_id": event_id}
            for event_id in sorted({delivery.event_id for delivery in deliveries})
        ]
        claim = insert(inbox).values(rows).on_conflict_do_nothing().returning(inbox.c.event_id)
        async with self._engine.begin() as connection:
            claimed = set((await connection.execute(claim)).scalars())
            new: list[Delivery] = []
            for delivery in deliveries:
                if delivery.event_id in claimed:
                    claimed.discard(delivery.event_id)  # the same event twice in one batch
                    new.append(delivery)
            if new:
                with ExitStack() as spans:
                    for delivery in new:
                        spans.enter_context(
                            tracing.consumer_span(
                                f"{self._name} {delivery.type}", delivery.traceparent
                            )
                        )
                    await self._handle(connection, new)
        if new:
            self._after_commit()
        self.state.handled += len(new)
        HANDLED.labels(self._name).inc(len(new))
        REPEATED.labels(self._name).inc(len(deliveries) - len(new))

    async def _bury(
        self, message: Msg, delivery: Delivery | None, reason: str, *, attempts: int
    ) -> None:
        """Send a message to the dead letters, then end its redelivery."""
        metadata = message.metadata
        origin = {
            name: value
            for name, value in (message.headers or {}).items()
            if not name.startswith("Nats-")
        }
        await self._broker.jetstream.publish(
            f"dlq.{self._name}",
            message.data,
            headers={
                **origin,
                "Nats-Msg-Id": f"{self._name}:{metadata.stream}:{metadata.sequence.stream}",
                "dead-letter-reason": " ".join(reason.split())[:_REASON_LENGTH] or "unknown",
                "dead-letter-attempts": str(attempts),
                "dead-letter-consumer": self._name,
                "dead-letter-stream": metadata.stream,
                "dead-letter-sequence": str(metadata.sequence.stream),
                "dead-letter-subject": message.subject,
            },
        )
        if delivery is not None:
            await self._remember_dead(delivery, reason)
        await message.term()
        self.state.dead_lettered += 1
        DEAD.labels(self._name).inc()
        log.error(
            "event_dead_lettered",
            consumer=self._name,
            subject=message.subject,
            sequence=metadata.sequence.stream,
            reason=reason,
        )

    async def _remember_dead(self, delivery: Delivery, reason: str) -> None:
        """Note the death in the inbox, so that a refilled stream does not repeat it."""
        statement = insert(TABLES.inbox).values(
            consumer=self._name,
            event_id=delivery.event_id,
            dead_letter_reason=reason[:_REASON_LENGTH],
        )
        async with self._engine.begin() as connection:
            await connection.execute(statement.on_conflict_do_nothing())


async def dead_letter_count(connection: AsyncConnection, consumer: str) -> int:
    """Return how many events this consumer gave up."""
    inbox = TABLES.inbox
    dead = select(inbox.c.event_id).where(
        inbox.c.consumer == consumer, inbox.c.dead_letter_reason.is_not(None)
    )
    return len((await connection.execute(dead)).all())
