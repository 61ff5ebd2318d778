"""The bench runs, and its figures are of work that was done. None of them is judged."""

import pytest

from tests.bench.__main__ import SHORT, comparison_table, propagation_table
from tests.bench.comparison import compare
from tests.bench.propagation import follow

pytestmark = pytest.mark.timeout(300)


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
    assert [one.writes for one in delays] == [20, 20, 20, 2]
    for one in delays:
        assert 0 < one.p50 <= one.p99
    assert propagation_table(delays).count("\n") == 2 + len(delays)
