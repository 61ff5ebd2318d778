"""What evidence and waivers have in common: they belong to a project, and change under its lock.

Whoever reads the project's row under its lock so sees what holds until the transaction ends.
"""

from typing import Any, TypeVar

from projects.domain.pathways import Criterion
from projects.domain.project import Project
from projects.domain.visits import criterion_of, require_under_way
from projects.pathway_templates import template
from projects.repository.gates import reads
from projects.repository.projects import lock_reached, projects, require_reached
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault, Violation
from servicekit.rpc_server import Call
from servicekit.store import AggregateStore

A = TypeVar("A", bound=Any)


async def lock_project(session: WriteSession, project_id: str, call: Call) -> Project:
    """Lock a project for which something is brought.

    Raises `Fault` ``NOT_FOUND`` if the caller does not see it, `Refused`
    ``PROJECT_HAS_ENDED`` if it takes nothing any more.
    """
    project = await lock_reached(session, project_id, call, projects.kind, project_id)
    require_under_way(project)
    return project


async def require_own(session: ReadSession, project_id: str, call: Call) -> None:
    """Raise `Fault` ``NOT_FOUND`` for a project that the caller brings nothing to."""
    require_reached(await projects.get(session, project_id), call, projects.kind, project_id)


async def get_with_project(
    session: ReadSession, store: AggregateStore[A, Any], id: str, call: Call
) -> tuple[A, Project]:
    """Evidence or a waiver, and its project. Raises `Fault` ``NOT_FOUND`` if it is not read."""
    found = await store.get(session, id)
    project = await projects.get(session, found.project_id)
    if not await reads(session, project, call):
        raise Fault.not_found(store.kind, id)
    return found, project


async def lock_with_project(
    session: WriteSession, store: AggregateStore[A, Any], id: str, call: Call, etag: str
) -> tuple[A, Project]:
    """Lock evidence or a waiver to take a step, after its project.

    Raises `Fault` ``NOT_FOUND`` if it is not seen, or as `AggregateStore.lock` does;
    `Refused` ``PROJECT_HAS_ENDED``.
    """
    known = await store.get(session, id)
    project = await lock_reached(session, known.project_id, call, store.kind, id)
    found = await store.lock(session, id, etag)
    require_under_way(project)
    return found, project


def required_criterion(project: Project, code: str) -> Criterion:
    """The criterion that a project has under this code. Raises `Fault` ``UNKNOWN_CRITERION``."""
    criterion = criterion_of(project, template(project.template_version), code)
    if criterion is None:
        params = {
            "value": code,
            "pathway": project.pathway.value,
            "version": project.template_version,
        }
        raise Fault.invalid(Violation("criterion", "UNKNOWN_CRITERION", params))
    return criterion
