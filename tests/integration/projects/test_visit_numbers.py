"""A visit that a correction has struck leaves nothing to the one that comes in its place."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import projects
from peyvand.projects.v1 import criteria_pb2, decisions_pb2, panel_pb2, stages_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from projects import tables
from servicekit import migrations
from tests.integration.projects.conftest import VOTERS, ProjectsBench, at_s1, in_days
from tests.support.criteria import OMID, SARA, CriteriaBench, ruling_on, states

GO = decisions_pb2.DECISION_KIND_GO
CONDITIONAL_GO = decisions_pb2.DECISION_KIND_CONDITIONAL_GO
HOLD = decisions_pb2.DECISION_KIND_HOLD
RECYCLE = decisions_pb2.DECISION_KIND_RECYCLE
CRITERION = "single-candidate"

# As it was before visits were numbered: they were known by their place.
_BEFORE_NUMBERS = (
    "ALTER TABLE project DROP COLUMN visits_begun",
    """
    UPDATE project SET stage_visits = (
        SELECT jsonb_agg(visit - 'number' ORDER BY place)
        FROM jsonb_array_elements(stage_visits) WITH ORDINALITY AS v(visit, place)
    )
    """,
    "UPDATE alembic_version SET version_num = '0010'",
)
_UNBOUND = {
    "gate": "UPDATE gate SET visit = 1",
    "waiver": "UPDATE waiver SET visit = 1",
    "evidence": "UPDATE evidence SET visit = 1",
    "rejection": "UPDATE evidence SET rejected_visit = least(rejected_visit, 1)",
    "confirmation": """
    UPDATE evidence SET confirmations = (
        SELECT coalesce(jsonb_agg(jsonb_set(c, '{visit}', '1')), '[]')
        FROM jsonb_array_elements(confirmations) AS t(c)
    )
    """,
}


async def correct(bench: ProjectsBench, id: str, kind: Any, **terms: Any) -> pb.Project:
    """Decide something else than what was decided last."""
    over = (await bench.get(id)).latest_decision_id
    await bench.review(id, kind, supersedes_id=over, **terms)
    answer: Any = await bench.rpc.call("DecideProject", bench.ruling(await bench.get(id), kind))
    return answer


async def go_on(bench: ProjectsBench, held: pb.Project) -> pb.Project:
    """End a hold, and go."""
    resume = pb.ProjectStepRequest(project_id=held.id, etag=held.etag, idempotency_key=bench.key())
    await bench.rpc.call("ResumeProject", resume, subject="outsider")
    return await bench.decide(await bench.get(held.id), GO)


async def in_conflict(bench: ProjectsBench, id: str, subject: str) -> None:
    """Have somebody declare a conflict at a gate over the present visit."""
    gate = await bench.open_gate(id, *VOTERS, subject, "vida")
    await bench.declare(gate.id, subject, panel_pb2.CONFLICT_SCIENTIFIC, "A paper together.")
    await bench.withdraw(gate.id)


def numbers(at: pb.Project) -> list[tuple[int, Any]]:
    return [(visit.number, visit.stage) for visit in at.stage_visits]


async def test_a_conflict_over_a_visit_that_was_struck_is_none_over_another_stage(
    bench: ProjectsBench,
) -> None:
    made = await at_s1(bench)
    await bench.decide(made, GO)
    await in_conflict(bench, made.id, "sara")
    at = await correct(bench, made.id, RECYCLE, to_stage=stages_pb2.STAGE_S0)
    assert numbers(at) == [(1, stages_pb2.STAGE_S1), (3, stages_pb2.STAGE_S0)]
    gate = await bench.open_gate(made.id, *VOTERS, "sara")
    assert (gate.visit, list(gate.declarations)) == (3, [])
    await bench.declare(gate.id, "sara")
    voted = await bench.vote(gate.id, "sara", GO)
    assert voted.counted_votes == 1


async def test_a_waiver_and_a_confirmation_of_a_visit_that_was_struck_count_no_more(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    await bench.decide(made, GO)
    waiting = await criteria.ask(made.id, "target-product-profile", SARA)
    waived = await criteria.rule("Grant", await criteria.ask(made.id, CRITERION, SARA))
    (shown,) = await criteria.verified(made.id, "in-vivo-proof")
    before = states(await criteria.next_gate(made.id))
    assert (before[CRITERION], before["in-vivo-proof"]) == ("waived", "verified")
    held = await correct(bench, made.id, HOLD, resume_date=in_days(0))
    assert numbers(held) == [(1, stages_pb2.STAGE_S1)]
    at = await go_on(bench, held)
    # The same stage, but not the visit for which somebody has looked.
    assert numbers(at) == [(1, stages_pb2.STAGE_S1), (3, stages_pb2.STAGE_S2)]
    gate = await criteria.next_gate(made.id)
    assert gate.visit == 3
    now = states(gate)
    assert (now[CRITERION], now["in-vivo-proof"]) == ("missing", "to_reconfirm")
    assert criteria_pb2.CRITERION_STATE_WAIVED not in {item.state for item in gate.criteria}
    fault = await criteria.fault("GrantWaiver", ruling_on(waiting), OMID)
    assert fault.reason == "VISIT_IS_OVER"
    await criteria.step("Reconfirm", shown)
    assert states(await criteria.next_gate(made.id))["in-vivo-proof"] == "verified"
    assert waived.visit == 2


async def test_a_correction_that_leads_to_the_same_stage_lets_the_visit_go_on(
    bench: ProjectsBench, criteria: CriteriaBench
) -> None:
    made = await at_s1(bench)
    await bench.decide(made, GO)
    await in_conflict(bench, made.id, "sara")
    await criteria.verified(made.id, "in-vivo-proof")
    at = await correct(bench, made.id, CONDITIONAL_GO)
    assert numbers(at) == [(1, stages_pb2.STAGE_S1), (2, stages_pb2.STAGE_S2)]
    assert states(await criteria.next_gate(made.id))["in-vivo-proof"] == "verified"
    gate = await bench.open_gate(made.id, *VOTERS, "sara", "vida")
    assert [item.subject for item in gate.declarations] == ["sara"]


@pytest.mark.parametrize(
    ("bound", "begun"),
    [
        ("gate", 3),
        ("confirmation", 3),
        ("rejection", 3),
        ("waiver", 2),
        ("evidence", 2),
        ("nothing", 1),
    ],
)
async def test_what_was_bound_to_visits_before_they_had_numbers_keeps_theirs(
    bench: ProjectsBench, criteria: CriteriaBench, bound: str, begun: int
) -> None:
    made = await at_s1(bench)
    await bench.decide(made, GO)
    await criteria.ask(made.id, CRITERION, SARA)
    (shown,) = await criteria.verified(made.id, "in-vivo-proof")
    held = await correct(bench, made.id, HOLD, resume_date=in_days(0))
    await go_on(bench, held)
    await in_conflict(bench, made.id, "sara")
    again = await criteria.step("Reconfirm", shown)
    await criteria.step("Reject", again, reason="The assay does not hold.")
    held = await correct(bench, made.id, HOLD, resume_date=in_days(0))
    assert numbers(held) == [(1, stages_pb2.STAGE_S1)]
    async with bench.database.engine.begin() as connection:
        for table in ("gate", "waiver", "evidence"):
            await connection.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        for statement in _BEFORE_NUMBERS:
            await connection.execute(sa.text(statement))
        for what, statement in _UNBOUND.items():
            if what != bound:
                await connection.execute(sa.text(statement))
    assert await migrations.upgrade(bench.url, Path(projects.__file__).parent / "migrations")
    async with bench.database.engine.connect() as connection:
        query = sa.select(tables.project.c.visits_begun)
        assert (await connection.execute(query)).scalar_one() == begun
    assert numbers(await bench.get(made.id)) == [(1, stages_pb2.STAGE_S1)]
    at = await go_on(bench, held)
    assert numbers(at) == [(1, stages_pb2.STAGE_S1), (begun + 1, stages_pb2.STAGE_S2)]
