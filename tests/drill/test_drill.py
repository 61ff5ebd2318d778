"""A network is backed up under load and lost; another home goes on with it, and nothing is amiss.

`--drill-seconds` says how long it is written to; `make drill` takes longer than `make test`.
"""

import asyncio
import contextlib
import random
import secrets
from collections import defaultdict
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import asyncpg
import httpx
import pytest

from hubkit.backup.archive import Archive
from hubkit.backup.manifest import Manifest
from hubkit.backup.tables import connect, hashes
from hubkit.topology import SERVICES
from peyvandctl import seed
from peyvandctl.cluster import Cluster
from peyvandctl.paths import Home
from peyvandctl.processes import ManagedProcess, end_orphans, orphans
from peyvandctl.state import HomeLock
from servicekit.broker import Broker
from tests.chaos.clients import Client, Ledger
from tests.chaos.oracle import SERVICES as WRITTEN
from tests.chaos.oracle import judge, names
from tests.drill.commands import Ended, is_made, killed_on_the_way, peyvand
from tests.line import oracle as line_oracle
from tests.line.joined import agent_at, ask_agent, invite, join_at
from tests.support.cluster import fresh_home, remove_abandoned_homes
from tests.support.http import PATIENCE_SECONDS
from tests.support.messaging import eventually
from tests.support.namespaces import on_loopback

pytestmark = pytest.mark.timeout(1800)

DATABASES = tuple(service.name for service in SERVICES if service.has_database)
CLIENTS = 4
REPORTS_EACH_TIME = 60
SETTLING_SECONDS = 120.0
LIMITS = {"PEYVAND_RATE_LIMIT": "100000000", "PEYVAND_CALL_TIMEOUT": str(PATIENCE_SECONDS)}


@dataclass
class Drill:
    """What happened, and the network as it goes on in another home.

    Attributes:
        folder: holds the homes, the backup, and what the node keeps.
        backup: the backup that was taken under load.
        manifest: what it says of itself.
        before: writes that were acknowledged before the backup began, and all that was asked.
        cursor: where the timeline was before the backup.
        events: what the lost network told after the cursor, until it was lost.
        killed: how the commands ended that were killed, and what they left.
        cluster: the network that was restored.
        connections: to its databases.
        log: what the center's own system was told by the node.
        store: the node's own store.
        node_id: its id.
    """

    folder: Path
    backup: Path
    manifest: Manifest
    before: Ledger
    cursor: str
    events: list[Any]
    killed: dict[str, tuple[Ended, bool]]
    cluster: Cluster
    connections: dict[str, asyncpg.Connection]
    log: line_oracle.Log
    store: Path
    node_id: str
    found: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass
class Node:
    """The node of a center, with its agent."""

    home: Home
    folder: Path
    agent: ManagedProcess
    log: Path
    handed_in: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.agent.spec.argv[-1]}"

    async def hand_in(self, seconds: float) -> None:
        """Hand reports in, one after the other, spread over some seconds."""
        async with httpx.AsyncClient(base_url=self.url, timeout=60) as http:
            with self.log.open("a", encoding="utf-8") as log:
                for _ in range(REPORTS_EACH_TIME):
                    self.handed_in += 1
                    items = [
                        {"kind": "gmp_suite", "total": 4, "used": 1},
                        {"kind": "cryostorage", "total": self.handed_in, "used": 0},
                    ]
                    report = {"observed_at": "2026-01-01T00:00:00Z", "items": items}
                    headers = {"Idempotency-Key": f"drill-{self.handed_in}"}
                    taken = (
                        (await http.post("/reports/capacity", json=report, headers=headers))
                        .raise_for_status()
                        .json()
                    )
                    log.write(f"capacity 0 {self.handed_in} {taken['number']} {taken['key']}\n")
                    await asyncio.sleep(seconds / REPORTS_EACH_TIME)

    async def settled(self) -> None:
        """Wait until the hub has told of all that was handed in."""

        async def all_told() -> bool:
            status = await ask_agent(on_loopback(""), self.url, "/status")
            return int(status["hub_has_number"]) == self.handed_in

        await eventually(all_told, within=SETTLING_SECONDS)


