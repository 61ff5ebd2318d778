"""What the service does with claims of readiness."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

import sqlalchemy as sa

from domainkit.values import LocalizedText
from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import readiness_pb2 as pb
from projects import readiness_scales, tables
from projects.domain.project import Project
from projects.domain.readiness import (
    Dimension,
    Gap,
    ReadinessClaim,
    Scale,
    require_going_on,
    standing,
)
from projects.readiness_scales import scale
from projects.repository.awards import evidence_states
from projects.repository.criteria import states_of_evidence
from projects.repository.gates import reads
from projects.repository.projects import lock_reached, projects, seen_by_caller
from projects.repository.readiness import (
    on_projects_read_by,
    other_claim,
    readiness_claims,
    standing_claims,
)
from projects.use_cases.projects import get_seen
from servicekit.contract import enum_names
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault, Violation
from servicekit.ids import new_id
from servicekit.mapping import read_fields, to_message
from servicekit.policy import sees_all
from servicekit.requests import occasion
from servicekit.rpc_server import Call

_DIMENSIONS = {
    Dimension(name): number
    for number, name in enum_names(pb.ReadinessDimension.DESCRIPTOR).items()
    if number
}
_CLAIM_IT = LocalizedText(
    fa="سطح {level} با مدرک یا توضیح ادعا شود: {description}",
    en="Claim level {level}, with evidence or in words: {description}",
)
_VERIFY_IT = LocalizedText(
    fa="سطح {level} را کسی جز ادعاکننده تأیید کند: {description}",
    en="Have level {level} verified by someone other than who claimed it: {description}",
)
_SHOW_IT_ANEW = LocalizedText(
    fa="شاهد سطح {level} دیگر معتبر نیست؛ ادعای آن رد یا پس گرفته شود و سطح با شاهد دیگری"
    " از نو ادعا شود: {description}",
    en="The evidence of level {level} does not hold any more; reject or withdraw the claim, and "
    "claim the level anew with other evidence: {description}",
)


async def get_project_readiness(
    session: ReadSession, request: pb.GetProjectReadinessRequest, call: Call
) -> pb.ProjectReadiness:
    """Tell how ready a project is, and what is missing."""
    project = await get_seen(session, request.project_id, call)
    claims = await standing_claims(session, project.id)
    named = {id for claim in claims for id in claim.evidence_ids}
    states = await evidence_states(session, project.id, named)
    newest = scale(readiness_scales.NEWEST)
    return pb.ProjectReadiness(
        project_id=project.id,
        scale_version=newest.version,
        dimensions=[_dimension(dimension, claims, states, newest) for dimension in Dimension],
    )


async def get_readiness_scale(
    session: ReadSession, request: pb.GetReadinessScaleRequest, call: Call
) -> pb.ReadinessScale:
    """Give what the levels mean, in one version."""
    del session, call
    version = readiness_scales.NEWEST if request.version == "newest" else request.version
    if version not in readiness_scales.VERSIONS:
        raise Fault.not_found("readiness_scale", version)
    found = scale(version)
    levels = [
        pb.ReadinessLevel(
            dimension=_number(dimension),
            level=level,
            description=to_message(text, types_pb2.LocalizedText),
        )
        for dimension in Dimension
        for level, text in found.levels[dimension].items()
    ]
    return pb.ReadinessScale(version=found.version, levels=levels)


async def get_readiness_claim(
    session: ReadSession, request: pb.GetReadinessClaimRequest, call: Call
) -> pb.ReadinessClaim:
    """Give one claim."""
    claim, project = await _get_seen(session, request.readiness_claim_id, call)
    return await _present(session, claim, project, call)


async def list_readiness_claims(
    session: ReadSession, request: pb.ListReadinessClaimsRequest, call: Call
) -> pb.ListReadinessClaimsResponse:
    """Give a page of the claims that the caller sees."""
    columns = tables.readiness_claim.c
    where: list[Any] = []
    if not sees_all(call.rpc, call.principal):
        where.append(on_projects_read_by(call))
    if request.project_id:
        where.append(columns.project_id == request.project_id)
    if request.dimension:
        names = enum_names(pb.ReadinessDimension.DESCRIPTOR)
        where.append(columns.dimension == names[request.dimension])
    if request.state:
        where.append(columns.state == enum_names(pb.ReadinessClaimState.DESCRIPTOR)[request.state])
    if request.external_key:
        where.append(columns.external_key == request.external_key)
    found, token = await readiness_claims.page(session, request, *where)
    on = await _projects_of(session, found)
    states = await states_of_evidence(session, (id for c in found for id in c.evidence_ids))
    return pb.ListReadinessClaimsResponse(
        readiness_claims=[_message(claim, on[claim.project_id], states, call) for claim in found],
        next_page_token=token,
    )


async def create_readiness_claim(
    session: WriteSession, request: pb.CreateReadinessClaimRequest, call: Call
) -> pb.ReadinessClaim:
    """Claim that a project has reached a level."""
    values = read_fields(request.readiness_claim, ReadinessClaim, only=ReadinessClaim.FIXED)
    project_id: str = values["project_id"]
    project = await lock_reached(session, project_id, call, projects.kind, project_id)
    require_going_on(project.state)
    now = call.now
    claim = ReadinessClaim(
        id=new_id(readiness_claims.id_prefix),
        created_at=now,
        updated_at=now,
        state_since=now,
        scale_version=readiness_scales.NEWEST,
        claimed_by=call.principal.subject,
        **values,
    )
    claim.recorded(occasion(request, call))
    await _require_evidence(session, claim, project)
    if other := await other_claim(session, claim):
        raise Fault("LEVEL_CLAIMED_ALREADY", {"level": str(claim.level), "id": other.id})
    await readiness_claims.save(session, claim)
    return await _present(session, claim, project, call)


async def take_claim_step(
    session: WriteSession, request: pb.ReadinessClaimStepRequest, call: Call, action: str
) -> pb.ReadinessClaim:
    """Take one step in the life of a claim."""
    claim, project = await _lock(session, request, call)
    claim.take(action, occasion(request, call))
    await readiness_claims.save(session, claim)
    return await _present(session, claim, project, call)


async def verify_readiness_claim(
    session: WriteSession, request: pb.ReadinessClaimStepRequest, call: Call
) -> pb.ReadinessClaim:
    """Find that a claim holds, once the evidence that it names was found to hold."""
    claim, project = await _lock(session, request, call)
    # Under the project's lock, under which evidence is rejected as well.
    states = await evidence_states(session, project.id, claim.evidence_ids)
    claim.verify(states, occasion(request, call))
    await readiness_claims.save(session, claim)
    return _message(claim, project, states, call)


async def list_readiness_claim_steps(
    session: ReadSession, request: pb.ListReadinessClaimStepsRequest, call: Call
) -> pb.ListReadinessClaimStepsResponse:
    """Give a page of the steps that a claim has taken."""
    claim, _ = await _get_seen(session, request.readiness_claim_id, call)
    steps, token = await readiness_claims.steps(session, claim.id, request)
    return pb.ListReadinessClaimStepsResponse(steps=steps, next_page_token=token)


async def _get_seen(
    session: ReadSession, claim_id: str, call: Call
) -> tuple[ReadinessClaim, Project]:
    claim = await readiness_claims.get(session, claim_id)
    project = await projects.get(session, claim.project_id)
    if not await reads(session, project, call):
        raise Fault.not_found(readiness_claims.kind, claim_id)
    return claim, project


async def _lock(
    session: WriteSession, request: pb.ReadinessClaimStepRequest, call: Call
) -> tuple[ReadinessClaim, Project]:
    known = await readiness_claims.get(session, request.readiness_claim_id)
    # The project before its claims, here and when a level is claimed: it does not end meanwhile.
    project = await lock_reached(session, known.project_id, call, readiness_claims.kind, known.id)
    require_going_on(project.state)
    return await readiness_claims.lock(session, known.id, request.etag), project


async def _require_evidence(session: ReadSession, claim: ReadinessClaim, project: Project) -> None:
    """Raise `Fault` for evidence that the project does not have."""
    if not claim.evidence_ids:
        return
    there = await evidence_states(session, project.id, claim.evidence_ids)
    if missing := [
        Violation(f"evidence_ids[{i}]", "UNKNOWN_REFERENCE", {"resource": "evidence", "value": id})
        for i, id in enumerate(claim.evidence_ids)
        if id not in there
    ]:
        raise Fault.invalid(*missing)


async def _projects_of(
    session: ReadSession, claims: Iterable[ReadinessClaim]
) -> Mapping[str, Project]:
    ids = sorted({claim.project_id for claim in claims})
    if not ids:
        return {}
    rows = await session.rows(sa.select(tables.project).where(tables.project.c.id.in_(ids)))
    return {row.id: projects.load(row) for row in rows}


async def _present(
    session: ReadSession, claim: ReadinessClaim, project: Project, call: Call
) -> pb.ReadinessClaim:
    states = await states_of_evidence(session, claim.evidence_ids)
    return _message(claim, project, states, call)


def _message(
    claim: ReadinessClaim, project: Project, states: Mapping[str, str], call: Call
) -> pb.ReadinessClaim:
    """The claim as this caller sees it; what the caller may do hangs on the project too.

    `states` are those of the evidence that it names, by id.
    """
    return readiness_claims.present(
        claim,
        call,
        own=seen_by_caller(project, call),
        steps=claim.steps_of(call.principal.subject, project.state, states),
    )


def _dimension(
    dimension: Dimension,
    claims: Iterable[ReadinessClaim],
    states: Mapping[str, str],
    newest: Scale,
) -> pb.DimensionReadiness:
    found = standing(dimension, claims, states)
    return pb.DimensionReadiness(
        dimension=_number(dimension),
        claimed_level=found.claimed_level,
        verified_level=found.verified_level,
        missing=[_gap(gap, newest.levels[dimension][gap.level]) for gap in found.missing],
    )


def _gap(gap: Gap, description: LocalizedText) -> pb.ReadinessGap:
    if gap.fallen:
        need, what = pb.READINESS_NEED_OTHER_EVIDENCE, _SHOW_IT_ANEW
    elif gap.claim_id:
        need, what = pb.READINESS_NEED_VERIFICATION, _VERIFY_IT
    else:
        need, what = pb.READINESS_NEED_CLAIM, _CLAIM_IT
    return pb.ReadinessGap(
        level=gap.level,
        description=to_message(description, types_pb2.LocalizedText),
        need=need,
        what=types_pb2.LocalizedText(
            fa=what.fa.format(level=gap.level, description=description.fa),
            en=what.en.format(level=gap.level, description=description.en),
        ),
        readiness_claim_id=gap.claim_id,
    )


def _number(dimension: Dimension) -> "pb.ReadinessDimension":
    return cast("pb.ReadinessDimension", _DIMENSIONS[dimension])
