"""How projects are stored and found, and who sees them."""

from collections.abc import Iterable

import sqlalchemy as sa

from peyvand.projects.v1 import projects_pb2 as pb
from projects import tables
from projects.domain.flags import IN_FORCE, LEADING_STATES, FlagKind
from projects.domain.pathways import Pathway
from projects.domain.project import ENDED, Project
from projects.pathway_templates import template, versions
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault
from servicekit.policy import reaches
from servicekit.rpc_server import Call
from servicekit.store import AggregateStore


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


def require_reached(project: Project, call: Call, kind: str, id: str) -> None:
    """Raise `Fault` ``NOT_FOUND`` for what is of a project, if the caller does not reach that."""
    if not reaches(call.rpc, call.principal, own=seen_by_caller(project, call)):
        raise Fault.not_found(kind, id)


async def lock_reached(
    session: WriteSession, project_id: str, call: Call, kind: str, id: str
) -> Project:
    """Lock a project to change what is of it: a resource of this kind and id.

    Raises as `require_reached` does, before the lock, so that no stranger holds it, and
    under it: the caller's center may have been taken off while the project was waited for.
    """
    require_reached(await projects.get(session, project_id), call, kind, id)
    project = await projects.lock(session, project_id)
    require_reached(project, call, kind, id)
    return project


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


def with_flag(kind: FlagKind) -> sa.ColumnElement[bool]:
    """Condition: a project has a flag of this kind."""
    return tables.project.c.flags.contains([{"kind": kind.value}])


def under_regulations(external_keys: Iterable[str]) -> sa.ColumnElement[bool]:
    """Condition: a project is under way, and its template cites one of these regulations.

    That is, in a criterion of the present stage or of one that comes after it.
    """
    columns = tables.project.c
    places = [
        sa.and_(
            columns.template_version == version,
            columns.pathway == pathway,
            columns.stage.in_(stages),
        )
        for version in versions()
        for pathway in Pathway
        for key in external_keys
        if (stages := template(version).stages_before_leaving(pathway, key))
    ]
    return sa.and_(_UNDER_WAY, sa.or_(sa.false(), *places))


def with_one_that_is_out() -> sa.ColumnElement[bool]:
    """Condition: a center or an agreement of a project is out, whether it is flagged or not."""
    columns = tables.project.c
    center, agreement = tables.known_center.c, tables.known_agreement.c
    center_is_out = center.state.not_in(sorted(LEADING_STATES))

    def of_a_participant(name: str) -> sa.ColumnElement[str]:
        parts = sa.func.jsonb_array_elements(columns.participants)
        return parts.column_valued(f"part_with_{name}").op("->>")(name)

    return sa.or_(
        sa.exists().where(center.id == columns.lead_center_id, center_is_out),
        sa.exists().where(center.id == of_a_participant("center_id"), center_is_out),
        sa.exists().where(
            agreement.id == of_a_participant("agreement_id"), agreement.state != IN_FORCE
        ),
    )


async def lock_under_way(session: WriteSession, *any_of: sa.ColumnElement[bool]) -> list[Project]:
    """Read, to change them, the projects under way for which any of these conditions holds."""
    table = tables.project
    query = sa.select(table).where(_UNDER_WAY, sa.or_(sa.false(), *any_of))
    rows = await session.rows(query.order_by(table.c.id).with_for_update(of=table))
    return [projects.load(row) for row in rows]


_UNDER_WAY = tables.project.c.state.not_in(sorted(ENDED))


async def existing_projects(session: ReadSession, ids: Iterable[str]) -> set[str]:
    """Those of these ids that projects have."""
    column = tables.project.c.id
    return {row.id for row in await session.rows(sa.select(column).where(column.in_(list(ids))))}


async def projects_of(session: ReadSession, ids: Iterable[str]) -> list[Project]:
    """Those projects that have one of these ids."""
    rows = await session.rows(sa.select(tables.project).where(tables.project.c.id.in_(list(ids))))
    return [projects.load(row) for row in rows]
