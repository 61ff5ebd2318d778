"""Looks after credentials: warns of those about to end, at 30, 7 and 1 day, each time once.

Every process of the service looks; that a warning was given stands in the row of the
node, under its lock, so that it does not matter how many look, or which one dies.
"""

from datetime import datetime
from functools import partial

import structlog

from centers.repository.nodes import near_expiry, open_keys_of_left
from centers.use_cases.joining import see_off, warn_of_expiry
from servicekit.database import Database
from servicekit.watch import Watch

log = structlog.get_logger(__name__)

_INTERVAL = 60.0  # seconds


class CredentialWatch(Watch):
    """Looks every `interval` seconds whose credentials are about to end."""

    OF = "credentials"

    def __init__(self, database: Database, *, interval: float = _INTERVAL) -> None:
        self._database = database
        super().__init__(interval)

    async def look(self, now: datetime) -> None:
        """Give the warnings that are due, and bar keys that a node left behind."""
        async with self._database.read() as session:
            ending = await near_expiry(session, now)
            left_open = await open_keys_of_left(session)
        for node_id in left_open:
            await self._database.write(partial(see_off, node_id=node_id, now=now))
        for node_id in ending:
            await self._database.write(partial(warn_of_expiry, node_id=node_id, now=now))
