"""Patience for a machine that stands still now and then, as a busy one does for seconds.

A service tells its callers soon that a row is held, or that its database or broker does not
answer: they may ask again. A test that is about something else waits instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import event

if TYPE_CHECKING:
    from servicekit.broker import Broker
    from servicekit.database import Database

SECONDS = 60


def patient(database: Database) -> Database:
    """Have all who use a database wait a minute for a row, and to be connected."""

    def wait_longer(_dialect: Any, _record: Any, _arguments: Any, given: dict[str, Any]) -> None:
        given["timeout"] = SECONDS
        given["server_settings"] = given["server_settings"] | {"lock_timeout": f"{SECONDS}s"}

    event.listen(database.engine.sync_engine, "do_connect", wait_longer)
    return database


def patient_broker(broker: Broker) -> Broker:
    """Have who publishes to a broker, or declares its streams, wait a minute for its answer."""
    broker.jetstream = broker.client.jetstream(timeout=SECONDS)
    return broker
