"""What the portfolio finds to be stuck, against what plain Python and the domain find."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import Any, cast

import pytest
import sqlalchemy as sa

from peyvand.projects.v1 import decisions_pb2, flags_pb2
from peyvand.projects.v1 import portfolio_pb2 as pb
from projects import tables
from projects.api.portfolio import portfolio_api
from servicekit.contract import enum_names
from servicekit.mapping import to_datetime
from tests.integration.projects.conftest import ProjectsBench, project
from tests.integration.projects.drawn_projects import (
    PATHWAY,
    QUESTIONS,
    REASON,
    SERVICE,
    STAGE,
    Drawn,
    Row,
    answer,
    drawn_projects,
    kept,
    of_kind,
    visits_of,
)
from tests.support.cluster import Infra
from tests.support.rpc import serve

WITHOUT_QUORUM = pb.STUCK_REASON_GATE_WITHOUT_QUORUM
UNDECIDED = pb.STUCK_REASON_GATE_UNDECIDED
EVERY_QUESTION = pytest.mark.parametrize("name", QUESTIONS)


@pytest.fixture(scope="module", params=[7, 8])
async def drawn(infra: Infra, request: pytest.FixtureRequest) -> AsyncGenerator[Drawn]:
    async with drawn_projects(infra, request.param) as found:
        yield found


def causes_of(drawn: Drawn, name: str, as_of: datetime, days: int) -> dict[str, set[Any]]:
    """Why each project is stuck, by its id: the reason, and what to look at."""
    before = as_of - timedelta(days=days)
    usual = usual_stays(drawn, name, as_of)
    found: dict[str, set[Any]] = {}
    for row in of_kind(drawn, name):
        if row["state"] not in ("active", "on_hold"):
            continue
        causes: set[Any] = {("flagged", flag["resource_id"]) for flag in row["flags"]}
        entered = datetime.fromisoformat(row["stage_visits"][-1]["entered_at"])
        stay = usual.get(row["stage"])
        if stay is not None and (as_of - entered).total_seconds() / 86400 > stay:
            causes.add(("long_in_stage", row["id"]))
        if row["state"] == "on_hold":
            causes.add(("on_hold", row["id"]))
        for condition in drawn.made.of(tables.project_condition, row["id"]):
            overdue = condition["due_date"] < as_of.date().isoformat()
            if condition["state"] == "open" and overdue:
                causes.add(("condition_overdue", condition["id"]))
        for gate in drawn.made.of(tables.gate, row["id"]):
            waits = gate["state"] == "open" and gate["created_at"] < before
            if waits and kept(name, row["sample"], gate["sample"]):
                which = "gate_without_quorum" if is_without_quorum(gate) else "gate_undecided"
                causes.add((which, gate["id"]))
        causes |= evidence_that_waits(drawn, name, row, before)
        if causes:
            found[row["id"]] = causes
    return found


def usual_stays(drawn: Drawn, name: str, as_of: datetime) -> dict[str, float]:
    """The third quartile of the stages that enough visits have ended in, in days."""
    asked = QUESTIONS[name]
    seen = [
        row
        for row in drawn.made.projects
        if kept(name, row["sample"]) and (not asked.centers or asked.fits(drawn.made, row))
    ]
    days: dict[str, list[float]] = {}
    for visit in visits_of(seen, as_of):
        if visit.ended and visit.begin_known:
            days.setdefault(visit.stage, []).append(visit.days)
    return {
        stage: quantiles(found, n=4, method="inclusive")[2]
        for stage, found in days.items()
        if len(found) >= 4
    }


def evidence_that_waits(drawn: Drawn, name: str, row: Row, before: datetime) -> set[Any]:
    """The cause that evidence is, if it is one: the oldest piece that waits."""
    waits = [
        piece
        for piece in drawn.made.of(tables.evidence, row["id"])
        if piece["state"] == "submitted"
        and piece["stage"] == row["stage"]
        and piece["created_at"] < before
        and kept(name, row["sample"], piece["sample"])
    ]
    if not waits:
        return set()
    return {("evidence_waits", min(waits, key=lambda piece: piece["created_at"])["id"])}


def is_without_quorum(gate: Row) -> bool:
    """Whether fewer members without a conflict have voted than the quorum asks for."""
    free = {one["subject"] for one in gate["declarations"] if one["conflict"] == "none"}
    return len(free & {vote["subject"] for vote in gate["votes"]}) < gate["quorum"]


@EVERY_QUESTION
@pytest.mark.parametrize("days", [14, 300])
async def test_what_is_stuck_is_told_with_all_its_causes(
    drawn: Drawn, name: str, days: int
) -> None:
    said = await answer(drawn, name, patience_days=days, stuck_limit=200)
    expected = causes_of(drawn, name, to_datetime(said.as_of), days)
    assert said.stuck.total == len(expected)
    under_way = [row for row in of_kind(drawn, name) if row["state"] in ("active", "on_hold")]
    usual = usual_stays(drawn, name, to_datetime(said.as_of))
    known = [row for row in under_way if row["stage"] in usual]
    coverage = said.stuck.coverage
    assert (coverage.known, coverage.of) == (len(known), len(under_way))
    by_reason = Counter(
        reason for causes in expected.values() for reason in {reason for reason, _ in causes}
    )
    assert {REASON[one.reason]: one.projects for one in said.stuck.reasons} == {
        reason: by_reason[reason] for number, reason in REASON.items() if number
    }
    found = {
        one.project_id: {(REASON[cause.reason], cause.resource_id) for cause in one.causes}
        for one in said.stuck.projects
    }
    assert len(found) == min(200, len(expected))
    assert found == {id: expected[id] for id in found}
    since = [one.since.ToMicroseconds() for one in said.stuck.projects if one.HasField("since")]
    assert since == sorted(since)
    # Those of whom it is not known since when come last, and say nothing.
    assert all(not one.HasField("since") for one in said.stuck.projects[len(since) :])


async def test_a_cause_says_who_can_act_and_what_it_is_about(drawn: Drawn) -> None:
    said = await drawn.ask(stuck_limit=200)
    roles = enum_names(pb.StuckCause.DESCRIPTOR.fields_by_name["open_to"].enum_type)
    conditions = {row["id"]: row for row in drawn.made.rows[tables.project_condition]}
    open_gates = {row["id"]: row for row in drawn.made.rows[tables.gate]}
    seen = Counter[tuple[str, bool]]()
    for one in said.stuck.projects:
        (row,) = [each for each in drawn.made.projects if each["id"] == one.project_id]
        assert (STAGE[one.stage], PATHWAY[one.pathway]) == (row["stage"], row["pathway"])
        assert one.titles.en == row["titles"]["en"]
        assert to_datetime(one.entered_at) == datetime.fromisoformat(
            row["stage_visits"][-1]["entered_at"]
        )
        for cause in one.causes:
            reason, who = REASON[cause.reason], [roles[role] for role in cause.open_to]
            headquarters = who == ["hq_admin"]
            seen[reason, headquarters] += 1
            if reason == "condition_overdue":
                condition = conditions[cause.resource_id]
                assert cause.owner == condition["owner"]
                assert headquarters == (condition["report"] is not None)
                over = datetime.fromisoformat(condition["due_date"]).replace(tzinfo=UTC)
                assert to_datetime(cause.since) == over + timedelta(days=1)
            elif reason == "gate_without_quorum":
                assert cause.quorum == open_gates[cause.resource_id]["quorum"]
                assert cause.count < cause.quorum
            elif reason == "gate_undecided":
                assert headquarters
                assert cause.quorum == open_gates[cause.resource_id]["quorum"]
                assert cause.count >= cause.quorum
            elif reason == "on_hold":
                assert (headquarters, cause.resume_date) == (True, row["resume_date"])
            elif reason == "flagged":
                changed = cause.flag == flags_pb2.PROJECT_FLAG_KIND_REGULATION_CHANGED
                assert headquarters == changed
            elif reason == "evidence_waits":
                assert headquarters
                assert cause.count
            else:
                assert who[0] == "center_admin"
    assert {reason for reason, _ in seen} == {reason for number, reason in REASON.items() if number}
    assert seen["condition_overdue", True]
    assert seen["condition_overdue", False]


@pytest.mark.parametrize("reason", [number for number in REASON if number], ids=REASON.get)
async def test_the_stuck_can_be_narrowed_to_one_reason(drawn: Drawn, reason: int) -> None:
    every = await drawn.ask(stuck_limit=200)
    said = await drawn.ask(stuck_reason=reason, stuck_limit=3)
    assert said.stuck.total == every.stuck.total
    assert said.stuck.reasons == every.stuck.reasons
    (number,) = [one.projects for one in said.stuck.reasons if one.reason == reason]
    assert len(said.stuck.projects) == min(3, number)
    for one in said.stuck.projects:
        assert reason in {cause.reason for cause in one.causes}


async def test_a_gate_is_stuck_until_enough_have_voted_and_until_it_is_decided(
    bench: ProjectsBench,
) -> None:
    made = await bench.create(project(await bench.center()))
    gate = await bench.open_gate(made.id, "dana", "mina", "omid", quorum=2)
    async with serve(SERVICE, portfolio_api(bench.database)) as rpc:

        async def causes(reason: int = WITHOUT_QUORUM) -> list[tuple[str, int, int]]:
            answer = await rpc.call("GetPortfolio", pb.GetPortfolioRequest(patience_days=1))
            return [
                (cause.resource_id, cause.count, cause.quorum)
                for one in cast("pb.Portfolio", answer).stuck.projects
                for cause in one.causes
                if cause.reason == reason
            ]

        assert await causes() == [], "it was opened a moment ago"
        async with bench.database.engine.begin() as connection:
            await connection.execute(sa.text("ALTER TABLE gate DISABLE TRIGGER gate_kept"))
            earlier = tables.gate.c.created_at - timedelta(days=2)
            await connection.execute(sa.update(tables.gate).values(created_at=earlier))
            await connection.execute(sa.text("ALTER TABLE gate ENABLE TRIGGER gate_kept"))
        for count, subject in enumerate(("dana", "mina")):
            assert await causes() == [(gate.id, count, 2)]
            assert await causes(UNDECIDED) == []
            await bench.declare(gate.id, subject)
            await bench.vote(gate.id, subject, decisions_pb2.DECISION_KIND_GO)
        assert await causes() == []
        assert await causes(UNDECIDED) == [(gate.id, 2, 2)]
        await bench.withdraw(gate.id)
        assert await causes(UNDECIDED) == []
