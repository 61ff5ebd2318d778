"""Tokens of the local issuer."""

from __future__ import annotations

import json
import stat
import time
from typing import TYPE_CHECKING

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError
from joserfc.jwk import KeySet

from peyvandctl.errors import ClusterError
from peyvandctl.issuer import ALGORITHM, AUDIENCE, LocalIssuer
from peyvandctl.paths import Home

if TYPE_CHECKING:
    from pathlib import Path


def issuer_in(folder: Path) -> LocalIssuer:
    home = Home(folder)
    home.prepare()
    issuer = LocalIssuer(home, "0123")
    issuer.ensure_key()
    return issuer


def keys(issuer: LocalIssuer) -> KeySet:
    return KeySet.import_key_set(json.loads(issuer.jwks.read_text()))


def test_a_token_says_who_may_do_what_for_whom(tmp_path: Path) -> None:
    issuer, before = issuer_in(tmp_path), int(time.time())
    token = issuer.mint(
        "center_admin", "person:1", name="One", center_ids=["ctr_a", "ctr_b"], ttl=60
    )
    decoded = jwt.decode(token, keys(issuer), algorithms=[ALGORITHM])
    assert decoded.header["kid"]
    claims = decoded.claims
    made = claims.pop("iat")
    assert before <= made <= time.time()
    assert claims.pop("exp") == made + 60
    assert claims == {
        "iss": issuer.issuer,
        "aud": AUDIENCE,
        "sub": "person:1",
        "name": "One",
        "roles": ["center_admin"],
        "center_ids": ["ctr_a", "ctr_b"],
        "institution_ids": [],
    }


def test_the_published_key_holds_nothing_private_and_lasts(tmp_path: Path) -> None:
    issuer = issuer_in(tmp_path)
    published = issuer.jwks.read_text()
    assert [key for key in json.loads(published)["keys"] if "d" in key] == []
    assert stat.S_IMODE(issuer.private_key.stat().st_mode) == 0o600
    issuer.ensure_key()
    assert issuer.jwks.read_text() == published


def test_the_token_of_another_cluster_does_not_verify(tmp_path: Path) -> None:
    ours, theirs = issuer_in(tmp_path / "ours"), issuer_in(tmp_path / "theirs")
    token = theirs.mint("hq_admin")
    with pytest.raises(InvalidKeyIdError):
        jwt.decode(token, keys(ours), algorithms=[ALGORITHM])
    (key,) = keys(ours).keys
    with pytest.raises(BadSignatureError):
        jwt.decode(token, key, algorithms=[ALGORITHM])


def test_an_unknown_role_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="king"):
        issuer_in(tmp_path).mint("king")
