"""What a projection is, and the rows that say how far it has come and where it failed.

`servicekit.projector` reads the streams; this module holds the parts that live in the
database of the projection, each statement in the transaction of its caller.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Literal, Protocol
from uuid import UUID

from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from servicekit.delivery import Delivery, build_delivery
from servicekit.messaging_tables import TABLES

REBUILD_CHANNEL = "projection_rebuild"

LAG = Gauge("projection_lag", "Events of the stream not yet read", ["projection", "stream"])
POSITION = Gauge("projection_position", "Stream sequence read", ["projection", "stream"])
FAILED = Gauge("projection_failed_aggregates", "Aggregates with a failed event", ["projection"])
LEADS = Gauge("projection_leads", "1 in the process that feeds the projection", ["projection"])
FOLLOWING = Gauge(
    "projection_following", "1 while the stream is read, else 0", ["projection", "stream"]
)
REMADE = Counter(
    "projection_remade",
    "Times that a projection was made anew, for its stream is of another history",
    ["projection", "stream"],
)
DELAY = Histogram(
    "projection_delay_seconds",
    "Time from an event to its commit in the projection, history that is read anew left out",
    ["projection", "stream"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300),
)

_REASON_LENGTH = 500


class Projection(Protocol):
    """A read model that is made of events only."""

    @property
    def name(self) -> str:
        """Name of the stored positions; renaming it begins anew."""
        ...

    @property
    def streams(self) -> Sequence[str]:
        """Streams that it reads."""
        ...

    async def apply(self, connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
        """Write what follows from `deliveries`, all of one stream and in its order.

        Must depend on nothing else, no clock and no other service. Raises `PoisonError`
        for an event that no later attempt could apply.
        """
        ...

    async def truncate(self, connection: AsyncConnection) -> None:
        """Remove everything that `apply` wrote."""
        ...


class FencedError(Exception):
    """The stored position is not where this projector left it: another one leads."""


@dataclass
class StreamProgress:
    """How far one stream is read; `lag` counts the events not read yet."""

    status: Literal["waiting", "following", "diverged"] = "waiting"
    reason: str = ""
    position: int = 0
    lag: int = 0
    event_time: datetime | None = None


@dataclass
class ProjectorState:
    """What a health check shows of a projector."""

    role: Literal["starting", "standby", "leading", "recovering", "stopped"] = "starting"
    reason: str = ""
    streams: dict[str, StreamProgress] = field(default_factory=dict[str, StreamProgress])
    failed_aggregates: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether everything is applied, here or in the process that leads."""
        if self.role == "standby":
            return True
        following = all(progress.status == "following" for progress in self.streams.values())
        return self.role == "leading" and following and not self.failed_aggregates

    def stream(self, name: str) -> StreamProgress:
        """Return the progress of one stream."""
        return self.streams.setdefault(name, StreamProgress())


def publish_metrics(projection: str, state: ProjectorState) -> None:
    """Set the gauges after `state`.

    What a process that does not lead knows is old and would stand for ever: it tells
    nothing but that it does not lead, and its position.
    """
    leads = state.role == "leading"
    LEADS.labels(projection).set(leads)
    for stream, progress in state.streams.items():
        LAG.labels(projection, stream).set(progress.lag if leads else 0)
        POSITION.labels(projection, stream).set(progress.position)
        FOLLOWING.labels(projection, stream).set(leads and progress.status == "following")
    FAILED.labels(projection).set(len(state.failed_aggregates) if leads else 0)


def observe_delays(projection: str, stream: str, deliveries: Sequence[Delivery]) -> None:
    """Measure how long these events, just committed, took to get here."""
    now = datetime.now(UTC)
    delays = DELAY.labels(projection, stream)
    for delivery in deliveries:
        # Two machines' clocks: an event from the future took no time.
        delays.observe(max(0.0, (now - delivery.time).total_seconds()))


@dataclass(frozen=True)
class StoredPosition:
    """The last sequence that is applied, and the event that had it."""

    position: int
    event_id: UUID | None


