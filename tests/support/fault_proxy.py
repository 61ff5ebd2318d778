"""A bad line: a TCP proxy in a process of its own that fails in the ways that lines do.

A test starts it with `FaultProxy.start(target)`, lets a client connect to `address`, and
then tells it what befalls the line. `python -m tests.support.fault_proxy` is the process;
it takes its orders as lines of JSON on its input, listens to nobody else, and ends when
that input ends, so that nothing is left of it when the test is killed.

What it counts is what TCP carries: the records of TLS, without the headers of TCP and IP.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ipaddress
import json
import random
import socket
import struct
import sys
from collections import deque
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from tests.support.namespaces import Namespace, inside

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

Direction = Literal["up", "down"]
"""`up` is from who connects to the target, `down` is back."""

REPOSITORY = Path(__file__).parents[2]
MOST_CONNECTIONS = 2_000
# What one direction of one connection holds; who sends more waits, as on a real line.
MOST_BYTES_HELD = 256 * 1024
_READ_BYTES = 16 * 1024
_PATIENCE_SECONDS = 60.0
_DIRECTIONS: tuple[Direction, Direction] = ("up", "down")


@dataclass(frozen=True)
class Counts:
    """What has gone over the line since the proxy was started.

    Attributes:
        up: bytes that were delivered to the target.
        down: bytes that were delivered to those who connect.
        connections: connections that were accepted.
        open: connections that are open now.
    """

    up: int
    down: int
    connections: int
    open: int


class FaultProxy:
    """The test's side of the proxy. Each method returns when the fault has begun."""

    def __init__(self, process: asyncio.subprocess.Process, address: tuple[str, int]) -> None:
        self.address = address
        """Host and port to connect to instead of the target's."""
        self._process = process
        self._turn = asyncio.Lock()

    @classmethod
    @contextlib.asynccontextmanager
    async def start(
        cls,
        target: tuple[str, int],
        *,
        host: str = "127.0.0.1",
        namespace: Namespace | None = None,
    ) -> AsyncGenerator[Self]:
        """Run a proxy in front of `target`, without any fault at first.

        Args:
            target: host and port that it connects to, from the test's own namespace.
            host: address that it listens on; loopback, if not in a namespace.
            namespace: network namespace that it listens in; the test's own when None.
        """
        if namespace is None and not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"{host} is neither loopback nor within a namespace of the test")
        order = [host, target[0], str(target[1])]
        if namespace is not None:
            order += ["--namespace", str(namespace.path)]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.support.fault_proxy", *order),
            cwd=REPOSITORY,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            first = await asyncio.wait_for(process.stdout.readline(), _PATIENCE_SECONDS)
            yield cls(process, (host, int(json.loads(first)["port"])))
        finally:
            if process.stdin is not None:
                process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), _PATIENCE_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()

    async def shape(
        self, *, delay: float = 0.0, jitter: float = 0.0, bytes_per_second: int = 0
    ) -> None:
        """Make the line slow.

        Args:
            delay: seconds that each byte is under way, in each direction.
            jitter: seconds at most that are added to it, differently for each piece; the
                order is kept.
            bytes_per_second: in each direction, for all connections together; 0 for any.
        """
        await self._order("shape", delay=delay, jitter=jitter, bytes_per_second=bytes_per_second)

    async def reset(self) -> None:
        """End all connections with a RST, on both sides. New ones are let through."""
        await self._order("reset")

    async def black_hole(self, *directions: Direction) -> None:
        """Swallow what is sent, in these directions or in both; nobody is told.

        With `down` alone requests arrive and their answers are lost.
        """
        await self._order("black_hole", directions=directions or _DIRECTIONS)

    async def half_open(self, forgetful: Literal["client", "target"]) -> None:
        """Let one side forget its connections, while the other still believes in them.

        The forgetful side gets a RST; what the other one sends is swallowed. New
        connections are let through.
        """
        await self._order("half_open", forgetful=forgetful)

    async def refuse(self) -> None:
        """End all connections and refuse new ones, as a machine does where nobody listens."""
        await self._order("refuse")

    async def mend(self, *, forget: bool = False) -> None:
        """Take back every fault, also the slowness.

        Args:
            forget: what was swallowed is lost and its connections end with a RST, as after
                an outage longer than a firewall remembers. Otherwise it arrives late.
        """
        await self._order("mend", forget=forget)

    async def counts(self) -> Counts:
        """Tell what has gone over the line."""
        return Counts(**await self._order("counts"))

    @property
    def pid(self) -> int:
        """Id of its process."""
        return self._process.pid

    async def _order(self, do: str, **more: Any) -> dict[str, int]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        async with self._turn:
            self._process.stdin.write(json.dumps({"do": do, **more}).encode() + b"\n")
            answer = await asyncio.wait_for(self._process.stdout.readline(), _PATIENCE_SECONDS)
        if not answer:
            raise RuntimeError("the fault proxy has ended; its error is above")
        return json.loads(answer)


