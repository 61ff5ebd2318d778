"""What takes another than who works on a project takes one who is not of its team at all."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import decisions_pb2, panel_pb2, people_pb2
from tests.integration.projects import result_steps as result
from tests.integration.projects import review_steps as review
from tests.integration.projects.conftest import VOTERS, ProjectsBench, condition, project
from tests.integration.projects.results import Results, results_of
from tests.integration.projects.steps import Prepare

CONDITIONAL_GO = decisions_pb2.DECISION_KIND_CONDITIONAL_GO


@pytest.fixture
async def results(bench: ProjectsBench) -> AsyncGenerator[Results]:
    async with results_of(bench) as served:
        yield served


@pytest.mark.parametrize(
    "prepare",
    [review.confirming, result.meeting, result.paying, review.resuming, review.acknowledging],
)
async def test_who_is_of_the_team_or_in_conflict_says_nothing_for_a_project(
    results: Results, prepare: Prepare
) -> None:
    bench = results.bench
    lead = await bench.center()
    member = people_pb2.ProjectPerson(
        name=types_pb2.LocalizedText(en="Dr Omid"),
        role=people_pb2.PERSON_ROLE_QUALITY,
        subject="omid",
    )
    made = await bench.create(project(lead, people=[member]))
    gate = await bench.open_gate(made.id, *VOTERS, "sara", "vida")
    await bench.declare(gate.id, "sara", panel_pb2.CONFLICT_FINANCIAL, "Holds shares.")
    await bench.withdraw(gate.id)
    step = await prepare(results, await bench.get(made.id))
    rpc, name, request = step.rpc(results), step.name, step.request
    insiders: list[tuple[dict[str, Any], str]] = [
        ({"subject": "omid"}, "TEAM_HAS_NO_SAY"),
        ({"subject": "azar", "center_ids": [lead]}, "TEAM_HAS_NO_SAY"),
        # Also where the project has gone on to another visit meanwhile.
        ({"subject": "sara"}, "CONFLICT_HAS_NO_SAY"),
    ]
    for who, reason in insiders:
        assert (await rpc.fault(name, request, **who)).reason == reason
    await rpc.call(name, request, subject="outsider")


async def test_who_has_declared_to_have_none_since_speaks_again(results: Results) -> None:
    bench = results.bench
    made = await bench.create(project(await bench.center()))
    gate = await bench.open_gate(made.id, *VOTERS, "sara", "vida")
    await bench.declare(gate.id, "sara", panel_pb2.CONFLICT_EMPLOYMENT, "Until March.")
    await bench.withdraw(gate.id)
    await bench.decide(await bench.get(made.id), CONDITIONAL_GO, conditions=[condition()])
    gate = await bench.open_gate(made.id, *VOTERS, "sara")
    await bench.declare(gate.id, "sara")
    await bench.withdraw(gate.id)
    step = await result.meeting(results, await bench.get(made.id))
    await step.rpc(results).call(step.name, step.request, subject="sara")
