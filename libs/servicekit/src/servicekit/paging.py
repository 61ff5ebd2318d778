"""Opaque cursors for lists.

A token holds the position after the last row of a page and a digest of the
filters, so that it cannot be carried over to another list. It is no secret and
grants nothing: every page is read under the caller's own rights.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import Message

from servicekit.errors import Fault, Violation

DEFAULT_PAGE_SIZE = 50
_PAGE_FIELDS = ("page_token", "page_size")


def page_size(request: Any) -> int:
    """Number of rows that a list request asks for, the default when it does not say."""
    return request.page_size or DEFAULT_PAGE_SIZE


def read_token(request: Any, *readers: Callable[[str], Any]) -> list[Any] | None:
    """Position that a list request continues from, or `None` for the first page.

    A reader for each part of the position makes its value out of text (`text`, `number`,
    `moment`). Raises `Fault` ``INVALID_PAGE_TOKEN`` if the token is damaged or belongs to
    another list or other filters.
    """
    token: str = request.page_token
    if not token:
        return None
    try:
        digest, *position = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        if digest != _digest(request):
            raise _invalid()
        # Anybody can make a token, so its position is read as mistrustfully as any value.
        if not all(isinstance(part, str) for part in position):
            raise _invalid()
        return [read(part) for read, part in zip(readers, position, strict=True)]
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError):
        raise _invalid() from None


def text(part: str) -> str:
    """Read a part of a position that is an id or a key."""
    if not (part.isascii() and part.isprintable()):
        raise ValueError("no id holds this")
    return part


def number(part: str) -> int:
    """Read a part of a position that is a version or a sequence."""
    value = int(text(part))
    if not 0 <= value < 2**63:
        raise ValueError("no version is this great")
    return value


def moment(part: str) -> datetime:
    """Read a part of a position that is a point in time."""
    value = datetime.fromisoformat(text(part))
    if value.tzinfo is None:
        raise ValueError("a point in time has a time zone")
    return value.astimezone(UTC)


def write_token(request: Any, position: Sequence[str]) -> str:
    """Token for the page after `position`, for the list and filters of `request`."""
    text = json.dumps([_digest(request), *position], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _digest(request: Message) -> str:
    filters = type(request)()
    filters.CopyFrom(request)
    for name in _PAGE_FIELDS:
        filters.ClearField(name)
    data = request.DESCRIPTOR.full_name.encode() + filters.SerializeToString(deterministic=True)
    return hashlib.sha256(data).hexdigest()[:12]


def _invalid() -> Fault:
    return Fault("INVALID_PAGE_TOKEN", violations=[Violation("page_token", "INVALID_PAGE_TOKEN")])
