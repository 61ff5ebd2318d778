"""Reads both ends of a line after a storm and says what is wrong; nothing is the good answer.

The ends: what the center's own system was told (the producer's log), what the agent keeps
(reports and receipts), and what the hub has in its database and has announced.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from node_agent.store import Store
from peyvand.centers.v1 import reports_pb2

if TYPE_CHECKING:
    from collections.abc import Sequence

_EVENTS = """
SELECT subject, payload FROM outbox
WHERE subject LIKE 'evt.centers.capacity_snapshot.%' OR subject LIKE 'evt.centers.period_report.%'
ORDER BY seq
"""
_MOST_TOLD = 20


@dataclass
class Log:
    """What the center's own system was told.

    Attributes:
        accepted: the indexes of each feed in the order of the numbers that the agent gave.
        keys: feed and index by the key that the agent gave.
        wrong: what was wrong already when it was told.
    """

    accepted: dict[str, list[int]]
    keys: dict[str, tuple[str, int]]
    wrong: list[str]

    @classmethod
    def read(cls, path: Path) -> Log:
        """Read the producer's log."""
        log = cls({}, {}, [])
        numbered: dict[str, list[tuple[int, int]]] = defaultdict(list)
        last: dict[tuple[str, str], int] = {}
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("refused"):
                log.wrong.append(f"the agent refused: {line}")
                continue
            feed, machine, index, number, key = line.split()
            numbered[feed].append((int(number), int(index)))
            log.keys[key] = (feed, int(index))
            # A machine hands a report in once the one before was accepted.
            if int(number) <= last.get((feed, machine), 0):
                log.wrong.append(f"the agent numbered {feed} {index} before an earlier one")
            last[feed, machine] = int(number)
        log.accepted = {feed: [index for _, index in sorted(all)] for feed, all in numbered.items()}
        return log

    @property
    def count(self) -> int:
        """How many were accepted."""
        return len(self.keys)


@dataclass(frozen=True)
class Hub:
    """What the hub has: the indexes of each feed in the order in which it recorded them."""

    recorded: dict[str, list[int]]
    snapshots: int
    last_numbers: list[int]
    refused: list[str]


async def read_hub(connection: asyncpg.Connection, node_id: str) -> Hub:
    """Read the hub's database."""
    recorded: dict[str, list[int]] = {"capacity": [], "report": []}
    for row in await connection.fetch(_EVENTS):
        if ".capacity_snapshot." in row["subject"]:
            snapshot = reports_pb2.CapacitySnapshotEvent.FromString(row["payload"])
            recorded["capacity"].append(int(snapshot.capacity_snapshot.items[1].total))
        else:
            report = reports_pb2.PeriodReportEvent.FromString(row["payload"]).period_report
            recorded["report"].append(report.figures.samples_processed)
    numbers = await connection.fetch(
        "SELECT last_number FROM node_journal WHERE node_id = $1", node_id
    )
    refused = await connection.fetch("SELECT feed, number, violations::text FROM refused_report")
    return Hub(
        recorded,
        int(await connection.fetchval("SELECT count(*) FROM capacity_snapshot") or 0),
        [row["last_number"] for row in numbers],
        [f"{row['feed']} {row['number']}: {row['violations']}" for row in refused],
    )


def judge(log: Log, hub: Hub, store: Path) -> list[str]:
    """Compare all; returns what is wrong."""
    wrong = [*log.wrong]
    wrong += [f"the hub refused: {line}" for line in hub.refused]
    for feed, accepted in log.accepted.items():
        wrong += _once_and_in_order(feed, accepted, hub.recorded[feed])
    if hub.snapshots != len(log.accepted["capacity"]):
        wrong.append(f"the hub has {hub.snapshots} snapshots")
    if hub.last_numbers != [log.count]:
        wrong.append(f"the hub stands at {hub.last_numbers}, accepted were {log.count}")
    return wrong + _agent(log, store)


def _once_and_in_order(feed: str, accepted: Sequence[int], recorded: Sequence[int]) -> list[str]:
    if list(accepted) == list(recorded):
        return []
    counts = Counter(recorded)
    wrong = [f"{feed} {index} is lost" for index in accepted if not counts[index]]
    wrong += [f"{feed} {index} is there {n} times" for index, n in counts.items() if n > 1]
    wrong += [f"{feed} {index} was never accepted" for index in counts.keys() - set(accepted)]
    places = {index: place for place, index in enumerate(accepted)}
    order = [places[index] for index in recorded if index in places]
    wrong += [
        f"{feed} {accepted[after]} comes after {accepted[before]}"
        for before, after in itertools.pairwise(order)
        if after < before
    ]
    return wrong[:_MOST_TOLD]


def _agent(log: Log, path: Path) -> list[str]:
    store = Store(path)
    try:
        standing = store.standing()
        wrong: list[str] = []
        if standing.queued:
            wrong.append(f"{standing.queued} reports wait at the agent")
        heard: Counter[str] = Counter()
        position = 0
        while found := store.receipts(position, 1000):
            position = found[-1][0]
            heard.update(receipt.key for _, receipt in found if receipt.id)
        lacking = [key for key in log.keys if heard[key] != 1]
        wrong += [f"{log.keys[key]} has {heard[key]} receipts" for key in lacking[:_MOST_TOLD]]
    finally:
        store.close()
    return wrong
