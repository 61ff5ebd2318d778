"""Gates, tried over gRPC against a real database: by the API, by races, by a crash in between."""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest
import sqlalchemy as sa
import sqlalchemy.exc

from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import decisions_pb2, gates_pb2, panel_pb2, stages_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from projects.use_cases.decisions import decide_project
from servicekit.contract import contract
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.ids import new_id
from servicekit.json_form import to_plain
from servicekit.rpc_server import Call
from tests.integration.projects.conftest import (
    KILL,
    ProjectsBench,
    condition,
    in_days,
    project,
)
from tests.support.cut_off import cut_off_at_each_statement
from tests.support.rpc import outbox, rules_broken

GO = decisions_pb2.DECISION_KIND_GO
CONDITIONAL_GO = decisions_pb2.DECISION_KIND_CONDITIONAL_GO
HOLD = decisions_pb2.DECISION_KIND_HOLD
RECYCLE = decisions_pb2.DECISION_KIND_RECYCLE
KILLED = decisions_pb2.DECISION_KIND_KILL


def found(fault: Fault) -> list[tuple[str, str]]:
    return rules_broken(fault)


async def undecided(bench: ProjectsBench, id: str, kind: Any, **values: Any) -> Fault:
    """Why nothing is decided; fails if something is."""
    request = bench.ruling(await bench.get(id), kind, **values)
    return await bench.rpc.fault("DecideProject", request)


async def decided(bench: ProjectsBench, id: str, kind: Any, **values: Any) -> pb.Project:
    request = bench.ruling(await bench.get(id), kind, **values)
    return cast("pb.Project", await bench.rpc.call("DecideProject", request))


async def unvoted(bench: ProjectsBench, gate_id: str, subject: str, **who: Any) -> str:
    """Why a vote is not taken; fails if it is."""
    request = gates_pb2.VoteAtGateRequest(
        gate_id=gate_id,
        decision=GO,
        reason="It is good.",
        etag=(await bench.gate(gate_id)).etag,
        idempotency_key=bench.key(),
    )
    return (await bench.gates.fault("VoteAtGate", request, subject=subject, **who)).reason


async def test_nobody_argues_around_a_gate(bench: ProjectsBench) -> None:
    made = await bench.create(project(await bench.center()))
    assert (await undecided(bench, made.id, GO)).reason == "GATE_NEEDED"
    gate = await bench.open_gate(made.id, "dana", "mina", "omid")
    assert (gate.quorum, gate.visit, gate.stage) == (2, 1, stages_pb2.STAGE_S0)
    assert list((await bench.get(made.id)).allowed_actions) == ["update"]
    await bench.declare(gate.id, "dana")
    await bench.vote(gate.id, "dana", GO)
    assert (await undecided(bench, made.id, GO)).reason == "QUORUM_NOT_REACHED"
    await bench.declare(gate.id, "mina")
    await bench.propose(gate.id, HOLD)
    await bench.vote(gate.id, "mina", HOLD)
    assert (await undecided(bench, made.id, GO)).reason == "NO_MAJORITY"
    gate = await bench.vote(gate.id, "mina", GO)
    assert (gate.counted_votes, len(gate.votes)) == (2, 2)
    assert (await undecided(bench, made.id, KILLED, kill=KILL)).reason == "NOT_WHAT_WAS_VOTED"
    await bench.satisfy(made.id, but=["ownership", "inventors"])
    # What they have voted on is not what is there now.
    late = await undecided(bench, made.id, GO)
    assert (late.reason, late.params["members"]) == ("VOTES_OUTDATED", "dana, mina")

    async def vote_again() -> None:
        for member in ("dana", "mina"):
            await bench.vote(gate.id, member, GO)

    await vote_again()
    open_still = await undecided(bench, made.id, GO)
    assert (open_still.reason, open_still.params["criteria"]) == (
        "CRITERIA_OPEN",
        "inventors, ownership",
    )
    # Evidence that its own submitter calls good, or that waits, is none.
    await bench.evidence(made.id, "ownership")
    await bench.verified(made.id, "inventors")
    await vote_again()
    assert (await undecided(bench, made.id, GO)).params["criteria"] == "ownership"
    assert (await bench.get(made.id)).stage == stages_pb2.STAGE_S0
    assert await bench.decisions(made.id) == []
    await bench.verified(made.id, "ownership")
    await vote_again()
    assert (await decided(bench, made.id, GO)).stage == stages_pb2.STAGE_S1
    gate = await bench.gate(gate.id, subject="dana")
    (decision,) = await bench.decisions(made.id)
    assert (gate.state, gate.decision_id) == (gates_pb2.GATE_STATE_DECIDED, decision.id)
    assert list(gate.allowed_actions) == []
    assert (await unvoted(bench, gate.id, "dana")) == "ILLEGAL_TRANSITION"
    assert (await undecided(bench, made.id, GO)).reason == "GATE_NEEDED"


