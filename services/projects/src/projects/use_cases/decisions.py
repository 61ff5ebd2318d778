"""What the service does with decisions: what a panel voted for is recorded, and done."""

from peyvand.projects.v1 import decisions_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from projects.domain.decisions import DecisionKind, Ruling
from projects.domain.review import conditions_of
from projects.pathway_templates import template
from projects.repository.conditions import (
    cancel_conditions,
    conditions,
    record_conditions,
)
from projects.repository.decisions import (
    decisions_on,
    save_decided,
)
from projects.repository.gates import gates
from projects.repository.neighbours import hold_neighbours
from projects.use_cases.actions import present
from projects.use_cases.projects import get_seen, heed, lock_led
from projects.use_cases.reviews import review_at
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
    review = await review_at(session, project, gate, neighbours, call)
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
    return await present(session, project, call)


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
