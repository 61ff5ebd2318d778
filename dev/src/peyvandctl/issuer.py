"""The token issuer of one machine: for development, tests and a first try.

It signs with a key of its own; the gateway trusts that key because the cluster
tells it to. A real installation names an OIDC issuer instead.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hubkit.private_files import write_private
from peyvandctl.errors import ClusterError
from peyvandctl.paths import Home
from servicekit.local_issuer import (
    ALGORITHM,
    DEFAULT_TTL_SECONDS,
    generate_key,
    read_key,
    sign_token,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from joserfc.jwk import OKPKey

__all__ = ["ALGORITHM", "AUDIENCE", "DEFAULT_TTL_SECONDS", "ROLES", "LocalIssuer"]

AUDIENCE = "peyvand"
ROLES = ("hq_admin", "hq_analyst", "center_admin", "center_operator", "partner", "node")


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
            key = generate_key()
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
        return sign_token(
            self._key(),
            issuer=self.issuer,
            audience=AUDIENCE,
            role=role,
            subject=sub or "",
            name=name or "",
            center_ids=center_ids,
            institution_ids=institution_ids,
            ttl=ttl,
        )

    def _key(self) -> OKPKey:
        try:
            return read_key(self.private_key.read_text(encoding="utf-8"))
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
