"""The nodes of the centers: how they are, what they tell of themselves, what they are to do."""

from collections.abc import Iterable
from datetime import UTC, timedelta

from gateway.pages.picture import Picture
from gateway.pages.reading import LIVENESS, Reader
from gateway.pages.view_model import NodeMark, NodeRow, Vital
from peyvand.centers.v1 import nodes_pb2
from peyvand.observatory.v1 import network_pb2
from servicekit.contract import enum_names

NODE_STATE = nodes_pb2.NodeState.DESCRIPTOR
# What of a node's own account asks for a look.
CLOCK_OFF_SECONDS = 5
DISK_LOW_BYTES = 1024**3
QUEUE_OLD_SECONDS = 600
EXPIRES_SOON = timedelta(days=7)

_JOINED = ("enrolled", "active", "suspended")
_MAY_JOIN = ("approved", "enrolled", "active")
_ENDED = ("withdrawn", "revoked")
_ORDER = ("applied", "approved", "suspended", "enrolled", "active", *_ENDED)
_BYTES = ((1024**4, "TiB"), (1024**3, "GiB"), (1024**2, "MiB"))
_END = "\N{POP DIRECTIONAL ISOLATE}"
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def marks(reader: Reader, nodes: Iterable[network_pb2.NodeStatus]) -> Iterable[NodeMark]:
    """The nodes of one center."""
    for node in nodes:
        yield mark(reader, node)


def mark(reader: Reader, node: network_pb2.NodeStatus) -> NodeMark:
    """A node by its name, its state and how fresh what is known of it is."""
    state = enum_names(NODE_STATE)[node.state]
    liveness = enum_names(LIVENESS)[node.liveness]
    # Silence about freshness is not freshness.
    liveness = "unknown" if liveness == "unspecified" else liveness
    return NodeMark(
        id=node.node_id,
        # What its center calls it is told to the headquarters and to the center alone.
        name=node.name or reader.words.say("Node"),
        state=state,
        state_label=reader.words.label(NODE_STATE, state),
        liveness=liveness,
        liveness_label=reader.words.label(LIVENESS, liveness),
        since=reader.moment(node.since) if node.HasField("since") else None,
        is_sample=node.sample,
    )


def rows(reader: Reader, picture: Picture) -> tuple[NodeRow, ...] | None:
    """All nodes for the headquarters, those that wait for a step first; None: not known."""
    if picture.nodes is None:
        return None
    statuses = {
        node.node_id: node
        for center in (picture.status.centers if picture.status else ())
        for node in center.nodes
    }
    names = {
        center.center_id: reader.short_name(center)
        for center in (picture.status.centers if picture.status else ())
    }
    order = {state: place for place, state in enumerate(_ORDER)}
    found = [
        _row(reader, node, statuses.get(node.id), names.get(node.center_id, node.center_id))
        for node in picture.nodes.nodes
    ]
    return tuple(sorted(found, key=lambda row: (order.get(row.mark.state, 9), row.center)))


def _row(
    reader: Reader, node: nodes_pb2.Node, status: network_pb2.NodeStatus | None, center: str
) -> NodeRow:
    known = network_pb2.NodeStatus()
    if status is not None:
        known.CopyFrom(status)
    # The record is newer than the picture that is made from its events.
    known.node_id, known.name, known.state, known.sample = (
        node.id,
        node.name,
        node.state,
        node.sample,
    )
    shown = mark(reader, known)
    expires = None
    if node.HasField("credentials_expire_at") and shown.state in _JOINED:
        expires = node.credentials_expire_at
    left = expires.ToDatetime(UTC) - reader.now if expires is not None else None
    return NodeRow(
        mark=shown,
        center=center,
        version=node.software_version,
        expires=reader.moment(expires) if expires is not None else None,
        expires_soon=left is not None and left < EXPIRES_SOON,
        heard=reader.moment(known.last_received_at) if known.HasField("last_received_at") else None,
        vitals=tuple(_vitals(reader, known)) if known.HasField("vitals") else (),
        etag=node.etag,
        may_approve="approve" in node.allowed_actions,
        # Who may take no step with it may make no token for it either.
        may_join=shown.state in _MAY_JOIN and bool(node.allowed_actions),
    )


def _vitals(reader: Reader, node: network_pb2.NodeStatus) -> Iterable[Vital]:
    words, vitals = reader.words, node.vitals
    queue = words.say_count("%(count)s report", "%(count)s reports", vitals.queued_reports)
    if vitals.queued_reports:
        age = duration(reader, vitals.oldest_queued_seconds)
        queue = words.say("%(queue)s, the oldest for %(age)s", queue=queue, age=age)
    yield Vital(
        words.say("Waiting to be sent"), queue, vitals.oldest_queued_seconds > QUEUE_OLD_SECONDS
    )
    free = vitals.disk_free_bytes
    yield Vital(words.say("Free disk"), size(reader, free), free < DISK_LOW_BYTES)
    ahead = round(vitals.clock_ahead_ms / 1000)
    if not ahead:
        clock = words.say("right")
    elif ahead > 0:
        clock = words.say("%(time)s fast", time=duration(reader, ahead))
    else:
        clock = words.say("%(time)s slow", time=duration(reader, -ahead))
    yield Vital(words.say("Clock"), clock, abs(ahead) > CLOCK_OFF_SECONDS)


def size(reader: Reader, count: int) -> str:
    """A number of bytes, in the greatest unit that it fills."""
    for unit, name in _BYTES:
        if count >= unit:
            return f"{reader.words.decimal(count / unit)} \N{LEFT-TO-RIGHT ISOLATE}{name}" + _END
    return reader.words.say("under 1 MiB")


def duration(reader: Reader, seconds: int) -> str:
    """A length of time, in the greatest unit that it fills."""
    say = reader.words.say_count
    if seconds >= _DAY:
        return say("%(count)s day", "%(count)s days", seconds // _DAY)
    if seconds >= _HOUR:
        return say("%(count)s hour", "%(count)s hours", seconds // _HOUR)
    if seconds >= _MINUTE:
        return say("%(count)s minute", "%(count)s minutes", seconds // _MINUTE)
    return say("%(count)s second", "%(count)s seconds", seconds)
