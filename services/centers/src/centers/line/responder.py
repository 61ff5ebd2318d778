"""Answers what nodes ask over the broker: a request on a subject, its answer, nothing kept.

All processes of the service share one queue group, so that one of them takes a request.
A handler returns the answer once what it tells is committed; what it raises becomes a
refusal in both languages. A request that no process could answer is asked again by the
node, so nothing is done twice that must not be: that lies with the handlers.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from google.protobuf.message import DecodeError, Message
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from prometheus_client import Histogram

from centers.line.refusals import refusal
from nodekit.subjects import HUB_QUEUE, is_inbox
from servicekit.broker import Broker
from servicekit.delivery import is_transient
from servicekit.errors import Fault, as_fault
from servicekit.tasks import end_tasks

log = structlog.get_logger(__name__)

REQUESTS = Histogram(
    "line_request_duration_seconds",
    "Time to answer a request of a node, by what it asked and how that ended",
    ["request", "outcome"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

# Requests of one kind that are answered at the same time; each takes a connection to the
# database. Each kind has a room of its own: anyone may ask to join, as often as they like,
# and must not keep nodes waiting by it.
_AT_ONCE = 4
_MAX_WAITING = 2000  # of one kind; what comes then is dropped, and asked again by the node


@dataclass(frozen=True)
class Request:
    """What was asked: on which subject, when it came, and the bytes."""

    subject: str
    data: bytes
    received_at: datetime


@dataclass(frozen=True)
class Exchange:
    """How one kind of request is answered.

    `reply` is the message that can hold a refusal; `afterwards` runs once the answer has
    gone out, and is lost with the process; `at_once` requests are answered at a time.
    """

    handler: Callable[[Request], Awaitable[Message]]
    reply: type[Any]
    afterwards: Callable[[Request], Awaitable[None]] | None = None
    at_once: int = _AT_ONCE


class Responder:
    """Answers the requests on some subjects, each with its exchange."""

    def __init__(self, broker: Broker, exchanges: Mapping[str, Exchange]) -> None:
        self._broker = broker
        self._exchanges = exchanges
        self._subscriptions: list[Subscription] = []
        self._running: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to answer."""
        for subject, exchange in self._exchanges.items():
            subscription = await self._broker.hear(
                subject, self._taker(exchange), queue=HUB_QUEUE, most_waiting=_MAX_WAITING
            )
            self._subscriptions.append(subscription)

    async def stop(self) -> None:
        """Take no more requests, and end those under way; who asked asks again."""
        for subscription in self._subscriptions:
            try:
                await subscription.unsubscribe()
            except NatsError as error:
                log.info("the line was closed already", error=repr(error))
        self._subscriptions.clear()
        await end_tasks(*self._running)

    def _taker(self, exchange: Exchange) -> Callable[[Msg], Awaitable[None]]:
        room = asyncio.Semaphore(exchange.at_once)

        def done(task: asyncio.Task[None]) -> None:
            room.release()
            self._note_end(task)

        async def take(message: Msg) -> None:
            began = time.perf_counter()
            # Waiting here keeps what comes in the subscription, in its order.
            await room.acquire()
            task = asyncio.create_task(self._answer(exchange, message, began), name="answer a node")
            self._running.add(task)
            task.add_done_callback(done)

        return take

    def _note_end(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a node was not answered", error=repr(error))

    async def _answer(self, exchange: Exchange, message: Msg, began: float) -> None:
        if message.reply and not is_inbox(message.reply):
            log.warning(
                "an answer is wanted where none belongs", subject=message.subject, to=message.reply
            )
            return
        request = Request(message.subject, message.data, datetime.now(UTC))
        answer, outcome = await _result(exchange, request)
        asked = message.subject.rpartition(".")[2]
        REQUESTS.labels(asked, outcome).observe(time.perf_counter() - began)
        try:
            if message.reply:
                await message.respond(answer.SerializeToString())
            if exchange.afterwards is not None:
                await self._broker.client.flush()
        except (NatsError, TimeoutError) as error:
            # The line is cut; the node asks again.
            log.info("an answer did not go out", subject=message.subject, error=repr(error))
        if exchange.afterwards is not None:
            await exchange.afterwards(request)


async def _result(exchange: Exchange, request: Request) -> tuple[Message, str]:
    """Give the answer, and ``OK`` or the reason of a refusal."""
    try:
        return await exchange.handler(request), "OK"
    except DecodeError:
        fault = Fault("MESSAGE_UNREADABLE")
    except Exception as error:
        if is_transient(error):
            log.warning("dependency out of reach", subject=request.subject, error=repr(error))
            fault = Fault("UNAVAILABLE")
        elif known := as_fault(error):
            fault = known
        else:
            log.exception("a request of a node failed", subject=request.subject)
            fault = Fault("INTERNAL")
    return exchange.reply(refusal=refusal(fault)), fault.reason
