"""Follows the timeline on behalf of everyone who watches.

The observatory says over NATS that its picture has changed; each watcher then asks
for the events after its own cursor. Watchers who may see the same, stand at the
same place and ask for the same share one call, so a thousand open pages cost the
observatory one question per change. Without the broker the feed looks by itself.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from gateway.auth import Caller
from gateway.transcoding import Backend
from peyvand.observatory.v1 import events_pb2
from servicekit.broker import Broker
from servicekit.broker_access import BrokerAccess
from servicekit.contract import contract
from servicekit.rpc_client import CallContext
from servicekit.tasks import end_tasks

log = structlog.get_logger()

SUBJECT = "live.observatory"
# How often watchers look even when nobody said that anything changed: the nudge
# is not kept anywhere and may be lost.
_SAFETY_POLL = 2.0
_PAGE_SIZE = 200
_LIST_EVENTS = "/peyvand.observatory.v1.Observatory/ListEvents"


@dataclass(frozen=True)
class Filter:
    """What a watcher asks for: types (``….center.*``) and the id of one resource."""

    types: tuple[str, ...] = ()
    subject: str = ""


class LiveFeed:
    """The one follower of a gateway process."""

    def __init__(self, clients: Backend, access: BrokerAccess, timeout: float) -> None:
        self._clients = clients
        self._access = access
        self._timeout = timeout
        self._changed = asyncio.Event()
        self._shared: dict[object, asyncio.Task[events_pb2.ListEventsResponse]] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen for changes, in the background."""
        self._task = asyncio.create_task(self._listen(), name="live feed")

    async def stop(self) -> None:
        """End."""
        await end_tasks(self._task)

    def moment(self) -> asyncio.Event:
        """Note where the feed stands; `changed` can then be asked what came after it."""
        return self._changed

    async def changed(self, since: asyncio.Event) -> None:
        """Return once anything has changed after `since`, at the latest after a short while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SAFETY_POLL):
                await since.wait()

    def wake(self) -> None:
        """Say that something has changed."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def head(self, caller: Caller) -> str:
        """Cursor of the end of the timeline. Raises `Fault`."""
        page = await self._ask(caller, events_pb2.ListEventsRequest(page_size=1))
        return page.head_cursor

    async def after(
        self, caller: Caller, cursor: str, wanted: Filter
    ) -> tuple[Sequence[events_pb2.Event], str]:
        """Events after a cursor that the caller may see, and the cursor to go on from.

        Raises `Fault`, ``INVALID_CURSOR`` for one that was not made here.
        """
        principal = caller.principal
        sees = (principal.roles, principal.center_ids, principal.institution_ids)
        key = (sees, cursor, wanted)
        task = self._shared.get(key)
        if task is None:
            request = events_pb2.ListEventsRequest(
                after=cursor, types=wanted.types, subject=wanted.subject, page_size=_PAGE_SIZE
            )
            task = asyncio.create_task(self._ask(caller, request))
            self._shared[key] = task
            task.add_done_callback(lambda _: self._shared.pop(key, None))
        # One watcher that goes away must not take the answer from the others.
        page = await asyncio.shield(task)
        return page.events, page.next_cursor or cursor

    async def _ask(
        self, caller: Caller, request: events_pb2.ListEventsRequest
    ) -> events_pb2.ListEventsResponse:
        context = CallContext(caller.token, timeout=self._timeout)
        answer = await self._clients.call(contract().rpcs[_LIST_EVENTS], request, context)
        assert isinstance(answer, events_pb2.ListEventsResponse)
        return answer

    async def _listen(self) -> None:
        try:
            broker = await Broker.connect(self._access, name="gateway")
        except (NatsError, OSError) as error:
            # Refused, not merely away: only the watchers' own looking is left.
            log.exception("the broker refuses the gateway", error=type(error).__name__)
            return
        try:
            await broker.hear(SUBJECT, self._hear)
            await asyncio.Event().wait()
        finally:
            await broker.close()

    async def _hear(self, _: Msg) -> None:
        self.wake()