async def test_a_decision_is_dated_while_its_gate_is_open(bench: ProjectsBench) -> None:
    made = await bench.create(project(await bench.center()))
    await bench.review(made.id, HOLD)
    opened = in_days(0)
    for day, rule in (
        (in_days(-2), "DECIDED_BEFORE_GATE"),
        ("2020", "DECIDED_BEFORE_GATE"),
        (in_days(3), "DATE_IN_FUTURE"),
    ):
        given = types_pb2.ImpreciseDate(value=day)
        fault = await undecided(bench, made.id, HOLD, decided_date=given)
        assert rules_broken(fault) == [("decided_date.value", rule)]
        # A test that runs over midnight has opened it a day before.
        assert fault.violations[0].params.get("opened", opened) in (opened, in_days(0))
    assert (await bench.get(made.id)).state == pb.PROJECT_STATE_ACTIVE
    await decided(bench, made.id, HOLD, decided_date=types_pb2.ImpreciseDate(value=opened))
    (decision,) = await bench.decisions(made.id)
    assert decision.decided_date.value == opened


async def test_a_decision_can_be_checked_by_whoever_is_given_it(bench: ProjectsBench) -> None:
    made = await bench.create(project(await bench.center()))
    await bench.satisfy(made.id)
    await bench.review(made.id, GO, "dana", "mina")
    await decided(bench, made.id, GO)
    await bench.review(made.id, RECYCLE)
    values = {
        "to_stage": stages_pb2.STAGE_S0,
        "decided_date": types_pb2.ImpreciseDate(value=in_days(0)[:7]),
    }
    await decided(bench, made.id, RECYCLE, **values)
    await bench.review(made.id, KILLED, "omid", "dana")
    await decided(bench, made.id, KILLED, kill=KILL)
    decisions = await bench.decisions(made.id)
    first = decisions[0]
    assert [member.subject for member in first.panel] == ["dana", "mina", "vida"]
    assert {vote.subject: vote.kind for vote in first.votes} == {"dana": GO, "mina": GO}
    assert [item.conflict for item in first.declarations] == [panel_pb2.CONFLICT_NONE] * 2
    assert (first.visit, first.quorum, first.template_version) == (1, 2, "3")
    hashes = {item.code: list(item.evidence_hashes) for item in first.criteria}
    assert hashes["inventors"] == [hashlib.sha256(b"inventors").hexdigest()]
    before = ""
    for decision in decisions:
        plain = says_something(to_plain(decision))
        own = plain.pop("record_hash")
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(text.encode()).hexdigest() == own
        assert decision.previous_hash == before
        before = own


def says_something(value: Any) -> Any:
    """A document of the API without members that are null, empty, false or zero."""
    if isinstance(value, dict):
        members = {name: says_something(item) for name, item in value.items()}
        return {name: item for name, item in members.items() if item}
    return [says_something(item) for item in value] if isinstance(value, list) else value


async def test_of_many_who_open_a_gate_at_once_one_does(bench: ProjectsBench) -> None:
    made = await bench.create(project(await bench.center()))

    async def attempt() -> str:
        try:
            await bench.open_gate(made.id, "dana")
        except Fault as fault:
            return fault.reason
        return "opened"

    outcomes = Counter(await asyncio.gather(*(attempt() for _ in range(8))))
    assert outcomes == {"opened": 1, "GATE_ALREADY_OPEN": 7}
    # Nor can a mistake in this service open a second one.
    copy = (
        "INSERT INTO gate SELECT * FROM jsonb_populate_recordset(NULL::gate,"
        " (SELECT jsonb_agg(to_jsonb(g) || jsonb_build_object('id', 'gat_2')) FROM gate g))"
    )
    async with bench.database.engine.begin() as connection:
        with pytest.raises(sqlalchemy.exc.IntegrityError, match="ix_gate_open"):
            await connection.execute(sa.text(copy))


