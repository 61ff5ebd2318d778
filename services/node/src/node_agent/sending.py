"""What a node says to the hub next, and what an answer means: rules without any IO.

The node greets the hub, hears which report the hub has last, and brings those after it in
order, one batch at a time: the next leaves when the one before is in the hub's database.
Two at a time could be taken by two processes of the hub in the wrong order. Instead the
size of a batch grows while answers come quickly, and shrinks when they do not, so that a
narrow line is never filled for long and heartbeats still get through.

Times are seconds of a clock that only goes forward. The owner of a `Sender` asks `next`,
does it, and tells what came of it; everything random comes from the generator it gives.
"""

import math
from dataclasses import dataclass, replace
from enum import Enum
from random import Random

from node_agent.kept import Standing

FIRST_BATCH = 64
SLOW_SECONDS = 4.0
QUICK_SECONDS = 1.5


@dataclass(frozen=True)
class Pace:
    """How patient a node is, in seconds.

    Attributes:
        first_wait: about how long it waits after a first failure.
        longest_wait: about how long after many.
        rejected_wait: at least how long after the hub has refused it.
        hello_every: how often it greets anew while nothing else calls for it.
        request_timeout: how long it waits for an answer.
    """

    first_wait: float = 0.25
    longest_wait: float = 20.0
    rejected_wait: float = 5.0
    hello_every: float = 600.0
    request_timeout: float = 15.0


@dataclass(frozen=True)
class SayHello:
    """Greet the hub."""


@dataclass(frozen=True)
class SendBatch:
    """Bring the reports after a number."""

    after: int
    most_reports: int
    most_bytes: int


@dataclass(frozen=True)
class Renew:
    """Ask for new credentials."""


@dataclass(frozen=True)
class Rest:
    """Do nothing until this time, or until something happens."""

    until: float


Step = SayHello | SendBatch | Renew | Rest


class Mending(Enum):
    """What the store has to do so that both sides agree on numbers."""

    ACKNOWLEDGE = "acknowledge"  # the hub has more than the node knew
    REWIND = "rewind"  # the hub has lost some; the node still has them
    RENUMBER = "renumber"  # the node was set back; its numbers are not the hub's
    RENUMBER_LOST = "renumber_lost"  # the hub has lost some that the node has dropped


class Backoff:
    """Growing waits with chance in them, so that many nodes do not come back at once."""

    def __init__(self, pace: Pace, random: Random) -> None:
        self._pace = pace
        self._random = random
        self.failures = 0

    def succeeded(self) -> None:
        """Begin anew with short waits."""
        self.failures = 0

    def failed(self, at_least: float = 0.0) -> float:
        """Count a failure; returns the seconds to wait."""
        exponent = min(self.failures, 30)
        self.failures += 1
        longest = min(self._pace.longest_wait, self._pace.first_wait * 2**exponent)
        return max(at_least, longest) * self._random.uniform(0.5, 1.0)


