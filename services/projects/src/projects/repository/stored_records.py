"""How all decisions are read to be checked, with the hashes of the evidence on their projects."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError

from projects import tables
from projects.domain.decisions import Decision
from projects.domain.record_check import StoredRecords
from servicekit.database import ReadSession

# Projects at a time: each may have thousands of pieces of evidence.
_PROJECTS = 50
_DECISION = TypeAdapter(Decision)


async def stored_records(session: ReadSession) -> AsyncIterator[StoredRecords]:
    """What is stored of each project that was ever decided on, one after the other."""
    columns, after = tables.project.c, ""
    decided = sa.exists().where(tables.decision.c.project_id == columns.id)
    while True:
        projects = await session.rows(
            sa.select(columns.id, columns.latest_decision_id)
            .where(sa.or_(columns.latest_decision_id != "", decided), columns.id > after)
            .order_by(columns.id)
            .limit(_PROJECTS)
        )
        for one in await _records_of(session, projects):
            yield one
        if len(projects) < _PROJECTS:
            return
        after = projects[-1].id


async def _records_of(session: ReadSession, projects: Sequence[sa.Row[Any]]) -> list[StoredRecords]:
    ids = [row.id for row in projects]
    decisions, evidence = tables.decision.c, tables.evidence.c
    decided = await session.rows(
        sa.select(decisions.id, decisions.project_id, decisions.decision)
        .where(decisions.project_id.in_(ids))
        .order_by(decisions.project_id, decisions.project_version)
    )
    brought = await session.rows(
        sa.select(
            evidence.id,
            evidence.project_id,
            sa.func.coalesce(evidence.file, evidence.reference)["sha256"].astext.label("sha256"),
        ).where(evidence.project_id.in_(ids))
    )
    readable, unreadable = defaultdict[str, list[Decision]](list), defaultdict[str, list[str]](list)
    for row in decided:
        decision = _read(row)
        if decision is None:
            unreadable[row.project_id].append(row.id)
        else:
            readable[row.project_id].append(decision)
    hashes = defaultdict[str, dict[str, str]](dict)
    for row in brought:
        hashes[row.project_id][row.id] = row.sha256 or ""
    return [
        StoredRecords(
            row.id, row.latest_decision_id, readable[row.id], unreadable[row.id], hashes[row.id]
        )
        for row in projects
    ]


def _read(row: sa.Row[Any]) -> Decision | None:
    """A decision; `None` for one that is none any more, or another than its row says."""
    try:
        decision = _DECISION.validate_python(row.decision)
    except ValidationError:
        return None
    is_own = (decision.id, decision.project_id) == (row.id, row.project_id)
    return decision if is_own else None
