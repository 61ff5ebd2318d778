"""What the forms of a project and what belongs to it offer to choose from, read beside it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from google.protobuf.message import Message

from peyvand.projects.v1 import (
    awards_pb2,
    conditions_pb2,
    criteria_pb2,
    decisions_pb2,
    evidence_pb2,
    gates_pb2,
    projects_pb2,
)
from servicekit.contract import Rpc, contract
from servicekit.errors import Fault

Read = Callable[[Rpc, Message], Awaitable[Message]]
"""Asks on behalf of who looks at the page. Raises `Fault`."""

_Answer = TypeVar("_Answer", bound=Message)

# What a reader may not see, or who is not signed in at all, is no fault of the page.
_NOT_FOR_THEM = frozenset({"NOT_FOUND", "PERMISSION_DENIED", "UNAUTHENTICATED"})
_MANY = 200


@dataclass(frozen=True)
class Beside:
    """What stands beside a resource.

    `project` is the one that it belongs to, `template` its pathway template, `decisions` are
    those on it, the oldest first, `evidence` is what a condition or a milestone can be shown
    with. All is empty where it is of no use, or where this reader may not see it.
    """

    project: projects_pb2.Project | None = None
    template: criteria_pb2.PathwayTemplate | None = None
    decisions: Sequence[decisions_pb2.Decision] = field(default_factory=tuple)
    evidence: Sequence[evidence_pb2.Evidence] = field(default_factory=tuple)


async def read_beside(resource: Message, read: Read) -> Beside:
    """Read what stands beside a resource. Raises `Fault`."""
    match resource:
        case projects_pb2.Project():
            return await _beside_project(resource, read)
        case gates_pb2.Gate():
            return await _beside_gate(resource, read)
        case conditions_pb2.ProjectCondition() if "report" in resource.allowed_actions:
            return await _with_evidence(resource.project_id, resource.criterion, read)
        case awards_pb2.Award() if _asks_for_evidence(resource):
            return await _with_evidence(resource.project_id, "", read)
        case _:
            id: str = getattr(resource, "project_id", "")
            return Beside(project=await _project(id, read) if id else None)


async def _beside_gate(gate: gates_pb2.Gate, read: Read) -> Beside:
    project = await _project(gate.project_id, read)
    return Beside() if project is None else await _beside_project(project, read)


async def _beside_project(project: projects_pb2.Project, read: Read) -> Beside:
    asked = criteria_pb2.GetPathwayTemplateRequest(version=project.template_version)
    template, decisions = await asyncio.gather(
        _seen(read, "Criteria/GetPathwayTemplate", criteria_pb2.PathwayTemplate, asked),
        _decisions(project.id, read),
    )
    return Beside(project=project, template=template, decisions=decisions)


async def _project(id: str, read: Read) -> projects_pb2.Project | None:
    asked = projects_pb2.GetProjectRequest(project_id=id)
    return await _seen(read, "Projects/GetProject", projects_pb2.Project, asked)


async def _decisions(project_id: str, read: Read) -> Sequence[decisions_pb2.Decision]:
    asked = decisions_pb2.ListProjectDecisionsRequest(project_id=project_id, page_size=_MANY)
    kind = decisions_pb2.ListProjectDecisionsResponse
    found = await _seen(read, "Projects/ListProjectDecisions", kind, asked)
    return found.decisions if found else ()


def _asks_for_evidence(award: awards_pb2.Award) -> bool:
    """Whether evidence is named on the page of an award, or can be."""
    shown = any(item.evidence_ids for item in award.milestones)
    return shown or "report-milestone" in award.allowed_actions


async def _with_evidence(project_id: str, criterion: str, read: Read) -> Beside:
    project, evidence = await asyncio.gather(
        _project(project_id, read), _evidence(project_id, criterion, read)
    )
    return Beside(project=project, evidence=evidence)


async def _evidence(project_id: str, criterion: str, read: Read) -> Sequence[evidence_pb2.Evidence]:
    """The pieces of a project, of one criterion where it is named, the latest first."""
    asked = evidence_pb2.ListEvidenceRequest(
        project_id=project_id, criterion=criterion, page_size=_MANY
    )
    kind = evidence_pb2.ListEvidenceResponse
    found = await _seen(read, "Criteria/ListEvidence", kind, asked)
    return list(found.evidence)[::-1] if found else ()


async def _seen(read: Read, name: str, kind: type[_Answer], request: Message) -> _Answer | None:
    try:
        answer = await read(contract().rpcs[f"/peyvand.projects.v1.{name}"], request)
    except Fault as fault:
        if fault.reason in _NOT_FOR_THEM:
            return None
        raise
    assert isinstance(answer, kind)
    return answer
