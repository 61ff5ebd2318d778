"""Three real servers with the configuration that production mounts, and keys as it makes them."""

from __future__ import annotations

import asyncio
import re
import runpy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes
from nats.aio.client import Client
from nats.errors import Error as NatsError

from centers.registrar import Registrar
from node_agent.hub_identity import shown_by
from node_agent.line import trusting
from nodekit.accounts import HubKeys, NodeSigner
from nodekit.keys import KeyKind, NKey, UserCredentials
from servicekit.broker import Broker, event_stream
from tests.support.broker_servers import (
    MAKE_SECRETS,
    SERVERS,
    Servers,
    agreed,
    certify,
    pem,
    prepared,
    published,
    three_servers,
)
from tests.support.manifests import OVERLAYS
from tests.support.messaging import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncGenerator[Servers]:
    async with three_servers(tmp_path) as servers:
        yield servers


async def test_a_server_is_lost_and_nothing_with_it(servers: Servers) -> None:
    broker = await Broker.connect(servers.access(0, servers.credentials("centers")), name="c")
    stream = event_stream("centers", replicas=3)
    info = await broker.declare(stream)
    assert info.config.num_replicas == 3
    for number in range(50):
        await published(broker, f"evt.centers.center.opened.{number}")
    info = await broker.stream_info(stream.name)
    assert info is not None
    assert info.cluster is not None
    leader = int(re.sub(r"\D", "", info.cluster.leader or ""))
    other = await Broker.connect(
        servers.access((leader + 1) % SERVERS, servers.credentials("projects")), name="p"
    )
    await servers.kill(leader)
    await published(other, "evt.centers.center.opened.50")

    async def all_are_kept() -> bool:
        # The servers may be without a leader of their own when the stream has one again.
        kept = await other.stream_info(stream.name)
        return kept is not None and kept.state.messages >= 51

    await eventually(all_are_kept)
    await servers.start(leader)
    await eventually(lambda: servers.is_started(leader), within=60)
    await other.close()
    await broker.close()


async def test_the_registrar_tells_all_servers_and_bars_a_node_at_each(servers: Servers) -> None:
    system = HubKeys.read(servers.secrets / "registrar-keys")
    signer = NodeSigner.from_text(
        (servers.secrets / "centers-node-keys" / "node-keys.json").read_text(encoding="utf-8")
    )
    registrar_broker = await Broker.connect(
        servers.access(0, system.system_credentials("registrar")), name="registrar"
    )
    registrar = Registrar(registrar_broker, "", system)
    node_key = NKey.new(KeyKind.USER)
    expires = datetime.now(UTC) + timedelta(days=1)
    jwt = signer.issue(node_key.public, "nod_0000000000000000000000test", expires)
    credentials = UserCredentials(jwt, node_key)

    async def may_enter(number: int) -> bool:
        # One attempt: a refusal ends it, as waiting for a server that is away would not.
        access = servers.access(number, credentials)
        client = Client()
        try:
            await client.connect(**access.options(), allow_reconnect=False, connect_timeout=60)
        except (NatsError, OSError):
            return False
        await client.close()
        return True

    for number in range(SERVERS):
        assert not await may_enter(number)
    await agreed(registrar, {})
    for number in range(SERVERS):
        await eventually(lambda number=number: may_enter(number))
    await agreed(registrar, {node_key.public: expires})

    for number in range(SERVERS):

        async def is_barred(number: int = number) -> bool:
            return not await may_enter(number)

        await eventually(is_barred)
    await registrar_broker.close()


async def test_a_node_finds_the_authority_of_its_token_and_trusts_it_alone(
    servers: Servers,
) -> None:
    fingerprint = servers.authority[0].fingerprint(hashes.SHA256()).hex()
    port = servers.ports[0]
    shown = await asyncio.to_thread(shown_by, "localhost", port, fingerprint)
    assert shown.authority.encode() == pem(servers.authority[0])
    _, writer = await asyncio.open_connection("localhost", port, ssl=trusting(shown.authority))
    writer.close()
    stranger = certify("another authority", None, [])[0]
    with pytest.raises(OSError, match="certificate verify failed"):
        await asyncio.open_connection("localhost", port, ssl=trusting(pem(stranger).decode()))


@pytest.mark.parametrize("components", [(), ("leaves",)])
@pytest.mark.parametrize("overlay", OVERLAYS)
async def test_a_server_takes_the_configuration_of_an_overlay(
    tmp_path: Path, overlay: str, components: tuple[str, ...]
) -> None:
    servers = prepared(tmp_path)
    servers.write(*components, overlay=overlay)
    assert not await servers.complaint(0)


async def test_keys_that_are_there_stay(tmp_path: Path) -> None:
    make = runpy.run_path(str(MAKE_SECRETS))["make"]
    make(tmp_path / "s")
    before = {path: path.read_bytes() for path in (tmp_path / "s").rglob("*") if path.is_file()}
    (tmp_path / "s" / "gateway-broker" / "broker.creds").unlink()
    make(tmp_path / "s")
    after = {path: path.read_bytes() for path in (tmp_path / "s").rglob("*") if path.is_file()}
    changed = {path.parent.name for path in before if before[path] != after[path]}
    assert changed == {"gateway-broker"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in after)
