"""Rows of a file as messages: every broken rule by line and field, external keys as references."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.imports.documents import read_json, read_yaml
from gateway.imports.faults import invalid_file
from gateway.imports.nodes import Node
from gateway.imports.rows import RowFile, read_rows
from gateway.imports.sections import SERVICE_ORDER, sections
from gateway.problems import document
from peyvand.centers.v1 import centers_pb2
from peyvand.partners.v1 import institutions_pb2
from servicekit.contract import contract, resource_spec

DATA = Path(__file__).parents[4] / "dev" / "data"


def rows(text: str) -> RowFile:
    return read_rows(read_yaml(text.encode()))


def told(file: RowFile) -> list[tuple[int, str, str]]:
    return [(fault.line, fault.field, fault.rule) for fault in file.faults]


# A node joins with a key of its own; a report is handed in by its center; evidence and
# waivers are brought by someone and ruled on by someone else.
NOT_FROM_FILES = {
    "node",
    "period_report",
    "evidence",
    "waiver",
    "gate",
    "condition",
    "readiness_claim",
    "output",
    "award",
}


def test_every_import_of_the_contract_is_a_kind_of_rows() -> None:
    rpcs = {
        rpc.path for rpc in contract().rpcs.values() if rpc.descriptor.name.startswith("Import")
    }
    assert {section.rpc.path for section in sections().values()} == rpcs
    services = [section.rpc.service for section in sections().values()]
    assert list(dict.fromkeys(services)) == list(SERVICE_ORDER)
    imported = {section.aggregate for section in sections().values()}
    for message in contract().messages():
        spec = resource_spec(message)
        if spec is None or spec.aggregate in NOT_FROM_FILES:
            continue
        if "external_key" in message.fields_by_name:
            assert spec.aggregate in imported, f"no file can hold {spec.plural}"


@pytest.mark.parametrize("name", ["network.yaml", "sample.yaml"])
def test_the_data_files_keep_the_rules_of_the_contract(name: str) -> None:
    file = read_rows(read_yaml((DATA / name).read_bytes()))
    assert file.faults == []
    assert file.rows


def test_sample_data_says_so_in_every_row_and_real_data_in_none() -> None:
    for name, expected in (("network.yaml", False), ("sample.yaml", True)):
        for row in read_rows(read_yaml((DATA / name).read_bytes())).rows:
            message: Any = row.message
            assert getattr(message, row.section.resource_field).sample is expected, row.external_key


SPELLED = """\
centers:
  - external_key: center-۱۲
    code: TBZ
    names: {fa: مركز تبريز ۳, en: Tabriz}
    province: IR-۰۳
    opened_date: {value: "۲۰۱۹-۰۵"}
    position: {latitude: ۳۸٫۱, longitude: ٤٦}
    contact: {phones: ["+۹۸ ۲۱ ۶۶۴۶۸۲۷۱"]}
    reason: كار
institutions:
  - external_key: ins-1
    country: IR
    names:
      - {text: يك, language: fa}
      - {text: يك, language: ar}
    parent_id: ins-۲
"""


@pytest.mark.parametrize("read", [read_yaml, read_json])
def test_texts_are_taken_as_people_spell_them_whatever_the_form(
    read: Callable[[bytes], Node],
) -> None:
    text = SPELLED
    if read is read_json:
        plain = yaml.safe_load(text)
        plain["centers"][0]["position"] = {"latitude": 38.1, "longitude": 46}
        text = json.dumps(plain, ensure_ascii=False)
    file = read_rows(read(text.encode()))
    assert told(file) == []
    row, other = (item.message for item in file.rows)
    assert isinstance(row, centers_pb2.CenterRow)
    center = row.center
    assert (center.external_key, center.province) == ("center-12", "IR-03")
    # Of prose only the letters change, which look alike.
    assert (center.names.fa, row.reason) == ("مرکز تبریز ۳", "کار")
    assert center.opened_date.value == "2019-05"
    assert (center.position.latitude, center.position.longitude) == (38.1, 46)
    assert list(center.contact.phones) == ["+98 21 66468271"]
    assert isinstance(other, institutions_pb2.InstitutionRow)
    assert [name.text for name in other.institution.names] == ["یک", "يك"]
    assert dict(other.references) == {"parent_id": "ins-2"}


def test_every_broken_rule_is_told_with_line_and_field() -> None:
    file = rows("""\
