"""Identifiers: UUIDv7, and the typed form ``<prefix>_<base32>`` that callers see.

The text form sorts by creation time, because UUIDv7 begins with a millisecond
clock and Crockford's base32 keeps byte order. See RFC 9562, section 5.7.
"""

import os
import re
import threading
import time
import uuid

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_BODY = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{25}")


class _Clock:
    """The last value handed out by this process.

    With it, ids made within one millisecond still sort in the order in which they
    were made.
    """

    last = 0
    lock = threading.Lock()


def uuid7() -> uuid.UUID:
    """Return a UUIDv7 greater than every one this process returned before."""
    fresh = time.time_ns() // 1_000_000 << 80 | 0x7 << 76
    random = int.from_bytes(os.urandom(10), "big")
    # 12 bits of rand_a stay zero at first and count up within a millisecond.
    value = fresh | 0b10 << 62 | random & ((1 << 62) - 1)
    with _Clock.lock:
        if value >> 64 <= _Clock.last >> 64:
            head = (_Clock.last >> 64) + 1
            if head & 0xF000 != 0x7000:  # the 12-bit counter is full: borrow a millisecond
                head = (_Clock.last >> 80) + 1 << 16 | 0x7000
            value = head << 64 | value & ((1 << 64) - 1)
        _Clock.last = value
    return uuid.UUID(int=value)


def new_id(prefix: str) -> str:
    """Return a new id of one kind: ``new_id("ctr")`` gives ``ctr_01k…`` (26 base32 characters)."""
    number = uuid7().int
    characters = [_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5)]
    return f"{prefix}_{''.join(characters)}"


def is_id(text: str, prefix: str) -> bool:
    """Tell whether ``text`` is a well-formed id with this prefix."""
    head, _, body = text.partition("_")
    return head == prefix and _BODY.fullmatch(body) is not None


def id_pattern(prefix: str) -> str:
    """Return the regular expression (ECMA-262 and Python) that ids of a kind match."""
    return f"^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$"
