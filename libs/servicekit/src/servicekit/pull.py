"""A pull consumer read without gaps in time: messages are asked for before they exist.

nats-py's `fetch` either waits for a full batch or returns after one message, and a
fetch that is open while the server restarts is lost until its timeout. `PullReader`
keeps requests open at the server, takes what has arrived as one batch, and hears a
heartbeat each second, so that a lost request or consumer shows within two.
"""

import asyncio
import contextlib
import json
from collections import deque
from types import TracebackType
from typing import Self

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from servicekit.broker import Broker

_HEARTBEAT = 1.0
_EXPIRES = 20.0
_NANOSECONDS = 1_000_000_000
_REQUEST_OVER = ("404", "408")  # no message, or the request's time has passed


class PullInterruptedError(Exception):
    """The consumer or its connection is gone; make the consumer anew and go on."""


class PullReader:
    """Reads one pull consumer in batches of at most `batch` messages.

    An async context manager; leaving it gives up what was received but not returned by
    `next_batch` (`leftover` has it).
    """

    def __init__(self, broker: Broker, stream: str, consumer: str, *, batch: int) -> None:
        self._client = broker.client
        self._request_subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._inbox = self._client.new_inbox()
        self._batch = batch
        self._subscription: Subscription | None = None
        self._received: deque[Msg] = deque()
        self._arrived = asyncio.Event()
        self._interrupted: str | None = None
        # Open requests, the oldest first, with the messages that each may still bring.
        self._open: dict[str, int] = {}
        self._numbers = 0

    async def __aenter__(self) -> Self:
        self._subscription = await self._client.subscribe(f"{self._inbox}.*", cb=self._receive)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._subscription is not None:
            with contextlib.suppress(NatsError):  # closed meanwhile, with all subscriptions
                await self._subscription.unsubscribe()

    def leftover(self) -> list[Msg]:
        """Return what arrived and was not taken."""
        messages = list(self._received)
        self._received.clear()
        return messages

    async def next_batch(self) -> list[Msg]:
        """Wait for messages, for as long as it takes, and return those that are there.

        Raises `PullInterruptedError` when the consumer is gone or the server silent, and
        `nats.errors.Error` when the connection is.
        """
        silent = 0
        while not self._received:
            if self._interrupted is not None:
                raise PullInterruptedError(self._interrupted)
            await self._ask()
            self._arrived.clear()
            try:
                async with asyncio.timeout(2 * _HEARTBEAT + 0.2):
                    await self._arrived.wait()
                silent = 0
            except TimeoutError:
                # The server forgot the requests, by a restart for example.
                self._open.clear()
                silent += 1
                if silent > 1:  # and not answered the new ones either
                    raise PullInterruptedError("no heartbeat") from None
        size = min(self._batch, len(self._received))
        batch = [self._received.popleft() for _ in range(size)]
        if self._interrupted is None:
            # Ask for the next ones now: they arrive while this batch is worked on.
            await self._ask()
        return batch

    async def _ask(self) -> None:
        coming = len(self._received) + sum(self._open.values())
        if coming > self._batch:
            return
        self._numbers += 1
        token = str(self._numbers)
        self._open[token] = self._batch
        request = {
            "batch": self._batch,
            "expires": int(_EXPIRES * _NANOSECONDS),
            "idle_heartbeat": int(_HEARTBEAT * _NANOSECONDS),
        }
        await self._client.publish(
            self._request_subject, json.dumps(request).encode(), reply=f"{self._inbox}.{token}"
        )

    async def _receive(self, message: Msg) -> None:
        if message.subject.startswith(self._inbox):
            self._receive_status(message)
        else:
            self._received.append(message)
            oldest = next(iter(self._open), None)
            if oldest is not None:
                self._open[oldest] -= 1
                if self._open[oldest] <= 0:
                    del self._open[oldest]
        self._arrived.set()

    def _receive_status(self, message: Msg) -> None:
        status = (message.headers or {}).get("Status", "")
        if status == "100":
            return
        if status in _REQUEST_OVER:
            self._open.pop(message.subject.rsplit(".", 1)[1], None)
            return
        description = (message.headers or {}).get("Description", "")
        self._interrupted = f"{status} {description}".strip()
