"""What the service does with nodes for the callers of the API."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol

from centers import tables
from centers.domain.centers import ENDED
from centers.domain.nodes import LONGEST_TOKEN, USUAL_TOKEN, Node
from centers.repository.centers import centers
from centers.repository.nodes import (
    bar_keys,
    nodes,
    nodes_of,
    put_token,
    replace_tokens,
    unbar_keys,
)
from domainkit.aggregate import Occasion
from nodekit.join_token import JoinToken, new_secret, secret_digest
from peyvand.centers.v1 import nodes_pb2 as pb
from servicekit.contract import enum_names
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault
from servicekit.ids import new_id
from servicekit.mapping import read_fields, to_timestamp
from servicekit.policy import reaches, sees_all
from servicekit.requests import occasion
from servicekit.rpc_server import Call

_CUTS_OFF = frozenset({"suspend", "withdraw", "revoke"})


@dataclass(frozen=True)
class HubAddress:
    """Where nodes reach the hub, and by which authority they know it.

    `hub` is host and port, `fingerprint` the SHA-256 of the authority's certificate.
    """

    hub: str
    fingerprint: str


class NodeHealths(Protocol):
    """Knows what is known of nodes now."""

    def health_of(self, node_id: str, center_id: str) -> pb.NodeHealth:
        """What is known of one node; what is not known is told as unknown."""
        ...


async def get_node(session: ReadSession, request: pb.GetNodeRequest, call: Call) -> pb.Node:
    """Give one node."""
    return nodes.present(await get_seen(session, request.node_id, call), call)


async def list_nodes(
    session: ReadSession, request: pb.ListNodesRequest, call: Call
) -> pb.ListNodesResponse:
    """Give a page of the nodes that the caller sees."""
    columns = tables.node.c
    where: list[Any] = []
    if not sees_all(call.rpc, call.principal):
        where.append(columns.center_id.in_(sorted(call.principal.center_ids)))
    if request.state:
        where.append(columns.state == enum_names(pb.NodeState.DESCRIPTOR)[request.state])
    if request.center_id:
        where.append(columns.center_id == request.center_id)
    if request.external_key:
        where.append(columns.external_key == request.external_key)
    found, token = await nodes.page(session, request, *where)
    return pb.ListNodesResponse(
        nodes=[nodes.present(node, call) for node in found], next_page_token=token
    )


async def create_node(session: WriteSession, request: pb.CreateNodeRequest, call: Call) -> pb.Node:
    """Ask for a node of a center."""
    values = read_fields(request.node, Node, only=Node.FIXED)
    now = call.now
    node = Node(
        id=new_id(nodes.id_prefix), created_at=now, updated_at=now, state_since=now, **values
    )
    _require_reach(node, call, told_as=(centers.kind, node.center_id))
    # Locked, so that it does not end meanwhile and leave the node behind.
    center = await centers.lock(session, node.center_id)
    if center.state in ENDED:
        raise Fault("CENTER_HAS_ENDED", {"state": center.state.value})
    node.recorded(occasion(request, call))
    await nodes.save(session, node)
    return nodes.present(node, call)


async def take_node_step(
    session: WriteSession, request: pb.NodeStepRequest, call: Call, action: str
) -> pb.Node:
    """Take one step in the life of a node; what cuts it off bars its keys."""
    node = await nodes.lock(session, request.node_id, request.etag)
    _require_reach(node, call)
    await _take(session, node, action, occasion(request, call))
    return nodes.present(node, call)


async def withdraw_nodes(session: WriteSession, center_id: str, occasion: Occasion) -> None:
    """Take the nodes of a center out of the network that has ended, for the same reason."""
    for node_id in await nodes_of(session, center_id):
        node = await nodes.lock(session, node_id)
        if "withdraw" in node.allowed_steps():
            await _take(session, node, "withdraw", replace(occasion, effective_date=None))


async def _take(session: WriteSession, node: Node, action: str, occasion: Occasion) -> None:
    node.take(action, occasion)
    if action in _CUTS_OFF:
        await bar_keys(session, node.id, node.state_since)
        # Also before a suspension: whoever has the token may be why it was suspended.
        await replace_tokens(session, node.id, node.state_since)
    await nodes.save(session, node)


async def resume_node(session: WriteSession, request: pb.NodeStepRequest, call: Call) -> pb.Node:
    """Let a suspended node in again, with the keys that it had when it was suspended."""
    node = await nodes.lock(session, request.node_id, request.etag)
    _require_reach(node, call)
    suspended_at = node.state_since
    node.resume(occasion(request, call))
    await unbar_keys(session, node.id, suspended_at)
    if node.joined_at is not None:
        # Those that it had left behind then may have been barred by the suspension alone.
        await bar_keys(session, node.id, call.now, issued_before=node.joined_at)
    await nodes.save(session, node)
    return nodes.present(node, call)


async def create_join_token(
    session: WriteSession, request: pb.CreateJoinTokenRequest, call: Call, hub: HubAddress | None
) -> tuple[pb.JoinToken, str]:
    """Make a token that lets a node join; give what may be kept of it, and its text.

    The text is kept nowhere: who asks again with the same key is not told it.
    """
    node = await nodes.lock(session, request.node_id)
    _require_reach(node, call)
    node.issue_token(occasion(request, call))
    if hub is None:
        raise Fault("JOINING_NOT_SET_UP")
    wanted = timedelta(seconds=request.valid_seconds) or USUAL_TOKEN
    expires_at = call.now + min(wanted, LONGEST_TOKEN)
    token = JoinToken(hub.hub, hub.fingerprint, new_secret())
    await put_token(session, node.id, secret_digest(token.secret), call.now, expires_at)
    await nodes.save(session, node)
    answer = pb.JoinToken(
        node_id=node.id,
        expires_at=to_timestamp(expires_at),
        hub=hub.hub,
        authority_fingerprint=hub.fingerprint,
    )
    return answer, token.encode()


async def list_node_steps(
    session: ReadSession, request: pb.ListNodeStepsRequest, call: Call
) -> pb.ListNodeStepsResponse:
    """Give a page of the steps that a node has taken."""
    node = await get_seen(session, request.node_id, call)
    steps, token = await nodes.steps(session, node.id, request)
    return pb.ListNodeStepsResponse(steps=steps, next_page_token=token)


async def get_node_health(
    session: ReadSession, request: pb.GetNodeRequest, call: Call, healths: NodeHealths
) -> pb.NodeHealth:
    """Tell what is known of a node now."""
    node = await get_seen(session, request.node_id, call)
    return healths.health_of(node.id, node.center_id)


async def get_seen(session: ReadSession, node_id: str, call: Call) -> Node:
    """The node, if this caller may see it. Raises `Fault` ``NOT_FOUND``."""
    node = await nodes.get(session, node_id)
    _require_reach(node, call)
    return node


def _require_reach(node: Node, call: Call, told_as: tuple[str, str] | None = None) -> None:
    own = nodes.owned_by(node, call)
    if not reaches(call.rpc, call.principal, own=own):
        raise Fault.not_found(*(told_as or (nodes.kind, node.id)))
