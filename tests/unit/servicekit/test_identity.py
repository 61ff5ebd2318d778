"""Only tokens of the trusted issuer prove anything."""

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from servicekit.errors import Fault
from servicekit.identity import KEYS_KEPT, TokenVerifier
from tests.support.http import PATIENCE_SECONDS
from tests.support.messaging import eventually

ISSUER = "https://issuer.example"


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """An issuer is not taken for one that is away because the machine stood still."""
    monkeypatch.setattr("servicekit.identity._LOADED_WITHIN", PATIENCE_SECONDS)


class Signer:
    """An issuer with one key, published in a file."""

    def __init__(self, folder: Path) -> None:
        self.jwks = folder / "jwks.json"
        self.key = self.rotate()

    def rotate(self) -> OKPKey:
        self.key = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": "Ed25519"})
        self.key.ensure_kid()
        self.jwks.write_text(json.dumps({"keys": [self.key.as_dict(private=False)]}))
        return self.key

    def token(self, **changes: Any) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": "peyvand",
            "sub": "someone",
            "exp": now + 60,
            "roles": ["hq_admin", "made_up"],
            "realm_access": {"roles": ["hq_analyst"]},
            "center_ids": ["ctr_1"],
        } | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "Ed25519", "kid": self.key.kid}
        return jwt.encode(header, claims, self.key, algorithms=["Ed25519"])


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path)


def verifier(signer: Signer, **changes: Any) -> TokenVerifier:
    settings: dict[str, Any] = {"issuer": ISSUER, "audience": "peyvand", "jwks": str(signer.jwks)}
    return TokenVerifier(**(settings | changes))


async def test_a_good_token_gives_the_principal(signer: Signer) -> None:
    principal = await verifier(signer).verify(signer.token())
    assert principal.subject == "someone"
    assert principal.roles == {"hq_admin", "public"}
    assert principal.center_ids == {"ctr_1"}


async def test_roles_are_found_where_the_issuer_puts_them(signer: Signer) -> None:
    keycloak = verifier(signer, roles_claim="realm_access.roles")
    assert (await keycloak.verify(signer.token())).roles == {"hq_analyst", "public"}


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example"},
        {"aud": "other"},
        {"exp": None},
        {"sub": None},
    ],
)
async def test_a_token_for_another_place_is_refused(
    signer: Signer, changes: dict[str, Any]
) -> None:
    with pytest.raises(Fault, match="TOKEN_REJECTED"):
        await verifier(signer).verify(signer.token(**changes))


@pytest.mark.parametrize(("claim", "seconds"), [("exp", -3600), ("nbf", 3600)])
async def test_a_token_for_another_time_is_refused(
    signer: Signer, claim: str, seconds: int
) -> None:
    with pytest.raises(Fault, match="TOKEN_REJECTED"):
        await verifier(signer).verify(signer.token(**{claim: int(time.time()) + seconds}))


async def test_a_forged_token_is_refused(signer: Signer, tmp_path: Path) -> None:
    trusting = verifier(signer)
    other = Signer(tmp_path)  # writes its key over the published one, which is read later
    forged = other.token()
    signer.jwks.write_text(json.dumps({"keys": [signer.key.as_dict(private=False)]}))
    public = signer.key.as_dict(private=False)
    confused = jwt.encode(
        {"alg": "HS256", "kid": public["kid"]},
        {"iss": ISSUER, "aud": "peyvand", "sub": "x", "exp": int(time.time()) + 60},
        OctKey.import_key(json.dumps(public)),
        algorithms=["HS256"],
    )
    head, payload, signature = signer.token().split(".")
    for token in [
        forged,
        confused,
        f"{head}.{payload}.",
        f"{head}.{payload}x.{signature}",
        "",
        "a",
    ]:
        with pytest.raises(Fault, match="TOKEN_REJECTED"):
            await trusting.verify(token)


