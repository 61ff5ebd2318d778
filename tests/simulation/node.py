"""A node of a simulated world: the real agent with its real store, and who hands in to it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from node_agent.agent import Agent
from node_agent.home import Identity, NodeCredentials
from node_agent.kept import NewReport
from node_agent.store import Store
from node_agent.writer import InlineStore
from peyvand.node.v1 import protocol_pb2 as pb
from servicekit.ids import new_id
from tests.simulation.connection import Connection
from tests.simulation.hub import Hub
from tests.simulation.machine import Machine
from tests.simulation.world import Clock, Line, moment

if TYPE_CHECKING:
    from nodekit.keys import UserCredentials

FEEDS = ("capacity", "report")


@dataclass(frozen=True)
class Accepted:
    """A report of which the center's own system was told that it is safe."""

    feed: str
    key: str
    index: int


@dataclass
class Node:
    """One node: its machine, and what was handed in at it.

    Attributes:
        left_behind: credentials that must open nothing any longer.
        spent: the last token with which it was let in.
        renewals: how often it has put new credentials in the place of old ones.
    """

    id: str
    hub: Hub
    machine: Machine
    dice: random.Random
    store: Store = field(default_factory=lambda: Store(None))
    accepted: list[Accepted] = field(default_factory=list[Accepted])
    left_behind: list[NodeCredentials] = field(default_factory=list[NodeCredentials])
    spent: str = ""
    renewals: int = 0
    agent: Agent | None = None

    def __post_init__(self) -> None:
        self._run: asyncio.Task[None] | None = None
        self._connection: Connection | None = None
        self._next = dict.fromkeys(FEEDS, 0)

    @property
    def line(self) -> Line:
        """The line of its machine."""
        return self.machine.line

    @property
    def clock(self) -> Clock:
        """The clock of its machine."""
        return self.machine.clock

    @property
    def has_joined(self) -> bool:
        """Whether it has an identity."""
        return self.machine.home.has_joined()

    async def join(self, token: str) -> None:
        """Join, the first time or anew. Raises `Halted`."""
        before = self.machine.home.identity() if self.has_joined else None
        await self.machine.join(token)
        self.spent = token
        if before is not None:
            self._leave_behind(before.credentials)
            if before.next_credentials is not None:
                self._leave_behind(before.next_credentials)

    def _leave_behind(self, credentials: NodeCredentials) -> None:
        if credentials not in self.left_behind:
            self.left_behind.append(credentials)

    def start(self) -> None:
        """Start the agent on what its machine has kept, if it has joined and does not run."""
        if self._run is not None or not self.has_joined:
            return
        self.agent = Agent(
            self.machine.home.identity(),
            InlineStore(self.store),
            self._connect,
            keep=self._keep,
            clock=self.clock.now,
            chance=self.dice,
        )
        self._run = asyncio.get_running_loop().create_task(self.agent.run())

    async def kill(self) -> None:
        """End the agent: what it had not written to its store is gone."""
        task, self._run, self.agent = self._run, None, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def failed(self) -> BaseException | None:
        """What has ended the agent by itself, if something has."""
        if self._run is None or not self._run.done():
            return None
        return self._run.exception() or RuntimeError("the agent has ended")

    def cut(self, *, told: bool) -> None:
        """Cut the line; with `told` the node notices at once."""
        self.line.telling = told
        self.line.cut()
        if self._connection is not None:
            self._connection.broken(told=told)

    def mend(self) -> None:
        """Join the line again; what hung on the old one is forgotten by then."""
        self.line.up = True
        if self._connection is not None:
            self._connection.broken(told=self.dice.random() < 0.5)

    async def hand_in(self, *, until: float) -> None:
        """Hand a report in, again until it is accepted; an answer may be lost on its way.

        Where no agent runs until then, none is handed in.
        """
        feed = self.dice.choice(FEEDS)
        self._next[feed] += 1
        report = self._report(feed, self._next[feed])
        while True:
            if self.agent is None:
                if moment() > until:
                    return
                await asyncio.sleep(1.0)
                continue
            taken = await self.agent.take(report)
            if self.dice.random() < 0.9:
                assert not taken.differs
                self.accepted.append(Accepted(feed, taken.key, self._next[feed]))
                return
            await asyncio.sleep(self.dice.uniform(0.0, 2.0))

    @staticmethod
    def hands_in_bad(feed: str, index: int) -> bool:
        """Whether a report breaks a rule, and is to be refused; no other is."""
        return feed == "capacity" and index % 7 == 0

    def _report(self, feed: str, index: int) -> NewReport:
        key = new_id("rpt")
        body = pb.Report(key=key)
        body.taken_at.FromDatetime(self.clock.now())
        if feed == "capacity":
            used = index + 1 if self.hands_in_bad(feed, index) else index
            body.capacity.items.add(kind="CAPABILITY_KIND_QC_LAB", total=index, used=used)
            body.capacity.observed_at.FromDatetime(self.clock.now())
        else:
            body.period_report.period_report.period = "2026-09"
            body.period_report.period_report.figures.samples_processed = index
        return NewReport(key, body, f"idem-{key}", key.encode())

    async def _keep(self, identity: Identity) -> None:
        before = self.machine.home.identity()
        self.machine.home.keep(identity)
        if before.credentials != identity.credentials:
            self._leave_behind(before.credentials)
            self.renewals += 1

    async def _connect(
        self, credentials: UserCredentials | None, node_id: str, wake: Callable[[], None]
    ) -> Connection:
        assert credentials is not None
        self._connection = await Connection.connect(self.hub, self.line, node_id, credentials, wake)
        return self._connection
