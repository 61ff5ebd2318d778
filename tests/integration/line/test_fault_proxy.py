"""The bad line does what it says: each fault is seen from both ends of a connection."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import psutil
import pytest

from tests.support.fault_proxy import MOST_BYTES_HELD, REPOSITORY, FaultProxy
from tests.support.hub_line import until
from tests.support.namespaces import on_loopback

SOON = 60.0
SILENCE = 0.4


class Echo:
    """A server that sends back what it gets, and knows how its connections ended."""

    def __init__(self) -> None:
        self.heard = b""
        self.ended = asyncio.Event()
        self.reset = False
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while data := await reader.read(65_536):
                self.heard += data
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            self.reset = True
        finally:
            self.ended.set()
            writer.close()


@contextlib.asynccontextmanager
async def line() -> AsyncGenerator[tuple[FaultProxy, Echo]]:
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    port = int(server.sockets[0].getsockname()[1])
    async with server, FaultProxy.start(("127.0.0.1", port)) as proxy:
        yield proxy, echo


@contextlib.asynccontextmanager
async def connected(
    proxy: FaultProxy,
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(*proxy.address)
    try:
        yield reader, writer
    finally:
        writer.close()


async def say(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, text: bytes, within: float = SOON
) -> float:
    """Send and wait until it comes back; returns the seconds."""
    began = time.monotonic()
    writer.write(text)
    assert await asyncio.wait_for(reader.readexactly(len(text)), within) == text
    return time.monotonic() - began


async def quickest(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> float:
    """Seconds of the quickest of many tries: a busy machine makes some of them slow, not all."""
    return min([await say(reader, writer, b"word") for _ in range(30)])


async def silent(reader: asyncio.StreamReader) -> bool:
    try:
        await asyncio.wait_for(reader.read(1), SILENCE)
    except TimeoutError:
        return True
    return False


async def _flood(writer: asyncio.StreamWriter, size: int) -> None:
    for _ in range(size // 1_000_000):
        writer.write(b"x" * 1_000_000)
        await writer.drain()


async def test_without_a_fault_all_passes_and_is_counted() -> None:
    async with line() as (proxy, _), connected(proxy) as (reader, writer):
        await say(reader, writer, b"x" * 3_000_000)
        await say(reader, writer, b"word")
        counts = await proxy.counts()
        assert (counts.up, counts.down) == (3_000_004, 3_000_004)
        assert (counts.connections, counts.open) == (1, 1)
        assert proxy.pid != os.getpid()


async def test_the_end_of_a_connection_passes() -> None:
    async with line() as (proxy, echo):
        async with connected(proxy) as (reader, writer):
            await say(reader, writer, b"word")
        await asyncio.wait_for(echo.ended.wait(), SOON)
        assert not echo.reset


async def test_delay_is_added_in_each_direction() -> None:
    async with line() as (proxy, _), connected(proxy) as (reader, writer):
        quick = await quickest(reader, writer)
        await proxy.shape(delay=0.2)
        slow = await say(reader, writer, b"word")
        assert slow >= 0.4
        assert quick < 0.4
        await proxy.mend()
        assert await quickest(reader, writer) < 0.4


async def test_jitter_keeps_the_order() -> None:
    async with line() as (proxy, _), connected(proxy) as (reader, writer):
        await proxy.shape(jitter=0.02)
        for number in range(20):
            writer.write(b"%02d" % number)
            await asyncio.sleep(0.003)
        text = await asyncio.wait_for(reader.readexactly(40), SOON)
        assert text == b"".join(b"%02d" % number for number in range(20))


async def test_bandwidth_is_that_of_the_line_and_not_of_a_connection() -> None:
    async with line() as (proxy, _), connected(proxy) as one, connected(proxy) as two:
        await proxy.shape(bytes_per_second=100_000)
        began = time.monotonic()
        await asyncio.gather(say(*one, b"x" * 30_000), say(*two, b"y" * 30_000))
        assert time.monotonic() - began >= 0.6


async def test_who_sends_more_than_the_line_carries_has_to_wait() -> None:
    async with line() as (proxy, _), connected(proxy) as (_, writer):
        await proxy.black_hole()
        before = psutil.Process(proxy.pid).memory_info().rss
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(_flood(writer, 200_000_000), 2)
        grown = psutil.Process(proxy.pid).memory_info().rss - before
        assert grown < 20 * MOST_BYTES_HELD


async def test_a_reset_reaches_both_ends_and_new_connections_pass() -> None:
    async with line() as (proxy, echo):
        async with connected(proxy) as (reader, writer):
            await say(reader, writer, b"word")
            await proxy.reset()
            with pytest.raises(ConnectionResetError):
                await asyncio.wait_for(reader.read(1), SOON)
            await asyncio.wait_for(echo.ended.wait(), SOON)
            assert echo.reset
        async with connected(proxy) as (reader, writer):
            await say(reader, writer, b"word")


async def test_a_black_hole_says_nothing_and_what_it_held_can_still_come() -> None:
    async with line() as (proxy, echo), connected(proxy) as (reader, writer):
        await say(reader, writer, b"before")
        await proxy.black_hole()
        writer.write(b"within")
        assert await silent(reader)
        assert echo.heard == b"before"
        async with connected(proxy) as (other, _):
            assert await silent(other)
        await proxy.mend()
        assert await asyncio.wait_for(reader.readexactly(6), SOON) == b"within"


async def test_a_black_hole_that_forgets_ends_what_it_held() -> None:
    async with line() as (proxy, echo), connected(proxy) as (reader, writer):
        await say(reader, writer, b"before")
        await proxy.black_hole()
        writer.write(b"within")
        assert await silent(reader)
        await proxy.mend(forget=True)
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.read(1), SOON)
        await asyncio.wait_for(echo.ended.wait(), SOON)
        assert echo.heard == b"before"


async def test_answers_alone_can_be_lost() -> None:
    async with line() as (proxy, echo), connected(proxy) as (reader, writer):
        await proxy.black_hole("down")
        writer.write(b"request")
        await until(lambda: echo.heard == b"request", SOON)
        assert await silent(reader)
        await proxy.mend(forget=True)
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.read(1), SOON)


@pytest.mark.parametrize("forgetful", ["client", "target"])
async def test_half_open_tells_one_end_alone(forgetful: str) -> None:
    async with line() as (proxy, echo):
        async with connected(proxy) as (reader, writer):
            await say(reader, writer, b"before")
            if forgetful == "target":
                await proxy.half_open("target")
                await asyncio.wait_for(echo.ended.wait(), SOON)
                for _ in range(3):
                    writer.write(b"to nobody")
                    assert await silent(reader)
            else:
                await proxy.half_open("client")
                with pytest.raises(ConnectionResetError):
                    await asyncio.wait_for(reader.read(1), SOON)
                await asyncio.sleep(SILENCE)
                assert not echo.ended.is_set()
            assert echo.heard == b"before"
        async with connected(proxy) as (reader, writer):
            await say(reader, writer, b"after")


async def test_what_is_refused_is_refused_at_once_and_on_the_same_port_again() -> None:
    async with line() as (proxy, echo):
        async with connected(proxy) as (reader, writer):
            await say(reader, writer, b"word")
            await proxy.refuse()
            with pytest.raises(ConnectionResetError):
                await asyncio.wait_for(reader.read(1), SOON)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*proxy.address)
        assert echo.connections == 1
        await proxy.mend()
        async with connected(proxy) as (reader, writer):
            await say(reader, writer, b"word")


async def test_a_target_that_is_not_there_ends_the_connection() -> None:
    async with line() as (proxy, _):
        pass
    with pytest.raises((ConnectionError, RuntimeError)):
        await proxy.counts()
    async with FaultProxy.start(("127.0.0.1", 1)) as proxy:
        # As a kernel would, the proxy may be done with it before the caller has seen it begin.
        with pytest.raises(ConnectionResetError):
            async with connected(proxy) as (reader, _):
                await asyncio.wait_for(reader.read(1), SOON)


async def test_it_listens_nowhere_but_on_loopback_or_in_a_namespace() -> None:
    with pytest.raises(ValueError, match="neither loopback"):
        async with FaultProxy.start(("127.0.0.1", 1), host="10.203.0.1"):
            pass
    assert on_loopback("no reason").hub_host == "127.0.0.1"


def test_it_ends_with_the_test_that_was_killed(tmp_path: Path) -> None:
    script = """
import asyncio, sys
from tests.support.fault_proxy import FaultProxy

async def main():
    async with FaultProxy.start(("127.0.0.1", 1)) as proxy:
        print(proxy.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""
    with subprocess.Popen(
        (sys.executable, "-c", script), cwd=REPOSITORY, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        proxy = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
    proxy.wait(SOON)
