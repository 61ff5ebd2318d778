"""One center in the picture: what is recorded of it, and how it is heard of now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from observatory.domain.liveness import HEARTBEAT, Heard, Liveness, best_of, worst_of
from observatory.projections.presence_board import NodeNow, Presence
from peyvand.centers.v1 import centers_pb2, nodes_pb2, reports_pb2
from peyvand.observatory.v1 import network_pb2 as pb
from servicekit.mapping import to_timestamp

LIVENESS = {liveness: getattr(pb, f"LIVENESS_{liveness.name}") for liveness in Liveness}

# Nodes that are expected to be heard of; the others make a center neither fresh nor stale.
_EXPECTED = frozenset({nodes_pb2.NODE_STATE_ENROLLED, nodes_pb2.NODE_STATE_ACTIVE})
# The order in which feeds are shown; those that are not known here come last.
_FEEDS = (HEARTBEAT, "capacity", "report")


@dataclass(frozen=True)
class Reported:
    """What a center reported last."""

    capacity: reports_pb2.CapacitySnapshot | None = None
    approved_period: str = ""


@dataclass(frozen=True)
class CenterNow:
    """How a center is heard of now, by feed and altogether."""

    feeds: Mapping[str, Heard]
    together: Heard


def center_now(nodes: Iterable[nodes_pb2.Node], presence: Presence) -> CenterNow:
    """How a center with these nodes is heard of: each feed as its best node gives it."""
    heard: dict[str, list[Heard]] = {}
    for node in nodes:
        if node.state in _EXPECTED:
            for feed, state in presence.node(node.id).feeds.items():
                heard.setdefault(feed, []).append(state)
    feeds = {feed: best_of(heard[feed]) for feed in sorted(heard, key=_feed_order)}
    return CenterNow(feeds, worst_of(feeds))


def center_status(
    center: centers_pb2.Center,
    nodes: Sequence[nodes_pb2.Node],
    reported: Reported,
    presence: Presence,
    now: CenterNow,
    *,
    is_concerned: bool,
) -> pb.CenterStatus:
    """One center as a caller sees it; `is_concerned`: the headquarters, or its own staff."""
    status = pb.CenterStatus(
        center_id=center.id,
        external_key=center.external_key,
        code=center.code,
        names=center.names,
        province=center.province,
        city=center.city if center.HasField("city") else None,
        state=center.state,
        state_reason=center.state_reason,
        state_since=center.state_since,
        opened_date=center.opened_date if center.HasField("opened_date") else None,
        liveness=LIVENESS[now.together.liveness],
        feeds=[_feed(name, heard) for name, heard in now.feeds.items()],
        sample=center.sample,
        updated_at=center.updated_at,
        nodes=[_node(node, presence.node(node.id), is_concerned=is_concerned) for node in nodes],
        last_approved_period=reported.approved_period,
    )
    if now.together.since is not None:
        status.liveness_since.CopyFrom(to_timestamp(now.together.since))
    if reported.capacity is not None:
        status.capacity.CopyFrom(reported.capacity)
        if not is_concerned:
            status.capacity.ClearField("node_id")
    return status


def _node(node: nodes_pb2.Node, now: NodeNow, *, is_concerned: bool) -> pb.NodeStatus:
    heard = now.heartbeat
    status = pb.NodeStatus(
        node_id=node.id,
        state=node.state,
        liveness=LIVENESS[heard.liveness],
        sample=node.sample,
        # The registry of services tells these to everyone.
        software_version=node.software_version,
        joined_at=node.joined_at if node.HasField("joined_at") else None,
        updated_at=node.updated_at if node.HasField("updated_at") else None,
    )
    if heard.since is not None:
        status.since.CopyFrom(to_timestamp(heard.since))
    if heard.last_received_at is not None:
        status.last_received_at.CopyFrom(to_timestamp(heard.last_received_at))
    if not is_concerned:
        return status
    status.name = node.name
    if node.HasField("credentials_expire_at"):
        status.credentials_expire_at.CopyFrom(node.credentials_expire_at)
    if now.vitals is not None:
        status.vitals.CopyFrom(now.vitals)
    return status


def _feed(name: str, heard: Heard) -> pb.FeedFreshness:
    feed = pb.FeedFreshness(feed=name, liveness=LIVENESS[heard.liveness])
    if heard.since is not None:
        feed.since.CopyFrom(to_timestamp(heard.since))
    if heard.last_received_at is not None:
        feed.last_received_at.CopyFrom(to_timestamp(heard.last_received_at))
    return feed


def _feed_order(feed: str) -> tuple[int, str]:
    return (_FEEDS.index(feed) if feed in _FEEDS else len(_FEEDS)), feed
