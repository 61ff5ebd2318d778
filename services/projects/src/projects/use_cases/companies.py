"""What the service does with companies."""

from typing import Any

from peyvand.projects.v1 import companies_pb2 as pb
from projects import tables
from projects.domain.company import Company, CompanyState
from projects.repository.companies import (
    companies,
    out_of_projects_of,
    require_free_numbers,
)
from projects.repository.projects import existing_projects
from servicekit.contract import enum_names
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault, Violation
from servicekit.ids import new_id
from servicekit.imports import RowOutcome, stated, upsert
from servicekit.mapping import read_fields
from servicekit.policy import sees_all
from servicekit.references import References
from servicekit.requests import given_fields, masked_fields, occasion
from servicekit.rpc_server import Call


async def get_company(
    session: ReadSession, request: pb.GetCompanyRequest, call: Call
) -> pb.Company:
    """Give one company."""
    return companies.present(await _get_seen(session, request.company_id, call), call)


async def list_companies(
    session: ReadSession, request: pb.ListCompaniesRequest, call: Call
) -> pb.ListCompaniesResponse:
    """Give a page of the companies that the caller sees."""
    columns = tables.company.c
    where = _seen(call)
    if request.state:
        where.append(columns.state == enum_names(pb.CompanyState.DESCRIPTOR)[request.state])
    if request.project_id:
        where.append(columns.project_ids.contains([request.project_id]))
    if request.HasField("knowledge_based"):
        where.append(columns.knowledge_based == request.knowledge_based)
    if request.external_key:
        where.append(columns.external_key == request.external_key)
    found, token = await companies.page(session, request, *where)
    return pb.ListCompaniesResponse(
        companies=[companies.present(company, call) for company in found], next_page_token=token
    )


async def create_company(
    session: WriteSession, request: pb.CreateCompanyRequest, call: Call
) -> pb.Company:
    """Record a new company, as active."""
    company = _new_company(request.company, call)
    company.recorded(occasion(request, call))
    await _require_sound(session, company)
    await companies.save(session, company)
    return companies.present(company, call)


async def update_company(
    session: WriteSession, request: pb.UpdateCompanyRequest, call: Call
) -> pb.Company:
    """Change what is known of a company."""
    company = await companies.lock(session, request.company_id, request.etag)
    values = masked_fields(request.company, Company, request.update_mask.paths)
    if company.amend(values, occasion(request, call)):
        await _require_sound(session, company)
        await companies.save(session, company)
    return companies.present(company, call)


async def take_company_step(
    session: WriteSession, request: pb.CompanyStepRequest, call: Call, action: str
) -> pb.Company:
    """Take one step in the life of a company."""
    company = await companies.lock(session, request.company_id, request.etag)
    company.take(action, occasion(request, call))
    await companies.save(session, company)
    return companies.present(company, call)


async def list_company_steps(
    session: ReadSession, request: pb.ListCompanyStepsRequest, call: Call
) -> pb.ListCompanyStepsResponse:
    """Give a page of the steps that a company has taken."""
    company = await _get_seen(session, request.company_id, call)
    steps, token = await companies.steps(session, company.id, request)
    return pb.ListCompanyStepsResponse(steps=steps, next_page_token=token)


async def import_company(
    session: WriteSession, row: pb.CompanyRow, call: Call, references: References
) -> RowOutcome:
    """Bring one company to what a row of a file says of it."""
    row = await references.follow(session, row, "company")
    return await upsert(
        session,
        companies,
        external_key=row.company.external_key,
        occasion=occasion(row, call),
        build=lambda: _new_company(row.company, call),
        values=given_fields(row.company, Company, Company.EDITABLE),
        goal=stated(row.company.state, pb.CompanyState, CompanyState),
        check=lambda company: _require_sound(session, company),
    )


_GIVEN = frozenset({*Company.EDITABLE, "external_key"})


def _new_company(message: pb.Company, call: Call) -> Company:
    now = call.now
    values = read_fields(message, Company, only=_GIVEN)
    id = new_id(companies.id_prefix)
    return Company(id=id, created_at=now, updated_at=now, state_since=now, **values)


async def _get_seen(session: ReadSession, company_id: str, call: Call) -> Company:
    company = await companies.find_by(session, tables.company.c.id == company_id, *_seen(call))
    if company is None:
        raise Fault.not_found(companies.kind, company_id)
    return company


def _seen(call: Call) -> list[Any]:
    """Conditions for what the caller sees: a center sees companies out of its projects."""
    if sees_all(call.rpc, call.principal):
        return []
    return [out_of_projects_of(call.principal.center_ids)]


async def _require_sound(session: ReadSession, company: Company) -> None:
    """Raise `Fault` if its number belongs to another, or a project of it does not exist."""
    there = await existing_projects(session, company.project_ids)
    if missing := [
        Violation(f"project_ids[{i}]", "UNKNOWN_REFERENCE", {"resource": "project", "value": id})
        for i, id in enumerate(company.project_ids)
        if id not in there
    ]:
        raise Fault.invalid(*missing)
    await require_free_numbers(session, company)
