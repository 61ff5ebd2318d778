"""How outputs are stored and found, and who sees them."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from peyvand.projects.v1 import outputs_pb2 as pb
from projects import tables
from projects.domain.outputs import Output, OutputState
from projects.repository.projects import of_centers
from servicekit.database import ReadSession
from servicekit.store import AggregateStore

outputs: AggregateStore[Output, pb.Output] = AggregateStore(
    Output,
    table=tables.output,
    steps=tables.service_tables.step,
    resource=pb.Output,
    event=pb.OutputEvent,
    # Who sees an output at all sees it with a project of theirs.
    owned_by=lambda _output, _call: True,
)


def outputs_of_centers(center_ids: Iterable[str]) -> sa.ColumnElement[bool]:
    """Condition: an output is of a project that one of these centers leads or takes part in."""
    id = tables.project.c.id
    return sa.exists().where(id == tables.output.c.project_id, of_centers(center_ids))


async def same_in_project(session: ReadSession, output: Output) -> str | None:
    """Id of another output of the project that counts and is known by the same identifier."""
    if not output.identifier or output.state != OutputState.RECORDED:
        return None
    columns = tables.output.c
    return await session.scalar(
        sa.select(columns.id).where(
            columns.project_id == output.project_id,
            columns.identifier == output.identifier,
            columns.state == OutputState.RECORDED,
            columns.id != output.id,
        )
    )


async def recorded_anew(session: ReadSession, found: Sequence[Output]) -> set[str]:
    """Ids of those withdrawn outputs in whose place their project has recorded another."""
    withdrawn = [output.id for output in found if output.state == OutputState.WITHDRAWN]
    if not withdrawn:
        return set()
    mine, other = tables.output.alias("mine"), tables.output.alias("other")
    query = (
        sa.select(mine.c.id)
        .where(mine.c.id.in_(withdrawn), mine.c.identifier != "")
        .where(
            sa.exists().where(
                other.c.project_id == mine.c.project_id,
                other.c.identifier == mine.c.identifier,
                other.c.state == OutputState.RECORDED,
            )
        )
    )
    return {row.id for row in await session.rows(query)}
