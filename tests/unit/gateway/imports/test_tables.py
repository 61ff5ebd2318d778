"""CSV tables as people make them: separators, Persian digits and letters, Jalali dates."""

from pathlib import Path
from typing import Any

import pytest

from gateway.imports.rows import RowFile, read_rows
from gateway.imports.sections import sections
from gateway.imports.tables import read_table
from servicekit.errors import Fault


def table(text: str, kind: str = "centers", encoding: str = "utf-8") -> RowFile:
    node, faults = read_table(text.encode(encoding), kind, sections()[kind].resource)
    return read_rows(node, faults, is_table=True)


def only(file: RowFile) -> Any:
    assert file.faults == []
    (row,) = file.rows
    return getattr(row.message, row.section.resource_field)


def told(file: RowFile) -> list[tuple[int, str, str]]:
    return [(fault.line, fault.field, fault.rule) for fault in file.faults]


def test_the_table_of_the_documentation_is_read_as_it_stands() -> None:
    guide = Path(__file__).parents[4] / "docs" / "importing.md"
    example = guide.read_text(encoding="utf-8").partition("```csv\n")[2].partition("```")[0]
    file = table(example)
    assert file.faults == []
    assert [row.external_key for row in file.rows] == ["center-yazd", "center-rasht"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_table_of_centers(separator: str, encoding: str) -> None:
    header = ["External_Key", "code", "names.fa", "names.en", "province", "state", "sample"]
    cells = ["c-1", "TBZ", "تبریز", "Tabriz", "IR-03", "Operational", "TRUE"]
    text = "\r\n".join(separator.join(line) for line in (header, cells)) + "\r\n"
    center = only(table(text, encoding=encoding))
    assert (center.external_key, center.names.fa, center.province) == ("c-1", "تبریز", "IR-03")
    assert (center.state, center.sample) == (3, True)


def test_numbers_dates_and_codes_may_have_persian_digits() -> None:
    center = only(
        table(
            "external_key,code,names.fa,province,position.latitude,position.longitude,opened_date\n"
            "c-۱,T۲,مرکز ۳,IR-۰۳,۳۸٫۰۸,46.29,۱۴۰۲/۰۲/۰۵\n"
        )
    )
    assert (center.external_key, center.code, center.province) == ("c-1", "T2", "IR-03")
    assert center.names.fa == "مرکز ۳", "prose keeps its digits"
    assert center.position.latitude == pytest.approx(38.08)
    assert center.opened_date.value == "2023-04-25"
    assert center.opened_date.note == "Converted from the Jalali date 1402-02-05."


def test_letters_of_an_arabic_keyboard_become_persian() -> None:
    assert only(table("external_key,code,names.fa,province\nc,AA,مركز علمي,IR-00\n")).names.fa == (
        "مرکز علمی"
    )


@pytest.mark.parametrize(
    ("date", "outcome"),
    [
        ("2020-06", "2020-06"),
        ("1402", "JALALI_DAY_REQUIRED"),
        ("1402-05", "JALALI_DAY_REQUIRED"),
        ("1402-12-30", "NO_SUCH_DATE"),
        ("1403-12-30", "2025-03-20"),
        ("soon", "WRONG_FORMAT"),
    ],
)
def test_a_jalali_date_is_converted_only_where_that_is_exact(date: str, outcome: str) -> None:
    file = table(f"external_key,code,names.fa,province,opened_date\nc,AA,م,IR-00,{date}\n")
    if outcome[0].isdigit():
        assert only(file).opened_date.value == outcome
    else:
        assert [fault.rule for fault in file.faults] == [outcome]
        assert file.faults[0].line == 2


def test_names_of_institutions_by_language_or_by_place() -> None:
    by_language = only(
        table(
            "external_key,names.en,names.fa,country,contact.phones\n"
            "i,TUMS,دانشگاه,IR,+98 21 111111|+98 21 222222\n",
            "institutions",
        )
    )
    assert [(name.text, name.language) for name in by_language.names] == [
        ("TUMS", "en"),
        ("دانشگاه", "fa"),
    ]
    assert list(by_language.contact.phones) == ["+98 21 111111", "+98 21 222222"]
    by_place = only(
        table(
            "external_key,names[0].text,names[0].language,names[1].text,names[1].language,country\n"
            "i,TUMS,en,دانشگاه,fa,IR\n",
            "institutions",
        )
    )
    assert by_place.names == by_language.names


def test_projects_name_their_center_by_its_key() -> None:
    file = table(
        "external_key,titles.en,lead_center_id,pathway,initial_stage,initial_stage_reason\n"
        "p,One,center-tabriz,device,S2,Under way\n",
        "projects",
    )
    assert only(file).pathway == 5
    message: Any = file.rows[0].message
    assert dict(message.references) == {"lead_center_id": "center-tabriz"}


def test_empty_cells_and_lines_say_nothing_and_lines_are_counted() -> None:
    file = table(
        'external_key,code,names.fa,names.en,province\nc,AA,"دو\nسطر",,IR-00\n\n,,,,\nd,,م,,IR-00\n'
    )
    assert told(file) == [(6, "code", "REQUIRED")]
    message: Any = file.rows[0].message
    assert message.center.names.fa == "دو\nسطر"


def test_columns_that_do_not_fit_are_named() -> None:
    assert told(table("external_key,kode,code,code,names,province.x\nc,1,2,3,4,5\n")) == [
        (1, "kode", "UNKNOWN_FIELD"),
        (1, "code", "BAD_COLUMN"),
        (1, "names", "UNKNOWN_FIELD"),
        (1, "province.x", "UNKNOWN_FIELD"),
    ]
    extra = table("external_key,code,names.fa,province\nc,AA,م,IR-00,more\n")
    assert [(fault.line, fault.rule) for fault in extra.faults] == [(2, "BAD_COLUMN")]


def test_what_a_spreadsheet_adds_to_a_table_is_no_part_of_it() -> None:
    text = (
        "sep=;\r\nexternal_key;code;names.fa;province;;\r\n"
        "c;AA;م, و;IR-00;;\r\n;;;;;\r\nd;;م;IR-00;;\r\n"
    )
    file = table(text, encoding="utf-8-sig")
    assert told(file) == [(5, "code", "REQUIRED")]
    message: Any = file.rows[0].message
    assert message.center.names.fa == "م, و"


def test_a_column_that_holds_something_needs_a_name() -> None:
    file = table("external_key,code,names.fa,province,\nc,AA,م,IR-00,lost\n")
    assert [(fault.line, fault.rule) for fault in file.faults] == [(1, "BAD_COLUMN")]


@pytest.mark.parametrize("raw", [b"", b",,,\n", b"sep=;\n", b'external_key,code\n"x'])
def test_what_is_no_table_is_refused(raw: bytes) -> None:
    with pytest.raises(Fault) as caught:
        read_table(raw, "centers", sections()["centers"].resource)
    assert caught.value.reason == "MALFORMED_FILE"
