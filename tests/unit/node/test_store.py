"""The store: what is accepted stays, is sent in order, and is known again."""

import asyncio
import itertools
import os
import sqlite3
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from node_agent.agent import Agent
from node_agent.database import SCHEMA, StorageFull
from node_agent.ids import report_key
from node_agent.kept import NewReport
from node_agent.store import Store, StoreLimits
from node_agent.writer import InlineStore, StoreThread
from peyvand.node.v1 import protocol_pb2 as pb
from tests.unit.node.conftest import an_identity, keep_nothing, no_line

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
DAY = 86400.0
counter = itertools.count(1)


def a_report(size: int = 0, *, key: str = "", taken_at: datetime = NOW) -> NewReport:
    name = report_key(taken_at)
    report = pb.Report(key=name)
    report.taken_at.FromDatetime(taken_at)
    report.period_report.period_report.external_key = "x" * size
    return NewReport(name, report, key or f"idem-{next(counter)}", b"d")


def a_receipt(
    number: int, report: NewReport, of: int, journal: str, decision: str = ""
) -> pb.Receipt:
    return pb.Receipt(
        number=number,
        journal=journal,
        report_number=of,
        key=report.key,
        id="cap_1",
        decision=decision,
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "reports.db")


def numbers(batch: pb.ReportBatch) -> list[int]:
    return [report.number for report in batch.reports]


def test_reports_are_numbered_in_order_and_given_after_a_number(store: Store) -> None:
    taken = store.put([a_report() for _ in range(5)])
    assert [item.number for item in taken] == [1, 2, 3, 4, 5]
    assert numbers(store.offer(2, 2, 10**6)) == [3, 4]
    assert store.standing().offered == 4


def test_a_batch_is_bounded_in_bytes_but_holds_one_at_least(store: Store) -> None:
    store.put([a_report(1000) for _ in range(5)])
    assert numbers(store.offer(0, 100, 2500)) == [1, 2]
    assert numbers(store.offer(0, 100, 10)) == [1]


def test_what_was_put_is_there_after_reopening(tmp_path: Path) -> None:
    first = Store(tmp_path / "reports.db")
    report = a_report()
    first.put([report])
    journal = first.standing().journal
    first.close()
    again = Store(tmp_path / "reports.db")
    assert again.standing().journal == journal
    assert again.report(report.key) is not None


def test_a_commit_is_synced_and_not_only_written(store: Store) -> None:
    assert store._file.execute("PRAGMA synchronous").fetchone() == (2,)
    assert store._file.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_same_idempotency_key_acts_once(store: Store) -> None:
    (first,) = store.put([a_report(key="k")])
    (again,) = store.put([a_report(key="k")])
    assert (again.key, again.number, again.again) == (first.key, first.number, True)
    assert store.standing().newest == 1
    other = a_report(key="k")
    (differs,) = store.put([NewReport(other.key, other.body, "k", b"other")])
    assert differs.differs
    assert store.standing().newest == 1


def test_the_same_key_twice_in_one_commit_acts_once(store: Store) -> None:
    first, again = store.put([a_report(key="k"), a_report(key="k")])
    assert first.number == again.number == 1
    assert again.again


def test_a_receipt_that_follows_moves_the_mark_and_one_after_a_gap_does_not(store: Store) -> None:
    reports = [a_report() for _ in range(4)]
    store.put(reports)
    journal = store.standing().journal
    store.acknowledge(
        2, [a_receipt(1, reports[0], 1, journal), a_receipt(2, reports[1], 2, journal)]
    )
    assert store.standing().receipts_after == 2
    # The hub's number 3 was a word about something older, and has not come yet.
    store.acknowledge(3, [a_receipt(4, reports[2], 3, journal)])
    assert store.standing().receipts_after == 2
    word = a_receipt(3, reports[0], 1, journal, decision="approved")
    store.receive([word, a_receipt(4, reports[2], 3, journal)])
    assert store.standing().receipts_after == 4
    said = [receipt.decision for _, receipt in store.receipts(0, 10)]
    assert said == ["", "", "", "approved"]


