"""The projection: writes timeline and records, and builds them anew beside the old ones."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from google.protobuf.message import Message
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from observatory import tables
from observatory.projections.happenings import Facts, Happening, Visibility, read_happening
from observatory.projections.names import Name
from observatory.projections.signals import apply_signals
from servicekit.broker import event_stream
from servicekit.delivery import Delivery
from servicekit.messaging_tables import TABLES

STREAMS = tuple(
    event_stream(service).name for service in ("centers", "projects", "partners", "observatory")
)

_TIMELINE, _RECORD, _REBUILD = tables.timeline, tables.record, tables.rebuild
# Kinds that the picture shows one by one; of the others it shows numbers.
_SHOWN = frozenset({"center", "node"})
# Kinds that tell of something that passes: they come often, are counted nowhere and
# mentioned by nothing else. What is shown of them has tables of its own.
_PASSING = frozenset({"presence", "capacity_snapshot", "period_report", "refused_report", "alert"})


def shown_generation() -> sa.ScalarSelect[int]:
    """The generation that is shown, as a part of a query."""
    columns = _REBUILD.c
    newest = sa.func.coalesce(sa.func.max(columns.generation), 0)
    return sa.select(newest).where(columns.finished_at.is_not(None)).scalar_subquery()


def growing_generation() -> sa.ScalarSelect[int]:
    """The generation that events are written to, as a part of a query."""
    columns = _REBUILD.c
    newest = sa.func.coalesce(sa.func.max(columns.generation), 0)
    return sa.select(newest).where(columns.began_at.is_not(None)).scalar_subquery()


class Picture:
    """What the projector writes; every row follows from the events alone."""

    name = "picture"
    streams = STREAMS

    async def apply(self, connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
        """Write what follows from `deliveries`, all of one stream and in its order."""
        shown, growing = await _generations(connection)
        happenings = [read_happening(delivery) for delivery in deliveries]
        known = await _known(connection, growing, happenings)
        events: list[dict[str, Any]] = []
        records: dict[str, dict[str, Any]] = {}
        deleted: list[str] = []
        told: list[Happening] = []
        for happening in happenings:
            id = happening.delivery.aggregate_id
            facts = Facts() if happening.deletes else happening.facts(known)
            known[id] = facts
            # As they are told of this event: a later one of the batch may say otherwise.
            told.append(replace(happening, lead_center_ids=facts.lead_center_ids))
            events.append(_event_row(growing, happening, facts))
            records.pop(id, None)
            if happening.deletes:
                deleted.append(id)
            elif happening.kind not in _PASSING:
                records[id] = _record_row(growing, happening, facts)
        await connection.execute(sa.insert(_TIMELINE), events)
        if records:
            await _upsert(connection, list(records.values()))
        if deleted:
            await _forget(connection, growing, deleted)
        await apply_signals(connection, growing, told)
        if shown != growing:
            await _show_when_done(connection, growing, self.name)

    async def truncate(self, connection: AsyncConnection) -> None:
        """Begin a new generation beside the one that is shown, as the newest request asks.

        Raises `LookupError` if nobody has asked; nothing is emptied then.
        """
        shown, growing = await _generations(connection)
        columns = _REBUILD.c
        asked = sa.select(sa.func.max(columns.generation)).where(
            columns.began_at.is_(None), columns.generation > growing
        )
        requested = (await connection.execute(asked)).scalar()
        if requested is None:
            raise LookupError("a rebuild of the picture is asked for first")
        for table in tables.PICTURE:
            await connection.execute(sa.delete(table).where(table.c.generation != shown))
        await connection.execute(
            sa.update(_REBUILD)
            .where(columns.generation == requested)
            .values(
                began_at=sa.func.clock_timestamp(),
                digest_before=await digest(connection, shown),
                rows_before=await count_rows(connection, shown),
            )
        )
        await _show_when_done(connection, requested, self.name)


async def digest(connection: AsyncConnection, generation: int) -> str:
    """Digest of all rows of a generation, whatever order they lie in."""
    whole = hashlib.sha256()
    for table in tables.PICTURE:
        row = table.alias("row")
        # The text of a jsonb value is the same for the same value.
        text = sa.cast(sa.func.to_jsonb(row.table_valued()).op("-")("generation"), sa.Text)
        line = sa.func.md5(text)
        lines = sa.func.aggregate_strings(line, "\n").aggregate_order_by(line)
        query = sa.select(sa.func.coalesce(lines, "")).where(row.c.generation == generation)
        found: str = (await connection.execute(query)).scalar_one()
        whole.update(f"{table.name}\n{found}\n\n".encode())
    return f"sha256:{whole.hexdigest()}"


async def count_rows(connection: AsyncConnection, generation: int) -> dict[str, int]:
    """Number of rows of a generation, by table."""
    counts: dict[str, int] = {}
    for table in tables.PICTURE:
        query = (
            sa.select(sa.func.count()).select_from(table).where(table.c.generation == generation)
        )
        counts[table.name] = (await connection.execute(query)).scalar_one()
    return counts


async def _generations(connection: AsyncConnection) -> tuple[int, int]:
    row = (await connection.execute(sa.select(shown_generation(), growing_generation()))).one()
    return row[0], row[1]


async def _known(
    connection: AsyncConnection, generation: int, happenings: Sequence[Happening]
) -> dict[str, Facts]:
    """Facts of the resources that are mentioned, as they were before these events."""
    ids = {id for happening in happenings for id in happening.mentions() if id}
    if not ids:
        return {}
    columns = _RECORD.c
    query = sa.select(_RECORD).where(columns.generation == generation, columns.id.in_(ids))
    return {
        row.id: Facts(
            name=Name(row.name_fa, row.name_en),
            part=row.part,
            lead_center_ids=tuple(row.lead_center_ids),
            visibility=Visibility(row.visibility),
            center_ids=tuple(row.center_ids),
            institution_ids=tuple(row.institution_ids),
        )
        for row in await connection.execute(query)
    }


def _event_row(generation: int, happening: Happening, facts: Facts) -> dict[str, Any]:
    delivery = happening.delivery
    return {
        "generation": generation,
        "stream": delivery.stream,
        "stream_seq": delivery.stream_seq,
        "event_id": delivery.event_id,
        "type": delivery.type,
        "source": delivery.headers.get("ce-source", ""),
        "kind": happening.kind,
        "subject": delivery.aggregate_id,
        "time": delivery.time,
        "name_fa": facts.name.fa,
        "name_en": facts.name.en,
        "data": happening.data(),
        "change": happening.change(),
        "traceparent": delivery.traceparent,
        **_audience(facts),
    }


def _record_row(generation: int, happening: Happening, facts: Facts) -> dict[str, Any]:
    message: Message | None = happening.resource if happening.kind in _SHOWN else None
    return {
        "generation": generation,
        "id": happening.delivery.aggregate_id,
        "kind": happening.kind,
        "part": facts.part,
        "lead_center_ids": list(facts.lead_center_ids),
        "sample": happening.sample(),
        "name_fa": facts.name.fa,
        "name_en": facts.name.en,
        "message": message.SerializeToString(deterministic=True) if message else None,
        **_audience(facts),
    }


def _audience(facts: Facts) -> dict[str, Any]:
    return {
        "visibility": facts.visibility.value,
        "center_ids": list(facts.center_ids),
        "institution_ids": list(facts.institution_ids),
    }


async def _upsert(connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
    statement = insert(_RECORD)
    changed = {
        column.name: statement.excluded[column.name]
        for column in _RECORD.columns
        if not column.primary_key
    }
    key = [_RECORD.c.generation, _RECORD.c.id]
    statement = statement.on_conflict_do_update(index_elements=key, set_=changed)
    await connection.execute(statement, rows)


async def _forget(connection: AsyncConnection, generation: int, ids: list[str]) -> None:
    """Leave of deleted resources only that they were there."""
    await connection.execute(
        sa.update(_TIMELINE)
        .where(_TIMELINE.c.generation == generation, _TIMELINE.c.subject.in_(ids))
        .values(data=sa.null(), name_fa="", name_en="")
    )
    await connection.execute(
        sa.delete(_RECORD).where(_RECORD.c.generation == generation, _RECORD.c.id.in_(ids))
    )


async def _show_when_done(connection: AsyncConnection, generation: int, projection: str) -> None:
    """Let a generation take the place of the shown one once it has reached its goals."""
    columns, positions = _REBUILD.c, TABLES.projection_position.c
    goals: dict[str, int] = (
        await connection.execute(sa.select(columns.goals).where(columns.generation == generation))
    ).scalar_one()
    query = sa.select(positions.stream, positions.position).where(
        positions.projection == projection
    )
    reached = {row.stream: row.position for row in await connection.execute(query)}
    if any(reached.get(stream, 0) < goal for stream, goal in goals.items()):
        return
    await connection.execute(
        sa.update(_REBUILD)
        .where(columns.generation == generation)
        .values(
            finished_at=sa.func.clock_timestamp(),
            digest_after=await digest(connection, generation),
            rows_after=await count_rows(connection, generation),
        )
    )
    for table in tables.PICTURE:
        await connection.execute(sa.delete(table).where(table.c.generation != generation))
