"""The port for leaves in a cluster: opened while the broker runs, and used by a real leaf."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from nats.aio.client import Client
from nats.errors import Error as NatsError

from centers.copies import keep_copy
from centers.registrar import Registrar
from hubkit.installation import Installation
from hubkit.leaf import Place, write_leaf
from node_agent.leaf_store import Folder, leaf_store
from nodekit.accounts import HubKeys
from nodekit.keys import KeyKind, NKey, UserCredentials
from nodekit.leaves import Leaf
from nodekit.subjects import inbox_prefix
from peyvandctl.state import LOOPBACK, free_port
from servicekit.broker import Broker, event_stream
from servicekit.broker_access import BrokerAccess
from servicekit.tasks import end_tasks
from tests.support.broker_servers import (
    SERVERS,
    Servers,
    agreed,
    prepared,
    published,
    three_servers,
)
from tests.support.leaf_server import LeafServer
from tests.support.messaging import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

NODE = "nod_01k0000000000000000000000a"
SUBJECT = f"node.{NODE}.hello"


async def test_the_port_is_opened_server_by_server_and_no_stream_is_lost(tmp_path: Path) -> None:
    stream = event_stream("centers", replicas=SERVERS)
    async with three_servers(tmp_path) as servers:
        async with entered(servers, 0) as broker:
            await broker.declare(stream)
            await published(broker, "evt.centers.center.opened.1")
        servers.write("leaves")
        for number in range(SERVERS):
            await servers.kill(number)
            await servers.start(number)
            await eventually(lambda number=number: servers.is_started(number), within=60)
        async with entered(servers, 0) as broker:
            await published(broker, "evt.centers.center.opened.2")

            async def both_are_kept() -> bool:
                info = await broker.stream_info(stream.name)
                return info is not None and info.state.messages == 2

            await eventually(both_are_kept)


async def test_a_node_reaches_the_hub_through_a_leaf_that_was_written_as_the_guide_says(
    tmp_path: Path,
) -> None:
    async with three_servers(tmp_path, "leaves") as servers:
        await tell_accounts(servers)
        async with a_leaf(servers, 0) as leaf, entered(servers, 1) as broker:
            await leaf.connected()

            async def answer(asked: Any) -> None:
                await asked.respond(b"heard")

            # The leaf is at one server, and who answers at another.
            await broker.client.subscribe(SUBJECT, cb=answer)
            node = await node_at(servers, leaf)

            async def is_answered() -> bool:
                with contextlib.suppress(NatsError, TimeoutError):
                    return (await node.request(SUBJECT, b"?", timeout=2)).data == b"heard"
                return False

            await eventually(is_answered)
            await node.close()


async def test_a_leaf_keeps_what_a_cluster_says_also_when_a_server_of_it_dies(
    tmp_path: Path,
) -> None:
    async with three_servers(tmp_path, "leaves") as servers:
        await tell_accounts(servers)
        keys = HubKeys.read(servers.secrets / "registrar-keys")
        async with entered(servers, 1) as broker:
            await broker.declare(event_stream("centers", replicas=SERVERS))
            keeping = asyncio.create_task(
                keep_copy(servers.access(1, keys.copies_credentials("registrar")), SERVERS)
            )
            try:
                async with a_leaf(servers, 0) as leaf:
                    await leaf.connected()
                    folder = Folder.read(leaf.folder / "reader")
                    async with leaf_store(folder, lambda: None) as store:
                        await store.make()

                        async def keeps(count: int) -> None:
                            async def are_there() -> bool:
                                return (await store.kept()).last == count

                            # A broker asks again for what it copies only after half a
                            # minute, when it got no answer.
                            await eventually(are_there, within=240)

                        await published(broker, f"evt.centers.node.joined.{NODE}")
                        await keeps(1)
                        await servers.kill(2)
                        await published(broker, f"evt.centers.node.renewed.{NODE}")
                        await keeps(2)
            finally:
                await end_tasks(keeping)


async def test_leaves_are_shown_a_certificate_that_was_renewed(tmp_path: Path) -> None:
    servers = prepared(tmp_path)
    servers.write("leaves", overlay="small")
    certificate = tmp_path / "tls" / "server" / "tls.crt"

    async def is_shown() -> bool:
        shown = await asyncio.to_thread(
            ssl.get_server_certificate, ("localhost", servers.leaves[0])
        )
        return certificate.read_text(encoding="ascii").startswith(shown.strip())

    try:
        await servers.start(0)
        await eventually(lambda: servers.is_started(0))
        assert await is_shown()
        servers.certify("server")
        assert not await is_shown()
        servers.reload(0)
        await eventually(is_shown)
    finally:
        await servers.end()


@contextlib.asynccontextmanager
async def entered(servers: Servers, number: int) -> AsyncGenerator[Broker]:
    """A service at one of the servers."""
    access = servers.access(number, servers.credentials("centers"))
    broker = await Broker.connect(access, name="centers")
    try:
        yield broker
    finally:
        await broker.close()


async def tell_accounts(servers: Servers) -> None:
    """Tell the broker, as the registrar does, that no key is barred: then it lets nodes in."""
    keys = HubKeys.read(servers.secrets / "registrar-keys")
    access = servers.access(0, keys.system_credentials("registrar"))
    broker = await Broker.connect(access, name="registrar")
    await agreed(Registrar(broker, "", keys), {})
    await broker.close()


@contextlib.asynccontextmanager
async def a_leaf(servers: Servers, number: int) -> AsyncGenerator[LeafServer]:
    """A leaf at one of the servers, from the secrets of the broker and of the authority."""
    home = servers.folder / "hub"
    (home / "tls").mkdir(parents=True)
    (home / "broker-keys").symlink_to(servers.secrets / "registrar-keys")
    for entry, name in (("tls.crt", "ca.pem"), ("tls.key", "ca.key")):
        made = servers.folder / "tls" / "authority" / entry
        (home / "tls" / name).write_bytes(made.read_bytes())
    hub = Installation(home)
    folder, leaf = servers.folder / "leaf", Leaf("fars", [NODE])
    port = free_port()
    monitor = free_port(taken=[port])
    place = Place(
        hub=f"localhost:{servers.leaves[number]}",
        hosts=(LOOPBACK,),
        listen=f"{LOOPBACK}:{port}",
        monitor=f"{LOOPBACK}:{monitor}",
        seen_at=PurePosixPath(folder),
        kept_at=PurePosixPath(folder / "store"),
    )
    written = write_leaf(folder, leaf, place, hub.broker_keys, hub.authority)
    server = LeafServer(leaf, folder, port, monitor, written)
    try:
        await server.start()
        yield server
    finally:
        await server.end()


async def node_at(servers: Servers, leaf: LeafServer) -> Client:
    """A node at the leaf, once the leaf knows whom to let in."""
    key = NKey.new(KeyKind.USER)
    signer = HubKeys.read(servers.secrets / "registrar-keys").node_signer()
    jwt = signer.issue(key.public, NODE, datetime.now(UTC) + timedelta(days=1))
    root = servers.folder / "tls" / "server" / "ca.crt"
    options = BrokerAccess(leaf.url, UserCredentials(jwt, key), root).options()
    inbox = inbox_prefix(NODE).encode()
    client = Client()

    async def is_let_in() -> bool:
        with contextlib.suppress(NatsError, OSError):
            await client.connect(
                **options, allow_reconnect=False, connect_timeout=60, inbox_prefix=inbox
            )
        return client.is_connected

    await eventually(is_let_in)
    return client
