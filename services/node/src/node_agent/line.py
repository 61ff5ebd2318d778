"""The line to the hub: one TLS connection to its broker, and what can go wrong with it."""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error, NoRespondersError

from nodekit import subjects
from nodekit.keys import UserCredentials

_CONNECT_SECONDS = 10.0
_CLOSE_SECONDS = 2.0
_PENDING_BYTES = 512 * 1024
# X509_V_FLAG_NO_CHECK_TIME of OpenSSL, for which the standard library has no name.
_NO_CHECK_TIME = 0x200000


class Trouble(Enum):
    """Why the line does not carry."""

    UNREACHABLE = "unreachable"  # no connection, or it was cut
    UNTRUSTED = "untrusted"  # what answers is not the hub that the node has joined
    REJECTED = "rejected"  # the hub does not let the node in: unknown, suspended or revoked
    REVOKED = "revoked"  # the hub has cut the node off while it was connected
    EXPIRED = "expired"  # the credentials are no longer good
    SILENT = "silent"  # no answer came in time
    UNATTENDED = "unattended"  # the broker is there, but nobody behind it


class LineError(Exception):
    """The line does not carry."""

    def __init__(self, trouble: Trouble, detail: str = "") -> None:
        super().__init__(detail or trouble.value)
        self.trouble = trouble
        self.detail = detail


class Line(Protocol):
    """A connection that stands. It does not mend itself: a new one is made."""

    async def request(self, subject: str, data: bytes, seconds: float) -> bytes:
        """Ask and give the answer. Raises `LineError`."""
        ...

    async def publish(self, subject: str, data: bytes) -> None:
        """Say something that has no answer; it may be lost."""
        ...

    async def ping(self, seconds: float) -> None:
        """Find out whether the other end is there. Raises `LineError`."""
        ...

    async def closed(self) -> LineError:
        """Wait until the connection is gone; returns why."""
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...


Connect = Callable[[UserCredentials | None, str, Callable[[], None]], Awaitable[Line]]
"""Makes a line with these credentials for a node, or raises `LineError`.

The callback is for when the hub asks for a greeting.
"""


