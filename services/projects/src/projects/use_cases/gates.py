"""What the service does with gates: opening, declaring, voting, withdrawing."""

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from domainkit.rules import RulesBroken
from peyvand.projects.v1 import gates_pb2 as pb
from peyvand.projects.v1 import panel_pb2
from projects import tables
from projects.domain.decisions import Terms
from projects.domain.gates import Gate, GateState
from projects.domain.panel import Conflict
from projects.domain.project import Project, ProjectState
from projects.domain.record_hashes import assessment_hash
from projects.domain.review import check_named
from projects.domain.team import Team
from projects.pathway_templates import template
from projects.repository.assessments import assess
from projects.repository.decisions import find_decision
from projects.repository.gates import (
    conflicts_at,
    gates,
    in_conflict_at,
    team_behind,
    teams,
    with_caller_on_panel,
    with_on_panel,
)
from projects.repository.projects import of_centers, projects, projects_of, seen_by_caller
from projects.use_cases.decisions import read_kind
from projects.use_cases.projects import get_seen as get_seen_project
from projects.use_cases.reviews import assessed_at, reviewed_at
from servicekit.contract import enum_names
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault, Violation
from servicekit.ids import new_id
from servicekit.mapping import read_fields
from servicekit.policy import reaches, sees_all
from servicekit.requests import occasion
from servicekit.rpc_server import Call


async def get_gate(session: ReadSession, request: pb.GetGateRequest, call: Call) -> pb.Gate:
    """Give one gate."""
    gate, project = await _get_seen(session, request.gate_id, call)
    return await _present(session, gate, project, call)


async def list_gates(
    session: ReadSession, request: pb.ListGatesRequest, call: Call
) -> pb.ListGatesResponse:
    """Give a page of the gates that the caller sees."""
    columns, me = tables.gate.c, call.principal.subject
    where: list[Any] = []
    if not sees_all(call.rpc, call.principal):
        own = sa.select(tables.project.c.id).where(of_centers(call.principal.center_ids))
        where.append(sa.or_(with_on_panel(me), columns.project_id.in_(own)))
    if request.project_id:
        where.append(columns.project_id == request.project_id)
    if request.state:
        where.append(columns.state == enum_names(pb.GateState.DESCRIPTOR)[request.state])
    if request.on_panel:
        where.append(with_on_panel(me))
    if request.external_key:
        where.append(columns.external_key == request.external_key)
    found, token = await gates.page(session, request, *where)
    known = await _teams_of(session, found)
    conflicts = await in_conflict_at(session, {(gate.project_id, gate.visit) for gate in found})
    return pb.ListGatesResponse(
        gates=[
            _message(
                gate,
                call,
                known[gate.project_id],
                conflicts.get((gate.project_id, gate.visit), frozenset()),
            )
            for gate in found
        ],
        next_page_token=token,
    )


async def create_gate(session: WriteSession, request: pb.CreateGateRequest, call: Call) -> pb.Gate:
    """Open a gate over the visit that a project is in, or was in when it was last decided on."""
    values = read_fields(request.gate, Gate, only=Gate.FIXED)
    await get_seen_project(session, values["project_id"], call)
    project = await projects.lock(session, values["project_id"])
    when, id = occasion(request, call), new_id(gates.id_prefix)
    project.open_gate(id, when)
    reviewed = await _reviewed(session, project, values["supersedes_id"])
    team = await team_behind(session, project)
    conflicts = await conflicts_at(session, project.id, reviewed.visit)
    gate = Gate.open(reviewed, team, id, when, values, conflicts=conflicts)
    in_conflict = {item.subject for item in conflicts}
    gate.require_no_interest(when.actor, call.principal.center_ids, team, in_conflict)
    gate.recorded(when)
    await gates.save(session, gate)
    await projects.save(session, project)
    return await _present(session, gate, project, call)


async def declare_at_gate(
    session: WriteSession, request: pb.DeclareAtGateRequest, call: Call
) -> pb.Gate:
    """Take what a member of the panel declares of own interests."""
    gate, project = await _lock_seat(session, request.gate_id, call, request.etag)
    conflict = Conflict(enum_names(panel_pb2.Conflict.DESCRIPTOR)[request.conflict])
    centers = call.principal.center_ids
    gate.declare(conflict, request.note, centers, occasion(request, call))
    await gates.save(session, gate)
    return await _present(session, gate, project, call)


async def propose_at_gate(
    session: WriteSession, request: pb.ProposeAtGateRequest, call: Call
) -> pb.Gate:
    """Put the terms of a decision to the panel."""
    gate, project = await _lock(session, request.gate_id, call, request.etag)
    kind = read_kind(request.decision)
    terms = Terms(kind=kind, **read_fields(request, Terms))
    gate.propose(
        terms,
        await team_behind(session, project),
        call.principal.center_ids,
        occasion(request, call),
        await _in_conflict(session, gate),
    )
    reviewed = await reviewed_at(session, project, gate)
    broken = reviewed.recycle_rules(terms, template(project.template_version))
    assessment = await assess(session, reviewed, call.now.date())
    if broken := [*broken, *check_named(terms.conditions, assessment)]:
        raise RulesBroken(*broken)
    await gates.save(session, gate)
    return await _present(session, gate, project, call)


