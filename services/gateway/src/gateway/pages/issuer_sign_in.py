"""Signing in at the issuer of tokens: OpenID Connect, authorization code with PKCE.

The browser goes to the issuer and comes back with a code, which the gateway exchanges for
tokens. What ties the two ways together (state, nonce, the verifier of PKCE) travels in a
cookie that no script reads, so that any gateway can take who comes back. The access token
becomes the session: it is the one that services verify, so what it says is all that counts.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx
import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gateway.auth import SESSION_COOKIE, Verifier
from gateway.settings import GatewaySettings
from servicekit.errors import Fault
from servicekit.identity import TokenVerifier

log = structlog.get_logger(__name__)

BACK = "/sign-in/back"
_ON_THE_WAY = "peyvand_sign_in"
_WAY_SECONDS = 600  # time that a person has to sign in at the issuer
_DOCUMENT_SECONDS = 3600.0  # after which the issuer's description of itself is read again
_AWAY_SECONDS = 5.0  # so long an issuer that was found away is not asked again
_TIMEOUT = 5.0  # seconds
# What ties the two ways together: 32 random bytes each, in Base64.
_TIES = ("state", "nonce", "verifier")
_TIE = re.compile(r"[A-Za-z0-9_-]{43}")
# A browser takes no larger cookie.
_MAX_SESSION = 4000  # bytes
# A redirect would still be part of the way from the issuer, on which browsers send no strict
# cookie; this page begins a way of its own.
_ARRIVED = '<!doctype html><meta http-equiv="refresh" content="0;url=/"><a href="/">Peyvand</a>'


class IssuerSignIn:
    """Signs in at the issuer. Without the id of a client there, nobody is signed in so."""

    def __init__(self, settings: GatewaySettings, verifier: Verifier) -> None:
        self._settings = settings
        self._verifier = verifier
        self._document: dict[str, Any] = {}
        self._read_at = self._away_at = float("-inf")
        self._reading = asyncio.Lock()

    @property
    def is_offered(self) -> bool:
        """Whether there is an issuer at which to sign in."""
        return bool(self._settings.oidc_client and self._settings.issuer)

    async def begin(self, request: Request) -> Response:
        """Send the reader to the issuer.

        Raises `Fault` ``ROUTE_NOT_FOUND`` where none is set, ``UNAVAILABLE`` while it is away.
        """
        document = await self._discover()
        way = {name: secrets.token_urlsafe(32) for name in _TIES}
        asked = {
            "response_type": "code",
            "client_id": self._settings.oidc_client,
            "redirect_uri": _back_to(request),
            "scope": self._settings.oidc_scope,
            "state": way["state"],
            "nonce": way["nonce"],
            "code_challenge": _challenge(way["verifier"]),
            "code_challenge_method": "S256",
        }
        place = str(document["authorization_endpoint"])
        joined = f"{place}{'&' if '?' in place else '?'}{urlencode(asked)}"
        answer = RedirectResponse(joined, status_code=303, headers={"Cache-Control": "no-store"})
        answer.set_cookie(
            _ON_THE_WAY,
            base64.urlsafe_b64encode(json.dumps(way).encode()).decode(),
            max_age=_WAY_SECONDS,
            path=BACK,
            secure=request.url.scheme == "https",
            httponly=True,
            # The way back is one from another site.
            samesite="lax",
        )
        return answer

    async def end(self, request: Request) -> Response:
        """Sign in whom the issuer has sent back.

        Raises `Fault` ``ROUTE_NOT_FOUND``, ``TOKEN_REJECTED`` for one who did not begin here
        or whom the issuer did not let in, ``UNAVAILABLE`` while the issuer is away.
        """
        self._require_offered()
        way = _on_the_way(request.cookies.get(_ON_THE_WAY, ""))
        given = request.query_params
        # First what costs nothing: anybody can send anything here.
        if way is None or not _same(given.get("state", ""), way["state"]):
            raise _rejected("signing in was not begun here")
        # RFC 9207: an answer that names its issuer names this one.
        if given.get("iss", self._settings.issuer) != self._settings.issuer:
            raise _rejected("signing in was not begun here")
        document = await self._discover()
        if document.get("authorization_response_iss_parameter_supported") and "iss" not in given:
            raise _rejected("signing in was not begun here")
        if "error" in given or not given.get("code"):
            log.info("the issuer let nobody in", error=given.get("error", "")[:100])
            raise _rejected("the issuer did not let you in")
        tokens = await self._exchange(document, given["code"], way["verifier"], _back_to(request))
        session, life = await self._accept(document, tokens, way["nonce"])
        answer = HTMLResponse(_ARRIVED, headers={"Cache-Control": "no-store"})
        secure = request.url.scheme == "https"
        answer.set_cookie(
            SESSION_COOKIE,
            session,
            max_age=life,
            path="/",
            secure=secure,
            httponly=True,
            samesite="strict",
        )
        answer.delete_cookie(_ON_THE_WAY, path=BACK, secure=secure, httponly=True, samesite="lax")
        return answer

    async def _accept(
        self, document: dict[str, Any], tokens: dict[str, Any], nonce: str
    ) -> tuple[str, int]:
        """The token that becomes the session, and the seconds that it is good for."""
        access, identity = str(tokens.get("access_token", "")), str(tokens.get("id_token", ""))
        if not access or not identity or len(access) > _MAX_SESSION:
            raise _rejected("the issuer gave no token that can be used")
        # Who signed in, here and now: a token of another way in has another nonce.
        check = TokenVerifier(
            issuer=self._settings.issuer,
            audience=self._settings.oidc_client,
            jwks=self._settings.jwks or str(document["jwks_uri"]),
        )
        claims = await check.claims(identity)
        if not _same(str(claims.get("nonce", "")), nonce):
            raise _rejected("signing in was not begun here")
        principal = await self._verifier.verify(access)
        if principal.subject != claims["sub"]:
            raise _rejected("the issuer gave no token that can be used")
        life = tokens.get("expires_in")
        return access, max(1, int(life)) if isinstance(life, int) else 300

    async def _exchange(
        self, document: dict[str, Any], code: str, verifier: str, back_to: str
    ) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back_to,
            "client_id": self._settings.oidc_client,
            "code_verifier": verifier,
        }
        secret = self._settings.oidc_secret.get_secret_value()
        # RFC 6749, 2.3.1: both are encoded like a form before they are joined.
        client = quote_plus(self._settings.oidc_client)
        basic = httpx.BasicAuth(client, quote_plus(secret)) if secret else None
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT, auth=basic) as http:
                answer = await http.post(str(document["token_endpoint"]), data=form)
        except httpx.HTTPError as error:
            log.warning("the issuer is away", error=repr(error))
            raise Fault("UNAVAILABLE") from error
        if answer.is_server_error:
            raise Fault("UNAVAILABLE")
        tokens: Any = _json(answer)
        if not answer.is_success or not isinstance(tokens, dict):
            log.info("the issuer took no code", status=answer.status_code)
            raise _rejected("the issuer did not let you in")
        return tokens

    async def _discover(self) -> dict[str, Any]:
        """What the issuer says of itself (OpenID Connect Discovery 1.0)."""
        self._require_offered()
        async with self._reading:
            now = time.monotonic()
            if self._document and now - self._read_at < _DOCUMENT_SECONDS:
                return self._document
            # Those who wait for the same answer need not each wait for it as long.
            if now - self._away_at < _AWAY_SECONDS:
                raise Fault("UNAVAILABLE")
            try:
                self._document = await self._read_document()
            except Fault:
                self._away_at = time.monotonic()
                raise
            self._read_at = time.monotonic()
            return self._document

    async def _read_document(self) -> dict[str, Any]:
        place = (
            self._settings.oidc_discovery
            or f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration"
        )
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT) as http:
                document: Any = (await http.get(place)).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            log.warning("the issuer does not describe itself", error=repr(error))
            raise Fault("UNAVAILABLE") from error
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if not isinstance(document, dict) or any(name not in document for name in needed):
            log.error("the issuer's description lacks what signing in needs")
            raise Fault("UNAVAILABLE")
        described: dict[str, Any] = document
        if described.get("issuer") != self._settings.issuer:
            log.error("the description is of another issuer")
            raise Fault("UNAVAILABLE")
        return described

    def _require_offered(self) -> None:
        if not self.is_offered:
            raise Fault("ROUTE_NOT_FOUND")


def _back_to(request: Request) -> str:
    # The issuer sends nobody to an address that is not registered with it.
    return f"{request.url.scheme}://{request.headers.get('host', '')}{BACK}"


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _on_the_way(cookie: str) -> dict[str, str] | None:
    """What was made when the reader set out; `None` if the cookie is not one of ours."""
    try:
        way: Any = json.loads(base64.urlsafe_b64decode(cookie.encode("ascii")))
        ties = {name: str(way[name]) for name in _TIES}
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return ties if all(_TIE.fullmatch(tie) for tie in ties.values()) else None


def _same(one: str, other: str) -> bool:
    kept = "surrogatepass"
    return hmac.compare_digest(one.encode(errors=kept), other.encode(errors=kept))


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _rejected(detail: str) -> Fault:
    return Fault("TOKEN_REJECTED", {"detail": detail})
