"""Signing in by one click, for who sits at the machine on which the network runs.

Whoever can press the button becomes the headquarters, so it exists only where the local
signing key was given to the gateway, and answers only a browser on this machine that
called it by a name of this machine: a page elsewhere can make a browser send a form here,
or make its own name point here, but not both with these headers.
"""

import ipaddress
import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.auth import SESSION_COOKIE, is_cross_site
from gateway.settings import GatewaySettings
from servicekit.errors import Fault
from servicekit.local_issuer import DEFAULT_TTL_SECONDS, read_key, sign_token

ROLE = "hq_admin"
_THIS_MACHINE = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
# Any of these means that a proxy stands between, whose neighbour may be anyone.
_SENT_BY_PROXIES = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


class LocalSignIn:
    """Signs in and out. Without a signing key nobody is signed in."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._key = None
        if settings.signing_key:
            self._key = read_key(Path(settings.signing_key).read_text(encoding="utf-8"))

    def is_offered(self, request: Request) -> bool:
        """Tell whether this reader may sign in by a click."""
        return self._key is not None and is_local(request)

    def sign_in(self, request: Request) -> Response:
        """Sign the reader in as the headquarters. Raises `Fault` ``ROUTE_NOT_FOUND``."""
        # Elsewhere it is as if there were no such address.
        if self._key is None or not is_local(request) or is_cross_site(request):
            raise Fault("ROUTE_NOT_FOUND")
        token = sign_token(
            self._key,
            issuer=self._settings.issuer,
            audience=self._settings.audience,
            role=ROLE,
        )
        answer = _back_to_the_page()
        answer.set_cookie(
            SESSION_COOKIE,
            token,
            max_age=DEFAULT_TTL_SECONDS,
            path="/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return answer

    def sign_out(self, request: Request) -> Response:
        """Sign the reader out, wherever the session came from. Raises `Fault`."""
        if is_cross_site(request):
            raise Fault("ROUTE_NOT_FOUND")
        answer = _back_to_the_page()
        answer.delete_cookie(
            SESSION_COOKIE,
            path="/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return answer


def is_local(request: Request) -> bool:
    """Tell whether a request comes from this machine, straight, and calls it by its own name."""
    if any(name in request.headers for name in _SENT_BY_PROXIES):
        return False
    if _THIS_MACHINE.fullmatch(request.headers.get("host", "")) is None:
        return False
    try:
        address = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _back_to_the_page() -> Response:
    # 303: the browser goes on with GET, so that a reload does not sign in again.
    return RedirectResponse("/", status_code=303, headers={"Cache-Control": "no-store"})
