"""Reads every side of the network and says where two of them disagree.

The sides: what clients were told, each service's tables and outbox, the streams at the
broker, the timeline and the records of the observatory (of its own resources too), the
copies that projects and partners keep.
`judge` returns one sentence for each thing that is wrong; an empty list means that
nothing was lost, nothing happened twice and nothing is out of order.
"""

import contextlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from peyvand.centers.v1 import centers_pb2
from servicekit.broker import DEAD_LETTERS, Broker, event_stream
from servicekit.contract import enum_names
from servicekit.pull import PullInterruptedError, PullReader
from tests.chaos.clients import Ledger

Connections = Mapping[str, asyncpg.Connection]
"""A connection to each service's database, by the service's name."""

_CENTERS = "SELECT id, version, state, code AS name FROM center"
_INSTITUTIONS = (
    "SELECT id, version, NULL::text AS state, names->0->>'text' AS name FROM institution"
)
_AGREEMENTS = "SELECT id, version, state, titles->>'en' AS name FROM agreement"
# What was written to in each service; a name carries the key that it was created with.
_ORIGINALS = {
    "centers": _CENTERS,
    "partners": " UNION ALL ".join(
        (
            _INSTITUTIONS,
            _AGREEMENTS,
            "SELECT id, version, state, titles->>'en' FROM activity",
        )
    ),
    "projects": "SELECT id, version, state, titles->>'en' AS name FROM project",
    "observatory": """
        SELECT id, version, NULL::text AS state, titles->>'en' AS name FROM plan
        UNION ALL SELECT id, version, NULL, titles->>'en' FROM indicator
        UNION ALL SELECT id, version, NULL, claim->>'en' FROM observation
        UNION ALL SELECT id, version, state, text->>'en' FROM action_item
    """,
}
SERVICES = tuple(_ORIGINALS)
# What services keep of their neighbours: whose copy, of whom, the original and the copy.
_COPIES = (
    (
        "projects",
        "centers",
        _CENTERS,
        "SELECT id, version, state, code AS name FROM known_center",
    ),
    (
        "projects",
        "partners",
        _INSTITUTIONS,
        "SELECT id, version, NULL::text AS state, names->0->>'text' AS name FROM known_institution",
    ),
    (
        "projects",
        "partners",
        _AGREEMENTS,
        "SELECT id, version, state, titles->>'en' AS name FROM known_agreement",
    ),
    (
        "partners",
        "centers",
        "SELECT id, version, coalesce(external_key, '') FROM center",
        "SELECT id, version, external_key FROM known_center",
    ),
)
_PREFIXES = {
    "centers": ("ctr_",),
    "partners": ("ins_", "agr_", "act_"),
    "projects": ("prj_",),
    "observatory": ("pln_", "ind_", "obs_", "itm_"),
}
_TRIES = 5
_STATES = enum_names(centers_pb2.CenterState.DESCRIPTOR)
_OUTBOX = """
SELECT event_id, aggregate_id, aggregate_version, subject, headers::text AS headers, payload,
    stream_seq, published_at FROM outbox ORDER BY seq
"""
_TIMELINE = """
SELECT event_id, subject, stream_seq FROM timeline
WHERE stream = $1 AND generation = (
    SELECT coalesce(max(generation), 0) FROM rebuild WHERE finished_at IS NOT NULL
) ORDER BY stream_seq
"""


async def judge(connections: Connections, broker: Broker, ledger: Ledger) -> list[str]:
    """Compare all sides; returns what is wrong."""
    for _ in range(_TRIES - 1):
        # A machine that stands still for some seconds keeps the broker's answer from coming.
        with contextlib.suppress(NatsError, PullInterruptedError, TimeoutError):
            return await _judged(connections, broker, ledger)
    return await _judged(connections, broker, ledger)


async def _judged(connections: Connections, broker: Broker, ledger: Ledger) -> list[str]:
    wrong: list[str] = []
    for service in SERVICES:
        outbox = await connections[service].fetch(_OUTBOX)
        messages = await _messages(broker, event_stream(service).name)
        wrong += await _acknowledged(connections[service], ledger, service)
        wrong += await _keys(connections[service], ledger, service)
        wrong += await _outbox(connections[service], service, outbox)
        wrong += _stream(service, outbox, messages)
        wrong += await _timeline(connections["observatory"], service, outbox)
        wrong += await _failures(connections[service], service)
    wrong += await _records(connections)
    wrong += await _copies(connections)
    dead = await broker.stream_info(DEAD_LETTERS.name)
    if dead is not None and dead.state.messages:
        wrong.append(f"{dead.state.messages} events went to the dead letters")
    return wrong


