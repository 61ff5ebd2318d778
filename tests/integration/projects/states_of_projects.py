"""Projects and awards in every state that makes a difference to what can be done."""

from datetime import UTC, datetime, timedelta

from google.protobuf.field_mask_pb2 import FieldMask

from peyvand.api.v1 import types_pb2
from peyvand.observatory.v1 import regulations_pb2
from peyvand.projects.v1 import (
    awards_pb2,
    decisions_pb2,
    evidence_pb2,
)
from peyvand.projects.v1 import projects_pb2 as pb
from projects.use_cases.projects import hold_if_overdue
from servicekit.ids import new_id
from tests.integration.projects.conftest import (
    VOTERS,
    heard,
    in_days,
    regulation_event,
)
from tests.integration.projects.offered import Stage, Tried, step_of, superseding
from tests.integration.projects.results import award

GO = decisions_pb2.DECISION_KIND_GO
CONDITIONAL_GO = decisions_pb2.DECISION_KIND_CONDITIONAL_GO
HOLD = decisions_pb2.DECISION_KIND_HOLD
RECYCLE = decisions_pb2.DECISION_KIND_RECYCLE
KILLED = decisions_pb2.DECISION_KIND_KILL
OTHER_TITLES = types_pb2.LocalizedText(en="Cartilage patch, second name")


# Projects.


def of_project(stage: Stage, *regulations: str) -> Tried:
    named = ("omid", "kian", "sara", "outsider")
    flagged = regulations or (new_id("reg"),)
    kinds = (GO, CONDITIONAL_GO, HOLD, RECYCLE, KILLED)
    changed = pb.Project(titles=OTHER_TITLES)
    return Tried(
        stage.bench.rpc,
        pb.Project,
        stage.at.id,
        {
            "update": [{"project": changed, "update_mask": FieldMask(paths=["titles"])}],
            "decide": [{"decision": kind} for kind in kinds],
            "strike-naming": [{"subject": person} for person in named],
            "acknowledge-flag": [{"regulation_id": id} for id in flagged],
        },
    )


async def new(stage: Stage) -> Tried:
    return of_project(stage)


async def flagged(stage: Stage) -> Tried:
    bench, id, key = stage.bench, new_id("reg"), "reg-cell-therapy"
    await bench.hear(heard("regulation", id, 1, regulation_event(id, key, 1)))
    in_force = regulations_pb2.REGULATION_STATE_IN_FORCE
    enacted = regulation_event(id, key, 2, in_force, before="drafting")
    await bench.hear(heard("regulation", id, 2, enacted))
    return of_project(stage, id)


async def flagged_and_voted_to_go(stage: Stage) -> Tried:
    await stage.bench.satisfy(stage.at.id)
    await stage.bench.review(stage.at.id, GO)
    return await flagged(stage)


async def struck(stage: Stage) -> Tried:
    request = {"project_id": stage.at.id, "subject": "omid", "reason": "Never worked on it."}
    strike = stage.bench.rpc.rpc("StrikeProjectNaming").request_class
    etag, key = stage.at.etag, stage.bench.key()
    await stage.bench.rpc.call(
        "StrikeProjectNaming", strike(**request, etag=etag, idempotency_key=key)
    )
    return of_project(stage)


async def at_a_gate(stage: Stage) -> Tried:
    await stage.bench.open_gate(stage.at.id, *VOTERS)
    return of_project(stage)


async def without_a_quorum(stage: Stage) -> Tried:
    gate = await stage.bench.open_gate(stage.at.id, *VOTERS)
    await stage.bench.declare(gate.id, "dana")
    await stage.bench.vote(gate.id, "dana", GO)
    return of_project(stage)


async def voted_to_hold(stage: Stage) -> Tried:
    await stage.bench.review(stage.at.id, HOLD)
    return of_project(stage)


async def voted_to_go_without_evidence(stage: Stage) -> Tried:
    await stage.bench.review(stage.at.id, GO)
    return of_project(stage)


async def voted_to_go(stage: Stage) -> Tried:
    await stage.bench.satisfy(stage.at.id)
    await stage.bench.review(stage.at.id, GO)
    return of_project(stage)


async def voted_on_what_has_changed(stage: Stage) -> Tried:
    await stage.bench.review(stage.at.id, HOLD)
    await stage.bench.satisfy(stage.at.id)
    return of_project(stage)


async def voted_to_correct(stage: Stage) -> Tried:
    await stage.decide(HOLD, resume_date="2099-01-01")
    over = (await stage.bench.get(stage.at.id)).latest_decision_id
    await stage.bench.review(stage.at.id, CONDITIONAL_GO, supersedes_id=over)
    await stage.bench.withdraw((await stage.bench.get(stage.at.id)).open_gate_id)
    await stage.bench.review(stage.at.id, HOLD, supersedes_id=over, resume_date=in_days(0))
    return of_project(stage)


async def held_until_today(stage: Stage) -> Tried:
    await stage.decide(HOLD, resume_date=in_days(0))
    return of_project(stage)