def test_a_receipt_that_comes_again_is_kept_once(store: Store) -> None:
    report = a_report()
    store.put([report])
    receipt = a_receipt(1, report, 1, store.standing().journal)
    store.acknowledge(1, [receipt])
    renumbered = pb.Receipt()
    renumbered.CopyFrom(receipt)
    renumbered.number = 9
    store.receive([receipt, renumbered])
    assert len(store.receipts(0, 10)) == 1


def test_what_the_hub_has_cannot_be_more_than_there_is(store: Store) -> None:
    store.put([a_report()])
    assert store.acknowledge(7).acked == 1


def test_a_rewound_store_offers_again_what_it_had_sent(store: Store) -> None:
    store.put([a_report() for _ in range(4)])
    store.offer(0, 10, 10**6)
    store.acknowledge(4)
    standing = store.rewind(1)
    assert standing.queued == 3
    assert numbers(store.offer(standing.acked, 10, 10**6)) == [2, 3, 4]


def test_a_store_that_was_set_back_begins_a_journal_with_what_the_hub_cannot_have(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path / "reports.db")
    early = [a_report() for _ in range(3)]
    store.put(early)
    store.offer(0, 2, 10**6)  # 1 and 2 went out before the copy was made
    late = a_report()
    store.put([late])
    before = store.standing().journal
    decided = a_receipt(1, early[2], 3, before)  # the hub has had it before the store was set back
    store.receive([decided])
    standing = store.set_forward()
    assert standing.journal != before
    assert (standing.newest, standing.acked, standing.offered) == (1, 0, 0)
    batch = store.offer(0, 10, 10**6)
    assert [report.key for report in batch.reports] == [late.key]
    kept = store.report(early[0].key)
    assert kept is not None
    assert kept.delivered


def test_numbers_are_not_used_again_when_all_was_pruned(store: Store) -> None:
    store.put([a_report()])
    store.acknowledge(1)
    store.live(8 * DAY)
    assert store.prune() == 1
    (taken,) = store.put([a_report()])
    assert taken.number == 2


def test_what_waits_is_never_pruned(store: Store) -> None:
    old = a_report()
    store.put([old])
    store.live(900 * DAY)
    assert store.prune() == 0
    assert store.report(old.key) is not None


@pytest.mark.parametrize("year", [1970, 2026, 2199])
def test_what_is_kept_ages_by_time_at_work_and_by_no_clock(store: Store, year: int) -> None:
    report = a_report(key="known", taken_at=datetime(year, 11, 22, tzinfo=UTC))
    store.put([report])
    journal = store.standing().journal
    store.acknowledge(1, [a_receipt(1, report, 1, journal)])
    store.live(6 * DAY)
    assert store.prune() == 0
    assert store.put([a_report(key="known")])[0].again
    store.live(2 * DAY)
    assert store.prune() == 1
    assert store.report(report.key) is None
    assert len(store.receipts(0, 10)) == 1
    store.live(393 * DAY)
    assert store.prune() == 1
    assert store.receipts(0, 10) == []


async def test_an_agent_whose_clock_leaps_ahead_drops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, clock = Store(tmp_path / "reports.db"), [NOW]
    monkeypatch.setattr("node_agent.agent._PRUNE_SECONDS", 0.01)
    agent = Agent(
        an_identity(), InlineStore(store), no_line, keep=keep_nothing, clock=lambda: clock[0]
    )
    report = a_report()
    await agent.take(report)
    store.acknowledge(1, [a_receipt(1, report, 1, store.standing().journal)])
    clock[0] += timedelta(days=4000)
    work, counted, live = asyncio.create_task(agent.run()), asyncio.Event(), Store.live

    def counting(store: Store, seconds: float) -> None:
        live(store, seconds)
        if seconds > 0 and store.prune() == 0:
            counted.set()

    monkeypatch.setattr(Store, "live", counting)
    await asyncio.wait_for(counted.wait(), 60)
    await asyncio.sleep(0.2)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert store.report(report.key) is not None
    assert len(store.receipts(0, 10)) == 1