@pytest.fixture(scope="module")
async def drill(drill_seconds: int) -> AsyncGenerator[Drill]:
    await remove_abandoned_homes()
    with fresh_home() as outer:
        folder = outer.root
        outer.prepare()
        lock = HomeLock(outer)
        lock.acquire()
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(lock.release)
            stack.push_async_callback(_end_what_was_left, folder)
            done = await _lose(folder, outer, drill_seconds, stack)
            done.cluster = await stack.enter_async_context(
                Cluster(folder / "elsewhere", port=0, env=LIMITS)
            )
            done.connections = {
                name: await connect(done.cluster.postgres.dsn(name)) for name in DATABASES
            }
            for connection in done.connections.values():
                stack.push_async_callback(connection.close)
            yield done


async def _lose(folder: Path, outer: Home, seconds: int, stack: contextlib.AsyncExitStack) -> Drill:
    """Run a network, back it up while it is written to, lose it, and restore it."""
    home, backup = folder / "hub", folder / "taken" / "hub.backup"
    killed: dict[str, tuple[Ended, bool]] = {}
    async with Cluster(home, port=0, env=LIMITS) as cluster:
        await seed.load(cluster, lambda _: None)
        node, node_id = await _join(cluster, outer, folder, stack)
        headers = {"Authorization": f"Bearer {cluster.token('hq_admin')}"}
        async with httpx.AsyncClient(
            base_url=cluster.gateway_url, headers=headers, timeout=60
        ) as http:
            ledger = Ledger(there=await _known_names(cluster))
            await _upload(http)
            over = asyncio.Event()
            writers = [
                asyncio.create_task(
                    Client(http, ledger, f"D{number}", random.Random(number)).work(over)
                )
                for number in range(CLIENTS)
            ]
            handing_in = asyncio.create_task(node.hand_in(seconds))
            try:
                await asyncio.sleep(seconds)
                ended = await killed_on_the_way(
                    *("backup", "--to", str(backup)), home=home, at="partners: ", makes=backup
                )
                killed["backup"] = (ended, is_made(backup))
                cursor = (await _get(http, "/v1/events", page_size="1"))["head_cursor"]
                before = Ledger(acknowledged=[*ledger.acknowledged])
                ended = await peyvand("backup", "--to", str(backup), home=home)
                assert ended.status == 0, ended.output
                await handing_in
                # More is handed in, and told of by a hub that will not have been.
                await node.hand_in(seconds)
                await node.settled()
            finally:
                over.set()
                await asyncio.wait_for(asyncio.gather(*writers), SETTLING_SECONDS)
                handing_in.cancel()
            before.there, before.asked = ledger.there, ledger.asked
            events = await _all_followed(http, cursor)
        assert len(ledger.acknowledged) > len(before.acknowledged)
    with Archive.open(backup) as archive:
        manifest = archive.manifest
    done = Drill(
        folder,
        backup,
        manifest,
        before,
        cursor,
        events,
        killed,
        cluster,
        {},
        line_oracle.Log.read(node.log),
        node.folder / "reports.db",
        node_id,
    )
    await _restore(done)
    return done


async def _restore(done: Drill) -> None:
    """Put the backup in place, after two tries that are killed on the way."""
    elsewhere = done.folder / "elsewhere"
    for place in ("projects: ", "Starting the network"):
        ended = await killed_on_the_way(
            *("restore", str(done.backup)), home=elsewhere, at=place, makes=elsewhere
        )
        done.killed[f"restore at {place}"] = (ended, is_made(elsewhere))
    ended = await peyvand("restore", str(done.backup), home=elsewhere)
    assert ended.status == 0, ended.output
    done.found["said"] = ended.output
    ended = await peyvand("restore", str(done.backup), "--no-start", home=done.folder / "looked-at")
    assert ended.status == 0, ended.output


