"""A project that a go would be refused is not told that all is there."""

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from peyvand.centers.v1 import centers_pb2
from peyvand.projects.v1 import criteria_pb2, decisions_pb2
from tests.integration.projects.conftest import (
    ProjectsBench,
    center_event,
    heard,
    in_days,
    project,
)
from tests.integration.projects.results import results_of


async def next_gate(bench: ProjectsBench, id: str) -> criteria_pb2.NextGate:
    request = criteria_pb2.GetNextGateRequest(project_id=id)
    return cast("criteria_pb2.NextGate", await bench.criteria.call("GetNextGate", request))


@pytest.mark.parametrize("cause", ["overdue", "flag", "hold"])
async def test_what_would_refuse_a_go_is_told_with_the_next_gate(
    bench: ProjectsBench, cause: str
) -> None:
    lead = await bench.center()
    made = await bench.create(project(lead))
    await bench.satisfy(made.id)
    there = await next_gate(bench, made.id)
    assert (there.satisfied, list(there.missing), there.on_hold) == (True, [], False)
    overdue: list[str] = []
    if cause == "overdue":
        async with results_of(bench) as results:
            yesterday = datetime.now(UTC).date() - timedelta(days=1)
            overdue.append(await results.condition(made.id, yesterday))
    elif cause == "flag":
        suspended = center_event(lead, centers_pb2.CENTER_STATE_SUSPENDED)
        await bench.hear(heard("center", lead, 2, suspended))
    else:
        hold = decisions_pb2.DECISION_KIND_HOLD
        await bench.decide(await bench.get(made.id), hold, resume_date=in_days(3))
    told = await next_gate(bench, made.id)
    assert (told.satisfied, list(told.missing)) == (False, [])
    assert list(told.overdue_condition_ids) == overdue
    assert told.on_hold == (cause == "hold")
    assert bool(told.flags) == (cause == "flag")