async def until_fresh(act: Callable[[], Awaitable[Any]]) -> None:
    """Who finds the gate changed since it was read reads it again, as a person would."""
    for _ in range(50):
        try:
            await act()
        except Fault as fault:
            if fault.reason != "STALE_ETAG":
                raise
        else:
            return
    raise AssertionError("always stale")


async def test_votes_that_come_at_once_are_all_kept(bench: ProjectsBench) -> None:
    made = await bench.create(project(await bench.center()))
    members = [f"member-{n}" for n in range(6)]
    gate = await bench.open_gate(made.id, *members)
    await bench.propose(gate.id, HOLD)

    async def vote(subject: str) -> None:
        await until_fresh(lambda: bench.declare(gate.id, subject))
        await until_fresh(lambda: bench.vote(gate.id, subject, HOLD))

    await asyncio.gather(*map(vote, members))
    after = await bench.gate(gate.id)
    assert sorted(item.subject for item in after.votes) == members
    assert after.counted_votes == 6


async def test_a_vote_and_a_decision_at_once_leave_one_truth(bench: ProjectsBench) -> None:
    made = await bench.create(project(await bench.center()))
    await bench.review(made.id, HOLD)
    reviewed = await bench.get(made.id)
    gate = await bench.propose(reviewed.open_gate_id, KILLED)
    request = bench.ruling(reviewed, HOLD, resume_date="2099-01-01")
    turned = gates_pb2.VoteAtGateRequest(
        gate_id=gate.id, decision=KILLED, reason="No.", etag=gate.etag, idempotency_key="turned"
    )
    outcomes = await asyncio.gather(
        bench.rpc.call("DecideProject", request),
        bench.gates.call("VoteAtGate", turned, subject="dana"),
        return_exceptions=True,
    )
    after, decisions = await bench.gate(gate.id), await bench.decisions(made.id)
    (voted,) = (vote for vote in after.votes if vote.subject == "dana")
    if isinstance(outcomes[0], Fault):
        assert outcomes[0].reason == "NO_MAJORITY"
        assert (voted.kind, decisions) == (KILLED, [])
    else:
        assert isinstance(outcomes[1], Fault)
        assert outcomes[1].reason in ("ILLEGAL_TRANSITION", "STALE_ETAG")
        assert {vote.kind for vote in (voted, *decisions[0].votes)} == {HOLD}


async def test_the_team_has_no_vote(bench: ProjectsBench) -> None:
    lead, part, foreign = [await bench.center() for _ in range(3)]
    made = await bench.create(project(lead, participants=[pb.ProjectParticipant(center_id=part)]))
    await bench.evidence(made.id, "inventors", subject="kian")
    gate = await bench.open_gate(made.id, "kian", "dana", "mina", "omid")
    # Who is known to be of the team does not count for the quorum.
    assert gate.quorum == 2
    refused = await bench.gates.fault(
        "CreateGate", bench.opening((await bench.create(project(lead))).id, quorum=4)
    )
    assert found(refused) == [("quorum", "QUORUM_NOT_POSSIBLE")]
    seen = await bench.declare(gate.id, "kian")
    assert list(seen.allowed_actions) == ["declare"]
    assert await unvoted(bench, gate.id, "kian") == "TEAM_HAS_NO_VOTE"
    of_center: dict[str, Any] = {"role": "center_admin", "center_ids": [part]}
    await bench.declare(gate.id, "dana", **of_center)
    assert await unvoted(bench, gate.id, "dana", **of_center) == "TEAM_HAS_NO_VOTE"
    # A token without the center does not make one forget it.
    assert await unvoted(bench, gate.id, "dana") == "TEAM_HAS_NO_VOTE"
    await bench.propose(gate.id, HOLD)
    elsewhere: dict[str, Any] = {"role": "center_operator", "center_ids": [foreign]}
    await bench.declare(gate.id, "mina", **elsewhere)
    await bench.vote(gate.id, "mina", HOLD, **elsewhere)
    await bench.declare(gate.id, "omid")
    gate = await bench.vote(gate.id, "omid", HOLD)
    assert gate.counted_votes == 2
    # Who comes to be of the team after having voted has voted for nothing.
    await bench.evidence(made.id, "ownership", subject="omid")
    assert (await bench.gate(gate.id)).counted_votes == 1
    refusal = await undecided(bench, made.id, HOLD, resume_date="2099-01-01")
    assert (refusal.reason, refusal.params) == (
        "QUORUM_NOT_REACHED",
        {"votes": "1", "quorum": "2"},
    )


