"""Who calls: reads the token of a request, early, and passes it on.

The services verify the token and enforce the policy again; what happens here
spares them the calls that cannot succeed and tells the caller at once.
"""

from dataclasses import dataclass
from typing import Annotated, Protocol
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.requests import HTTPConnection

from servicekit.errors import Fault
from servicekit.identity import Principal

SESSION_COOKIE = "peyvand_session"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_MAX_TOKEN = 16_384


class Verifier(Protocol):
    """Checks tokens; `servicekit.identity.TokenVerifier` is the real one."""

    async def verify(self, token: str) -> Principal:
        """Return the caller that the token proves. Raises `Fault` ``TOKEN_REJECTED``."""
        ...


@dataclass(frozen=True)
class Caller:
    """Who calls, and the token to pass on; no token for the public."""

    principal: Principal
    token: str | None = None


ANYONE = Caller(Principal.anonymous())


async def identify(connection: HTTPConnection, verifier: Verifier) -> Caller:
    """Find out who calls. Raises `Fault` ``TOKEN_REJECTED`` for a bad `Authorization`.

    A session cookie that has expired, or that another site makes the browser
    send, counts as none: pages then offer to sign in.
    """
    header = connection.headers.get("authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or len(token) > _MAX_TOKEN:
            raise Fault("TOKEN_REJECTED", {"detail": "send Authorization: Bearer <token>"})
        if not token.isascii():
            raise Fault("TOKEN_REJECTED", {"detail": "it is not a token"})
        return Caller(await verifier.verify(token), token)
    token = connection.cookies.get(SESSION_COOKIE, "")
    if not token or len(token) > _MAX_TOKEN or not token.isascii() or is_cross_site(connection):
        return ANYONE
    try:
        return Caller(await verifier.verify(token), token)
    except Fault as fault:
        if fault.reason != "TOKEN_REJECTED":
            raise
        return ANYONE


def is_cross_site(connection: HTTPConnection) -> bool:
    """Tell whether another site may be behind a request that could change something."""
    if connection.scope.get("method", "GET") in _SAFE_METHODS:
        return False
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = connection.headers.get("origin")
    if origin is None:
        # Every browser of the last years sends one of the two with such a request.
        return True
    return urlsplit(origin).netloc != connection.headers.get("host", "")


def caller(connection: HTTPConnection) -> Caller:
    """Who calls, as the edge found out before the request was routed."""
    found = connection.scope.get("state", {}).get("caller", ANYONE)
    assert isinstance(found, Caller)
    return found


CurrentCaller = Annotated[Caller, Depends(caller)]
