"""The process as a server: how it takes its port, says that it is ready, and ends."""

import asyncio
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

import structlog
import uvicorn

from gateway.app import Edge

log = structlog.get_logger()

_BACKLOG = 2048  # connections that wait to be taken


def listen(address: str) -> socket.socket:
    """Listen on ``host:port``; without a host on all addresses of IPv4, ``[::]`` is IPv6.

    A port that is only bound can be listened on by another process, so this does both.

    Raises:
        SystemExit: the port is taken, or the address is none of this machine, or none at all;
            that is logged.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError, ValueError) as error:
        reason = str(error)
    log.error("the gateway cannot listen", listen=address, error=reason)
    raise SystemExit(1)


class Server(uvicorn.Server):
    """Lets everyone know that the end has come before it comes.

    First the probes say so and each answer ends its connection; after `linger` seconds
    streams end, nothing new is taken, and what runs has its time.
    """

    def __init__(self, config: uvicorn.Config, edge: Edge, linger: float) -> None:
        super().__init__(config)
        self._edge = edge
        self._linger = linger

    async def accepting(self) -> dict[str, bool]:
        """Tell what decides whether calls should come to this process.

        It listens before it serves: who is sent to it earlier waits, perhaps in vain.
        """
        return {
            **await self._edge.readiness(),
            "listening": self.started,
            "staying": not self._edge.leaving.is_set(),
        }

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Take the signals to end for as long as the server runs.

        Uvicorn's own raises them once more afterwards, which would end the
        process before the last spans are sent.
        """
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin the end; a second interrupt forces it."""
        if self._edge.leaving.is_set():
            self._close(sig, frame)
            return
        self._edge.leaving.set()
        asyncio.get_running_loop().call_later(self._linger, self._close, sig, frame)

    def _close(self, sig: int, frame: FrameType | None) -> None:
        self._edge.closing.set()
        super().handle_exit(sig, frame)