centers:
  - external_key: c-1
    code: lower
    province: IR-07
    names: {fa: شیراز}
    bogus: 1
  - external_key: c-1
    code: OK
    province: IR-07
    names: شیراز
    state: open
  - code: OK
    province: IR-07
    names: {fa: شیراز}
""")
    assert told(file) == [
        (3, "code", "WRONG_FORMAT"),
        (6, "bogus", "UNKNOWN_FIELD"),
        (10, "names", "WRONG_TYPE"),
        (11, "state", "UNKNOWN_VALUE"),
        (7, "external_key", "DUPLICATE"),
        (12, "external_key", "REQUIRED"),
    ]


def test_unknown_kinds_and_wrong_shapes_are_told() -> None:
    file = rows("centers: 5\nplanets: []\npersons:\n  - 7\nprojects:\n")
    assert {(line, rule) for line, _, rule in told(file)} == {
        (1, "WRONG_TYPE"),
        (2, "UNKNOWN_SECTION"),
        (4, "WRONG_TYPE"),
    }
    assert told(rows("[1]")) == [(1, "", "WRONG_TYPE")]


def test_a_problem_has_pointers_lines_and_fields_in_the_order_of_lines() -> None:
    file = rows("centers:\n- external_key: c\n  code: x\n  province: 1\n  names: {fa: a, xx: b}\n")
    status, problem = document(invalid_file(file.faults, is_table=False), "fa")
    assert status == 422
    assert [(e["pointer"], e["line"], e["field"]) for e in problem["errors"]] == [
        ("/centers/0/code", 3, "code"),
        ("/centers/0/province", 4, "province"),
        ("/centers/0/names/xx", 5, "names.xx"),
    ]
    assert problem["errors"][0]["detail"] == "دست‌کم 2 نویسه لازم است."


def test_text_fields_take_numbers_as_they_are_written() -> None:
    file = rows("""\
sources:
  - {external_key: 11491, title: {en: 2020}, number: 007, published_date: {value: 2020}}
""")
    assert file.faults == []
    message: Any = file.rows[0].message
    assert (message.source.number, message.source.published_date.value) == ("007", "2020")
    assert message.source.external_key == "11491"


def test_id_fields_take_external_keys() -> None:
    own = "prj_01m81fhmz1e00bxss3dwzezqha"
    file = rows(f"""\
projects:
  - external_key: p-1
    titles: {{en: One}}
    lead_center_id: center-tabriz
    pathway: device
    participants: [{{center_id: center-kerman}}]
companies:
  - external_key: k-1
    names: {{en: One}}
    project_ids: [p-1, {own}, p-2]
""")
    assert file.faults == []
    messages: list[Any] = [row.message for row in file.rows]
    project, company = messages
    assert dict(project.references) == {
        "lead_center_id": "center-tabriz",
        "participants[0].center_id": "center-kerman",
    }
    assert list(company.company.project_ids) == ["", own, ""]
    assert dict(company.references) == {"project_ids[0]": "p-1", "project_ids[2]": "p-2"}


def test_a_required_reference_that_is_missing_is_still_required() -> None:
    file = rows("projects:\n  - {external_key: p, titles: {en: One}, pathway: device}\n")
    assert told(file) == [(2, "lead_center_id", "REQUIRED")]


def test_facts_that_only_a_file_states_are_taken_and_others_are_not() -> None:
    file = rows("""\
regulations:
  - {external_key: r, kind: other, titles: {en: R}, state: in_force, etag: v1}
projects:
  - {external_key: p, titles: {en: P}, pathway: device, lead_center_id: c, state: killed}
""")
    assert told(file) == [(2, "etag", "IMMUTABLE"), (4, "state", "IMMUTABLE")]


def test_too_many_rows_are_refused() -> None:
    line = "  - {external_key: c-%d, code: AA, province: IR-00, names: {en: x}}\n"
    file = rows("centers:\n" + "".join(line % n for n in range(10_001)))
    assert told(file)[-1] == (1, "", "TOO_MANY_ITEMS")
