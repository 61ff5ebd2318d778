"""The rpcs of a service, made of its use cases.

A use case is a function ``async (session, request, call) -> answer``. Here it gets its
session: one that reads, or a transaction of its own, and with it the promise that the
same idempotency key never acts twice.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import Any

from google.protobuf.message import Message

from servicekit.database import Database, ReadSession, WriteSession
from servicekit.idempotency import once
from servicekit.imports import Plan, apply_rows
from servicekit.rehearsal import rehearse_rows, rehearsed
from servicekit.rpc_server import Call, Handler, StreamHandler

Reading = Callable[[ReadSession, Any, Call], Awaitable[Message]]
Writing = Callable[[WriteSession, Any, Call], Awaitable[Message]]


class Rpcs:
    """Handlers of a service's rpcs by name, in snake case.

    A use case answers the rpc of its own name, or of the keyword that it is given under.
    """

    def __init__(self, database: Database) -> None:
        self.handlers: dict[str, Handler | StreamHandler] = {}
        self._database = database

    def read(self, *use_cases: Reading, **named: Reading) -> None:
        """Answer with use cases that only read."""
        for name, use_case in _all(use_cases, named):
            self.handle(name, partial(self._read, use_case))

    def read_snapshot(self, *use_cases: Reading, **named: Reading) -> None:
        """Answer with use cases that only read, in several statements that see one moment."""
        for name, use_case in _all(use_cases, named):
            self.handle(name, partial(self._read_snapshot, use_case))

    def write(self, *use_cases: Writing, **named: Writing) -> None:
        """Answer with use cases that write, each call in a transaction of its own."""
        for name, use_case in _all(use_cases, named):
            self.handle(name, partial(self._write, use_case))

    def once(self, *use_cases: Writing, **named: Writing) -> None:
        """Answer with use cases that write; a key that was used gives its first answer."""
        for name, use_case in _all(use_cases, named):
            self.handle(name, partial(self._once, use_case))

    def imports(
        self, name: str, plan: Callable[[Any, Call], Plan[Any]], response: type[Message]
    ) -> None:
        """Answer ``import_<name>`` and ``rehearse_<name>``; `plan` says how rows are taken.

        What stands in `pending` of a request counts for a check alone.
        """
        make: Any = response

        async def import_all(request: Any, call: Call) -> Message:
            made = plan(request, call)
            if request.validate_only:
                return make(results=await rehearsed(self._database, made))
            return make(results=await apply_rows(self._database, made))

        async def rehearse_all(request: Any, call: Call) -> AsyncGenerator[Message]:
            request.validate_only = True
            async with aclosing(rehearse_rows(self._database, plan(request, call))) as progress:
                async for message in progress:
                    yield message

        self.handle(f"import_{name}", import_all)
        self.handle(f"rehearse_{name}", rehearse_all)

    def handle(self, name: str, handler: Handler | StreamHandler) -> None:
        """Answer an rpc with a handler that sees to its transactions itself."""
        if name in self.handlers:
            raise ValueError(f"{name} has a handler already")
        self.handlers[name] = handler

    async def _read(self, use_case: Reading, request: Message, call: Call) -> Message:
        async with self._database.read() as session:
            return await use_case(session, request, call)

    async def _read_snapshot(self, use_case: Reading, request: Message, call: Call) -> Message:
        async with self._database.snapshot() as session:
            return await use_case(session, request, call)

    async def _write(self, use_case: Writing, request: Message, call: Call) -> Message:
        return await self._database.write(lambda session: use_case(session, request, call))

    async def _once(self, use_case: Writing, request: Message, call: Call) -> Message:
        return await self._database.write(
            lambda session: once(session, call, request, partial(use_case, session, request, call))
        )


def _all(
    use_cases: tuple[Callable[..., Awaitable[Message]], ...],
    named: dict[str, Callable[..., Awaitable[Message]]],
) -> list[tuple[str, Callable[..., Awaitable[Message]]]]:
    return [*((use_case.__name__, use_case) for use_case in use_cases), *named.items()]
