"""Leadership by a session-level advisory lock, on a connection of its own.

PostgreSQL releases the lock when the connection ends, however it ends, so a killed
leader is followed by another process within half a second. Session locks do not work
through a transaction pooler: the URL must lead to the server itself.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable
from typing import Self

import asyncpg
from sqlalchemy.engine import make_url

TAKEOVER_INTERVAL = 0.5
"""Seconds between two attempts of a follower to lead."""


class LeaderConnection:
    """A connection that is, or wants to be, the one leader of `name` in its database."""

    def __init__(self, connection: asyncpg.Connection, name: str) -> None:
        self.connection = connection
        self._key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        self.lost = asyncio.Event()

    @classmethod
    async def open(
        cls, database_url: str, name: str, *, on_lost: Callable[[], None] | None = None
    ) -> Self:
        """Connect; `on_lost` is called when the server ends the connection."""
        url = make_url(database_url).set(drivername="postgresql")
        connection = await asyncpg.connect(
            url.render_as_string(hide_password=False),
            timeout=5,
            command_timeout=15,
            server_settings={
                "application_name": name[:63],
                # The server notices within 25 s that this host is gone, and frees the lock.
                "tcp_keepalives_idle": "10",
                "tcp_keepalives_interval": "5",
                "tcp_keepalives_count": "3",
            },
        )
        await connection.set_type_codec(
            "jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads
        )
        leader = cls(connection, name)

        def lost(_: object) -> None:
            leader.lost.set()
            if on_lost is not None:
                on_lost()

        connection.add_termination_listener(lost)
        return leader

    async def try_lead(self) -> bool:
        """Take the lock if it is free."""
        return bool(await self.connection.fetchval("SELECT pg_try_advisory_lock($1)", self._key))

    async def listen(self, channel: str, callback: Callable[[], None]) -> None:
        """Call `callback` for each notification on `channel`."""

        def heard(*_: object) -> None:
            callback()

        await self.connection.add_listener(channel, heard)

    async def notify(self, channel: str) -> None:
        """Notify the listeners of `channel`."""
        await self.connection.execute("SELECT pg_notify($1, '')", channel)

    def close(self) -> None:
        """End the connection at once, and the leadership with it."""
        self.connection.terminate()
