"""Money for projects, tried over gRPC against a real database."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
import sqlalchemy as sa
import sqlalchemy.exc
from google.protobuf.field_mask_pb2 import FieldMask

from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import awards_pb2 as pb
from peyvand.projects.v1 import decisions_pb2, evidence_pb2, projects_pb2
from projects import tables
from projects.api.awards import awards_api
from servicekit.errors import Fault
from servicekit.ids import new_id
from tests.integration.projects.conftest import KILL, ProjectsBench, in_days, project
from tests.integration.projects.results import (
    Results,
    award,
    held,
    money,
    results_of,
)
from tests.support.cut_off import killed_at_each_statement
from tests.support.messaging import eventually
from tests.support.rpc import outbox, rules_broken

# Of the stage in which a project begins.
CRITERION = "disclosure"
TEXT = types_pb2.LocalizedText(en="Three runs in specification", fa="سه ساخت در حدود مجاز")


@pytest.fixture
async def results(bench: ProjectsBench) -> AsyncGenerator[Results]:
    async with results_of(bench) as served:
        yield served


def found(fault: Fault) -> list[tuple[str, str]]:
    return rules_broken(fault)


async def given(results: Results, **values: Any) -> pb.Award:
    """An award for a new project."""
    made = await results.bench.create(project(await results.bench.center()))
    return await results.give(award(made.id, **values))


async def refused(results: Results, name: str, request: Any, subject: str | None = None) -> Fault:
    return await results.awards.fault(name, request, subject=subject)


async def books(results: Results) -> list[tuple[str, str, str]]:
    async with results.bench.database.engine.connect() as connection:
        rows = await connection.execute(sa.select(tables.disbursement))
        return [(row.tranche_code, f"{row.amount:f}", row.currency) for row in rows]


async def test_an_award_lives_its_life_and_every_step_is_an_event(results: Results) -> None:
    made = await given(results, external_key="awd-1")
    assert made.released == money("0")
    assert list(made.allowed_actions) == ["update", "report-milestone", "close", "cancel"]
    evidence = await results.bench.verified(made.project_id, CRITERION)
    request = results.report(made, evidence_ids=[evidence.id])
    reported = await results.do("ReportMilestone", request, "reporter")
    milestone = reported.milestones[0]
    assert (milestone.state, milestone.reported_by) == (pb.MILESTONE_STATE_REPORTED, "reporter")
    # Whoever reported is not offered to confirm.
    assert "meet-milestone" not in reported.allowed_actions
    assert "meet-milestone" in (await results.read(made.id)).allowed_actions
    met = await results.do("MeetMilestone", results.about(reported, reason="Seen."), "checker")
    assert met.milestones[0].confirmed_by == "checker"
    assert "release-tranche" in met.allowed_actions
    request = results.release(met, payment_reference="1405-7", reason="By order.")
    paid = await results.do("ReleaseTranche", request, "payer")
    assert paid.released == money("60")
    assert paid.tranches[0].released == money("60")
    assert paid.tranches[0].payment_reference == "1405-7"
    assert "release-tranche" not in paid.allowed_actions
    assert await books(results) == [("t1", "60.0000", "IRR")]
    step = pb.AwardStepRequest(award_id=made.id, etag=paid.etag, idempotency_key="close")
    closed = await results.do("CloseAward", step)
    assert closed.state == pb.AWARD_STATE_CLOSED
    assert list(closed.allowed_actions) == []
    request = pb.ListAwardStepsRequest(award_id=made.id)
    answer = await results.awards.call("ListAwardSteps", request)
    steps = cast("pb.ListAwardStepsResponse", answer).steps
    assert [(item.action, item.actor, item.reason) for item in steps[1:-1]] == [
        ("milestone_reported", "reporter", "m1"),
        ("milestone_met", "checker", "m1: Seen."),
        ("tranche_released", "payer", "t1: By order."),
    ]
    events = [kind for kind, _, _ in await outbox(results.bench.database) if ".award." in kind]
    assert [kind.rpartition(".")[2] for kind in events] == [item.action for item in steps]


async def test_an_award_that_breaks_a_rule_is_not_recorded(results: Results) -> None:
    made = await results.bench.create(project(await results.bench.center()))
    for values, broken in [
        (
            {"tranches": [pb.Tranche(code="t1", amount=money("101"), milestone_code="m1")]},
            ("tranches", "TRANCHES_EXCEED_AWARD"),
        ),
        (
            {"tranches": [pb.Tranche(code="t1", amount=money("1", "EUR"), milestone_code="m1")]},
            ("tranches[0].amount.currency", "OTHER_CURRENCY"),
        ),
        (
            {"tranches": [pb.Tranche(code="t1", amount=money("1"), milestone_code="m9")]},
            ("tranches[0].milestone_code", "UNKNOWN_MILESTONE"),
        ),
        (
            {"amount": money("100", "XXX"), "tranches": []},
            ("amount.currency", "UNKNOWN_CURRENCY"),
        ),
        ({"amount": money("1e3")}, ("award.amount.amount", "WRONG_FORMAT")),
        ({"amount": money("-5")}, ("award.amount.amount", "WRONG_FORMAT")),
        (
            {"funder": pb.Funder(names=TEXT, ror_id="01c4pz452")},
            ("funder.ror_id", "ROR_CHECKSUM"),
        ),
        (
            {"funder": pb.Funder(names=TEXT, institution_id=new_id("ins"))},
            ("funder.institution_id", "UNKNOWN_REFERENCE"),
        ),
    ]:
        request = pb.CreateAwardRequest(
            award=award(made.id, **cast("dict[str, Any]", values)),
            idempotency_key=results.bench.key(),
        )
        assert found(await refused(results, "CreateAward", request)) == [broken]
    request = pb.CreateAwardRequest(award=award(new_id("prj")), idempotency_key="none")
    assert found(await refused(results, "CreateAward", request)) == [
        ("project_id", "UNKNOWN_REFERENCE")
    ]
    await results.bench.decide(made, decisions_pb2.DECISION_KIND_KILL, kill=KILL)
    request = pb.CreateAwardRequest(award=award(made.id), idempotency_key="killed")
    assert (await refused(results, "CreateAward", request)).reason == "KILLED_IS_FINAL"
    assert await results.count(tables.award) == 0


async def test_what_a_caller_says_of_what_was_done_is_not_taken(results: Results) -> None:
    text = types_pb2.LocalizedText(en="Done, they say")
    done = pb.Milestone(code="m1", text=text, state=pb.MILESTONE_STATE_MET, confirmed_by="me")
    tranche = pb.Tranche(
        code="t1", amount=money("60"), milestone_code="m1", released=money("60"), released_by="me"
    )
    made = await given(results, milestones=[done], tranches=[tranche], released=money("60"))
    assert made.milestones[0].state == pb.MILESTONE_STATE_OPEN
    assert not made.tranches[0].HasField("released")
    assert made.released == money("0")


async def test_whoever_reported_a_milestone_does_not_confirm_it(results: Results) -> None:
    made = await given(results)
    reported = await results.do("ReportMilestone", results.report(made), "one")
    fault = await refused(results, "MeetMilestone", results.about(reported), "one")
    assert fault.reason == "REPORTER_CANNOT_CONFIRM"
    # Not by sending it back and reporting for somebody else either.
    back = await results.do("ReturnMilestone", results.about(reported, reason="No."), "two")
    again = await results.do("ReportMilestone", results.report(back), "two")
    fault = await refused(results, "MeetMilestone", results.about(again), "two")
    assert fault.reason == "REPORTER_CANNOT_CONFIRM"
    # Who has reported once is of the team, and leaves it to others from then on.
    fault = await refused(results, "MeetMilestone", results.about(again), "one")
    assert fault.reason == "TEAM_HAS_NO_SAY"
    assert (await results.do("MeetMilestone", results.about(again), "three")).id == made.id


async def test_a_milestone_is_met_by_evidence_of_the_project_that_is_verified(
    results: Results,
) -> None:
    made = await given(results)
    other = await given(results)
    foreign = await results.bench.verified(other.project_id, CRITERION)
    own = await results.bench.verified(made.project_id, CRITERION)
    for id in (foreign.id, new_id("evd")):
        request = results.report(made, evidence_ids=[own.id, id])
        fault = await refused(results, "ReportMilestone", request)
        assert found(fault) == [("evidence_ids[1]", "UNKNOWN_REFERENCE")]
    empty = results.report(made, note=" ")
    fault = await refused(results, "ReportMilestone", empty)
    assert found(fault) == [("note", "EVIDENCE_OR_NOTE_NEEDED")]
    piece = await results.bench.evidence(made.project_id, CRITERION)
    request = results.report(made, evidence_ids=[piece.id])
    reported = await results.do("ReportMilestone", request, "reporter")
    fault = await refused(results, "MeetMilestone", results.about(reported), "checker")
    assert (fault.reason, fault.params["state"]) == ("EVIDENCE_NOT_VERIFIED", "submitted")
    verify = evidence_pb2.EvidenceStepRequest(
        evidence_id=piece.id, etag=piece.etag, idempotency_key="verify"
    )
    await results.bench.criteria.call("VerifyEvidence", verify, subject="verifier")
    met = await results.do("MeetMilestone", results.about(reported), "checker")
    assert list(met.milestones[0].evidence_ids) == [piece.id]


async def test_money_is_not_released_by_evidence_that_was_rejected_since(
    results: Results,
) -> None:
    made = await given(results)
    piece = await results.bench.verified(made.project_id, CRITERION)
    met = await shown_by(results, made, piece)
    await reject(results, piece)
    now = await results.read(met.id)
    assert "release-tranche" not in now.allowed_actions
    fault = await refused(results, "ReleaseTranche", results.release(met))
    assert fault.reason == "EVIDENCE_NOT_VERIFIED"
    assert fault.params == {"evidence_id": piece.id, "state": "rejected"}
    assert await books(results) == []
    # It is opened again, shown by something else, and paid then; from there it stays.
    back = await results.do("ReturnMilestone", results.about(met, reason="Rejected."))
    assert back.milestones[0].state == pb.MILESTONE_STATE_OPEN
    other = await results.bench.verified(made.project_id, CRITERION, content="blinded")
    again = await shown_by(results, back, other)
    paid = await results.do("ReleaseTranche", results.release(again), "payer")
    assert paid.released == money("60")
    late = results.about(paid, reason="Too late.")
    assert (await refused(results, "ReturnMilestone", late)).reason == "MILESTONE_PAID"


async def test_of_a_rejection_and_a_payment_at_once_the_later_sees_the_former(
    results: Results,
) -> None:
    outcomes = Counter[tuple[str, int]]()
    for _ in range(4):
        made = await given(results)
        piece = await results.bench.verified(made.project_id, CRITERION)
        met = await shown_by(results, made, piece)

        async def pay(at: pb.Award = met) -> str:
            try:
                await results.do("ReleaseTranche", results.release(at))
            except Fault as fault:
                return fault.reason
            return "paid"

        outcome, _ = await asyncio.gather(pay(), reject(results, piece))
        released = (await results.read(met.id)).released
        outcomes[outcome, int(released.amount)] += 1
    assert set(outcomes) <= {("paid", 60), ("EVIDENCE_NOT_VERIFIED", 0)}, outcomes


async def test_a_rejection_that_comes_before_a_payment_is_waited_for(results: Results) -> None:
    made = await given(results)
    piece = await results.bench.verified(made.project_id, CRITERION)
    met = await shown_by(results, made, piece)
    row, evidence = tables.project, tables.evidence
    async with results.bench.database.engine.begin() as connection:
        lock = sa.select(row.c.id).where(row.c.id == made.project_id).with_for_update()
        await connection.execute(lock)
        waiting = asyncio.create_task(refused(results, "ReleaseTranche", results.release(met)))
        await eventually(lambda: is_blocked(results))
        values = {"state": "rejected", "rejected_visit": 1}
        await connection.execute(
            evidence.update().where(evidence.c.id == piece.id).values(**values)
        )
    assert (await waiting).reason == "EVIDENCE_NOT_VERIFIED"
    assert await books(results) == []


async def shown_by(results: Results, at: pb.Award, piece: evidence_pb2.Evidence) -> pb.Award:
    """The award with its first milestone met by a piece of evidence."""
    request = results.report(at, evidence_ids=[piece.id])
    reported = await results.do("ReportMilestone", request, "reporter")
    return await results.do("MeetMilestone", results.about(reported), "checker")


async def reject(results: Results, piece: evidence_pb2.Evidence) -> None:
    request = evidence_pb2.EvidenceStepRequest(
        evidence_id=piece.id,
        etag=piece.etag,
        reason="The assay was not blinded.",
        idempotency_key=results.bench.key(),
    )
    await results.bench.criteria.call("RejectEvidence", request, subject="verifier")


async def test_no_money_before_its_milestone_nor_more_nor_in_another_currency(
    results: Results,
) -> None:
    made = await given(results)
    fault = await refused(results, "ReleaseTranche", results.release(made))
    assert (fault.reason, fault.params["state"]) == ("MILESTONE_NOT_MET", "open")
    reported = await results.do("ReportMilestone", results.report(made), "reporter")
    fault = await refused(results, "ReleaseTranche", results.release(reported))
    assert (fault.reason, fault.params["state"]) == ("MILESTONE_NOT_MET", "reported")
    met = await results.do("MeetMilestone", results.about(reported), "checker")
    for amount, broken in [
        (money("60.0001"), ("amount.amount", "RELEASE_EXCEEDS_TRANCHE")),
        (money("60", "EUR"), ("amount.currency", "OTHER_CURRENCY")),
        (money("0"), ("amount.amount", "AMOUNT_NOT_POSITIVE")),
    ]:
        request = results.release(met, amount=amount)
        assert found(await refused(results, "ReleaseTranche", request)) == [broken]
    fault = await refused(results, "ReleaseTranche", results.release(met, "t9"))
    assert found(fault) == [("tranche_code", "UNKNOWN_TRANCHE")]
    assert (
        await refused(results, "ReleaseTranche", results.release(met, "t2"))
    ).reason == "MILESTONE_NOT_MET"
    assert await books(results) == []
    part = await results.do("ReleaseTranche", results.release(met, amount=money("59.5")))
    assert part.released == money("59.5")
    fault = await refused(results, "ReleaseTranche", results.release(part, amount=money("0.5")))
    assert fault.reason == "TRANCHE_RELEASED"


async def test_a_tranche_is_released_once_also_in_a_race(results: Results) -> None:
    met = await results.met(await given(results))

    async def release(number: int) -> str:
        try:
            await results.do("ReleaseTranche", results.release(met), f"payer-{number}")
        except Fault as fault:
            return fault.reason
        return "released"

    outcomes = Counter(await asyncio.gather(*map(release, range(12))))
    assert outcomes == {"released": 1, "STALE_ETAG": 11}
    assert await books(results) == [("t1", "60.0000", "IRR")]


async def test_two_awards_of_a_project_are_paid_side_by_side(results: Results) -> None:
    first = await results.met(await given(results))
    second = await results.met(await results.give(award(first.project_id)))

    async def release(at: pb.Award) -> pb.Money:
        return (await results.do("ReleaseTranche", results.release(at))).released

    assert await asyncio.gather(release(first), release(second)) == [money("60"), money("60")]
    assert len(await books(results)) == 2


async def test_the_same_request_releases_once(results: Results) -> None:
    met = await results.met(await given(results))
    request = results.release(met)
    first = await results.do("ReleaseTranche", request)
    assert await results.do("ReleaseTranche", request) == first
    assert await books(results) == [("t1", "60.0000", "IRR")]


async def test_a_project_on_hold_is_not_paid_until_it_goes_on(results: Results) -> None:
    met = await results.met(await given(results))
    at = await results.bench.get(met.project_id)
    hold = decisions_pb2.DECISION_KIND_HOLD
    on_hold = await results.bench.decide(at, hold, resume_date=in_days(0))
    fault = await refused(results, "ReleaseTranche", results.release(met))
    assert fault.reason == "PROJECT_ON_HOLD"
    assert "release-tranche" not in (await results.read(met.id)).allowed_actions
    assert await books(results) == []
    resume = projects_pb2.ProjectStepRequest(
        project_id=on_hold.id, etag=on_hold.etag, idempotency_key="resume"
    )
    await results.bench.rpc.call("ResumeProject", resume)
    assert "release-tranche" in (await results.read(met.id)).allowed_actions
    assert (await results.do("ReleaseTranche", results.release(met))).released == money("60")


async def test_a_killed_project_is_never_paid_again(results: Results) -> None:
    met = await results.met(await given(results))
    at = await results.bench.get(met.project_id)
    await results.bench.decide(at, decisions_pb2.DECISION_KIND_KILL, kill=KILL)
    fault = await refused(results, "ReleaseTranche", results.release(met))
    assert fault.reason == "KILLED_IS_FINAL"
    assert "release-tranche" not in (await results.read(met.id)).allowed_actions
    assert await books(results) == []


async def test_of_a_kill_and_a_payment_at_once_the_later_sees_the_former(
    results: Results,
) -> None:
    bench = results.bench
    outcomes = set[tuple[str, str]]()
    for _ in range(4):
        met = await results.met(await given(results))
        kind = decisions_pb2.DECISION_KIND_KILL
        await bench.review(met.project_id, kind)
        ruling = bench.ruling(await bench.get(met.project_id), kind, kill=KILL)

        async def pay(at: pb.Award = met) -> str:
            try:
                await results.do("ReleaseTranche", results.release(at))
            except Fault as fault:
                return fault.reason
            return "paid"

        paid, _ = await asyncio.gather(pay(), bench.rpc.call("DecideProject", ruling))
        now = await results.read(met.id)
        outcomes.add((paid, now.tranches[0].released.amount))
        assert (await bench.get(met.project_id)).state == projects_pb2.PROJECT_STATE_KILLED
    assert outcomes <= {("paid", "60"), ("KILLED_IS_FINAL", "")}


async def test_an_overdue_condition_stops_the_money(results: Results) -> None:
    met = await results.met(await given(results))
    today = datetime.now(UTC).date()
    due = await results.condition(met.project_id, today - timedelta(days=1))
    fault = await refused(results, "ReleaseTranche", results.release(met))
    assert (fault.reason, fault.params) == ("CONDITION_OVERDUE", {"conditions": due})
    assert "release-tranche" not in (await results.read(met.id)).allowed_actions


async def test_a_condition_that_is_due_later_stops_nothing(results: Results) -> None:
    met = await results.met(await given(results))
    await results.condition(met.project_id, datetime.now(UTC).date() + timedelta(days=1))
    assert (await results.do("ReleaseTranche", results.release(met))).released == money("60")


async def test_a_hold_that_comes_while_money_is_released_is_waited_for(results: Results) -> None:
    met = await results.met(await given(results))
    async with results.bench.database.engine.begin() as connection:
        await connection.execute(held(met.project_id))
        waiting = asyncio.create_task(refused(results, "ReleaseTranche", results.release(met)))
        await eventually(lambda: is_blocked(results))
        assert not waiting.done()
    assert (await waiting).reason == "PROJECT_ON_HOLD"
    assert await books(results) == []


async def is_blocked(results: Results) -> bool:
    """Whether a connection of the database waits for a lock."""
    query = sa.text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with results.bench.database.engine.connect() as connection:
        return bool((await connection.execute(query)).scalar_one())


async def test_one_who_is_killed_while_paying_leaves_nothing_half_done(results: Results) -> None:
    met = await results.met(await given(results))
    before = len(await outbox(results.bench.database))
    request = results.release(met)
    service = pb.DESCRIPTOR.services_by_name["Awards"]
    killed = 0
    async for attempt in killed_at_each_statement(
        results.bench.url, service, awards_api, lambda rpc: rpc.call("ReleaseTranche", request)
    ):
        if not attempt.whole:
            killed += 1
            assert await books(results) == []
            assert await results.read(met.id) == met
            assert len(await outbox(results.bench.database)) == before
    assert killed >= 8
    assert await books(results) == [("t1", "60.0000", "IRR")]
    assert (await results.read(met.id)).released == money("60")
    assert len(await outbox(results.bench.database)) == before + 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE disbursement SET amount = 1",
        "DELETE FROM disbursement",
        "TRUNCATE disbursement",
    ],
)
async def test_the_books_are_only_added_to(results: Results, statement: str) -> None:
    met = await results.met(await given(results))
    await results.do("ReleaseTranche", results.release(met))
    with pytest.raises(sqlalchemy.exc.DBAPIError, match="append-only"):
        async with results.bench.database.engine.begin() as connection:
            await connection.execute(sa.text(statement))


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE award SET released_value = 101", "ck_award_released"),
        ("UPDATE award SET awarded_value = 50", "ck_award_released"),
        ("UPDATE award SET released_value = 59", "do not agree"),
        ("UPDATE award SET currency = 'EUR'", "fk_disbursement"),
        ("UPDATE award SET milestones = '[]'", "before its milestone was met"),
        (
            (
                "UPDATE award SET milestones ="
                " jsonb_set(milestones, '{0,confirmed_by}', milestones #> '{0,reported_by}')"
            ),
            "met_by_another",
        ),
        (
            (
                "INSERT INTO disbursement SELECT award_id, 't2', 'm1', 1, currency, 9, now()"
                " FROM disbursement"
            ),
            "do not agree",
        ),
        (
            (
                "INSERT INTO disbursement SELECT award_id, 't2', 'm1', 1, 'EUR', 9, now()"
                " FROM disbursement"
            ),
            "fk_disbursement",
        ),
        (
            (
                "WITH more AS (INSERT INTO disbursement"
                " SELECT award_id, 't2', 'm2', 40, currency, 9, now() FROM disbursement)"
                " UPDATE award SET released_value = 100"
            ),
            "before its milestone was met",
        ),
    ],
)
async def test_the_database_keeps_the_rules_of_money(
    results: Results, statement: str, told: str
) -> None:
    met = await results.met(await given(results))
    await results.do("ReleaseTranche", results.release(met))
    with pytest.raises(sqlalchemy.exc.IntegrityError, match=told):
        async with results.bench.database.engine.begin() as connection:
            await connection.execute(sa.text(statement))


async def test_a_change_keeps_what_was_reached_and_released(results: Results) -> None:
    made = await results.met(await given(results))
    paid = await results.do("ReleaseTranche", results.release(made))

    def change(at: pb.Award, given: pb.Award, *paths: str) -> pb.UpdateAwardRequest:
        return pb.UpdateAwardRequest(
            award_id=at.id, etag=at.etag, award=given, update_mask=FieldMask(paths=paths)
        )

    for values, paths, broken in [
        ({"milestones": paid.milestones[1:]}, ["milestones"], ("milestones", "MILESTONE_STAYS")),
        ({"tranches": paid.tranches[1:]}, ["tranches"], ("tranches", "TRANCHE_STAYS")),
        ({"amount": money("99")}, ["amount"], ("tranches", "TRANCHES_EXCEED_AWARD")),
        ({"released": money("1")}, ["released"], ("released", "IMMUTABLE")),
        ({"project_id": new_id("prj")}, ["project_id"], ("project_id", "IMMUTABLE")),
    ]:
        request = change(paid, pb.Award(**cast("dict[str, Any]", values)), *paths)
        assert found(await refused(results, "UpdateAward", request)) == [broken]
    more = pb.Award(
        milestones=[*paid.milestones, pb.Milestone(code="m3", text=TEXT)],
        tranches=[*paid.tranches, pb.Tranche(code="t3", amount=money("50"), milestone_code="m3")],
        amount=money("150"),
    )
    request = change(paid, more, "milestones", "tranches", "amount")
    answer = await results.awards.call("UpdateAward", request)
    changed = cast("pb.Award", answer)
    assert changed.milestones[0] == paid.milestones[0]
    assert changed.tranches[0] == paid.tranches[0]
    assert (changed.amount, changed.released) == (money("150"), money("60"))


async def test_the_headquarters_pays_the_centers_report_and_nobody_else_sees(
    results: Results,
) -> None:
    bench = results.bench
    lead, foreign, funder = await bench.center(), await bench.center(), await bench.institution()
    made = await bench.create(project(lead))
    funded = pb.Funder(names=TEXT, institution_id=funder, ror_id="01C4PZ451")
    given = await results.give(award(made.id, funder=funded))
    assert given.funder.ror_id == "https://ror.org/01c4pz451"

    async def listed(role: str = "hq_admin", center_ids: Any = (), **filters: Any) -> list[str]:
        request = pb.ListAwardsRequest(**filters)
        answer = await results.awards.call("ListAwards", request, role, center_ids=center_ids)
        return [item.id for item in cast("pb.ListAwardsResponse", answer).awards]

    own: dict[str, Any] = {"role": "center_operator", "center_ids": [lead]}
    assert list((await results.read(given.id, **own)).allowed_actions) == ["report-milestone"]
    assert await listed(**own) == [given.id]
    assert await listed("center_admin", [foreign]) == []
    assert await listed(project_id=made.id, center_id=lead, currency="IRR") == [given.id]
    assert await listed(institution_id=funder, state=pb.AWARD_STATE_ACTIVE) == [given.id]
    assert await listed(institution_id=new_id("ins")) == await listed(currency="EUR") == []
    answer = await results.awards.call("ReportMilestone", results.report(given), **own)
    reported = cast("pb.Award", answer)
    for name, request in [
        ("MeetMilestone", results.about(reported)),
        ("ReturnMilestone", results.about(reported, reason="No.")),
        ("ReleaseTranche", results.release(reported)),
        ("CloseAward", pb.AwardStepRequest(award_id=given.id, etag="v2", idempotency_key="c")),
    ]:
        assert (await results.awards.fault(name, request, **own)).reason == "PERMISSION_DENIED"
    for name, request in [
        ("GetAward", pb.GetAwardRequest(award_id=given.id)),
        ("ListAwardSteps", pb.ListAwardStepsRequest(award_id=given.id)),
        ("ReportMilestone", results.report(reported, "m2")),
    ]:
        fault = await results.awards.fault(name, request, "center_admin", center_ids=[foreign])
        assert fault.reason == "NOT_FOUND"


async def test_a_cancelled_award_pays_no_more(results: Results) -> None:
    met = await results.met(await given(results))
    step = pb.AwardStepRequest(award_id=met.id, etag=met.etag, idempotency_key="cancel")
    assert found(await refused(results, "CancelAward", step)) == [("reason", "REASON_REQUIRED")]
    step.reason = "The project takes another way."
    cancelled = await results.do("CancelAward", step)
    assert cancelled.state == pb.AWARD_STATE_CANCELLED
    fault = await refused(results, "ReleaseTranche", results.release(cancelled))
    assert (fault.reason, fault.allowed) == ("ILLEGAL_TRANSITION", ())