def trusting(authority_pem: str, *, by_any_clock: bool = False) -> ssl.SSLContext:
    """TLS that trusts the hub's own authority and no other.

    The authority may itself be certified by another: it is the one whose fingerprint was
    heard, and trust ends there. `by_any_clock` is for a node that has joined: the dates of
    certificates are not looked at, so that a machine whose clock is wrong keeps its line.
    Who joins looks at them.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=authority_pem)
    if by_any_clock:
        context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    return context


@dataclass(frozen=True)
class Hub:
    """Where the hub is, and how it proves who it is.

    Attributes:
        address: host and port.
        tls: what is trusted; one for many lines is well.
        connect_seconds: how long an attempt may take.
    """

    address: str
    tls: ssl.SSLContext | None
    connect_seconds: float = _CONNECT_SECONDS

    @property
    def host(self) -> str:
        """The name that its certificate has to carry."""
        return self.address.rpartition(":")[0].strip("[]")

    async def __call__(
        self,
        credentials: UserCredentials | None,
        node_id: str,
        wake: Callable[[], None] | None = None,
    ) -> Line:
        """Connect as a node, or without credentials as someone who wants to join."""
        return await NatsLine.connect(self, credentials, node_id, wake)


class NatsLine:
    """A line over nats-py, which must not reconnect by itself: the agent decides that."""

    def __init__(self) -> None:
        self._client = Client()
        self._gone: asyncio.Future[LineError] = asyncio.get_running_loop().create_future()
        self._last_error: Exception | None = None
        self._connected = False

    @classmethod
    async def connect(
        cls,
        hub: Hub,
        credentials: UserCredentials | None,
        node_id: str,
        wake: Callable[[], None] | None,
    ) -> "NatsLine":
        """Make a line. Raises `LineError`."""
        line = cls()
        try:
            async with asyncio.timeout(hub.connect_seconds):
                await line._connect(hub, credentials, node_id)
            if node_id:

                async def woken(_message: Msg) -> None:
                    if wake is not None:
                        wake()

                await line._client.subscribe(subjects.wake(node_id), cb=woken)
        except TimeoutError:
            await line.close()
            raise LineError(Trouble.UNREACHABLE, "No answer while connecting.") from None
        except LineError:
            await line.close()
            raise
        except (Error, OSError, ValueError) as error:
            await line.close()
            raise _meaning(error) from error
        return line

    async def _connect(self, hub: Hub, credentials: UserCredentials | None, node_id: str) -> None:
        prefix = subjects.inbox_prefix(node_id) if node_id else subjects.JOIN_INBOX
        scheme = "nats" if hub.tls is None else "tls"
        attempt = asyncio.ensure_future(
            self._client.connect(
                f"{scheme}://{hub.address}",
                name=f"peyvand-node {node_id}".strip(),
                error_cb=self._on_error,
                closed_cb=self._on_closed,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=60,
                connect_timeout=int(hub.connect_seconds),
                ping_interval=3600,  # the agent pings, with a deadline
                pending_size=_PENDING_BYTES,
                inbox_prefix=prefix.encode(),
                tls_handshake_first=hub.tls is not None,
                tls=hub.tls,
                tls_hostname=None if hub.tls is None else hub.host,
                user_jwt_cb=None if credentials is None else credentials.user_jwt,
                signature_cb=None if credentials is None else credentials.signature,
            )
        )
        # nats-py tries again by itself and tells the reason only to the callback.
        try:
            await asyncio.wait({attempt, self._gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            attempt.cancel()
            await asyncio.gather(attempt, return_exceptions=True)
        if self._gone.done():
            raise self._gone.result()
        attempt.result()
        self._connected = True

    async def _on_error(self, error: Exception) -> None:
        self._last_error = error
        if not self._connected:
            self._end(_meaning(error))

    async def _on_closed(self) -> None:
        error = self._client.last_error or self._last_error
        self._end(_meaning(error) if error else LineError(Trouble.UNREACHABLE, "It was closed."))

    def _end(self, why: LineError) -> None:
        if not self._gone.done():
            self._gone.set_result(why)

    async def request(self, subject: str, data: bytes, seconds: float) -> bytes:
        """Ask and give the answer."""
        asked = asyncio.ensure_future(self._client.request(subject, data, timeout=seconds))
        await asyncio.wait({asked, self._gone}, return_when=asyncio.FIRST_COMPLETED)
        if not asked.done():
            asked.cancel()
            raise self._gone.result()
        try:
            return asked.result().data
        except NoRespondersError as error:
            raise LineError(Trouble.UNATTENDED, "Nobody at the hub answers.") from error
        except TimeoutError as error:
            raise LineError(Trouble.SILENT, f"No answer in {seconds:g} seconds.") from error
        except (Error, OSError, AttributeError) as error:
            raise _meaning(error) from error

    async def publish(self, subject: str, data: bytes) -> None:
        """Say something that has no answer."""
        try:
            await self._client.publish(subject, data)
        except (Error, OSError, AttributeError) as error:
            raise _meaning(error) from error

    async def ping(self, seconds: float) -> None:
        """Find out whether the other end is there."""
        try:
            async with asyncio.timeout(seconds):
                await self._client.flush(timeout=max(1, int(seconds) + 1))
        except TimeoutError as error:
            raise LineError(Trouble.SILENT, f"No pong in {seconds:g} seconds.") from error
        except (Error, OSError, AttributeError) as error:
            raise _meaning(error) from error

    async def closed(self) -> LineError:
        """Wait until the connection is gone; returns why."""
        return await asyncio.shield(self._gone)

    async def close(self) -> None:
        """Close the connection; a line on which nothing moves is left to the system."""
        self._end(LineError(Trouble.UNREACHABLE, "The node has closed it."))
        with contextlib.suppress(TimeoutError, Error, OSError, AttributeError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._client.close()


_WORDS = (
    ("authentication revoked", Trouble.REVOKED),
    ("authentication expired", Trouble.EXPIRED),
    ("authorization", Trouble.REJECTED),
    ("authentication", Trouble.REJECTED),
)


def _meaning(error: BaseException) -> LineError:
    """What an error of the client says; the broker names the reason in words only.

    `AttributeError` is what nats-py raises when the connection goes away under a call.
    """
    if isinstance(error, LineError):
        return error
    text = str(error) or type(error).__name__
    if isinstance(error, ssl.SSLError):
        return LineError(Trouble.UNTRUSTED, text)
    for words, trouble in _WORDS:
        if words in text.lower():
            return LineError(trouble, text)
    return LineError(Trouble.UNREACHABLE, text)
