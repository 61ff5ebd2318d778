"""What a node delivers is recorded, report by report; one that breaks a rule holds up none.

Nothing is written while reports are decided: what many of them have changed is staged and
goes to the database in a handful of statements.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from centers.domain.presence import CAPACITY, REPORT
from centers.domain.reports import (
    CapacitySnapshot,
    FieldViolation,
    PeriodReport,
    RefusedReport,
)
from centers.repository.reports import (
    MonthsOfCenter,
    capacity_snapshots,
    note_deliveries,
    period_reports,
    refused_reports,
    require_free_key,
)
from domainkit.aggregate import Occasion, without_reason
from peyvand.centers.v1 import reports_pb2
from peyvand.node.v1 import protocol_pb2 as pb
from servicekit.database import WriteSession
from servicekit.errors import Fault, Violation, as_fault
from servicekit.ids import is_id, new_id
from servicekit.mapping import read_fields, to_datetime
from servicekit.personal_data import holds_national_id, personal_data
from servicekit.store import Staged
from servicekit.validation import violations

# The field that a refusal without one is about, so that a receipt always names a field.
_FIELD_OF = {
    "EXTERNAL_KEY_TAKEN": "external_key",
    "ILLEGAL_TRANSITION": "submit",
    "UNKNOWN_FEED": "feed",
}
_FEEDS = {"capacity": CAPACITY, "period_report": REPORT}
_UNKNOWN_FEED = "unknown"
_MOST_VIOLATIONS = 50


@dataclass(frozen=True)
class Sender:
    """Whose reports are decided, and when."""

    node_id: str
    center_id: str
    journal: str
    occasion: Occasion


@dataclass(frozen=True)
class Outcome:
    """What became of one report: the id of what holds it now, or the rules that it breaks."""

    id: str = ""
    broken: tuple[Violation, ...] = ()


@dataclass
class Deliveries:
    """Decides the reports of one batch. `months` are those of its period reports, locked.

    `written_at` is the time of the database, taken once everything was locked; `capacity_at`
    is when a snapshot of the node was taken last.
    """

    sender: Sender
    months: MonthsOfCenter
    written_at: datetime
    capacity_at: datetime | None = None
    accepted_feeds: set[str] = field(default_factory=set[str])
    _snapshots: list[Staged] = field(default_factory=list[Staged])
    _reports: list[Staged] = field(default_factory=list[Staged])
    _refused: list[Staged] = field(default_factory=list[Staged])
    _origins: list[dict[str, object]] = field(default_factory=list[dict[str, object]])

    def decide(self, report: pb.Report) -> Outcome:
        """Accept a report or refuse it. What it breaks is kept, what it says then is not."""
        feed = feed_of(report)
        try:
            id = self._accept(report, feed)
        except Exception as error:
            fault = as_fault(error)
            if fault is None:
                raise
            outcome = Outcome(broken=_broken_rules(fault))
            self._refuse(report, feed, outcome.broken)
            return outcome
        self.accepted_feeds.add(feed)
        return Outcome(id=id)

    async def write(self, session: WriteSession) -> None:
        """Write all that was decided."""
        await capacity_snapshots.save_staged(session, self._snapshots)
        await period_reports.save_staged(session, self._reports)
        await refused_reports.save_staged(session, self._refused)
        await note_deliveries(session, self._origins)

    def _accept(self, report: pb.Report, feed: str) -> str:
        if feed == CAPACITY:
            return self._accept_capacity(report.capacity, _clock(report))
        if feed == REPORT:
            id = self._accept_period_report(report.period_report, _clock(report))
            self._origins.append(
                {
                    "report_id": id,
                    "node_id": self.sender.node_id,
                    "journal": self.sender.journal,
                    "number": report.number,
                    "report_key": report_key(report),
                }
            )
            return id
        raise Fault("UNKNOWN_FEED", {"value": feed})

    def _accept_capacity(self, given: reports_pb2.CapacitySnapshot, clock: datetime | None) -> str:
        given.center_id = self.sender.center_id
        require_sound(given)
        now = self.sender.occasion.at
        snapshot = CapacitySnapshot(
            id=new_id(capacity_snapshots.id_prefix),
            center_id=given.center_id,
            node_id=self.sender.node_id,
            received_at=now,
            created_at=now,
            updated_at=now,
            **read_fields(given, CapacitySnapshot, only=("observed_at", "items", "sample")),
        )
        if clock is not None:
            snapshot.observed_by(clock, self.capacity_at)
        snapshot.recorded(self.sender.occasion)
        self._snapshots.append(capacity_snapshots.stage(snapshot, self.written_at))
        return snapshot.id

    def _accept_period_report(
        self, delivery: pb.PeriodReportDelivery, clock: datetime | None
    ) -> str:
        given = delivery.period_report
        given.center_id = self.sender.center_id
        require_sound(given)
        values = read_fields(given, PeriodReport, only=("external_key", "figures", "sample"))
        standing = self.months.unfinished(given.period) or self.months.approved(given.period)
        if standing and standing.says(values["figures"], submitted=delivery.submit):
            return standing.id
        report, staged = self._written(given.period, values, clock)
        if delivery.submit:
            report.take("submit", without_reason(self.sender.occasion), clock=clock)
            staged.append(period_reports.stage(report, self.written_at))
        self.months.put(report)
        self._reports += staged
        return report.id

    def _written(
        self, period: str, values: dict[str, Any], clock: datetime | None
    ) -> tuple[PeriodReport, list[Staged]]:
        """The report of a month as the delivery says, and the steps that brought it there."""
        sender, open_report = self.sender, self.months.unfinished(period)
        if open_report is None:
            now = sender.occasion.at
            report = PeriodReport(
                id=new_id(period_reports.id_prefix),
                center_id=sender.center_id,
                period=period,
                revision=self.months.next_revision(period),
                node_id=sender.node_id,
                state_since=now,
                created_at=now,
                updated_at=now,
                **values,
            )
            report.recorded(sender.occasion, clock)
            require_free_key(self.months, report)
            return report, [period_reports.stage(report, self.written_at)]
        # A copy, so that a delivery that is refused half way leaves no trace.
        report = replace(open_report, node_id=sender.node_id, pending=[])
        external_key = values.pop("external_key")
        if external_key and report.external_key not in (None, external_key):
            raise Fault.invalid(Violation("external_key", "IMMUTABLE"))
        changed = report.amend(values, sender.occasion)
        return report, [period_reports.stage(report, self.written_at)] if changed else []

    def _refuse(self, report: pb.Report, feed: str, broken: Sequence[Violation]) -> None:
        now = self.sender.occasion.at
        refused = RefusedReport(
            id=new_id(refused_reports.id_prefix),
            node_id=self.sender.node_id,
            center_id=self.sender.center_id,
            feed=feed,
            number=report.number,
            report_key=report_key(report),
            violations=[FieldViolation(v.field, v.reason, dict(v.params)) for v in broken],
            refused_at=now,
            created_at=now,
            updated_at=now,
        )
        refused.recorded(self.sender.occasion)
        try:
            staged = refused_reports.stage(refused, self.written_at)
        except Fault:
            # A detail looks like what must not be kept; the rules are told without it.
            refused.violations = [FieldViolation(v.field, v.reason) for v in broken]
            staged = refused_reports.stage(refused, self.written_at)
        self._refused.append(staged)


def feed_of(report: pb.Report) -> str:
    """The feed that a report is of; one that this hub does not know has no name here."""
    return _FEEDS.get(report.WhichOneof("body") or "", _UNKNOWN_FEED)


def _clock(report: pb.Report) -> datetime | None:
    """What the node's clock said when it took a report; `None` where that is no time."""
    try:
        return to_datetime(report.taken_at) if report.HasField("taken_at") else None
    except (ValueError, OverflowError):
        return None


