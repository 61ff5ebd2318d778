"""Messages to JSON and back, compiled once for each message from its descriptor.

In answers every field is present: what is unknown is `null`, not left out and
not an empty text. In requests what a caller sends is checked against the rules
of the contract while the message is built, and every broken rule is reported,
not only the first.
"""

import functools
import math
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, cast

import orjson
from google.protobuf.descriptor import Descriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from gateway.shapes import (
    TIMESTAMP_PATTERN,
    FieldShape,
    Kind,
    Variant,
    fields,
    fields_by_name,
    is_given_by_caller,
)
from servicekit.contract import enum_names
from servicekit.errors import Violation
from servicekit.validation import whole_text

Write = Callable[[Any], Any]
# Reads one JSON value: gives what a protobuf field takes, and reports to the list.
Read = Callable[[Any, str, list[Violation]], Any]

# Enough to mend a request by; a hostile one does not get an answer larger than itself.
MAX_VIOLATIONS = 100
_FAILED = object()
_TIMESTAMP = re.compile(TIMESTAMP_PATTERN)


def to_json(message: Message) -> bytes:
    """Write a message as JSON."""
    return orjson.dumps(to_object(message), option=orjson.OPT_UTC_Z)


def to_object(message: Message) -> dict[str, Any]:
    """Give a message as plain objects; times are `datetime` in UTC."""
    return _writer(message.DESCRIPTOR)(message)


@functools.cache
def _writer(message: Descriptor) -> Callable[[Message], dict[str, Any]]:
    members = [(shape.name, _field_writer(shape)) for shape in fields(message)]

    def write(value: Message) -> dict[str, Any]:
        return {name: get(value) for name, get in members}

    return write


def _field_writer(shape: FieldShape) -> Write:
    name = shape.name
    get = attrgetter(name)
    write = _value_writer(shape)
    if shape.kind is Kind.MAP:
        return lambda message: {key: write(value) for key, value in get(message).items()}
    if shape.repeated:
        if shape.kind in _AS_THEY_ARE:
            return lambda message: list(get(message))
        return lambda message: [write(value) for value in get(message)]
    if shape.descriptor.has_presence:
        return lambda message: write(get(message)) if message.HasField(name) else None
    if shape.kind is Kind.TEXT:
        return lambda message: get(message) or None
    return get if shape.kind in _AS_THEY_ARE else lambda message: write(get(message))


def _value_writer(shape: FieldShape) -> Write:
    if shape.kind is Kind.MESSAGE:
        # Compiled when it is first used, because a message may contain its own kind.
        message = shape.message

        def write_nested(value: Any) -> dict[str, Any]:
            return _writer(message)(value)

        return write_nested
    if shape.kind is Kind.MAP:
        return _value_writer(fields_by_name(shape.message)["value"])
    if shape.kind is Kind.ENUM:
        assert shape.descriptor.enum_type is not None
        return {**enum_names(shape.descriptor.enum_type), 0: None}.get
    return _WRITERS.get(shape.kind, _same)


def _same(value: Any) -> Any:
    return value


