"""How projects, decisions and companies are stored and found, and what is known of neighbours."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from peyvand.projects.v1 import companies_pb2, decisions_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from projects import tables
from projects.domain.company import Company
from projects.domain.decisions import Decision
from projects.domain.project import Project
from servicekit import paging
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault
from servicekit.mapping import to_message
from servicekit.references import FindByKey
from servicekit.rpc_server import Call
from servicekit.store import AggregateStore

_DECISION = TypeAdapter(Decision)


def led_by_caller(project: Project, call: Call) -> bool:
    """A center acts on the projects that it leads."""
    return project.lead_center_id in call.principal.center_ids


def seen_by_caller(project: Project, call: Call) -> bool:
    """A center sees the projects that it leads or takes part in."""
    own = call.principal.center_ids
    return project.lead_center_id in own or any(p.center_id in own for p in project.participants)


projects: AggregateStore[Project, pb.Project] = AggregateStore(
    Project,
    table=tables.project,
    steps=tables.service_tables.step,
    resource=pb.Project,
    event=pb.ProjectEvent,
    owned_by=led_by_caller,
)
companies: AggregateStore[Company, companies_pb2.Company] = AggregateStore(
    Company,
    table=tables.company,
    steps=tables.service_tables.step,
    resource=companies_pb2.Company,
    event=companies_pb2.CompanyEvent,
)


def of_centers(center_ids: Iterable[str]) -> sa.ColumnElement[bool]:
    """Condition: a project is led by one of these centers, or one takes part in it."""
    ids = sorted(center_ids)
    return sa.or_(
        tables.project.c.lead_center_id.in_(ids),
        *(with_participant(center_id=id) for id in ids),
    )


def with_participant(**field: str) -> sa.ColumnElement[bool]:
    """Condition: a project has a participant with this value in this field."""
    return tables.project.c.participants.contains([field])


def out_of_projects_of(center_ids: Iterable[str]) -> sa.ColumnElement[bool]:
    """Condition: a company came out of a project of one of these centers.

    The ids are taken out of the list, so that each project is found by its key; asked
    the other way round, every company is compared with every project of the centers.
    """
    came_from = sa.func.jsonb_array_elements_text(tables.company.c.project_ids)
    id = came_from.column_valued("came_from_id")
    return sa.exists().where(tables.project.c.id == id, of_centers(center_ids))


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


async def require_free_registration(session: ReadSession, company: Company) -> None:
    """Raise `Fault` ``REGISTRATION_TAKEN`` if another company has the number."""
    number, columns = company.registration_number, tables.company.c
    if not number:
        return
    other = await companies.find_by(
        session, columns.registration_number == number, columns.id != company.id
    )
    if other is not None:
        raise Fault("REGISTRATION_TAKEN", {"value": number, "id": other.id})


async def existing_projects(session: ReadSession, ids: Iterable[str]) -> set[str]:
    """Those of these ids that projects have."""
    column = tables.project.c.id
    return {row.id for row in await session.rows(sa.select(column).where(column.in_(list(ids))))}


async def known_states(session: ReadSession, table: sa.Table, ids: Iterable[str]) -> dict[str, str]:
    """State of each of these neighbours that is known; empty text for one without states."""
    state = table.c.get("state", sa.literal(""))
    query = sa.select(table.c.id, state.label("state")).where(table.c.id.in_(list(ids)))
    return {row.id: row.state for row in await session.rows(query)}


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
