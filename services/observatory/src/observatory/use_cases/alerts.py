"""Alerts as they stand, and what a person says of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from domainkit.rules import IllegalStep
from observatory import tables
from observatory.domain.alerts import Acknowledgement, Alert, AlertState
from observatory.projections.alert_book import load, seen_columns, with_seen
from observatory.projections.names import Name, feed_name
from observatory.projections.phrases import alert_summary
from observatory.projections.picture import shown_generation
from observatory.projections.viewers import Viewer
from peyvand.observatory.v1 import alerts_pb2 as pb
from servicekit.contract import descriptor_of, enum_names
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault
from servicekit.mapping import to_timestamp
from servicekit.outbox import Event
from servicekit.paging import moment, page_size, read_token, text, write_token
from servicekit.personal_data import personal_data
from servicekit.policy import allowed_actions, reaches
from servicekit.rpc_server import Call

_ALERT, _ACKNOWLEDGEMENT, _ESCALATION = tables.alert, tables.acknowledgement, tables.escalation
_STATES = enum_names(pb.AlertState.DESCRIPTOR)
_ACKNOWLEDGE = "acknowledge"
_ACKNOWLEDGED, _ESCALATED = "acknowledged", "escalated"
_ACTOR = "observatory"
_MOST = 100  # escalated at one look; the others at the next


async def list_alerts(
    session: ReadSession, request: pb.ListAlertsRequest, call: Call
) -> pb.ListAlertsResponse:
    """Give a page of alerts that the caller may see, the latest first."""
    columns, size = _ALERT.c, page_size(request)
    query = _query().where(columns.generation == shown_generation())
    viewer = Viewer(call.principal)
    if not viewer.sees_all:
        query = query.where(columns.center_id.in_(viewer.center_ids))
    if request.state:
        query = query.where(columns.state == _STATES[request.state])
    if request.center_id:
        query = query.where(columns.center_id == request.center_id)
    if request.HasField("escalated"):
        was = tables.alert_escalated.c.at.is_not(None)
        query = query.where(was if request.escalated else sa.not_(was))
    if after := read_token(request, moment, text):
        position = sa.tuple_(sa.literal(after[0], sa.DateTime(timezone=True)), sa.literal(after[1]))
        query = query.where(sa.tuple_(columns.opened_at, columns.id) < position)
    query = query.order_by(columns.opened_at.desc(), columns.id.desc()).limit(size + 1)
    rows = await session.rows(query)
    token = ""
    if len(rows) > size:
        last = rows[size - 1]
        token = write_token(request, [last.opened_at.isoformat(), last.id])
    return pb.ListAlertsResponse(
        alerts=[_present(load(row), row, call) for row in rows[:size]], next_page_token=token
    )


async def acknowledge_alert(
    session: WriteSession, request: pb.AcknowledgeAlertRequest, call: Call
) -> pb.Alert:
    """Say that a person has seen an alert: all occurrences of it so far.

    The picture follows the event. Until it has, the row that is written here keeps a
    second person from saying the same.
    """
    row = await _lock(session, request.alert_id)
    if row is None or not reaches(
        call.rpc, call.principal, own=Viewer(call.principal).is_concerned([row.center_id])
    ):
        raise Fault.not_found("alert", request.alert_id)
    if found := personal_data(request):
        raise Fault.invalid(*found)
    alert = load(row)
    version = await _require_unseen(session, alert)
    before = alert.state
    alert.seen = Acknowledgement(
        alert.occurrences, call.principal.subject, call.now, request.comment
    )
    values = {"version": version, "occurrences": alert.occurrences, "at": call.now}
    statement = insert(_ACKNOWLEDGEMENT).values(alert_id=alert.id, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["alert_id"], set_=values))
    message = _message(alert, row)
    actor, reason = message.acknowledged_by, message.comment
    session.emit(
        _announce(message, version, _ACKNOWLEDGED, before, call.now, actor=actor, reason=reason)
    )
    message.allowed_actions.extend(_actions(alert, call))
    return message


async def unseen_before(session: ReadSession, moment: datetime) -> Sequence[str]:
    """Ids of alerts that nobody has seen though they are open since before a moment.

    One that was seen and came up again is counted from there. Those that were escalated
    once are not among them.
    """
    columns, occurrence = _ALERT.c, tables.alert_occurrence.c
    unseen = sa.and_(
        occurrence.generation == columns.generation,
        occurrence.cause == columns.cause,
        occurrence.number == columns.first + tables.alert_seen.c.occurrences,
    )
    since = sa.func.coalesce(occurrence.at, columns.opened_at)
    query = (
        sa.select(columns.id)
        .select_from(
            with_seen()
            .outerjoin(tables.alert_occurrence, unseen)
            .outerjoin(_ESCALATION, _ESCALATION.c.alert_id == columns.id)
        )
        .where(
            columns.generation == shown_generation(),
            columns.state == AlertState.OPEN.value,
            since < moment,
            _ESCALATION.c.alert_id.is_(None),
        )
        .order_by(since, columns.id)
        .limit(_MOST)
    )
    return [row.id for row in await session.rows(query)]


async def escalate_alert(session: WriteSession, alert_id: str, now: datetime) -> bool:
    """Tell that nobody has seen an alert in time, once; `False` where that is not so any more."""
    row = await _lock(session, alert_id)
    if row is None:
        return False
    alert = load(row)
    said = await _said(session, alert.id)
    if said.escalated_at is not None or alert.state is not AlertState.OPEN:
        return False
    if said.covers(alert):
        # A person has seen it, and the picture has not followed yet.
        return False
    alert.escalated_at = now
    version = said.version + 1
    values = {"alert_id": alert.id, "version": version, "at": now}
    await session.execute(sa.insert(_ESCALATION).values(values))
    message = _message(alert, row)
    session.emit(_announce(message, version, _ESCALATED, alert.state, now, actor=_ACTOR))
    return True


@dataclass(frozen=True)
class _Said:
    """What was said of an alert so far, as this service's own rows have it."""

    version: int = 0
    seen: int | None = None
    seen_at: datetime | None = None
    escalated_at: datetime | None = None

    def covers(self, alert: Alert) -> bool:
        """Whether a person has seen all of it, so that nothing is left to see."""
        if self.seen is None:
            return False
        return alert.cause.kind.closes_when_seen or self.seen >= alert.occurrences


