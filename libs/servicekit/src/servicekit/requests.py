"""What use cases read from a request: the occasion, and the fields that it gives."""

from collections.abc import Iterable
from typing import Any

from google.protobuf.message import Message

from domainkit.aggregate import Occasion
from domainkit.values import ImpreciseDate
from servicekit.errors import Fault, Violation
from servicekit.mapping import from_message, read_fields
from servicekit.rpc_server import Call


def occasion(request: Any, call: Call) -> Occasion:
    """Who acts, when and why: from the call, and from `reason` and `effective_date` if given."""
    fields = request.DESCRIPTOR.fields_by_name
    effective = None
    if "effective_date" in fields and request.HasField("effective_date"):
        effective = from_message(request.effective_date, ImpreciseDate)
    return Occasion(
        actor=call.principal.subject,
        at=call.now,
        reason=request.reason if "reason" in fields else "",
        effective_date=effective,
    )


def masked_fields(message: Message, cls: type[Any], paths: Iterable[str]) -> dict[str, Any]:
    """Values of the fields that an update mask names; a path into a field names it whole.

    Raises `Fault` for a path that the resource does not have.
    """
    names = list(dict.fromkeys(path.partition(".")[0] for path in paths))
    known = message.DESCRIPTOR.fields_by_name
    if unknown := [name for name in names if name not in known]:
        raise Fault.invalid(*(Violation(f"update_mask.{n}", "UNKNOWN_FIELD") for n in unknown))
    values = read_fields(message, cls, only=names)
    if fixed := [name for name in names if name not in values]:
        raise Fault.invalid(*(Violation(name, "IMMUTABLE") for name in fixed))
    return values


def given_fields(message: Message, cls: type[Any], names: Iterable[str]) -> dict[str, Any]:
    """Values of those fields that a message gives; one that is empty is not given."""
    present = {field.name for field, _ in message.ListFields()}
    return read_fields(message, cls, only=[name for name in names if name in present])
