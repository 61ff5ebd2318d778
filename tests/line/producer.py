"""A center's own system: hands reports in at the agent's HTTP API, and notes what was accepted.

``python -m tests.line.producer URL LOG COUNT PERIOD`` runs where the agent runs. Each of some
machines hands in one report after the other; what is not answered is handed in again with
the same `Idempotency-Key`, which names the log too. A line of the log, written once the agent
has accepted: feed, machine, index, number, key. A line that begins with `refused` tells what
the agent answered otherwise.
"""

import asyncio
import contextlib
import sys
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, TextIO

import httpx

FEEDS = ("capacity", "report")
_MACHINES = {"capacity": 6, "report": 1}
_PATHS = {"capacity": "/reports/capacity", "report": "/reports/period"}
_LONGEST_PAUSE = 0.5


def index_share(count: int) -> dict[str, int]:
    """How many of `count` reports belong to each feed: figures of a month change seldom."""
    period = count // 10
    return {"capacity": count - period, "report": period}


def body(feed: str, index: int, period: str) -> Mapping[str, Any]:
    """A report that carries its index in a figure."""
    if feed == "capacity":
        items = [
            {"kind": "gmp_suite", "total": 4, "used": index % 5},
            {"kind": "cryostorage", "total": index, "used": index / 2},
            {"kind": "flow_cytometry", "total": 12, "used": index % 13},
            {"kind": "qc_lab", "total": 30, "used": index % 31},
        ]
        return {"observed_at": datetime.now(UTC).isoformat(), "items": items}
    figures = {"samples_processed": index, "products_released": index // 3, "trainees": 25}
    return {"period": period, "figures": figures}


@dataclass(frozen=True)
class _Machine:
    client: httpx.AsyncClient
    log: TextIO
    feed: str
    name: int
    period: str

    async def hand_in(self, indexes: Iterator[int]) -> None:
        """Hand in a report for each index that is left."""
        for index in indexes:
            answer = await self._answer(index)
            if answer.is_success:
                taken = answer.json()
                place = f"{self.feed} {self.name} {index} {taken['number']} {taken['key']}"
                self.log.write(f"{place}\n")
            else:
                self.log.write(f"refused {self.feed} {index} {answer.status_code} {answer.text}\n")

    async def _answer(self, index: int) -> httpx.Response:
        """Hand one report in until it is answered."""
        report, pause = body(self.feed, index, self.period), 0.01
        headers = {"Idempotency-Key": f"{Path(self.log.name).stem}-{self.feed}-{index}"}
        while True:
            with contextlib.suppress(httpx.TransportError):
                answer = await self.client.post(_PATHS[self.feed], json=report, headers=headers)
                if answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                    return answer
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


async def _main(url: str, log: Path, count: int, period: str) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=10.0, trust_env=False) as client:
        with log.open("a", encoding="utf-8", buffering=1) as file:
            works: list[Coroutine[Any, Any, None]] = []
            for feed, share in index_share(count).items():
                indexes = iter(range(1, share + 1))
                works += [
                    _Machine(client, file, feed, name, period).hand_in(indexes)
                    for name in range(_MACHINES[feed])
                ]
            await asyncio.gather(*works)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
