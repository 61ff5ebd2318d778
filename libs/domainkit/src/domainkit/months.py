"""Months of the Gregorian and of the Persian calendar.

A month is written ``2026-10`` or ``1405-07``; the year tells the calendar. A Persian year
is counted by the rule of eight leap years in thirty-three, which agrees with the calendar
of Iran for all years that can be written here (1300 to 1499, that is 1921 to 2121).
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

# Iran keeps one time all year since 2022, and its days are those that a month is made of.
TEHRAN = timezone(timedelta(hours=3, minutes=30), "Tehran")

_PERIOD = re.compile(r"((?:1[34]|20)[0-9]{2})-(0[1-9]|1[0-2])")
_FIRST_GREGORIAN_YEAR = 2000
# Proleptic Gregorian ordinal of the day before 1 Farvardin 1, less the leap days counted.
_PERSIAN_EPOCH = 226895


@dataclass(frozen=True)
class Month:
    """A month of one of the two calendars."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> "Month | None":
        """Read ``2026-10`` or ``1405-07``; `None` for anything else."""
        match = _PERIOD.fullmatch(text)
        return cls(int(match[1]), int(match[2])) if match else None

    @property
    def is_persian(self) -> bool:
        """Whether it is a month of the Persian calendar."""
        return self.year < _FIRST_GREGORIAN_YEAR

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    def next(self) -> "Month":
        """The month after."""
        return self.shifted(1)

    def shifted(self, months: int) -> "Month":
        """The month that so many come before; a negative number goes back."""
        year, month = divmod(12 * self.year + self.month - 1 + months, 12)
        return Month(year, month + 1)

    def first_day(self) -> date:
        """Its first day, as a date of the Gregorian calendar."""
        if not self.is_persian:
            return date(self.year, self.month, 1)
        # Six months of 31 days, then five of 30; the last has what the year leaves.
        days = 31 * (self.month - 1) - max(0, self.month - 7)
        return date.fromordinal(_nowruz(self.year) + days)

    def last_day(self) -> date:
        """Its last day, as a date of the Gregorian calendar."""
        return self.next().first_day() - timedelta(days=1)


def day_in_iran(moment: datetime) -> date:
    """The day that it is in Iran at a moment."""
    return moment.astimezone(TEHRAN).date()


def month_of(moment: datetime, *, persian: bool) -> Month:
    """The month of one of the calendars in which a moment lies, in Iran."""
    day = day_in_iran(moment)
    if not persian:
        return Month(day.year, day.month)
    year = day.year - 621
    if day.toordinal() < _nowruz(year):
        year -= 1
    into = day.toordinal() - _nowruz(year)
    return Month(year, into // 31 + 1 if into < 186 else (into - 186) // 30 + 7)


def begins(month: Month) -> datetime:
    """The moment at which a month begins in Iran, UTC."""
    day = month.first_day()
    return datetime(day.year, day.month, day.day, tzinfo=TEHRAN).astimezone(UTC)


def _nowruz(year: int) -> int:
    """Ordinal of the first day of a Persian year."""
    return _PERSIAN_EPOCH + 365 * (year - 1) + (8 * year + 21) // 33
