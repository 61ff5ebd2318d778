"""What every part of the page needs to speak of the network: words, the time, names."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from gateway.pages.provinces import province_name
from gateway.pages.wording import Moment, Wording
from peyvand.centers.v1 import centers_pb2
from peyvand.observatory.v1 import network_pb2
from servicekit.contract import enum_names

STATE = centers_pb2.CenterState.DESCRIPTOR
LIVENESS = network_pb2.Liveness.DESCRIPTOR
GONE = ("closed", "cancelled")
SILENT = ("late", "stale", "offline")
_NAMED = 3  # centers named in a sentence before the rest is only counted


@dataclass(frozen=True)
class Reader:
    """Who reads: in which words, and at which time.

    `shared` are the short names that do not tell one center from another.
    """

    words: Wording
    now: datetime
    shared: frozenset[str] = frozenset()

    def moment(self, value: Timestamp) -> Moment:
        """A point in time as this reader meets it."""
        return self.words.moment(value, self.now)

    def short_name(self, center: network_pb2.CenterStatus) -> str:
        """A center by its place, with its code where another one is there as well."""
        name = place_name(center, self.words)
        return f"{name} ({center.code})" if name in self.shared else name

    def names(self, centers: Sequence[network_pb2.CenterStatus]) -> str:
        """The first of several centers by name, the rest by number."""
        # The last one is as short by its name as by its number.
        shown = len(centers) if len(centers) <= _NAMED + 1 else _NAMED
        named = [self.short_name(center) for center in centers[:shown]]
        more = len(centers) - shown
        if more > 0:
            named.append(self.words.say_count("%(count)s more", "%(count)s more", more))
        return self.words.names(named)

    def service(self, name: str) -> str:
        """A service by what it is called in a sentence."""
        say = self.words.say
        known = {
            "centers": say("centers"),
            "projects": say("projects"),
            "partners": say("partners"),
            "observatory": say("observatory"),
        }
        return known.get(name, name)


def place_name(center: network_pb2.CenterStatus, words: Wording) -> str:
    """City of a center, or its province where no city is known."""
    return words.text(center.city) or province_name(center.province, words.language)


def shared_names(centers: Iterable[network_pb2.CenterStatus], words: Wording) -> frozenset[str]:
    """The place names that more than one of the centers has."""
    found = Counter(place_name(center, words) for center in centers)
    return frozenset(name for name, count in found.items() if count > 1)


def state_of(center: network_pb2.CenterStatus) -> str:
    """State of a center, as JSON spells it."""
    return enum_names(STATE)[center.state]


def liveness_of(center: network_pb2.CenterStatus) -> str:
    """Liveness of a center, as JSON spells it."""
    known = enum_names(LIVENESS)[center.liveness]
    # Silence about freshness is not freshness.
    return "unknown" if known == "unspecified" else known


def counted(status: network_pb2.NetworkStatus) -> list[network_pb2.CenterStatus]:
    """The centers that the network has: those that are not gone, without sample data."""
    return [c for c in status.centers if not c.sample and state_of(c) not in GONE]


def figure_labels(words: Wording) -> dict[str, str]:
    """What the figures of a month are called, by their names."""
    return {
        "samples_processed": words.say("Samples processed"),
        "products_released": words.say("Products released"),
        "procedures": words.say("Procedures"),
        "trainees": words.say("People trained"),
        "articles": words.say("Articles"),
    }
