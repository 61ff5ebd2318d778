"""Checks a request against the rules that stand in the contract.

The gateway checks the same rules at the edge; this check holds for callers that
speak gRPC directly. A checker is compiled once for each message.
"""

import re
from collections.abc import Callable
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from peyvand.api.v1.annotations_pb2 import FieldRules
from servicekit.contract import descriptor_of, enum_names, field_header, field_rules, option
from servicekit.errors import Violation
from servicekit.ids import id_pattern

Check = Callable[[Any, str, list[Violation]], None]

_CHECKERS: dict[str, list[tuple[FieldDescriptor, Check]]] = {}


def violations(message: Message) -> list[Violation]:
    """Rules of the contract that a message breaks; OUTPUT_ONLY fields are passed over."""
    found: list[Violation] = []
    masked = _masked_paths(message)
    _check_message(message, "", found)
    if masked is None:
        return found
    # A partial update carries nothing but the fields that its mask names, so what
    # the whole resource would lack besides them is not the caller's omission.
    return [item for item in found if item.reason not in _OMISSIONS or _in_mask(item.field, masked)]


# How a value is refused that is not there.
_OMISSIONS = frozenset({"REQUIRED", "TOO_FEW_ITEMS"})


def _masked_paths(message: Message) -> frozenset[str] | None:
    if "update_mask" not in message.DESCRIPTOR.fields_by_name:
        return None
    request: Any = message
    paths: list[str] = list(request.update_mask.paths)
    return frozenset(path.partition(".")[0] for path in paths)


def _in_mask(field: str, masked: frozenset[str]) -> bool:
    """Whether a violation stands in a masked field, or outside of the resource."""
    _, _, within = field.partition(".")
    return not within or re.split(r"[.\[]", within, maxsplit=1)[0] in masked


def behaviors(field: FieldDescriptor) -> frozenset[int]:
    """`google.api.field_behavior` of a field."""
    return frozenset(option(field.GetOptions(), field_behavior_pb2.field_behavior))


def is_map(field: FieldDescriptor) -> bool:
    """Tell whether a field is a map."""
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _check_message(message: Message, path: str, found: list[Violation]) -> None:
    for field, check in _checkers(descriptor_of(message)):
        check(message, f"{path}{field.name}", found)


def _checkers(descriptor: Descriptor) -> list[tuple[FieldDescriptor, Check]]:
    known = _CHECKERS.get(descriptor.full_name)
    if known is None:
        known = [
            (field, _compile(field))
            for field in descriptor.fields
            if field_behavior_pb2.OUTPUT_ONLY not in behaviors(field) and not is_map(field)
        ]
        _CHECKERS[descriptor.full_name] = known
    return known


def _compile(field: FieldDescriptor) -> Check:
    # A header that is missing has an error of its own, which the use case raises.
    required = field_behavior_pb2.REQUIRED in behaviors(field) and not field_header(field)
    check_value = _value_check(field)
    rules = field_rules(field)
    name = field.name

    def check_repeated(message: Any, path: str, found: list[Violation]) -> None:
        values = getattr(message, name)
        if len(values) < rules.min_items or (required and not values):
            least = str(max(rules.min_items, 1))
            found.append(Violation(path, "TOO_FEW_ITEMS", {"min": least}))
        if rules.max_items and len(values) > rules.max_items:
            found.append(Violation(path, "TOO_MANY_ITEMS", {"max": str(rules.max_items)}))
            return
        if check_value:
            for index, value in enumerate(values):
                check_value(value, f"{path}[{index}]", found)

    def check_single(message: Any, path: str, found: list[Violation]) -> None:
        if _is_absent(message, field):
            if required:
                found.append(Violation(path, "REQUIRED"))
        elif check_value:
            check_value(getattr(message, name), path, found)

    return check_repeated if field.is_repeated else check_single


