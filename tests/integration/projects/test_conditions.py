"""Conditions and the watch over them, tried against a real database."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
import sqlalchemy as sa
import sqlalchemy.exc
import structlog

from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import conditions_pb2, decisions_pb2, evidence_pb2, gates_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from projects.repository.conditions import overdue_conditions
from projects.use_cases.decisions import decide_project
from projects.use_cases.gates import propose_at_gate
from projects.watches.condition_watch import ConditionWatch
from servicekit.contract import contract
from servicekit.errors import Fault
from servicekit.identity import Principal
from servicekit.ids import new_id
from servicekit.rpc_server import Call
from tests.integration.projects.conftest import (
    KILL,
    VOTERS,
    ProjectsBench,
    in_days,
    project,
)
from tests.integration.projects.results import award, money, results_of
from tests.support.cut_off import cut_off_at_each_statement
from tests.support.messaging import eventually
from tests.support.rpc import outbox, rules_broken

GO = decisions_pb2.DECISION_KIND_GO
CONDITIONAL_GO = decisions_pb2.DECISION_KIND_CONDITIONAL_GO
OPEN = conditions_pb2.CONDITION_STATE_OPEN
MET = conditions_pb2.CONDITION_STATE_MET
DUE = in_days(300)
BY_THE_SAME = """
UPDATE project_condition
SET state = 'met', confirmed_by = 'kian', report = jsonb_build_object('reported_by', 'kian')
"""


def terms(due_date: str = "", criterion: str = "") -> decisions_pb2.Condition:
    text = types_pb2.LocalizedText(en="Repeat the assay", fa="تکرار سنجش")
    return decisions_pb2.Condition(
        text=text, owner="Quality, Tabriz", due_date=due_date or DUE, criterion=criterion
    )


async def advanced(
    bench: ProjectsBench, made: pb.Project, *conditions: decisions_pb2.Condition, days_ago: int = 0
) -> pb.Project:
    """Go on under these conditions, as it was proposed and decided so many days ago."""
    named = {item.criterion for item in conditions}
    await bench.satisfy(made.id, but=named)
    who = Principal("azar", "", frozenset({"hq_admin"}))
    then = datetime.now(UTC) - timedelta(days=days_ago)
    gate = await bench.open_gate(made.id, *VOTERS)
    proposal = gates_pb2.ProposeAtGateRequest(
        gate_id=gate.id, decision=CONDITIONAL_GO, conditions=conditions, etag=gate.etag
    )
    rpc = contract().rpcs["/peyvand.projects.v1.Gates/ProposeAtGate"]
    call = Call(rpc, who, "en", then)
    await bench.database.write(lambda session: propose_at_gate(session, proposal, call))
    for subject in VOTERS:
        await bench.declare(gate.id, subject)
        await bench.vote(gate.id, subject, CONDITIONAL_GO)
    request = bench.ruling(await bench.get(made.id), CONDITIONAL_GO)
    deciding = contract().rpcs["/peyvand.projects.v1.Projects/DecideProject"]
    at = Call(deciding, who, "en", then)
    return await bench.database.write(lambda session: decide_project(session, request, at))


async def overdue(bench: ProjectsBench, lead: str, **values: Any) -> pb.Project:
    """A project with two conditions that are overdue since yesterday, and one that is not."""
    made = await bench.create(project(lead, **values))
    now = datetime.now(UTC).date()
    yesterday = (now - timedelta(days=1)).isoformat()
    given = [terms(yesterday), terms(yesterday), terms(now.isoformat())]
    return await advanced(bench, made, *given, days_ago=5)


def told(condition: conditions_pb2.ProjectCondition, bench: ProjectsBench, **values: Any) -> Any:
    given: dict[str, Any] = {"note": "Repeated on three batches.", **values}
    return conditions_pb2.ReportProjectConditionRequest(
        condition_id=condition.id, etag=condition.etag, idempotency_key=bench.key(), **given
    )


def step(condition: conditions_pb2.ProjectCondition, bench: ProjectsBench, reason: str = "") -> Any:
    return conditions_pb2.ProjectConditionStepRequest(
        condition_id=condition.id, etag=condition.etag, reason=reason, idempotency_key=bench.key()
    )


async def report(
    bench: ProjectsBench, condition: conditions_pb2.ProjectCondition, subject: str, **values: Any
) -> conditions_pb2.ProjectCondition:
    request = told(condition, bench, **values)
    answer = await bench.gates.call("ReportProjectCondition", request, subject=subject)
    return cast("conditions_pb2.ProjectCondition", answer)


async def confirm(
    bench: ProjectsBench, condition: conditions_pb2.ProjectCondition, subject: str
) -> conditions_pb2.ProjectCondition:
    request = step(condition, bench)
    answer = await bench.gates.call("ConfirmProjectCondition", request, subject=subject)
    return cast("conditions_pb2.ProjectCondition", answer)


async def resume(bench: ProjectsBench, id: str) -> pb.Project:
    found = await bench.get(id)
    request = pb.ProjectStepRequest(project_id=id, etag=found.etag, idempotency_key=bench.key())
    return cast("pb.Project", await bench.rpc.call("ResumeProject", request))


async def held_events(bench: ProjectsBench) -> list[str]:
    """Ids of the projects that were put on hold, once for each time."""
    return [id for kind, id, _ in await outbox(bench.database) if kind.endswith("project.held")]


async def test_a_condition_is_reported_and_another_finds_it_met(bench: ProjectsBench) -> None:
    lead = await bench.center()
    made = await bench.create(project(lead))
    await advanced(bench, made, terms(criterion="inventors"), terms())
    first, second = await bench.conditions(project_id=made.id)
    assert (first.criterion, first.owner, first.due_date) == (
        "inventors",
        "Quality, Tabriz",
        DUE,
    )
    assert list(first.allowed_actions) == ["report"]
    center: dict[str, Any] = {"role": "center_operator", "center_ids": [lead]}
    nothing = await bench.gates.fault("ConfirmProjectCondition", step(first, bench))
    assert nothing.reason == "NOTHING_REPORTED"
    empty = await bench.gates.fault("ReportProjectCondition", told(second, bench, note=" "))
    assert [item.reason for item in empty.violations] == ["EVIDENCE_OR_NOTE_NEEDED"]
    stranger = await bench.create(project(lead))
    foreign = await bench.evidence(stranger.id, "inventors")
    for id in (foreign.id, new_id("evd")):
        request = told(first, bench, evidence_id=id)
        fault = await bench.gates.fault("ReportProjectCondition", request)
        assert [item.reason for item in fault.violations] == ["UNKNOWN_REFERENCE"]
    # What stands for a criterion is not met by words, nor by evidence of another.
    other = await bench.verified(made.id, "ownership")
    for request, rule in (
        (told(first, bench), "CRITERION_EVIDENCE_NEEDED"),
        (told(first, bench, evidence_id=other.id), "EVIDENCE_OF_OTHER_CRITERION"),
    ):
        fault = await bench.gates.fault("ReportProjectCondition", request)
        assert rules_broken(fault) == [("evidence_id", rule)]
    evidence = await bench.evidence(made.id, "inventors", subject="dana")
    request = told(first, bench, evidence_id=evidence.id)
    answer = await bench.gates.call("ReportProjectCondition", request, subject="kian", **center)
    first = cast("conditions_pb2.ProjectCondition", answer)
    assert (first.state, first.report.reported_by) == (OPEN, "kian")
    assert list(first.allowed_actions) == ["report"]  # a center confirms nothing
    denied = await bench.gates.fault("ConfirmProjectCondition", step(first, bench), **center)
    assert denied.reason == "PERMISSION_DENIED"
    for subject, reason in (("kian", "OWN_REPORT"), ("dana", "OWN_EVIDENCE")):
        own = await bench.gates.fault(
            "ConfirmProjectCondition", step(first, bench), subject=subject
        )
        assert own.reason == reason
    request = step(first, bench, "The third batch is missing.")
    answer = await bench.gates.call("ReturnProjectCondition", request)
    first = cast("conditions_pb2.ProjectCondition", answer)
    assert not first.HasField("report")

    first = await report(bench, first, "kian", evidence_id=evidence.id)
    unverified = await bench.gates.fault("ConfirmProjectCondition", step(first, bench))
    assert (unverified.reason, unverified.params["state"]) == (
        "EVIDENCE_NOT_VERIFIED",
        "submitted",
    )
    verified = await bench.verified(made.id, "inventors")
    first = await report(bench, first, "kian", evidence_id=verified.id)
    # Who has submitted evidence for the project is of its team, whatever shows this one.
    insider = await bench.gates.fault("ConfirmProjectCondition", step(first, bench), subject="dana")
    assert insider.reason == "TEAM_HAS_NO_SAY"
    first = await confirm(bench, first, "mina")
    assert (first.state, first.confirmed_by) == (MET, "mina")
    assert list(first.allowed_actions) == []
    fault = await bench.gates.fault("ReportProjectCondition", told(first, bench))
    assert fault.reason == "ILLEGAL_TRANSITION"
    request = conditions_pb2.ListProjectConditionStepsRequest(condition_id=first.id)
    answer = await bench.gates.call("ListProjectConditionSteps", request)
    steps = cast("conditions_pb2.ListProjectConditionStepsResponse", answer).steps
    actions = ["created", "reported", "returned", "reported", "reported", "met"]
    assert [item.action for item in steps] == actions
    assert [item.id for item in await bench.conditions(state=OPEN)] == [second.id]


async def test_a_condition_is_seen_with_its_project(bench: ProjectsBench) -> None:
    lead, part, foreign = [await bench.center() for _ in range(3)]
    parts = [pb.ProjectParticipant(center_id=part)]
    made = await bench.create(project(lead, participants=parts))
    await advanced(bench, made, terms())
    (condition,) = await bench.conditions()
    get = conditions_pb2.GetProjectConditionRequest(condition_id=condition.id)
    listing = conditions_pb2.ListProjectConditionsRequest()
    for center, seen in ((lead, True), (part, True), (foreign, False)):
        who: dict[str, Any] = {"role": "center_admin", "center_ids": [center]}
        answer = await bench.gates.call("ListProjectConditions", listing, **who)
        page = cast("conditions_pb2.ListProjectConditionsResponse", answer)
        assert [item.id for item in page.conditions] == ([condition.id] if seen else [])
        if seen:
            await bench.gates.call("GetProjectCondition", get, **who)
        else:
            for name, request in (
                ("GetProjectCondition", get),
                ("ReportProjectCondition", told(condition, bench)),
            ):
                fault = await bench.gates.fault(name, request, **who)
                assert fault.reason == "NOT_FOUND"
    denied = await bench.gates.fault("GetProjectCondition", get, "partner")
    assert denied.reason == "PERMISSION_DENIED"


async def test_an_overdue_condition_stops_a_project_before_any_watch_looks(
    bench: ProjectsBench,
) -> None:
    made = await overdue(bench, await bench.center())
    assert made.state == pb.PROJECT_STATE_ACTIVE
    late = await bench.conditions(project_id=made.id, overdue=True)
    assert [item.overdue for item in late] == [True, True]
    assert [c.overdue for c in await bench.conditions(project_id=made.id, overdue=False)] == [False]
    today = datetime.now(UTC).date()
    async with bench.database.read() as session:
        ids = await overdue_conditions(session, made.id, today)
        assert ids == [item.id for item in late]
        earlier = await overdue_conditions(session, made.id, today - timedelta(days=1))
        assert earlier == []
    await bench.satisfy(made.id)
    await bench.review(made.id, GO)
    ruling = bench.ruling(await bench.get(made.id), GO)
    fault = await bench.rpc.fault("DecideProject", ruling)
    assert (fault.reason, fault.params["conditions"]) == ("CONDITION_OVERDUE", ", ".join(ids))


async def test_an_overdue_condition_puts_on_hold_until_it_is_met(bench: ProjectsBench) -> None:
    made = await overdue(bench, await bench.center())
    other = await advanced(bench, await bench.create(project(made.lead_center_id)), terms())
    watch = ConditionWatch(bench.database)
    await watch.look(datetime.now(UTC) - timedelta(days=2))
    assert (await bench.get(made.id)).state == pb.PROJECT_STATE_ACTIVE
    # Of many that look at once, one puts it on hold.
    await asyncio.gather(*(watch.look(datetime.now(UTC)) for _ in range(6)))
    assert await held_events(bench) == [made.id]
    held = await bench.get(made.id)
    late = await bench.conditions(project_id=made.id, overdue=True)
    assert (held.state, held.hold_cause) == (
        pb.PROJECT_STATE_ON_HOLD,
        pb.HOLD_CAUSE_OVERDUE_CONDITION,
    )
    assert held.state_reason == ", ".join(item.id for item in late)
    assert (await bench.get(other.id)).state == pb.PROJECT_STATE_ACTIVE
    with pytest.raises(Fault, match="CONDITION_OVERDUE"):
        await resume(bench, made.id)
    for item in late:
        with pytest.raises(Fault, match="CONDITION_OVERDUE"):
            await resume(bench, made.id)
        reported = await report(bench, item, "kian")
        assert reported.overdue  # that it was said is not enough
        with pytest.raises(Fault, match="CONDITION_OVERDUE"):
            await resume(bench, made.id)
        assert not (await confirm(bench, reported, "dana")).overdue
    assert (await resume(bench, made.id)).state == pb.PROJECT_STATE_ACTIVE
    await watch.look(datetime.now(UTC))
    assert await held_events(bench) == [made.id]
    # The third one is due today; two days on, it stops the project again.
    await watch.look(datetime.now(UTC) + timedelta(days=2))
    assert await held_events(bench) == [made.id, made.id]


async def test_a_condition_whose_evidence_is_rejected_after_its_day_stops_the_project_again(
    bench: ProjectsBench,
) -> None:
    made = await bench.create(project(await bench.center()))
    yesterday = (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
    await advanced(bench, made, terms(yesterday, "inventors"), days_ago=5)
    (late,) = await bench.conditions(project_id=made.id)
    shown = await bench.verified(made.id, "inventors")
    await confirm(bench, await report(bench, late, "kian", evidence_id=shown.id), "dana")
    watch = ConditionWatch(bench.database)
    await watch.look(datetime.now(UTC))
    assert await held_events(bench) == []
    async with results_of(bench) as results:
        award_given = await results.met(await results.give(award(made.id)))
        assert "release-tranche" in award_given.allowed_actions
        rejection = evidence_pb2.EvidenceStepRequest(
            evidence_id=shown.id, etag=shown.etag, reason="Not ours.", idempotency_key=bench.key()
        )
        await bench.criteria.call("RejectEvidence", rejection, subject="verifier")
        # Money waits before any watch has looked.
        fault = await results.awards.fault("ReleaseTranche", results.release(award_given))
        assert (fault.reason, fault.params) == ("CONDITION_OVERDUE", {"conditions": late.id})
        assert "release-tranche" not in (await results.read(award_given.id)).allowed_actions
        await watch.look(datetime.now(UTC) - timedelta(days=2))
        assert await held_events(bench) == []
        await watch.look(datetime.now(UTC))
        held = await bench.get(made.id)
        assert (held.state, held.state_reason) == (pb.PROJECT_STATE_ON_HOLD, late.id)
        with pytest.raises(Fault, match="CONDITION_OVERDUE"):
            await resume(bench, made.id)
        # Something else that shows it is enough: the condition was met, and is so again.
        await bench.verified(made.id, "inventors", content="ours")
        assert (await resume(bench, made.id)).state == pb.PROJECT_STATE_ACTIVE
        await watch.look(datetime.now(UTC))
        assert await held_events(bench) == [made.id]
        paid = await results.do("ReleaseTranche", results.release(award_given))
        assert paid.released == money("60")


async def overdue_told(bench: ProjectsBench) -> Counter[str]:
    """How often each condition was told to be overdue."""
    told = await outbox(bench.database)
    return Counter(id for kind, id, _ in told if kind.endswith("condition.became_overdue"))


async def test_that_a_condition_is_overdue_is_told_once_also_while_its_project_is_on_hold(
    bench: ProjectsBench,
) -> None:
    made = await overdue(bench, await bench.center())
    first, second, today = await bench.conditions(project_id=made.id)
    watch = ConditionWatch(bench.database)
    now = datetime.now(UTC)
    await watch.look(now - timedelta(days=2))
    assert not await overdue_told(bench)
    await asyncio.gather(*(watch.look(now) for _ in range(5)))
    assert await overdue_told(bench) == {first.id: 1, second.id: 1}
    assert await held_events(bench) == [made.id]
    # The project is on hold by now; the third is told of all the same when its day is over.
    await watch.look(now + timedelta(days=2))
    await watch.look(now + timedelta(days=3))
    assert await overdue_told(bench) == {first.id: 1, second.id: 1, today.id: 1}
    request = conditions_pb2.ListProjectConditionStepsRequest(condition_id=today.id)
    answer: Any = await bench.gates.call("ListProjectConditionSteps", request)
    steps = answer.steps
    assert [(step.action, step.actor) for step in steps][1:] == [("became_overdue", "projects")]
    assert (steps[1].from_state, steps[1].to_state) == ("open", "open")


async def test_of_what_is_met_or_of_a_project_that_has_ended_nothing_is_told(
    bench: ProjectsBench,
) -> None:
    lead = await bench.center()
    made, ended = await overdue(bench, lead), await overdue(bench, lead)
    first, second, _ = await bench.conditions(project_id=made.id)
    await confirm(bench, await report(bench, first, "kian"), "dana")
    await bench.decide(ended, decisions_pb2.DECISION_KIND_KILL, kill=KILL)
    await ConditionWatch(bench.database).look(datetime.now(UTC))
    assert await overdue_told(bench) == {second.id: 1}


async def test_the_watch_looks_as_soon_as_it_starts(bench: ProjectsBench) -> None:
    made = await overdue(bench, await bench.center())
    watch = ConditionWatch(bench.database, interval=3600)
    await watch.start()

    async def held() -> bool:
        return bool(await held_events(bench))

    await eventually(held)
    await watch.stop()
    assert await held_events(bench) == [made.id]


async def test_one_project_that_cannot_be_held_keeps_no_other_from_it(
    bench: ProjectsBench,
) -> None:
    lead = await bench.center()
    ids = [(await overdue(bench, lead)).id for _ in range(3)]
    broken = min(ids)
    refuse = """
    CREATE FUNCTION refuse_one() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'this row is not well'; END $$
    """
    async with bench.database.engine.begin() as connection:
        await connection.execute(sa.text(refuse))
        trigger = "CREATE TRIGGER refuse_one BEFORE UPDATE ON project FOR EACH ROW WHEN"
        await connection.execute(
            sa.text(f"{trigger} (OLD.id = '{broken}') EXECUTE FUNCTION refuse_one()")
        )
    with structlog.testing.capture_logs() as told:
        assert await ConditionWatch(bench.database).look(datetime.now(UTC)) == [broken]
    assert sorted(await held_events(bench)) == sorted(set(ids) - {broken})
    (entry,) = told
    assert (entry["id"], entry["log_level"], entry["exc_info"]) == (broken, "error", True)
    # Once it is well, the next look holds it too.
    async with bench.database.engine.begin() as connection:
        await connection.execute(sa.text("DROP TRIGGER refuse_one ON project"))
    assert await ConditionWatch(bench.database).look(datetime.now(UTC)) == []
    assert sorted(await held_events(bench)) == sorted(ids)


async def test_a_watch_that_dies_at_any_statement_is_made_up_for(bench: ProjectsBench) -> None:
    lead = await bench.center()
    ids = [(await overdue(bench, lead)).id for _ in range(2)]
    deaths = 0
    # It goes on with the next project on a connection of its own.
    async for attempt in cut_off_at_each_statement(
        bench.url, lambda database: ConditionWatch(database).look(datetime.now(UTC)), once=True
    ):
        if attempt.whole:
            continue
        deaths += 1
        assert set((await overdue_told(bench)).values()) <= {1}
        # Whatever it came to, no project was held twice, and none by half.
        events = Counter(await held_events(bench))
        assert set(events.values()) <= {1}
        for id in ids:
            held = (await bench.get(id)).state == pb.PROJECT_STATE_ON_HOLD
            assert held == bool(events[id])
    assert deaths >= 6
    assert sorted(await held_events(bench)) == sorted(ids)
    assert sorted((await overdue_told(bench)).values()) == [1, 1, 1, 1]


async def test_a_kill_cancels_what_was_open(bench: ProjectsBench) -> None:
    made = await overdue(bench, await bench.center())
    first, *_ = await bench.conditions(project_id=made.id)
    await confirm(bench, await report(bench, first, "kian"), "dana")
    await ConditionWatch(bench.database).look(datetime.now(UTC))
    await bench.decide(made, decisions_pb2.DECISION_KIND_KILL, kill=KILL)
    states = [item.state for item in await bench.conditions(project_id=made.id)]
    cancelled = conditions_pb2.CONDITION_STATE_CANCELLED
    assert states == [MET, cancelled, cancelled]
    assert await bench.conditions(overdue=True) == []


async def test_a_kill_and_a_confirmation_at_once_end_each_condition_once(
    bench: ProjectsBench,
) -> None:
    made = await overdue(bench, await bench.center())
    reported = [await report(bench, c, "kian") for c in await bench.conditions(project_id=made.id)]
    await bench.review(made.id, decisions_pb2.DECISION_KIND_KILL)
    ruling = bench.ruling(await bench.get(made.id), decisions_pb2.DECISION_KIND_KILL, kill=KILL)
    outcomes = await asyncio.gather(
        bench.rpc.call("DecideProject", ruling),
        *(confirm(bench, item, "dana") for item in reported),
        return_exceptions=True,
    )
    assert not isinstance(outcomes[0], BaseException)
    assert (await bench.get(made.id)).state == pb.PROJECT_STATE_KILLED
    after = await bench.conditions(project_id=made.id)
    for item, outcome in zip(after, outcomes[1:], strict=True):
        if isinstance(outcome, Fault):
            assert outcome.reason in ("STALE_ETAG", "ILLEGAL_TRANSITION")
            assert item.state == conditions_pb2.CONDITION_STATE_CANCELLED
        else:
            assert item.state == MET


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        ("UPDATE project_condition SET due_date = '2099-12-31'", "a condition is not changed"),
        ("UPDATE project_condition SET owner = 'Nobody'", "a condition is not changed"),
        (BY_THE_SAME, "met_by_another"),
        ("DELETE FROM project_condition", "append-only"),
    ],
)
async def test_the_database_changes_no_terms(
    bench: ProjectsBench, statement: str, refusal: str
) -> None:
    await advanced(bench, await bench.create(project(await bench.center())), terms())
    with pytest.raises(sqlalchemy.exc.DBAPIError, match=refusal):
        async with bench.database.engine.begin() as connection:
            await connection.execute(sa.text(statement))
