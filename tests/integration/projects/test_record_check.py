"""Records that somebody changes past the service are found, by the command that is for it."""

import asyncio
import json
import os
import sys
from typing import Any

import pytest
import sqlalchemy as sa

from peyvand.projects.v1 import decisions_pb2
from projects import tables
from projects.use_cases.record_check import check_records
from tests.integration.projects.conftest import ProjectsBench, at_s1

Json = dict[str, Any]
# The command is a process of its own, which a busy machine starts slowly.
pytestmark = pytest.mark.timeout(600)


async def check(bench: ProjectsBench) -> tuple[int, Json]:
    """What the command of the service ends with and prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "projects",
        "check-records",
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PEYVAND_DATABASE_URL": bench.url},
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(said)


async def past_the_service(bench: ProjectsBench, statement: sa.Executable) -> None:
    """Write as somebody who owns the database can, without its triggers."""
    tables_of_records = ("decision", "evidence")
    switched = [
        [sa.text(f"ALTER TABLE {table} {how} TRIGGER USER") for table in tables_of_records]
        for how in ("DISABLE", "ENABLE")
    ]
    for statements in (switched[0], [statement], switched[1]):
        async with bench.database.engine.begin() as connection:
            for one in statements:
                await connection.execute(one)


async def test_what_was_changed_past_the_service_is_named(bench: ProjectsBench) -> None:
    made = await at_s1(bench)
    await bench.decide(made, decisions_pb2.DECISION_KIND_GO)
    untouched = await at_s1(bench)
    await bench.decide(untouched, decisions_pb2.DECISION_KIND_HOLD, resume_date="2099-01-01")
    status, found = await check(bench)
    assert (status, found["decisions"], found["damaged"]) == (0, 2, [])
    (decision,) = await bench.decisions(made.id)
    (piece, *others) = decision.criteria[0].evidence_ids
    assert found["evidence"] >= 1 + len(others)

    decisions, evidence = tables.decision.c, tables.evidence.c
    other = sa.func.jsonb_set(
        decisions.decision, sa.text("'{reason}'"), sa.text("""'"As I wished."'::jsonb""")
    )
    await past_the_service(
        bench,
        sa.update(tables.decision).where(decisions.id == decision.id).values(decision=other),
    )
    await past_the_service(
        bench,
        sa.update(tables.evidence)
        .where(evidence.id == piece)
        .values(reference={"uri": "https://example.org/report", "sha256": "f" * 64}),
    )
    status, found = await check(bench)
    assert status == 1
    assert {
        (item["project_id"], item["record_id"], item["damage"]) for item in found["damaged"]
    } == {
        (made.id, decision.id, "changed"),
        (made.id, piece, "changed"),
    }


async def test_a_decision_that_is_gone_or_is_none_any_more_is_named(bench: ProjectsBench) -> None:
    made = await at_s1(bench)
    hold = decisions_pb2.DECISION_KIND_HOLD
    await bench.decide(made, hold, resume_date="2099-01-01")
    (decision,) = await bench.decisions(made.id)
    row = tables.decision.c.id == decision.id
    await past_the_service(bench, sa.update(tables.decision).where(row).values(decision={}))
    async with bench.database.snapshot() as session:
        found = await check_records(session)
    assert [(item.record_id, item.damage) for item in found.damaged] == [(decision.id, "changed")]
    await past_the_service(bench, sa.delete(tables.decision).where(row))
    async with bench.database.snapshot() as session:
        found = await check_records(session)
    assert [(item.record_id, item.damage) for item in found.damaged] == [(decision.id, "missing")]
