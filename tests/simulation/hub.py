"""The hub of a simulated world: a broker, some processes of the centers service, a database.

What the real hub decides is decided here by its own code: who may join, which key is a
node's own and which is barred, which reports of a batch count, and who is heard of
(`PresenceWatch`). The rest is a thin stand-in: a database that keeps what was committed and
nothing else, processes that die, a broker that ends connections.
"""

from __future__ import annotations

import asyncio
import copy
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from centers.domain import receipts
from centers.domain.nodes import Node, NodeState
from centers.domain.presence import (
    Standing,
)
from centers.domain.receipts import ReceiptMark
from centers.line.credential_watch import CredentialWatch
from centers.line.intake import _receipt
from centers.line.joining import Joining
from centers.line.responder import Exchange, Request, _result
from centers.line.standing import ReportStanding
from centers.repository.reports import MonthsOfCenter
from centers.use_cases import nodes as headquarters
from centers.use_cases.deliveries import Deliveries, Sender
from centers.use_cases.joining import Issuing
from centers.use_cases.nodes import HubAddress
from domainkit.aggregate import Occasion
from domainkit.rules import Refused
from node_agent.line import LineError, Trouble
from nodekit import subjects
from nodekit.batches import unpack
from nodekit.join_token import JoinToken
from peyvand.centers.v1 import nodes_pb2
from peyvand.node.v1 import protocol_pb2 as pb
from servicekit.contract import contract
from servicekit.identity import Principal
from servicekit.rpc_server import Call
from tests.simulation.connection import Asked, Connection
from tests.simulation.door import Door
from tests.simulation.listener import CENTER, EXPECTATIONS, Listener, Told
from tests.simulation.machine import HUB_ADDRESS, fingerprint
from tests.simulation.rules import Rules
from tests.simulation.tables import NodeDatabase, OutOfReach, center
from tests.simulation.world import Clock, moment

if TYPE_CHECKING:
    import random

T = TypeVar("T")

PROCESSES = 2
# Longer than any clock here jumps: that they end is another matter.
CREDENTIALS_LIFE = timedelta(days=3)
_MOST_RECEIPTS = 40
_HEADQUARTERS = Principal("hq", "Headquarters", frozenset({"hq_admin"}))


def at_once(work: Awaitable[T]) -> T:
    """Run what never waits: a transaction of the stand-in is over before anything else is."""
    steps = work.__await__()
    try:
        next(steps)
    except StopIteration as ended:
        result: T = ended.value
        return result
    raise AssertionError("it waits for something")


class Signer:
    """Signs credentials; what they say can be read."""

    def issue(self, public_key: str, node_id: str, expires_at: datetime) -> str:
        """Return what the broker of a simulated world reads."""
        return f"{node_id} {public_key} {expires_at.timestamp()}"


@dataclass(frozen=True)
class Taken:
    """A report that is in the database."""

    node: str
    feed: str
    key: str
    index: int
    at: float
    refused: bool


@dataclass
class Database:
    """What was committed."""

    last_number: dict[tuple[str, str], int] = field(
        default_factory=lambda: defaultdict[tuple[str, str], int](int)
    )
    taken: list[Taken] = field(default_factory=list[Taken])
    receipts: dict[str, list[pb.Receipt]] = field(
        default_factory=lambda: defaultdict[str, list[pb.Receipt]](list)
    )
    # All that was ever said to a node, for the judge alone.
    said: dict[str, list[pb.Receipt]] = field(
        default_factory=lambda: defaultdict[str, list[pb.Receipt]](list)
    )
    months: dict[str, MonthsOfCenter] = field(
        default_factory=lambda: defaultdict[str, MonthsOfCenter](lambda: MonthsOfCenter(()))
    )
    confirmed: dict[str, ReceiptMark] = field(
        default_factory=lambda: defaultdict[str, ReceiptMark](ReceiptMark)
    )
    last_receipt: dict[str, int] = field(default_factory=lambda: defaultdict[str, int](int))
    told: list[Told] = field(default_factory=list["Told"])
    presence: dict[str, Standing] = field(default_factory=dict[str, Standing])


