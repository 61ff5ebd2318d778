"""A machine at which a person types `peyvand-node join`: its folder, clock and way to the hub."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from node_agent.findings import halt
from node_agent.home import Home, Identity
from node_agent.joining import World, join
from node_agent.line import Connect, LineError, Trouble
from nodekit.keys import UserCredentials
from peyvand.node.v1 import protocol_pb2 as pb
from tests.simulation.connection import Connection
from tests.simulation.door import Attempt
from tests.simulation.world import Clock, Line

if TYPE_CHECKING:
    from tests.simulation.hub import Hub

HUB_ADDRESS = "hub.example:4443"


@cache
def authority(name: str) -> x509.Certificate:
    """The certificate of an authority of this name; the same for all lives of a process."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder(
        issuer_name=subject,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_valid_after=datetime(2036, 1, 1, tzinfo=UTC),
    )
    return made.sign(key, hashes.SHA256())


def fingerprint(name: str) -> str:
    """By which an authority is known."""
    return authority(name).fingerprint(hashes.SHA256()).hex()


@cache
def pem(name: str) -> str:
    """The certificate of an authority as text."""
    return authority(name).public_bytes(Encoding.PEM).decode()


class Stranger:
    """Somebody who answers in the hub's place, and keeps what is said."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    async def request(self, subject: str, data: bytes, seconds: float) -> bytes:
        """Take what is said, and answer nothing."""
        del subject, seconds
        self.heard.append(data)
        raise LineError(Trouble.SILENT)

    async def publish(self, subject: str, data: bytes) -> None:
        """Take what is said."""
        del subject
        self.heard.append(data)

    async def ping(self, seconds: float) -> NoReturn:
        """Be silent."""
        raise LineError(Trouble.SILENT, f"No pong in {seconds:g} seconds.")

    async def closed(self) -> LineError:
        """Be gone."""
        return LineError(Trouble.UNREACHABLE)

    async def close(self) -> None:
        """Be left."""


@dataclass
class Machine:
    """One machine.

    Attributes:
        stranger: who stands between it and the hub, if somebody does.
        attempts: how often somebody has tried to join at it.
    """

    name: str
    hub: Hub
    dice: random.Random
    folder: Path
    wrong: Callable[[str], None]
    clock: Clock = field(default_factory=Clock)
    stranger: Stranger | None = None
    attempts: int = 0

    def __post_init__(self) -> None:
        self.line = Line(self.dice)
        self.home = Home(self.folder)

    async def join(self, token: str) -> Identity:
        """Type what the headquarters have said. Raises `Halted`."""
        self.attempts += 1
        holds = self.home.identity().node_id if self.home.has_joined() else ""
        attempt, before = Attempt(self.name, self.attempts, holds), self._kept()
        stranger = self.stranger

        def reach(address: str, trusted: str) -> Connect:
            assert address == HUB_ADDRESS

            async def connect(
                _credentials: UserCredentials | None, _node_id: str, _wake: Callable[[], None]
            ) -> Connection | Stranger:
                if trusted != pem("hub" if stranger is None else "stranger"):
                    raise LineError(Trouble.UNTRUSTED)
                return stranger or await Connection.to_join(self.hub, self.line, attempt)

            return connect

        world = World(self._certificates, reach, self.clock.now)
        try:
            identity = await join(token, self.home, lambda _: None, again=True, world=world)
        except BaseException:
            if self._kept() != before:
                self.wrong(f"{self.name}: who could not join has changed what was kept")
            raise
        finally:
            self.hub.door.ended(attempt)
            if stranger is not None and stranger.heard:
                said = pb.JoinRequest.FromString(stranger.heard.pop())
                self.wrong(f"{self.name}: a stranger was told {said.secret and 'the secret'}")
        if self.home.identity() != identity:
            self.wrong(f"{self.name}: what was joined is not what is kept")
        return identity

    def _certificates(self, host: str, port: int) -> tuple[list[x509.Certificate], str]:
        if not self.line.up:
            raise halt("reachability", f"{host} port {port} is out of reach", "")
        return [authority("hub" if self.stranger is None else "stranger")], "TLSv1.3"

    def _kept(self) -> list[tuple[str, str]]:
        if not self.folder.exists():
            return [("", "nothing")]
        return [
            (str(path.relative_to(self.folder)), path.read_text() if path.is_file() else "")
            for path in sorted(self.folder.rglob("*"))
        ]
