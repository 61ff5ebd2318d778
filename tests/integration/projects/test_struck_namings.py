"""Who is named on a project wrongly, and how the headquarters put that right."""

from typing import Any, cast

import pytest
import sqlalchemy as sa
import sqlalchemy.exc
from google.protobuf.field_mask_pb2 import FieldMask

from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import decisions_pb2, people_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from tests.integration.projects.conftest import ProjectsBench, project

HOLD = decisions_pb2.DECISION_KIND_HOLD


def named_person(subject: str) -> people_pb2.ProjectPerson:
    return people_pb2.ProjectPerson(
        name=types_pb2.LocalizedText(en=f"Dr {subject}"),
        role=people_pb2.PERSON_ROLE_QUALITY,
        subject=subject,
    )


async def named(bench: ProjectsBench, *subjects: str) -> pb.Project:
    """A project on which its lead center has named these."""
    lead = await bench.center()
    return await bench.create(
        project(lead, people=[named_person(subject) for subject in subjects]), center_ids=[lead]
    )


def striking(bench: ProjectsBench, at: pb.Project, subject: str) -> Any:
    return people_pb2.StrikeProjectNamingRequest(
        project_id=at.id,
        subject=subject,
        reason="Never worked on it.",
        etag=at.etag,
        idempotency_key=bench.key(),
    )


async def strike(bench: ProjectsBench, at: pb.Project, person: str, **who: Any) -> pb.Project:
    answer = await bench.rpc.call("StrikeProjectNaming", striking(bench, at, person), **who)
    return cast("pb.Project", answer)


async def test_who_was_named_to_lose_the_vote_has_it_once_the_naming_is_struck(
    bench: ProjectsBench,
) -> None:
    made = await named(bench, "dana", "omid")
    at = await strike(bench, await bench.get(made.id), "dana")
    assert [p.subject for p in at.people] == ["", "omid"]
    assert list(at.struck_subjects) == ["dana"]
    gate = await bench.review(made.id, HOLD, "dana", "mina", "vida")
    assert gate.counted_votes == 3
    request = pb.ListProjectStepsRequest(project_id=made.id)
    answer = await bench.rpc.call("ListProjectSteps", request)
    steps = cast("pb.ListProjectStepsResponse", answer).steps
    (told,) = [step for step in steps if step.action == "naming_struck"]
    assert (told.actor, told.reason) == ("local:hq_admin", "Never worked on it.")
    # Who has done something for it is of the team without being named.
    await bench.withdraw(gate.id)
    await bench.evidence(made.id, "inventors", subject="dana")
    fault = await bench.gates.fault("CreateGate", bench.opening(made.id), subject="dana")
    assert fault.reason == "TEAM_HAS_NO_SAY"


async def test_what_was_struck_is_neither_named_again_nor_taken_back(bench: ProjectsBench) -> None:
    made = await named(bench, "dana")
    at = await strike(bench, await bench.get(made.id), "dana")
    assert "strike-naming" not in at.allowed_actions
    again = pb.UpdateProjectRequest(
        project_id=at.id,
        etag=at.etag,
        project=pb.Project(people=[named_person("dana"), named_person("omid")]),
        update_mask=FieldMask(paths=["people"]),
    )
    lead = {"role": "center_admin", "center_ids": [made.lead_center_id]}
    for who in ({}, lead):
        caller: dict[str, Any] = who
        fault = await bench.rpc.fault("UpdateProject", again, **caller)
        assert (fault.reason, fault.params) == ("NAMING_STRUCK", {"subjects": "dana"})
    for subject in ("dana", "nobody"):
        fault = await bench.rpc.fault("StrikeProjectNaming", striking(bench, at, subject))
        assert (fault.reason, fault.params) == ("NOT_NAMED", {"subject": subject})
    with pytest.raises(sqlalchemy.exc.DBAPIError, match="stays named"):
        async with bench.database.engine.begin() as connection:
            await connection.execute(sa.text("UPDATE project SET struck_subjects = '[]'"))


async def test_who_strikes_is_neither_named_so_nor_of_the_team_by_acts(
    bench: ProjectsBench,
) -> None:
    made = await named(bench, "dana", "sara")
    await bench.evidence(made.id, "inventors", subject="kian")
    at = await bench.get(made.id)
    insiders: list[dict[str, Any]] = [
        {"subject": "dana"},
        {"subject": "kian"},
        {"subject": "azar", "center_ids": [made.lead_center_id]},
    ]
    for who in insiders:
        fault = await bench.rpc.fault("StrikeProjectNaming", striking(bench, at, "dana"), **who)
        assert fault.reason == "TEAM_HAS_NO_SAY"
    lead: dict[str, Any] = {"role": "center_admin", "center_ids": [made.lead_center_id]}
    fault = await bench.rpc.fault("StrikeProjectNaming", striking(bench, at, "dana"), **lead)
    assert fault.reason == "PERMISSION_DENIED"
    # A lead that names all who could strike does not stop them from doing it for one another.
    assert list((await strike(bench, at, "dana", subject="sara")).struck_subjects) == ["dana"]


async def test_nothing_is_struck_while_a_gate_is_open(bench: ProjectsBench) -> None:
    made = await named(bench, "dana")
    gate = await bench.open_gate(made.id, "mina", "omid", "vida")
    at = await bench.get(made.id)
    assert "strike-naming" not in at.allowed_actions
    fault = await bench.rpc.fault("StrikeProjectNaming", striking(bench, at, "dana"))
    assert (fault.reason, fault.params) == (
        "FROZEN_AT_GATE",
        {"gate_id": gate.id, "fields": "people"},
    )
    await bench.withdraw(gate.id)
    at = await bench.get(made.id)
    assert "strike-naming" in at.allowed_actions
    await strike(bench, at, "dana")
