"""Reports: which rules they keep, and where a period report can go."""

from datetime import UTC, datetime, timedelta

import pytest

from centers.domain.reports import (
    ActivityFigures,
    CapabilityKind,
    CapacityItem,
    CapacitySnapshot,
    PeriodReport,
    PeriodReportState,
)
from domainkit.aggregate import Occasion
from domainkit.rules import IllegalStep, Refused, RulesBroken

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
AT = Occasion(actor="someone", at=NOW)


def snapshot(*items: CapacityItem, observed_at: datetime = NOW) -> CapacitySnapshot:
    return CapacitySnapshot(
        id="cap_1",
        center_id="ctr_1",
        observed_at=observed_at,
        items=list(items),
        received_at=NOW,
        created_at=NOW,
        updated_at=NOW,
    )


def report(period: str = "1405-07", figures: ActivityFigures | None = None) -> PeriodReport:
    return PeriodReport(
        id="rep_1",
        center_id="ctr_1",
        period=period,
        figures=figures or ActivityFigures(trainees=3),
        state_since=NOW,
        created_at=NOW,
        updated_at=NOW,
    )


def broken(work: object) -> list[tuple[str, str]]:
    assert callable(work)
    with pytest.raises(RulesBroken) as caught:
        work()
    return [(item.field, item.rule) for item in caught.value.broken]


def test_a_snapshot_names_what_is_wrong_with_each_item() -> None:
    bad = snapshot(
        CapacityItem(CapabilityKind.GMP_SUITE, 2, 3),
        CapacityItem(CapabilityKind.TRAINING, 5, 5),
        CapacityItem(CapabilityKind.GMP_SUITE, 1, 0),
    )
    assert broken(lambda: bad.recorded(AT)) == [
        ("items[0].used", "USED_OVER_TOTAL"),
        ("items[2].kind", "CAPABILITY_REPEATED"),
    ]


def test_a_snapshot_may_be_ahead_by_what_a_clock_may_and_no_more() -> None:
    item = CapacityItem(CapabilityKind.TRAINING, 5, 5)
    snapshot(item, observed_at=NOW + timedelta(minutes=5)).recorded(AT)
    ahead = snapshot(item, observed_at=NOW + timedelta(minutes=5, seconds=1))
    assert broken(lambda: ahead.recorded(AT)) == [("observed_at", "DATE_IN_FUTURE")]


def test_a_snapshot_ahead_of_the_hubs_clock_and_not_of_the_nodes_counts_as_received() -> None:
    hour = timedelta(hours=1)
    ahead = snapshot(observed_at=NOW + hour)
    ahead.observed_by(NOW + hour, None)
    ahead.recorded(AT)
    assert (ahead.observed_at, ahead.told_observed_at) == (NOW, NOW + hour)
    # The hub's clock was set back: what it took before was taken later than now.
    after = snapshot(observed_at=NOW + 2 * hour)
    after.observed_by(NOW + 2 * hour, NOW + hour)
    assert (after.observed_at, after.told_observed_at) == (NOW + hour, NOW + 2 * hour)
    for observed_at, clock in ((NOW + hour, NOW), (NOW - hour, NOW + hour), (NOW, NOW + hour)):
        plain = snapshot(observed_at=observed_at)
        plain.observed_by(clock, None)
        assert (plain.observed_at, plain.told_observed_at) == (observed_at, None)


def test_a_month_is_over_by_the_hubs_clock_or_the_nodes_which_is_believed_for_a_day() -> None:
    # The hub's clock says that it is the last of November, the node's that it is December.
    almost = Occasion(actor="someone", at=datetime(2026, 11, 30, 12, tzinfo=UTC))
    over = datetime(2026, 12, 1, 9, tzinfo=UTC)
    item = report("2026-11")
    item.take("submit", almost, clock=over)
    assert item.state is PeriodReportState.SUBMITTED
    report("2026-12").recorded(almost, over)
    for occasion, clock in ((almost, None), (AT, over), (almost, NOW)):
        early = report("2026-11")
        rule = [("period", "PERIOD_NOT_OVER")]
        assert broken(lambda e=early, o=occasion, c=clock: e.take("submit", o, clock=c)) == rule
        next_month = report("2026-12")
        rule = [("period", "PERIOD_NOT_BEGUN")]
        assert broken(lambda n=next_month, o=occasion, c=clock: n.recorded(o, c)) == rule


def test_a_report_needs_a_figure_and_zero_is_one() -> None:
    assert broken(lambda: report(figures=ActivityFigures()).recorded(AT)) == [
        ("figures", "FIGURES_MISSING")
    ]
    report(figures=ActivityFigures(articles=0)).recorded(AT)


@pytest.mark.parametrize("period", ["2026-12", "1405-10"])
def test_a_month_that_has_not_begun_has_no_report(period: str) -> None:
    assert broken(lambda: report(period).recorded(AT)) == [("period", "PERIOD_NOT_BEGUN")]


@pytest.mark.parametrize("period", ["2026-11", "1405-09"])
def test_a_month_that_is_not_over_has_a_draft_and_no_more(period: str) -> None:
    draft = report(period)
    draft.recorded(AT)
    assert broken(lambda: draft.take("submit", AT)) == [("period", "PERIOD_NOT_OVER")]
    assert draft.state is PeriodReportState.DRAFT


def test_a_month_begins_and_ends_by_the_time_of_iran() -> None:
    midnight = datetime(2026, 11, 30, 20, 30, tzinfo=UTC)
    just_before = Occasion(actor="someone", at=midnight - timedelta(seconds=1))
    after = Occasion(actor="someone", at=midnight)
    assert broken(lambda: report("2026-12").recorded(just_before))
    report("2026-12").recorded(after)
    november = report("2026-11")
    november.recorded(just_before)
    assert broken(lambda: november.take("submit", just_before))
    november.take("submit", after)


def test_a_report_goes_to_the_headquarters_and_back_until_it_is_approved() -> None:
    mine = report()
    mine.recorded(AT)
    mine.take("submit", AT)
    with pytest.raises(Refused, match="PERIOD_REPORT_LOCKED"):
        mine.amend({"figures": ActivityFigures(trainees=4)}, AT)
    assert broken(lambda: mine.take("return", AT)) == [("reason", "REASON_REQUIRED")]
    mine.take("return", Occasion(actor="hq", at=NOW, reason="The summer school is missing."))
    assert mine.amend({"figures": ActivityFigures(trainees=4)}, AT)
    mine.take("submit", AT)
    mine.take("approve", AT)
    assert not mine.can_be_amended()
    with pytest.raises(IllegalStep) as caught:
        mine.take("return", Occasion(actor="hq", at=NOW, reason="Too late."))
    assert caught.value.allowed == ()
    mine.superseded(AT)
    assert [step.action for step in mine.pending] == [
        "created",
        "submitted",
        "returned",
        "updated",
        "submitted",
        "approved",
        "superseded",
    ]


def test_a_delivery_that_says_what_is_known_brings_nothing_new() -> None:
    mine, same, other = report(), ActivityFigures(trainees=3), ActivityFigures(trainees=4)
    mine.recorded(AT)
    assert mine.says(same, submitted=False)
    assert not mine.says(same, submitted=True)
    assert not mine.says(other, submitted=False)
    mine.take("submit", AT)
    assert mine.says(same, submitted=True)
    assert not mine.says(other, submitted=True)
