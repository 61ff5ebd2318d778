"""What a contract promises beyond what buf compares.

buf knows fields, types and numbers. It does not know that an address moved, that
a field became required or is not taken any more, that a text may be shorter than it
was or must look otherwise, that a role may not call any more, that an event is not sent
any more, or that a reason comes with another HTTP status. All of these stand in options,
and each breaks a caller.
"""

from collections.abc import Iterator
from typing import Any

from google.api import annotations_pb2 as http_annotations
from google.api import field_behavior_pb2, http_pb2
from google.protobuf import descriptor_pb2

from peyvand.api.v1 import annotations_pb2 as annotations

Files = descriptor_pb2.FileDescriptorSet
Message = descriptor_pb2.DescriptorProto
Field = descriptor_pb2.FieldDescriptorProto
Method = descriptor_pb2.MethodDescriptorProto
Behavior = field_behavior_pb2.FieldBehavior
Value = descriptor_pb2.EnumValueDescriptorProto


def broken_promises(base: Files, present: Files) -> list[str]:
    """Name each promise of ``base`` that ``present`` does not keep, one a line.

    What is gone altogether is left to buf.
    """
    found: list[str] = []
    methods, messages = _methods(present), _messages(present)
    for name, old in _methods(base).items():
        if name in methods:
            found += [f"{name}: {what}" for what in _method_breaks(old, methods[name])]
    for name, old in _messages(base).items():
        if name in messages:
            found += [f"{name}{what}" for what in _message_breaks(old, messages[name])]
    statuses = _statuses(present)
    for reason, status in _statuses(base).items():
        if statuses.get(reason, status) != status:
            found.append(f"{reason}: comes with status {statuses[reason]}, was {status}")
    return found


def _method_breaks(old: Method, new: Method) -> Iterator[str]:
    gone = _addresses(old) - _addresses(new)
    for address in sorted(gone):
        yield f"is not at {address} any more"
    for grant in sorted(_grants(old) - _grants(new)):
        role, scope = grant
        # A grant over all covers one over what is the caller's own.
        if (role, annotations.SCOPE_ANY) not in _grants(new):
            name = annotations.Role.Name(role)
            yield f"{name} may not call it any more ({annotations.Scope.Name(scope)})"


def _message_breaks(old: Message, new: Message) -> Iterator[str]:
    known = {field.name: field for field in old.field}
    for field in new.field:
        before = known.get(field.name)
        required = field_behavior_pb2.REQUIRED in _behavior(field)
        if required and (before is None or field_behavior_pb2.REQUIRED not in _behavior(before)):
            yield f".{field.name}: is required now"
        if before is None:
            continue
        if what := _taken_less(_behavior(before), _behavior(field)):
            yield f".{field.name}: {what}"
        if _header(before) != _header(field):
            yield f".{field.name}: moved from {_place(before)} to {_place(field)}"
        for what in _narrowed(_rules(before), _rules(field)):
            yield f".{field.name}: {what}"
    old_events = set(_option(old, annotations.event).names)
    new_events = set(_option(new, annotations.event).names)
    for name in sorted(old_events - new_events):
        yield f": the event {name} is not sent any more"


def _narrowed(old: annotations.FieldRules, new: annotations.FieldRules) -> Iterator[str]:
    """Bounds that take less than before. Zero means no bound, as in the contract."""
    for name in ("max_len", "max_items"):
        before, now = getattr(old, name), getattr(new, name)
        if now and (not before or now < before):
            yield f"{name} is {now}, was {before or 'not limited'}"
    for name in ("min_len", "min_items"):
        before, now = getattr(old, name), getattr(new, name)
        if now > before:
            yield f"{name} is {now}, was {before}"
    if new.HasField("maximum") and (not old.HasField("maximum") or new.maximum < old.maximum):
        yield f"maximum is {new.maximum:g}, was larger"
    if new.HasField("minimum") and (not old.HasField("minimum") or new.minimum > old.minimum):
        yield f"minimum is {new.minimum:g}, was smaller"
    # Which of two patterns takes more cannot be told, unless only alternatives were added.
    if new.pattern and not ({*old.pattern.split("|")} <= {*new.pattern.split("|")}):
        yield f"must match {new.pattern} now, was {old.pattern or 'free'}"
    if new.id_prefix != old.id_prefix:
        yield f"takes ids of {new.id_prefix or 'any kind'}, took {old.id_prefix or 'any kind'}"


def _taken_less(old: list[Behavior], new: list[Behavior]) -> str:
    """What a caller could set before and cannot now; a fixed field is still taken once."""
    if field_behavior_pb2.OUTPUT_ONLY in {*new} - {*old}:
        return "is not taken from callers any more"
    if field_behavior_pb2.IMMUTABLE in new and not {*old} & _FIXED:
        return "cannot be changed any more"
    return ""


_FIXED = {field_behavior_pb2.OUTPUT_ONLY, field_behavior_pb2.IMMUTABLE}


def _addresses(method: Method) -> set[str]:
    rule = _option(method, http_annotations.http)
    return {
        f"{_verb(binding)} body={binding.body or 'none'}"
        for binding in (rule, *rule.additional_bindings)
        if binding.WhichOneof("pattern")
    }


def _verb(rule: http_pb2.HttpRule) -> str:
    kind = rule.WhichOneof("pattern") or ""
    if kind == "custom":
        return f"{rule.custom.kind} {rule.custom.path}"
    return f"{kind.upper()} {getattr(rule, kind)}"


def _grants(method: Method) -> set[tuple[annotations.Role, annotations.Scope]]:
    return {
        (role, grant.scope or annotations.SCOPE_ANY)
        for grant in _option(method, annotations.policy).grants
        for role in grant.roles
    }


def _option(owner: Message | Field | Method | Value, extension: Any) -> Any:
    """The value of an option. Generated stubs do not say which type it has."""
    options: Any = owner.options
    return options.Extensions[extension]


def _behavior(field: Field) -> list[Behavior]:
    return list(_option(field, field_behavior_pb2.field_behavior))


def _header(field: Field) -> str:
    return _option(field, annotations.header)


def _place(field: Field) -> str:
    header = _header(field)
    return f"the header {header}" if header else "the body"


def _rules(field: Field) -> annotations.FieldRules:
    return _option(field, annotations.rules)


def _methods(files: Files) -> dict[str, Method]:
    return {
        f"{file.package}.{service.name}.{method.name}": method
        for file in files.file
        for service in file.service
        for method in service.method
    }


def _statuses(files: Files) -> dict[str, int]:
    """HTTP status of each reason."""
    return {
        value.name: spec.http_status
        for file in files.file
        for enum in file.enum_type
        for value in enum.value
        if (spec := _option(value, annotations.error)).http_status
    }


def _messages(files: Files) -> dict[str, Message]:
    return {
        f"{file.package}.{message.name}": message
        for file in files.file
        if file.package.startswith("peyvand.")
        for message in file.message_type
    }
