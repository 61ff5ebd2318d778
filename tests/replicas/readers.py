"""Clients that read while processes are replaced, and write down whatever goes wrong.

Unlike the writers of the chaos tests they are told no second time: one answer that is not
what was asked for is a failed request.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx

from tests.support.server_sent import Sent, stream

if TYPE_CHECKING:
    from collections.abc import Sequence

# One of each service, and the page.
PATHS = (
    "/v1/centers?page_size=5",
    "/v1/projects?page_size=5",
    "/v1/institutions?page_size=5",
    "/v1/network/status",
    "/v1/events?page_size=5",
    "/",
)


@dataclass
class Read:
    """What readers asked and what went wrong."""

    answered: int = 0
    failed: list[str] = field(default_factory=list[str])


async def read_on(http: httpx.AsyncClient, read: Read, done: asyncio.Event, first: int) -> None:
    """Read one path after the other until `done`; begin with the `first`."""
    for path in itertools.islice(itertools.cycle(PATHS), first, None):
        if done.is_set():
            return
        try:
            answer = await http.get(path)
        except httpx.HTTPError as error:
            read.failed.append(f"GET {path}: {error!r}")
        else:
            read.answered += 1
            if answer.status_code != HTTPStatus.OK:
                read.failed.append(f"GET {path}: {answer.status_code} {answer.text[:300]}")
        await asyncio.sleep(0.01)


class Follower:
    """Follows the stream of events as a browser does: cut off, it goes on after the last id."""

    def __init__(self, http: httpx.AsyncClient, cursor: str) -> None:
        self.seen: list[str] = []
        self.cut_off = 0
        self.failed: list[str] = []
        self._http = http
        self._cursor = cursor

    async def follow(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                async with stream(self._http, last_event_id=self._cursor) as events:
                    async for event in events:
                        if isinstance(event, Sent):
                            self.seen.append(event.data["id"])
                            self._cursor = event.id
            except (httpx.HTTPError, AssertionError) as error:
                self.failed.append(repr(error))
            self.cut_off += 1
            await asyncio.sleep(0.2)

    def missing(self, ids: Sequence[str]) -> set[str]:
        """Which of these it has not seen."""
        return set(ids) - set(self.seen)