def _is_absent(message: Any, field: FieldDescriptor) -> bool:
    if field.has_presence:
        return not message.HasField(field.name)
    return field.type in _EMPTY_IS_ABSENT and not getattr(message, field.name)


# A scalar of these types that is empty counts as "not given".
_EMPTY_IS_ABSENT = frozenset(
    {FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_ENUM, FieldDescriptor.TYPE_BYTES}
)
_NUMBERS = frozenset(
    {
        FieldDescriptor.TYPE_DOUBLE,
        FieldDescriptor.TYPE_FLOAT,
        FieldDescriptor.TYPE_INT32,
        FieldDescriptor.TYPE_INT64,
        FieldDescriptor.TYPE_UINT32,
        FieldDescriptor.TYPE_UINT64,
    }
)


def _value_check(field: FieldDescriptor) -> Check | None:
    if field.message_type is not None:
        foreign = not field.message_type.full_name.startswith("peyvand.")
        # A row of a file is checked by the import, once it has put ids where the row
        # has keys, and by itself, so that one bad row does not refuse all the others.
        if foreign or "references" in field.message_type.fields_by_name:
            return None
        return lambda value, path, found: _check_message(value, f"{path}.", found)
    if field.type == FieldDescriptor.TYPE_STRING:
        return _text_check(field)
    if field.type == FieldDescriptor.TYPE_ENUM:
        names = enum_names(field.enum_type)
        allowed = ", ".join(name for number, name in names.items() if number)
        return lambda value, path, found: (
            None
            if value in names
            else found.append(Violation(path, "UNKNOWN_VALUE", {"allowed": allowed}))
        )
    if field.type in _NUMBERS:
        return _number_check(field)
    return None


def whole_text(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of the contract.

    In Python `$` also matches before a last line break; in ECMA-262 it does not.
    """
    tokens = r"(\\.|\[(?:\\.|[^\]\\])*\])|\$"
    return re.compile(re.sub(tokens, lambda token: token[1] or r"\Z", pattern))


def form_of(rules: FieldRules) -> str:
    """How a text has to look: an example where the contract has one, and the pattern."""
    shown = bool(rules.example and rules.pattern)
    return f"{rules.example} ({rules.pattern})" if shown else rules.pattern


def _text_check(field: FieldDescriptor) -> Check:
    rules = field_rules(field)
    id_form = whole_text(id_pattern(rules.id_prefix)) if rules.id_prefix else None
    form = whole_text(rules.pattern) if rules.pattern else None

    def check(value: str, path: str, found: list[Violation]) -> None:
        if "\x00" in value:
            found.append(Violation(path, "WRONG_FORMAT", {"expected": "text without NUL"}))
        elif rules.max_len and len(value) > rules.max_len:
            found.append(Violation(path, "TOO_LONG", {"max": str(rules.max_len)}))
        elif len(value) < rules.min_len:
            found.append(Violation(path, "TOO_SHORT", {"min": str(rules.min_len)}))
        elif id_form and not id_form.search(value):
            expected = f"{rules.id_prefix}_…"
            found.append(Violation(path, "WRONG_ID_KIND", {"expected": expected}))
        elif form and not form.search(value):
            found.append(Violation(path, "WRONG_FORMAT", {"expected": form_of(rules)}))

    return check


def _number_check(field: FieldDescriptor) -> Check | None:
    rules = field_rules(field)
    least = rules.minimum if rules.HasField("minimum") else float("-inf")
    greatest = rules.maximum if rules.HasField("maximum") else float("inf")
    if (least, greatest) == (float("-inf"), float("inf")):
        return None
    expected = " and ".join(
        [f"at least {least:g}"] * (least != float("-inf"))
        + [f"at most {greatest:g}"] * (greatest != float("inf"))
    )

    def check(value: float, path: str, found: list[Violation]) -> None:
        # Written so that NaN, which compares to nothing, is refused as well.
        if not least <= value <= greatest:
            found.append(Violation(path, "OUT_OF_RANGE", {"expected": expected}))

    return check
