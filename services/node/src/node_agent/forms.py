"""Reports as the center's systems write them: JSON as the public API spells it.

What can be known here is checked here, by the rules that stand in the contract, and every
broken rule is named. What depends on the date is not: the clock of this machine may be
wrong, and the hub looks at it again in any case.
"""

import functools
import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.timestamp_pb2 import Timestamp

from node_agent.words import BrokenRule, Refused
from peyvand.api.v1 import annotations_pb2 as annotations
from peyvand.centers.v1 import reports_pb2
from peyvand.node.v1 import protocol_pb2 as pb

MAX_BODY = 64 * 1024  # bytes
_MAX_VIOLATIONS = 100
_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
# Ten digits that are no part of a longer number, in one piece or in groups of three, six
# and one, as the hub looks for them; `\d` has Persian and Arabic digits too.
_BETWEEN = "[-\u2010-\u2015\u2212._/ \u00a0\u200c\u200e\u200f]?"
_TEN_DIGITS = re.compile(rf"(?<!\d)(\d{{3}}){_BETWEEN}(\d{{6}}){_BETWEEN}(\d)(?!\d)")
_FAILED = object()

Found = list[BrokenRule]
Read = Callable[[Any, str, Found], Any]


def capacity(value: Any, own_center: str) -> pb.Report:
    """Read a capacity snapshot. Raises `Refused`."""
    report, found = pb.Report(), Found()
    snapshot = report.capacity
    _read_object(snapshot, value, "", found)
    _check_center(snapshot, own_center, found)
    seen: set[int] = set()
    for index, item in enumerate(snapshot.items):
        place = f"items[{index}]"
        if item.kind in seen:
            kind = enum_names(reports_pb2.CapabilityKind.DESCRIPTOR)[item.kind]
            found.append(BrokenRule(f"{place}.kind", "CAPABILITY_REPEATED", {"kind": kind}))
        if item.kind:
            seen.add(item.kind)
        if item.used > item.total:
            amounts = {"used": f"{item.used:g}", "total": f"{item.total:g}"}
            found.append(BrokenRule(f"{place}.used", "USED_OVER_TOTAL", amounts))
    return _accepted(report, found)


def period(value: Any, own_center: str, *, submit: bool) -> pb.Report:
    """Read a period report. Raises `Refused`."""
    report, found = pb.Report(), Found()
    delivery = report.period_report
    delivery.submit = submit
    written = delivery.period_report
    _read_object(written, value, "", found)
    _check_center(written, own_center, found)
    if not found and not written.figures.ListFields():
        found.append(BrokenRule("figures", "FIGURES_MISSING"))
    return _accepted(report, found)


def _accepted(report: pb.Report, found: Found) -> pb.Report:
    if found:
        raise Refused("INVALID_ARGUMENT", broken=tuple(found[:_MAX_VIOLATIONS]))
    return report


def _check_center(message: Any, own_center: str, found: Found) -> None:
    # The hub goes by the node that has sent it; to take another center's figures silently
    # for the node's own would be the worst answer.
    if message.center_id not in ("", own_center):
        found.append(BrokenRule("center_id", "FOREIGN_CENTER", {"own": own_center}))
    message.center_id = ""


