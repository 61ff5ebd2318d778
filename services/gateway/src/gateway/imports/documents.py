"""YAML and JSON files as nodes with lines.

YAML is read from its events, not by a loader: tags, anchors and aliases are refused
before anything is built from them, and a plain value keeps the text that it was
written with. What a plain value means is decided by the field that it is for.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from gateway import json_body
from gateway.imports.nodes import (
    MAX_DEPTH,
    MAX_NODES,
    Items,
    Members,
    Node,
    Scalar,
    decode,
    malformed,
)
from servicekit.errors import Fault

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False}
_BOOLEANS["FALSE"] = False
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})\Z")
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]{0,29})(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?\Z")


def plain(text: str, line: int) -> Scalar:
    """A value that is written without quotes (the core schema of YAML 1.2)."""
    value: str | int | float | bool | None = text
    if text in _NULLS:
        value = None
    elif text in _BOOLEANS:
        value = _BOOLEANS[text]
    elif _INTEGER.match(text):
        value = int(text)
    elif _NUMBER.match(text):
        value = float(text)
    return Scalar(value, line, text)


def read_yaml(raw: bytes) -> Node:
    """Read a YAML file. Raises `Fault` ``MALFORMED_FILE`` and ``NOT_UTF_8``."""
    text = decode(raw)
    try:
        root = _build(yaml.parse(text, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise malformed(error.problem or "it is not YAML", line) from None
    except yaml.YAMLError as error:
        raise malformed(str(error).splitlines()[0]) from None
    if root is None:
        raise malformed("it is empty")
    return root


def _build(events: Iterator[Any]) -> Node | None:
    """Build the one document of a stream of events."""
    builder = _Builder()
    for event in events:
        line = event.start_mark.line + 1 if event.start_mark else 1
        match event:
            case yaml.AliasEvent():
                raise malformed("aliases are not taken", line)
            case yaml.ScalarEvent():
                _require_plain(event, line)
                text = str(event.value)
                unquoted = event.style in (None, "")
                builder.add(plain(text, line) if unquoted else Scalar(text, line))
            case yaml.SequenceStartEvent():
                _require_plain(event, line)
                builder.open(Items(line))
            case yaml.MappingStartEvent():
                _require_plain(event, line)
                builder.open(Members(line))
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                builder.close()
            case yaml.DocumentStartEvent():
                if builder.root is not None:
                    raise malformed("a second document begins", line)
            case _:
                pass
    return builder.root


def _require_plain(event: Any, line: int) -> None:
    if event.anchor is not None:
        raise malformed("anchors are not taken", line)
    if event.tag is not None:
        raise malformed("tags are not taken", line)


class _Builder:
    """Puts values where they belong as they come."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[tuple[Items | Members, str | None]] = []
        self._count = 0

    def open(self, node: Items | Members) -> None:
        self.add(node)
        self._open.append((node, None))
        if len(self._open) > MAX_DEPTH:
            raise malformed(f"nested deeper than {MAX_DEPTH} levels", node.line)

    def close(self) -> None:
        self._open.pop()

    def add(self, node: Node) -> None:
        self._count += 1
        if self._count > MAX_NODES:
            raise malformed(f"more than {MAX_NODES} values", node.line)
        if not self._open:
            self.root = node
            return
        owner, key = self._open[-1]
        if isinstance(owner, Items):
            owner.values.append(node)
        elif key is not None:
            owner.values[key] = node
            self._open[-1] = (owner, None)
        else:
            self._open[-1] = (owner, _key(owner, node))


def _key(owner: Members, node: Node) -> str:
    if not isinstance(node, Scalar):
        raise malformed("a key must be a text", node.line)
    key = node.text if node.text is not None else str(node.value)
    if key in owner.values:
        raise malformed(f"the key {key[:50]!r} stands twice", node.line)
    return key


def read_json(raw: bytes) -> Node:
    """Read a JSON file. Raises `Fault` ``MALFORMED_FILE`` and ``NOT_UTF_8``."""
    text = decode(raw)
    try:
        # The strict reader decides what is JSON; the scanner only has to find the lines.
        json_body.parse(text.encode(), MAX_DEPTH)
    except Fault as fault:
        raise malformed(fault.params.get("detail", "it is not JSON")) from None
    return _JsonScanner(text).value()


_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class _JsonScanner:
    """Reads text that is known to be JSON."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._counted = 0
        self._nodes = 0

    def value(self) -> Node:
        """Read the value that comes next."""
        self._skip()
        line = self._line
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise malformed(f"more than {MAX_NODES} values", line)
        match self._text[self._at]:
            case "{":
                return self._members(line)
            case "[":
                return self._items(line)
            case _:
                return Scalar(self._single(), line)

    def _members(self, line: int) -> Members:
        found = Members(line)
        self._at += 1
        while not self._ends("}"):
            key = str(self._single())
            self._skip()
            self._at += 1  # the colon
            found.values[key] = self.value()
        return found

    def _items(self, line: int) -> Items:
        found = Items(line)
        self._at += 1
        while not self._ends("]"):
            found.values.append(self.value())
        return found

    def _ends(self, closing: str) -> bool:
        self._skip()
        if self._text[self._at] == ",":
            self._at += 1
            self._skip()
        if self._text[self._at] != closing:
            return False
        self._at += 1
        return True

    def _single(self) -> str | int | float | bool | None:
        value, self._at = _DECODER.raw_decode(self._text, self._at)
        return value

    def _skip(self) -> None:
        match = _SPACE.match(self._text, self._at)
        assert match is not None
        self._at = match.end()
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
