"""The picture of the network: shown as it is, and built anew."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from observatory import tables
from observatory.projections.following import Following
from observatory.projections.network_status import build_status, take_snapshot
from observatory.projections.picture import Picture
from observatory.projections.viewers import Viewer
from peyvand.observatory.v1 import network_pb2 as pb
from servicekit.database import Database, ReadSession, WriteSession
from servicekit.errors import Fault
from servicekit.json_form import plain_time
from servicekit.mapping import to_timestamp
from servicekit.messaging_tables import TABLES
from servicekit.rpc_server import Call

log = structlog.get_logger(__name__)

_REBUILD = tables.rebuild
# A request that was never begun, or a rebuild that does not end, must not hold off
# another one for ever.
_BEGINS_WITHIN = timedelta(seconds=90)
_ENDS_WITHIN = timedelta(minutes=10)
_LOOK_INTERVAL = 0.05


async def get_network_status(
    session: ReadSession, following: Following, call: Call
) -> pb.NetworkStatus:
    """Give the picture of the network."""
    snapshot = await take_snapshot(session)
    viewer = Viewer(call.principal)
    return build_status(snapshot, following.heads, following.presence.now(), call.now, viewer)


async def rebuild(
    database: Database,
    following: Following,
    request: pb.RebuildProjectionsRequest,
    call: Call,
    *,
    patience: float,
) -> pb.RebuildProjectionsResponse:
    """Build the picture anew, or wait on for what the same key has begun.

    Raises `Fault` ``REBUILD_RUNNING`` when it is not done within `patience` seconds,
    ``UNAVAILABLE`` while the broker is away or has not got back all events.
    """
    if not request.idempotency_key:
        raise Fault("IDEMPOTENCY_KEY_REQUIRED")
    async with database.read() as session:
        followed = await _followed(session)
    # Looked at after it: what happens in between makes a stream longer, never shorter.
    goals = await following.ends()
    number, fresh = await database.write(
        lambda session: _claim(session, request.idempotency_key, followed, goals, call)
    )
    if fresh:
        try:
            await following.rebuild()
        except Exception:
            await database.write(lambda session: _give_up(session, number))
            raise
    return await _wait(database, number, call, patience)


async def _claim(
    session: WriteSession, key: str, followed: dict[str, int], goals: dict[str, int], call: Call
) -> tuple[int, bool]:
    """The generation that a key stands for, and whether it is still to begin."""
    columns = _REBUILD.c
    lock = sa.func.hashtextextended("rebuild", 0)
    await session.scalar(sa.select(sa.func.pg_advisory_xact_lock(lock)))
    own = sa.and_(columns.subject == call.principal.subject, columns.idempotency_key == key)
    known = await session.row(sa.select(_REBUILD).where(own))
    if known is not None and known.began_at is not None:
        return known.generation, False
    newest = await session.row(
        sa.select(_REBUILD).where(~own).order_by(columns.generation.desc()).limit(1)
    )
    if newest is not None and (since := _running_since(newest, call.now)):
        raise Fault("REBUILD_RUNNING", {"started_at": plain_time(since)})
    _require_whole_streams(followed, goals)
    await session.execute(sa.delete(_REBUILD).where(own))
    row = {
        "subject": call.principal.subject,
        "idempotency_key": key,
        "requested_at": call.now,
        "goals": goals,
    }
    inserted = await session.execute(sa.insert(_REBUILD).values(row).returning(columns.generation))
    return inserted.scalar_one(), True


async def _followed(session: ReadSession) -> dict[str, int]:
    """How far the picture has followed each stream."""
    columns = TABLES.projection_position.c
    query = sa.select(columns.stream, columns.position).where(columns.projection == Picture.name)
    return {row.stream: row.position for row in await session.rows(query)}


def _require_whole_streams(followed: dict[str, int], ends: dict[str, int]) -> None:
    """Raise `Fault` ``UNAVAILABLE`` while a stream is being refilled.

    A picture made of what such a stream has would be complete too early.
    """
    for stream, position in followed.items():
        if ends.get(stream, 0) < position:
            log.warning("rebuild_waits_for_refill", stream=stream, end=ends.get(stream, 0))
            raise Fault("UNAVAILABLE")


def _running_since(row: Any, now: datetime) -> datetime | None:
    if row.finished_at is not None:
        return None
    if row.began_at is None:
        return row.requested_at if now - row.requested_at < _BEGINS_WITHIN else None
    return row.began_at if now - row.began_at < _ENDS_WITHIN else None


async def _give_up(session: WriteSession, number: int) -> None:
    columns = _REBUILD.c
    unbegun = (columns.generation == number, columns.began_at.is_(None))
    await session.execute(sa.delete(_REBUILD).where(*unbegun))


async def _wait(
    database: Database, number: int, call: Call, patience: float
) -> pb.RebuildProjectionsResponse:
    query = sa.select(_REBUILD).where(_REBUILD.c.generation == number)
    deadline = asyncio.get_running_loop().time() + patience
    while True:
        async with database.read() as session:
            row = await session.row(query)
        if row is not None and row.finished_at is not None:
            return _answer(row)
        if asyncio.get_running_loop().time() > deadline:
            since = row.began_at or row.requested_at if row is not None else call.now
            raise Fault("REBUILD_RUNNING", {"started_at": plain_time(since)})
        await asyncio.sleep(_LOOK_INTERVAL)


def _answer(row: Any) -> pb.RebuildProjectionsResponse:
    return pb.RebuildProjectionsResponse(
        digest_before=row.digest_before,
        digest_after=row.digest_after,
        events_before=row.rows_before[tables.timeline.name],
        events_after=row.rows_after[tables.timeline.name],
        tables=[
            pb.RebuiltTable(
                name=table.name,
                rows_before=row.rows_before[table.name],
                rows_after=row.rows_after[table.name],
            )
            for table in tables.PICTURE
        ],
        started_at=to_timestamp(row.began_at),
        finished_at=to_timestamp(row.finished_at),
    )
