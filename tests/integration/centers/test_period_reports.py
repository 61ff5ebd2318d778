"""Reports by the public API: who may, where a report can go, and what a node hears of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from centers.api.reports import reports_api
from centers.line.intake import report_standing
from centers.tables import period_report
from peyvand.centers.v1 import reports_pb2 as pb
from peyvand.node.v1 import protocol_pb2
from servicekit.errors import Fault
from tests.support.reports import NOW, Reporting, activity, capacity, reporting
from tests.support.rpc import RpcBench, serve

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from google.protobuf.message import Message

    from tests.support.cluster import Infra

MONTH = "1405-06"


class ReportsBench:
    """The service of reports, its callers, and the nodes that it woke."""

    def __init__(self, rpc: RpcBench, hub: Reporting, woken: list[str]) -> None:
        self.rpc = rpc
        self.hub = hub
        self.woken = woken
        self._keys = 0

    def key(self) -> str:
        self._keys += 1
        return f"key-{self._keys}"

    @property
    def staff(self) -> dict[str, Any]:
        """A caller of the center's staff."""
        return {"role": "center_admin", "center_ids": [self.hub.center_id]}

    def creation(self, trainees: int = 1, period: str = MONTH, **values: Any) -> Message:
        report = pb.PeriodReport(
            center_id=values.pop("center_id", self.hub.center_id),
            period=period,
            figures=pb.ActivityFigures(trainees=trainees),
            **values,
        )
        return pb.CreatePeriodReportRequest(period_report=report, idempotency_key=self.key())

    async def create(self, trainees: int = 1, **values: Any) -> pb.PeriodReport:
        request = self.creation(trainees, **values)
        return cast(
            "pb.PeriodReport", await self.rpc.call("CreatePeriodReport", request, **self.staff)
        )

    def request(self, at: pb.PeriodReport, reason: str = "") -> pb.PeriodReportStepRequest:
        return pb.PeriodReportStepRequest(
            report_id=at.id, etag=at.etag, reason=reason, idempotency_key=self.key()
        )

    async def step(
        self, verb: str, at: pb.PeriodReport, reason: str = "", **who: Any
    ) -> pb.PeriodReport:
        answer = await self.rpc.call(f"{verb}PeriodReport", self.request(at, reason), **who)
        return cast("pb.PeriodReport", answer)

    async def get(self, report_id: str) -> pb.PeriodReport:
        request = pb.GetPeriodReportRequest(report_id=report_id)
        return cast("pb.PeriodReport", await self.rpc.call("GetPeriodReport", request))

    async def list(self, role: str = "hq_admin", **filters: Any) -> list[pb.PeriodReport]:
        center_ids = filters.pop("center_ids", ())
        request = pb.ListPeriodReportsRequest(**filters)
        answer = await self.rpc.call("ListPeriodReports", request, role, center_ids=center_ids)
        return list(cast("pb.ListPeriodReportsResponse", answer).period_reports)

    async def receipts(self) -> list[protocol_pb2.Receipt]:
        hello = protocol_pb2.Hello(journal=self.hub.journal)
        standing = await self.hub.database.write(
            lambda session: report_standing(session, self.hub.node_id, hello)
        )
        return list(standing.receipts)


@pytest.fixture
async def bench(infra: Infra) -> AsyncGenerator[ReportsBench]:
    woken: list[str] = []

    async def wake(node_id: str) -> None:
        woken.append(node_id)

    async with reporting(infra) as hub:
        service = pb.DESCRIPTOR.services_by_name["Reports"]
        async with serve(service, reports_api(hub.database, wake)) as rpc:
            yield ReportsBench(rpc, hub, woken)


async def test_a_report_is_written_returned_mended_approved_and_corrected(
    bench: ReportsBench,
) -> None:
    draft = await bench.create(1)
    assert (draft.revision, list(draft.allowed_actions)) == (1, ["update", "submit"])
    sent = await bench.step("Submit", draft, **bench.staff)
    assert list(sent.allowed_actions) == []
    assert list((await bench.get(sent.id)).allowed_actions) == ["approve", "return"]
    back = await bench.step("Return", sent, "Trainees of the summer school are missing.")
    assert back.state_reason == "Trainees of the summer school are missing."
    change = pb.UpdatePeriodReportRequest(report_id=back.id, etag=back.etag, period_report=back)
    change.period_report.figures.trainees = 5
    mended = cast(
        "pb.PeriodReport", await bench.rpc.call("UpdatePeriodReport", change, **bench.staff)
    )
    assert mended.figures.trainees == 5
    approved = await bench.step("Approve", await bench.step("Submit", mended, **bench.staff))
    assert approved.state == pb.PERIOD_REPORT_STATE_APPROVED
    assert list(approved.allowed_actions) == []
    change.etag = approved.etag
    fault = await bench.rpc.fault("UpdatePeriodReport", change)
    assert (fault.reason, fault.params) == ("PERIOD_REPORT_LOCKED", {"state": "approved"})

    second = await bench.create(6)
    assert second.revision == 2
    assert (await bench.get(approved.id)).state == pb.PERIOD_REPORT_STATE_APPROVED
    await bench.step("Approve", await bench.step("Submit", second, **bench.staff))
    former = await bench.get(approved.id)
    assert former.state == pb.PERIOD_REPORT_STATE_SUPERSEDED
    steps = cast(
        "pb.ListPeriodReportStepsResponse",
        await bench.rpc.call(
            "ListPeriodReportSteps", pb.ListPeriodReportStepsRequest(report_id=former.id)
        ),
    ).steps
    assert [step.action for step in steps] == [
        "created",
        "submitted",
        "returned",
        "updated",
        "submitted",
        "approved",
        "superseded",
    ]


