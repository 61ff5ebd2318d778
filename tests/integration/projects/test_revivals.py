"""A killed project comes back as another one alone, whatever happens at the same moment."""

import asyncio
from collections import Counter

from peyvand.projects.v1 import decisions_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from servicekit.errors import Fault
from tests.integration.projects.conftest import KILL, ProjectsBench, project

KILLED = decisions_pb2.DECISION_KIND_KILL
ROUNDS = 6


async def test_a_revival_meets_the_kill_before_it_or_after_it(bench: ProjectsBench) -> None:
    lead = await bench.center()
    outcomes: Counter[str] = Counter()
    for round in range(ROUNDS):
        made = await bench.create(project(lead))
        await bench.review(made.id, KILLED)
        ruling = bench.ruling(await bench.get(made.id), KILLED, kill=KILL)

        async def revive(id: str = made.id, pause: float = round / 100) -> str:
            await asyncio.sleep(pause)
            try:
                revived = await bench.create(project(lead, revival_of_id=id))
            except Fault as fault:
                return ", ".join(item.reason for item in fault.violations)
            assert (revived.state, revived.stage_visits[0].stage) == (
                pb.PROJECT_STATE_ACTIVE,
                revived.stage,
            )
            return ""

        found, _ = await asyncio.gather(revive(), bench.rpc.call("DecideProject", ruling))
        outcomes[found] += 1
        # It stays killed, and what revives it is another.
        assert (await bench.get(made.id)).state == pb.PROJECT_STATE_KILLED
        if found:
            assert await revive(pause=0) == ""
    assert set(outcomes) <= {"", "REVIVED_NOT_KILLED"}, outcomes


async def test_what_revives_a_project_does_not_bring_back_its_votes_or_evidence(
    bench: ProjectsBench,
) -> None:
    lead = await bench.center()
    made = await bench.create(project(lead))
    await bench.satisfy(made.id)
    await bench.decide(made, KILLED, kill=KILL)
    revived = await bench.create(project(lead, revival_of_id=made.id))
    assert not revived.open_gate_id
    assert not revived.latest_decision_id
    fault = await bench.rpc.fault(
        "DecideProject", bench.ruling(revived, decisions_pb2.DECISION_KIND_GO)
    )
    assert fault.reason == "GATE_NEEDED"
    assert await bench.decisions(revived.id) == []
