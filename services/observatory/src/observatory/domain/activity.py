"""What centers did month by month, as far as it is approved, and what their sums rest on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from domainkit.months import Month, month_of
from domainkit.values import ImpreciseDate

FIGURES = (
    "samples_processed",
    "products_released",
    "procedures",
    "trainees",
    "articles",
)
"""What a center reports of a month; each is a number, or unknown."""


@dataclass(frozen=True)
class ApprovedMonth:
    """What stands approved of a center and month: the last revision that was.

    `figures` are by the names of `FIGURES`; `None` is unknown, zero is none.
    """

    center_id: str
    period: str
    figures: Mapping[str, int | None]
    report_id: str
    revision: int
    approved_at: datetime
    sample: bool = False


@dataclass(frozen=True)
class Reporter:
    """A center, as far as it decides whether a report of a month is expected of it."""

    center_id: str
    opened_date: ImpreciseDate | None = None
    has_ended: bool = False
    sample: bool = False

    def is_expected(self, month: Month) -> bool:
        """Whether it should have a report: it has not ended, nor opened only afterwards.

        Where the day of its opening is not known exactly, the latest that it can be counts:
        of a center that may not have been there no report is missing.
        """
        if self.has_ended:
            return False
        return self.opened_date is None or self.opened_date.latest() <= month.last_day()


class Sum(NamedTuple):
    """A figure over several centers.

    `value` is `None` where none of them gave it, and `known` how many did; `sample` is what
    sample data would add, `None` without any.
    """

    value: int | None
    known: int
    sample: int | None


def add_up(figure: str, reports: Iterable[ApprovedMonth]) -> Sum:
    """Add one figure up; what is unknown is not counted as zero."""
    given = [(report.sample, report.figures.get(figure)) for report in reports]
    real = [value for sample, value in given if value is not None and not sample]
    samples = [value for sample, value in given if value is not None and sample]
    return Sum(sum(real) if real else None, len(real), sum(samples) if samples else None)


def last_month_over(now: datetime, *, persian: bool) -> Month:
    """The last month of a calendar that is over in Iran."""
    return month_of(now, persian=persian).shifted(-1)


def months_until(last: Month, count: int) -> list[Month]:
    """So many months, the oldest first, of which `last` is the last one."""
    return [last.shifted(number - count + 1) for number in range(count)]
