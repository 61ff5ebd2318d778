"""The consumer for read models: every event, in the order of its stream, once.

The position in each stream is stored in the transaction of what was written, and moved
only from where this process believes it to be, so that a second projector is fenced off.
The consumer at the broker is ephemeral and begins behind the position: nothing is
redelivered, so nothing arrives out of order.

An event that cannot be applied is recorded in `projection_failure`, with all later
events of its aggregate: what is shown of that aggregate stays the last state that was
right, instead of one with a step missing, while all others go on. The recorded events
are tried again, in order, whenever a projector starts: after a deployment that mends
the cause they drain by themselves. Until then the projector is unhealthy.

A stream that was made anew is recognised: one that is still shorter than the position is
waited for. One that holds another event at the position (which a refill never does), or
that its owner calls whole though it is shorter, is of another history: the projection is
made anew from it, once the owners of all its streams answer for theirs. Until then it
stands still, visibly. A stream that no longer has the next event is refilled by its owner.

Several streams are followed at once, each in its own order; between two streams there
is none, so what a projection writes must not depend on it.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack

import asyncpg
import structlog
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from sqlalchemy.ext.asyncio import AsyncEngine

from servicekit import continuation, tracing
from servicekit.broker import Broker
from servicekit.delivery import Delivery, PoisonError, is_transient, read_delivery
from servicekit.leadership import TAKEOVER_INTERVAL, LeaderConnection
from servicekit.projection import (
    REBUILD_CHANNEL,
    REMADE,
    FailedEvents,
    FencedError,
    Positions,
    Projection,
    ProjectorState,
    StoredPosition,
    observe_delays,
    publish_metrics,
)
from servicekit.pull import PullInterruptedError, PullReader
from servicekit.relay import request_refill
from servicekit.tasks import end_tasks

log = structlog.get_logger(__name__)

_LONGEST_PAUSE = 2.0
_RETRY_PAUSE = 0.1
_RECHECK_SECONDS = 0.25


class _GapError(Exception):
    """A message is missing between two deliveries of the ephemeral consumer."""


class Projector:
    """Feeds one projection. One process per database leads, by advisory lock.

    `after_commit` is called with the events whose effect was just committed.
    An event is given `attempts` before it is recorded as failed. `remake` is called in
    place of `rebuild` when a stream is of another history, with the ends of all streams.
    """

    def __init__(
        self,
        *,
        projection: Projection,
        broker: Broker,
        engine: AsyncEngine,
        database_url: str,
        batch: int = 300,
        attempts: int = 3,
        after_commit: Callable[[Sequence[Delivery]], None] | None = None,
        remake: Callable[[Mapping[str, int]], Awaitable[None]] | None = None,
    ) -> None:
        self.state = ProjectorState()
        self._projection = projection
        self._broker = broker
        self._engine = engine
        self._database_url = database_url
        self._batch = batch
        self._attempts = attempts
        self._after_commit = after_commit
        self._remake = remake
        self._positions = Positions(projection.name)
        self._failed = FailedEvents(projection.name)
        # One transaction at a time: the streams write the same tables.
        self._applying = asyncio.Lock()
        self._restart = asyncio.Event()
        # Up to where each stream is history, read by a projection that began anew.
        self._history: dict[str, int] = {}
        # Streams that were refilled for their beginning: what they lack now nobody has.
        self._refilled: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._remaking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to lead, or to wait for it, in the background."""
        for stream in self._projection.streams:
            REMADE.labels(self._projection.name, stream)  # a rise is seen from 0 on
        self._task = asyncio.create_task(self._run(), name=f"projector {self._projection.name}")

    async def stop(self) -> None:
        """Stop; a transaction in work is rolled back with its position."""
        await end_tasks(self._task, self._remaking)
        self._task = self._remaking = None
        self.state.role = "stopped"
        publish_metrics(self._projection.name, self.state)

    async def caught_up(self, positions: Mapping[str, int], *, patience: float = 10.0) -> None:
        """Return when the projection has reached these positions, by stream.

        Works in any process. Raises `TimeoutError` after `patience` seconds.
        """
        async with asyncio.timeout(patience):
            while True:
                async with self._engine.connect() as connection:
                    reached = await self._positions.load(connection)
                if all(
                    stream in reached and reached[stream].position >= goal
                    for stream, goal in positions.items()
                ):
                    return
                await asyncio.sleep(0.02)

    async def rebuild(self) -> None:
        """Empty the read model and have it made again from the first event of each stream.

        Works in any process; the leading projector begins anew. A stream that no longer
        has its first events is refilled by its owner first. Returns when the rebuilding
        has begun; `caught_up` waits for its end. Raises `TimeoutError` or
        `nats.errors.Error` when an owner does not refill; nothing is emptied then.
        """
        for stream in self._projection.streams:
            info = await self._broker.stream_info(stream)
            if info is not None and info.state.first_seq > 1 and info.state.last_seq > 0:
                await request_refill(self._broker, stream)
        async with self._engine.begin() as connection:
            # The positions first: their locks hold off a projector in its transaction.
            await self._positions.reset(connection)
            await self._failed.clear(connection)
            await self._projection.truncate(connection)
        log.info("projection_rebuild", projection=self._projection.name)

    async def _run(self) -> None:
        pause = 0.05
        while True:
            began = time.monotonic()
            reason = await self._hold_office()
            self.state.role, self.state.reason = "recovering", reason
            publish_metrics(self._projection.name, self.state)
            log.warning("projector_restarts", projection=self._projection.name, reason=reason)
            quick = time.monotonic() - began < _LONGEST_PAUSE
            pause = min(2 * pause, _LONGEST_PAUSE) if quick else 0.05
            await asyncio.sleep(pause)

    async def _hold_office(self) -> str:
        """Connect, wait to lead, lead; return why it ended."""
        self._restart.clear()
        try:
            leader = await LeaderConnection.open(
                self._database_url,
                f"projector {self._projection.name}",
                on_lost=self._restart.set,
            )
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            return repr(error)
        try:
            while not await leader.try_lead():
                self.state.role, self.state.reason = "standby", ""
                publish_metrics(self._projection.name, self.state)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(TAKEOVER_INTERVAL):
                        await self._restart.wait()
            await leader.listen(REBUILD_CHANNEL, self._restart.set)
            await self._lead()
        except Exception as error:
            if not (isinstance(error, FencedError) or is_transient(error)):
                log.exception("projector_failed", projection=self._projection.name)
            return repr(error)
        else:
            return "positions or leadership changed"
        finally:
            leader.close()

    async def _lead(self) -> None:
        """Follow all streams until something changes underneath."""
        async with self._engine.begin() as connection:
            await self._positions.ensure(connection, self._projection.streams)
            await self._failed.load(connection)
        await self._retry_failed()
        self.state.role, self.state.reason = "leading", ""
        publish_metrics(self._projection.name, self.state)
        log.info("projector_leads", projection=self._projection.name)
        followers = [
            asyncio.create_task(self._follow(stream), name=f"follow {stream}")
            for stream in self._projection.streams
        ]
        restart = asyncio.create_task(self._restart.wait())
        try:
            done, _ = await asyncio.wait([*followers, restart], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await end_tasks(restart, *followers, again_after=1.0)

    async def _follow(self, stream: str) -> None:
        """Apply one stream for as long as this process leads; raises `FencedError`."""
        pause = _RETRY_PAUSE
        while True:
            began = time.monotonic()
            try:
                await self._read(stream)
            except (PullInterruptedError, _GapError) as error:
                reason = str(error)
            except FencedError:
                raise
            except Exception as error:
                if not is_transient(error):
                    raise
                reason = repr(error)
            else:
                reason = "ended"
            progress = self.state.stream(stream)
            progress.status, progress.reason = "waiting", reason
            publish_metrics(self._projection.name, self.state)
            log.warning("projection_interrupted", stream=stream, reason=reason)
            quick = time.monotonic() - began < _LONGEST_PAUSE
            pause = min(2 * pause, _LONGEST_PAUSE) if quick else _RETRY_PAUSE
            await asyncio.sleep(pause)

    async def _read(self, stream: str) -> None:
        position = await self._ready_position(stream)
        consumer = await self._broker.jetstream.add_consumer(
            stream,
            ConsumerConfig(
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=position + 1,
                ack_policy=AckPolicy.NONE,
                mem_storage=True,
                inactive_threshold=30,
            ),
        )
        self.state.stream(stream).lag = consumer.num_pending or 0
        publish_metrics(self._projection.name, self.state)
        expected = 1
        async with PullReader(
            self._broker, stream, consumer.name or "", batch=self._batch
        ) as reader:
            while True:
                messages = await reader.next_batch()
                for message in messages:
                    if message.metadata.sequence.consumer != expected:
                        raise _GapError(f"expected delivery {expected}")
                    expected += 1
                position = await self._take(stream, position, messages)
                self._refilled.discard(stream)  # what is lost from now on is asked for again
                self.state.stream(stream).lag = messages[-1].metadata.num_pending
                publish_metrics(self._projection.name, self.state)

    async def _ready_position(self, stream: str) -> int:
        """Return the stored position once the stream is one that continues it."""
        while True:
            async with self._engine.connect() as connection:
                stored = (await self._positions.load(connection))[stream]
            info = await self._broker.stream_info(stream)
            found = await continuation.look(self._broker, stream, info, stored)
            progress = self.state.stream(stream)
            progress.position = stored.position
            progress.lag = max(0, info.state.last_seq - stored.position) if info else 0
            if info is not None and stored.position == 0:
                self._history[stream] = info.state.last_seq
            progress.status = "diverged" if found.kind == "other" else "waiting"
            progress.reason = found.reason
            if found.kind == "continues" or (found.kind == "beheaded" and stream in self._refilled):
                progress.status, progress.reason = "following", ""
                return stored.position
            publish_metrics(self._projection.name, self.state)
            if found.kind == "beheaded":
                await request_refill(self._broker, stream)
                self._refilled.add(stream)
                continue
            if found.kind in ("shorter", "other"):
                await self._remake_if_of_another_history(stream, stored)
            await asyncio.sleep(_RECHECK_SECONDS)

    async def _remake_if_of_another_history(self, stream: str, stored: StoredPosition) -> None:
        if not await continuation.is_of_another_history(self._broker, stream, stored):
            return
        progress = self.state.stream(stream)
        progress.status = "diverged"
        ends = await continuation.ends_by_owners(self._broker, self._projection.streams)
        if ends is None:
            progress.reason = "of another history; the owner of another stream does not answer"
            publish_metrics(self._projection.name, self.state)
            return
        progress.reason = "of another history: the projection is made anew"
        log.error("projection_diverged", stream=stream, position=stored.position, ends=ends)
        # Its commit tells this process to begin anew, which ends the task that waits here.
        self._remaking = asyncio.create_task(self._make_anew(stream, ends))
        await asyncio.shield(self._remaking)

    async def _make_anew(self, stream: str, ends: Mapping[str, int]) -> None:
        if self._remake is None:
            await self.rebuild()
        else:
            await self._remake(ends)
        REMADE.labels(self._projection.name, stream).inc()

    async def _take(self, stream: str, position: int, messages: Sequence[Msg]) -> int:
        deliveries: list[Delivery] = []
        for message in messages:
            try:
                deliveries.append(read_delivery(message))
            except PoisonError as error:
                # Not written by an outbox: it belongs to no aggregate and is passed over.
                log.warning("not_an_event", subject=message.subject, reason=str(error))
        if not deliveries:
            return position
        await self._apply(stream, position, deliveries)
        return deliveries[-1].stream_seq

    async def _apply(self, stream: str, position: int, deliveries: Sequence[Delivery]) -> None:
        """Apply `deliveries`; halve them when one fails, and record that one as failed."""
        for attempt in range(1, self._attempts + 1):
            try:
                await self._commit(stream, position, deliveries)
            except Exception as error:
                if isinstance(error, FencedError) or is_transient(error):
                    raise
                if len(deliveries) == 1:
                    log.exception("projection_failed", stream=stream)
                reason, poison = f"{type(error).__name__}: {error}", isinstance(error, PoisonError)
            else:
                return
            if len(deliveries) > 1:
                middle = len(deliveries) // 2
                await self._apply(stream, position, deliveries[:middle])
                await self._apply(stream, deliveries[middle - 1].stream_seq, deliveries[middle:])
                return
            if poison or attempt == self._attempts:
                async with self._applying, self._engine.begin() as connection:
                    await self._positions.move(connection, position, deliveries[-1])
                    await self._failed.add(connection, deliveries[0], reason, attempt)
                self._failed.remember(deliveries[0])
                self._note(stream, deliveries)
                return
            await asyncio.sleep(_RETRY_PAUSE * attempt)

    async def _commit(self, stream: str, position: int, deliveries: Sequence[Delivery]) -> None:
        live = [delivery for delivery in deliveries if not self._failed.holds(delivery)]
        held = [delivery for delivery in deliveries if self._failed.holds(delivery)]
        async with self._applying, self._engine.begin() as connection:
            await self._positions.move(connection, position, deliveries[-1])
            for delivery in held:
                await self._failed.add(connection, delivery, "follows a failed event", 0)
            if live:
                with self._spans(live):
                    await self._projection.apply(connection, live)
        self._note(stream, deliveries)
        behind = self._history.get(stream, 0)
        fresh = [delivery for delivery in live if delivery.stream_seq > behind]
        observe_delays(self._projection.name, stream, fresh)
        if live and self._after_commit is not None:
            self._after_commit(live)

    def _spans(self, deliveries: Sequence[Delivery]) -> ExitStack:
        stack = ExitStack()
        for delivery in deliveries:
            name = f"{self._projection.name} {delivery.type}"
            stack.enter_context(tracing.consumer_span(name, delivery.traceparent))
        return stack

    def _note(self, stream: str, deliveries: Sequence[Delivery]) -> None:
        progress = self.state.stream(stream)
        progress.position = deliveries[-1].stream_seq
        progress.event_time = deliveries[-1].time
        self.state.failed_aggregates = self._failed.aggregates()

    async def _retry_failed(self) -> None:
        """Apply the recorded events again, each aggregate's in order, up to its first failure."""
        async with self._engine.connect() as connection:
            waiting = await self._failed.waiting(connection)
        for deliveries in waiting:
            for delivery in deliveries:
                try:
                    async with self._applying, self._engine.begin() as connection:
                        await self._failed.remove(connection, delivery)
                        with self._spans([delivery]):
                            await self._projection.apply(connection, [delivery])
                except Exception as error:
                    if isinstance(error, FencedError) or is_transient(error):
                        raise
                    log.exception("projection_still_fails", subject=delivery.subject)
                    break
                if self._after_commit is not None:
                    self._after_commit([delivery])
            else:
                self._failed.forget(deliveries[0])
        self.state.failed_aggregates = self._failed.aggregates()
