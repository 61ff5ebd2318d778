"""The internal HTTP port of a process: ``/livez``, ``/readyz`` and ``/metrics``.

It answers from the event loop that does the work, so that a loop that hangs
fails its liveness probe.
"""

import asyncio
from collections.abc import Awaitable, Callable

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Readiness = Callable[[], Awaitable[dict[str, bool]]]


class ProbeServer:
    """Serves probes on `listen` (host:port); `readiness` names each condition with its state."""

    def __init__(self, listen: str, readiness: Readiness) -> None:
        host, _, port = listen.rpartition(":")
        self._host, self._port = host, int(port)
        self._readiness = readiness
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begin to answer."""
        self._server = await asyncio.start_server(self._answer, self._host, self._port)

    async def stop(self) -> None:
        """End."""
        if self._server:
            self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(5):
                request = await reader.readline()
                while (await reader.readline()).strip():
                    pass
                parts = request.split(b" ")
                status, kind, body = await self._page(parts[1] if len(parts) > 1 else b"")
                writer.write(
                    b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n"
                    b"Connection: close\r\n\r\n%s" % (status, kind.encode(), len(body), body)
                )
                await writer.drain()
        except (TimeoutError, ConnectionError, ValueError):
            pass
        finally:
            writer.close()

    async def _page(self, path: bytes) -> tuple[bytes, str, bytes]:
        if path == b"/livez":
            return b"200 OK", "text/plain", b"alive\n"
        if path == b"/metrics":
            return b"200 OK", CONTENT_TYPE_LATEST, generate_latest()
        if path == b"/readyz":
            conditions = await self._readiness()
            body = "".join(
                f"{name}: {'ok' if ok else 'not ready'}\n" for name, ok in conditions.items()
            )
            status = b"200 OK" if all(conditions.values()) else b"503 Service Unavailable"
            return status, "text/plain", body.encode()
        return b"404 Not Found", "text/plain", b"not found\n"
