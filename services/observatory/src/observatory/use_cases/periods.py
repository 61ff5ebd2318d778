"""What centers did month by month, as the headquarters has approved it."""

from domainkit.months import Month
from observatory.domain.activity import last_month_over, months_until
from observatory.projections.following import Following
from observatory.projections.network_status import Snapshot, right_for, take_snapshot
from observatory.projections.period_history import (
    center_periods,
    period_totals,
    read_months,
    reporter,
)
from observatory.projections.viewers import Viewer
from peyvand.centers.v1 import centers_pb2
from peyvand.observatory.v1 import periods_pb2 as pb
from servicekit.database import ReadSession
from servicekit.errors import Fault
from servicekit.policy import sees_all
from servicekit.rpc_server import Call

_MONTHS = 12


async def get_network_periods(
    session: ReadSession, request: pb.GetNetworkPeriodsRequest, call: Call, following: Following
) -> pb.NetworkPeriods:
    """Give the months; those of the centers that the caller may see."""
    snapshot = await take_snapshot(session)
    centers = _centers(snapshot, request, call)
    reporters = [reporter(center) for center in centers]
    months = _months(request, call)
    found = await read_months(session, months, [center.id for center in centers])
    answer = pb.NetworkPeriods()
    for month in months:
        reports = [report for report in found if report.period == str(month)]
        period = answer.periods.add(
            period=str(month), centers=center_periods(month, reporters, reports)
        )
        if sees_all(call.rpc, call.principal) and not request.center_id:
            period.totals.CopyFrom(period_totals(month, reporters, reports))
            as_of = right_for("EVT_CENTERS", snapshot, following.heads, call.now)
            if as_of is not None:
                period.totals.as_of.CopyFrom(as_of)
    answer.as_of.FromDatetime(call.now)
    return answer


def _centers(
    snapshot: Snapshot, request: pb.GetNetworkPeriodsRequest, call: Call
) -> list[centers_pb2.Center]:
    """The centers to tell of. Raises `Fault` ``NOT_FOUND`` for one that is not to be seen."""
    viewer = Viewer(call.principal)
    seen = [center for center in snapshot.centers if viewer.is_concerned([center.id])]
    if not request.center_id:
        return seen
    asked = [center for center in seen if center.id == request.center_id]
    if not asked:
        raise Fault.not_found("center", request.center_id)
    return asked


def _months(request: pb.GetNetworkPeriodsRequest, call: Call) -> list[Month]:
    persian = request.calendar != pb.PERIOD_CALENDAR_GREGORIAN
    last = Month.parse(request.until) or last_month_over(call.now, persian=persian)
    months = months_until(last, request.months or _MONTHS)
    # Before the first months that can be written there is none.
    return [month for month in months if Month.parse(str(month)) is not None]