def report_key(report: pb.Report) -> str:
    """The node's name for a report; empty where it has not the form of one."""
    return report.key if is_id(report.key, "rpt") else ""


def require_sound(message: reports_pb2.CapacitySnapshot | reports_pb2.PeriodReport) -> None:
    """Raise `Fault` with what a report breaks of the rules of the contract."""
    if found := [*violations(message), *personal_data(message)]:
        raise Fault.invalid(*found)
    if isinstance(message, reports_pb2.CapacitySnapshot):
        require_moment(message.observed_at, "observed_at")
    else:
        require_impersonal_key(message.external_key, "external_key")


def require_moment(timestamp: Timestamp, path: str) -> None:
    """Raise `Fault` for a time that no calendar has."""
    try:
        to_datetime(timestamp)
    except (ValueError, OverflowError):
        raise Fault.invalid(Violation(path, "NO_SUCH_DATE")) from None


def require_impersonal_key(key: str, path: str) -> None:
    """Raise `Fault` for a key of a report that looks like a person's.

    Keys have a form, so that they are not looked at elsewhere; but the one of a report is
    made by systems that know patients.
    """
    if holds_national_id(key):
        raise Fault.invalid(Violation(path, "PERSONAL_DATA"))


def _broken_rules(fault: Fault) -> tuple[Violation, ...]:
    if fault.violations:
        return fault.violations[:_MOST_VIOLATIONS]
    return (Violation(_FIELD_OF.get(fault.reason, "period"), fault.reason, fault.params),)
