"""Reports as tables: the CSV files of the watched folder.

`capacity….csv` has the columns `observed_at`, `kind`, `total`, `used`; the rows of one
`observed_at` are one snapshot. `period….csv` has `period` and the figures, and may have
`external_key` and `submit`; each row is one report. Columns are parted by commas,
semicolons or tabs; digits may be Persian.
"""

import csv
import io
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from node_agent import forms
from node_agent.words import BrokenRule, Refused
from peyvand.centers.v1 import reports_pb2
from peyvand.node.v1 import protocol_pb2 as pb

MAX_FILE = 8 * 1024 * 1024  # bytes
FIGURES = tuple(field.name for field in reports_pb2.ActivityFigures.DESCRIPTOR.fields)
CAPACITY_COLUMNS = ("observed_at", "kind", "total", "used")
PERIOD_COLUMNS = ("period", *FIGURES, "external_key", "submit")
_DIGITS = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "01234567890123456789")
_YES = frozenset({"true", "yes", "1", "بله"})
_NO = frozenset({"", "false", "no", "0", "خیر"})
_MAX_FAULTS = 1000


@dataclass(frozen=True)
class LineFault:
    """A rule that a field of a line breaks. Lines are counted from 1, the heading included."""

    line: int
    broken: BrokenRule


class BadFile(Exception):
    """A file of which nothing is taken, with what is wrong in which line."""

    def __init__(self, faults: list[LineFault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


@dataclass(frozen=True)
class TableReport:
    """A report of a table, and the lines in which it stands: one for each item it has."""

    report: pb.Report
    lines: tuple[int, ...]


Row = tuple[int, dict[str, str]]
Read = Callable[[list[Row], str], Iterator["Outcome"]]
Outcome = TableReport | list[LineFault]


def read(name: str, content: bytes, own_center: str) -> list[TableReport]:
    """Read all reports of a file. Raises `BadFile`; then none is taken."""
    kinds: dict[str, tuple[tuple[str, ...], Read]] = {
        "capacity": (CAPACITY_COLUMNS, _capacity),
        "period": (PERIOD_COLUMNS, _period),
    }
    kind = next((kind for kind in kinds if name.lower().startswith(kind)), None)
    if kind is None:
        raise _bad_file("UNKNOWN_FILE")
    columns, reader = kinds[kind]
    reports: list[TableReport] = []
    rows, faults = _rows(content, columns)
    for outcome in reader(rows, own_center):
        if isinstance(outcome, list):
            faults += outcome
        else:
            reports.append(outcome)
        if len(faults) >= _MAX_FAULTS:
            break
    if faults:
        raise BadFile(sorted(faults, key=lambda fault: fault.line)[:_MAX_FAULTS])
    if not reports:
        raise _bad_file("FILE_UNREADABLE", detail="there is no row in it")
    return reports


def _bad_file(rule: str, **params: str) -> BadFile:
    return BadFile([LineFault(1, BrokenRule("", rule, params))])


def _rows(content: bytes, columns: tuple[str, ...]) -> tuple[list[Row], list[LineFault]]:
    """Read the rows, and what is wrong with those that are none. Raises `BadFile`."""
    if len(content) > MAX_FILE:
        raise _bad_file("FILE_UNREADABLE", detail="it is larger than 8 MiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _bad_file("FILE_UNREADABLE", detail="it is not UTF-8") from None
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    faults: list[LineFault] = []
    try:
        heading = [name.strip().lower() for name in next(reader, [])]
        _check_heading(heading, columns)
        for outcome in _lines(reader, heading):
            if isinstance(outcome, LineFault):
                faults.append(outcome)
            else:
                rows.append(outcome)
    except csv.Error as error:
        # Where the next line begins is not known any more.
        params = {"detail": _csv_detail(str(error))}
        faults.append(LineFault(reader.line_num, BrokenRule("", "FILE_UNREADABLE", params)))
    return rows, faults


def _csv_detail(error: str) -> str:
    if "limit" in error:
        return "a field is too long"
    if "new-line" in error:
        return "its lines end in CR alone"
    return "a quotation mark is not closed, or stands in the wrong place"


def _check_heading(heading: list[str], columns: tuple[str, ...]) -> None:
    faults = [
        LineFault(1, BrokenRule(name[:100], "UNKNOWN_FIELD"))
        for name in heading
        if name not in columns
    ]
    faults += [
        LineFault(1, BrokenRule(name, "DUPLICATE", {"value": name}))
        for name in sorted(set(heading))
        if heading.count(name) > 1
    ]
    if faults:
        raise BadFile(faults)


def _lines(reader: Any, heading: list[str]) -> Iterator[Row | LineFault]:
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(heading):
            params = {"found": str(len(cells)), "expected": str(len(heading))}
            yield LineFault(reader.line_num, BrokenRule("", "WRONG_COLUMNS", params))
            continue
        values = {name: cell.strip() for name, cell in zip(heading, cells, strict=True)}
        yield reader.line_num, values


def _capacity(rows: list[Row], own_center: str) -> Iterator[Outcome]:
    for observed_at, group in itertools.groupby(rows, key=lambda row: row[1].get("observed_at")):
        together = list(group)
        items = [
            _given(kind=row.get("kind"), total=_number(row, "total"), used=_number(row, "used"))
            for _, row in together
        ]
        value = _given(observed_at=observed_at, items=items)
        try:
            report = forms.capacity(value, own_center)
            yield TableReport(report, tuple(line for line, _ in together))
        except Refused as refused:
            lines = [line for line, _ in together]
            yield [_at_its_place(lines, broken) for broken in refused.broken]


def place_in(lines: Sequence[int], path: str) -> tuple[int, str]:
    """Line and column that a path of a field speaks of: ``items[2].used``, ``figures.trainees``.

    `lines` are those of the report, one for each item.
    """
    if not path.startswith("items["):
        return lines[0], path.removeprefix("figures.")
    index, _, column = path.removeprefix("items[").partition("]")
    known = index.isdigit() and int(index) < len(lines)
    return (lines[int(index)] if known else lines[0]), column.lstrip(".")


def _at_its_place(lines: Sequence[int], broken: BrokenRule) -> LineFault:
    line, column = place_in(lines, broken.path)
    return LineFault(line, BrokenRule(column, broken.rule, broken.params))


def _period(rows: list[Row], own_center: str) -> Iterator[Outcome]:
    for line, row in rows:
        submit = row.get("submit", "").lower()
        if submit not in _YES | _NO:
            expected = {"expected": "true or false"}
            yield [LineFault(line, BrokenRule("submit", "WRONG_TYPE", expected))]
            continue
        value = _given(
            period=(row.get("period") or "").translate(_DIGITS),
            external_key=row.get("external_key"),
        )
        value["figures"] = _given(**{name: _number(row, name) for name in FIGURES})
        try:
            report = forms.period(value, own_center, submit=submit in _YES)
            yield TableReport(report, (line,))
        except Refused as refused:
            yield [_at_its_place([line], broken) for broken in refused.broken]


def _given(**members: Any) -> dict[str, Any]:
    """Leave out what is empty: an empty cell is unknown."""
    return {name: value for name, value in members.items() if value not in (None, "")}


def _number(row: dict[str, str], name: str) -> float | str | None:
    """Give a cell as a number; one that is none goes on as text, and is refused as such."""
    text = row.get(name, "").translate(_DIGITS).replace("٫", ".")
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        return text
