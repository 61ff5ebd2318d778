"""Who calls: principals, and the tokens that prove them.

Tokens are JWTs of an OpenID Connect issuer; algorithms are pinned. A service
verifies the token itself and trusts no neighbour's word for it.
"""

import asyncio
import hashlib
import json
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from peyvand.api.v1 import annotations_pb2
from servicekit.contract import enum_names
from servicekit.errors import Fault

log = structlog.get_logger(__name__)

# Asymmetric only: a shared secret would let every verifier mint tokens.
ALGORITHMS = ["Ed25519", "EdDSA", "ES256", "RS256", "PS256"]
_LEEWAY = 30  # seconds that clocks may differ
_REFETCH = 10  # least seconds between two loads of the key set
_LOADED_WITHIN = 4.0  # seconds; less than a call may take
KEYS_KEPT = 300.0
"""Seconds after which the key set is looked at again, where nothing else is said."""
_CACHED = 10_000  # verified tokens kept, so that a repeated call costs no signature check

KNOWN_ROLES = frozenset(enum_names(annotations_pb2.Role.DESCRIPTOR).values()) - {"unspecified"}


@dataclass(frozen=True)
class Principal:
    """A caller. Roles are named as in the contract, lower case: ``hq_admin``."""

    subject: str
    name: str
    roles: frozenset[str]
    center_ids: frozenset[str] = frozenset()
    institution_ids: frozenset[str] = frozenset()

    @classmethod
    def anonymous(cls) -> "Principal":
        """The caller that shows no token."""
        return cls(subject="", name="", roles=frozenset({"public"}))

    @property
    def is_anonymous(self) -> bool:
        """True when no token came."""
        return not self.subject

    def has(self, *roles: str) -> bool:
        """Tell whether the caller has any of these roles."""
        return not self.roles.isdisjoint(roles)


class TokenVerifier:
    """Checks tokens of one issuer.

    `jwks` is the issuer's key set: a file path or an http(s) URL; empty means that
    it is discovered below the issuer's URL. `roles_claim` is the dotted path of the
    claim with the roles (``realm_access.roles`` for Keycloak).

    The key set is loaded again for a token that no known key has signed, and when it is
    older than `keys_kept` seconds: beside the call that finds that, or before it is
    answered where the set is twice as old, as after a time without calls. While the issuer
    is known to be away calls do not wait for it: the set that is known counts on, and the
    issuer is asked again beside them, every ten seconds.
    """

    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        jwks: str = "",
        roles_claim: str = "roles",
        keys_kept: float = KEYS_KEPT,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._jwks = jwks
        self._roles_claim = roles_claim.split(".")
        self._keys_kept = keys_kept
        self._keys: KeySet | None = None
        self._loaded_at = self._tried_at = float("-inf")
        self._is_away = False
        self._published: Any = None
        self._loading = asyncio.Lock()
        self._refreshing: asyncio.Task[None] | None = None
        self._verified: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()

    async def verify(self, token: str) -> Principal:
        """Return the caller that the token proves. Raises `Fault` ``TOKEN_REJECTED``."""
        await self._refresh_old_keys()
        digest = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        cached = self._verified.get(digest)
        if cached is not None:
            expires, principal = cached
            if time.time() < expires + _LEEWAY:
                return principal
            del self._verified[digest]
        claims = await self._decode(token)
        principal = self._principal(claims)
        self._verified[digest] = (float(claims["exp"]), principal)
        if len(self._verified) > _CACHED:
            self._verified.popitem(last=False)
        return principal

    async def claims(self, token: str) -> dict[str, Any]:
        """Return what a token says. Raises `Fault` ``TOKEN_REJECTED``."""
        return await self._decode(token)

    async def _decode(self, token: str) -> dict[str, Any]:
        tried = await self._key_set()
        try:
            decoded = jwt.decode(token, tried, algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            # The issuer may have changed its keys since they were read. Whoever waits here
            # for another call's reading of them takes what that one has read.
            await self._reload()
            fresh = await self._key_set()
            if fresh is tried:
                raise _rejected("the signature cannot be verified") from None
            try:
                decoded = jwt.decode(token, fresh, algorithms=ALGORITHMS)
            except (JoseError, ValueError):
                raise _rejected("the signature cannot be verified") from None
        claims = decoded.claims
        registry = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            registry.validate(claims)
        except JoseError as error:
            raise _rejected(getattr(error, "description", "") or error.error) from None
        return claims

    def _principal(self, claims: dict[str, Any]) -> Principal:
        found: Any = claims
        for part in self._roles_claim:
            found = found.get(part) if isinstance(found, dict) else None
        return Principal(
            subject=str(claims["sub"]),
            name=str(claims.get("name") or claims.get("preferred_username") or claims["sub"]),
            roles=_texts(found) & KNOWN_ROLES | {"public"},
            center_ids=_texts(claims.get("center_ids")),
            institution_ids=_texts(claims.get("institution_ids")),
        )

    async def _key_set(self) -> KeySet:
        if self._keys is None:
            await self._reload()
        if self._keys is None:
            raise Fault("UNAVAILABLE")
        return self._keys

    async def _refresh_old_keys(self) -> None:
        """See to it that a key which the issuer withdrew is not trusted on."""
        now = time.monotonic()
        age = now - self._loaded_at
        if self._keys is None or age <= self._keys_kept:
            return
        # What was not tried of late is not known to be away any more.
        is_away = self._is_away and now - self._tried_at <= self._keys_kept
        if age > 2 * self._keys_kept and not is_away:
            await self._reload()
        elif now - self._tried_at >= _REFETCH and not self._loading.locked():
            self._refreshing = asyncio.create_task(self._reload(), name="key set")

    async def _reload(self) -> None:
        """Load the key set again unless that was just tried."""
        async with self._loading:
            began = time.monotonic()
            if began - self._tried_at < _REFETCH:
                return
            try:
                async with asyncio.timeout(_LOADED_WITHIN):
                    published = await self._load()
                keys = KeySet.import_key_set(published)
            except BaseException as error:
                # Also where the caller has gone, or what came is nothing of the kind.
                self._is_away = True
                if not isinstance(error, Exception):
                    raise
                log.warning("the issuer's key set cannot be loaded", error=repr(error))
                return
            finally:
                self._tried_at = time.monotonic()
            self._keys, self._loaded_at, self._is_away = keys, began, False
            if published != self._published:
                # Whatever a withdrawn key has proved is proved no longer.
                self._verified.clear()
                self._published = published

    async def _load(self) -> Any:
        if self._jwks and "://" not in self._jwks:
            return json.loads(await asyncio.to_thread(Path(self._jwks).read_bytes))
        async with httpx.AsyncClient(timeout=_LOADED_WITHIN) as client:
            url = self._jwks
            if not url:
                discovery = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
                url = (await client.get(discovery)).raise_for_status().json()["jwks_uri"]
            return (await client.get(url)).raise_for_status().json()


def _texts(claim: Any) -> frozenset[str]:
    """The texts of a claim that is a list of them, or one text alone."""
    if isinstance(claim, str):
        return frozenset({claim})
    items: list[Any] = claim if isinstance(claim, list) else []
    return frozenset(item for item in items if isinstance(item, str))


def _rejected(detail: str) -> Fault:
    return Fault("TOKEN_REJECTED", {"detail": detail})
