"""What the headquarters has to look at: opened and closed by what happens.

An alert follows from two series of events: those of its cause, and what people said of
it. Between the two there is no order that would be the same when the picture is built
anew, so nothing here depends on which of them is met first. An acknowledgement says
itself how much it covers: as many occurrences as the person had seen. That an alert was
escalated is told in the same stream as what people say; it changes nothing else of it.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class AlertKind(StrEnum):
    """What an alert is about."""

    NODE_SILENT = "node_silent"
    CREDENTIALS_EXPIRING = "credentials_expiring"
    # Of a join token.
    REUSED = "token_reused"
    REPORTS_REFUSED = "reports_refused"
    REPORT_LATE = "report_late"
    CONDITION_OVERDUE = "condition_overdue"

    @property
    def closes_when_seen(self) -> bool:
        """Whether it is over once a person has seen it: what has happened does not go away."""
        return self in (AlertKind.REUSED, AlertKind.REPORTS_REFUSED)


class AlertState(StrEnum):
    """Where an alert is."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


@dataclass(frozen=True)
class Acknowledgement:
    """A person has seen the first `occurrences` occurrences of an alert."""

    occurrences: int
    by: str
    at: datetime
    comment: str


@dataclass(frozen=True)
class Cause:
    """What an alert comes of: the same one opens, counts and closes it."""

    kind: AlertKind
    center_id: str
    node_id: str = ""
    feed: str = ""
    # What it comes of besides center and node: a condition. The center of one can change.
    resource_id: str = ""

    @property
    def key(self) -> str:
        """The cause as one text."""
        subject = self.resource_id or self.node_id or self.center_id
        return ":".join(part for part in (self.kind, subject, self.feed))


@dataclass
class Alert:
    """One alert.

    `first` is the number of its first occurrence among all of the cause, from 1, and
    `opened_seq` the place of that event in its stream.
    """

    id: str
    cause: Cause
    opened_at: datetime
    opened_seq: int
    first: int = 1
    occurrences: int = 1
    gone_at: datetime | None = None
    seen: Acknowledgement | None = None
    escalated_at: datetime | None = None

    @property
    def state(self) -> AlertState:
        """Where it is. What came up again after a person had seen it is open again."""
        if self.closed_at is not None:
            return AlertState.CLOSED
        if self.seen is not None and self.seen.occurrences >= self.occurrences:
            return AlertState.ACKNOWLEDGED
        return AlertState.OPEN

    @property
    def closed_at(self) -> datetime | None:
        """When its cause was gone."""
        if self.cause.kind.closes_when_seen:
            return self.seen.at if self.seen else None
        return self.gone_at

    @property
    def takes_more(self) -> bool:
        """Whether the next occurrence of the cause belongs to it, and not to a new alert."""
        if self.cause.kind.closes_when_seen:
            return self.seen is None or self.occurrences < self.seen.occurrences
        return self.gone_at is None

    @property
    def beyond(self) -> int:
        """How many of its occurrences the person who closed it had not seen."""
        if not self.cause.kind.closes_when_seen or self.seen is None:
            return 0
        return max(self.occurrences - self.seen.occurrences, 0)


def alert_id(cause: Cause, event_id: str) -> str:
    """Id of the alert that an event opens: the same whenever the picture is built."""
    digest = hashlib.sha256(f"{cause.key}|{event_id}".encode()).digest()
    number = int.from_bytes(digest[:16])
    return "alr_" + "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
