"""Asks nodes to say hello, when there is something that they should hear."""

import structlog
from nats.errors import Error as NatsError

from nodekit.subjects import wake
from servicekit.broker import Broker

log = structlog.get_logger(__name__)


class Waker:
    """Asks nodes to say hello again, as soon as there is a broker to ask by.

    Nothing hangs on it: what a node is to be told waits in the database, and a node says
    hello by itself whenever its line is back.
    """

    def __init__(self) -> None:
        self._broker: Broker | None = None

    def on(self, broker: Broker) -> "Waker":
        """Ask by this broker."""
        self._broker = broker
        return self

    async def start(self) -> None:
        """Do nothing: it is asked when there is something to hear."""

    async def stop(self) -> None:
        """Ask no more."""
        self._broker = None

    async def wake(self, node_id: str) -> None:
        """Ask one node."""
        if self._broker is None or not self._broker.connected:
            return
        try:
            await self._broker.client.publish(wake(node_id), b"")
        except NatsError as error:
            log.info("a node was not woken", node_id=node_id, error=repr(error))
