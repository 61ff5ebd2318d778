"""How awards and the books of what was released are stored and found, and who sees them."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from peyvand.projects.v1 import awards_pb2 as pb
from projects import tables
from projects.domain.awards import Award, Disbursement
from projects.repository.projects import of_centers
from servicekit.database import ReadSession, WriteSession
from servicekit.store import AggregateStore

awards: AggregateStore[Award, pb.Award] = AggregateStore(
    Award,
    table=tables.award,
    steps=tables.service_tables.step,
    resource=pb.Award,
    event=pb.AwardEvent,
    # Who sees an award at all sees it with a project of theirs.
    owned_by=lambda _award, _call: True,
)


def awards_of_centers(center_ids: Iterable[str]) -> sa.ColumnElement[bool]:
    """Condition: an award is for a project that one of these centers leads or takes part in."""
    id = tables.project.c.id
    return sa.exists().where(id == tables.award.c.project_id, of_centers(center_ids))


async def save_released(
    session: WriteSession, award: Award, disbursement: Disbursement, at: datetime
) -> None:
    """Write an award's step together with the entry in the books that belongs to it."""
    await awards.save(session, award)
    row = {
        "award_id": award.id,
        "tranche_code": disbursement.tranche_code,
        "milestone_code": disbursement.milestone_code,
        "amount": disbursement.amount,
        "currency": disbursement.currency,
        "award_version": award.version,
        "released_at": at,
    }
    await session.execute(sa.insert(tables.disbursement), [row])


async def evidence_states(
    session: ReadSession, project_id: str, ids: Iterable[str]
) -> dict[str, str]:
    """States of those of these pieces of evidence that a project has."""
    columns = tables.evidence.c
    query = sa.select(columns.id, columns.state).where(
        columns.project_id == project_id, columns.id.in_(sorted(ids))
    )
    return {row.id: row.state for row in await session.rows(query)}
