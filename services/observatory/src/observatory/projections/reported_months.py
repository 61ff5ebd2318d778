"""Writes the approved figures of centers by month.

A month of a center has one row: what stands approved of it. A revision takes its place
when it is approved, and not before; drafts and what was given back leave nothing here.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domainkit.months import Month
from observatory import tables
from observatory.domain.activity import FIGURES
from observatory.projections.happenings import Happening
from peyvand.centers.v1 import reports_pb2

_MONTH = tables.reported_month


def month_row(generation: int, happening: Happening) -> dict[str, Any]:
    """The row that the approval of a period report leaves."""
    report = happening.resource
    month = month_of_report(report)
    given = {name: _figure(report.figures, name) for name in FIGURES}
    return {
        "generation": generation,
        "center_id": report.center_id,
        "period": report.period,
        "persian": month.is_persian,
        "first_day": month.first_day(),
        "report_id": report.id,
        "revision": report.revision,
        "approved_at": happening.delivery.time,
        "sample": report.sample,
        **given,
    }


def month_of_report(report: reports_pb2.PeriodReport) -> Month:
    """The month that a report is about. Raises `ValueError` where it names none."""
    month = Month.parse(report.period)
    if month is None:
        raise ValueError(f"not a month: {report.period}")
    return month


async def write_months(connection: AsyncConnection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write months of centers, in the place of what stood there."""
    statement = insert(_MONTH)
    changed = {c.name: statement.excluded[c.name] for c in _MONTH.c if not c.primary_key}
    key = [column.name for column in _MONTH.primary_key]
    statement = statement.on_conflict_do_update(index_elements=key, set_=changed)
    await connection.execute(statement, list(rows))


def _figure(figures: reports_pb2.ActivityFigures, name: str) -> int | None:
    return getattr(figures, name) if figures.HasField(name) else None
