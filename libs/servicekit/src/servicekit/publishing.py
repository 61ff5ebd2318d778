"""Publishing many messages at once to a stream, each at a sequence known beforehand.

Every message says which sequence the stream must be at (`Nats-Expected-Last-Sequence`).
So the server itself guarantees what pipelining and reconnecting put at risk: when one
message is lost, all later ones are refused instead of overtaking it, a publisher that
has lost its leadership without knowing is refused, and a message that arrives twice is
stored once, without a limit of time.
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import (
    BadHeaderError,
    BadSubjectError,
    ConnectionClosedError,
    MaxPayloadError,
)
from nats.errors import (
    Error as NatsError,
)
from nats.js.errors import APIError, NoStreamResponseError

from servicekit.broker import Broker

_WRONG_LAST_SEQUENCE = 10071
_SERVER_FAULT = 500


@dataclass(frozen=True)
class Outgoing:
    """One message to publish."""

    id: str
    subject: str
    headers: Mapping[str, str]
    payload: bytes


@dataclass(frozen=True)
class Refusal:
    """Why a window ended early.

    `of_message` tells that the message itself was refused, so that others could be
    accepted; otherwise the reason is the state of the stream or of the connection.
    """

    reason: str
    of_message: bool = False


@dataclass(frozen=True)
class WindowResult:
    """The first `stored` messages of the window are in the stream; the rest may not be."""

    stored: int
    refusal: Refusal | None = None


class WindowPublisher:
    """Publishes windows of messages to one stream. An async context manager."""

    def __init__(self, broker: Broker, stream: str, *, ack_timeout: float = 5.0) -> None:
        self._client = broker.client
        self._stream = stream
        self._ack_timeout = ack_timeout
        self._inbox = self._client.new_inbox()
        self._subscription: Subscription | None = None
        self._pending: dict[str, asyncio.Future[Refusal | None]] = {}
        self._numbers = 0
        self._forget = broker.on_disconnect(self._fail_pending)

    async def __aenter__(self) -> Self:
        self._subscription = await self._client.subscribe(f"{self._inbox}.*", cb=self._receive)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._forget()
        if self._subscription is not None:
            with contextlib.suppress(NatsError):  # closed meanwhile, with all subscriptions
                await self._subscription.unsubscribe()

    async def publish(self, messages: Sequence[Outgoing], last_sequence: int) -> WindowResult:
        """Publish `messages` behind `last_sequence` and wait for the server's answers.

        The i-th of the stored messages has the sequence ``last_sequence + 1 + i``.
        """
        answers: list[asyncio.Future[Refusal | None]] = []
        tokens: list[str] = []
        for offset, message in enumerate(messages):
            self._numbers += 1
            token = str(self._numbers)
            answer: asyncio.Future[Refusal | None] = asyncio.get_running_loop().create_future()
            self._pending[token] = answer
            tokens.append(token)
            answers.append(answer)
            refusal = await self._send(message, last_sequence + offset, token)
            if refusal is not None:
                answer.set_result(refusal)
                break
        try:
            await asyncio.wait(answers, timeout=self._ack_timeout)
        finally:
            for token in tokens:
                self._pending.pop(token, None)
        for position, answer in enumerate(answers):
            refusal = answer.result() if answer.done() else Refusal("no answer in time")
            if refusal is not None:
                return WindowResult(position, refusal)
        return WindowResult(len(answers))

    async def _send(self, message: Outgoing, expected: int, token: str) -> Refusal | None:
        headers = {
            **message.headers,
            "Nats-Msg-Id": message.id,
            "Nats-Expected-Stream": self._stream,
            "Nats-Expected-Last-Sequence": str(expected),
        }
        try:
            await self._client.publish(
                message.subject, message.payload, reply=f"{self._inbox}.{token}", headers=headers
            )
        except (MaxPayloadError, BadHeaderError, BadSubjectError) as error:
            return Refusal(str(error), of_message=True)
        except ConnectionClosedError:
            raise
        except (NatsError, OSError) as error:
            return Refusal(str(error) or type(error).__name__)
        return None

    async def _receive(self, message: Msg) -> None:
        answer = self._pending.get(message.subject.rsplit(".", 1)[1])
        if answer is not None and not answer.done():
            answer.set_result(_read_ack(message))

    def _fail_pending(self) -> None:
        for answer in self._pending.values():
            if not answer.done():
                answer.set_result(Refusal("disconnected"))


def _read_ack(message: Msg) -> Refusal | None:
    if not message.data:
        # The server's "no responders": no stream has this subject.
        return Refusal(str(NoStreamResponseError()), of_message=True)
    answer = json.loads(message.data)
    fault = answer.get("error")
    if fault is None:
        return None
    error = APIError(
        code=fault.get("code"),
        description=fault.get("description"),
        err_code=fault.get("err_code"),
    )
    of_stream = error.err_code == _WRONG_LAST_SEQUENCE or (error.code or 0) >= _SERVER_FAULT
    return Refusal(str(error), of_message=not of_stream)