@dataclass
class _Line:
    """What the proxy does to all its connections now."""

    delay: float = 0.0
    jitter: float = 0.0
    bytes_per_second: int = 0
    passes: dict[Direction, asyncio.Event] = field(
        default_factory=lambda: {"up": asyncio.Event(), "down": asyncio.Event()}
    )
    # When the last byte in this direction will have left, by the loop's clock.
    busy_until: dict[Direction, float] = field(default_factory=lambda: {"up": 0.0, "down": 0.0})
    delivered: dict[Direction, int] = field(default_factory=lambda: {"up": 0, "down": 0})
    accepted: int = 0

    async def carry(self, direction: Direction, arrived: float, size: int) -> None:
        """Return when `size` bytes that came at `arrived` have reached the other end."""
        clock = asyncio.get_running_loop().time
        due = arrived + self.delay + (random.uniform(0, self.jitter) if self.jitter else 0.0)
        if self.bytes_per_second:
            begins = max(self.busy_until[direction], arrived)
            self.busy_until[direction] = begins + size / self.bytes_per_second
            due = max(due, self.busy_until[direction] + self.delay)
        if (rest := due - clock()) > 0:
            await asyncio.sleep(rest)
        await self.passes[direction].wait()


class _Way:
    """One direction of one connection."""

    def __init__(
        self,
        line: _Line,
        direction: Direction,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._line = line
        self._direction: Direction = direction
        self._reader = reader
        self._writer = writer
        self._held: deque[tuple[float, bytes]] = deque()
        self._held_bytes = 0
        self._changed = asyncio.Condition()
        self.swallowing = False

    async def run(self) -> None:
        """Carry until the end of what is sent has been carried too."""
        reading = asyncio.create_task(self._read())
        try:
            await self._write()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            try:
                data = await self._reader.read(_READ_BYTES)
            except OSError:
                data = b""
            if self.swallowing and data:
                continue
            async with self._changed:
                await self._changed.wait_for(lambda: self._held_bytes < MOST_BYTES_HELD)
                self._held.append((clock(), data))
                self._held_bytes += len(data)
                self._changed.notify_all()
            if not data:
                return

    async def _write(self) -> None:
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: bool(self._held))
                arrived, data = self._held.popleft()
                self._held_bytes -= len(data)
                self._changed.notify_all()
            await self._line.carry(self._direction, arrived, len(data))
            if not data:
                return
            if self.swallowing:
                continue
            try:
                self._writer.write(data)
                await self._writer.drain()
            except ConnectionError:
                if self.swallowing:
                    # Who sent it is not told that the other side has forgotten it.
                    continue
                return
            self._line.delivered[self._direction] += len(data)


