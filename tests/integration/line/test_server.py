"""The broker's address and certificate, and which process gets which of its keys."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import nats
import pytest
from cryptography import x509

from centers.registrar import CHANNEL
from hubkit.authority import Authority
from hubkit.errors import HubError
from nodekit.keys import KeyKind, NKey
from peyvandctl.cluster import Cluster
from peyvandctl.errors import ClusterError
from peyvandctl.nats import NatsServer
from peyvandctl.paths import script
from peyvandctl.state import free_port
from servicekit.broker import DEAD_LETTERS, Broker
from servicekit.broker_access import BrokerAccess
from tests.support.cluster import fresh_home
from tests.support.hub_line import HubLine, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cluster import Infra

HOSTS = ("hub.example", "127.0.0.1", "2001:db8::1")


def _server(authority: Authority) -> x509.Certificate:
    return x509.load_pem_x509_certificates(authority.server_chain.read_bytes())[0]


def _shown(port: int) -> int:
    """Return the serial number of the certificate that a server shows."""
    pem = ssl.get_server_certificate(("127.0.0.1", port))
    return x509.load_pem_x509_certificate(pem.encode()).serial_number


def test_a_certificate_is_for_all_names_and_its_chain_ends_in_the_authority(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path / "tls")
    assert authority.ensure(HOSTS)
    chain = x509.load_pem_x509_certificates(authority.server_chain.read_bytes())
    (ca,) = x509.load_pem_x509_certificates(authority.certificate.read_bytes())
    assert chain[1] == ca
    chain[0].verify_directly_issued_by(ca)
    names = chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["hub.example"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == list(HOSTS[1:])
    # Strict verification, which newer versions of Python begin with.
    strict = ssl.create_default_context(cafile=authority.certificate)
    strict.verify_flags |= ssl.VERIFY_X509_STRICT
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(authority.server_chain, authority.server_key)
    _shake_hands(strict, served, "hub.example")
    with pytest.raises(ssl.SSLCertVerificationError):
        _shake_hands(strict, served, "other.example")


def _shake_hands(one: ssl.SSLContext, other: ssl.SSLContext, host: str) -> None:
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = one.wrap_bio(down, up, server_hostname=host)
    server = other.wrap_bio(up, down, server_side=True)
    done: set[ssl.SSLObject] = set()
    while len(done) < 2:
        for end in (client, server):
            try:
                end.do_handshake()
                done.add(end)
            except ssl.SSLWantReadError:
                continue


def test_a_certificate_is_made_anew_near_its_end_or_for_another_name(tmp_path: Path) -> None:
    authority, now = Authority(tmp_path / "tls"), datetime.now(UTC)
    authority.ensure(HOSTS)
    first, ca = _server(authority), authority.certificate.read_bytes()
    assert not authority.ensure(HOSTS)
    assert not authority.ensure(HOSTS, now + timedelta(days=300))
    assert authority.ensure(HOSTS, first.not_valid_after_utc - timedelta(days=59))
    second = _server(authority)
    assert second.serial_number != first.serial_number
    assert authority.ensure([*HOSTS, "new.example"])
    # A crash between the two files leaves a key that does not fit.
    authority.server_key.write_bytes((tmp_path / "tls" / "ca.key").read_bytes())
    assert authority.ensure([*HOSTS, "new.example"])
    assert authority.certificate.read_bytes() == ca, "tokens name its fingerprint"


def test_a_lost_key_of_the_authority_is_told_and_nothing_is_made_instead(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "tls")
    authority.ensure(HOSTS)
    (tmp_path / "tls" / "ca.key").unlink()
    assert not authority.ensure(HOSTS), "what is good needs no key"
    with pytest.raises(HubError, match="authority") as refusal:
        authority.ensure(["new.example"])
    assert "backup" in refusal.value.mend


def test_lost_keys_of_the_broker_are_told_and_nothing_is_made_instead() -> None:
    with fresh_home() as home:
        home.prepare()
        server = NatsServer(home, 1, 2)
        server.prepare()
        (server.keys / "nodes.nk").unlink()
        with pytest.raises(ClusterError, match="keys of the broker") as refusal:
            server.prepare()
        assert "backup" in refusal.value.mend
        assert not (server.keys / "nodes.nk").exists()


async def test_a_running_broker_takes_a_new_certificate_and_cuts_nobody(infra: Infra) -> None:
    async with infra.fresh_nats() as (server, process):
        broker = await Broker.connect(server.access, name="test")
        before = await asyncio.to_thread(_shown, server.port)
        server.authority.server_chain.unlink()
        assert server.renew_certificate()
        process.reload()
        for _ in range(1200):
            if await asyncio.to_thread(_shown, server.port) != before:
                break
            await asyncio.sleep(0.05)
        else:
            raise AssertionError("it shows the old certificate")
        assert broker.connected
        again = await Broker.connect(server.access, name="test")
        await again.close()
        await broker.close()


@pytest.mark.parametrize(
    ("host", "hub", "listens"),
    [
        ("", "127.0.0.1:4", "127.0.0.1:4"),
        ("hub.example", "hub.example:4", "0.0.0.0:4"),
        ("192.0.2.7", "192.0.2.7:4", "0.0.0.0:4"),
        ("2001:db8::7", "[2001:db8::7]:4", "[::]:4"),
    ],
)
def test_the_broker_leaves_loopback_only_when_nodes_are_elsewhere(
    host: str, hub: str, listens: str
) -> None:
    with fresh_home() as home:
        home.prepare()
        server = NatsServer(home, 4, 5, host)
        server.prepare()
        lines = (home.nats / "server.conf").read_text().splitlines()
        assert f'listen: "{listens}"' in lines
        assert server.hub == hub
        names = _server(server.authority).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        known = {str(name.value) for name in names.value}
        assert known == {"127.0.0.1", "::1", "localhost"} | ({host} if host else set())


async def test_the_port_of_nodes_can_be_fixed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = free_port()
    monkeypatch.setenv("PEYVAND_NODES_PORT", str(wanted))
    async with Cluster(tmp_path, services=[], port=0) as cluster:
        assert cluster.nats.port == wanted
        with pytest.raises(ClusterError, match=f"Port {wanted} is taken") as refusal:
            await Cluster(tmp_path / "other", services=[], port=0).start()
        assert "PEYVAND_NODES_PORT" in refusal.value.mend
    monkeypatch.setenv("PEYVAND_NODES_PORT", "many")
    with pytest.raises(ClusterError, match="PEYVAND_NODES_PORT"):
        Cluster(tmp_path)


async def test_a_broker_of_others_with_a_password_and_without_tls_works_too(
    tmp_path: Path,
) -> None:
    port = free_port()
    arguments = ("--addr", "127.0.0.1", "--port", str(port), "--user", "u", "--pass", "p")
    server = await asyncio.create_subprocess_exec(
        str(script("nats-server")),
        *arguments,
        "--jetstream",
        "--store_dir",
        str(tmp_path),
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        access = BrokerAccess(f"nats://u:p@127.0.0.1:{port}")
        broker = await asyncio.wait_for(Broker.connect(access, name="test"), 60)
        assert await broker.stream_info("NONE") is None
        await broker.close()
    finally:
        server.terminate()
        await server.wait()


async def test_a_broker_of_others_that_greets_before_tls_works_too(tmp_path: Path) -> None:
    authority, port = Authority(tmp_path / "tls"), free_port()
    authority.ensure(["127.0.0.1"])
    server = await asyncio.create_subprocess_exec(
        str(script("nats-server")),
        "--addr",
        "127.0.0.1",
        "--port",
        str(port),
        "--tls",
        "--tlscert",
        str(authority.server_chain),
        "--tlskey",
        str(authority.server_key),
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        url = f"tls://127.0.0.1:{port}"
        access = BrokerAccess(url, ca=authority.certificate, tls_first=False)
        broker = await asyncio.wait_for(Broker.connect(access, name="test"), 60)
        assert broker.connected
        await broker.close()
        options: dict[str, Any] = replace(access, ca=None).options()
        with pytest.raises(ssl.SSLCertVerificationError):
            await nats.connect(**options, allow_reconnect=False)
    finally:
        server.terminate()
        await server.wait()


async def test_each_process_has_its_own_keys_and_the_registrar_works_after_a_crash(
    tmp_path: Path,
) -> None:
    async with Cluster(tmp_path, services=["centers", "registrar"], port=0) as cluster:
        given = {spec.name: cluster.service_environment(spec) for spec in cluster.services}
        assert given["registrar"]["PEYVAND_REGISTRAR_KEYS"] == str(cluster.nats.keys)
        assert "PEYVAND_NATS_CREDENTIALS" not in given["registrar"]
        assert str(cluster.nats.keys) not in " ".join(given["centers"].values())
        assert given["centers"]["PEYVAND_NODE_HUB"] == f"127.0.0.1:{cluster.nats.port}"

        url = cluster.postgres.dsn("centers")
        line = HubLine(cluster.nats, cluster.process("nats"), url)
        await line.execute("ALTER TABLE node_key DROP CONSTRAINT fk_node_key_node_id_node")
        key = NKey.new(KeyKind.USER)
        party = await line.node("nod_a", line.credentials("nod_a", key=key))
        await cluster.process("registrar").kill()
        await line.bar(party)
        await line.execute(f"NOTIFY {CHANNEL}")
        assert party.client.is_connected
        await cluster.process("registrar").start()
        await until(lambda: not party.client.is_connected)
        await line.close()


async def test_what_accounts_that_are_gone_have_left_keeps_no_broker_from_starting() -> None:
    with fresh_home() as home:
        async with Cluster(home.root, services=[], port=0) as cluster:
            broker = await Broker.connect(cluster.nats.access, name="test")
            await broker.declare(DEAD_LETTERS)
            await broker.close()
            store, keys = cluster.nats.store / "jetstream", cluster.nats.keys
        (own,) = store.iterdir()
        # A home from before there were accounts, and one whose keys are made anew.
        shutil.copytree(own, store / "PLATFORM")
        keys.rename(keys.with_name("keys.lost"))
        async with Cluster(home.root, services=[], port=0) as cluster:
            broker = await Broker.connect(cluster.nats.access, name="test")
            assert await broker.stream_info(DEAD_LETTERS.name) is None
            await broker.close()
        aside = {
            path.name.rpartition("-")[0]
            for path in (home.root / "nats/set-aside/jetstream").iterdir()
        }
        assert aside == {"PLATFORM", own.name}
