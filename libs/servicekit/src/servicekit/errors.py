"""The one error type that crosses layers, and its form on the wire.

A `Fault` carries a stable reason that the contract declares; it meets the
transport last. On gRPC it travels as `google.rpc.Status` with `ErrorInfo` and
`BadRequest`; the gateway turns it into a problem document (RFC 9457).
"""

import dataclasses
from collections.abc import Mapping, Sequence

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from domainkit.rules import IllegalStep, Refused, RulesBroken
from servicekit.contract import contract

ERROR_DOMAIN = "peyvand"
# A fault travels in the trailing metadata of a gRPC answer, which both ends bound:
# what is larger arrives as an answer that never came.
MAX_METADATA = 128 * 1024  # bytes
_MAX_VIOLATIONS_SIZE = 48 * 1024  # bytes
_MAX_TEXT = 500  # characters of one text

# gRPC codes by HTTP status, after google/rpc/code.proto.
_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.FAILED_PRECONDITION,
    412: grpc.StatusCode.ABORTED,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    428: grpc.StatusCode.FAILED_PRECONDITION,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    500: grpc.StatusCode.INTERNAL,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
# What a bare gRPC status without our details means to a caller.
_REASONS = {
    grpc.StatusCode.UNAVAILABLE: "UNAVAILABLE",
    grpc.StatusCode.DEADLINE_EXCEEDED: "DEADLINE_EXCEEDED",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "UNAVAILABLE",
    grpc.StatusCode.CANCELLED: "UNAVAILABLE",
    # While an upgrade rolls, a service of before may be asked what only the next one knows.
    grpc.StatusCode.UNIMPLEMENTED: "UNAVAILABLE",
}


@dataclasses.dataclass(frozen=True)
class Violation:
    """A rule that one value breaks.

    `field` is the path in the request (``center.names.fa``, ``rows[3].code``),
    `reason` a value of an error enum, `params` fill the sentence for the reason.
    """

    field: str
    reason: str
    params: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])


class Fault(Exception):
    """A call that cannot be fulfilled, told so that the caller can act on it.

    `reason` is a value of an error enum of the contract; `params` fill its
    sentence; `violations` name fields; `allowed` lists steps that are possible.
    """

    def __init__(
        self,
        reason: str,
        params: Mapping[str, str] | None = None,
        *,
        violations: Sequence[Violation] = (),
        allowed: Sequence[str] | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.params: dict[str, str] = dict(params or {})
        self.violations = tuple(violations)
        self.allowed = None if allowed is None else tuple(allowed)

    def __str__(self) -> str:
        details = [f"{key}={value}" for key, value in self.params.items()]
        details += [f"{item.field}: {item.reason}" for item in self.violations]
        return f"{self.reason}({', '.join(details)})"

    @classmethod
    def invalid(cls, *violations: Violation) -> "Fault":
        """Make the fault for values that break rules."""
        return cls("INVALID_ARGUMENT", violations=violations)

    @classmethod
    def not_found(cls, resource: str, id: str) -> "Fault":
        """Make the fault for a resource that is not there, or not the caller's to see."""
        return cls("NOT_FOUND", {"resource": resource, "id": id})


def as_fault(error: Exception) -> Fault | None:
    """A domain's refusal as a fault; `None` for an error that is not a refusal."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, RulesBroken):
        return Fault.invalid(*(Violation(b.field, b.rule, b.params) for b in error.broken))
    if isinstance(error, IllegalStep):
        params = {
            "action": error.action,
            "state": error.state,
            "allowed": ", ".join(error.allowed) or "-",
        }
        return Fault("ILLEGAL_TRANSITION", params, allowed=error.allowed)
    if isinstance(error, Refused):
        return Fault(error.reason, error.params)
    return None


def to_status(fault: Fault) -> status_pb2.Status:
    """Pack a fault for the wire."""
    spec = contract().error(fault.reason)
    info = error_details_pb2.ErrorInfo(
        reason=fault.reason,
        domain=ERROR_DOMAIN,
        metadata={key: _short(value) for key, value in fault.params.items()},
    )
    details = [_pack(info)]
    if fault.violations:
        details.append(_pack(_bad_request(fault.violations)))
    if fault.allowed is not None:
        details.append(
            _pack(
                error_details_pb2.PreconditionFailure(
                    violations=[
                        error_details_pb2.PreconditionFailure.Violation(
                            type="ALLOWED", subject=step
                        )
                        for step in fault.allowed
                    ]
                )
            )
        )
    code = _CODES.get(spec.http_status, grpc.StatusCode.UNKNOWN)
    return status_pb2.Status(code=code.value[0], message=fault.reason, details=details)


def from_status(status: status_pb2.Status) -> Fault:
    """Unpack a fault; a status that is none of ours becomes the common error nearest to it."""
    info = error_details_pb2.ErrorInfo()
    bad_request = error_details_pb2.BadRequest()
    precondition = error_details_pb2.PreconditionFailure()
    allowed: tuple[str, ...] | None = None
    for detail in status.details:
        if detail.Unpack(info) or detail.Unpack(bad_request):
            continue
        if detail.Unpack(precondition):
            allowed = tuple(item.subject for item in precondition.violations)
    if info.domain != ERROR_DOMAIN:
        code = next((c for c in grpc.StatusCode if c.value[0] == status.code), None)
        return Fault(_REASONS.get(code, "INTERNAL") if code else "INTERNAL")
    return Fault(
        info.reason,
        dict(info.metadata),
        violations=[_unpack_violation(item) for item in bad_request.field_violations],
        allowed=allowed,
    )


def _bad_request(violations: Sequence[Violation]) -> error_details_pb2.BadRequest:
    packed = error_details_pb2.BadRequest()
    size = 0
    for item in violations:
        violation = _field_violation(item)
        size += violation.ByteSize()
        # Enough to mend a request by; the rest shows when these are mended.
        if size > _MAX_VIOLATIONS_SIZE:
            break
        packed.field_violations.append(violation)
    return packed


def _field_violation(item: Violation) -> error_details_pb2.BadRequest.FieldViolation:
    # A violation's parameters ride in `description` as "key=value" lines: the
    # sentence itself is made at the edge, in the caller's language.
    lines = (f"{key}={_short(value)}".replace("\n", " ") for key, value in item.params.items())
    return error_details_pb2.BadRequest.FieldViolation(
        field=_short(item.field), reason=item.reason, description="\n".join(lines)
    )


def _unpack_violation(item: error_details_pb2.BadRequest.FieldViolation) -> Violation:
    pairs = (line.partition("=") for line in item.description.split("\n") if line)
    return Violation(item.field, item.reason, {key: value for key, _, value in pairs})


def _short(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"


def _pack(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
