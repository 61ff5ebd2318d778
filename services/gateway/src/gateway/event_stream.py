"""``GET /v1/events:stream``: the timeline as server-sent events.

An event's ``id`` is the cursor after it, so that a client that
was cut off goes on with `Last-Event-ID` where it stopped, however long that was.
"""

import asyncio
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.requests import Request
from starlette.responses import Response

from gateway.auth import Caller, caller
from gateway.codec import to_json
from gateway.live import Filter, LiveFeed
from gateway.open_streams import MEDIA_TYPE, OpenStream, StreamHouse, Write
from gateway.problems import Place, ProblemError
from gateway.schemas import text
from gateway.transcoding import require_acceptable
from peyvand.observatory.v1 import events_pb2
from servicekit.errors import Fault

# Proxies cut a connection that is silent for half a minute.
_KEEP_ALIVE = 15.0
_RETRY_MILLISECONDS = 2000

_TYPE = r"^[a-z0-9_]+(\.[a-z0-9_]+)*(\.\*)?$"
_CURSOR = r"^[A-Za-z0-9_=-]*$"
_SUBJECT = r"^$|^[a-z]{3}_[0-9a-z]{1,60}$"


# One event of the stream, by the fields of the format.
_SENT = {
    "type": "object",
    "description": "A server-sent event.",
    "properties": {
        "id": text("Cursor after the event.", max_length=1000),
        "event": text("Type of the event.", max_length=200),
        "data": text("The CloudEvent as JSON.", max_length=1_000_000),
    },
    "additionalProperties": False,
}


def router(house: StreamHouse, feed: LiveFeed) -> APIRouter:
    """The route of the stream."""
    routes = APIRouter(tags=["events"])

    @routes.get(
        "/v1/events:stream",
        operation_id="stream_events",
        summary="Follows what happens, as it happens.",
        description=(
            "Sends each event that the caller may see as a server-sent event: `id` is the cursor "
            "after it, `event` its type, `data` the CloudEvent as JSON. The stream begins after "
            "`Last-Event-ID` (or `after`), without either at the end of the timeline. A comment "
            "line is sent while nothing happens. When the token expires the stream ends."
        ),
        response_class=Response,
        responses={
            200: {
                "description": "Events, one after the other, without an end.",
                "content": {MEDIA_TYPE: {"schema": _SENT}},
            }
        },
        openapi_extra={
            "security": [{"bearer": []}, {}],
            "x-reasons": ["INVALID_ARGUMENT", "INVALID_CURSOR", "NOT_ACCEPTABLE"],
        },
    )
    async def stream(
        request: Request,
        types: Annotated[
            list[Annotated[str, Query(max_length=200, pattern=_TYPE)]],
            Query(
                default_factory=list,
                max_length=50,
                description="Only events of these types; `.*` at the end: all below.",
            ),
        ],
        after: Annotated[
            str,
            Query(max_length=1000, pattern=_CURSOR, description="Cursor to begin after."),
        ] = "",
        subject: Annotated[
            str,
            Query(max_length=100, pattern=_SUBJECT, description="Only events of this resource."),
        ] = "",
        last_event_id: Annotated[
            str,
            Header(
                max_length=1000,
                pattern=_CURSOR,
                description="Cursor to begin after; sent by browsers when they connect again.",
            ),
        ] = "",
    ) -> Response:
        require_acceptable(request, MEDIA_TYPE)
        who = caller(request)
        wanted = Filter(tuple(sorted(types)), subject)
        try:
            begin = last_event_id or after or await feed.head(who)
            events, cursor = await feed.after(who, begin, wanted)
        except Fault as fault:
            place = Place(header="Last-Event-ID") if last_event_id else Place(parameter="after")
            raise ProblemError.of(fault, lambda _: place) from None
        return EventStream(
            house, feed, who=who, wanted=wanted, begin=begin, first=events, cursor=cursor
        )

    del stream
    return routes


class EventStream(OpenStream):
    """Sends the events that the caller may see."""

    def __init__(
        self,
        house: StreamHouse,
        feed: LiveFeed,
        *,
        who: Caller,
        wanted: Filter,
        begin: str,
        first: Sequence[events_pb2.Event],
        cursor: str,
    ) -> None:
        super().__init__(house, who)
        self._feed = feed
        self._wanted = wanted
        self._begin = begin.encode()
        self._first = first
        self._cursor = cursor

    async def send_all(self, write: Write) -> None:
        """Write events as they come, and a comment while none does."""
        # An id of its own makes a client that is cut off before the first event go on
        # from here, and not from the end of the timeline as it is by then.
        await write(b"retry: %d\nid: %s\n\n" % (_RETRY_MILLISECONDS, self._begin))
        events = self._first
        clock = asyncio.get_running_loop().time
        checked = clock()
        # Noted before it is looked, or a change in between would go unheard for a while.
        since = self._feed.moment()
        while True:
            if events:
                await write(b"".join(map(frame, events)))
            else:
                await self._feed.changed(since)
            if clock() - checked > _KEEP_ALIVE:
                if not await self.still_signed_in():
                    return
                await write(b": still here\n\n")
                checked = clock()
            since = self._feed.moment()
            events = await self._next()

    async def _next(self) -> Sequence[events_pb2.Event]:
        try:
            events, self._cursor = await self._feed.after(self._who, self._cursor, self._wanted)
        except Fault:
            # The observatory is away for the moment; the cursor stays where it is.
            await asyncio.sleep(1)
            return []
        return events


def frame(event: events_pb2.Event) -> bytes:
    """One event as a server-sent event."""
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (
        event.cursor.encode(),
        event.type.encode(),
        to_json(event),
    )
