"""HTTP/1.1 as uvicorn speaks it, with bounds on what comes before anything can be refused.

The parser takes any number of headers of any length, and waits for them for as long as the
other end likes; a few connections could so take all memory, or stay for ever.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_FRAMING = 128 * 1024
"""Greatest number of bytes of a request besides its body: its line, headers, chunk sizes."""
HEAD_SECONDS = 15.0
"""Time that the line and the headers of a request may take to arrive."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    _framing = 0
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._head_is_there()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless that is too much already."""
        self._framing += len(data)
        super().data_received(data)
        if self._framing > MAX_FRAMING and not self.transport.is_closing():
            self.send_400_response("The headers are too large.")

    def on_message_begin(self) -> None:
        """Begin to wait for the headers of a request, the first or a later one."""
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        """Go on to the body, which the application waits for and bounds."""
        self._head_is_there()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass on a part of the body."""
        self._framing -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Begin to count anew."""
        self._framing = 0
        super().on_message_complete()

    def _await_head(self) -> None:
        self._head_is_there()
        self._patience = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _head_is_there(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
