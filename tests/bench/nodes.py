"""What a node costs: reports through the agent beside one HTTP POST each, and many nodes at once.

The peer is what a center would do without an agent: one `POST /v1/capacity-snapshots` for
each report, straight to the public API, over one connection that stays open, with an
`Idempotency-Key`. Both go through the proxy of `tests.support.fault_proxy`, which counts
the bytes in both directions and can make the line slow. The agent's line is encrypted,
the peer's is not: TLS would add to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil

from peyvandctl.state import LOOPBACK
from tests.bench.contenders import cpu_seconds
from tests.bench.load import REPOSITORY
from tests.line.joined import Joined, joined
from tests.line.producer import body
from tests.support.fault_proxy import FaultProxy
from tests.support.namespaces import on_loopback

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Sequence

SYSTEMS_OF_A_CENTER = 30
CAPACITY_EVERY_MINUTES = 5
A_DAYS_REPORTS = SYSTEMS_OF_A_CENTER * 24 * 60 // CAPACITY_EVERY_MINUTES
"""What a large center keeps in a day without a line: each of its systems reports capacity.

Heartbeats are not kept, and the figures of a month are one report in a month.
"""
_PATIENCE_SECONDS = 600.0
_MONTH = "2026-09"
# Whatever runs at the hub for its nodes.
_HUB = ("nats", "centers", "postgres", "registrar")
_MIB = 1024 * 1024
# Each node has a connection through the proxy, of which the proxy holds both ends.
_FILES_OF_A_NODE = 2
_FILES_BESIDE = 1_000
_PAGE = 200
_ASKED_AT_ONCE = 8


@dataclass(frozen=True)
class NodePlan:
    """How much is measured.

    `backlog` are reports kept while the line is cut; `posted` those of the peer; `nodes`
    heartbeat for `seconds`.
    """

    backlog: int = A_DAYS_REPORTS
    posted: int = 1_000
    delay: float = 0.1
    nodes: int = 1_000
    seconds: float = 60.0


@dataclass(frozen=True)
class Carried:
    """Reports that were carried from a center into the hub's database.

    `bytes_up` and `bytes_down` are of one report; `seconds` of all.
    """

    how: str
    line: str
    reports: int
    seconds: float
    bytes_up: float
    bytes_down: float

    @property
    def rate(self) -> float:
        """Reports in a second."""
        return self.reports / self.seconds


@dataclass(frozen=True)
class AgentMemory:
    """What the process of one agent has for itself alone at a moment, in MiB."""

    when: str
    memory: float


@dataclass(frozen=True)
class Share:
    """What one process uses for each node.

    Attributes:
        process: which.
        cpu: milliseconds in a second.
        memory: what has come with the nodes, in KiB; what else is done meanwhile can hide it
            when they are few.
        whole: memory of the whole process at the end, in MiB.
    """

    process: str
    cpu: float
    memory: float
    whole: float


@dataclass(frozen=True)
class Heartbeats:
    """Many nodes that heartbeat against one hub.

    `online` is how many say so of themselves, `known_online` how many the hub says are.
    """

    nodes: int
    online: int
    known_online: int
    seconds: float
    beats: int
    shares: Sequence[Share]


async def carry(plan: NodePlan) -> tuple[list[Carried], list[AgentMemory]]:
    """Carry reports by the agent and by the peer, over a quick line and a slow one."""
    found: list[Carried] = []
    memory: list[AgentMemory] = []
    async with joined(on_loopback("a bench")) as world, _public_api(world) as (line, post):
        memory.append(_agent_memory(world, "at rest, before any report"))
        for delay in (0.0, plan.delay):
            found.append(await _by_agent(world, plan.backlog, delay, memory))
            found.append(await _by_peer(line, post, plan.posted, delay))
    return found, memory


def _agent_memory(world: Joined, when: str) -> AgentMemory:
    return AgentMemory(when, _memory(world.agent.pid) / _MIB)


async def _by_agent(world: Joined, count: int, delay: float, memory: list[AgentMemory]) -> Carried:
    goal = await _hub_has(world) + count
    await world.proxy.refuse()
    await _hand_in(world, count, goal)
    memory.append(_agent_memory(world, f"{count} reports wait, {_name(delay)}"))
    # Counted while nothing passes: what the agent sends is under way as soon as it can be.
    before = await world.proxy.counts()
    await world.proxy.mend()
    began = time.monotonic()
    await world.proxy.shape(delay=delay)
    await _arrived(world, goal)
    seconds, after = time.monotonic() - began, await world.proxy.counts()
    memory.append(_agent_memory(world, f"all have been carried, {_name(delay)}"))
    await world.proxy.mend()
    return Carried(
        "agent, after a cut",
        _name(delay),
        count,
        seconds,
        (after.up - before.up) / count,
        (after.down - before.down) / count,
    )


async def _hand_in(world: Joined, count: int, goal: int) -> None:
    async with httpx.AsyncClient(base_url=world.url, timeout=30.0, trust_env=False) as client:
        numbers = iter(range(1, count + 1))

        async def some() -> None:
            for number in numbers:
                answer = await client.post(
                    "/reports/capacity",
                    json=body("capacity", number, _MONTH),
                    headers={"Idempotency-Key": f"{goal}-{number}"},
                )
                answer.raise_for_status()

        await asyncio.gather(*(some() for _ in range(8)))


async def _arrived(world: Joined, goal: int) -> None:
    """Wait until the agent knows that the hub has so many."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        has = await _hub_has(world)
        while has < goal:
            await asyncio.sleep(0.05)
            has = await _hub_has(world)


