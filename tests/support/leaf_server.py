"""A leaf for tests: a NATS server of its own, behind a broker that admits leaves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import tempfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import httpx

from centers.copies import keep_copy
from hubkit.broker import read_keys
from hubkit.leaf import Place, Written, write_leaf
from nodekit.keys import UserCredentials
from peyvandctl.paths import script
from peyvandctl.state import LOOPBACK, free_port
from servicekit.tasks import end_tasks
from tests.support.fault_proxy import FaultProxy
from tests.support.messaging import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from nodekit.leaves import Leaf
    from peyvandctl.nats import NatsServer
    from servicekit.broker_access import BrokerAccess
    from tests.support.hub_line import HubLine

ACCOUNTS = 3
"""Accounts of which a leaf has a line to the hub."""


@dataclass
class LeafServer:
    """A leaf that runs, or does not.

    Attributes:
        leaf: what it is for.
        folder: what was written for it.
        port: where nodes connect.
        monitor: HTTP.
        written: its key.
        write_anew: write its folder once more.
    """

    leaf: Leaf
    folder: Path
    port: int
    monitor: int
    written: Written
    process: asyncio.subprocess.Process | None = None
    write_anew: Callable[[], object] = lambda: None

    @property
    def url(self) -> str:
        """Where a client connects."""
        return f"tls://{LOOPBACK}:{self.port}"

    @property
    def address(self) -> str:
        """The same as an agent is told it."""
        return f"{LOOPBACK}:{self.port}"

    def credentials(self, name: str) -> UserCredentials:
        """Some of its credentials."""
        return UserCredentials.from_text((self.folder / f"{name}.creds").read_text("ascii"))

    async def start(self) -> None:
        """Run it, and return once it lets clients in."""
        self.process = await asyncio.create_subprocess_exec(
            str(script("nats-server")),
            "--config",
            str(self.folder / "leaf.conf"),
            stderr=asyncio.subprocess.DEVNULL,
        )
        await eventually(self._is_healthy)

    async def end(self, *, kill: bool = False) -> None:
        """End it, if it runs."""
        if self.process is not None and self.process.returncode is None:
            (self.process.kill if kill else self.process.terminate)()
            await self.process.wait()
        self.process = None

    async def lines(self) -> int:
        """How many lines to the hub stand, by its own word."""
        told = await self._told("/leafz")
        return len(told.get("leafs") or [])

    async def connected(self) -> None:
        """Return once it is connected for all its accounts."""

        async def all_stand() -> bool:
            return await self.lines() == ACCOUNTS

        await eventually(all_stand)

    async def _is_healthy(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return bool((await self._told("/healthz")).get("status") == "ok")
        return False

    async def _told(self, path: str) -> Any:
        async with httpx.AsyncClient(timeout=10) as http:
            return json.loads((await http.get(f"http://{LOOPBACK}:{self.monitor}{path}")).text)


@contextlib.asynccontextmanager
async def leaf_server(
    server: NatsServer, leaf: Leaf, line: FaultProxy | None = None
) -> AsyncGenerator[LeafServer]:
    """Write a leaf of this broker and run it; its line to the hub may lead through a proxy."""
    folder = Path(tempfile.mkdtemp(prefix="peyvand-leaf-"))
    port = free_port()
    monitor = free_port(taken=[port])
    hub = f"{line.address[0]}:{line.address[1]}" if line else server.leaves
    place = Place(
        hub=hub,
        hosts=(LOOPBACK,),
        listen=f"{LOOPBACK}:{port}",
        monitor=f"{LOOPBACK}:{monitor}",
        seen_at=PurePosixPath(folder),
        kept_at=PurePosixPath(folder / "store"),
    )
    try:
        write = partial(write_leaf, folder, leaf, place, read_keys(server.keys), server.authority)
        made = LeafServer(leaf, folder, port, monitor, write(), write_anew=write)
        try:
            await made.start()
            yield made
        finally:
            await made.end()
    finally:
        shutil.rmtree(folder)


@contextlib.asynccontextmanager
async def cuttable_leaf(
    server: NatsServer, leaf: Leaf
) -> AsyncGenerator[tuple[LeafServer, FaultProxy]]:
    """Run a leaf whose line to the hub leads through a proxy, once it is connected."""
    host, port = server.leaves.rsplit(":", 1)
    async with (
        FaultProxy.start((host, int(port))) as line,
        leaf_server(server, leaf, line) as running,
    ):
        await running.connected()
        yield running, line


async def cut(line: FaultProxy) -> None:
    """Cut a line, and let nobody in."""
    await line.refuse()
    await line.reset()


@contextlib.asynccontextmanager
async def copying(hub: HubLine) -> AsyncGenerator[BrokerAccess]:
    """Keep the copy that leaves copy from, as the registrar does; gives its access to COPIES."""
    credentials = hub.keys.copies_credentials("registrar")
    access = replace(hub.server.access, credentials=credentials)
    keeping = asyncio.create_task(keep_copy(access, 1))
    try:
        yield access
    finally:
        await end_tasks(keeping)
