"""An issuer of tokens in this process, as OpenID Connect wants one: for signing in.

It lets in whoever comes, as the person that the test says; what it hands out it hands out once,
to the client that the code was made for, against the verifier of PKCE.
"""

import asyncio
import base64
import hashlib
import secrets
import socket
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import uvicorn
from joserfc import jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from peyvandctl.state import free_port
from servicekit.local_issuer import ALGORITHM, generate_key

CLIENT = "peyvand-page"


@dataclass
class Issuer:
    """The issuer, and what a test changes of it.

    Attributes:
        url: its identifier and address.
        person: claims of who signs in.
        refuses: an error that it answers with instead of a code.
        identity: claims by which its id token differs from an honest one.
        access: the same of its access token.
        described: what it says of itself besides.
        names_itself: whether it says who it is when it sends somebody back (RFC 9207).
        is_away: whether it does not describe itself now.
        asked: what it was asked at its authorization endpoint, the last time.
        described_times: how often it was asked to describe itself.
        basic: client and secret of the last exchange, as they came; empty without.
    """

    url: str
    person: dict[str, Any]
    refuses: str = ""
    identity: dict[str, Any] = field(default_factory=dict[str, Any])
    access: dict[str, Any] = field(default_factory=dict[str, Any])
    described: dict[str, Any] = field(default_factory=dict[str, Any])
    names_itself: bool = True
    is_away: bool = False
    asked: dict[str, str] = field(default_factory=dict[str, str])
    described_times: int = 0
    basic: str = ""

    def __post_init__(self) -> None:
        self._key = generate_key()
        self._published = [self._key]
        self._codes: dict[str, dict[str, str]] = {}

    def app(self) -> Starlette:
        """Its addresses."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._describe),
                Route("/keys", self._keys),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    def rotate(self) -> None:
        """Sign with a new key from now on; those before stay published."""
        self._key = generate_key()
        self._published.append(self._key)

    def withdraw(self) -> None:
        """Publish no key but the one that signs."""
        self._published = [self._key]

    def access_token(self) -> str:
        """Sign a token of the person, as one gets who has signed in."""
        now = int(time.time())
        claims = {"iss": self.url, "aud": "peyvand", "iat": now, "exp": now + 3600}
        return self._signed(claims | self.person | self.access)

    async def _describe(self, _: Request) -> Response:
        self.described_times += 1
        if self.is_away:
            return Response(status_code=503)
        return JSONResponse(
            self.described
            | {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
            }
        )

    async def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [key.as_dict(private=False) for key in self._published]})

    async def _authorize(self, request: Request) -> Response:
        asked = self.asked = dict(request.query_params)
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT)
        back: dict[str, str] = {"state": asked["state"]}
        if self.names_itself:
            back["iss"] = self.url
        if self.refuses:
            back["error"] = self.refuses
        else:
            back["code"] = secrets.token_urlsafe(16)
            self._codes[back["code"]] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}", status_code=303)

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        basic = request.headers.get("authorization", "").removeprefix("Basic ")
        self.basic = base64.b64decode(basic).decode()
        asked = self._codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        fits = asked is not None and (
            challenge == asked["code_challenge"]
            and asked["code_challenge_method"] == "S256"
            and form["redirect_uri"] == asked["redirect_uri"]
            and form["client_id"] == asked["client_id"]
        )
        if asked is None or not fits:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(time.time())
        common = {"iss": self.url, "iat": now, "exp": now + 600, **self.person}
        identity = {**common, "aud": CLIENT, "nonce": asked["nonce"], **self.identity}
        return JSONResponse(
            {
                "token_type": "Bearer",
                "expires_in": 600,
                "access_token": self._signed({**common, "aud": "peyvand", **self.access}),
                "id_token": self._signed(identity),
            }
        )

    def _signed(self, claims: dict[str, Any]) -> str:
        header = {"alg": ALGORITHM, "kid": self._key.kid}
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])


class _Server(uvicorn.Server):
    """Leaves the signals to the tests, and says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answers.set()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@asynccontextmanager
async def issuer(**person: Any) -> AsyncGenerator[Issuer]:
    """Run an issuer at which a person with these claims signs in."""
    port = free_port()
    running = Issuer(f"http://127.0.0.1:{port}", person)
    server = _Server(uvicorn.Config(running.app(), port=port, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    try:
        await asyncio.wait_for(server.answers.wait(), 60)
        yield running
    finally:
        server.should_exit = True
        await serving
