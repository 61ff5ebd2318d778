"""A world with its own time and its own chance, for code that is written for asyncio.

`SimulatedLoop` is an event loop that never waits: when nothing is ready, its clock jumps
to what comes next. Everything runs in one thread, and what is random comes from one
seeded generator, so that a run can be had again.
"""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

_EPOCH = datetime(2026, 11, 1, tzinfo=UTC)


class Deadlock(Exception):
    """Nothing is ready and nothing will be: everyone waits for someone else."""


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only by being waited for."""

    def __init__(self) -> None:
        self._simulated = 0.0
        super().__init__(_Jumping(self._pass))

    def time(self) -> float:
        """Seconds since the beginning; it never jumps back."""
        return self._simulated

    def run_in_executor(
        self, executor: Any, func: Callable[..., Any], *arguments: Any
    ) -> asyncio.Future[Any]:
        """Do at once what would go to a thread: nothing runs beside the loop."""
        del executor

        async def work() -> Any:
            return func(*arguments)

        return self.create_task(work())

    def _pass(self, seconds: float) -> None:
        self._simulated += seconds


class _Jumping(selectors.BaseSelector):
    """Lets time pass where another selector would wait. There are no sockets here."""

    def __init__(self, let_pass: Callable[[float], None]) -> None:
        self._files = selectors.DefaultSelector()
        self._let_pass = let_pass

    def register(
        self, fileobj: FileDescriptorLike, events: int, data: Any = None
    ) -> selectors.SelectorKey:
        return self._files.register(fileobj, events, data)

    def unregister(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        return self._files.unregister(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock
        if timeout > 0:
            self._let_pass(timeout)
        return []

    def get_map(self) -> Mapping[FileDescriptorLike, selectors.SelectorKey]:
        return self._files.get_map()

    def close(self) -> None:
        self._files.close()


@dataclass
class Clock:
    """A wall clock at one place: it can be wrong, and it can jump."""

    ahead: float = 0.0

    def now(self) -> datetime:
        """What it shows."""
        return _EPOCH + timedelta(seconds=moment() + self.ahead)


def moment() -> float:
    """True time, in seconds since the beginning."""
    return asyncio.get_running_loop().time()


@dataclass
class Line:
    """How the line of one node is now.

    Attributes:
        up: whether anything passes at all.
        telling: whether a cut is told to both ends at once, as a reset does.
        lost: share of what is lost.
        doubled: share of what arrives twice.
        slowest: most seconds under way; what is under way does not keep its order.
    """

    dice: random.Random
    up: bool = True
    telling: bool = True
    lost: float = 0.0
    doubled: float = 0.0
    slowest: float = 0.1
    cuts: int = field(default=0)

    def carry(self, deliver: Callable[[], None]) -> None:
        """Bring something to the other end: not at all, once, twice, late, out of order."""
        if not self.up or self.dice.random() < self.lost:
            return
        loop = asyncio.get_running_loop()
        for _ in range(1 + (self.dice.random() < self.doubled)):
            loop.call_later(
                self.dice.uniform(0.005, self.slowest), self._arrive, self.cuts, deliver
            )

    def cut(self) -> None:
        """Cut it: what is under way is lost."""
        self.up = False
        self.cuts += 1

    def _arrive(self, cuts: int, deliver: Callable[[], None]) -> None:
        if self.up and cuts == self.cuts:
            deliver()
