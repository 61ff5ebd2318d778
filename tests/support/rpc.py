"""Runs a service's rpcs over real gRPC in the test's own process.

The database is real and migrated; the broker is left out, so what is committed waits
in the outbox, where a test can look at it.
"""

import contextlib
import secrets
import tempfile
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import sqlalchemy as sa
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message

from peyvandctl.issuer import LocalIssuer
from peyvandctl.paths import Home
from servicekit.contract import Rpc, contract
from servicekit.database import Database
from servicekit.errors import Fault
from servicekit.identity import TokenVerifier
from servicekit.rpc_client import CallContext, RpcClient
from servicekit.rpc_server import Dispatcher, RpcServer
from servicekit.rpcs import Rpcs


class RpcBench:
    """A served implementation, and callers in every role."""

    def __init__(self, client: RpcClient, issuer: LocalIssuer, service: str) -> None:
        self._client = client
        self._issuer = issuer
        self._service = service

    def rpc(self, name: str) -> Rpc:
        """An rpc of the service under test, by its short name."""
        return contract().rpcs[f"/{self._service}/{name}"]

    async def call(
        self,
        name: str,
        request: Message,
        role: str | None = "hq_admin",
        *,
        center_ids: Sequence[str] = (),
        institution_ids: Sequence[str] = (),
        subject: str | None = None,
        token: str | None = None,
    ) -> Message:
        """Call as a role (`None`: without a token), as someone in it, or with a given token."""
        if token is None and role is not None:
            token = self._issuer.mint(
                role, subject, center_ids=center_ids, institution_ids=institution_ids
            )
        return await self._client.call(self.rpc(name), request, CallContext(token, timeout=60))

    async def stream(
        self, name: str, request: Message, role: str | None = "hq_admin"
    ) -> AsyncGenerator[Message]:
        """Call as a role; the answers as they come."""
        token = None if role is None else self._issuer.mint(role)
        context = CallContext(token, timeout=120)
        async with contextlib.aclosing(
            self._client.stream(self.rpc(name), request, context)
        ) as answers:
            async for answer in answers:
                yield answer

    async def fault(
        self,
        name: str,
        request: Message,
        role: str | None = "hq_admin",
        *,
        center_ids: Sequence[str] = (),
        subject: str | None = None,
        token: str | None = None,
    ) -> Fault:
        """Call and return the fault; fails the test if the call succeeds."""
        try:
            answer = await self.call(
                name, request, role, center_ids=center_ids, subject=subject, token=token
            )
        except Fault as fault:
            return fault
        raise AssertionError(f"{name} answered {answer}")


@contextlib.asynccontextmanager
async def serve(service: ServiceDescriptor, rpcs: Rpcs) -> AsyncGenerator[RpcBench]:
    """Serve the rpcs of a service until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        home.prepare()
        issuer = LocalIssuer(home, secrets.token_hex(4))
        issuer.ensure_key()
        verifier = TokenVerifier(issuer=issuer.issuer, audience="peyvand", jwks=str(issuer.jwks))
        dispatcher = Dispatcher(verifier)
        dispatcher.add(service, rpcs.handlers)
        server = RpcServer(dispatcher, "127.0.0.1:0")
        await server.start()
        client = RpcClient(f"127.0.0.1:{server.port}")
        try:
            yield RpcBench(client, issuer, service.full_name)
        finally:
            await client.close()
            await server.stop(0)


async def outbox(database: Database) -> list[tuple[str, str, int]]:
    """Events in the outbox, in its order: type, aggregate, version."""
    async with database.engine.connect() as connection:
        rows = await connection.execute(
            sa.text("SELECT type, aggregate_id, aggregate_version FROM outbox ORDER BY seq")
        )
        return [(row.type, row.aggregate_id, row.aggregate_version) for row in rows]


def rules_broken(fault: Fault) -> list[tuple[str, str]]:
    """Field and rule of each violation."""
    return [(item.field, item.reason) for item in fault.violations]