async def test_a_conflict_of_interest_takes_the_vote(bench: ProjectsBench) -> None:
    made = await bench.create(project(await bench.center()))
    gate = await bench.open_gate(made.id, "dana", "mina")
    await bench.propose(gate.id, HOLD)
    assert await unvoted(bench, gate.id, "dana") == "DECLARATION_NEEDED"
    await bench.declare(gate.id, "dana", panel_pb2.CONFLICT_FINANCIAL, "Holds shares.")
    assert await unvoted(bench, gate.id, "dana") == "CONFLICT_HAS_NO_VOTE"
    with pytest.raises(Fault, match="CONFLICT_STANDS"):
        await bench.declare(gate.id, "dana")
    await bench.declare(gate.id, "mina")
    gate = await bench.vote(gate.id, "mina", HOLD)
    refusal = await undecided(bench, made.id, HOLD, resume_date="2099-01-01")
    assert refusal.reason == "QUORUM_NOT_REACHED"
    # Another panel is called; the record of the first one stays.
    withdrawn = await bench.withdraw(gate.id, "No quorum.")
    assert withdrawn.state == gates_pb2.GATE_STATE_WITHDRAWN
    assert (await bench.get(made.id)).open_gate_id == ""
    assert (await undecided(bench, made.id, HOLD)).reason == "GATE_NEEDED"
    await bench.review(made.id, HOLD, "omid", "vida")
    await decided(bench, made.id, HOLD, resume_date="2099-01-01")
    (decision,) = await bench.decisions(made.id)
    (told,) = decision.withdrawn_gates
    assert (told.gate_id, told.reason) == (gate.id, "No quorum.")
    assert (told.opened_by, told.withdrawn_by) == ("local:hq_admin", "local:hq_admin")
    assert (told.opened_at, told.withdrawn_at) == (gate.created_at, withdrawn.state_since)
    assert [vote.subject for vote in told.votes] == ["mina"]
    listing = gates_pb2.ListGatesRequest(project_id=made.id)
    page = cast("gates_pb2.ListGatesResponse", await bench.gates.call("ListGates", listing))
    assert [item.state for item in page.gates] == [
        gates_pb2.GATE_STATE_WITHDRAWN,
        gates_pb2.GATE_STATE_DECIDED,
    ]
    steps = gates_pb2.ListGateStepsRequest(gate_id=gate.id)
    page = cast("gates_pb2.ListGateStepsResponse", await bench.gates.call("ListGateSteps", steps))
    assert [(step.action, step.actor) for step in page.steps] == [
        ("created", "local:hq_admin"),
        ("proposed", "local:hq_admin"),
        ("declared", "dana"),
        ("declared", "mina"),
        ("voted", "mina"),
        ("withdrawn", "local:hq_admin"),
    ]