async def names(connection: asyncpg.Connection, service: str) -> set[str | None]:
    """The names of all that a service has recorded."""
    return {row["name"] for row in await connection.fetch(_ORIGINALS[service])}


async def _acknowledged(connection: asyncpg.Connection, ledger: Ledger, service: str) -> list[str]:
    """Every acknowledged write is one step of its aggregate."""
    rows = await connection.fetch("SELECT aggregate_id, version FROM step")
    steps = Counter((row["aggregate_id"], row["version"]) for row in rows)
    return [
        f"{service}: acknowledged write {write.id} v{write.version} is there {count} times"
        for write in ledger.acknowledged
        if write.service == service and (count := steps[write.id, write.version]) != 1
    ]


async def _keys(connection: asyncpg.Connection, ledger: Ledger, service: str) -> list[str]:
    """Each key acted at most once, an acknowledged one exactly once and as was answered."""
    rows = await connection.fetch("SELECT key FROM idempotency_key")
    stored = Counter(row["key"] for row in rows)
    wrong = [
        f"{service}: key {write.key} is there {stored[write.key]} times"
        for write in ledger.acknowledged
        if write.service == service and write.key and stored[write.key] != 1
    ]
    # No constraint keeps the names of most of them unique.
    named = Counter(row["name"] for row in await connection.fetch(_ORIGINALS[service]))
    for key, count in named.items():
        if key in ledger.there:
            continue
        if key not in ledger.asked:
            wrong.append(f"{service}: nobody asked for {key}")
        if count > 1:
            wrong.append(f"{service}: key {key} made {count} resources")
    created = {w.key for w in ledger.acknowledged if w.service == service and w.version == 1}
    wrong += [f"{service}: what key {key} made is lost" for key in sorted(created - set(named))]
    return wrong


async def _outbox(
    connection: asyncpg.Connection, service: str, outbox: Sequence[asyncpg.Record]
) -> list[str]:
    """Each version of each aggregate is announced once, in order, and the last one is its own."""
    announced = defaultdict[str, list[int]](list)
    for row in outbox:
        announced[row["aggregate_id"]].append(row["aggregate_version"])
    rows = await connection.fetch(_ORIGINALS[service])
    versions: dict[str, int] = {row["id"]: row["version"] for row in rows}
    wrong = [
        f"{service}: {id} is at v{version}, its events tell {announced.get(id)}"
        for id, version in versions.items()
        if announced.get(id) != list(range(1, version + 1))
    ]
    wrong += [
        f"{service}: {id} has events and is not there"
        for id in announced
        if id not in versions and id.startswith(_PREFIXES[service])
    ]
    waiting = sum(row["published_at"] is None for row in outbox)
    return [*wrong, f"{service}: {waiting} events wait to be published"] if waiting else wrong


def _stream(
    service: str,
    outbox: Sequence[asyncpg.Record],
    messages: Sequence[tuple[int, str, str, bytes]],
) -> list[str]:
    """The stream holds the outbox: each event once, as recorded, each aggregate in order."""
    known = {str(row["event_id"]): row for row in outbox}
    wrong = _counted(f"{service}: stream", [id for _, id, _, _ in messages], known)
    last: dict[str, int] = {}
    for sequence, id, subject, payload in messages:
        row = known.get(id)
        if row is None:
            continue
        if (row["subject"], row["payload"]) != (subject, payload):
            wrong.append(f"{service}: event {id} is another one in the stream")
        if row["stream_seq"] != sequence:
            wrong.append(f"{service}: event {id} is marked {row['stream_seq']}, is at {sequence}")
        wrong += _ordered(f"{service}: stream", row, last)
    return wrong


