"""What a field of the contract looks like in JSON.

The published schema and the reader of requests both go by these facts, so that
the two cannot disagree.
"""

import enum
import functools
from dataclasses import dataclass

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from peyvand.api.v1.annotations_pb2 import FieldRules
from servicekit.contract import contract, field_header, field_rules, resource_spec
from servicekit.ids import id_pattern
from servicekit.validation import behaviors, form_of

# Bounds of what the contract leaves open, so that nothing is unbounded.
MAX_TEXT = 10_000
MAX_ITEMS = 1_000
ANY_TEXT = r"^[^\x00]*$"
TIMESTAMP_PATTERN = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})$"
)
INT64_PATTERN = "^(0|-?[1-9][0-9]{0,18})$"

# What a resource always has once it is recorded (AIP-122, AIP-148, AIP-154, AIP-216).
_ALWAYS_SET = frozenset({"id", "etag", "state", "created_at", "updated_at"})


class Variant(enum.Enum):
    """Which way a message goes over the edge, and what for."""

    OUT = "out"
    NEW = "new"  # a whole value in a request
    CHANGE = "change"  # the body of a PATCH: any selection of keys


class Kind(enum.Enum):
    """JSON form of a field's value."""

    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    INT64 = "int64"  # a decimal text, because a JSON number is exact to 53 bits only
    NUMBER = "number"
    ENUM = "enum"
    TIMESTAMP = "timestamp"
    OBJECT = "object"  # free form: google.protobuf.Struct
    MESSAGE = "message"
    MAP = "map"


_INTEGER_RANGES = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SINT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SFIXED32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SINT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SFIXED64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED64: (0, 2**64 - 1),
}
_SCALARS = {
    FieldDescriptor.TYPE_STRING: Kind.TEXT,
    FieldDescriptor.TYPE_BOOL: Kind.BOOLEAN,
    FieldDescriptor.TYPE_DOUBLE: Kind.NUMBER,
    FieldDescriptor.TYPE_FLOAT: Kind.NUMBER,
    FieldDescriptor.TYPE_ENUM: Kind.ENUM,
}
_WELL_KNOWN = {
    "google.protobuf.Timestamp": Kind.TIMESTAMP,
    "google.protobuf.Struct": Kind.OBJECT,
}


@dataclass(frozen=True)
class FieldShape:
    """One field as JSON has it. Lengths are in characters."""

    descriptor: FieldDescriptor
    name: str
    kind: Kind
    repeated: bool
    required: bool
    output_only: bool
    immutable: bool
    always_set: bool
    rules: FieldRules
    header: str
    comment: str

    @property
    def min_length(self) -> int:
        """Least length of the text."""
        return self.rules.min_len or int(self.required and not self.repeated)

    @property
    def max_length(self) -> int:
        """Greatest length of the text."""
        return self.rules.max_len or MAX_TEXT

    @property
    def pattern(self) -> str:
        """Regular expression that the text matches."""
        if self.rules.id_prefix:
            return id_pattern(self.rules.id_prefix)
        return self.rules.pattern or ANY_TEXT

    @property
    def form(self) -> str:
        """How a refusal says what the text has to look like."""
        return form_of(self.rules) or ANY_TEXT

    @property
    def max_items(self) -> int:
        """Greatest number of items or keys."""
        return self.rules.max_items or MAX_ITEMS

    @property
    def integer_range(self) -> tuple[int, int]:
        """Least and greatest value of a whole number, both included."""
        least, greatest = _INTEGER_RANGES[self.descriptor.type]
        if self.rules.HasField("minimum"):
            least = max(least, int(self.rules.minimum))
        if self.rules.HasField("maximum"):
            greatest = min(greatest, int(self.rules.maximum))
        return least, greatest

    @property
    def number_range(self) -> tuple[float, float]:
        """Least and greatest value of a number, both included; infinite where open."""
        rules = self.rules
        return (
            rules.minimum if rules.HasField("minimum") else float("-inf"),
            rules.maximum if rules.HasField("maximum") else float("inf"),
        )

    @property
    def message(self) -> Descriptor:
        """Type of the value, for a message."""
        message = self.descriptor.message_type
        assert message is not None
        return message

    def accepts_null(self, variant: Variant) -> bool:
        """Tell whether `null` can stand in place of the value.

        In answers it says "unknown"; in requests it says "leave it so" or, in a
        PATCH, "make it so".
        """
        if variant is Variant.OUT:
            plain = (Kind.BOOLEAN, Kind.INTEGER, Kind.INT64, Kind.NUMBER)
            counts = self.kind in plain and not self.descriptor.has_presence
            return not (self.required or self.always_set or self.repeated or counts)
        return not self.required


@functools.cache
def fields(message: Descriptor) -> tuple[FieldShape, ...]:
    """Shapes of all fields of a message that JSON can carry, in the order of the contract."""
    shapes = [_shape(field) for field in message.fields if not _is_mask(field)]
    return tuple(shapes)


@functools.cache
def fields_by_name(message: Descriptor) -> dict[str, FieldShape]:
    """The same by name."""
    return {shape.name: shape for shape in fields(message)}


def is_given_by_caller(shape: FieldShape, variant: Variant) -> bool:
    """Tell whether a request may carry this field."""
    return not shape.output_only and not (variant is Variant.CHANGE and shape.immutable)


def _is_mask(field: FieldDescriptor) -> bool:
    message = field.message_type
    return message is not None and message.full_name == "google.protobuf.FieldMask"


def _shape(field: FieldDescriptor) -> FieldShape:
    known = behaviors(field)
    assert field.containing_type is not None
    spec = resource_spec(field.containing_type)
    kind = _kind(field)
    return FieldShape(
        descriptor=field,
        name=field.name,
        kind=kind,
        repeated=field.is_repeated and kind is not Kind.MAP,
        required=field_behavior_pb2.REQUIRED in known,
        output_only=field_behavior_pb2.OUTPUT_ONLY in known,
        immutable=field_behavior_pb2.IMMUTABLE in known,
        always_set=spec is not None and field.name in _ALWAYS_SET,
        rules=field_rules(field),
        header=field_header(field),
        comment=contract().comment(field.full_name),
    )


def _kind(field: FieldDescriptor) -> Kind:
    message = field.message_type
    if message is not None:
        if message.GetOptions().map_entry:
            return Kind.MAP
        if message.full_name.startswith("google."):
            return _WELL_KNOWN[message.full_name]
        return Kind.MESSAGE
    if field.type in _SCALARS:
        return _SCALARS[field.type]
    if field.type not in _INTEGER_RANGES:
        raise TypeError(f"{field.full_name}: this type has no form in JSON")
    return Kind.INT64 if _INTEGER_RANGES[field.type][1] > 2**32 else Kind.INTEGER
