"""Evidence and waivers: several callers at once, one cut off in the midst, and the back door."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from peyvand.projects.v1 import criteria_pb2
from projects.api.criteria import criteria_api
from projects.repository.assessments import assess
from projects.repository.projects import projects
from projects.tables import metadata
from servicekit.errors import Fault
from tests.integration.projects.conftest import ProjectsBench, at_s1
from tests.support.criteria import (
    OMID,
    CriteriaBench,
    Person,
    ruling_on,
    step_of,
)
from tests.support.cut_off import killed_at_each_statement
from tests.support.messaging import eventually
from tests.support.rpc import outbox

TODAY = datetime.now(UTC).date()

WAITING_FOR_A_LOCK = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def test_of_many_who_verify_or_reject_at_once_one_does(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    piece = await criteria.submit(made.id, "prior-art")

    async def take(number: int) -> str:
        verb, who = ("Verify", "Reject")[number % 2], Person(f"judge-{number}")
        try:
            await criteria.step(verb, piece, who, reason="Because.")
        except Fault as fault:
            return fault.reason
        return "done"

    assert Counter(await asyncio.gather(*map(take, range(12)))) == {"done": 1, "STALE_ETAG": 11}
    assert len(await criteria.rows("SELECT * FROM step WHERE aggregate_id LIKE 'evd%'")) == 2


async def test_of_many_who_supersede_one_piece_at_once_one_does(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    piece = await criteria.submit(made.id, "prior-art")

    async def supersede(_: int) -> str:
        try:
            await criteria.submit(made.id, "prior-art", supersedes_id=piece.id)
        except Fault as fault:
            return fault.reason
        return "done"

    outcomes = Counter(await asyncio.gather(*map(supersede, range(8))))
    assert outcomes == {"done": 1, "ILLEGAL_TRANSITION": 7}
    assert len(await criteria.rows("SELECT * FROM evidence")) == 2


async def test_of_many_who_ask_for_one_waiver_at_once_one_does(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)

    async def ask(_: int) -> str:
        try:
            await criteria.ask(made.id, "prior-art")
        except Fault as fault:
            return fault.reason
        return "done"

    outcomes = Counter(await asyncio.gather(*map(ask, range(8))))
    assert outcomes == {"done": 1, "WAIVER_WAITS": 7}


async def test_evidence_waits_for_a_decision_under_way_and_then_finds_the_project_ended(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    """Who assesses a project under its lock relies on nothing being verified meanwhile."""
    made = await at_s1(bench)
    piece = await criteria.submit(made.id, "prior-art")
    waiver = await criteria.ask(made.id, "in-vitro-proof")
    locked, go_on = asyncio.Event(), asyncio.Event()

    async def decide() -> None:
        async def work(session: Any) -> None:
            await projects.lock(session, made.id)
            before = await assess(session, await projects.get(session, made.id), TODAY)
            locked.set()
            await go_on.wait()
            after = await assess(session, await projects.get(session, made.id), TODAY)
            assert after == before
            ended = sa.text("UPDATE project SET state = 'killed' WHERE id = :id")
            await session.execute(ended, {"id": made.id})

        await bench.database.write(work)

    deciding = asyncio.create_task(decide())
    await locked.wait()
    waiting = [
        asyncio.create_task(criteria.fault("VerifyEvidence", step_of(piece), OMID)),
        asyncio.create_task(criteria.fault("GrantWaiver", ruling_on(waiver), OMID)),
        asyncio.create_task(
            criteria.fault("CreateEvidence", criteria.submission(made.id, "prior-art"))
        ),
    ]

    async def all_three_wait() -> bool:
        return len(await criteria.rows(WAITING_FOR_A_LOCK)) == 3

    async with asyncio.timeout(60):
        await eventually(all_three_wait)
        go_on.set()
        await deciding
        faults = await asyncio.gather(*waiting)
    assert {fault.reason for fault in faults} == {"PROJECT_HAS_ENDED"}


@pytest.mark.parametrize("verb", ["create", "supersede", "verify", "grant"])
async def test_an_abort_at_any_statement_leaves_nothing_half_done(
    bench: ProjectsBench, criteria: CriteriaBench, verb: str
) -> None:
    made = await at_s1(bench)
    piece = await criteria.submit(made.id, "prior-art")
    waiver = await criteria.ask(made.id, "in-vitro-proof")
    file = await criteria.file(b"%PDF-1.7 proof", sender=OMID)
    calls: dict[str, tuple[str, Any]] = {
        "create": ("CreateEvidence", criteria.submission(made.id, "prior-art", file=file)),
        "supersede": (
            "CreateEvidence",
            criteria.submission(made.id, "prior-art", supersedes_id=piece.id),
        ),
        "verify": ("VerifyEvidence", step_of(piece)),
        "grant": ("GrantWaiver", ruling_on(waiver)),
    }
    name, request = calls[verb]
    before = await snapshot(criteria)
    killed = 0
    async for attempt in killed_at_each_statement(
        bench.url,
        criteria_pb2.DESCRIPTOR.services_by_name["Criteria"],
        lambda database: criteria_api(database, criteria.objects),
        lambda rpc: rpc.call(name, request, subject=OMID.subject),
    ):
        if not attempt.whole:
            killed += 1
            assert await snapshot(criteria) == before, f"statement {attempt.at}"
    assert killed >= 6
    after = await snapshot(criteria)
    assert after != before
    # The same request again gives the answer that nobody may have heard.
    await criteria.call(name, request, OMID)
    assert await snapshot(criteria) == after


async def snapshot(bench: CriteriaBench) -> list[Any]:
    """All that a call of this service may write."""
    written: list[Any] = list(await outbox(bench.database))
    for table in (metadata.tables[name] for name in ("evidence", "waiver", "step")):
        query = sa.select(sa.literal(table.name), table).order_by(*table.primary_key)
        async with bench.database.engine.connect() as connection:
            written += (await connection.execute(query)).all()
    written += await bench.rows("SELECT key, answer FROM idempotency_key ORDER BY key")
    return written


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM evidence",
        "TRUNCATE evidence",
        "UPDATE evidence SET submitted_by = 'someone'",
        "UPDATE evidence SET reference = jsonb_set(reference, '{sha256}', '\"b\"')",
        "UPDATE evidence SET criterion = 'in-vitro-proof'",
        "UPDATE evidence SET state = 'verified'",
        "UPDATE evidence SET state = 'superseded'",
        """UPDATE evidence SET confirmations =
        jsonb_build_array(jsonb_build_object('visit', 1, 'confirmed_by', submitted_by))""",
        "UPDATE waiver SET state = 'granted'",
        "UPDATE waiver SET state = 'granted', ruled_by = requested_by",
        """INSERT INTO waiver SELECT (jsonb_populate_record(waiver, jsonb_build_object(
        'id', 'wvr_2', 'external_key', null))).* FROM waiver""",
    ],
)
async def test_the_database_holds_what_no_caller_may_do(
    bench: ProjectsBench, criteria: CriteriaBench, statement: str
) -> None:
    made = await at_s1(bench)
    await criteria.submit(made.id, "prior-art")
    await criteria.ask(made.id, "in-vitro-proof")
    with pytest.raises(DBAPIError, match=r"append-only|not changed|violates"):
        async with criteria.database.engine.begin() as connection:
            await connection.execute(sa.text(statement))