async def _join(
    cluster: Cluster, outer: Home, folder: Path, stack: contextlib.AsyncExitStack
) -> tuple[Node, str]:
    """Let a node join by the real path; its folder is its own."""
    _, node_id, token = await invite(cluster, "DRL")
    place, own = on_loopback("a drill"), folder / "node"
    await join_at(place, token, own)
    agent = agent_at(outer, place, own)
    await agent.start()
    stack.push_async_callback(agent.stop)
    return Node(outer, own, agent, folder / "accepted.log"), node_id


async def _known_names(cluster: Cluster) -> set[str | None]:
    """The names of what the facts have brought."""
    found: set[str | None] = set()
    for service in WRITTEN:
        connection = await connect(cluster.postgres.dsn(service))
        found |= await names(connection, service)
        await connection.close()
    return found


async def _upload(http: httpx.AsyncClient) -> None:
    """Keep a file of evidence."""
    answer = await http.post(
        "/v1/files",
        content=b"minutes of a drill\n",
        headers={"Content-Type": "text/plain", "Idempotency-Key": "drill-file"},
    )
    answer.raise_for_status()


async def _get(http: httpx.AsyncClient, path: str, **query: str) -> Any:
    return (await http.get(path, params=query)).raise_for_status().json()


async def _all_followed(http: httpx.AsyncClient, cursor: str) -> list[Any]:
    """The events after a cursor, once the picture has all that was written."""

    async def followed() -> bool:
        streams = (await _get(http, "/v1/network/status"))["streams"]
        return all(stream["position"] == stream["last_position"] for stream in streams)

    await eventually(followed, within=SETTLING_SECONDS)
    events: list[Any] = []
    more = True
    while more:
        page = await _get(http, "/v1/events", after=cursor, page_size="200")
        events += page["events"]
        cursor, more = page["next_cursor"], page["more"]
    return events


async def _end_what_was_left(folder: Path) -> None:
    """End the processes of a restore that was killed and not tried again."""
    draft = Home(folder / "elsewhere.restoring")
    if draft.running.exists():
        await end_orphans(draft, orphans(draft), grace=5.0)


def _undated(part: Any) -> Any:
    """A part of an answer without the time that it was asked for."""
    if isinstance(part, dict):
        items = cast("dict[str, Any]", part).items()
        return {name: _undated(value) for name, value in items if name != "as_of"}
    if isinstance(part, list):
        return [_undated(value) for value in cast("list[Any]", part)]
    return part


@pytest.fixture(scope="module")
async def http(drill: Drill) -> AsyncGenerator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {drill.cluster.token('hq_admin')}"}
    url = drill.cluster.gateway_url
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
        yield client


def test_what_was_killed_left_nothing_that_could_be_taken_for_whole(drill: Drill) -> None:
    assert len(drill.killed) == 3
    for what, (ended, is_there) in drill.killed.items():
        assert ended.status == -9, f"{what}: {ended.output}"
        assert not is_there, what
    assert not (drill.folder / "elsewhere.restoring").exists()
    assert {path.name for path in drill.backup.parent.glob("*")} == {"hub.backup", "hub.keys"}


async def test_every_table_has_the_rows_that_the_manifest_tells(drill: Drill) -> None:
    async with Cluster(drill.folder / "looked-at", services=[], port=0, nodes_port=0) as cluster:
        for service in DATABASES:
            found = await hashes(cluster.postgres.dsn(service))
            assert found == drill.manifest.databases[service].tables, service
    filled = {table for it in drill.manifest.databases.values() for table in it.tables}
    assert {"center", "known_center", "outbox", "inbox", "timeline", "node_receipt"} <= filled
    (file,) = drill.manifest.files or {}
    kept = drill.cluster.home.objects / "sha256" / file[:2] / file
    assert kept.read_bytes() == b"minutes of a drill\n"


