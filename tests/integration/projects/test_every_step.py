"""Each step of the contract: cut off in the midst, sent twice at once, taken by many at once."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Mapping
from dataclasses import dataclass

import pytest
from google.protobuf.message import Message

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
    """A step of an rpc, and why it is refused to all but one of many who take it at once.

    `others` is empty where each of them may take one of the own.
    """

    rpc: str
    prepare: Prepare
    others: str = STALE


CASES: Mapping[str, Case] = {
    "record": Case("CreateProject", review.recording, ""),
    "revive": Case("CreateProject", review.reviving, ""),
    "join": Case("UpdateProject", review.joined),
    "name": Case("UpdateProject", review.naming),
    "strike": Case("StrikeProjectNaming", review.striking),
    "acknowledge": Case("AcknowledgeProjectFlag", review.acknowledging),
    "resume": Case("ResumeProject", review.resuming),
    "open": Case("CreateGate", review.opening, "GATE_ALREADY_OPEN"),
    "declare": Case("DeclareAtGate", review.declaring),
    "propose": Case("ProposeAtGate", review.proposing),
    "vote": Case("VoteAtGate", review.voting),
    "withdraw gate": Case("WithdrawGate", review.withdrawing),
    "go": Case("DecideProject", review.going_on),
    "kill": Case("DecideProject", review.killing),
    "correct": Case("DecideProject", review.correcting),
    "report condition": Case("ReportProjectCondition", review.telling),
    "return condition": Case("ReturnProjectCondition", review.returning),
    "confirm condition": Case("ConfirmProjectCondition", review.confirming),
    "supersede": Case("CreateEvidence", review.superseding, "ILLEGAL_TRANSITION"),
    "verify": Case("VerifyEvidence", review.verifying),
    "reject": Case("RejectEvidence", review.rejecting),
    "reconfirm": Case("ReconfirmEvidence", review.reconfirming),
    "ask for waiver": Case("CreateWaiver", review.asking, "WAIVER_WAITS"),
    "grant": Case("GrantWaiver", review.granting),
    "refuse": Case("RefuseWaiver", review.refusing),
    "take waiver back": Case("WithdrawWaiver", review.taking_back),
    "revoke": Case("RevokeWaiver", review.revoking),
    "award": Case("CreateAward", result.giving, ""),
    "plan anew": Case("UpdateAward", result.planning_anew),
    "report milestone": Case("ReportMilestone", result.reporting),
    "return milestone": Case("ReturnMilestone", result.sending_back),
    "meet": Case("MeetMilestone", result.meeting),
    "pay": Case("ReleaseTranche", result.paying),
    "close": Case("CloseAward", result.closing),
    "cancel": Case("CancelAward", result.cancelling),
    "publish": Case("CreateOutput", result.publishing, "OUTPUT_RECORDED"),
    "found out": Case("CreateOutput", result.founding_out, "OUTPUT_RECORDED"),
    "change output": Case("UpdateOutput", result.respelling),
    "withdraw output": Case("WithdrawOutput", result.withdrawing_output),
    "reinstate output": Case("ReinstateOutput", result.reinstating_output),
    "found": Case("CreateCompany", result.founding, "REGISTRATION_TAKEN"),
    "change company": Case("UpdateCompany", result.numbering),
    "dissolve": Case("DissolveCompany", result.dissolving),
    "reinstate": Case("ReinstateCompany", result.reinstating),
    "claim": Case("CreateReadinessClaim", result.claiming, "LEVEL_CLAIMED_ALREADY"),
    "verify claim": Case("VerifyReadinessClaim", result.verifying_claim),
    "reject claim": Case("RejectReadinessClaim", result.rejecting_claim),
    "withdraw claim": Case("WithdrawReadinessClaim", result.withdrawing_claim),
}
# A file says what is to be there: whoever brings it again finds that it is.
IMPORT = Case("ImportProjects", review.importing, "")
every_step = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@pytest.fixture
async def results(bench: ProjectsBench) -> AsyncGenerator[Results]:
    async with results_of(bench) as served:
        yield served


async def prepared(results: Results, case: Case) -> Step:
    bench = results.bench
    step = await case.prepare(results, await bench.create(project(await bench.center())))
    assert step.name == case.rpc
    return step


def test_every_rpc_that_writes_is_among_them() -> None:
    paths = [rpc.path for rpc in contract().rpcs.values()]
    of_projects = {path.rpartition("/")[2] for path in paths if ".projects.v1." in path}
    tried = {case.rpc for case in [*CASES.values(), IMPORT]}
    # A rehearsal writes nothing.
    assert {name for name in of_projects - tried if not name.startswith(("Get", "List"))} == {
        "RehearseProjects"
    }


@pytest.mark.parametrize("case", [*CASES.values(), IMPORT], ids=[*CASES, "import"])
async def test_a_step_that_is_cut_off_at_any_statement_has_not_been_taken(
    results: Results, case: Case
) -> None:
    step = await prepared(results, case)
    before = await snapshot(results)

    def call(rpc: RpcBench) -> Awaitable[Message]:
        return rpc.call(step.name, step.request, **step.who)

    deaths, answer = 0, None
    api = SERVED[step.service.name]
    async for attempt in killed_at_each_statement(results.bench.url, step.service, api, call):
        after = await snapshot(results)
        answer = attempt.answer
        if attempt.whole:
            require_taken_once(before, after)
        else:
            deaths += 1
            assert after == before, f"statement {attempt.at}"
            assert answer is None
    assert deaths >= 5
    # Nobody has heard the answer: asked again, it is the same, and nothing is done twice.
    after = await snapshot(results)
    if "idempotency_key" in step.request.DESCRIPTOR.fields_by_name:
        assert await call(step.rpc(results)) == answer
    else:
        assert await take(results, step) == case.others
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
    # Nor does it matter how late it comes.
    assert await take(results, step) in ("", STALE)
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
