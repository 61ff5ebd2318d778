"""How a center was heard of day by day, as its events tell."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from observatory import tables
from observatory.domain.availability import (
    Day,
    HeartbeatChange,
    by_day,
    first_day,
    first_moment,
)
from observatory.domain.liveness import Liveness
from observatory.projections.center_status import LIVENESS
from observatory.projections.following import Following
from observatory.projections.picture import shown_generation
from peyvand.observatory.v1 import alerts_pb2 as pb
from servicekit.database import ReadSession
from servicekit.errors import Fault
from servicekit.rpc_server import Call

_CHANGE, _RECORD = tables.heartbeat_change, tables.record
_DAYS = 90


async def get_availability(
    session: ReadSession, request: pb.GetAvailabilityRequest, call: Call, following: Following
) -> pb.Availability:
    """Tell how a center was heard of day by day. Raises `Fault` ``NOT_FOUND``."""
    days = request.days or _DAYS
    known = sa.select(_RECORD.c.id).where(
        _RECORD.c.generation == shown_generation(),
        _RECORD.c.id == request.center_id,
        _RECORD.c.kind == "center",
    )
    if await session.scalar(known) is None:
        raise Fault.not_found("center", request.center_id)
    changes = await _changes(
        session, request.center_id, first_moment(first_day(call.now, days)), call.now
    )
    availability = pb.Availability(
        center_id=request.center_id,
        days=map(_day, by_day(changes, call.now, days, following.presence.told_until())),
    )
    availability.as_of.FromDatetime(call.now)
    return availability


async def _changes(
    session: ReadSession, center_id: str, since: datetime, until: datetime
) -> Sequence[HeartbeatChange]:
    """Changes since a time, with the last one of each node before it, as they were told."""
    columns = _CHANGE.c
    own = (columns.generation == shown_generation(), columns.center_id == center_id)
    within = sa.select(_CHANGE).where(*own, columns.at >= since, columns.at <= until)
    before = (
        sa.select(_CHANGE)
        .ext(distinct_on(columns.node_id))
        .where(*own, columns.at < since)
        .order_by(columns.node_id, columns.stream_seq.desc())
    )
    found = sa.union_all(within, sa.select(before.subquery())).subquery()
    rows = await session.rows(sa.select(found).order_by(found.c.stream_seq))
    return [
        HeartbeatChange(row.node_id, Liveness(row.liveness) if row.liveness else None, row.at)
        for row in rows
    ]


def _day(day: Day) -> pb.AvailabilityDay:
    return pb.AvailabilityDay(
        date=day.date.isoformat(),
        online_seconds=day.seconds[Liveness.ONLINE],
        late_seconds=day.seconds[Liveness.LATE],
        stale_seconds=day.seconds[Liveness.STALE],
        offline_seconds=day.seconds[Liveness.OFFLINE],
        unknown_seconds=day.seconds[Liveness.UNKNOWN],
        worst=LIVENESS[day.worst],
    )
