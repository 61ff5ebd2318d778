"""How fresh what is known of something is, and what that makes of several together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Liveness(StrEnum):
    """How fresh what is known of something is."""

    ONLINE = "online"
    LATE = "late"
    STALE = "stale"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


HEARTBEAT = "heartbeat"
"""The feed that tells whether a node is there at all."""

# From the best to the worst. Of what is not known nothing can be said, so it comes last:
# it is neither a good sign nor takes away what is known of another.
_RANK = {liveness: rank for rank, liveness in enumerate(Liveness)}

_SILENT = frozenset({Liveness.STALE, Liveness.OFFLINE})
_OVERDUE = frozenset({Liveness.LATE, *_SILENT})


def is_silent(liveness: Liveness) -> bool:
    """Whether nothing is heard of a node whose heartbeat is so."""
    return liveness in _SILENT


def is_overdue(liveness: Liveness) -> bool:
    """Whether a report of a feed that is so should have come by now."""
    return liveness in _OVERDUE


@dataclass(frozen=True)
class Heard:
    """How fresh a feed is, since when, and when it was last heard of."""

    liveness: Liveness = Liveness.UNKNOWN
    since: datetime | None = None
    last_received_at: datetime | None = None

    @property
    def is_known(self) -> bool:
        """Whether anything can be said."""
        return self.liveness is not Liveness.UNKNOWN

    def grown_old(self, since: datetime) -> "Heard":
        """The same once nobody tells of it any more, since a time: no sign of life is left."""
        if self.liveness not in (Liveness.ONLINE, Liveness.LATE):
            return self
        return Heard(Liveness.STALE, since, self.last_received_at)


NEVER = Heard()


def best_of(nodes: Sequence[Heard]) -> Heard:
    """One feed as several nodes of a center give it: as fresh as the freshest of them."""
    if not nodes:
        return NEVER
    liveness = min((heard.liveness for heard in nodes), key=_RANK.__getitem__)
    moments = [heard.since for heard in nodes if heard.liveness is liveness and heard.since]
    # It has been online since the first of those that are; it came down to less when the
    # last of them did.
    earliest = liveness is Liveness.ONLINE
    since = (min if earliest else max)(moments) if moments else None
    return Heard(liveness, since, _latest(nodes))


def worst_of(feeds: dict[str, Heard]) -> Heard:
    """A center as its feeds show it: no better than the worst of those that were heard of.

    A feed that never was, as the monthly report of a center that has just joined, says
    nothing. But without a heartbeat that is known nothing is shown as online.
    """
    known = [heard for heard in feeds.values() if heard.is_known]
    if not known:
        return Heard(last_received_at=_latest(feeds.values()))
    liveness = max((heard.liveness for heard in known), key=_RANK.__getitem__)
    if liveness is Liveness.ONLINE and not feeds.get(HEARTBEAT, NEVER).is_known:
        return Heard(last_received_at=_latest(known))
    moments = [heard.since for heard in known if heard.liveness is liveness and heard.since]
    latest = liveness is Liveness.ONLINE
    since = (max if latest else min)(moments) if moments else None
    return Heard(liveness, since, _latest(known))


def best(livenesses: Iterable[Liveness]) -> Liveness:
    """The best of several; unknown without any."""
    return min(livenesses, key=_RANK.__getitem__, default=Liveness.UNKNOWN)


def _latest(heards: Iterable[Heard]) -> datetime | None:
    moments = [heard.last_received_at for heard in heards if heard.last_received_at]
    return max(moments, default=None)
