"""Imports of projects and companies: rehearsed, run, run again, and with bad rows."""

import asyncio
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from domainkit.aggregate import Occasion
from peyvand.api.v1 import types_pb2
from peyvand.centers.v1 import centers_pb2
from peyvand.partners.v1 import agreements_pb2
from peyvand.projects.v1 import companies_pb2, decisions_pb2, people_pb2, stages_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from projects import tables
from projects.domain.participants import Participant
from projects.repository.neighbours import hold_neighbours, lock_after_neighbours
from projects.repository.projects import projects
from servicekit.database import WriteSession
from servicekit.errors import Fault
from tests.integration.projects.conftest import ProjectsBench, center_event, heard, project
from tests.integration.projects.standing import deadlocks, require_right_flags
from tests.support.messaging import eventually
from tests.support.rpc import outbox

CREATED = types_pb2.ROW_ACTION_CREATED
UPDATED = types_pb2.ROW_ACTION_UPDATED
UNCHANGED = types_pb2.ROW_ACTION_UNCHANGED
REFUSED = types_pb2.ROW_ACTION_REFUSED
LEAD = {"lead_center_id": "center-tabriz"}


def project_row(
    key: str, references: dict[str, str] | None = None, **values: Any
) -> pb.ProjectsRow:
    given = project("", external_key=key, **values)
    references = LEAD if references is None else references
    return pb.ProjectsRow(project=pb.ProjectRow(project=given, references=references))


def company_row(key: str, *projects: str, **values: Any) -> pb.ProjectsRow:
    company = companies_pb2.Company(
        external_key=key,
        names=types_pb2.LocalizedText(en=key),
        project_ids=[""] * len(projects),
        **values,
    )
    references = {f"project_ids[{i}]": key for i, key in enumerate(projects)}
    return pb.ProjectsRow(company=companies_pb2.CompanyRow(company=company, references=references))


async def run(
    bench: ProjectsBench, *rows: pb.ProjectsRow, **values: Any
) -> list[types_pb2.RowResult]:
    request = pb.ImportProjectsRequest(rows=rows, **values)
    answer = cast("pb.ImportProjectsResponse", await bench.rpc.call("ImportProjects", request))
    return list(answer.results)


def actions(results: list[types_pb2.RowResult]) -> list[int]:
    return [result.action for result in results]


def broken(result: types_pb2.RowResult) -> list[tuple[str, str]]:
    return [(item.field, item.reason) for item in result.violations]


async def test_rehearsed_then_run_then_run_again(bench: ProjectsBench) -> None:
    center = await bench.center("center-tabriz")
    # The company stands before the project that it came out of.
    rows = [company_row("com-1", "prj-1"), project_row("prj-1")]
    rehearsed = await run(bench, *rows, validate_only=True)
    assert actions(rehearsed) == [CREATED, CREATED]
    assert [result.id for result in rehearsed] == ["", ""]
    assert not await outbox(bench.database)

    first = await run(bench, *rows)
    assert actions(first) == [CREATED, CREATED]
    assert [result.external_key for result in first] == ["com-1", "prj-1"]
    assert actions(await run(bench, *rows)) == [UNCHANGED, UNCHANGED]
    assert actions(await run(bench, *rows, validate_only=True)) == [UNCHANGED, UNCHANGED]
    assert len(await outbox(bench.database)) == 2

    get = pb.GetProjectRequest(project_id=first[1].id)
    made = cast("pb.Project", await bench.rpc.call("GetProject", get))
    assert made.lead_center_id == center
    get_company = companies_pb2.GetCompanyRequest(company_id=first[0].id)
    company = cast("companies_pb2.Company", await bench.rpc.call("GetCompany", get_company))
    assert list(company.project_ids) == [made.id]

    summary = types_pb2.LocalizedText(en="More is known")
    assert actions(await run(bench, project_row("prj-1", summary=summary))) == [UPDATED]


