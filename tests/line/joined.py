"""A network with one node of a center behind a line that fails: joined by the real path."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from peyvandctl.cluster import Cluster
from peyvandctl.processes import ManagedProcess, ProcessSpec
from peyvandctl.state import LOOPBACK, free_port
from tests.support.cluster import fresh_home, remove_abandoned_homes
from tests.support.fault_proxy import FaultProxy
from tests.support.http import PATIENCE_SECONDS
from tests.support.namespaces import LinePlace, inside

if TYPE_CHECKING:
    from peyvandctl.paths import Home

SERVICES = ("centers", "registrar", "gateway")
_UNLIMITED = {
    "PEYVAND_RATE_LIMIT": "100000000",
    "PEYVAND_CALL_TIMEOUT": str(PATIENCE_SECONDS),
}
# What a node says whom nobody has answered, and what it advises.
_AGAIN = "Try the same token again in a minute"
_HERE = (LOOPBACK, "localhost", "::1")


@dataclass
class Joined:
    """A hub, a line with faults, and a node with its agent at the other end.

    Attributes:
        cluster: the hub.
        proxy: the line.
        place: where the two ends are.
        node_id: the node's id.
        center_id: its center's.
        folder: the node's own folder.
        agent: the agent's process.
        url: the agent's HTTP API, from where the agent is.
    """

    cluster: Cluster
    proxy: FaultProxy
    place: LinePlace
    node_id: str
    center_id: str
    folder: Path
    agent: ManagedProcess
    url: str

    async def status(self) -> Any:
        """What the agent says of itself; `None` when it does not answer."""
        return await ask_agent(self.place, self.url, "/status")

    async def until_line_is(self, *, up: bool, within: float) -> None:
        """Wait until the agent says of its line that it is up, or that it is not.

        Raises `TimeoutError` with what it says instead, after `within` seconds.
        """
        until, said = time.monotonic() + within, None
        while time.monotonic() < until:
            said = await self.status()
            if said is not None and (said["line"]["state"] == "online") == up:
                return
            await asyncio.sleep(0.25)
        raise TimeoutError(f"the agent goes on to say: {said and said['line']}")


@contextlib.asynccontextmanager
async def joined(
    place: LinePlace, *, beside: tuple[str, ...] = (), env: Mapping[str, str] | None = None
) -> AsyncGenerator[Joined]:
    """Start a hub, join a node to it through the line, and start its agent."""
    await remove_abandoned_homes()
    settings = _UNLIMITED | dict(env or {})
    async with contextlib.AsyncExitStack() as stack:
        home = stack.enter_context(fresh_home())
        services = [*SERVICES, *beside]
        cluster = await stack.enter_async_context(
            Cluster(home.root, services=services, port=0, env=settings)
        )
        proxy = await stack.enter_async_context(
            FaultProxy.start(
                (LOOPBACK, cluster.nats.port),
                host=place.hub_host,
                namespace=place.hub_namespace,
            )
        )
        await _open_to(cluster, proxy)
        center_id, node_id, token = await invite(cluster)
        folder = home.root / "node"
        await join_at(place, token, folder)
        agent = agent_at(home, place, folder)
        await agent.start()
        stack.push_async_callback(agent.stop)
        port = agent.spec.argv[-1]
        url = f"http://{LOOPBACK}:{port}"
        yield Joined(cluster, proxy, place, node_id, center_id, folder, agent, url)


async def _open_to(cluster: Cluster, proxy: FaultProxy) -> None:
    """Have the hub tell nodes to come through the proxy, under an address of its certificate.

    The broker goes on to listen on loopback alone.
    """
    host, port = proxy.address
    if cluster.nats.authority.ensure([*dict.fromkeys((host, *_HERE))]):
        await cluster.process("nats").restart()
    centers = cluster.process("centers")
    changed = {**centers.spec.env, "PEYVAND_NODE_HUB": f"{host}:{port}"}
    centers.spec = replace(centers.spec, env=changed)
    await centers.restart()


async def invite(cluster: Cluster, code: str = "RKH", hub: str = "") -> tuple[str, str, str]:
    """Record a center with an approved node; returns their ids and a join token."""
    headers = {"Authorization": f"Bearer {cluster.token('hq_admin')}"}
    async with httpx.AsyncClient(base_url=cluster.gateway_url, headers=headers, timeout=60) as hq:

        async def post(path: str, body: Mapping[str, Any], **more: str) -> Any:
            given = {"Idempotency-Key": f"{code} {path}", **more}
            until = time.monotonic() + PATIENCE_SECONDS
            answer = await hq.post(path, json=body, headers=given)
            while answer.is_server_error and time.monotonic() < until:
                # A service was started anew a moment ago.
                await asyncio.sleep(0.1)
                answer = await hq.post(path, json=body, headers=given)
            return answer.raise_for_status().json()

        given = {"code": code, "names": {"en": f"Center {code}"}, "province": "IR-09"}
        center = await post("/v1/centers", given)
        node = await post("/v1/nodes", {"center_id": center["id"], "name": "Server room"})
        match = {"If-Match": f'"{node["etag"]}"'}
        await post(f"/v1/nodes/{node['id']}:approve", {}, **match)
        token = await post(f"/v1/nodes/{node['id']}/join-tokens", {})
    return center["id"], node["id"], token["token"]


async def join_at(place: LinePlace, token: str, folder: Path) -> None:
    """Join at the node's end of the line, as soon as somebody listens to nodes at the hub."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            await run_at_node(place, "join", token, "--no-start", "--home", str(folder))
        except RuntimeError as error:
            if _AGAIN not in " ".join(str(error).split()) or time.monotonic() > until:
                raise
        else:
            return


