"""The end of a process, and the time that what has begun is given until then."""

import asyncio
import time


class Closing(asyncio.Event):
    """Is set when what is still open has to end; what has begun has `drain` seconds from then."""

    def __init__(self, drain: float) -> None:
        super().__init__()
        self._drain = drain
        self._ends_at = 0.0

    def set(self) -> None:
        """Say that the end has come."""
        if not self.is_set():
            self._ends_at = time.monotonic() + self._drain
        super().set()

    @property
    def seconds_left(self) -> float:
        """Seconds that are left; none before it is set, where nobody waits for anything."""
        return max(0.0, self._ends_at - time.monotonic()) if self.is_set() else 0.0