def _time(value: Timestamp) -> datetime:
    return datetime.fromtimestamp(value.seconds, UTC).replace(microsecond=value.nanos // 1000)


_AS_THEY_ARE = frozenset({Kind.TEXT, Kind.BOOLEAN, Kind.INTEGER, Kind.NUMBER})
_WRITERS: dict[Kind, Write] = {Kind.TIMESTAMP: _time, Kind.INT64: str, Kind.OBJECT: MessageToDict}


class Reader:
    """Reads JSON objects into messages of one type.

    `without` names fields that do not come in the body, `stated` output-only fields
    that do: a file says how a resource should end up.
    """

    def __init__(
        self,
        message: Descriptor,
        variant: Variant,
        without: Iterable[str] = (),
        stated: Iterable[str] = (),
    ) -> None:
        left_out, also = frozenset(without), frozenset(stated)
        known = [shape for shape in fields(message) if shape.name not in left_out]
        given = [
            shape for shape in known if is_given_by_caller(shape, variant) or shape.name in also
        ]
        self._variant = variant
        self._refused = frozenset(shape.name for shape in known) - {s.name for s in given}
        self._required = [
            shape.name for shape in given if shape.required and variant is not Variant.CHANGE
        ]
        self._members = {shape.name: (shape, _field_reader(shape)) for shape in given}

    def read(self, value: Any, into: Any, path: str, found: list[Violation]) -> None:
        """Fill a message from a JSON value; report rules it breaks, with paths below `path`."""
        if not isinstance(value, dict):
            found.append(Violation(path, "WRONG_TYPE", {"expected": "an object"}))
            return
        prefix = f"{path}." if path else ""
        for name, item in cast("dict[str, Any]", value).items():
            if len(found) >= MAX_VIOLATIONS:
                return
            member = self._members.get(name)
            if member is None:
                reason = "IMMUTABLE" if name in self._refused else "UNKNOWN_FIELD"
                found.append(Violation(prefix + escape(name[:100]), reason))
                continue
            shape, read = member
            if item is None:
                if shape.required:
                    found.append(Violation(prefix + name, "REQUIRED"))
                continue
            read(item, prefix + name, found, into)
        found.extend(
            Violation(prefix + name, "REQUIRED") for name in self._required if name not in value
        )


@functools.cache
def _nested_reader(message: Descriptor) -> Reader:
    return Reader(message, Variant.NEW)


def escape(key: str) -> str:
    """Write a key that the contract does not know so that a path can carry it."""
    for character, code in _ESCAPES:
        key = key.replace(character, code)
    return key


def unescape(key: str) -> str:
    """Undo `escape`."""
    for character, code in reversed(_ESCAPES):
        key = key.replace(code, character)
    return key


_ESCAPES = (("~", "~0"), (".", "~2"), ("[", "~3"), ("]", "~4"))


def _field_reader(shape: FieldShape) -> Callable[[Any, str, list[Violation], Any], None]:
    name = shape.name
    if shape.kind is Kind.MAP:
        return _map_reader(shape)
    if shape.repeated:
        return _list_reader(shape)
    if shape.kind is Kind.MESSAGE:
        message = shape.message

        def read_message(value: Any, path: str, found: list[Violation], into: Any) -> None:
            nested = getattr(into, name)
            nested.SetInParent()
            _nested_reader(message).read(value, nested, path, found)

        return read_message
    read = value_reader(shape)
    is_composite = shape.kind in (Kind.TIMESTAMP, Kind.OBJECT)

    def read_single(value: Any, path: str, found: list[Violation], into: Any) -> None:
        result = read(value, path, found)
        if result is _FAILED:
            return
        if is_composite:
            getattr(into, name).CopyFrom(result)
        else:
            setattr(into, name, result)

    return read_single


def _list_reader(shape: FieldShape) -> Callable[[Any, str, list[Violation], Any], None]:
    name, least, most = shape.name, shape.rules.min_items, shape.max_items
    nested = shape.message if shape.kind is Kind.MESSAGE else None
    read = None if nested else value_reader(shape)

    def read_list(value: Any, path: str, found: list[Violation], into: Any) -> None:
        if not isinstance(value, list):
            found.append(Violation(path, "WRONG_TYPE", {"expected": "a list"}))
            return
        items = cast("list[Any]", value)
        if len(items) < least:
            found.append(Violation(path, "TOO_FEW_ITEMS", {"min": str(least)}))
        if len(items) > most:
            found.append(Violation(path, "TOO_MANY_ITEMS", {"max": str(most)}))
            return
        target = getattr(into, name)
        for index, item in enumerate(items):
            if len(found) >= MAX_VIOLATIONS:
                return
            place = f"{path}[{index}]"
            if nested:
                _nested_reader(nested).read(item, target.add(), place, found)
            elif read:
                result = read(item, place, found)
                if result is not _FAILED:
                    target.append(result)

    return read_list


def _map_reader(shape: FieldShape) -> Callable[[Any, str, list[Violation], Any], None]:
    entry = fields_by_name(shape.message)
    if entry["key"].kind is not Kind.TEXT or entry["value"].kind is Kind.MESSAGE:
        raise TypeError(f"{shape.descriptor.full_name}: this map cannot be read from JSON")
    name, most = shape.name, shape.max_items
    read_key, read = value_reader(entry["key"]), value_reader(entry["value"])

    def read_map(value: Any, path: str, found: list[Violation], into: Any) -> None:
        if not isinstance(value, dict):
            found.append(Violation(path, "WRONG_TYPE", {"expected": "an object"}))
            return
        members = cast("dict[str, Any]", value)
        if len(members) > most:
            found.append(Violation(path, "TOO_MANY_ITEMS", {"max": str(most)}))
            return
        target = getattr(into, name)
        for key, item in members.items():
            place = f"{path}.{escape(key[:100])}"
            result = read(item, place, found)
            if read_key(key, place, found) is not _FAILED and result is not _FAILED:
                target[key] = result

    return read_map


def value_reader(shape: FieldShape) -> Read:
    """Reader of one value of a field that is neither a message nor a map."""
    return _READERS[shape.kind](shape)


def failed(result: Any) -> bool:
    """Tell whether a reader reported a broken rule instead of giving a value."""
    return result is _FAILED


def _report(found: list[Violation], path: str, reason: str, **params: str) -> Any:
    found.append(Violation(path, reason, params))
    return _FAILED


def _text(shape: FieldShape) -> Read:
    least, most = shape.min_length, shape.max_length
    form = whole_text(shape.pattern)
    id_prefix = shape.rules.id_prefix

    def read(value: Any, path: str, found: list[Violation]) -> Any:
        if not isinstance(value, str):
            return _report(found, path, "WRONG_TYPE", expected="a text")
        if not least <= len(value) <= most:
            return _wrong_length(value, path, found, least, most)
        if "\x00" in value or not form.search(value):
            if id_prefix:
                return _report(found, path, "WRONG_ID_KIND", expected=f"{id_prefix}_…")
            return _report(found, path, "WRONG_FORMAT", expected=shape.form)
        return value

    return read


def _wrong_length(value: str, path: str, found: list[Violation], least: int, most: int) -> Any:
    if not value:
        return _report(found, path, "REQUIRED")
    if len(value) < least:
        return _report(found, path, "TOO_SHORT", min=str(least))
    return _report(found, path, "TOO_LONG", max=str(most))


def _boolean(shape: FieldShape) -> Read:
    del shape

    def read(value: Any, path: str, found: list[Violation]) -> Any:
        if not isinstance(value, bool):
            return _report(found, path, "WRONG_TYPE", expected="true or false")
        return value

    return read


def _integer(shape: FieldShape) -> Read:
    least, greatest = shape.integer_range

    def read(value: Any, path: str, found: list[Violation]) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return _report(found, path, "WRONG_TYPE", expected="a whole number")
        if isinstance(value, float) and not value.is_integer():
            return _report(found, path, "WRONG_TYPE", expected="a whole number")
        if not least <= value <= greatest:
            return _report(found, path, "OUT_OF_RANGE", expected=f"{least} … {greatest}")
        return int(value)

    return read


def _int64(shape: FieldShape) -> Read:
    least, greatest = shape.integer_range
    form = re.compile(r"(0|-?[1-9][0-9]{0,18})\Z")

    def read(value: Any, path: str, found: list[Violation]) -> Any:
        if not isinstance(value, str):
            return _report(found, path, "WRONG_TYPE", expected="a whole number in quotes")
        if not form.match(value):
            return _report(found, path, "WRONG_FORMAT", expected="a whole number in quotes")
        if not least <= int(value) <= greatest:
            return _report(found, path, "OUT_OF_RANGE", expected=f"{least} … {greatest}")
        return int(value)

    return read


def _number(shape: FieldShape) -> Read:
    least, greatest = shape.number_range
    bounds = [f"≥ {least:g}"] * math.isfinite(least) + [f"≤ {greatest:g}"] * math.isfinite(greatest)
    expected = ", ".join(bounds) or "a number of double precision"

    def read(value: Any, path: str, found: list[Violation]) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return _report(found, path, "WRONG_TYPE", expected="a number")
        if not least <= value <= greatest or abs(value) > _MAX_DOUBLE:
            return _report(found, path, "OUT_OF_RANGE", expected=expected)
        return float(value)

    return read


_MAX_DOUBLE = int(1.7976931348623157e308)


def _enum(shape: FieldShape) -> Read:
    assert shape.descriptor.enum_type is not None
    names = enum_names(shape.descriptor.enum_type)
    numbers = {name: number for number, name in names.items() if number}
    allowed = ", ".join(numbers)

    def read(value: Any, path: str, found: list[Violation]) -> Any:
        number = numbers.get(value) if isinstance(value, str) else None
        if number is None:
            return _report(found, path, "UNKNOWN_VALUE", allowed=allowed)
        return number

    return read


def _timestamp(shape: FieldShape) -> Read:
    del shape

    def read(value: Any, path: str, found: list[Violation]) -> Any:
        expected = "an RFC 3339 time"
        if not isinstance(value, str):
            return _report(found, path, "WRONG_TYPE", expected=expected)
        if not _TIMESTAMP.match(value) or value.endswith("\n"):
            return _report(found, path, "WRONG_FORMAT", expected=expected)
        result = Timestamp()
        try:
            result.FromDatetime(datetime.fromisoformat(value.upper()).astimezone(UTC))
        except (ValueError, OverflowError):
            return _report(found, path, "NO_SUCH_DATE")
        return result

    return read


def _object(shape: FieldShape) -> Read:
    del shape

    def read(value: Any, path: str, found: list[Violation]) -> Any:
        if not isinstance(value, dict):
            return _report(found, path, "WRONG_TYPE", expected="an object")
        result = Struct()
        try:
            result.update(value)
        except OverflowError:
            return _report(found, path, "OUT_OF_RANGE", expected="a number of double precision")
        return result

    return read


_READERS: dict[Kind, Callable[[FieldShape], Read]] = {
    Kind.TEXT: _text,
    Kind.BOOLEAN: _boolean,
    Kind.INTEGER: _integer,
    Kind.INT64: _int64,
    Kind.NUMBER: _number,
    Kind.ENUM: _enum,
    Kind.TIMESTAMP: _timestamp,
    Kind.OBJECT: _object,
}
