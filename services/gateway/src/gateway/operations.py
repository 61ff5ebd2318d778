"""The HTTP operations that the contract describes: one for each rpc with an HTTP rule.

What the router answers by and what the published document says are both read
from here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from google.protobuf import empty_pb2

from gateway.parameters import HeaderRule, header_rule
from gateway.shapes import FieldShape, Variant, fields, fields_by_name
from servicekit.contract import Contract, Rpc, resource_spec

_VARIABLE = re.compile(r"\{(\w+)\}")
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

# Reasons that any call can be answered with.
EVERYWHERE = (
    "INVALID_ARGUMENT",
    "TOKEN_REJECTED",
    "NOT_ACCEPTABLE",
    "RATE_LIMITED",
    "INTERNAL",
    "UNAVAILABLE",
    "RESOURCE_IN_USE",
    "DEADLINE_EXCEEDED",
)
_WITH_BODY = ("MALFORMED_BODY", "BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE")
_BY_HEADER = {
    "If-Match": ("PRECONDITION_REQUIRED", "STALE_ETAG"),
    "Idempotency-Key": (
        "IDEMPOTENCY_KEY_REQUIRED",
        "IDEMPOTENCY_KEY_REUSED",
        "IDEMPOTENCY_KEY_IN_USE",
    ),
}


@dataclass(frozen=True)
class Operation:
    """An rpc as HTTP has it."""

    rpc: Rpc
    method: str
    path: str
    path_fields: tuple[FieldShape, ...]
    query_fields: tuple[FieldShape, ...]
    headers: tuple[HeaderRule, ...]
    body_field: FieldShape | None
    body_is_request: bool

    @property
    def operation_id(self) -> str:
        """Name of the operation for generated clients: ``get_center``."""
        return _WORD_START.sub("_", self.rpc.descriptor.name).lower()

    @property
    def tag(self) -> str:
        """Group of the operation in the documentation: name of its service."""
        return self.rpc.descriptor.containing_service.name

    @property
    def summary(self) -> str:
        """First sentence of the rpc's comment, without its full stop."""
        return re.split(r"(?<=\.)\s", self.rpc.comment, maxsplit=1)[0].removesuffix(".")

    @property
    def is_public(self) -> bool:
        """Tell whether the operation can be called without a token."""
        return "public" in self.rpc.role_names

    @property
    def takes_body(self) -> bool:
        """Tell whether the operation takes a body."""
        return self.body_field is not None or self.body_is_request

    @property
    def body_required(self) -> bool:
        """Tell whether the body must be there."""
        if self.body_field is not None:
            return True
        return any(shape.required for shape in self.body_members)

    @property
    def body_members(self) -> tuple[FieldShape, ...]:
        """Fields of the request that come in the body, when it is the request itself."""
        left_out = self.outside_body
        shapes = fields(self.rpc.descriptor.input_type) if self.body_is_request else ()
        return tuple(shape for shape in shapes if shape.name not in left_out)

    @property
    def outside_body(self) -> frozenset[str]:
        """Names of the request fields that come in the path or a header."""
        in_headers = {rule.shape.name for rule in self.headers}
        return frozenset(in_headers | {shape.name for shape in self.path_fields})

    @property
    def variant(self) -> Variant:
        """How the body is to be read."""
        return Variant.CHANGE if self.method == "PATCH" else Variant.NEW

    @property
    def status(self) -> int:
        """HTTP status of success."""
        if self.rpc.descriptor.output_type.full_name == empty_pb2.Empty.DESCRIPTOR.full_name:
            return 204
        return 201 if self.creates else 200

    @property
    def creates(self) -> bool:
        """Tell whether success adds a member to the collection at the address."""
        spec = resource_spec(self.rpc.descriptor.output_type)
        return self.method == "POST" and spec is not None and self.path.endswith(f"/{spec.plural}")

    @property
    def gives_etag(self) -> bool:
        """Tell whether the answer has a version tag."""
        return "etag" in fields_by_name(self.rpc.descriptor.output_type)

    @property
    def etag_is_weak(self) -> bool:
        """Tell whether the tag stays while parts of the answer change: it is no resource's."""
        return self.gives_etag and resource_spec(self.rpc.descriptor.output_type) is None

    @property
    def answers_304(self) -> bool:
        """Tell whether the operation knows conditional reads."""
        return self.method == "GET" and self.gives_etag

    def reasons(self) -> tuple[str, ...]:
        """All reasons for which the operation can be refused."""
        reasons = [*EVERYWHERE]
        if not self.is_public:
            reasons += ["UNAUTHENTICATED", "PERMISSION_DENIED"]
        if self.path_fields:
            reasons.append("ROUTE_NOT_FOUND")
        if self.takes_body:
            reasons += _WITH_BODY
        for rule in self.headers:
            reasons += _BY_HEADER.get(rule.name, ())
        return tuple(dict.fromkeys([*reasons, *self.rpc.errors]))


def operations(contract: Contract) -> list[Operation]:
    """All operations, in the order of the contract."""
    return [_operation(rpc) for rpc in contract.rpcs.values() if rpc.http]


def _operation(rpc: Rpc) -> Operation:
    rule = rpc.http
    assert rule is not None
    shapes = fields_by_name(rpc.descriptor.input_type)
    path_names = _VARIABLE.findall(rule.path)
    in_headers = {name for name, shape in shapes.items() if shape.header}
    body_field = shapes[rule.body] if rule.body not in ("", "*") else None
    body_is_request = rule.body == "*"
    taken = {*path_names, *in_headers, rule.body}
    return Operation(
        rpc=rpc,
        method=rule.method,
        path=rule.path,
        path_fields=_pick(shapes, path_names),
        query_fields=()
        if body_is_request
        else tuple(shape for name, shape in shapes.items() if name not in taken),
        headers=tuple(header_rule(shapes[name]) for name in shapes if name in in_headers),
        body_field=body_field,
        body_is_request=body_is_request,
    )


def _pick(shapes: dict[str, FieldShape], names: Iterable[str]) -> tuple[FieldShape, ...]:
    return tuple(shapes[name] for name in names)
