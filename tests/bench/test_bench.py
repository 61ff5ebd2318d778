"""The bench runs, and its figures are of work that was done. None of them is judged."""

import pytest

from tests.bench.__main__ import (
    SHORT,
    SHORT_GATES,
    SHORT_NODES,
    comparison_table,
    propagation_table,
)
from tests.bench.comparison import compare
from tests.bench.gates import costs, costs_table
from tests.bench.nodes import (
    A_DAYS_REPORTS,
    NodePlan,
    carried_table,
    carry,
    heartbeats,
    heartbeats_table,
    memory_table,
)
from tests.bench.propagation import follow

pytestmark = pytest.mark.timeout(900)


async def test_the_comparison_measures_work_that_was_done() -> None:
    figures = await compare(SHORT)
    assert [(one.contender, one.work) for one in figures] == [
        (contender, work)
        for work in ("read", "write")
        for contender in ("peyvand", "monolith", "peyvand, traced")
    ]
    for one in figures:
        assert one.failed == 0
        assert one.rate > 0
        assert one.cpu > 0
        assert 0 < one.p50 <= one.p99
    assert comparison_table(figures).count("\n") == 2 + len(figures)


async def test_every_write_is_seen_everywhere_after_its_commit() -> None:
    delays = await follow(20, 20.0)
    assert [one.writes for one in delays] == [20, 20, 20, 2, 2]
    assert delays[-1].seen == "as the flag of a project"
    for one in delays:
        assert 0 < one.p50 <= one.p99
    assert propagation_table(delays).count("\n") == 2 + len(delays)


async def test_reports_are_carried_by_the_agent_and_by_the_peer() -> None:
    carried, memory = await carry(SHORT_NODES)
    assert [one.how.split(",")[0] for one in carried] == ["agent", "one POST a report"] * 2
    for one in carried:
        assert one.rate > 0
        assert one.bytes_up > 0
        assert one.bytes_down > 0
    assert carried_table(carried).count("\n") == 2 + len(carried)
    # Before any report, and before and after each of the two catchings up.
    assert len(memory) == 5
    assert all(one.memory > 0 for one in memory)
    assert memory_table(memory).count("\n") == 2 + len(memory)


def test_the_long_form_catches_up_with_a_day() -> None:
    assert NodePlan().backlog == A_DAYS_REPORTS == 8_640


async def test_many_nodes_are_online_and_heard_of() -> None:
    measured = await heartbeats(SHORT_NODES)
    assert measured.online == measured.known_online == measured.nodes
    assert measured.beats >= measured.nodes
    assert [one.process for one in measured.shares][-1] == "agents"
    assert all(one.whole > 0 for one in measured.shares)
    # What comes with a few nodes can drown at the hub in what else it does; here it cannot.
    assert measured.shares[-1].memory > 0
    # Not all that is there without any node as well is laid at the nodes' door.
    assert all(
        one.memory * measured.nodes < one.whole * 1024 * 0.9
        for one in measured.shares
        if one.process != "agents"
    )
    assert "centers" in heartbeats_table(measured)


async def test_gates_and_the_portfolio_are_measured_by_work_that_was_done() -> None:
    found = await costs(SHORT_GATES)
    assert [one.what for one in found] == [
        *("next gate", "next gate"),
        *("decision", "decision"),
        *("portfolio", "list and count"),
    ]
    for one in found:
        assert one.calls > 0
        assert one.cpu > 0
        assert one.rows > 0
    assert costs_table(found).count("\n") == 2 + len(found)
