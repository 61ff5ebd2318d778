"""What the OpenAPI document of the local API says, from the contract itself."""

import functools
import math
from importlib import resources
from typing import Any, cast

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from node_agent import forms
from peyvand.centers.v1 import reports_pb2

_FORMS = {
    "capacity": cast("Descriptor", reports_pb2.CapacitySnapshot.DESCRIPTOR),
    "period": cast("Descriptor", reports_pb2.PeriodReport.DESCRIPTOR),
}
_TEXT = {"type": "string"}
_TIME = {"type": "string", "format": "date-time"}
_INT64 = {"type": "string", "pattern": "^[0-9]+$"}

_SUMMARIES = {
    "capacity": "Takes a capacity snapshot. Answered 202 once it is safe on the disk.",
    "period": "Takes the report of a month. Answered 202 once it is safe on the disk.",
    "report": "Tells what became of a report.",
    "receipts": "Gives the hub's receipts in the order in which they came.",
    "receipts_seen": "Notes that somebody has seen the refusals up to a receipt's position.",
    "status": "Tells how the node and its line are.",
    "livez": "Answers while the agent runs.",
    "readyz": "Answers 200 while the agent can keep reports, whether the hub is there or not.",
    "service_info": "Says what this is: GA4GH service-info 1.0.0.",
}


def describe() -> str:
    """Text at the head of the document."""
    return (
        "The interface of a center's node to the center's own systems, on this machine"
        " alone. Reports are spelled as in the public API of the hub. A report that was"
        " answered with 202 is kept until the hub has it in its database; what became of"
        " it is told by receipts. Send an `Idempotency-Key` with each report: the same key"
        " and report act once."
    )


def operation(name: str) -> dict[str, Any]:
    """Options of one route."""
    extra: dict[str, Any] = {"operationId": name, "summary": _SUMMARIES[name]}
    status = 200
    if name in _FORMS:
        status = 202
        extra["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema(_FORMS[name])}},
        }
        extra["parameters"] = [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": True,
                "description": "Unique text of the caller's choice.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            }
        ]
        if name == "period":
            extra["parameters"].append(_query("submit", "Submit it too.", {"type": "boolean"}))
    if name == "receipts":
        extra["parameters"] = [
            _query("after", "`next_after` of the answer before.", {"type": "integer"}),
            _query("limit", "How many at most.", {"type": "integer", "minimum": 1, "maximum": 500}),
            _query("refused", "Only those that refuse a report.", {"type": "boolean"}),
        ]
    if name == "receipts_seen":
        text = "`position` of the last receipt that was seen."
        up_to = _query("up_to", text, {"type": "integer", "minimum": 0})
        extra["parameters"] = [up_to | {"required": True}]
    problem = {"description": "What is wrong: RFC 9457", "content": {_PROBLEM: {"schema": _FORM}}}
    extra["responses"] = {
        str(status): {
            "description": "The answer",
            "content": {"application/json": {"schema": _ANSWERS[name]}},
        },
        "default": problem,
    }
    return {
        "openapi_extra": extra,
        "status_code": status,
        "response_model": None,
        "operation_id": name,
    }


def _query(name: str, text: str, kind: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": text, "schema": kind}


def schema(message: Descriptor) -> dict[str, Any]:
    """JSON Schema of what a caller gives for a message."""
    given = [field for field in message.fields if forms.is_given(field)]
    return {
        "type": "object",
        "description": _comments().get(message.full_name, ""),
        "additionalProperties": False,
        "required": [field.name for field in given if forms.is_required(field)],
        "properties": {field.name: _field(field) for field in given},
    }


def _field(field: FieldDescriptor) -> dict[str, Any]:
    rules = forms.rules_of(field)
    found = _value(field)
    if field.is_repeated:
        found = {
            "type": "array",
            "items": found,
            "minItems": rules.min_items,
            "maxItems": rules.max_items,
        }
    return {**found, "description": _comments().get(field.full_name, "")}


def _value(field: FieldDescriptor) -> dict[str, Any]:
    rules = forms.rules_of(field)
    if field.message_type is not None:
        is_time = field.message_type.name == "Timestamp"
        return dict(_TIME) if is_time else schema(field.message_type)
    if field.enum_type is not None:
        return {"enum": [n for v, n in forms.enum_names(field.enum_type).items() if v]}
    if field.type == FieldDescriptor.TYPE_BOOL:
        return {"type": "boolean"}
    if field.type == FieldDescriptor.TYPE_STRING:
        found: dict[str, Any] = {"type": "string"}
        found |= {"minLength": rules.min_len} if rules.min_len else {}
        found |= {"maxLength": rules.max_len} if rules.max_len else {}
        return found | ({"pattern": rules.pattern} if rules.pattern else {})
    least, most = forms.bounds(field)
    whole = field.type == FieldDescriptor.TYPE_INT32
    bounds = {"minimum": least, "maximum": most}
    known = {name: int(value) if whole else value for name, value in bounds.items()}
    finite = {name: value for name, value in known.items() if math.fabs(value) < 1e300}
    return {"type": "integer" if whole else "number", **finite}


@functools.cache
def _comments() -> dict[str, str]:
    data = resources.files("peyvand").joinpath("descriptors.binpb").read_bytes()
    found: dict[str, str] = {}
    for file in descriptor_pb2.FileDescriptorSet.FromString(data).file:
        if file.package != "peyvand.centers.v1":
            continue
        for location in file.source_code_info.location:
            match list(location.path):
                case [4, message]:
                    name = file.message_type[message].name
                case [4, message, 2, field]:
                    of = file.message_type[message]
                    name = f"{of.name}.{of.field[field].name}"
                case _:
                    continue
            found[f"{file.package}.{name}"] = " ".join(location.leading_comments.split())
    return found


def _form(**members: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": members}


_PROBLEM = "application/problem+json"
_BROKEN = _form(pointer=_TEXT, field=_TEXT, parameter=_TEXT, rule=_TEXT, detail=_TEXT)
_FORM = _form(
    type=_TEXT,
    title=_TEXT,
    status={"type": "integer"},
    detail=_TEXT,
    reason=_TEXT,
    errors={"type": "array", "items": _BROKEN},
)
_RECEIPT = _form(
    key=_TEXT,
    report_number=_INT64,
    accepted={"type": "boolean"},
    id=_TEXT,
    refusals={
        "type": "array",
        "items": _form(field=_TEXT, pointer=_TEXT, rule=_TEXT, en=_TEXT, fa=_TEXT),
    },
    decided_at=_TIME,
    decision=_TEXT,
    comment=_TEXT,
)
_ACCEPTED = _form(key=_TEXT, number=_INT64, state=_TEXT, hub=_TEXT)
_ANSWERS: dict[str, dict[str, Any]] = {
    "capacity": _ACCEPTED,
    "period": _ACCEPTED,
    "report": _form(
        key=_TEXT,
        number=_INT64,
        feed={"enum": ["capacity", "report"]},
        taken_at=_TIME,
        state={"enum": ["queued", "delivered", "accepted", "refused", "approved", "returned"]},
        submit={"type": ["boolean", "null"]},
        report={"type": "object"},
        receipts={"type": "array", "items": _RECEIPT},
    ),
    "receipts": _form(receipts={"type": "array", "items": _RECEIPT}, next_after=_INT64),
    "receipts_seen": _form(unseen_refusals={"type": "integer"}),
    "status": {"type": "object"},
    "livez": _form(status=_TEXT),
    "readyz": _form(status=_TEXT),
    "service_info": {"type": "object"},
}
