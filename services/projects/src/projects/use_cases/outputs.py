"""What the service does with outputs."""

from collections.abc import Sequence
from typing import Any

from domainkit.rules import Broken, RulesBroken
from peyvand.projects.v1 import outputs_pb2 as pb
from projects import tables
from projects.domain.identifiers import (
    canonical_doi,
    canonical_irct,
    canonical_nct,
    canonical_patent,
    check_doi,
    check_irct,
    check_nct,
    check_patent,
)
from projects.domain.outputs import (
    Output,
    OutputKind,
    Patent,
    Publication,
    Trial,
    TrialRegister,
)
from projects.domain.project import Project
from projects.repository.companies import companies
from projects.repository.neighbours import known_states
from projects.repository.outputs import (
    outputs,
    outputs_of_centers,
    recorded_anew,
    same_in_project,
)
from projects.repository.projects import projects, seen_by_caller
from servicekit.contract import enum_names
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault, Violation
from servicekit.ids import new_id
from servicekit.mapping import read_fields
from servicekit.policy import reaches, sees_all
from servicekit.requests import masked_fields, occasion
from servicekit.rpc_server import Call


async def get_output(session: ReadSession, request: pb.GetOutputRequest, call: Call) -> pb.Output:
    """Give one output."""
    return await _present(session, await _get_seen(session, request.output_id, call), call)


async def list_outputs(
    session: ReadSession, request: pb.ListOutputsRequest, call: Call
) -> pb.ListOutputsResponse:
    """Give a page of the outputs that the caller sees."""
    columns = tables.output.c
    where: list[Any] = []
    if not sees_all(call.rpc, call.principal):
        where.append(outputs_of_centers(call.principal.center_ids))
    if request.project_id:
        where.append(columns.project_id == request.project_id)
    if request.kind:
        where.append(columns.kind == enum_names(pb.OutputKind.DESCRIPTOR)[request.kind])
    if request.state:
        where.append(columns.state == enum_names(pb.OutputState.DESCRIPTOR)[request.state])
    if request.center_id:
        where.append(outputs_of_centers([request.center_id]))
    if request.identifier:
        where.append(columns.identifier.in_(_known_as(request.identifier)))
    if request.external_key:
        where.append(columns.external_key == request.external_key)
    found, token = await outputs.page(session, request, *where)
    return pb.ListOutputsResponse(
        outputs=await _present_all(session, found, call), next_page_token=token
    )


async def create_output(
    session: WriteSession, request: pb.CreateOutputRequest, call: Call
) -> pb.Output:
    """Record what came out of a project."""
    values = read_fields(request.output, Output, only=_GIVEN)
    project = await projects.find(session, values["project_id"])
    if project is None or not _reaches(project, call):
        params = {"resource": projects.kind, "value": values["project_id"]}
        raise Fault.invalid(Violation("project_id", "UNKNOWN_REFERENCE", params))
    now = call.now
    output = Output(
        id=new_id(outputs.id_prefix), created_at=now, updated_at=now, state_since=now, **values
    )
    output.recorded(occasion(request, call))
    await _require_sound(session, output)
    await outputs.save(session, output)
    return await _present(session, output, call)


async def update_output(
    session: WriteSession, request: pb.UpdateOutputRequest, call: Call
) -> pb.Output:
    """Change what is known of an output."""
    output = await _lock_seen(session, request.output_id, call, request.etag)
    values = masked_fields(request.output, Output, request.update_mask.paths)
    if output.amend(values, occasion(request, call)):
        await _require_sound(session, output)
        await outputs.save(session, output)
    return await _present(session, output, call)


async def take_output_step(
    session: WriteSession, request: pb.OutputStepRequest, call: Call, action: str
) -> pb.Output:
    """Withdraw an output, or let it count again."""
    output = await _lock_seen(session, request.output_id, call, request.etag)
    output.take(action, occasion(request, call))
    output.require_only(await same_in_project(session, output))
    await outputs.save(session, output)
    return await _present(session, output, call)


async def list_output_steps(
    session: ReadSession, request: pb.ListOutputStepsRequest, call: Call
) -> pb.ListOutputStepsResponse:
    """Give a page of the steps that an output has taken."""
    output = await _get_seen(session, request.output_id, call)
    steps, token = await outputs.steps(session, output.id, request)
    return pb.ListOutputStepsResponse(steps=steps, next_page_token=token)


_GIVEN = frozenset({*Output.EDITABLE, *Output.FIXED, "external_key"})


async def _present(session: ReadSession, output: Output, call: Call) -> pb.Output:
    (message,) = await _present_all(session, [output], call)
    return message


async def _present_all(
    session: ReadSession, found: Sequence[Output], call: Call
) -> list[pb.Output]:
    """Outputs as this caller sees them, with the steps that would not be refused now."""
    replaced = await recorded_anew(session, found)
    return [
        outputs.present(
            output,
            call,
            steps=[
                step
                for step in output.allowed_steps()
                if step != "reinstate" or output.id not in replaced
            ],
        )
        for output in found
    ]


async def _get_seen(session: ReadSession, id: str, call: Call) -> Output:
    """The output with this id. Raises `Fault` ``NOT_FOUND`` if the caller does not see it."""
    output = await outputs.get(session, id)
    if not _reaches(await projects.get(session, output.project_id), call):
        raise Fault.not_found(outputs.kind, id)
    return output


async def _lock_seen(session: WriteSession, id: str, call: Call, etag: str) -> Output:
    # Whether the caller sees it comes first: an etag tells nobody that an output exists.
    await _get_seen(session, id, call)
    return await outputs.lock(session, id, etag)


def _reaches(project: Project, call: Call) -> bool:
    return reaches(call.rpc, call.principal, own=seen_by_caller(project, call))


async def _require_sound(session: ReadSession, output: Output) -> None:
    """Raise unless what a new or changed output newly points to is there and fit.

    What it pointed to before is left alone: an output does not end with a company.
    """
    before = await outputs.find(session, output.id)
    known = set(before.company_ids) if before else set[tuple[str, str]]()
    for path, id in output.company_ids:
        if (path, id) in known:
            continue
        company = await companies.find(session, id)
        if company is None:
            raise RulesBroken(
                Broken(path, "UNKNOWN_REFERENCE", {"resource": companies.kind, "value": id})
            )
        if output.kind == OutputKind.COMPANY:
            output.require_company(company, path)
    therapy = output.therapy
    if therapy and not (
        before and before.therapy and before.therapy.center_id == therapy.center_id
    ):
        states = await known_states(session, tables.known_center, [therapy.center_id])
        if therapy.center_id not in states:
            params = {"value": therapy.center_id}
            raise RulesBroken(Broken("therapy.center_id", "UNKNOWN_CENTER", params))
    output.require_only(await same_in_project(session, output))


def _known_as(text: str) -> list[str]:
    """What an output may be known by that somebody looks for, in any spelling."""
    patent = canonical_patent("", text, "")
    doi, irct, nct = canonical_doi(text), canonical_irct(text), canonical_nct(text)
    # What breaks the rules of its kind is the identifier of nothing.
    possible = [
        (Publication(doi).identifier, check_doi(doi, "")),
        (Patent(patent.number, patent.office).identifier, check_patent(patent, "")),
        (Trial(TrialRegister.IRCT, irct).identifier, check_irct(irct, "")),
        (Trial(TrialRegister.CLINICALTRIALS_GOV, nct).identifier, check_nct(nct, "")),
    ]
    return [identifier for identifier, broken in possible if not broken]
