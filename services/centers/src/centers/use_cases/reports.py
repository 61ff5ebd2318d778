"""What centers report by the public API, and what the headquarters decides of it."""

from typing import Any

import sqlalchemy as sa

from centers.domain.reports import CapacitySnapshot, PeriodReport
from centers.repository.centers import centers
from centers.repository.reports import (
    capacity_snapshots,
    lock_center,
    lock_months,
    period_reports,
    refused_reports,
    require_free_key,
    tell_decision,
)
from centers.tables.reports import capacity_snapshot, period_report, refused_report
from centers.use_cases.deliveries import require_impersonal_key, require_moment
from domainkit.aggregate import without_reason
from peyvand.centers.v1 import reports_pb2 as pb
from servicekit.contract import enum_names
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault, Violation
from servicekit.ids import new_id
from servicekit.mapping import read_fields
from servicekit.policy import reaches, sees_all
from servicekit.requests import occasion
from servicekit.rpc_server import Call


async def create_capacity_snapshot(
    session: WriteSession, request: pb.CreateCapacitySnapshotRequest, call: Call
) -> pb.CapacitySnapshot:
    """Record a capacity snapshot of a center."""
    given = request.capacity_snapshot
    require_moment(given.observed_at, "capacity_snapshot.observed_at")
    await _require_own_center(session, given.center_id, call)
    names = ("center_id", "observed_at", "items", "sample")
    snapshot = CapacitySnapshot(
        id=new_id(capacity_snapshots.id_prefix),
        received_at=call.now,
        created_at=call.now,
        updated_at=call.now,
        **read_fields(given, CapacitySnapshot, only=names),
    )
    snapshot.recorded(occasion(request, call))
    await capacity_snapshots.save(session, snapshot)
    return capacity_snapshots.present(snapshot, call)


async def list_capacity_snapshots(
    session: ReadSession, request: pb.ListCapacitySnapshotsRequest, call: Call
) -> pb.ListCapacitySnapshotsResponse:
    """Give a page of capacity snapshots."""
    columns = capacity_snapshot.c
    where = [*_within_reach(columns.center_id, call)]
    if request.center_id:
        where.append(columns.center_id == request.center_id)
    found, token = await capacity_snapshots.page(session, request, *where)
    return pb.ListCapacitySnapshotsResponse(
        capacity_snapshots=[capacity_snapshots.present(item, call) for item in found],
        next_page_token=token,
    )


async def create_period_report(
    session: WriteSession, request: pb.CreatePeriodReportRequest, call: Call
) -> pb.PeriodReport:
    """Record a period report as a draft; the next revision where one is approved."""
    given = request.period_report
    require_impersonal_key(given.external_key, "period_report.external_key")
    await _require_own_center(session, given.center_id, call)
    await lock_center(session, given.center_id)
    key = given.external_key or None
    months = await lock_months(session, given.center_id, [given.period], [key])
    if unfinished := months.unfinished(given.period):
        params = {"id": unfinished.id, "state": unfinished.state.value}
        raise Fault("PERIOD_REPORT_OPEN", params)
    names = ("external_key", "center_id", "period", "figures", "sample")
    report = PeriodReport(
        id=new_id(period_reports.id_prefix),
        revision=months.next_revision(given.period),
        state_since=call.now,
        created_at=call.now,
        updated_at=call.now,
        **read_fields(given, PeriodReport, only=names),
    )
    report.recorded(occasion(request, call))
    require_free_key(months, report)
    await period_reports.save(session, report)
    return period_reports.present(report, call)


async def get_period_report(
    session: ReadSession, request: pb.GetPeriodReportRequest, call: Call
) -> pb.PeriodReport:
    """Give one period report."""
    report = await period_reports.get(session, request.report_id)
    _require_reach(report, call)
    return period_reports.present(report, call)


async def list_period_reports(
    session: ReadSession, request: pb.ListPeriodReportsRequest, call: Call
) -> pb.ListPeriodReportsResponse:
    """Give a page of period reports."""
    columns = period_report.c
    where = [*_within_reach(columns.center_id, call)]
    if request.center_id:
        where.append(columns.center_id == request.center_id)
    if request.state:
        state = enum_names(pb.PeriodReportState.DESCRIPTOR)[request.state]
        where.append(columns.state == state)
    if request.period:
        where.append(columns.period == request.period)
    if request.external_key:
        where.append(columns.external_key == request.external_key)
    found, token = await period_reports.page(session, request, *where)
    return pb.ListPeriodReportsResponse(
        period_reports=[period_reports.present(report, call) for report in found],
        next_page_token=token,
    )


