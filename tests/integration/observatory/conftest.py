"""The observatory over real gRPC, a real database and a real broker.

The other services are played by an outbox and a relay each, which publish the events
that the contract describes.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from sqlalchemy.ext.asyncio import AsyncEngine

from observatory.api import observatory_api
from observatory.projections.following import Following
from observatory.projections.presence_board import PRESENCE_SUBJECT
from peyvand.centers.v1 import centers_pb2, nodes_pb2
from peyvand.observatory.v1 import observatory_pb2
from peyvandctl.nats import NatsServer
from peyvandctl.processes import ManagedProcess
from servicekit.broker import Broker, event_stream
from servicekit.contract import contract, event_spec
from servicekit.database import Database
from servicekit.errors import Fault
from servicekit.ids import new_id
from servicekit.outbox import Event, record
from servicekit.relay import Relay
from tests.support import messaging
from tests.support.cluster import Infra
from tests.support.messaging import TABLES, make_database, make_relay
from tests.support.patience import PATIENT
from tests.support.rpc import RpcBench, serve

OTHERS = ("centers", "projects", "partners")
STALE_AFTER = timedelta(seconds=50)
"""How long a stream may not be looked at and is not stale."""
SILENT_AFTER = 3600.0
"""Seconds without a word of nodes that no test is long enough for."""


@dataclass
class Owner:
    """Another service, as far as its events go."""

    name: str
    engine: AsyncEngine
    url: str
    relay: Relay
    versions: dict[str, int] = field(default_factory=dict[str, int])

    async def tell(self, resource: Message, action: str, **beside: Any) -> Event:
        """Record an event about a resource."""
        return await self.tell_all([(resource, action)], **beside)

    async def tell_all(self, news: list[tuple[Message, str]], **beside: Any) -> Event:
        """Record several events in one transaction; the last one is returned."""
        events = [self._event(resource, action, beside) for resource, action in news]
        async with self.engine.begin() as connection:
            await record(connection, events)
        self.relay.nudge()
        return events[-1]

    def _event(self, resource: Any, action: str, beside: dict[str, Any]) -> Event:
        package = resource.DESCRIPTOR.file.package
        kind = next(
            spec.aggregate
            for message in contract().messages()
            if message.file.package == package
            and (spec := event_spec(message))
            and message.fields_by_name[spec.aggregate].message_type == resource.DESCRIPTOR
        )
        message: Any = GetMessageClass(
            next(
                m
                for m in contract().messages()
                if m.file.package == package and (s := event_spec(m)) and s.aggregate == kind
            )
        )()
        version = self.versions[resource.id] = self.versions.get(resource.id, 0) + 1
        if "etag" in resource.DESCRIPTOR.fields_by_name:
            resource.etag = f"v{version}"
        getattr(message, kind).CopyFrom(resource)
        message.change.step.version = version
        message.change.step.action = action
        message.change.step.actor = "somebody"
        return Event(
            type=f"{package}.{kind}.{action}",
            subject=f"evt.{self.name}.{kind}.{action}.{resource.id}",
            aggregate_id=resource.id,
            aggregate_version=version,
            payload=message.SerializeToString(deterministic=True),
            **beside,
        )


@dataclass
class ObservatoryBench:
    """The service and all that it lives with."""

    rpc: RpcBench
    url: str
    database: Database
    broker: Broker
    nats: NatsServer
    nats_process: ManagedProcess
    following: Following
    relay: Relay
    owners: dict[str, Owner]
    keys: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def call(self, name: str, request: Any, role: str | None = "hq_admin", **who: Any) -> Any:
        """Call as a role, with a key of its own where one is taken."""
        if "idempotency_key" in request.DESCRIPTOR.fields_by_name and not request.idempotency_key:
            request.idempotency_key = f"key-{next(self.keys)}"
        return await self.rpc.call(name, request, role, **who)

    async def fault(
        self, name: str, request: Any, role: str | None = "hq_admin", **who: Any
    ) -> Fault:
        """Call and return the fault; fails the test if the call succeeds."""
        try:
            answer = await self.call(name, request, role, **who)
        except Fault as fault:
            return fault
        raise AssertionError(f"{name} answered {answer}")

    def another(self) -> Following:
        """What another process of the service would run beside its calls."""
        return Following(self.database, self.url).begin(self.broker)

    async def tell_presence(self, *nodes: nodes_pb2.NodeHealth, **given: Any) -> None:
        """Tell of presence as the process does that listens to the nodes."""
        values: dict[str, Any] = {"teller": "one", "number": next(self.keys), "complete": True}
        digest = nodes_pb2.PresenceDigest(nodes=nodes, **(values | given))
        digest.as_of.GetCurrentTime()
        await self.broker.client.publish(PRESENCE_SUBJECT, digest.SerializeToString())
        await self.broker.client.flush()

    async def caught_up(self) -> None:
        """Return when everything that was told so far is in the streams and in the picture."""
        goals: dict[str, int] = {}
        engines = {name: owner.engine for name, owner in self.owners.items()}
        for name, engine in (engines | {"observatory": self.database.engine}).items():
            await messaging.all_published(engine)
            async with engine.connect() as connection:
                query = sa.select(sa.func.coalesce(sa.func.max(TABLES.outbox.c.stream_seq), 0))
                goals[event_stream(name).name] = (await connection.execute(query)).scalar_one()

        async def there() -> bool:
            ends = await self.following.ends()
            assert self.following._projector is not None
            await self.following._projector.caught_up(goals, patience=5)
            return all(ends[stream] >= goal for stream, goal in goals.items())

        await messaging.eventually(there)


def center(code: str, **values: Any) -> centers_pb2.Center:
    """A center as its service tells of it."""
    given: dict[str, Any] = {
        "id": new_id("ctr"),
        "code": code,
        "province": "IR-03",
        "state": centers_pb2.CENTER_STATE_PLANNED,
    }
    made = centers_pb2.Center(**(given | values))
    made.names.en = made.names.en or code
    return made


def node(center_id: str, name: str = "Server room", **values: Any) -> nodes_pb2.Node:
    """A node as its service tells of it."""
    given: dict[str, Any] = {
        "id": new_id("nod"),
        "center_id": center_id,
        "name": name,
        "state": nodes_pb2.NODE_STATE_ACTIVE,
    }
    return nodes_pb2.Node(**(given | values))


ACTIONS = {
    "ONLINE": "came_online",
    "LATE": "went_late",
    "STALE": "went_stale",
    "OFFLINE": "went_offline",
    "UNKNOWN": "became_unknown",
}


def presence(
    of: nodes_pb2.Node, liveness: str, since: datetime, feed: str = "heartbeat"
) -> tuple[nodes_pb2.Presence, str]:
    """A feed of a node that has become so, and the name of the event that tells of it."""
    made = nodes_pb2.Presence(
        id=f"prs_{of.id[4:-2]}{feed[:2]}".replace("o", "0"),
        node_id=of.id,
        center_id=of.center_id,
        feed=feed,
    )
    made.since.FromDatetime(since)
    if liveness == "ENDED":
        return made, "ended"
    made.MergeFrom(nodes_pb2.Presence(liveness=f"FEED_LIVENESS_{liveness}"))
    return made, ACTIONS[liveness]


@pytest.fixture
async def bench(infra: Infra) -> AsyncGenerator[ObservatoryBench]:
    async with AsyncExitStack() as stack:
        # What the service waits for a few seconds for takes longer on a busy machine.
        limits = stack.enter_context(pytest.MonkeyPatch.context())
        limits.setattr("observatory.api._REBUILD_PATIENCE", 50.0)
        limits.setattr("observatory.projections.network_status._STALE_AFTER", STALE_AFTER)
        limits.setattr("observatory.projections.presence_board.SILENT_AFTER", SILENT_AFTER)
        nats, process = await stack.enter_async_context(infra.fresh_nats())
        broker = await Broker.connect(nats.access, name="test")
        stack.push_async_callback(broker.close)
        owners: dict[str, Owner] = {}
        for name in OTHERS:
            url = await infra.fresh_database(name)
            stack.push_async_callback(infra.drop_database, url)
            engine = await make_database(url)
            stack.push_async_callback(engine.dispose)
            relay = make_relay(broker, url, spec=event_stream(name))
            await relay.start()
            stack.push_async_callback(relay.stop)
            owners[name] = Owner(name, engine, url, relay)
        url = await infra.fresh_database("observatory", migrated=True)
        stack.push_async_callback(infra.drop_database, url)
        relay = make_relay(broker, url, spec=event_stream("observatory"))
        database = Database(url, pool=10, after_commit=relay.nudge, patience=PATIENT)
        stack.push_async_callback(database.close)
        await relay.start()
        stack.push_async_callback(relay.stop)
        following = Following(database, url).begin(broker)
        await following.start()
        stack.push_async_callback(following.stop)
        service = observatory_pb2.DESCRIPTOR.services_by_name["Observatory"]
        rpc = await stack.enter_async_context(serve(service, observatory_api(database, following)))
        yield ObservatoryBench(rpc, url, database, broker, nats, process, following, relay, owners)