def test_a_store_of_before_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "reports.db"
    with sqlite3.connect(path) as old:
        old.executescript(SCHEMA)
        old.execute("CREATE INDEX report_taken ON report (taken_at)")
        old.execute("INSERT INTO standing VALUES (1, 'j', 1, 1, 1, 1)")
        report, receipt = a_report(), pb.Receipt(number=1, key="rpt_1")
        row = (report.key, NOW.timestamp(), report.body.SerializeToString(), "idem", b"d")
        old.execute("INSERT INTO report VALUES (1, 'j', 1, ?, 'report', ?, ?, ?, ?)", row)
        body = receipt.SerializeToString()
        old.execute("INSERT INTO receipt VALUES (1, 'rpt_1', '', 0, 1.8e9, ?, ?)", (body, body))
    for _ in range(2):
        store = Store(path)
        assert store.standing().newest == 1
        assert (store.prune(), len(store.receipts(0, 10))) == (0, 1)
        store.close()
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 900")
    store = Store(path)
    store.live(8 * DAY)
    assert store.prune() == 1
    store.close()
    with sqlite3.connect(path) as newer:
        assert newer.execute("PRAGMA user_version").fetchone() == (900,)


def test_over_its_share_the_store_refuses_and_keeps_what_it_has(tmp_path: Path) -> None:
    store = Store(tmp_path / "reports.db", StoreLimits(quota_bytes=300_000))
    while store.used_bytes() < 300_000:
        store.put([a_report(5000)])
    accepted = store.standing().newest
    assert accepted > 10
    with pytest.raises(StorageFull, match="share"):
        store.put([a_report(5000)])
    assert store.standing().newest == accepted
    # What the hub has, and is old, makes room again.
    store.acknowledge(accepted)
    store.live(2 * 3600)
    assert store.put([a_report(5000)])[0].number == accepted + 1


def test_when_too_little_is_free_on_the_disk_nothing_is_taken(tmp_path: Path) -> None:
    store = Store(tmp_path / "reports.db", StoreLimits(reserve_bytes=1 << 60))
    with pytest.raises(StorageFull, match="free on the disk"):
        store.put([a_report()])
    assert store.standing().newest == 0


def test_a_disk_that_is_full_in_the_middle_loses_nothing_accepted(tmp_path: Path) -> None:
    """The size of the file is limited as a full disk would; the kernel refuses the write."""
    program = textwrap.dedent(
        """
        import resource, sys
        from pathlib import Path
        sys.path.insert(0, sys.argv[2])
        from tests.unit.node.test_store import a_report
        from node_agent.database import StorageFull
        from node_agent.store import Store

        store = Store(Path(sys.argv[1]))
        store.put([a_report(2000)])
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
        accepted, refused = 1, 0
        for _ in range(600):
            try:
                store.put([a_report(2000)])
            except StorageFull:
                refused += 1
                assert store.standing().newest == accepted, store.standing()
            else:
                accepted += 1
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        store.put([a_report(2000)])
        print(accepted + 1, refused)
        """
    )
    path = tmp_path / "reports.db"
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", program, str(path), str(root)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert done.returncode == 0, done.stderr
    accepted, refused = map(int, done.stdout.split())
    assert refused > 0
    store = Store(path)
    assert store.standing().newest == accepted
    assert numbers(store.offer(0, 10_000, 10**9)) == list(range(1, accepted + 1))
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_many_who_come_at_once_share_a_commit(tmp_path: Path) -> None:
    thread = StoreThread(Store(tmp_path / "reports.db"))
    taken = await asyncio.gather(*(thread.put(a_report()) for _ in range(300)))
    assert [item.number for item in taken] == list(range(1, 301))
    assert (await thread.do(Store.standing)).newest == 300
    await thread.close()


async def test_an_error_reaches_who_asked_and_the_thread_goes_on(tmp_path: Path) -> None:
    thread = StoreThread(Store(tmp_path / "reports.db", StoreLimits(reserve_bytes=1 << 60)))
    with pytest.raises(StorageFull):
        await thread.put(a_report())
    assert (await thread.do(Store.standing)).newest == 0
    await thread.close()


async def test_a_store_in_memory_serves_simulations() -> None:
    store = InlineStore(Store(None))
    assert (await store.put(a_report())).number == 1
    assert (await store.do(Store.standing)).queued == 1
    await store.close()
