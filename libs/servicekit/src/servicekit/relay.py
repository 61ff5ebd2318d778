"""The relay: carries recorded events from the outbox to their stream.

One process per database leads. It publishes what is unpublished in the order of the
outbox, many events at once, and marks each with its sequence in the stream. Events that
become visible late (their transaction took a lower number but committed later) are
found because the relay asks for what is unpublished, never for what is "newer".

A crash between publishing and marking costs nothing: the next leader first compares the
outbox with the stream (`servicekit.history`). The same comparison runs periodically and
after every failure, and refills a stream that was deleted or has lost its end. Whoever
asks is told where the stream ends by that comparison.
"""

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import Final, Literal

import asyncpg
import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from prometheus_client import Counter, Gauge

from servicekit import tracing
from servicekit.broker import Broker, StreamSpec
from servicekit.delivery import is_transient
from servicekit.history import History, HistoryError, outgoing
from servicekit.leadership import TAKEOVER_INTERVAL, LeaderConnection
from servicekit.publishing import Refusal, WindowPublisher
from servicekit.pull import PullInterruptedError
from servicekit.tasks import end_tasks

log = structlog.get_logger(__name__)

PUBLISHED = Counter("outbox_published", "Events published", ["stream"])
UNPUBLISHED = Gauge("outbox_unpublished", "Events that wait for the relay", ["stream"])
OLDEST_AGE = Gauge("outbox_oldest_seconds", "Age of the oldest event that waits", ["stream"])
BLOCKED = Gauge("outbox_blocked_aggregates", "Aggregates with a refused event", ["stream"])
LEADS = Gauge("outbox_leads", "1 in the process whose relay publishes to the stream", ["stream"])

_CHANNEL: Final = "outbox"
_UNPUBLISHED = """
SELECT event_id, aggregate_id, subject, headers, payload FROM outbox
WHERE published_at IS NULL AND aggregate_id <> ALL($2::text[]) ORDER BY seq LIMIT $1
"""
_LAG = """
SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(recorded_at)), 0)::float8
FROM outbox WHERE published_at IS NULL
"""
_STRIKES_TO_BLOCK = 3
_BLOCK_SECONDS = 30.0
_LONGEST_PAUSE = 2.0
_RESIGN_SECONDS = 10.0

Role = Literal["starting", "standby", "leading", "recovering", "stopped"]


