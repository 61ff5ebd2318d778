"""The agent of one node: takes reports, and keeps the line to the hub at work.

It can be used many times in one process: what it needs of the world (the line, the store,
the clock, chance) is given to it. Durations are measured by the event loop's clock, which
only goes forward; the wall clock only dates what is told.
"""

import asyncio
import contextlib
import random
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog
from google.protobuf.message import DecodeError, Message

from node_agent import VERSION
from node_agent.database import StorageFull
from node_agent.home import Identity, NodeCredentials
from node_agent.kept import NewReport, Taken
from node_agent.line import Connect, Line, LineError, Trouble
from node_agent.sending import (
    Backoff,
    Mending,
    Pace,
    Renew,
    Rest,
    SayHello,
    SendBatch,
    Sender,
)
from node_agent.status import AgentStatus, LineStatus
from node_agent.store import Store
from node_agent.writer import Busy, StoreAccess
from nodekit import subjects
from nodekit.batches import BatchError, pack
from nodekit.keys import KeyKind, NKey
from peyvand.node.v1 import protocol_pb2 as pb

T = TypeVar("T")
Clock = Callable[[], datetime]
KeepIdentity = Callable[[Identity], Awaitable[None]]

_REJECTIONS = frozenset({Trouble.REJECTED, Trouble.REVOKED, Trouble.EXPIRED, Trouble.UNTRUSTED})
_PRUNE_SECONDS = 300.0
_RENEW_LEAST_SECONDS = 60.0


def wall_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Timing:
    """When an agent looks after its line, in seconds.

    Attributes:
        heartbeat: between heartbeats, until the hub says otherwise.
        ping_every: between two looks whether the other end is there.
        ping_deadline: how long an answer to that may take.
        pace: how patient the sender is.
    """

    heartbeat: float = 10.0
    ping_every: float = 5.0
    ping_deadline: float = 10.0
    pace: Pace = field(default_factory=Pace)


