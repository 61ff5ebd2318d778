"""Persons: read, record, change, delete."""

from partners import tables
from partners.domain.persons import Person
from partners.repository import holds, persons, require_known
from partners.use_cases.records import ids_of, matching, new_record
from peyvand.partners.v1 import institutions_pb2 as pb
from servicekit.database import ReadSession, WriteSession
from servicekit.requests import masked_fields, occasion
from servicekit.rpc_server import Call


async def get_person(session: ReadSession, request: pb.GetPersonRequest, call: Call) -> pb.Person:
    """Give one person."""
    return persons.present(await persons.get(session, request.person_id), call)


async def list_persons(
    session: ReadSession, request: pb.ListPersonsRequest, call: Call
) -> pb.ListPersonsResponse:
    """Give a page of persons."""
    where = matching(tables.person, request, {}, "external_key")
    if request.institution_id:
        where.append(holds(tables.person.c.positions, institution_id=request.institution_id))
    found, token = await persons.page(session, request, *where)
    return pb.ListPersonsResponse(
        persons=[persons.present(item, call) for item in found], next_page_token=token
    )


async def create_person(
    session: WriteSession, request: pb.CreatePersonRequest, call: Call
) -> pb.Person:
    """Record a new person."""
    person = new_record(Person, persons, request.person, call)
    person.recorded(occasion(request, call))
    await require_known(session, person.references())
    await persons.save(session, person)
    return persons.present(person, call)


async def update_person(
    session: WriteSession, request: pb.UpdatePersonRequest, call: Call
) -> pb.Person:
    """Change what is known of a person; documents keep the names that they have."""
    person = await persons.lock(session, request.person_id, request.etag)
    known = ids_of(person.references())
    values = masked_fields(request.person, Person, request.update_mask.paths)
    if person.amend(values, occasion(request, call)):
        await require_known(session, person.references(), known)
        await persons.save(session, person)
    return persons.present(person, call)


async def delete_person(
    session: WriteSession, request: pb.DeletePersonRequest, call: Call
) -> pb.Person:
    """Delete a person; documents keep the names that they have."""
    person = await persons.lock(session, request.person_id, request.etag)
    person.erase(occasion(request, call))
    await persons.save(session, person)
    return persons.present(person, call)
