"""An event as a consumer sees it, and what a consumer's errors mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote
from uuid import UUID

import asyncpg
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from sqlalchemy import exc as sqlalchemy_errors

_TRANSIENT_STATES = (
    "08",  # connection
    "40",  # serialization failure, deadlock
    "53",  # out of resources
    "57",  # shutdown, cancelled
    "58",  # system
    "25006",  # read-only: the server has become a standby
    "55P03",  # lock not available
)


class PoisonError(Exception):
    """Raised by a handler for an event that no later attempt could digest."""


@dataclass(frozen=True)
class Delivery:
    """One event out of a stream.

    `headers` are the message's, decoded, without those of the server. `stream_seq`
    is its place in `stream`.
    """

    event_id: UUID
    type: str
    subject: str
    aggregate_id: str
    aggregate_version: int
    time: datetime
    payload: bytes
    headers: Mapping[str, str]
    stream: str
    stream_seq: int

    @property
    def traceparent(self) -> str | None:
        """Trace that the event was recorded in."""
        return self.headers.get("traceparent")


def read_delivery(message: Msg) -> Delivery:
    """Return the event in a message of a stream.

    Raises `PoisonError` when the message is not a CloudEvent with an id.
    """
    metadata = message.metadata
    headers = {
        str(name): unquote(value) if name.startswith("ce-") else value
        for name, value in (message.headers or {}).items()
        if not name.startswith("Nats-")
    }
    return build_delivery(
        headers,
        message.data,
        subject=message.subject,
        stream=metadata.stream,
        stream_seq=metadata.sequence.stream,
    )


def build_delivery(
    headers: Mapping[str, str], payload: bytes, *, subject: str, stream: str, stream_seq: int
) -> Delivery:
    """Return the event with these decoded headers and this payload; see `read_delivery`."""
    try:
        event_id = UUID(headers["ce-id"])
        time = datetime.fromisoformat(headers["ce-time"]).astimezone(UTC)
        version = int(headers.get("ce-sequence", "0"))
        event_type = headers["ce-type"]
    except (KeyError, ValueError) as error:
        raise PoisonError(f"not an event of ours: {error!r}") from error
    return Delivery(
        event_id=event_id,
        type=event_type,
        subject=subject,
        aggregate_id=headers.get("ce-partitionkey", subject),
        aggregate_version=version,
        time=time,
        payload=payload,
        headers=headers,
        stream=stream,
        stream_seq=stream_seq,
    )


def is_transient(error: BaseException) -> bool:
    """Tell whether `error` is of the infrastructure: the same work can succeed later."""
    if isinstance(error, sqlalchemy_errors.DBAPIError):
        cause = error.orig.__cause__ if error.orig else None
        if isinstance(cause, ValueError):
            return False  # a value that the driver cannot send, now or later
        if isinstance(cause, asyncpg.InternalClientError):
            return True  # the connection ended between two statements
        state = str(getattr(error.orig, "sqlstate", None) or "")
        return (
            error.connection_invalidated
            or state.startswith(_TRANSIENT_STATES)
            or isinstance(error, sqlalchemy_errors.InterfaceError)
        )
    if isinstance(error, asyncpg.PostgresError):
        return str(getattr(error, "sqlstate", "")).startswith(_TRANSIENT_STATES)
    return isinstance(
        error,
        OSError
        | TimeoutError
        | NatsError
        | asyncpg.InterfaceError
        | sqlalchemy_errors.TimeoutError
        | sqlalchemy_errors.ResourceClosedError,
    )
