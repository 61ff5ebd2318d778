"""How often one caller may call: a token bucket for each.

The headers are those of draft-ietf-httpapi-ratelimit-headers. The
buckets are of this process. Behind several gateways a caller has as many
times the quota, which guards each of them all the same.
"""

import math
import time
from collections import OrderedDict
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