async def test_what_was_acknowledged_before_is_there_and_both_sides_agree(drill: Drill) -> None:
    assert drill.before.acknowledged
    broker = await Broker.connect(drill.cluster.nats.access, name="oracle")
    try:
        verdict: list[str] = ["not looked at"]

        async def content() -> bool:
            verdict[:] = await judge(drill.connections, broker, drill.before)
            return not verdict

        with contextlib.suppress(TimeoutError):
            await eventually(content, within=SETTLING_SECONDS)
        assert verdict == []
    finally:
        await broker.close()
    assert set(WRITTEN) <= set(drill.connections)


async def test_the_picture_is_that_of_the_events(drill: Drill, http: httpx.AsyncClient) -> None:
    assert "The picture was made anew" in drill.found["said"]
    assert "it is the same" in drill.found["said"]

    async def same() -> bool:
        before = await _get(http, "/v1/network/status")
        key = {"Idempotency-Key": f"drill-rebuild-{secrets.token_hex(4)}"}
        answer = await http.post("/v1/network:rebuild", json={}, headers=key)
        rebuilt = answer.raise_for_status().json()
        after = await _get(http, "/v1/network/status")
        shown = [_undated([it["centers"], it["totals"]]) for it in (before, after)]
        return rebuilt["digest_before"] == rebuilt["digest_after"] and shown[0] == shown[1]

    await eventually(same, within=SETTLING_SECONDS)


async def test_a_cursor_of_before_goes_on(drill: Drill, http: httpx.AsyncClient) -> None:
    told = {event["id"] for event in drill.events}
    again: dict[str, list[str]] = defaultdict(list)
    for event in await _all_followed(http, drill.cursor):
        again[event["source"]].append(event["id"])
    was: dict[str, list[str]] = defaultdict(list)
    for event in drill.events:
        was[event["source"]].append(event["id"])
    assert was
    for source, ids in was.items():
        # What was there at the cut comes first and in its order; then what is new.
        old = [id for id in again[source] if id in told]
        assert old == ids[: len(old)], source
        assert again[source][: len(old)] == old, source
    assert any(id in told for ids in again.values() for id in ids)


async def test_reports_of_before_and_after_are_there_once(drill: Drill) -> None:
    wrong: list[str] = ["not looked at"]

    async def nothing_amiss() -> bool:
        hub = await line_oracle.read_hub(drill.connections["centers"], drill.node_id)
        found = line_oracle.judge(drill.log, hub, drill.store)
        # One that the lost hub had told of is told of again.
        wrong[:] = [line for line in found if not line.endswith("has 2 receipts")]
        return not wrong

    with contextlib.suppress(TimeoutError):
        await eventually(nothing_amiss, within=SETTLING_SECONDS)
    assert wrong == []
    assert drill.log.count == 2 * REPORTS_EACH_TIME
    # The lost hub had confirmed more of them than the backup has.
    assert drill.manifest.databases["centers"].tables["capacity_snapshot"].rows < drill.log.count


async def test_a_planted_corruption_is_found_and_named(drill: Drill) -> None:
    planted = drill.folder / "planted.backup"
    whole = drill.backup.read_bytes()
    with Archive.open(drill.backup) as archive:
        name = "databases/centers/outbox.copy"
        info = archive._zip.getinfo(name)
    middle = info.header_offset + 80 + info.compress_size // 2
    planted.write_bytes(whole[:middle] + bytes([whole[middle] ^ 0x55]) + whole[middle + 1 :])
    ended = await peyvand("backup", "--verify", str(planted), home=drill.folder)
    assert ended.status == 1
    assert name in ended.output
    target = drill.folder / "never"
    ended = await peyvand("restore", str(planted), "--without-keys", home=target)
    assert (ended.status, target.exists()) == (1, False)
    assert name in ended.output
    planted.write_bytes(whole[: len(whole) // 2])
    ended = await peyvand("restore", str(planted), "--without-keys", home=target)
    assert (ended.status, target.exists()) == (1, False)
    assert "cut off" in ended.output