async def _said(session: WriteSession, alert_id: str) -> _Said:
    seen, escalated = _ACKNOWLEDGEMENT.c, _ESCALATION.c
    acknowledged = await session.row(sa.select(_ACKNOWLEDGEMENT).where(seen.alert_id == alert_id))
    raised = await session.row(sa.select(_ESCALATION).where(escalated.alert_id == alert_id))
    return _Said(
        version=max(row.version if row else 0 for row in (acknowledged, raised)),
        seen=acknowledged.occurrences if acknowledged else None,
        seen_at=acknowledged.at if acknowledged else None,
        escalated_at=raised.at if raised else None,
    )


async def _lock(session: WriteSession, alert_id: str) -> Any:
    """Read an alert that something is to be said of, one at a time; `None` without it."""
    lock = sa.func.hashtextextended(f"alert {alert_id}", 0)
    await session.scalar(sa.select(sa.func.pg_advisory_xact_lock(lock)))
    columns = _ALERT.c
    return await session.row(
        _query().where(columns.generation == shown_generation(), columns.id == alert_id)
    )


async def _require_unseen(session: WriteSession, alert: Alert) -> int:
    """Number of the step to take. Raises `IllegalStep` for an alert that was seen already."""
    said = await _said(session, alert.id)
    if said.covers(alert) and said.seen is not None and said.seen_at is not None:
        # It was seen, whether the picture has followed or not.
        alert.seen = alert.seen or Acknowledgement(said.seen, "", said.seen_at, "")
        closed = alert.cause.kind.closes_when_seen or alert.state is AlertState.CLOSED
        state = AlertState.CLOSED if closed else AlertState.ACKNOWLEDGED
        raise IllegalStep(_ACKNOWLEDGE, state.value, [])
    if alert.state is not AlertState.OPEN:
        raise IllegalStep(_ACKNOWLEDGE, alert.state.value, [])
    return said.version + 1


def _announce(
    alert: pb.Alert,
    version: int,
    action: str,
    before: AlertState,
    at: datetime,
    *,
    actor: str,
    reason: str = "",
) -> Event:
    event = pb.AlertEvent(alert=alert)
    step = event.change.step
    step.version, step.action = version, action
    step.from_state, step.to_state = before.value, _STATES[alert.state]
    step.actor, step.reason = actor, reason
    step.at.FromDatetime(at)
    package = pb.DESCRIPTOR.package
    return Event(
        type=f"{package}.alert.{action}",
        subject=f"evt.observatory.alert.{action}.{alert.id}",
        aggregate_id=alert.id,
        aggregate_version=version,
        payload=event.SerializeToString(deterministic=True),
        time=at,
    )


def _query() -> sa.Select[Any]:
    """Alerts with what people said of them, and the names of what they are about."""
    columns = _ALERT.c
    named = {
        name: (tables.record.alias(name), columns[f"{name}_id"])
        for name in ("center", "node", "resource")
    }
    here = with_seen()
    for record, id in named.values():
        same = sa.and_(record.c.generation == columns.generation, record.c.id == id)
        here = here.outerjoin(record, same)
    return sa.select(
        _ALERT,
        *seen_columns(),
        *(
            record.c[name].label(f"{record.name}_{name}")
            for record, _ in named.values()
            for name in ("name_fa", "name_en", "sample")
        ),
    ).select_from(here)


def _present(alert: Alert, row: Any, call: Call) -> pb.Alert:
    message = _message(alert, row)
    message.allowed_actions.extend(_actions(alert, call))
    return message


def _actions(alert: Alert, call: Call) -> list[str]:
    steps = [_ACKNOWLEDGE] if alert.state is AlertState.OPEN else []
    own = Viewer(call.principal).is_concerned([alert.cause.center_id])
    return allowed_actions(descriptor_of(pb.Alert), steps, call.principal, own=own)


def _message(alert: Alert, row: Any) -> pb.Alert:
    cause = alert.cause
    words = alert_summary(
        cause.kind,
        Name(row.center_name_fa or "", row.center_name_en or ""),
        node=Name(row.node_name_fa or "", row.node_name_en or ""),
        feed=feed_name(cause.feed),
        resource=Name(row.resource_name_fa or "", row.resource_name_en or ""),
    )
    message = pb.Alert(
        id=alert.id,
        kind=f"ALERT_KIND_{cause.kind.value.upper()}",
        state=f"ALERT_STATE_{alert.state.name}",
        center_id=cause.center_id,
        node_id=cause.node_id,
        resource_id=cause.resource_id,
        opened_at=to_timestamp(alert.opened_at),
        occurrences=alert.occurrences,
        sample=bool(row.center_sample or row.node_sample or row.resource_sample),
    )
    message.summary.fa, message.summary.en = words
    if alert.seen is not None:
        message.acknowledged_by = alert.seen.by
        message.acknowledged_at.FromDatetime(alert.seen.at)
        message.comment = alert.seen.comment
    if alert.escalated_at is not None:
        message.escalated_at.FromDatetime(alert.escalated_at)
    if alert.closed_at is not None:
        message.closed_at.FromDatetime(alert.closed_at)
    return message