async def test_a_row_whose_center_is_not_known_yet_is_refused_and_can_come_again(
    bench: ProjectsBench,
) -> None:
    rows = [project_row("prj-1"), company_row("com-1", "prj-1")]
    refused = await run(bench, *rows)
    assert actions(refused) == [REFUSED, REFUSED]
    assert broken(refused[0]) == [("lead_center_id", "UNKNOWN_CENTER")]
    assert broken(refused[1]) == [("project_ids[0]", "UNKNOWN_REFERENCE")]
    assert not await outbox(bench.database)
    await bench.center("center-tabriz")
    assert actions(await run(bench, *rows)) == [CREATED, CREATED]


async def test_a_rehearsal_takes_what_will_be_there_as_there(bench: ProjectsBench) -> None:
    references = {
        **LEAD,
        "participants[0].center_id": "center-shiraz",
        "participants[1].institution_id": "ins-tums",
        "participants[1].agreement_id": "mou-2025",
    }
    rows = [
        project_row("prj-1", references, participants=[{}, {}]),
        company_row("com-1", "prj-1"),
    ]
    pending = [
        "center:center-tabriz",
        "center:center-shiraz",
        "institution:ins-tums",
        "agreement:mou-2025",
    ]
    assert actions(await run(bench, *rows, validate_only=True, pending=pending)) == [CREATED] * 2
    (first, _) = await run(bench, *rows, validate_only=True, pending=pending[1:])
    assert broken(first) == [("lead_center_id", "UNKNOWN_CENTER")]
    # What is only announced is not there when it counts.
    (first, _) = await run(bench, *rows, pending=pending)
    assert {field for field, _ in broken(first)} == set(references)
    assert not await outbox(bench.database)


async def test_what_the_file_will_change_is_not_judged_as_it_is(bench: ProjectsBench) -> None:
    await bench.center("center-tabriz", centers_pb2.CENTER_STATE_SUSPENDED)
    row = project_row("prj-1")
    pending = ["center:center-tabriz"]
    assert actions(await run(bench, row, validate_only=True, pending=pending)) == [CREATED]
    (refused,) = await run(bench, row, validate_only=True)
    assert broken(refused) == [("", "CENTER_NOT_ACTIVE")]


async def test_one_bad_row_does_not_hold_up_the_others(bench: ProjectsBench) -> None:
    await bench.center("center-tabriz")
    lead = await bench.center()
    rows = [
        project_row("prj-none", {}),
        project_row("prj-title", titles=types_pb2.LocalizedText(en="x" * 3000)),
        project_row("prj-where", {**LEAD, "nowhere[0].id": "x"}),
        project_row("prj-stage", initial_stage=stages_pb2.STAGE_S4),
        project_row("", {}),
        project_row("prj\x00", {}),
        project_row("prj-null", {"lead_center_id": "\x00"}),
        pb.ProjectsRow(),
        company_row("com-state", state=cast("companies_pb2.CompanyState", 99)),
        pb.ProjectsRow(project=pb.ProjectRow(project=project(lead, external_key="prj-good"))),
    ]
    for rehearsal in (True, False):
        results = await run(bench, *rows, validate_only=rehearsal)
        assert [broken(result) for result in results] == [
            [("lead_center_id", "REQUIRED")],
            [("titles.en", "TOO_LONG")],
            [("nowhere[0].id", "UNKNOWN_FIELD")],
            [("initial_stage_reason", "INITIAL_STAGE_REASON_REQUIRED")],
            [("external_key", "REQUIRED")],
            [("external_key", "WRONG_FORMAT")],
            [("lead_center_id", "UNKNOWN_CENTER")],
            [("external_key", "REQUIRED")],
            [("state", "UNKNOWN_VALUE")],
            [],
        ]
    assert len(await outbox(bench.database)) == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"pathway": stages_pb2.PATHWAY_DEVICE}, "pathway"),
        ({"initial_stage": stages_pb2.STAGE_S1}, "initial_stage"),
    ],
)
async def test_what_is_fixed_is_not_changed_by_a_file(
    bench: ProjectsBench, values: dict[str, Any], field: str
) -> None:
    await bench.center("center-tabriz")
    await run(bench, project_row("prj-1"))
    (result,) = await run(bench, project_row("prj-1", **values))
    assert broken(result) == [(field, "IMMUTABLE")]