async def test_there_is_one_unfinished_report_of_a_month_whoever_hurries(
    bench: ReportsBench,
) -> None:
    async def create() -> str:
        try:
            return (await bench.create(1)).id
        except Fault as fault:
            return f"{fault.reason} {fault.params['state']}"

    outcomes = await asyncio.gather(*(create() for _ in range(8)))
    assert outcomes.count("PERIOD_REPORT_OPEN draft") == 7
    assert await bench.hub.count(period_report) == 1
    again = sa.text(
        'INSERT INTO period_report SELECT (jsonb_populate_record(r, \'{"id": "rep_x",'
        ' "revision": 2}\')).* FROM period_report r'
    )
    with pytest.raises(exc.IntegrityError, match="ux_period_report_unfinished"):
        async with bench.hub.database.engine.begin() as connection:
            await connection.execute(again)


async def test_what_stands_firm_of_a_report_cannot_be_changed(bench: ReportsBench) -> None:
    draft = await bench.create(1, external_key="mine")
    change = pb.UpdatePeriodReportRequest(report_id=draft.id, etag=draft.etag, period_report=draft)
    change.period_report.period = "1405-05"
    change.period_report.external_key = "other"
    fault = await bench.rpc.fault("UpdatePeriodReport", change)
    assert [(item.field, item.reason) for item in fault.violations] == [
        ("period_report.external_key", "IMMUTABLE"),
        ("period_report.period", "IMMUTABLE"),
    ]
    change.etag = "v0"
    assert (await bench.rpc.fault("UpdatePeriodReport", change)).reason == "STALE_ETAG"
    taken = await bench.rpc.fault(
        "CreatePeriodReport", bench.creation(period="1405-05", external_key="mine")
    )
    assert taken.reason == "EXTERNAL_KEY_TAKEN"
    # Another center has its own keys.
    other = await bench.hub.center("TBZ")
    request = bench.creation(center_id=other, external_key="mine")
    assert await bench.rpc.call("CreatePeriodReport", request)
    await bench.create(2, period="1405-04", external_key="another")
    found = await bench.list(external_key="mine")
    assert [report.center_id for report in found] == [bench.hub.center_id, other]


async def test_a_center_sees_and_writes_its_own_reports_and_no_others(bench: ReportsBench) -> None:
    other = await bench.hub.center("TBZ")
    foreign: dict[str, Any] = {"role": "center_admin", "center_ids": [other]}
    mine = await bench.create(1)
    assert [r.id for r in await bench.list("center_admin", center_ids=[bench.hub.center_id])] == [
        mine.id
    ]
    assert await bench.list("center_admin", center_ids=[other]) == []
    assert [r.id for r in await bench.list("hq_analyst", period=MONTH)] == [mine.id]
    assert await bench.list(state=pb.PERIOD_REPORT_STATE_APPROVED) == []
    get = pb.GetPeriodReportRequest(report_id=mine.id)
    assert (await bench.rpc.fault("GetPeriodReport", get, **foreign)).reason == "NOT_FOUND"
    submit = bench.request(mine)
    assert (await bench.rpc.fault("SubmitPeriodReport", submit, **foreign)).reason == "NOT_FOUND"
    creation = bench.creation(period="1405-05")
    assert (await bench.rpc.fault("CreatePeriodReport", creation, **foreign)).reason == "NOT_FOUND"
    approve = bench.request(await bench.step("Submit", mine, **bench.staff))
    fault = await bench.rpc.fault("ApprovePeriodReport", approve, **bench.staff)
    assert fault.reason == "PERMISSION_DENIED"
    assert (await bench.rpc.fault("GetPeriodReport", get, None)).reason == "UNAUTHENTICATED"


