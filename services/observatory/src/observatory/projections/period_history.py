"""Reads what centers did month by month: over all of them with what it rests on, and each."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa

from domainkit.months import Month
from domainkit.values import ImpreciseDate
from observatory import tables
from observatory.domain.activity import FIGURES, ApprovedMonth, Reporter, add_up
from observatory.projections.picture import shown_generation
from peyvand.centers.v1 import centers_pb2, reports_pb2
from peyvand.observatory.v1 import periods_pb2 as pb
from servicekit.database import ReadSession
from servicekit.mapping import to_timestamp

_MONTH, _RECORD = tables.reported_month, tables.record
_ENDED = (centers_pb2.CENTER_STATE_CLOSED, centers_pb2.CENTER_STATE_CANCELLED)


def latest_months() -> sa.Select[Any]:
    """What stands approved of the last month that anything is of, as a part of a query.

    A month that has more than sample data comes before one that has not, and the calendar
    of Iran before the other one: what most centers count by is what can be added up.
    """
    rows = _rows().cte("reported")
    columns = rows.c
    latest = (
        sa.select(columns.period)
        .order_by(columns.sample, columns.persian.desc(), columns.first_day.desc())
        .limit(1)
        .scalar_subquery()
    )
    return sa.select(rows).where(columns.period == latest)


def read_row(value: Callable[[str], Any]) -> ApprovedMonth:
    """A month of a center by the values of its columns; times may be ISO 8601 texts."""
    at = value("approved_at")
    return ApprovedMonth(
        center_id=value("center_id"),
        period=value("period"),
        figures={name: value(name) for name in FIGURES},
        report_id=value("report_id"),
        revision=value("revision"),
        approved_at=datetime.fromisoformat(at) if isinstance(at, str) else at,
        sample=value("sample"),
    )


async def read_months(
    session: ReadSession, months: Iterable[Month], center_ids: Collection[str]
) -> list[ApprovedMonth]:
    """What stands approved of these months, of these centers."""
    query = _rows().where(
        _MONTH.c.period.in_([str(month) for month in months]), _MONTH.c.center_id.in_(center_ids)
    )
    return [read_row(partial(getattr, row)) for row in await session.rows(query)]


def reporter(center: centers_pb2.Center) -> Reporter:
    """A center as far as reports are expected of it."""
    opened = center.opened_date.value
    return Reporter(
        center_id=center.id,
        opened_date=ImpreciseDate(opened) if opened else None,
        has_ended=center.state in _ENDED,
        sample=center.sample,
    )


def period_totals(
    month: Month, reporters: Iterable[Reporter], reports: Sequence[ApprovedMonth]
) -> pb.PeriodTotals:
    """A month over all centers, without the time that it is right for."""
    real = {report.center_id for report in reports if not report.sample}
    expected = {r.center_id for r in reporters if not r.sample and r.is_expected(month)}
    totals = pb.PeriodTotals(
        period=str(month),
        known=len(real),
        of=len(expected | real),
        sample=sum(report.sample for report in reports),
    )
    for name in FIGURES:
        value, known, sample = add_up(name, reports)
        getattr(totals, name).CopyFrom(pb.PeriodFigure(value=value, known=known, sample=sample))
    return totals


def center_periods(
    month: Month, reporters: Iterable[Reporter], reports: Sequence[ApprovedMonth]
) -> list[pb.CenterPeriod]:
    """A month of each center that has an approved report, or should have one."""
    approved = {report.center_id: report for report in reports}
    return [
        _center_period(one, approved.get(one.center_id))
        for one in reporters
        if one.center_id in approved or one.is_expected(month)
    ]


def _center_period(one: Reporter, month: ApprovedMonth | None) -> pb.CenterPeriod:
    message = pb.CenterPeriod(center_id=one.center_id, sample=one.sample)
    if month is not None:
        message.figures.CopyFrom(reports_pb2.ActivityFigures(**month.figures))
        message.report_id, message.revision = month.report_id, month.revision
        message.approved_at.CopyFrom(to_timestamp(month.approved_at))
        message.sample = month.sample
    return message


def _rows() -> sa.Select[Any]:
    """All that is shown; what a center that is sample data reports is sample data too."""
    same = sa.and_(_RECORD.c.generation == _MONTH.c.generation, _RECORD.c.id == _MONTH.c.center_id)
    sample = sa.or_(_MONTH.c.sample, sa.func.coalesce(_RECORD.c.sample, sa.false()))
    columns = [column for column in _MONTH.c if column.name not in ("generation", "sample")]
    return (
        sa.select(*columns, sample.label("sample"))
        .select_from(_MONTH.outerjoin(_RECORD, same))
        .where(_MONTH.c.generation == shown_generation())
    )
