"""What the gateway says of itself, to its end."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from gateway.edge import Departure
from gateway.probes import router


async def serving() -> dict[str, bool]:
    return {"centers": True}


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_one_that_goes_says_so_while_it_still_answers(path: str) -> None:
    leaving = asyncio.Event()
    app = FastAPI()
    app.include_router(router(serving, leaving))
    app.add_middleware(Departure, leaving=leaving)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        stays = await http.get(path)
        leaving.set()
        goes = await http.get(path)
    assert (stays.status_code, goes.status_code) == (200, 503)
    assert goes.json()["status"] == "leaving"
    # The connection ends with the answer, so that nobody sends a request into its end.
    assert "connection" not in stays.headers
    assert goes.headers["connection"] == "close"
