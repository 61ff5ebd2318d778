"""What the pages show, fetched from the observatory for everyone who may see the same.

Readers who may see the same share one picture, so that a thousand open pages cost the
observatory one question per change. What cannot be read keeps its last figures, and
the picture says so.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

import structlog
from google.protobuf.message import Message

from gateway.auth import Caller
from gateway.pages.capacity import day_mark, heard_seconds
from gateway.transcoding import Backend
from peyvand.centers.v1 import nodes_pb2, reports_pb2
from peyvand.observatory.v1 import (
    alerts_pb2,
    events_pb2,
    network_pb2,
    periods_pb2,
    plan_pb2,
    regulations_pb2,
)
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
_ALERTS = 50
_OBSERVATORY = "observatory"
_CENTERS = "centers"
# The bars of days change slowly, except that a center falls silent or comes back.
_DAYS = 90
_DAYS_FRESH_SECONDS = 60.0
_FIRST_DAY_FRESH_SECONDS = 3.0
_DAYS_KEPT = 4096
HEADQUARTERS_ROLES = ("hq_admin", "hq_analyst")
_IN_DEVELOPMENT = (
    regulations_pb2.REGULATION_STATE_DRAFTING,
    regulations_pb2.REGULATION_STATE_CONSULTATION,
)


@dataclass(frozen=True)
class Picture:
    """The picture of the network that some readers may see, as it was last read.

    A part is `None` where it was never read; `action_items`, `alerts`, `nodes`, `reports` and
    `periods` also where the reader may not see them. `availability` is that of each center
    by its id; one that is not known is not in it. `missing` names the parts that could not be read
    this time and show what was read before; `failing_since` is when that began. `down`
    names services that do not answer.
    """

    status: network_pb2.NetworkStatus | None = None
    action_items: plan_pb2.ListActionItemsResponse | None = None
    regulations: regulations_pb2.ListRegulationsResponse | None = None
    events: events_pb2.ListEventsResponse | None = None
    alerts: alerts_pb2.ListAlertsResponse | None = None
    nodes: nodes_pb2.ListNodesResponse | None = None
    reports: reports_pb2.ListPeriodReportsResponse | None = None
    periods: periods_pb2.NetworkPeriods | None = None
    availability: Mapping[str, alerts_pb2.Availability] = field(
        default_factory=dict[str, alerts_pb2.Availability]
    )
    for_headquarters: bool = False
    missing: frozenset[str] = frozenset()
    failing_since: datetime | None = None
    down: frozenset[str] = frozenset()

    @property
    def _parts(self) -> Iterable[Message | None]:
        yield from (self.action_items, self.regulations, self.events)
        yield from (self.alerts, self.nodes, self.reports, self.periods)

    @property
    def tag(self) -> str:
        """Changes when anything of it does but the times for which the figures are right."""
        digest = hashlib.sha256()
        if self.status is not None:
            digest.update(f"{self.status.etag} {self.status.cursor}".encode())
            digest.update(self.status.rebuild.SerializeToString())
            for center in self.status.centers:
                digest.update(_as_shown(center).encode())
        for part in self._parts:
            digest.update(b"|" + (part.SerializeToString(deterministic=True) if part else b""))
        for center_id, days in sorted(self.availability.items()):
            digest.update(f"|{center_id}".encode())
            # As it is shown: the seconds of today grow while nothing happens.
            digest.update(" ".join(day_mark(day) for day in days.days).encode())
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
        self._days: OrderedDict[object, tuple[float, str, alerts_pb2.Availability]] = OrderedDict()

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
        status, regulations, events, own, down = await asyncio.gather(
            self._ask(caller, "GetNetworkStatus", network_pb2.NetworkStatus),
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
            self._for_headquarters(caller) if for_headquarters else _nothing(),
            self._down(),
        )
        parts = {
            "status": status,
            "regulations": _in_development(regulations),
            "events": events,
        } | own
        missing = frozenset(name for name, part in parts.items() if part is None)
        away = {_CENTERS if name in ("nodes", "reports") else _OBSERVATORY for name in missing}
        return replace(
            last,
            **{name: part for name, part in parts.items() if part is not None},
            availability=await self._availability(caller, status) or last.availability,
            for_headquarters=for_headquarters,
            missing=missing,
            failing_since=(last.failing_since or datetime.now(UTC)) if missing else None,
            down=down | away,
        )

    async def _for_headquarters(self, caller: Caller) -> dict[str, Message | None]:
        names = ("action_items", "alerts", "nodes", "reports", "periods")
        parts = await asyncio.gather(
            self._action_items(caller),
            self._alerts(caller),
            self._nodes(caller),
            self._reports(caller),
            self._periods(caller),
        )
        return dict(zip(names, parts, strict=True))

    async def _alerts(self, caller: Caller) -> alerts_pb2.ListAlertsResponse | None:
        """Those that are open, then those that somebody has seen and that still hold."""
        found = await asyncio.gather(
            *(
                self._ask(
                    caller,
                    "ListAlerts",
                    alerts_pb2.ListAlertsResponse,
                    alerts_pb2.ListAlertsRequest(state=state, page_size=_ALERTS),
                )
                for state in (
                    alerts_pb2.ALERT_STATE_OPEN,
                    alerts_pb2.ALERT_STATE_ACKNOWLEDGED,
                )
            )
        )
        shown = alerts_pb2.ListAlertsResponse()
        for page in found:
            if page is None:
                return None
            shown.alerts.extend(page.alerts)
        return shown

    async def _nodes(self, caller: Caller) -> nodes_pb2.ListNodesResponse | None:
        return await self._ask(
            caller,
            "ListNodes",
            nodes_pb2.ListNodesResponse,
            nodes_pb2.ListNodesRequest(page_size=200),
            service="centers.v1.Nodes",
        )

    async def _reports(self, caller: Caller) -> reports_pb2.ListPeriodReportsResponse | None:
        """Those that wait for the headquarters."""
        return await self._ask(
            caller,
            "ListPeriodReports",
            reports_pb2.ListPeriodReportsResponse,
            reports_pb2.ListPeriodReportsRequest(
                state=reports_pb2.PERIOD_REPORT_STATE_SUBMITTED, page_size=200
            ),
            service="centers.v1.Reports",
        )

    async def _periods(self, caller: Caller) -> periods_pb2.NetworkPeriods | None:
        """The months of the last year, without the times that they were asked for at."""
        found = await self._ask(caller, "GetNetworkPeriods", periods_pb2.NetworkPeriods)
        if found is not None:
            found.ClearField("as_of")
            for period in found.periods:
                period.totals.ClearField("as_of")
        return found

    async def _availability(
        self, caller: Caller, status: network_pb2.NetworkStatus | None
    ) -> dict[str, alerts_pb2.Availability]:
        """The last days of each center, asked again when they may have changed."""
        centers = [
            center
            for center in (status.centers if status is not None else ())
            # Of a center that was never heard of there is nothing to draw.
            if center.HasField("liveness_since") or center.nodes
        ]
        found = await asyncio.gather(*(self._days_of(caller, center) for center in centers))
        return {
            center.center_id: days
            for center, days in zip(centers, found, strict=True)
            if days is not None
        }

    async def _days_of(
        self, caller: Caller, center: network_pb2.CenterStatus
    ) -> alerts_pb2.Availability | None:
        key = (audience_key(caller), center.center_id)
        now = asyncio.get_running_loop().time()
        state = f"{center.liveness} {center.liveness_since.seconds}"
        asked_at, last_state, last = self._days.get(key, (float("-inf"), "", None))
        if last is not None and state == last_state and now - asked_at < _fresh_seconds(last):
            return last
        answer = await self._ask(
            caller,
            "GetAvailability",
            alerts_pb2.Availability,
            alerts_pb2.GetAvailabilityRequest(center_id=center.center_id, days=_DAYS),
        )
        if answer is None:
            return last
        self._days[key] = (now, state, answer)
        self._days.move_to_end(key)
        if len(self._days) > _DAYS_KEPT:
            self._days.popitem(last=False)
        return answer

    async def _action_items(self, caller: Caller) -> plan_pb2.ListActionItemsResponse | None:
        return await self._ask(
            caller,
            "ListActionItems",
            plan_pb2.ListActionItemsResponse,
            plan_pb2.ListActionItemsRequest(state=plan_pb2.ACTION_ITEM_STATE_OPEN, page_size=200),
        )

    async def _ask(
        self,
        caller: Caller,
        name: str,
        kind: type[_Answer],
        request: Message | None = None,
        service: str = "observatory.v1.Observatory",
    ) -> _Answer | None:
        rpc = contract().rpcs[f"/peyvand.{service}/{name}"]
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


def _fresh_seconds(days: alerts_pb2.Availability) -> float:
    """How long bars of days stay as they are: not long while today has hardly begun to show."""
    begun = days.days and heard_seconds(days.days[-1]) >= _DAYS_FRESH_SECONDS
    return _DAYS_FRESH_SECONDS if begun else _FIRST_DAY_FRESH_SECONDS


def _as_shown(center: network_pb2.CenterStatus) -> str:
    """What is told of a center and its nodes without an event, as exactly as it is shown."""
    told = [f"|{center.center_id} {center.liveness} {center.liveness_since.seconds}"]
    for node in center.nodes:
        vitals = node.vitals
        told.append(
            f"{node.node_id} {node.liveness} {node.since.seconds} {vitals.queued_reports}"
            f" {vitals.oldest_queued_seconds // 60} {vitals.disk_free_bytes >> 27}"
            f" {round(vitals.clock_ahead_ms / 1000)}"
        )
    return " ".join(told)


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


async def _nothing() -> dict[str, Message | None]:
    return {}
