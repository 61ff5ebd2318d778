"""What centers did month by month: from events alone, with what the sums rest on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from google.protobuf.message import Message

from domainkit.months import Month
from observatory import tables
from observatory.domain.activity import last_month_over
from peyvand.api.v1 import types_pb2
from peyvand.centers.v1 import centers_pb2, reports_pb2
from peyvand.observatory.v1 import network_pb2
from peyvand.observatory.v1 import periods_pb2 as pb
from servicekit.ids import new_id
from tests.integration.observatory.conftest import ObservatoryBench, center
from tests.integration.observatory.test_picture import status
from tests.support import messaging

if TYPE_CHECKING:
    from observatory.projections.following import Following

LAST = last_month_over(datetime.now(UTC), persian=True)
STATES = {
    "submitted": reports_pb2.PERIOD_REPORT_STATE_SUBMITTED,
    "returned": reports_pb2.PERIOD_REPORT_STATE_RETURNED,
    "approved": reports_pb2.PERIOD_REPORT_STATE_APPROVED,
    "superseded": reports_pb2.PERIOD_REPORT_STATE_SUPERSEDED,
}


def report(
    of: centers_pb2.Center, month: Month | str = LAST, *, revision: int = 1, **figures: int
) -> reports_pb2.PeriodReport:
    return reports_pb2.PeriodReport(
        id=new_id("rep"),
        center_id=of.id,
        period=str(month),
        revision=revision,
        figures=reports_pb2.ActivityFigures(**figures),
    )


def step(made: reports_pb2.PeriodReport, action: str) -> tuple[reports_pb2.PeriodReport, str]:
    """The report after a step, and the name of the event that tells of it."""
    after = reports_pb2.PeriodReport()
    after.CopyFrom(made)
    after.state = STATES.get(action, reports_pb2.PERIOD_REPORT_STATE_DRAFT)
    return after, action


async def told(
    bench: ObservatoryBench, *news: tuple[reports_pb2.PeriodReport | centers_pb2.Center, str]
) -> None:
    await bench.owners["centers"].tell_all(list(news))
    await bench.caught_up()


async def network(bench: ObservatoryBench, *codes: str) -> list[centers_pb2.Center]:
    made = [center(code, state=centers_pb2.CENTER_STATE_OPERATIONAL) for code in codes]
    await told(bench, *((one, "created") for one in made))
    return made


async def periods(
    bench: ObservatoryBench, role: str | None = "hq_analyst", **asked: Any
) -> list[pb.NetworkPeriod]:
    who = {"center_ids": asked.pop("own")} if "own" in asked else {}
    request = pb.GetNetworkPeriodsRequest(**asked)
    return list((await bench.call("GetNetworkPeriods", request, role, **who)).periods)


def figure(found: pb.PeriodFigure) -> tuple[int | None, int]:
    return (found.value if found.HasField("value") else None), found.known


async def rows(bench: ObservatoryBench) -> list[Any]:
    columns = [c for c in tables.reported_month.c if c.name != "generation"]
    query = sa.select(*columns).order_by(*columns[:2])
    async with bench.database.read() as session:
        return [tuple(row) for row in await session.rows(query)]


async def test_only_what_is_approved_counts_and_a_revision_takes_its_place(
    bench: ObservatoryBench,
) -> None:
    tabriz, shiraz, kerman = await network(bench, "TBZ", "SHZ", "KRM")
    first = report(tabriz, samples_processed=120, articles=0)
    assert not (await status(bench)).totals.HasField("activity")
    await told(bench, step(first, "created"), step(first, "submitted"))
    # What waits, and what is given back, is no figure of the network.
    returned = report(shiraz, samples_processed=7)
    await told(bench, step(returned, "submitted"), step(returned, "returned"))
    assert not (await status(bench)).totals.HasField("activity")
    (period,) = await periods(bench, months=1)
    assert (period.totals.known, period.totals.of) == (0, 3)
    assert figure(period.totals.samples_processed) == (None, 0)
    assert [one.HasField("figures") for one in period.centers] == [False] * 3

    await told(bench, step(first, "approved"))
    activity = (await status(bench)).totals.activity
    assert (activity.period, activity.known, activity.of) == (str(LAST), 1, 3)
    assert figure(activity.samples_processed) == (120, 1)
    # Zero is a figure, and what nobody gave is unknown.
    assert figure(activity.articles) == (0, 1)
    assert figure(activity.trainees) == (None, 0)
    assert activity.HasField("as_of")
    other = report(kerman, samples_processed=30, trainees=4)
    await told(bench, step(other, "submitted"), step(other, "approved"))

    # A correction counts once it is approved; until then what stood goes on to count.
    second = report(tabriz, revision=2, samples_processed=100)
    await told(bench, step(second, "created"), step(second, "submitted"))
    assert figure((await status(bench)).totals.activity.samples_processed) == (150, 2)
    await told(bench, step(first, "superseded"), step(second, "approved"))
    activity = (await status(bench)).totals.activity
    assert figure(activity.samples_processed) == (130, 2)
    assert figure(activity.articles) == (None, 0)
    assert figure(activity.trainees) == (4, 1)
    (period,) = await periods(bench, months=1)
    by_center = {one.center_id: one for one in period.centers}
    assert (by_center[tabriz.id].report_id, by_center[tabriz.id].revision) == (second.id, 2)
    assert by_center[tabriz.id].figures.samples_processed == 100
    assert not by_center[tabriz.id].figures.HasField("articles")
    assert not by_center[shiraz.id].HasField("figures")
    assert by_center[kerman.id].HasField("approved_at")


async def test_months_have_no_gap_and_those_of_two_calendars_are_never_added_up(
    bench: ObservatoryBench,
) -> None:
    tabriz, shiraz = await network(bench, "TBZ", "SHZ")
    earlier = LAST.shifted(-2)
    gregorian = last_month_over(datetime.now(UTC), persian=False)
    await told(
        bench,
        step(report(tabriz, earlier, procedures=3), "approved"),
        step(report(shiraz, gregorian, procedures=50), "approved"),
    )
    found = await periods(bench, months=4)
    assert [one.period for one in found] == [str(LAST.shifted(n)) for n in (-3, -2, -1, 0)]
    assert [figure(one.totals.procedures) for one in found] == [
        (None, 0),
        (3, 1),
        (None, 0),
        (None, 0),
    ]
    assert [(one.totals.known, one.totals.of) for one in found] == [(0, 2), (1, 2), (0, 2), (0, 2)]
    assert len(await periods(bench)) == 12
    other = await periods(bench, calendar=pb.PERIOD_CALENDAR_GREGORIAN, months=2)
    assert [one.period for one in other] == [str(gregorian.shifted(-1)), str(gregorian)]
    assert figure(other[1].totals.procedures) == (50, 1)
    # The last month that the network reported of, in the calendar that most count by.
    assert (await status(bench)).totals.activity.period == str(earlier)
    (old,) = await periods(bench, until="1300-01", months=5)
    assert (old.period, old.totals.known) == ("1300-01", 0)
    (year,) = await periods(bench, until="2000-01", months=3)
    assert year.period == "2000-01"


async def test_a_report_is_expected_of_centers_that_were_there(bench: ObservatoryBench) -> None:
    (tabriz,) = await network(bench, "TBZ")
    later = center(
        "NEW",
        state=centers_pb2.CENTER_STATE_OPERATIONAL,
        opened_date=types_pb2.ImpreciseDate(value=LAST.next().first_day().isoformat()),
    )
    year = center(
        "OLD",
        state=centers_pb2.CENTER_STATE_OPERATIONAL,
        opened_date=types_pb2.ImpreciseDate(value="2010"),
    )
    closed = center("END", state=centers_pb2.CENTER_STATE_CLOSED)
    gone = center("FIN", state=centers_pb2.CENTER_STATE_CLOSED)
    sample = center("SMP", state=centers_pb2.CENTER_STATE_OPERATIONAL, sample=True)
    await told(bench, *((one, "created") for one in (later, year, closed, gone, sample)))
    await told(
        bench,
        step(report(closed, trainees=5), "approved"),
        step(report(sample, trainees=1000), "approved"),
    )
    (period,) = await periods(bench, months=1)
    # One that has ended since and had reported stays in the sum of its month.
    assert (period.totals.known, period.totals.of, period.totals.sample) == (1, 3, 1)
    assert figure(period.totals.trainees) == (5, 1)
    assert period.totals.trainees.sample == 1000
    assert not period.totals.articles.HasField("sample")
    there = {one.center_id: one.sample for one in period.centers}
    assert there == {year.id: False, tabriz.id: False, closed.id: False, sample.id: True}


async def test_each_center_sees_its_own_months_and_no_sums(bench: ObservatoryBench) -> None:
    tabriz, shiraz = await network(bench, "TBZ", "SHZ")
    await told(bench, step(report(tabriz, articles=2), "approved"))
    (own,) = await periods(bench, "center_operator", own=[tabriz.id], months=1)
    assert not own.HasField("totals")
    assert [one.center_id for one in own.centers] == [tabriz.id]
    assert own.centers[0].figures.articles == 2
    (asked,) = await periods(bench, center_id=shiraz.id, months=1)
    assert [one.center_id for one in asked.centers] == [shiraz.id]
    assert not asked.HasField("totals")
    for role, who, id in (
        ("center_admin", {"center_ids": [shiraz.id]}, tabriz.id),
        ("hq_admin", {}, new_id("ctr")),
    ):
        foreign = pb.GetNetworkPeriodsRequest(center_id=id)
        fault = await bench.fault("GetNetworkPeriods", foreign, role, **who)
        assert fault.reason == "NOT_FOUND"
    for role in (None, "partner"):
        denied = await bench.fault("GetNetworkPeriods", pb.GetNetworkPeriodsRequest(), role)
        assert denied.reason in ("PERMISSION_DENIED", "UNAUTHENTICATED")
    assert not (await status(bench, None)).totals.HasField("activity")
    staff = await bench.call(
        "GetNetworkStatus",
        network_pb2.GetNetworkStatusRequest(),
        "center_operator",
        center_ids=[tabriz.id],
    )
    assert not staff.totals.HasField("activity")


async def test_a_sum_over_many_centers_has_room(bench: ObservatoryBench) -> None:
    most = 100_000_000
    made = await network(bench, *(f"C{number}" for number in range(30)))
    await told(bench, *(step(report(one, samples_processed=most), "approved") for one in made))
    activity = (await status(bench)).totals.activity
    assert figure(activity.samples_processed) == (30 * most, 30)


async def test_months_are_the_same_after_a_death_in_the_middle_and_built_anew(
    bench: ObservatoryBench,
) -> None:
    """The process that writes the picture ends again and again; the next one goes on."""
    made = await network(bench, *(f"C{number}" for number in range(8)))
    news: list[tuple[Message, str]] = [
        step(report(one, LAST.shifted(-month), revision=revision, articles=revision), "approved")
        for month in range(12)
        for revision in (1, 2)
        for one in made
    ]
    current: Following = bench.following
    for start in range(0, len(news), 24):
        assert current._projector is not None
        await bench.owners["centers"].tell_all(news[start : start + 24])
        # In the middle of what it was just told: what it has not committed is gone with it.
        await asyncio.sleep(0.01 * (start % 5))
        await current._projector.stop()
        await current._projector.start()
    await bench.caught_up()
    expected = await rows(bench)
    assert len(expected) == 8 * 12
    assert {row[tables.reported_month.c.keys().index("revision") - 1] for row in expected} == {2}

    rebuilding = asyncio.create_task(
        bench.call("RebuildProjections", network_pb2.RebuildProjectionsRequest())
    )
    assert current._projector is not None
    await current._projector.stop()
    await current._projector.start()
    done = await rebuilding
    assert done.digest_before == done.digest_after
    assert {t.name: t.rows_after for t in done.tables}["reported_month"] == len(expected)

    async def alike() -> bool:
        return await rows(bench) == expected

    await messaging.eventually(alike)
