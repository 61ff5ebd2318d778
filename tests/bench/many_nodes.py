"""Many nodes in one process: ``python -m tests.bench.many_nodes ORDER``.

Each joins over the line as any node does, and runs the real agent with a store in memory.
It writes a line of JSON when all are online, and another when its input says to stop.
"""

import asyncio
import json
import logging
import random
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import structlog

from node_agent import PROTOCOL, VERSION
from node_agent.agent import Agent
from node_agent.home import Identity, NodeCredentials
from node_agent.hub_identity import shown_by
from node_agent.line import Hub, trusting
from node_agent.store import Store
from node_agent.writer import InlineStore
from nodekit import subjects
from nodekit.join_token import JoinToken
from nodekit.keys import KeyKind, NKey
from peyvand.node.v1 import protocol_pb2 as pb

_AT_ONCE = 8
_ONLINE_SECONDS = 300.0


async def _invited(order: Any, count: int) -> list[JoinToken]:
    """Have the headquarters make approved nodes and their tokens."""
    headers = {"Authorization": f"Bearer {order['token']}"}
    numbers = iter(range(count))
    tokens: list[JoinToken] = []
    async with httpx.AsyncClient(
        base_url=order["gateway"], headers=headers, timeout=60.0, trust_env=False
    ) as client:

        async def post(path: str, body: Any, **more: str) -> Any:
            key = {"Idempotency-Key": f"{path} {body.get('name', '')}".strip()}
            answer = await client.post(path, json=body, headers=key | more)
            return answer.raise_for_status().json()

        async def some() -> None:
            for number in numbers:
                given = {"center_id": order["center_id"], "name": f"Machine {number}"}
                node = await post("/v1/nodes", given)
                match = {"If-Match": f'"{node["etag"]}"'}
                await post(f"/v1/nodes/{node['id']}:approve", {}, **match)
                token = await post(f"/v1/nodes/{node['id']}/join-tokens", {"valid_seconds": 7_200})
                tokens.append(JoinToken.decode(token["token"]))

        await asyncio.gather(*(some() for _ in range(_AT_ONCE)))
    return tokens


async def _join(hub: Hub, authority: str, tokens: list[JoinToken]) -> list[Identity]:
    identities: list[Identity] = []
    left = iter(tokens)

    async def some() -> None:
        for token in left:
            key = NKey.new(KeyKind.USER)
            request = pb.JoinRequest(
                secret=token.secret,
                public_key=key.public,
                software_version=VERSION,
                protocol_version=PROTOCOL,
            )
            request.time.FromDatetime(datetime.now(UTC))
            line = await hub(None, "")
            try:
                answer = await line.request(subjects.JOIN, request.SerializeToString(), 30.0)
            finally:
                await line.close()
            reply = pb.JoinReply.FromString(answer)
            if not reply.HasField("joined"):
                raise RuntimeError(reply.refusal.en)
            joined = reply.joined
            expires_at = joined.credentials.expires_at.ToDatetime(tzinfo=UTC)
            identities.append(
                Identity(
                    node_id=joined.node_id,
                    center_id=joined.center_id,
                    center_code=joined.center_code,
                    center_names={},
                    hub=token.hub,
                    fingerprint=token.fingerprint,
                    authority=authority,
                    joined_at=datetime.now(UTC),
                    credentials=NodeCredentials(joined.credentials.jwt, key.seed, expires_at),
                )
            )

    await asyncio.gather(*(some() for _ in range(_AT_ONCE)))
    return identities


async def _keep(_identity: Identity) -> None:
    """Nothing outlives this process."""


def _memory() -> int:
    return psutil.Process().memory_full_info().uss


async def _main(order: Any) -> None:
    tokens = await _invited(order, order["nodes"])
    shown = await asyncio.to_thread(shown_by, tokens[0].host, tokens[0].port, tokens[0].fingerprint)
    hub = Hub(tokens[0].hub, trusting(shown.authority), connect_seconds=60.0)
    identities = await _join(hub, shown.authority, tokens)
    memory = _memory()
    agents = [Agent(one, InlineStore(Store(None)), hub, keep=_keep) for one in identities]
    running: list[asyncio.Task[None]] = []
    for agent in agents:
        running.append(asyncio.create_task(agent.run()))
        # They were not all started in one moment.
        await asyncio.sleep(random.uniform(0.0, 0.04))
    async with asyncio.timeout(_ONLINE_SECONDS):
        await asyncio.gather(*(agent.wait_online() for agent in agents))
    _tell({"memory": memory, "beats": _beats(agents)})
    await asyncio.to_thread(sys.stdin.readline)
    online = sum(agent.line.state == "online" for agent in agents)
    _tell({"online": online, "beats": _beats(agents)})
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


def _beats(agents: list[Agent]) -> int:
    return sum(agent._heartbeats for agent in agents)


def _tell(what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    logging.basicConfig(level=logging.CRITICAL)
    asyncio.run(_main(json.loads(Path(sys.argv[1]).read_text("utf-8"))))
