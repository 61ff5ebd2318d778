"""What is offered is what is accepted: to every kind of caller, of everything, in every state."""

from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest

from peyvand.projects.v1 import (
    awards_pb2,
    companies_pb2,
    conditions_pb2,
    evidence_pb2,
    gates_pb2,
    outputs_pb2,
    readiness_pb2,
    waivers_pb2,
)
from peyvand.projects.v1 import projects_pb2 as pb
from tests.integration.projects.conftest import (
    ProjectsBench,
)
from tests.integration.projects.offered import (
    Stage,
    Tried,
    accepted,
    keep_nothing,
    offered,
    refusals,
    subject,
    verbs_of,
)
from tests.integration.projects.results import Results, results_of
from tests.integration.projects.states_of_outputs import COMPANIES, OUTPUTS
from tests.integration.projects.states_of_projects import AWARDS, PROJECTS
from tests.integration.projects.states_of_reviews import CLAIMS, CONDITIONS, CRITERIA, GATES
from tests.support.rpc import RpcBench

Prepare = Callable[[Stage], Awaitable[Tried]]
STATES: list[Prepare] = [
    *PROJECTS,
    *AWARDS,
    *OUTPUTS,
    *COMPANIES,
    *CONDITIONS,
    *CRITERIA,
    *CLAIMS,
    *GATES,
]


@pytest.fixture
async def results(bench: ProjectsBench) -> AsyncGenerator[Results]:
    async with results_of(bench) as served:
        yield served


@pytest.mark.timeout(600)
@pytest.mark.parametrize("prepare", STATES, ids=lambda prepare: prepare.__name__)
async def test_what_is_offered_is_what_is_accepted(
    bench: ProjectsBench, results: Results, readiness: RpcBench, prepare: Prepare
) -> None:
    around = await subject(bench)
    tried = await prepare(Stage(bench, results, readiness, around.project))
    await keep_nothing(bench)
    for name, who in around.callers.items():
        shown = await offered(tried, who)
        taken = await accepted(bench, tried, who)
        assert shown == taken, f"{name}: {refusals(shown, taken)}"


def test_every_verb_of_these_is_tried_with_what_it_takes() -> None:
    takes = {"etag", "idempotency_key", "reason", "effective_date"}
    tried = {
        pb.Project: {"update", "decide", "strike-naming", "acknowledge-flag"},
        awards_pb2.Award: {
            "update",
            "report-milestone",
            "return-milestone",
            "meet-milestone",
            "release-tranche",
        },
        outputs_pb2.Output: {"update"},
        companies_pb2.Company: {"update"},
        conditions_pb2.ProjectCondition: {"report"},
        waivers_pb2.Waiver: set[str](),
        evidence_pb2.Evidence: set[str](),
        readiness_pb2.ReadinessClaim: set[str](),
        gates_pb2.Gate: {"declare", "propose", "vote"},
    }
    for message, with_inputs in tried.items():
        asking: set[str] = set()
        for verb, rpc in verbs_of(message).items():
            id_field, *rest = rpc.descriptor.input_type.fields
            assert id_field.name.endswith("_id")
            if {item.name for item in rest} - takes:
                asking.add(verb)
        assert asking == with_inputs, message.DESCRIPTOR.name
