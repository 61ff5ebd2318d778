"""What a file says, with the line on which it says it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from servicekit.errors import Fault

MAX_DEPTH = 16
MAX_NODES = 300_000

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value.

    `value` is what it is by its looks; `text` is how it is written where quotes are
    not needed (YAML, CSV), so that ``2020`` can be the text that a field asks for.
    """

    value: str | int | float | bool | None
    line: int
    text: str | None = None


@dataclass(slots=True)
class Items:
    """A list."""

    line: int
    values: "list[Node]" = field(default_factory=list)


@dataclass(slots=True)
class Members:
    """Values by name."""

    line: int
    values: "dict[str, Node]" = field(default_factory=dict)


Node = Scalar | Items | Members


def line_of(node: Node, path: str) -> int:
    """Line of the value at a field path; where there is none, of what would hold it."""
    for name, index in _steps(path):
        below = _child(node, name, index)
        if below is None:
            break
        node = below
    return node.line


def malformed(detail: str, line: int | None = None) -> Fault:
    """Make the fault for a file that cannot be read."""
    place = f" at line {line}" if line else ""
    return Fault("MALFORMED_FILE", {"detail": detail + place})


def decode(raw: bytes) -> str:
    """Text of a file, without a byte order mark. Raises `Fault` ``NOT_UTF_8``."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Fault("NOT_UTF_8", {"line": str(line)}) from None


def _steps(path: str) -> Iterator[tuple[str, str]]:
    for match in _STEP.finditer(path):
        yield match[1] or "", match[2] or ""


def _child(node: Node, name: str, index: str) -> Node | None:
    if isinstance(node, Members):
        return node.values.get(name)
    if isinstance(node, Items) and index and int(index) < len(node.values):
        return node.values[int(index)]
    return None
