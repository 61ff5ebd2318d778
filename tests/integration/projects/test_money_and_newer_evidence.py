"""Evidence that money hangs on gives way to newer versions, which wait, hold or are rejected."""

import hashlib
from collections.abc import AsyncGenerator
from typing import cast

import pytest
from google.protobuf.message import Message

from peyvand.projects.v1 import awards_pb2 as pb
from peyvand.projects.v1 import evidence_pb2
from projects import tables
from servicekit.errors import Fault
from tests.integration.projects.conftest import ProjectsBench, project
from tests.integration.projects.results import Results, award, money, results_of

CRITERION = "disclosure"


@pytest.fixture
async def results(bench: ProjectsBench) -> AsyncGenerator[Results]:
    async with results_of(bench) as served:
        yield served


async def refused(results: Results, name: str, request: Message, who: str = "payer") -> Fault:
    return await results.awards.fault(name, request, subject=who)


async def superseding(
    results: Results, former: evidence_pb2.Evidence, content: str
) -> evidence_pb2.Evidence:
    """A newer version of a piece of evidence, that nobody has judged yet."""
    bench = results.bench
    newer = evidence_pb2.Evidence(
        project_id=former.project_id,
        criterion=former.criterion,
        kind=former.kind,
        title=former.title,
        reference=evidence_pb2.EvidenceReference(
            uri=former.reference.uri, sha256=hashlib.sha256(content.encode()).hexdigest()
        ),
        supersedes_id=former.id,
    )
    request = evidence_pb2.CreateEvidenceRequest(evidence=newer, idempotency_key=bench.key())
    answer = await bench.criteria.call("CreateEvidence", request, subject="kian")
    return cast("evidence_pb2.Evidence", answer)


async def judged(results: Results, verb: str, at: evidence_pb2.Evidence) -> evidence_pb2.Evidence:
    request = evidence_pb2.EvidenceStepRequest(
        evidence_id=at.id, etag=at.etag, reason="As it is.", idempotency_key=results.bench.key()
    )
    answer = await results.bench.criteria.call(f"{verb}Evidence", request, subject="verifier")
    return cast("evidence_pb2.Evidence", answer)


async def met_with(results: Results, piece: evidence_pb2.Evidence) -> pb.Award:
    made = await results.give(award(piece.project_id))
    report = results.report(made, evidence_ids=[piece.id])
    told = await results.do("ReportMilestone", report, "reporter")
    return await results.do("MeetMilestone", results.about(told), "checker")


async def test_a_newer_version_that_waits_holds_no_money_up(results: Results) -> None:
    made = await results.bench.create(project(await results.bench.center()))
    first = await results.bench.verified(made.id, CRITERION)
    met = await met_with(results, first)
    second = await superseding(results, first, "second")
    await superseding(results, second, "third")
    assert "release-tranche" in (await results.read(met.id)).allowed_actions
    assert (await results.do("ReleaseTranche", results.release(met))).released == money("60")


async def test_a_newer_version_that_is_rejected_holds_money_until_one_holds(
    results: Results,
) -> None:
    made = await results.bench.create(project(await results.bench.center()))
    first = await results.bench.verified(made.id, CRITERION)
    met = await met_with(results, first)
    second = await judged(results, "Reject", await superseding(results, first, "second"))
    refusal = {"evidence_id": first.id, "state": "rejected"}
    fault = await refused(results, "ReleaseTranche", results.release(met))
    assert (fault.reason, fault.params) == ("EVIDENCE_NOT_VERIFIED", refusal)
    # What takes the place of what was rejected has to be looked at before it counts.
    third = await superseding(results, second, "third")
    fault = await refused(results, "ReleaseTranche", results.release(met))
    assert (fault.reason, fault.params) == ("EVIDENCE_NOT_VERIFIED", refusal)
    assert await results.count(tables.disbursement) == 0
    await judged(results, "Verify", third)
    assert (await results.do("ReleaseTranche", results.release(met))).released == money("60")


async def test_a_milestone_is_confirmed_by_the_newest_version_of_its_evidence(
    results: Results,
) -> None:
    made = await results.bench.create(project(await results.bench.center()))
    first = await results.bench.verified(made.id, CRITERION)
    report = results.report(await results.give(award(made.id)), evidence_ids=[first.id])
    told = await results.do("ReportMilestone", report, "reporter")
    second = await superseding(results, first, "second")
    assert "meet-milestone" not in (await results.read(told.id)).allowed_actions
    fault = await refused(results, "MeetMilestone", results.about(told), "checker")
    assert fault.params == {"evidence_id": first.id, "state": "submitted"}
    await judged(results, "Verify", second)
    met = await results.do("MeetMilestone", results.about(told), "checker")
    assert met.milestones[0].confirmed_by == "checker"
