"""Keeps the broker at what the database says about keys: ``python -m centers.registrar``.

It alone reads the keys of the operator and the accounts, answers nobody, and is the one
that can change what the broker lets in. A key of a node that is barred in the database is
revoked in the account of the platform: the broker cuts its connection and refuses it from
then on. What the broker says is compared with the database every two seconds too, so that
a broker that lost what it was told is told again.

Where provinces have brokers of their own, it also keeps the copy that they copy from
(`centers.copies`).
"""

import asyncio
import contextlib
import json
import signal
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import structlog
import uvloop
from nats.errors import Error as NatsError
from prometheus_client import Gauge
from pydantic import Field, field_validator

from centers.copies import keep_copy
from nodekit import nats_jwt
from nodekit.accounts import HubKeys
from nodekit.keys import KeyKind, check_public
from nodekit.nats_jwt import Account, BadJwt
from servicekit import telemetry
from servicekit.broker import Broker
from servicekit.broker_access import BrokerAccess
from servicekit.leadership import LeaderConnection
from servicekit.probes import ProbeServer
from servicekit.settings import ServiceSettings
from servicekit.tasks import end_tasks

log = structlog.get_logger(__name__)

# One that stands by says 0: none of all is 1 when nobody sees to the broker.
AGREES = Gauge(
    "registrar_agrees", "1 in the process that sees the broker bar what the database bars"
)

CHANNEL = "node_keys"
_INTERVAL = 2.0  # seconds between two looks
_AGAIN_AFTER = 0.5  # seconds after a look that failed
_ANSWER_WITHIN = 3.0  # seconds
_UPDATE = "$SYS.REQ.CLAIMS.UPDATE"
# A leaf that is written anew has another key.
_FOR_EVER = datetime(2100, 1, 1, tzinfo=UTC)

# A key that has expired is refused without being revoked. The day is for a broker whose
# clock is behind the database's.
_BARRED = """
    SELECT public_key, expires_at FROM node_key
    WHERE barred_since IS NOT NULL AND expires_at > now() - interval '1 day'
"""


class Refused(Exception):
    """The broker does not take what it is told."""


class TooLarge(Refused):
    """What the broker is to be told is more than it takes."""


class RegistrarSettings(ServiceSettings):
    """Settings of the registrar."""

    database_url: str = Field(description="the database of centers")
    registrar_keys: Path = Field(description="folder of the keys of the operator and accounts")
    leaves_port: int = Field(
        default=0, ge=0, description="of the broker, for brokers of provinces; 0 for none"
    )
    barred_leaves: list[str] = Field(
        default_factory=list[str],
        description="public keys of leaves that are let in no more, a JSON list",
    )

    @field_validator("barred_leaves")
    @classmethod
    def _are_keys(cls, given: list[str]) -> list[str]:
        return [check_public(key, KeyKind.USER) for key in given]


