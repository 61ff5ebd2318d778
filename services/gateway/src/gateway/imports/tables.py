"""CSV tables as nodes: one kind of rows, a column for each field.

A column is named by the path of its field (``code``, ``names.fa``, ``position.latitude``,
``names[0].text``). Tables come as people save them: with a byte order mark, separated by
commas, semicolons or tabs, with Jalali dates.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from google.protobuf.descriptor import Descriptor
from persiantools.jdatetime import JalaliDate

from gateway.imports.documents import plain
from gateway.imports.faults import RowFault
from gateway.imports.nodes import Items, Members, Node, Scalar, decode, malformed
from gateway.imports.spelling import exact
from gateway.shapes import FieldShape, Kind, fields_by_name

MAX_COLUMNS = 200
MAX_CELL = 20_000
LIST_SEPARATOR = "|"

_IMPRECISE_DATE = "peyvand.api.v1.ImpreciseDate"
_STEP = re.compile(r"([a-z0-9_]+)(?:\[([0-9]{1,2})\])?\Z")
# A line with which spreadsheets tell each other how the cells are separated.
_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t])"?\r?\n', re.IGNORECASE)
_LANGUAGE = re.compile(r"[a-z]{2,3}\Z")
_JALALI = re.compile(r"(1[34][0-9]{2})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?\Z")


@dataclass(frozen=True)
class _Column:
    """A column of the table; `shape` is of its field, `None` where there is none."""

    path: str
    steps: tuple[tuple[str, int | None], ...]
    shape: FieldShape | None
    is_date: bool = False
    language: str = ""
    is_list: bool = False


def read_table(raw: bytes, section: str, resource: Descriptor) -> tuple[Node, list[RowFault]]:
    """Read a table. Gives the rows and what could not be read of them.

    Raises `Fault` ``MALFORMED_FILE`` if it is no table, and ``NOT_UTF_8``.
    """
    text = decode(raw)
    if not text.strip():
        raise malformed("it is empty")
    found: list[RowFault] = []
    lines = _lines(text)
    header_line, header = next(lines, (1, []))
    if not header:
        raise malformed("it is empty")
    rest = list(lines)
    columns = _columns(_without_tail(header, rest), header_line, resource, found)
    rows = Items(header_line)
    if not found:
        for line, cells in rest:
            faults: list[RowFault] = []
            row = _row(line, cells, columns, faults)
            index = len(rows.values)
            found += [replace(fault, section=section, index=index) for fault in faults]
            rows.values.append(row)
    return Members(1, {section: rows}), found


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    named = _SEPARATOR_LINE.match(text)
    body = text[named.end() :] if named else text
    first = body.lstrip().partition("\n")[0]
    delimiter = named[1] if named else max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True)
    above = 1 if named else 0
    line = 1 + above
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1 + above
    except csv.Error as error:
        raise malformed(str(error), line) from None


def _without_tail(header: list[str], rows: Sequence[tuple[int, list[str]]]) -> list[str]:
    """The header without the empty columns that a spreadsheet writes to its right."""
    named = max((place for place, cell in enumerate(header, 1) if cell.strip()), default=0)
    used = any(cell.strip() for _, cells in rows for cell in cells[named : len(header)])
    return header if used else header[:named]


def _columns(
    header: Sequence[str], line: int, resource: Descriptor, found: list[RowFault]
) -> list[_Column]:
    columns: list[_Column] = []
    seen: set[str] = set()
    if len(header) > MAX_COLUMNS:
        raise malformed(f"more than {MAX_COLUMNS} columns", line)
    for cell in header:
        path = exact(cell).lower()
        if path in seen or not path:
            detail = f"{path[:50]} stands twice" if path else "one has no name"
            found.append(RowFault(line, "BAD_COLUMN", {"detail": detail}, field=path[:100]))
            continue
        seen.add(path)
        column = _column(path, resource)
        if column is None:
            found.append(RowFault(line, "UNKNOWN_FIELD", field=path[:100]))
        else:
            columns.append(column)
    return columns


def _column(path: str, resource: Descriptor) -> _Column | None:
    if path == "reason":
        return _Column(path, ((path, None),), None)
    message = resource
    steps: list[tuple[str, int | None]] = []
    parts = path.split(".")
    for position, part in enumerate(parts):
        match = _STEP.match(part)
        shape = fields_by_name(message).get(match[1]) if match else None
        if match is None or shape is None:
            break
        rest = parts[position + 1 :]
        index = int(match[2]) if match[2] else None
        steps.append((match[1], index))
        if shape.kind is not Kind.MESSAGE or (shape.repeated and index is None):
            return _last_column(path, steps, shape, rest)
        if shape.message.full_name == _IMPRECISE_DATE and rest in ([], ["value"]):
            value = fields_by_name(shape.message)["value"]
            return _Column(path, (*steps, ("value", None)), value, is_date=True)
        message = shape.message
    return None


def _last_column(
    path: str, steps: list[tuple[str, int | None]], shape: FieldShape, rest: list[str]
) -> _Column | None:
    """The column of a field that nothing but a value, or a language, comes after."""
    if shape.kind is Kind.MESSAGE:
        return _by_language(path, steps, shape, rest)
    index = steps[-1][1]
    if rest or (index is not None and not shape.repeated):
        return None
    return _Column(path, tuple(steps), shape, is_list=shape.repeated and index is None)


def _by_language(
    path: str, steps: list[tuple[str, int | None]], shape: FieldShape, rest: list[str]
) -> _Column | None:
    """A column like ``names.fa`` over a list of names that say their language."""
    below = fields_by_name(shape.message)
    if len(rest) != 1 or not _LANGUAGE.match(rest[0]) or not {"text", "language"} <= below.keys():
        return None
    return _Column(path, tuple(steps), below["text"], language=rest[0])


def _row(
    line: int, cells: Sequence[str], columns: Sequence[_Column], found: list[RowFault]
) -> Members:
    row = Members(line)
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        detail = f"{len(cells)} cells under {len(columns)} columns"
        found.append(RowFault(line, "BAD_COLUMN", {"detail": detail}))
    for column, cell in zip(columns, cells, strict=False):
        text = cell.strip()
        if not text:
            continue
        if len(text) > MAX_CELL:
            params = {"max": str(MAX_CELL)}
            found.append(RowFault(line, "TOO_LONG", params, field=column.path))
            continue
        if column.is_date:
            rule = _put_date(row, column, exact(text).replace("/", "-"), line)
            if rule:
                found.append(RowFault(line, rule, field=column.path))
        elif column.language:
            name = Members(line, {"text": Scalar(text, line)})
            name.values["language"] = Scalar(column.language, line)
            _list_at(row, column.steps[-1][0], line).values.append(name)
        elif column.is_list:
            parts = [part.strip() for part in text.split(LIST_SEPARATOR)]
            items = Items(line, [_cell(part, column, line) for part in parts if part])
            _put(row, column.steps, items)
        else:
            _put(row, column.steps, _cell(text, column, line))
    return row


def _cell(text: str, column: _Column, line: int) -> Scalar:
    shape = column.shape
    if shape is None or shape.kind is Kind.TEXT:
        # A text is a text whatever it looks like; nothing of it is taken for `null`.
        return Scalar(text, line)
    value = exact(text)
    if shape.kind in (Kind.ENUM, Kind.BOOLEAN):
        value = value.lower()
    return plain(value, line)


def _put_date(row: Members, column: _Column, text: str, line: int) -> str | None:
    """Put a date into its row, converted if it is Jalali; gives the rule that it breaks."""
    match = _JALALI.match(text)
    note = ""
    if match:
        if match[3] is None:
            return "JALALI_DAY_REQUIRED"
        converted = _gregorian(int(match[1]), int(match[2]), int(match[3]))
        if converted is None:
            return "NO_SUCH_DATE"
        note = f"Converted from the Jalali date {text}."
        text = converted.isoformat()
    _put(row, column.steps, Scalar(text, line))
    if note:
        _put(row, (*column.steps[:-1], ("note", None)), Scalar(note, line))
    return None


def _gregorian(year: int, month: int, day: int) -> date | None:
    try:
        return JalaliDate(year, month, day).to_gregorian()
    except ValueError:
        return None


def _put(row: Members, steps: Sequence[tuple[str, int | None]], value: Node) -> None:
    """Put a value at a path; what is on the way is made."""
    owner = row
    *way, (last, last_index) = steps
    for name, index in way:
        if index is None:
            below = owner.values.setdefault(name, Members(row.line))
        else:
            below = _item_at(_list_at(owner, name, row.line), index)
        assert isinstance(below, Members)
        owner = below
    if last_index is None:
        owner.values[last] = value
    else:
        _list_at(owner, last, row.line).values.append(value)


def _list_at(owner: Members, name: str, line: int) -> Items:
    below = owner.values.setdefault(name, Items(line))
    assert isinstance(below, Items)
    return below


def _item_at(items: Items, index: int) -> Node:
    while len(items.values) <= index:
        items.values.append(Members(items.line))
    return items.values[index]
