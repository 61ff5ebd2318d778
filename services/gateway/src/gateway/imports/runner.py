"""Checks a file as a whole, then applies its rows.

The services hold the rules: each is asked first what it would do with the rows, and
only when nobody refuses anything are they sent again to be applied. Between the two
the world may change, and a neighbour's news may be a moment late: a row that is
refused then is tried again for some seconds before it counts as refused.
"""

import asyncio
import contextlib
import re
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, cast

import structlog
from google.protobuf.message import Message

from gateway.imports.faults import MAX_FAULTS, RowFault, invalid_file
from gateway.imports.rows import FileRow, RowFile
from gateway.imports.store import ImportStore
from peyvand.api.v1 import imports_pb2 as pb
from peyvand.api.v1 import types_pb2
from servicekit.contract import Rpc, enum_names
from servicekit.errors import Fault
from servicekit.rpc_client import CallContext

log = structlog.get_logger()

_CHUNK = 50
# Checking a large file is one long transaction; a chunk of rows is a short call.
_CHECK_TIMEOUT = 240.0
_CHUNK_TIMEOUT = 60.0
# How long a service may be away, started again for instance, before the import gives up.
_PATIENCE = 60.0
# How long a row waits for a neighbour's news.
_ROW_PATIENCE = 10.0
# How often a running import says that somebody is at work on it.
HEARTBEAT = 5.0
_OUT_OF_REACH = ("UNAVAILABLE", "DEADLINE_EXCEEDED")
_ROW_PATH = re.compile(r"rows\[(\d+)\]\.?")
_OUTCOMES = {
    number: name for number, name in enum_names(types_pb2.RowAction.DESCRIPTOR).items() if number
}


class Backend(Protocol):
    """Where calls go."""

    async def call(self, rpc: Rpc, request: Message, context: CallContext) -> Message:
        """Make one call and return the answer. Raises `Fault`."""
        ...


async def check(file: RowFile, backend: Backend, context: CallContext) -> pb.Import:
    """Ask the services what they would do, and write nothing.

    Gives the outcome that is to be expected. Raises `ProblemError` for a file with rows
    that break rules, and `Fault` if a service cannot be asked.
    """
    faults = list(file.faults)
    progress = new_progress(file)
    if not faults:
        for rows in file.by_rpc():
            results, broken = await _rehearse(rows, file, backend, context)
            _count(progress, rows, results)
            faults += broken
            if not broken:
                faults += [fault for row, result in zip(rows, results, strict=True)
                           for fault in _refusals(row, result)]  # fmt: skip
    if faults:
        raise invalid_file(faults, is_table=file.is_table)
    progress.state = pb.IMPORT_STATE_CHECKED
    progress.dry_run = True
    return progress


def new_progress(file: RowFile) -> pb.Import:
    """Make the report of an import before its first row."""
    progress = pb.Import(rows=len(file.rows))
    counts: dict[str, int] = {}
    for row in file.rows:
        counts[row.section.name] = counts.get(row.section.name, 0) + 1
    for name, count in counts.items():
        progress.sections.add(name=name, rows=count)
    return progress


class Run:
    """Applies the rows of one checked file and keeps its progress where all can see it."""

    def __init__(
        self,
        file: RowFile,
        progress: pb.Import,
        revision: int,
        *,
        store: ImportStore,
        backend: Backend,
        token: str | None,
        closing: asyncio.Event,
    ) -> None:
        self._file = file
        self._progress = progress
        self._revision = revision
        self._store = store
        self._backend = backend
        self._context = CallContext(token, timeout=_CHUNK_TIMEOUT)
        self._closing = closing
        self._saving = asyncio.Lock()

    async def run(self) -> None:
        """Apply all rows. Never raises: how it ended is in the progress."""
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
            _count(self._progress, [row], [result])
            for fault in _refusals(row, result):
                _add_refusal(self._progress, fault)
        await self._save()

    async def _apply(self, rows: Sequence[FileRow]) -> list[tuple[FileRow, types_pb2.RowResult]]:
        """Send some rows; count those that were applied and give those that were refused."""
        results = await self._send(rows)
        refused: list[tuple[FileRow, types_pb2.RowResult]] = []
        for row, result in zip(rows, results, strict=True):
            if result.action == types_pb2.ROW_ACTION_REFUSED:
                refused.append((row, result))
            else:
                _count(self._progress, [row], [result])
        return refused

    async def _send(self, rows: Sequence[FileRow]) -> Sequence[types_pb2.RowResult]:
        clock = asyncio.get_running_loop().time
        until, wait = clock() + _PATIENCE, 0.2
        while True:
            if self._closing.is_set():
                raise Fault("UNAVAILABLE")
            try:
                return await _call(rows, self._backend, self._context)
            except Fault as fault:
                if fault.reason not in _OUT_OF_REACH or clock() > until:
                    raise
            await self._pause(wait)
            wait = min(wait * 2, 3.0)
            await self._save()

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


async def _rehearse(
    rows: Sequence[FileRow], file: RowFile, backend: Backend, context: CallContext
) -> tuple[Sequence[types_pb2.RowResult], list[RowFault]]:
    """What a service would do with its rows; rules that they break without its domain."""
    context = CallContext(context.token, context.language, _CHECK_TIMEOUT)
    try:
        return await _call(rows, backend, context, pending=_pending(rows, file)), []
    except Fault as fault:
        broken = [
            rows[int(match[1])].fault(
                rows[int(match[1])].section.field_within_row(item.field[match.end() :]),
                item.reason,
                dict(item.params),
            )
            for item in fault.violations
            if (match := _ROW_PATH.match(item.field)) and int(match[1]) < len(rows)
        ]
        if not broken:
            raise
        return [], broken


def _pending(rows: Sequence[FileRow], file: RowFile) -> list[str]:
    """Name what other services will have recorded by the time that these rows are applied."""
    own = {row.section.rpc.path for row in rows}
    return [
        f"{row.section.aggregate}:{row.external_key}"
        for row in file.rows
        if row.section.rpc.path not in own
    ]


async def _call(
    rows: Sequence[FileRow],
    backend: Backend,
    context: CallContext,
    pending: Iterable[str] | None = None,
) -> Sequence[types_pb2.RowResult]:
    rpc = rows[0].section.rpc
    request: Any = rpc.request_class()
    for row in rows:
        row.section.add_to(request, row.message)
    if pending is not None:
        request.validate_only = True
        if "pending" in rpc.descriptor.input_type.fields_by_name:
            request.pending.extend(pending)
    answer: Any = await backend.call(rpc, request, context)
    return cast("Sequence[types_pb2.RowResult]", answer.results)


def _refusals(row: FileRow, result: types_pb2.RowResult) -> list[RowFault]:
    if result.action != types_pb2.ROW_ACTION_REFUSED:
        return []
    return [row.fault(item.field, item.reason, dict(item.params)) for item in result.violations]


def _count(
    progress: pb.Import, rows: Sequence[FileRow], results: Sequence[types_pb2.RowResult]
) -> None:
    parts = {section.name: section for section in progress.sections}
    for row, result in zip(rows, results, strict=False):
        part = parts[row.section.name]
        outcome = _OUTCOMES[result.action]
        setattr(part, outcome, getattr(part, outcome) + 1)
        part.done += 1
        progress.done += 1


def _add_refusal(progress: pb.Import, fault: RowFault) -> None:
    if len(progress.refusals) >= MAX_FAULTS:
        return
    progress.refusals.add(
        section=fault.section,
        line=fault.line,
        external_key=fault.external_key,
        field=fault.field,
        rule=fault.rule,
        params=fault.params,
    )
