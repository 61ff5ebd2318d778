"""What the service does with waivers."""

from collections.abc import Collection
from typing import Any

from peyvand.projects.v1 import waivers_pb2 as pb
from projects import tables
from projects.domain.project import Project
from projects.domain.team import Team
from projects.domain.visits import Visited, is_under_way
from projects.domain.waivers import Waiver
from projects.repository.criteria import of_projects_seen, projects_by_id, waiting_waiver, waivers
from projects.repository.gates import conflicts_at, in_conflict_at, team_behind, teams
from projects.repository.projects import seen_by_caller
from projects.use_cases.criteria import (
    get_with_project,
    lock_project,
    lock_with_project,
    required_criterion,
)
from servicekit.contract import enum_names
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault, Violation
from servicekit.ids import new_id
from servicekit.mapping import read_fields
from servicekit.policy import sees_all
from servicekit.requests import occasion
from servicekit.rpc_server import Call


async def get_waiver(session: ReadSession, request: pb.GetWaiverRequest, call: Call) -> pb.Waiver:
    """Give one waiver."""
    found, project = await get_with_project(session, waivers, request.waiver_id, call)
    return await _present(session, found, project, call)


async def list_waivers(
    session: ReadSession, request: pb.ListWaiversRequest, call: Call
) -> pb.ListWaiversResponse:
    """Give a page of the waivers that the caller sees."""
    columns = tables.waiver.c
    where: list[Any] = []
    if not sees_all(call.rpc, call.principal):
        where.append(of_projects_seen(tables.waiver, call))
    if request.project_id:
        where.append(columns.project_id == request.project_id)
    if request.criterion:
        where.append(columns.criterion == request.criterion)
    if request.state:
        where.append(columns.state == enum_names(pb.WaiverState.DESCRIPTOR)[request.state])
    if request.external_key:
        where.append(columns.external_key == request.external_key)
    found, token = await waivers.page(session, request, *where)
    projects = await projects_by_id(session, (item.project_id for item in found))
    known = await teams(session, projects.values())
    conflicts = await in_conflict_at(session, {(w.project_id, w.visit) for w in found})
    return pb.ListWaiversResponse(
        waivers=[
            _message(
                item,
                projects[item.project_id],
                known[item.project_id],
                conflicts.get((item.project_id, item.visit), frozenset()),
                call,
            )
            for item in found
        ],
        next_page_token=token,
    )


async def create_waiver(
    session: WriteSession, request: pb.CreateWaiverRequest, call: Call
) -> pb.Waiver:
    """Ask for a waiver of a criterion of the project's present stage visit."""
    values = read_fields(request.waiver, Waiver, only=Waiver.FIXED)
    project = await lock_project(session, values["project_id"], call)
    criterion = required_criterion(project, values["criterion"])
    if criterion.stage != project.stage:
        params = {"stage": criterion.stage.value, "present": project.stage.value}
        raise Fault.invalid(Violation("criterion", "CRITERION_OF_OTHER_STAGE", params))
    if not criterion.deferrable:
        params = {"criterion": criterion.code}
        raise Fault.invalid(Violation("criterion", "CRITERION_NOT_DEFERRABLE", params))
    made = Waiver(
        id=new_id(waivers.id_prefix),
        created_at=call.now,
        updated_at=call.now,
        state_since=call.now,
        stage=criterion.stage,
        visit=Visited.by(project).present,
        requested_by=call.principal.subject,
        **values,
    )
    made.recorded(occasion(request, call))
    if waiting := await waiting_waiver(session, made):
        raise Fault("WAIVER_WAITS", {"id": waiting})
    await waivers.save(session, made)
    return await _present(session, made, project, call)


async def grant_waiver(
    session: WriteSession, request: pb.WaiverStepRequest, call: Call
) -> pb.Waiver:
    """Give the leave that was asked for."""
    found, project = await _lock(session, request, call)
    team = await team_behind(session, project)
    in_conflict = await _in_conflict(session, found)
    found.grant(
        Visited.by(project),
        team,
        occasion(request, call),
        center_ids=call.principal.center_ids,
        in_conflict=in_conflict,
    )
    await waivers.save(session, found)
    return _message(found, project, team, in_conflict, call)


async def refuse_waiver(
    session: WriteSession, request: pb.WaiverStepRequest, call: Call
) -> pb.Waiver:
    """Not give it."""
    found, project = await _lock(session, request, call)
    found.refuse(occasion(request, call))
    await waivers.save(session, found)
    return await _present(session, found, project, call)


async def take_waiver_step(
    session: WriteSession, request: pb.WaiverStepRequest, call: Call, action: str
) -> pb.Waiver:
    """Take one step in the life of a waiver that depends on its state alone."""
    found, project = await _lock(session, request, call)
    found.take(action, occasion(request, call))
    await waivers.save(session, found)
    return await _present(session, found, project, call)


async def list_waiver_steps(
    session: ReadSession, request: pb.ListWaiverStepsRequest, call: Call
) -> pb.ListWaiverStepsResponse:
    """Give a page of the steps that a waiver has taken."""
    found, _ = await get_with_project(session, waivers, request.waiver_id, call)
    steps, token = await waivers.steps(session, found.id, request)
    return pb.ListWaiverStepsResponse(steps=steps, next_page_token=token)


async def _lock(
    session: WriteSession, request: pb.WaiverStepRequest, call: Call
) -> tuple[Waiver, Project]:
    return await lock_with_project(session, waivers, request.waiver_id, call, request.etag)


async def _in_conflict(session: ReadSession, found: Waiver) -> frozenset[str]:
    """Who has declared a conflict of interest at a gate over the visit of a waiver."""
    conflicts = await conflicts_at(session, found.project_id, found.visit)
    return frozenset(item.subject for item in conflicts)


async def _present(session: ReadSession, found: Waiver, project: Project, call: Call) -> pb.Waiver:
    team = await team_behind(session, project)
    return _message(found, project, team, await _in_conflict(session, found), call)


def _message(
    found: Waiver, project: Project, team: Team, in_conflict: Collection[str], call: Call
) -> pb.Waiver:
    today, me = call.now.date(), call.principal
    steps = found.steps_of(
        me.subject,
        Visited.by(project),
        team,
        today,
        me.center_ids,
        in_conflict=in_conflict,
        under_way=is_under_way(project),
    )
    message = waivers.present(found, call, own=seen_by_caller(project, call), steps=steps)
    message.expired = found.is_expired(today)
    return message
