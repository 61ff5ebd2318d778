"""What the service does for a dossier: all that belongs to a project, sealed with hashes."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domainkit.aggregate import Step
from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import criteria_pb2, decisions_pb2, readiness_pb2
from peyvand.projects.v1 import dossier_pb2 as pb
from projects.domain.dossier import (
    FORMAT,
    MAX_BYTES,
    MAX_ITEMS,
    chain_head,
    digest,
    parts_of,
)
from projects.domain.project import Project
from projects.repository.awards import awards
from projects.repository.conditions import conditions
from projects.repository.criteria import evidence, waivers
from projects.repository.dossier import (
    NoRoomError,
    Room,
    all_decisions,
    all_of_project,
    all_steps,
    names_of,
)
from projects.repository.gates import gates, with_caller_on_panel
from projects.repository.outputs import outputs
from projects.repository.projects import projects, seen_by_caller
from projects.repository.readiness import readiness_claims
from projects.use_cases.next_gate import get_pathway_template
from projects.use_cases.projects import get_seen
from projects.use_cases.readiness import get_project_readiness
from servicekit.contract import enum_names
from servicekit.database import ReadSession
from servicekit.errors import Fault
from servicekit.json_form import to_plain
from servicekit.mapping import to_message, to_timestamp
from servicekit.policy import reaches
from servicekit.rpc_server import Call
from servicekit.store import AggregateStore

# Members whose items are a resource with its steps, by the name of the resource.
_KEPT: Sequence[tuple[str, AggregateStore[Any, Any]]] = (
    ("gates", gates),
    ("evidence", evidence),
    ("waivers", waivers),
    ("conditions", conditions),
    ("readiness_claims", readiness_claims),
    ("outputs", outputs),
    ("awards", awards),
)
# What the members of a panel may read who do not see the project otherwise.
_FOR_PANEL = frozenset({"project", "steps", "decisions", "gates", "criteria", "names"})


@dataclass
class _Contents:
    """A dossier that is being put together."""

    dossier: pb.ProjectDossier
    room: Room
    moments: list[datetime]
    is_whole: bool


async def get_project_dossier(
    session: ReadSession, request: pb.GetProjectDossierRequest, call: Call
) -> pb.ProjectDossier:
    """Give the dossier of a project. Raises `Fault` ``NOT_FOUND``, ``DOSSIER_TOO_LARGE``."""
    project = await get_seen(session, request.project_id, call)
    # Who sees the project only as a member of a panel does not see what belongs to it.
    sees_all = reaches(call.rpc, call.principal, own=seen_by_caller(project, call))
    contents = _Contents(pb.ProjectDossier(), Room(MAX_ITEMS), [project.updated_at], sees_all)
    try:
        await _put_project(session, project, contents, call)
        for member, store in _KEPT:
            if sees_all or member in _FOR_PANEL:
                await _put_all(session, project, contents, call, member=member, store=store)
        if sees_all:
            await _put_readiness(session, project, contents, call)
    except NoRoomError:
        raise _too_large() from None
    if contents.dossier.ByteSize() > MAX_BYTES:
        raise _too_large()
    withheld = () if sees_all else _all_members() - _FOR_PANEL
    # It is long work for a long history, and others are waiting.
    return await asyncio.to_thread(_sealed, contents, project, sorted(withheld))


async def _put_project(
    session: ReadSession, project: Project, contents: _Contents, call: Call
) -> None:
    dossier = contents.dossier
    dossier.project.CopyFrom(_as_in_events(projects, project, call))
    steps = (await all_steps(session, [project.id], contents.room))[project.id]
    _add_steps(dossier.steps, steps, contents)
    decisions = await all_decisions(session, project.id, contents.room)
    dossier.decisions.extend(to_message(item, decisions_pb2.Decision) for item in decisions)
    contents.moments += [item.created_at for item in decisions]
    dossier.manifest.chain_head = chain_head(decisions)
    asked = criteria_pb2.GetPathwayTemplateRequest(version=project.template_version)
    template = await get_pathway_template(session, asked, call)
    dossier.criteria.extend(_of_pathway(template, project))
    named = (await names_of(session, _named(project))).items()
    dossier.names.extend(
        pb.DossierName(id=id, name=to_message(name, types_pb2.LocalizedText)) for id, name in named
    )


async def _put_all(
    session: ReadSession,
    project: Project,
    contents: _Contents,
    call: Call,
    *,
    member: str,
    store: AggregateStore[Any, Any],
) -> None:
    """Put all of one kind into the dossier, each with its steps."""
    found = await all_of_project(session, store, project.id, contents.room)
    if not contents.is_whole:
        # Of gates, that which the caller reviews, as long as it is open.
        found = [
            gate
            for gate in found
            if gate.id == project.open_gate_id and with_caller_on_panel(gate, call)
        ]
    steps = await all_steps(session, [item.id for item in found], contents.room)
    for item in found:
        entry = getattr(contents.dossier, member).add()
        getattr(entry, store.kind).CopyFrom(_as_in_events(store, item, call))
        told = [store.step_as_told(item, step) for step in steps[item.id]]
        _add_steps(entry.steps, told, contents)
        contents.moments.append(item.updated_at)


async def _put_readiness(
    session: ReadSession, project: Project, contents: _Contents, call: Call
) -> None:
    asked = readiness_pb2.GetProjectReadinessRequest(project_id=project.id)
    contents.dossier.readiness.CopyFrom(await get_project_readiness(session, asked, call))


def _sealed(contents: _Contents, project: Project, withheld: Sequence[str]) -> pb.ProjectDossier:
    """The dossier with its manifest."""
    dossier, manifest = contents.dossier, contents.dossier.manifest
    plain = to_plain(dossier)
    given = {name: plain[name] for name in _all_members() if name not in withheld}
    manifest.format = FORMAT
    manifest.project_id = project.id
    manifest.template_version = project.template_version
    manifest.as_of.CopyFrom(to_timestamp(max(contents.moments)))
    manifest.parts.extend(to_message(part, pb.DossierPart) for part in parts_of(given))
    manifest.withheld.extend(withheld)
    manifest.sha256 = digest({k: v for k, v in to_plain(manifest).items() if k != "sha256"})
    return dossier


def _as_in_events(store: AggregateStore[Any, Any], item: Any, call: Call) -> Any:
    """A resource without what depends on who asks, and without what events do not tell."""
    message = store.present(store.as_told(item), call, own=False, steps=())
    message.ClearField("allowed_actions")
    return message


def _add_steps(into: Any, steps: Iterable[Step], contents: _Contents) -> None:
    for step in steps:
        into.append(to_message(step, types_pb2.Step))
        contents.moments.append(step.at)


def _of_pathway(
    template: criteria_pb2.PathwayTemplate, project: Project
) -> list[criteria_pb2.Criterion]:
    names = enum_names(template.pathways[0].DESCRIPTOR.fields_by_name["pathway"].enum_type)
    return [
        item
        for item in template.criteria
        if any(names[number] == project.pathway for number in item.pathways)
    ]


def _named(project: Project) -> Iterable[str]:
    """Ids of the neighbours that a project names."""
    yield from project.center_ids()
    yield from project.agreement_ids()
    yield from (participant.institution_id for participant in project.participants)


def _all_members() -> frozenset[str]:
    """Names of the parts of a dossier."""
    return frozenset(pb.ProjectDossier.DESCRIPTOR.fields_by_name) - {"manifest"}


def _too_large() -> Fault:
    room = {"items": str(MAX_ITEMS), "mebibytes": str(MAX_BYTES // 1024 // 1024)}
    return Fault("DOSSIER_TOO_LARGE", room)