async def test_a_file_says_that_a_company_is_dissolved(bench: ProjectsBench) -> None:
    row = company_row("com-1", state=companies_pb2.COMPANY_STATE_DISSOLVED)
    (refused,) = await run(bench, row)
    assert broken(refused) == [("reason", "REASON_REQUIRED")]
    row.company.reason = "Struck off."
    assert actions(await run(bench, row)) == [CREATED]
    events = [kind.rsplit(".", 1)[1] for kind, _, _ in await outbox(bench.database)]
    assert events == ["created", "dissolved"]


async def test_a_file_names_people_by_their_orcid(bench: ProjectsBench) -> None:
    await bench.center("center-tabriz")
    orcid = "https://orcid.org/0000-0002-1825-0097"

    def row(written: str) -> pb.ProjectsRow:
        person = people_pb2.ProjectPerson(
            name=types_pb2.LocalizedText(en="Sample leader"),
            orcid=written,
            role=people_pb2.PERSON_ROLE_CLINICAL,
        )
        return project_row("prj-1", people=[person])

    (refused,) = await run(bench, row("0000-0002-1825-0098"))
    assert broken(refused) == [("people[0].orcid", "ORCID_CHECKSUM")]
    (made,) = await run(bench, row(orcid))
    assert made.action == CREATED
    # The same person in another spelling changes nothing.
    assert actions(await run(bench, row("0000-0002-1825-0097"))) == [UNCHANGED]


async def test_a_file_does_not_undo_what_was_decided(bench: ProjectsBench) -> None:
    await bench.center("center-tabriz")
    (made,) = await run(bench, project_row("prj-1"))
    get = pb.GetProjectRequest(project_id=made.id)
    before = cast("pb.Project", await bench.rpc.call("GetProject", get))
    await bench.decide(before, decisions_pb2.DECISION_KIND_GO)
    summary = types_pb2.LocalizedText(en="More is known")
    row = project_row("prj-1", summary=summary, initial_stage=stages_pb2.STAGE_S0)
    assert actions(await run(bench, row)) == [UPDATED]
    after = cast("pb.Project", await bench.rpc.call("GetProject", get))
    assert after.stage == stages_pb2.STAGE_S1


async def test_only_the_headquarters_import(bench: ProjectsBench) -> None:
    fault = await bench.rpc.fault("ImportProjects", pb.ImportProjectsRequest(), "center_admin")
    assert fault.reason == "PERMISSION_DENIED"


