"""Waivers, tried over gRPC against a real database."""

import sqlalchemy as sa

from peyvand.projects.v1 import decisions_pb2, stages_pb2, waivers_pb2
from tests.integration.projects.conftest import ProjectsBench, at_s1, back_in_s1
from tests.support.criteria import (
    OMID,
    SARA,
    CriteriaBench,
    ruling_on,
    states,
    waiver_request,
)
from tests.support.rpc import rules_broken


async def test_a_waiver_is_granted_by_another_for_this_visit_alone(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    asked = await criteria.ask(made.id, "prior-art")
    assert (asked.visit, asked.requested_by, asked.expired) == (1, "sara", False)
    assert list(asked.allowed_actions) == ["refuse", "withdraw"]
    own = await criteria.fault("GrantWaiver", ruling_on(asked), SARA)
    assert own.reason == "OWN_WAIVER"
    assert states(await criteria.next_gate(made.id))["prior-art"] == "missing"
    granted = await criteria.rule("Grant", asked)
    assert (granted.ruled_by, list(granted.allowed_actions)) == ("omid", ["revoke"])
    gate = await criteria.next_gate(made.id)
    assert states(gate)["prior-art"] == "waived"
    (item,) = [item for item in gate.criteria if item.criterion.code == "prior-art"]
    assert item.waiver_id == granted.id
    await back_in_s1(bench, criteria, made)
    assert states(await criteria.next_gate(made.id))["prior-art"] == "missing"
    revoked = await criteria.rule("Revoke", granted, reason="The search is done.")
    assert revoked.state == waivers_pb2.WAIVER_STATE_REVOKED


async def test_a_waiver_ends_with_its_last_day(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    granted = await criteria.rule("Grant", await criteria.ask(made.id, "prior-art"))
    waiting = await criteria.ask(made.id, "in-vitro-proof")
    past = await criteria.fault(
        "CreateWaiver", waiver_request(made.id, "in-vitro-proof", expiry_date="2020-01-01")
    )
    assert rules_broken(past) == [("expiry_date", "DATE_IN_PAST")]
    async with criteria.database.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE waiver SET expiry_date = '2020-01-01'"))
    read = await criteria.call("GetWaiver", waivers_pb2.GetWaiverRequest(waiver_id=granted.id))
    assert read.expired
    assert states(await criteria.next_gate(made.id))["prior-art"] == "missing"
    late = await criteria.fault("GrantWaiver", ruling_on(waiting), OMID)
    assert (late.reason, late.params) == ("WAIVER_EXPIRED", {"expiry_date": "2020-01-01"})


async def test_a_waiver_is_asked_for_once_and_for_the_present_stage(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    ahead = await criteria.fault("CreateWaiver", waiver_request(made.id, "ip-decision"))
    assert rules_broken(ahead) == [("criterion", "CRITERION_OF_OTHER_STAGE")]
    first = await criteria.ask(made.id, "prior-art")
    second = await criteria.fault("CreateWaiver", waiver_request(made.id, "prior-art"))
    assert (second.reason, second.params) == ("WAIVER_WAITS", {"id": first.id})
    refused = await criteria.rule("Refuse", first, reason="It can be had in a week.")
    assert (refused.state_reason, refused.ruled_by) == ("It can be had in a week.", "omid")
    third = await criteria.ask(made.id, "prior-art")
    withdrawn = await criteria.rule("Withdraw", third, SARA)
    assert withdrawn.state == waivers_pb2.WAIVER_STATE_WITHDRAWN
    fourth = await criteria.ask(made.id, "prior-art")
    # The stage is left while the request waits.
    await bench.decide(made, decisions_pb2.DECISION_KIND_RECYCLE, to_stage=stages_pb2.STAGE_S0)
    over = await criteria.fault("GrantWaiver", ruling_on(fourth), OMID)
    assert over.reason == "VISIT_IS_OVER"
