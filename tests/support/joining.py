"""The hub as a node meets it: a real broker, its registrar, and the service that answers.

Two processes of the service are simulated by two connections to the broker, each with a
responder of its own over the same database.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

import sqlalchemy as sa
from google.protobuf.message import Message

from centers.api.centers import centers_api
from centers.api.nodes import nodes_api
from centers.line.joining import Joining
from centers.line.responder import Responder
from centers.line.standing import ReportStanding
from centers.use_cases.joining import Issuing
from centers.use_cases.nodes import HubAddress
from nodekit import subjects
from nodekit.join_token import JoinToken
from nodekit.keys import KeyKind, NKey, UserCredentials
from peyvand.centers.v1 import centers_pb2, nodes_pb2
from peyvand.node.v1 import protocol_pb2 as pb
from servicekit.broker import Broker
from servicekit.database import Database, WriteSession
from servicekit.mapping import to_timestamp
from tests.support.hub_line import HubLine, Party, hub_line
from tests.support.patience import PATIENT
from tests.support.rpc import RpcBench, serve

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.support.cluster import Infra

R = TypeVar("R", bound=Message)

FINGERPRINT = "ab" * 32
HUB = HubAddress("hub.example:4443", FINGERPRINT)
LIFE = timedelta(days=90)


async def told_standing(session: WriteSession, node_id: str, hello: pb.Hello) -> ReportStanding:
    """A standing that says what it was asked, so that a test sees it carried over."""
    receipt = pb.Receipt(number=hello.receipts_after + 1, journal=hello.journal, key=node_id)
    return ReportStanding(last_number=41, receipts=[receipt], more_receipts=True)


class NothingHeard:
    """Knows of no node: what the bench leaves out."""

    def health_of(self, node_id: str, center_id: str) -> nodes_pb2.NodeHealth:
        """Tell that the heartbeat is unknown."""
        unknown = nodes_pb2.FeedState(feed="heartbeat", liveness=nodes_pb2.FEED_LIVENESS_UNKNOWN)
        return nodes_pb2.NodeHealth(node_id=node_id, center_id=center_id, feeds=[unknown])


@dataclass
class JoiningBench:
    """Ways to be the headquarters, somebody with a token, or a node."""

    centers: RpcBench
    nodes: RpcBench
    database: Database
    line: HubLine
    _counter: int = 0
    _parties: dict[str, Party] = field(default_factory=dict[str, Party])

    def key(self) -> str:
        """An idempotency key, or a code, not used before."""
        self._counter += 1
        return f"K{self._counter}"

    async def center(self, **values: Any) -> centers_pb2.Center:
        """Record a center."""
        given = centers_pb2.Center(code=self.key(), province="IR-09", **values)
        given.names.en = "Mashhad"
        request = centers_pb2.CreateCenterRequest(center=given, idempotency_key=self.key())
        return cast("centers_pb2.Center", await self.centers.call("CreateCenter", request))

    def node_request(self, center_id: str, **values: Any) -> nodes_pb2.CreateNodeRequest:
        """A request for a node of a center."""
        given: dict[str, Any] = {"name": "Server room"}
        node = nodes_pb2.Node(center_id=center_id, **(given | values))
        return nodes_pb2.CreateNodeRequest(node=node, idempotency_key=self.key())

    async def applied(self, center_id: str = "", **values: Any) -> nodes_pb2.Node:
        """Ask for a node, of a center of its own where none is named."""
        request = self.node_request(center_id or (await self.center()).id, **values)
        return cast("nodes_pb2.Node", await self.nodes.call("CreateNode", request))

    async def approved(self, center_id: str = "") -> nodes_pb2.Node:
        """A node that may join."""
        return await self.step("Approve", await self.applied(center_id))

    def step_request(self, at: nodes_pb2.Node, reason: str = "") -> nodes_pb2.NodeStepRequest:
        """A request for a step from a version that was read."""
        return nodes_pb2.NodeStepRequest(
            node_id=at.id, etag=at.etag, reason=reason, idempotency_key=self.key()
        )

    async def step(
        self, verb: str, at: nodes_pb2.Node, reason: str = "", **who: Any
    ) -> nodes_pb2.Node:
        """Take a step from the newest version, as the headquarters or as somebody else."""
        at = await self.node(at.id)
        request = self.step_request(at, reason)
        return cast("nodes_pb2.Node", await self.nodes.call(f"{verb}Node", request, **who))

    async def node(self, node_id: str) -> nodes_pb2.Node:
        """A node as the headquarters sees it now."""
        request = nodes_pb2.GetNodeRequest(node_id=node_id)
        return cast("nodes_pb2.Node", await self.nodes.call("GetNode", request))

    def token_request(
        self, node_id: str, valid_seconds: int = 0
    ) -> nodes_pb2.CreateJoinTokenRequest:
        """A request for a token."""
        return nodes_pb2.CreateJoinTokenRequest(
            node_id=node_id, valid_seconds=valid_seconds, idempotency_key=self.key()
        )

    async def token(self, node_id: str, valid_seconds: int = 0) -> JoinToken:
        """A token that lets a node join."""
        request = self.token_request(node_id, valid_seconds)
        answer = cast("nodes_pb2.JoinToken", await self.nodes.call("CreateJoinToken", request))
        return JoinToken.decode(answer.token)

    async def ask_to_join(
        self, party: Party, secret: str, key: NKey | None = None, **values: Any
    ) -> pb.JoinReply:
        """Ask to join, with a new key where none is given."""
        public = (key or NKey.new(KeyKind.USER)).public
        given: dict[str, Any] = {
            "public_key": public,
            "software_version": "0.1.0",
            "protocol_version": 1,
        }
        request = pb.JoinRequest(secret=secret, **(given | values))
        if "time" not in values:
            request.time.CopyFrom(to_timestamp(datetime.now(UTC)))
        return await self.join_reply(party, request.SerializeToString())

    async def join_reply(self, party: Party, data: bytes) -> pb.JoinReply:
        """Send what may be a request to join, and again while no answer comes, as nodes do.

        The broker loses an answer between two of its accounts when it is told of barred keys
        while the request is under way.
        """
        for last in (False, False, True):
            try:
                answer = await party.client.request(subjects.JOIN, data, timeout=60)
            except TimeoutError:
                if last:
                    raise
            else:
                return pb.JoinReply.FromString(answer.data)
        raise AssertionError("the last attempt returns or raises")

    async def joined(self, node_id: str = "") -> tuple[pb.Joined, NKey]:
        """A node that has joined as nodes do, and its key."""
        node_id = node_id or (await self.approved()).id
        token, key = await self.token(node_id), NKey.new(KeyKind.USER)
        joiner = await self.line.joiner()
        reply = await self.ask_to_join(joiner, token.secret, key)
        await joiner.client.close()
        assert reply.HasField("joined"), reply
        return reply.joined, key

    async def connected(self, joined: pb.Joined, key: NKey, jwt: str = "") -> Party:
        """A node on the line."""
        credentials = UserCredentials(jwt or joined.credentials.jwt, key)
        return await self.line.node(joined.node_id, credentials)

    async def hello(self, party: Party, key: NKey | None = None) -> pb.HelloReply:
        """Say hello as a node."""
        said = pb.Hello(journal="j1", receipts_after=6, software_version="0.2.0")
        said.public_key = key.public if key else party.public_key
        return await self.ask(party, "hello", said, pb.HelloReply)

    async def ask(
        self, party: Party, exchange: subjects.Exchange, request: Message, reply: type[R]
    ) -> R:
        """Ask the hub something as a node."""
        subject = subjects.to_hub(party.name, exchange)
        answer = await party.client.request(subject, request.SerializeToString(), timeout=60)
        return reply.FromString(answer.data)

    async def keys(self, node_id: str) -> dict[str, bool]:
        """Public keys of a node, and whether each is barred."""
        query = sa.text("SELECT public_key, barred_since FROM node_key WHERE node_id = :id")
        async with self.database.engine.connect() as connection:
            rows = await connection.execute(query, {"id": node_id})
            return {row.public_key: row.barred_since is not None for row in rows}

    async def events(self, node_id: str) -> list[str]:
        """Names of the events of a node, in their order."""
        query = sa.text("SELECT type FROM outbox WHERE aggregate_id = :id ORDER BY seq")
        async with self.database.engine.connect() as connection:
            rows = await connection.execute(query, {"id": node_id})
            return [row.type.rpartition(".")[2] for row in rows]

    async def last_event(self, node_id: str) -> nodes_pb2.NodeEvent:
        """The newest event of a node."""
        query = sa.text(
            "SELECT payload FROM outbox WHERE aggregate_id = :id ORDER BY seq DESC LIMIT 1"
        )
        async with self.database.engine.connect() as connection:
            payload = (await connection.execute(query, {"id": node_id})).scalar_one()
        return nodes_pb2.NodeEvent.FromString(payload)


@contextlib.asynccontextmanager
async def joining_bench(infra: Infra, *, processes: int = 2) -> AsyncGenerator[JoiningBench]:
    """Run a hub that nodes can join."""
    centers = centers_pb2.DESCRIPTOR.services_by_name["Centers"]
    nodes = nodes_pb2.DESCRIPTOR.services_by_name["Nodes"]
    async with contextlib.AsyncExitStack() as stack:
        line = await stack.enter_async_context(hub_line(infra))
        issuing = Issuing(line.keys.node_signer(), LIFE)
        database = Database(line.database_url, pool=10, patience=PATIENT)
        stack.push_async_callback(database.close)
        for _ in range(processes):
            broker = await Broker.connect(line.server.access, name="centers")
            stack.push_async_callback(broker.close)
            joining = Joining(database, issuing, told_standing)
            responder = Responder(broker, joining.exchanges())
            await responder.start()
            stack.push_async_callback(responder.stop)
        rpcs = nodes_api(database, HUB, NothingHeard())
        yield JoiningBench(
            await stack.enter_async_context(serve(centers, centers_api(database))),
            await stack.enter_async_context(serve(nodes, rpcs)),
            database,
            line,
        )
