"""Each step of the contract: cut off in the midst, sent twice at once, taken by many at once."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

import pytest

from servicekit.contract import contract
from tests.integration.projects import result_steps as result
from tests.integration.projects import review_steps as review
from tests.integration.projects.conftest import ProjectsBench, project
from tests.integration.projects.results import Results, results_of
from tests.integration.projects.steps import (
    SERVED,
    Prepare,
    Step,
    require_taken_once,
    snapshot,
    take,
)
from tests.support.cut_off import killed_at_each_statement
from tests.support.rpc import RpcBench

MANY = 6
STALE = "STALE_ETAG"


@dataclass(frozen=True)
class Case:
    """How a step is prepared, and why it is refused to all but one of many who take it at once.

    `others` is empty where each of them may take one of the own.
    """

    prepare: Prepare
    others: str = STALE


CASES: Mapping[str, Case] = {
    "record": Case(review.recording, ""),
    "revive": Case(review.reviving, ""),
    "join": Case(review.joined),
    "name": Case(review.naming),
    "strike": Case(review.striking),
    "acknowledge": Case(review.acknowledging),
    "resume": Case(review.resuming),
    "open": Case(review.opening, "GATE_ALREADY_OPEN"),
    "declare": Case(review.declaring),
    "propose": Case(review.proposing),
    "vote": Case(review.voting),
    "withdraw gate": Case(review.withdrawing),
    "go": Case(review.going_on),
    "kill": Case(review.killing),
    "correct": Case(review.correcting),
    "report condition": Case(review.telling),
    "return condition": Case(review.returning),
    "confirm condition": Case(review.confirming),
    "supersede": Case(review.superseding, "ILLEGAL_TRANSITION"),
    "verify": Case(review.verifying),
    "reject": Case(review.rejecting),
    "reconfirm": Case(review.reconfirming),
    "ask for waiver": Case(review.asking, "WAIVER_WAITS"),
    "grant": Case(review.granting),
    "refuse": Case(review.refusing),
    "take waiver back": Case(review.taking_back),
    "revoke": Case(review.revoking),
    "award": Case(result.giving, ""),
    "plan anew": Case(result.planning_anew),
    "report milestone": Case(result.reporting),
    "return milestone": Case(result.sending_back),
    "meet": Case(result.meeting),
    "pay": Case(result.paying),
    "close": Case(result.closing),
    "cancel": Case(result.cancelling),
    "publish": Case(result.publishing, "OUTPUT_RECORDED"),
    "found out": Case(result.founding_out, "OUTPUT_RECORDED"),
    "change output": Case(result.respelling),
    "withdraw output": Case(result.withdrawing_output),
    "reinstate output": Case(result.reinstating_output),
    "found": Case(result.founding, "REGISTRATION_TAKEN"),
    "change company": Case(result.numbering),
    "dissolve": Case(result.dissolving),
    "reinstate": Case(result.reinstating),
    "claim": Case(result.claiming, "LEVEL_CLAIMED_ALREADY"),
    "verify claim": Case(result.verifying_claim),
    "reject claim": Case(result.rejecting_claim),
    "withdraw claim": Case(result.withdrawing_claim),
}
# A file says what is to be there: whoever brings it again finds that it is.
IMPORT = Case(review.importing, "")
every_step = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@pytest.fixture
async def results(bench: ProjectsBench) -> AsyncGenerator[Results]:
    async with results_of(bench) as served:
        yield served


async def prepared(results: Results, case: Case) -> Step:
    bench = results.bench
    return await case.prepare(results, await bench.create(project(await bench.center())))


async def test_every_rpc_that_writes_is_among_them(results: Results) -> None:
    steps = {(await prepared(results, case)).name for case in [*CASES.values(), IMPORT]}
    names = [
        rpc.path.rpartition("/")[2] for rpc in contract().rpcs.values() if is_of_projects(rpc.path)
    ]
    # A rehearsal writes nothing.
    assert {name for name in names if not name.startswith(("Get", "List"))} - steps == {
        "RehearseProjects"
    }


def is_of_projects(path: str) -> bool:
    return path.startswith("/peyvand.projects.v1.")


@pytest.mark.parametrize("case", [*CASES.values(), IMPORT], ids=[*CASES, "import"])
async def test_a_step_that_is_cut_off_at_any_statement_has_not_been_taken(
    results: Results, case: Case
) -> None:
    step = await prepared(results, case)
    before = await snapshot(results)

    def call(rpc: RpcBench):
        return rpc.call(step.name, step.request, **step.who)

    deaths = 0
    api = SERVED[step.service.name]
    async for attempt in killed_at_each_statement(results.bench.url, step.service, api, call):
        after = await snapshot(results)
        if attempt.whole:
            require_taken_once(before, after)
        else:
            deaths += 1
            assert after == before, f"statement {attempt.at}"
            assert attempt.answer is None
    assert deaths >= 5
    # Nobody has heard the answer: asked again, it is the same, and nothing is done twice.
    after = await snapshot(results)
    if "idempotency_key" in step.request.DESCRIPTOR.fields_by_name:
        again = await call(step.rpc(results))
        assert again == attempt.answer  # pyright: ignore[reportPossiblyUnboundVariable]
    elif case.others:
        assert await take(results, step) == case.others
    else:
        assert await take(results, step) == ""
    assert await snapshot(results) == after


@every_step
async def test_a_step_that_is_sent_twice_at_once_is_taken_once(
    results: Results, case: Case
) -> None:
    step = await prepared(results, case)
    before = await snapshot(results)
    found = Counter(await asyncio.gather(*(take(results, step) for _ in range(MANY))))
    # Who comes while the first is under way is told so; who comes later gets its answer.
    assert set(found) <= {"", "IDEMPOTENCY_KEY_IN_USE", STALE}, found
    if "idempotency_key" in step.request.DESCRIPTOR.fields_by_name:
        assert found[STALE] == 0
        assert found[""] >= 1
    else:
        assert found == {"": 1, STALE: MANY - 1}
    require_taken_once(before, await snapshot(results))


@pytest.mark.parametrize(
    "case",
    [case for case in CASES.values() if case.others],
    ids=[name for name, case in CASES.items() if case.others],
)
async def test_a_step_that_many_take_at_once_is_taken_by_one(results: Results, case: Case) -> None:
    step = await prepared(results, case)
    before = await snapshot(results)
    keys = [results.bench.key() for _ in range(MANY)]
    found = Counter(await asyncio.gather(*(take(results, step.again(key)) for key in keys)))
    assert found == {"": 1, case.others: MANY - 1}
    require_taken_once(before, await snapshot(results))
