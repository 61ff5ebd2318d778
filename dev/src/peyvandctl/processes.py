"""A child process of the cluster: started, waited for, paused, killed, remembered.

Each child leaves a record in the home while it may be alive. A supervisor that
was killed leaves its records behind, and the next one ends what they name.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from hubkit.private_files import write_private
from peyvandctl.errors import ClusterError
from peyvandctl.paths import Home

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

_LOGS_KEPT = 3
_POLL_SECONDS = 0.03
_TAIL_LINES = 12
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class ProcessSpec:
    """What to run, and how to tell that it is ready.

    Attributes:
        name: name in the cluster; also names the log and the record.
        argv: the program and its arguments.
        env: the whole environment.
        cwd: the folder it runs in.
        ready: whether it takes requests now; None for a program that runs to its end.
        launcher: a program with arguments that replaces itself by ``argv``.
        stop_signal: asks it to end in order.
        grace: seconds it has for that before it is killed.
        ready_timeout: seconds it has from its start until it is ready.
        make_way: called before each start, to remove what a crash may have left.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    ready: Callable[[], Awaitable[bool]] | None = None
    launcher: tuple[str, ...] = ()
    stop_signal: int = signal.SIGTERM
    grace: float = 30.0
    ready_timeout: float = 180.0
    make_way: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True)
class ProcessRecord:
    """Enough to know a process again, and never to mistake another for it."""

    name: str
    pid: int
    start_mark: str
    argv: list[str] = field(default_factory=list[str])
    stop_signal: int = signal.SIGTERM

    def process(self) -> psutil.Process | None:
        """Return the process when it still runs: same id, same start, same program."""
        try:
            process = psutil.Process(self.pid)
            if start_mark(self.pid) != self.start_mark:
                return None
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            # Right after its start a process may still be the launcher, which
            # carries the whole command line at its end.
            if process.cmdline()[-len(self.argv) :] != self.argv:
                return None
        except (psutil.NoSuchProcess, ProcessLookupError):
            return None
        return process


class ManagedProcess:
    """One child process of the cluster. It can be started again after it ended."""

    def __init__(
        self,
        home: Home,
        spec: ProcessSpec,
        on_death: Callable[[ManagedProcess, int], None] | None = None,
    ) -> None:
        self.spec = spec
        self._home = home
        self._on_death = on_death
        self._child: asyncio.subprocess.Process | None = None
        self._reaper: asyncio.Task[None] | None = None
        self._change = asyncio.Lock()
        self._rotated = False
        self.wanted = False
        """Whether it is meant to run; a death while it is wanted is reported."""

    @property
    def name(self) -> str:
        """Name in the cluster."""
        return self.spec.name

    @property
    def log(self) -> Path:
        """File that takes what the process writes."""
        return self._home.logs / f"{self.name}.log"

    @property
    def running(self) -> bool:
        """Whether the process is alive (it may be paused)."""
        return self._child is not None and self._child.returncode is None

    @property
    def pid(self) -> int:
        """Process id.

        Raises:
            ClusterError: it does not run.
        """
        if self._child is None or not self.running:
            raise ClusterError(f"{self.name} does not run.")
        return self._child.pid

    async def start(self) -> None:
        """Start the process and wait until it is ready; does nothing when it runs.

        Raises:
            ClusterError: it ended, or was not ready in time. Nothing is left running.
        """
        async with self._change:
            await self._start()

    async def run_to_end(self) -> None:
        """Start the process and wait for its end.

        Raises:
            ClusterError: its exit status is not zero.
        """
        async with self._change:
            await self._spawn()
            try:
                code = await self._ended()
            except asyncio.CancelledError:
                await self._end(signal.SIGKILL)
                raise
        if code != 0:
            raise ClusterError(f"{self.name} failed (exit status {code}).", self._tail())

    async def stop(self) -> None:
        """Ask the process to end, kill it when it does not in time, and wait."""
        self.wanted = False
        async with self._change:
            # A start that was under way has just wanted it again.
            self.wanted = False
            await self._end(self.spec.stop_signal)

    async def kill(self) -> None:
        """End the process as a crash would, with ``SIGKILL``, and wait for its end."""
        self._signal(signal.SIGKILL)
        await self._ended()

    async def restart(self) -> None:
        """Stop the process if it runs, and start it anew."""
        await self.stop()
        await self.start()

    def pause(self) -> None:
        """Freeze the process with ``SIGSTOP``: it keeps its connections and answers nobody."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused process go on."""
        self._signal(signal.SIGCONT)

    def reload(self) -> None:
        """Have it read its configuration again, with ``SIGHUP``."""
        self._signal(signal.SIGHUP)

    def _signal(self, number: int) -> None:
        # It may have ended by itself; its reaper is about to say so.
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    async def _start(self) -> None:
        if self.running:
            return
        await self._spawn()
        try:
            await self._wait_ready()
        except BaseException:
            await self._end(signal.SIGKILL)
            raise
        self.wanted = True

    async def _spawn(self) -> None:
        if not self._rotated:
            _rotate(self.log)
            self._rotated = True
        if self.spec.make_way is not None:
            await self.spec.make_way()
        output = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            # A session of its own: Ctrl-C at the terminal reaches the supervisor
            # alone, which then stops all in order.
            self._child = await asyncio.create_subprocess_exec(
                *self.spec.launcher,
                *self.spec.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(self.spec.env),
                cwd=self.spec.cwd,
                start_new_session=True,
            )
        except OSError as error:
            raise ClusterError(f"{self.name} cannot be started: {error}.") from error
        finally:
            os.close(output)
        record = self._write_record(self._child.pid)
        self._reaper = asyncio.create_task(self._reap(self._child, record))

    def _write_record(self, pid: int) -> Path:
        path = self._home.running / f"{self.name}.json"
        try:
            mark = start_mark(pid)
        except (psutil.NoSuchProcess, ProcessLookupError):
            return path
        record = ProcessRecord(self.name, pid, mark, list(self.spec.argv), self.spec.stop_signal)
        write_private(path, json.dumps(asdict(record)) + "\n")
        return path

    async def _reap(self, child: asyncio.subprocess.Process, record: Path) -> None:
        code = await child.wait()
        record.unlink(missing_ok=True)
        if self.wanted and self._on_death is not None:
            self._on_death(self, code)

    async def _ended(self) -> int:
        if self._child is None:
            raise ClusterError(f"{self.name} was never started.")
        code = await self._child.wait()
        if self._reaper is not None:
            await asyncio.shield(self._reaper)
        return code

    async def _wait_ready(self) -> None:
        if self.spec.ready is None:
            raise ClusterError(f"{self.name} has no readiness to wait for.")
        deadline = time.monotonic() + self.spec.ready_timeout
        while not await self.spec.ready():
            if not self.running:
                code = await self._ended()
                raise ClusterError(
                    f"{self.name} ended while it was starting (exit status {code}).", self._tail()
                )
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"{self.name} was not ready after {self.spec.ready_timeout:.0f} s.",
                    self._tail(),
                )
            await asyncio.sleep(_POLL_SECONDS)

    async def _end(self, number: int) -> None:
        if not self.running:
            return
        self._signal(number)
        # A paused process takes no signal but SIGKILL until it goes on.
        self._signal(signal.SIGCONT)
        try:
            await asyncio.wait_for(self._ended(), self.spec.grace)
        except TimeoutError:
            # It may have ended in that very moment.
            if self.running:
                self._signal(signal.SIGKILL)
            await self._ended()

    def _tail(self) -> str:
        return f"The end of {self.log}:\n{tail(self.log)}"


