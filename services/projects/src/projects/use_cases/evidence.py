"""What the service does with evidence."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from peyvand.projects.v1 import evidence_pb2 as pb
from peyvand.projects.v1 import stages_pb2
from projects import tables
from projects.domain.evidence import Evidence, StoredFile
from projects.domain.project import Project
from projects.domain.visits import Visited, is_under_way
from projects.repository.criteria import (
    evidence,
    hold_file,
    is_named,
    may_sweep_file,
    of_projects_seen,
    projects_by_id,
    rejected_before,
)
from projects.repository.projects import seen_by_caller
from projects.use_cases.criteria import (
    get_with_project,
    lock_project,
    lock_with_project,
    require_own,
    required_criterion,
)
from servicekit.contract import enum_names
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault, Violation
from servicekit.ids import new_id
from servicekit.mapping import read_fields
from servicekit.object_store import ObjectStore
from servicekit.policy import sees_all
from servicekit.requests import occasion
from servicekit.rpc_server import Call

SWEEP_SECONDS = 20.0
"""How long the store may take to forget a file: much less than a transaction may be idle."""


async def get_evidence(
    session: ReadSession, request: pb.GetEvidenceRequest, call: Call
) -> pb.Evidence:
    """Give one piece of evidence."""
    found, project = await get_with_project(session, evidence, request.evidence_id, call)
    return await _present(session, found, project, call)


async def list_evidence(
    session: ReadSession, request: pb.ListEvidenceRequest, call: Call
) -> pb.ListEvidenceResponse:
    """Give a page of the evidence that the caller sees."""
    columns = tables.evidence.c
    where: list[Any] = []
    if not sees_all(call.rpc, call.principal):
        where.append(of_projects_seen(tables.evidence, call))
    if request.project_id:
        where.append(columns.project_id == request.project_id)
    if request.criterion:
        where.append(columns.criterion == request.criterion)
    if request.stage:
        where.append(columns.stage == enum_names(stages_pb2.Stage.DESCRIPTOR)[request.stage])
    if request.visit:
        where.append(columns.visit == request.visit)
    if request.state:
        where.append(columns.state == enum_names(pb.EvidenceState.DESCRIPTOR)[request.state])
    if request.external_key:
        where.append(columns.external_key == request.external_key)
    found, token = await evidence.page(session, request, *where)
    projects = await projects_by_id(session, (item.project_id for item in found))
    refused = await rejected_before(session, found, projects)
    return pb.ListEvidenceResponse(
        evidence=[_show(item, projects[item.project_id], call, refused) for item in found],
        next_page_token=token,
    )


async def create_evidence(
    session: WriteSession,
    request: pb.CreateEvidenceRequest,
    call: Call,
    objects: ObjectStore | None,
) -> pb.Evidence:
    """Submit a piece of evidence; one that it supersedes gives way in the same transaction.

    Bytes that were rejected in this visit are taken with a reason alone.
    """
    values = read_fields(request.evidence, Evidence, only=Evidence.FIXED)
    await require_own(session, values["project_id"], call)
    if values["file"] is not None:
        # Before the project is locked: the store of files may be slow to answer.
        await _require_stored(session, values["file"], objects, call)
    project = await lock_project(session, values["project_id"], call)
    criterion = required_criterion(project, values["criterion"])
    visit = Visited.by(project).last_visit(criterion.stage)
    if not visit:
        params = {"stage": criterion.stage.value}
        raise Fault.invalid(Violation("criterion", "STAGE_NOT_VISITED", params))
    made = Evidence(
        id=new_id(evidence.id_prefix),
        created_at=call.now,
        updated_at=call.now,
        state_since=call.now,
        stage=criterion.stage,
        visit=visit,
        submitted_by=call.principal.subject,
        **values,
    )
    made.recorded(occasion(request, call))
    await _require_not_rejected(session, made, project)
    former = await _lock_superseded(session, made)
    if former is not None:
        former.supersede(made.id, occasion(request, call), project.open_gate_id)
    await evidence.save(session, made)
    if former is not None:
        await evidence.save(session, former)
    return await _present(session, made, project, call)


async def verify_evidence(
    session: WriteSession, request: pb.EvidenceStepRequest, call: Call
) -> pb.Evidence:
    """Find that a piece of evidence holds."""
    found, project = await _lock(session, request, call)
    found.verify(Visited.by(project), occasion(request, call))
    await _require_not_rejected(session, found, project)
    await evidence.save(session, found)
    return await _present(session, found, project, call)


async def reconfirm_evidence(
    session: WriteSession, request: pb.EvidenceStepRequest, call: Call
) -> pb.Evidence:
    """Find that verified evidence still holds in another visit to its stage."""
    found, project = await _lock(session, request, call)
    found.reconfirm(Visited.by(project), occasion(request, call))
    await _require_not_rejected(session, found, project)
    await evidence.save(session, found)
    return await _present(session, found, project, call)


async def reject_evidence(
    session: WriteSession, request: pb.EvidenceStepRequest, call: Call
) -> pb.Evidence:
    """Find that a piece of evidence does not hold."""
    found, project = await _lock(session, request, call)
    found.reject(Visited.by(project), occasion(request, call))
    await evidence.save(session, found)
    return await _present(session, found, project, call)


async def list_evidence_steps(
    session: ReadSession, request: pb.ListEvidenceStepsRequest, call: Call
) -> pb.ListEvidenceStepsResponse:
    """Give a page of the steps that a piece of evidence has taken."""
    found, _ = await get_with_project(session, evidence, request.evidence_id, call)
    steps, token = await evidence.steps(session, found.id, request)
    return pb.ListEvidenceStepsResponse(steps=steps, next_page_token=token)


async def sweep_file(
    session: WriteSession,
    sha256: str,
    objects: ObjectStore,
    before: datetime,
    seconds: float = SWEEP_SECONDS,
) -> bool:
    """Forget a file that no evidence names and that nobody has sent again since; tell whether.

    Raises `TimeoutError` for a store that is slower than `seconds`.
    """
    if not await may_sweep_file(session, sha256):
        return False
    # The lock goes with the transaction, which the database ends when it is idle for long:
    # nothing may be taken away after that.
    async with asyncio.timeout(seconds):
        found = await objects.find(sha256)
        if found is None or found.stored_at >= before:
            return False
        await objects.delete(sha256)
    return True


async def _lock(
    session: WriteSession, request: pb.EvidenceStepRequest, call: Call
) -> tuple[Evidence, Project]:
    return await lock_with_project(session, evidence, request.evidence_id, call, request.etag)


async def _require_stored(
    session: WriteSession, file: StoredFile, objects: ObjectStore | None, call: Call
) -> None:
    """Raise `Fault` unless the store has the file, and keep it from being swept meanwhile.

    A file that the caller has neither sent nor sees is answered as one that is not there:
    who learns a SHA-256 learns nothing more by it.
    """
    if objects is None:
        raise Fault("FILES_NOT_SET_UP")
    await hold_file(session, file.sha256)
    stored = await objects.find(file.sha256)
    if stored is None or not await _may_name(session, file.sha256, objects, call):
        raise Fault.invalid(Violation("file.sha256", "FILE_NOT_STORED"))
    if stored.size_bytes != file.size_bytes:
        raise Fault.invalid(Violation("file.size_bytes", "FILE_SIZE_DIFFERS"))


async def _may_name(session: WriteSession, sha256: str, objects: ObjectStore, call: Call) -> bool:
    if await objects.was_sent_by(sha256, call.principal.subject):
        return True
    seen = [] if sees_all(call.rpc, call.principal) else [of_projects_seen(tables.evidence, call)]
    return await is_named(session, sha256, *seen)


async def _lock_superseded(session: WriteSession, made: Evidence) -> Evidence | None:
    """The piece of evidence that a new one supersedes; of the same project and criterion."""
    if made.supersedes_id is None:
        return None
    former = await evidence.find(session, made.supersedes_id)
    if former is None or (former.project_id, former.criterion) != (made.project_id, made.criterion):
        params = {"resource": f"evidence for {made.criterion}", "value": made.supersedes_id}
        raise Fault.invalid(Violation("supersedes_id", "UNKNOWN_REFERENCE", params))
    return await evidence.lock(session, former.id)


async def _require_not_rejected(session: ReadSession, piece: Evidence, project: Project) -> None:
    """Raise `Refused` ``REJECTED_BEFORE``. The project's lock holds off other rejections."""
    refused = await rejected_before(session, [piece], {project.id: project})
    piece.require_not_rejected(refused.get(piece.id))


async def _present(
    session: ReadSession, found: Evidence, project: Project, call: Call
) -> pb.Evidence:
    refused = await rejected_before(session, [found], {project.id: project})
    return _show(found, project, call, refused)


def _show(found: Evidence, project: Project, call: Call, refused: Mapping[str, str]) -> pb.Evidence:
    steps = found.steps_of(
        call.principal.subject,
        Visited.by(project),
        refused.get(found.id),
        under_way=is_under_way(project),
    )
    return evidence.present(found, call, own=seen_by_caller(project, call), steps=steps)
