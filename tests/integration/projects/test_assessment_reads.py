"""What is read for the criteria of a stage comes to what all of the evidence comes to."""

from __future__ import annotations

from datetime import UTC, date, datetime
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from projects import tables
from projects.domain.assessment import Assessment, Piece, assess
from projects.domain.evidence import EvidenceState
from projects.domain.pathways import Pathway, Stage
from projects.domain.project import Project
from projects.pathway_templates import NEWEST, template
from projects.repository import assessments
from projects.repository.projects import projects
from servicekit.database import Database
from tests.integration.projects.conftest import ProjectsBench
from tests.support.many_projects import ManyProjects, write
from tests.support.patience import PATIENT
from tests.support.standing_projects import add_evidence, at_gate

STATES = ("submitted", "verified", "rejected", "superseded")


async def read(database: Database, project_id: str) -> tuple[Project, Assessment]:
    """A project, and what is read of how it stands."""
    async with database.read() as session:
        project = await projects.get(session, project_id)
        return project, await assessments.assess(session, project, date(2026, 11, 22))


def of_all(project: Project, rows: list[dict[str, Any]]) -> Assessment:
    """What the domain makes of every piece that there is."""
    pieces = [
        Piece(
            id=row["id"],
            criterion=row["criterion"],
            state=EvidenceState(row["state"]),
            visit=row["visit"],
            confirmed_visit=max((c["visit"] for c in row["confirmations"]), default=0),
            sha256=row["reference"]["sha256"],
        )
        for row in sorted(rows, key=lambda row: row["id"])
        if row["state"] != "superseded"
    ]
    return assess(project, template(project.template_version), pieces, [], date(2026, 11, 22))


@pytest.mark.parametrize("seed", range(3))
async def test_the_same_comes_out_as_of_all_pieces_together(
    bench: ProjectsBench, seed: int
) -> None:
    random = Random(seed)
    made = ManyProjects(datetime.now(UTC), {})
    codes = [c.code for c in template(NEWEST).criteria_of(Pathway.SOMATIC_CELL, Stage.S1)]
    ids = [at_gate(made, evidence=0) for _ in range(40)]
    for id in ids:
        for _ in range(random.randrange(8)):
            code, visit = random.choice(codes), random.choice((2, 4))
            row = add_evidence(made, id, code, "s1", visit=visit, state=random.choice(STATES))
            if row["state"] in ("verified", "rejected") and random.random() < 0.5:
                # Confirmed once for its own visit, and some of them again for the present one.
                visits = range(visit, random.choice((visit, 4)) + 1, 2)
                row["confirmations"] = [confirmation(each) for each in visits]
    await write(bench.database, made)
    states: set[str] = set()
    for id in ids:
        project, found = await read(bench.database, id)
        assert found == of_all(project, made.of(tables.evidence, id)), id
        states |= {item.state.value for item in found.criteria}
    assert states == {"missing", "submitted", "rejected", "to_reconfirm", "verified"}


def confirmation(visit: int) -> dict[str, Any]:
    """Somebody has found that a piece holds for a visit."""
    at = "2026-01-01T00:00:00+00:00"
    return {"visit": visit, "confirmed_by": "verifier", "confirmed_at": at}


async def test_evidence_of_other_visits_is_not_read(bench: ProjectsBench) -> None:
    made = ManyProjects(datetime.now(UTC), {})
    # Others, so that reading the whole table is no bargain.
    for _ in range(30):
        at_gate(made, evidence=100)
    little, much = at_gate(made, evidence=10), at_gate(made, evidence=2_000)
    await write(bench.database, made)
    await tell_what_was_read(bench.database)
    other = Database(bench.url, pool=1, patience=PATIENT)
    read_rows = {id: await rows_read(other, id) for id in (little, much)}
    await other.close()
    assert read_rows[much] <= read_rows[little] + 5
    assert read_rows[much] < 40


async def rows_read(database: Database, project_id: str) -> int:
    """How many rows PostgreSQL reads to tell how a project stands."""
    counted = sa.text(
        "SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))"
        " FROM pg_stat_user_tables"
    )
    counts: list[int] = []
    for _ in range(2):
        await tell_what_was_read(database)
        async with database.engine.connect() as connection:
            alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await alone.execute(sa.text("SELECT pg_stat_clear_snapshot()"))
            counts.append(int((await alone.execute(counted)).scalar_one()))
        if len(counts) == 1:
            await read(database, project_id)
    return counts[1] - counts[0]


async def tell_what_was_read(database: Database) -> None:
    """Have the connection of a database count what it has read now, and not ten seconds later."""
    async with database.engine.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.execute(sa.text("SELECT pg_stat_force_next_flush()"))