class Agent:
    """One node at work. `run` keeps the line; `take` may be called before and meanwhile."""

    def __init__(
        self,
        identity: Identity,
        store: StoreAccess,
        connect: Connect,
        *,
        keep: KeepIdentity,
        folder: Path | None = None,
        clock: Clock = wall_clock,
        chance: random.Random | None = None,
        timing: Timing | None = None,
    ) -> None:
        """Make an agent.

        Args:
            identity: who it is.
            store: what it keeps.
            connect: makes a line to the hub.
            keep: writes the identity down when credentials were renewed.
            folder: where its free disk space is looked at; none is told without.
            clock: dates what is told.
            chance: for waits; seeded in simulations.
            timing: how often it does what.
        """
        self.identity = identity
        self._store = store
        self._connect = connect
        self._keep = keep
        self._folder = folder
        self._clock = clock
        self._chance = chance or random.SystemRandom()
        self._timing = timing or Timing()
        self._sender: Sender | None = None
        self._stir = asyncio.Event()
        self._online = asyncio.Event()
        self._started_at = clock()
        self._status = LineStatus("connecting", "", "", self._started_at)
        self._heartbeat_seconds = self._timing.heartbeat
        self._hastened = asyncio.Event()
        self._heartbeats = 0
        self._clock_ahead: float | None = None
        self._storage_trouble = ""
        self._lost = False
        self._shows_next = True
        self._journal = ""
        self._answered_at = 0.0
        self._log = structlog.get_logger().bind(node_id=identity.node_id)

    # For those who hand in and look

    async def take(self, report: NewReport) -> Taken:
        """Keep a report; once this returns it is safe. Raises `StorageFull` or `Busy`."""
        try:
            taken = await self._store.put(report)
        except StorageFull as error:
            self._storage_failed(error)
            raise
        self._storage_trouble = ""
        if self._sender is not None and not taken.again:
            self._sender.taken(taken.number)
            self._stir.set()
        return taken

    async def ask(self, call: Callable[[Store], T]) -> T:
        """Look into the store."""
        return await self._store.do(call)

    async def status(self) -> AgentStatus:
        """What is known now."""
        standing = await self._store.do(Store.standing)
        oldest = await self._store.do(Store.oldest_queued)
        return AgentStatus(
            line=self._status,
            queued=standing.queued,
            oldest_queued=oldest,
            newest_number=standing.newest,
            hub_has=standing.acked,
            hub_clock_ahead_seconds=self._clock_ahead,
            credentials_expire_at=self.identity.credentials.expires_at,
            disk_free_bytes=self._disk_free(),
            storage_trouble=self._storage_trouble,
            reports_lost_by_hub=self._lost,
            started_at=self._started_at,
        )

    @property
    def line(self) -> LineStatus:
        """How the line is."""
        return self._status

    async def wait_online(self) -> None:
        """Wait until the hub has answered a greeting."""
        await self._online.wait()

    # The line

    async def run(self) -> None:
        """Keep the line to the hub, until cancelled."""
        self._sender = Sender(await self._store.do(Store.standing), self._chance, self._timing.pace)
        self._journal = self._sender.standing.journal
        backoff = Backoff(self._timing.pace, self._chance)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._prune())
            while True:
                trouble = await self._one_line(backoff)
                rejected = trouble.trouble in _REJECTIONS
                wait = backoff.failed(self._timing.pace.rejected_wait if rejected else 0.0)
                self._log.info(
                    "line_lost", trouble=trouble.trouble.value, detail=trouble.detail, wait=wait
                )
                await asyncio.sleep(wait)

    async def _one_line(self, backoff: Backoff) -> LineError:
        """Make a line and use it until it breaks; returns why it did."""
        assert self._sender is not None
        following = self.identity.next_credentials
        credentials = following if following and self._shows_next else self.identity.credentials
        try:
            line = await self._connect(credentials.shown(), self.identity.node_id, self._wake)
        except LineError as error:
            if error.trouble in _REJECTIONS:
                # Both are kept until one has greeted: the hub may have barred the older
                # ones and be deaf to the newer ones for a time, when it suspends the node.
                self._shows_next = not self._shows_next
            self._say("rejected" if error.trouble in _REJECTIONS else "offline", error)
            return error
        self._sender.connected()
        self._say("greeting")
        self._answered_at = asyncio.get_running_loop().time()
        jobs = [
            asyncio.create_task(work)
            for work in (
                self._send(line, credentials, backoff),
                self._beat(line),
                self._watch(line),
            )
        ]
        try:
            await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
            self._sender.disconnected()
            self._online.clear()
            await line.close()
        error = next(
            (job.exception() for job in jobs if not job.cancelled() and job.exception()), None
        )
        if not isinstance(error, LineError):
            # Whatever it was, reports are to be collected on; a fresh line is a fresh start.
            self._log.error("fault", exc_info=error)
            error = LineError(Trouble.UNREACHABLE, f"A fault of the agent: {error!r}")
        self._say("rejected" if error.trouble in _REJECTIONS else "offline", error)
        return error

    def _wake(self) -> None:
        if self._sender is not None:
            self._sender.woken()
            self._stir.set()

    async def _watch(self, line: Line) -> None:
        """Find a line that looks open and is dead: pings have a deadline of their own."""
        loop = asyncio.get_running_loop()
        closed = asyncio.ensure_future(line.closed())
        try:
            while True:
                await asyncio.wait({closed}, timeout=self._timing.ping_every)
                if closed.done():
                    raise closed.result()
                # An answer to something else says the same, without a ping.
                if loop.time() - self._answered_at >= self._timing.ping_every:
                    await line.ping(self._timing.ping_deadline)
        finally:
            closed.cancel()

    async def _beat(self, line: Line) -> None:
        """Say that the node is alive, at the interval that the hub asks for.

        A shorter one holds at once: the hub may count by it already.
        """
        subject = subjects.to_hub(self.identity.node_id, "hb")
        while True:
            self._heartbeats += 1
            await line.publish(subject, (await self._heartbeat()).SerializeToString())
            self._hastened.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(
                    self._heartbeat_seconds * self._chance.uniform(0.9, 1.0)
                ):
                    await self._hastened.wait()

    async def _heartbeat(self) -> pb.Heartbeat:
        beat = pb.Heartbeat(
            number=self._heartbeats,
            software_version=VERSION,
            disk_free_bytes=self._disk_free(),
        )
        now = self._clock()
        beat.time.FromDatetime(now)
        beat.started_at.FromDatetime(self._started_at)
        # That the node is alive is told also when its disk has no time for a look.
        with contextlib.suppress(StorageFull, Busy):
            beat.queued_reports = (await self._store.do(Store.standing)).queued
            oldest = await self._store.do(Store.oldest_queued)
            if oldest is not None:
                beat.oldest_queued_seconds = max(0, int((now - oldest).total_seconds()))
        return beat

    async def _send(self, line: Line, credentials: NodeCredentials, backoff: Backoff) -> None:
        """Say what is to be said, one thing at a time."""
        assert self._sender is not None
        sender, loop = self._sender, asyncio.get_running_loop()
        while True:
            self._stir.clear()
            step = sender.next(loop.time())
            try:
                match step:
                    case SayHello():
                        if await self._hello(line, credentials):
                            backoff.succeeded()
                    case SendBatch():
                        await self._batch(line, step)
                    case Renew():
                        await self._renew(line)
                    case Rest():
                        await self._rest(step.until)
            except LineError as error:
                if error.trouble not in (Trouble.SILENT, Trouble.UNATTENDED):
                    raise
                self._say("greeting", error)
                self._online.clear()
                sender.failed(loop.time(), was_batch=isinstance(step, SendBatch))
                if error.trouble is Trouble.SILENT:
                    await line.ping(self._timing.ping_deadline)
            except (StorageFull, Busy, OSError) as error:
                # What the hub said cannot be noted; it will say it again.
                self._storage_failed(error)
                sender.failed(loop.time())
            except (DecodeError, BatchError) as error:
                self._log.error("line_unreadable", detail=str(error))
                sender.failed(loop.time(), was_batch=isinstance(step, SendBatch))

    async def _rest(self, until: float) -> None:
        with contextlib.suppress(TimeoutError):
            loop = asyncio.get_running_loop()
            async with asyncio.timeout_at(max(until, loop.time())):
                await self._stir.wait()

    async def _ask(self, line: Line, exchange: subjects.Exchange, message: Message) -> bytes:
        assert self._sender is not None
        data = message.SerializeToString()
        return await self._ask_raw(line, exchange, data)

    async def _ask_raw(self, line: Line, exchange: subjects.Exchange, data: bytes) -> bytes:
        subject = subjects.to_hub(self.identity.node_id, exchange)
        answer = await line.request(subject, data, self._timing.pace.request_timeout)
        self._answered_at = asyncio.get_running_loop().time()
        return answer

    async def _hello(self, line: Line, credentials: NodeCredentials) -> bool:
        """Greet; returns whether the hub takes reports."""
        assert self._sender is not None
        sender, loop = self._sender, asyncio.get_running_loop()
        sender.greets()
        standing = await self._store.do(Store.standing)
        hello = pb.Hello(
            journal=standing.journal,
            receipts_after=standing.receipts_after,
            receipts_mark=standing.receipts_mark,
            software_version=VERSION,
            public_key=credentials.public_key,
        )
        hello.time.FromDatetime(self._clock())
        reply = pb.HelloReply.FromString(await self._ask(line, "hello", hello))
        if not reply.HasField("standing"):
            self._refused(reply.refusal)
            return False
        said = reply.standing
        await self._store.do(lambda store: store.receive(said.receipts, anew=said.receipts_anew))
        if self.identity.next_credentials is not None:
            self.identity = self.identity.with_settled(credentials)
            await self._keep(self.identity)
        self._learn(said)
        mending = sender.answered_hello(
            loop.time(),
            await self._store.do(Store.standing),
            said.last_number,
            more_receipts=said.more_receipts,
        )
        await self._mend(mending, said.last_number)
        if sender.greeted:
            self._storage_trouble = ""
            self._say("online")
            self._online.set()
        return True

    def _learn(self, said: pb.Standing) -> None:
        assert self._sender is not None
        settings = said.settings
        if settings.heartbeat_seconds > 0:
            if settings.heartbeat_seconds < self._heartbeat_seconds:
                self._hastened.set()
            self._heartbeat_seconds = float(settings.heartbeat_seconds)
        self._sender.told(settings.batch_reports, settings.batch_bytes)
        hub_time = said.time.ToDatetime(tzinfo=UTC)
        self._clock_ahead = (self._clock() - hub_time).total_seconds()
        if said.HasField("credentials_expire_at"):
            # Both times are the hub's, so that a wrong clock here renews neither early nor late.
            expiry = said.credentials_expire_at.ToDatetime(tzinfo=UTC)
            left = (expiry - hub_time).total_seconds() - settings.renew_before_seconds
            if self.identity.next_credentials is None:
                # Many nodes that joined on one day need not renew in one moment.
                spread = self._chance.uniform(0.0, max(0.0, min(left, 3600.0)))
                self._sender.renew_at(asyncio.get_running_loop().time() + left - spread)

    async def _mend(self, mending: Mending | None, last_number: int) -> None:
        assert self._sender is not None
        if mending is None:
            return
        calls: dict[Mending, Callable[[Store], object]] = {
            Mending.ACKNOWLEDGE: lambda store: store.acknowledge(last_number),
            Mending.REWIND: lambda store: store.rewind(last_number),
            Mending.RENUMBER: Store.set_forward,
            Mending.RENUMBER_LOST: lambda store: store.renumber(last_number, decided_too=True),
        }
        await self._store.do(calls[mending])
        standing = await self._store.do(Store.standing)
        if mending is not Mending.ACKNOWLEDGE:
            self._log.warning("numbers_mended", how=mending.value, hub_has=last_number)
        self._lost = self._lost or mending is Mending.RENUMBER_LOST
        self._sender.corrected(standing)

    async def _batch(self, line: Line, step: SendBatch) -> None:
        assert self._sender is not None
        sender, loop = self._sender, asyncio.get_running_loop()
        batch = await self._store.do(
            lambda store: store.offer(step.after, step.most_reports, step.most_bytes)
        )
        if not batch.reports:
            sender.corrected(await self._store.do(Store.standing))
            sender.failed(loop.time())
            return
        begun = loop.time()
        reply = pb.BatchReply.FromString(await self._ask_raw(line, "reports", pack(batch)))
        if not reply.HasField("taken"):
            self._refused(reply.refusal)
            return
        taken = reply.taken
        last_sent = batch.reports[-1].number
        # What a hub that was set back gives now is fetched by a greeting, with all that waits.
        receipts = () if taken.receipts_anew else taken.receipts
        standing = await self._store.do(
            lambda store: store.acknowledge(min(taken.last_number, last_sent), receipts)
        )
        if taken.receipts_anew:
            sender.woken()
        sender.answered_batch(loop.time() - begun, taken.last_number, last_sent)
        sender.corrected(standing)

    def _refused(self, refusal: pb.Refusal) -> None:
        """The hub does not take reports now; they are kept."""
        assert self._sender is not None
        self._sender.refused(asyncio.get_running_loop().time())
        self._online.clear()
        self._set_status("refused", refusal.reason, refusal.en)
        self._log.warning("hub_refuses", reason=refusal.reason, detail=refusal.en)

    # Credentials

    async def _renew(self, line: Line) -> None:
        """Ask for credentials for a new key; the old ones stay until those have greeted."""
        assert self._sender is not None
        loop = asyncio.get_running_loop()
        key = NKey.new(KeyKind.USER)
        request = pb.RenewRequest(public_key=key.public, software_version=VERSION)
        try:
            reply = pb.RenewReply.FromString(await self._ask(line, "renew", request))
        except LineError:
            self._sender.renewal_failed(loop.time())
            raise
        if not reply.HasField("credentials"):
            self._log.warning(
                "renewal_refused", reason=reply.refusal.reason, detail=reply.refusal.en
            )
            self._sender.renewal_failed(loop.time())
            return
        given = reply.credentials
        fresh = NodeCredentials(given.jwt, key.seed, given.expires_at.ToDatetime(tzinfo=UTC))
        renewed = self.identity.with_renewed(fresh)
        try:
            await self._keep(renewed)
        except OSError as error:  # a full disk: the old ones are good for a while yet
            self._storage_failed(error)
            self._sender.renewal_failed(loop.time())
            return
        self.identity, self._shows_next = renewed, True
        self._sender.renewed()
        self._log.info("credentials_renewed", expires_at=fresh.expires_at.isoformat())
        raise LineError(Trouble.UNREACHABLE, "The line is made anew with the new credentials.")

    # What is told

    def _say(self, state: str, error: LineError | None = None) -> None:
        trouble = "" if error is None else error.trouble.value
        self._set_status(state, trouble, "" if error is None else error.detail)

    def _set_status(self, state: str, trouble: str, detail: str) -> None:
        now = self._status
        same = (now.state, now.trouble) == (state, trouble)
        since = now.since if same else self._clock()
        self._status = LineStatus(state, trouble, detail, since)
        if not same:
            self._log.info("line", state=state, trouble=trouble)

    def _storage_failed(self, error: Exception) -> None:
        if not self._storage_trouble:
            self._log.error("storage", detail=str(error))
        self._storage_trouble = str(error) or type(error).__name__

    def _disk_free(self) -> int:
        return 0 if self._folder is None else shutil.disk_usage(self._folder).free

    async def _prune(self) -> None:
        """Drop what need not be kept any longer, a little at a time."""
        loop = asyncio.get_running_loop()
        counted = loop.time()
        while True:
            await asyncio.sleep(_PRUNE_SECONDS)
            with contextlib.suppress(StorageFull, Busy):
                passed = loop.time() - counted
                await self._store.do(partial(Store.live, seconds=passed))
                counted += passed
                await self._prune_all()

    async def _prune_all(self) -> None:
        dropped = 1
        while dropped:
            dropped = await self._store.do(Store.prune)
            await asyncio.sleep(0.05)  # those who hand in reports come in between
