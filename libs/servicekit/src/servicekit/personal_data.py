"""Finds what looks like an Iranian national id in the free texts of a request.

The network takes no personal identifiers, anywhere. A national id has ten digits, the
last of which is a check digit (weights 10 to 2, modulo 11); so one in eleven numbers of
ten digits looks like one. It is written in one piece, or in groups of three, six and
one, in digits of any script. Texts with a form of their own (ids, dates, telephone
numbers) are not looked at; a key, and what the contract calls opaque (hashes, subjects of
tokens), is refused where it is nothing but such a number.
"""

import re
from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from servicekit.contract import descriptor_of, field_header, field_rules
from servicekit.errors import Violation
from servicekit.validation import is_map

# Between the groups: a hyphen or dash, a dot, a slash, a space, or what editors leave behind.
_BETWEEN = "[-\u2010-\u2015\u2212._/ \u00a0\u200c\u200e\u200f]?"
# Ten digits that are no part of a longer number. `\d` has Persian and Arabic digits too.
_TEN_DIGITS = re.compile(rf"(?<!\d)(\d{{3}}){_BETWEEN}(\d{{6}}){_BETWEEN}(\d)(?!\d)")
_LENGTH = 10

_FREE_TEXTS: dict[str, list[tuple[FieldDescriptor, bool]]] = {}


def is_national_id(digits: str) -> bool:
    """Tell whether ten digits, in any script, have the check digit of a national id."""
    numbers = [int(digit) for digit in digits]
    if len(numbers) != _LENGTH or len(set(numbers)) == 1:
        return False
    rest = sum(number * weight for number, weight in zip(numbers, range(10, 1, -1), strict=False))
    check = rest % 11
    return numbers[-1] == (check if check < 2 else 11 - check)


def holds_national_id(text: str) -> bool:
    """Tell whether ten digits in a text look like a national id."""
    return any(is_national_id("".join(groups)) for groups in _TEN_DIGITS.findall(text))


def is_written_national_id(text: str) -> bool:
    """Tell whether a text is nothing but what looks like a national id."""
    written = _TEN_DIGITS.fullmatch(text)
    return written is not None and is_national_id("".join(written.groups()))


def personal_data(message: Message, path: str = "") -> list[Violation]:
    """Free texts of a message, at any depth, that hold what looks like a national id."""
    found: list[Violation] = []
    _look(message, f"{path}." if path else "", found)
    return found


def _look(message: Any, prefix: str, found: list[Violation]) -> None:
    for field, is_text in _fields(descriptor_of(message)):
        look: Callable[[Any, str, list[Violation]], None]
        look = _look_within
        if is_text:
            look = _look_at_opaque if field_rules(field).opaque else _look_at_text
        if field.is_repeated:
            for index, value in enumerate(getattr(message, field.name)):
                look(value, f"{prefix}{field.name}[{index}]", found)
        elif is_text or message.HasField(field.name):
            look(getattr(message, field.name), f"{prefix}{field.name}", found)


def _look_within(message: Message, path: str, found: list[Violation]) -> None:
    _look(message, f"{path}.", found)


def _look_at_text(text: str, path: str, found: list[Violation]) -> None:
    if holds_national_id(text):
        found.append(Violation(path, "PERSONAL_DATA"))


def _look_at_opaque(text: str, path: str, found: list[Violation]) -> None:
    # Among the digits of a hash ten are soon found that would do.
    if is_written_national_id(text):
        found.append(Violation(path, "PERSONAL_DATA"))


def _fields(descriptor: Descriptor) -> list[tuple[FieldDescriptor, bool]]:
    known = _FREE_TEXTS.get(descriptor.full_name)
    if known is None:
        known = [
            (field, field.message_type is None)
            for field in descriptor.fields
            if _is_free_text(field) or _is_ours(field)
        ]
        _FREE_TEXTS[descriptor.full_name] = known
    return known


def _is_free_text(field: FieldDescriptor) -> bool:
    rules = field_rules(field)
    bound = rules.pattern or rules.id_prefix or field_header(field)
    return field.type == FieldDescriptor.TYPE_STRING and not bound and not is_map(field)


def _is_ours(field: FieldDescriptor) -> bool:
    inner = field.message_type
    return inner is not None and inner.full_name.startswith("peyvand.") and not is_map(field)
