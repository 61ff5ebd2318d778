"""What every stream that stays open has in common: a seat, an end, and who is listening.

The streams are plain ASGI responses: the framework's own costs seven times the memory
for each open page.
"""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.auth import Caller, Verifier
from gateway.limits import Seats
from gateway.problems import ProblemError, response
from servicekit.errors import Fault

MEDIA_TYPE = "text/event-stream"
_RETRY_SECONDS = 30  # for who has too many streams open

Write = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True)
class StreamHouse:
    """Where streams are open: how many each caller may have, and when all have to end."""

    verifier: Verifier
    closing: asyncio.Event
    seats: Seats


class OpenStream(Response, ABC):
    """Sends until the client goes, its token expires or the process ends."""

    def __init__(self, house: StreamHouse, who: Caller) -> None:
        headers = {
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",  # a buffering proxy would hold messages back
        }
        super().__init__(media_type=MEDIA_TYPE, headers=headers)
        del self.headers["content-length"]
        self._house = house
        self._who = who

    @abstractmethod
    async def send_all(self, write: Write) -> None:
        """Write messages until there is a reason to end."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the end, or refuse who has too many streams open already."""
        key: str = scope["state"]["caller_key"]
        if not self._house.seats.take(key):
            wait = str(_RETRY_SECONDS)
            refusal = ProblemError(
                "RATE_LIMITED", {"retry_after": wait}, headers={"Retry-After": wait}
            )
            await response(refusal, scope)(scope, receive, send)
            return
        try:
            await self._stream(receive, send)
        finally:
            self._house.seats.give_back(key)

    async def still_signed_in(self) -> bool:
        """Tell whether the token that the stream was opened with is good still."""
        if self._who.token is None:
            return True
        try:
            await self._house.verifier.verify(self._who.token)
        except Fault as fault:
            return fault.reason != "TOKEN_REJECTED"
        return True

    async def _stream(self, receive: Receive, send: Send) -> None:
        async def write(body: bytes) -> None:
            await send({"type": "http.response.body", "body": body, "more_body": True})

        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        ends: list[asyncio.Task[Any]] = [
            asyncio.create_task(self.send_all(write)),
            asyncio.create_task(_gone(receive)),
            asyncio.create_task(self._house.closing.wait()),
        ]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in ends:
            task.cancel()
        for outcome in await asyncio.gather(*ends, return_exceptions=True):
            if isinstance(outcome, Exception) and not isinstance(outcome, OSError):
                raise outcome
        with contextlib.suppress(OSError):
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
