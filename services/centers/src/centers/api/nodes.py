"""Which use case answers which rpc of ``peyvand.centers.v1.Nodes``, and how."""

from functools import partial

from centers.domain.nodes import Node
from centers.use_cases import nodes as use_cases
from centers.use_cases.nodes import HubAddress, NodeHealths
from peyvand.centers.v1 import nodes_pb2 as pb
from servicekit.database import Database, WriteSession
from servicekit.idempotency import once
from servicekit.rpc_server import Call
from servicekit.rpcs import Rpcs


def nodes_api(database: Database, hub: HubAddress | None, healths: NodeHealths) -> Rpcs:
    """Make the handlers of the service. Without `hub` no node can join."""
    rpcs = Rpcs(database)
    rpcs.read(use_cases.get_node, use_cases.list_nodes, use_cases.list_node_steps)
    rpcs.read(get_node_health=partial(use_cases.get_node_health, healths=healths))
    rpcs.once(use_cases.create_node, use_cases.resume_node)
    for action in Node.EVENTS:
        if action != "resume":
            rpcs.once(**{f"{action}_node": partial(use_cases.take_node_step, action=action)})
    rpcs.handle("create_join_token", partial(_create_join_token, database, hub))
    return rpcs


async def _create_join_token(
    database: Database, hub: HubAddress | None, request: pb.CreateJoinTokenRequest, call: Call
) -> pb.JoinToken:
    """Make a token; only this answer shows it, not the one that is kept for the key."""

    async def work(session: WriteSession) -> pb.JoinToken:
        token = ""

        async def make() -> pb.JoinToken:
            nonlocal token
            kept, token = await use_cases.create_join_token(session, request, call, hub)
            return kept

        answer = await once(session, call, request, make)
        return pb.JoinToken(
            token=token,
            node_id=answer.node_id,
            expires_at=answer.expires_at,
            hub=answer.hub,
            authority_fingerprint=answer.authority_fingerprint,
        )

    return await database.write(work)
