"""Flags by the events of neighbours, over gRPC and a real database."""

import itertools
from typing import Any, cast

import pytest
import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask

from peyvand.centers.v1 import centers_pb2
from peyvand.observatory.v1 import regulations_pb2
from peyvand.partners.v1 import agreements_pb2
from peyvand.projects.v1 import decisions_pb2, flags_pb2, stages_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from projects.consumers import keep_copies
from projects.tables import project as project_table
from projects.watches.flags_at_start import FlagsAtStart
from servicekit.database import Database
from servicekit.delivery import Delivery
from servicekit.ids import new_id
from tests.integration.projects.conftest import (
    KILL,
    VOTERS,
    ProjectsBench,
    agreement_event,
    center_event,
    heard,
    project,
    regulation_event,
)
from tests.integration.projects.standing import require_right_flags, statements, steps_of
from tests.support.cut_off import cut_off_at_each_statement
from tests.support.messaging import eventually
from tests.support.rpc import outbox

OPERATIONAL = centers_pb2.CENTER_STATE_OPERATIONAL
SUSPENDED = centers_pb2.CENTER_STATE_SUSPENDED
CLOSED = centers_pb2.CENTER_STATE_CLOSED
UNAVAILABLE = flags_pb2.PROJECT_FLAG_KIND_CENTER_UNAVAILABLE
NOT_IN_FORCE = flags_pb2.PROJECT_FLAG_KIND_AGREEMENT_NOT_IN_FORCE
CHANGED = flags_pb2.PROJECT_FLAG_KIND_REGULATION_CHANGED
IN_FORCE = regulations_pb2.REGULATION_STATE_IN_FORCE


def flags(at: pb.Project) -> list[tuple[int, str, str]]:
    return [(flag.kind, flag.resource_id, flag.state) for flag in at.flags]


def suspended(id: str, version: int = 2) -> Delivery:
    return heard("center", id, version, center_event(id, SUSPENDED))


async def listed(bench: ProjectsBench, **filters: Any) -> set[str]:
    answer = await bench.rpc.call("ListProjects", pb.ListProjectsRequest(**filters))
    return {item.id for item in cast("pb.ListProjectsResponse", answer).projects}


async def acknowledge(bench: ProjectsBench, at: pb.Project, regulation: str) -> pb.Project:
    answer = await bench.rpc.call("AcknowledgeProjectFlag", looked_at(bench, at, regulation))
    return cast("pb.Project", answer)


def looked_at(
    bench: ProjectsBench, at: pb.Project, regulation: str, reason: str = "It asks for nothing new."
) -> flags_pb2.AcknowledgeProjectFlagRequest:
    return flags_pb2.AcknowledgeProjectFlagRequest(
        project_id=at.id,
        regulation_id=regulation,
        reason=reason,
        etag=at.etag,
        idempotency_key=bench.key(),
    )


async def test_a_project_is_flagged_while_a_center_of_it_is_out(bench: ProjectsBench) -> None:
    lead, other, stranger = await bench.center(), await bench.center(), await bench.center()
    led = await bench.create(project(lead))
    joined = await bench.create(
        project(stranger, participants=[pb.ProjectParticipant(center_id=lead)])
    )
    foreign = await bench.create(project(other))
    await bench.hear(suspended(lead))
    for made in (led, joined):
        now = await bench.get(made.id)
        assert flags(now) == [(UNAVAILABLE, lead, "suspended")]
        assert now.flags[0].HasField("since")
        assert now.etag == "v2"
    assert (await bench.get(foreign.id)).etag == "v1"
    assert await listed(bench, flag=UNAVAILABLE) == {led.id, joined.id}
    assert await listed(bench, flag=NOT_IN_FORCE) == set()
    # Suspended, then closed: one flag, which says so.
    await bench.hear(heard("center", lead, 3, center_event(lead, CLOSED)))
    assert flags(await bench.get(led.id)) == [(UNAVAILABLE, lead, "closed")]
    await bench.hear(suspended(lead, 2))  # late, and no news
    await bench.hear(heard("center", lead, 4, center_event(lead, OPERATIONAL)))
    assert flags(await bench.get(led.id)) == flags(await bench.get(joined.id)) == []
    steps = await steps_of(bench, led.id)
    assert [(step["action"], step["actor"], step["reason"]) for step in steps[1:]] == [
        ("flagged", "projects", f"center_unavailable {lead} (suspended)"),
        ("flagged", "projects", f"center_unavailable {lead} (closed)"),
        ("unflagged", "projects", f"center_unavailable {lead} (closed)"),
    ]
    told = [(kind, version) for kind, id, version in await outbox(bench.database) if id == led.id]
    assert told == [
        ("peyvand.projects.v1.project.created", 1),
        ("peyvand.projects.v1.project.flagged", 2),
        ("peyvand.projects.v1.project.flagged", 3),
        ("peyvand.projects.v1.project.unflagged", 4),
    ]
    await require_right_flags(bench)