def parse(body: bytes) -> Any:
    """Read JSON strictly: UTF-8, no key twice, no NaN, not too deep. Raises `Refused`."""
    if len(body) > MAX_BODY:
        raise Refused("BODY_TOO_LARGE", {"limit": str(MAX_BODY)})
    try:
        return json.loads(
            body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        detail = str(error)[:200] or "nested too deeply"
        raise Refused("MALFORMED_BODY", {"detail": detail}) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands in an object twice")
    return members


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


# Reading by the descriptor


@functools.cache
def enum_names(enum: EnumDescriptor) -> dict[int, str]:
    """Names of an enum's values as JSON spells them: lower case without prefix."""
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return {value.number: value.name.removeprefix(prefix).lower() for value in enum.values}


def rules_of(field: FieldDescriptor) -> annotations.FieldRules:
    """Rules of a field's value."""
    options: Any = field.GetOptions()
    return options.Extensions[annotations.rules]


def _behaviors(field: FieldDescriptor) -> frozenset[int]:
    options: Any = field.GetOptions()
    return frozenset(options.Extensions[field_behavior_pb2.field_behavior])


def is_given(field: FieldDescriptor) -> bool:
    """Whether a caller gives this field, and the hub does not fill it."""
    return field_behavior_pb2.OUTPUT_ONLY not in _behaviors(field)


def is_required(field: FieldDescriptor) -> bool:
    """Whether a caller must give it; the center is the node's own and can be left out."""
    return field_behavior_pb2.REQUIRED in _behaviors(field) and field.name != "center_id"


def _read_object(into: Any, value: Any, path: str, found: Found) -> None:
    descriptor = cast("Descriptor", into.DESCRIPTOR)
    if not isinstance(value, dict):
        found.append(BrokenRule(path, "WRONG_TYPE", {"expected": "an object"}))
        return
    members = cast("dict[str, Any]", value)
    prefix = f"{path}." if path else ""
    for name, item in members.items():
        if len(found) >= _MAX_VIOLATIONS:
            return
        field = descriptor.fields_by_name.get(name)
        if field is None:
            found.append(BrokenRule(prefix + name[:100], "UNKNOWN_FIELD"))
        elif not is_given(field):
            found.append(BrokenRule(prefix + name, "IMMUTABLE"))
        elif item is not None:
            _read_field(into, field, item, prefix + name, found)
    found.extend(
        BrokenRule(prefix + field.name, "REQUIRED")
        for field in descriptor.fields
        if is_given(field) and is_required(field) and members.get(field.name) is None
    )


def _read_field(into: Any, field: FieldDescriptor, value: Any, path: str, found: Found) -> None:
    if field.is_repeated:
        _read_list(into, field, value, path, found)
    elif field.message_type is not None and field.message_type.name != "Timestamp":
        nested = getattr(into, field.name)
        nested.SetInParent()
        _read_object(nested, value, path, found)
    else:
        result = _reader(field)(value, path, found)
        if result is _FAILED:
            return
        if isinstance(result, Timestamp):
            getattr(into, field.name).CopyFrom(result)
        else:
            setattr(into, field.name, result)


def _read_list(into: Any, field: FieldDescriptor, value: Any, path: str, found: Found) -> None:
    rules = rules_of(field)
    if not isinstance(value, list):
        found.append(BrokenRule(path, "WRONG_TYPE", {"expected": "a list"}))
        return
    items = cast("list[Any]", value)
    if len(items) < rules.min_items:
        found.append(BrokenRule(path, "TOO_FEW_ITEMS", {"min": str(rules.min_items)}))
    if len(items) > rules.max_items:
        found.append(BrokenRule(path, "TOO_MANY_ITEMS", {"max": str(rules.max_items)}))
        return
    target = getattr(into, field.name)
    for index, item in enumerate(items):
        _read_object(target.add(), item, f"{path}[{index}]", found)


@functools.cache
def _reader(field: FieldDescriptor) -> Read:
    if field.message_type is not None:
        return _time
    kinds: dict[int, Callable[[FieldDescriptor], Read]] = {
        FieldDescriptor.TYPE_STRING: _text,
        FieldDescriptor.TYPE_ENUM: _enum,
        FieldDescriptor.TYPE_BOOL: _boolean,
        FieldDescriptor.TYPE_INT32: _integer,
        FieldDescriptor.TYPE_DOUBLE: _number,
    }
    return kinds[field.type](field)


def _broken(found: Found, path: str, rule: str, **params: str) -> Any:
    found.append(BrokenRule(path, rule, params))
    return _FAILED


def _form_of(rules: annotations.FieldRules) -> str:
    """How a text has to look, as the hub says it too."""
    return f"{rules.example} ({rules.pattern})" if rules.example else rules.pattern


def _text(field: FieldDescriptor) -> Read:
    rules = rules_of(field)
    # `$` of the contract is the end of the text; in Python it is also before a line break.
    form = re.compile(rules.pattern.replace("$", r"\Z")) if rules.pattern else None

    def read(value: Any, path: str, found: Found) -> Any:
        if not isinstance(value, str):
            return _broken(found, path, "WRONG_TYPE", expected="a text")
        if rules.max_len and len(value) > rules.max_len:
            return _broken(found, path, "TOO_LONG", max=str(rules.max_len))
        if len(value) < rules.min_len:
            return _broken(found, path, "TOO_SHORT", min=str(rules.min_len))
        if form and not form.search(value):
            return _broken(found, path, "WRONG_FORMAT", expected=_form_of(rules))
        if holds_national_id(value):
            return _broken(found, path, "PERSONAL_DATA")
        return value

    return read


def holds_national_id(text: str) -> bool:
    """Tell whether a text holds ten digits with the check digit of a national id."""
    return any(_is_national_id("".join(groups)) for groups in _TEN_DIGITS.findall(text))


def _is_national_id(digits: str) -> bool:
    numbers = [int(digit) for digit in digits]
    if len(set(numbers)) == 1:
        return False
    rest = sum(n * weight for n, weight in zip(numbers, range(10, 1, -1), strict=False)) % 11
    return numbers[-1] == (rest if rest < 2 else 11 - rest)


def _enum(field: FieldDescriptor) -> Read:
    enum = field.enum_type
    assert enum is not None
    numbers = {name: number for number, name in enum_names(enum).items() if number}
    allowed = ", ".join(numbers)

    def read(value: Any, path: str, found: Found) -> Any:
        if not isinstance(value, str) or value not in numbers:
            return _broken(found, path, "UNKNOWN_VALUE", allowed=allowed)
        return numbers[value]

    return read


def _boolean(field: FieldDescriptor) -> Read:
    del field

    def read(value: Any, path: str, found: Found) -> Any:
        if not isinstance(value, bool):
            return _broken(found, path, "WRONG_TYPE", expected="true or false")
        return value

    return read


def _number(field: FieldDescriptor) -> Read:
    least, most = bounds(field)

    def read(value: Any, path: str, found: Found) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return _broken(found, path, "WRONG_TYPE", expected="a number")
        if not least <= value <= most:
            return _broken(found, path, "OUT_OF_RANGE", expected=f"{least:g} … {most:.0f}")
        return float(value)

    return read


def _integer(field: FieldDescriptor) -> Read:
    least, most = bounds(field)

    def read(value: Any, path: str, found: Found) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return _broken(found, path, "WRONG_TYPE", expected="a whole number")
        if not math.isfinite(value) or int(value) != value:
            return _broken(found, path, "WRONG_TYPE", expected="a whole number")
        if not least <= value <= most:
            return _broken(found, path, "OUT_OF_RANGE", expected=f"{least:g} … {most:.0f}")
        return int(value)

    return read


def bounds(field: FieldDescriptor) -> tuple[float, float]:
    """Least and greatest value of a number."""
    rules = rules_of(field)
    whole = field.type == FieldDescriptor.TYPE_INT32
    least, most = (-(2.0**31), 2.0**31 - 1) if whole else (-1.7e308, 1.7e308)
    return (
        rules.minimum if rules.HasField("minimum") else least,
        rules.maximum if rules.HasField("maximum") else most,
    )


def _time(value: Any, path: str, found: Found) -> Any:
    expected = "an RFC 3339 time"
    if not isinstance(value, str):
        return _broken(found, path, "WRONG_TYPE", expected=expected)
    if not _TIME.fullmatch(value):
        return _broken(found, path, "WRONG_FORMAT", expected=expected)
    moment = Timestamp()
    try:
        moment.FromDatetime(datetime.fromisoformat(value.upper()).astimezone(UTC))
    except (ValueError, OverflowError):
        return _broken(found, path, "NO_SUCH_DATE")
    return moment


# Writing


def to_plain(message: Any) -> dict[str, Any]:
    """Give a message as JSON objects, as the public API spells them; unknown is `null`."""
    fields = cast("Descriptor", message.DESCRIPTOR).fields
    return {field.name: _plain_field(message, field) for field in fields}


def _plain_field(message: Any, field: FieldDescriptor) -> Any:
    value = getattr(message, field.name)
    if field.is_repeated:
        return [_plain_value(field, item) for item in value]
    if field.has_presence and not message.HasField(field.name):
        return None
    return _plain_value(field, value)


def _plain_value(field: FieldDescriptor, value: Any) -> Any:
    if isinstance(value, Timestamp):
        return plain_time(value.ToDatetime(tzinfo=UTC))
    if field.message_type is not None:
        return to_plain(value)
    if field.enum_type is not None:
        return {**enum_names(field.enum_type), 0: None}.get(value)
    if field.type == FieldDescriptor.TYPE_INT64:
        return str(value)
    return None if field.type == FieldDescriptor.TYPE_STRING and not value else value


def plain_time(moment: datetime) -> str:
    """Give a point in time as RFC 3339 in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