class _Connection:
    """One connection through the proxy, with both its ends."""

    def __init__(
        self, line: _Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._line = line
        self._reader = reader
        self.client = writer
        self.target: asyncio.StreamWriter | None = None
        self._ways: list[_Way] = []
        self._forgotten = False

    async def run(self, target: tuple[str, int]) -> None:
        """Connect to the target and carry both ways, until one end has closed."""
        try:
            # Nobody answers at the other end of a black hole.
            await self._line.passes["up"].wait()
            reader, self.target = await asyncio.open_connection(*target)
        except OSError:
            self.abort()
            return
        self._ways = [
            _Way(self._line, "up", self._reader, self.target),
            _Way(self._line, "down", reader, self.client),
        ]
        tasks = [asyncio.create_task(way.run()) for way in self._ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if self._forgotten:
                # One end has been told; the other finds out when it gives up.
                await asyncio.wait(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for writer in (self.client, self.target):
                writer.close()

    def abort(self) -> None:
        """End it with a RST on both sides."""
        _send_reset(self.client)
        if self.target is not None:
            _send_reset(self.target)

    def forget(self, side: Literal["client", "target"]) -> None:
        """End it with a RST on one side only; the other side's words go nowhere."""
        if self.target is None:
            return
        self._forgotten = True
        for way in self._ways:
            way.swallowing = True
        _send_reset(self.client if side == "client" else self.target)


def _send_reset(writer: asyncio.StreamWriter) -> None:
    end = writer.get_extra_info("socket")
    if end is not None and end.fileno() >= 0:
        # Not to linger at all is what makes the kernel send a RST.
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class _Proxy:
    def __init__(self, host: str, target: tuple[str, int], namespace: Path | None) -> None:
        self._host = host
        self._target = target
        self._namespace = namespace
        self._line = _Line()
        self._connections: dict[_Connection, asyncio.Task[None]] = {}
        self._server: asyncio.Server | None = None
        # Bound to the port and deaf, so that nobody else gets it while connections are
        # refused, and no connection of this machine begins at it.
        self._holder: socket.socket | None = None
        self._refuses = False
        self.port = 0
        for passes in self._line.passes.values():
            passes.set()

    async def listen(self) -> None:
        """Listen, always on the same port."""
        if self._server is not None:
            return
        with inside(self._namespace):
            # A socket stays in the namespace that it was made in; those to the target
            # are made in the test's own.
            if self._holder is None:
                self._holder = self._bound()
                self.port = int(self._holder.getsockname()[1])
            end = self._bound()
        end.listen(1024)
        self._refuses = False
        self._server = await asyncio.start_server(self._accepted, sock=end)

    def _bound(self) -> socket.socket:
        end = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        end.bind((self._host, self.port))
        return end

    async def obey(self, order: dict[str, Any]) -> dict[str, int]:
        """Do what the test says, and tell the counts after it."""
        do = str(order.pop("do"))
        if do == "mend":
            self._mend(forget=bool(order["forget"]))
            await self.listen()
        else:
            acts: dict[str, Callable[..., None]] = {
                "counts": lambda: None,
                "shape": self._shape,
                "reset": self._abort_all,
                "black_hole": self._black_hole,
                "half_open": self._half_open,
                "refuse": self._refuse,
            }
            acts[do](**order)
        return asdict(self._counts())

    def _mend(self, *, forget: bool) -> None:
        self._shape()
        if forget:
            self._abort_all()
        for passes in self._line.passes.values():
            passes.set()

    def _black_hole(self, directions: list[Direction]) -> None:
        for direction in directions:
            self._line.passes[direction].clear()

    def _half_open(self, forgetful: Literal["client", "target"]) -> None:
        for connection in self._connections:
            connection.forget(forgetful)

    def _refuse(self) -> None:
        self._refuses = True
        if self._server is not None:
            self._server.close()
            self._server = None
        self._abort_all()

    def _shape(self, delay: float = 0.0, jitter: float = 0.0, bytes_per_second: int = 0) -> None:
        self._line.delay, self._line.jitter = delay, jitter
        self._line.bytes_per_second = bytes_per_second
        self._line.busy_until = {"up": 0.0, "down": 0.0}

    def _counts(self) -> Counts:
        delivered = self._line.delivered
        return Counts(
            delivered["up"], delivered["down"], self._line.accepted, len(self._connections)
        )

    def _abort_all(self) -> None:
        for connection, task in self._connections.items():
            connection.abort()
            task.cancel()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(self._line, reader, writer)
        # What was accepted in the moment of the refusal is refused too.
        if self._refuses or len(self._connections) >= MOST_CONNECTIONS:
            connection.abort()
            return
        self._line.accepted += 1
        task = asyncio.get_running_loop().create_task(connection.run(self._target))
        self._connections[connection] = task
        task.add_done_callback(lambda _: self._connections.pop(connection, None))


async def _serve(arguments: argparse.Namespace) -> None:
    proxy = _Proxy(
        arguments.host,
        (arguments.target_host, arguments.target_port),
        arguments.namespace,
    )
    await proxy.listen()
    _answer({"port": proxy.port})
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        _answer(await proxy.obey(json.loads(line)))


def _answer(answer: dict[str, int]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.support.fault_proxy")
    parser.add_argument("host")
    parser.add_argument("target_host")
    parser.add_argument("target_port", type=int)
    parser.add_argument("--namespace", type=Path)
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    _main()