async def test_a_project_is_flagged_while_an_agreement_of_it_is_not_in_force(
    bench: ProjectsBench,
) -> None:
    institution = await bench.institution()
    agreement = await bench.agreement(agreements_pb2.AGREEMENT_STATE_IN_FORCE, institution)
    part = pb.ProjectParticipant(institution_id=institution, agreement_id=agreement)
    made = await bench.create(project(await bench.center(), participants=[part]))
    shown: list[list[tuple[int, str, str]]] = []
    for version, state in enumerate(
        (
            agreements_pb2.AGREEMENT_STATE_SUSPENDED,
            agreements_pb2.AGREEMENT_STATE_IN_FORCE,
            agreements_pb2.AGREEMENT_STATE_EXPIRED,
        ),
        start=2,
    ):
        await bench.hear(heard("agreement", agreement, version, agreement_event(agreement, state)))
        shown.append(flags(await bench.get(made.id)))
    assert shown == [
        [(NOT_IN_FORCE, agreement, "suspended")],
        [],
        [(NOT_IN_FORCE, agreement, "expired")],
    ]
    # Nobody takes part under it any more.
    now = await bench.get(made.id)
    request = pb.UpdateProjectRequest(
        project_id=made.id,
        etag=now.etag,
        project=pb.Project(),
        update_mask=FieldMask(paths=["participants"]),
    )
    left = cast("pb.Project", await bench.rpc.call("UpdateProject", request))
    assert flags(left) == []
    assert (await steps_of(bench, made.id))[-1]["changed_fields"] == ["participants", "flags"]


async def test_a_lead_that_is_out_and_steps_back_to_take_part_keeps_its_flag(
    bench: ProjectsBench,
) -> None:
    out, other = await bench.center(), await bench.center()
    made = await bench.create(project(out))
    await bench.hear(heard("center", out, 2, center_event(out, SUSPENDED)))
    at = await bench.get(made.id)
    request = pb.UpdateProjectRequest(
        project_id=at.id,
        etag=at.etag,
        project=pb.Project(
            lead_center_id=other, participants=[pb.ProjectParticipant(center_id=out)]
        ),
        update_mask=FieldMask(paths=["lead_center_id", "participants"]),
    )
    changed = cast("pb.Project", await bench.rpc.call("UpdateProject", request))
    assert flags(changed) == [(UNAVAILABLE, out, "suspended")]
    await bench.hear(heard("center", out, 2, center_event(out)))
    await require_right_flags(bench)
    assert flags(await bench.get(made.id)) == []


async def test_a_flagged_project_does_not_go_on(bench: ProjectsBench) -> None:
    lead = await bench.center()
    made = await bench.create(project(lead))
    await bench.hear(suspended(lead))
    stale = await bench.rpc.fault(
        "DecideProject", bench.ruling(made, decisions_pb2.DECISION_KIND_GO)
    )
    assert stale.reason == "STALE_ETAG"
    await bench.satisfy(made.id)
    gate = await bench.review(made.id, decisions_pb2.DECISION_KIND_GO)
    await bench.propose(gate.id, decisions_pb2.DECISION_KIND_CONDITIONAL_GO)
    for kind in (decisions_pb2.DECISION_KIND_CONDITIONAL_GO, decisions_pb2.DECISION_KIND_GO):
        for subject in VOTERS:
            await bench.vote(gate.id, subject, kind)
        refused = bench.ruling(await bench.get(made.id), kind)
        fault = await bench.rpc.fault("DecideProject", refused)
        assert fault.reason == "FLAGS_BLOCK_GO"
        assert fault.params == {"flags": f"center_unavailable {lead} (suspended)"}
    await bench.hear(heard("center", lead, 3, center_event(lead)))
    # The gate stands open as it was: what the panel voted for is decided now.
    go = bench.ruling(await bench.get(made.id), decisions_pb2.DECISION_KIND_GO)
    now: Any = await bench.rpc.call("DecideProject", go)
    assert now.stage == stages_pb2.STAGE_S1
    await bench.hear(suspended(lead, 4))
    now = await bench.get(made.id)
    held = await bench.decide(now, decisions_pb2.DECISION_KIND_HOLD, resume_date="2099-01-01")
    assert flags(held) == [(UNAVAILABLE, lead, "suspended")]
    killed = await bench.decide(held, decisions_pb2.DECISION_KIND_KILL, kill=KILL)
    assert flags(killed) == []
    # Final: nothing is noted on it any more.
    await bench.hear(heard("center", lead, 5, center_event(lead, CLOSED)))
    assert (await bench.get(made.id)).etag == killed.etag


