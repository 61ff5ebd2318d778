"""Listens to the heartbeats of all nodes, and tells who is heard of and who is not.

Every process listens, by its own monotonic clock; the one that leads judges, records
changes as events, and tells what is known now on ``live.presence``. A process that takes
over has listened all along, so that a change of the leader changes nothing of a node.
"""

import asyncio
import contextlib
import math
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import asyncpg
import structlog
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from sqlalchemy import exc

from centers.domain.nodes import NodeState
from centers.domain.presence import (
    CAPACITY,
    FEEDS,
    HEARTBEAT,
    REPORT,
    Change,
    ListeningClock,
    Liveness,
    Presence,
    PresenceWatch,
    Standing,
    thresholds,
)
from centers.repository.presence import (
    Listening,
    OvertakenError,
    RollEntry,
    Vitals,
    read_listening,
    read_roll,
    read_vitals,
    unheard_receipts,
    write_changes,
    write_listening,
    write_vitals,
)
from nodekit.subjects import LIVE_PRESENCE, from_any_node, sender
from peyvand.centers.v1 import nodes_pb2 as pb
from peyvand.node.v1 import protocol_pb2
from servicekit.broker import Broker
from servicekit.database import Database
from servicekit.delivery import is_transient
from servicekit.leadership import LeaderConnection
from servicekit.mapping import to_timestamp
from servicekit.personal_data import personal_data
from servicekit.tasks import end_tasks

log = structlog.get_logger(__name__)

_PULSE = 0.5  # seconds between two steps of the listening clock
_TICK = 1.0  # seconds between two judgements
_COMPLETE_EVERY = 10.0  # seconds between two complete digests
_VITALS_EVERY = 30.0  # seconds between two writings of what nodes tell of themselves
_WAKE_EVERY = 30.0  # seconds between two looks for receipts that nobody has fetched
_ALL_EVERY = 300.0  # seconds between two readings of all there is
_MOST_CHANGES = 500  # recorded at once; the others a second later
_MOST_BYTES = 800_000  # of a digest; the broker takes a mebibyte
_LONGEST_VERSION = 50
_GRACE = timedelta(seconds=30)
_NOTE_EVERY = 10.0  # seconds between two writings that somebody listens
# So long nobody may listen, in seconds, before what was good is no longer held for known; a
# hub that is started anew is back sooner.
_INTERRUPTION = 30.0

_LISTENED_TO = (NodeState.ENROLLED, NodeState.ACTIVE)
_LIVENESS = {
    Liveness.ONLINE: pb.FEED_LIVENESS_ONLINE,
    Liveness.LATE: pb.FEED_LIVENESS_LATE,
    Liveness.STALE: pb.FEED_LIVENESS_STALE,
    Liveness.OFFLINE: pb.FEED_LIVENESS_OFFLINE,
    Liveness.UNKNOWN: pb.FEED_LIVENESS_UNKNOWN,
}


