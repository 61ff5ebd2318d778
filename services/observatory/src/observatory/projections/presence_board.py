"""What is known of nodes now, as the process that listens to them tells it.

It is held in memory by every process and kept nowhere: digests come on core NATS, the
changed nodes each second and all of them every ten. Who has heard none for longer knows
nothing, and says so: then nothing is shown as online. What happened over time follows
from events alone (see `observatory.projections.signals`).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from google.protobuf.message import DecodeError

from observatory.domain.liveness import HEARTBEAT, NEVER, Heard, Liveness
from peyvand.centers.v1 import nodes_pb2
from servicekit.contract import enum_names
from servicekit.mapping import to_datetime

log = structlog.get_logger(__name__)

PRESENCE_SUBJECT = "live.presence"
"""Core NATS, not kept: `PresenceDigest` of the process that listens to the nodes."""

SILENT_AFTER = 15.0
"""Seconds without a digest after which nothing is known of now."""

_LIVENESS = {
    number: Liveness(name)
    for number, name in enum_names(nodes_pb2.FeedLiveness.DESCRIPTOR).items()
    if number
}


@dataclass(frozen=True)
class NodeNow:
    """What is known of a node now. `vitals` are what it last told of itself."""

    feeds: Mapping[str, Heard] = field(default_factory=dict[str, Heard])
    vitals: nodes_pb2.NodeVitals | None = None

    @property
    def heartbeat(self) -> Heard:
        """How fresh what is known of it is."""
        return self.feeds.get(HEARTBEAT, NEVER)

    def grown_old(self, since: datetime) -> "NodeNow":
        """The same once nobody tells of it any more."""
        feeds = {name: heard.grown_old(since) for name, heard in self.feeds.items()}
        return NodeNow(feeds, self.vitals)


UNHEARD = NodeNow()


@dataclass(frozen=True)
class Presence:
    """What is known of all nodes at one moment; `as_of` is that of the last digest."""

    nodes: Mapping[str, NodeNow] = field(default_factory=dict[str, NodeNow])
    as_of: datetime | None = None

    def node(self, node_id: str) -> NodeNow:
        """What is known of a node."""
        return self.nodes.get(node_id, UNHEARD)


class PresenceBoard:
    """Takes digests, and tells what is known now. `changed` is called when that is different.

    `clock` gives seconds that only ever grow, whatever the clock of the machine does.
    """

    def __init__(
        self, changed: Callable[[], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._changed = changed
        self._clock = clock
        self._nodes: dict[str, NodeNow] = {}
        self._as_of: datetime | None = None
        self._began, self._began_at = clock(), datetime.now(UTC)
        self._heard_at = float("-inf")
        self._teller = ""
        self._number = 0
        self._was_silent = False

    def take(self, payload: bytes) -> None:
        """Take one digest; one that cannot be read or comes late is passed over."""
        try:
            digest = nodes_pb2.PresenceDigest.FromString(payload)
        except DecodeError as error:
            log.warning("presence digest cannot be read", error=str(error))
            return
        if digest.teller == self._teller and digest.number <= self._number:
            return
        was_silent = self._silent
        self._teller, self._number = digest.teller, digest.number
        self._heard_at = self._clock()
        self._as_of = to_datetime(digest.as_of)
        self._was_silent = False
        told = {health.node_id: _node_now(health) for health in digest.nodes}
        forgotten = digest.complete and not self._nodes.keys() <= told.keys()
        different = any(
            node_id not in self._nodes or _shown(node) != _shown(self._nodes[node_id])
            for node_id, node in told.items()
        )
        self._nodes = told if digest.complete else {**self._nodes, **told}
        if different or forgotten or (was_silent and self._nodes):
            self._changed()

    def look(self) -> None:
        """Look whether the digests have ended; called every now and then."""
        if self._as_of is not None and self._silent and not self._was_silent:
            self._was_silent = True
            log.warning("presence is not told of any more", teller=self._teller)
            self._changed()

    def now(self) -> Presence:
        """What is known of the nodes now."""
        if self._as_of is None or not self._silent:
            return Presence(dict(self._nodes), self._as_of)
        as_of = self._as_of
        old = {node_id: node.grown_old(as_of) for node_id, node in self._nodes.items()}
        return Presence(old, as_of)

    def told_until(self) -> datetime | None:
        """Until when somebody told of nodes; `None` for now, as far as this process knows."""
        if self._as_of is None:
            waited = self._clock() - self._began
            return self._began_at if waited > SILENT_AFTER else None
        return self._as_of if self._silent else None

    @property
    def _silent(self) -> bool:
        return self._clock() - self._heard_at > SILENT_AFTER


def _shown(node: NodeNow) -> object:
    """What a reader would call a change of a node; being heard of again is none."""
    feeds = {name: (heard.liveness, heard.since) for name, heard in node.feeds.items()}
    if node.vitals is None:
        return feeds, None
    return feeds, (node.vitals.software_version, node.vitals.started_at.ToNanoseconds())


def _node_now(health: nodes_pb2.NodeHealth) -> NodeNow:
    feeds = {
        state.feed: Heard(
            _LIVENESS.get(state.liveness, Liveness.UNKNOWN),
            to_datetime(state.since) if state.HasField("since") else None,
            to_datetime(state.last_received_at) if state.HasField("last_received_at") else None,
        )
        for state in health.feeds
    }
    return NodeNow(feeds, health.vitals if health.HasField("vitals") else None)