async def run_at_node(place: LinePlace, *arguments: str) -> str:
    """Run the node's program at its end of the line; returns what it says."""
    process = await asyncio.create_subprocess_exec(
        *(*place.node_launcher, sys.executable, "-m", "node_agent", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 2 * PATIENCE_SECONDS)
    if process.returncode:
        raise RuntimeError(f"peyvand-node {arguments[0]}: {output.decode()}")
    return output.decode()


def agent_at(home: Home, place: LinePlace, folder: Path) -> ManagedProcess:
    """The agent of a node's folder; its record lies in the home."""
    port = free_port()

    async def ready() -> bool:
        return await ask_agent(place, f"http://{LOOPBACK}:{port}", "/livez") is not None

    command = (sys.executable, "-m", "node_agent", "run", "--home", str(folder))
    return ManagedProcess(
        home,
        ProcessSpec(
            "agent",
            (*command, "--port", str(port)),
            dict(os.environ),
            home.root,
            ready,
            launcher=place.node_launcher,
        ),
    )


async def ask_agent(place: LinePlace, url: str, path: str) -> Any:
    """Ask the agent on its own loopback; `None` when nobody answers there."""
    port = int(url.rpartition(":")[2])
    with inside(None if place.pair is None else place.pair.node.path):
        end = socket.socket()
    end.setblocking(False)
    # Closed by who has it at last: the loop must not go on to know a number that is given anew.
    last: socket.socket | asyncio.StreamWriter = end
    try:
        async with asyncio.timeout(2.0):
            await asyncio.get_running_loop().sock_connect(end, (LOOPBACK, port))
            reader, last = await asyncio.open_connection(sock=end)
            head = f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\nConnection: close\r\n\r\n"
            last.write(head.encode())
            answer = await reader.read()
        status, _, rest = answer.partition(b"\r\n")
        found = rest.partition(b"\r\n\r\n")[2]
        return json.loads(found) if b" 200 " in status else None
    except (OSError, TimeoutError, ValueError):
        # Also cut short: who is asked may be killed while it answers.
        return None
    finally:
        last.close()
