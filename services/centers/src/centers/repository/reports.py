"""How reports are stored and found, and what a node is told of them."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from centers.domain.nodes import NodeState
from centers.domain.presence import CAPACITY, REPORT
from centers.domain.receipts import ReceiptMark, was_given
from centers.domain.reports import (
    UNFINISHED,
    CapacitySnapshot,
    PeriodReport,
    PeriodReportState,
    RefusedReport,
)
from centers.tables.nodes import node
from centers.tables.reports import (
    capacity_snapshot,
    delivered_report,
    node_journal,
    node_line,
    node_receipt,
    period_report,
    refused_report,
)
from centers.tables.shared import service_tables
from peyvand.centers.v1 import reports_pb2 as pb
from peyvand.node.v1 import protocol_pb2
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault
from servicekit.mapping import to_timestamp
from servicekit.rpc_server import Call
from servicekit.store import AggregateStore

_SERVED = (NodeState.ENROLLED.value, NodeState.ACTIVE.value)
_FEED_COLUMNS = {CAPACITY: "capacity_at", REPORT: "report_at"}


def _of_own_center(report: CapacitySnapshot | PeriodReport | RefusedReport, call: Call) -> bool:
    """A report is the own one of those whose token names its center."""
    return report.center_id in call.principal.center_ids


capacity_snapshots: AggregateStore[CapacitySnapshot, pb.CapacitySnapshot] = AggregateStore(
    CapacitySnapshot,
    table=capacity_snapshot,
    steps=service_tables.step,
    resource=pb.CapacitySnapshot,
    event=pb.CapacitySnapshotEvent,
    owned_by=_of_own_center,
)

period_reports: AggregateStore[PeriodReport, pb.PeriodReport] = AggregateStore(
    PeriodReport,
    table=period_report,
    steps=service_tables.step,
    resource=pb.PeriodReport,
    event=pb.PeriodReportEvent,
    owned_by=_of_own_center,
)

refused_reports: AggregateStore[RefusedReport, pb.RefusedReport] = AggregateStore(
    RefusedReport,
    table=refused_report,
    steps=service_tables.step,
    resource=pb.RefusedReport,
    event=pb.RefusedReportEvent,
    owned_by=_of_own_center,
)


class MonthsOfCenter:
    """The period reports of one center for some months, locked, as they become.

    New ones are put in as they are made, so that a later delivery of the same batch finds
    what an earlier one has left.
    """

    def __init__(self, reports: Iterable[PeriodReport]) -> None:
        self._reports = {report.id: report for report in reports}

    def unfinished(self, period: str) -> PeriodReport | None:
        """The one report of a month that is still in work."""
        return self._find(period, *UNFINISHED)

    def approved(self, period: str) -> PeriodReport | None:
        """The one report of a month that stands."""
        return self._find(period, PeriodReportState.APPROVED)

    def next_revision(self, period: str) -> int:
        """Number for a new revision of a month."""
        return 1 + max(
            (r.revision for r in self._reports.values() if r.period == period), default=0
        )

    def other_with_key(self, external_key: str | None, period: str) -> PeriodReport | None:
        """A report of another month that has the external key."""
        if external_key is None:
            return None
        for report in self._reports.values():
            if report.external_key == external_key and report.period != period:
                return report
        return None

    def put(self, report: PeriodReport) -> None:
        """Hold a report as it is now."""
        self._reports[report.id] = report

    def _find(self, period: str, *states: PeriodReportState) -> PeriodReport | None:
        for report in self._reports.values():
            if report.period == period and report.state in states:
                return report
        return None


async def lock_center(session: WriteSession, center_id: str) -> None:
    """Let writers of period reports of one center wait for each other.

    What is not there yet is then made once. It comes before any lock of a row.
    """
    lock = sa.func.hashtextextended(f"period reports\x1f{center_id}", 0)
    await session.scalar(sa.select(sa.func.pg_advisory_xact_lock(lock)))


async def lock_months(
    session: WriteSession, center_id: str, periods: Iterable[str], keys: Iterable[str | None]
) -> MonthsOfCenter:
    """Read the reports of some months of a center to change them; see `lock_center`."""
    columns = period_report.c
    wanted = sa.or_(
        columns.period.in_(sorted(set(periods))),
        columns.external_key.in_(sorted({key for key in keys if key})),
    )
    query = (
        sa.select(period_report)
        .where(columns.center_id == center_id, wanted)
        .order_by(columns.id)
        .with_for_update()
    )
    return MonthsOfCenter(period_reports.load(row) for row in await session.rows(query))


def require_free_key(months: MonthsOfCenter, report: PeriodReport) -> None:
    """Raise `Fault` ``EXTERNAL_KEY_TAKEN`` if a report of another month has the key."""
    other = months.other_with_key(report.external_key, report.period)
    if other is not None:
        params = {"external_key": report.external_key or "", "id": other.id}
        raise Fault("EXTERNAL_KEY_TAKEN", params)


async def written_at(session: WriteSession) -> datetime:
    """The time of the database, for rows that are locked or new."""
    return await session.scalar(sa.select(sa.func.clock_timestamp()))


async def served_center(session: ReadSession, node_id: str) -> str:
    """Center of a node that the hub listens to. Raises `Fault` ``NODE_NOT_SERVED``."""
    columns = node.c
    row = await session.row(
        sa.select(columns.state, columns.center_id).where(columns.id == node_id)
    )
    if row is None or row.state not in _SERVED:
        raise Fault("NODE_NOT_SERVED", {"state": "unknown" if row is None else row.state})
    return row.center_id


class NodeLine:
    """What a node is told, and how far it was taken; the row of the node is locked.

    `now` is the time of the database, taken under the lock; `capacity_at` is when a snapshot
    was taken last.
    """

    def __init__(self, session: WriteSession, row: sa.Row[Any]) -> None:
        self.node_id: str = row.node_id
        self.now: datetime = row.now
        self.capacity_at: datetime | None = row.capacity_at
        self._session = session
        self._last_receipt: int = row.last_receipt
        self._confirmed = ReceiptMark(row.confirmed_receipt, row.confirmed_mark)
        self._mark = secrets.token_hex(8)
        self._receipts: list[protocol_pb2.Receipt] = []

    @classmethod
    async def lock(cls, session: WriteSession, node_id: str) -> "NodeLine":
        """Lock the line of a node; made when there is none yet."""
        new = insert(node_line).values(node_id=node_id, last_receipt=0)
        kept = {"last_receipt": node_line.c.last_receipt}
        statement = new.on_conflict_do_update(
            index_elements=[node_line.c.node_id], set_=kept
        ).returning(*node_line.c, sa.func.clock_timestamp().label("now"))
        return cls(session, (await session.execute(statement)).one())

    async def last_number(self, journal: str) -> int:
        """The last report of a journal that was taken, 0 for none."""
        query = sa.select(node_journal.c.last_number).where(
            node_journal.c.node_id == self.node_id, node_journal.c.journal == journal
        )
        return await self._session.scalar(query) or 0

    def tell(self, receipt: protocol_pb2.Receipt) -> protocol_pb2.Receipt:
        """Give a receipt its number and mark, to be written with `write`."""
        self._last_receipt += 1
        receipt.number, receipt.mark = self._last_receipt, self._mark
        receipt.decided_at.CopyFrom(to_timestamp(self.now))
        self._receipts.append(receipt)
        return receipt

    async def write(
        self, *, journal: str = "", last_number: int = 0, feeds: Sequence[str] = ()
    ) -> None:
        """Write the receipts, how far the journal was taken, and of which feeds."""
        if self._receipts:
            rows = [
                {
                    "node_id": self.node_id,
                    "number": receipt.number,
                    "receipt": receipt.SerializeToString(),
                    "recorded_at": self.now,
                }
                for receipt in self._receipts
            ]
            await self._session.execute(sa.insert(node_receipt), rows)
            self._receipts = []
        heard = {_FEED_COLUMNS[feed]: self.now for feed in feeds}
        await self._session.execute(
            sa.update(node_line)
            .where(node_line.c.node_id == self.node_id)
            .values(last_receipt=self._last_receipt, **heard)
        )
        if journal:
            values = {"last_number": last_number, "updated_at": self.now}
            await self._session.execute(
                insert(node_journal)
                .values(node_id=self.node_id, journal=journal, **values)
                .on_conflict_do_update(
                    index_elements=[node_journal.c.node_id, node_journal.c.journal], set_=values
                )
            )

    async def confirmed(self, said: ReceiptMark) -> bool:
        """Forget the receipts that the node has; tell whether the last of them was given here.

        It was not when the hub was set back to an older copy; then nothing is forgotten.
        """
        of_node = node_receipt.c.node_id == self.node_id
        waiting = None
        if said.number > self._confirmed.number:
            query = sa.select(node_receipt.c.receipt).where(
                of_node, node_receipt.c.number == said.number
            )
            row = await self._session.row(query)
            if row is not None:
                receipt = protocol_pb2.Receipt.FromString(row.receipt)
                waiting = ReceiptMark(receipt.number, receipt.mark)
        last = self._last_receipt
        if not was_given(said, last_number=last, confirmed=self._confirmed, waiting=waiting):
            return False
        if said.number > self._confirmed.number:
            self._confirmed = said
            await self._session.execute(
                sa.delete(node_receipt).where(of_node, node_receipt.c.number <= said.number)
            )
            values = {"confirmed_receipt": said.number, "confirmed_mark": said.text}
            await self._session.execute(
                sa.update(node_line).where(node_line.c.node_id == self.node_id).values(values)
            )
        return True


async def receipts_after(
    session: ReadSession, node_id: str, after: int, limit: int
) -> list[protocol_pb2.Receipt]:
    """What a node is still to be told, the oldest first."""
    columns = node_receipt.c
    query = (
        sa.select(columns.receipt)
        .where(columns.node_id == node_id, columns.number > after)
        .order_by(columns.number)
        .limit(limit)
    )
    rows = await session.rows(query)
    return [protocol_pb2.Receipt.FromString(row.receipt) for row in rows]


async def note_deliveries(session: WriteSession, rows: Sequence[dict[str, object]]) -> None:
    """Note as what a node delivered period reports; the last delivery of each counts."""
    if rows:
        statement = insert(delivered_report)
        names = ("node_id", "journal", "number", "report_key")
        changed = {name: statement.excluded[name] for name in names}
        key = [delivered_report.c.report_id]
        latest = {row["report_id"]: row for row in rows}
        await session.execute(
            statement.on_conflict_do_update(index_elements=key, set_=changed),
            list(latest.values()),
        )


async def tell_decision(session: WriteSession, report: PeriodReport, comment: str) -> str:
    """Make the receipt of what the headquarters decided; return the node to be told, or ``""``."""
    columns = delivered_report.c
    row = await session.row(sa.select(delivered_report).where(columns.report_id == report.id))
    if row is None:
        return ""
    line = await NodeLine.lock(session, row.node_id)
    line.tell(
        protocol_pb2.Receipt(
            journal=row.journal,
            report_number=row.number,
            key=row.report_key,
            id=report.id,
            decision=report.state.value,
            comment=comment,
        )
    )
    await line.write()
    return row.node_id
