"""``GET /v1/events:stream``: the timeline as server-sent events.

The stream is a plain ASGI response: the framework's own costs seven times the memory
for each open page. An event's ``id`` is the cursor after it, so that a client that
was cut off goes on with `Last-Event-ID` where it stopped, however long that was.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.auth import Caller, Verifier, caller
from gateway.codec import to_json
from gateway.limits import Seats
from gateway.live import Filter, LiveFeed
from gateway.problems import Place, ProblemError, response
from gateway.schemas import text
from gateway.transcoding import require_acceptable
from peyvand.observatory.v1 import events_pb2
from servicekit.errors import Fault

MEDIA_TYPE = "text/event-stream"
# Proxies cut a connection that is silent for half a minute.
_KEEP_ALIVE = 15.0
_RETRY_MILLISECONDS = 2000
_RETRY_SECONDS = 30  # for who has too many streams open

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


def router(feed: LiveFeed, verifier: Verifier, closing: asyncio.Event, seats: Seats) -> APIRouter:
    """The route of the stream. `closing` is set when open streams have to end."""
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
            feed,
            verifier,
            closing,
            seats,
            who=who,
            wanted=wanted,
            begin=begin,
            first=events,
            cursor=cursor,
        )

    del stream
    return routes


class EventStream(Response):
    """Sends events until the client goes, its token expires or the process ends."""

    def __init__(
        self,
        feed: LiveFeed,
        verifier: Verifier,
        closing: asyncio.Event,
        seats: Seats,
        *,
        who: Caller,
        wanted: Filter,
        begin: str,
        first: Sequence[events_pb2.Event],
        cursor: str,
    ) -> None:
        headers = {
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",  # a buffering proxy would hold events back
        }
        super().__init__(media_type=MEDIA_TYPE, headers=headers)
        del self.headers["content-length"]
        self._feed = feed
        self._verifier = verifier
        self._closing = closing
        self._seats = seats
        self._who = who
        self._wanted = wanted
        self._begin = begin.encode()
        self._first = first
        self._cursor = cursor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the end, or refuse who has too many streams open already."""
        key: str = scope["state"]["caller_key"]
        if not self._seats.take(key):
            wait = str(_RETRY_SECONDS)
            refusal = ProblemError(
                "RATE_LIMITED", {"retry_after": wait}, headers={"Retry-After": wait}
            )
            await response(refusal, scope)(scope, receive, send)
            return
        try:
            await self._stream(receive, send)
        finally:
            self._seats.give_back(key)

    async def _stream(self, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        sending = asyncio.create_task(self._send_all(send))
        ends: list[asyncio.Task[Any]] = [
            sending,
            asyncio.create_task(_gone(receive)),
            asyncio.create_task(self._closing.wait()),
        ]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in ends:
            task.cancel()
        for outcome in await asyncio.gather(*ends, return_exceptions=True):
            if isinstance(outcome, Exception) and not isinstance(outcome, OSError):
                raise outcome
        with contextlib.suppress(OSError):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_all(self, send: Send) -> None:
        # An id of its own makes a client that is cut off before the first event go on
        # from here, and not from the end of the timeline as it is by then.
        await _send_body(send, b"retry: %d\nid: %s\n\n" % (_RETRY_MILLISECONDS, self._begin))
        events = self._first
        clock = asyncio.get_running_loop().time
        checked = clock()
        while True:
            if events:
                await _send_body(send, b"".join(map(frame, events)))
            else:
                await self._feed.changed()
            if clock() - checked > _KEEP_ALIVE:
                if not await self._still_signed_in():
                    return
                await _send_body(send, b": still here\n\n")
                checked = clock()
            events = await self._next()

    async def _next(self) -> Sequence[events_pb2.Event]:
        try:
            events, self._cursor = await self._feed.after(self._who, self._cursor, self._wanted)
        except Fault:
            # The observatory is away for the moment; the cursor stays where it is.
            await asyncio.sleep(1)
            return []
        return events

    async def _still_signed_in(self) -> bool:
        if self._who.token is None:
            return True
        try:
            await self._verifier.verify(self._who.token)
        except Fault as fault:
            return fault.reason != "TOKEN_REJECTED"
        return True


def frame(event: events_pb2.Event) -> bytes:
    """One event as a server-sent event."""
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (
        event.cursor.encode(),
        event.type.encode(),
        to_json(event),
    )


async def _send_body(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
