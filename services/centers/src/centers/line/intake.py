"""Takes the reports of nodes: each once, in order, and answered when it is in the database.

A batch is one transaction: the reports that it records, those that it refuses, their
events, the receipts, and how far the journal of the node was taken. The row of the node in
`node_line` is locked meanwhile, so that two processes that are handed the same batch, or
two batches of one node, take turns; whoever comes second finds the numbers taken.
"""

from centers.domain.receipts import ReceiptMark
from centers.line.refusals import refused_field
from centers.line.responder import Exchange, Request
from centers.line.standing import ReportStanding
from centers.repository.reports import (
    MonthsOfCenter,
    NodeLine,
    lock_center,
    lock_months,
    receipts_after,
    served_center,
    written_at,
)
from centers.use_cases.deliveries import Deliveries, Outcome, Sender, report_key
from domainkit.aggregate import Occasion
from nodekit.batches import BatchError, unpack
from nodekit.subjects import from_any_node, sender
from peyvand.node.v1 import protocol_pb2 as pb
from servicekit.database import Database, WriteSession
from servicekit.errors import Fault
from servicekit.mapping import to_timestamp
from servicekit.validation import violations

MAX_REPORTS = 500
"""Reports of a batch that are decided at once; the node goes on after those."""
MAX_RECEIPTS = 500
"""Receipts in one answer to a hello."""

_LONGEST_JOURNAL = 100


def intake(database: Database) -> dict[str, Exchange]:
    """The exchange that takes batches of reports, by its subject."""

    async def take(request: Request) -> pb.BatchReply:
        node_id = sender(request.subject)
        try:
            batch = unpack(request.data)
        except BatchError as error:
            raise Fault("MESSAGE_UNREADABLE") from error
        occasion = Occasion(actor=node_id, at=request.received_at)
        taken = await database.write(lambda session: take_batch(session, node_id, batch, occasion))
        taken.time.CopyFrom(to_timestamp(request.received_at))
        return pb.BatchReply(taken=taken)

    return {from_any_node("reports"): Exchange(take, pb.BatchReply)}


async def take_batch(
    session: WriteSession, node_id: str, batch: pb.ReportBatch, occasion: Occasion
) -> pb.BatchTaken:
    """Decide the reports of a batch that were not taken before, as far as they have no gap.

    Raises `Fault` ``NODE_NOT_SERVED`` when the hub does not listen to the node, and
    ``MESSAGE_UNREADABLE`` for a journal that is none; nothing is changed then.
    """
    center_id = await served_center(session, node_id)
    journal = _journal(batch.journal)
    if any(_is_period_report(report) for report in batch.reports):
        # Before the line, in the order in which the headquarters' decisions lock them.
        await lock_center(session, center_id)
    line = await NodeLine.lock(session, node_id)
    last = await line.last_number(journal)
    given = await line.confirmed(ReceiptMark(batch.receipts_after, batch.receipts_mark))
    fresh = _next_in_order(batch, last)
    taken = pb.BatchTaken(last_number=last + len(fresh), receipts_anew=not given)
    if not fresh:
        return taken
    months, now = MonthsOfCenter(()), line.now
    # Only what keeps the contract is looked up: a text that no database takes would hold
    # up the whole batch, again and again, and is refused below.
    sound = [report.period_report.period_report for report in fresh if _can_be_looked_up(report)]
    if sound:
        periods = (report.period for report in sound)
        keys = (report.external_key for report in sound)
        months = await lock_months(session, center_id, periods, keys)
        now = await written_at(session)
    origin = Sender(node_id, center_id, journal, occasion)
    deliveries = Deliveries(origin, months, now, line.capacity_at)
    for report in fresh:
        outcome = deliveries.decide(report)
        taken.receipts.append(line.tell(_receipt(journal, report, outcome)))
    await deliveries.write(session)
    await line.write(
        journal=journal, last_number=taken.last_number, feeds=sorted(deliveries.accepted_feeds)
    )
    return taken


async def report_standing(session: WriteSession, node_id: str, hello: pb.Hello) -> ReportStanding:
    """Where the hub is with the reports of a node that says hello; see `ReportStandings`.

    Receipts that the node says it has are forgotten; if this hub never gave the last of them,
    it is told all that wait.
    """
    line = await NodeLine.lock(session, node_id)
    given = await line.confirmed(ReceiptMark(hello.receipts_after, hello.receipts_mark))
    after = hello.receipts_after if given else 0
    receipts = await receipts_after(session, node_id, after, MAX_RECEIPTS + 1)
    return ReportStanding(
        last_number=await line.last_number(_journal(hello.journal)),
        receipts=receipts[:MAX_RECEIPTS],
        more_receipts=len(receipts) > MAX_RECEIPTS,
        receipts_anew=not given,
    )


def _next_in_order(batch: pb.ReportBatch, last: int) -> list[pb.Report]:
    """The reports that follow the last one taken, up to the first gap."""
    fresh: list[pb.Report] = []
    for report in batch.reports:
        if report.number <= last:
            continue
        if report.number != last + 1 + len(fresh) or len(fresh) == MAX_REPORTS:
            break
        fresh.append(report)
    return fresh


def _receipt(journal: str, report: pb.Report, outcome: Outcome) -> pb.Receipt:
    return pb.Receipt(
        journal=journal,
        report_number=report.number,
        key=report_key(report),
        id=outcome.id,
        refusals=[refused_field(violation) for violation in outcome.broken],
    )


def _is_period_report(report: pb.Report) -> bool:
    return report.WhichOneof("body") == "period_report"


def _can_be_looked_up(report: pb.Report) -> bool:
    """Whether it is a period report whose month and key have the form that they must have."""
    if not _is_period_report(report):
        return False
    broken = {violation.field for violation in violations(report.period_report.period_report)}
    return broken.isdisjoint({"period", "external_key"})


def _journal(text: str) -> str:
    if not text or len(text) > _LONGEST_JOURNAL or not text.isascii() or not text.isprintable():
        raise Fault("MESSAGE_UNREADABLE")
    return text
