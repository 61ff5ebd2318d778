"""``GET /pages/live``: tells an open page that its picture has changed.

The stream carries no figures: the page fetches what it shows, so that what it shows is
one consistent whole. Each message names the picture by its tag, which the browser
sends back when it connects again.
"""

import asyncio

from gateway.auth import Caller
from gateway.live import LiveFeed
from gateway.open_streams import OpenStream, StreamHouse, Write
from gateway.pages.picture import Pictures

# The page takes the line as dead after twice this.
ALIVE_SECONDS = 10.0


class PageStream(OpenStream):
    """Sends ``changed`` whenever there is another picture than the page shows.

    `seen` is the tag of the picture that the page shows.
    """

    def __init__(
        self, house: StreamHouse, pictures: Pictures, feed: LiveFeed, *, who: Caller, seen: str
    ) -> None:
        super().__init__(house, who)
        self._pictures = pictures
        self._feed = feed
        self._seen = seen

    async def send_all(self, write: Write) -> None:
        """Write a message for each picture that is newer, and one while there is none."""
        clock = asyncio.get_running_loop().time
        # Named, because a page meets named messages only: it knows the line by them.
        await write(b"event: alive\ndata: 1\n\n")
        spoken = clock()
        while True:
            # Noted before it is looked, or a change in between would go unheard.
            since = self._feed.moment()
            picture = await self._pictures.newer(self._who)
            if picture.tag != self._seen:
                self._seen = picture.tag
                tag = picture.tag.encode()
                await write(b"id: %s\nevent: changed\ndata: %s\n\n" % (tag, tag))
                spoken = clock()
            elif clock() - spoken > ALIVE_SECONDS:
                if not await self.still_signed_in():
                    return
                await write(b"event: alive\ndata: 1\n\n")
                spoken = clock()
            await self._feed.changed(since)
