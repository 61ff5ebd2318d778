"""What events leave in the picture besides records: alerts, presence, last reports."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from observatory import tables
from observatory.domain.alerts import Acknowledgement, AlertKind, Cause
from observatory.domain.liveness import HEARTBEAT, Liveness, best, is_overdue, is_silent
from observatory.projections.alert_book import AlertBook, Occurrence
from observatory.projections.happenings import Happening
from observatory.projections.reported_months import month_of_report, month_row, write_months
from servicekit.contract import enum_names
from servicekit.mapping import to_datetime

_PRESENCE, _HEARTBEAT, _REPORT = tables.presence, tables.heartbeat_change, tables.center_report

# The feeds that reports come by, with the kind and action of the event that one has come.
_REPORT_FEEDS = {
    "capacity": ("capacity_snapshot", "received"),
    "report": ("period_report", "submitted"),
}
_ARRIVALS = {event: feed for feed, event in _REPORT_FEEDS.items()}
# After these nobody expects to hear of a node.
_CUT_OFF = frozenset({"suspended", "withdrawn", "revoked"})
# After these its credentials are new, or of no use any more.
_CREDENTIALS_SETTLED = frozenset({"joined", "renewed", "withdrawn", "revoked"})
_OVERDUE = "became_overdue"
# After these a condition is overdue no more; with the end of a project they are cancelled.
_CONDITION_ENDED = frozenset({"met", "cancelled"})


async def apply_signals(
    connection: AsyncConnection, generation: int, happenings: Sequence[Happening]
) -> None:
    """Write what follows from these events, all of one stream and in its order."""
    known = [h for h in happenings if h.kind in _TAKEN and h.resource is not None]
    if not known:
        return
    book = AlertBook(connection, generation)
    await book.read(
        (cause, happening.delivery.event_id) for happening in known for cause in _causes(happening)
    )
    presences = _Presences(connection, generation)
    await presences.read(known)
    reports = _Reports(connection, generation)
    await reports.read(known)
    for happening in known:
        await _TAKEN[happening.kind](happening, book, presences, reports)
    await book.write()
    await presences.write()
    await reports.write()


def _causes(happening: Happening) -> Iterable[Cause]:
    """Causes of alerts that an event may have to do with."""
    one = happening.resource
    if happening.kind == "alert":
        return
    if happening.kind == "condition":
        if happening.action == _OVERDUE or happening.action in _CONDITION_ENDED:
            yield _overdue_condition(happening)
        return
    center = one.center_id
    if happening.kind == "node":
        yield Cause(AlertKind.REUSED, center, one.id)
        yield Cause(AlertKind.CREDENTIALS_EXPIRING, center, one.id)
        if happening.action in _CUT_OFF:
            yield Cause(AlertKind.NODE_SILENT, center, one.id)
            yield from (Cause(AlertKind.REPORT_LATE, center, feed=feed) for feed in _REPORT_FEEDS)
    elif happening.kind == "refused_report":
        yield Cause(AlertKind.REPORTS_REFUSED, center, one.node_id)
    elif happening.kind == "presence":
        if one.feed == HEARTBEAT:
            yield Cause(AlertKind.NODE_SILENT, center, one.node_id)
        else:
            yield Cause(AlertKind.REPORT_LATE, center, feed=one.feed)
    elif feed := _ARRIVALS.get((happening.kind, happening.action)):
        yield Cause(AlertKind.REPORT_LATE, center, feed=feed)


class _Presences:
    """The feeds of the centers that a batch speaks of, as its events leave them."""

    def __init__(self, connection: AsyncConnection, generation: int) -> None:
        self._connection = connection
        self._generation = generation
        self._feeds: dict[tuple[str, str], tuple[str, Liveness]] = {}
        self._changed: set[tuple[str, str]] = set()
        self._heartbeats: list[dict[str, Any]] = []

    async def read(self, happenings: Sequence[Happening]) -> None:
        """Read what was known before."""
        centers = {
            happening.resource.center_id
            for happening in happenings
            if happening.kind == "presence"
            or (happening.kind == "node" and happening.action in _CUT_OFF)
        }
        if not centers:
            return
        columns = _PRESENCE.c
        query = sa.select(_PRESENCE).where(
            columns.generation == self._generation, columns.center_id.in_(centers)
        )
        for row in await self._connection.execute(query):
            self._feeds[row.node_id, row.feed] = (row.center_id, Liveness(row.liveness))

    def put(self, node_id: str, feed: str, center_id: str, liveness: Liveness | None) -> None:
        """Note what a feed has become; `None`: it is no longer expected."""
        self._changed.add((node_id, feed))
        if liveness is None:
            self._feeds.pop((node_id, feed), None)
        else:
            self._feeds[node_id, feed] = (center_id, liveness)

    def feeds_of(self, node_id: str) -> list[str]:
        """The feeds of a node that are expected."""
        return sorted(feed for node, feed in self._feeds if node == node_id)

    def together(self, center_id: str, feed: str) -> Liveness | None:
        """A feed of a center, as fresh as the freshest of its nodes; `None` without any."""
        found = [
            liveness
            for (_, name), (center, liveness) in self._feeds.items()
            if name == feed and center == center_id
        ]
        return best(found) if found else None

    def note_heartbeat(
        self, happening: Happening, node_id: str, liveness: Liveness | None, at: datetime
    ) -> None:
        """Note a change for the history of the center."""
        self._heartbeats.append(
            {
                "generation": self._generation,
                "stream_seq": happening.delivery.stream_seq,
                "center_id": happening.resource.center_id,
                "node_id": node_id,
                "liveness": None if liveness is None else liveness.value,
                "at": at,
            }
        )

    async def write(self) -> None:
        """Write what has changed."""
        if self._heartbeats:
            await self._connection.execute(sa.insert(_HEARTBEAT), self._heartbeats)
        rows: list[dict[str, Any]] = []
        ended: list[tuple[str, str]] = []
        for key in sorted(self._changed):
            if key in self._feeds:
                center_id, liveness = self._feeds[key]
                rows.append(
                    {
                        "generation": self._generation,
                        "node_id": key[0],
                        "feed": key[1],
                        "center_id": center_id,
                        "liveness": liveness.value,
                    }
                )
            else:
                ended.append(key)
        if rows:
            await _upsert(self._connection, _PRESENCE, rows)
        if ended:
            columns = _PRESENCE.c
            await self._connection.execute(
                sa.delete(_PRESENCE).where(
                    columns.generation == self._generation,
                    sa.tuple_(columns.node_id, columns.feed).in_(ended),
                )
            )


class _Reports:
    """What the centers that a batch speaks of reported last."""

    def __init__(self, connection: AsyncConnection, generation: int) -> None:
        self._connection = connection
        self._generation = generation
        self._rows: dict[str, dict[str, Any]] = {}
        self._months: dict[tuple[str, str], dict[str, Any]] = {}

    async def read(self, happenings: Sequence[Happening]) -> None:
        """Read what was known before."""
        centers = {h.resource.center_id for h in happenings if h.kind in _REPORTED}
        if not centers:
            return
        columns = _REPORT.c
        query = sa.select(_REPORT).where(
            columns.generation == self._generation, columns.center_id.in_(centers)
        )
        empty = {column.name: None for column in columns} | {"generation": self._generation}
        self._rows = {id: empty | {"center_id": id} for id in centers}
        for row in (await self._connection.execute(query)).mappings():
            self._rows[row["center_id"]] = dict(row)

    def put_capacity(self, snapshot: Any) -> None:
        """The newest by the center's own account counts; of two alike the later told."""
        row, observed = self._rows[snapshot.center_id], to_datetime(snapshot.observed_at)
        before = row["capacity_observed_at"]
        if before is None or observed >= before:
            row["capacity"] = snapshot.SerializeToString(deterministic=True)
            row["capacity_observed_at"] = observed

    def put_approved(self, happening: Happening) -> None:
        """A month has an approved report; a later revision takes the place of the one before."""
        report = happening.resource
        self._months[report.center_id, report.period] = month_row(self._generation, happening)
        row, order = self._rows[report.center_id], month_of_report(report).first_day()
        if row["approved_order"] is None or order > row["approved_order"]:
            row["approved_period"], row["approved_order"] = report.period, order

    async def write(self) -> None:
        """Write what there is."""
        rows = [row for row in self._rows.values() if row["capacity"] or row["approved_period"]]
        if rows:
            await _upsert(self._connection, _REPORT, rows)
        if self._months:
            await write_months(self._connection, self._months.values())


