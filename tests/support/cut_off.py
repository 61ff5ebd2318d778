"""Cuts what runs off from its database, at one statement after another.

That is what a process does that is killed there: its connection ends, and PostgreSQL
rolls back what it had begun.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import asyncpg
from sqlalchemy import event, exc

from servicekit.database import Database
from servicekit.errors import Fault
from tests.support.patience import PATIENT
from tests.support.rpc import serve

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    import sqlalchemy as sa
    from google.protobuf.descriptor import ServiceDescriptor
    from google.protobuf.message import Message

    from servicekit.rpcs import Rpcs
    from tests.support.rpc import RpcBench

T = TypeVar("T")


@dataclass(frozen=True)
class Attempt(Generic[T]):
    """One time that something was done: cut off before statement `at`, or `whole`.

    `answer` is `None` where it did not survive the cut.
    """

    at: int
    whole: bool
    answer: T | None


class CutOff:
    """A database that a process has one connection to, and loses it at a statement.

    A commit counts as a statement. With `once` the connection can be made again after
    that; otherwise all later ones are lost as well, so that nothing is done by trying again.
    """

    def __init__(self, url: str, *, once: bool = False) -> None:
        self.database = Database(url, pool=1, patience=PATIENT)
        self._once = once
        self._at = 0
        self._seen = 0
        for name in ("before_cursor_execute", "commit"):
            event.listen(self.database.engine.sync_engine, name, self._count)

    async def attempts(self, work: Callable[[], Awaitable[T]]) -> AsyncGenerator[Attempt[T]]:
        """Do something again and again, each time cut off one statement later.

        The last time is the one that is not cut off; what it raises is raised.
        """
        for self._at in itertools.count():
            answer: T | None = None
            try:
                answer = await self._once_free(work)
            except (
                Fault,
                exc.SQLAlchemyError,
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
                OSError,
            ):
                if self._seen <= self._at:
                    raise
            whole = self._seen <= self._at
            yield Attempt(self._at, whole, answer)
            if whole:
                return

    async def _once_free(self, work: Callable[[], Awaitable[T]]) -> T:
        # The server may not have noticed yet that the connection before is gone, and then
        # answers that what was asked is still being done.
        for _ in range(600):
            self._seen = 0
            try:
                return await work()
            except Fault as fault:
                if fault.reason != "IDEMPOTENCY_KEY_IN_USE":
                    raise
            await asyncio.sleep(0.05)
        raise AssertionError("the connection that was cut off is not let go")

    def _count(self, connection: sa.Connection, *_: object) -> None:
        seen, self._seen = self._seen, self._seen + 1
        if seen == self._at or (seen > self._at and not self._once):
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.terminate()


async def cut_off_at_each_statement(
    url: str, work: Callable[[Database], Awaitable[T]], *, once: bool = False
) -> AsyncGenerator[Attempt[T]]:
    """Do something with a database of its own, as `CutOff.attempts` does."""
    cut = CutOff(url, once=once)
    try:
        async for attempt in cut.attempts(lambda: work(cut.database)):
            yield attempt
    finally:
        await cut.database.close()


async def killed_at_each_statement(
    url: str,
    service: ServiceDescriptor,
    api: Callable[[Database], Rpcs],
    call: Callable[[RpcBench], Awaitable[Message]],
) -> AsyncGenerator[Attempt[Message]]:
    """Make a call to a service that is cut off, as `CutOff.attempts` does."""
    cut = CutOff(url)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(cut.database.close)
        rpc = await stack.enter_async_context(serve(service, api(cut.database)))
        async for attempt in cut.attempts(lambda: call(rpc)):
            yield attempt
