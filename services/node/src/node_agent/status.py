"""How an agent and its line are, as far as the agent knows."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class LineStatus:
    """How the line is.

    Attributes:
        state: `connecting`, `greeting`, `online`, `refused`, `rejected` or `offline`.
        trouble: what is wrong, one of `line.Trouble` or a reason of the hub; else empty.
        detail: a sentence about it.
        since: since when it is so.
    """

    state: str
    trouble: str
    detail: str
    since: datetime


@dataclass(frozen=True)
class AgentStatus:
    """What an agent knows of itself now."""

    line: LineStatus
    queued: int
    oldest_queued: datetime | None
    newest_number: int
    hub_has: int
    hub_clock_ahead_seconds: float | None
    credentials_expire_at: datetime
    disk_free_bytes: int
    storage_trouble: str
    reports_lost_by_hub: bool
    started_at: datetime
