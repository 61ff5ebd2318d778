"""How awards and the books of what was released are stored and found, and who sees them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from peyvand.projects.v1 import awards_pb2 as pb
from projects import tables
from projects.domain.awards import Award, Disbursement
from projects.domain.evidence import EvidenceFound, EvidenceState, Version, as_judged
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


async def evidence_found(session: ReadSession, ids: Iterable[str]) -> Mapping[str, EvidenceFound]:
    """How it stands with these pieces of evidence and the versions that superseded them.

    Evidence changes under the lock of its project's row; under that lock the answer holds.
    """
    asked = sorted(set(ids))
    if not asked:
        return {}
    first = _version(tables.evidence, of=tables.evidence.c.id, place=sa.literal(1))
    versions = first.where(tables.evidence.c.id.in_(asked)).cte("version", recursive=True)
    newer = tables.evidence.alias("newer")
    following = _version(newer, of=versions.c.of, place=versions.c.place + 1)
    following = following.join(versions, newer.c.id == versions.c.superseded_by_id)
    versions = versions.union_all(following)
    known: dict[str, list[Version]] = {}
    for row in await session.rows(sa.select(versions).order_by(versions.c.of, versions.c.place)):
        version = Version(EvidenceState(row.state), row.was_verified, row.was_rejected)
        known.setdefault(row.of, []).append(version)
    return {id: EvidenceFound(each[-1].state, as_judged(each)) for id, each in known.items()}


def _version(
    table: sa.FromClause, *, of: sa.ColumnElement[str], place: sa.ColumnElement[int]
) -> sa.Select[*tuple[Any, ...]]:
    """What counts of a piece of evidence as a version of another, or of itself."""
    columns = table.c
    return sa.select(
        of.label("of"),
        place.label("place"),
        columns.superseded_by_id,
        columns.state,
        (sa.func.jsonb_array_length(columns.confirmations) > 0).label("was_verified"),
        (columns.rejected_visit > 0).label("was_rejected"),
    )