@pytest.fixture
async def of_before(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> TokenVerifier:
    """Who has read the keys of an issuer that has changed them since."""
    trusting = verifier(signer)
    await trusting.verify(signer.token())
    signer.rotate()
    moved = time.monotonic() + 60
    monkeypatch.setattr("servicekit.identity.time.monotonic", lambda: moved)
    return trusting


async def test_a_new_key_of_the_issuer_is_found(signer: Signer, of_before: TokenVerifier) -> None:
    assert (await of_before.verify(signer.token())).subject == "someone"


async def test_a_new_key_is_found_by_all_calls_that_come_at_once(
    signer: Signer, of_before: TokenVerifier
) -> None:
    callers = [f"caller{number}" for number in range(5)]
    found = await asyncio.gather(*(of_before.verify(signer.token(sub=who)) for who in callers))
    assert [principal.subject for principal in found] == callers


async def test_an_expired_token_is_refused_also_when_it_was_good_before(
    signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting, token = verifier(signer), signer.token()
    await trusting.verify(token)
    later = time.time() + 3600
    monkeypatch.setattr("servicekit.identity.time.time", lambda: later)
    with pytest.raises(Fault, match="TOKEN_REJECTED"):
        await trusting.verify(token)


async def test_without_keys_nobody_is_let_in(signer: Signer, tmp_path: Path) -> None:
    with pytest.raises(Fault, match="UNAVAILABLE"):
        await verifier(signer, jwks=str(tmp_path / "missing")).verify(signer.token())


class Discovery(BaseHTTPRequestHandler):
    """An OpenID Connect issuer as far as a verifier sees one."""

    signer: Signer
    asked: ClassVar[list[str]] = []
    answers: ClassVar[threading.Event] = threading.Event()

    def do_GET(self) -> None:
        self.answers.wait(60)
        self.asked.append(self.path)
        host = f"http://{self.headers['Host']}"
        documents = {
            "/realm/.well-known/openid-configuration": {"jwks_uri": f"{host}/realm/keys"},
            "/realm/keys": json.loads(self.signer.jwks.read_text()),
        }
        body = json.dumps(documents[self.path]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def discovery(signer: Signer) -> Generator[str]:
    Discovery.signer = signer
    Discovery.asked.clear()
    Discovery.answers.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Discovery)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/realm"
    server.shutdown()
    server.server_close()


async def test_any_oidc_issuer_is_trusted_by_its_address_alone(
    signer: Signer, discovery: str
) -> None:
    trusting = verifier(signer, issuer=discovery, jwks="")
    principals = [await trusting.verify(signer.token(iss=discovery, sub=who)) for who in "abc"]
    assert [principal.subject for principal in principals] == ["a", "b", "c"]
    assert Discovery.asked == ["/realm/.well-known/openid-configuration", "/realm/keys"]
    with pytest.raises(Fault, match="TOKEN_REJECTED"):
        await trusting.verify(signer.token())


async def test_a_key_that_the_issuer_withdrew_proves_nothing_any_more(
    signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting = verifier(signer, keys_kept=0.3)
    token, other = signer.token(), signer.token(sub="other")
    await trusting.verify(token)
    signer.rotate()
    monkeypatch.setattr("servicekit.identity._REFETCH", 0)
    # The key set is read again beside a call, so some may still pass.
    for _ in range(100):
        with contextlib.suppress(Fault):
            await trusting.verify(token)
        await asyncio.sleep(0.01)
    for withdrawn in (token, other):
        with pytest.raises(Fault, match="TOKEN_REJECTED"):
            await trusting.verify(withdrawn)
    assert (await trusting.verify(signer.token())).subject == "someone"


async def test_after_a_time_without_calls_not_one_more_passes(
    signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting, token = verifier(signer), signer.token()
    await trusting.verify(token)
    signer.rotate()
    later = time.monotonic() + 2 * KEYS_KEPT + 60
    monkeypatch.setattr("servicekit.identity.time.monotonic", lambda: later)
    with pytest.raises(Fault, match="TOKEN_REJECTED"):
        await trusting.verify(token)
    assert (await trusting.verify(signer.token())).subject == "someone"


@pytest.mark.parametrize("kept", [0.04, 0.001])
async def test_keys_stay_good_while_the_issuer_is_away(
    signer: Signer, monkeypatch: pytest.MonkeyPatch, kept: float
) -> None:
    trusting = verifier(signer, keys_kept=kept)
    await trusting.verify(signer.token())
    signer.jwks.unlink()
    monkeypatch.setattr("servicekit.identity._REFETCH", 0)
    for subject in ("a", "b"):
        assert (await trusting.verify(signer.token(sub=subject))).subject == subject
        await asyncio.sleep(0.05)


class Clock:
    """A clock that can be set forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._clock, self._passed = time.monotonic, 0.0
        monkeypatch.setattr(
            "servicekit.identity.time.monotonic", lambda: self._clock() + self._passed
        )

    def forward(self, seconds: float) -> None:
        self._passed += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


async def test_a_key_that_was_withdrawn_while_the_issuer_was_away_ends_soon_after(
    signer: Signer, clock: Clock
) -> None:
    trusting, token = verifier(signer), signer.token()
    await trusting.verify(token)
    there, away = signer.jwks, signer.jwks.with_name("away")
    there.rename(away)
    clock.forward(3 * KEYS_KEPT)
    # Asked before this call is answered, and beside all that follow.
    await trusting.verify(token)
    await trusting.verify(token)
    away.rename(there)
    signer.rotate()
    clock.forward(11)  # seconds, more than between two loads

    async def is_refused() -> bool:
        try:
            await trusting.verify(token)
        except Fault as fault:
            return fault.reason == "TOKEN_REJECTED"
        return False

    await eventually(is_refused)
    assert (await trusting.verify(signer.token())).subject == "someone"


async def test_an_issuer_that_was_away_long_ago_is_asked_before_a_call_is_answered(
    signer: Signer, clock: Clock, tmp_path: Path
) -> None:
    trusting, token = verifier(signer), signer.token()
    await trusting.verify(token)
    there, away = signer.jwks, signer.jwks.with_name("away")
    there.rename(away)
    clock.forward(11)
    # A key that nobody knows has the key set asked for.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    stranger = Signer(elsewhere)
    with pytest.raises(Fault, match="TOKEN_REJECTED"):
        await trusting.verify(stranger.token())
    away.rename(there)
    signer.rotate()
    clock.forward(4 * 3600)
    with pytest.raises(Fault, match="TOKEN_REJECTED"):
        await trusting.verify(token)


async def test_calls_do_not_wait_for_an_issuer_that_hangs(
    signer: Signer, discovery: str, clock: Clock
) -> None:
    trusting = verifier(signer, issuer=discovery, jwks=f"{discovery}/keys")
    token = signer.token(iss=discovery)
    await trusting.verify(token)
    clock.forward(3 * KEYS_KEPT)
    Discovery.answers.clear()
    try:
        # Whoever calls has less time than the issuer takes.
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await trusting.verify(token)
        for _ in range(3):
            clock.forward(11)
            async with asyncio.timeout(PATIENCE_SECONDS / 2):
                assert (await trusting.verify(token)).subject == "someone"
    finally:
        Discovery.answers.set()


@pytest.mark.parametrize(
    "published", ["[]", "null", '{"keys": null}', '{"keys": [{"kty": ["a"]}]}', "{", ""]
)
async def test_a_key_set_that_is_none_leaves_the_known_one_in_force(
    signer: Signer, clock: Clock, published: str
) -> None:
    trusting = verifier(signer)
    await trusting.verify(signer.token())
    signer.jwks.write_text(published)
    clock.forward(3 * KEYS_KEPT)
    for subject in ("a", "b"):
        assert (await trusting.verify(signer.token(sub=subject))).subject == subject


@pytest.mark.parametrize(
    ("claim", "known"),
    [
        (["ctr_1", "ctr_2"], {"ctr_1", "ctr_2"}),
        ("ctr_1", {"ctr_1"}),
        (None, set()),
        (5, set()),
        ([{"id": "ctr_1"}, ["ctr_1"], 5, None], set()),
        ({"ctr_1": True}, set()),
    ],
)
async def test_a_claim_of_an_odd_form_gives_nothing(
    signer: Signer, claim: object, known: set[str]
) -> None:
    principal = await verifier(signer).verify(signer.token(center_ids=claim, roles=claim))
    assert principal.center_ids == known
    assert principal.roles == {"public"}