@dataclass
class RelayState:
    """What a health check shows of a relay. `reason` says why it is recovering."""

    role: Role = "starting"
    reason: str = ""
    last_sequence: int = 0
    unpublished: int = 0
    oldest_seconds: float = 0.0
    blocked: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether events flow, here or in the process that leads."""
        return self.role in ("leading", "standby") and not self.blocked


class _LeadershipLostError(Exception):
    """The connection that held the lock has ended."""


class Relay:
    """Publishes the outbox of one database to one stream.

    `window` events are in flight at once. `nudge` says that something was committed;
    without one the relay looks every `safety_poll` seconds, and compares stream and
    outbox every `check_interval` seconds.
    """

    def __init__(
        self,
        *,
        broker: Broker,
        database_url: str,
        stream: StreamSpec,
        window: int = 500,
        safety_poll: float = 1.0,
        check_interval: float = 5.0,
        ack_timeout: float = 5.0,
    ) -> None:
        self.state = RelayState()
        self._broker = broker
        self._database_url = database_url
        self._spec = stream
        self._window = window
        self._safety_poll = safety_poll
        self._check_interval = check_interval
        self._ack_timeout = ack_timeout
        self._wake = asyncio.Event()
        self._nudged = False
        self._check_at = 0.0
        self._refill = False
        # Who asks where the stream ends, and is answered after the next comparison.
        self._asking: list[Msg] = []
        self._strikes: dict[str, int] = {}
        self._blocked_until: dict[str, float] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to lead, or to wait for it, in the background."""
        self._task = asyncio.create_task(self._run(), name=f"relay {self._spec.name}")

    async def stop(self) -> None:
        """Stop; what is in flight is found in the stream by the next leader."""
        await end_tasks(self._task)
        self._task = None
        self.state.role = "stopped"

    def nudge(self) -> None:
        """Say that events were committed. Cheap; call it after each commit."""
        self._nudged = True
        self._wake.set()

    async def _run(self) -> None:
        forget = self._broker.on_reconnect(self._check_soon)
        try:
            pause = 0.1
            while True:
                began = time.monotonic()
                reason = await self._hold_office()
                self.state.role, self.state.reason = "recovering", reason
                log.warning("relay_interrupted", stream=self._spec.name, reason=reason)
                long_ago = time.monotonic() - began > 10 * _LONGEST_PAUSE
                pause = 0.1 if long_ago else min(2 * pause, _LONGEST_PAUSE)
                await asyncio.sleep(pause)
        finally:
            forget()

    def _check_soon(self) -> None:
        self._check_at = 0.0
        self._wake.set()

    async def _hold_office(self) -> str:
        """Connect, wait to lead, lead; return why it ended."""
        try:
            leader = await LeaderConnection.open(
                self._database_url, f"relay {self._spec.name}", on_lost=self._wake.set
            )
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            return repr(error)
        try:
            await self._wait_to_lead(leader)
            await self._lead(leader)
        except Exception as error:
            if not (isinstance(error, _LeadershipLostError) or is_transient(error)):
                log.exception("relay_failed", stream=self._spec.name)
            return repr(error)
        else:
            return "ended"
        finally:
            leader.close()
            self._hand_over()

    def _hand_over(self) -> None:
        # What waits is said by the process that leads; an old figure would stand for ever.
        LEADS.labels(self._spec.name).set(0)
        for gauge in (UNPUBLISHED, OLDEST_AGE, BLOCKED):
            gauge.labels(self._spec.name).set(0)

    async def _wait_to_lead(self, leader: LeaderConnection) -> None:
        """Return when this process leads; until then pass nudges on to the one that does."""
        while not await leader.try_lead():
            self.state.role, self.state.reason = "standby", ""
            await self._wait(TAKEOVER_INTERVAL)
            self._stay(leader)
            if self._nudged:
                self._nudged = False
                await leader.notify(_CHANNEL)

    async def _lead(self, leader: LeaderConnection) -> None:
        await leader.listen(_CHANNEL, self._wake.set)
        requests = [
            await self._broker.hear(refill_subject(self._spec.name), self._accept_refill),
            await self._broker.hear(end_subject(self._spec.name), self._accept_question),
        ]
        log.info("relay_leads", stream=self._spec.name)
        try:
            async with WindowPublisher(
                self._broker, self._spec.name, ack_timeout=self._ack_timeout
            ) as publisher:
                history = History(
                    leader.connection, self._broker, self._spec, publisher, window=self._window
                )
                await self._carry(leader, history, publisher)
        finally:
            self._asking.clear()
            with contextlib.suppress(NatsError):  # closed meanwhile, with all subscriptions
                for subscription in requests:
                    await subscription.unsubscribe()

    async def _carry(
        self, leader: LeaderConnection, history: History, publisher: WindowPublisher
    ) -> None:
        """Publish for as long as this process leads."""
        connection = leader.connection
        self._check_at = 0.0
        pause, last_success = 0.05, time.monotonic()
        while True:
            self._wake.clear()
            self._stay(leader)
            if time.monotonic() >= self._check_at:
                reason = await self._check(connection, history)
                if reason:
                    self.state.role, self.state.reason = "recovering", reason
                    LEADS.labels(self._spec.name).set(0)
                    await self._measure(connection)
                    log.warning("relay_waits", stream=self._spec.name, reason=reason)
                    if time.monotonic() - last_success > _RESIGN_SECONDS:
                        # Another process may reach the broker when this one does not.
                        raise _LeadershipLostError("resigned: " + reason)
                    pause = min(2 * pause, _LONGEST_PAUSE)
                    await self._wait(pause)
                    continue
                self.state.role, self.state.reason, pause = "leading", "", 0.05
                LEADS.labels(self._spec.name).set(1)
                last_success = time.monotonic()
            rows = await connection.fetch(_UNPUBLISHED, self._window, self._blocked())
            if not rows:
                await self._wait(self._safety_poll)
                continue
            began = time.time_ns()
            result = await publisher.publish(
                [outgoing(row) for row in rows], self.state.last_sequence
            )
            for row in rows[: result.stored]:
                headers = row["headers"]
                tracing.record_publish(
                    headers["ce-type"], row["subject"], headers.get("traceparent"), began
                )
            if result.stored:
                done, first = rows[: result.stored], self.state.last_sequence + 1
                sequences = range(first, first + result.stored)
                await history.mark([row["event_id"] for row in done], list(sequences))
                self.state.last_sequence += result.stored
                PUBLISHED.labels(self._spec.name).inc(result.stored)
            if result.refusal is not None:
                self._note_refusal(rows[result.stored], result.refusal)
                # Whatever the reason, the stream is looked at before anything is sent again.
                self._check_at = 0.0
                if not result.stored:
                    await asyncio.sleep(0.05)

    async def _check(self, connection: asyncpg.Connection, history: History) -> str:
        """Bring stream and outbox together; return what prevented it, or nothing."""
        asking, self._asking = self._asking, []
        try:
            if self._refill:
                await history.delete_stream()
                self._refill = False
            self.state.last_sequence = await history.reconcile()
            for question in asking:
                await question.respond(str(self.state.last_sequence).encode())
        except (NatsError, HistoryError, PullInterruptedError, TimeoutError) as error:
            return repr(error)
        self._check_at = time.monotonic() + self._check_interval
        await self._measure(connection)
        return ""

    async def _measure(self, connection: asyncpg.Connection) -> None:
        """Tell how much waits; also while the broker is away, when it matters most."""
        count, age = (await connection.fetch(_LAG))[0]
        self.state.unpublished, self.state.oldest_seconds = count, age
        UNPUBLISHED.labels(self._spec.name).set(count)
        OLDEST_AGE.labels(self._spec.name).set(age)

    def _note_refusal(self, row: asyncpg.Record, refusal: Refusal) -> None:
        """Set an aggregate aside whose event the server refuses, so that others go on."""
        log.warning(
            "publish_refused",
            stream=self._spec.name,
            event_id=str(row["event_id"]),
            reason=refusal.reason,
        )
        if not refusal.of_message:
            return
        aggregate = row["aggregate_id"]
        strikes = self._strikes.get(aggregate, 0) + 1
        self._strikes[aggregate] = strikes
        if strikes >= _STRIKES_TO_BLOCK:
            self._blocked_until[aggregate] = time.monotonic() + _BLOCK_SECONDS
            log.error("relay_blocks_aggregate", aggregate_id=aggregate, reason=refusal.reason)

    def _blocked(self) -> list[str]:
        """Aggregates that are set aside now; each gets another attempt when its time is over."""
        now = time.monotonic()
        for aggregate in [a for a, until in self._blocked_until.items() if until <= now]:
            del self._blocked_until[aggregate]
            self._strikes[aggregate] = _STRIKES_TO_BLOCK - 1
        self.state.blocked = tuple(self._blocked_until)
        BLOCKED.labels(self._spec.name).set(len(self._blocked_until))
        return list(self._blocked_until)

    def _stay(self, leader: LeaderConnection) -> None:
        if leader.lost.is_set():
            raise _LeadershipLostError("connection lost")

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        self._wake.clear()

    async def _accept_refill(self, request: Msg) -> None:
        self._refill = True
        self._check_soon()
        await request.respond(b"accepted")

    async def _accept_question(self, question: Msg) -> None:
        self._asking.append(question)
        self._check_soon()


