"""Months of both calendars, held against a library that knows the Persian one."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from persiantools.jdatetime import JalaliDate

from domainkit.months import Month, begins, day_in_iran, month_of


def test_every_persian_month_of_two_centuries_begins_and_ends_where_the_calendar_says() -> None:
    for year in range(1300, 1500):
        for number in range(1, 13):
            month = Month.parse(f"{year}-{number:02d}")
            assert month is not None
            assert month.is_persian
            days = JalaliDate.days_in_month(number, year)
            assert month.first_day() == JalaliDate(year, number, 1).to_gregorian()
            assert month.last_day() == JalaliDate(year, number, days).to_gregorian()


@given(st.dates(date(1922, 1, 1), date(2120, 12, 31)))
def test_the_month_of_a_day_is_the_one_that_it_lies_in(day: date) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    jalali = JalaliDate.to_jalali(day)
    assert str(month_of(noon, persian=True)) == f"{jalali.year}-{jalali.month:02d}"
    month = month_of(noon, persian=True)
    assert month.first_day() <= day <= month.last_day()
    assert month.next().first_day() == month.last_day() + timedelta(days=1)


def test_gregorian_months_know_their_leap_days() -> None:
    february = Month(2028, 2)
    assert (february.first_day(), february.last_day()) == (date(2028, 2, 1), date(2028, 2, 29))
    assert str(Month(2026, 12).next()) == "2027-01"


@given(st.integers(1300, 1499), st.integers(1, 12), st.integers(-30, 30))
def test_months_are_counted_on_and_back(year: int, month: int, count: int) -> None:
    start = Month(year, month)
    on = start.shifted(count)
    assert on.shifted(-count) == start
    assert 12 * (on.year - year) + on.month - month == count
    assert 1 <= on.month <= 12


@pytest.mark.parametrize(
    "text", ["2026-13", "1405-00", "1505-01", "1999-01", "2026-1", "", "۱۴۰۵-۰۷"]
)
def test_what_is_no_month_is_not_read_as_one(text: str) -> None:
    assert Month.parse(text) is None


def test_a_day_begins_in_iran_before_it_does_in_greenwich() -> None:
    assert day_in_iran(datetime(2026, 10, 31, 20, 29, tzinfo=UTC)) == date(2026, 10, 31)
    assert day_in_iran(datetime(2026, 10, 31, 20, 31, tzinfo=UTC)) == date(2026, 11, 1)
    assert begins(Month(1405, 1)) == datetime(2026, 3, 20, 20, 30, tzinfo=UTC)
