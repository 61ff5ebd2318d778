"""From the nodes of a file to the rows that the services take."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from gateway.codec import Reader
from gateway.imports.documents import plain
from gateway.imports.faults import MAX_FAULTS, RowFault
from gateway.imports.nodes import Items, Members, Node, Scalar, line_of
from gateway.imports.sections import Section, sections
from gateway.imports.spelling import exact, prose, spelled
from gateway.shapes import FieldShape, Kind, Variant, fields_by_name
from servicekit.errors import Violation
from servicekit.ids import is_id

MAX_ROWS = 10_000
_REASON = "reason"
_MAX_REASON = 2000
_MAX_KEY = 100


@dataclass(frozen=True)
class FileRow:
    """One row of a file, ready to be sent."""

    section: Section
    index: int
    node: Node
    external_key: str
    message: Message

    @property
    def line(self) -> int:
        """Line on which it begins."""
        return self.node.line

    def fault(self, path: str, rule: str, params: dict[str, str]) -> RowFault:
        """Make the fault for a rule that a value of it breaks; `path` is within the row."""
        return RowFault(
            line=line_of(self.node, path),
            rule=rule,
            params=params,
            section=self.section.name,
            index=self.index,
            field=path,
            external_key=self.external_key,
        )


@dataclass
class RowFile:
    """The rows of a file, in the order in which they are applied."""

    rows: list[FileRow] = field(default_factory=list[FileRow])
    faults: list[RowFault] = field(default_factory=list[RowFault])
    is_table: bool = False

    def by_rpc(self) -> list[list[FileRow]]:
        """The rows by the rpc that takes them."""
        groups: dict[str, list[FileRow]] = {}
        for row in self.rows:
            groups.setdefault(row.section.rpc.path, []).append(row)
        return list(groups.values())


def read_rows(root: Node, faults: Iterable[RowFault] = (), *, is_table: bool = False) -> RowFile:
    """Read the rows of a file; what is wrong with them is in its `faults`."""
    file = RowFile(faults=list(faults), is_table=is_table)
    if not isinstance(root, Members):
        expected = {"expected": "an object"}
        file.faults.append(RowFault(root.line, "WRONG_TYPE", expected))
        return file
    known = sections()
    for name, node in root.values.items():
        if name not in known:
            params = {"value": name[:50], "allowed": ", ".join(known)}
            line = node.line
            file.faults.append(RowFault(line, "UNKNOWN_SECTION", params, section=name[:50]))
    for section in known.values():
        node = root.values.get(section.name)
        if node is not None:
            _read_section(section, node, file)
    if len(file.rows) > MAX_ROWS:
        file.faults.append(RowFault(1, "TOO_MANY_ITEMS", {"max": str(MAX_ROWS)}))
    return file


def _read_section(section: Section, node: Node, file: RowFile) -> None:
    if isinstance(node, Scalar) and node.value is None:
        return
    if not isinstance(node, Items):
        params = {"expected": "a list"}
        file.faults.append(RowFault(node.line, "WRONG_TYPE", params, section.name))
        return
    reader = _RowReader(section)
    keys: set[str] = set()
    for index, item in enumerate(node.values):
        if len(file.faults) >= MAX_FAULTS or len(file.rows) > MAX_ROWS:
            return
        row, found = reader.read(index, item)
        if row.external_key in keys:
            found.append(Violation("external_key", "DUPLICATE", {"value": row.external_key}))
        elif row.external_key:
            keys.add(row.external_key)
        file.rows.append(row)
        file.faults += [row.fault(v.field, v.reason, dict(v.params)) for v in found]


class _RowReader:
    """Reads the rows of one section, each with all rules that it breaks."""

    def __init__(self, section: Section) -> None:
        self._section = section
        self._reader = Reader(section.resource, Variant.NEW, stated=section.stated)

    def read(self, index: int, node: Node) -> tuple[FileRow, list[Violation]]:
        references: dict[str, str] = {}
        value = _to_json(node, self._section, references)
        message = self._section.empty_row()
        found: list[Violation] = []
        if isinstance(value, dict):
            self._read_reason(value.pop(_REASON, None), message, found)
        resource = getattr(message, self._section.resource_field)
        broken: list[Violation] = []
        self._reader.read(value, resource, "", broken)
        # What is referred to by key is there, only not yet by its id.
        found += [v for v in broken if v.field not in references]
        keyless = isinstance(node, Members) and not resource.external_key
        if keyless and not any(v.field == "external_key" for v in found):
            found.append(Violation("external_key", "REQUIRED"))
        if references:
            self._refer(message, references, found)
        return FileRow(self._section, index, node, resource.external_key, message), found

    def _read_reason(self, value: Any, message: Any, found: list[Violation]) -> None:
        if value is None:
            return
        if not isinstance(value, str):
            found.append(Violation(_REASON, "WRONG_TYPE", {"expected": "a text"}))
        elif len(value) > _MAX_REASON:
            found.append(Violation(_REASON, "TOO_LONG", {"max": str(_MAX_REASON)}))
        else:
            message.reason = prose(value)

    def _refer(self, message: Any, references: dict[str, str], found: list[Violation]) -> None:
        for path, key in references.items():
            if not self._section.takes_references:
                found.append(Violation(path, "WRONG_ID_KIND", {"expected": "an id"}))
            elif len(key) > _MAX_KEY:
                found.append(Violation(path, "TOO_LONG", {"max": str(_MAX_KEY)}))
            else:
                message.references[path] = key
                _free_place(getattr(message, self._section.resource_field), path)


def _free_place(message: Any, path: str) -> None:
    """Make the item of a list that a path leads to the empty text, for an id to come."""
    if not path.endswith("]"):
        return
    *way, (last, index) = [step.rstrip("]").partition("[")[::2] for step in path.split(".")]
    for name, place in way:
        message = getattr(message, name)[int(place)] if place else getattr(message, name)
    items = getattr(message, last)
    if int(index) < len(items):
        items[int(index)] = ""


def _to_json(node: Node, section: Section, references: dict[str, str]) -> Any:
    """Give a row as JSON would have it, and take external keys out of its id fields."""
    if not isinstance(node, Members):
        return _untyped(node)
    known = fields_by_name(section.resource)
    return {
        name: _untyped(below)
        if name == _REASON
        else _typed(below, known.get(name), name, references)
        for name, below in node.values.items()
    }


def _typed(
    node: Node, shape: FieldShape | None, path: str, references: dict[str, str], language: str = ""
) -> Any:
    if shape is None or shape.kind in (Kind.MAP, Kind.OBJECT):
        return _untyped(node)
    if shape.repeated and isinstance(node, Items):
        places = ((f"{path}[{index}]", item) for index, item in enumerate(node.values))
        return [_typed_one(item, shape, place, references, language) for place, item in places]
    return _typed_one(node, shape, path, references, language)


def _typed_one(
    node: Node, shape: FieldShape, path: str, references: dict[str, str], language: str
) -> Any:
    if shape.kind is Kind.MESSAGE:
        if not isinstance(node, Members):
            return _untyped(node)
        below = fields_by_name(shape.message)
        spoken = _language_of(node)
        return {
            name: _typed(item, below.get(name), f"{path}.{name}", references, spoken or name)
            for name, item in node.values.items()
        }
    if not isinstance(node, Scalar):
        return _untyped(node)
    value = node.value
    if shape.kind in (Kind.BOOLEAN, Kind.INTEGER, Kind.NUMBER):
        # What is written without quotes is what it looks like, in the digits of any script.
        return value if node.text is None else plain(exact(node.text), node.line).value
    if value is not None:
        value = value if node.text is None else node.text
    if isinstance(value, str):
        value = spelled(value, shape, language)
    prefix = shape.rules.id_prefix
    # The resource's own id is the one id that cannot be said by key.
    refers = isinstance(value, str) and bool(prefix and value) and path != "id"
    if not refers or is_id(str(value), prefix):
        return value
    references[path] = str(value)
    # Its place in a list is kept for it; elsewhere it is as if it were left out.
    return f"{prefix}_{'0' * 26}" if shape.repeated else None


def _language_of(node: Members) -> str:
    """The language that a text says of itself beside it, as names do."""
    said = node.values.get("language")
    return said.value if isinstance(said, Scalar) and isinstance(said.value, str) else ""


def _untyped(node: Node) -> Any:
    match node:
        case Scalar():
            return node.value
        case Items():
            return [_untyped(item) for item in node.values]
        case Members():
            return {name: _untyped(item) for name, item in node.values.items()}
