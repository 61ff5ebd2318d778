"""What a request carries outside its body: path, query and header parameters."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers

from gateway.codec import MAX_VIOLATIONS, escape, failed, value_reader
from gateway.shapes import FieldShape, Kind
from servicekit.errors import Violation

IF_NONE_MATCH = "If-None-Match"
MAX_IF_NONE_MATCH = 1000
PRINTABLE_PATTERN = r"^[\x20-\x7e]*$"
HEADER_TEXT_PATTERN = r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$"

_ETAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e]+)"\Z')
_HEADER_TEXT = re.compile(HEADER_TEXT_PATTERN)
_PRINTABLE = re.compile(r"[\x20-\x7e]*\Z")
# What a call without the header is answered with.
_MISSING = {"If-Match": "PRECONDITION_REQUIRED", "Idempotency-Key": "IDEMPOTENCY_KEY_REQUIRED"}


def if_match_pattern(max_length: int) -> str:
    """Regular expression of an `If-Match` with one tag of at most `max_length` characters."""
    return rf'^(W/)?"[\x21\x23-\x7e]{{1,{max_length}}}"$'


@dataclass(frozen=True)
class HeaderRule:
    """A header that carries a field, and the reason for its absence if it is required."""

    shape: FieldShape
    name: str
    missing: str | None


def header_rule(shape: FieldShape) -> HeaderRule:
    """Make the rule of a field that a header carries."""
    missing = _MISSING.get(shape.header, "INVALID_ARGUMENT") if shape.required else None
    return HeaderRule(shape, shape.header, missing)


def read_header(
    rule: HeaderRule, headers: Headers, into: Any, found: list[Violation]
) -> str | None:
    """Put a header's value into its field; give the reason if a required one is missing."""
    values = headers.getlist(rule.name)
    name = rule.shape.name
    if not values or not values[0]:
        if rule.missing == "INVALID_ARGUMENT":
            found.append(Violation(name, "REQUIRED"))
            return None
        return rule.missing
    value = values[0]
    if len(values) > 1:
        found.append(Violation(name, "DUPLICATE", {"value": rule.name}))
    elif rule.name == "If-Match":
        # "*" would overwrite whatever is there, which is what the header is to prevent.
        match = _ETAG.match(value)
        if match is None:
            found.append(Violation(name, "WRONG_FORMAT", {"expected": '"etag"'}))
        elif len(match[1]) > rule.shape.max_length:
            found.append(Violation(name, "TOO_LONG", {"max": str(rule.shape.max_length)}))
        else:
            setattr(into, name, match[1])
    elif len(value) > rule.shape.max_length:
        found.append(Violation(name, "TOO_LONG", {"max": str(rule.shape.max_length)}))
    elif not _HEADER_TEXT.match(value):
        found.append(Violation(name, "WRONG_FORMAT", {"expected": HEADER_TEXT_PATTERN}))
    else:
        setattr(into, name, value)
    return None


def check_if_none_match(headers: Headers, found: list[Violation]) -> None:
    """Report an `If-None-Match` that cannot be one, under the header's own name."""
    value = headers.get(IF_NONE_MATCH, "")
    if len(value) > MAX_IF_NONE_MATCH:
        found.append(Violation(IF_NONE_MATCH, "TOO_LONG", {"max": str(MAX_IF_NONE_MATCH)}))
    elif not _PRINTABLE.match(value):
        found.append(Violation(IF_NONE_MATCH, "WRONG_FORMAT", {"expected": PRINTABLE_PATTERN}))


def is_known(headers: Headers, etag: str) -> bool:
    """Tell whether the caller's `If-None-Match` names a version tag (RFC 9110, 13.1.2)."""
    tags = (tag.strip().removeprefix("W/") for tag in headers.get(IF_NONE_MATCH, "").split(","))
    return any(tag in ("*", etag) for tag in tags)


class ParameterReader:
    """Reads path and query parameters into the fields that they stand for."""

    def __init__(self, path: Sequence[FieldShape], query: Sequence[FieldShape]) -> None:
        self._path = [(shape.name, value_reader(shape)) for shape in path]
        self._query = {shape.name: (shape, value_reader(shape)) for shape in query}
        self._required = [shape.name for shape in query if shape.required]

    def read(self, path: dict[str, str], query: bytes, into: Any, found: list[Violation]) -> None:
        """Fill `into`; report rules that values break."""
        for name, read in self._path:
            value = read(path[name], name, found)
            if not failed(value):
                setattr(into, name, value)
        if query or self._required:
            self._read_query(query, into, found)

    def _read_query(self, query: bytes, into: Any, found: list[Violation]) -> None:
        seen: set[str] = set()
        for part in query.split(b"&"):
            if not part or len(found) >= MAX_VIOLATIONS:
                continue
            raw_name, _, raw_value = part.partition(b"=")
            name, value = _decode(raw_name), _decode(raw_value)
            known = self._query.get(name) if name is not None else None
            if known is None or name is None:
                shown = unquote_to_bytes(raw_name).decode("utf-8", "replace")
                found.append(Violation(escape(shown[:100]), "UNKNOWN_FIELD"))
                continue
            shape, read = known
            if name in seen and not shape.repeated:
                found.append(Violation(name, "DUPLICATE", {"value": name}))
                continue
            seen.add(name)
            if value is None:
                found.append(Violation(name, "WRONG_FORMAT", {"expected": "UTF-8 text"}))
                continue
            self._assign(shape, read(_typed(shape, value), name, found), into, found)
        found.extend(Violation(name, "REQUIRED") for name in self._required if name not in seen)

    def _assign(self, shape: FieldShape, value: Any, into: Any, found: list[Violation]) -> None:
        if failed(value):
            return
        if shape.repeated:
            target = getattr(into, shape.name)
            if len(target) >= shape.max_items:
                most = str(shape.max_items)
                found.append(Violation(shape.name, "TOO_MANY_ITEMS", {"max": most}))
                return
            target.append(value)
        elif shape.kind is Kind.TIMESTAMP:
            getattr(into, shape.name).CopyFrom(value)
        else:
            setattr(into, shape.name, value)


def _decode(raw: bytes) -> str | None:
    try:
        return unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        return None


def _typed(shape: FieldShape, text: str) -> Any:
    """Give the JSON value that a parameter's text stands for; the text if for none."""
    convert = _CONVERTERS.get(shape.kind)
    return convert(text) if convert else text


def _whole_number(text: str) -> Any:
    return int(text) if re.fullmatch(r"-?[0-9]{1,20}", text) else text


def _number(text: str) -> Any:
    return float(text) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", text) else text


_CONVERTERS: dict[Kind, Callable[[str], Any]] = {
    Kind.BOOLEAN: lambda text: {"true": True, "false": False}.get(text, text),
    Kind.INTEGER: _whole_number,
    Kind.NUMBER: _number,
}
