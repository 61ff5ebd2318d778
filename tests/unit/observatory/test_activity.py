"""Months of centers: what is expected of whom, and what a sum rests on."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from domainkit.months import Month
from domainkit.values import ImpreciseDate
from observatory.domain.activity import (
    FIGURES,
    ApprovedMonth,
    Reporter,
    add_up,
    last_month_over,
    months_until,
)
from peyvand.centers.v1 import reports_pb2
from peyvand.observatory.v1 import periods_pb2
from servicekit.contract import descriptor_of

MONTH = Month(1405, 8)


def approved(value: int | None, *, sample: bool = False) -> ApprovedMonth:
    at = datetime(2026, 11, 25, tzinfo=UTC)
    return ApprovedMonth("ctr_1", str(MONTH), {"articles": value}, "rep_1", 1, at, sample)


def test_what_is_unknown_is_no_zero_and_sample_data_is_in_no_sum() -> None:
    assert add_up("articles", []) == (None, 0, None)
    assert add_up("articles", [approved(None)]) == (None, 0, None)
    assert add_up("articles", [approved(0), approved(None)]) == (0, 1, None)
    found = [approved(3), approved(4), approved(100, sample=True), approved(None, sample=True)]
    assert add_up("articles", found) == (7, 2, 100)
    assert add_up("trainees", found) == (None, 0, None)


@pytest.mark.parametrize(
    ("opened", "expected"),
    [
        (None, True),
        ("2010", True),
        (MONTH.last_day().isoformat(), True),
        (MONTH.next().first_day().isoformat(), False),
        # Of one that may have been opened afterwards no report is missing.
        ("2026-11", False),
        ("2026", False),
    ],
)
def test_a_report_is_expected_of_who_was_there(opened: str | None, expected: bool) -> None:
    date_ = ImpreciseDate(opened) if opened else None
    assert Reporter("ctr_1", date_).is_expected(MONTH) == expected
    assert not Reporter("ctr_1", date_, has_ended=True).is_expected(MONTH)


def test_a_month_is_over_when_it_is_in_iran() -> None:
    last = MONTH.last_day()
    assert last == date(2026, 11, 21)
    evening = datetime(2026, 11, 21, 20, 29, tzinfo=UTC)
    assert str(last_month_over(evening, persian=True)) == "1405-07"
    assert str(last_month_over(evening.replace(minute=31), persian=True)) == "1405-08"
    assert str(last_month_over(evening, persian=False)) == "2026-10"
    assert [str(month) for month in months_until(Month(1405, 1), 3)] == [
        "1404-11",
        "1404-12",
        "1405-01",
    ]


def test_the_figures_are_those_of_the_contract() -> None:
    reported = descriptor_of(reports_pb2.ActivityFigures).fields_by_name
    assert set(FIGURES) == set(reported)
    totals = descriptor_of(periods_pb2.PeriodTotals).fields_by_name
    assert set(FIGURES) < set(totals)
