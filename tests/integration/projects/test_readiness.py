"""Claims of readiness, tried over gRPC against a real database."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import decisions_pb2, evidence_pb2, gates_pb2, projects_pb2
from peyvand.projects.v1 import readiness_pb2 as pb
from projects.api.readiness import readiness_api
from projects.tables import readiness_claim
from servicekit.errors import Fault
from servicekit.ids import new_id
from servicekit.object_store import ObjectStore
from tests.integration.projects.conftest import KILL, ProjectsBench, project
from tests.support.criteria import OMID, serve_criteria
from tests.support.cut_off import killed_at_each_statement
from tests.support.messaging import count
from tests.support.rpc import RpcBench, outbox, rules_broken

TEAM = pb.READINESS_DIMENSION_TEAM
TECHNOLOGY = pb.READINESS_DIMENSION_TECHNOLOGY
SHOWN = types_pb2.LocalizedText(en="Two have joined.", fa="دو نفر پیوسته‌اند.")


@dataclass
class Claims:
    """Short ways to claim, and to decide on claims."""

    bench: ProjectsBench
    rpc: RpcBench

    def given(
        self, project_id: str, level: int = 1, **values: Any
    ) -> pb.CreateReadinessClaimRequest:
        made: dict[str, Any] = {"dimension": TEAM, "statement": SHOWN}
        claim = pb.ReadinessClaim(project_id=project_id, level=level, **(made | values))
        return pb.CreateReadinessClaimRequest(
            readiness_claim=claim, idempotency_key=self.bench.key()
        )

    async def make(
        self,
        project_id: str,
        level: int = 1,
        role: str = "center_admin",
        *,
        center_ids: Sequence[str] = (),
        **values: Any,
    ) -> pb.ReadinessClaim:
        request = self.given(project_id, level, **values)
        answer = await self.rpc.call("CreateReadinessClaim", request, role, center_ids=center_ids)
        return cast("pb.ReadinessClaim", answer)

    def step(self, at: pb.ReadinessClaim, reason: str = "") -> pb.ReadinessClaimStepRequest:
        return pb.ReadinessClaimStepRequest(
            readiness_claim_id=at.id,
            etag=at.etag,
            reason=reason,
            idempotency_key=self.bench.key(),
        )

    async def take(
        self, verb: str, at: pb.ReadinessClaim, reason: str = "", **who: Any
    ) -> pb.ReadinessClaim:
        answer = await self.rpc.call(f"{verb}ReadinessClaim", self.step(at, reason), **who)
        return cast("pb.ReadinessClaim", answer)

    async def refused(
        self, verb: str, at: pb.ReadinessClaim, reason: str = "", **who: Any
    ) -> Fault:
        return await self.rpc.fault(f"{verb}ReadinessClaim", self.step(at, reason), **who)

    async def levels(self, project_id: str) -> dict[int, tuple[int, int]]:
        """Claimed and verified level of each dimension that has any."""
        found = await self.readiness(project_id)
        return {
            item.dimension: (item.claimed_level, item.verified_level)
            for item in found.dimensions
            if item.claimed_level
        }

    async def readiness(self, project_id: str, **who: Any) -> pb.ProjectReadiness:
        request = pb.GetProjectReadinessRequest(project_id=project_id)
        answer = await self.rpc.call("GetProjectReadiness", request, **who)
        return cast("pb.ProjectReadiness", answer)


@pytest.fixture
def claims(bench: ProjectsBench, readiness: RpcBench) -> Claims:
    return Claims(bench, readiness)


async def test_levels_are_claimed_by_one_and_verified_by_another(
    bench: ProjectsBench, claims: Claims
) -> None:
    lead = await bench.center()
    made = await bench.create(project(lead))
    own: dict[str, Any] = {"center_ids": [lead]}
    first = await claims.make(made.id, 1, **own)
    assert (first.state, first.claimed_by) == (
        pb.READINESS_CLAIM_STATE_CLAIMED,
        "local:center_admin",
    )
    assert (first.scale_version, first.statement) == ("1", SHOWN)
    assert list(first.allowed_actions) == ["withdraw"]
    second = await claims.make(made.id, 2, **own)
    await claims.make(made.id, 4, **own)
    assert await claims.levels(made.id) == {TEAM: (2, 0)}
    for at in (first, second):
        verified = await claims.take("Verify", at)
        assert verified.state == pb.READINESS_CLAIM_STATE_VERIFIED
        assert list(verified.allowed_actions) == ["reject", "withdraw"]
    assert await claims.levels(made.id) == {TEAM: (2, 2)}
    third = await claims.make(made.id, 3, **own)
    assert await claims.levels(made.id) == {TEAM: (4, 2)}

    found = await claims.readiness(made.id)
    assert [item.dimension for item in found.dimensions] == list(range(1, 9))
    team = found.dimensions[TEAM - 1]
    assert [(gap.level, gap.need, bool(gap.readiness_claim_id)) for gap in team.missing] == [
        (3, pb.READINESS_NEED_VERIFICATION, True),
        (4, pb.READINESS_NEED_VERIFICATION, True),
        (5, pb.READINESS_NEED_CLAIM, False),
    ]
    gap = team.missing[0]
    assert gap.readiness_claim_id == third.id
    assert gap.description.en == "The scientific skills are there"
    for text in (gap.what.en, gap.what.fa):
        assert "3" in text
        assert "{" not in text
    assert gap.description.en in gap.what.en
    assert gap.description.fa in gap.what.fa

    # It falls: the level below does not hold any more.
    now = cast(
        "pb.ReadinessClaim",
        await claims.rpc.call(
            "GetReadinessClaim", pb.GetReadinessClaimRequest(readiness_claim_id=second.id)
        ),
    )
    fallen = await claims.take("Withdraw", now, "Not reproduced elsewhere.")
    assert (fallen.state_reason, list(fallen.allowed_actions)) == ("Not reproduced elsewhere.", [])
    assert await claims.levels(made.id) == {TEAM: (1, 1)}
    told = [kind.rpartition(".")[2] for kind, id, _ in await outbox(bench.database) if id == now.id]
    assert told == ["created", "verified", "withdrawn"]
    answer = await claims.rpc.call(
        "ListReadinessClaimSteps", pb.ListReadinessClaimStepsRequest(readiness_claim_id=now.id)
    )
    steps = cast("pb.ListReadinessClaimStepsResponse", answer).steps
    assert [(step.action, step.actor) for step in steps] == [
        ("created", "local:center_admin"),
        ("verified", "local:hq_admin"),
        ("withdrawn", "local:hq_admin"),
    ]
    # What was withdrawn can be claimed anew.
    await claims.make(made.id, 2, **own)
    assert await claims.levels(made.id) == {TEAM: (4, 1)}


async def test_nobody_verifies_or_rejects_the_own_claim(
    bench: ProjectsBench, claims: Claims
) -> None:
    made = await bench.create(project(await bench.center()))
    own = await claims.make(made.id, role="hq_admin")
    assert list(own.allowed_actions) == ["withdraw"]
    for verb in ("Verify", "Reject"):
        fault = await claims.refused(verb, own, "It holds.")
        assert fault.reason == "CLAIMED_BY_YOURSELF"
    other = claims.rpc._issuer.mint("hq_admin", sub="somebody else")
    assert (await claims.take("Verify", own, token=other)).state == (
        pb.READINESS_CLAIM_STATE_VERIFIED
    )


async def test_saying_no_takes_a_reason_and_what_is_settled_stays(
    bench: ProjectsBench, claims: Claims
) -> None:
    lead = await bench.center()
    made = await bench.create(project(lead))
    at = await claims.make(made.id, center_ids=[lead])
    for verb in ("Reject", "Withdraw"):
        fault = await claims.refused(verb, at)
        assert [item.reason for item in fault.violations] == ["REASON_REQUIRED"]
    rejected = await claims.take("Reject", at, "One donor is not three.")
    assert await claims.levels(made.id) == {}
    for verb in ("Verify", "Reject", "Withdraw"):
        fault = await claims.refused(verb, rejected, "Again.")
        assert (fault.reason, fault.params["allowed"]) == ("ILLEGAL_TRANSITION", "-")
        assert (await claims.refused(verb, at, "Again.")).reason == "STALE_ETAG"


async def test_a_claim_keeps_the_rules(bench: ProjectsBench, claims: Claims) -> None:
    lead = await bench.center()
    made = await bench.create(project(lead))

    async def broken(**values: Any) -> list[tuple[str, str]]:
        request = claims.given(made.id, **values)
        fault = await claims.rpc.fault("CreateReadinessClaim", request)
        return rules_broken(fault) or [("", fault.reason)]

    assert await broken(statement=None) == [("statement", "READINESS_NOT_SHOWN")]
    assert await broken(dimension=TECHNOLOGY) == [("evidence_ids", "READINESS_NEEDS_EVIDENCE")]
    unknown = new_id("evd")
    assert await broken(evidence_ids=[unknown]) == [("evidence_ids[0]", "UNKNOWN_REFERENCE")]
    assert await broken(evidence_ids=[unknown, unknown]) == [("evidence_ids[1]", "DUPLICATE")]
    for level in (0, 10, -1):
        ((field, reason),) = await broken(level=level)
        assert field.endswith("level")
        assert reason in ("OUT_OF_RANGE", "REQUIRED")
    ((field, _),) = await broken(dimension=0)
    assert field.endswith("dimension")
    ((_, reason),) = await broken(statement=types_pb2.LocalizedText(en="Donor 0012345679"))
    assert reason == "PERSONAL_DATA"
    first = await claims.make(made.id, role="hq_admin", external_key="rdc-1")
    fault = await claims.rpc.fault("CreateReadinessClaim", claims.given(made.id))
    assert (fault.reason, fault.params) == ("LEVEL_CLAIMED_ALREADY", {"level": "1", "id": first.id})
    assert await broken(level=2, external_key="rdc-1") == [("", "EXTERNAL_KEY_TAKEN")]
    assert await count(bench.database.engine, readiness_claim) == 1


async def test_evidence_shows_a_level_of_its_own_project_alone(
    bench: ProjectsBench, claims: Claims, tmp_path: Path
) -> None:
    made = await bench.create(project(await bench.center()))
    other = await bench.create(project(await bench.center()))
    async with serve_criteria(bench.database, ObjectStore.in_folder(tmp_path)) as criteria:
        own = await criteria.submit(made.id, "disclosure", OMID)
        foreign = await criteria.submit(other.id, "disclosure", OMID)
    request = claims.given(made.id, statement=None, evidence_ids=[own.id, foreign.id])
    fault = await claims.rpc.fault("CreateReadinessClaim", request)
    assert rules_broken(fault) == [("evidence_ids[1]", "UNKNOWN_REFERENCE")]
    claim = await claims.make(made.id, role="hq_admin", statement=None, evidence_ids=[own.id])
    assert list(claim.evidence_ids) == [own.id]
    assert not claim.HasField("statement")


async def test_a_claim_is_verified_once_the_evidence_that_it_names_is(
    bench: ProjectsBench, claims: Claims
) -> None:
    lead = await bench.center()
    made = await bench.create(project(lead))
    first = await bench.verified(made.id, "disclosure")
    second = await bench.evidence(made.id, "unmet-need")
    shown: dict[str, Any] = {"dimension": TECHNOLOGY, "evidence_ids": [first.id, second.id]}
    at = await claims.make(made.id, center_ids=[lead], **shown)
    waits = await claims.refused("Verify", at)
    assert (waits.reason, waits.params) == (
        "EVIDENCE_NOT_VERIFIED",
        {"evidence_id": second.id, "state": "submitted"},
    )
    step = evidence_pb2.EvidenceStepRequest(
        evidence_id=second.id, etag=second.etag, idempotency_key=bench.key()
    )
    await bench.criteria.call("VerifyEvidence", step, subject="verifier")
    # What held at first and was rejected since holds no claim either.
    no = evidence_pb2.EvidenceStepRequest(
        evidence_id=first.id, etag=first.etag, reason="No.", idempotency_key=bench.key()
    )
    await bench.criteria.call("RejectEvidence", no, subject="verifier")
    assert (await claims.refused("Verify", at)).params["state"] == "rejected"
    assert await claims.levels(made.id) == {TECHNOLOGY: (1, 0)}
    await claims.take("Withdraw", at, "Shown anew.", role="center_admin", center_ids=[lead])
    again = await claims.make(
        made.id, center_ids=[lead], dimension=TECHNOLOGY, evidence_ids=[second.id]
    )
    await claims.take("Verify", again)
    assert await claims.levels(made.id) == {TECHNOLOGY: (1, 1)}


async def test_a_level_falls_with_the_evidence_that_it_was_verified_by(
    bench: ProjectsBench, claims: Claims
) -> None:
    lead = await bench.center()
    made = await bench.create(project(lead))
    piece = await bench.verified(made.id, "disclosure")
    shown: dict[str, Any] = {"dimension": TECHNOLOGY, "center_ids": [lead]}
    at = await claims.make(made.id, evidence_ids=[piece.id], **shown)
    verified = await claims.take("Verify", at)
    assert await claims.levels(made.id) == {TECHNOLOGY: (1, 1)}
    no = evidence_pb2.EvidenceStepRequest(
        evidence_id=piece.id, etag=piece.etag, reason="No.", idempotency_key=bench.key()
    )
    await bench.criteria.call("RejectEvidence", no, subject="verifier")
    assert await claims.levels(made.id) == {TECHNOLOGY: (1, 0)}
    found = (await claims.readiness(made.id)).dimensions[TECHNOLOGY - 1]
    gap = found.missing[0]
    assert (gap.level, gap.need) == (1, pb.READINESS_NEED_OTHER_EVIDENCE)
    assert gap.readiness_claim_id == at.id
    assert gap.description.en in gap.what.en
    # The claim makes room for one that is shown by something else.
    rejected = await claims.take("Reject", verified, "Its evidence was rejected.")
    assert rejected.state == pb.READINESS_CLAIM_STATE_REJECTED
    other = await bench.verified(made.id, "disclosure", content="again")
    again = await claims.make(made.id, evidence_ids=[other.id], **shown)
    await claims.take("Verify", again)
    assert await claims.levels(made.id) == {TECHNOLOGY: (1, 1)}


async def test_a_verification_and_a_rejection_of_its_evidence_at_once_agree(
    bench: ProjectsBench, claims: Claims
) -> None:
    lead = await bench.center()
    made = await bench.create(project(lead))
    outcomes: Counter[str] = Counter()
    for level in range(1, 10):
        piece = await bench.verified(made.id, "disclosure", content=f"disclosure {level}")
        at = await claims.make(
            made.id, level, center_ids=[lead], dimension=TECHNOLOGY, evidence_ids=[piece.id]
        )
        no = evidence_pb2.EvidenceStepRequest(
            evidence_id=piece.id, etag=piece.etag, reason="No.", idempotency_key=bench.key()
        )

        async def verify(at: pb.ReadinessClaim = at) -> str:
            try:
                await claims.take("Verify", at)
            except Fault as fault:
                return fault.reason
            return "verified"

        _, outcome = await asyncio.gather(
            bench.criteria.call("RejectEvidence", no, subject="verifier"), verify()
        )
        outcomes[outcome] += 1
        # Whichever came second found what the first had done, in the order of the outbox.
        events = [kind.rpartition(".")[2] for kind, *_ in (await outbox(bench.database))[-2:]]
        if outcome == "verified":
            assert events == ["verified", "rejected"]
        else:
            assert events[-1] == "rejected"
    assert set(outcomes) <= {"verified", "EVIDENCE_NOT_VERIFIED"}, outcomes


async def test_who_reviews_a_project_reads_its_claims_and_makes_none(
    bench: ProjectsBench, claims: Claims
) -> None:
    lead, elsewhere = await bench.center(), await bench.center()
    made = await bench.create(project(lead))
    at = await claims.make(made.id, center_ids=[lead])
    reviewer: dict[str, Any] = {
        "role": "center_admin",
        "center_ids": [elsewhere],
        "subject": "dana",
    }
    get = pb.GetReadinessClaimRequest(readiness_claim_id=at.id)
    listing = pb.ListReadinessClaimsRequest(project_id=made.id)
    steps = pb.ListReadinessClaimStepsRequest(readiness_claim_id=at.id)
    assert (await claims.rpc.fault("GetReadinessClaim", get, **reviewer)).reason == "NOT_FOUND"
    gate = await bench.open_gate(made.id, "dana")
    gate = await bench.declare(gate.id, "dana")
    read = cast("pb.ReadinessClaim", await claims.rpc.call("GetReadinessClaim", get, **reviewer))
    assert list(read.allowed_actions) == []
    answer = await claims.rpc.call("ListReadinessClaims", listing, **reviewer)
    listed = cast("pb.ListReadinessClaimsResponse", answer).readiness_claims
    assert [(item.id, list(item.allowed_actions)) for item in listed] == [(at.id, [])]
    await claims.rpc.call("ListReadinessClaimSteps", steps, **reviewer)
    for name, request in {
        "CreateReadinessClaim": claims.given(made.id, 2),
        "WithdrawReadinessClaim": claims.step(at, "In error."),
    }.items():
        assert (await claims.rpc.fault(name, request, **reviewer)).reason == "NOT_FOUND", name
    withdraw = gates_pb2.GateStepRequest(
        gate_id=gate.id, etag=gate.etag, reason="Later.", idempotency_key=bench.key()
    )
    await bench.gates.call("WithdrawGate", withdraw)
    assert (await claims.rpc.fault("GetReadinessClaim", get, **reviewer)).reason == "NOT_FOUND"
    answer = await claims.rpc.call("ListReadinessClaims", listing, **reviewer)
    assert not cast("pb.ListReadinessClaimsResponse", answer).readiness_claims


async def test_the_readiness_of_a_killed_project_stays_as_it_was(
    bench: ProjectsBench, claims: Claims
) -> None:
    lead = await bench.center()
    made = await bench.create(project(lead))
    at = await claims.make(made.id, center_ids=[lead])
    await bench.decide(made, decisions_pb2.DECISION_KIND_KILL, kill=KILL)
    fault = await claims.rpc.fault("CreateReadinessClaim", claims.given(made.id, 2))
    assert (fault.reason, fault.params) == ("READINESS_IS_FINAL", {"state": "killed"})
    for verb in ("Verify", "Reject", "Withdraw"):
        assert (await claims.refused(verb, at, "Late.")).reason == "READINESS_IS_FINAL"
    assert await claims.levels(made.id) == {TEAM: (1, 0)}
    request = pb.GetReadinessClaimRequest(readiness_claim_id=at.id)
    answer = cast("pb.ReadinessClaim", await claims.rpc.call("GetReadinessClaim", request))
    assert list(answer.allowed_actions) == []


async def test_what_is_of_a_project_is_seen_by_those_who_see_the_project(
    bench: ProjectsBench, claims: Claims
) -> None:
    lead, part, stranger = await bench.center(), await bench.center(), await bench.center()
    made = await bench.create(
        project(lead, participants=[projects_pb2.ProjectParticipant(center_id=part)])
    )
    at = await claims.make(made.id, center_ids=[lead])
    foreign: dict[str, Any] = {"role": "center_admin", "center_ids": [stranger]}
    reads = {
        "GetProjectReadiness": pb.GetProjectReadinessRequest(project_id=made.id),
        "GetReadinessClaim": pb.GetReadinessClaimRequest(readiness_claim_id=at.id),
        "ListReadinessClaimSteps": pb.ListReadinessClaimStepsRequest(readiness_claim_id=at.id),
        "CreateReadinessClaim": claims.given(made.id, 2),
        "WithdrawReadinessClaim": claims.step(at, "Mine."),
    }
    for name, request in reads.items():
        assert (await claims.rpc.fault(name, request, **foreign)).reason == "NOT_FOUND", name
    for verb in ("Verify", "Reject"):
        assert (await claims.refused(verb, at, "No.", **foreign)).reason == "PERMISSION_DENIED"

    async def listed(role: str, center: str = "", **filters: Any) -> list[tuple[str, list[str]]]:
        request = pb.ListReadinessClaimsRequest(**filters)
        who = [center] if center else []
        answer = await claims.rpc.call("ListReadinessClaims", request, role, center_ids=who)
        found = cast("pb.ListReadinessClaimsResponse", answer).readiness_claims
        return [(item.id, list(item.allowed_actions)) for item in found]

    assert await listed("center_operator", stranger) == []
    assert await listed("center_operator", part) == [(at.id, ["withdraw"])]
    assert await listed("hq_analyst") == [(at.id, [])]
    assert await listed("hq_admin") == [(at.id, ["verify", "reject", "withdraw"])]
    assert await listed("hq_admin", project_id=made.id, dimension=TEAM, state=1)
    nowhere: list[dict[str, Any]] = [
        {"project_id": new_id("prj")},
        {"dimension": pb.READINESS_DIMENSION_FUNDING},
        {"state": pb.READINESS_CLAIM_STATE_VERIFIED},
        {"external_key": "rdc-1"},
    ]
    for nothing in nowhere:
        assert await listed("hq_admin", **nothing) == []
    # Who takes part may claim, and take back what holds no more.
    by_part = await claims.make(made.id, 2, role="center_operator", center_ids=[part])
    who: dict[str, Any] = {"role": "center_admin", "center_ids": [part]}
    assert (await claims.take("Withdraw", by_part, "In error.", **who)).etag == "v2"


async def test_the_scale_is_told_in_both_languages(bench: ProjectsBench, claims: Claims) -> None:
    answer = await claims.rpc.call(
        "GetReadinessScale", pb.GetReadinessScaleRequest(version="newest"), "center_operator"
    )
    found = cast("pb.ReadinessScale", answer)
    assert found.version == "1"
    assert Counter(item.dimension for item in found.levels) == dict.fromkeys(range(1, 9), 9)
    assert all(item.description.en and item.description.fa for item in found.levels)
    for version in ("2", "0"):
        request = pb.GetReadinessScaleRequest(version=version)
        assert (await claims.rpc.fault("GetReadinessScale", request)).reason == "NOT_FOUND"


async def test_a_level_that_two_claim_at_once_is_claimed_once(
    bench: ProjectsBench, claims: Claims
) -> None:
    made = await bench.create(project(await bench.center()))
    for level in range(1, 10):
        requests = [claims.given(made.id, level) for _ in range(4)]
        calls = (claims.rpc.call("CreateReadinessClaim", request) for request in requests)
        found = await asyncio.gather(*calls, return_exceptions=True)
        reasons = Counter(item.reason if isinstance(item, Fault) else "" for item in found)
        assert reasons == {"": 1, "LEVEL_CLAIMED_ALREADY": 3}
    assert await claims.levels(made.id) == {TEAM: (9, 0)}
    # Not even a mistake of the service could have made it two.
    async with bench.database.engine.begin() as connection:
        kept = [c for c in readiness_claim.columns if c.name not in ("id", "external_key")]
        copy = sa.insert(readiness_claim).from_select(
            ["id", *(column.name for column in kept)],
            sa.select(sa.literal("rdc_x"), *kept).limit(1),
        )
        with pytest.raises(exc.IntegrityError, match="ux_readiness_claim_standing"):
            await connection.execute(copy)


async def test_a_claim_that_two_decide_at_once_is_decided_once(
    bench: ProjectsBench, claims: Claims
) -> None:
    lead = await bench.center()
    made = await bench.create(project(lead))
    decided = 0
    for level in range(1, 10):
        at = await claims.make(made.id, level, center_ids=[lead])
        found = await asyncio.gather(
            claims.take("Verify", at),
            claims.take("Reject", at, "No."),
            claims.take("Withdraw", at, "In error.", role="center_admin", center_ids=[lead]),
            return_exceptions=True,
        )
        reasons = Counter(item.reason if isinstance(item, Fault) else "" for item in found)
        assert reasons == {"": 1, "STALE_ETAG": 2}
        decided += reasons[""]
    assert decided == 9
    assert len(await outbox(bench.database)) == 1 + 9 + 9


async def test_a_claim_meets_the_end_of_its_project_before_it_or_after_it(
    bench: ProjectsBench, claims: Claims
) -> None:
    lead = await bench.center()
    outcomes: Counter[str] = Counter()
    for round in range(12):
        made = await bench.create(project(lead))

        async def claim(id: str = made.id, pause: float = round / 1000) -> str:
            await asyncio.sleep(pause)
            try:
                await claims.make(id, center_ids=[lead])
            except Fault as fault:
                return fault.reason
            return ""

        reason, _ = await asyncio.gather(
            claim(), bench.decide(made, decisions_pb2.DECISION_KIND_KILL, kill=KILL)
        )
        outcomes[reason] += 1
        assert await claims.levels(made.id) == ({} if reason else {TEAM: (1, 0)})
    assert set(outcomes) <= {"", "READINESS_IS_FINAL"}, outcomes


async def test_an_abort_at_any_statement_leaves_no_half_claim(
    bench: ProjectsBench, claims: Claims
) -> None:
    made = await bench.create(project(await bench.center()))
    service = pb.DESCRIPTOR.services_by_name["Readiness"]
    request = claims.given(made.id)
    killed = 0
    async for attempt in killed_at_each_statement(
        bench.url, service, readiness_api, lambda rpc: rpc.call("CreateReadinessClaim", request)
    ):
        if not attempt.whole:
            killed += 1
            found = await count(bench.database.engine, readiness_claim)
            assert found == 0, f"statement {attempt.at}"
            assert len(await outbox(bench.database)) == 1
    assert killed >= 6
    assert await claims.levels(made.id) == {TEAM: (1, 0)}
    assert len(await outbox(bench.database)) == 2
