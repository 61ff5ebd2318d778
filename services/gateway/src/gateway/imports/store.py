"""Where running imports are kept: a bucket that all gateways share.

The gateway owns no database. What is here may be lost: an import that nobody knows
of any more is finished by sending its file again.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from nats.errors import Error as NatsError
from nats.js.api import KeyValueConfig
from nats.js.errors import (
    APIError,
    BadRequestError,
    KeyNotFoundError,
    KeyWrongLastSequenceError,
)
from nats.js.kv import KeyValue

from peyvand.api.v1 import imports_pb2
from servicekit.broker import Broker
from servicekit.broker_access import BrokerAccess
from servicekit.errors import Fault

BUCKET = "IMPORTS"
KEPT_FOR = timedelta(days=7)
_PATIENCE = 5.0

T = TypeVar("T")


@dataclass(frozen=True)
class Claim:
    """What an `Idempotency-Key` stands for: an import, and the request that began it."""

    import_id: str
    request_digest: str


@dataclass(frozen=True)
class KeyName:
    """An `Idempotency-Key` of a caller; for a dry run it is another one."""

    subject: str
    key: str
    dry_run: bool = False

    @property
    def place(self) -> str:
        """Where its claim is kept."""
        parts = (self.subject, self.key, *(["dry run"] if self.dry_run else []))
        return "key." + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Stored:
    """An import as it is kept, and the revision to change it by."""

    progress: imports_pb2.Import
    revision: int


class ImportStore:
    """Keeps imports and the keys that they were begun with. Raises `Fault` ``UNAVAILABLE``."""

    def __init__(self, access: BrokerAccess, replicas: int = 1) -> None:
        self._access = access
        self._replicas = replicas
        self._broker: Broker | None = None
        self._bucket: KeyValue | None = None
        self._opening = asyncio.Lock()

    async def claim(self, name: KeyName, claim: Claim) -> Claim:
        """Take an idempotency key of a caller; give the claim that it has already, if any."""
        value = f"{claim.import_id} {claim.request_digest}".encode()

        async def work(bucket: KeyValue) -> Claim:
            try:
                await bucket.create(name.place, value)
            except KeyWrongLastSequenceError:
                return _claim(await bucket.get(name.place))
            return claim

        return await self._try(work)

    async def claimed(self, name: KeyName) -> Claim | None:
        """Give the claim of an idempotency key of a caller; `None` if it is free."""

        async def work(bucket: KeyValue) -> Claim | None:
            try:
                return _claim(await bucket.get(name.place))
            except KeyNotFoundError:
                return None

        return await self._try(work)

    async def get(self, import_id: str) -> Stored | None:
        """Give an import; `None` if it is not known, or not any more."""

        async def work(bucket: KeyValue) -> Stored | None:
            try:
                entry = await bucket.get(import_id)
            except KeyNotFoundError:
                return None
            progress = imports_pb2.Import.FromString(entry.value or b"")
            return Stored(progress, entry.revision or 0)

        return await self._try(work)

    async def put(self, progress: imports_pb2.Import, revision: int) -> int | None:
        """Write an import over a revision of it, 0 for none; gives the new revision.

        `None` says that somebody else has written since.
        """

        async def work(bucket: KeyValue) -> int | None:
            value = progress.SerializeToString()
            try:
                if revision:
                    return await bucket.update(progress.id, value, last=revision)
                return await bucket.create(progress.id, value)
            except KeyWrongLastSequenceError:
                return None

        return await self._try(work)

    async def close(self) -> None:
        """End the connection."""
        if self._broker is not None:
            await self._broker.close()
            self._broker = self._bucket = None

    async def _try(self, work: Callable[[KeyValue], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(_PATIENCE):
                return await work(await self._open())
        except (NatsError, APIError, OSError, TimeoutError) as error:
            raise Fault("UNAVAILABLE") from error

    async def _open(self) -> KeyValue:
        async with self._opening:
            if self._broker is None:
                self._broker = await Broker.connect(self._access, name="gateway-imports")
            if self._bucket is None:
                config = KeyValueConfig(
                    bucket=BUCKET,
                    ttl=KEPT_FOR.total_seconds(),
                    history=1,
                    description="Imports",
                    replicas=self._replicas,
                )
                self._bucket = await self._make(self._broker, config)
            return self._bucket

    async def _make(self, broker: Broker, config: KeyValueConfig) -> KeyValue:
        try:
            return await broker.jetstream.create_key_value(config)
        except BadRequestError:
            # It is there with other settings: those of before the broker had more servers.
            bucket = await broker.jetstream.key_value(BUCKET)
            info = await broker.jetstream.stream_info(f"KV_{BUCKET}")
            await broker.jetstream.update_stream(
                info.config.evolve(num_replicas=config.replicas, max_age=config.ttl)
            )
            return bucket


def _claim(entry: KeyValue.Entry) -> Claim:
    import_id, _, digest = (entry.value or b"").decode().partition(" ")
    return Claim(import_id, digest)