async def test_a_gate_is_seen_with_its_project_and_from_its_panel(bench: ProjectsBench) -> None:
    lead, foreign = await bench.center(), await bench.center()
    made = await bench.create(project(lead))
    gate = await bench.open_gate(made.id, "dana", "mina")
    get = gates_pb2.GetGateRequest(gate_id=gate.id)
    listing = gates_pb2.ListGatesRequest()
    steps = gates_pb2.ListGateStepsRequest(gate_id=gate.id)
    stranger: dict[str, Any] = {"role": "center_admin", "center_ids": [foreign]}
    for name, request in (("GetGate", get), ("ListGateSteps", steps)):
        fault = await bench.gates.fault(name, request, subject="omid", **stranger)
        assert fault.reason == "NOT_FOUND"
        for role, centers, subject in [
            ("hq_analyst", [], "omid"),
            ("center_operator", [lead], "omid"),
            ("center_operator", [foreign], "dana"),
        ]:
            await bench.gates.call(name, request, role, center_ids=centers, subject=subject)
    assert (await unvoted(bench, gate.id, "omid", **stranger)) == "NOT_FOUND"
    assert (await unvoted(bench, gate.id, "omid")) == "NOT_ON_PANEL"
    assert (await unvoted(bench, gate.id, "dana", role="hq_analyst")) == "PERMISSION_DENIED"

    async def listed(**who: Any) -> list[str]:
        page = await bench.gates.call("ListGates", listing, **who)
        return [item.id for item in cast("gates_pb2.ListGatesResponse", page).gates]

    assert await listed(subject="omid", **stranger) == []
    assert await listed(subject="dana", **stranger) == [gate.id]
    assert await listed(role="center_admin", center_ids=[lead]) == [gate.id]
    listing.on_panel = True
    assert await listed(subject="omid") == []
    assert await listed(subject="dana") == [gate.id]

    # Who is to review a project reads it, as long as the gate is open, and no longer.
    own = pb.GetProjectRequest(project_id=made.id)
    assert (await bench.rpc.fault("GetProject", own, subject="omid", **stranger)).reason == (
        "NOT_FOUND"
    )
    read = cast("pb.Project", await bench.rpc.call("GetProject", own, subject="dana", **stranger))
    assert list(read.allowed_actions) == []
    await bench.propose(gate.id, KILLED)
    for subject in ("dana", "mina"):
        await bench.declare(gate.id, subject, **stranger)
        await bench.vote(gate.id, subject, KILLED, **stranger)
    await decided(bench, made.id, KILLED, kill=KILL)
    assert (await bench.rpc.fault("GetProject", own, subject="dana", **stranger)).reason == (
        "NOT_FOUND"
    )
    refusal = await bench.gates.fault("CreateGate", bench.opening(made.id, "dana"))
    assert refusal.reason == "KILLED_IS_FINAL"
    for role, reason in [("center_admin", "PERMISSION_DENIED"), (None, "UNAUTHENTICATED")]:
        refusal = await bench.gates.fault("CreateGate", bench.opening(made.id, "dana"), role)
        assert refusal.reason == reason


async def test_only_the_last_decision_is_corrected(bench: ProjectsBench) -> None:
    made = await bench.create(project(await bench.center()))
    await bench.satisfy(made.id)
    conditions = [condition(), condition("inventors")]
    await bench.review(made.id, CONDITIONAL_GO, conditions=conditions)
    await decided(bench, made.id, CONDITIONAL_GO, conditions=conditions)
    assert (await bench.get(made.id)).stage == stages_pb2.STAGE_S1
    (first,) = await bench.decisions(made.id)
    unknown = bench.opening(made.id, supersedes_id=new_id("dec"))
    refusal = await bench.gates.fault("CreateGate", unknown)
    assert found(refusal) == [("supersedes_id", "UNKNOWN_REFERENCE")]
    await bench.review(made.id, HOLD, supersedes_id=first.id)
    held = await decided(bench, made.id, HOLD, resume_date="2099-01-01")
    assert (held.stage, held.state) == (stages_pb2.STAGE_S0, pb.PROJECT_STATE_ON_HOLD)
    assert [visit.stage for visit in held.stage_visits] == [stages_pb2.STAGE_S0]
    assert not held.stage_visits[0].HasField("left_at")
    decisions = await bench.decisions(made.id)
    assert [item.supersedes_id for item in decisions] == ["", first.id]
    assert decisions[1].previous_hash == decisions[0].record_hash
    cancelled = await bench.conditions(project_id=made.id)
    assert [item.decision_id for item in cancelled] == [first.id] * 2
    assert {item.state_reason for item in cancelled} == {"As the board sees it."}
    # The first one is not the last any more.
    refusal = await bench.gates.fault("CreateGate", bench.opening(made.id, supersedes_id=first.id))
    assert (refusal.reason, refusal.params["latest"]) == (
        "NOT_THE_LATEST_DECISION",
        decisions[1].id,
    )
    # The evidence of the visit counts for the decision that takes the place of the hold.
    await bench.review(made.id, GO, supersedes_id=decisions[1].id)
    assert (await decided(bench, made.id, GO)).stage == stages_pb2.STAGE_S1
    await bench.review(made.id, KILLED)
    await decided(bench, made.id, KILLED, kill=KILL)
    last = (await bench.decisions(made.id))[-1]
    refusal = await bench.gates.fault("CreateGate", bench.opening(made.id, supersedes_id=last.id))
    assert refusal.reason == "KILLED_IS_FINAL"


