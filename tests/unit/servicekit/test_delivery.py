"""How a consumer reads an event, and which errors it waits out."""

from __future__ import annotations

import asyncpg
import nats.errors
import pytest
import sqlalchemy.exc
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client
from nats.aio.msg import Msg

from servicekit.delivery import Delivery, PoisonError, is_transient, read_delivery
from servicekit.outbox import Event, _wire_headers

ACK = "$JS.ACK.EVT_THINGS.consumer.1.42.7.1700000000000000000.3"


def message(headers: dict[str, str] | None, payload: bytes = b"") -> Msg:
    client = Client()
    return Msg(client, "evt.things.thing.changed.t1", ACK, payload, headers)


def deliver(event: Event, traceparent: str | None = None) -> Delivery:
    return read_delivery(message(_wire_headers(event, traceparent), event.payload))


def event(**headers: str) -> Event:
    return Event(
        type="peyvand.things.v1.thing.changed",
        subject="evt.things.thing.changed.t1",
        aggregate_id="t1",
        aggregate_version=3,
        payload=b"\x08\x01",
        headers={f"ce-{name}": value for name, value in headers.items()},
    )


def test_an_event_arrives_as_it_was_recorded() -> None:
    sent = event()
    got = deliver(sent, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    assert str(got.event_id) == sent.id
    assert (got.type, got.subject, got.time) == (sent.type, sent.subject, sent.time)
    assert (got.aggregate_id, got.aggregate_version, got.payload) == ("t1", 3, b"\x08\x01")
    assert (got.stream, got.stream_seq) == ("EVT_THINGS", 42)
    assert got.traceparent == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_as_an_attribute_and_travels_as_ascii(text: str) -> None:
    sent = event(reason=text)
    wire = _wire_headers(sent, None)["ce-reason"]
    assert wire.isascii()
    assert wire.isprintable()
    assert " " not in wire
    assert deliver(sent).headers["ce-reason"] == text


@pytest.mark.parametrize("missing", ["ce-id", "ce-type", "ce-time"])
def test_a_message_without_the_attributes_of_an_event_is_poison(missing: str) -> None:
    headers = _wire_headers(event(), None)
    del headers[missing]
    with pytest.raises(PoisonError, match="not an event"):
        read_delivery(message(headers))


def test_a_message_without_headers_is_poison() -> None:
    with pytest.raises(PoisonError):
        read_delivery(message(None))


class _Refused(Exception):
    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


def database_error(sqlstate: str) -> Exception:
    return sqlalchemy.exc.DBAPIError("SELECT 1", {}, _Refused(sqlstate))


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (nats.errors.OutboundBufferLimitError(), True),
        (asyncpg.InterfaceError("closed"), True),
        (asyncpg.AdminShutdownError(), True),
        (asyncpg.UniqueViolationError(), False),
        (database_error("40P01"), True),  # deadlock
        (database_error("08006"), True),  # connection failure
        (database_error("57P03"), True),  # starting up
        (database_error("23505"), False),  # unique violation
        (database_error("42703"), False),  # undefined column
        (ValueError(), False),
        (PoisonError(), False),
    ],
)
def test_what_is_of_the_infrastructure(error: Exception, transient: bool) -> None:
    assert is_transient(error) is transient
