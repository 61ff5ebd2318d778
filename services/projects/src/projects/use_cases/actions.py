"""Projects as callers see them: with the steps that this caller would not be refused now."""

from collections.abc import Sequence

from domainkit.aggregate import Occasion
from peyvand.projects.v1 import projects_pb2 as pb
from projects.domain.gates import Gate
from projects.domain.project import Project
from projects.domain.project_steps import Asking, steps_of
from projects.pathway_templates import template
from projects.repository.conditions import projects_overdue
from projects.repository.gates import gates_with, stakes
from projects.repository.neighbours import known_neighbours
from projects.repository.projects import projects
from projects.use_cases.reviews import review_at
from servicekit.database import ReadSession
from servicekit.rpc_server import Call


async def present(session: ReadSession, project: Project, call: Call) -> pb.Project:
    """One project as this caller sees it."""
    (message,) = await present_all(session, [project], call)
    return message


async def present_all(
    session: ReadSession, found: Sequence[Project], call: Call
) -> list[pb.Project]:
    """Projects as this caller sees them.

    What the rules hang on besides the project is read for those alone of which the caller's
    role lets something be done.
    """
    today = call.now.date()
    messages = {p.id: projects.present(p, call, steps=p.steps_on(today)) for p in found}
    verbs = {id: {*message.allowed_actions} - {"update"} for id, message in messages.items()}
    asked = [project for project in found if verbs[project.id]]
    if not asked:
        return [messages[project.id] for project in found]
    tied = await stakes(session, asked, call)
    held = [project.id for project in asked if "resume" in verbs[project.id]]
    overdue = await projects_overdue(session, held, today)
    at_gate = [project.open_gate_id for project in asked if "decide" in verbs[project.id]]
    open_gates = {gate.project_id: gate for gate in await gates_with(session, at_gate)}
    for project in asked:
        asking = Asking(
            subject=call.principal.subject,
            stake=tied[project.id],
            is_overdue=project.id in overdue,
            can_be_decided=await _can_be_decided(
                session, project, open_gates.get(project.id), call
            ),
        )
        steps = steps_of(project, asking, today)
        messages[project.id] = projects.present(project, call, steps=steps)
    return [messages[project.id] for project in found]


async def _can_be_decided(
    session: ReadSession, project: Project, gate: Gate | None, call: Call
) -> bool:
    """Whether what the panel at its gate has voted for can be recorded by this caller."""
    # Most gates wait for votes: of these nothing more is read.
    if gate is None or len(gate.votes) < gate.quorum:
        return False
    neighbours = await known_neighbours(session, [project])
    review = await review_at(session, project, gate, neighbours, call)
    when = Occasion(actor=call.principal.subject, at=call.now)
    return review.can_be_decided(project, template(project.template_version), when)
