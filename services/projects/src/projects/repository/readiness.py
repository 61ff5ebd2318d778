"""How claims of readiness are stored and found."""

import sqlalchemy as sa

from peyvand.projects.v1 import readiness_pb2 as pb
from projects import tables
from projects.domain.readiness import STANDING, ReadinessClaim
from projects.repository.gates import read_by
from servicekit.database import ReadSession
from servicekit.rpc_server import Call
from servicekit.store import AggregateStore

readiness_claims: AggregateStore[ReadinessClaim, pb.ReadinessClaim] = AggregateStore(
    ReadinessClaim,
    table=tables.readiness_claim,
    steps=tables.service_tables.step,
    resource=pb.ReadinessClaim,
    event=pb.ReadinessClaimEvent,
)

_claim = tables.readiness_claim.c


def on_projects_read_by(call: Call) -> sa.ColumnElement[bool]:
    """Condition: a claim is of a project that this caller reads, from a center or a panel."""
    return sa.exists().where(tables.project.c.id == _claim.project_id, read_by(call))


async def standing_claims(session: ReadSession, project_id: str) -> list[ReadinessClaim]:
    """The claims of a project that stand: 72 at most."""
    query = sa.select(tables.readiness_claim).where(_is_standing(), _claim.project_id == project_id)
    return [readiness_claims.load(row) for row in await session.rows(query)]


async def other_claim(session: ReadSession, claim: ReadinessClaim) -> ReadinessClaim | None:
    """Another claim of the same level that stands, or `None`."""
    return await readiness_claims.find_by(
        session,
        _is_standing(),
        _claim.project_id == claim.project_id,
        _claim.dimension == claim.dimension,
        _claim.level == claim.level,
        _claim.id != claim.id,
    )


def _is_standing() -> sa.ColumnElement[bool]:
    return _claim.state.in_(sorted(STANDING))