class Positions:
    """The stored positions of one projection."""

    def __init__(self, projection: str) -> None:
        self._projection = projection
        self._table = TABLES.projection_position

    async def ensure(self, connection: AsyncConnection, streams: Sequence[str]) -> None:
        """Create the missing rows, at position 0."""
        rows = [{"projection": self._projection, "stream": stream} for stream in streams]
        await connection.execute(insert(self._table).values(rows).on_conflict_do_nothing())

    async def load(self, connection: AsyncConnection) -> dict[str, StoredPosition]:
        """Return the positions by stream."""
        table = self._table
        query = select(table.c.stream, table.c.position, table.c.event_id).where(
            table.c.projection == self._projection
        )
        return {
            row.stream: StoredPosition(row.position, row.event_id)
            for row in await connection.execute(query)
        }

    async def move(self, connection: AsyncConnection, position: int, last: Delivery) -> None:
        """Move from `position` to that of `last`; raises `FencedError` when it is elsewhere."""
        table = self._table
        moved = await connection.execute(
            update(table)
            .where(
                table.c.projection == self._projection,
                table.c.stream == last.stream,
                table.c.position == position,
            )
            .values(
                position=last.stream_seq,
                event_id=last.event_id,
                event_time=last.time,
                updated_at=func.now(),
            )
        )
        if moved.rowcount != 1:
            raise FencedError(f"{last.stream} is not at {position}")

    async def reset(self, connection: AsyncConnection) -> None:
        """Go back to the beginning of all streams and tell the leading projector at commit."""
        table = self._table
        await connection.execute(
            update(table)
            .where(table.c.projection == self._projection)
            .values(position=0, event_id=None, event_time=None, updated_at=func.now())
        )
        await connection.execute(
            text("SELECT pg_notify(:channel, '')"), {"channel": REBUILD_CHANNEL}
        )


class FailedEvents:
    """The events that a projection could not apply, and those held back behind them."""

    def __init__(self, projection: str) -> None:
        self._projection = projection
        self._table = TABLES.projection_failure
        self._held: set[tuple[str, str]] = set()

    def holds(self, delivery: Delivery) -> bool:
        """Tell whether an earlier event of this aggregate has failed."""
        return (delivery.stream, delivery.aggregate_id) in self._held

    def aggregates(self) -> tuple[str, ...]:
        """Aggregates with a failed event."""
        return tuple(sorted(aggregate for _, aggregate in self._held))

    def remember(self, delivery: Delivery) -> None:
        """Hold later events of this aggregate back."""
        self._held.add((delivery.stream, delivery.aggregate_id))

    def forget(self, delivery: Delivery) -> None:
        """Let events of this aggregate through again."""
        self._held.discard((delivery.stream, delivery.aggregate_id))

    async def load(self, connection: AsyncConnection) -> None:
        """Read from the database which aggregates are held."""
        table = self._table
        query = select(table.c.stream, table.c.aggregate_id).where(
            table.c.projection == self._projection
        )
        rows = await connection.execute(query.distinct())
        self._held = {(row.stream, row.aggregate_id) for row in rows}

    async def add(
        self, connection: AsyncConnection, delivery: Delivery, reason: str, attempts: int
    ) -> None:
        """Record one event with the reason why it is not applied."""
        await connection.execute(
            insert(self._table).values(
                projection=self._projection,
                stream=delivery.stream,
                stream_seq=delivery.stream_seq,
                event_id=delivery.event_id,
                aggregate_id=delivery.aggregate_id,
                subject=delivery.subject,
                headers=dict(delivery.headers),
                payload=delivery.payload,
                reason=reason[:_REASON_LENGTH],
                attempts=attempts,
            )
        )

    async def remove(self, connection: AsyncConnection, delivery: Delivery) -> None:
        """Remove one event that is applied after all; raises `FencedError` if it is gone."""
        table = self._table
        removed = await connection.execute(
            delete(table).where(
                table.c.projection == self._projection,
                table.c.stream == delivery.stream,
                table.c.stream_seq == delivery.stream_seq,
            )
        )
        if removed.rowcount != 1:
            raise FencedError(f"{delivery.subject} was applied elsewhere")

    async def clear(self, connection: AsyncConnection) -> None:
        """Remove all events of this projection."""
        table = self._table
        await connection.execute(delete(table).where(table.c.projection == self._projection))

    async def waiting(self, connection: AsyncConnection) -> list[list[Delivery]]:
        """Return the recorded events, one list in stream order for each aggregate."""
        table = self._table
        query = (
            select(table)
            .where(table.c.projection == self._projection)
            .order_by(table.c.stream, table.c.aggregate_id, table.c.stream_seq)
        )
        rows = (await connection.execute(query)).all()
        return [
            [
                build_delivery(
                    row.headers,
                    row.payload,
                    subject=row.subject,
                    stream=row.stream,
                    stream_seq=row.stream_seq,
                )
                for row in of_aggregate
            ]
            for _, of_aggregate in groupby(rows, key=lambda row: (row.stream, row.aggregate_id))
        ]