def refill_subject(stream: str) -> str:
    """Subject on which the leading relay takes requests to make its stream anew."""
    return f"outbox.{stream}.refill"


async def request_refill(broker: Broker, stream: str, *, patience: float = 60.0) -> None:
    """Have `stream` deleted and filled again with the whole history of its outbox.

    Events older than the stream keeps them are then in it again, under their old
    sequences. Returns when the new stream has reached the sequence of the old one;
    raises `TimeoutError` when it does not within `patience` seconds, and
    `nats.errors.NoRespondersError` when no relay leads.
    """
    before = await broker.stream_info(stream)
    goal = before.state.last_seq if before else 0
    await broker.client.request(refill_subject(stream), timeout=5)
    async with asyncio.timeout(patience):
        while True:
            await asyncio.sleep(0.05)
            now = await broker.stream_info(stream)
            if now is None or (before is not None and now.created == before.created):
                continue
            if now.state.last_seq >= goal:
                return


def end_subject(stream: str) -> str:
    """Subject on which the leading relay is asked where its stream ends."""
    return f"outbox.{stream}.end"


async def ask_end(broker: Broker, stream: str, *, patience: float = 5.0) -> int:
    """Return the last sequence of `stream`, as its owner says after comparing it with the outbox.

    The stream is then whole, and holds what the outbox holds. Raises `nats.errors.Error`
    when no relay leads, or it has not made the stream whole within `patience` seconds.
    """
    answer = await broker.client.request(end_subject(stream), timeout=patience)
    return int(answer.data)
