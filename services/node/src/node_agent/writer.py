"""Brings work to the one thread that owns the store, and reports together.

Many callers that hand in a report at the same time share one commit, and so one sync of
the disk. How much waits is bounded: who comes when it is full is told so at once.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from node_agent.database import StorageFull
from node_agent.kept import NewReport, Taken
from node_agent.store import Store

T = TypeVar("T")

_WAITING = 1000
_TOGETHER = 256


class Busy(Exception):
    """Too much waits for the disk already."""


class StoreAccess(Protocol):
    """How the agent reaches its store."""

    async def put(self, report: NewReport) -> Taken:
        """Keep a report. Raises `StorageFull` or `Busy`."""
        ...

    async def do(self, call: Callable[[Store], T]) -> T:
        """Do anything else with the store. Raises `StorageFull` or `Busy`."""
        ...

    async def close(self) -> None:
        """Close the store."""
        ...


class InlineStore:
    """A store used in the caller's thread: for many agents in one process, in simulations."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, report: NewReport) -> Taken:
        """Keep a report."""
        return self._store.put([report])[0]

    async def do(self, call: Callable[[Store], T]) -> T:
        """Do anything else with the store."""
        return call(self._store)

    async def close(self) -> None:
        """Close the store."""
        self._store.close()


class _Job:
    def __init__(self, put: NewReport | None, call: Callable[[Store], Any] | None) -> None:
        self.put = put
        self.call = call
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()

    def settle(self, result: Any, error: BaseException | None = None) -> None:
        try:
            self.loop.call_soon_threadsafe(self._settle, result, error)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more

    def _settle(self, result: Any, error: BaseException | None) -> None:
        if self.future.done():
            return
        if error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(error)


class StoreThread:
    """A store with a thread of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._jobs: queue.Queue[_Job | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    async def put(self, report: NewReport) -> Taken:
        """Keep a report; once this returns it is on the disk."""
        return await self._ask(_Job(report, None))

    async def do(self, call: Callable[[Store], T]) -> T:
        """Do anything else with the store."""
        return await self._ask(_Job(None, call))

    async def close(self) -> None:
        """Finish what waits and close the store."""
        await asyncio.to_thread(self._jobs.put, None)
        await asyncio.to_thread(self._thread.join)

    async def _ask(self, job: _Job) -> Any:
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            raise Busy from None
        return await job.future

    def _work(self) -> None:
        following: _Job | None = None
        while True:
            job = following or self._jobs.get()
            following = None
            if job is None:
                break
            if job.put is None:
                self._call(job)
            else:
                puts, following, ends = self._more_puts(job)
                self._put(puts)
                if ends:
                    break
        self._store.close()

    def _more_puts(self, first: _Job) -> tuple[list[_Job], _Job | None, bool]:
        puts = [first]
        while len(puts) < _TOGETHER:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return puts, None, True
            if job.put is None:
                return puts, job, False
            puts.append(job)
        return puts, None, False

    def _put(self, jobs: list[_Job]) -> None:
        try:
            taken = self._store.put([job.put for job in jobs if job.put is not None])
        except BaseException as error:  # every waiting caller is told, whatever it was
            for job in jobs:
                job.settle(None, error)
            if not isinstance(error, Exception):
                raise
            return
        for job, result in zip(jobs, taken, strict=True):
            job.settle(result)

    def _call(self, job: _Job) -> None:
        assert job.call is not None
        try:
            job.settle(job.call(self._store))
        except BaseException as error:
            job.settle(None, error)
            if not isinstance(error, Exception):
                raise


__all__ = ["Busy", "InlineStore", "StorageFull", "StoreAccess", "StoreThread"]
