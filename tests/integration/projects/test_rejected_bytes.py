"""What was rejected does not come back as new evidence, nor past its rejection."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from peyvand.projects.v1 import evidence_pb2
from projects.repository.projects import projects
from servicekit.database import WriteSession
from servicekit.errors import Fault
from tests.integration.projects.conftest import ProjectsBench, at_s1, back_in_s1
from tests.support.criteria import (
    OMID,
    SARA,
    CriteriaBench,
    reference,
    states,
    step_of,
)
from tests.support.messaging import eventually
from tests.support.rpc import rules_broken

OTHER = reference(sha256="b" * 64)
ARGUED: dict[str, Any] = {
    "resubmission_reason": "It was taken for the draft; it is the signed report."
}


async def rejected(criteria: CriteriaBench, project_id: str) -> evidence_pb2.Evidence:
    submitted = await criteria.submit(project_id, "prior-art")
    return await criteria.step("Reject", submitted, reason="Another study.")


async def test_the_same_bytes_are_refused_in_the_same_visit(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    piece = await rejected(criteria, made.id)
    again = criteria.submission(made.id, "prior-art")
    fault = await criteria.fault("CreateEvidence", again)
    assert (fault.reason, fault.params) == ("REJECTED_BEFORE", {"id": piece.id})
    # Neither in place of the rejected piece without a word, nor by words in place of nothing.
    silent = criteria.submission(made.id, "prior-art", supersedes_id=piece.id)
    assert (await criteria.fault("CreateEvidence", silent)).reason == "REJECTED_BEFORE"
    blank = criteria.submission(
        made.id, "prior-art", supersedes_id=piece.id, resubmission_reason=" "
    )
    assert (await criteria.fault("CreateEvidence", blank)).reason == "REJECTED_BEFORE"
    loose = await criteria.fault(
        "CreateEvidence", criteria.submission(made.id, "prior-art", **ARGUED)
    )
    assert rules_broken(loose) == [("supersedes_id", "REQUIRED")]
    # Other bytes, and the same ones for another criterion, have nothing to do with it.
    await criteria.submit(made.id, "prior-art", reference=OTHER)
    await criteria.submit(made.id, "in-vitro-proof")


async def test_a_piece_that_argues_takes_the_place_of_the_rejected_one(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    piece = await rejected(criteria, made.id)
    argued = await criteria.submit(made.id, "prior-art", supersedes_id=piece.id, **ARGUED)
    assert argued.resubmission_reason == ARGUED["resubmission_reason"]
    assert "verify" in (await read(criteria, argued.id)).allowed_actions
    assert states(await criteria.next_gate(made.id))["prior-art"] == "submitted"
    await criteria.step("Verify", argued)
    assert states(await criteria.next_gate(made.id))["prior-art"] == "verified"


async def read(criteria: CriteriaBench, id: str) -> evidence_pb2.Evidence:
    return await criteria.call("GetEvidence", evidence_pb2.GetEvidenceRequest(evidence_id=id), OMID)


async def test_a_rejection_is_not_hidden_by_what_took_its_place(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    piece = await rejected(criteria, made.id)
    await criteria.submit(made.id, "prior-art", supersedes_id=piece.id, reference=OTHER)
    fault = await criteria.fault("CreateEvidence", criteria.submission(made.id, "prior-art"))
    assert (fault.reason, fault.params) == ("REJECTED_BEFORE", {"id": piece.id})


async def test_a_copy_that_waits_is_not_verified_past_the_rejection(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    first = await criteria.submit(made.id, "prior-art")
    copy = await criteria.submit(made.id, "prior-art", OMID)
    await criteria.step("Reject", first, reason="Another study.")
    fault = await criteria.fault("VerifyEvidence", step_of(copy), SARA)
    assert (fault.reason, fault.params) == ("REJECTED_BEFORE", {"id": first.id})
    seen = await criteria.call(
        "GetEvidence", evidence_pb2.GetEvidenceRequest(evidence_id=copy.id), SARA
    )
    assert list(seen.allowed_actions) == ["reject"]
    listed = await criteria.call(
        "ListEvidence", evidence_pb2.ListEvidenceRequest(project_id=made.id), SARA
    )
    shown = {item.id: list(item.allowed_actions) for item in listed.evidence}
    assert shown == {first.id: [], copy.id: ["reject"]}


async def test_what_held_before_is_not_confirmed_past_a_rejection_in_this_visit(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    (old,) = await criteria.verified(made.id, "prior-art")
    await back_in_s1(bench, criteria, made)
    copy = await criteria.submit(made.id, "prior-art")
    assert "reconfirm" in (await read(criteria, old.id)).allowed_actions
    await criteria.step("Reject", copy, reason="It does not hold any more.")
    fault = await criteria.fault("ReconfirmEvidence", step_of(old), OMID)
    assert (fault.reason, fault.params) == ("REJECTED_BEFORE", {"id": copy.id})
    assert list((await read(criteria, old.id)).allowed_actions) == ["reject"]
    # And what was never found to hold is not confirmed at all.
    fault = await criteria.fault("ReconfirmEvidence", step_of(await read(criteria, copy.id)), OMID)
    assert fault.reason == "ILLEGAL_TRANSITION"


async def test_another_visit_looks_at_the_bytes_anew(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    await rejected(criteria, made.id)
    await back_in_s1(bench, criteria, made)
    again = await criteria.submit(made.id, "prior-art")
    await criteria.step("Verify", again)
    assert states(await criteria.next_gate(made.id))["prior-art"] == "verified"


async def test_a_rejection_in_a_later_visit_than_the_piece_counts_for_that_visit(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    (old,) = await criteria.verified(made.id, "prior-art")
    await back_in_s1(bench, criteria, made)
    await criteria.step("Reject", old, reason="It does not hold any more.")
    fault = await criteria.fault("CreateEvidence", criteria.submission(made.id, "prior-art"))
    assert (fault.reason, fault.params) == ("REJECTED_BEFORE", {"id": old.id})


@pytest.mark.parametrize("kind", ["file", "reference"])
async def test_a_file_and_a_reference_with_the_same_bytes_are_the_same(
    bench: ProjectsBench, criteria: CriteriaBench, kind: str
) -> None:
    made = await at_s1(bench)
    file = await criteria.file(b"the same bytes")
    there: dict[str, dict[str, Any]] = {
        "file": {"file": file},
        "reference": {"reference": reference(sha256=file.sha256)},
    }
    first = await criteria.submit(made.id, "prior-art", **there.pop(kind))
    await criteria.step("Reject", first, reason="Another study.")
    ((_, other),) = there.items()
    request = criteria.submission(made.id, "prior-art", **other)
    assert (await criteria.fault("CreateEvidence", request)).reason == "REJECTED_BEFORE"


async def test_a_rejection_and_a_verification_of_a_copy_at_once_do_not_pass_each_other(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    outcomes: Counter[str] = Counter()
    for round in range(8):
        made = await at_s1(bench)
        first = await criteria.submit(made.id, "prior-art")
        copy = await criteria.submit(made.id, "prior-art")

        async def verify(at: evidence_pb2.Evidence = copy, pause: float = round / 1000) -> str:
            await asyncio.sleep(pause)
            try:
                await criteria.step("Verify", at)
            except Fault as fault:
                return fault.reason
            return "verified"

        outcome, _ = await asyncio.gather(
            verify(), criteria.step("Reject", first, reason="Another study.")
        )
        outcomes[outcome] += 1
        async with bench.database.read() as session:
            assert (await projects.get(session, made.id)).version == 1
    assert set(outcomes) <= {"verified", "REJECTED_BEFORE"}, outcomes


async def test_who_brings_it_again_waits_for_a_rejection_under_way(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    piece = await criteria.submit(made.id, "prior-art")
    locked, go_on = asyncio.Event(), asyncio.Event()

    async def hold(session: WriteSession) -> None:
        await projects.lock(session, made.id)
        locked.set()
        await go_on.wait()

    holding = asyncio.create_task(bench.database.write(hold))
    await locked.wait()
    rejecting = asyncio.create_task(criteria.step("Reject", piece, reason="Another study."))

    async def waits() -> bool:
        async with bench.database.engine.connect() as connection:
            query = (
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            return (await connection.exec_driver_sql(query)).scalar_one() >= waiting

    waiting = 1
    await eventually(waits)
    again = asyncio.create_task(
        criteria.fault("CreateEvidence", criteria.submission(made.id, "prior-art"))
    )
    waiting = 2
    await eventually(waits)
    go_on.set()
    await asyncio.gather(holding, rejecting)
    assert (await again).reason == "REJECTED_BEFORE"
