"""Brings the flags of projects to what their neighbours are."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import sqlalchemy as sa

from domainkit.aggregate import Occasion
from peyvand.projects.v1 import flags_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from projects.domain.flags import Neighbours
from projects.domain.project import Project
from projects.pathway_templates import template
from projects.repository.gates import require_disinterested
from projects.repository.neighbours import known_neighbours
from projects.repository.projects import (
    lock_under_way,
    of_centers,
    projects,
    under_regulations,
    with_one_that_is_out,
    with_participant,
)
from projects.use_cases.actions import present
from projects.use_cases.projects import lock_led
from servicekit.database import WriteSession
from servicekit.requests import occasion
from servicekit.rpc_server import Call
from servicekit.store import Staged

_ACTOR = "projects"


async def acknowledge_project_flag(
    session: WriteSession, request: flags_pb2.AcknowledgeProjectFlagRequest, call: Call
) -> pb.Project:
    """Note that a changed regulation was looked at for a project."""
    project = await lock_led(session, request.project_id, call, request.etag)
    project.acknowledge_flag(request.regulation_id, occasion(request, call))
    await require_disinterested(session, project, call)
    await projects.save(session, project)
    return await present(session, project, call)


async def heed_changes(
    session: WriteSession,
    now: datetime,
    *,
    center_ids: Iterable[str] = (),
    agreement_ids: Iterable[str] = (),
    regulation_keys: Iterable[str] = (),
) -> None:
    """Flag and unflag the projects that these neighbours concern.

    Call it in the transaction in which the copies of these neighbours are changed, after
    that: whoever records or changes a project holds the copies that it relies upon, and
    has either ended by then, or waits and will read what they are now.
    """
    centers, regulations = list(center_ids), list(regulation_keys)
    any_of = [with_participant(agreement_id=id) for id in agreement_ids]
    if centers:
        any_of.append(of_centers(centers))
    if regulations:
        any_of.append(under_regulations(regulations))
    if any_of:
        await _settle(session, now, *any_of)


async def heed_all(session: WriteSession, now: datetime) -> None:
    """Flag whoever should have been: by a version of this service that knew no flags."""
    await _settle(session, now, with_one_that_is_out())


async def _settle(session: WriteSession, now: datetime, *any_of: sa.ColumnElement[bool]) -> None:
    found = await lock_under_way(session, *any_of)
    if not found:
        return
    # Read under the locks of the projects: who changes another neighbour of one of them
    # meanwhile comes to that project after this.
    neighbours = await known_neighbours(session, found)
    written_at = await session.scalar(sa.select(sa.func.clock_timestamp()))
    told = Occasion(actor=_ACTOR, at=now)
    staged = [step for project in found for step in _steps(project, neighbours, told, written_at)]
    await projects.save_staged(session, staged)


def _steps(
    project: Project, neighbours: Neighbours, told: Occasion, written_at: datetime
) -> Iterator[Staged]:
    due = project.due_flags(neighbours, template(project.template_version))
    if project.unflag(due, told):
        yield projects.stage(project, written_at)
    if project.flag(due, told):
        yield projects.stage(project, written_at)
