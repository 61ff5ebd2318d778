"""``peyvand up``: the cluster in the foreground of a terminal."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from hubkit.topology import GATEWAY, ServiceSpec
from peyvandctl import first_node, seed
from peyvandctl.cluster import Cluster, ClusterEvent
from peyvandctl.errors import ClusterError
from peyvandctl.paths import DEFAULT_HOME, Home, script

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from rich.console import Console
    from rich.status import Status


def run(
    console: Console,
    *,
    services: Sequence[str | ServiceSpec] | None = None,
    after_start: Callable[[Cluster, Callable[[str], None]], Awaitable[None]] | None = None,
) -> int:
    """Run the network until a signal asks to stop.

    Args:
        console: where progress is shown.
        services: which services run; all when None.
        after_start: called when all is ready, with the cluster and a function that
            shows one line of progress; loads the first data.

    Returns:
        The exit status: 0 after an orderly stop, 1 when it could not start.
    """
    try:
        asyncio.run(_Foreground(console, services, after_start).run())
    except ClusterError as error:
        console.print(f"[bold red]{escape(error.message)}[/]", highlight=False)
        if error.mend:
            console.print(escape(error.mend), highlight=False)
        return 1
    return 0


async def begin(cluster: Cluster, progress: Callable[[str], None]) -> None:
    """Bring a network that has started to where people take it over.

    Raises:
        ClusterError: the first data was not taken, or the first node has not joined.
    """
    await seed.load(cluster, progress)
    if first_node.is_wanted():
        await first_node.start(cluster, progress)


class _Foreground:
    """Shows what the cluster does, and stops it when asked."""

    def __init__(
        self,
        console: Console,
        services: Sequence[str | ServiceSpec] | None,
        after_start: Callable[[Cluster, Callable[[str], None]], Awaitable[None]] | None,
    ) -> None:
        self._console = console
        self._services = services
        self._after_start = after_start
        self._waiting: dict[str, str] = {}
        self._status: Status | None = None
        self._stop = asyncio.Event()

    async def run(self) -> None:
        began = time.monotonic()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stop.set)
        cluster = Cluster(services=self._services, supervise=True, on_event=self._show)
        with self._console.status("Starting") as status:
            self._status = status
            started = await self._unless_stopped(self._start(cluster))
            self._status = None
        try:
            if started:
                self._welcome(cluster, time.monotonic() - began)
                await self._stop.wait()
            self._line("Stopping; the data stays.")
        finally:
            await cluster.stop()

    async def _start(self, cluster: Cluster) -> None:
        await cluster.start()
        if self._after_start is None:
            return
        try:
            await self._after_start(cluster, self._progress)
        except BaseException:
            await cluster.stop()
            raise

    async def _unless_stopped(self, work: Awaitable[None]) -> bool:
        """Wait for the work, and give it up when a signal asks to stop."""
        task = asyncio.ensure_future(work)
        stop = asyncio.create_task(self._stop.wait())
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return False
        task.result()
        return True

    def _progress(self, text: str) -> None:
        if self._status is not None:
            self._status.update(escape(text))

    def _show(self, event: ClusterEvent) -> None:
        match event.kind:
            case "starting":
                self._waiting[event.name] = event.detail
            case "ready":
                self._waiting.pop(event.name, None)
                self._line(f"  [green]ready[/]   {event.name} [dim]{event.seconds:.1f} s[/]")
            case "orphan":
                self._line(f"  [yellow]ending[/]  {event.name} [dim]{escape(event.detail)}[/]")
            case "died":
                self._line(f"  [red]died[/]    {event.name} {escape(event.detail)}")
            case "retry":
                self._line(f"  [yellow]again[/]   {event.name} {escape(event.detail)}")
            case "stopped":
                self._line(f"  stopped {event.name} [dim]{event.seconds:.1f} s[/]")
            case "stopping":
                pass
        if self._status is not None:
            waiting = ", ".join(
                f"{name} ({detail})" if detail else name for name, detail in self._waiting.items()
            )
            self._status.update(f"Starting {escape(waiting)}" if waiting else "Starting")

    def _line(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)

    def _welcome(self, cluster: Cluster, seconds: float) -> None:
        self._line(f"\nPeyvand runs [dim](started in {seconds:.1f} s)[/]\n")
        if any(service.name == GATEWAY for service in cluster.services):
            self._line(f"  Page    [bold]{cluster.gateway_url}/[/]")
        self._line(f"  Token   {escape(_token_command(cluster.home))}")
        if first_node.PROCESS in cluster.processes:
            folder = first_node.folder_of(cluster.home)
            self._line(f"  Node    Razavi Khorasan, its state in {escape(str(folder))}")
        self._line(f"  Logs    {escape(str(cluster.home.logs))}")
        self._line(f"  Data    {escape(str(cluster.home.root))}")
        self._line("\nCtrl-C stops it.")


def _token_command(home: Home) -> str:
    """Return the command as it works in this folder, whether or not the environment is active."""
    program = script("peyvand")
    with contextlib.suppress(ValueError):
        program = program.relative_to(Path.cwd())
    command = f"{shlex.quote(str(program))} token --role hq_admin"
    if home.root == Path.cwd() / DEFAULT_HOME:
        return command
    return f"PEYVAND_HOME={shlex.quote(str(home.root))} {command}"
