"""Rows that point to other resources by external key."""

from typing import Any

import pytest

from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import companies_pb2, stages_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from servicekit.database import ReadSession
from servicekit.errors import Fault
from servicekit.ids import is_id, new_id
from servicekit.references import References

KNOWN = {"tabriz": new_id("ctr"), "shiraz": new_id("ctr")}
SESSION: Any = None  # the finders below need none


async def find_center(session: ReadSession, key: str) -> str | None:
    del session
    return KNOWN.get(key)


def row(references: dict[str, str], participants: int = 0) -> pb.ProjectRow:
    project = pb.Project(
        titles=types_pb2.LocalizedText(en="Cartilage patch"),
        pathway=stages_pb2.PATHWAY_DEVICE,
        participants=[pb.ProjectParticipant()] * participants,
    )
    return pb.ProjectRow(project=project, references=references)


async def refused(references: References, given: pb.ProjectRow) -> list[tuple[str, str]]:
    with pytest.raises(Fault) as refusal:
        await references.follow(SESSION, given, "project")
    return [(item.field, item.reason) for item in refusal.value.violations]


async def test_ids_come_in_the_place_of_keys_and_the_row_itself_stays() -> None:
    given = row({"lead_center_id": "tabriz", "participants[1].center_id": "shiraz"}, 2)
    before = pb.ProjectRow.FromString(given.SerializeToString())
    followed = await References({"center": find_center}).follow(SESSION, given, "project")
    assert followed.project.lead_center_id == KNOWN["tabriz"]
    assert [p.center_id for p in followed.project.participants] == ["", KNOWN["shiraz"]]
    assert given == before


async def test_an_item_of_a_list_of_ids_is_put_in_its_place() -> None:
    first = new_id("prj")

    async def find_project(session: ReadSession, key: str) -> str | None:
        del session, key
        return first

    second = new_id("prj")
    company = companies_pb2.Company(
        names=types_pb2.LocalizedText(en="CellMade"), project_ids=["", second]
    )
    given = companies_pb2.CompanyRow(company=company, references={"project_ids[0]": "prj-1"})
    followed = await References({"project": find_project}).follow(SESSION, given, "company")
    assert list(followed.company.project_ids) == [first, second]


async def test_a_key_that_nobody_has_is_refused_at_its_field() -> None:
    references = References({"center": find_center}, reasons={"center": "UNKNOWN_CENTER"})
    given = row({"lead_center_id": "kerman", "participants[0].institution_id": "tums"}, 1)
    assert sorted(await refused(references, given)) == [
        ("lead_center_id", "UNKNOWN_CENTER"),
        ("participants[0].institution_id", "UNKNOWN_REFERENCE"),
    ]


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "titles",
        "titles.en",
        "participants",
        "participants.center_id",
        "participants[2].center_id",
        "participants[-1].center_id",
        "participants[0]",
        "lead_center_id[0]",
        "lead_center_id.x",
        "",
    ],
)
async def test_a_path_that_leads_to_no_id_is_refused(path: str) -> None:
    given = row({"lead_center_id": "tabriz", path: "shiraz"}, 2)
    assert await refused(References({"center": find_center}), given) == [(path, "UNKNOWN_FIELD")]


async def test_the_row_is_checked_once_it_has_ids() -> None:
    given = row({"lead_center_id": "tabriz"})
    given.project.titles.en = "x" * 3000
    assert await refused(References({"center": find_center}), given) == [("titles.en", "TOO_LONG")]
    assert await refused(References({}), row({})) == [("lead_center_id", "REQUIRED")]


async def test_what_is_pending_counts_as_there_under_one_id() -> None:
    references = References({"center": find_center}, pending=["center:kerman", "center:tabriz"])
    given = row({"lead_center_id": "kerman", "participants[0].center_id": "kerman"}, 1)
    followed = (await references.follow(SESSION, given, "project")).project
    assert is_id(followed.lead_center_id, "ctr")
    assert followed.participants[0].center_id == followed.lead_center_id
    assert references.is_assumed(followed.lead_center_id)

    other = (await references.follow(SESSION, row({"lead_center_id": "tabriz"}), "project")).project
    assert other.lead_center_id == KNOWN["tabriz"]
    assert references.is_assumed(KNOWN["tabriz"])  # its own row will change it
    assert not references.is_assumed(KNOWN["shiraz"])