def start_mark(pid: int) -> str:
    """Return a text that no later process with the same id can have.

    Raises:
        ProcessLookupError: there is no such process.
        psutil.NoSuchProcess: there is no such process.
    """
    try:
        boot = _BOOT_ID.read_text(encoding="ascii").strip()
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        if _BOOT_ID.exists():
            raise ProcessLookupError(pid) from None
        return f"{psutil.Process(pid).create_time():.2f}"
    # Counted in ticks since the boot, so that setting the clock changes nothing.
    # The name of the program, in parentheses, may hold spaces.
    return f"{boot}:{stat.rpartition(')')[2].split()[19]}"


def orphans(home: Home) -> list[ProcessRecord]:
    """Find the processes that an earlier supervisor of this home left running.

    The caller holds the lock of the home. Records of processes that have ended
    are removed.
    """
    found: list[ProcessRecord] = []
    for path in sorted(home.running.glob("*.json")):
        try:
            record = ProcessRecord(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            path.unlink()
            continue
        try:
            alive = record.process() is not None
        except psutil.AccessDenied as error:
            raise ClusterError(
                f"A process of an earlier run (id {record.pid}) belongs to another user.",
                "Run as the user that started it, or set PEYVAND_HOME to another folder.",
            ) from error
        if alive:
            found.append(record)
        else:
            path.unlink(missing_ok=True)
    return found


async def end_orphans(home: Home, records: Sequence[ProcessRecord], grace: float = 30.0) -> None:
    """End the processes in order: asked first, killed when ``grace`` seconds have passed."""
    alive = [(record, process) for record in records if (process := record.process()) is not None]
    for record, process in alive:
        _send(process, record.stop_signal)
        _send(process, signal.SIGCONT)
    deadline = time.monotonic() + grace
    for record, process in alive:
        while record.process() is not None:
            if time.monotonic() > deadline:
                _send(process, signal.SIGKILL)
            await asyncio.sleep(_POLL_SECONDS)
        (home.running / f"{record.name}.json").unlink(missing_ok=True)


def _send(process: psutil.Process, number: int) -> None:
    # psutil compares the start time once more before it sends.
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied as error:
        raise ClusterError(
            f"Process {process.pid} of an earlier run belongs to another user.",
            "Run as the user that started it.",
        ) from error


def tail(path: Path, lines: int = _TAIL_LINES) -> str:
    """Return the last lines of a log, empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 64 * 1024))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def _rotate(log: Path) -> None:
    for age in range(_LOGS_KEPT, 0, -1):
        newer = log.with_name(f"{log.stem}.{age - 1}.log") if age > 1 else log
        if newer.exists():
            newer.replace(log.with_name(f"{log.stem}.{age}.log"))


async def http_status(host: str, port: int, path: str, wait: float = 2.0) -> int | None:
    """Return the status of ``GET path``, None when no answer came within ``wait`` seconds.

    A probe runs many times while a service starts; an HTTP client would cost
    more than the service's answer.
    """
    try:
        async with asyncio.timeout(wait):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(
                    f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
                )
                line = await reader.readline()
            finally:
                writer.close()
        return int(line.split()[1])
    except (OSError, TimeoutError, ValueError, IndexError):
        return None