async def _hub_has(world: Joined) -> int:
    """How many the hub has, as the agent knows, as soon as it says so."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        status = await world.status()
        while status is None:
            await asyncio.sleep(0.05)
            status = await world.status()
    return int(status["hub_has_number"])


@contextlib.asynccontextmanager
async def _public_api(world: Joined) -> AsyncGenerator[tuple[FaultProxy, httpx.AsyncClient]]:
    """The public API behind a line of its own, and a client with one connection."""
    port = int(world.cluster.gateway_url.rpartition(":")[2])
    token = world.cluster.token("center_operator", center_ids=[world.center_id])
    async with (
        FaultProxy.start((LOOPBACK, port)) as line,
        httpx.AsyncClient(
            base_url=f"http://{LOOPBACK}:{line.address[1]}",
            headers={"Authorization": f"Bearer {token}", "X-Center": world.center_id},
            timeout=30.0,
            trust_env=False,
        ) as client,
    ):
        yield line, client


async def _by_peer(
    line: FaultProxy, client: httpx.AsyncClient, count: int, delay: float
) -> Carried:
    # On a slow line each report waits for the answer to the one before.
    count = max(10, count // 10) if delay else count
    await line.shape(delay=delay)
    before, began = await line.counts(), time.monotonic()
    for number in range(1, count + 1):
        report = {**body("capacity", number, _MONTH), "center_id": client.headers["X-Center"]}
        key = {"Idempotency-Key": f"{_name(delay)}-{number}"}
        answer = await client.post("/v1/capacity-snapshots", json=report, headers=key)
        answer.raise_for_status()
    seconds, after = time.monotonic() - began, await line.counts()
    await line.mend()
    return Carried(
        "one POST a report",
        _name(delay),
        count,
        seconds,
        (after.up - before.up) / count,
        (after.down - before.down) / count,
    )


def _name(delay: float) -> str:
    return f"{delay * 1000:.0f} ms each way" if delay else "loopback"


@contextlib.contextmanager
def _room_for(files: int) -> Generator[None]:
    """Let the processes that are started meanwhile open so many files each."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < files:
        if hard != resource.RLIM_INFINITY and hard < files:
            raise RuntimeError(
                f"So many nodes need {files} open files, and only {hard} may be had here:"
                " raise the hard limit (ulimit -Hn), or measure fewer nodes."
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def heartbeats(plan: NodePlan) -> Heartbeats:
    """Let many nodes of one process heartbeat, and measure what each side uses for them.

    Raises `RuntimeError` when the hub does not know all of them to be online at the end.
    """
    files = _FILES_OF_A_NODE * plan.nodes + _FILES_BESIDE
    with _room_for(files):
        async with joined(on_loopback("a bench")) as world:
            return await _heartbeats(world, plan)


async def _heartbeats(world: Joined, plan: NodePlan) -> Heartbeats:
    await world.agent.stop()
    with tempfile.TemporaryDirectory() as folder:
        order = Path(folder) / "order.json"
        order.write_text(
            json.dumps(
                {
                    "gateway": world.cluster.gateway_url,
                    "token": world.cluster.token("hq_admin", ttl=7_200),
                    "center_id": world.center_id,
                    "nodes": plan.nodes,
                }
            )
        )
        alone = {name: _memory(world.cluster.process(name).pid) for name in _HUB}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.many_nodes", str(order)),
            cwd=REPOSITORY,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            return await _measured(world, process, plan, alone)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _measured(
    world: Joined, process: asyncio.subprocess.Process, plan: NodePlan, alone: dict[str, int]
) -> Heartbeats:
    assert process.stdin is not None
    assert process.stdout is not None
    first = await asyncio.wait_for(process.stdout.readline(), _PATIENCE_SECONDS)
    begun = json.loads(first)
    pids = {name: world.cluster.process(name).pid for name in _HUB} | {"agents": process.pid}
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    await asyncio.sleep(plan.seconds)
    after = {name: cpu_seconds(pid) for name, pid in pids.items()}
    memory = {name: _memory(pid) for name, pid in pids.items()}
    known_online = await _known_online(world)
    process.stdin.write(b"stop\n")
    ended = json.loads(await asyncio.wait_for(process.stdout.readline(), _PATIENCE_SECONDS))
    await process.wait()
    alone["agents"] = begun["memory"]
    shares = [
        Share(
            name,
            (after[name] - before[name]) * 1000 / plan.seconds / plan.nodes,
            (memory[name] - alone[name]) / 1024 / plan.nodes,
            memory[name] / _MIB,
        )
        for name in pids
    ]
    if known_online != plan.nodes:
        raise RuntimeError(f"the hub knows {known_online} of {plan.nodes} nodes to be online")
    beats = ended["beats"] - begun["beats"]
    return Heartbeats(plan.nodes, ended["online"], known_online, plan.seconds, beats, shares)


async def _known_online(world: Joined) -> int:
    """Ask the hub, for each node that it lists, whether it is online; count those that are.

    That of the world itself, whose agent was stopped, is left out.
    """
    token = world.cluster.token("hq_admin", ttl=7_200)
    async with httpx.AsyncClient(
        base_url=world.cluster.gateway_url,
        headers={"Authorization": f"Bearer {token}"},
        timeout=60.0,
        trust_env=False,
    ) as client:
        ids: list[str] = []
        page: dict[str, str | int] = {"page_size": _PAGE}
        while page:
            answer = (await client.get("/v1/nodes", params=page)).raise_for_status().json()
            ids += [node["id"] for node in answer["nodes"] if node["id"] != world.node_id]
            following = answer.get("next_page_token")
            page = {"page_size": _PAGE, "page_token": following} if following else {}
        left = iter(ids)

        async def some() -> int:
            online = 0
            for id in left:
                answer = await client.get(f"/v1/nodes/{id}/health")
                feeds = answer.raise_for_status().json()["feeds"]
                online += any(
                    (feed["feed"], feed["liveness"]) == ("heartbeat", "online") for feed in feeds
                )
            return online

        return sum(await asyncio.gather(*(some() for _ in range(_ASKED_AT_ONCE))))


def _memory(pid: int) -> int:
    """Memory of a process and its children that is theirs alone, in bytes."""
    process = psutil.Process(pid)
    total = 0
    for one in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += one.memory_full_info().uss
    return total


def carried_table(carried: Sequence[Carried]) -> str:
    """Return the figures as a Markdown table."""
    head = (
        "| how | line | reports | seconds | reports/s | of peer | bytes a report | up | down "
        "| of peer |"
    )
    lines = [head, "|---|---|" + "--:|" * 8]
    peers = {one.line: one for one in carried if one.how.startswith("one POST")}
    for one in carried:
        peer = peers[one.line]
        both, of_peer = one.bytes_up + one.bytes_down, peer.bytes_up + peer.bytes_down
        cells = [
            one.how,
            one.line,
            str(one.reports),
            f"{one.seconds:.1f}",
            f"{one.rate:.0f}",
            f"{one.rate / peer.rate:.2f}",
            f"{both:.0f}",
            f"{one.bytes_up:.0f}",
            f"{one.bytes_down:.0f}",
            f"{both / of_peer:.2f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def memory_table(memory: Sequence[AgentMemory]) -> str:
    """Return the figures as a Markdown table."""
    lines = ["| agent | memory MiB |", "|---|--:|"]
    lines += [f"| {one.when} | {one.memory:.1f} |" for one in memory]
    return "\n".join(lines) + "\n"


def heartbeats_table(measured: Heartbeats) -> str:
    """Return the figures as a Markdown table."""
    rate = measured.beats / measured.seconds
    online = (
        f"{measured.nodes} nodes; at the end {measured.online} of them said to be online,"
        f" and the hub knew {measured.known_online} to be so"
    )
    lines = [
        f"{online}; {rate:.0f} heartbeats/s over {measured.seconds:.0f} s.\n",
        "| process | CPU ms a node and second | memory KiB a node | memory MiB in all |",
        "|---|--:|--:|--:|",
    ]
    lines += [
        f"| {one.process} | {one.cpu:.3f} | {one.memory:.1f} | {one.whole:.0f} |"
        for one in measured.shares
    ]
    return "\n".join(lines) + "\n"