async def test_a_correction_to_a_go_finds_the_flags_that_a_completed_project_has_not(
    bench: ProjectsBench,
) -> None:
    lead = await bench.center()
    given = project(
        lead, initial_stage=stages_pb2.STAGE_S7, initial_stage_reason="In use since 2019."
    )
    made = await bench.create(given)
    go = decisions_pb2.DECISION_KIND_GO
    await bench.decide(made, go)
    await bench.hear(suspended(lead))
    done = await bench.get(made.id)
    assert (done.state, flags(done)) == (pb.PROJECT_STATE_COMPLETED, [])
    (decision,) = await bench.decisions(made.id)
    await bench.review(made.id, go, supersedes_id=decision.id)
    ruling = bench.ruling(await bench.get(made.id), go)
    fault = await bench.rpc.fault("DecideProject", ruling)
    assert (fault.reason, fault.params) == (
        "FLAGS_BLOCK_GO",
        {"flags": f"center_unavailable {lead} (suspended)"},
    )
    await bench.hear(heard("center", lead, 3, center_event(lead)))
    ruling = bench.ruling(await bench.get(made.id), go)
    await bench.rpc.call("DecideProject", ruling)
    assert [item.supersedes_id for item in await bench.decisions(made.id)] == ["", decision.id]


async def regulation(bench: ProjectsBench, key: str = "reg-cell-therapy") -> str:
    id = new_id("reg")
    await bench.hear(heard("regulation", id, 1, regulation_event(id, key, 1)))
    return id


def enacted(id: str, version: int, key: str = "reg-cell-therapy") -> Delivery:
    change = regulation_event(id, key, version, IN_FORCE, before="drafting")
    return heard("regulation", id, version, change)


