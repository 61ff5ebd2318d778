"""JSON Schemas (2020-12) of messages and fields, as OpenAPI 3.1 publishes them."""

import math
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor

from gateway.shapes import (
    ANY_TEXT,
    INT64_PATTERN,
    MAX_TEXT,
    TIMESTAMP_PATTERN,
    FieldShape,
    Kind,
    Variant,
    fields,
    fields_by_name,
    is_given_by_caller,
)
from servicekit.contract import contract, enum_names, value_label

Schema = dict[str, Any]

_SUFFIXES = {Variant.OUT: "", Variant.NEW: "Input", Variant.CHANGE: "Patch"}


class Schemas:
    """The components that the document's operations refer to, collected as they do."""

    def __init__(self) -> None:
        self.components: dict[str, Schema] = {}
        self._owners: dict[str, str] = {}

    def message(self, message: Descriptor, variant: Variant) -> Schema:
        """Give a reference to the schema of a message, which is added if it is new."""
        name = f"{message.name}{_SUFFIXES[variant]}"
        return self.selection(name, message, variant, fields(message))

    def selection(
        self, name: str, message: Descriptor, variant: Variant, shapes: tuple[FieldShape, ...]
    ) -> Schema:
        """Give a reference to the schema of some fields of a message, under a name of its own."""
        if self._add(name, message.full_name):
            known = [s for s in shapes if variant is Variant.OUT or is_given_by_caller(s, variant)]
            schema: Schema = {"type": "object"}
            if comment := contract().comment(message.full_name):
                schema["description"] = comment
            # Registered before its fields are looked at: a message may contain its own kind.
            self.components[name] = schema
            schema["properties"] = {shape.name: self.field(shape, variant) for shape in known}
            schema["additionalProperties"] = False
            if variant is Variant.OUT:
                schema["required"] = [shape.name for shape in known]
            elif variant is Variant.CHANGE:
                schema["minProperties"] = 1
            elif required := [shape.name for shape in known if shape.required]:
                schema["required"] = required
        return {"$ref": f"#/components/schemas/{name}"}

    def enum(self, enum: EnumDescriptor) -> Schema:
        """Give a reference to the schema of an enum, which is added if it is new."""
        if self._add(enum.name, enum.full_name):
            lines = [contract().comment(enum.full_name), ""]
            labels: Schema = {}
            names = {number: name for number, name in enum_names(enum).items() if number}
            for value in enum.values:
                if value.number in names:
                    name = names[value.number]
                    lines.append(f"- `{name}`: {contract().comment(_value_name(enum, value.name))}")
                    label = value_label(value)
                    labels[name] = {"en": label.en or name, "fa": label.fa or name}
            self.components[enum.name] = {
                "type": "string",
                "enum": list(names.values()),
                "description": "\n".join(lines).strip(),
                "x-labels": labels,
            }
        return {"$ref": f"#/components/schemas/{enum.name}"}

    def field(self, shape: FieldShape, variant: Variant) -> Schema:
        """Schema of a field, with its prose."""
        schema = self._container(shape, variant)
        if shape.accepts_null(variant):
            schema = _or_null(schema)
        if shape.comment:
            schema["description"] = shape.comment
        return schema

    def parameter(self, shape: FieldShape) -> Schema:
        """Schema of a field as a path or query parameter."""
        return self._container(shape, Variant.NEW)

    def _container(self, shape: FieldShape, variant: Variant) -> Schema:
        if shape.kind is Kind.MAP:
            entry = fields_by_name(shape.message)
            return {
                "type": "object",
                "additionalProperties": self._value(entry["value"], variant),
                "maxProperties": shape.max_items,
            }
        value = self._value(shape, variant)
        if not shape.repeated:
            return value
        example = value.pop("examples", None)
        schema: Schema = {"type": "array", "items": value, "maxItems": shape.max_items}
        if shape.rules.min_items and variant is not Variant.OUT:
            schema["minItems"] = shape.rules.min_items
        if example:
            schema["examples"] = [example]
        return schema

    def _value(self, shape: FieldShape, variant: Variant) -> Schema:
        if shape.kind is Kind.MESSAGE:
            return self.message(
                shape.message, Variant.OUT if variant is Variant.OUT else Variant.NEW
            )
        if shape.kind is Kind.ENUM:
            assert shape.descriptor.enum_type is not None
            return self.enum(shape.descriptor.enum_type)
        if shape.kind is Kind.TEXT:
            return _text(shape)
        if shape.kind is Kind.INTEGER:
            return _integer(shape)
        if shape.kind is Kind.NUMBER:
            return _number(shape)
        return dict(_FIXED[shape.kind])

    def _add(self, name: str, full_name: str) -> bool:
        owner = self._owners.setdefault(name, full_name)
        if owner != full_name:
            raise ValueError(f"{owner} and {full_name} would share the schema {name}")
        return name not in self.components


_FIXED: dict[Kind, Schema] = {
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.INT64: {
        "type": "string",
        "format": "int64",
        "pattern": INT64_PATTERN,
        "maxLength": 20,
        "examples": ["1"],
    },
    Kind.TIMESTAMP: {
        "type": "string",
        "format": "date-time",
        "pattern": TIMESTAMP_PATTERN,
        "maxLength": 40,
        "examples": ["2025-04-25T08:30:00Z"],
    },
    Kind.OBJECT: {"type": "object", "maxProperties": 1000, "additionalProperties": True},
}


def _text(shape: FieldShape) -> Schema:
    schema: Schema = {"type": "string", "maxLength": shape.max_length, "pattern": shape.pattern}
    if shape.rules.id_prefix:
        schema["maxLength"] = len(shape.rules.id_prefix) + 27
        schema["examples"] = [f"{shape.rules.id_prefix}_01k8zj3n5vexs8p2q4r6t7w9yb"]
        return schema
    if shape.min_length:
        schema["minLength"] = shape.min_length
    if shape.rules.format:
        schema["format"] = shape.rules.format
    if shape.rules.example:
        schema["examples"] = [shape.rules.example]
    return schema


def _integer(shape: FieldShape) -> Schema:
    least, greatest = shape.integer_range
    schema: Schema = {
        "type": "integer",
        "format": "int32" if greatest < 2**31 else "int64",
        "minimum": least,
        "maximum": greatest,
    }
    if shape.rules.example:
        schema["examples"] = [int(shape.rules.example)]
    return schema


def _number(shape: FieldShape) -> Schema:
    least, greatest = shape.number_range
    schema: Schema = {"type": "number", "format": "double"}
    if math.isfinite(least):
        schema["minimum"] = least
    if math.isfinite(greatest):
        schema["maximum"] = greatest
    if shape.rules.example:
        schema["examples"] = [float(shape.rules.example)]
    return schema


def _or_null(schema: Schema) -> Schema:
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return schema | {"type": [schema["type"], "null"]}


def _value_name(enum: EnumDescriptor, value: str) -> str:
    return f"{enum.full_name}.{value}"


def text(description: str, *, pattern: str = ANY_TEXT, max_length: int = MAX_TEXT) -> Schema:
    """Schema of a text that no contract describes."""
    return {
        "type": "string",
        "maxLength": max_length,
        "pattern": pattern,
        "description": description,
    }
