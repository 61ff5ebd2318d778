"""JWTs of NATS: what is signed can be read, and nothing else."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from nodekit import nats_jwt
from nodekit.keys import KeyKind, NKey
from nodekit.nats_jwt import Account, BadJwt, Permissions, Scope

OPERATOR, ACCOUNT, USER = (NKey.new(kind) for kind in KeyKind)


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_a_scoped_user_carries_its_name_and_expiry_and_no_permissions() -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    jwt = nats_jwt.scoped_user(ACCOUNT, USER.public, "nod_1", account="AX", expires_at=until)
    claims = nats_jwt.decode(jwt)
    assert (claims.subject, claims.issuer, claims.name) == (USER.public, ACCOUNT.public, "nod_1")
    assert claims.expires_at == until
    assert claims.nats["issuer_account"] == "AX"
    assert (claims.nats["pub"], claims.nats["sub"]) == ({}, {})


def test_an_account_says_its_template_and_its_revocations_in_seconds() -> None:
    barred = datetime(2026, 1, 2, 3, 4, 5, 600_000, tzinfo=UTC)
    scope = Scope(NKey.new(KeyKind.ACCOUNT).public, "node", Permissions(["node.{{name()}}.>"], []))
    said = Account(ACCOUNT.public, "P", scopes=[scope], revocations={USER.public: barred})
    claims = nats_jwt.decode(nats_jwt.account(OPERATOR, said))
    assert claims.issuer == OPERATOR.public
    assert claims.nats["revocations"] == {USER.public: int(barred.timestamp())}
    (key,) = claims.nats["signing_keys"]
    assert key["template"]["pub"] == {"allow": ["node.{{name()}}.>"]}
    assert key["template"]["sub"] == {"deny": [">"]}, "an empty list would allow everything"


def test_a_changed_jwt_is_refused() -> None:
    head, _, signature = nats_jwt.operator(OPERATOR, "peyvand", ACCOUNT.public).split(".")
    forged = _part(
        {"iss": OPERATOR.public, "sub": OPERATOR.public, "name": "x", "iat": 1, "nats": {}}
    )
    with pytest.raises(BadJwt, match="signature"):
        nats_jwt.decode(f"{head}.{forged}.{signature}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b",
        "a.b.c.d",
        "ی.ی.ی",
        f"{_part({'typ': 'JWT', 'alg': 'none'})}.{_part({})}.",
        f"{_part({'typ': 'JWT', 'alg': 'ed25519-nkey'})}.{_part([1])}.{_part(1)}",
        f"{_part({'typ': 'JWT', 'alg': 'ed25519-nkey'})}.{_part({'iss': 'UX'})}.{_part(1)}",
    ],
)
def test_what_is_no_jwt_is_refused(text: str) -> None:
    with pytest.raises(BadJwt):
        nats_jwt.decode(text)
