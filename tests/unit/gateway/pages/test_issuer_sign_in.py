"""Signing in at an issuer of tokens, with the issuer in this process."""

from __future__ import annotations

import asyncio
import base64
import json
import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from gateway.app import Edge, create_app
from gateway.pages import issuer_sign_in
from servicekit.identity import TokenVerifier
from tests.support.http import PATIENCE_SECONDS
from tests.support.issuer import CLIENT, Issuer, issuer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.unit.gateway.pages.conftest import Site

HUB = "https://hub.example"
PERSON = {"sub": "p-1", "name": "Maryam Example", "roles": ["hq_admin"]}


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """An issuer is not taken for one that is away because the machine stood still."""
    monkeypatch.setattr(issuer_sign_in, "_TIMEOUT", PATIENCE_SECONDS)
    monkeypatch.setattr("servicekit.identity._LOADED_WITHIN", PATIENCE_SECONDS)


@asynccontextmanager
async def browser(site: Site, at: Issuer, **settings: Any) -> AsyncGenerator[httpx.AsyncClient]:
    """A browser before a gateway that knows the issuer and no signing key of its own."""
    told = {"issuer": at.url, "jwks": "", "signing_key": "", "oidc_client": CLIENT} | settings
    known = site.edge.settings.model_copy(update=told)
    # Keys are discovered, and cached for a while: each of these is told of its own issuer.
    verifier = TokenVerifier(issuer=at.url, audience=known.audience)
    edge = Edge(known, site.clients, verifier, site.feed)
    transport = httpx.ASGITransport(create_app(edge), client=("192.0.2.7", 5000))
    async with httpx.AsyncClient(
        transport=transport, base_url=HUB, headers={"Accept-Language": "en"}
    ) as http:
        yield http


async def sent_back(http: httpx.AsyncClient) -> str:
    """Begin, sign in at the issuer, and give the address that it sends the browser back to."""
    begun = await http.get("/sign-in/issuer")
    assert begun.status_code == 303, begun.text
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as there:
        answer = await there.get(begun.headers["location"])
    assert answer.status_code == 303
    return answer.headers["location"]


async def test_a_person_signs_in_at_the_issuer(site: Site) -> None:
    async with issuer(**PERSON) as at, browser(site, at) as http:
        assert 'href="/sign-in/issuer"' in (await http.get("/")).text
        back = await sent_back(http)
        assert at.asked["code_challenge_method"] == "S256"
        assert at.asked["redirect_uri"] == f"{HUB}/sign-in/back"
        # Strict: it is not sent on the way from another site, so the page begins a new one.
        arrived = await http.get(back)
        assert arrived.status_code == 200
        assert 'content="0;url=/"' in arrived.text
        session = next(
            cookie
            for cookie in arrived.headers.get_list("set-cookie")
            if cookie.startswith("peyvand_session=")
        )
        for attribute in ("HttpOnly", "SameSite=strict", "Secure", "Path=/", "Max-Age=600"):
            assert attribute in session
        page = (await http.get("/")).text
        assert "Maryam Example" in page
        assert "/sign-in/issuer" not in page


async def test_the_way_is_a_cookie_that_no_script_reads(site: Site) -> None:
    async with issuer(**PERSON) as at, browser(site, at) as http:
        begun = await http.get("/sign-in/issuer")
        cookie = begun.headers["set-cookie"]
        for attribute in ("HttpOnly", "SameSite=lax", "Secure", "Path=/sign-in/back"):
            assert attribute in cookie
        asked = parse_qs(urlsplit(begun.headers["location"]).query)
        assert {"state", "nonce", "code_challenge"} <= asked.keys()
        again = parse_qs(urlsplit((await http.get("/sign-in/issuer")).headers["location"]).query)
        assert asked["state"] != again["state"]
        assert asked["nonce"] != again["nonce"]


async def test_a_code_is_good_once_and_for_who_began(site: Site) -> None:
    async with issuer(**PERSON) as at, browser(site, at) as http:
        back = await sent_back(http)
        # Another's browser: the address alone, as in a link that someone was sent.
        async with browser(site, at) as other:
            refused = await other.get(back)
            assert refused.status_code == 401
            assert "was not begun here" in refused.text
            assert "peyvand_session" not in refused.headers.get("set-cookie", "")
            # Nor one that has begun a way of its own.
            await other.get("/sign-in/issuer")
            assert (await other.get(back)).status_code == 401
        way = http.cookies["peyvand_sign_in"]
        assert (await http.get(back)).status_code == 200
        http.cookies.set("peyvand_sign_in", way, domain="hub.example", path="/sign-in/back")
        assert (await http.get(back)).status_code == 401


def way_of(state: Any, **others: Any) -> bytes:
    """What a cookie says of the way, with a state that somebody made up."""
    good = "A" * 43
    return json.dumps({"state": state, "nonce": good, "verifier": good} | others).encode()


