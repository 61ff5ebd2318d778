"""Consent, ethics, clearance and registration: no condition stands for them, and no waiver."""

from peyvand.projects.v1 import criteria_pb2, decisions_pb2, gates_pb2, waivers_pb2
from projects.pathway_templates import NEWEST
from tests.integration.projects.conftest import ProjectsBench, at_s1, condition, in_days
from tests.support.criteria import CriteriaBench
from tests.support.rpc import rules_broken

CONDITIONAL_GO = decisions_pb2.DECISION_KIND_CONDITIONAL_GO


async def test_they_are_neither_waived_nor_left_to_a_condition(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    waiver = waivers_pb2.Waiver(
        project_id=made.id,
        criterion="consent-ethics",
        reason="Is on its way.",
        expiry_date=in_days(30),
    )
    asking = waivers_pb2.CreateWaiverRequest(waiver=waiver, idempotency_key=bench.key())
    fault = await bench.criteria.fault("CreateWaiver", asking)
    assert [(v.field, v.reason, v.params) for v in fault.violations] == [
        ("criterion", "CRITERION_NOT_DEFERRABLE", {"criterion": "consent-ethics"})
    ]
    gate = await bench.open_gate(made.id)
    proposal = gates_pb2.ProposeAtGateRequest(
        gate_id=gate.id,
        decision=CONDITIONAL_GO,
        conditions=[condition("prior-art"), condition("consent-ethics")],
        etag=gate.etag,
        idempotency_key=bench.key(),
    )
    fault = await bench.gates.fault("ProposeAtGate", proposal)
    assert rules_broken(fault) == [("conditions[1].criterion", "CRITERION_NOT_DEFERRABLE")]
    # The same gate takes what may be left open.
    await bench.propose(gate.id, CONDITIONAL_GO, conditions=[condition("prior-art")])


async def test_the_template_tells_which_they_are(bench: ProjectsBench) -> None:
    request = criteria_pb2.GetPathwayTemplateRequest(version=NEWEST)
    answer = await bench.criteria.call("GetPathwayTemplate", request)
    assert isinstance(answer, criteria_pb2.PathwayTemplate)
    fixed = {item.code for item in answer.criteria if not item.deferrable}
    assert fixed == {"consent-ethics", "trial-ethics", "clearance", "registration"}