async def _node(happening: Happening, book: AlertBook, presences: _Presences, _: _Reports) -> None:
    node, action, at = happening.resource, happening.action, happening.delivery.time
    if action == "token_reused":
        await book.came_up(Cause(AlertKind.REUSED, node.center_id, node.id), _occurrence(happening))
    expiring = Cause(AlertKind.CREDENTIALS_EXPIRING, node.center_id, node.id)
    if action == "credentials_expiring":
        await book.came_up(expiring, _occurrence(happening))
    elif action in _CREDENTIALS_SETTLED:
        book.gone(expiring, at)
    if action in _CUT_OFF:
        book.gone(Cause(AlertKind.NODE_SILENT, node.center_id, node.id), at)
        for feed in presences.feeds_of(node.id):
            presences.put(node.id, feed, node.center_id, None)
            if feed == HEARTBEAT:
                presences.note_heartbeat(happening, node.id, None, at)
            else:
                await _weigh(happening, feed, book, presences, at)


async def _presence(
    happening: Happening, book: AlertBook, presences: _Presences, _: _Reports
) -> None:
    presence = happening.resource
    at = to_datetime(presence.since) if presence.HasField("since") else happening.delivery.time
    ended = happening.action == "ended"
    liveness = None if ended else _liveness(presence)
    presences.put(presence.node_id, presence.feed, presence.center_id, liveness)
    if presence.feed != HEARTBEAT:
        await _weigh(happening, presence.feed, book, presences, at)
        return
    presences.note_heartbeat(happening, presence.node_id, liveness, at)
    cause = Cause(AlertKind.NODE_SILENT, presence.center_id, presence.node_id)
    if liveness is not None and is_silent(liveness):
        await book.holds(cause, _occurrence(happening, at))
    elif liveness is not Liveness.UNKNOWN:
        # That nothing can be said does not mean that it was heard of.
        book.gone(cause, at)


