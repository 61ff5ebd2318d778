"""Reports of nodes in a real database: once each, in order, and answered when committed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from centers import tables
from centers.domain.nodes import NodeState
from centers.line.intake import MAX_REPORTS, report_standing
from centers.tables import (
    capacity_snapshot,
    node_journal,
    node_line,
    node_receipt,
    period_report,
    refused_report,
)
from peyvand.centers.v1 import reports_pb2
from peyvand.node.v1 import protocol_pb2 as pb
from servicekit.database import Database, WriteSession
from servicekit.errors import Fault
from servicekit.ids import new_id
from servicekit.messaging_tables import TABLES
from servicekit.migrations import differences
from tests.support.cut_off import cut_off_at_each_statement
from tests.support.patience import PATIENT
from tests.support.reports import (
    LAST_MONTH,
    Reporting,
    activity,
    capacity,
    refusals,
    report_numbers,
    reporting,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.support.cluster import Infra

NATIONAL_ID = "0499370899"


@pytest.fixture
async def bench(infra: Infra) -> AsyncGenerator[Reporting]:
    async with reporting(infra) as bench:
        yield bench


async def last_number(bench: Reporting, journal: str = "journal-1") -> int:
    query = sa.select(node_journal.c.last_number).where(
        node_journal.c.node_id == bench.node_id, node_journal.c.journal == journal
    )
    return sum(await bench.numbers(query))


async def hello(
    bench: Reporting, after: int = 0, journal: str = "journal-1", mark: str = ""
) -> pb.Standing:
    said = pb.Hello(journal=journal, receipts_after=after, receipts_mark=mark)

    async def work(session: WriteSession) -> pb.Standing:
        found = await report_standing(session, bench.node_id, said)
        return pb.Standing(
            last_number=found.last_number,
            receipts=found.receipts,
            more_receipts=found.more_receipts,
            receipts_anew=found.receipts_anew,
        )

    return await bench.database.write(work)


async def test_the_tables_are_as_the_migrations_make_them(bench: Reporting) -> None:
    async with bench.database.engine.connect() as connection:
        assert await connection.run_sync(differences, tables.metadata) == []


async def test_a_batch_is_in_the_database_with_its_events_and_receipts(bench: Reporting) -> None:
    reports = [capacity(1), capacity(2, 2), activity(3, submit=True, trainees=7)]
    taken = await bench.take(*reports)
    assert taken.last_number == 3
    assert report_numbers(taken.receipts) == [1, 2, 3]
    assert [receipt.key for receipt in taken.receipts] == [report.key for report in reports]
    assert [receipt.number for receipt in taken.receipts] == [1, 2, 3]
    assert all(not receipt.refusals and receipt.id for receipt in taken.receipts)
    outbox = TABLES.outbox.c
    own = outbox.aggregate_id.in_([receipt.id for receipt in taken.receipts])
    types = await bench.numbers(sa.select(outbox.type).where(own).order_by(outbox.seq))
    assert [name.rpartition("v1.")[2] for name in types] == [
        "capacity_snapshot.received",
        "capacity_snapshot.received",
        "period_report.created",
        "period_report.submitted",
    ]
    payload = await bench.numbers(
        sa.select(outbox.payload).where(own, outbox.type.like("%submitted"))
    )
    told = reports_pb2.PeriodReportEvent.FromString(payload[0]).period_report
    assert (told.center_id, told.node_id) == (bench.center_id, bench.node_id)
    assert (told.state, told.figures.trainees) == (reports_pb2.PERIOD_REPORT_STATE_SUBMITTED, 7)
    assert (await hello(bench)).receipts == taken.receipts


async def test_what_comes_again_is_not_taken_again(bench: Reporting) -> None:
    first = bench.batch(capacity(1), capacity(2))
    await bench.take_batch(first)
    again = await bench.take_batch(first)
    assert (again.last_number, list(again.receipts)) == (2, [])
    more = await bench.take(capacity(2), capacity(3))
    assert report_numbers(more.receipts) == [3]
    assert await bench.count(capacity_snapshot) == 3


async def test_a_gap_is_told_and_nothing_after_it_is_taken(bench: Reporting) -> None:
    await bench.take(capacity(1))
    assert (await bench.take(capacity(3))).last_number == 1
    taken = await bench.take(capacity(2), capacity(3), capacity(5))
    assert (taken.last_number, report_numbers(taken.receipts)) == (3, [2, 3])
    assert (await bench.take(capacity(5), capacity(4))).last_number == 3
    assert await bench.count(capacity_snapshot) == 3
    assert await last_number(bench) == 3


async def test_a_journal_made_anew_counts_anew_and_the_old_one_stays(bench: Reporting) -> None:
    await bench.take(capacity(1), capacity(2))
    taken = await bench.take(capacity(1), journal="journal-2")
    assert (taken.last_number, report_numbers(taken.receipts)) == (1, [1])
    assert taken.receipts[0].number == 3
    assert (await hello(bench)).last_number == 2
    assert (await hello(bench, journal="journal-2")).last_number == 1
    assert (await hello(bench, journal="journal-3")).last_number == 0


async def test_no_more_is_decided_at_once_than_one_transaction_should_hold(
    bench: Reporting,
) -> None:
    reports = [capacity(number) for number in range(1, MAX_REPORTS + 11)]
    assert (await bench.take(*reports)).last_number == MAX_REPORTS
    assert (await bench.take(*reports)).last_number == MAX_REPORTS + 10
    standing = await hello(bench)
    assert (len(standing.receipts), standing.more_receipts) == (500, True)
    standing = await hello(bench, after=standing.receipts[-1].number)
    assert (report_numbers(standing.receipts)[-1], standing.more_receipts) == (510, False)


async def test_a_report_that_breaks_a_rule_is_refused_and_the_rest_goes_on(
    bench: Reporting,
) -> None:
    item = reports_pb2.CapacityItem(kind=reports_pb2.CAPABILITY_KIND_TRAINING, total=1, used=2)
    two = capacity(2)
    two.capacity.items.append(item)
    taken = await bench.take(
        capacity(1),
        two,
        pb.Report(number=3, key=new_id("rpt")),
        activity(4, "1405-13", trainees=-1),
        activity(5, "1405-12", trainees=1),
        activity(6, "1405-09", submit=True, trainees=1),
        activity(7),
        capacity(8, used=float("nan")),
        capacity(9),
    )
    assert taken.last_number == 9
    assert [refusals(receipt) for receipt in taken.receipts] == [
        [],
        [("items[1].used", "USED_OVER_TOTAL")],
        [("feed", "UNKNOWN_FEED")],
        [("period", "WRONG_FORMAT"), ("figures.trainees", "OUT_OF_RANGE")],
        [("period", "PERIOD_NOT_BEGUN")],
        [("period", "PERIOD_NOT_OVER")],
        [("figures", "REQUIRED")],
        [("items[0].used", "OUT_OF_RANGE")],
        [],
    ]
    (told,) = taken.receipts[1].refusals
    assert told.en == "2 in use is more than the 1 there are."
    assert told.fa == "2 در حال استفاده از کل موجود 1 بیشتر است."
    assert not taken.receipts[1].id
    kept = refused_report.c
    rows = await bench.numbers(sa.select(kept.number).order_by(kept.id))
    assert rows == [2, 3, 4, 5, 6, 7, 8]
    assert await bench.count(TABLES.outbox, TABLES.outbox.c.type.like("%refused_report%")) == 7
    # The draft of a month that could not be submitted was not recorded either.
    assert await bench.count(period_report) == 0
    assert await bench.count(capacity_snapshot) == 2


async def test_a_time_that_no_calendar_has_is_refused(bench: Reporting) -> None:
    odd = capacity(1)
    odd.capacity.observed_at.seconds = 10**15
    late = capacity(2)
    late.capacity.observed_at.FromJsonString("2026-11-22T12:06:00Z")
    taken = await bench.take(odd, late)
    assert [refusals(receipt) for receipt in taken.receipts] == [
        [("observed_at", "NO_SUCH_DATE")],
        [("observed_at", "DATE_IN_FUTURE")],
    ]


async def test_a_clock_that_is_ahead_of_the_hubs_has_nothing_refused(bench: Reporting) -> None:
    by_the_node = "2026-11-23T13:00:00Z"  # the hub's clock says 12:00 of the day before
    reports = [capacity(1), capacity(2), capacity(3)]
    for report in reports:
        report.taken_at.FromJsonString(by_the_node)
    reports[0].capacity.observed_at.FromJsonString("2026-11-23T12:59:00Z")
    reports[2].capacity.observed_at.FromJsonString("2026-11-23T13:06:00Z")
    taken = await bench.take(*reports)
    # What lies ahead of the node's own clock is in the future by any.
    assert [refusals(receipt) for receipt in taken.receipts] == [
        [],
        [],
        [("observed_at", "DATE_IN_FUTURE")],
    ]
    columns = capacity_snapshot.c
    query = sa.select(columns.observed_at, columns.told_observed_at, columns.received_at)
    async with bench.database.engine.connect() as connection:
        ahead, behind = (await connection.execute(query.order_by(columns.id))).all()
    assert ahead.observed_at == ahead.received_at
    assert ahead.told_observed_at.isoformat() == "2026-11-23T12:59:00+00:00"
    assert behind.told_observed_at is None


async def test_personal_data_is_refused_and_kept_nowhere(bench: Reporting) -> None:
    named = activity(1, trainees=1, external_key=f"key-{NATIONAL_ID}")
    named.key = NATIONAL_ID
    odd = activity(2, NATIONAL_ID, trainees=1)
    odd.key = f"rpt {NATIONAL_ID}"
    taken = await bench.take(named, odd)
    assert refusals(taken.receipts[0]) == [("external_key", "PERSONAL_DATA")]
    assert taken.last_number == 2
    async with bench.database.engine.connect() as connection:
        for table in tables.metadata.sorted_tables:
            for row in await connection.execute(sa.select(table)):
                texts = [v.decode("latin-1") if isinstance(v, bytes) else str(v) for v in row]
                assert not [text for text in texts if NATIONAL_ID in text], table.name
    for receipt in (await hello(bench)).receipts:
        assert NATIONAL_ID not in str(receipt)


@pytest.mark.parametrize(
    "state", [s for s in NodeState if s not in (NodeState.ENROLLED, NodeState.ACTIVE)]
)
async def test_nothing_is_taken_of_a_node_that_is_not_served(
    bench: Reporting, state: NodeState
) -> None:
    await bench.set_state(bench.node_id, state)
    with pytest.raises(Fault) as caught:
        await bench.take(capacity(1))
    assert (caught.value.reason, caught.value.params) == ("NODE_NOT_SERVED", {"state": state.value})
    await bench.set_state(bench.node_id, NodeState.ENROLLED)
    assert (await bench.take(capacity(1))).last_number == 1


async def test_nothing_is_taken_of_a_stranger_or_without_a_journal(bench: Reporting) -> None:
    with pytest.raises(Fault, match="NODE_NOT_SERVED"):
        await bench.take(capacity(1), node_id=new_id("nod"))
    for journal in ("\n", "x" * 101, "دفتر"):
        with pytest.raises(Fault, match="MESSAGE_UNREADABLE"):
            await bench.take(capacity(1), journal=journal)
    assert await bench.count(capacity_snapshot) == 0


async def test_two_processes_with_the_same_batches_take_each_report_once(bench: Reporting) -> None:
    other = Database(bench.url, pool=5, patience=PATIENT)
    second = Reporting(other, bench.url, bench.center_id, bench.node_id)
    reports = [capacity(n) if n % 5 else activity(n, trainees=n) for n in range(1, 201)]
    batches = [bench.batch(*reports[start : start + 20]) for start in range(0, 200, 20)]

    async def send(hub: Reporting) -> list[int]:
        decided: list[int] = []
        for batch in batches:
            taken = await hub.take_batch(batch)
            while taken.last_number < batch.reports[0].number - 1:
                taken = await hub.take_batch(batch)
            decided += report_numbers(taken.receipts)
        return decided

    async with asyncio.timeout(60):
        decided = [
            n for part in await asyncio.gather(*map(send, (bench, second, bench))) for n in part
        ]
    await other.close()
    assert sorted(decided) == list(range(1, 201))
    assert await bench.count(capacity_snapshot) == 160
    assert await bench.count(period_report) == 1
    receipts = await bench.numbers(sa.select(node_receipt.c.number).order_by(node_receipt.c.number))
    assert receipts == list(range(1, 201))
    outbox = TABLES.outbox.c
    assert await bench.count(TABLES.outbox, outbox.type.like("%capacity_snapshot.received")) == 160
    versions = await bench.numbers(
        sa.select(outbox.aggregate_version)
        .where(outbox.type.like("%period_report%"))
        .order_by(outbox.seq)
    )
    assert versions == list(range(1, 41))


async def test_an_abort_at_any_statement_leaves_nothing_half_done(
    infra: Infra, bench: Reporting
) -> None:
    batch = [capacity(1), activity(2, submit=True, trainees=2), capacity(3, used=9), capacity(4)]
    killed = 0

    async def take(database: Database) -> Any:
        hub = Reporting(database, bench.url, bench.center_id, bench.node_id)
        return await hub.take(*batch)

    async for attempt in cut_off_at_each_statement(bench.url, take):
        if attempt.answer is not None:
            assert attempt.whole
            assert attempt.answer.last_number == 4
            continue
        killed += 1
        assert await last_number(bench) == 0
        for table in (capacity_snapshot, period_report, refused_report, node_receipt):
            assert await bench.count(table) == 0, f"statement {attempt.at}"
    assert killed >= 8
    assert await bench.count(capacity_snapshot) == 2
    assert await bench.count(period_report) == 1
    assert await bench.count(refused_report) == 1
    assert await bench.count(node_receipt) == 4


async def test_a_batch_of_five_hundred_costs_a_handful_of_statements(bench: Reporting) -> None:
    statements: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        statements.append(statement)

    sync = bench.database.engine.sync_engine
    mixed = [
        activity(n, f"1404-{n % 12 + 1:02d}", trainees=n) if n % 4 == 0 else capacity(n, n % 6)
        for n in range(1, 501)
    ]
    await bench.take(capacity(1))
    event.listen(sync, "before_cursor_execute", note)
    taken = await bench.take(*mixed)
    event.remove(sync, "before_cursor_execute", note)
    assert len(taken.receipts) == 499
    assert len(statements) < 25, statements


async def test_a_month_is_written_submitted_mended_and_revised_from_the_node(
    bench: Reporting,
) -> None:
    taken = await bench.take(
        activity(1, trainees=1),
        activity(2, trainees=2, external_key="m7"),
        activity(3, trainees=2, submit=True, external_key="m7"),
        activity(4, trainees=2, submit=True),
        activity(5, trainees=3),
        activity(6, "1405-06", trainees=3, external_key="m6"),
        activity(7, "1405-05", trainees=3, external_key="m6"),
    )
    ids = [receipt.id for receipt in taken.receipts]
    assert ids[0] == ids[1] == ids[2] == ids[3]
    assert refusals(taken.receipts[4]) == [("period", "PERIOD_REPORT_LOCKED")]
    assert refusals(taken.receipts[6]) == [("external_key", "EXTERNAL_KEY_TAKEN")]
    outbox = TABLES.outbox.c
    types = await bench.numbers(
        sa.select(outbox.type).where(outbox.aggregate_id == ids[0]).order_by(outbox.seq)
    )
    assert [name.rpartition(".")[2] for name in types] == ["created", "updated", "submitted"]
    assert await bench.count(period_report, period_report.c.period == LAST_MONTH) == 1


async def test_receipts_are_kept_until_the_node_says_that_it_has_them(bench: Reporting) -> None:
    await bench.take(capacity(1), capacity(2), capacity(3, used=9))
    standing = await hello(bench, after=1)
    assert report_numbers(standing.receipts) == [2, 3]
    assert await bench.count(node_receipt) == 2
    batch = bench.batch(capacity(4))
    batch.receipts_after = 3
    await bench.take_batch(batch)
    assert report_numbers((await hello(bench)).receipts) == [4]
    batch = bench.batch(capacity(4))
    batch.receipts_after = 4
    assert not (await bench.take_batch(batch)).receipts
    assert await bench.count(node_receipt) == 0


async def test_a_hub_that_was_set_back_tells_what_it_numbers_anew(bench: Reporting) -> None:
    async def set_back(of_line: dict[sa.Table, list[dict[str, Any]]]) -> None:
        async with bench.database.engine.begin() as connection:
            for table, rows in of_line.items():
                await connection.execute(sa.delete(table))
                await connection.execute(sa.insert(table), rows)

    first = (await bench.take(*map(capacity, (1, 2, 3)))).receipts
    assert not (await hello(bench, 2, mark=first[1].mark)).receipts_anew
    async with bench.database.engine.connect() as connection:
        backup: dict[sa.Table, list[dict[str, Any]]] = {
            table: [dict(row) for row in (await connection.execute(sa.select(table))).mappings()]
            for table in (node_line, node_receipt, node_journal)
        }
    lost = (await bench.take(*map(capacity, (4, 5)))).receipts
    confirmed = await hello(bench, 5, mark=lost[1].mark)
    assert (list(confirmed.receipts), confirmed.receipts_anew) == ([], False)
    await set_back(backup)
    # As many as were lost, and one more: no number tells that they are others.
    given = (await bench.take(*map(capacity, (4, 5, 6)))).receipts
    batch = bench.batch(capacity(7))
    batch.receipts_after, batch.receipts_mark = 5, lost[1].mark
    assert (await bench.take_batch(batch)).receipts_anew
    standing = await hello(bench, 5, mark=lost[1].mark)
    assert standing.receipts_anew
    assert [receipt.number for receipt in standing.receipts] == [3, 4, 5, 6, 7]
    assert (await hello(bench, 99, mark=lost[1].mark)).receipts_anew
    # Whose last receipt is of before the backup is told what follows, and nothing anew.
    standing = await hello(bench, 3, mark=first[2].mark)
    assert [receipt.number for receipt in standing.receipts] == [4, 5, 6, 7]
    assert not standing.receipts_anew
    standing = await hello(bench, 6, mark=given[2].mark)
    assert report_numbers(standing.receipts) == [7]
    assert not standing.receipts_anew
    assert await bench.count(node_receipt) == 1


@pytest.mark.parametrize(
    ("period", "external_key", "field"),
    [("1405\x00-7", "", "period"), (LAST_MONTH, "a\x00b", "external_key")],
)
async def test_a_text_that_no_database_takes_is_refused_and_the_rest_goes_on(
    bench: Reporting, period: str, external_key: str, field: str
) -> None:
    bad = activity(1, period, trainees=1, external_key=external_key)
    taken = await bench.take(bad, activity(2, trainees=1), capacity(3))
    assert taken.last_number == 3
    assert [{name for name, _ in refusals(receipt)} for receipt in taken.receipts] == [
        {field},
        set(),
        set(),
    ]
    # What was decided is not looked at again, whatever comes with it.
    assert (
        await bench.take(bad, activity(2, trainees=1), capacity(3), capacity(4))
    ).last_number == 4
    assert await bench.count(refused_report) == 1


async def test_a_batch_of_more_months_than_a_statement_takes_is_taken_in_parts(
    bench: Reporting,
) -> None:
    reports = [activity(n, f"p{n:06d}", trainees=1) for n in range(1, 40_001)]
    assert (await bench.take(*reports)).last_number == MAX_REPORTS
    keyed = [activity(n, trainees=1, external_key=f"k{n}") for n in range(1, 40_001)]
    assert (await bench.take(*keyed)).last_number == 2 * MAX_REPORTS
