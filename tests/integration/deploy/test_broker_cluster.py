"""Three real servers with the configuration that production mounts, and keys as it makes them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import runpy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from nats.aio.client import Client
from nats.errors import Error as NatsError

from centers.registrar import Registrar
from node_agent.hub_identity import shown_by
from node_agent.line import trusting
from nodekit.accounts import HubKeys, NodeSigner
from nodekit.keys import KeyKind, NKey, UserCredentials
from peyvandctl.paths import script
from peyvandctl.processes import http_status
from servicekit.broker import Broker, event_stream
from servicekit.broker_access import BrokerAccess
from tests.support.cluster import free_port
from tests.support.manifests import ROOT, render
from tests.support.messaging import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

MAKE_SECRETS = ROOT / "deploy" / "k8s" / "broker_secrets.py"
SERVERS = 3
Key = ec.EllipticCurvePrivateKey
Signed = tuple[x509.Certificate, Key]


def certify(name: str, issuer: Signed | None, hosts: list[str]) -> Signed:
    """What cert-manager makes of a Certificate; without hosts it is an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=not hosts, path_length=None), critical=True)
    )
    if hosts:
        names = [x509.DNSName(host) for host in hosts]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key


def pem(*certificates: x509.Certificate) -> bytes:
    encoding = serialization.Encoding.PEM
    return b"".join(certificate.public_bytes(encoding) for certificate in certificates)