async def update_period_report(
    session: WriteSession, request: pb.UpdatePeriodReportRequest, call: Call
) -> pb.PeriodReport:
    """Change the figures of a draft or returned report."""
    report = await _lock_own(session, request.report_id, call, request.etag)
    given = request.period_report
    fixed = read_fields(given, PeriodReport, only=("external_key", "center_id", "period"))
    moved = [name for name, value in fixed.items() if value and value != getattr(report, name)]
    if moved:
        raise Fault.invalid(*(Violation(f"period_report.{name}", "IMMUTABLE") for name in moved))
    values = read_fields(given, PeriodReport, only=("figures", "sample"))
    if report.amend(values, occasion(request, call)):
        await period_reports.save(session, report)
    return period_reports.present(report, call)


async def submit_period_report(
    session: WriteSession, request: pb.PeriodReportStepRequest, call: Call
) -> pb.PeriodReport:
    """Hand a draft or returned report to the headquarters."""
    report = await _lock_own(session, request.report_id, call, request.etag)
    report.take("submit", occasion(request, call))
    await period_reports.save(session, report)
    return period_reports.present(report, call)


async def decide_period_report(
    session: WriteSession, request: pb.PeriodReportStepRequest, call: Call, action: str
) -> tuple[pb.PeriodReport, str]:
    """Approve a submitted report or return it; give it, and the node to be told, if any.

    A revision that is approved supersedes the one that stood before.
    """
    center_id = (await period_reports.get(session, request.report_id)).center_id
    # In the order in which a delivery locks them: the center, the line, the reports.
    await lock_center(session, center_id)
    report = await _lock_own(session, request.report_id, call, request.etag)
    taken = occasion(request, call)
    report.take(action, taken)
    if action == "approve":
        months = await lock_months(session, center_id, [report.period], [])
        if former := months.approved(report.period):
            former.superseded(without_reason(taken))
            await period_reports.save(session, former)
    await period_reports.save(session, report)
    node_id = await tell_decision(session, report, taken.reason)
    return period_reports.present(report, call), node_id


async def list_period_report_steps(
    session: ReadSession, request: pb.ListPeriodReportStepsRequest, call: Call
) -> pb.ListPeriodReportStepsResponse:
    """Give a page of the steps that a period report has taken."""
    report = await period_reports.get(session, request.report_id)
    _require_reach(report, call)
    steps, token = await period_reports.steps(session, report.id, request)
    return pb.ListPeriodReportStepsResponse(steps=steps, next_page_token=token)


async def list_refused_reports(
    session: ReadSession, request: pb.ListRefusedReportsRequest, call: Call
) -> pb.ListRefusedReportsResponse:
    """Give a page of the reports of nodes that were refused."""
    columns = refused_report.c
    where = [*_within_reach(columns.center_id, call)]
    if request.center_id:
        where.append(columns.center_id == request.center_id)
    if request.node_id:
        where.append(columns.node_id == request.node_id)
    found, token = await refused_reports.page(session, request, *where)
    return pb.ListRefusedReportsResponse(
        refused_reports=[refused_reports.present(item, call) for item in found],
        next_page_token=token,
    )


def _within_reach(center_id: sa.Column[Any], call: Call) -> list[sa.ColumnElement[bool]]:
    """What narrows a list to the centers that the caller may see."""
    if sees_all(call.rpc, call.principal):
        return []
    return [center_id.in_(sorted(call.principal.center_ids))]


async def _require_own_center(session: WriteSession, center_id: str, call: Call) -> None:
    """Raise `Fault` ``NOT_FOUND`` for a center that is not there, or not the caller's."""
    own = center_id in call.principal.center_ids
    if not reaches(call.rpc, call.principal, own=own):
        raise Fault.not_found(centers.kind, center_id)
    await centers.get(session, center_id)


async def _lock_own(session: WriteSession, report_id: str, call: Call, etag: str) -> PeriodReport:
    report = await period_reports.lock(session, report_id, etag)
    _require_reach(report, call)
    return report


def _require_reach(report: PeriodReport, call: Call) -> None:
    own = period_reports.owned_by(report, call)
    if not reaches(call.rpc, call.principal, own=own):
        raise Fault.not_found(period_reports.kind, report.id)
