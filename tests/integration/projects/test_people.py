"""The people on projects, tried over gRPC against a real database."""

from typing import Any, cast

from google.protobuf.field_mask_pb2 import FieldMask

from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import people_pb2, projects_pb2
from servicekit.errors import Fault
from tests.integration.projects.conftest import ProjectsBench, project
from tests.support.rpc import rules_broken

ORCID = "https://orcid.org/0000-0002-1825-0097"


def person(**values: Any) -> people_pb2.ProjectPerson:
    given: dict[str, Any] = {
        "name": types_pb2.LocalizedText(en="Sample leader"),
        "orcid": "0000 0002 1825 0097",
        "role": people_pb2.PERSON_ROLE_PRINCIPAL_INVESTIGATOR,
        "subject": "leader",
        "since_date": types_pb2.ImpreciseDate(value="2024"),
    }
    return people_pb2.ProjectPerson(**(given | values))


def change(
    at: projects_pb2.Project, *people: people_pb2.ProjectPerson
) -> projects_pb2.UpdateProjectRequest:
    return projects_pb2.UpdateProjectRequest(
        project_id=at.id,
        etag=at.etag,
        project=projects_pb2.Project(people=people),
        update_mask=FieldMask(paths=["people"]),
    )


def found(fault: Fault) -> list[tuple[str, str]]:
    return rules_broken(fault)


async def test_people_are_kept_with_roles_and_dates(bench: ProjectsBench) -> None:
    lead = await bench.center()
    made = await bench.create(project(lead, people=[person()]), center_ids=[lead])
    assert made.people[0].orcid == ORCID
    left = person(until_date=types_pb2.ImpreciseDate(value="2025-06"))
    back = person(since_date=types_pb2.ImpreciseDate(value="2025-09"))
    answer = await bench.rpc.call("UpdateProject", change(made, left, back))
    changed = cast("projects_pb2.Project", answer)
    assert [item.until_date.value for item in changed.people] == ["2025-06", ""]
    # The same in another spelling is no change.
    same = [person(until_date=left.until_date, orcid=ORCID.lower()), back]
    answer = await bench.rpc.call("UpdateProject", change(changed, *same))
    assert cast("projects_pb2.Project", answer).etag == changed.etag


async def test_people_that_break_a_rule_are_refused(bench: ProjectsBench) -> None:
    made = await bench.create(project(await bench.center()))
    early = types_pb2.ImpreciseDate(value="2023")
    for people, broken in [
        ([person(orcid="0000-0002-1825-0098")], ("people[0].orcid", "ORCID_CHECKSUM")),
        ([person(orcid="A. Leader")], ("people[0].orcid", "NOT_AN_ORCID")),
        (
            [person(until_date=early)],
            ("people[0].until_date.value", "DATES_OUT_OF_ORDER"),
        ),
        ([person(), person(orcid="")], ("people[1]", "PERSON_TWICE")),
        (
            [person(name=types_pb2.LocalizedText(en="Somebody, 0084575948"))],
            ("people[0].name.en", "PERSONAL_DATA"),
        ),
        ([person(role=0)], ("project.people[0].role", "REQUIRED")),
    ]:
        fault = await bench.rpc.fault("UpdateProject", change(made, *people))
        assert found(fault) == [broken]


async def test_a_center_that_takes_part_names_nobody(bench: ProjectsBench) -> None:
    lead, other = await bench.center(), await bench.center()
    taking_part = [projects_pb2.ProjectParticipant(center_id=other)]
    made = await bench.create(project(lead, participants=taking_part))
    request = change(made, person())
    fault = await bench.rpc.fault("UpdateProject", request, "center_admin", center_ids=[other])
    assert fault.reason == "NOT_YOUR_CENTER"
