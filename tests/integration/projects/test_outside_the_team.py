"""What takes another than who works on a project takes one who is not of its team at all."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, cast

import pytest
from google.protobuf.message import Message

from peyvand.api.v1 import types_pb2
from peyvand.observatory.v1 import regulations_pb2
from peyvand.projects.v1 import (
    conditions_pb2,
    decisions_pb2,
    flags_pb2,
    panel_pb2,
    people_pb2,
)
from peyvand.projects.v1 import projects_pb2 as pb
from servicekit.ids import new_id
from tests.integration.projects.conftest import (
    VOTERS,
    ProjectsBench,
    condition,
    heard,
    in_days,
    project,
    regulation_event,
)
from tests.integration.projects.results import Results, award, results_of
from tests.support.rpc import RpcBench

HOLD = decisions_pb2.DECISION_KIND_HOLD
CONDITIONAL_GO = decisions_pb2.DECISION_KIND_CONDITIONAL_GO

Prepared = tuple[RpcBench, str, Message]


@pytest.fixture
async def results(bench: ProjectsBench) -> AsyncGenerator[Results]:
    async with results_of(bench) as served:
        yield served


async def confirming(results: Results, made: pb.Project) -> Prepared:
    bench = results.bench
    await bench.decide(made, CONDITIONAL_GO, conditions=[condition()])
    (left,) = await bench.conditions(project_id=made.id)
    told = conditions_pb2.ReportProjectConditionRequest(
        condition_id=left.id, note="Done.", etag=left.etag, idempotency_key=bench.key()
    )
    answer = await bench.gates.call("ReportProjectCondition", told, subject="kian")
    reported = cast("conditions_pb2.ProjectCondition", answer)
    request = conditions_pb2.ProjectConditionStepRequest(
        condition_id=left.id, etag=reported.etag, idempotency_key=bench.key()
    )
    return bench.gates, "ConfirmProjectCondition", request


async def meeting(results: Results, made: pb.Project) -> Prepared:
    given = await results.give(award(made.id))
    reported = await results.do("ReportMilestone", results.report(given), "kian")
    return results.awards, "MeetMilestone", results.about(reported)


async def paying(results: Results, made: pb.Project) -> Prepared:
    met = await results.met(await results.give(award(made.id)))
    return results.awards, "ReleaseTranche", results.release(met)


async def resuming(results: Results, made: pb.Project) -> Prepared:
    bench = results.bench
    held = await bench.decide(made, HOLD, resume_date=in_days(0))
    request = pb.ProjectStepRequest(project_id=held.id, etag=held.etag, idempotency_key=bench.key())
    return bench.rpc, "ResumeProject", request


async def acknowledging(results: Results, made: pb.Project) -> Prepared:
    bench, id, key = results.bench, new_id("reg"), "reg-cell-therapy"
    await bench.hear(heard("regulation", id, 1, regulation_event(id, key, 1)))
    in_force = regulations_pb2.REGULATION_STATE_IN_FORCE
    enacted = regulation_event(id, key, 2, in_force, before="drafting")
    await bench.hear(heard("regulation", id, 2, enacted))
    flagged = await bench.get(made.id)
    request = flags_pb2.AcknowledgeProjectFlagRequest(
        project_id=made.id,
        regulation_id=id,
        reason="It asks for nothing new.",
        etag=flagged.etag,
        idempotency_key=bench.key(),
    )
    return bench.rpc, "AcknowledgeProjectFlag", request


@pytest.mark.parametrize("prepare", [confirming, meeting, paying, resuming, acknowledging])
async def test_who_is_of_the_team_or_in_conflict_says_nothing_for_a_project(
    results: Results, prepare: Callable[[Results, pb.Project], Awaitable[Prepared]]
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
    rpc, name, request = await prepare(results, await bench.get(made.id))
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
    rpc, name, request = await meeting(results, made)
    await rpc.call(name, request, subject="sara")
