"""What the published schema says of a body is what the gateway does with it.

For every field of every body, a row of values good and bad is tried on a body that
is sound otherwise: the schema's verdict and the reader's have to be the same.
"""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from gateway.codec import Reader, to_json
from gateway.openapi import document
from gateway.operations import Operation, operations
from gateway.settings import GatewaySettings
from gateway.shapes import FieldShape, Kind, Variant, fields, is_given_by_caller
from servicekit.contract import contract
from tests.support.gateway import sample

PROBES: list[Any] = [
    *(None, True, False, 0, 1, -1, 1.0, 1.5, 2**31, -(2**31) - 1, 10**30, 1e308),
    *("", "x", "X", "1", "-1", "01", "9" * 25, "a\n", " ", "\t", "é", "تبریز", "\x00", "a\x00b"),
    *("x" * 10_001, "2025-04-25", "2025-04-25T08:30:00Z", "2025-04-25t08:30:00.5+03:30"),
    *("2025-04-25 08:30", "operational", "UNSPECIFIED", "unspecified"),
    *([], [None], ["x"], [1], [{}], ["x"] * 1001, {}, {"x": 1}, {"x": None}, {"fa": "ب"}),
]
BODIES = [operation for operation in operations(contract()) if operation.takes_body]


@pytest.fixture(scope="session")
def components() -> dict[str, Any]:
    return document(operations(contract()), [], GatewaySettings())["components"]


def body_schema(operation: Operation) -> str:
    if operation.body_field is None:
        return operation.rpc.descriptor.input_type.name
    suffix = "Patch" if operation.variant is Variant.CHANGE else "Input"
    return operation.body_field.message.name + suffix


def reader(operation: Operation) -> tuple[Reader, Any]:
    if operation.body_field is None:
        request = operation.rpc.descriptor.input_type
        return Reader(request, operation.variant, operation.outside_body), request
    return Reader(operation.body_field.message, operation.variant), operation.body_field.message


def type_of_body(operation: Operation) -> Any:
    if operation.body_field is None:
        return operation.rpc.request_class
    return type(getattr(operation.rpc.request_class(), operation.body_field.name))


def sound(shapes: tuple[FieldShape, ...], values: dict[str, Any]) -> dict[str, Any]:
    """Of an answer, what a request could carry."""
    kept: dict[str, Any] = {}
    for shape in shapes:
        value = values[shape.name]
        if value is None or not is_given_by_caller(shape, Variant.NEW):
            continue
        if shape.kind is Kind.MESSAGE:
            inner = fields(shape.message)
            value = [sound(inner, v) for v in value] if shape.repeated else sound(inner, value)
        kept[shape.name] = value
    return kept


def spoiled(
    shapes: tuple[FieldShape, ...], body: dict[str, Any], depth: int = 2
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The body with one value replaced, at any depth, or one key left out or added."""
    yield "unknown key", {**body, "x-unknown": 1}
    for shape in shapes:
        name = shape.name
        yield f"without {name}", {key: value for key, value in body.items() if key != name}
        for probe in PROBES:
            yield f"{name}={str(probe)[:40]!r}", {**body, name: probe}
            if shape.repeated:
                yield f"{name}=[{str(probe)[:40]!r}]", {**body, name: [probe]}
        if shape.kind is Kind.MESSAGE and depth:
            value = body.get(name)
            first = value[0] if shape.repeated and value else value
            for what, inner in spoiled(fields(shape.message), first or {}, depth - 1):
                yield f"{name}.{what}", {**body, name: [inner] if shape.repeated else inner}


@pytest.mark.parametrize("operation", BODIES, ids=lambda operation: operation.operation_id)
def test_schema_and_reader_agree(operation: Operation, components: dict[str, Any]) -> None:
    read, message = reader(operation)
    shapes = operation.body_members if operation.body_is_request else fields(message)
    schema = {
        "$ref": f"#/components/schemas/{body_schema(operation)}",
        "components": {"schemas": components["schemas"]},
    }
    validator = jsonschema_rs.Draft202012Validator(schema)
    body_class = type_of_body(operation)
    body = sound(shapes, json.loads(to_json(sample(body_class))))
    if operation.variant is Variant.CHANGE:
        body = {key: body[key] for key in list(body)[:1]}
    assert validator.is_valid(body) or operation.variant is Variant.CHANGE, body
    tried = 0
    for what, candidate in spoiled(shapes, body):
        found: list[Any] = []
        read.read(candidate, body_class(), "", found)
        if operation.variant is Variant.CHANGE and not candidate:
            continue  # the endpoint itself asks for at least one key
        assert validator.is_valid(candidate) is (not found), (what, found)
        tried += 1
    assert tried > len(PROBES) * len(body)
