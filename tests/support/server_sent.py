"""Reads ``text/event-stream`` as a browser does: what is not an event is passed over."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Sent:
    """One event: the cursor after it, its type, and the CloudEvent."""

    id: str
    type: str
    data: dict[str, Any]


@asynccontextmanager
async def stream(
    http: httpx.AsyncClient, *, last_event_id: str = "", **query: str
) -> AsyncGenerator[AsyncGenerator[Sent | str]]:
    """Open the stream of events; it gives ids of their own as texts, and events."""
    headers = {"Accept": "text/event-stream"}
    if last_event_id:
        headers["Last-Event-ID"] = last_event_id
    async with http.stream("GET", "/v1/events:stream", params=query, headers=headers) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _read(answer)


async def _read(answer: httpx.Response) -> AsyncGenerator[Sent | str]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        name, _, value = line.partition(": ")
        if line:
            fields[name] = value
        elif "data" in fields:
            yield Sent(fields["id"], fields["event"], json.loads(fields["data"]))
            fields = {}
        else:
            if "id" in fields:
                yield fields["id"]
            fields = {}
