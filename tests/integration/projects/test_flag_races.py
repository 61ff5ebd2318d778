"""Callers and events that meet at one moment, on connections of their own."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Iterator
from typing import Any, cast

from google.protobuf.field_mask_pb2 import FieldMask

from peyvand.centers.v1 import centers_pb2
from peyvand.observatory.v1 import regulations_pb2
from peyvand.partners.v1 import agreements_pb2
from peyvand.projects.v1 import decisions_pb2, flags_pb2, stages_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from servicekit.errors import Fault
from servicekit.ids import new_id
from tests.integration.projects.conftest import (
    KILL,
    ProjectsBench,
    agreement_event,
    center_event,
    heard,
    in_days,
    project,
    regulation_event,
)
from tests.integration.projects.standing import deadlocks, require_right_flags, steps_of

ROUNDS = 25
STATES = [centers_pb2.CENTER_STATE_OPERATIONAL, centers_pb2.CENTER_STATE_SUSPENDED]


def rounds(outcomes: Counter[str], *wanted: str) -> Iterator[float]:
    """Some rounds, and more of them until each of these outcomes was met.

    Each is the longest time for which one may wait for another in it, which grows: on a slow
    machine calls take longer.
    """
    for number in range(20 * ROUNDS):
        if number >= ROUNDS and all(outcomes[reason] for reason in wanted):
            return
        yield 0.02 * (1 + number // ROUNDS)


class Center:
    """A center that is suspended and resumed in turns."""

    def __init__(self, bench: ProjectsBench, id: str) -> None:
        self.bench = bench
        self.id = id
        self.version = 1

    async def turn(self, after: float = 0) -> None:
        """Be heard to be suspended, or back."""
        await asyncio.sleep(after)
        self.version += 1
        state = STATES[(self.version + 1) % 2]
        event = center_event(self.id, state)
        await self.bench.hear(heard("center", self.id, self.version, event))


async def outcome(work: Awaitable[pb.Project]) -> str:
    """What became of a call: nothing, or the reason for which it was refused."""
    try:
        await work
    except Fault as fault:
        return fault.reason
    return ""


async def recorded(bench: ProjectsBench, given: pb.Project, ids: list[str]) -> str:
    """Record a project, and note its id; what became of it, as `outcome` tells."""
    try:
        ids.append((await bench.create(given)).id)
    except Fault as fault:
        return fault.reason
    return ""


def joined(bench: ProjectsBench, at: pb.Project, *centers: str) -> Awaitable[pb.Project]:
    """Have these centers take part in a project from now on."""
    request = pb.UpdateProjectRequest(
        project_id=at.id,
        etag=at.etag,
        project=pb.Project(participants=[pb.ProjectParticipant(center_id=id) for id in centers]),
        update_mask=FieldMask(paths=["participants"]),
    )
    return cast("Awaitable[pb.Project]", bench.rpc.call("UpdateProject", request))


async def test_a_project_recorded_while_its_center_turns_has_the_right_flags(
    bench: ProjectsBench,
) -> None:
    dice = random.Random(3)
    lead, center = await bench.center(), Center(bench, await bench.center())
    given = project(lead, participants=[pb.ProjectParticipant(center_id=center.id)])
    outcomes: Counter[str] = Counter()
    for pause in rounds(outcomes, "", "CENTER_NOT_ACTIVE"):
        *found, _ = await asyncio.gather(
            *(outcome(bench.create(given)) for _ in range(3)), center.turn(dice.uniform(0, pause))
        )
        outcomes.update(cast("list[str]", found))
        await require_right_flags(bench)
    # Both orders were met, or nothing was tried.
    assert set(outcomes) == {"", "CENTER_NOT_ACTIVE"}, outcomes
    assert await deadlocks(bench) == 0


async def test_a_project_changed_while_its_centers_turn_has_the_right_flags(
    bench: ProjectsBench,
) -> None:
    dice = random.Random(5)
    lead = await bench.center()
    first, second = Center(bench, await bench.center()), Center(bench, await bench.center())
    made = [await bench.create(project(lead)) for _ in range(4)]
    outcomes: Counter[str] = Counter()

    async def change(id: str, pause: float) -> None:
        await asyncio.sleep(dice.uniform(0, pause))
        parts = dice.choice([[], [first.id], [second.id], [first.id, second.id]])
        # A flag may come between reading and changing: then it reads again.
        reason = "not tried"
        while reason not in ("", "CENTER_NOT_ACTIVE"):
            reason = await outcome(joined(bench, await bench.get(id), *parts))
            outcomes[reason] += 1

    done = 0
    for pause in rounds(outcomes, "", "STALE_ETAG", "CENTER_NOT_ACTIVE"):
        await asyncio.gather(
            *(change(one.id, pause) for one in made),
            first.turn(dice.uniform(0, pause)),
            second.turn(dice.uniform(0, pause)),
        )
        done += len(made)
        await require_right_flags(bench)
    assert set(outcomes) == {"", "STALE_ETAG", "CENTER_NOT_ACTIVE"}, outcomes
    assert outcomes[""] + outcomes["CENTER_NOT_ACTIVE"] == done
    assert await deadlocks(bench) == 0


async def test_a_go_meets_a_suspension_before_it_or_after_it_never_within(
    bench: ProjectsBench,
) -> None:
    dice = random.Random(7)
    center = Center(bench, await bench.center())
    outcomes: Counter[str] = Counter()
    for pause in rounds(outcomes, "", "STALE_ETAG"):
        made = await bench.create(project(center.id))
        await bench.satisfy(made.id)
        await bench.review(made.id, decisions_pb2.DECISION_KIND_GO)
        go = bench.ruling(await bench.get(made.id), decisions_pb2.DECISION_KIND_GO)
        deciding = cast("Awaitable[pb.Project]", bench.rpc.call("DecideProject", go))
        reason, _ = await asyncio.gather(outcome(deciding), center.turn(dice.uniform(0, pause)))
        outcomes[reason] += 1
        actions = [step["action"] for step in await steps_of(bench, made.id)]
        came = ["flagged"] if reason else ["advanced", "flagged"]
        assert actions == ["created", "gate_opened", *came], (reason, actions)
        await require_right_flags(bench)
        await center.turn()  # back
    # Whoever comes second has read another version, or finds the flag.
    assert set(outcomes) <= {"", "STALE_ETAG", "FLAGS_BLOCK_GO"}
    assert outcomes[""], outcomes
    assert outcomes["STALE_ETAG"], outcomes
    assert await deadlocks(bench) == 0


async def test_many_neighbours_of_one_project_may_change_at_once(bench: ProjectsBench) -> None:
    """Each is heard in a transaction of its own, as by several processes."""
    centers = [Center(bench, await bench.center()) for _ in range(4)]
    party = await bench.institution()
    agreement = await bench.agreement(agreements_pb2.AGREEMENT_STATE_IN_FORCE, party)
    institution = pb.ProjectParticipant(institution_id=party, agreement_id=agreement)
    parts = [institution, *(pb.ProjectParticipant(center_id=c.id) for c in centers)]
    lead = await bench.center()
    regulation = new_id("reg")
    first = regulation_event(regulation, "reg-cell-therapy", 1)
    await bench.hear(heard("regulation", regulation, 1, first))
    for _ in range(3):
        await bench.create(project(lead, participants=parts))
    states = [
        agreements_pb2.AGREEMENT_STATE_IN_FORCE,
        agreements_pb2.AGREEMENT_STATE_SUSPENDED,
    ]
    for round in range(2, ROUNDS):
        event = agreement_event(agreement, states[round % 2])
        text = regulation_event(regulation, "reg-cell-therapy", round, changed=["note"])
        await asyncio.gather(
            *(center.turn() for center in centers),
            bench.hear(heard("agreement", agreement, round, event)),
            bench.hear(heard("regulation", regulation, round, text)),
        )
        assert await require_right_flags(bench) == 3
    assert await deadlocks(bench) == 0


async def test_a_change_that_comes_while_one_is_acknowledged_is_not_taken_for_it(
    bench: ProjectsBench,
) -> None:
    dice = random.Random(11)
    regulation = new_id("reg")

    async def change(version: int, after: float = 0) -> None:
        await asyncio.sleep(after)
        event = regulation_event(
            regulation,
            "reg-cell-therapy",
            version,
            regulations_pb2.REGULATION_STATE_IN_FORCE,
            changed=["url"],
        )
        await bench.hear(heard("regulation", regulation, version, event))

    await change(1)
    made = await bench.create(project(await bench.center()))
    outcomes: Counter[str] = Counter()
    for number, pause in enumerate(rounds(outcomes, "", "STALE_ETAG"), 1):
        version = 2 * number
        await change(version)
        now = await bench.get(made.id)
        request = flags_pb2.AcknowledgeProjectFlagRequest(
            project_id=now.id,
            regulation_id=regulation,
            reason="Read.",
            etag=now.etag,
            idempotency_key=bench.key(),
        )
        call = bench.rpc.call("AcknowledgeProjectFlag", request)
        reason, _ = await asyncio.gather(
            outcome(cast("Awaitable[pb.Project]", call)),
            change(version + 1, dice.uniform(0, pause)),
        )
        outcomes[reason] += 1
        # The later change was looked at by nobody.
        assert (await bench.get(made.id)).flags
        await require_right_flags(bench)
    assert set(outcomes) == {"", "STALE_ETAG"}, outcomes


async def test_whatever_meets_whatever_every_flag_is_right_in_the_end(
    bench: ProjectsBench,
) -> None:
    dice = random.Random(13)
    leads = [await bench.center() for _ in range(2)]
    centers = [Center(bench, await bench.center()) for _ in range(5)]
    ids = [(await bench.create(project(dice.choice(leads)))).id for _ in range(6)]
    faults: Counter[str] = Counter()

    async def act() -> None:
        parts = dice.sample([center.id for center in centers], dice.randrange(4))
        kind = dice.choice(["create", "join", "join", "go", "hold", "resume", "recycle", "kill"])
        now = await bench.get(dice.choice(ids))
        work: Any
        if kind == "create":
            given = project(
                dice.choice(leads),
                participants=[pb.ProjectParticipant(center_id=id) for id in parts],
            )
            faults[await recorded(bench, given, ids)] += 1
            return
        if kind == "join":
            work = joined(bench, now, *parts)
        elif kind == "go":
            work = bench.decide(now, decisions_pb2.DECISION_KIND_GO)
        elif kind == "hold":
            hold = decisions_pb2.DECISION_KIND_HOLD
            work = bench.decide(now, hold, resume_date=in_days(0))
        elif kind == "resume":
            step = pb.ProjectStepRequest(
                project_id=now.id, etag=now.etag, idempotency_key=bench.key()
            )
            work = bench.rpc.call("ResumeProject", step)
        elif kind == "recycle":
            back = decisions_pb2.DECISION_KIND_RECYCLE
            work = bench.decide(now, back, to_stage=stages_pb2.STAGE_S0)
        else:
            work = bench.decide(now, decisions_pb2.DECISION_KIND_KILL, kill=KILL)
        faults[await outcome(work)] += 1

    async def acting() -> None:
        for _ in range(20):
            await act()

    async def turning(center: Center) -> None:
        for _ in range(15):
            await center.turn(dice.uniform(0, 0.05))

    async with asyncio.timeout(400):
        await asyncio.gather(*(acting() for _ in range(4)), *map(turning, centers))
    await require_right_flags(bench)
    assert "INTERNAL" not in faults, faults
    assert "UNAVAILABLE" not in faults, faults
    assert await deadlocks(bench) == 0
