"""Institutions: read, record, change."""

from collections.abc import Iterable

from partners import tables
from partners.domain.institutions import Institution
from partners.repository import institutions, require_free_ror, require_known, require_no_cycle
from partners.use_cases.records import ids_of, matching, new_record
from peyvand.partners.v1 import institutions_pb2 as pb
from servicekit.database import ReadSession, WriteSession
from servicekit.requests import masked_fields, occasion
from servicekit.rpc_server import Call


async def get_institution(
    session: ReadSession, request: pb.GetInstitutionRequest, call: Call
) -> pb.Institution:
    """Give one institution."""
    return institutions.present(await institutions.get(session, request.institution_id), call)


async def list_institutions(
    session: ReadSession, request: pb.ListInstitutionsRequest, call: Call
) -> pb.ListInstitutionsResponse:
    """Give a page of institutions."""
    where = matching(
        tables.institution,
        request,
        {"type": pb.InstitutionType},
        "country",
        "parent_id",
        "external_key",
    )
    found, token = await institutions.page(session, request, *where)
    return pb.ListInstitutionsResponse(
        institutions=[institutions.present(item, call) for item in found], next_page_token=token
    )


async def create_institution(
    session: WriteSession, request: pb.CreateInstitutionRequest, call: Call
) -> pb.Institution:
    """Record a new institution."""
    institution = new_record(Institution, institutions, request.institution, call)
    institution.recorded(occasion(request, call))
    await check_institution(session, institution)
    await institutions.save(session, institution)
    return institutions.present(institution, call)


async def update_institution(
    session: WriteSession, request: pb.UpdateInstitutionRequest, call: Call
) -> pb.Institution:
    """Change what is known of an institution."""
    institution = await institutions.lock(session, request.institution_id, request.etag)
    known = ids_of(institution.references())
    values = masked_fields(request.institution, Institution, request.update_mask.paths)
    if institution.amend(values, occasion(request, call)):
        await check_institution(session, institution, known)
        await institutions.save(session, institution)
    return institutions.present(institution, call)


async def check_institution(
    session: WriteSession, institution: Institution, known: Iterable[str] = ()
) -> None:
    """Raise `Fault` if an institution clashes with others; `known` are ids it had before."""
    references = institution.references()
    await require_known(session, references, known)
    if not ids_of(references) <= frozenset(known):
        await require_no_cycle(session, institution, "parent_id", "predecessor_id")
    await require_free_ror(session, institution)