async def _timeline(
    connection: asyncpg.Connection, service: str, outbox: Sequence[asyncpg.Record]
) -> list[str]:
    """The timeline shows each event once, each aggregate's in the order of its versions."""
    known = {str(row["event_id"]): row for row in outbox}
    rows = await connection.fetch(_TIMELINE, event_stream(service).name)
    wrong = _counted(f"{service}: timeline", [str(row["event_id"]) for row in rows], known)
    last: dict[str, int] = {}
    for row in rows:
        event = known.get(str(row["event_id"]))
        if event is not None:
            wrong += _ordered(f"{service}: timeline", event, last)
    return wrong


def _counted(place: str, found: Iterable[str], known: Mapping[str, Any]) -> list[str]:
    counts = Counter(found)
    wrong = [f"{place}: event {id} is lost" for id in known if id not in counts]
    wrong += [f"{place}: event {id} was never recorded" for id in counts if id not in known]
    doubled = {id: count for id, count in counts.items() if count > 1}
    return wrong + [f"{place}: event {id} is there {n} times" for id, n in doubled.items()]


def _ordered(place: str, row: asyncpg.Record, last: dict[str, int]) -> list[str]:
    id, version = row["aggregate_id"], row["aggregate_version"]
    before = last.get(id, 0)
    last[id] = version
    return [] if version == before + 1 else [f"{place}: {id} goes from v{before} to v{version}"]


async def _records(connections: Connections) -> list[str]:
    """What the observatory shows of each resource is what its service says of it."""
    rows = await connections["observatory"].fetch(
        "SELECT id, message, name_en FROM record WHERE generation = ("
        "SELECT coalesce(max(generation), 0) FROM rebuild WHERE finished_at IS NOT NULL)"
    )
    shown = {row["id"]: row for row in rows}
    wrong: list[str] = []
    for service, query in _ORIGINALS.items():
        resources = await connections[service].fetch(query)
        ids = {row["id"] for row in resources}
        there = {id for id in shown if id.startswith(_PREFIXES[service])}
        wrong += [f"records: {id} is missing" for id in sorted(ids - there)]
        wrong += [f"records: {id} does not exist" for id in sorted(there - ids)]
    centers = await connections["centers"].fetch(_CENTERS)
    for row in centers:
        message = shown[row["id"]]["message"] if row["id"] in shown else None
        if message is None:
            continue
        center = centers_pb2.Center.FromString(message)
        shows = (center.code, _STATES[center.state], center.etag)
        is_so = (row["name"], row["state"], f"v{row['version']}")
        if shows != is_so:
            wrong.append(f"records: {row['id']} shows {shows}, is {is_so}")
    return wrong


async def _copies(connections: Connections) -> list[str]:
    """The copies that services keep of their neighbours are equal to the originals."""
    wrong: list[str] = []
    for keeper, service, query, copied in _COPIES:
        originals = await connections[service].fetch(query)
        copies = await connections[keeper].fetch(copied)
        original = {row["id"]: tuple(row) for row in originals}
        copy = {row["id"]: tuple(row) for row in copies}
        wrong += [
            f"copies: {id} is {original.get(id)}, {keeper} knows {copy.get(id)}"
            for id in sorted(original.keys() | copy.keys())
            if original.get(id) != copy.get(id)
        ]
    return wrong


async def _failures(connection: asyncpg.Connection, service: str) -> list[str]:
    rows = await connection.fetch("SELECT projection, event_id, reason FROM projection_failure")
    return [f"{service}: {row['projection']} failed: {row['reason']}" for row in rows]


async def _messages(broker: Broker, stream: str) -> list[tuple[int, str, str, bytes]]:
    """All messages of a stream: sequence, event id, subject, payload."""
    info = await broker.stream_info(stream)
    if info is None or not info.state.messages:
        return []
    consumer = await broker.jetstream.add_consumer(
        stream,
        ConsumerConfig(
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.NONE,
            mem_storage=True,
            inactive_threshold=30,
        ),
    )
    found: list[tuple[int, str, str, bytes]] = []
    async with PullReader(broker, stream, consumer.name or "", batch=500) as reader:
        while len(found) < info.state.messages:
            for message in await reader.next_batch():
                # Two messages of one id are what is looked for here, so the id is that
                # of the event and not the broker's own.
                id = str(UUID((message.headers or {})["ce-id"]))
                sequence = message.metadata.sequence.stream
                found.append((sequence, id, message.subject, message.data))
    return found
