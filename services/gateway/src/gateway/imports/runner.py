"""Runs an import: its file is checked as a whole, then its rows are applied.

Between the two the world may change, and a neighbour's news may be a moment late: a
row that is refused then is tried again for a minute before it counts as refused.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, cast

import structlog

from gateway.imports.checking import OUT_OF_REACH, Backend, add_rows, check
from gateway.imports.faults import RowFault, invalid_file, most_told
from gateway.imports.outcome import add_refusal, count, new_progress, refusals
from gateway.imports.rows import FileRow, RowFile
from gateway.imports.store import ImportStore
from peyvand.api.v1 import imports_pb2 as pb
from peyvand.api.v1 import types_pb2
from servicekit.errors import Fault
from servicekit.rpc_client import CallContext

log = structlog.get_logger()

_CHUNK = 50
# Checking a large file is one long transaction; a chunk of rows is a short call.
_CHECK_TIMEOUT = 1800.0
_CHUNK_TIMEOUT = 60.0
# How long a service may be away, started again for instance, before the import gives up.
_PATIENCE = 60.0
# How long rows may be held by somebody else, before it gives up: as long as another's check
# of the same rows may take.
_HELD_PATIENCE = _CHECK_TIMEOUT
_HELD = ("RESOURCE_IN_USE", "DEADLINE_EXCEEDED")
# How long a row waits for a neighbour's news. The check has refused what can only be refused,
# so that who waits mostly waits for a machine that is busy.
_ROW_PATIENCE = 60.0
# How often a running import says that somebody is at work on it.
HEARTBEAT = 5.0


class Run:
    """One import of one file. It begins with the check, of which nothing is kept at first.

    Who began it can wait for the check, and then has it run: from there on its progress is
    kept where all can see it.
    """

    def __init__(
        self,
        file: RowFile,
        progress: pb.Import,
        *,
        store: ImportStore,
        backend: Backend,
        token: str | None,
        language: str,
        closing: asyncio.Event,
    ) -> None:
        self._file = file
        self._progress = progress
        self._revision = 0
        self._store = store
        self._backend = backend
        self._context = CallContext(token, language, _CHUNK_TIMEOUT)
        self._closing = closing
        self._saving = asyncio.Lock()
        self._checking = asyncio.create_task(self._check(), name=f"check {progress.id}")

    async def checked(self, within: float) -> bool:
        """Wait for the check, at most so many seconds; tells whether it has ended.

        Raises `ProblemError` for a file with rows that break rules, and `Fault` if a
        service cannot be asked.
        """
        await asyncio.wait({self._checking}, timeout=within)
        if not self._checking.done():
            return False
        if faults := self._checking.result():
            raise invalid_file(faults, is_table=self._file.is_table)
        self._take_up([])
        return True

    def drop(self) -> None:
        """End the check: nobody wants to know any more."""
        self._checking.cancel()
        self._checking.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def run(self, revision: int) -> None:
        """Bring it to its end; `revision` is that of its progress as it is kept now.

        Never raises: how it ended is in the progress.
        """
        self._revision = revision
        heart = asyncio.create_task(self._beat())
        try:
            await self._run()
        finally:
            heart.cancel()

    async def _beat(self) -> None:
        with contextlib.suppress(_Superseded):
            while True:
                await asyncio.sleep(HEARTBEAT)
                await self._save()

    async def _run(self) -> None:
        progress = self._progress
        try:
            if progress.state == pb.IMPORT_STATE_CHECKING:
                self._take_up(await self._checking)
            if progress.state == pb.IMPORT_STATE_RUNNING:
                for rows in self._file.by_rpc():
                    await self._apply_all(rows)
                refused = bool(progress.refusals)
                progress.state = pb.IMPORT_STATE_INCOMPLETE if refused else pb.IMPORT_STATE_DONE
        except _Superseded:
            log.info("import goes on elsewhere", import_id=progress.id)
            return
        except Fault as fault:
            self._interrupt(fault.reason)
        except asyncio.CancelledError:
            self._interrupt("UNAVAILABLE")
            await self._end()
            raise
        except Exception:
            log.exception("import failed", import_id=progress.id)
            self._interrupt("INTERNAL")
        await self._end()

    async def _check(self) -> list[RowFault]:
        context = CallContext(self._context.token, self._context.language, _CHECK_TIMEOUT)

        async def tell() -> None:
            if self._revision:
                await self._save()

        return await check(
            self._file,
            self._progress,
            self._backend,
            context,
            tell=tell,
            pause=self._pause,
            # Who still waits for an answer is rather told at once that a service is away.
            patience=lambda: _PATIENCE if self._revision else 0.0,
        )

    def _take_up(self, faults: Sequence[RowFault]) -> None:
        """Go from the check to what comes after it."""
        progress = self._progress
        if faults:
            progress.state = pb.IMPORT_STATE_REJECTED
            for fault in most_told(faults):
                add_refusal(progress, fault)
        elif progress.dry_run:
            progress.state = pb.IMPORT_STATE_CHECKED
        else:
            fresh = new_progress(self._file)
            progress.state = pb.IMPORT_STATE_RUNNING
            progress.done = 0
            del progress.sections[:]
            progress.sections.extend(fresh.sections)

    def _interrupt(self, reason: str) -> None:
        self._progress.state = pb.IMPORT_STATE_INTERRUPTED
        self._progress.interruption = reason

    async def _end(self) -> None:
        self._progress.finished_at.GetCurrentTime()
        try:
            await self._save()
        except (Fault, _Superseded):
            log.warning("the end of an import could not be kept", import_id=self._progress.id)

    async def _apply_all(self, rows: Sequence[FileRow]) -> None:
        refused: list[tuple[FileRow, types_pb2.RowResult]] = []
        for start in range(0, len(rows), _CHUNK):
            refused += await self._apply(rows[start : start + _CHUNK])
            await self._save()
        clock = asyncio.get_running_loop().time
        until, wait = clock() + _ROW_PATIENCE, 0.1
        while refused and clock() < until:
            await self._pause(wait)
            wait = min(wait * 2, 2.0)
            again = [row for row, _ in refused]
            refused = []
            for start in range(0, len(again), _CHUNK):
                refused += await self._apply(again[start : start + _CHUNK])
            await self._save()
        for row, result in refused:
            count(self._progress, [row], [result])
            for fault in refusals(row, result):
                add_refusal(self._progress, fault)
        await self._save()

    async def _apply(self, rows: Sequence[FileRow]) -> list[tuple[FileRow, types_pb2.RowResult]]:
        """Send some rows; count those that were applied and give those that were refused."""
        results = await self._send(rows)
        refused: list[tuple[FileRow, types_pb2.RowResult]] = []
        for row, result in zip(rows, results, strict=True):
            if result.action == types_pb2.ROW_ACTION_REFUSED:
                refused.append((row, result))
            else:
                count(self._progress, [row], [result])
        return refused

    async def _send(self, rows: Sequence[FileRow]) -> Sequence[types_pb2.RowResult]:
        clock = asyncio.get_running_loop().time
        since, wait = clock(), 0.2
        while True:
            if self._closing.is_set():
                raise Fault("UNAVAILABLE")
            try:
                return await self._call(rows)
            except Fault as fault:
                patience = _HELD_PATIENCE if fault.reason in _HELD else _PATIENCE
                if fault.reason not in OUT_OF_REACH or clock() - since > patience:
                    raise
            await self._pause(wait)
            wait = min(wait * 2, 3.0)
            await self._save()

    async def _call(self, rows: Sequence[FileRow]) -> Sequence[types_pb2.RowResult]:
        rpc = rows[0].section.rpc
        request: Any = rpc.request_class()
        add_rows(request, rows)
        answer: Any = await self._backend.call(rpc, request, self._context)
        return cast("Sequence[types_pb2.RowResult]", answer.results)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return
        raise Fault("UNAVAILABLE")

    async def _save(self) -> None:
        """Keep the progress, which also says that somebody is at work.

        The broker may be away while rows are applied; the next save then tells more.
        """
        async with self._saving:
            self._progress.updated_at.GetCurrentTime()
            try:
                self._revision = await self._put()
            except Fault:
                if self._progress.HasField("finished_at"):
                    raise

    async def _put(self) -> int:
        revision = await self._store.put(self._progress, self._revision)
        if revision is None:
            # A write of ours whose answer was lost looks like somebody else's.
            stored = await self._store.get(self._progress.id)
            if stored is None or stored.progress.started_at != self._progress.started_at:
                raise _Superseded
            revision = await self._store.put(self._progress, stored.revision)
        if revision is None:
            raise _Superseded
        return revision


class _Superseded(Exception):
    """Another gateway has taken the import over, because this one seemed gone."""
