"""How tests of flags look at the whole database: what must hold of every project, always."""

import contextlib
from collections.abc import Generator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from peyvand.projects.v1 import projects_pb2 as pb
from projects import tables
from projects.pathway_templates import template
from projects.repository.neighbours import known_neighbours
from projects.repository.projects import projects
from servicekit.database import Database
from servicekit.mapping import to_datetime
from servicekit.messaging_tables import TABLES
from tests.integration.projects.conftest import ProjectsBench


async def require_right_flags(bench: ProjectsBench) -> int:
    """Every project has the flags that are due, and a step and an event for each change.

    Gives how many projects are flagged.
    """
    async with bench.database.read() as session:
        rows = await session.rows(sa.select(tables.project).order_by(tables.project.c.id))
        found = [projects.load(row) for row in rows]
        neighbours = await known_neighbours(session, found)
        step = tables.service_tables.step.c
        steps = await session.rows(
            sa.select(step.aggregate_id, step.version, step.step["action"].astext.label("action"))
            .where(step.aggregate_id.like("prj_%"))
            .order_by(step.aggregate_id, step.version)
        )
        out = TABLES.outbox.c
        events = await session.rows(
            sa.select(out.aggregate_id, out.aggregate_version, out.type, out.payload)
            .where(out.aggregate_id.like("prj_%"))
            .order_by(out.seq)
        )
    for project in found:
        due = project.due_flags(neighbours, template(project.template_version))
        assert project.flags == due, project.id
    told: dict[str, list[tuple[int, str]]] = {}
    shown: dict[str, list[list[tuple[int, str, str, datetime | None]]]] = {}
    for row in events:
        told.setdefault(row.aggregate_id, []).append(
            (row.aggregate_version, row.type.rpartition(".")[2])
        )
        announced = pb.ProjectEvent.FromString(row.payload).project.flags
        shown.setdefault(row.aggregate_id, []).append(
            [
                (
                    flag.kind,
                    flag.resource_id,
                    flag.state,
                    to_datetime(flag.since) if flag.HasField("since") else None,
                )
                for flag in announced
            ]
        )
    noted: dict[str, list[tuple[int, str]]] = {}
    for row in steps:
        noted.setdefault(row.aggregate_id, []).append((row.version, row.action))
    assert told == noted
    for project in found:
        taken = noted[project.id]
        assert [version for version, _ in taken] == list(range(1, project.version + 1))
        flags = shown[project.id]
        for place, (_, action) in enumerate(taken):
            # Nothing twice: each such step shows other flags than the one before.
            if action == "flagged":
                assert set(flags[place]) - set(flags[place - 1]), project.id
            elif action == "unflagged":
                assert set(flags[place - 1]) - set(flags[place]), project.id
        assert flags[-1] == [
            (_KINDS[flag.kind.value], flag.resource_id, flag.state, flag.since)
            for flag in project.flags
        ]
    return sum(bool(project.flags) for project in found)


_KINDS = {"center_unavailable": 1, "agreement_not_in_force": 2, "regulation_changed": 3}


async def steps_of(bench: ProjectsBench, id: str) -> list[dict[str, Any]]:
    """The steps that a project has taken, the oldest first."""
    step = tables.service_tables.step.c
    async with bench.database.read() as session:
        query = sa.select(step.step).where(step.aggregate_id == id).order_by(step.version)
        return [row.step for row in await session.rows(query)]


async def deadlocks(bench: ProjectsBench) -> int:
    """How often PostgreSQL had to break a circle of waiting in this database."""
    async with bench.database.engine.connect() as connection:
        await connection.execute(sa.text("SELECT pg_stat_clear_snapshot()"))
        query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        return (await connection.execute(sa.text(query))).scalar_one()


@contextlib.contextmanager
def statements(database: Database) -> Generator[list[str]]:
    """The statements that are run within the block."""
    seen: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        seen.append(statement)

    sync = database.engine.sync_engine
    event.listen(sync, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(sync, "before_cursor_execute", note)
