"""How all that belongs to a project is read for its dossier, page by page."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from google.protobuf.message import Message
from pydantic import TypeAdapter

from domainkit.aggregate import Aggregate, Step
from domainkit.values import LocalizedText
from projects import tables
from projects.domain.decisions import Decision
from servicekit.database import ReadSession
from servicekit.store import AggregateStore

A = TypeVar("A", bound=Aggregate)
R = TypeVar("R", bound=Message)

_PAGE = 500
_DECISION = TypeAdapter(Decision)
_STEP = TypeAdapter(Step)
_step = tables.service_tables.step


class Room:
    """How many more items there is room for."""

    def __init__(self, items: int) -> None:
        self.left = items

    def take(self, items: int) -> bool:
        """Take room for so many; `False` when there is not enough."""
        self.left -= items
        return self.left >= 0


class NoRoomError(Exception):
    """There is more than there is room for."""


async def all_of_project(
    session: ReadSession, store: AggregateStore[A, R], project_id: str, room: Room
) -> list[A]:
    """All aggregates of one kind that belong to a project, in the order of their making.

    Raises `NoRoomError`.
    """
    columns, found, after = store.table.c, list[A](), ""
    while True:
        query = (
            sa.select(store.table)
            .where(columns.project_id == project_id, columns.id > after)
            .order_by(columns.id)
            .limit(_PAGE)
        )
        page = [store.load(row) for row in await session.rows(query)]
        _take(room, len(page))
        found += page
        if len(page) < _PAGE:
            return found
        after = page[-1].id


async def all_steps(
    session: ReadSession, ids: Sequence[str], room: Room
) -> Mapping[str, list[Step]]:
    """The steps that aggregates took, by their ids, the oldest first. Raises `NoRoomError`."""
    found: dict[str, list[Step]] = {id: [] for id in ids}
    for place in range(0, len(ids), _PAGE):
        some = list(ids[place : place + _PAGE])
        after: tuple[str, int] | None = None
        while True:
            query = sa.select(_step).where(_step.c.aggregate_id.in_(some))
            if after:
                position = sa.tuple_(_step.c.aggregate_id, _step.c.version)
                query = query.where(position > sa.tuple_(*(sa.literal(part) for part in after)))
            query = query.order_by(_step.c.aggregate_id, _step.c.version).limit(_PAGE)
            rows = await session.rows(query)
            _take(room, len(rows))
            for row in rows:
                found[row.aggregate_id].append(_STEP.validate_python(row.step))
            if len(rows) < _PAGE:
                break
            after = (rows[-1].aggregate_id, rows[-1].version)
    return found


async def all_decisions(session: ReadSession, project_id: str, room: Room) -> list[Decision]:
    """All decisions on a project, the oldest first. Raises `NoRoomError`."""
    columns, found, after = tables.decision.c, list[Decision](), 0
    while True:
        rows = await session.rows(
            sa.select(columns.project_version, columns.decision)
            .where(columns.project_id == project_id, columns.project_version > after)
            .order_by(columns.project_version)
            .limit(_PAGE)
        )
        _take(room, len(rows))
        found += [_DECISION.validate_python(row.decision) for row in rows]
        if len(rows) < _PAGE:
            return found
        after = rows[-1].project_version


async def names_of(session: ReadSession, ids: Iterable[str]) -> dict[str, LocalizedText]:
    """What centers, institutions and agreements are called now, as far as it is known here."""
    wanted = sorted({id for id in ids if id})
    found: dict[str, LocalizedText] = {}
    for table, column, read in _NAMED:
        rows = await session.rows(
            sa.select(table.c.id, table.c[column].label("name")).where(table.c.id.in_(wanted))
        )
        found |= {row.id: read(row.name) for row in rows}
    return dict(sorted(found.items()))


def _take(room: Room, items: int) -> None:
    if not room.take(items):
        raise NoRoomError


def _localized(name: Mapping[str, str]) -> LocalizedText:
    return LocalizedText(fa=name.get("fa", ""), en=name.get("en", ""))


def _official(names: Sequence[Mapping[str, str]]) -> LocalizedText:
    """The first official name in each of the two languages, or the first in any."""
    # An acronym or another spelling is no name to be read first.
    ranked = sorted(names, key=lambda name: name.get("kind", "") not in _OFFICIAL)
    by_language: dict[str, str] = {}
    for name in ranked:
        by_language.setdefault(name.get("language", "").partition("-")[0], name.get("text", ""))
    fa, en = by_language.get("fa", ""), by_language.get("en", "")
    return LocalizedText(fa=fa, en=en or ("" if fa else next(iter(by_language.values()), "")))


_OFFICIAL = frozenset({"", "NAME_KIND_OFFICIAL"})
_NAMED: Sequence[tuple[sa.Table, str, Any]] = (
    (tables.known_center, "names", _localized),
    (tables.known_institution, "names", _official),
    (tables.known_agreement, "titles", _localized),
)