class Sender:
    """Decides what is said next."""

    def __init__(self, standing: Standing, random: Random, pace: Pace | None = None) -> None:
        self.pace = pace or Pace()
        self.standing = standing
        self.most_reports = 500
        self.most_bytes = 128 * 1024
        self._backoff = Backoff(self.pace, random)
        self._connected = False
        self._hello_due = True
        self._woken = False
        self._greeted_at: float | None = None
        self._retry_at = -math.inf
        self._renew_at = math.inf
        self._batch = FIRST_BATCH
        self._steady = math.inf

    @property
    def greeted(self) -> bool:
        """Whether the hub has answered a greeting on this line, and takes reports."""
        return self._connected and self._greeted_at is not None

    # What happens

    def connected(self) -> None:
        """There is a line to the hub."""
        self._connected, self._hello_due = True, True
        self._greeted_at = None
        self._retry_at = -math.inf

    def disconnected(self) -> None:
        """The line is gone."""
        self._connected, self._greeted_at = False, None

    def woken(self) -> None:
        """The hub asks for a greeting; an answer to an earlier one does not stand for it."""
        self._woken = True

    def taken(self, number: int) -> None:
        """A report was kept under this number."""
        if number > self.standing.newest:
            self.standing = replace(self.standing, newest=number)

    def told(self, batch_reports: int, batch_bytes: int) -> None:
        """The hub says how large a batch may be."""
        self.most_reports = max(1, batch_reports or self.most_reports)
        self.most_bytes = max(1024, batch_bytes or self.most_bytes)
        self._batch = min(self._batch, self.most_reports)

    def renew_at(self, moment: float) -> None:
        """From this time on new credentials are asked for."""
        self._renew_at = moment

    def renewed(self) -> None:
        """New credentials are here."""
        self._renew_at = math.inf

    # What to do

    def next(self, now: float) -> Step:
        """What is to be said now."""
        if not self._connected:
            return Rest(math.inf)
        if now < self._retry_at:
            return Rest(self._retry_at)
        if self._hello_due or self._woken or self._greeted_at is None:
            return SayHello()
        return self._next_when_greeted(now, self._greeted_at + self.pace.hello_every)

    def _next_when_greeted(self, now: float, hello_again_at: float) -> Step:
        if now >= self._renew_at:
            return Renew()
        if self.standing.queued > 0:
            return SendBatch(self.standing.acked, self._batch, self.most_bytes)
        if now >= hello_again_at:
            return SayHello()
        return Rest(min(hello_again_at, self._renew_at))

    # What came of it

    def greets(self) -> None:
        """A greeting goes out now; whatever asked for one before this is served by it."""
        self._woken = False

    def answered_hello(
        self, now: float, standing: Standing, last_number: int, *, more_receipts: bool
    ) -> Mending | None:
        """The hub has answered a greeting, and its receipts are stored.

        Args:
            now: the time.
            standing: of the store, as it is now.
            last_number: the last report of the journal that the hub has.
            more_receipts: whether the hub has more receipts to tell.

        Returns what the store has to do first; `corrected` tells that it has.
        """
        self._backoff.succeeded()
        self._retry_at = -math.inf
        self._hello_due = more_receipts
        if more_receipts:  # the next answer tells the rest; nothing is sent before
            return None
        self._greeted_at = now
        stand = self.standing = standing
        if last_number > stand.offered:
            return Mending.RENUMBER
        if last_number > stand.acked:
            return Mending.ACKNOWLEDGE
        if last_number == stand.acked:
            return None
        return Mending.REWIND if stand.oldest <= last_number + 1 else Mending.RENUMBER_LOST

    def corrected(self, standing: Standing) -> None:
        """The store stands so now."""
        if standing.journal != self.standing.journal:
            self._hello_due = True  # the hub has to hear of the new journal
        self.standing = standing

    def answered_batch(self, seconds: float, last_number: int, last_sent: int) -> None:
        """A batch is in the hub's database, up to `last_number`; it took so many seconds."""
        self._backoff.succeeded()
        self._retry_at = -math.inf
        if last_number < self.standing.acked or last_number > last_sent:
            # The hub stands elsewhere than was thought: a greeting finds out where.
            self._hello_due = True
        if seconds > SLOW_SECONDS:
            self._steady = max(1, self._batch // 2)
            self._batch = int(self._steady)
        elif seconds < QUICK_SECONDS:
            grown = self._batch * 2 if self._batch < self._steady else self._batch + 16
            self._batch = min(grown, self.most_reports)

    def refused(self, now: float) -> None:
        """The hub does not take reports now; it is asked again later, by a greeting."""
        self._hello_due, self._greeted_at = True, None
        self._retry_at = now + self._backoff.failed(self.pace.rejected_wait)

    def failed(self, now: float, *, was_batch: bool = False) -> None:
        """No answer came, or the store could not note it: greet again after a while."""
        self._hello_due = True
        if was_batch:
            self._steady = max(1, self._batch // 2)
            self._batch = max(1, self._batch // 4)
        self._retry_at = now + self._backoff.failed()

    def renewal_failed(self, now: float) -> None:
        """No new credentials came; reports go on with the old ones meanwhile."""
        self._renew_at = now + max(30.0, self._backoff.failed(self.pace.longest_wait))
