"""How often one caller may call, and how many streams it may have open.

Calls are counted by a token bucket for each caller; the headers are those of
draft-ietf-httpapi-ratelimit-headers. The counts are of this process. Behind several
gateways a caller has as many times the quota, which guards each of them all the same.
"""

import ipaddress
import math
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_MAX_CALLERS = 10_000


@dataclass(frozen=True)
class Decision:
    """What is left to a caller after one call was counted; `retry_after` in seconds."""

    allowed: bool
    headers: dict[str, str]
    retry_after: int


class RateLimiter:
    """Lets each caller make `quota` calls in `window` seconds, spread or at once."""

    def __init__(
        self, quota: int, window: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._quota = quota
        self._window = window
        self._clock = clock
        self._policy = f'"default";q={quota};w={window}'
        # Calls left and when that was so; the least recently seen caller first.
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def count(self, caller: str) -> Decision:
        """Count one call of a caller."""
        now = self._clock()
        left, since = self._buckets.pop(caller, (float(self._quota), now))
        speed = self._quota / self._window
        left = min(float(self._quota), left + (now - since) * speed)
        allowed = left >= 1
        if allowed:
            left -= 1
        self._buckets[caller] = (left, now)
        if len(self._buckets) > _MAX_CALLERS:
            self._buckets.popitem(last=False)
        # Seconds until the bucket is full again, or until one call is possible.
        reset = math.ceil((self._quota - left) / speed)
        retry_after = 0 if allowed else max(1, math.ceil((1 - left) / speed))
        headers = {
            "RateLimit-Policy": self._policy,
            "RateLimit": f'"default";r={int(left)};t={reset}',
        }
        return Decision(allowed, headers, retry_after)


class Seats:
    """The streams that are open now, at most `limit` for each caller."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken: Counter[str] = Counter()

    def take(self, caller: str) -> bool:
        """Take a seat for a caller if there is one; whoever took it gives it back."""
        if self._taken[caller] >= self._limit:
            return False
        self._taken[caller] += 1
        return True

    def give_back(self, caller: str) -> None:
        """Free a seat that was taken."""
        self._taken[caller] -= 1
        if not self._taken[caller]:
            del self._taken[caller]


def caller_key(subject: str, address: str) -> str:
    """What a caller is counted under: the subject of the token, without one the address.

    Of an IPv6 address the network counts, because a single host has all of it.
    """
    if subject:
        return f"s:{subject}"
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return f"a:{address}"
    if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped is None:
        return f"a:{ipaddress.ip_network((known.packed, 64), strict=False)}"
    return f"a:{address}"
