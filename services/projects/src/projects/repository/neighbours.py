"""What is known of neighbours, and how external keys are found."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from projects import tables
from projects.domain.flags import KnownRegulation, KnownState, Neighbours
from projects.domain.project import Project
from projects.pathway_templates import template
from projects.repository.projects import projects
from servicekit.database import ReadSession, WriteSession
from servicekit.references import FindByKey


async def known_states(session: ReadSession, table: sa.Table, ids: Iterable[str]) -> dict[str, str]:
    """State of each of these neighbours that is known; empty text for one without states."""
    state = table.c.get("state", sa.literal(""))
    query = sa.select(table.c.id, state.label("state")).where(table.c.id.in_(list(ids)))
    return {row.id: row.state for row in await session.rows(query)}


async def known_parties(session: ReadSession, agreement_ids: Iterable[str]) -> dict[str, set[str]]:
    """Ids of the institutions that are parties of each of these agreements that is known."""
    columns = tables.known_agreement.c
    query = sa.select(columns.id, columns.party_ids).where(columns.id.in_(list(agreement_ids)))
    return {row.id: set(row.party_ids) for row in await session.rows(query)}


async def known_neighbours(session: ReadSession, of: Iterable[Project]) -> Neighbours:
    """What is known of all that projects point to, and of the regulations that they are under."""
    return await _neighbours(session, of, hold=False)


async def hold_neighbours(session: WriteSession, of: Iterable[Project]) -> Neighbours:
    """The same, kept as it is until the transaction ends.

    Word of a change then waits, and finds what this transaction makes of the projects.
    Neighbours are locked before projects, in the order of their tables and ids, here and
    by the consumers, so that none waits for another crosswise.
    """
    return await _neighbours(session, of, hold=True)


class _ChangedError(Exception):
    """A project was changed between its being read and its being locked."""


async def lock_after_neighbours(
    session: WriteSession, where: sa.ColumnElement[bool], *described: Project
) -> tuple[Project | None, Neighbours]:
    """Lock the one project for which a condition holds, if there is one, after its neighbours.

    Those are all that it points to, and besides what it points to as it is `described`.
    This is known only from the project itself: where somebody has changed it before it was
    locked, the locks are given back and all is tried again, so that no neighbour is ever
    waited for with a project in hand.
    """
    while True:
        try:
            async with session.attempt():
                before = await projects.find_by(session, where)
                pointing = [*described, *([before] if before else [])]
                neighbours = await hold_neighbours(session, pointing)
                row = await session.row(sa.select(tables.project).where(where).with_for_update())
                project = projects.load(row) if row else None
                if project and (before is None or project.version != before.version):
                    raise _ChangedError
                return project, neighbours
        except _ChangedError:
            continue


async def regulation_key(session: ReadSession, id: str) -> str:
    """External key of a regulation; empty when it has none or is not known here."""
    table = tables.known_regulation
    query = sa.select(table.c.external_key).where(table.c.id == id)
    return await session.scalar(query) or ""


async def _neighbours(session: ReadSession, of: Iterable[Project], *, hold: bool) -> Neighbours:
    found = list(of)
    agreements = {id for project in found for id in project.agreement_ids()}
    centers = {id for project in found for id in project.center_ids()}
    regulations = {
        key
        for project in found
        for key in template(project.template_version).regulations_of(project.pathway)
    }

    async def rows(column: sa.Column[Any], wanted: set[str]) -> Mapping[str, sa.Row[Any]]:
        if not wanted:
            return {}
        table = column.table
        query = sa.select(table).where(column.in_(sorted(wanted))).order_by(table.c.id)
        if hold:
            query = query.with_for_update(read=True)
        return {getattr(row, column.name): row for row in await session.rows(query)}

    known_agreements = await rows(tables.known_agreement.c.id, agreements)
    known_centers = await rows(tables.known_center.c.id, centers)
    known_regulations = await rows(tables.known_regulation.c.external_key, regulations)
    return Neighbours(
        centers={id: KnownState(r.state, r.state_since) for id, r in known_centers.items()},
        agreements={id: KnownState(r.state, r.state_since) for id, r in known_agreements.items()},
        regulations={
            key: KnownRegulation(r.id, r.state, r.changed_at, r.changed_version)
            for key, r in known_regulations.items()
        },
    )


def _by_key(table: sa.Table) -> FindByKey:
    async def find(session: ReadSession, external_key: str) -> str | None:
        query = sa.select(table.c.id).where(table.c.external_key == external_key)
        return await session.scalar(query.limit(1))

    return find


FIND_BY_KEY: Mapping[str, FindByKey] = {
    "center": _by_key(tables.known_center),
    "institution": _by_key(tables.known_institution),
    "agreement": _by_key(tables.known_agreement),
    "project": _by_key(tables.project),
}
"""How a row's external keys are found, by the kind of resource."""
