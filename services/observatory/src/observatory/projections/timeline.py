"""Reads the timeline: pages of what a caller may see, forwards and backwards."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from observatory import tables
from observatory.projections import cursors
from observatory.projections.cursors import Page, Reach, Vector
from observatory.projections.happenings import Visibility
from observatory.projections.phrases import summary
from observatory.projections.picture import STREAMS, shown_generation
from observatory.projections.viewers import Viewer
from peyvand.observatory.v1 import events_pb2 as pb
from servicekit.database import ReadSession
from servicekit.errors import Fault, Violation
from servicekit.mapping import to_datetime, to_timestamp
from servicekit.paging import page_size

_TIMELINE = tables.timeline
_LAST = (1 << 63) - 1


def _may_see(viewer: Viewer) -> sa.ColumnElement[bool]:
    """What a caller may see, as a part of a query."""
    if viewer.sees_all:
        return sa.true()
    columns = _TIMELINE.c
    concerned = [
        column.op("&&")(sa.cast(ids, ARRAY(sa.Text)))
        for column, ids in (
            (columns.center_ids, viewer.center_ids),
            (columns.institution_ids, viewer.institution_ids),
        )
        if ids
    ]
    own = sa.and_(columns.visibility == Visibility.CONCERNED.value, sa.or_(sa.false(), *concerned))
    return sa.or_(columns.visibility == Visibility.PUBLIC.value, own)


class Entry:
    """A row of the timeline. Its attributes are the columns."""

    def __init__(self, row: Any) -> None:
        self.row = row
        self.stream_seq: int = row.stream_seq
        self.time = row.time
        self.event_id: UUID = row.event_id


async def list_events(
    session: ReadSession, request: pb.ListEventsRequest, viewer: Viewer
) -> pb.ListEventsResponse:
    """Give a page of events. Raises `Fault` ``INVALID_CURSOR``."""
    after, before = _cursor(request, "after"), _cursor(request, "before")
    latest_first = request.order == pb.EVENT_ORDER_LATEST_FIRST
    size = page_size(request)
    bounds = [
        (stream, after.get(stream, 0), before.get(stream, 0) if request.before else _LAST)
        for stream in STREAMS
    ]
    rows = await session.rows(_query(request, viewer, bounds, size + 1, latest_first=latest_first))
    heads: dict[str, int] = {row.in_stream: row.head for row in rows}
    found: dict[str, list[Entry]] = {stream: [] for stream in STREAMS}
    for row in rows:
        if row.stream_seq is not None:
            found[row.in_stream].append(Entry(row))
    page = _page(bounds, heads, found, size, latest_first=latest_first)
    return pb.ListEventsResponse(
        events=[_event(entry.row, place, viewer) for entry, place in page.events],
        next_cursor=cursors.encode(page.next),
        more=page.more,
        head_cursor=cursors.encode(heads),
    )


def _page(
    bounds: Sequence[tuple[str, int, int]],
    heads: Vector,
    found: dict[str, list[Entry]],
    size: int,
    *,
    latest_first: bool,
) -> Page[Entry]:
    if latest_first:
        reaches = {stream: Reach(found[stream], low) for stream, low, _ in bounds}
        # Never below `low`: where both bounds are given and cross, there is nothing.
        start = {stream: max(min(heads[stream], high), low) for stream, low, high in bounds}
        return cursors.backward(reaches, start, size)
    reaches = {
        stream: Reach(found[stream], max(min(heads[stream], high), low))
        for stream, low, high in bounds
    }
    return cursors.forward(reaches, {stream: low for stream, low, _ in bounds}, size)


def _query(
    request: pb.ListEventsRequest,
    viewer: Viewer,
    bounds: Sequence[tuple[str, int, int]],
    limit: int,
    *,
    latest_first: bool,
) -> sa.Select[Any]:
    """The streams with their heads and the first fitting events of each, in one snapshot."""
    columns = _TIMELINE.c
    streams = sa.values(
        sa.column("stream", sa.Text),
        sa.column("low", sa.BigInteger),
        sa.column("high", sa.BigInteger),
        name="bounds",
    ).data(list(bounds))
    generation = shown_generation()
    head = (
        sa.select(sa.func.coalesce(sa.func.max(columns.stream_seq), 0))
        .where(columns.generation == generation, columns.stream == streams.c.stream)
        .correlate(streams)
        .scalar_subquery()
    )
    order = columns.stream_seq.desc() if latest_first else columns.stream_seq.asc()
    events = (
        sa.select(_TIMELINE)
        .where(
            columns.generation == generation,
            columns.stream == streams.c.stream,
            columns.stream_seq > streams.c.low,
            columns.stream_seq <= streams.c.high,
            _may_see(viewer),
            *_filters(request),
        )
        .order_by(order)
        .limit(limit)
        .lateral("events")
    )
    event_order = events.c.stream_seq.desc() if latest_first else events.c.stream_seq.asc()
    return (
        sa.select(streams.c.stream.label("in_stream"), head.label("head"), events)
        .select_from(streams.outerjoin(events, sa.true()))
        .order_by(streams.c.stream, event_order)
    )


def _filters(request: pb.ListEventsRequest) -> list[sa.ColumnElement[bool]]:
    columns = _TIMELINE.c
    filters: list[sa.ColumnElement[bool]] = []
    if request.types:
        kinds = [
            sa.func.starts_with(columns.type, name[:-1])
            if name.endswith(".*")
            else columns.type == name
            for name in request.types
        ]
        filters.append(sa.or_(*kinds))
    if request.kinds:
        filters.append(columns.kind.in_(list(request.kinds)))
    if request.subject:
        filters.append(columns.subject == request.subject)
    if request.HasField("since"):
        filters.append(columns.time >= to_datetime(request.since))
    return filters


def _event(row: Any, place: Vector, viewer: Viewer) -> pb.Event:
    summary_fa, summary_en = summary(
        row.kind, row.type.rpartition(".")[2], row.name_fa, row.name_en
    )
    event = pb.Event(
        specversion="1.0",
        id=str(row.event_id),
        source=row.source,
        type=row.type,
        subject=row.subject,
        time=to_timestamp(row.time),
        datacontenttype="application/json",
        traceparent=row.traceparent or "",
        cursor=cursors.encode(place),
        visibility=f"EVENT_VISIBILITY_{row.visibility.upper()}",
        summaryfa=summary_fa,
        summaryen=summary_en,
    )
    shown = dict(row.data or {})
    if row.change is not None and viewer.is_concerned(row.center_ids, row.institution_ids):
        shown["change"] = row.change
    if shown:
        event.data.update(shown)
    return event


def _cursor(request: pb.ListEventsRequest, field: str) -> dict[str, int]:
    try:
        return cursors.decode(getattr(request, field))
    except ValueError:
        violation = Violation(field, "INVALID_CURSOR")
        raise Fault("INVALID_CURSOR", violations=[violation]) from None
