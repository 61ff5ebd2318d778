"""Dates are known as well as they are known, and no better."""

import calendar
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domainkit.values import ImpreciseDate, LocalizedText, check_date, check_name


@given(st.integers(1, 9999), st.integers(0, 14), st.integers(0, 33))
def test_a_date_exists_exactly_when_the_calendar_has_it(year: int, month: int, day: int) -> None:
    in_year = 1 <= month <= 12
    in_month = in_year and 1 <= day <= calendar.monthrange(year, month)[1]
    assert ImpreciseDate(f"{year:04d}").exists()
    assert ImpreciseDate(f"{year:04d}-{month:02d}").exists() == in_year
    assert ImpreciseDate(f"{year:04d}-{month:02d}-{day:02d}").exists() == in_month


@given(st.dates())
def test_what_is_less_precise_spans_what_is_more_precise(day: date) -> None:
    texts = [f"{day:%Y}".zfill(4), f"{day:%Y}".zfill(4) + f"-{day:%m}", day.isoformat()]
    spans = [(ImpreciseDate(text).earliest(), ImpreciseDate(text).latest()) for text in texts]
    assert spans[2] == (day, day)
    assert spans[0][0] <= spans[1][0] <= day <= spans[1][1] <= spans[0][1]
    assert spans[1][1].day == calendar.monthrange(day.year, day.month)[1]


@pytest.mark.parametrize(
    "text", ["", "25", "2025-4", "2025-04-31", "2025-00", "x", "0000", "2025-04-25T00", "۲۰۲۵"]
)
def test_what_is_no_date_does_not_exist(text: str) -> None:
    assert [broken.rule for broken in check_date(ImpreciseDate(text), "d")] == ["NO_SUCH_DATE"]


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(-500, 500))
def test_a_date_is_refused_as_future_only_if_all_of_it_is(today: date, offset: int) -> None:
    day = today + timedelta(days=offset)
    whole = check_date(ImpreciseDate(day.isoformat()), "d", today=today)
    assert bool(whole) == (day > today)
    year = check_date(ImpreciseDate(f"{day.year:04d}"), "d", today=today)
    assert bool(year) == (day.year > today.year)


def test_unknown_breaks_no_rule_of_dates_and_a_blank_is_no_name() -> None:
    assert check_date(None, "d", today=date(2025, 1, 1)) == []
    assert not check_name(LocalizedText(fa="تبریز"), "n")
    for blank in (None, LocalizedText(), LocalizedText(fa=" ", en="\t")):
        assert [broken.rule for broken in check_name(blank, "n")] == ["NAME_REQUIRED"]
