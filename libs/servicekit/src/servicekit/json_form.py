"""Messages as plain JSON objects, spelled as the public API spells them.

Every field is present: what is unknown is `null`. Enums are lower case without their
prefix, 64-bit integers are texts, times are RFC 3339 in UTC. The result is made of
objects, lists, texts, numbers, booleans and `None` alone and is always the same for the
same message, so that it can be stored and compared. Writers are compiled once for each
message type.
"""

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from servicekit.contract import enum_names
from servicekit.validation import is_map

Write = Callable[[Any], Any]

_TIMESTAMP = "google.protobuf.Timestamp"
_INT64 = frozenset(
    {
        FieldDescriptor.TYPE_INT64,
        FieldDescriptor.TYPE_UINT64,
        FieldDescriptor.TYPE_SINT64,
        FieldDescriptor.TYPE_FIXED64,
        FieldDescriptor.TYPE_SFIXED64,
    }
)


def to_plain(message: Message) -> dict[str, Any]:
    """Give a message as plain JSON objects."""
    return _writer(message.DESCRIPTOR)(message)


def plain_time(moment: datetime) -> str:
    """Give a point in time as RFC 3339 in UTC, with microseconds only where there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@functools.cache
def _writer(descriptor: Descriptor) -> Callable[[Message], dict[str, Any]]:
    members = [(field.name, _field_writer(field)) for field in descriptor.fields]

    def write(message: Message) -> dict[str, Any]:
        return {name: get(message) for name, get in members}

    return write


def _field_writer(field: FieldDescriptor) -> Write:
    name, get, write = field.name, attrgetter(field.name), _value_writer(field)
    if is_map(field):
        return lambda message: {key: write(value) for key, value in sorted(get(message).items())}
    if field.is_repeated:
        return lambda message: [write(value) for value in get(message)]
    if field.has_presence:
        return lambda message: write(get(message)) if message.HasField(name) else None
    if field.type == FieldDescriptor.TYPE_STRING:
        return lambda message: get(message) or None
    return lambda message: write(get(message))


def _value_writer(field: FieldDescriptor) -> Write:
    if field.enum_type is not None:
        return {**enum_names(field.enum_type), 0: None}.get
    message = field.message_type
    if message is None:
        return str if field.type in _INT64 else lambda value: value
    if is_map(field):
        return _value_writer(message.fields_by_name["value"])
    if message.full_name == _TIMESTAMP:
        return lambda value: plain_time(value.ToDatetime(tzinfo=UTC))
    if message.full_name.startswith("google.protobuf."):
        return MessageToDict
    return functools.partial(_nested, message)


def _nested(descriptor: Descriptor, value: Message) -> dict[str, Any]:
    # Looked up when it is first used, because a message may contain its own kind.
    return _writer(descriptor)(value)
