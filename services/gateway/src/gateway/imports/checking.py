"""Checks a file as a whole, and writes nothing.

The services hold the rules: each is asked what it would do with its rows, and tells
meanwhile how far it is. Only when nobody refuses anything may the rows be applied.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any, Protocol, cast

from google.protobuf.message import Message

from gateway.imports.faults import RowFault
from gateway.imports.outcome import count, refusals
from gateway.imports.rows import FileRow, RowFile
from peyvand.api.v1 import imports_pb2 as pb
from peyvand.api.v1 import types_pb2
from servicekit.contract import Rpc
from servicekit.errors import Fault
from servicekit.rpc_client import CallContext

OUT_OF_REACH = ("UNAVAILABLE", "RESOURCE_IN_USE", "DEADLINE_EXCEEDED")
_ROW_PATH = re.compile(r"rows\[(\d+)\]\.?")
# How often the check of one service begins anew after it has broken off in its midst.
_MOST_BREAKS = 5


class Backend(Protocol):
    """Where calls go."""

    async def call(self, rpc: Rpc, request: Message, context: CallContext) -> Message:
        """Make one call and return the answer. Raises `Fault`."""
        ...

    def stream(self, rpc: Rpc, request: Message, context: CallContext) -> AsyncGenerator[Message]:
        """Make one call and give its answers as they come. Raises `Fault`."""
        ...


async def check(
    file: RowFile,
    progress: pb.Import,
    backend: Backend,
    context: CallContext,
    *,
    tell: Callable[[], Awaitable[None]],
    pause: Callable[[float], Awaitable[None]],
    patience: Callable[[], float],
) -> list[RowFault]:
    """Ask the services what they would do; `progress` becomes the outcome to be expected.

    Gives the rules that rows break. `tell` is called when there is something new to tell.
    `patience` says for how many seconds a service may be away now. Raises `Fault` if one
    cannot be asked.
    """
    faults = list(file.faults)
    if faults:
        return faults
    for rows in file.by_rpc():
        try:
            results = await _Asking(rows, file, progress, backend, context).results(
                tell, pause, patience
            )
        except Fault as fault:
            broken = _broken(fault, rows)
            if not broken:
                raise
            faults += broken
        else:
            count(progress, rows, results)
            for row, result in zip(rows, results, strict=True):
                faults += refusals(row, result)
    return faults


class _Asking:
    """One service is asked about its rows, again when it goes away meanwhile."""

    def __init__(
        self,
        rows: Sequence[FileRow],
        file: RowFile,
        progress: pb.Import,
        backend: Backend,
        context: CallContext,
    ) -> None:
        self._rpc = rows[0].section.rehearsal
        self._request: Any = self._rpc.request_class()
        add_rows(self._request, rows)
        if "pending" in self._rpc.descriptor.input_type.fields_by_name:
            self._request.pending.extend(_pending(rows, file))
        self._progress = progress
        self._before = progress.done
        self._backend = backend
        self._context = context
        self._has_begun = False

    async def results(
        self,
        tell: Callable[[], Awaitable[None]],
        pause: Callable[[float], Awaitable[None]],
        patience: Callable[[], float],
    ) -> Sequence[types_pb2.RowResult]:
        clock = asyncio.get_running_loop().time
        since, breaks, wait = clock(), 0, 0.2
        while True:
            try:
                return await self._ask(tell)
            except Fault as fault:
                if self._has_begun:
                    since, breaks, wait = clock(), breaks + 1, 0.2
                    self._has_begun = False
                away = fault.reason == "UNAVAILABLE" and breaks < _MOST_BREAKS
                if not away or clock() - since >= patience():
                    raise
            await pause(wait)
            wait = min(wait * 2, 3.0)
            await tell()

    async def _ask(self, tell: Callable[[], Awaitable[None]]) -> Sequence[types_pb2.RowResult]:
        last = types_pb2.RehearsalProgress()
        answers = self._backend.stream(self._rpc, self._request, self._context)
        async with aclosing(answers):
            async for answer in answers:
                last = cast("types_pb2.RehearsalProgress", answer)
                if not last.results:
                    self._has_begun = True
                    self._progress.done = self._before + last.checked
                    await tell()
        # They are counted one by one now.
        self._progress.done = self._before
        return last.results


def add_rows(request: Any, rows: Sequence[FileRow]) -> None:
    """Put rows into a request of their service."""
    for row in rows:
        row.section.add_to(request, row.message)


def _broken(fault: Fault, rows: Sequence[FileRow]) -> list[RowFault]:
    """Rules that rows break without the domain of their service."""
    return [
        rows[int(match[1])].fault(
            rows[int(match[1])].section.field_within_row(item.field[match.end() :]),
            item.reason,
            dict(item.params),
        )
        for item in fault.violations
        if (match := _ROW_PATH.match(item.field)) and int(match[1]) < len(rows)
    ]


def _pending(rows: Sequence[FileRow], file: RowFile) -> list[str]:
    """Name what other services will have recorded by the time that these rows are applied."""
    own = {row.section.rpc.path for row in rows}
    return [
        f"{row.section.aggregate}:{row.external_key}"
        for row in file.rows
        if row.section.rpc.path not in own
    ]
