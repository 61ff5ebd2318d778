"""What a node keeps: reports until the hub has them, and the hub's receipts.

One SQLite file. A report that was put is on the disk (`synchronous=FULL`, committed)
before anyone is told that it was accepted. Reports are numbered 1, 2, 3 … within a
*journal*; the hub has taken all up to `acked`, those after it wait. The queue is never
read as a whole: memory does not grow with it.
"""

import functools
import json
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from node_agent.database import Database, StorageFull, new_journal
from node_agent.kept import FileReceipt, KeptReport, NewReport, ReceiptCounts, Standing, Taken
from peyvand.node.v1 import protocol_pb2 as pb

P = ParamSpec("P")
R = TypeVar("R")

_PRUNED_AT_ONCE = 2000
_KEPT_WHEN_FULL = timedelta(hours=1)


@dataclass(frozen=True)
class StoreLimits:
    """How much room the store may take.

    Attributes:
        quota_bytes: size of the file at which no more reports are taken.
        reserve_bytes: free space on the disk that is left for receipts and for the system.
        ballast_bytes: room that is held, so that on a full disk what waits still goes out.
        keep: how long reports are kept that the hub has, so that they can be sent again
            if it loses them; a repeated idempotency key is known as long. Only time in
            which an agent runs counts.
        keep_receipts: how long receipts are kept, counted in the same way.
    """

    quota_bytes: int = 2 * 1024**3
    reserve_bytes: int = 32 * 1024**2
    ballast_bytes: int = 8 * 1024**2
    keep: timedelta = timedelta(days=7)
    keep_receipts: timedelta = timedelta(days=400)


def _first_of_all(
    method: Callable[Concatenate["Store", P], R],
) -> Callable[Concatenate["Store", P], R]:
    """Let a method use what the ballast holds: reports are to go out on a full disk too."""

    @functools.wraps(method)
    def work(self: "Store", /, *arguments: P.args, **named: P.kwargs) -> R:
        while True:
            try:
                return method(self, *arguments, **named)
            except StorageFull:
                if not self.give_way():
                    raise

    return work


