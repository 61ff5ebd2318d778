"""What centers did by month on the page, and the times after which their silence counts."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from domainkit.months import Month
from gateway.pages.picture import MIN_INTERVAL, Picture
from gateway.pages.view import view
from gateway.pages.view_model import Activity, MonthsBar
from gateway.pages.wording import wording
from peyvand.centers.v1 import centers_pb2, reports_pb2
from peyvand.observatory.v1 import alerts_pb2, periods_pb2
from servicekit.errors import Fault
from tests.support.gateway import FakeClients
from tests.support.joined_picture import join
from tests.support.network_picture import stamp
from tests.unit.gateway.pages.conftest import Site
from tests.unit.gateway.pages.test_joining import OWN

NOW = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
LAST = Month(1405, 8)


def figure(value: int | None, known: int) -> periods_pb2.PeriodFigure:
    return periods_pb2.PeriodFigure(value=value, known=known)


def months(*, reported: int = 12) -> periods_pb2.NetworkPeriods:
    """A year of which the first months are reported, the first three of them by one center."""
    made = periods_pb2.NetworkPeriods(as_of=stamp(NOW))
    for number in range(12):
        month = made.periods.add(period=str(LAST.shifted(number - 11)))
        month.totals.period, month.totals.of = month.period, 5
        month.totals.as_of.CopyFrom(stamp(NOW))
        if number < reported:
            known = 1 if number < 3 else 4
            month.totals.known = known
            month.totals.samples_processed.CopyFrom(figure(10 * (number + 1), known))
            month.totals.articles.CopyFrom(figure(0, known))
        month.centers.add(
            center_id="ctr_tbz",
            figures=reports_pb2.ActivityFigures(samples_processed=1_200, articles=0),
            report_id="rep_1",
            revision=2,
            approved_at=stamp(NOW - timedelta(days=1)),
        )
        month.centers.add(center_id="ctr_shz")
    return made


def answers(reported: int = 12) -> dict[str, Any]:
    clients = FakeClients()
    join(clients, NOW)
    known: dict[str, Any] = dict(clients.answers)
    found = months(reported=reported)
    if reported:
        shown = found.periods[reported - 1].totals
        known["GetNetworkStatus"].totals.activity.CopyFrom(shown)
        known["GetNetworkStatus"].totals.activity.trainees.CopyFrom(
            periods_pb2.PeriodFigure(sample=7)
        )
    known["GetNetworkPeriods"] = found
    return known


def seen(reported: int = 12, language: Any = "en") -> Activity | None:
    known = answers(reported)
    status, found = known["GetNetworkStatus"], known["GetNetworkPeriods"]
    picture = Picture(status=status, periods=found, for_headquarters=True)
    return view(picture, wording(language), NOW).activity


def test_a_month_says_how_many_centers_it_rests_on() -> None:
    shown = seen()
    assert shown is not None
    assert shown.month == "Aban 1405"
    assert shown.coverage == "4 of 5 centers have an approved report of it"
    assert shown.is_partial
    assert shown.not_yet == ""
    assert shown.as_of is not None
    samples, products, _, trainees, articles = shown.totals
    assert (samples.value, samples.under) == ("120", "of 4 of 5 centers")
    # Zero is a figure, what nobody gave is unknown, and sample data stands apart.
    assert articles.value == "0"
    assert products.value == ""
    assert products.months is None
    assert (trainees.value, trainees.sample) == ("", "and 7 sample")
    persian = seen(language="fa")
    assert persian is not None
    assert persian.month == "آبان ۱۴۰۵"


def test_the_drawing_tells_unknown_from_none_and_few_centers_from_all() -> None:
    shown = seen(reported=10)
    assert shown is not None
    samples, *_, articles = shown.totals
    assert isinstance(samples.months, MonthsBar)
    bars = samples.months.months
    assert [bar.is_known for bar in bars] == [True] * 10 + [False] * 2
    assert [bar.is_partial for bar in bars] == [True] * 10 + [False] * 2
    assert bars[9].height == 24
    assert bars[0].height == 2
    assert bars[0].text == "Azar 1404: 10, of 1 of 5 centers"
    assert bars[11].text == "Aban 1405: unknown"
    assert (bars[11].y + bars[11].height, bars[9].y) == (24, 0)
    assert samples.months.text == "The last 12 months: between 10 and 100, known of 10"
    assert articles.months is not None
    assert {bar.height for bar in articles.months.months[:10]} == {2}
    assert bars[11].height not in {bar.height for bar in articles.months.months[:10]}


def test_each_center_has_its_row_and_what_is_unknown_is_no_zero() -> None:
    shown = seen()
    assert shown is not None
    tabriz, shiraz = shown.centers
    assert (tabriz.name, tabriz.address) == ("Tabriz", "/period-reports/rep_1")
    assert tabriz.figures == ("1,200", "", "", "", "0")
    assert tabriz.approved is not None
    assert (shiraz.figures, shiraz.approved) == (("", "", "", "", ""), None)
    assert shiraz.address == "/centers/ctr_shz"


def test_that_a_later_month_has_no_report_is_said() -> None:
    shown = seen(reported=11)
    assert shown is not None
    assert shown.month == "Mehr 1405"
    assert shown.not_yet == (
        "Of Aban 1405, the last month that is over, no report is approved yet."
    )
    nothing = seen(reported=0)
    assert nothing is not None
    assert (nothing.month, nothing.totals, nothing.centers) == ("", (), ())
    assert nothing.coverage == "No report of a month has been approved yet."


def test_months_are_named_in_their_own_calendar() -> None:
    assert wording("en").month("2026-11") == "November 2026"
    assert wording("fa").month("2026-11") == "نوامبر ۲۰۲۶ میلادی"
    assert wording("en").month("1405-01") == "Farvardin 1405"


async def test_the_headquarters_meets_the_months_on_its_page_and_the_public_does_not(
    site: Site, local: httpx.AsyncClient
) -> None:
    site.clients.answers |= answers()
    site.clients.answers["ListPeriodReports"] = reports_pb2.ListPeriodReportsResponse()
    assert "کارکرد مراکز" not in (await local.get("/")).text
    assert not [rpc for rpc, *_ in site.clients.calls if rpc.descriptor.name == "GetNetworkPeriods"]
    assert (await local.post("/sign-in", headers=OWN)).status_code == 303
    text = (await local.get("/")).text
    assert "کارکرد مراکز در آبان ۱۴۰۵" in text
    assert "۴ از ۵ مرکز گزارش تأییدشدهٔ این ماه را دارند" in text
    assert text.count('class="month month-known partial"') == 24
    assert '<span class="visually-hidden">نامعلوم</span>' in text
    tags = set(re.findall('data-tag="([0-9a-f]+)"', text))
    # When it was asked for is no change of what is shown.
    later = months()
    later.as_of.CopyFrom(stamp(NOW + timedelta(hours=1)))
    for month in later.periods:
        month.totals.as_of.CopyFrom(stamp(NOW + timedelta(hours=1)))
    site.clients.answers["GetNetworkPeriods"] = later
    await asyncio.sleep(2 * MIN_INTERVAL)
    again = (await local.get("/")).text
    assert set(re.findall('data-tag="([0-9a-f]+)"', again)) == tags


def test_what_nobody_has_seen_in_time_comes_first_and_says_so() -> None:
    known = answers()
    alerts: Any = known["ListAlerts"]
    late = alerts.alerts.add(
        id="alr_2",
        kind=alerts_pb2.ALERT_KIND_CONDITION_OVERDUE,
        state=alerts_pb2.ALERT_STATE_OPEN,
        center_id="ctr_tbz",
        resource_id="cnd_1",
        opened_at=stamp(NOW - timedelta(hours=5)),
        escalated_at=stamp(NOW - timedelta(hours=1)),
        allowed_actions=["acknowledge"],
    )
    picture = Picture(status=known["GetNetworkStatus"], alerts=alerts, for_headquarters=True)
    first, second, *_ = view(picture, wording("en"), NOW).matters
    assert (first.kind, first.alert_id, second.kind) == ("escalated", "alr_2", "alert")
    assert first.address == "/conditions/cnd_1"
    assert "not seen in time, escalated 10:30" in first.detail
    # Once it was seen it asks for no more than the others.
    late.state = alerts_pb2.ALERT_STATE_ACKNOWLEDGED
    del late.allowed_actions[:]
    first, second, *_ = view(picture, wording("en"), NOW).matters
    assert (first.kind, second.kind) == ("alert", "seen")
    assert "escalated 10:30" in second.detail


def tabriz(*actions: str) -> centers_pb2.Center:
    made = centers_pb2.Center(id="ctr_1", code="TBZ", etag="v7", allowed_actions=actions)
    made.expectations.capacity_hours = 12
    return made


@pytest.mark.parametrize("may", [True, False])
async def test_the_times_of_a_center_are_set_on_its_page_by_who_may(
    site: Site, local: httpx.AsyncClient, may: bool
) -> None:
    assert (await local.post("/sign-in", headers=OWN)).status_code == 303
    site.clients.answers["GetCenter"] = tabriz(*(["update"] if may else []))
    text = (await local.get("/centers/ctr_1")).text
    # What holds is there for every reader; the form for those alone who may send it.
    assert "ظرفیت دیرکرده پس از (ساعت)" in text
    assert ('action="/pages/centers/ctr_1/thresholds"' in text) == may
    assert ('name="capacity_hours" inputmode="numeric" maxlength="9" value="12"' in text) == may


async def test_what_the_form_says_reaches_the_center_from_the_version_that_was_shown(
    site: Site, local: httpx.AsyncClient
) -> None:
    assert (await local.post("/sign-in", headers=OWN)).status_code == 303
    site.clients.answers["UpdateCenter"] = tabriz()
    form = {"etag": "v7", "late_seconds": "۶۰", "capacity_hours": " 2 ", "report_days": ""}
    answer = await local.post("/pages/centers/ctr_1/thresholds", data=form, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/centers/ctr_1")
    (request,) = [r for rpc, r, _ in site.clients.calls if rpc.descriptor.name == "UpdateCenter"]
    assert (request.center_id, request.etag) == ("ctr_1", "v7")
    assert list(request.update_mask.paths) == ["expectations"]
    wanted = centers_pb2.Expectations(late_seconds=60, capacity_hours=2)
    assert request.center.expectations == wanted


@pytest.mark.parametrize("text", ["soon", "-1", "1.5", "9" * 10])
async def test_what_is_no_number_is_told_and_not_sent(
    site: Site, local: httpx.AsyncClient, text: str
) -> None:
    assert (await local.post("/sign-in", headers=OWN)).status_code == 303
    answer = await local.post(
        "/pages/centers/ctr_1/thresholds",
        data={"etag": "v7", "report_days": text},
        headers=OWN,
    )
    assert answer.status_code == 422
    assert "گزارش دوره‌ای دیرکرده پس از (روز)" in answer.text
    assert not [rpc for rpc, *_ in site.clients.calls if rpc.descriptor.name == "UpdateCenter"]


async def test_a_refusal_of_the_service_is_told_on_a_page(
    site: Site, local: httpx.AsyncClient
) -> None:
    assert (await local.post("/sign-in", headers=OWN)).status_code == 303
    site.clients.answers["UpdateCenter"] = Fault("STALE_ETAG")
    answer = await local.post("/pages/centers/ctr_1/thresholds", data={"etag": "v1"}, headers=OWN)
    assert answer.status_code == 412
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Content-Type": OWN["Content-Type"]}
    answer = await local.post("/pages/centers/ctr_1/thresholds", data={}, headers=elsewhere)
    assert answer.status_code == 404
