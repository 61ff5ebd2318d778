"""Patience for a machine that stands still now and then, as a busy one does for seconds.

A service tells its callers soon that a row is held, or that its database or broker does not
answer: they may ask again. A test waits instead, unless it is about who loses patience.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from servicekit.database import Patience

if TYPE_CHECKING:
    from servicekit.broker import Broker

PATIENT = Patience(connection=50, lock=50)
"""For the database of a test: as long as its callers wait."""

_BROKER_SECONDS = 60


def patient_broker(broker: Broker) -> Broker:
    """Have who publishes to a broker, or declares its streams, wait a minute for its answer."""
    broker.jetstream = broker.client.jetstream(timeout=_BROKER_SECONDS)
    return broker
