"""How an indicator stands against its target."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from domainkit.rules import RulesBroken
from domainkit.values import ImpreciseDate, LocalizedText
from observatory.domain.indicators import (
    Direction,
    Indicator,
    IndicatorKind,
    IndicatorSource,
    IndicatorStatus,
    Reading,
    ReferenceValue,
)

TODAY = date(2026, 1, 1)


def at(value: str, period: str | None = None) -> ReferenceValue:
    return ReferenceValue(value, ImpreciseDate(period) if period else None)


def indicator(**values: Any) -> Indicator:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    given: dict[str, Any] = {
        "code": "RANK",
        "titles": LocalizedText(en="Rank"),
        "direction": Direction.DOWN,
        "kind": IndicatorKind.RANK,
        "source_kind": IndicatorSource.ENTERED,
    }
    return Indicator(id="ind_1", created_at=now, updated_at=now, **(given | values))


def rising(**values: Any) -> Indicator:
    return indicator(direction=Direction.UP, kind=IndicatorKind.STOCK, **values)


def read(value: str, day: date | None = TODAY) -> Reading:
    return Reading(Decimal(value), day)


@pytest.mark.parametrize(
    ("latest", "progress"), [("31", "0"), ("13", "0.9"), ("11", "1"), ("41", "-0.5"), ("1", "1.5")]
)
def test_progress_of_a_rank_grows_as_the_rank_falls(latest: str, progress: str) -> None:
    measured = indicator(baseline=at("31"), target=at("11")).standing(read(latest), TODAY)
    assert measured.progress == Decimal(progress)


def test_a_rank_is_achieved_at_the_target_and_before_it_and_not_after() -> None:
    ranked = indicator(baseline=at("31"), target=at("10"))
    assert ranked.standing(read("10"), TODAY).status is IndicatorStatus.ACHIEVED
    assert ranked.standing(read("9"), TODAY).status is IndicatorStatus.ACHIEVED
    assert ranked.standing(read("11"), TODAY).status is not IndicatorStatus.ACHIEVED


def test_a_stock_is_achieved_at_the_target_and_above() -> None:
    counted = rising(baseline=at("140"), target=at("200"))
    assert counted.standing(read("200"), TODAY).status is IndicatorStatus.ACHIEVED
    assert counted.standing(read("201"), TODAY).status is IndicatorStatus.ACHIEVED
    assert counted.standing(read("199"), TODAY).status is not IndicatorStatus.ACHIEVED


# Half of the time between the ends of 2024 and 2026 has passed, but for a day.
@pytest.mark.parametrize(
    ("latest", "status"),
    [
        ("46", IndicatorStatus.ON_TRACK),
        ("44", IndicatorStatus.AT_RISK),
        ("31", IndicatorStatus.AT_RISK),
        ("29", IndicatorStatus.OFF_TRACK),
        ("-5", IndicatorStatus.OFF_TRACK),
    ],
)
def test_pace_is_measured_against_the_time_that_has_passed(
    latest: str, status: IndicatorStatus
) -> None:
    paced = rising(baseline=at("0", "2024"), target=at("100", "2026"))
    assert paced.standing(read(latest), date(2025, 12, 31)).status is status


@pytest.mark.parametrize(
    ("periods", "today"),
    [(("2026", "2026"), TODAY), (("2024", "2025"), date(2030, 1, 1))],
)
def test_once_the_time_is_over_or_there_was_none_all_of_it_is_expected(
    periods: tuple[str, str], today: date
) -> None:
    due = rising(baseline=at("0", periods[0]), target=at("100", periods[1]))
    assert due.standing(read("89"), today).status is IndicatorStatus.AT_RISK
    assert due.standing(read("90"), today).status is IndicatorStatus.ON_TRACK


def test_before_the_baseline_nothing_is_expected_yet() -> None:
    early = rising(baseline=at("0", "2026"), target=at("100", "2030"))
    assert early.standing(read("0"), date(2025, 6, 1)).status is IndicatorStatus.ON_TRACK
    assert early.standing(read("-1"), date(2025, 6, 1)).status is IndicatorStatus.OFF_TRACK


def test_without_periods_any_progress_is_on_track_and_none_is_off() -> None:
    timeless = rising(baseline=at("0"), target=at("100"))
    assert timeless.standing(read("1"), TODAY).status is IndicatorStatus.ON_TRACK
    assert timeless.standing(read("0"), TODAY).status is IndicatorStatus.OFF_TRACK


def test_nothing_is_measured_without_a_target_or_a_baseline() -> None:
    for partial in (rising(), rising(baseline=at("1")), rising(target=at("9"))):
        standing = partial.standing(read("5"), TODAY)
        assert standing.status is IndicatorStatus.NO_TARGET
        assert standing.progress is None


def test_no_value_is_stale_and_has_no_progress() -> None:
    standing = rising(baseline=at("0"), target=at("1")).standing(None, TODAY)
    assert standing.status is IndicatorStatus.STALE
    assert standing.progress is None


def test_a_value_turns_stale_the_day_after_its_limit_also_when_the_target_is_reached() -> None:
    limited = rising(baseline=at("0"), target=at("1"), staleness_limit_days=30)
    assert limited.standing(read("1", date(2025, 12, 2)), TODAY).status is IndicatorStatus.ACHIEVED
    assert limited.standing(read("1", date(2025, 12, 1)), TODAY).status is IndicatorStatus.STALE


def test_a_value_of_an_unknown_time_is_stale_where_there_is_a_limit_and_only_there() -> None:
    assert (
        rising(staleness_limit_days=9999).standing(read("1", None), TODAY).status
        is IndicatorStatus.STALE
    )
    assert rising().standing(read("1", None), TODAY).status is IndicatorStatus.NO_TARGET


@pytest.mark.parametrize(
    ("values", "field", "rule"),
    [
        ({"baseline": at("5"), "target": at("5.0")}, "target.value", "TARGET_IS_BASELINE"),
        ({"baseline": at("5"), "target": at("9")}, "target.value", "TARGET_AGAINST_DIRECTION"),
        ({"baseline": at("0")}, "baseline.value", "OUT_OF_RANGE"),
        ({"target": at("2.5")}, "target.value", "OUT_OF_RANGE"),
        ({"baseline": at("5", "2026-02")}, "baseline.period.value", "DATE_IN_FUTURE"),
        ({"goal_numbers": ["1"]}, "plan_id", "REQUIRED"),
        ({"goal_numbers": ["1", "1"], "plan_id": "p"}, "goal_numbers", "DUPLICATE"),
        ({"measure": "centers"}, "measure", "MEASURE_MISMATCH"),
        ({"source_kind": IndicatorSource.COMPUTED}, "measure", "MEASURE_MISMATCH"),
        ({"titles": None}, "titles", "NAME_REQUIRED"),
    ],
)
def test_values_that_make_no_sense_are_refused_by_name(
    values: dict[str, Any], field: str, rule: str
) -> None:
    with pytest.raises(RulesBroken) as refused:
        indicator(**values).check(TODAY)
    assert [(broken.field, broken.rule) for broken in refused.value.broken] == [(field, rule)]