class Registrar:
    """Tells the broker which keys are barred. `broker` is in the account SYS."""

    def __init__(
        self,
        broker: Broker,
        database_url: str,
        keys: HubKeys,
        barred_leaves: Sequence[str] = (),
    ) -> None:
        self._broker = broker
        self._barred_leaves = dict.fromkeys(barred_leaves, _FOR_EVER)
        self._database_url = database_url
        self._keys = keys
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._trouble = ""
        self.agrees = False
        """Whether the broker is known to agree now, or another process sees to it."""

    async def start(self) -> None:
        """Begin in the background."""
        self._task = asyncio.create_task(self._run(), name="registrar")

    async def stop(self) -> None:
        """End; the broker keeps what it was told."""
        await end_tasks(self._task)
        self._task = None

    async def _run(self) -> None:
        forget = self._broker.on_reconnect(self._wake.set)
        try:
            while True:
                try:
                    await self._follow()
                except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                    self._note(error)
                await asyncio.sleep(_AGAIN_AFTER)
        finally:
            forget()

    async def _follow(self) -> None:
        """Work until the connection to the database ends; one process at a time does."""
        leader = await LeaderConnection.open(
            self._database_url, "registrar", on_lost=self._wake.set
        )
        try:
            await leader.listen(CHANNEL, self._wake.set)
            leads = False
            while not leader.lost.is_set():
                self._wake.clear()
                leads = leads or await leader.try_lead()
                pause = _INTERVAL
                if not leads:
                    self.agrees = True
                elif not await self._look(leader.connection):
                    pause = _AGAIN_AFTER
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), pause)
        finally:
            AGREES.set(0)
            leader.close()

    async def _look(self, connection: asyncpg.Connection) -> bool:
        try:
            await self._agree(await _barred(connection))
        except (NatsError, TimeoutError, Refused, asyncpg.UndefinedTableError) as error:
            # Also before the service has made its tables.
            self._note(error)
            return False
        self.agrees = True
        AGREES.set(1)
        self._trouble = ""
        return True

    async def _agree(self, barred: Mapping[str, datetime]) -> None:
        leaves = self._barred_leaves
        for wanted in (
            self._keys.platform_account({**barred, **leaves}),
            self._keys.provinces_account(leaves),
            self._keys.system_account(leaves),
            self._keys.copies_account(),
        ):
            await self._agree_on(wanted)

    async def _agree_on(self, wanted: Account) -> None:
        if await self._known(wanted.public) == wanted.claims():
            return
        self._differs()
        jwt = nats_jwt.account(self._keys.operator, wanted)
        most = self._broker.client.max_payload
        if len(jwt) > most:
            raise TooLarge(
                f"the account is {len(jwt)} bytes long with {len(wanted.revocations)} barred keys,"
                f" and the broker takes {most}: raise max_payload in its configuration and"
                " reload it"
            )
        answer = await self._ask(_UPDATE, jwt.encode("ascii"))
        if _code(answer) != 200:
            raise Refused(answer.decode("utf-8", "replace"))
        log.info(
            "the broker was told of an account",
            account=wanted.name,
            barred=len(wanted.revocations),
        )

    async def _known(self, account: str) -> Mapping[str, Any] | None:
        """Return what the broker says of the account; None when it is nothing of the operator's."""
        answer = await self._ask(f"$SYS.REQ.ACCOUNT.{account}.CLAIMS.LOOKUP", b"")
        try:
            claims = nats_jwt.decode(answer.decode("ascii"))
        except (BadJwt, UnicodeDecodeError):
            return None
        return claims.nats if claims.issuer == self._keys.operator.public else None

    async def _ask(self, subject: str, data: bytes) -> bytes:
        answer = await self._broker.client.request(subject, data, timeout=_ANSWER_WITHIN)
        return answer.data

    def _differs(self) -> None:
        self.agrees = False
        AGREES.set(0)

    def _note(self, error: Exception) -> None:
        self._differs()
        if self._trouble != (trouble := repr(error)):
            tell = log.error if isinstance(error, TooLarge) else log.warning
            tell("the broker cannot be told yet", error=trouble)
        self._trouble = trouble


async def _barred(connection: asyncpg.Connection) -> dict[str, datetime]:
    # A revocation voids what was issued up to a time. The time of expiry is after any
    # issue, whatever the clocks of the database and of the issuer say.
    rows = await connection.fetch(_BARRED)
    return {row["public_key"]: row["expires_at"] for row in rows}


def _code(answer: bytes) -> int:
    try:
        return int(json.loads(answer)["data"]["code"])
    except (ValueError, KeyError, TypeError):
        return 0


async def serve(settings: RegistrarSettings) -> None:
    """Work until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    keys = HubKeys.read(settings.registrar_keys)
    access = BrokerAccess(
        settings.nats_url,
        keys.system_credentials("registrar"),
        settings.nats_ca,
        settings.nats_tls_first,
    )
    registrar: Registrar | None = None

    async def readiness() -> dict[str, bool]:
        return {"broker": registrar is not None and registrar.agrees}

    probes = ProbeServer(settings.metrics_listen, readiness)
    await probes.start()
    connecting = asyncio.create_task(Broker.connect(access, name="registrar"))
    copying: asyncio.Task[None] | None = None
    if settings.leaves_port:
        inside = replace(access, credentials=keys.copies_credentials("registrar"))
        copying = asyncio.create_task(keep_copy(inside, settings.stream_replicas))
    ending = asyncio.create_task(stopping.wait())
    await asyncio.wait({connecting, ending}, return_when=asyncio.FIRST_COMPLETED)
    if connecting.done():
        broker = connecting.result()
        registrar = Registrar(broker, settings.database_url, keys, settings.barred_leaves)
        await registrar.start()
        await stopping.wait()
        await registrar.stop()
        await broker.close()
    await end_tasks(connecting, ending, copying)
    await probes.stop()


def main() -> None:
    """Run the registrar."""
    settings = RegistrarSettings.from_environment()
    telemetry.configure("registrar", settings)
    uvloop.run(serve(settings))


if __name__ == "__main__":
    main()
