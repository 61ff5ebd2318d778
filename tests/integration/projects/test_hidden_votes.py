"""What others than the panel are told of a gate while it is open: that it is, and no votes."""

from collections.abc import AsyncGenerator
from typing import Any, cast

import pytest
import sqlalchemy as sa

from observatory.projections.happenings import Happening, read_happening
from peyvand.projects.v1 import decisions_pb2, dossier_pb2, gates_pb2
from projects.api.dossier import dossiers_api
from servicekit.delivery import Delivery
from servicekit.messaging_tables import TABLES
from tests.integration.projects.conftest import VOTERS, ProjectsBench, project
from tests.support.rpc import RpcBench, serve

HOLD = decisions_pb2.DECISION_KIND_HOLD
REASON = "As the evidence stands."


@pytest.fixture
async def dossiers(bench: ProjectsBench) -> AsyncGenerator[RpcBench]:
    service = dossier_pb2.DESCRIPTOR.services_by_name["Dossiers"]
    async with serve(service, dossiers_api(bench.database)) as rpc:
        yield rpc


async def happenings(bench: ProjectsBench, gate_id: str) -> list[Happening]:
    """The events of a gate, as the timeline reads them."""
    out = TABLES.outbox.c
    query = sa.select(TABLES.outbox).where(out.aggregate_id == gate_id).order_by(out.seq)
    async with bench.database.read() as session:
        rows = await session.rows(query)
    return [
        read_happening(
            Delivery(
                event_id=row.event_id,
                type=row.type,
                subject=row.subject,
                aggregate_id=row.aggregate_id,
                aggregate_version=row.aggregate_version,
                time=row.recorded_at,
                payload=row.payload,
                headers={},
                stream="EVT_PROJECTS",
                stream_seq=row.seq,
            )
        )
        for row in rows
    ]


async def gate_in_dossier(rpc: RpcBench, project_id: str, **who: Any) -> dossier_pb2.DossierGate:
    request = dossier_pb2.GetProjectDossierRequest(project_id=project_id)
    answer = await rpc.call("GetProjectDossier", request, **who)
    (entry,) = cast("dossier_pb2.ProjectDossier", answer).gates
    return entry


@pytest.mark.parametrize("ending", ["decided", "withdrawn"])
async def test_events_tell_of_votes_when_the_gate_has_ended(
    bench: ProjectsBench, ending: str
) -> None:
    made = await bench.create(project(await bench.center()))
    gate = await bench.review(made.id, HOLD)
    # What is announced after the votes tells of none of them either.
    await bench.propose(gate.id, HOLD, resume_date="2098-01-01")
    for member in VOTERS:
        await bench.vote(gate.id, member, HOLD)
    before = await happenings(bench, gate.id)
    assert {event.action for event in before} == {"created", "declared", "proposed", "voted"}
    for event in before:
        data, change = event.data() or {}, event.change() or {}
        assert data["gate"]["state"] == "open"
        assert not data["gate"].get("votes"), event.action
        if event.action == "voted":
            assert not change["step"].get("actor")
            assert not change["step"].get("reason")
    if ending == "decided":
        await bench.rpc.call("DecideProject", bench.ruling(await bench.get(made.id), HOLD))
    else:
        await bench.withdraw(gate.id)
    *_, last = await happenings(bench, gate.id)
    told = last.data() or {}
    assert last.action == ending
    assert {vote["subject"] for vote in told["gate"]["votes"]} == set(VOTERS)
    assert (last.change() or {})["step"]["actor"]


async def test_a_dossier_leaves_the_votes_of_an_open_gate_out_for_everybody(
    bench: ProjectsBench, dossiers: RpcBench
) -> None:
    lead = await bench.center()
    made = await bench.create(project(lead))
    gate = await bench.review(made.id, HOLD)
    lookers: list[dict[str, Any]] = [
        {},
        {"role": "center_admin", "center_ids": [lead]},
        {"role": "center_admin", "center_ids": [await bench.center()], "subject": "dana"},
    ]
    for who in lookers:
        entry = await gate_in_dossier(dossiers, made.id, **who)
        assert entry.gate.id == gate.id
        assert not entry.gate.votes
        voted = [step for step in entry.steps if step.action == "voted"]
        assert len(voted) == len(VOTERS)
        assert not any(step.actor or step.reason for step in voted)
    # Who decides at it still reads them with the gate.
    assert {vote.reason for vote in (await bench.gate(gate.id)).votes} == {REASON}
    await bench.withdraw(gate.id)
    for who in lookers[:2]:
        entry = await gate_in_dossier(dossiers, made.id, **who)
        assert {vote.subject for vote in entry.gate.votes} == set(VOTERS)
        assert {s.actor for s in entry.steps if s.action == "voted"} == set(VOTERS)


async def test_the_steps_of_an_open_gate_do_not_tell_the_team_who_has_voted(
    bench: ProjectsBench,
) -> None:
    lead = await bench.center()
    made = await bench.create(project(lead))
    gate = await bench.review(made.id, HOLD)

    async def voted(**who: Any) -> set[tuple[str, str]]:
        request = gates_pb2.ListGateStepsRequest(gate_id=gate.id)
        answer = await bench.gates.call("ListGateSteps", request, **who)
        steps = cast("gates_pb2.ListGateStepsResponse", answer).steps
        return {(step.actor, step.reason) for step in steps if step.action == "voted"}

    team: dict[str, Any] = {"role": "center_admin", "center_ids": [lead]}
    assert await voted(**team) == {("", "")}
    assert await voted() == {(member, REASON) for member in VOTERS}
    await bench.withdraw(gate.id)
    assert await voted(**team) == {(member, REASON) for member in VOTERS}
