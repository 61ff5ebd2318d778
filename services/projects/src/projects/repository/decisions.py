"""How decisions are stored and found."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from peyvand.projects.v1 import decisions_pb2
from projects import tables
from projects.domain.decisions import Decision
from projects.domain.project import Project
from projects.repository.projects import projects
from servicekit import paging
from servicekit.database import ReadSession, WriteSession
from servicekit.mapping import to_message

_DECISION = TypeAdapter(Decision)


async def save_decided(session: WriteSession, project: Project, decision: Decision) -> None:
    """Write a project's step together with the decision that made it, and announce both."""
    row = {
        "id": decision.id,
        "project_id": decision.project_id,
        "project_version": project.version,
        "kind": decision.kind,
        "from_stage": decision.from_stage,
        "to_stage": decision.to_stage,
        "created_at": decision.created_at,
        "decision": _DECISION.dump_python(decision, mode="json"),
    }
    await session.execute(sa.insert(tables.decision), [row])
    message = to_message(decision, decisions_pb2.Decision)
    await projects.save(session, project, beside={"decision": message})


async def find_decision(session: ReadSession, project_id: str, id: str) -> Decision | None:
    """The decision with this id on a project, or `None`."""
    columns = tables.decision.c
    query = sa.select(columns.decision).where(columns.id == id, columns.project_id == project_id)
    found = await session.scalar(query)
    return None if found is None else _DECISION.validate_python(found)


async def visits_of(session: ReadSession, ids: Iterable[str]) -> Mapping[str, int]:
    """The stage visits at which decisions were made, by their ids; 0 where it was not kept."""
    columns = tables.decision.c
    visit = sa.func.coalesce(sa.cast(columns.decision["visit"].astext, sa.Integer), 0)
    query = sa.select(columns.id, visit.label("visit")).where(columns.id.in_(sorted(set(ids))))
    return {row.id: row.visit for row in await session.rows(query)}


async def latest_decision(session: ReadSession, project_id: str) -> Decision | None:
    """The last decision on a project, or `None` before the first."""
    columns = tables.decision.c
    query = sa.select(columns.decision).where(columns.project_id == project_id)
    found = await session.scalar(query.order_by(columns.project_version.desc()).limit(1))
    return None if found is None else _DECISION.validate_python(found)


async def decisions_on(
    session: ReadSession, project_id: str, request: Any
) -> tuple[list[decisions_pb2.Decision], str]:
    """A page of the decisions on a project, the oldest first, and the next token."""
    size, after = paging.page_size(request), paging.read_token(request, paging.number)
    columns = tables.decision.c
    rows = await session.rows(
        sa.select(tables.decision)
        .where(columns.project_id == project_id)
        .where(columns.project_version > (after[0] if after else 0))
        .order_by(columns.project_version)
        .limit(size + 1)
    )
    token = ""
    if len(rows) > size:
        token = paging.write_token(request, [str(rows[size - 1].project_version)])
    found = [_DECISION.validate_python(row.decision) for row in rows[:size]]
    return [to_message(decision, decisions_pb2.Decision) for decision in found], token
