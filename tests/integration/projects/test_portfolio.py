"""The portfolio against what plain Python makes of the same randomised projects."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from decimal import Decimal
from statistics import quantiles
from typing import Any, cast

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from peyvand.projects.v1 import awards_pb2
from peyvand.projects.v1 import portfolio_pb2 as pb
from projects import tables
from projects.api.portfolio import portfolio_api
from servicekit.contract import enum_names
from servicekit.mapping import to_datetime
from tests.integration.projects.conftest import ProjectsBench, project
from tests.integration.projects.drawn_projects import (
    PATHWAY,
    QUESTIONS,
    SERVICE,
    STAGE,
    STAGES,
    Drawn,
    Row,
    Visit,
    answer,
    center,
    concerns,
    counted,
    drawn_projects,
    kept,
    numbers,
    of_kind,
    province_of,
    visits_of,
)
from tests.integration.projects.results import award, money, results_of
from tests.support.cluster import Infra
from tests.support.rpc import rules_broken, serve

EVERY_QUESTION = pytest.mark.parametrize("name", QUESTIONS)


@pytest.fixture(scope="module", params=[7, 8])
async def drawn(infra: Infra, request: pytest.FixtureRequest) -> AsyncGenerator[Drawn]:
    async with drawn_projects(infra, request.param) as found:
        yield found


@EVERY_QUESTION
async def test_projects_are_counted_by_stage_pathway_and_province(drawn: Drawn, name: str) -> None:
    said = (await answer(drawn, name)).counts
    rows = of_kind(drawn, name)

    def cell(row: Row) -> tuple[str, str, str]:
        return row["stage"], row["pathway"], province_of(drawn, row)

    expected = {
        key: counted(found) for key, found in itertools.groupby(sorted(rows, key=cell), cell)
    }
    found = {
        (STAGE[one.stage], PATHWAY[one.pathway], one.province): numbers(one.projects)
        for one in said.cells
    }
    assert found == expected
    assert numbers(said.total) == counted(rows)
    known = [row for row in rows if province_of(drawn, row)]
    assert (said.coverage.known, said.coverage.of) == (len(known), len(rows))
    assert said.left_out == len(QUESTIONS[name].part(drawn.made)) - len(rows)


@EVERY_QUESTION
async def test_every_province_is_told_and_what_is_not_known_stays_so(
    drawn: Drawn, name: str
) -> None:
    said = (await answer(drawn, name)).counts
    rows = of_kind(drawn, name)
    codes = [one.province for one in said.provinces]
    unknown = [""] if any(not province_of(drawn, row) for row in rows) else []
    assert codes == [*(f"IR-{number:02d}" for number in range(31)), *unknown]
    for one in said.provinces:
        here = [row for row in rows if province_of(drawn, row) == one.province]
        assert numbers(one.projects) == counted(here), one.province


def require_spread(said: pb.DaysSpread, days: Sequence[float]) -> None:
    """A spread is that of these days."""
    assert said.count == len(days)
    if not days:
        assert not said.HasField("median")
        return
    several = [*days, *days] if len(days) == 1 else days
    first, median, third = quantiles(several, n=4, method="inclusive")
    found = (
        said.shortest,
        said.first_quartile,
        said.median,
        said.third_quartile,
        said.longest,
    )
    assert found == pytest.approx((min(days), first, median, third, max(days)), abs=1e-4)


def kaplan_meier_median(visits: Sequence[Visit]) -> float | None:
    """The time at which no more than half go on, step by step as the textbook has it."""
    stay = 1.0
    for time in sorted({visit.days for visit in visits}):
        there = sum(visit.days >= time for visit in visits)
        end = sum(visit.ended and visit.days == time for visit in visits)
        stay *= 1 - end / there
        if stay <= 0.5 + 1e-12:
            return time
    return None


@EVERY_QUESTION
async def test_times_are_those_of_the_visits_and_what_waits_is_told_apart(
    drawn: Drawn, name: str
) -> None:
    said = await answer(drawn, name)
    visits = visits_of(of_kind(drawn, name), to_datetime(said.as_of))
    assert [STAGE[one.stage] for one in said.cycle_times] == list(STAGES)
    for one in said.cycle_times:
        here = [visit for visit in visits if visit.stage == STAGE[one.stage]]
        known = [visit for visit in here if visit.begin_known]
        assert (one.coverage.known, one.coverage.of) == (len(known), len(here))
        require_spread(one.decided, [visit.days for visit in known if visit.ended])
        require_spread(one.waiting, [visit.days for visit in known if not visit.ended])
        expected = kaplan_meier_median(known)
        assert one.HasField("expected_median") == (expected is not None)
        if expected is not None:
            assert one.expected_median == pytest.approx(expected, abs=1e-4)


@EVERY_QUESTION
async def test_kills_are_told_with_their_share_and_reasons(drawn: Drawn, name: str) -> None:
    said = await answer(drawn, name)
    rows = of_kind(drawn, name)
    visits = visits_of(rows, to_datetime(said.as_of))
    codes = {
        row["project_id"]: row["decision"]["kill"]["code"]
        for row in drawn.made.rows[tables.decision]
        if row["kind"] == "kill"
    }
    names = enum_names(pb.KillCount.DESCRIPTOR.fields_by_name["code"].enum_type)
    for one in said.kills:
        stage = STAGE[one.stage]
        ended = [visit for visit in visits if visit.stage == stage and visit.ended]
        killed = [row for row in rows if row["state"] == "killed" and row["stage"] == stage]
        assert (one.ended, one.killed) == (len(ended), len(killed))
        assert one.killed == sum(visit.killed for visit in ended)
        assert one.HasField("share") == bool(ended)
        if ended:
            assert one.share == pytest.approx(len(killed) / len(ended))
        reasons = {names[each.code]: each.projects for each in one.reasons}
        assert reasons == Counter(codes[row["id"]] for row in killed)
        assert [each.projects for each in one.reasons] == sorted(reasons.values(), reverse=True)
        assert (one.coverage.known, one.coverage.of) == (len(killed), len(killed))


@EVERY_QUESTION
async def test_money_is_exact_and_never_added_over_currencies(drawn: Drawn, name: str) -> None:
    said = await answer(drawn, name)
    part = {row["id"]: row for row in QUESTIONS[name].part(drawn.made)}
    awards = [
        award
        for award in drawn.made.rows[tables.award]
        if award["project_id"] in part
        and kept(name, part[award["project_id"]]["sample"], award["sample"])
    ]
    assert [one.currency for one in said.money] == sorted({one["currency"] for one in awards})
    for one in said.money:
        here = [award for award in awards if award["currency"] == one.currency]

        def total(value: Callable[[Row], Decimal], found: Sequence[Row] = here) -> Decimal:
            return sum((value(award) for award in found), start=Decimal(0))

        def held_back(award: Row) -> Decimal:
            paid = [tranche for tranche in award["tranches"] if tranche["released"]]
            return sum(
                (Decimal(t["amount"]["amount"]) - Decimal(t["released"]["amount"]) for t in paid),
                start=Decimal(0),
            )

        def left(award: Row) -> Decimal:
            return award["awarded_value"] - award["released_value"] - held_back(award)

        active = [award for award in here if award["state"] == "active"]
        to_killed = [a for a in active if part[a["project_id"]]["state"] == "killed"]
        assert one.awards == len(here)
        assert Decimal(one.awarded) == total(lambda award: award["awarded_value"])
        assert Decimal(one.released) == total(lambda award: award["released_value"])
        assert Decimal(one.committed) == total(left, active)
        assert Decimal(one.committed_to_killed) == total(left, to_killed)
        lapsed = [award for award in here if award["state"] != "active"]
        assert Decimal(one.lapsed) == total(left, lapsed) + total(held_back)
        parts = (one.released, one.committed, one.lapsed)
        assert sum(map(Decimal, parts)) == Decimal(one.awarded)
        assert one.coverage.known == len({award["project_id"] for award in here})
        assert one.coverage.of == len(of_kind(drawn, name))


async def test_what_is_held_back_of_a_tranche_has_lapsed(bench: ProjectsBench) -> None:
    made = await bench.create(project(await bench.center()))
    async with results_of(bench) as results, serve(SERVICE, portfolio_api(bench.database)) as rpc:
        met = await results.met(await results.give(award(made.id)))
        part = results.release(met, amount=money("45.5"))
        paid = await results.do("ReleaseTranche", part, "payer")

        async def figures() -> tuple[str, str, str]:
            said = cast("pb.Portfolio", await rpc.call("GetPortfolio", pb.GetPortfolioRequest()))
            (one,) = said.money
            assert Decimal(one.awarded) == 100
            return one.released, one.committed, one.lapsed

        # Of 60 and 40: 14.5 are held back, and nobody can release them any more.
        assert await figures() == ("45.5", "40", "14.5")
        step = awards_pb2.AwardStepRequest(
            award_id=paid.id, etag=paid.etag, idempotency_key=bench.key()
        )
        await results.do("CloseAward", step)
        assert await figures() == ("45.5", "0", "54.5")


async def test_there_is_something_of_everything(drawn: Drawn) -> None:
    said = await drawn.ask(stuck_limit=200)
    assert all(one.projects for one in said.stuck.reasons)
    assert all(one.decided.count and one.waiting.count for one in said.cycle_times)
    assert sum(one.killed for one in said.kills) > 5
    assert len(said.money) == 3
    assert all(Decimal(one.committed_to_killed) for one in said.money)
    assert said.counts.left_out
    assert said.counts.coverage.known < said.counts.coverage.of


async def test_what_cannot_be_asked_is_refused_with_its_field(drawn: Drawn) -> None:
    request = pb.GetPortfolioRequest(province="IR-77")
    fault = await drawn.rpc.fault("GetPortfolio", request, "hq_analyst")
    assert rules_broken(fault) == [("province", "UNKNOWN_PROVINCE")]
    for role in (None, "partner"):
        refused = await drawn.rpc.fault("GetPortfolio", pb.GetPortfolioRequest(), role)
        assert refused.reason == ("PERMISSION_DENIED" if role else "UNAUTHENTICATED")


async def test_a_center_learns_nothing_of_others(drawn: Drawn) -> None:
    mine, other = center(drawn.made, 1), center(drawn.made, 2)
    said = await drawn.ask("center_admin", centers=[mine], center_id=other)
    shared = [
        row
        for row in drawn.made.projects
        if concerns(row, mine) and concerns(row, other) and not row["sample"]
    ]
    assert numbers(said.counts.total) == counted(shared)
    nobody = await drawn.ask("center_admin")
    assert sum(numbers(nobody.counts.total)) == 0
    assert nobody.stuck.total == 0
    assert list(nobody.money) == []


async def test_a_portfolio_without_projects_says_so(bench: ProjectsBench) -> None:
    async with serve(SERVICE, portfolio_api(bench.database)) as rpc:
        answer = await rpc.call("GetPortfolio", pb.GetPortfolioRequest())
        said = cast("pb.Portfolio", answer)
    assert len(said.counts.provinces) == 31
    assert [one.coverage.of for one in said.cycle_times] == [0] * 8
    assert not any(one.HasField("share") for one in said.kills)
    assert said.stuck.total == 0
    assert all(one.HasField("as_of") for one in coverages(said))


def coverages(said: pb.Portfolio) -> list[pb.PortfolioCoverage]:
    """What the figures rest on."""
    return [
        said.counts.coverage,
        said.stuck.coverage,
        *(one.coverage for one in said.cycle_times),
        *(one.coverage for one in said.kills),
        *(one.coverage for one in said.money),
    ]


async def test_every_figure_is_of_one_moment(drawn: Drawn) -> None:
    said = await drawn.ask()
    assert {one.as_of.ToNanoseconds() for one in coverages(said)} == {said.as_of.ToNanoseconds()}


async def test_what_is_committed_meanwhile_is_in_none_of_the_figures(bench: ProjectsBench) -> None:
    lead = await bench.center()
    before = await bench.create(project(lead))
    count = sa.select(sa.func.count()).select_from(tables.project)
    async with bench.database.snapshot() as session:
        assert await session.scalar(count) == 1
        await bench.create(project(lead))
        assert await session.scalar(count) == 1
        with pytest.raises(DBAPIError, match="read-only"):
            await session.rows(
                cast("Any", sa.delete(tables.project).where(tables.project.c.id == before.id))
            )
    async with bench.database.read() as session:
        assert await session.scalar(count) == 2
