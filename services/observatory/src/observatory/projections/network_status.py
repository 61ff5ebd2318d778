"""Reads the picture: the network's centers and figures, with what they rest on.

Everything comes from one statement, so that all figures are of the same moment.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from google.protobuf.timestamp_pb2 import Timestamp

from domainkit.months import Month
from observatory import tables
from observatory.domain.activity import ApprovedMonth
from observatory.domain.alerts import AlertState
from observatory.domain.liveness import Liveness
from observatory.projections import cursors
from observatory.projections.center_status import (
    CenterNow,
    Reported,
    center_now,
    center_status,
)
from observatory.projections.following import Head
from observatory.projections.period_history import (
    latest_months,
    period_totals,
    read_row,
    reporter,
)
from observatory.projections.picture import STREAMS, Picture, growing_generation, shown_generation
from observatory.projections.presence_board import Presence
from observatory.projections.viewers import Viewer
from peyvand.centers.v1 import centers_pb2, nodes_pb2, reports_pb2
from peyvand.observatory.v1 import network_pb2 as pb
from peyvand.observatory.v1 import periods_pb2
from servicekit.database import ReadSession
from servicekit.mapping import to_timestamp
from servicekit.messaging_tables import TABLES

# A stream that nobody could look at for so long is called stale.
_STALE_AFTER = timedelta(seconds=10)

# The figures, with the kind of resource that they count and the stream that it is in.
_TOTALS = {
    "centers": ("center", "EVT_CENTERS"),
    "projects": ("project", "EVT_PROJECTS"),
    "companies": ("company", "EVT_PROJECTS"),
    "institutions": ("institution", "EVT_PARTNERS"),
    "agreements": ("agreement", "EVT_PARTNERS"),
    "activities": ("activity", "EVT_PARTNERS"),
}
_ACTION_ITEMS = ("action_item", "EVT_OBSERVATORY")
# Centers that are there or will be; of the others no sign of life is expected.
_ENDED = frozenset({"closed", "cancelled"})
# Nodes that have left; they are shown no more.
_LEFT = ("withdrawn", "revoked")
# What a node tells of itself all the time; a tag that followed it would name no picture.
_READINGS = ("clock_ahead_ms", "queued_reports", "oldest_queued_seconds", "disk_free_bytes")

# Parts of the figures that an indicator can be computed from.
_STAGES = tuple(f"s{number}" for number in range(8))
_PARTS: dict[str, tuple[str, ...]] = {
    "centers": ("planned", "establishing", "operational", "suspended", "closed", "cancelled"),
    "projects": _STAGES,
    "companies": ("knowledge_based", "other"),
    "institutions": (),
    "agreements": (
        "signed",
        "awaiting_ratification",
        "in_force",
        "suspended",
        "expired",
        "terminated",
        "superseded",
    ),
    "activities": ("proposed", "approved", "active", "done", "cancelled"),
}
MEASURES = (*_PARTS, *(f"{total}.{part}" for total, parts in _PARTS.items() for part in parts))
"""Names of the figures that an indicator can be computed from."""


@dataclass(frozen=True)
class Tally:
    """How many resources of one kind are counted under one part."""

    kind: str
    part: str | None
    sample: bool
    number: int

    @property
    def is_of_the_past(self) -> bool:
        """Whether these are listed by their part, but no figure of today counts them."""
        return self.kind == "center" and self.part in _ENDED


@dataclass(frozen=True)
class Followed:
    """How far the picture has followed one stream. `held_back` counts resources by kind."""

    position: int
    event_time: datetime | None
    held_back: Mapping[str, int]


@dataclass(frozen=True)
class Snapshot:
    """The picture as one statement found it."""

    centers: list[centers_pb2.Center]
    nodes: Mapping[str, list[nodes_pb2.Node]]
    reported: Mapping[str, Reported]
    last_month: list[ApprovedMonth]
    open_alerts: Mapping[str, int]
    tallies: list[Tally]
    by_center: Mapping[tuple[str, str], list[Tally]]
    streams: Mapping[str, Followed]
    heads: Mapping[str, int]
    rebuild: pb.RebuildProgress | None

    def measure(self, name: str) -> int:
        """Value of one of `MEASURES`, without sample data."""
        total, _, part = name.partition(".")
        kind, _ = _TOTALS[total]
        return sum(
            tally.number
            for tally in self.tallies
            if tally.kind == kind and not tally.sample and tally.part
            if tally.part == part or (not part and not tally.is_of_the_past)
        )


async def take_snapshot(session: ReadSession) -> Snapshot:
    """Read the picture."""
    row = await session.row(_snapshot_query())
    assert row is not None
    tallies = [_tally(item) for item in row.tallies]
    by_center: dict[tuple[str, str], list[Tally]] = {}
    for item in row.by_center:
        by_center.setdefault((item["center_id"], item["kind"]), []).append(_tally(item))
    held: dict[str, dict[str, int]] = {}
    for item in row.held_back:
        held.setdefault(item["stream"], {})[item["kind"]] = item["number"]
    positions = {item["stream"]: item for item in row.positions}
    streams = {
        stream: Followed(
            position=positions.get(stream, {}).get("position", 0),
            event_time=_moment(positions.get(stream, {}).get("event_time")),
            held_back=held.get(stream, {}),
        )
        for stream in STREAMS
    }
    centers = [centers_pb2.Center.FromString(_bytes(item["message"])) for item in row.centers]
    nodes: dict[str, list[nodes_pb2.Node]] = {}
    for item in row.nodes:
        node = nodes_pb2.Node.FromString(_bytes(item["message"]))
        nodes.setdefault(node.center_id, []).append(node)
    return Snapshot(
        centers=sorted(centers, key=lambda center: center.code),
        nodes={id: sorted(found, key=lambda node: node.id) for id, found in nodes.items()},
        reported={item["center_id"]: _reported(item) for item in row.reported},
        last_month=[read_row(item.__getitem__) for item in row.last_month],
        open_alerts={item["center_id"]: item["number"] for item in row.open_alerts},
        tallies=tallies,
        by_center=by_center,
        streams=streams,
        heads={item["stream"]: item["head"] for item in row.heads},
        rebuild=_progress(row.rebuild, streams),
    )


def build_status(
    snapshot: Snapshot,
    heads: Mapping[str, Head],
    presence: Presence,
    now: datetime,
    viewer: Viewer,
) -> pb.NetworkStatus:
    """What is answered: the picture with the freshness of everything in it."""
    streams = {stream: _freshness(stream, snapshot, heads, now) for stream in STREAMS}
    heard = {
        center.id: center_now(snapshot.nodes.get(center.id, []), presence)
        for center in snapshot.centers
    }
    totals = _totals(snapshot, streams, for_headquarters=viewer.sees_all)
    totals.fresh_centers.CopyFrom(_fresh_centers(snapshot.centers, heard, presence))
    status = pb.NetworkStatus(
        centers=[
            _center(center, snapshot, presence, heard[center.id], viewer)
            for center in snapshot.centers
        ],
        totals=totals,
        streams=streams.values(),
        cursor=cursors.encode(snapshot.heads),
        sample=any(tally.sample for tally in snapshot.tallies),
        rebuild=snapshot.rebuild,
    )
    status.etag = _etag(status)
    status.as_of.FromDatetime(now)
    return status


def _snapshot_query() -> sa.Select[Any]:
    record, positions = tables.record.c, TABLES.projection_position.c
    generation = shown_generation()
    shown = record.generation == generation
    led = (
        sa.select(
            sa.func.unnest(record.lead_center_ids).label("center_id"),
            record.kind,
            record.part,
            record.sample,
        )
        .where(shown, record.part.is_not(None))
        .subquery()
    )
    kind = sa.func.split_part(TABLES.projection_failure.c.subject, ".", 3)
    groups = [record.kind, record.part, record.sample]
    number = sa.func.count().label("number")
    timeline, reports, alerts = tables.timeline.c, tables.center_report.c, tables.alert.c
    streams = sa.values(sa.column("stream", sa.Text), name="streams").data(
        [(stream,) for stream in STREAMS]
    )
    # Each found at the end of its part of the key, however long the timeline is.
    head = (
        sa.select(sa.func.coalesce(sa.func.max(timeline.stream_seq), 0))
        .where(timeline.generation == generation, timeline.stream == streams.c.stream)
        .correlate(streams)
        .scalar_subquery()
    )
    parts = {
        "centers": sa.select(record.message).where(shown, record.kind == "center"),
        "nodes": sa.select(record.message).where(
            shown, record.kind == "node", record.part.not_in(_LEFT)
        ),
        "reported": sa.select(reports.center_id, reports.capacity, reports.approved_period).where(
            reports.generation == generation
        ),
        "last_month": latest_months(),
        "open_alerts": sa.select(alerts.center_id, number)
        .where(alerts.generation == generation, alerts.state == AlertState.OPEN.value)
        .group_by(alerts.center_id),
        "tallies": sa.select(*groups, number).where(shown).group_by(*groups),
        "by_center": sa.select(*led.c, number).group_by(*led.c),
        "positions": sa.select(positions.stream, positions.position, positions.event_time).where(
            positions.projection == Picture.name
        ),
        "held_back": sa.select(
            TABLES.projection_failure.c.stream,
            kind.label("kind"),
            sa.func.count(TABLES.projection_failure.c.aggregate_id.distinct()).label("number"),
        )
        .where(TABLES.projection_failure.c.projection == Picture.name)
        .group_by(TABLES.projection_failure.c.stream, kind),
        "heads": sa.select(streams.c.stream, head.label("head")),
        "rebuild": sa.select(tables.rebuild.c.began_at, tables.rebuild.c.goals).where(
            tables.rebuild.c.generation == growing_generation(),
            tables.rebuild.c.finished_at.is_(None),
        ),
    }
    return sa.select(*(_as_json(query).label(name) for name, query in parts.items()))


def _as_json(query: sa.SelectBase) -> sa.ScalarSelect[Any]:
    rows = query.subquery()
    items = sa.func.jsonb_agg(sa.func.to_jsonb(rows.table_valued()))
    empty = sa.text("'[]'::jsonb")
    return sa.select(sa.func.coalesce(items, empty)).select_from(rows).scalar_subquery()


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("\\x"))


def _reported(item: Mapping[str, Any]) -> Reported:
    message = item["capacity"]
    return Reported(
        capacity=reports_pb2.CapacitySnapshot.FromString(_bytes(message)) if message else None,
        approved_period=item["approved_period"] or "",
    )


def _tally(item: Mapping[str, Any]) -> Tally:
    return Tally(item["kind"], item["part"], item["sample"], item["number"])


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _progress(
    rows: list[dict[str, Any]], streams: Mapping[str, Followed]
) -> pb.RebuildProgress | None:
    if not rows:
        return None
    goals: dict[str, int] = rows[0]["goals"]
    return pb.RebuildProgress(
        started_at=to_timestamp(datetime.fromisoformat(rows[0]["began_at"])),
        events_done=sum(min(streams[name].position, goal) for name, goal in goals.items()),
        events_total=sum(goals.values()),
    )


def right_for(
    stream: str, snapshot: Snapshot, heads: Mapping[str, Head], now: datetime
) -> Timestamp | None:
    """The time that figures of a stream are right for; `None` when nothing was ever heard."""
    return _right_for(_freshness(stream, snapshot, heads, now))


def _right_for(fresh: pb.StreamFreshness) -> Timestamp | None:
    if fresh.liveness == pb.LIVENESS_ONLINE:
        return fresh.checked_at
    return fresh.last_event_at if fresh.HasField("last_event_at") else None


def _freshness(
    stream: str, snapshot: Snapshot, heads: Mapping[str, Head], now: datetime
) -> pb.StreamFreshness:
    followed, head = snapshot.streams[stream], heads.get(stream)
    # While the picture is built anew, what is shown is older than what is followed.
    position = snapshot.heads.get(stream, 0) if snapshot.rebuild else followed.position
    last = max((head.last or 0) if head else 0, position)
    fresh = pb.StreamFreshness(
        service=stream.removeprefix("EVT_").lower(),
        position=position,
        last_position=last,
        lag=last - position,
        liveness=pb.LIVENESS_UNKNOWN,
        held_back=sum(followed.held_back.values()),
    )
    if followed.event_time is not None:
        fresh.last_event_at.FromDatetime(followed.event_time)
    if head is None:
        return fresh
    fresh.checked_at.FromDatetime(head.seen_at)
    if now - head.seen_at > _STALE_AFTER or (head.last is None and position):
        fresh.liveness = pb.LIVENESS_STALE
        fresh.since.FromDatetime(head.seen_at)
    elif fresh.lag:
        fresh.liveness = pb.LIVENESS_LATE
        fresh.since.FromDatetime(followed.event_time or head.seen_at)
    elif head.last is not None:
        fresh.liveness = pb.LIVENESS_ONLINE
    return fresh


def _center(
    center: centers_pb2.Center,
    snapshot: Snapshot,
    presence: Presence,
    now: CenterNow,
    viewer: Viewer,
) -> pb.CenterStatus:
    is_concerned = viewer.is_concerned([center.id])
    status = center_status(
        center,
        snapshot.nodes.get(center.id, []),
        snapshot.reported.get(center.id, Reported()),
        presence,
        now,
        is_concerned=is_concerned,
    )
    status.projects_by_stage.extend(_counts(snapshot.by_center.get((center.id, "project"), [])))
    agreements = snapshot.by_center.get((center.id, "agreement"), [])
    status.agreements_by_state.extend(_counts(agreements))
    if is_concerned:
        status.open_alerts = snapshot.open_alerts.get(center.id, 0)
    return status


def _fresh_centers(
    centers: Iterable[centers_pb2.Center], heard: Mapping[str, CenterNow], presence: Presence
) -> pb.Total:
    """Centers that are heard of as expected; known are those of which anything is known."""
    expected = [center for center in centers if _state_name(center) not in _ENDED]
    tallies = [
        Tally("center", heard[center.id].together.liveness.value, center.sample, 1)
        for center in expected
    ]
    online = [tally for tally in tallies if tally.part == Liveness.ONLINE]
    real = [tally for tally in tallies if not tally.sample]
    total = pb.Total(
        value=sum(1 for tally in online if not tally.sample),
        sample=sum(1 for tally in online if tally.sample),
        known=sum(1 for tally in real if tally.part != Liveness.UNKNOWN),
        of=len(real),
        parts=_counts(tallies),
    )
    # Without a digest nothing was ever heard, so that there is no time to name.
    if presence.as_of is not None:
        total.as_of.FromDatetime(presence.as_of)
    return total


def _totals(
    snapshot: Snapshot, streams: Mapping[str, pb.StreamFreshness], *, for_headquarters: bool
) -> pb.NetworkTotals:
    totals = pb.NetworkTotals()
    for name, (kind, stream) in _TOTALS.items():
        getattr(totals, name).CopyFrom(_total(snapshot, streams, kind, stream))
    if for_headquarters:
        totals.open_action_items.CopyFrom(_total(snapshot, streams, *_ACTION_ITEMS, only="open"))
        if (activity := _activity(snapshot, streams["EVT_CENTERS"])) is not None:
            totals.activity.CopyFrom(activity)
    return totals


def _total(
    snapshot: Snapshot,
    streams: Mapping[str, pb.StreamFreshness],
    kind: str,
    stream: str,
    only: str | None = None,
) -> pb.Total:
    tallies = [tally for tally in snapshot.tallies if tally.kind == kind]
    counted = [t for t in tallies if t.part is not None and only in (None, t.part)]
    today = [tally for tally in counted if not tally.is_of_the_past]
    there = sum(t.number for t in tallies if not t.sample and not t.is_of_the_past)
    held = snapshot.streams[stream].held_back.get(kind, 0)
    total = pb.Total(
        value=sum(tally.number for tally in today if not tally.sample),
        sample=sum(tally.number for tally in today if tally.sample),
        # One whose latest event could not be taken in is there, but not known.
        known=max(there - held, 0),
        of=max(there, held),
        parts=_counts(counted),
    )
    if (as_of := _right_for(streams[stream])) is not None:
        total.as_of.CopyFrom(as_of)
    return total


def _activity(snapshot: Snapshot, fresh: pb.StreamFreshness) -> periods_pb2.PeriodTotals | None:
    """What centers did in the last month that anything is approved of; `None` without one."""
    month = Month.parse(snapshot.last_month[0].period) if snapshot.last_month else None
    if month is None:
        return None
    totals = period_totals(month, map(reporter, snapshot.centers), snapshot.last_month)
    if (as_of := _right_for(fresh)) is not None:
        totals.as_of.CopyFrom(as_of)
    return totals


def _counts(tallies: Iterable[Tally]) -> list[pb.Count]:
    counts: dict[str, pb.Count] = {}
    for tally in tallies:
        count = counts.setdefault(tally.part or "", pb.Count(key=tally.part or ""))
        if tally.sample:
            count.sample += tally.number
        else:
            count.value += tally.number
    return [counts[key] for key in sorted(counts)]


def _state_name(center: centers_pb2.Center) -> str:
    return centers_pb2.CenterState.Name(center.state).removeprefix("CENTER_STATE_").lower()


def _etag(status: pb.NetworkStatus) -> str:
    """Digest of everything but the times at which somebody looked or was heard of."""
    bare = pb.NetworkStatus()
    bare.CopyFrom(status)
    for stream in bare.streams:
        stream.ClearField("checked_at")
    for _, total in bare.totals.ListFields():
        total.ClearField("as_of")
    for center in bare.centers:
        for feed in center.feeds:
            feed.ClearField("last_received_at")
        for node in center.nodes:
            node.ClearField("last_received_at")
            for reading in _READINGS if node.HasField("vitals") else ():
                node.vitals.ClearField(reading)
    digest = hashlib.sha256(bare.SerializeToString(deterministic=True)).hexdigest()
    return f"s{digest[:32]}"
