"""The broker of a cluster on this machine, with configuration and secrets as they are there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import runpy
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from nodekit.keys import UserCredentials
from peyvandctl.paths import script
from peyvandctl.processes import http_status
from servicekit.broker_access import BrokerAccess
from tests.support.cluster import free_port
from tests.support.manifests import ROOT, render
from tests.support.messaging import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from centers.registrar import Registrar
    from servicekit.broker import Broker

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
    """Certificates as a file has them."""
    encoding = serialization.Encoding.PEM
    return b"".join(certificate.public_bytes(encoding) for certificate in certificates)


def write_secret(folder: Path, signed: Signed, root: Signed, *between: Signed) -> None:
    """As cert-manager fills it: the chain without the root, the key, and the root."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tls.crt").write_bytes(pem(signed[0], *(each[0] for each in between)))
    (folder / "ca.crt").write_bytes(pem(root[0]))
    (folder / "tls.key").write_bytes(
        signed[1].private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


class Servers:
    """The servers of the broker, each with the files that its pod mounts."""

    def __init__(self, folder: Path, secrets: Path, authority: Signed, root: Signed) -> None:
        self.folder = folder
        self.secrets = secrets
        self.authority = authority
        self.root = root
        self.ports = [free_port() for _ in range(SERVERS)]
        self.monitors = [free_port() for _ in range(SERVERS)]
        self.leaves = [free_port() for _ in range(SERVERS)]
        self._routes = [free_port() for _ in range(SERVERS)]
        self._processes: dict[int, asyncio.subprocess.Process] = {}

    def certify(self, name: str) -> None:
        """Make the certificate for clients or for the routes, another one each time."""
        signed = certify(name, self.authority, ["localhost"])
        write_secret(self.folder / "tls" / name, signed, self.root, self.authority)

    def write(self, *components: str, overlay: str = "production") -> None:
        """Write each server's files, with places of this machine instead of those of a pod."""
        files = render(overlay, *components).one("ConfigMap", "broker")["data"]
        for number in range(SERVERS):
            folder = self.folder / f"broker-{number}"
            folder.mkdir(exist_ok=True)
            places = {
                "0.0.0.0:4222": f"127.0.0.1:{self.ports[number]}",
                "0.0.0.0:8222": f"127.0.0.1:{self.monitors[number]}",
                "0.0.0.0:6222": f"127.0.0.1:{self._routes[number]}",
                "0.0.0.0:7422": f"127.0.0.1:{self.leaves[number]}",
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
        """Start a server."""
        folder = self.folder / f"broker-{number}"
        with (folder / "log").open("ab") as log:
            self._processes[number] = await asyncio.create_subprocess_exec(
                *(str(script("nats-server")), "--config", str(folder / "nats.conf")),
                env={"PATH": os.defpath, "POD_NAME": f"broker-{number}"},
                stdout=log,
                stderr=log,
            )

    async def complaint(self, number: int) -> str:
        """What a server says of its configuration; nothing where it takes it."""
        checking = await asyncio.create_subprocess_exec(
            *(str(script("nats-server")), "-t", "--config"),
            str(self.folder / f"broker-{number}" / "nats.conf"),
            env={"PATH": os.defpath, "POD_NAME": f"broker-{number}"},
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await checking.communicate()
        return said.decode() if checking.returncode else ""

    async def kill(self, number: int) -> None:
        """Kill it."""
        process = self._processes.pop(number)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    def reload(self, number: int) -> None:
        """Have it read its files anew, as the reloader beside it does."""
        self._processes[number].send_signal(signal.SIGHUP)

    async def end(self) -> None:
        """Kill all."""
        for number in list(self._processes):
            await self.kill(number)

    async def is_started(self, number: int) -> bool:
        """What the startup probe asks."""
        return await http_status("127.0.0.1", self.monitors[number], "/healthz") == 200

    def access(self, number: int, credentials: UserCredentials) -> BrokerAccess:
        """How to enter the broker at one of them."""
        root = self.folder / "tls" / "server" / "ca.crt"
        return BrokerAccess(f"tls://localhost:{self.ports[number]}", credentials, root)

    def credentials(self, service: str) -> UserCredentials:
        """What a service shows."""
        path = self.secrets / f"{service}-broker" / "broker.creds"
        return UserCredentials.from_text(path.read_text(encoding="ascii"))


def _moved(text: str, places: Mapping[str, str]) -> str:
    for pod, here in places.items():
        text = text.replace(pod, here)
    return text


def prepared(folder: Path) -> Servers:
    """Have secrets and certificates made for them, in a folder for all that they have."""
    secrets = folder / "secrets"
    runpy.run_path(str(MAKE_SECRETS))["make"](secrets)
    root = certify("root", None, [])
    servers = Servers(folder, secrets, certify("authority", root, []), root)
    write_secret(folder / "tls" / "authority", servers.authority, root)
    for name in ("server", "routes"):
        servers.certify(name)
    return servers


@contextlib.asynccontextmanager
async def three_servers(folder: Path, *components: str) -> AsyncGenerator[Servers]:
    """Run those of production."""
    servers = prepared(folder)
    servers.write(*components)
    try:
        for number in range(SERVERS):
            await servers.start(number)
        for number in range(SERVERS):
            await eventually(lambda number=number: servers.is_started(number), within=60)
        yield servers
    finally:
        await servers.end()


async def published(broker: Broker, subject: str) -> None:
    """Publish once, however long the streams look for a leader."""

    async def is_taken() -> bool:
        await broker.jetstream.publish(subject, b"x", headers={"Nats-Msg-Id": subject})
        return True

    await eventually(is_taken)


async def agreed(registrar: Registrar, barred: Mapping[str, datetime]) -> None:
    """Have the registrar tell the broker which keys are barred, however long an answer takes."""

    async def is_told() -> bool:
        await registrar._agree(barred)
        return True

    await eventually(is_told)
