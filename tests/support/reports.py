"""A center with nodes and a database, to bring reports to: what nodes send, and what is there."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from centers import tables
from centers.domain.centers import Center
from centers.domain.nodes import Node, NodeState
from centers.line.intake import take_batch
from centers.repository.centers import centers
from centers.repository.nodes import nodes
from domainkit.aggregate import Occasion
from domainkit.values import LocalizedText
from peyvand.centers.v1 import reports_pb2
from peyvand.node.v1 import protocol_pb2 as pb
from servicekit.database import Database, WriteSession
from servicekit.ids import new_id
from tests.support.patience import PATIENT

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from tests.support.cluster import Infra

LAST_MONTH = "1405-07"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class Reporting:
    """The database of the centers service, with a center and a node that has joined."""

    database: Database
    url: str
    center_id: str = ""
    node_id: str = ""
    journal: str = "journal-1"

    async def center(self, code: str, **values: Any) -> str:
        """Record a center; return its id."""
        now = datetime.now(UTC)
        center = Center(
            id=new_id("ctr"),
            code=code,
            names=LocalizedText(en=code),
            province="IR-09",
            state_since=now,
            created_at=now,
            updated_at=now,
            **values,
        )
        center.recorded(Occasion("test", now))
        await self.database.write(lambda session: centers.save(session, center))
        return center.id

    async def node(self, center_id: str, state: NodeState = NodeState.ACTIVE) -> str:
        """Record a node in a state; return its id."""
        now = datetime.now(UTC)
        node = Node(
            id=new_id("nod"),
            center_id=center_id,
            name="Server room",
            state=state,
            state_since=now,
            created_at=now,
            updated_at=now,
        )
        node.recorded(Occasion("test", now))
        await self.database.write(lambda session: nodes.save(session, node))
        return node.id

    async def set_state(self, node_id: str, state: NodeState) -> None:
        """Bring a node to a state, without the way there."""
        changed = sa.update(tables.node).where(tables.node.c.id == node_id)
        values = {"state": state.value, "updated_at": sa.func.clock_timestamp()}

        async def work(session: WriteSession) -> None:
            await session.execute(changed.values(values))

        await self.database.write(work)

    async def take(self, *reports: pb.Report, **who: Any) -> pb.BatchTaken:
        """Hand a batch of the node's to the hub."""
        return await self.take_batch(self.batch(*reports, journal=who.pop("journal", None)), **who)

    async def take_batch(
        self, batch: pb.ReportBatch, *, node_id: str | None = None, at: datetime = NOW
    ) -> pb.BatchTaken:
        """Hand a batch to the hub as it is."""
        sender = node_id or self.node_id
        occasion = Occasion(sender, at)
        return await self.database.write(lambda s: take_batch(s, sender, batch, occasion))

    def batch(self, *reports: pb.Report, journal: str | None = None) -> pb.ReportBatch:
        """A batch of the node's journal."""
        return pb.ReportBatch(journal=journal or self.journal, reports=reports)

    async def count(self, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
        """Rows of a table."""
        async with self.database.read() as session:
            query = sa.select(sa.func.count()).select_from(table).where(*where)
            return await session.scalar(query)

    async def numbers(self, query: sa.Select[Any]) -> list[Any]:
        """First values of the rows of a query."""
        async with self.database.read() as session:
            return [row[0] for row in await session.rows(query)]


@contextlib.asynccontextmanager
async def reporting(infra: Infra) -> AsyncGenerator[Reporting]:
    """A center with a node, in a database of their own."""
    url = await infra.fresh_database("centers", migrated=True)
    database = Database(url, pool=10, patience=PATIENT)
    bench = Reporting(database, url)
    bench.center_id = await bench.center("MSH")
    bench.node_id = await bench.node(bench.center_id)
    try:
        yield bench
    finally:
        await database.close()
        await infra.drop_database(url)


def capacity(number: int, used: float = 1, *, total: float = 4, **values: Any) -> pb.Report:
    """A capacity snapshot as a node has taken it."""
    snapshot = reports_pb2.CapacitySnapshot(
        items=[
            reports_pb2.CapacityItem(
                kind=reports_pb2.CAPABILITY_KIND_GMP_SUITE, total=total, used=used
            )
        ],
        **values,
    )
    if not snapshot.HasField("observed_at"):
        snapshot.observed_at.FromDatetime(NOW)
    return pb.Report(number=number, key=new_id("rpt"), capacity=snapshot)


def activity(
    number: int,
    period: str = LAST_MONTH,
    *,
    submit: bool = False,
    external_key: str = "",
    **figures: int,
) -> pb.Report:
    """A period report as a node has taken it."""
    return pb.Report(
        number=number,
        key=new_id("rpt"),
        period_report=pb.PeriodReportDelivery(
            period_report=reports_pb2.PeriodReport(
                period=period,
                external_key=external_key,
                figures=reports_pb2.ActivityFigures(**figures) if figures else None,
            ),
            submit=submit,
        ),
    )


def refusals(receipt: pb.Receipt) -> list[tuple[str, str]]:
    """Fields and rules that a receipt names."""
    return [(item.field, item.reason) for item in receipt.refusals]


def report_numbers(receipts: Sequence[pb.Receipt]) -> list[int]:
    """Numbers of the reports that receipts are about."""
    return [receipt.report_number for receipt in receipts]
