"""What the service does with awards.

Whatever depends on the project is done under the lock of its row, which decisions and
evidence are made under as well; the award's row is locked after it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from peyvand.projects.v1 import awards_pb2 as pb
from projects import tables
from projects.domain.awards import Award
from projects.domain.money import Money
from projects.domain.payability import can_be_paid, require_payable
from projects.domain.project import Project, ProjectState
from projects.repository.awards import (
    awards,
    awards_of_centers,
    evidence_found,
    evidence_states,
    save_released,
)
from projects.repository.conditions import overdue_conditions
from projects.repository.gates import require_disinterested, stakes
from projects.repository.neighbours import (
    known_neighbours,
    known_states,
    lock_after_neighbours,
)
from projects.repository.projects import (
    lock_reached,
    projects,
    projects_of,
    require_reached,
)
from servicekit.contract import enum_names
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault, Violation
from servicekit.ids import new_id
from servicekit.mapping import from_message, read_fields
from servicekit.policy import sees_all
from servicekit.requests import masked_fields, occasion
from servicekit.rpc_server import Call


async def get_award(session: ReadSession, request: pb.GetAwardRequest, call: Call) -> pb.Award:
    """Give one award."""
    award, project = await _get_seen(session, request.award_id, call)
    return await _present(session, award, project, call)


async def list_awards(
    session: ReadSession, request: pb.ListAwardsRequest, call: Call
) -> pb.ListAwardsResponse:
    """Give a page of the awards that the caller sees."""
    columns = tables.award.c
    where: list[Any] = []
    if not sees_all(call.rpc, call.principal):
        where.append(awards_of_centers(call.principal.center_ids))
    if request.project_id:
        where.append(columns.project_id == request.project_id)
    if request.state:
        where.append(columns.state == enum_names(pb.AwardState.DESCRIPTOR)[request.state])
    if request.center_id:
        where.append(awards_of_centers([request.center_id]))
    if request.institution_id:
        where.append(columns.funder["institution_id"].astext == request.institution_id)
    if request.currency:
        where.append(columns.currency == request.currency)
    if request.external_key:
        where.append(columns.external_key == request.external_key)
    found, token = await awards.page(session, request, *where)
    ids = {award.project_id for award in found}
    of_id = {project.id: project for project in await projects_of(session, ids)}
    return pb.ListAwardsResponse(
        awards=await _present_all(session, found, of_id, call), next_page_token=token
    )


async def create_award(
    session: WriteSession, request: pb.CreateAwardRequest, call: Call
) -> pb.Award:
    """Record an award for a project."""
    values = read_fields(request.award, Award, only=_GIVEN)
    if await projects.find(session, values["project_id"]) is None:
        params = {"resource": projects.kind, "value": values["project_id"]}
        raise Fault.invalid(Violation("project_id", "UNKNOWN_REFERENCE", params))
    project = await projects.lock(session, values["project_id"])
    if project.state == ProjectState.KILLED:
        raise Fault("KILLED_IS_FINAL")
    award = Award.begin(new_id(awards.id_prefix), call.now, values)
    award.recorded(occasion(request, call))
    await _require_known(session, award)
    await awards.save(session, award)
    return await _present(session, award, project, call)


async def update_award(
    session: WriteSession, request: pb.UpdateAwardRequest, call: Call
) -> pb.Award:
    """Change what is known of an award."""
    award, project = await _lock_seen(session, request, call)
    values = masked_fields(request.award, Award, request.update_mask.paths)
    if award.amend(values, occasion(request, call)):
        await _require_known(session, award)
        await awards.save(session, award)
    return await _present(session, award, project, call)


async def report_milestone(
    session: WriteSession, request: pb.ReportMilestoneRequest, call: Call
) -> pb.Award:
    """Take what somebody says of a milestone being reached."""
    award, project = await _lock_seen(session, request, call)
    given = list(dict.fromkeys(request.evidence_ids))
    there = await evidence_states(session, project.id, given)
    missing = [
        Violation(f"evidence_ids[{place}]", "UNKNOWN_REFERENCE", _of_evidence(id))
        for place, id in enumerate(request.evidence_ids)
        if id not in there
    ]
    if missing:
        raise Fault.invalid(*missing)
    award.report_milestone(request.milestone_code, given, request.note, occasion(request, call))
    await awards.save(session, award)
    return await _present(session, award, project, call)


async def return_milestone(
    session: WriteSession, request: pb.MilestoneStepRequest, call: Call
) -> pb.Award:
    """Find that what was reported does not show that a milestone is reached, or no longer."""
    award, project = await _lock_seen(session, request, call)
    award.return_milestone(request.milestone_code, occasion(request, call))
    await awards.save(session, award)
    return await _present(session, award, project, call)


async def meet_milestone(
    session: WriteSession, request: pb.MilestoneStepRequest, call: Call
) -> pb.Award:
    """Find that a milestone is reached, as another has reported."""
    award, project = await _lock_seen(session, request, call)
    shown = await evidence_found(session, award.evidence_of(request.milestone_code))
    states = {id: found.newest for id, found in shown.items()}
    award.meet_milestone(request.milestone_code, states, occasion(request, call))
    await require_disinterested(session, project, call)
    await awards.save(session, award)
    return await _present(session, award, project, call)


async def release_tranche(
    session: WriteSession, request: pb.ReleaseTrancheRequest, call: Call
) -> pb.Award:
    """Release a tranche, if its milestone is met and the project may be paid."""
    _, seen = await _get_seen(session, request.award_id, call)
    # What it points to first, then the project, then the award: everyone locks in this order.
    project, neighbours = await lock_after_neighbours(session, tables.project.c.id == seen.id)
    award = await awards.lock(session, request.award_id, request.etag)
    if project is None:
        raise Fault.not_found(projects.kind, seen.id)
    require_payable(project, await _overdue(session, project, call), neighbours)
    amount = from_message(request.amount, Money) if request.HasField("amount") else None
    # What was found met may have lost its evidence; that is rejected under the project's lock.
    shown = await evidence_found(session, award.evidence_behind)
    states = {id: found.judged for id, found in shown.items()}
    disbursement = award.release_tranche(
        request.tranche_code, amount, request.payment_reference, states, occasion(request, call)
    )
    await require_disinterested(session, project, call)
    await save_released(session, award, disbursement, call.now)
    return await _present(session, award, project, call)


async def end_award(
    session: WriteSession, request: pb.AwardStepRequest, call: Call, action: str
) -> pb.Award:
    """Close an award, or cancel it."""
    award, project = await _lock_seen(session, request, call)
    award.take(action, occasion(request, call))
    await awards.save(session, award)
    return await _present(session, award, project, call)


async def list_award_steps(
    session: ReadSession, request: pb.ListAwardStepsRequest, call: Call
) -> pb.ListAwardStepsResponse:
    """Give a page of the steps that an award has taken."""
    award, _ = await _get_seen(session, request.award_id, call)
    steps, token = await awards.steps(session, award.id, request)
    return pb.ListAwardStepsResponse(steps=steps, next_page_token=token)


# Who is of the project's team or in conflict does neither.
_NOT_BY_INSIDERS = frozenset({"meet-milestone", "release-tranche"})
_GIVEN = frozenset({*Award.EDITABLE, *Award.FIXED, "external_key"})


async def _get_seen(session: ReadSession, id: str, call: Call) -> tuple[Award, Project]:
    """The award with this id, and its project.

    Raises `Fault` ``NOT_FOUND`` if the caller does not see it.
    """
    award = await awards.get(session, id)
    project = await projects.get(session, award.project_id)
    require_reached(project, call, awards.kind, id)
    return award, project


async def _lock_seen(session: WriteSession, request: Any, call: Call) -> tuple[Award, Project]:
    # Whether the caller sees it comes first: an etag tells nobody that an award exists.
    award = await awards.get(session, request.award_id)
    project = await lock_reached(session, award.project_id, call, awards.kind, award.id)
    return await awards.lock(session, request.award_id, request.etag), project


async def _overdue(session: ReadSession, project: Project, call: Call) -> list[str]:
    today = call.now.astimezone(UTC).date()
    return await overdue_conditions(session, project.id, today)


async def _present(session: ReadSession, award: Award, project: Project, call: Call) -> pb.Award:
    """The award as this caller sees it, for the project as it is and the day of the call."""
    (message,) = await _present_all(session, [award], {project.id: project}, call)
    return message


async def _present_all(
    session: ReadSession, found: Sequence[Award], of: Mapping[str, Project], call: Call
) -> list[pb.Award]:
    """The same of awards; `of` are their projects.

    What the rules hang on besides the award is read for those alone of which the caller's
    role lets something be confirmed or paid.
    """
    messages = {award.id: awards.present(award, call) for award in found}
    asked = [a for a in found if _NOT_BY_INSIDERS.intersection(messages[a.id].allowed_actions)]
    projects_asked = [of[id] for id in sorted({award.project_id for award in asked})]
    tied = await stakes(session, projects_asked, call) if asked else {}
    payable = {p.id: await _is_payable(session, p, call) for p in projects_asked}
    shown = await evidence_found(session, (id for a in asked for id in a.evidence_asked_for))
    for award in asked:
        steps = award.steps_of(
            call.principal.subject,
            found=shown,
            is_payable=payable[award.project_id],
            is_outside=tied[award.project_id].is_none,
        )
        messages[award.id] = awards.present(award, call, steps=steps)
    return [messages[award.id] for award in found]


async def _is_payable(session: ReadSession, project: Project, call: Call) -> bool:
    overdue = await _overdue(session, project, call)
    return can_be_paid(project, overdue, await known_neighbours(session, [project]))


async def _require_known(session: ReadSession, award: Award) -> None:
    """Raise `Fault` unless the institution that a new or changed award newly names is known."""
    id = award.funder.institution_id if award.funder else ""
    before = await awards.find(session, award.id)
    if not id or (before and before.funder and before.funder.institution_id == id):
        return
    if id not in await known_states(session, tables.known_institution, [id]):
        params = {"resource": "institution", "value": id}
        raise Fault.invalid(Violation("funder.institution_id", "UNKNOWN_REFERENCE", params))


def _of_evidence(id: str) -> dict[str, str]:
    return {"resource": "evidence", "value": id}