class PresenceKeeper:
    """Keeps what is known of all nodes in this process, and leads if no other does.

    `wake` asks a node to say hello, when it has left what it should hear, or when it is to
    be heard of in other times than before.
    """

    def __init__(
        self,
        database: Database,
        database_url: str,
        wake: Callable[[str], Awaitable[None]],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.leads = False
        self._database = database
        self._database_url = database_url
        self._wake = wake
        self._monotonic = monotonic
        self._clock = ListeningClock(monotonic())
        self._watch = PresenceWatch()
        self._presences: dict[tuple[str, str], Presence] = {}
        self._accepted: dict[tuple[str, str], datetime] = {}
        self._owed: dict[tuple[str, str], datetime] = {}
        self._vitals: dict[str, Vitals] = {}
        self._unwritten: set[str] = set()
        self._changed: set[str] = set()
        # Nodes that are to be heard of in other times than they know.
        self._differently: set[str] = set()
        self._since: datetime | None = None
        self._due: dict[str, float] = {}
        # When it was last written that somebody listens, by this process's clock, and what.
        self._noted_at: float | None = None
        self._noted = 0
        self._heard_until: datetime | None = None
        self._teller = secrets.token_hex(4)
        self._number = 0
        self._leader: LeaderConnection | None = None
        self._broker: Broker | None = None
        self._subscription: Subscription | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def on(self, broker: Broker) -> "PresenceKeeper":
        """Use this broker; to be called before `start`."""
        self._broker = broker
        return self

    async def start(self) -> None:
        """Begin to listen."""
        broker = self._connected()
        self._clock = ListeningClock(self._monotonic())
        self._subscription = await broker.hear(from_any_node("hb"), self._heartbeat)
        self._tasks = [
            asyncio.create_task(self._keep_time(), name="presence clock"),
            asyncio.create_task(self._run(), name="presence"),
        ]

    async def stop(self) -> None:
        """Listen no more; another process leads within a second."""
        await end_tasks(*self._tasks)
        self._resign()
        if self._subscription is not None:
            with contextlib.suppress(NatsError):  # closed already, with all subscriptions
                await self._subscription.unsubscribe()

    def health_of(self, node_id: str, center_id: str) -> pb.NodeHealth:
        """What is known of one node now; what is not known is told as unknown."""
        health = pb.NodeHealth(
            node_id=node_id, center_id=center_id, as_of=to_timestamp(datetime.now(UTC))
        )
        for feed in FEEDS:
            standing = self._watch.standing(node_id, feed)
            state = health.feeds.add(feed=feed, liveness=pb.FEED_LIVENESS_UNKNOWN)
            if standing is not None:
                state.liveness = _LIVENESS[standing.liveness]
                state.since.FromDatetime(standing.since)
                if standing.last_received_at is not None:
                    state.last_received_at.FromDatetime(standing.last_received_at)
        if vitals := self._vitals.get(node_id):
            health.vitals.CopyFrom(vitals.told)
        return health

    async def _heartbeat(self, message: Msg) -> None:
        now = datetime.now(UTC)
        try:
            node_id = sender(message.subject)
            told = protocol_pb2.Heartbeat.FromString(message.data)
            vitals = _vitals(told, now)
        except (DecodeError, ValueError, OverflowError) as error:
            log.info("a heartbeat could not be read", subject=message.subject, error=repr(error))
            return
        self._watch.hear(node_id, HEARTBEAT, self._clock.seconds, now)
        self._vitals[node_id] = Vitals(now, vitals)
        self._unwritten.add(node_id)

    async def _keep_time(self) -> None:
        broker = self._connected()
        while True:
            self._advance(broker)
            await asyncio.sleep(_PULSE)

    def _advance(self, broker: Broker) -> None:
        before, now = self._clock.last_heard, self._monotonic()
        self._clock.advance(now, listening=broker.connected)
        if self._clock.unbroken_since == now and now - before > _INTERRUPTION:
            self._watch.interrupted(self._clock.seconds)

    async def _run(self) -> None:
        while True:
            try:
                await self._tick()
            except (OvertakenError, exc.IntegrityError):
                log.info("another process has told of the nodes meanwhile")
                self._since = None
            except Exception as error:
                # It must not end: what it could not do now it does a second later.
                if is_transient(error):
                    log.info("presence waits", error=repr(error))
                else:
                    log.exception("presence failed")
            await asyncio.sleep(_TICK)

    async def _tick(self) -> None:
        if self._is_due("all", _ALL_EVERY):
            self._since = None
        led = self.leads
        self.leads = await self._lead()
        if self.leads and not led:
            log.info("presence_leads", teller=self._teller)
            self._since = None
        await self._refresh()
        if not self.leads:
            return
        await self._tell_of_interruption()
        await self._judge()
        await self._tell()
        if self._unwritten and self._is_due("vitals", _VITALS_EVERY):
            await self._write_vitals()
        if self._is_due("wake", _WAKE_EVERY):
            await self._wake_those_with_receipts()

    async def _lead(self) -> bool:
        """Whether this process leads now."""
        if self._leader is not None and self._leader.lost.is_set():
            self._resign()
        if self._leader is None:
            try:
                self._leader = await LeaderConnection.open(self._database_url, "presence")
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
                log.info("presence cannot lead now", error=repr(error))
                return False
        return self.leads or await self._leader.try_lead()

    def _resign(self) -> None:
        if self._leader is not None:
            self._leader.close()
        self._leader, self.leads = None, False

    async def _refresh(self) -> None:
        """Learn from the database which nodes are expected, and what was told of them."""
        first = self._since is None
        async with self._database.read() as session:
            roll = await read_roll(session, self._since)
            noted = await read_listening(session)
            vitals = await read_vitals(session) if first else {}
        if noted is not None:
            self._learn_listening(noted)
        for node_id, told in vitals.items():
            known = self._vitals.get(node_id)
            if known is None or known.heard_at < told.heard_at:
                self._vitals[node_id] = told
        for presence in roll.presences:
            self._learn(presence)
        for entry in roll.entries:
            self._expect(entry, roll.now)
        self._since = roll.next
        if self.leads:
            while self._differently:
                await self._wake(self._differently.pop())
        self._differently.clear()

    def _learn_listening(self, noted: Listening) -> None:
        """Learn that somebody listened; only once does a wall clock tell how long ago that is."""
        if self._noted_at is not None and noted.number == self._noted:
            return
        first, now = self._noted_at is None, self._monotonic()
        age = noted.age.total_seconds() if first else 0.0
        # Noted later than now: the clock was set back, and nobody knows how long ago it was.
        self._noted_at = now - age if age >= -_PULSE else -math.inf
        self._noted, self._heard_until = noted.number, noted.heard_until

    async def _tell_of_interruption(self) -> None:
        """Tell that nothing is known of the time in which nobody listened, if that was long.

        Then note that somebody listens now. What others and this process have heard without
        a break is not lost, whoever leads.
        """
        broker = self._connected()
        self._advance(broker)
        if not broker.connected:
            return
        if self._noted_at is not None and self._heard_until is not None:
            gap = self._clock.unbroken_since - self._noted_at
            if gap > _INTERRUPTION + _NOTE_EVERY + _TICK:
                since = min(self._heard_until, datetime.now(UTC))
                log.warning("nobody_listened", since=since.isoformat())
                await self._record(self._watch.unheard(since))
                self._noted_at = None
        if self._noted_at is None or self._is_due("listening", _NOTE_EVERY):
            await self._database.write(write_listening)
            self._noted_at = self._monotonic()

    def _learn(self, presence: Presence) -> None:
        key = (presence.node_id, presence.feed)
        known = self._presences.get(key)
        if known is not None and known.version >= presence.version:
            return
        self._presences[key] = presence
        if presence.ended:
            return
        received = presence.last_received_at
        vitals = self._vitals.get(presence.node_id) if presence.feed == HEARTBEAT else None
        if vitals and (received is None or received < vitals.heard_at):
            received = vitals.heard_at
        self._watch.known(*key, Standing(presence.liveness, presence.since, received))

    def _expect(self, entry: RollEntry, now: datetime) -> None:
        if entry.state not in _LISTENED_TO:
            ended = entry.state is not NodeState.SUSPENDED
            self._watch.dismiss(entry.node_id, entry.center_id, ended=ended)
            self._vitals.pop(entry.node_id, None)
            for feed in (CAPACITY, REPORT):
                # The watch forgets it too; it counts again once the node is let in again.
                self._accepted.pop((entry.node_id, feed), None)
                self._owed.pop((entry.node_id, feed), None)
            return
        limits = thresholds(entry.expectations)
        before = self._watch.limits(entry.node_id)
        if before is not None and before[HEARTBEAT] != limits[HEARTBEAT]:
            # How often it should beat is told with the answer to its hello.
            self._differently.add(entry.node_id)
        self._watch.expect(entry.node_id, entry.center_id, limits, self._clock.seconds)
        for feed, at in ((CAPACITY, entry.capacity_at), (REPORT, entry.report_at)):
            key = (entry.node_id, feed)
            if at is None or self._accepted.get(key) == at:
                continue
            # Only once does a wall clock tell an age: what is accepted from now on, is now.
            age = 0.0 if key in self._accepted else max(0.0, (now - at).total_seconds())
            self._accepted[key] = at
            self._watch.hear(entry.node_id, feed, self._clock.seconds - age, at)
        for feed, at in (
            (CAPACITY, entry.capacity_owed_since),
            (REPORT, entry.report_owed_since),
        ):
            key = (entry.node_id, feed)
            if at is None or self._owed.get(key) == at:
                continue
            age = 0.0 if key in self._owed else max(0.0, (now - at).total_seconds())
            self._owed[key] = at
            self._watch.owe(entry.node_id, feed, self._clock.seconds - age)

    async def _judge(self) -> None:
        await self._record(
            self._watch.changes(self._clock.seconds, datetime.now(UTC))[:_MOST_CHANGES]
        )

    async def _record(self, changes: Sequence[Change]) -> None:
        for start in range(0, len(changes), _MOST_CHANGES):
            some = changes[start : start + _MOST_CHANGES]
            recorded = await self._database.write(
                partial(write_changes, known=self._presences, changes=some)
            )
            self._take_over(some, recorded)

    def _take_over(self, changes: Sequence[Change], recorded: Sequence[Presence]) -> None:
        for change, presence in zip(changes, recorded, strict=True):
            self._presences[change.node_id, change.feed] = presence
            self._watch.told(change)
            self._changed.add(change.node_id)

    async def _tell(self) -> None:
        """Tell what is known now, to whoever listens."""
        centers = self._watch.nodes
        complete = self._is_due("complete", _COMPLETE_EVERY)
        wanted = centers.keys() if complete else self._changed & centers.keys()
        self._changed = set()
        if not wanted and not complete:
            return
        digest = pb.PresenceDigest(
            as_of=to_timestamp(datetime.now(UTC)),
            nodes=[self.health_of(node_id, centers[node_id]) for node_id in sorted(wanted)],
            complete=complete,
            teller=self._teller,
        )
        try:
            for part in _parts(digest):
                self._number += 1
                part.number = self._number
                await self._connected().client.publish(LIVE_PRESENCE, part.SerializeToString())
        except NatsError as error:
            log.info("nobody hears of the nodes now", error=repr(error))

    async def _write_vitals(self) -> None:
        names = self._unwritten & self._watch.nodes.keys() & self._vitals.keys()
        vitals = {name: self._vitals[name] for name in names}
        self._unwritten = set()
        if not vitals:
            return
        try:
            await self._database.write(lambda session: write_vitals(session, vitals))
        except Exception:
            self._unwritten |= names
            raise

    async def _wake_those_with_receipts(self) -> None:
        async with self._database.read() as session:
            waiting = await unheard_receipts(session, _GRACE)
        for node_id in waiting:
            standing = self._watch.standing(node_id, HEARTBEAT)
            if standing is not None and standing.liveness is Liveness.ONLINE:
                await self._wake(node_id)

    def _is_due(self, what: str, every: float) -> bool:
        now = self._monotonic()
        if now < self._due.get(what, 0.0):
            return False
        self._due[what] = now + every
        return True

    def _connected(self) -> Broker:
        if self._broker is None:
            raise RuntimeError("a keeper of presence needs a broker; call `on` first")
        return self._broker


def _vitals(told: protocol_pb2.Heartbeat, now: datetime) -> pb.NodeVitals:
    """What a heartbeat tells of its node; nothing is less than none of it.

    Raises `ValueError` for times that are none.
    """
    vitals = pb.NodeVitals(
        software_version=told.software_version[:_LONGEST_VERSION],
        queued_reports=max(0, told.queued_reports),
        oldest_queued_seconds=max(0, told.oldest_queued_seconds),
        disk_free_bytes=max(0, told.disk_free_bytes),
    )
    if told.HasField("time"):
        ahead = told.time.ToDatetime(tzinfo=UTC) - now
        vitals.clock_ahead_ms = round(ahead.total_seconds() * 1000)
    if told.HasField("started_at"):
        vitals.started_at.FromDatetime(told.started_at.ToDatetime(tzinfo=UTC))
    if personal_data(vitals):
        vitals.software_version = ""
    return vitals


def _parts(digest: pb.PresenceDigest) -> list[pb.PresenceDigest]:
    """The digest in messages that the broker takes; one that is split is not complete."""
    size = digest.ByteSize()
    if size <= _MOST_BYTES:
        return [digest]
    each = max(1, len(digest.nodes) * _MOST_BYTES // size // 2)
    parts: list[pb.PresenceDigest] = []
    for start in range(0, len(digest.nodes), each):
        part = pb.PresenceDigest(as_of=digest.as_of, teller=digest.teller)
        part.nodes.extend(digest.nodes[start : start + each])
        parts.append(part)
    return parts
