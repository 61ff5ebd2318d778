"""What the service does with projects."""

from typing import Any

from peyvand.projects.v1 import decisions_pb2, stages_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from projects import tables
from projects.domain.decisions import DecisionKind, Ruling
from projects.domain.project import IN_FORCE, LEADING_STATES, Participant, Project, ProjectState
from projects.pathway_templates import NEWEST, template
from projects.repository import (
    decisions_on,
    known_states,
    of_centers,
    projects,
    save_decided,
    seen_by_caller,
    with_participant,
)
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
    """Give one project."""
    return projects.present(await get_seen(session, request.project_id, call), call)


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
    found, token = await projects.page(session, request, *where)
    return pb.ListProjectsResponse(
        projects=[projects.present(project, call) for project in found], next_page_token=token
    )


async def create_project(
    session: WriteSession, request: pb.CreateProjectRequest, call: Call
) -> pb.Project:
    """Record a new project, as active."""
    project = _new_project(request.project, call)
    _require_led(project, call)
    project.recorded(occasion(request, call))
    await _require_known(session, project, call)
    await projects.save(session, project)
    return projects.present(project, call)


async def update_project(
    session: WriteSession, request: pb.UpdateProjectRequest, call: Call
) -> pb.Project:
    """Change what is known of a project."""
    project = await _lock_led(session, request.project_id, call, request.etag)
    values = masked_fields(request.project, Project, request.update_mask.paths)
    if project.amend(values, occasion(request, call)):
        _require_led(project, call)
        await _require_known(session, project, call)
        await projects.save(session, project)
    return projects.present(project, call)


async def decide_project(
    session: WriteSession, request: decisions_pb2.DecideProjectRequest, call: Call
) -> pb.Project:
    """Record a decision at the gate of a project's stage, and do what it says."""
    project = await _lock_led(session, request.project_id, call, request.etag)
    ruling = read_ruling(request)
    pinned = template(project.template_version)
    decision = project.decide(ruling, pinned, new_id("dec"), occasion(request, call))
    await save_decided(session, project, decision)
    return projects.present(project, call)


async def resume_project(
    session: WriteSession, request: pb.ProjectStepRequest, call: Call
) -> pb.Project:
    """Let a project on hold go on."""
    project = await _lock_led(session, request.project_id, call, request.etag)
    project.resume(occasion(request, call))
    await projects.save(session, project)
    return projects.present(project, call)


async def list_project_decisions(
    session: ReadSession, request: decisions_pb2.ListProjectDecisionsRequest, call: Call
) -> decisions_pb2.ListProjectDecisionsResponse:
    """Give a page of the decisions on a project."""
    project = await get_seen(session, request.project_id, call)
    decisions, token = await decisions_on(session, project.id, request)
    return decisions_pb2.ListProjectDecisionsResponse(decisions=decisions, next_page_token=token)


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
    if known := await projects.lock_by_key(session, key):
        # What is fixed may be repeated, and is refused only where it says something else.
        fixed = given_fields(row.project, Project, Project.FIXED)
        values |= {name: value for name, value in fixed.items() if getattr(known, name) != value}
    return await upsert(
        session,
        projects,
        external_key=key,
        occasion=occasion(row, call),
        build=lambda: _new_project(row.project, call),
        values=values,
        check=lambda project: _require_known(session, project, call, references),
    )


async def get_seen(session: ReadSession, project_id: str, call: Call) -> Project:
    """The project with this id. Raises `Fault` ``NOT_FOUND`` if the caller does not see it."""
    project = await projects.get(session, project_id)
    if not reaches(call.rpc, call.principal, own=seen_by_caller(project, call)):
        raise Fault.not_found(projects.kind, project_id)
    return project


def read_ruling(request: decisions_pb2.DecideProjectRequest) -> Ruling:
    """What a request lays before a project."""
    values = read_fields(request, Ruling)
    kind = enum_names(decisions_pb2.DecisionKind.DESCRIPTOR)[request.decision]
    return Ruling(kind=DecisionKind(kind), **values)


_GIVEN = frozenset({*Project.EDITABLE, *Project.FIXED, "external_key"})


def _new_project(message: pb.Project, call: Call) -> Project:
    values = read_fields(message, Project, only=_GIVEN)
    return Project.begin(template(NEWEST), new_id(projects.id_prefix), call.now, values)


async def _lock_led(session: WriteSession, project_id: str, call: Call, etag: str) -> Project:
    # Whether the caller sees it comes first: an etag tells nobody that a project exists.
    await get_seen(session, project_id, call)
    project = await projects.lock(session, project_id, etag)
    _require_led(project, call)
    return project


def _require_led(project: Project, call: Call) -> None:
    if not reaches(call.rpc, call.principal, own=projects.owned_by(project, call)):
        raise Fault("NOT_YOUR_CENTER")


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
        if id in centers and id not in states:
            path = f"participants[{index}].center_id"
            found.append(Violation(path, "UNKNOWN_CENTER", {"value": id}))
    found += await _institution_violations(session, fresh, assumed)
    if before is None and project.revival_of_id:
        found += await _revival_violations(session, project.revival_of_id, call)
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
    agreements = await known_states(
        session, tables.known_agreement, {p.agreement_id for _, p in under}
    )
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
    return found


async def _revival_violations(session: ReadSession, id: str, call: Call) -> list[Violation]:
    revived = await projects.find(session, id)
    own = revived is not None and seen_by_caller(revived, call)
    if revived is None or not reaches(call.rpc, call.principal, own=own):
        params = {"resource": projects.kind, "value": id}
        return [Violation("revival_of_id", "UNKNOWN_REFERENCE", params)]
    if revived.state != ProjectState.KILLED:
        return [Violation("revival_of_id", "REVIVED_NOT_KILLED", {"id": id})]
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
