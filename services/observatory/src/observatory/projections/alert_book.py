"""Opens, counts and closes alerts as the events of a batch ask for it.

What is needed of the alerts is read at once at the beginning of a batch and written at
its end. Causes are told in `EVT_CENTERS` and `EVT_PROJECTS`, acknowledgements and
escalations in `EVT_OBSERVATORY`; the same alerts come out whichever of the streams is
read first (see `observatory.domain.alerts`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from observatory import tables
from observatory.domain.alerts import Acknowledgement, Alert, AlertKind, Cause, alert_id

_ALERT, _OCCURRENCE, _SEEN = tables.alert, tables.alert_occurrence, tables.alert_seen
_ESCALATED = tables.alert_escalated


@dataclass(frozen=True)
class Occurrence:
    """The event that a cause came up with."""

    event_id: UUID
    stream_seq: int
    at: datetime


class AlertBook:
    """The alerts of one generation, as far as a batch has to do with them."""

    def __init__(self, connection: AsyncConnection, generation: int) -> None:
        self._connection = connection
        self._generation = generation
        # The last alert of each cause that was asked for; `None`: there never was one.
        self._last: dict[str, Alert | None] = {}
        self._changed: dict[str, Alert] = {}
        self._occurrences: list[dict[str, Any]] = []
        self._seen: dict[str, Acknowledgement | None] = {}

    async def read(self, touched: Iterable[tuple[Cause, UUID]]) -> None:
        """Read the last alert of each cause that an event touches, all at once.

        With them what people said of the alerts that these events would open: a picture
        that is built anew may have met that before.
        """
        pairs = list(touched)
        if not pairs:
            return
        keys = {cause.key for cause, _ in pairs}
        await self._read_seen({alert_id(cause, str(event_id)) for cause, event_id in pairs})
        columns = _ALERT.c
        query = (
            _alerts()
            .ext(distinct_on(columns.cause))
            .where(columns.generation == self._generation, columns.cause.in_(keys))
            .order_by(columns.cause, columns.first.desc())
        )
        self._last |= dict.fromkeys(keys)
        for row in await self._connection.execute(query):
            self._last[row.cause] = load(row)

    async def came_up(self, cause: Cause, event: Occurrence) -> None:
        """The cause has come up, or once more."""
        last = self._last[cause.key]
        if last is not None and last.takes_more:
            last.occurrences += 1
            self._changed[last.id] = last
            number = last.first + last.occurrences - 1
        else:
            number = last.first + last.occurrences if last else 1
            await self._open(cause, event, number, occurrences=1)
        self._note(cause, event, number)

    async def holds(self, cause: Cause, event: Occurrence) -> None:
        """The cause is there: what lasts is one occurrence, however often it is told."""
        last = self._last[cause.key]
        if last is None or not last.takes_more:
            number = last.first + last.occurrences if last else 1
            await self._open(cause, event, number, occurrences=1)

    def gone(self, cause: Cause, at: datetime) -> None:
        """The cause is gone."""
        last = self._last[cause.key]
        if last is not None and last.gone_at is None:
            last.gone_at = max(at, last.opened_at)
            self._changed[last.id] = last

    async def was_seen(self, id: str, kind: AlertKind, seen: Acknowledgement) -> None:
        """A person has seen an alert, which may not be in the picture yet."""
        row = {
            "generation": self._generation,
            "alert_id": id,
            "occurrences": seen.occurrences,
            "by": seen.by,
            "at": seen.at,
            "comment": seen.comment,
        }
        statement = insert(_SEEN).values(row)
        if kind.closes_when_seen:
            # It was closed by the first; a later one cannot say otherwise.
            statement = statement.on_conflict_do_nothing()
        else:
            key = ("generation", "alert_id")
            changed = {name: value for name, value in row.items() if name not in key}
            statement = statement.on_conflict_do_update(index_elements=key, set_=changed)
        if not (await self._connection.execute(statement)).rowcount:
            return
        # Acknowledgements come in a stream of their own: no batch has causes beside them.
        alert = self._changed.get(id) or await self._find(id)
        if alert is not None:
            alert.seen = seen
            self._changed[id] = alert
            await self._split(alert)

    async def was_escalated(self, id: str, at: datetime) -> None:
        """Nobody had seen an alert in time; it may not be in the picture yet."""
        row = {"generation": self._generation, "alert_id": id, "at": at}
        statement = insert(_ESCALATED).values(row).on_conflict_do_nothing()
        await self._connection.execute(statement)

    async def write(self) -> None:
        """Write what has changed."""
        if self._occurrences:
            await self._connection.execute(sa.insert(_OCCURRENCE), self._occurrences)
            self._occurrences = []
        if self._changed:
            statement = insert(_ALERT)
            changed = {c.name: statement.excluded[c.name] for c in _ALERT.c if not c.primary_key}
            statement = statement.on_conflict_do_update(
                index_elements=["generation", "id"], set_=changed
            )
            rows = [self._row(alert) for alert in self._changed.values()]
            await self._connection.execute(statement, rows)
            self._changed = {}

    async def _open(
        self, cause: Cause, event: Occurrence, number: int, *, occurrences: int
    ) -> Alert:
        id = alert_id(cause, str(event.event_id))
        if id not in self._seen:
            await self._read_seen({id})
        alert = Alert(
            id=id,
            cause=cause,
            opened_at=event.at,
            opened_seq=event.stream_seq,
            first=number,
            occurrences=occurrences,
            seen=self._seen[id],
        )
        self._last[cause.key] = self._changed[id] = alert
        return alert

    async def _read_seen(self, ids: set[str]) -> None:
        columns = _SEEN.c
        query = sa.select(_SEEN).where(
            columns.generation == self._generation, columns.alert_id.in_(ids)
        )
        self._seen |= dict.fromkeys(ids)
        for row in await self._connection.execute(query):
            seen = Acknowledgement(row.occurrences, row.by, row.at, row.comment)
            self._seen[row.alert_id] = seen

    async def _split(self, alert: Alert) -> None:
        """Give occurrences that the person had not seen an alert of their own."""
        while beyond := alert.beyond:
            alert.occurrences -= beyond
            number = alert.first + alert.occurrences
            event = await self._occurrence(alert.cause, number)
            alert = await self._open(alert.cause, event, number, occurrences=beyond)

    async def _occurrence(self, cause: Cause, number: int) -> Occurrence:
        for row in self._occurrences:
            if row["cause"] == cause.key and row["number"] == number:
                return Occurrence(row["event_id"], row["stream_seq"], row["at"])
        columns = _OCCURRENCE.c
        query = sa.select(_OCCURRENCE).where(
            columns.generation == self._generation,
            columns.cause == cause.key,
            columns.number == number,
        )
        row = (await self._connection.execute(query)).one()
        return Occurrence(row.event_id, row.stream_seq, row.at)

    async def _find(self, id: str) -> Alert | None:
        query = _alerts().where(_ALERT.c.generation == self._generation, _ALERT.c.id == id)
        row = (await self._connection.execute(query)).first()
        return load(row) if row else None

    def _note(self, cause: Cause, event: Occurrence, number: int) -> None:
        self._occurrences.append(
            {
                "generation": self._generation,
                "cause": cause.key,
                "number": number,
                "event_id": event.event_id,
                "stream_seq": event.stream_seq,
                "at": event.at,
            }
        )

    def _row(self, alert: Alert) -> dict[str, Any]:
        cause = alert.cause
        return {
            "generation": self._generation,
            "id": alert.id,
            "cause": cause.key,
            "kind": cause.kind.value,
            "state": alert.state.value,
            "center_id": cause.center_id,
            "node_id": cause.node_id,
            "feed": cause.feed,
            "resource_id": cause.resource_id,
            "opened_at": alert.opened_at,
            "opened_seq": alert.opened_seq,
            "first": alert.first,
            "occurrences": alert.occurrences,
            "gone_at": alert.gone_at,
            "closed_at": alert.closed_at,
        }


def seen_columns() -> list[sa.ColumnElement[Any]]:
    """The columns of what was said of an alert that `load` reads beside those of it."""
    return [
        _ESCALATED.c.at.label("escalated_at"),
        _SEEN.c.occurrences.label("seen_occurrences"),
        _SEEN.c.by.label("seen_by"),
        _SEEN.c.at.label("seen_at"),
        _SEEN.c.comment.label("seen_comment"),
    ]


def with_seen() -> sa.FromClause:
    """The alerts, each with its acknowledgement and its escalation where there are any."""
    joined: sa.FromClause = _ALERT
    for said in (_SEEN, _ESCALATED):
        same = sa.and_(said.c.generation == _ALERT.c.generation, said.c.alert_id == _ALERT.c.id)
        joined = joined.outerjoin(said, same)
    return joined


def load(row: Any) -> Alert:
    """An alert from a row with all its columns and those of `seen_columns`."""
    seen = None
    if row.seen_at is not None:
        seen = Acknowledgement(row.seen_occurrences, row.seen_by, row.seen_at, row.seen_comment)
    return Alert(
        id=row.id,
        cause=Cause(AlertKind(row.kind), row.center_id, row.node_id, row.feed, row.resource_id),
        opened_at=row.opened_at,
        opened_seq=row.opened_seq,
        first=row.first,
        occurrences=row.occurrences,
        gone_at=row.gone_at,
        seen=seen,
        escalated_at=row.escalated_at,
    )


def _alerts() -> sa.Select[Any]:
    return sa.select(_ALERT, *seen_columns()).select_from(with_seen())