def write_secret(folder: Path, signed: Signed, between: Signed, root: Signed) -> None:
    """As cert-manager fills it: the chain without the root, the key, and the root."""
    folder.mkdir(parents=True)
    (folder / "tls.crt").write_bytes(pem(signed[0], between[0]))
    (folder / "ca.crt").write_bytes(pem(root[0]))
    (folder / "tls.key").write_bytes(
        signed[1].private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


class Servers:
    """The broker of production on this machine."""

    def __init__(self, folder: Path, secrets: Path, authority: x509.Certificate) -> None:
        self.folder = folder
        self.secrets = secrets
        self.authority = authority
        self.ports = [free_port() for _ in range(SERVERS)]
        self.monitors = [free_port() for _ in range(SERVERS)]
        self._routes = [free_port() for _ in range(SERVERS)]
        self._processes: dict[int, asyncio.subprocess.Process] = {}

    def write(self) -> None:
        """Write each server's files, with places of this machine instead of those of a pod."""
        files = render("production").one("ConfigMap", "broker")["data"]
        for number in range(SERVERS):
            folder = self.folder / f"broker-{number}"
            folder.mkdir()
            places = {
                "0.0.0.0:4222": f"127.0.0.1:{self.ports[number]}",
                "0.0.0.0:8222": f"127.0.0.1:{self.monitors[number]}",
                "0.0.0.0:6222": f"127.0.0.1:{self._routes[number]}",
                "/etc/broker-tls": str(self.folder / "tls"),
                "/var/run/nats": str(folder),
                '"/data': f'"{folder}/data',
            }
            for each, route in enumerate(self._routes):
                places[f"broker-{each}.broker-servers:6222"] = f"localhost:{route}"
            for name, text in files.items():
                (folder / name).write_text(_moved(text, places), encoding="utf-8")
            accounts = self.secrets / "broker-accounts" / "accounts.conf"
            (folder / "accounts.conf").write_bytes(accounts.read_bytes())

    async def start(self, number: int) -> None:
        folder = self.folder / f"broker-{number}"
        with (folder / "log").open("ab") as log:
            self._processes[number] = await asyncio.create_subprocess_exec(
                *(str(script("nats-server")), "--config", str(folder / "nats.conf")),
                env={"PATH": os.defpath, "POD_NAME": f"broker-{number}"},
                stdout=log,
                stderr=log,
            )

    async def kill(self, number: int) -> None:
        process = self._processes.pop(number)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    async def end(self) -> None:
        for number in list(self._processes):
            await self.kill(number)

    async def is_started(self, number: int) -> bool:
        """What the startup probe asks."""
        return await http_status("127.0.0.1", self.monitors[number], "/healthz") == 200

    def access(self, number: int, credentials: UserCredentials) -> BrokerAccess:
        root = self.folder / "tls" / "server" / "ca.crt"
        return BrokerAccess(f"tls://localhost:{self.ports[number]}", credentials, root)

    def credentials(self, service: str) -> UserCredentials:
        path = self.secrets / f"{service}-broker" / "broker.creds"
        return UserCredentials.from_text(path.read_text(encoding="ascii"))


def _moved(text: str, places: Mapping[str, str]) -> str:
    for pod, here in places.items():
        text = text.replace(pod, here)
    return text


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncGenerator[Servers]:
    secrets = tmp_path / "secrets"
    runpy.run_path(str(MAKE_SECRETS))["make"](secrets)
    root = certify("root", None, [])
    authority = certify("authority", root, [])
    for name in ("server", "routes"):
        signed = certify(name, authority, ["localhost"])
        write_secret(tmp_path / "tls" / name, signed, authority, root)
    servers = Servers(tmp_path, secrets, authority[0])
    servers.write()
    try:
        for number in range(SERVERS):
            await servers.start(number)
        for number in range(SERVERS):
            await eventually(lambda number=number: servers.is_started(number), within=60)
        yield servers
    finally:
        await servers.end()


async def test_a_server_is_lost_and_nothing_with_it(servers: Servers) -> None:
    broker = await Broker.connect(servers.access(0, servers.credentials("centers")), name="c")
    stream = event_stream("centers", replicas=3)
    info = await broker.declare(stream)
    assert info.config.num_replicas == 3
    for number in range(50):
        await broker.jetstream.publish(f"evt.centers.center.opened.{number}", b"x")
    info = await broker.stream_info(stream.name)
    assert info is not None
    assert info.cluster is not None
    leader = int(re.sub(r"\D", "", info.cluster.leader or ""))
    other = await Broker.connect(
        servers.access((leader + 1) % SERVERS, servers.credentials("projects")), name="p"
    )
    await servers.kill(leader)

    async def is_taken_over() -> bool:
        with contextlib.suppress(NatsError, TimeoutError):
            await other.jetstream.publish("evt.centers.center.opened.50", b"x")
            return True
        return False

    await eventually(is_taken_over, within=60)
    kept = await other.stream_info(stream.name)
    assert kept is not None
    assert kept.state.messages >= 51
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
            await client.connect(**access.options(), allow_reconnect=False, connect_timeout=5)
        except (NatsError, OSError):
            return False
        await client.close()
        return True

    for number in range(SERVERS):
        assert not await may_enter(number)
    await registrar._agree({})
    for number in range(SERVERS):
        await eventually(lambda number=number: may_enter(number))
    await registrar._agree({node_key.public: expires})

    for number in range(SERVERS):

        async def is_barred(number: int = number) -> bool:
            return not await may_enter(number)

        await eventually(is_barred)
    await registrar_broker.close()


async def test_a_node_finds_the_authority_of_its_token_and_trusts_it_alone(
    servers: Servers,
) -> None:
    fingerprint = servers.authority.fingerprint(hashes.SHA256()).hex()
    port = servers.ports[0]
    shown = await asyncio.to_thread(shown_by, "localhost", port, fingerprint)
    assert shown.authority.encode() == pem(servers.authority)
    _, writer = await asyncio.open_connection("localhost", port, ssl=trusting(shown.authority))
    writer.close()
    stranger = certify("another authority", None, [])[0]
    with pytest.raises(OSError, match="certificate verify failed"):
        await asyncio.open_connection("localhost", port, ssl=trusting(pem(stranger).decode()))


async def test_one_server_takes_the_configuration_of_the_small_overlay(
    servers: Servers, tmp_path: Path
) -> None:
    files = render("small").one("ConfigMap", "broker")["data"]
    folder = tmp_path / "broker-0"
    places = {"/etc/broker-tls": str(tmp_path / "tls"), "/var/run/nats": str(folder)}
    for name, text in files.items():
        (folder / name).write_text(_moved(text, places), encoding="utf-8")
    checking = await asyncio.create_subprocess_exec(
        *(str(script("nats-server")), "-t", "--config", str(folder / "nats.conf")),
        env={"PATH": os.defpath, "POD_NAME": "broker-0"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await checking.communicate()
    assert checking.returncode == 0, said.decode()


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
