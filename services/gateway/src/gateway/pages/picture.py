"""What the pages show, fetched from the observatory for everyone who may see the same.

Readers who may see the same share one picture, so that a thousand open pages cost the
observatory one question per change. What cannot be read keeps its last figures, and
the picture says so.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

import structlog
from google.protobuf.message import Message

from gateway.auth import Caller
from gateway.transcoding import Backend
from peyvand.observatory.v1 import events_pb2, network_pb2, plan_pb2, regulations_pb2
from servicekit.contract import contract
from servicekit.errors import Fault
from servicekit.rpc_client import CallContext

log = structlog.get_logger()

Readiness = Callable[[], Awaitable[dict[str, bool]]]
_Answer = TypeVar("_Answer", bound=Message)

# Least time between two looks, in seconds: a burst of changes is shown as one.
MIN_INTERVAL = 0.3
# A page is answered with the last figures rather than late.
_TIMEOUT = 2.0
_AUDIENCES = 256
_EVENTS = 12
_OBSERVATORY = "observatory"
HEADQUARTERS_ROLES = ("hq_admin", "hq_analyst")
_IN_DEVELOPMENT = (
    regulations_pb2.REGULATION_STATE_DRAFTING,
    regulations_pb2.REGULATION_STATE_CONSULTATION,
)


@dataclass(frozen=True)
class Picture:
    """The picture of the network that some readers may see, as it was last read.

    A part is `None` where it was never read; `action_items` also where the reader may
    not see them. `missing` names the parts that could not be read this time and show
    what was read before; `failing_since` is when that began. `down` names services
    that do not answer.
    """

    status: network_pb2.NetworkStatus | None = None
    action_items: plan_pb2.ListActionItemsResponse | None = None
    regulations: regulations_pb2.ListRegulationsResponse | None = None
    events: events_pb2.ListEventsResponse | None = None
    for_headquarters: bool = False
    missing: frozenset[str] = frozenset()
    failing_since: datetime | None = None
    down: frozenset[str] = frozenset()

    @property
    def tag(self) -> str:
        """Changes when anything of it does but the times for which the figures are right."""
        digest = hashlib.sha256()
        if self.status is not None:
            digest.update(f"{self.status.etag} {self.status.cursor}".encode())
            digest.update(self.status.rebuild.SerializeToString())
        for part in (self.action_items, self.regulations, self.events):
            digest.update(b"|" + (part.SerializeToString(deterministic=True) if part else b""))
        digest.update(" ".join((*sorted(self.missing), "|", *sorted(self.down))).encode())
        return digest.hexdigest()[:16]


@dataclass
class _Audience:
    """Readers who may see the same."""

    picture: Picture = field(default_factory=Picture)
    looked_at: float = float("-inf")
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)
    next_look: asyncio.Task[Picture] | None = None


class Pictures:
    """The pictures of all audiences. `readiness` tells which services answer."""

    def __init__(self, backend: Backend, readiness: Readiness, timeout: float) -> None:
        self._backend = backend
        self._readiness = readiness
        self._timeout = min(timeout, _TIMEOUT)
        self._audiences: OrderedDict[object, _Audience] = OrderedDict()

    async def recent(self, caller: Caller) -> Picture:
        """A picture that was read within the last moments, or is read now."""
        audience = self._audience(caller)
        if asyncio.get_running_loop().time() - audience.looked_at < MIN_INTERVAL:
            return audience.picture
        return await self._look_again(audience, caller)

    async def newer(self, caller: Caller) -> Picture:
        """A picture whose reading begins after this call; who calls meanwhile shares it."""
        return await self._look_again(self._audience(caller), caller)

    async def _look_again(self, audience: _Audience, caller: Caller) -> Picture:
        if audience.next_look is None:
            audience.next_look = asyncio.create_task(self._look(audience, caller))
        # One reader that goes away must not take the answer from the others.
        return await asyncio.shield(audience.next_look)

    async def _look(self, audience: _Audience, caller: Caller) -> Picture:
        clock = asyncio.get_running_loop().time
        async with audience.looking:
            await asyncio.sleep(max(0.0, audience.looked_at + MIN_INTERVAL - clock()))
            # Whoever asks from here on may know of something that this look is too early for.
            audience.next_look = None
            begun = clock()
            audience.picture = await self._read(audience.picture, caller)
            audience.looked_at = begun
            return audience.picture

    async def _read(self, last: Picture, caller: Caller) -> Picture:
        for_headquarters = caller.principal.has(*HEADQUARTERS_ROLES)
        status, items, regulations, events, down = await asyncio.gather(
            self._ask(caller, "GetNetworkStatus", network_pb2.NetworkStatus),
            self._action_items(caller) if for_headquarters else _nothing(),
            self._ask(
                caller,
                "ListRegulations",
                regulations_pb2.ListRegulationsResponse,
                regulations_pb2.ListRegulationsRequest(page_size=200),
            ),
            self._ask(
                caller,
                "ListEvents",
                events_pb2.ListEventsResponse,
                events_pb2.ListEventsRequest(
                    order=events_pb2.EVENT_ORDER_LATEST_FIRST, page_size=_EVENTS
                ),
            ),
            self._down(),
        )
        parts = {
            "status": status,
            "regulations": _in_development(regulations),
            "events": events,
        } | ({"action_items": items} if for_headquarters else {})
        missing = frozenset(name for name, part in parts.items() if part is None)
        return replace(
            last,
            **{name: part for name, part in parts.items() if part is not None},
            for_headquarters=for_headquarters,
            missing=missing,
            failing_since=(last.failing_since or datetime.now(UTC)) if missing else None,
            down=down | ({_OBSERVATORY} if missing else frozenset()),
        )

    async def _action_items(self, caller: Caller) -> plan_pb2.ListActionItemsResponse | None:
        return await self._ask(
            caller,
            "ListActionItems",
            plan_pb2.ListActionItemsResponse,
            plan_pb2.ListActionItemsRequest(state=plan_pb2.ACTION_ITEM_STATE_OPEN, page_size=200),
        )

    async def _ask(
        self, caller: Caller, name: str, kind: type[_Answer], request: Message | None = None
    ) -> _Answer | None:
        rpc = contract().rpcs[f"/peyvand.observatory.v1.Observatory/{name}"]
        context = CallContext(caller.token, timeout=self._timeout)
        try:
            answer = await self._backend.call(rpc, request or rpc.request_class(), context)
        except Fault as fault:
            log.warning("the page goes without a part", rpc=name, reason=fault.reason)
            return None
        assert isinstance(answer, kind)
        return answer

    async def _down(self) -> frozenset[str]:
        return frozenset(name for name, serves in (await self._readiness()).items() if not serves)

    def _audience(self, caller: Caller) -> _Audience:
        key = audience_key(caller)
        found = self._audiences.get(key)
        if found is None:
            found = self._audiences[key] = _Audience()
            if len(self._audiences) > _AUDIENCES:
                self._audiences.popitem(last=False)
        self._audiences.move_to_end(key)
        return found


def audience_key(caller: Caller) -> object:
    """What two readers who may see the same have in common."""
    principal = caller.principal
    return principal.roles, principal.center_ids, principal.institution_ids


def _in_development(
    found: regulations_pb2.ListRegulationsResponse | None,
) -> regulations_pb2.ListRegulationsResponse | None:
    if found is None:
        return None
    return regulations_pb2.ListRegulationsResponse(
        regulations=_only(found.regulations),
    )


def _only(found: Iterable[regulations_pb2.Regulation]) -> list[regulations_pb2.Regulation]:
    return [item for item in found if item.state in _IN_DEVELOPMENT]


async def _nothing() -> None:
    return None
