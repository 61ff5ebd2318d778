"""Two network namespaces with one cable between them: the hub's side and a node's.

They have no names. Each lives as long as a process in it does: a `cat` that ends with its
input, which ends with the test, also when that is killed. The kernel then takes the
cable away by itself, so that nothing is left to be removed.

It needs root, Linux and `ip`, `nsenter` and `unshare`. Where one is missing, `line_place`
says so and gives loopback: the same test runs there, through the same proxy.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Sequence

LOOPBACK = "127.0.0.1"
_HUB_ADDRESS = "10.203.0.1"
_NODE_ADDRESS = "10.203.0.2"
_TOOLS = ("ip", "nsenter", "unshare", "cat")
_CLONE_NEWNET = 0x40000000
_PATIENCE_SECONDS = 60.0


class NamespacesUnavailableError(Exception):
    """This machine or this user does not give network namespaces; the text says why."""


@dataclass(frozen=True)
class Namespace:
    """One network namespace.

    Attributes:
        holder: id of the process that keeps it.
        address: its only address beside loopback.
        device: its end of the cable.
    """

    holder: int
    address: str
    device: str

    @property
    def path(self) -> Path:
        """File by which the kernel knows it."""
        return Path(f"/proc/{self.holder}/ns/net")

    @property
    def launcher(self) -> tuple[str, ...]:
        """What to put before a command so that it runs inside, with the same process id."""
        return ("nsenter", f"--net={self.path}", "--")


@dataclass(frozen=True)
class Pair:
    """The two sides and the cable."""

    hub: Namespace
    node: Namespace

    async def unplug(self) -> None:
        """Pull the cable out at the node: nothing arrives, and no way is known any more."""
        await _ip(self.node, f"link set {self.node.device} down")

    async def plug(self) -> None:
        """Put the cable back in."""
        await _ip(self.node, f"link set {self.node.device} up")


@dataclass(frozen=True)
class LinePlace:
    """Where a line between a node and the hub is tried.

    Attributes:
        pair: the namespaces, None on loopback.
        note: one sentence for the output of the test: where it runs, and why.
    """

    pair: Pair | None
    note: str

    @property
    def hub_host(self) -> str:
        """Address on which the hub's side of the line listens."""
        return LOOPBACK if self.pair is None else self.pair.hub.address

    @property
    def hub_namespace(self) -> Namespace | None:
        """Namespace in which the hub's side of the line listens."""
        return None if self.pair is None else self.pair.hub

    @property
    def node_launcher(self) -> tuple[str, ...]:
        """What to put before a command so that it runs at the node's side."""
        return () if self.pair is None else self.pair.node.launcher


@contextlib.asynccontextmanager
async def line_place() -> AsyncGenerator[LinePlace]:
    """Give two namespaces, or loopback where there can be none; `note` tells which."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            pair = await stack.enter_async_context(namespaces())
        except NamespacesUnavailableError as error:
            place = on_loopback(str(error))
        else:
            place = LinePlace(pair, "line: two network namespaces with a cable between them")
        yield place


def on_loopback(reason: str) -> LinePlace:
    """Give loopback in place of two namespaces."""
    return LinePlace(None, f"line: loopback, no namespaces: {reason}")


@contextlib.asynccontextmanager
async def namespaces() -> AsyncGenerator[Pair]:
    """Make two namespaces with a cable between them.

    Raises:
        NamespacesUnavailableError: they cannot be made here.
    """
    if sys.platform != "linux":
        raise NamespacesUnavailableError(f"{sys.platform} has none")
    if os.geteuid() != 0:
        raise NamespacesUnavailableError("they need root")
    for tool in _TOOLS:
        if shutil.which(tool) is None:
            raise NamespacesUnavailableError(f"{tool} is not installed")
    async with contextlib.AsyncExitStack() as stack:
        hub = Namespace(await stack.enter_async_context(_holder()), _HUB_ADDRESS, "line-hub")
        node = Namespace(await stack.enter_async_context(_holder()), _NODE_ADDRESS, "line-node")
        # Both ends are made where they belong: the machine's own namespace sees nothing.
        await _run(
            *("ip", "link", "add", hub.device, "netns", str(hub.holder), "type", "veth"),
            *("peer", "name", node.device, "netns", str(node.holder)),
        )
        for side in (hub, node):
            await _ip(
                side,
                "link set lo up",
                f"address add {side.address}/30 dev {side.device}",
                f"link set {side.device} up",
            )
        yield Pair(hub, node)


@contextlib.contextmanager
def inside(namespace: Path | None) -> Generator[None]:
    """Be in a network namespace for the time of a block; sockets made in it stay there.

    It counts for the thread that calls it, so nothing may be awaited in the block.
    """
    if namespace is None:
        yield
        return
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        other = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(other)
        finally:
            os.close(other)
        try:
            yield
        finally:
            _enter(own)
    finally:
        os.close(own)


def _enter(descriptor: int) -> None:
    # `os.setns` came with Python 3.12.
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(descriptor, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@contextlib.asynccontextmanager
async def _holder() -> AsyncGenerator[int]:
    process = await asyncio.create_subprocess_exec(
        *("unshare", "--net", "cat"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        # What comes back tells that the namespace is there: `cat` begins after it.
        with contextlib.suppress(ConnectionError):
            process.stdin.write(b"there\n")
            await process.stdin.drain()
        echo = await asyncio.wait_for(process.stdout.readline(), _PATIENCE_SECONDS)
        if not echo:
            reason = (await process.stderr.read()).decode().strip()
            raise NamespacesUnavailableError(reason or "unshare failed")
        yield process.pid
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _PATIENCE_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _ip(namespace: Namespace, *commands: str) -> None:
    for command in commands:
        await _run(*namespace.launcher, "ip", *command.split())


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        text = output.decode(errors="replace").strip()
        raise NamespacesUnavailableError(f"{' '.join(_shown(command))}: {text}")


def _shown(command: Sequence[str]) -> Sequence[str]:
    return command[3:] if command[0] == "nsenter" else command