class Store:
    """The file. Every method belongs to one thread; see `writer`."""

    def __init__(self, path: Path | None, limits: StoreLimits | None = None) -> None:
        """Open the store, made when it is not there; without a path, in memory.

        Raises `StorageFull` when it cannot be made or opened.
        """
        self.limits = limits or StoreLimits()
        self._path = path
        self._file = Database(path, self.limits.ballast_bytes)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def used_bytes(self) -> int:
        """Size of what is stored, in bytes."""
        return self._file.used_bytes()

    # What is taken

    def put(self, reports: Sequence[NewReport]) -> list[Taken]:
        """Keep reports, all in one transaction, and number them in this order.

        Raises `StorageFull` when there is no room; then none of them is kept.
        """
        self._check_room()
        with self._file.transaction() as db:
            journal, newest, lived = db.execute(
                "SELECT journal, newest, lived FROM standing"
            ).fetchone()
            taken: list[Taken] = []
            for item in reports:
                known = db.execute(
                    "SELECT key, number, digest FROM report WHERE idempotency_key = ?",
                    (item.idempotency_key,),
                ).fetchone()
                if known is not None:
                    key, number, digest = known
                    taken.append(Taken(key, number, again=True, differs=digest != item.digest))
                    continue
                newest += 1
                db.execute(
                    "INSERT INTO report (journal, number, key, feed, taken_at, lived, body,"
                    " idempotency_key, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        journal,
                        newest,
                        item.key,
                        feed_of(item.body),
                        item.body.taken_at.ToDatetime(tzinfo=UTC).timestamp(),
                        lived,
                        item.body.SerializeToString(),
                        item.idempotency_key,
                        item.digest,
                    ),
                )
                taken.append(Taken(item.key, newest))
            db.execute("UPDATE standing SET newest = ?", (newest,))
        return taken

    def _check_room(self) -> None:
        if self._path is None:
            return
        free = shutil.disk_usage(self._path.parent).free
        self._file.ballast.fill()
        if free < self.limits.reserve_bytes or not self._file.ballast.is_whole:
            raise StorageFull(
                f"Only {free // 1024} KiB are free on the disk; "
                f"{(self.limits.reserve_bytes + self.limits.ballast_bytes) // 1024} KiB"
                " are kept for receipts."
            )
        if self.used_bytes() >= self.limits.quota_bytes and not self._made_room():
            raise StorageFull(
                f"The store has reached its share of {self.limits.quota_bytes // 1024} KiB"
                " and holds nothing that can be dropped."
            )

    def give_way(self) -> bool:
        """Give room back that was held; what the hub has need not be kept for long then."""
        if not self._file.ballast.give_back():
            return False
        with suppress(StorageFull):
            self.prune(_KEPT_WHEN_FULL)
        return True

    def _made_room(self) -> bool:
        """Drop the oldest reports that the hub has; tell whether that was of use."""
        for keep in (timedelta(days=1), _KEPT_WHEN_FULL):
            if self.prune(keep):
                break
        return self.used_bytes() < self.limits.quota_bytes

    # What is sent

    def standing(self) -> Standing:
        """Where the store stands."""
        self._file.require_open()
        journal, newest, acked, offered, after, mark = self._file.execute(
            "SELECT journal, newest, acked, offered, receipts_after, receipts_mark FROM standing"
        ).fetchone()
        (oldest,) = self._file.execute(
            "SELECT min(number) FROM report WHERE journal = ?", (journal,)
        ).fetchone()
        return Standing(journal, newest, acked, offered, oldest or newest + 1, after, mark)

    @_first_of_all
    def offer(self, after: int, most_reports: int, most_bytes: int) -> pb.ReportBatch:
        """Give the reports after a number, as many as fit; one at least, if there is one.

        That they are about to be sent is written down first.
        """
        journal, offered, after_receipt, mark = self._file.execute(
            "SELECT journal, offered, receipts_after, receipts_mark FROM standing"
        ).fetchone()
        batch, size = pb.ReportBatch(journal=journal), 0
        batch.receipts_after, batch.receipts_mark = after_receipt, mark
        rows = self._file.execute(
            "SELECT number, body FROM report WHERE journal = ? AND number > ?"
            " ORDER BY number LIMIT ?",
            (journal, after, most_reports),
        )
        for number, body in rows:
            size += len(body) + 16
            if batch.reports and size > most_bytes:
                break
            report = batch.reports.add()
            report.ParseFromString(body)
            report.number = number
        rows.close()
        if batch.reports and batch.reports[-1].number > offered:
            with self._file.transaction() as db:
                db.execute("UPDATE standing SET offered = ?", (batch.reports[-1].number,))
        return batch

    def oldest_queued(self) -> datetime | None:
        """When the oldest report was taken that waits for the hub."""
        row = self._file.execute(
            "SELECT taken_at FROM report, standing WHERE report.journal = standing.journal"
            " AND number > acked ORDER BY number LIMIT 1"
        ).fetchone()
        return None if row is None else datetime.fromtimestamp(row[0], UTC)

    @_first_of_all
    def acknowledge(self, last_number: int, receipts: Sequence[pb.Receipt] = ()) -> Standing:
        """Note that the hub has all reports up to this number, with what it said of them."""
        with self._file.transaction() as db:
            self._store_receipts(db, receipts)
            after, mark = db.execute(
                "SELECT receipts_after, receipts_mark FROM standing"
            ).fetchone()
            # Only what follows without a gap moves the mark: a word of the hub about an
            # older report may have come in between, and hello asks for it by the mark.
            for receipt in receipts:
                if receipt.number == after + 1:
                    after, mark = receipt.number, receipt.mark
            db.execute(
                "UPDATE standing SET receipts_after = ?, receipts_mark = ?,"
                " acked = max(acked, min(newest, ?))",
                (after, mark, last_number),
            )
        return self.standing()

    @_first_of_all
    def receive(self, receipts: Sequence[pb.Receipt], *, anew: bool = False) -> None:
        """Keep receipts that hello has brought, and move the mark after them.

        With `anew` the hub numbers them anew, and the mark of before is no more.
        """
        if not receipts and not anew:
            return
        with self._file.transaction() as db:
            self._store_receipts(db, receipts)
            last = max(receipts, key=lambda receipt: receipt.number, default=pb.Receipt())
            self._set_mark(db, last.number, last.mark)

    def _set_mark(self, db: sqlite3.Connection, number: int, mark: str) -> None:
        db.execute("UPDATE standing SET receipts_after = ?, receipts_mark = ?", (number, mark))

    def _store_receipts(self, db: sqlite3.Connection, receipts: Sequence[pb.Receipt]) -> None:
        (lived,) = db.execute("SELECT lived FROM standing").fetchone()
        for receipt in receipts:
            said = pb.Receipt()
            said.CopyFrom(receipt)
            said.number, said.mark = 0, ""  # these are no part of what the hub said
            db.execute(
                "INSERT OR IGNORE INTO receipt (key, decision, refused, lived, body, digest)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    receipt.key,
                    receipt.decision,
                    bool(receipt.refusals),
                    lived,
                    receipt.SerializeToString(),
                    said.SerializeToString(deterministic=True),
                ),
            )

    @_first_of_all
    def rewind(self, last_number: int) -> Standing:
        """Send again what comes after a number: the hub has lost it."""
        with self._file.transaction() as db:
            db.execute("UPDATE standing SET acked = ?", (last_number,))
        return self.standing()

    def set_forward(self) -> Standing:
        """Begin a new journal: the hub has numbers that this store never gave out.

        The store is an older copy. What it had offered the hub has; what it has taken
        since then goes out under new numbers, unless a receipt speaks of it.
        """
        return self.renumber(self.standing().offered, decided_too=False)

    @_first_of_all
    def renumber(self, after: int, *, decided_too: bool) -> Standing:
        """Begin a new journal with the reports of this one after a number.

        Those that a receipt speaks of are left out, unless `decided_too`: then the hub
        has lost what it decided. Needed where both sides cannot agree on numbers any more.
        """
        with self._file.transaction() as db:
            (old,) = db.execute("SELECT journal FROM standing").fetchone()
            journal = new_journal()
            db.execute(
                "UPDATE report SET journal = ?, number = ranked.place FROM"
                " (SELECT position AS at, row_number() OVER (ORDER BY number) AS place"
                " FROM report WHERE journal = ? AND number > ? AND (? OR NOT EXISTS"
                " (SELECT 1 FROM receipt WHERE receipt.key = report.key))) AS ranked"
                " WHERE position = ranked.at",
                (journal, old, after, decided_too),
            )
            db.execute(
                "UPDATE standing SET journal = ?, acked = 0, offered = 0, newest ="
                " (SELECT count(*) FROM report WHERE journal = ?)",
                (journal, journal),
            )
        return self.standing()

    # What is shown

    def report(self, key: str) -> KeptReport | None:
        """Give a report by its name."""
        row = self._file.execute(
            "SELECT report.journal = standing.journal AND number > acked, feed, number, body"
            " FROM report, standing WHERE key = ?",
            (key,),
        ).fetchone()
        if row is None:
            return None
        waits, feed, number, body = row
        report = pb.Report.FromString(body)
        report.number = number
        receipts = self._file.execute(
            "SELECT body FROM receipt WHERE key = ? ORDER BY position", (key,)
        ).fetchall()
        said = tuple(pb.Receipt.FromString(item) for (item,) in receipts)
        return KeptReport(report, feed, not waits, said)

    def receipts(
        self, after: int, most: int, *, refused_only: bool = False
    ) -> list[tuple[int, pb.Receipt]]:
        """Receipts in the order in which this store got them, after a position."""
        rows = self._file.execute(
            "SELECT position, body FROM receipt WHERE position > ? AND refused >= ?"
            " ORDER BY position LIMIT ?",
            (after, refused_only, most),
        ).fetchall()
        return [(position, pb.Receipt.FromString(body)) for position, body in rows]

    def receipt_counts(self) -> ReceiptCounts:
        """How many receipts are kept, how many refuse a report, and which of these are new."""
        counts = self._file.execute(
            "SELECT count(*), coalesce(sum(refused), 0),"
            " coalesce(sum(refused AND position > refusals_seen), 0), max(refusals_seen)"
            " FROM standing LEFT JOIN receipt"
        ).fetchone()
        return ReceiptCounts(*counts)

    def see_refusals(self, up_to: int) -> None:
        """Note that somebody has seen the refusals up to a position."""
        with self._file.transaction() as db:
            db.execute(
                "UPDATE standing SET refusals_seen = max(refusals_seen,"
                " min(?, (SELECT coalesce(max(position), 0) FROM receipt)))",
                (up_to,),
            )

    # What comes of files

    def note_origin(self, file: str, reports: Sequence[tuple[str, Sequence[int]]]) -> None:
        """Note the names of the reports of a file, and the lines in which each stands."""
        with self._file.transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO origin SELECT ?, ?, ?, lived FROM standing",
                [(key, file, json.dumps(lines)) for key, lines in reports],
            )

    def untold(self, most: int) -> list[FileReceipt]:
        """What the hub has refused or returned of files, and who dropped them was not told."""
        rows = self._file.execute(
            "SELECT position, body, file, lines FROM receipt JOIN origin USING (key)"
            " WHERE told = 0 AND (refused = 1 OR decision = 'returned')"
            " ORDER BY position LIMIT ?",
            (most,),
        ).fetchall()
        return [
            FileReceipt(position, pb.Receipt.FromString(body), file, tuple(json.loads(lines)))
            for position, body, file, lines in rows
        ]

    def note_told(self, positions: Sequence[int]) -> None:
        """Note that they were told of these receipts."""
        with self._file.transaction() as db:
            rows = [(position,) for position in positions]
            db.executemany("UPDATE receipt SET told = 1 WHERE position = ?", rows)

    # What is dropped

    def live(self, seconds: float) -> None:
        """Count time in which an agent has worked with the store; by it all that is kept ages.

        The clock of the machine may jump by years, and then everything would be dropped.
        """
        with self._file.transaction() as db:
            db.execute("UPDATE standing SET lived = lived + ?", (seconds,))
        self._file.ballast.fill()

    def prune(self, keep: timedelta | None = None) -> int:
        """Drop reports that the hub has had for long, and old receipts; returns how many.

        At most some thousands at once, so that nobody waits; call it again.
        """
        (lived,) = self._file.execute("SELECT lived FROM standing").fetchone()
        reports_before = lived - (keep or self.limits.keep).total_seconds()
        receipts_before = lived - self.limits.keep_receipts.total_seconds()
        with self._file.transaction() as db:
            reports = db.execute(
                "DELETE FROM report WHERE position IN (SELECT position FROM report, standing"
                " WHERE report.lived < ? AND NOT (report.journal = standing.journal AND"
                " number > acked) ORDER BY report.lived LIMIT ?)",
                (reports_before, _PRUNED_AT_ONCE),
            ).rowcount
            receipts = db.execute(
                "DELETE FROM receipt WHERE position IN (SELECT position FROM receipt"
                " WHERE lived < ? ORDER BY position LIMIT ?)",
                (receipts_before, _PRUNED_AT_ONCE),
            ).rowcount
            db.execute(
                "DELETE FROM origin WHERE key IN (SELECT key FROM origin WHERE lived < ?"
                " AND NOT EXISTS (SELECT 1 FROM report WHERE report.key = origin.key) LIMIT ?)",
                (receipts_before, _PRUNED_AT_ONCE),
            )
        return reports + receipts


def feed_of(report: pb.Report) -> str:
    """Name of the feed that a report belongs to."""
    return "capacity" if report.WhichOneof("body") == "capacity" else "report"
