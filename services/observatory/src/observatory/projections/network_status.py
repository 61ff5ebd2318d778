"""Reads the picture: the network's centers and figures, with what they rest on.

Everything comes from one statement, so that all figures are of the same moment.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from observatory import tables
from observatory.projections import cursors
from observatory.projections.following import Head
from observatory.projections.picture import STREAMS, Picture, growing_generation, shown_generation
from peyvand.centers.v1 import centers_pb2
from peyvand.observatory.v1 import network_pb2 as pb
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
    centers = [
        centers_pb2.Center.FromString(bytes.fromhex(item["message"].removeprefix("\\x")))
        for item in row.centers
    ]
    return Snapshot(
        centers=sorted(centers, key=lambda center: center.code),
        tallies=tallies,
        by_center=by_center,
        streams=streams,
        heads={item["stream"]: item["head"] for item in row.heads},
        rebuild=_progress(row.rebuild, streams),
    )


def build_status(
    snapshot: Snapshot, heads: Mapping[str, Head], now: datetime, *, for_headquarters: bool
) -> pb.NetworkStatus:
    """What is answered: the picture with the freshness of everything in it."""
    streams = {stream: _freshness(stream, snapshot, heads, now) for stream in STREAMS}
    status = pb.NetworkStatus(
        centers=[_center_status(center, snapshot) for center in snapshot.centers],
        totals=_totals(snapshot, streams, for_headquarters=for_headquarters),
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
    timeline = tables.timeline.c
    parts = {
        "centers": sa.select(record.message).where(shown, record.kind == "center"),
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
        "heads": sa.select(timeline.stream, sa.func.max(timeline.stream_seq).label("head"))
        .where(timeline.generation == generation)
        .group_by(timeline.stream),
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


def _center_status(center: centers_pb2.Center, snapshot: Snapshot) -> pb.CenterStatus:
    return pb.CenterStatus(
        center_id=center.id,
        external_key=center.external_key,
        code=center.code,
        names=center.names,
        province=center.province,
        city=center.city if center.HasField("city") else None,
        state=center.state,
        state_reason=center.state_reason,
        state_since=center.state_since,
        opened_date=center.opened_date if center.HasField("opened_date") else None,
        # No node has ever spoken for it: silence is not a good sign.
        liveness=pb.LIVENESS_UNKNOWN,
        projects_by_stage=_counts(snapshot.by_center.get((center.id, "project"), [])),
        agreements_by_state=_counts(snapshot.by_center.get((center.id, "agreement"), [])),
        sample=center.sample,
        updated_at=center.updated_at,
    )


def _totals(
    snapshot: Snapshot, streams: Mapping[str, pb.StreamFreshness], *, for_headquarters: bool
) -> pb.NetworkTotals:
    totals = pb.NetworkTotals()
    for name, (kind, stream) in _TOTALS.items():
        getattr(totals, name).CopyFrom(_total(snapshot, streams, kind, stream))
    expected = [c for c in snapshot.centers if _state_name(c) not in _ENDED and not c.sample]
    # Nothing was ever heard of any of them, so that there is no time to name.
    totals.fresh_centers.of = len(expected)
    if expected:
        totals.fresh_centers.parts.add(key="unknown", value=len(expected))
    if for_headquarters:
        totals.open_action_items.CopyFrom(_total(snapshot, streams, *_ACTION_ITEMS, only="open"))
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
    fresh = streams[stream]
    if fresh.liveness == pb.LIVENESS_ONLINE:
        total.as_of.CopyFrom(fresh.checked_at)
    elif fresh.HasField("last_event_at"):
        total.as_of.CopyFrom(fresh.last_event_at)
    return total


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
    """Digest of everything but the times at which somebody looked."""
    bare = pb.NetworkStatus()
    bare.CopyFrom(status)
    for stream in bare.streams:
        stream.ClearField("checked_at")
    for _, total in bare.totals.ListFields():
        total.ClearField("as_of")
    digest = hashlib.sha256(bare.SerializeToString(deterministic=True)).hexdigest()
    return f"s{digest[:32]}"
