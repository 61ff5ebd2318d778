"""The process of a node: the one place where its parts are put together."""

import asyncio
import contextlib
import logging
import random
import signal
import socket
import sys
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import TextIO, cast

import structlog
import uvicorn

from node_agent.agent import Agent
from node_agent.home import AlreadyRuns, Home, Identity
from node_agent.line import Hub, trusting
from node_agent.local_api import application
from node_agent.store import Store, StoreLimits
from node_agent.taking import Taker
from node_agent.watched_folder import WatchedFolder
from node_agent.writer import StoreThread

_STOP_SECONDS = 5
_LENT_BY_THE_KERNEL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_USUALLY_LENT_FROM = 32_768
_LOWEST_PORT, _TRIES = 10_000, 50


def configure_logs() -> None:
    """Set up logs: JSON lines on stderr."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(
            file=cast("TextIO", _LosingWhatDoesNotFit(sys.stderr))
        ),
        cache_logger_on_first_use=True,
    )
    # nats-py tells there of every line that is lost; the agent says it once, in its own words.
    logging.basicConfig(level=logging.CRITICAL, stream=sys.stderr)


async def serve(home: Home, port: int | None = None, limits: StoreLimits | None = None) -> None:
    """Run the node in a folder until it is told to stop.

    Args:
        home: the folder.
        port: where the local API listens on loopback; without it the port of the last
            time, or any free one at first.
        limits: how much room reports may take.

    Raises `NotJoined`, `AlreadyRuns` and `StorageFull`.
    """
    identity = home.identity()
    with home.locked():
        # One that was killed has left its note, which tells of a process that is gone.
        home.running_file.unlink(missing_ok=True)
        listener = _listen(identity.api_port if port is None else port, fixed=port is not None)
        bound: int = listener.getsockname()[1]
        if bound != identity.api_port:
            identity = replace(identity, api_port=bound)
            # On a full disk the port is found anew next time; the node runs all the same.
            with contextlib.suppress(OSError):
                home.keep(identity)
        store = StoreThread(Store(home.store_file, limits))
        try:
            await _run(home, identity, store, listener)
        finally:
            await store.close()
            listener.close()
            home.running_file.unlink(missing_ok=True)


async def _run(home: Home, identity: Identity, store: StoreThread, listener: socket.socket) -> None:
    async def keep(changed: Identity) -> None:
        await asyncio.to_thread(home.keep, changed)

    agent = Agent(
        identity,
        store,
        Hub(identity.hub, trusting(identity.authority, by_any_clock=True)),
        keep=keep,
        folder=home.path,
    )
    taker = Taker(agent)
    server = _Server(
        uvicorn.Config(
            application(agent, taker),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with contextlib.suppress(OSError):
        home.note_running(listener.getsockname()[1])
    works = [
        asyncio.create_task(agent.run(), name="agent"),
        asyncio.create_task(WatchedFolder(home.inbox, taker).run(), name="inbox"),
        asyncio.create_task(server.serve([listener]), name="api"),
    ]
    stopped = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([*works, stopped], return_when=asyncio.FIRST_COMPLETED)
    # Who has been promised an answer gets it before the store is closed.
    server.should_exit = True
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(works[2]), _STOP_SECONDS + 1)
    stopped.cancel()
    for work in works:
        work.cancel()
    await asyncio.gather(*works, return_exceptions=True)
    for work in works:
        if work in done:
            work.result()


class _LosingWhatDoesNotFit:
    """A log that may lie on a full disk, which must not end who writes in it."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str, /) -> int:
        """Write, if it can be written."""
        with contextlib.suppress(OSError):
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what waits, if it can be written."""
        with contextlib.suppress(OSError):
            self._file.flush()


class _Server(uvicorn.Server):
    """A server that leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Catch none."""
        yield


def _listen(port: int, *, fixed: bool) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        if port:
            listener.bind(("127.0.0.1", port))
            return listener
    except OSError:
        if fixed:
            listener.close()
            raise
    _bind_to_free_port(listener)
    return listener


def _bind_to_free_port(listener: socket.socket) -> None:
    """Bind to a port that the kernel lends to no outgoing connection, where there are such.

    The center's systems know the port, and one that is lent could be taken while the agent
    starts anew.
    """
    for port in _ports_not_lent():
        with contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return
    listener.bind(("127.0.0.1", 0))


def _ports_not_lent() -> list[int]:
    try:
        first_lent = int(_LENT_BY_THE_KERNEL.read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError):
        first_lent = _USUALLY_LENT_FROM  # a service of systemd does not see the setting
    there = range(_LOWEST_PORT, first_lent)
    return random.SystemRandom().sample(there, min(len(there), _TRIES))


__all__ = ["AlreadyRuns", "configure_logs", "serve"]
