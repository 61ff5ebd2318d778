"""``GET /pages/live``: tells an open page that its picture has changed.

The stream carries no figures: the page fetches what it shows, so that what it shows is
one consistent whole. Each message names the picture by its tag, which the browser
sends back when it connects again.
"""

import asyncio
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.auth import Caller, Verifier
from gateway.live import LiveFeed
from gateway.pages.picture import Pictures
from servicekit.errors import Fault

# The page takes the line as dead after twice this.
ALIVE_SECONDS = 10.0


class PageStream(Response):
    """Sends ``changed`` until the reader goes, its token expires or the process ends.

    `seen` is the tag of the picture that the page shows.
    """

    def __init__(
        self,
        pictures: Pictures,
        feed: LiveFeed,
        verifier: Verifier,
        closing: asyncio.Event,
        *,
        who: Caller,
        seen: str,
    ) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(media_type="text/event-stream", headers=headers)
        del self.headers["content-length"]
        self._pictures = pictures
        self._feed = feed
        self._verifier = verifier
        self._closing = closing
        self._who = who
        self._seen = seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the end."""
        del scope
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        sending = asyncio.create_task(self._send_all(send))
        ends: list[asyncio.Task[Any]] = [
            sending,
            asyncio.create_task(_gone(receive)),
            asyncio.create_task(self._closing.wait()),
        ]
        done, waiting = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        if sending in done:
            sending.result()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_all(self, send: Send) -> None:
        clock = asyncio.get_running_loop().time
        # Named, because a page meets named messages only: it knows the line by them.
        await _write(send, b"event: alive\ndata: 1\n\n")
        spoken = clock()
        while True:
            # Listened for before it is looked, or a change in between would go unheard.
            changed = asyncio.create_task(self._feed.changed())
            picture = await self._pictures.newer(self._who)
            if picture.tag != self._seen:
                self._seen = picture.tag
                tag = picture.tag.encode()
                await _write(send, b"id: %s\nevent: changed\ndata: %s\n\n" % (tag, tag))
                spoken = clock()
            elif clock() - spoken > ALIVE_SECONDS:
                if not await self._still_signed_in():
                    return
                await _write(send, b"event: alive\ndata: 1\n\n")
                spoken = clock()
            await changed

    async def _still_signed_in(self) -> bool:
        if self._who.token is None:
            return True
        try:
            await self._verifier.verify(self._who.token)
        except Fault as fault:
            return fault.reason != "TOKEN_REJECTED"
        return True


async def _write(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
