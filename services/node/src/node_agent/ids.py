"""Names of reports: `rpt_` and a UUIDv7 (RFC 9562) in Crockford's base32."""

import os
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def report_key(now: datetime) -> str:
    """Make the name of a report that was taken at this time."""
    random = int.from_bytes(os.urandom(10), "big")
    head = int(now.timestamp() * 1000) << 80
    number = head | 0x7 << 76 | (random >> 68) << 64 | 0b10 << 62 | random & ((1 << 62) - 1)
    return "rpt_" + "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