async def held_for_long(stage: Stage) -> Tried:
    await stage.decide(HOLD, resume_date="2099-01-01")
    return of_project(stage)


async def held_by_what_is_overdue(stage: Stage) -> Tried:
    now = datetime.now(UTC)
    await stage.results.condition(stage.at.id, now.date() - timedelta(days=1))
    await stage.bench.database.write(lambda session: hold_if_overdue(session, stage.at.id, now))
    return of_project(stage)


async def killed(stage: Stage) -> Tried:
    await stage.kill()
    return of_project(stage)


PROJECTS = [
    new,
    flagged,
    flagged_and_voted_to_go,
    struck,
    at_a_gate,
    without_a_quorum,
    voted_to_hold,
    voted_to_go_without_evidence,
    voted_to_go,
    voted_on_what_has_changed,
    voted_to_correct,
    held_until_today,
    held_for_long,
    held_by_what_is_overdue,
    killed,
]


# Awards.


def of_award(stage: Stage, at: awards_pb2.Award) -> Tried:
    milestones = [{"milestone_code": code} for code in ("m1", "m2")]
    changed = awards_pb2.Award(titles=OTHER_TITLES)
    return Tried(
        stage.results.awards,
        awards_pb2.Award,
        at.id,
        {
            "update": [{"award": changed, "update_mask": FieldMask(paths=["titles"])}],
            "report-milestone": [{**item, "note": "Done."} for item in milestones],
            "return-milestone": milestones,
            "meet-milestone": milestones,
            "release-tranche": [{"tranche_code": code} for code in ("t1", "t2")],
        },
    )


async def given(stage: Stage) -> Tried:
    return of_award(stage, await stage.results.give(award(stage.at.id)))


async def reported(stage: Stage) -> Tried:
    made = await stage.results.give(award(stage.at.id))
    return of_award(
        stage, await stage.results.do("ReportMilestone", stage.results.report(made), "reporter")
    )


async def reported_with(stage: Stage, piece: evidence_pb2.Evidence) -> awards_pb2.Award:
    made = await stage.results.give(award(stage.at.id))
    report = stage.results.report(made, evidence_ids=[piece.id])
    return await stage.results.do("ReportMilestone", report, "reporter")


async def reported_with_what_waits(stage: Stage) -> Tried:
    piece = await stage.bench.evidence(stage.at.id, "ownership")
    return of_award(stage, await reported_with(stage, piece))


async def reported_with_what_gave_way(stage: Stage) -> Tried:
    piece = await stage.bench.verified(stage.at.id, "ownership")
    told = await reported_with(stage, piece)
    await superseding(stage, piece)
    return of_award(stage, told)


async def met_with(stage: Stage, piece: evidence_pb2.Evidence) -> awards_pb2.Award:
    told = await reported_with(stage, piece)
    return await stage.results.do("MeetMilestone", stage.results.about(told), "checker")


async def met(stage: Stage) -> Tried:
    piece = await stage.bench.verified(stage.at.id, "ownership")
    return of_award(stage, await met_with(stage, piece))


async def met_by_what_was_rejected(stage: Stage) -> Tried:
    piece = await stage.bench.verified(stage.at.id, "ownership")
    made = await met_with(stage, piece)
    await step_of(stage, "Reject", piece)
    return of_award(stage, made)


async def met_by_what_gave_way(stage: Stage) -> Tried:
    piece = await stage.bench.verified(stage.at.id, "ownership")
    made = await met_with(stage, piece)
    await superseding(stage, piece)
    return of_award(stage, made)


async def met_by_what_gave_way_to_what_was_rejected(stage: Stage) -> Tried:
    piece = await stage.bench.verified(stage.at.id, "ownership")
    made = await met_with(stage, piece)
    await step_of(stage, "Reject", await superseding(stage, piece))
    return of_award(stage, made)


async def met_on_hold(stage: Stage) -> Tried:
    tried = await met(stage)
    await stage.decide(HOLD, resume_date="2099-01-01")
    return tried


async def met_and_killed(stage: Stage) -> Tried:
    tried = await met(stage)
    await stage.kill()
    return tried


async def paid(stage: Stage) -> Tried:
    made = await stage.results.met(await stage.results.give(award(stage.at.id)))
    return of_award(
        stage, await stage.results.do("ReleaseTranche", stage.results.release(made), "outsider")
    )


async def closed(stage: Stage) -> Tried:
    made = await stage.results.give(award(stage.at.id))
    request = awards_pb2.AwardStepRequest(
        award_id=made.id, etag=made.etag, idempotency_key=stage.bench.key()
    )
    return of_award(stage, await stage.results.do("CloseAward", request))


AWARDS = [
    given,
    reported,
    reported_with_what_waits,
    reported_with_what_gave_way,
    met,
    met_by_what_was_rejected,
    met_by_what_gave_way,
    met_by_what_gave_way_to_what_was_rejected,
    met_on_hold,
    met_and_killed,
    paid,
    closed,
]
