"""Opaque cursors for lists.

A token holds the position after the last row of a page and a digest of the
filters, so that it cannot be carried over to another list. It is no secret and
grants nothing: every page is read under the caller's own rights.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from google.protobuf.message import Message

from servicekit.errors import Fault, Violation

DEFAULT_PAGE_SIZE = 50
_PAGE_FIELDS = ("page_token", "page_size")


def page_size(request: Any) -> int:
    """Number of rows that a list request asks for, the default when it does not say."""
    return request.page_size or DEFAULT_PAGE_SIZE


def read_token(request: Any) -> list[str] | None:
    """Position that a list request continues from, or `None` for the first page.

    Raises `Fault` ``INVALID_PAGE_TOKEN`` if the token is damaged or belongs to
    another list or other filters.
    """
    token: str = request.page_token
    if not token:
        return None
    try:
        digest, *position = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError, TypeError):
        raise _invalid() from None
    if digest != _digest(request) or not all(isinstance(part, str) for part in position):
        raise _invalid()
    return position


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