@pytest.mark.parametrize(
    ("cookie", "state"),
    [
        (way_of("\ud800"), "s"),
        (way_of("A" * 43, verifier="é" * 43), "A" * 43),
        (way_of("A" * 43, nonce=["A"] * 9), "A" * 43),
        (way_of("A" * 44), "A" * 44),
        (way_of("A" * 42 + "\n"), "A" * 42 + "\n"),
        (way_of(""), ""),
        (b"[" * 100_000, "s"),
        (b"[]", "s"),
        (b"\xff\xfe", "s"),
    ],
    ids=["surrogate", "verifier", "list", "long", "line", "empty", "deep", "no object", "no text"],
)
async def test_a_cookie_that_somebody_made_up_is_refused(
    site: Site, cookie: bytes, state: str
) -> None:
    async with issuer(**PERSON) as at, browser(site, at) as http:
        made_up = base64.urlsafe_b64encode(cookie).decode()
        answer = await http.get(
            "/sign-in/back",
            params={"code": "c", "state": state},
            headers={"Cookie": f"peyvand_sign_in={made_up}"},
        )
        assert answer.status_code == 401
        assert "was not begun here" in answer.text
        assert at.described_times == 0, "the issuer is not asked for such a one"


async def test_an_issuer_that_was_away_is_not_asked_for_each_reader(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer_sign_in, "_AWAY_SECONDS", math.inf)
    async with issuer(**PERSON) as at, browser(site, at) as http:
        at.is_away = True
        answers = await asyncio.gather(*(http.get("/sign-in/issuer") for _ in range(5)))
        assert {answer.status_code for answer in answers} == {503}
        assert at.described_times == 1
        at.is_away = False
        monkeypatch.setattr(issuer_sign_in, "_AWAY_SECONDS", 0.0)
        assert (await http.get("/sign-in/issuer")).status_code == 303


@pytest.mark.parametrize(
    ("secret", "told"),
    [("", ""), ("plain", f"{CLIENT}:plain"), ("a:b %+ü", f"{CLIENT}:a%3Ab+%25%2B%C3%BC")],
)
async def test_the_secret_of_the_client_is_told_as_the_standard_has_it(
    site: Site, secret: str, told: str
) -> None:
    async with issuer(**PERSON) as at, browser(site, at, oidc_secret=SecretStr(secret)) as http:
        assert (await http.get(await sent_back(http))).status_code == 200
        assert at.basic == told


@pytest.mark.parametrize(("promises", "status"), [(True, 401), (False, 200)])
async def test_an_issuer_that_promises_to_name_itself_has_to(
    site: Site, promises: bool, status: int
) -> None:
    async with issuer(**PERSON) as at, browser(site, at) as http:
        at.described = {"authorization_response_iss_parameter_supported": promises}
        assert (await http.get(await sent_back(http))).status_code == 200
        at.names_itself = False
        assert (await http.get(await sent_back(http))).status_code == status


@pytest.mark.parametrize(
    ("identity", "access"),
    [
        ({"nonce": "of another way"}, {}),
        ({"nonce": None}, {}),
        ({"aud": "another client"}, {}),
        ({"iss": "https://other.example"}, {}),
        ({"exp": 1}, {}),
        ({"sub": "p-2"}, {}),
        ({}, {"aud": "another service"}),
        ({}, {"exp": 1}),
        ({}, {"name": "x" * 5000}),
    ],
)
async def test_a_token_that_is_not_of_this_way_signs_nobody_in(
    site: Site, identity: dict[str, Any], access: dict[str, Any]
) -> None:
    async with issuer(**PERSON) as at, browser(site, at) as http:
        at.identity, at.access = identity, access
        answer = await http.get(await sent_back(http))
        assert answer.status_code == 401
        assert "peyvand_session" not in answer.headers.get("set-cookie", "")
        assert "Maryam Example" not in (await http.get("/")).text


async def test_who_is_not_let_in_is_told_in_their_language(site: Site) -> None:
    async with issuer(**PERSON) as at, browser(site, at) as http:
        at.refuses = "access_denied"
        answer = await http.get(await sent_back(http), headers={"Accept-Language": "fa"})
        assert answer.status_code == 401
        assert "اجازهٔ ورود نداد" in answer.text


async def test_an_issuer_that_is_away_or_another_is_an_outage(site: Site) -> None:
    async with issuer(**PERSON) as at:
        gone = at.url
        settings = {
            "issuer": "https://other.example",
            "oidc_discovery": f"{at.url}/.well-known/openid-configuration",
        }
        async with browser(site, at, **settings) as http:
            assert (await http.get("/sign-in/issuer")).status_code == 503
    async with browser(site, Issuer(gone, {})) as http:
        assert (await http.get("/sign-in/issuer")).status_code == 503


async def test_without_a_client_there_is_no_such_address(site: Site) -> None:
    async with issuer(**PERSON) as at, browser(site, at, oidc_client="") as http:
        assert (await http.get("/sign-in/issuer")).status_code == 404
        assert (await http.get("/sign-in/back?code=c&state=s")).status_code == 404
        assert "/sign-in/issuer" not in (await http.get("/")).text
