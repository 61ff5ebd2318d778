"""Which use case answers which rpc of ``peyvand.centers.v1.Reports``, and how."""

from collections.abc import Awaitable, Callable
from functools import partial

from centers.use_cases import reports
from peyvand.centers.v1 import reports_pb2 as pb
from servicekit.database import Database, WriteSession
from servicekit.idempotency import once
from servicekit.rpc_server import Call
from servicekit.rpcs import Rpcs

# Asks a node to say hello again.
Wake = Callable[[str], Awaitable[None]]


def reports_api(database: Database, wake: Wake) -> Rpcs:
    """Make the handlers; `wake` is told which node has something to hear."""
    rpcs = Rpcs(database)
    rpcs.read(
        reports.list_capacity_snapshots,
        reports.get_period_report,
        reports.list_period_reports,
        reports.list_period_report_steps,
        reports.list_refused_reports,
    )
    rpcs.once(
        reports.create_capacity_snapshot,
        reports.create_period_report,
        reports.submit_period_report,
    )
    rpcs.write(reports.update_period_report)
    for action in ("return", "approve"):
        rpcs.handle(f"{action}_period_report", partial(_decide, database, wake, action))
    return rpcs


async def _decide(
    database: Database, wake: Wake, action: str, request: pb.PeriodReportStepRequest, call: Call
) -> pb.PeriodReport:
    told: list[str] = []

    async def decide(session: WriteSession) -> pb.PeriodReport:
        report, node_id = await reports.decide_period_report(session, request, call, action)
        told[:] = [node_id] if node_id else []
        return report

    report = await database.write(
        lambda session: once(session, call, request, lambda: decide(session))
    )
    for node_id in told:
        await wake(node_id)
    return report