async def test_a_regulation_that_changes_flags_who_has_it_before_them(
    bench: ProjectsBench,
) -> None:
    cell = await regulation(bench)
    gene = await regulation(bench, "reg-gene-therapy")
    lead = await bench.center()
    somatic = await bench.create(project(lead))
    device = await bench.create(project(lead, pathway=stages_pb2.PATHWAY_DEVICE))
    therapy = await bench.create(project(lead, pathway=stages_pb2.PATHWAY_GENE_THERAPY))
    late = await bench.create(
        project(
            lead,
            pathway=stages_pb2.PATHWAY_TISSUE_ENGINEERED,
            initial_stage=stages_pb2.STAGE_S7,
            initial_stage_reason="Under way.",
        )
    )
    assert await listed(bench, affected_by_regulation_id=cell) == {somatic.id, late.id}
    assert await listed(bench, affected_by_regulation_id=gene) == {therapy.id}
    assert await listed(bench, affected_by_regulation_id=new_id("reg")) == set()
    assert await listed(bench, flag=CHANGED) == set()  # hearing of it is no change

    await bench.hear(enacted(cell, 2))
    assert await listed(bench, flag=CHANGED) == {somatic.id, late.id}
    now = await bench.get(somatic.id)
    assert flags(now) == [(CHANGED, cell, "in_force")]
    assert list(now.allowed_actions) == ["update", "acknowledge-flag"]
    assert list((await bench.get(somatic.id, role="hq_analyst")).allowed_actions) == []
    await bench.satisfy(somatic.id)
    await bench.review(somatic.id, decisions_pb2.DECISION_KIND_GO)
    now = await bench.get(somatic.id)
    # What the panel has voted for cannot be recorded yet.
    assert list(now.allowed_actions) == ["update", "acknowledge-flag"]
    fault = await bench.rpc.fault(
        "DecideProject", bench.ruling(now, decisions_pb2.DECISION_KIND_GO)
    )
    assert fault.reason == "FLAGS_BLOCK_GO"

    # A reason is needed, the flag must be there, and only the headquarters may.
    request = looked_at(bench, now, cell, " ")
    fault = await bench.rpc.fault("AcknowledgeProjectFlag", request)
    assert [item.reason for item in fault.violations] == ["REASON_REQUIRED"]
    request = looked_at(bench, now, gene)
    fault = await bench.rpc.fault("AcknowledgeProjectFlag", request)
    assert fault.reason == "REGULATION_NOT_FLAGGED"
    for role in ("hq_analyst", "center_admin"):
        request = looked_at(bench, now, cell)
        fault = await bench.rpc.fault("AcknowledgeProjectFlag", request, role, center_ids=[lead])
        assert fault.reason == "PERMISSION_DENIED"
    unknown = looked_at(bench, pb.Project(id=new_id("prj"), etag="v1"), cell)
    assert (await bench.rpc.fault("AcknowledgeProjectFlag", unknown)).reason == "NOT_FOUND"

    read = await acknowledge(bench, now, cell)
    assert flags(read) == []
    step = (await steps_of(bench, somatic.id))[-1]
    assert (step["action"], step["reason"]) == ("flag_acknowledged", "It asks for nothing new.")
    assert step["actor"] == "local:hq_admin"
    assert list(read.allowed_actions) == ["update", "decide"]
    go = bench.ruling(read, decisions_pb2.DECISION_KIND_GO)
    advanced: Any = await bench.rpc.call("DecideProject", go)
    assert advanced.stage == stages_pb2.STAGE_S1
    # It is still concerned by it; and what is changed once more is another matter.
    assert somatic.id in await listed(bench, affected_by_regulation_id=cell)
    text = regulation_event(cell, "reg-cell-therapy", 4, IN_FORCE, changed=["titles"])
    await bench.hear(heard("regulation", cell, 4, text))
    again = await bench.get(somatic.id)
    assert flags(again) == [(CHANGED, cell, "in_force")]
    assert (await bench.get(device.id)).etag == device.etag
    await require_right_flags(bench)


async def test_what_says_nothing_new_is_no_change_of_a_regulation(bench: ProjectsBench) -> None:
    id = await regulation(bench)
    made = await bench.create(project(await bench.center()))
    cited = regulation_event(id, "reg-cell-therapy", 2, changed=["citations", "sample"])
    await bench.hear(heard("regulation", id, 2, cited))
    assert flags(await bench.get(made.id)) == []


async def test_no_change_of_a_regulation_is_missed_in_whatever_order_it_is_heard(
    bench: ProjectsBench,
) -> None:
    lead = await bench.center()
    for order in itertools.permutations(range(3)):
        id = new_id("reg")
        made = await bench.create(project(lead))
        events = [
            heard("regulation", id, 1, regulation_event(id, "reg-cell-therapy", 1)),
            enacted(id, 2),
            heard(
                "regulation",
                id,
                3,
                regulation_event(id, "reg-cell-therapy", 3, IN_FORCE, changed=["citations"]),
            ),
        ]
        for n in order:
            await bench.hear(events[n])
        now = await bench.get(made.id)
        assert flags(now) == [(CHANGED, id, "in_force")], order
        assert [step["action"] for step in await steps_of(bench, made.id)] == ["created", "flagged"]
        # The regulation of this turn is the only one with its key in the next.
        async with bench.database.engine.begin() as connection:
            await connection.execute(sa.text("DELETE FROM known_regulation"))


async def test_a_project_begun_after_the_change_stands_on_what_holds(bench: ProjectsBench) -> None:
    id = await regulation(bench)
    await bench.hear(enacted(id, 2))
    made = await bench.create(project(await bench.center()))
    assert flags(made) == []
    await require_right_flags(bench)


