"""The same alerts come out in whatever order the streams that they are made of are met."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from observatory import tables
from observatory.domain.alerts import AlertState
from observatory.projections.alert_book import load, seen_columns, with_seen
from observatory.projections.happenings import Happening, read_happening
from observatory.projections.signals import apply_signals
from peyvand.centers.v1 import nodes_pb2, reports_pb2
from peyvand.observatory.v1 import alerts_pb2
from servicekit.delivery import Delivery
from servicekit.ids import new_id, uuid7
from tests.integration.observatory.conftest import node, presence
from tests.support.cluster import Infra

BEGIN = datetime(2026, 11, 22, tzinfo=UTC)
TABLES = (
    tables.alert,
    tables.alert_occurrence,
    tables.alert_seen,
    tables.presence,
    tables.heartbeat_change,
)


@pytest.fixture
async def engine(infra: Infra) -> AsyncGenerator[AsyncEngine]:
    url = await infra.fresh_database("observatory", migrated=True)
    engine = create_async_engine(url)
    yield engine
    await engine.dispose()
    await infra.drop_database(url)


class Stream:
    """The events of one service, each with its place."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.happenings: list[Happening] = []

    def tell(self, kind: str, action: str, event: Any, minute: int) -> Happening:
        seq = len(self.happenings) + 1
        resource = getattr(event, kind)
        event_type = f"peyvand.{self.service}.v1.{kind}.{action}"
        delivery = Delivery(
            event_id=uuid7(),
            type=event_type,
            subject=f"evt.{self.service}.{kind}.{action}.{resource.id}",
            aggregate_id=resource.id,
            aggregate_version=seq,
            time=BEGIN + timedelta(minutes=minute),
            payload=event.SerializeToString(),
            headers={},
            stream=f"EVT_{self.service.upper()}",
            stream_seq=seq,
        )
        self.happenings.append(read_happening(delivery))
        return self.happenings[-1]


class Scene:
    """Two centers with two nodes each, of which something happens every minute."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.centers, self.observatory = Stream("centers"), Stream("observatory")
        self.nodes = [node(center) for center in (new_id("ctr"), new_id("ctr")) for _ in range(2)]
        self.minute = 0

    def happens(self) -> Happening:
        self.minute += 1
        of = self.chance.choice(self.nodes)
        what = self.chance.choice(["presence", "refused", "refused", "token", "expiring", "ended"])
        if what == "presence":
            since = BEGIN + timedelta(minutes=self.minute)
            liveness = self.chance.choice(["ONLINE", "LATE", "STALE", "OFFLINE", "UNKNOWN"])
            feed = self.chance.choice(["heartbeat", "capacity", "report"])
            told, action = presence(of, liveness, since, feed)
            return self._tell("presence", action, nodes_pb2.PresenceEvent(presence=told))
        if what == "refused":
            report = reports_pb2.RefusedReport(
                id=new_id("ref"), node_id=of.id, center_id=of.center_id, feed="capacity"
            )
            event = reports_pb2.RefusedReportEvent(refused_report=report)
            return self._tell("refused_report", "recorded", event)
        action = {
            "token": "token_reused",
            "expiring": self.chance.choice(["credentials_expiring", "renewed"]),
            "ended": self.chance.choice(["suspended", "resumed"]),
        }[what]
        return self._tell("node", action, nodes_pb2.NodeEvent(node=of))

    def is_seen(self, row: Any) -> Happening:
        """A person acknowledges an alert as the picture shows it."""
        alert = alerts_pb2.Alert(
            id=row.id,
            kind=f"ALERT_KIND_{row.kind.upper()}",
            center_id=row.center_id,
            occurrences=row.occurrences,
            acknowledged_by="somebody",
        )
        alert.acknowledged_at.FromDatetime(BEGIN + timedelta(minutes=self.minute, seconds=30))
        event = alerts_pb2.AlertEvent(alert=alert)
        return self.observatory.tell("alert", "acknowledged", event, self.minute)

    def _tell(self, kind: str, action: str, event: Any) -> Happening:
        return self.centers.tell(kind, action, event, self.minute)


async def made(connection: AsyncConnection, generation: int) -> list[list[Any]]:
    """All rows of a generation."""
    found: list[list[Any]] = []
    for table in TABLES:
        query = sa.select(*(c for c in table.c if c.name != "generation")).where(
            table.c.generation == generation
        )
        found.append(sorted(map(repr, (await connection.execute(query)).all())))
    return found


async def live(connection: AsyncConnection, scene: Scene, generation: int) -> None:
    """Follow both streams as they come; what a person has seen is met a little later."""
    waiting: list[Happening] = []
    for _ in range(80):
        batch = [scene.happens() for _ in range(scene.chance.randint(1, 4))]
        await apply_signals(connection, generation, batch)
        if scene.chance.random() < 0.4:
            columns = tables.alert.c
            query = sa.select(tables.alert).where(
                columns.generation == generation, columns.state == AlertState.OPEN.value
            )
            open_now = (await connection.execute(query.order_by(columns.id))).all()
            asked = {one.resource.id for one in waiting}
            if candidates := [row for row in open_now if row.id not in asked]:
                waiting.append(scene.is_seen(scene.chance.choice(candidates)))
        if waiting and scene.chance.random() < 0.5:
            await apply_signals(connection, generation, waiting)
            waiting = []
    if waiting:
        await apply_signals(connection, generation, waiting)


async def again(
    connection: AsyncConnection, scene: Scene, generation: int, order: Sequence[str]
) -> None:
    """Meet the streams anew, in batches of their own, in an order such as ``co``."""
    left = {"c": list(scene.centers.happenings), "o": list(scene.observatory.happenings)}
    for name in order:
        size = scene.chance.randint(1, 30) if len(order) > 2 else len(left[name])
        batch, left[name] = left[name][:size], left[name][size:]
        if batch:
            await apply_signals(connection, generation, batch)
    for name, rest in left.items():
        assert not rest, name


@pytest.mark.parametrize("seed", range(6))
async def test_alerts_do_not_depend_on_which_stream_is_met_first(
    engine: AsyncEngine, seed: int
) -> None:
    scene = Scene(seed)
    async with engine.begin() as connection:
        await live(connection, scene, 1)
        expected = await made(connection, 1)
        assert len(scene.observatory.happenings) > 5
        assert all(rows for rows in expected)
        mixed = scene.chance.choices("co", k=200) + ["c"] * 300 + ["o"] * 50
        for generation, order in enumerate(["co", "oc", mixed], start=2):
            await again(connection, scene, generation, order)
            assert await made(connection, generation) == expected, order
        query = sa.select(tables.alert, *seen_columns()).select_from(with_seen())
        alerts = [
            (row, load(row))
            for row in await connection.execute(query.where(tables.alert.c.generation == 1))
        ]
    # What is written of an alert is what follows from it, and no occurrence is lost.
    for row, alert in alerts:
        assert row.state == alert.state.value
        assert row.closed_at == alert.closed_at
    refused = [one for one in scene.centers.happenings if one.kind == "refused_report"]
    reused = [one for one in scene.centers.happenings if one.action == "token_reused"]
    counted = sum(row.occurrences for row, alert in alerts if alert.cause.kind.closes_when_seen)
    assert counted == len(refused) + len(reused)