async def test_a_completed_project_is_reviewed_to_correct_it_alone(bench: ProjectsBench) -> None:
    given = project(
        await bench.center(),
        pathway=stages_pb2.PATHWAY_RESEARCH_TOOL,
        initial_stage=stages_pb2.STAGE_S7,
        initial_stage_reason="In use since 2019.",
    )
    made = await bench.create(given)
    done = await bench.decide(made, GO)
    assert done.state == pb.PROJECT_STATE_COMPLETED
    refusal = await bench.gates.fault("CreateGate", bench.opening(made.id))
    assert refusal.reason == "NOTHING_TO_REVIEW"
    (decision,) = await bench.decisions(made.id)
    await bench.review(made.id, HOLD, supersedes_id=decision.id)
    back = await decided(bench, made.id, HOLD, resume_date="2099-01-01")
    assert (back.state, back.stage) == (pb.PROJECT_STATE_ON_HOLD, stages_pb2.STAGE_S7)


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        ("UPDATE gate SET quorum = 1", "a gate is not changed"),
        ("UPDATE gate SET opened_by = 'kian'", "a gate is not changed"),
        ('UPDATE gate SET panel = panel || \'[{"subject": "x"}]\'', "a gate is not changed"),
        ("DELETE FROM gate", "append-only"),
        ("TRUNCATE gate", "append-only"),
    ],
)
async def test_the_database_changes_no_panel(
    bench: ProjectsBench, statement: str, refusal: str
) -> None:
    made = await bench.create(project(await bench.center()))
    await bench.open_gate(made.id)
    with pytest.raises(sqlalchemy.exc.DBAPIError, match=refusal):
        async with bench.database.engine.begin() as connection:
            await connection.execute(sa.text(statement))


async def test_the_database_changes_nothing_of_a_gate_that_has_ended(bench: ProjectsBench) -> None:
    made = await bench.create(project(await bench.center()))
    await bench.review(made.id, HOLD)
    await decided(bench, made.id, HOLD, resume_date="2099-01-01")
    with pytest.raises(sqlalchemy.exc.DBAPIError, match="a gate is not changed"):
        async with bench.database.engine.begin() as connection:
            await connection.execute(sa.text("UPDATE gate SET votes = '[]'"))


async def test_a_crash_at_any_statement_leaves_no_half_of_a_decision(bench: ProjectsBench) -> None:
    made = await bench.create(project(await bench.center()))
    await bench.satisfy(made.id, but=["inventors"])
    opened = await bench.review(made.id, CONDITIONAL_GO, conditions=[condition("inventors")])
    gate, reviewed = await bench.gate(opened.id), await bench.get(made.id)
    told = await outbox(bench.database)
    request = bench.ruling(reviewed, CONDITIONAL_GO, conditions=[condition("inventors")])
    rpc = contract().rpcs["/peyvand.projects.v1.Projects/DecideProject"]
    call = Call(rpc, Principal("azar", "", frozenset({"hq_admin"})), "en", datetime.now(UTC))
    killed = 0
    async for attempt in cut_off_at_each_statement(
        bench.url,
        lambda database: database.write(lambda session: decide_project(session, request, call)),
    ):
        if attempt.whole:
            continue
        killed += 1
        assert await bench.get(made.id) == reviewed, f"statement {attempt.at}"
        assert await bench.gate(gate.id) == gate
        assert await bench.decisions(made.id) == []
        assert await bench.conditions(project_id=made.id) == []
        assert await outbox(bench.database) == told
    assert killed >= 10
    (decision,) = await bench.decisions(made.id)
    (made_condition,) = await bench.conditions(project_id=made.id)
    assert made_condition.decision_id == decision.id
    assert (await bench.gate(gate.id)).decision_id == decision.id
    assert (await bench.get(made.id)).latest_decision_id == decision.id
