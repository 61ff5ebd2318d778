"""How companies are stored and found."""

from collections.abc import Iterable

import sqlalchemy as sa

from peyvand.projects.v1 import companies_pb2
from projects import tables
from projects.domain.company import Company
from projects.repository.projects import of_centers
from servicekit.database import ReadSession
from servicekit.errors import Fault
from servicekit.store import AggregateStore

companies: AggregateStore[Company, companies_pb2.Company] = AggregateStore(
    Company,
    table=tables.company,
    steps=tables.service_tables.step,
    resource=companies_pb2.Company,
    event=companies_pb2.CompanyEvent,
)


def out_of_projects_of(center_ids: Iterable[str]) -> sa.ColumnElement[bool]:
    """Condition: a company came out of a project of one of these centers.

    The ids are taken out of the list, so that each project is found by its key; asked
    the other way round, every company is compared with every project of the centers.
    """
    came_from = sa.func.jsonb_array_elements_text(tables.company.c.project_ids)
    id = came_from.column_valued("came_from_id")
    return sa.exists().where(tables.project.c.id == id, of_centers(center_ids))


async def require_free_numbers(session: ReadSession, company: Company) -> None:
    """Raise `Fault` if another company has one of its numbers.

    ``REGISTRATION_TAKEN`` or ``LEGAL_ENTITY_TAKEN``.
    """
    columns = tables.company.c
    for column, reason in (
        (columns.registration_number, "REGISTRATION_TAKEN"),
        (columns.legal_entity_id, "LEGAL_ENTITY_TAKEN"),
    ):
        number: str = getattr(company, column.name)
        if not number:
            continue
        other = await companies.find_by(session, column == number, columns.id != company.id)
        if other is not None:
            raise Fault(reason, {"value": number, "id": other.id})
