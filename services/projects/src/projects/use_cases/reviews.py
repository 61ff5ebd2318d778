"""What a panel has before it, and what a decision at its gate stands on."""

from projects.domain.assessment import Assessment
from projects.domain.flags import Neighbours
from projects.domain.gates import Gate
from projects.domain.project import Project
from projects.domain.review import Review
from projects.pathway_templates import template
from projects.repository.assessments import assess
from projects.repository.conditions import overdue_conditions, unmet_conditions
from projects.repository.decisions import find_decision, latest_decision
from projects.repository.gates import conflicts_at, team_behind, withdrawn_at
from servicekit.database import ReadSession
from servicekit.rpc_server import Call


async def reviewed_at(session: ReadSession, project: Project, gate: Gate) -> Project:
    """The project as the panel of its open gate looks at it: as it is, or before a decision."""
    if not gate.supersedes_id:
        return project
    superseded = await find_decision(session, project.id, gate.supersedes_id)
    return project.before(superseded) if superseded else project


async def assessed_at(session: ReadSession, project: Project, gate: Gate, call: Call) -> Assessment:
    """How it stands with the criteria of the visit that is under review at an open gate."""
    return await assess(session, await reviewed_at(session, project, gate), call.now.date())


async def review_at(
    session: ReadSession, project: Project, gate: Gate, neighbours: Neighbours, call: Call
) -> Review:
    """All that a decision at the gate stands on; to decide, the rows of both are locked."""
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