class Hub:
    """The whole hub. Nodes reach it by `Connection`."""

    def __init__(self, dice: random.Random, rules: Rules, door: Door) -> None:
        self.dice = dice
        self.rules = rules
        self.door = door
        self.clock = Clock()
        self.database = Database()
        self.broker_up = True
        self.alive = [True] * PROCESSES
        # The keys that the broker does not let in: it hears of them a little later.
        self.kept_out: set[str] = set()
        # In the order in which they were made: chance must meet them in the same order again.
        self.connections: dict[Connection, None] = {}
        self.heard: dict[str, float] = {}
        self.leader: Listener | None = None
        self.leading_since = 0.0
        self._listeners: dict[int, Listener] = {}
        self._copy = Database()
        self._lives = [0] * PROCESSES
        self._tellings: set[asyncio.Task[None]] = set()
        self._roll = NodeDatabase(self._tell_broker)
        database: Any = self._roll
        joining = Joining(database, Issuing(Signer(), CREDENTIALS_LIFE), self._standing)
        self._exchanges: Mapping[str, Exchange] = {
            subject.rpartition(".")[2]: exchange
            for subject, exchange in joining.exchanges().items()
        }
        self._watch = CredentialWatch(database)

    @property
    def nodes(self) -> Mapping[str, Node]:
        """The nodes that it knows, by id."""
        return self._roll.tables.nodes

    @property
    def database_up(self) -> bool:
        """Whether its database answers."""
        return self._roll.up

    @database_up.setter
    def database_up(self, up: bool) -> None:
        self._roll.up = up

    # What befalls it

    def start(self, nodes: Sequence[str]) -> None:
        """Begin to watch over nodes, which may join."""
        now = self.clock.now()
        self._roll.tables.centers = {CENTER: center(CENTER, EXPECTATIONS, now)}
        self._roll.tables.nodes = {
            id: Node(
                id=id,
                center_id=CENTER,
                name=id,
                state=NodeState.APPROVED,
                state_since=now,
                created_at=now,
                updated_at=now,
            )
            for id in nodes
        }
        for process in range(PROCESSES):
            self._listeners[process] = Listener(self)
        self._elect()

    def kill(self, process: int) -> None:
        """End a process: what it has not committed is gone, and nobody is answered by it."""
        self.alive[process] = False
        self._lives[process] += 1
        listener = self._listeners.pop(process, None)
        if listener is not None:
            listener.end()
            if self.leader is listener:
                self.leader = None
                asyncio.get_running_loop().call_later(self.dice.uniform(0.5, 3.0), self._elect)

    def revive(self, process: int) -> None:
        """Start a process again."""
        if not self.alive[process]:
            self.alive[process] = True
            self._listeners[process] = Listener(self)
            asyncio.get_running_loop().call_later(self.dice.uniform(0.5, 3.0), self._elect)

    def stop_broker(self) -> None:
        """End the broker; every connection ends with it, and what it knew of keys stays."""
        self.broker_up = False
        for connection in list(self.connections):
            connection.end(LineError(Trouble.UNREACHABLE))

    def back_up(self) -> None:
        """Copy the database."""
        self._copy = copy.deepcopy(self.database)

    def set_back(self) -> None:
        """Put the copy in place of the database, except for who has joined with what.

        Nobody uses a database meanwhile: every process ends before and starts after it.
        """
        living = [number for number in range(PROCESSES) if self.alive[number]]
        for number in living:
            self.kill(number)
        self.database = copy.deepcopy(self._copy)
        for number in living:
            self.revive(number)

    # What the headquarters do. Each raises `OutOfReach`, `Fault` or `Refused`.

    def invite(self, node: str, valid_seconds: int) -> str:
        """Make a token with which a node may join; give its text."""
        request = nodes_pb2.CreateJoinTokenRequest(node_id=node, valid_seconds=valid_seconds)
        address = HubAddress(HUB_ADDRESS, fingerprint("hub"))
        made, text = self._by_headquarters(
            "CreateJoinToken",
            lambda session, call: headquarters.create_join_token(session, request, call, address),
        )
        expires_at = made.expires_at.ToDatetime(tzinfo=self.clock.now().tzinfo)
        self.door.handed_out(JoinToken.decode(text).secret, node, expires_at)
        return text

    def cut_off(self, node: str, action: str) -> None:
        """Suspend or revoke a node; the broker hears of it soon."""
        request = self._step_request(node)
        self._by_headquarters(
            f"{action.title()}Node",
            lambda session, call: headquarters.take_node_step(session, request, call, action),
        )
        self.door.cut_off(node)

    def resume(self, node: str) -> None:
        """Let a node in again, with the keys that it had."""
        request = self._step_request(node)
        self._by_headquarters(
            "ResumeNode", lambda session, call: headquarters.resume_node(session, request, call)
        )
        self.door.resumed(node)

    def _step_request(self, node: str) -> nodes_pb2.NodeStepRequest:
        etag = f"v{self.nodes[node].version}"
        return nodes_pb2.NodeStepRequest(node_id=node, etag=etag, reason="Tried")

    def _by_headquarters(self, rpc: str, work: Callable[[Any, Call], Coroutine[Any, Any, T]]) -> T:
        if not any(self.alive):
            raise OutOfReach
        known = contract().rpcs[f"/peyvand.centers.v1.Nodes/{rpc}"]
        call = Call(known, _HEADQUARTERS, "en", self.clock.now())
        return at_once(self._roll.write(lambda session: work(session, call)))

    def decide(self, node: str) -> None:
        """Have the headquarters say something of a report that was taken."""
        reports = [one for one in self.database.taken if one.node == node and not one.refused]
        if reports:
            report = self.dice.choice(reports)
            self._receipt(
                self.database,
                node,
                pb.Receipt(key=report.key, decision="approved", comment=f"at {moment():.3f}"),
            )

    def _tell_broker(self) -> None:
        async def tell() -> None:
            await asyncio.sleep(self.dice.uniform(0.0, 3.0))
            self.kept_out = self._roll.tables.barred()
            for connection in list(self.connections):
                if connection.key in self.kept_out:
                    connection.end(LineError(Trouble.REVOKED))

        task = asyncio.get_running_loop().create_task(tell())
        self._tellings.add(task)
        task.add_done_callback(self._tellings.discard)

    # What nodes ask

    def ask(self, asked: Asked) -> None:
        """Hand a request to a process; its answer may never come."""
        living = [number for number in range(PROCESSES) if self.alive[number]]
        if living:
            process = self.dice.choice(living)
            delay = self.dice.choice((0.001, 0.01, 0.2, 3.0))
            asyncio.get_running_loop().call_later(
                delay, self._answer, process, self._lives[process], asked
            )

    def _answer(self, process: int, life: int, asked: Asked) -> None:
        """Commit, and then answer: a process may die before either."""
        if not self.broker_up or life != self._lives[process]:
            return
        before = len(self.database.taken)
        exchange = self._reports if asked.exchange == "reports" else self._exchange
        reply, afterwards = exchange(asked)
        if self.rules.loses(self.dice):
            del self.database.taken[before:]

        def send() -> None:
            if life != self._lives[process]:
                return
            if self.broker_up:
                asked.answer(reply)
            afterwards()

        asyncio.get_running_loop().call_later(self.dice.choice((0.0, 0.05, 1.0)), send)

    def _exchange(self, asked: Asked) -> tuple[bytes, Callable[[], None]]:
        """Answer who joins, greets or renews; and what is to be done once that has gone out."""
        exchange = self._exchanges[asked.exchange]
        subject = f"node.{asked.node}.{asked.exchange}" if asked.node else subjects.JOIN
        request = Request(subject, asked.data, self.clock.now())
        known = len(self._roll.tables.steps)
        result: tuple[Any, str] = at_once(_result(exchange, request))
        reply, _ = result
        if asked.exchange == "join":
            steps = [action for _, action in self._roll.tables.steps[known:]]
            told = steps.count("token_reused")
            join = pb.JoinRequest.FromString(asked.data)
            self.door.answered(join, asked.attempt, reply, request.received_at, told)
        elif asked.exchange == "hello":
            self._judge_greeting(asked.node, pb.Hello.FromString(asked.data).public_key, reply)

        def afterwards() -> None:
            # What is out of reach now, a sweep does later.
            if exchange.afterwards is not None and self.database_up:
                at_once(exchange.afterwards(request))

        return reply.SerializeToString(), afterwards

    def _judge_greeting(self, node: str, key: str, reply: pb.HelloReply) -> None:
        tables = self._roll.tables
        newest = [one for one, row in tables.keys.items() if row.node_id == node][-1]
        if key == newest and key not in tables.barred():
            self.door.greeted_with_newest_key(node, reply)

    def sweep(self) -> None:
        """Bar the keys that were left behind, where who should have done it has died."""
        at_once(self._watch.look(self.clock.now()))

    def _refusal(self, node: str) -> pb.Refusal | None:
        if not self.database_up:
            return pb.Refusal(reason="UNAVAILABLE")
        try:
            self.rules.require_served(self.nodes[node])
        except Refused as refused:
            return pb.Refusal(reason=refused.reason)
        return None

    async def _standing(self, session: Any, node_id: str, hello: pb.Hello) -> ReportStanding:
        """Where it is with the reports of a node, as `centers.line.intake` finds it."""
        del session
        database = self.database
        given = self._confirmed(node_id, ReceiptMark(hello.receipts_after, hello.receipts_mark))
        after = hello.receipts_after if given else 0
        waiting = [one for one in database.receipts[node_id] if one.number > after]
        return ReportStanding(
            last_number=database.last_number[node_id, hello.journal],
            receipts=waiting[:_MOST_RECEIPTS],
            more_receipts=len(waiting) > _MOST_RECEIPTS,
            receipts_anew=not given,
        )

    def _reports(self, asked: Asked) -> tuple[bytes, Callable[[], None]]:
        refusal = self._refusal(asked.node)
        if refusal is not None:
            reply = pb.BatchReply(refusal=refusal)
        else:
            reply = pb.BatchReply(taken=self._take(asked.node, unpack(asked.data)))
        return reply.SerializeToString(), lambda: None

    def _take(self, node: str, batch: pb.ReportBatch) -> pb.BatchTaken:
        database = self.database
        place = (node, batch.journal)
        given = self._confirmed(node, ReceiptMark(batch.receipts_after, batch.receipts_mark))
        told: list[pb.Receipt] = []
        now = self.clock.now()
        # `MonthsOfCenter` holds the reports as they become.
        deliveries = Deliveries(
            Sender(node, CENTER, batch.journal, Occasion(node, now)), database.months[node], now
        )
        for report in self.rules.fresh(batch, database.last_number[place]):
            outcome = deliveries.decide(report)
            receipt = _receipt(batch.journal, report, outcome)
            database.taken.append(_taken(node, report, refused=bool(outcome.broken)))
            database.last_number[place] = report.number
            told.append(self._receipt(database, node, receipt))
        last_number = database.last_number[place]
        return pb.BatchTaken(last_number=last_number, receipts=told, receipts_anew=not given)

    def _confirmed(self, node: str, said: ReceiptMark) -> bool:
        """Forget the receipts that the node has; tell whether this hub gave the last."""
        database = self.database
        kept = database.receipts[node]
        waiting = next((one for one in kept if one.number == said.number), None)
        given = receipts.was_given(
            said,
            last_number=database.last_receipt[node],
            confirmed=database.confirmed[node],
            waiting=None if waiting is None else ReceiptMark(waiting.number, waiting.mark),
        )
        if given and said.number > database.confirmed[node].number:
            database.confirmed[node] = said
            kept[:] = [one for one in kept if one.number > said.number]
        return given

    def _receipt(self, database: Database, node: str, receipt: pb.Receipt) -> pb.Receipt:
        database.last_receipt[node] += 1
        receipt.number = database.last_receipt[node]
        receipt.mark = f"{self.dice.getrandbits(64):016x}"
        database.receipts[node].append(receipt)
        database.said[node].append(receipt)
        return receipt

    def wake_those_with_receipts(self) -> None:
        """Ask the nodes to say hello that have left what they should hear."""
        for connection in list(self.connections):
            if self.database.receipts[connection.node]:
                connection.wake_node()

    # Who is heard of

    def beat(self, node: str) -> None:
        """Take a heartbeat, in every process that lives."""
        if self.broker_up and any(self.alive):
            self.heard[node] = moment()
            for listener in self._listeners.values():
                listener.hear(node)

    def _elect(self) -> None:
        if self.leader is None and self._listeners:
            self.leader = self._listeners[min(self._listeners)]
            self.leading_since = moment()

    def failed(self) -> BaseException | None:
        """What has ended a listener by itself, if something has."""
        return next((error for one in self._listeners.values() if (error := one.failed())), None)

    def steady(self) -> bool:
        """Whether somebody watches, listens, and can write down what is found."""
        return self.leader is not None and self.broker_up and self.database_up

    async def stop(self) -> None:
        """End all that it does."""
        for number in range(PROCESSES):
            self.kill(number)
        for task in list(self._tellings):
            task.cancel()
        await asyncio.gather(*self._tellings, return_exceptions=True)


def _taken(node: str, report: pb.Report, *, refused: bool) -> Taken:
    if report.WhichOneof("body") == "capacity":
        feed, index = "capacity", int(report.capacity.items[0].total)
    else:
        feed, index = "report", report.period_report.period_report.figures.samples_processed
    return Taken(node, feed, report.key, index, moment(), refused)
