"""What the service does with decisions: what a panel voted for is recorded, and done."""

from peyvand.projects.v1 import decisions_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from projects.domain.assessment import Assessment
from projects.domain.decisions import DecisionKind, Ruling
from projects.domain.flags import Neighbours
from projects.domain.gates import Gate
from projects.domain.project import Project
from projects.domain.review import Review, conditions_of
from projects.pathway_templates import template
from projects.repository.assessments import assess
from projects.repository.conditions import (
    cancel_conditions,
    conditions,
    overdue_conditions,
    record_conditions,
    unmet_conditions,
)
from projects.repository.decisions import (
    decisions_on,
    find_decision,
    latest_decision,
    save_decided,
)
from projects.repository.gates import conflicts_at, gates, team_behind, withdrawn_at
from projects.repository.neighbours import hold_neighbours
from projects.repository.projects import present
from projects.use_cases.projects import get_seen, heed, lock_led
from servicekit.contract import enum_names
from servicekit.database import ReadSession, WriteSession
from servicekit.ids import new_id
from servicekit.mapping import read_fields
from servicekit.requests import occasion
from servicekit.rpc_server import Call


async def decide_project(
    session: WriteSession, request: decisions_pb2.DecideProjectRequest, call: Call
) -> pb.Project:
    """Record the decision of the panel at a project's open gate, and do what it says."""
    before = await get_seen(session, request.project_id, call)
    # What it points to first, then the project, its gate, its conditions: everyone locks
    # in this order.
    neighbours = await hold_neighbours(session, [before])
    project = await lock_led(session, request.project_id, call, request.etag)
    project.require_at_gate()
    gate = await gates.lock(session, project.open_gate_id)
    ruling = read_ruling(request)
    review = await _review(session, project, gate, neighbours, call)
    pinned = template(project.template_version)
    when = occasion(request, call)
    decision = review.decide(project, ruling, pinned, new_id("dec"), when)
    heed(project, neighbours)
    await save_decided(session, project, decision)
    await gates.save(session, gate)
    if decision.kind == DecisionKind.KILL:
        await cancel_conditions(session, project.id, when)
    elif decision.supersedes_id:
        await cancel_conditions(session, project.id, when, of_decision=decision.supersedes_id)
    ids = [new_id(conditions.id_prefix) for _ in decision.conditions]
    made = conditions_of(decision, ids, when, sample=project.sample)
    await record_conditions(session, made, when)
    return present(project, call)


async def list_project_decisions(
    session: ReadSession, request: decisions_pb2.ListProjectDecisionsRequest, call: Call
) -> decisions_pb2.ListProjectDecisionsResponse:
    """Give a page of the decisions on a project."""
    project = await get_seen(session, request.project_id, call)
    decisions, token = await decisions_on(session, project.id, request)
    return decisions_pb2.ListProjectDecisionsResponse(decisions=decisions, next_page_token=token)


def read_ruling(request: decisions_pb2.DecideProjectRequest) -> Ruling:
    """What a request lays before a project."""
    return Ruling(kind=read_kind(request.decision), **read_fields(request, Ruling))


def read_kind(given: "decisions_pb2.DecisionKind") -> DecisionKind:
    """A kind of decision, as the domain has it."""
    return DecisionKind(enum_names(decisions_pb2.DecisionKind.DESCRIPTOR)[given])


async def reviewed_at(session: ReadSession, project: Project, gate: Gate) -> Project:
    """The project as the panel of its open gate looks at it: as it is, or before a decision."""
    if not gate.supersedes_id:
        return project
    superseded = await find_decision(session, project.id, gate.supersedes_id)
    return project.before(superseded) if superseded else project


async def assessed_at(session: ReadSession, project: Project, gate: Gate, call: Call) -> Assessment:
    """How it stands with the criteria of the visit that is under review at an open gate."""
    return await assess(session, await reviewed_at(session, project, gate), call.now.date())


async def _review(
    session: WriteSession, project: Project, gate: Gate, neighbours: Neighbours, call: Call
) -> Review:
    """All that a decision at the gate stands on; the rows of both are locked."""
    superseded = None
    if gate.supersedes_id:
        superseded = await find_decision(session, project.id, gate.supersedes_id)
    reviewed = project.before(superseded) if superseded else project
    conflicts = await conflicts_at(session, project.id, gate.visit)
    left_out, today = superseded.id if superseded else "", call.now.date()
    return Review(
        gate=gate,
        team=await team_behind(session, project),
        assessment=await assess(session, reviewed, today),
        flags=reviewed.due_flags(neighbours, template(project.template_version)),
        overdue=await overdue_conditions(session, project.id, today, but_of_decision=left_out),
        unmet=await unmet_conditions(session, project.id, but_of_decision=left_out),
        previous=await latest_decision(session, project.id),
        superseded=superseded,
        withdrawn=await withdrawn_at(session, project.id, gate.visit),
        center_ids=call.principal.center_ids,
        in_conflict={item.subject for item in conflicts},
    )
