"""How the evidence and waivers of a project are read for the criteria of its stage."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from projects import tables
from projects.domain import assessment
from projects.domain.assessment import Assessment, Leave, Piece
from projects.domain.evidence import EvidenceState
from projects.domain.project import Project
from projects.domain.waivers import WaiverState
from projects.pathway_templates import template
from servicekit.database import ReadSession

_evidence, _waiver = tables.evidence.c, tables.waiver.c


async def assess(session: ReadSession, project: Project, today: date) -> Assessment:
    """Tell how it stands with the criteria of the project's present stage, in two statements.

    Evidence and waivers of a project change under the lock of its row alone; under that
    lock the answer holds until the transaction ends.
    """
    pinned = template(project.template_version)
    codes = [c.code for c in pinned.criteria_of(project.pathway, project.stage)]
    pieces = await session.rows(_counting(project, codes))
    leaves = await session.rows(
        sa.select(_waiver.id, _waiver.criterion, _waiver.state, _waiver.visit, _waiver.expiry_date)
        .where(_waiver.project_id == project.id, _waiver.state == WaiverState.GRANTED)
        .where(_waiver.visit == project.visit)
        .order_by(_waiver.id)
    )
    return assessment.assess(
        project,
        pinned,
        [
            Piece(
                id=row.id,
                criterion=row.criterion,
                state=EvidenceState(row.state),
                visit=row.visit,
                confirmed_visit=max((c["visit"] for c in row.confirmations), default=0),
                sha256=row.sha256,
            )
            for row in pieces
        ],
        [
            Leave(
                id=row.id,
                criterion=row.criterion,
                state=WaiverState(row.state),
                visit=row.visit,
                expiry=date.fromisoformat(row.expiry_date),
            )
            for row in leaves
        ],
        today,
    )


def _counting(project: Project, codes: Sequence[str]) -> sa.Select[*tuple[Any, ...]]:
    """The pieces that can count for these criteria.

    What was rejected in another visit never does, and verified evidence of earlier visits
    only for a criterion that has nothing better: however much there is of both, it is not
    read otherwise.
    """
    present = project.visit
    verified, speaks_for = _evidence.state == EvidenceState.VERIFIED, _speaks_for()
    asked = sa.func.unnest(sa.cast(codes, ARRAY(sa.Text))).column_valued("asked")

    def pieces(*where: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
        of_it = (_evidence.project_id == project.id, _evidence.criterion == asked)
        columns = (_evidence.id, _evidence.criterion, _evidence.state, _evidence.visit)
        sha256 = sa.func.coalesce(
            _evidence.file["sha256"].astext, _evidence.reference["sha256"].astext
        ).label("sha256")
        found = sa.select(*columns, _evidence.confirmations, sha256).where(*of_it, *where)
        return found.correlate(asked.scalar_alias)

    now = pieces(verified, speaks_for == present)
    waiting = pieces(_evidence.state == EvidenceState.SUBMITTED)
    rejected = pieces(_evidence.state == EvidenceState.REJECTED, speaks_for == present)
    without_better = sa.not_(sa.or_(sa.exists(now), sa.exists(waiting)))
    earlier = pieces(verified, speaks_for < present)
    parts = [
        (now, sa.true()),
        (waiting, sa.true()),
        (rejected, sa.true()),
        (earlier, without_better),
    ]
    each: list[sa.Select[*tuple[Any, ...]]] = []
    for number, (part, condition) in enumerate(parts):
        found = part.lateral(f"found_{number}")
        joined = asked.scalar_alias.join(found, sa.true())
        each.append(sa.select(found).select_from(joined).where(condition))
    every = sa.union_all(*each).subquery("counting")
    return sa.select(every).order_by(every.c.id)


def _speaks_for() -> sa.ColumnElement[int]:
    """As the index has it."""
    return sa.literal_column(tables.SPEAKS_FOR, sa.Integer)
