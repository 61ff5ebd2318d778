"""Two namespaces with a cable, where the machine gives them; and loopback where not."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.support.fault_proxy import REPOSITORY, FaultProxy
from tests.support.namespaces import (
    LinePlace,
    Namespace,
    NamespacesUnavailableError,
    inside,
    line_place,
    namespaces,
)

SOON = 60.0
_ASK = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=30) as end:
    end.sendall(b"word")
    sys.stdout.write(end.recv(4).decode())
"""


async def _ask(place: LinePlace, host: str, port: int) -> str:
    """Speak to an address from the node's side; returns what came back, or the error."""
    process = await asyncio.create_subprocess_exec(
        *(*place.node_launcher, sys.executable, "-c", _ASK, host, str(port)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    return output.decode() or errors.decode().strip().rpartition("\n")[2]


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.read(100))
    await writer.drain()
    writer.close()


async def test_the_node_reaches_the_hub_through_the_proxy_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    port = int(server.sockets[0].getsockname()[1])
    async with (
        server,
        line_place() as place,
        FaultProxy.start(
            ("127.0.0.1", port), host=place.hub_host, namespace=place.hub_namespace
        ) as proxy,
    ):
        with capsys.disabled():
            sys.stdout.write(f"\n{place.note}\n")
        assert await _ask(place, *proxy.address) == "word"
        await proxy.refuse()
        assert "ConnectionRefusedError" in await _ask(place, *proxy.address)
        await proxy.mend()
        assert await _ask(place, *proxy.address) == "word"
        if place.pair is None:
            return
        # The hub's own loopback is another one than the node's.
        assert "ConnectionRefusedError" in await _ask(place, "127.0.0.1", port)
        await place.pair.unplug()
        assert "unreachable" in await _ask(place, *proxy.address)
        await place.pair.plug()
        assert await _ask(place, *proxy.address) == "word"


async def test_without_the_right_or_the_tools_the_same_line_is_on_loopback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NamespacesUnavailableError, match="root"):
        async with namespaces():
            pass
    async with line_place() as place:
        assert place.note == "line: loopback, no namespaces: they need root"
        assert (place.hub_host, place.hub_namespace) == ("127.0.0.1", None)
        assert await _ask_through_proxy(place) == "word"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", "")
    async with line_place() as place:
        assert place.note == "line: loopback, no namespaces: ip is not installed"


async def _ask_through_proxy(place: LinePlace) -> str:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    port = int(server.sockets[0].getsockname()[1])
    async with server, FaultProxy.start(("127.0.0.1", port), host=place.hub_host) as proxy:
        return await _ask(place, *proxy.address)


def test_nothing_is_left_of_them_when_the_test_is_killed() -> None:
    script = """
import asyncio
from tests.support.namespaces import line_place

async def main():
    async with line_place() as place:
        pair = place.pair
        print(*([pair.hub.holder, pair.node.holder] if pair else []), flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""
    with subprocess.Popen(
        (sys.executable, "-c", script), cwd=REPOSITORY, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        holders = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        kept = {_name(f"/proc/{holder.pid}/ns/net") for holder in holders}
        parent.send_signal(signal.SIGKILL)
    for holder in holders:
        holder.wait(SOON)
    until = time.monotonic() + SOON
    while _in_use() & kept and time.monotonic() < until:
        time.sleep(0.05)
    assert not _in_use() & kept


def _name(path: str | Path) -> str:
    return str(Path(path).readlink())


def _in_use() -> set[str]:
    found: set[str] = set()
    for path in Path("/proc").glob("[0-9]*/ns/net"):
        try:
            found.add(_name(path))
        except OSError:
            continue
    return found


def test_who_was_inside_is_back_where_it_was(tmp_path: Path) -> None:
    own = "/proc/thread-self/ns/net"
    if not Path(own).exists():
        # No namespaces here: being inside none changes nothing.
        with inside(None):
            return
    before = _name(own)
    with pytest.raises(OSError, match="No such file"), inside(tmp_path / "none"):
        pass
    assert _name(own) == before
    assert Namespace(1, "10.203.0.1", "end").launcher[0] == "nsenter"
