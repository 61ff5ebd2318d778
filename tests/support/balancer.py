"""A stand-in for what is put in front of several gateways: it asks them, and goes round.

Like an ingress it never sends a request a second time: what goes wrong is seen by the client.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

_ASK_EVERY = 0.2  # seconds
_ANSWERS_WITHIN = 2.0  # seconds


class Balancer(httpx.AsyncBaseTransport):
    """Carries requests to the gateways that say that they take them, one after the other.

    Attributes:
        ready: the gateways that said so when they were asked last.
        carried: how many requests each has been sent.
    """

    def __init__(self, gateways: Sequence[str]) -> None:
        self._urls = {url: httpx.URL(url) for url in gateways}
        self._transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=200))
        self._next = 0
        self.ready: tuple[str, ...] = tuple(gateways)
        self.carried: Counter[str] = Counter()

    @classmethod
    @contextlib.asynccontextmanager
    async def before(cls, gateways: Sequence[str]) -> AsyncGenerator[Balancer]:
        """Stand before these gateways."""
        balancer = cls(gateways)
        asking = [asyncio.create_task(balancer._ask(url)) for url in gateways]
        try:
            yield balancer
        finally:
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
            await balancer._transport.aclose()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the gateway whose turn it is."""
        # Where none is ready, any of them can say why.
        choice = self.ready or tuple(self._urls)
        self._next += 1
        gateway = choice[self._next % len(choice)]
        self.carried[gateway] += 1
        place = self._urls[gateway]
        request.url = request.url.copy_with(scheme=place.scheme, host=place.host, port=place.port)
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        """Stay open: clients that share it come and go."""

    async def _ask(self, gateway: str) -> None:
        async with httpx.AsyncClient(timeout=_ANSWERS_WITHIN) as http:
            while True:
                answers = await _is_ready(http, gateway)
                ready = {*self.ready, gateway} if answers else {*self.ready} - {gateway}
                self.ready = tuple(url for url in self._urls if url in ready)
                await asyncio.sleep(_ASK_EVERY)


async def _is_ready(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(f"{url}/livez")).is_success
    except httpx.HTTPError:
        return False
