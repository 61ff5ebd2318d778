"""Signs tokens with a key of one machine: for development, tests and a first try.

Who holds the key can be anyone, so only processes of that machine read it. A real
installation names an OpenID Connect issuer instead.
"""

import json
import time
from collections.abc import Sequence

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

ALGORITHM = "Ed25519"
DEFAULT_TTL_SECONDS = 12 * 3600


def generate_key() -> OKPKey:
    """Make a new signing key."""
    key = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": ALGORITHM})
    key.ensure_kid()
    return key


def read_key(text: str) -> OKPKey:
    """Read a signing key from its private JWK. Raises `ValueError` for anything else."""
    try:
        key = OKPKey.import_key(json.loads(text))
    except (JoseError, TypeError, KeyError) as error:
        raise ValueError("this is no Ed25519 key as a JWK") from error
    if not key.is_private:
        raise ValueError("this key verifies, but does not sign")
    return key


def sign_token(
    key: OKPKey,
    *,
    issuer: str,
    audience: str,
    role: str,
    subject: str = "",
    name: str = "",
    center_ids: Sequence[str] = (),
    institution_ids: Sequence[str] = (),
    ttl: int = DEFAULT_TTL_SECONDS,
) -> str:
    """Sign a token.

    Args:
        key: the signing key.
        issuer: the ``iss`` claim.
        audience: the ``aud`` claim.
        role: the one role of the subject, named as in the contract.
        subject: the ``sub`` claim; ``local:<role>`` when empty.
        name: how a page greets the subject; the subject when empty.
        center_ids: the centers that the subject acts for.
        institution_ids: the institutions that the subject acts for.
        ttl: seconds until it expires.
    """
    now = int(time.time())
    subject = subject or f"local:{role}"
    claims = {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "name": name or subject,
        "iat": now,
        "exp": now + ttl,
        "roles": [role],
        "center_ids": list(center_ids),
        "institution_ids": list(institution_ids),
    }
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid}, claims, key, algorithms=[ALGORITHM])
