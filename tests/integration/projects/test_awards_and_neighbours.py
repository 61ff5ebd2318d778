"""Money waits for the centers and agreements of a project, also of one that is completed."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator
from typing import Any, cast

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from peyvand.centers.v1 import centers_pb2
from peyvand.observatory.v1 import regulations_pb2
from peyvand.partners.v1 import agreements_pb2
from peyvand.projects.v1 import awards_pb2 as pb
from peyvand.projects.v1 import decisions_pb2, projects_pb2, stages_pb2
from servicekit.errors import Fault
from servicekit.ids import new_id
from tests.integration.projects.conftest import (
    ProjectsBench,
    agreement_event,
    center_event,
    heard,
    project,
    regulation_event,
)
from tests.integration.projects.results import Results, award, money, results_of
from tests.integration.projects.standing import deadlocks, require_right_flags
from tests.support.rpc import rules_broken

ROUNDS = 15
IN_FORCE = agreements_pb2.AGREEMENT_STATE_IN_FORCE
SUSPENDED = centers_pb2.CENTER_STATE_SUSPENDED


@pytest.fixture
async def results(bench: ProjectsBench) -> AsyncGenerator[Results]:
    async with results_of(bench) as served:
        yield served


async def given(results: Results, lead: str, **values: Any) -> pb.Award:
    """An award whose first milestone is met, for a project of this center."""
    made = await results.bench.create(project(lead, **values))
    return await results.met(await results.give(award(made.id)))


async def release(results: Results, at: pb.Award) -> str:
    """What becomes of the first tranche."""
    try:
        paid = await results.do("ReleaseTranche", results.release(at))
    except Fault as fault:
        return fault.reason
    return paid.released.amount


async def offered(results: Results, at: pb.Award) -> bool:
    return "release-tranche" in (await results.read(at.id)).allowed_actions


async def test_nothing_is_paid_while_a_center_of_the_project_is_out(results: Results) -> None:
    bench = results.bench
    lead, part = await bench.center(), await bench.center()
    parts = [projects_pb2.ProjectParticipant(center_id=part)]
    met = await given(results, lead, participants=parts)
    for id in (lead, part):
        await bench.hear(heard("center", id, 2, center_event(id, SUSPENDED)))
        fault = await results.awards.fault("ReleaseTranche", results.release(met))
        words = f"center_unavailable {id} (suspended)"
        assert (fault.reason, fault.params) == ("FLAGS_BLOCK_PAYMENT", {"flags": words})
        assert not await offered(results, met)
        await bench.hear(heard("center", id, 3, center_event(id)))
    assert await offered(results, met)
    assert await release(results, met) == "60"


async def test_nothing_is_paid_while_an_agreement_of_the_project_is_not_in_force(
    results: Results,
) -> None:
    bench = results.bench
    party = await bench.institution()
    agreement = await bench.agreement(IN_FORCE, party)
    parts = [projects_pb2.ProjectParticipant(institution_id=party, agreement_id=agreement)]
    met = await given(results, await bench.center(), participants=parts)
    expired = agreement_event(agreement, agreements_pb2.AGREEMENT_STATE_EXPIRED, party)
    await bench.hear(heard("agreement", agreement, 2, expired))
    assert await release(results, met) == "FLAGS_BLOCK_PAYMENT"
    assert not await offered(results, met)
    # Without those who are out it goes on.
    at = await bench.get(met.project_id)
    request = projects_pb2.UpdateProjectRequest(
        project_id=at.id,
        etag=at.etag,
        project=project(at.lead_center_id),
        update_mask=FieldMask(paths=["participants"]),
    )
    await bench.rpc.call("UpdateProject", request)
    assert await release(results, met) == "60"


async def test_a_completed_project_is_not_flagged_and_not_paid_either(results: Results) -> None:
    bench = results.bench
    lead = await bench.center()
    met = await given(
        results,
        lead,
        pathway=stages_pb2.PATHWAY_RESEARCH_TOOL,
        initial_stage=stages_pb2.STAGE_S7,
        initial_stage_reason="In use.",
    )
    # One person has said that it passed the gates before; nothing is paid by that alone.
    assert await release(results, met) == "NOT_DECIDED_HERE"
    assert not await offered(results, met)
    done = await bench.decide(await bench.get(met.project_id), decisions_pb2.DECISION_KIND_GO)
    assert done.state == projects_pb2.PROJECT_STATE_COMPLETED
    await bench.hear(heard("center", lead, 2, center_event(lead, SUSPENDED)))
    assert not (await bench.get(done.id)).flags
    assert await release(results, met) == "FLAGS_BLOCK_PAYMENT"
    assert not await offered(results, met)
    await bench.hear(heard("center", lead, 3, center_event(lead)))
    assert await release(results, met) == "60"


async def test_a_changed_regulation_flags_a_project_and_holds_no_money_back(
    results: Results,
) -> None:
    bench = results.bench
    regulation = new_id("reg")
    first = regulation_event(regulation, "reg-cell-therapy", 1)
    await bench.hear(heard("regulation", regulation, 1, first))
    met = await given(results, await bench.center())
    changed = regulation_event(
        regulation,
        "reg-cell-therapy",
        2,
        regulations_pb2.REGULATION_STATE_IN_FORCE,
        before="drafting",
    )
    await bench.hear(heard("regulation", regulation, 2, changed))
    assert len((await bench.get(met.project_id)).flags) == 1
    assert await release(results, met) == "60"


async def test_a_payment_meets_a_suspension_before_it_or_after_it_never_within(
    results: Results,
) -> None:
    bench, dice = results.bench, random.Random(13)
    lead, part = await bench.center(), await bench.center()
    parts = [projects_pb2.ProjectParticipant(center_id=part)]
    outcomes: Counter[str] = Counter()
    for round in range(ROUNDS):
        met = await given(results, lead, participants=parts)

        async def suspend(version: int = 2 + 2 * round) -> None:
            await asyncio.sleep(dice.uniform(0, 0.03))
            await bench.hear(heard("center", part, version, center_event(part, SUSPENDED)))

        outcome, _ = await asyncio.gather(release(results, met), suspend())
        outcomes[outcome] += 1
        # Whoever came second found what the first had done.
        released = (await results.read(met.id)).tranches[0].released.amount
        assert released == ("60" if outcome == "60" else "")
        assert await release(results, met) in ("FLAGS_BLOCK_PAYMENT", "STALE_ETAG")
        await require_right_flags(bench)
        await bench.hear(heard("center", part, 3 + 2 * round, center_event(part)))
    assert set(outcomes) <= {"60", "FLAGS_BLOCK_PAYMENT"}, outcomes
    assert await deadlocks(bench) == 0


async def test_payments_changes_of_the_project_and_of_its_centers_never_wait_in_a_circle(
    results: Results,
) -> None:
    bench, dice = results.bench, random.Random(17)
    lead = await bench.center()
    centers = [await bench.center() for _ in range(3)]
    versions = dict.fromkeys([lead, *centers], 1)
    awards = [await given(results, lead) for _ in range(3)]
    seen: Counter[str] = Counter()

    async def turn(id: str) -> None:
        await asyncio.sleep(dice.uniform(0, 0.02))
        versions[id] += 1
        state = (centers_pb2.CENTER_STATE_OPERATIONAL, SUSPENDED)[versions[id] % 2 == 0]
        await bench.hear(heard("center", id, versions[id], center_event(id, state)))

    async def join(at: pb.Award) -> None:
        await asyncio.sleep(dice.uniform(0, 0.02))
        now = await bench.get(at.project_id)
        parts = [
            projects_pb2.ProjectParticipant(center_id=id)
            for id in dice.sample(centers, dice.randint(0, 3))
        ]
        request = projects_pb2.UpdateProjectRequest(
            project_id=now.id,
            etag=now.etag,
            project=projects_pb2.Project(participants=parts),
            update_mask=FieldMask(paths=["participants"]),
        )
        try:
            await bench.rpc.call("UpdateProject", request)
        except Fault as fault:
            seen[fault.reason] += 1

    async def pay(at: pb.Award) -> None:
        await asyncio.sleep(dice.uniform(0, 0.02))
        seen[await release(results, await results.read(at.id))] += 1

    for _ in range(ROUNDS):
        await asyncio.gather(*map(turn, [lead, *centers]), *map(join, awards), *map(pay, awards))
        await require_right_flags(bench)
    assert set(seen) <= {
        "60",
        "FLAGS_BLOCK_PAYMENT",
        "TRANCHE_RELEASED",
        "STALE_ETAG",
        "CENTER_NOT_ACTIVE",
    }, seen
    assert await deadlocks(bench) == 0


async def test_a_tranche_of_a_met_milestone_is_not_made_more_in_another_currency(
    results: Results,
) -> None:
    met = await given(results, await results.bench.center())
    changed = award(
        met.project_id,
        amount=money("100", "EUR"),
        tranches=[
            pb.Tranche(code="t1", amount=money("59", "EUR"), milestone_code="m1"),
            pb.Tranche(code="t2", amount=money("40", "EUR"), milestone_code="m2"),
        ],
    )
    request = pb.UpdateAwardRequest(
        award_id=met.id,
        etag=met.etag,
        award=changed,
        update_mask=FieldMask(paths=["amount", "tranches"]),
    )
    fault = await results.awards.fault("UpdateAward", request)
    assert rules_broken(fault) == [("tranches[0].milestone_code", "MILESTONE_MET_ALREADY")]
    less = award(
        met.project_id,
        tranches=[
            pb.Tranche(code="t1", amount=money("59"), milestone_code="m1"),
            pb.Tranche(code="t2", amount=money("40"), milestone_code="m2"),
        ],
    )
    request.award.CopyFrom(less)
    answer = cast("pb.Award", await results.awards.call("UpdateAward", request))
    assert answer.tranches[0].amount == money("59")
