"""What the database knows of who is heard of, and how a change of it is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert

from centers.domain.centers import Expectations
from centers.domain.nodes import NodeState
from centers.domain.presence import Change, Presence
from centers.domain.reports import PeriodReportState
from centers.repository.reports import written_at
from centers.tables.centers import center
from centers.tables.nodes import node
from centers.tables.reports import (
    capacity_snapshot,
    listening,
    node_line,
    node_receipt,
    node_vitals,
    period_report,
    presence,
)
from centers.tables.shared import service_tables
from domainkit.aggregate import Occasion
from peyvand.centers.v1 import nodes_pb2 as pb
from servicekit.database import ReadSession, WriteSession
from servicekit.ids import new_id
from servicekit.store import AggregateStore

presences: AggregateStore[Presence, pb.Presence] = AggregateStore(
    Presence,
    table=presence,
    steps=service_tables.step,
    resource=pb.Presence,
    event=pb.PresenceEvent,
)

# A change may be committed this long after its time was taken; what is looked at again
# is the same as before.
_OVERLAP = timedelta(seconds=30)
_ACTOR = "presence"
_JOINED = (NodeState.ENROLLED.value, NodeState.ACTIVE.value, NodeState.SUSPENDED.value)


class OvertakenError(Exception):
    """Another process has written of who is heard of: what is known here is out of date."""


@dataclass(frozen=True)
class RollEntry:
    """A node, whether it should be heard of, and when reports of it were accepted last.

    Figures are owed since it joined, or since its center gave some in another way.
    """

    node_id: str
    center_id: str
    state: NodeState
    expectations: Expectations | None
    capacity_at: datetime | None
    report_at: datetime | None
    capacity_owed_since: datetime | None
    report_owed_since: datetime | None


@dataclass(frozen=True)
class Vitals:
    """What a node last told of itself, and when."""

    heard_at: datetime
    told: pb.NodeVitals


@dataclass(frozen=True)
class Roll:
    """What has changed since it was asked for last. `next` is what to ask with then."""

    entries: Sequence[RollEntry]
    presences: Sequence[Presence]
    now: datetime
    next: datetime


async def read_roll(session: ReadSession, since: datetime | None) -> Roll:
    """Read what has changed since then, or all when nothing is known yet."""
    now = await session.scalar(sa.select(sa.func.clock_timestamp()))
    entries = await session.rows(_entries(since))
    query = sa.select(presence)
    if since is not None:
        query = query.where(presence.c.updated_at >= since)
    return Roll(
        entries=[_entry(row) for row in entries],
        presences=[presences.load(row) for row in await session.rows(query)],
        now=now,
        next=now - _OVERLAP,
    )


async def read_vitals(session: ReadSession) -> Mapping[str, Vitals]:
    """What each node last told of itself, as far as it was written down."""
    return {
        row.node_id: Vitals(row.heard_at, pb.NodeVitals.FromString(row.vitals))
        for row in await session.rows(sa.select(node_vitals))
    }


async def write_vitals(session: WriteSession, vitals: Mapping[str, Vitals]) -> None:
    """Write down what nodes told of themselves: one statement for all of them."""
    ordered = sorted(vitals.items())
    heard = (
        sa.func.unnest(
            sa.bindparam("ids", [node_id for node_id, _ in ordered], ARRAY(sa.Text)),
            sa.bindparam(
                "times", [v.heard_at for _, v in ordered], ARRAY(sa.DateTime(timezone=True))
            ),
            sa.bindparam(
                "told", [v.told.SerializeToString() for _, v in ordered], ARRAY(sa.LargeBinary)
            ),
        )
        .table_valued("node_id", "heard_at", "vitals")
        .render_derived("heard")
    )
    names = ["node_id", "heard_at", "vitals"]
    statement = insert(node_vitals).from_select(names, sa.select(*(heard.c[n] for n in names)))
    changed = {"heard_at": statement.excluded.heard_at, "vitals": statement.excluded.vitals}
    await session.execute(
        statement.on_conflict_do_update(index_elements=[node_vitals.c.node_id], set_=changed)
    )


async def write_changes(
    session: WriteSession, known: Mapping[tuple[str, str], Presence], changes: Sequence[Change]
) -> list[Presence]:
    """Record changes with their events, however many they are in a few statements.

    `known` are the presences as they were read. Raises `OvertakenError` when one of them
    was changed since.
    """
    before = [known.get((change.node_id, change.feed)) for change in changes]
    await _lock(session, [item for item in before if item is not None])
    moment = await written_at(session)
    after: list[Presence] = []
    staged: list[Any] = []
    for change, was in zip(changes, before, strict=True):
        now = _new(change) if was is None else replace(was, pending=[])
        now.become(
            change.after.liveness,
            Occasion(actor=_ACTOR, at=change.after.since),
            last_received_at=change.after.last_received_at,
            ended=change.ended,
        )
        staged.append(presences.stage(now, moment))
        after.append(now)
    await presences.save_staged(session, staged)
    return after


@dataclass(frozen=True)
class Listening:
    """Until when somebody has listened, how long ago that is, and how often it was noted."""

    heard_until: datetime
    age: timedelta
    number: int


async def read_listening(session: ReadSession) -> Listening | None:
    """Read until when somebody has listened; `None` where nobody ever has."""
    columns = listening.c
    age = (sa.func.clock_timestamp() - columns.heard_until).label("age")
    row = await session.row(sa.select(columns.heard_until, age, columns.number))
    return None if row is None else Listening(row.heard_until, row.age, row.number)


async def write_listening(session: WriteSession) -> None:
    """Note that somebody has listened until now."""
    now = sa.func.clock_timestamp()
    statement = insert(listening).values(one=True, heard_until=now, number=1)
    changed = {"heard_until": now, "number": listening.c.number + 1}
    await session.execute(
        statement.on_conflict_do_update(index_elements=[listening.c.one], set_=changed)
    )


async def unheard_receipts(session: ReadSession, older_than: timedelta) -> list[str]:
    """Nodes that have had receipts waiting for longer than that."""
    columns = node_receipt.c
    query = (
        sa.select(columns.node_id)
        .where(columns.recorded_at < sa.func.clock_timestamp() - older_than)
        .distinct()
    )
    return [row.node_id for row in await session.rows(query)]


async def _lock(session: WriteSession, items: Sequence[Presence]) -> None:
    columns = presence.c
    query = (
        sa.select(columns.id, columns.version)
        .where(columns.id.in_([item.id for item in items]))
        .order_by(columns.id)
        .with_for_update()
    )
    versions = {row.id: row.version for row in await session.rows(query)} if items else {}
    if any(versions.get(item.id) != item.version for item in items):
        raise OvertakenError


def _new(change: Change) -> Presence:
    since = change.after.since
    return Presence(
        id=new_id(presences.id_prefix),
        node_id=change.node_id,
        center_id=change.center_id,
        feed=change.feed,
        since=since,
        created_at=since,
        updated_at=since,
    )


def _entries(since: datetime | None) -> sa.Select[*tuple[Any, ...]]:
    known = sa.exists().where(presence.c.node_id == node.c.id, ~presence.c.ended)
    query = (
        sa.select(
            node.c.id,
            node.c.center_id,
            node.c.state,
            center.c.expectations,
            node_line.c.capacity_at,
            node_line.c.report_at,
            _owed_since(capacity_snapshot, capacity_snapshot.c.received_at),
            _owed_since(
                period_report,
                period_report.c.state_since,
                period_report.c.state != PeriodReportState.DRAFT.value,
            ),
        )
        .join(center, center.c.id == node.c.center_id)
        .outerjoin(node_line, node_line.c.node_id == node.c.id)
        .where(sa.or_(node.c.state.in_(_JOINED), known))
    )
    if since is None:
        return query
    return query.where(
        sa.or_(
            node.c.updated_at >= since,
            center.c.updated_at >= since,
            node_line.c.capacity_at >= since,
            node_line.c.report_at >= since,
        )
    )


def _owed_since(
    table: sa.Table, told_at: sa.Column[Any], *where: sa.ColumnElement[bool]
) -> sa.Label[Any]:
    """When the node joined, or its center last told such figures by the public API."""
    by_api = (
        sa.select(sa.func.max(told_at))
        .where(table.c.center_id == node.c.center_id, table.c.node_id.is_(None), *where)
        .scalar_subquery()
    )
    return sa.func.greatest(node.c.joined_at, by_api).label(f"{table.name}_owed")


def _entry(row: sa.Row[Any]) -> RollEntry:
    expectations = None if row.expectations is None else Expectations(**row.expectations)
    return RollEntry(
        node_id=row.id,
        center_id=row.center_id,
        state=NodeState(row.state),
        expectations=expectations,
        capacity_at=row.capacity_at,
        report_at=row.report_at,
        capacity_owed_since=row.capacity_snapshot_owed,
        report_owed_since=row.period_report_owed,
    )