async def test_a_node_hears_what_the_headquarters_decided(bench: ReportsBench) -> None:
    report = activity(1, MONTH, submit=True, trainees=3)
    taken = await bench.hub.take(report)
    sent = await bench.get(taken.receipts[0].id)
    assert sent.node_id == bench.hub.node_id
    request = bench.request(sent, "The trainees of May are missing.")
    back = cast("pb.PeriodReport", await bench.rpc.call("ReturnPeriodReport", request))
    await bench.rpc.call("ReturnPeriodReport", request)
    assert bench.woken[0] == bench.hub.node_id
    first, second = await bench.receipts()
    assert (first.decision, first.number) == ("", 1)
    assert (second.number, second.report_number, second.key) == (2, 1, report.key)
    assert (second.decision, second.comment) == ("returned", "The trainees of May are missing.")
    assert (second.id, second.journal) == (back.id, bench.hub.journal)

    mended = activity(2, MONTH, submit=True, trainees=9)
    assert (await bench.hub.take(mended)).receipts[0].id == sent.id
    await bench.step("Approve", await bench.get(sent.id))
    told = (await bench.receipts())[-1]
    assert (told.number, told.report_number, told.decision) == (4, 2, "approved")

    # What is approved and told again is no correction; another figure is.
    same = await bench.hub.take(activity(3, MONTH, submit=True, trainees=9))
    assert same.receipts[0].id == sent.id
    corrected = await bench.hub.take(activity(4, MONTH, submit=True, trainees=10))
    correction = await bench.get(corrected.receipts[0].id)
    assert (correction.revision, correction.state) == (2, pb.PERIOD_REPORT_STATE_SUBMITTED)
    await bench.step("Approve", correction)
    assert (await bench.get(sent.id)).state == pb.PERIOD_REPORT_STATE_SUPERSEDED


async def test_decisions_and_deliveries_at_once_wait_for_each_other(bench: ReportsBench) -> None:
    """They lock the same rows; in another order they would stop each other."""
    taken = await bench.hub.take(
        *(activity(n, f"1404-{n:02d}", submit=True, trainees=n) for n in range(1, 13))
    )
    reports = [await bench.get(receipt.id) for receipt in taken.receipts]

    async def deliver() -> None:
        for number in range(13, 33):
            await bench.hub.take(activity(number, f"1404-{number % 12 + 1:02d}", trainees=number))

    async def decide() -> None:
        for report in reports:
            await bench.step("Return", report, "Look again.")

    async with asyncio.timeout(60):
        await asyncio.gather(deliver(), decide())
    numbers = [receipt.number for receipt in await bench.receipts()]
    assert numbers == list(range(1, 12 + 12 + 20 + 1))


async def test_capacity_and_refusals_are_listed_for_whom_they_concern(bench: ReportsBench) -> None:
    await bench.hub.take(capacity(1), capacity(2, used=9))
    own = bench.staff
    snapshot = pb.CapacitySnapshot(
        center_id=bench.hub.center_id,
        items=[pb.CapacityItem(kind=pb.CAPABILITY_KIND_TRAINING, total=3, used=0)],
    )
    snapshot.observed_at.FromDatetime(NOW)
    request = pb.CreateCapacitySnapshotRequest(
        capacity_snapshot=snapshot, idempotency_key=bench.key()
    )
    fault = await bench.rpc.fault("CreateCapacitySnapshot", request, "hq_analyst")
    assert fault.reason == "PERMISSION_DENIED"
    request.capacity_snapshot.observed_at.FromJsonString("2020-01-01T00:00:00Z")
    await bench.rpc.call("CreateCapacitySnapshot", request, **own)
    page = cast(
        "pb.ListCapacitySnapshotsResponse",
        await bench.rpc.call("ListCapacitySnapshots", pb.ListCapacitySnapshotsRequest(), **own),
    )
    assert [item.node_id for item in page.capacity_snapshots] == [bench.hub.node_id, ""]
    refused = cast(
        "pb.ListRefusedReportsResponse",
        await bench.rpc.call("ListRefusedReports", pb.ListRefusedReportsRequest(), **own),
    )
    (kept,) = refused.refused_reports
    assert (kept.number, kept.feed, kept.center_id) == (2, "capacity", bench.hub.center_id)
    since = pb.ListRefusedReportsRequest()
    since.updated_since.FromJsonString("2026-01-01T00:00:00Z")
    again = await bench.rpc.call("ListRefusedReports", since, **own)
    assert again == refused
    (violation,) = kept.violations
    assert (violation.field, violation.reason) == ("items[0].used", "USED_OVER_TOTAL")
    assert dict(violation.params) == {"used": "9", "total": "4"}
    foreign: dict[str, Any] = {
        "role": "center_operator",
        "center_ids": [await bench.hub.center("TBZ")],
    }
    for name in ("ListCapacitySnapshots", "ListRefusedReports"):
        answer = await bench.rpc.call(name, getattr(pb, f"{name}Request")(), **foreign)
        assert not answer.ListFields()
