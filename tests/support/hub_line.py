"""The hub's end of the line for tests: a broker, its registrar, and clients that note all.

The keys of nodes are written to the database as the service writes them; which node and
center they belong to is no matter here.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
from nats.aio.client import Client
from nats.errors import Error as NatsError

from centers.registrar import Registrar
from nodekit import subjects
from nodekit.accounts import HubKeys
from nodekit.keys import KeyKind, NKey, UserCredentials
from servicekit.broker import Broker

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from nats.aio.msg import Msg

    from peyvandctl.nats import NatsServer
    from peyvandctl.processes import ManagedProcess
    from tests.support.cluster import Infra

MONTH = timedelta(days=30)


@dataclass
class Party:
    """A client of the broker, with everything that it was told.

    Attributes:
        name: the node's id, or what else it is.
        credentials: what it shows; None for one who joins.
        client: its connection.
        errors: what the broker complained of.
        heard: subject and content of what it got.
        disconnected: how often its connection was cut.
    """

    name: str
    credentials: UserCredentials | None
    client: Client
    errors: list[str] = field(default_factory=list[str])
    heard: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])
    disconnected: int = 0

    @property
    def public_key(self) -> str:
        """Its public key."""
        assert self.credentials is not None
        assert self.credentials.key is not None
        return self.credentials.key.public

    async def hear(self, message: Msg) -> None:
        """Note a message."""
        self.heard.append((message.subject, message.data))

    async def settle(self) -> None:
        """Wait until the broker has dealt with all that was sent, and its complaints came."""
        await self.client.flush()
        await asyncio.sleep(0.02)


class HubLine:
    """A broker whose registrar follows a database."""

    def __init__(self, server: NatsServer, process: ManagedProcess, database_url: str) -> None:
        self.server = server
        self.process = process
        self.database_url = database_url
        self.keys = HubKeys.read(server.keys)
        self.barred_leaves: list[str] = []
        self._parties: list[Client] = []
        self._registrar: Registrar | None = None
        self._broker: Broker | None = None

    async def start_registrar(self) -> None:
        """Run a registrar and wait until the broker agrees with it."""
        access = replace(self.server.access, credentials=self.keys.system_credentials("registrar"))
        self._broker = await Broker.connect(access, name="registrar")
        self._registrar = Registrar(self._broker, self.database_url, self.keys, self.barred_leaves)
        await self._registrar.start()
        registrar = self._registrar
        await until(lambda: registrar.agrees)

    @property
    def registrar(self) -> Registrar:
        """The registrar that runs."""
        assert self._registrar is not None
        return self._registrar

    async def stop_registrar(self) -> None:
        """End it, if it runs."""
        if self._registrar is not None:
            await self._registrar.stop()
        if self._broker is not None:
            await self._broker.close()
        self._registrar = self._broker = None

    def credentials(
        self, node_id: str, *, valid: timedelta = MONTH, key: NKey | None = None
    ) -> UserCredentials:
        """Make credentials as the service issues them."""
        key = key or NKey.new(KeyKind.USER)
        until_when = datetime.now(UTC) + valid
        return UserCredentials(self.keys.node_signer().issue(key.public, node_id, until_when), key)

    async def connect(
        self,
        name: str,
        credentials: UserCredentials | None,
        inbox: str,
        *,
        at: str = "",
        **options: Any,
    ) -> Party:
        """Connect somebody, at the hub or at the URL of a leaf."""
        party = Party(name, credentials, Client())

        async def complain(error: Exception) -> None:
            party.errors.append(str(error))

        async def lost() -> None:
            party.disconnected += 1

        url = at or self.server.url
        access = replace(self.server.access, credentials=credentials, url=url)
        asked: dict[str, Any] = {
            "name": name,
            "inbox_prefix": inbox.encode(),
            "allow_reconnect": False,
            "connect_timeout": 60,
            "error_cb": complain,
            "disconnected_cb": lost,
        }
        await party.client.connect(**(access.options() | asked | options))
        self._parties.append(party.client)
        return party

    async def node(
        self, node_id: str, credentials: UserCredentials | None = None, **options: Any
    ) -> Party:
        """Connect a node, with credentials of its own when none are given."""
        shown = credentials or self.credentials(node_id)
        return await self.connect(node_id, shown, subjects.inbox_prefix(node_id), **options)

    async def joiner(self, **options: Any) -> Party:
        """Connect somebody without credentials."""
        return await self.connect("joiner", None, subjects.JOIN_INBOX, **options)

    async def platform(self) -> Party:
        """Connect a service."""
        return await self.connect("service", self.server.access.credentials, "_INBOX")

    async def refused(self, node_id: str, credentials: UserCredentials, **options: Any) -> bool:
        """Tell whether the broker turns these credentials away."""
        try:
            await (await self.node(node_id, credentials, **options)).client.close()
        except NatsError as error:
            said = str(error).lower()
            if "authorization" not in said and "authentication expired" not in said:
                raise
            return True
        return False

    async def bar(self, party: Party, *, expires_in: timedelta = MONTH) -> None:
        """Say in the database that a key is barred."""
        await self.execute(
            "INSERT INTO node_key (public_key, node_id, issued_at, expires_at, barred_since)"
            " VALUES ($1, $2, now(), $3, now())"
            " ON CONFLICT (public_key) DO UPDATE SET barred_since = now()",
            party.public_key,
            party.name,
            datetime.now(UTC) + expires_in,
        )

    async def unbar(self, party: Party) -> None:
        """Take that back."""
        await self.execute(
            "UPDATE node_key SET barred_since = NULL WHERE public_key = $1", party.public_key
        )

    async def execute(self, statement: str, *values: object) -> None:
        """Change the database, committed."""
        connection = await asyncpg.connect(self.database_url.replace("+asyncpg", ""))
        try:
            await connection.execute(statement, *values)
        finally:
            await connection.close()

    async def end_connections(self) -> None:
        """End the connections that were made for a test."""
        while self._parties:
            await self._parties.pop().close()

    async def close(self) -> None:
        """End all connections and the registrar."""
        await self.end_connections()
        await self.stop_registrar()


@contextlib.asynccontextmanager
async def hub_line(infra: Infra, *, leaves: bool = False) -> AsyncGenerator[HubLine]:
    """Run a broker of its own, with a registrar that follows an empty database."""
    url = await infra.fresh_database("centers", migrated=True)
    async with infra.fresh_nats(leaves=leaves) as (server, process):
        line = HubLine(server, process, url)
        await line.execute("ALTER TABLE node_key DROP CONSTRAINT fk_node_key_node_id_node")
        try:
            await line.start_registrar()
            yield line
        finally:
            await line.close()
    await infra.drop_database(url)


async def until(condition: Callable[[], bool], seconds: float = 60.0) -> float:
    """Wait for a condition and return how long it took, in seconds."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "the condition did not come true in time"
        await asyncio.sleep(0.01)
    return time.monotonic() - began
