"""The token issuer of one machine: for development, tests and a first try.

It signs with a key of its own; the gateway trusts that key because the cluster
tells it to. A real installation names an OIDC issuer instead.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from joserfc import jwt
from joserfc.jwk import OKPKey

from peyvandctl.errors import ClusterError
from peyvandctl.paths import Home, write_private

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ALGORITHM = "Ed25519"
AUDIENCE = "peyvand"
ROLES = ("hq_admin", "hq_analyst", "center_admin", "center_operator", "partner", "node")
DEFAULT_TTL_SECONDS = 12 * 3600


class LocalIssuer:
    """Signs tokens with the Ed25519 key kept in the home."""

    def __init__(self, home: Home, cluster_id: str) -> None:
        self._folder = home.issuer
        self.issuer = f"https://issuer.peyvand.internal/{cluster_id}"
        """The ``iss`` claim; it names the cluster and is not fetched."""

    @property
    def private_key(self) -> Path:
        """The signing key, a private JWK."""
        return self._folder / "private.json"

    @property
    def jwks(self) -> Path:
        """The public keys that verify a token."""
        return self._folder / "jwks.json"

    def ensure_key(self) -> None:
        """Make the key and publish it, when there is none."""
        if self.private_key.exists():
            key = self._key()
        else:
            key = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": ALGORITHM})
            key.ensure_kid()
            write_private(self.private_key, json.dumps(key.as_dict(private=True)) + "\n")
        published = {"keys": [key.as_dict(private=False)]}
        write_private(self.jwks, json.dumps(published) + "\n")

    def mint(
        self,
        role: str,
        sub: str | None = None,
        *,
        name: str | None = None,
        center_ids: Sequence[str] = (),
        institution_ids: Sequence[str] = (),
        ttl: int = DEFAULT_TTL_SECONDS,
    ) -> str:
        """Sign a token.

        Args:
            role: one of ``ROLES``.
            sub: the subject; ``local:<role>`` when None.
            name: how a page greets the subject; the subject when None.
            center_ids: the centers that the subject acts for.
            institution_ids: the institutions that the subject acts for.
            ttl: seconds until it expires.

        Raises:
            ClusterError: there is no such role, or no key yet.
        """
        if role not in ROLES:
            raise ClusterError(f"There is no role {role}.", f"Roles: {', '.join(ROLES)}")
        key = self._key()
        now = int(time.time())
        subject = sub or f"local:{role}"
        claims = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": subject,
            "name": name or subject,
            "iat": now,
            "exp": now + ttl,
            "roles": [role],
            "center_ids": list(center_ids),
            "institution_ids": list(institution_ids),
        }
        header = {"alg": ALGORITHM, "kid": key.kid}
        return jwt.encode(header, claims, key, algorithms=[ALGORITHM])

    def _key(self) -> OKPKey:
        try:
            return OKPKey.import_key(json.loads(self.private_key.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise ClusterError(
                f"There is no signing key in {self._folder}.",
                "Start the network once (make run), or set PEYVAND_HOME to its data.",
            ) from None
        except PermissionError:
            raise ClusterError(
                f"{self.private_key} belongs to another user.",
                "Run as the user that runs the network.",
            ) from None
