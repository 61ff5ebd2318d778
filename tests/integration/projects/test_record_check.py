"""Records that somebody changes past the service are found, by the command that is for it."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from peyvand.projects.v1 import decisions_pb2
from projects import tables
from projects.use_cases import record_check
from projects.use_cases.record_check import RecordCheck, check_files, check_records
from tests.integration.projects.conftest import ProjectsBench, at_s1
from tests.support.criteria import CriteriaBench

Json = dict[str, Any]
# The command is a process of its own, which a busy machine starts slowly.
pytestmark = pytest.mark.timeout(600)


async def check(bench: ProjectsBench, objects: Path | None = None) -> tuple[int, Json]:
    """What the command of the service ends with and prints."""
    store = {"PEYVAND_OBJECTS_URL": objects.as_uri()} if objects else {}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "projects",
        "check-records",
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PEYVAND_DATABASE_URL": bench.url, **store},
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


async def test_a_file_that_is_changed_or_gone_is_named_until_it_was_sent_again(
    bench: ProjectsBench, criteria: CriteriaBench, tmp_path: Path
) -> None:
    made, other = await at_s1(bench), await at_s1(bench)
    contents = {code: f"report on {code}".encode() for code in ("sound", "changed", "gone")}
    files = {code: await criteria.file(content) for code, content in contents.items()}
    pieces = {
        code: [
            (made.id, (await criteria.submit(made.id, "prior-art", file=file)).id),
            (other.id, (await criteria.submit(other.id, "prior-art", file=file)).id),
        ]
        for code, file in files.items()
    }
    await criteria.submit(made.id, "prior-art")  # a reference has no file here
    stored = {
        code: tmp_path / "objects" / "sha256" / file.sha256[:2] / file.sha256
        for code, file in files.items()
    }
    status, found = await check(bench, tmp_path / "objects")
    assert (status, found["files"], found["damaged"]) == (0, 3, [])
    stored["changed"].write_bytes(contents["changed"][:-1] + b"?")
    stored["gone"].unlink()
    status, found = await check(bench, tmp_path / "objects")
    assert (status, found["files"]) == (1, 3)
    assert {
        (item["project_id"], item["record_id"], item["damage"]) for item in found["damaged"]
    } == {
        *((project, id, "file_changed") for project, id in pieces["changed"]),
        *((project, id, "file_missing") for project, id in pieces["gone"]),
    }
    for content in contents.values():
        await criteria.file(content)
    assert (await check(bench, tmp_path / "objects"))[0] == 0


async def test_where_no_store_is_set_no_file_is_said_to_be_sound(bench: ProjectsBench) -> None:
    status, found = await check(bench)
    assert (status, found["files"]) == (0, None)


@pytest.mark.parametrize("at_a_time", [1, 2, 3, 4])
async def test_all_files_are_read_however_many_are_asked_for_at_a_time(
    bench: ProjectsBench,
    criteria: CriteriaBench,
    monkeypatch: pytest.MonkeyPatch,
    at_a_time: int,
) -> None:
    monkeypatch.setattr(record_check, "_FILES", at_a_time)
    made = await at_s1(bench)
    pieces = {
        (await criteria.submit(made.id, "prior-art", file=await criteria.file(content))).id
        for content in (b"one", b"two", b"three")
    }
    found = RecordCheck()
    await check_files(bench.database, criteria.objects, found)
    assert (found.files, found.damaged) == (3, [])
    for file in [*(criteria.objects._folder or Path()).glob("sha256/*/*")]:
        file.unlink()
    await check_files(bench.database, criteria.objects, found)
    assert {item.record_id for item in found.damaged} == pieces
