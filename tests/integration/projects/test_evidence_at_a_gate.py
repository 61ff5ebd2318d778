"""What is verified stays as it is while a panel votes on it."""

import pytest

from peyvand.projects.v1 import decisions_pb2, evidence_pb2
from tests.integration.projects.conftest import ProjectsBench, at_s1
from tests.support.criteria import CriteriaBench, Person

HOLD = decisions_pb2.DECISION_KIND_HOLD


@pytest.mark.parametrize("role", ["center_operator", "hq_admin"])
async def test_nobody_voids_votes_by_superseding_what_is_verified(
    bench: ProjectsBench, criteria: CriteriaBench, role: str
) -> None:
    center = await bench.center()
    made = await at_s1(bench, center=center)
    (piece,) = await criteria.verified(made.id, "prior-art")
    waiting = await criteria.submit(made.id, "in-vitro-proof")
    gate = await bench.review(made.id, HOLD)
    assert gate.counted_votes == 2
    lead = Person("omid", role, (center,) if role.startswith("center") else ())
    request = criteria.submission(made.id, "prior-art", supersedes_id=piece.id)
    fault = await criteria.fault("CreateEvidence", request, lead)
    assert (fault.reason, fault.params) == ("UNDER_REVIEW", {"gate_id": gate.id})
    read = evidence_pb2.GetEvidenceRequest(evidence_id=piece.id)
    assert (await criteria.call("GetEvidence", read)) == piece
    # What nobody has verified gives way: no vote stands on it. Nor on what is brought beside.
    await criteria.submit(made.id, "in-vitro-proof", supersedes_id=waiting.id)
    await criteria.submit(made.id, "prior-art")
    assert (await bench.gate(gate.id)).counted_votes == 2
    await bench.withdraw(gate.id)
    await criteria.call("CreateEvidence", request, lead)
