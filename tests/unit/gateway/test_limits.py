"""Who is counted together, and how many streams a caller may have open."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI

from gateway.limits import Seats, caller_key
from peyvand.observatory.v1 import events_pb2
from tests.support.gateway import FakeClients


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (("ali", "192.0.2.1"), ("ali", "192.0.2.2"), True),
        (("ali", "192.0.2.1"), ("", "192.0.2.1"), False),
        (("", "192.0.2.1"), ("", "192.0.2.2"), False),
        (("", "2001:db8::1"), ("", "2001:db8::ffff:1:2:3"), True),
        (("", "2001:db8::1"), ("", "2001:db8:0:1::1"), False),
        (("", "::ffff:192.0.2.1"), ("", "::ffff:192.0.2.2"), False),
        (("a:192.0.2.1", ""), ("", "192.0.2.1"), False),
    ],
)
def test_who_is_counted_together(
    one: tuple[str, str], other: tuple[str, str], together: bool
) -> None:
    assert (caller_key(*one) == caller_key(*other)) is together


def test_a_seat_is_free_again_when_it_is_given_back() -> None:
    seats = Seats(2)
    assert [seats.take("a"), seats.take("a"), seats.take("a"), seats.take("b")] == [
        True,
        True,
        False,
        True,
    ]
    seats.give_back("a")
    assert seats.take("a")


async def test_a_caller_has_so_many_streams_open_and_no_more(
    make_app: Callable[..., FastAPI], clients: FakeClients
) -> None:
    page = events_pb2.ListEventsResponse(head_cursor="x", next_cursor="x")
    clients.answers["ListEvents"] = page
    app = make_app(stream_limit=2)
    gone = asyncio.Event()

    async def opened(
        path: str = "/v1/events:stream",
    ) -> tuple[int, asyncio.Task[None]]:
        status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def receive() -> dict[str, Any]:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                status.set_result(message["status"])

        scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [],
            "client": ("192.0.2.1", 1),
        }
        task = asyncio.create_task(app(scope, receive, send))
        return await asyncio.wait_for(status, 60), task

    # Those of a page and those of the interface are counted together.
    streams = [await opened(path) for path in ("/v1/events:stream", "/pages/live", "/pages/live")]
    assert [status for status, _ in streams] == [200, 200, 429]
    gone.set()
    await asyncio.gather(*(task for _, task in streams))
    gone.clear()
    status, last = await opened()
    assert status == 200
    gone.set()
    await last