async def vote_at_gate(session: WriteSession, request: pb.VoteAtGateRequest, call: Call) -> pb.Gate:
    """Take the vote of a member of the panel."""
    gate, project = await _lock_seat(session, request.gate_id, call, request.etag)
    kind = read_kind(request.decision)
    team = await team_behind(session, project)
    basis = ""
    if gate.state == GateState.OPEN:
        basis = assessment_hash(await assessed_at(session, project, gate, call))
    gate.vote(kind, team, call.principal.center_ids, basis, occasion(request, call))
    if request.assessment_hash and request.assessment_hash != basis:
        raise Fault("ASSESSMENT_CHANGED")
    await gates.save(session, gate)
    return await _present(session, gate, project, call)


async def withdraw_gate(session: WriteSession, request: pb.GateStepRequest, call: Call) -> pb.Gate:
    """End a gate without a decision."""
    gate, project = await _lock(session, request.gate_id, call, request.etag)
    when = occasion(request, call)
    team, in_conflict = await team_behind(session, project), await _in_conflict(session, gate)
    gate.withdraw(team, call.principal.center_ids, when, in_conflict)
    project.withdraw_gate(when)
    await gates.save(session, gate)
    await projects.save(session, project)
    return await _present(session, gate, project, call)


async def list_gate_steps(
    session: ReadSession, request: pb.ListGateStepsRequest, call: Call
) -> pb.ListGateStepsResponse:
    """Give a page of the steps that a gate has taken."""
    gate, project = await _get_seen(session, request.gate_id, call)
    steps, token = await gates.steps(session, gate.id, request)
    if _is_hidden_from(call, gate, await team_behind(session, project)):
        for step in steps:
            if step.action == Gate.EVENTS["vote"]:
                step.actor = step.reason = ""
    return pb.ListGateStepsResponse(steps=steps, next_page_token=token)


async def _reviewed(session: ReadSession, project: Project, supersedes_id: str | None) -> Project:
    """The project as the panel looks at it: as it is, or as it was before its last decision."""
    if not supersedes_id:
        if project.state == ProjectState.COMPLETED:
            raise Fault("NOTHING_TO_REVIEW")
        return project
    superseded = await find_decision(session, project.id, supersedes_id)
    if superseded is None:
        params = {"resource": "decision", "value": supersedes_id}
        raise Fault.invalid(Violation("supersedes_id", "UNKNOWN_REFERENCE", params))
    return project.before(superseded)


async def _get_seen(session: ReadSession, gate_id: str, call: Call) -> tuple[Gate, Project]:
    """A gate and its project. Raises `Fault` ``NOT_FOUND`` if the caller does not see it."""
    gate = await gates.get(session, gate_id)
    project = await projects.get(session, gate.project_id)
    seen = seen_by_caller(project, call) or with_caller_on_panel(gate, call)
    # The headquarters see every gate, also where only members of the panel can act.
    if not (seen or call.principal.has("hq_admin", "hq_analyst")):
        raise Fault.not_found(gates.kind, gate_id)
    return gate, project


async def _lock(session: WriteSession, gate_id: str, call: Call, etag: str) -> tuple[Gate, Project]:
    """Lock a gate that the caller sees; the project first: everyone locks in this order.

    What is reviewed and who is of the team change under that lock as well.
    """
    # Whether the caller sees it comes first: an etag tells nobody that a gate exists.
    _, seen = await _get_seen(session, gate_id, call)
    project = await projects.lock(session, seen.id)
    return await gates.lock(session, gate_id, etag), project


async def _lock_seat(
    session: WriteSession, gate_id: str, call: Call, etag: str
) -> tuple[Gate, Project]:
    """Lock a gate for a member of its panel. Raises `Fault` ``NOT_ON_PANEL`` for others."""
    gate, project = await _lock(session, gate_id, call, etag)
    if not reaches(call.rpc, call.principal, own=with_caller_on_panel(gate, call)):
        raise Fault("NOT_ON_PANEL")
    return gate, project


async def _teams_of(session: ReadSession, found: list[Gate]) -> Mapping[str, Team]:
    reviewed = await projects_of(session, {gate.project_id for gate in found})
    return await teams(session, reviewed)


async def _in_conflict(session: ReadSession, gate: Gate) -> frozenset[str]:
    """Who has declared a conflict of interest at any gate over the visit of this one."""
    found = await conflicts_at(session, gate.project_id, gate.visit)
    return frozenset(item.subject for item in found)


async def _present(session: ReadSession, gate: Gate, project: Project, call: Call) -> pb.Gate:
    """The gate as this caller sees it, with what is told of an open one alone."""
    team = await team_behind(session, project)
    message = _message(gate, call, team, await _in_conflict(session, gate))
    if gate.state == GateState.OPEN:
        basis = assessment_hash(await assessed_at(session, project, gate, call))
        message.assessment_hash = basis
        if not _is_hidden_from(call, gate, team):
            message.counted_votes = len(gate.counted(team, basis))
    return message


def _message(gate: Gate, call: Call, team: Team, in_conflict: Collection[str]) -> pb.Gate:
    steps = gate.steps_of(call.principal.subject, call.principal.center_ids, team, in_conflict)
    message = gates.present(gate, call, steps=steps)
    if _is_hidden_from(call, gate, team):
        message.ClearField("votes")
    return message


def _is_hidden_from(call: Call, gate: Gate, team: Team) -> bool:
    """Whether the votes are hidden: from the project's team until the gate has ended."""
    me = call.principal
    return gate.state == GateState.OPEN and team.includes(me.subject, me.center_ids)