async def test_what_was_acknowledged_stays_so_when_a_project_goes_back(
    bench: ProjectsBench,
) -> None:
    id = await regulation(bench)
    made = await bench.create(
        project(
            await bench.center(),
            initial_stage=stages_pb2.STAGE_S7,
            initial_stage_reason="Under way.",
        )
    )
    await bench.hear(enacted(id, 2))
    now = await acknowledge(bench, await bench.get(made.id), id)
    back = await bench.decide(
        now, decisions_pb2.DECISION_KIND_RECYCLE, to_stage=stages_pb2.STAGE_S3
    )
    # It was looked at for this project already.
    assert flags(back) == []
    await require_right_flags(bench)


async def test_many_projects_are_flagged_in_a_handful_of_statements(bench: ProjectsBench) -> None:
    lead = await bench.center()
    made = [await bench.create(project(lead)) for _ in range(60)]
    with statements(bench.database) as few:
        await bench.hear(suspended(lead))
    assert len(few) <= 12, few
    assert await listed(bench, flag=UNAVAILABLE, page_size=200) == {item.id for item in made}
    other = await bench.center()
    single = await bench.create(project(other))
    with statements(bench.database) as one:
        await bench.hear(suspended(other))
    assert flags(await bench.get(single.id)) == [(UNAVAILABLE, other, "suspended")]
    # As many as for one.
    assert len(one) == len(few)
    await require_right_flags(bench)


async def test_an_abort_at_any_statement_leaves_neither_copy_nor_flag(
    bench: ProjectsBench,
) -> None:
    lead = await bench.center()
    made = [await bench.create(project(lead)) for _ in range(3)]
    killed = 0

    async def hear(database: Database) -> None:
        async with database.engine.begin() as connection:
            await keep_copies(connection, [suspended(lead)])

    async for attempt in cut_off_at_each_statement(bench.url, hear):
        if not attempt.whole:
            killed += 1
            assert await listed(bench, flag=UNAVAILABLE) == set(), f"statement {attempt.at}"
            await require_right_flags(bench)
    assert killed >= 6
    assert await listed(bench, flag=UNAVAILABLE) == {item.id for item in made}
    for item in made:
        actions = [step["action"] for step in await steps_of(bench, item.id)]
        assert actions == ["created", "flagged"]


async def test_what_a_version_without_flags_left_is_flagged_at_the_start(
    bench: ProjectsBench,
) -> None:
    lead, part = await bench.center(), await bench.center()
    institution = await bench.institution()
    agreement = await bench.agreement(agreements_pb2.AGREEMENT_STATE_IN_FORCE, institution)
    led = await bench.create(project(lead))
    joined = await bench.create(
        project(
            await bench.center(),
            participants=[
                pb.ProjectParticipant(center_id=part),
                pb.ProjectParticipant(institution_id=institution, agreement_id=agreement),
            ],
        )
    )
    well = await bench.create(project(await bench.center()))
    async with bench.database.engine.begin() as connection:
        await connection.execute(
            sa.text(
                "UPDATE known_center SET state = 'suspended', state_since = NULL WHERE id = :id"
            ),
            {"id": lead},
        )
        await connection.execute(
            sa.text("UPDATE known_center SET state = 'closed' WHERE id = :id"), {"id": part}
        )
        await connection.execute(sa.text("UPDATE known_agreement SET state = 'expired'"))

    for _ in range(2):
        starting = FlagsAtStart(bench.database)
        await starting.start()

        async def both() -> bool:
            return await listed(bench, flag=UNAVAILABLE) == {led.id, joined.id}

        await eventually(both, within=60)
        await starting.stop()
    now = await bench.get(led.id)
    assert flags(now) == [(UNAVAILABLE, lead, "suspended")]
    assert not now.flags[0].HasField("since")
    assert {flag.kind for flag in (await bench.get(joined.id)).flags} == {UNAVAILABLE, NOT_IN_FORCE}
    assert [(await bench.get(item.id)).etag for item in (led, joined, well)] == ["v2", "v2", "v1"]


@pytest.mark.parametrize("bad", ['[{"kind": "none"}]', "{}"])
async def test_nothing_but_flags_is_read_as_flags(bench: ProjectsBench, bad: str) -> None:
    made = await bench.create(project(await bench.center()))
    async with bench.database.engine.begin() as connection:
        change = sa.update(project_table).where(project_table.c.id == made.id)
        await connection.execute(change.values(flags=sa.cast(bad, project_table.c.flags.type)))
    fault = await bench.rpc.fault("GetProject", pb.GetProjectRequest(project_id=made.id))
    assert fault.reason == "INTERNAL"