async def test_imports_that_meet_changes_and_neighbours_never_wait_in_a_circle(
    bench: ProjectsBench,
) -> None:
    """Rows move projects between centers, while others do and the centers come and go."""
    dice = random.Random(23)
    keys = [f"center-{n}" for n in range(4)]
    centers = [await bench.center(key) for key in keys]
    lead = await bench.center("center-tabriz")
    versions = dict.fromkeys(centers, 1)
    await run(bench, *(project_row(f"prj-{n}") for n in range(3)))
    listed = await bench.rpc.call("ListProjects", pb.ListProjectsRequest(center_id=lead))
    made = [item.id for item in cast("pb.ListProjectsResponse", listed).projects]
    assert len(made) == 3
    seen: Counter[str] = Counter()

    async def turn(id: str) -> None:
        await asyncio.sleep(dice.uniform(0, 0.03))
        versions[id] += 1
        state = (
            centers_pb2.CENTER_STATE_OPERATIONAL
            if versions[id] % 2
            else centers_pb2.CENTER_STATE_SUSPENDED
        )
        event = center_event(id, state, keys[centers.index(id)])
        await bench.hear(heard("center", id, versions[id], event))

    async def change(id: str) -> None:
        await asyncio.sleep(dice.uniform(0, 0.03))
        now = await bench.get(id)
        parts = [
            pb.ProjectParticipant(center_id=center)
            for center in dice.sample(centers, dice.randint(0, 4))
        ]
        request = pb.UpdateProjectRequest(
            project_id=id,
            etag=now.etag,
            project=pb.Project(participants=parts),
            update_mask=FieldMask(paths=["participants"]),
        )
        try:
            await bench.rpc.call("UpdateProject", request)
        except Fault as fault:
            seen[fault.reason] += 1
        else:
            seen["changed"] += 1

    async def bring(number: int) -> None:
        await asyncio.sleep(dice.uniform(0, 0.03))
        summary = types_pb2.LocalizedText(en=f"Draw {dice.random()}")
        chosen = dice.sample(keys, dice.randint(0, 2))
        references = LEAD | {f"participants[{n}].center_id": key for n, key in enumerate(chosen)}
        row = project_row(
            f"prj-{number}", references, summary=summary, participants=[{} for _ in chosen]
        )
        (result,) = await run(bench, row)
        seen[",".join(item.reason for item in result.violations) or "brought"] += 1

    for _ in range(20):
        await asyncio.gather(*map(turn, centers), *map(change, made), *map(bring, range(3)))
        await require_right_flags(bench)
    assert set(seen) <= {"changed", "brought", "STALE_ETAG", "CENTER_NOT_ACTIVE"}, seen
    assert seen["brought"], seen
    assert seen["changed"], seen
    assert await deadlocks(bench) == 0


async def test_an_import_lets_go_of_neighbours_that_turn_out_to_be_others(
    bench: ProjectsBench,
) -> None:
    """While it waits for the project, that comes to point to a center that it does not hold."""
    await bench.center("center-tabriz")
    other = await bench.center()
    await run(bench, project_row("prj-1"))
    locked, go_on = asyncio.Event(), asyncio.Event()

    async def join(session: WriteSession) -> None:
        same = tables.project.c.external_key == "prj-1"
        found, _ = await lock_after_neighbours(session, same)
        assert found is not None
        await hold_neighbours(session, [replace(found, participants=[Participant(other)])])
        locked.set()
        await go_on.wait()
        found.amend({"participants": [Participant(other)]}, Occasion("hq", datetime.now(UTC)))
        await projects.save(session, found)

    joining = asyncio.create_task(bench.database.write(join))
    await locked.wait()
    summary = types_pb2.LocalizedText(en="More is known")
    importing = asyncio.create_task(run(bench, project_row("prj-1", summary=summary)))

    async def waits() -> bool:
        async with bench.database.engine.connect() as connection:
            query = (
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            return (await connection.exec_driver_sql(query)).scalar_one() == 1

    await eventually(waits)
    go_on.set()
    await joining
    assert actions(await importing) == [UPDATED]
    await require_right_flags(bench)
    suspended = center_event(other, centers_pb2.CENTER_STATE_SUSPENDED)
    await bench.hear(heard("center", other, 2, suspended))
    assert await require_right_flags(bench) == 1


async def test_an_agreement_found_by_its_key_must_be_in_force(bench: ProjectsBench) -> None:
    await bench.center("center-tabriz")
    part = pb.ProjectParticipant(
        institution_id=await bench.institution(),
        agreement_id=await bench.agreement(agreements_pb2.AGREEMENT_STATE_DRAFT),
    )
    (result,) = await run(bench, project_row("prj-1", participants=[part]))
    assert broken(result) == [("participants[0].agreement_id", "AGREEMENT_NOT_IN_FORCE")]