async def _weigh(
    happening: Happening, feed: str, book: AlertBook, presences: _Presences, at: datetime
) -> None:
    """Open or close the alert of a feed by how fresh all nodes together keep it."""
    center_id = happening.resource.center_id
    cause = Cause(AlertKind.REPORT_LATE, center_id, feed=feed)
    together = presences.together(center_id, feed)
    if together is not None and is_overdue(together):
        await book.holds(cause, _occurrence(happening, at))
    elif together is not Liveness.UNKNOWN:
        book.gone(cause, at)


async def _capacity(
    happening: Happening, book: AlertBook, _: _Presences, reports: _Reports
) -> None:
    reports.put_capacity(happening.resource)
    _arrived(happening, book)


async def _period_report(
    happening: Happening, book: AlertBook, _: _Presences, reports: _Reports
) -> None:
    if happening.action == "approved":
        reports.put_approved(happening)
    _arrived(happening, book)


def _arrived(happening: Happening, book: AlertBook) -> None:
    feed = _ARRIVALS.get((happening.kind, happening.action))
    if feed is not None:
        cause = Cause(AlertKind.REPORT_LATE, happening.resource.center_id, feed=feed)
        book.gone(cause, happening.delivery.time)


async def _refused(happening: Happening, book: AlertBook, _: _Presences, __: _Reports) -> None:
    report = happening.resource
    cause = Cause(AlertKind.REPORTS_REFUSED, report.center_id, report.node_id)
    await book.came_up(cause, _occurrence(happening))


async def _condition(happening: Happening, book: AlertBook, _: _Presences, __: _Reports) -> None:
    if happening.action == _OVERDUE:
        await book.holds(_overdue_condition(happening), _occurrence(happening))
    elif happening.action in _CONDITION_ENDED:
        book.gone(_overdue_condition(happening), happening.delivery.time)


def _overdue_condition(happening: Happening) -> Cause:
    """That a condition is overdue is a matter of the center that leads its project."""
    center_id = next(iter(happening.lead_center_ids), "")
    return Cause(AlertKind.CONDITION_OVERDUE, center_id, resource_id=happening.resource.id)


async def _alert(happening: Happening, book: AlertBook, _: _Presences, __: _Reports) -> None:
    alert = happening.resource
    if happening.action == "escalated":
        await book.was_escalated(alert.id, to_datetime(alert.escalated_at))
        return
    kind = enum_names(alert.DESCRIPTOR.fields_by_name["kind"].enum_type)[alert.kind]
    seen = Acknowledgement(
        occurrences=alert.occurrences,
        by=alert.acknowledged_by,
        at=to_datetime(alert.acknowledged_at),
        comment=alert.comment,
    )
    await book.was_seen(alert.id, AlertKind(kind), seen)


def _occurrence(happening: Happening, at: datetime | None = None) -> Occurrence:
    delivery = happening.delivery
    return Occurrence(delivery.event_id, delivery.stream_seq, at or delivery.time)


def _liveness(presence: Any) -> Liveness:
    names = enum_names(presence.DESCRIPTOR.fields_by_name["liveness"].enum_type)
    return Liveness(names[presence.liveness]) if presence.liveness else Liveness.UNKNOWN


async def _upsert(connection: AsyncConnection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    statement = insert(table)
    key = [column.name for column in table.primary_key]
    changed = {c.name: statement.excluded[c.name] for c in table.c if not c.primary_key}
    statement = statement.on_conflict_do_update(index_elements=key, set_=changed)
    await connection.execute(statement, rows)


_REPORTED = frozenset(kind for kind, _ in _REPORT_FEEDS.values())
_TAKEN = {
    "node": _node,
    "presence": _presence,
    "capacity_snapshot": _capacity,
    "period_report": _period_report,
    "refused_report": _refused,
    "condition": _condition,
    "alert": _alert,
}
