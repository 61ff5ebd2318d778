"""Maps between domain dataclasses and messages of the contract, by field name.

A dataclass field and a message field of the same name are the same value; a field
that only one side has is left alone. Enums are `StrEnum` values named as in JSON
(lower case without prefix), unset messages are `None`, empty optional text is
`None`. Mappers are compiled once for each pair of types.
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from servicekit.contract import descriptor_of, enum_names
from servicekit.validation import is_map

T = TypeVar("T")
M = TypeVar("M", bound=Message)

Convert = Callable[[Any], Any]

_TIMESTAMP = "google.protobuf.Timestamp"
_READERS: dict[tuple[str, type], dict[str, Callable[[Message], Any]]] = {}
_WRITERS: dict[tuple[str, type], list[Callable[[Any, Any], None]]] = {}


def from_message(message: Message, cls: type[T], *, only: Iterable[str] | None = None) -> T:
    """Build a dataclass from a message; its other fields take their defaults.

    `only` restricts the fields that are taken over.
    """
    return cls(**read_fields(message, cls, only=only))


def read_fields(
    message: Message, cls: type[Any], *, only: Iterable[str] | None = None
) -> dict[str, Any]:
    """Values of a message as the fields of a dataclass, by name."""
    readers = _readers(descriptor_of(message), cls)
    names = readers.keys() if only is None else [name for name in only if name in readers]
    return {name: readers[name](message) for name in names}


def to_message(value: Any, message_class: type[M]) -> M:
    """Build a message from a dataclass."""
    message = message_class()
    fill(message, value)
    return message


def fill(message: Message, value: Any) -> None:
    """Set the fields of a message from a dataclass."""
    for write in _writers(descriptor_of(message), type(value)):
        write(message, value)


def to_timestamp(moment: datetime) -> Timestamp:
    """A point in time as the contract carries it."""
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp


def to_datetime(timestamp: Timestamp) -> datetime:
    """A point in time as the domain knows it, UTC."""
    return timestamp.ToDatetime(tzinfo=UTC)


def _hints(cls: type) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def _strip_optional(hint: Any) -> tuple[Any, bool]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        inner = [part for part in typing.get_args(hint) if part is not types.NoneType]
        return inner[0], True
    return hint, False


def _element(hint: Any) -> Any:
    arguments = typing.get_args(hint)
    return arguments[0] if arguments else Any


def _readers(descriptor: Descriptor, cls: type) -> dict[str, Callable[[Message], Any]]:
    key = (descriptor.full_name, cls)
    if key not in _READERS:
        _READERS[key] = {
            name: _reader(descriptor.fields_by_name[name], hint)
            for name, hint in _hints(cls).items()
            if name in descriptor.fields_by_name
        }
    return _READERS[key]


def _reader(field: FieldDescriptor, hint: Any) -> Callable[[Message], Any]:
    hint, optional = _strip_optional(hint)
    name = field.name
    if is_map(field):
        return lambda message: dict(getattr(message, name))
    if field.is_repeated:
        convert = _read_value(field, _element(hint))
        return lambda message: [convert(value) for value in getattr(message, name)]
    convert = _read_value(field, hint)
    if field.has_presence:
        return lambda message: convert(getattr(message, name)) if message.HasField(name) else None
    if optional:
        return lambda message: convert(getattr(message, name)) if getattr(message, name) else None
    return lambda message: convert(getattr(message, name))


def _read_value(field: FieldDescriptor, hint: Any) -> Convert:
    if field.enum_type is not None:
        names = enum_names(field.enum_type)
        if isinstance(hint, type) and issubclass(hint, StrEnum):
            known = {member.value: member for member in hint}
            values = {number: known[name] for number, name in names.items() if name in known}
            return values.get
        return lambda number: names[number] if number else ""
    if field.message_type is None:
        return lambda value: value
    if field.message_type.full_name == _TIMESTAMP:
        return to_datetime
    return lambda value: from_message(value, hint)


def _writers(descriptor: Descriptor, cls: type) -> list[Callable[[Any, Any], None]]:
    key = (descriptor.full_name, cls)
    if key not in _WRITERS:
        _WRITERS[key] = [
            _writer(descriptor.fields_by_name[name])
            for name in _hints(cls)
            if name in descriptor.fields_by_name
        ]
    return _WRITERS[key]


def _writer(field: FieldDescriptor) -> Callable[[Any, Any], None]:
    if is_map(field):
        return _write_map(field.name)
    if field.message_type is None:
        convert = _write_value(field)
        return (_write_items if field.is_repeated else _write_scalar)(field.name, convert)
    if field.message_type.full_name == _TIMESTAMP:
        return _write_timestamp(field.name)
    return (_write_messages if field.is_repeated else _write_message)(field.name)


def _write_map(name: str) -> Callable[[Any, Any], None]:
    return lambda message, value: getattr(message, name).update(getattr(value, name))


def _write_items(name: str, convert: Convert) -> Callable[[Any, Any], None]:
    return lambda message, value: getattr(message, name).extend(map(convert, getattr(value, name)))


def _write_scalar(name: str, convert: Convert) -> Callable[[Any, Any], None]:
    def write(message: Any, value: Any) -> None:
        inner = getattr(value, name)
        if inner is not None:
            setattr(message, name, convert(inner))

    return write


def _write_timestamp(name: str) -> Callable[[Any, Any], None]:
    def write(message: Any, value: Any) -> None:
        inner = getattr(value, name)
        if inner is not None:
            getattr(message, name).FromDatetime(inner)

    return write


def _write_messages(name: str) -> Callable[[Any, Any], None]:
    def write(message: Any, value: Any) -> None:
        items = getattr(message, name)
        for item in getattr(value, name):
            fill(items.add(), item)

    return write


def _write_message(name: str) -> Callable[[Any, Any], None]:
    def write(message: Any, value: Any) -> None:
        inner = getattr(value, name)
        if inner is not None:
            target = getattr(message, name)
            target.SetInParent()
            fill(target, inner)

    return write


def _write_value(field: FieldDescriptor) -> Convert:
    if field.enum_type is None:
        return lambda value: value
    numbers = {name: number for number, name in enum_names(field.enum_type).items()}
    return lambda value: numbers[str(value)] if value else 0
