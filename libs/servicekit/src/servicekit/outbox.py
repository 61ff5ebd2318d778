"""Events, and the outbox that makes them part of the transaction they tell of.

`record` is the last statement of a unit of work. It writes each event as it will go
over the wire (CloudEvents 1.0, binary mode), so that publishing it again, years later,
gives the same bytes.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from servicekit import tracing
from servicekit.ids import uuid7
from servicekit.messaging_tables import TABLES

MAX_PAYLOAD = 900_000
"""Largest payload in bytes; the server takes 1 MiB with the headers."""

_SUBJECT = re.compile(r"evt(\.[A-Za-z0-9_-]+){3,}")
_ATTRIBUTE = re.compile(r"ce-[a-z0-9]{1,20}")
# Printable ASCII that CloudEvents leaves unencoded in a header value.
_PLAIN = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')


@dataclass(frozen=True)
class Event:
    """A fact about one aggregate, ready to be recorded.

    `subject` is where it is published: ``evt.<service>.<aggregate>.<event>.<id>``;
    `payload` is protobuf. `headers` are further CloudEvents attributes, named
    ``ce-<attribute>``; their values may be any text. `source` is the CloudEvents
    source; without one it is ``/services/<service>``, after the subject.
    """

    type: str
    subject: str
    aggregate_id: str
    aggregate_version: int
    payload: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    source: str = ""
    id: str = field(default_factory=lambda: str(uuid7()))
    time: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        # What the server would refuse must fail here, inside the transaction: a
        # published history cannot contain an event that can never be published.
        if not _SUBJECT.fullmatch(self.subject):
            raise ValueError(f"not an event subject: {self.subject!r}")
        if not self.aggregate_id:
            raise ValueError("an event belongs to an aggregate")
        if len(self.payload) > MAX_PAYLOAD:
            raise ValueError(f"payload of {len(self.payload)} bytes, at most {MAX_PAYLOAD}")
        for name in self.headers:
            if name != "traceparent" and not _ATTRIBUTE.fullmatch(name):
                raise ValueError(f"not a CloudEvents attribute: {name!r}")
        if self.time.tzinfo is None:
            raise ValueError("the time of an event needs a time zone")
        UUID(self.id)


async def record(connection: AsyncConnection, events: Sequence[Event]) -> None:
    """Write `events` to the outbox, in the caller's transaction and in this order.

    Call it last, after the changes are flushed: the row locks of the aggregates then
    make the outbox order of each aggregate the order of its versions. An event without
    a `traceparent` gets that of the current trace.
    """
    if not events:
        return
    traceparent = tracing.current_traceparent()
    await connection.execute(
        insert(TABLES.outbox),
        [
            {
                "event_id": UUID(event.id),
                "aggregate_id": event.aggregate_id,
                "aggregate_version": event.aggregate_version,
                "subject": event.subject,
                "type": event.type,
                "headers": _wire_headers(event, traceparent),
                "payload": event.payload,
            }
            for event in events
        ],
    )


def _wire_headers(event: Event, traceparent: str | None) -> dict[str, str]:
    """Return all headers of the published message but those of the server itself."""
    time = event.time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    attributes = {
        "ce-specversion": "1.0",
        "ce-id": event.id,
        "ce-type": event.type,
        "ce-source": event.source or f"/services/{event.subject.split('.')[1]}",
        "ce-subject": event.aggregate_id,
        "ce-time": time,
        # The registered CloudEvents extensions "partitioning" and "sequence".
        "ce-partitionkey": event.aggregate_id,
        "ce-sequence": str(event.aggregate_version),
        **event.headers,
    }
    headers = {
        name: quote(value, safe=_PLAIN) if name.startswith("ce-") else value
        for name, value in attributes.items()
    }
    headers["content-type"] = "application/protobuf"
    if traceparent:
        headers.setdefault("traceparent", traceparent)
    return headers
