"""What the service does with conditions: reporting, returning and confirming."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from peyvand.projects.v1 import conditions_pb2 as pb
from projects import tables
from projects.domain.conditions import ConditionReport, ProjectCondition, Shown
from projects.domain.project import Project
from projects.repository.conditions import conditions, find_shown, overdue_on, shown_by_reports
from projects.repository.decisions import find_decision, visits_of
from projects.repository.gates import read_by, reads, require_disinterested, stakes
from projects.repository.projects import (
    lock_reached,
    projects,
    projects_of,
    seen_by_caller,
)
from servicekit.contract import enum_names
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault, Violation
from servicekit.policy import sees_all
from servicekit.requests import occasion
from servicekit.rpc_server import Call


async def get_project_condition(
    session: ReadSession, request: pb.GetProjectConditionRequest, call: Call
) -> pb.ProjectCondition:
    """Give one condition."""
    condition, project = await _get_read(session, request.condition_id, call)
    return await _present(session, condition, project, call)


async def list_project_conditions(
    session: ReadSession, request: pb.ListProjectConditionsRequest, call: Call
) -> pb.ListProjectConditionsResponse:
    """Give a page of the conditions that the caller sees."""
    columns = tables.project_condition.c
    where: list[Any] = []
    if not sees_all(call.rpc, call.principal):
        where.append(columns.project_id.in_(sa.select(tables.project.c.id).where(read_by(call))))
    if request.project_id:
        where.append(columns.project_id == request.project_id)
    if request.state:
        where.append(columns.state == enum_names(pb.ConditionState.DESCRIPTOR)[request.state])
    if request.HasField("overdue"):
        overdue = overdue_on(call.now.date())
        where.append(overdue if request.overdue else sa.not_(overdue))
    if request.external_key:
        where.append(columns.external_key == request.external_key)
    found, token = await conditions.page(session, request, *where)
    of_found = await projects_of(session, {condition.project_id for condition in found})
    of = {project.id: project for project in of_found}
    return pb.ListProjectConditionsResponse(
        conditions=await _present_all(session, found, of, call), next_page_token=token
    )


async def report_project_condition(
    session: WriteSession, request: pb.ReportProjectConditionRequest, call: Call
) -> pb.ProjectCondition:
    """Take what someone says of a condition being met."""
    condition, project = await _lock_seen(session, request.condition_id, call, request.etag)
    when = occasion(request, call)
    shown = await _shown(session, condition, request.evidence_id)
    report = ConditionReport(when.actor, when.at, request.evidence_id, request.note)
    condition.tell(report, shown, when)
    await conditions.save(session, condition)
    return await _present(session, condition, project, call)


async def return_project_condition(
    session: WriteSession, request: pb.ProjectConditionStepRequest, call: Call
) -> pb.ProjectCondition:
    """Find that what was reported does not show that a condition is met."""
    condition, project = await _lock_seen(session, request.condition_id, call, request.etag)
    condition.give_back(occasion(request, call))
    await conditions.save(session, condition)
    return await _present(session, condition, project, call)


async def confirm_project_condition(
    session: WriteSession, request: pb.ProjectConditionStepRequest, call: Call
) -> pb.ProjectCondition:
    """Find that a condition is met, as another has reported."""
    condition, project = await _lock_seen(session, request.condition_id, call, request.etag)
    shown_by = condition.report.evidence_id if condition.report else ""
    shown = await _shown(session, condition, shown_by)
    decision = await find_decision(session, condition.project_id, condition.decision_id)
    condition.confirm(shown, decision.visit if decision else 0, occasion(request, call))
    await require_disinterested(session, project, call)
    await conditions.save(session, condition)
    return await _present(session, condition, project, call)


async def list_project_condition_steps(
    session: ReadSession, request: pb.ListProjectConditionStepsRequest, call: Call
) -> pb.ListProjectConditionStepsResponse:
    """Give a page of the steps that a condition has taken."""
    condition, _ = await _get_read(session, request.condition_id, call)
    steps, token = await conditions.steps(session, condition.id, request)
    return pb.ListProjectConditionStepsResponse(steps=steps, next_page_token=token)


async def _get_read(session: ReadSession, id: str, call: Call) -> tuple[ProjectCondition, Project]:
    """A condition and its project, also for who reviews it. Raises `Fault` ``NOT_FOUND``."""
    condition = await conditions.get(session, id)
    project = await projects.get(session, condition.project_id)
    if not await reads(session, project, call):
        raise Fault.not_found(conditions.kind, id)
    return condition, project


async def _lock_seen(
    session: WriteSession, id: str, call: Call, etag: str
) -> tuple[ProjectCondition, Project]:
    # Whether the caller sees it comes first: an etag tells nobody that a condition exists.
    known = await conditions.get(session, id)
    # The project first, then its condition: everyone locks in this order. Evidence changes
    # under the lock of the project, so that what shows a condition stays as it is meanwhile.
    project = await lock_reached(session, known.project_id, call, conditions.kind, id)
    return await conditions.lock(session, id, etag), project


async def _shown(session: ReadSession, condition: ProjectCondition, id: str) -> Shown | None:
    """The evidence of the same project with this id; `None` where none is named.

    Raises `Fault` for one that the project does not have.
    """
    if not id:
        return None
    shown = await find_shown(session, condition.project_id, id)
    if shown is None:
        params = {"resource": "evidence", "value": id}
        raise Fault.invalid(Violation("evidence_id", "UNKNOWN_REFERENCE", params))
    return shown


async def _present(
    session: ReadSession, condition: ProjectCondition, project: Project, call: Call
) -> pb.ProjectCondition:
    (message,) = await _present_all(session, [condition], {project.id: project}, call)
    return message


async def _present_all(
    session: ReadSession,
    found: Sequence[ProjectCondition],
    of: Mapping[str, Project],
    call: Call,
) -> list[pb.ProjectCondition]:
    """Conditions as this caller sees them, for the day of the call; `of` are their projects.

    They are the own ones of those who see them with a project of theirs; who reviews that
    reads them.
    """
    me, today = call.principal.subject, call.now.date()
    # What was reported is confirmed by few: the rest is read for what waits for that alone.
    waiting = [item for item in found if item.report and "confirm" in item.allowed_steps()]
    ids = {item.project_id for item in waiting}
    tied = await stakes(session, [of[id] for id in sorted(ids)], call) if waiting else {}
    shown = await shown_by_reports(session, waiting) if waiting else {}
    visits = await visits_of(session, (i.decision_id for i in waiting)) if waiting else {}
    messages: list[pb.ProjectCondition] = []
    for item in found:
        stake = tied.get(item.project_id)
        steps = item.steps_of(
            me,
            shown.get(item.id),
            visits.get(item.decision_id, 0),
            is_outside=stake is not None and stake.is_none,
        )
        own = seen_by_caller(of[item.project_id], call)
        message = conditions.present(item, call, own=own, steps=steps)
        message.overdue = item.is_overdue(today)
        messages.append(message)
    return messages
