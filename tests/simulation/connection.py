"""A connection of a node to the broker of a simulated world."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from node_agent.line import LineError, Trouble
from tests.simulation.door import Attempt
from tests.simulation.world import Line

if TYPE_CHECKING:
    from collections.abc import Callable

    from nodekit.keys import UserCredentials
    from tests.simulation.hub import Hub


_NONE = Attempt()


@dataclass(frozen=True)
class Asked:
    """A request: who asks, and where the answer goes.

    `attempt` is for the judge alone: which attempt to join it belongs to.
    """

    node: str
    attempt: Attempt
    exchange: str
    data: bytes
    answer: Callable[[bytes], None]


class Connection:
    """A connection of a node to the broker, as `node_agent.line.Line` has it.

    Who wants to join has none yet: no `node`, no `key`, and an `attempt`.
    """

    def __init__(
        self,
        hub: Hub,
        line: Line,
        *,
        node: str = "",
        key: str = "",
        wake: Callable[[], None] = lambda: None,
        attempt: Attempt = _NONE,
    ) -> None:
        self.key = key
        self.node = node
        self._attempt = attempt
        self._wake = wake
        self._hub = hub
        self._line = line
        self._cuts = line.cuts
        self._gone: asyncio.Future[LineError] = asyncio.get_running_loop().create_future()

    @classmethod
    async def connect(
        cls,
        hub: Hub,
        line: Line,
        node: str,
        credentials: UserCredentials,
        wake: Callable[[], None],
    ) -> Connection:
        """Connect as a node. Raises `LineError`."""
        await cls._reach(hub, line)
        assert credentials.key is not None
        key = credentials.key.public
        said_node, said_key, until = credentials.jwt.split()
        if (said_node, said_key) != (node, key) or key in hub.kept_out:
            raise LineError(Trouble.REJECTED)
        if float(until) <= hub.clock.now().timestamp():
            raise LineError(Trouble.EXPIRED)
        connection = cls(hub, line, node=node, key=key, wake=wake)
        hub.connections[connection] = None
        return connection

    @classmethod
    async def to_join(cls, hub: Hub, line: Line, attempt: Attempt) -> Connection:
        """Connect as anyone may, to ask to join. Raises `LineError`."""
        await cls._reach(hub, line)
        connection = cls(hub, line, attempt=attempt)
        hub.connections[connection] = None
        return connection

    @staticmethod
    async def _reach(hub: Hub, line: Line) -> None:
        await asyncio.sleep(hub.dice.uniform(0.02, 0.3))
        if not line.up:
            await asyncio.sleep(0.0 if line.telling else 10.0)
            raise LineError(Trouble.UNREACHABLE)
        if not hub.broker_up:
            raise LineError(Trouble.UNREACHABLE)

    def end(self, why: LineError) -> None:
        """End it, and tell the node why, if the line lets that through."""
        self._hub.connections.pop(self, None)
        if self._line.up and self._cuts == self._line.cuts and not self._gone.done():
            self._gone.set_result(why)

    def wake_node(self) -> None:
        """Ask the node to say hello."""

        def arrive() -> None:
            if self._stands:
                self._wake()

        if self._stands:
            self._line.carry(arrive)

    def broken(self, *, told: bool) -> None:
        """The line was cut; with `told` the node notices at once."""
        self._hub.connections.pop(self, None)
        if told and not self._gone.done():
            self._gone.set_result(LineError(Trouble.UNREACHABLE))

    @property
    def _stands(self) -> bool:
        return self in self._hub.connections and self._cuts == self._line.cuts

    async def request(self, subject: str, data: bytes, seconds: float) -> bytes:
        """Ask and wait for the answer. Raises `LineError`."""
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        exchange = subject.rpartition(".")[2]

        def answered(reply: bytes) -> None:
            def arrive() -> None:
                if not answer.done():
                    answer.set_result(reply)

            if self._stands:
                self._line.carry(arrive)

        def arrived() -> None:
            if self._stands:
                self._hub.ask(Asked(self.node, self._attempt, exchange, data, answered))

        if self._stands:
            self._line.carry(arrived)
        await asyncio.wait({answer, self._gone}, timeout=seconds, return_when="FIRST_COMPLETED")
        if answer.done():
            return answer.result()
        if self._gone.done():
            raise self._gone.result()
        raise LineError(Trouble.SILENT)

    async def publish(self, subject: str, data: bytes) -> None:
        """Say something that has no answer."""
        del data
        if self._gone.done():
            raise self._gone.result()

        def arrived() -> None:
            if self._stands and subject.endswith(".hb"):
                self._hub.beat(self.node)

        if self._stands:
            self._line.carry(arrived)

    async def ping(self, seconds: float) -> None:
        """Find out whether the other end is there. Raises `LineError`."""
        if not self._stands:
            await asyncio.wait({self._gone}, timeout=seconds)
            raise self._gone.result() if self._gone.done() else LineError(Trouble.SILENT)
        await asyncio.sleep(2 * self._line.slowest)

    async def closed(self) -> LineError:
        """Wait until it is gone; returns why."""
        return await asyncio.shield(self._gone)

    async def close(self) -> None:
        """Close it from the node's side."""
        self._hub.connections.pop(self, None)
        if not self._gone.done():
            self._gone.set_result(LineError(Trouble.UNREACHABLE))
