"""What the service does with projects."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from domainkit.aggregate import Occasion
from peyvand.projects.v1 import flags_pb2, stages_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from projects import tables
from projects.domain.flags import IN_FORCE, LEADING_STATES, FlagKind, Neighbours
from projects.domain.participants import Participant
from projects.domain.project import Project, ProjectState
from projects.pathway_templates import NEWEST, template
from projects.repository.conditions import overdue_conditions
from projects.repository.gates import reads, require_disinterested
from projects.repository.neighbours import (
    hold_neighbours,
    known_parties,
    known_states,
    lock_after_neighbours,
    regulation_key,
)
from projects.repository.projects import (
    of_centers,
    projects,
    seen_by_caller,
    under_regulations,
    with_flag,
    with_participant,
)
from projects.use_cases.actions import present, present_all
from servicekit.contract import enum_names
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault, Violation
from servicekit.ids import new_id
from servicekit.imports import RowOutcome, upsert
from servicekit.mapping import read_fields
from servicekit.policy import reaches, sees_all
from servicekit.references import References
from servicekit.requests import given_fields, masked_fields, occasion
from servicekit.rpc_server import Call


async def get_project(
    session: ReadSession, request: pb.GetProjectRequest, call: Call
) -> pb.Project:
    """Give one project; who reviews it reads of whom it is before declaring own interests."""
    project = await get_seen(session, request.project_id, call, to_declare=True)
    return await present(session, project, call)


async def list_projects(
    session: ReadSession, request: pb.ListProjectsRequest, call: Call
) -> pb.ListProjectsResponse:
    """Give a page of the projects that the caller sees."""
    columns = tables.project.c
    where: list[Any] = []
    if not sees_all(call.rpc, call.principal):
        where.append(of_centers(call.principal.center_ids))
    if request.state:
        where.append(columns.state == enum_names(pb.ProjectState.DESCRIPTOR)[request.state])
    if request.stage:
        where.append(columns.stage == enum_names(stages_pb2.Stage.DESCRIPTOR)[request.stage])
    if request.pathway:
        names = enum_names(stages_pb2.Pathway.DESCRIPTOR)
        where.append(columns.pathway == names[request.pathway])
    if request.center_id:
        where.append(of_centers([request.center_id]))
    if request.institution_id:
        where.append(with_participant(institution_id=request.institution_id))
    if request.agreement_id:
        where.append(with_participant(agreement_id=request.agreement_id))
    if request.external_key:
        where.append(columns.external_key == request.external_key)
    if request.affected_by_regulation_id:
        key = await regulation_key(session, request.affected_by_regulation_id)
        where.append(under_regulations([key]))
    if request.flag:
        names = enum_names(flags_pb2.ProjectFlagKind.DESCRIPTOR)
        where.append(with_flag(FlagKind(names[request.flag])))
    found, token = await projects.page(session, request, *where)
    return pb.ListProjectsResponse(
        projects=await present_all(session, found, call), next_page_token=token
    )


async def create_project(
    session: WriteSession, request: pb.CreateProjectRequest, call: Call
) -> pb.Project:
    """Record a new project, as active."""
    project = _new_project(request.project, call)
    _require_led(project, call)
    _require_first_stage(project, call)
    project.recorded(occasion(request, call))
    neighbours = await hold_neighbours(session, [project])
    await _require_known(session, project, call)
    heed(project, neighbours)
    await projects.save(session, project)
    return await present(session, project, call)


async def update_project(
    session: WriteSession, request: pb.UpdateProjectRequest, call: Call
) -> pb.Project:
    """Change what is known of a project."""
    before = await get_seen(session, request.project_id, call)
    pointed_to = read_fields(request.project, Project, only=("lead_center_id", "participants"))
    neighbours = await hold_neighbours(session, [before, replace(before, **pointed_to)])
    project = await lock_led(session, request.project_id, call, request.etag)
    values = masked_fields(request.project, Project, request.update_mask.paths)
    if project.amend(values, occasion(request, call)):
        _require_led(project, call)
        await _require_known(session, project, call)
        heed(project, neighbours)
        await projects.save(session, project)
    return await present(session, project, call)


async def resume_project(
    session: WriteSession, request: pb.ProjectStepRequest, call: Call
) -> pb.Project:
    """Let a project on hold go on, unless a condition of it is overdue."""
    project = await lock_led(session, request.project_id, call, request.etag)
    when = occasion(request, call)
    overdue = await overdue_conditions(session, project.id, when.today)
    project.resume(when, overdue=overdue)
    await require_disinterested(session, project, call)
    await projects.save(session, project)
    return await present(session, project, call)


async def hold_if_overdue(session: WriteSession, project_id: str, now: datetime) -> bool:
    """Put a project on hold if a condition of it is overdue; tell whether it was."""
    project = await projects.lock(session, project_id)
    when = Occasion(actor="projects", at=now)
    overdue = await overdue_conditions(session, project.id, when.today)
    # The ids say why, in every language.
    if not overdue or not project.hold_overdue(replace(when, reason=", ".join(overdue))):
        return False
    await projects.save(session, project)
    return True


async def list_project_steps(
    session: ReadSession, request: pb.ListProjectStepsRequest, call: Call
) -> pb.ListProjectStepsResponse:
    """Give a page of the steps that a project has taken."""
    project = await get_seen(session, request.project_id, call)
    steps, token = await projects.steps(session, project.id, request)
    return pb.ListProjectStepsResponse(steps=steps, next_page_token=token)


async def import_project(
    session: WriteSession, row: pb.ProjectRow, call: Call, references: References
) -> RowOutcome:
    """Bring one project to what a row of a file says of it."""
    row = await references.follow(session, row, "project")
    key = row.project.external_key
    values = given_fields(row.project, Project, Project.EDITABLE)
    same = tables.project.c.external_key == key
    described = _new_project(row.project, call)
    known, neighbours = await lock_after_neighbours(session, same, described)
    if known:
        # What is fixed may be repeated, and is refused only where it says something else.
        fixed = given_fields(row.project, Project, Project.FIXED)
        values |= {name: value for name, value in fixed.items() if getattr(known, name) != value}

    def build() -> Project:
        project = _new_project(row.project, call)
        _require_first_stage(project, call)
        return project

    return await upsert(
        session,
        projects,
        external_key=key,
        occasion=occasion(row, call),
        build=build,
        values=values,
        check=lambda project: _require_imported(session, project, call, references, neighbours),
    )


async def get_seen(
    session: ReadSession, project_id: str, call: Call, *, to_declare: bool = False
) -> Project:
    """The project with this id; `to_declare` is as for `reads`.

    Raises `Fault` ``NOT_FOUND`` if the caller does not see it.
    """
    project = await projects.get(session, project_id)
    if not await reads(session, project, call, to_declare=to_declare):
        raise Fault.not_found(projects.kind, project_id)
    return project


_GIVEN = frozenset({*Project.EDITABLE, *Project.FIXED, "external_key"})


def _new_project(message: pb.Project, call: Call) -> Project:
    values = read_fields(message, Project, only=_GIVEN)
    return Project.begin(template(NEWEST), new_id(projects.id_prefix), call.now, values)


async def lock_led(session: WriteSession, project_id: str, call: Call, etag: str) -> Project:
    """Read a project to change it, if this caller may. Raises `Fault`.

    A step that changes what the project points to, or its stage, holds its neighbours
    before: they are those of this version, since it is the one that the caller has read.
    """
    # Whether the caller sees it comes first: an etag tells nobody that a project exists.
    await get_seen(session, project_id, call)
    project = await projects.lock(session, project_id, etag)
    _require_led(project, call)
    return project


def _require_led(project: Project, call: Call) -> None:
    if not reaches(call.rpc, call.principal, own=projects.owned_by(project, call)):
        raise Fault("NOT_YOUR_CENTER")


def _require_first_stage(project: Project, call: Call) -> None:
    """Raise `Fault` where not the headquarters, or its team, let a project begin later."""
    first, *_ = template(project.template_version).stages(project.pathway)
    if project.initial_stage == first:
        return
    stage = {"stage": project.initial_stage.value}
    if not call.principal.has("hq_admin"):
        raise Fault("INITIAL_STAGE_RESERVED", stage)
    if call.principal.subject in {person.subject for person in project.people}:
        raise Fault("INITIAL_STAGE_BY_TEAM", stage)


def heed(project: Project, neighbours: Neighbours) -> None:
    """Set the flags that are due within the step that was just taken."""
    project.heed(project.due_flags(neighbours, template(project.template_version)))


async def _require_imported(
    session: WriteSession,
    project: Project,
    call: Call,
    references: References,
    neighbours: Neighbours,
) -> None:
    await _require_known(session, project, call, references)
    heed(project, neighbours)


async def _require_known(
    session: ReadSession, project: Project, call: Call, references: References | None = None
) -> None:
    """Raise `Fault` unless what a new or changed project newly points to is there and fit.

    What it pointed to before is left alone: a center that is suspended goes on leading
    its projects, and an agreement that ended does not stop other changes.
    """
    before = await projects.find(session, project.id)
    assumed = references.is_assumed if references else _nothing
    found: list[Violation] = []
    fresh = [
        (index, participant)
        for index, participant in enumerate(project.participants)
        if before is None or not _took_part(before, participant)
    ]
    there = before.center_ids() if before else set[str]()
    lead = project.lead_center_id
    moved = (before is None or before.lead_center_id != lead) and not assumed(lead)
    centers = {p.center_id for _, p in fresh if p.center_id and not assumed(p.center_id)}
    states = await known_states(session, tables.known_center, {*centers, lead})
    if moved and lead not in states:
        found.append(Violation("lead_center_id", "UNKNOWN_CENTER", {"value": lead}))
    elif moved and states[lead] not in LEADING_STATES:
        raise Fault("CENTER_NOT_ACTIVE", {"center_id": lead, "state": states[lead]})
    for index, participant in fresh:
        id = participant.center_id
        if id not in centers:
            continue
        if id not in states:
            path = f"participants[{index}].center_id"
            found.append(Violation(path, "UNKNOWN_CENTER", {"value": id}))
        elif id not in there and states[id] not in LEADING_STATES:
            # Also one that took part, was flagged, was dropped and is taken back.
            raise Fault("CENTER_NOT_ACTIVE", {"center_id": id, "state": states[id]})
    found += await _institution_violations(session, fresh, assumed)
    if before is None and project.revival_of_id:
        found += await _revival_violations(session, project, project.revival_of_id, call)
    if found:
        raise Fault.invalid(*found)


async def _institution_violations(
    session: ReadSession, fresh: list[tuple[int, Participant]], assumed: Any
) -> list[Violation]:
    under = [(index, p) for index, p in fresh if p.institution_id]
    if not under:
        return []
    institutions = await known_states(
        session, tables.known_institution, {p.institution_id for _, p in under}
    )
    named = {p.agreement_id for _, p in under}
    agreements = await known_states(session, tables.known_agreement, named)
    parties = await known_parties(session, named)
    found: list[Violation] = []
    for index, participant in under:
        path, institution = f"participants[{index}]", participant.institution_id
        if institution not in institutions and not assumed(institution):
            params = {"resource": "institution", "value": institution}
            found.append(Violation(f"{path}.institution_id", "UNKNOWN_REFERENCE", params))
        agreement = participant.agreement_id
        if assumed(agreement):
            continue
        if agreement not in agreements:
            params = {"resource": "agreement", "value": agreement}
            found.append(Violation(f"{path}.agreement_id", "UNKNOWN_REFERENCE", params))
        elif agreements[agreement] != IN_FORCE:
            params = {"value": agreement, "state": agreements[agreement]}
            found.append(Violation(f"{path}.agreement_id", "AGREEMENT_NOT_IN_FORCE", params))
        elif institution not in parties[agreement] and not assumed(institution):
            params = {"value": agreement, "institution_id": institution}
            found.append(Violation(f"{path}.agreement_id", "NOT_A_PARTY", params))
    return found


async def _revival_violations(
    session: ReadSession, project: Project, id: str, call: Call
) -> list[Violation]:
    revived = await projects.find(session, id)
    own = revived is not None and seen_by_caller(revived, call)
    if revived is None or not reaches(call.rpc, call.principal, own=own):
        params = {"resource": projects.kind, "value": id}
        return [Violation("revival_of_id", "UNKNOWN_REFERENCE", params)]
    if revived.state != ProjectState.KILLED:
        return [Violation("revival_of_id", "REVIVED_NOT_KILLED", {"id": id})]
    # What was killed has shown nothing of the stages that it did not come to.
    if project.initial_stage > revived.stage:
        params = {"id": id, "stage": revived.stage.value}
        return [Violation("initial_stage", "STAGE_AFTER_REVIVED", params)]
    return []


def _took_part(before: Project, participant: Participant) -> bool:
    """Whether the same one took part already, under the same agreement, in whatever role."""
    return any(
        (p.center_id, p.institution_id, p.agreement_id)
        == (participant.center_id, participant.institution_id, participant.agreement_id)
        for p in before.participants
    )


def _nothing(id: str) -> bool:
    del id
    return False
