"""JWTs of NATS: operator, account and user, made and verified.

An operator signs accounts, an account signs users. A user that is signed by a scoped
key of its account carries no permissions: they stand once, in the account, as a
template in which `{{name()}}` is the name of the user. What the fields mean is said by
the documentation of NATS, "JWT authentication"; this is version 2 of the claims.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, cast

from nodekit.keys import BadKey, NKey, verify

_HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}
_NO_LIMIT = -1
_JETSTREAM = {"mem_storage": _NO_LIMIT, "disk_storage": _NO_LIMIT, "streams": _NO_LIMIT}


class BadJwt(ValueError):
    """A text is no JWT of NATS, or its signature is wrong."""


@dataclass(frozen=True)
class Claims:
    """What a verified JWT says.

    Attributes:
        subject: public key that it is about.
        issuer: public key that has signed it.
        name: name of the operator, account or user.
        issued_at: when it was signed.
        expires_at: until when it is good; None for ever.
        nats: the part that is NATS's own.
    """

    subject: str
    issuer: str
    name: str
    issued_at: datetime
    expires_at: datetime | None
    nats: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Permissions:
    """Subjects that a user may use, and how much of them.

    An empty list of subjects allows none at all, not all of them.

    Attributes:
        publish: subjects that it may publish on.
        subscribe: subjects that it may subscribe to.
        subscriptions: greatest number at a time; -1 without limit.
        payload: greatest size of a message in bytes; -1 without limit.
        connections: kinds of connections that it may make, as NATS names them.
    """

    publish: Sequence[str]
    subscribe: Sequence[str]
    subscriptions: int = _NO_LIMIT
    payload: int = _NO_LIMIT
    connections: Sequence[str] = ("STANDARD",)

    def claims(self) -> dict[str, Any]:
        """Return them as they stand in a JWT."""
        return {
            "pub": _rule(self.publish),
            "sub": _rule(self.subscribe),
            "subs": self.subscriptions,
            "data": _NO_LIMIT,
            "payload": self.payload,
            "allowed_connection_types": [*self.connections],
        }


@dataclass(frozen=True)
class Scope:
    """A signing key of an account, and what the users that it signs may do.

    Attributes:
        key: the public key.
        role: its name.
        permissions: the template.
    """

    key: str
    role: str
    permissions: Permissions


@dataclass(frozen=True)
class Shared:
    """What accounts share: a subject that one of them lets others use.

    Attributes:
        subject: at whom it is offered.
        kind: ``service``, where the others ask, or ``stream``, where they hear.
        of: public key of the account that offers it, where it is taken by another.
        here: its subject at the one that takes it; the same when empty.
    """

    subject: str
    kind: Literal["service", "stream"] = "service"
    of: str = ""
    here: str = ""

    def offered(self) -> dict[str, Any]:
        """Return it as it stands in the JWT of the account that offers it."""
        told = {"name": self.subject, "subject": self.subject, "type": self.kind}
        return told | ({"response_type": "Singleton"} if self.kind == "service" else {})

    def taken(self) -> dict[str, Any]:
        """Return it as it stands in the JWT of an account that takes it."""
        told = {"name": self.subject, "subject": self.subject, "account": self.of}
        return told | {"type": self.kind} | ({"local_subject": self.here} if self.here else {})


@dataclass(frozen=True)
class AccountLimits:
    """How much an account may hold; -1 is without limit.

    Attributes:
        connections: at a time.
        subscriptions: at a time.
        payload: greatest size of a message, in bytes.
        leaves: brokers that connect with it, at a time; none at first.
    """

    connections: int = _NO_LIMIT
    subscriptions: int = _NO_LIMIT
    payload: int = _NO_LIMIT
    leaves: int = 0


@dataclass(frozen=True)
class Account:
    """What an account's JWT says.

    Attributes:
        public: its public key.
        name: its name.
        jetstream: whether it may keep messages in streams.
        signing_keys: public keys that may sign users without a template.
        scopes: keys that may sign users by a template.
        offers: what other accounts may use of it.
        takes: what it uses of other accounts.
        revocations: users' public keys, ``*`` for all, and the time up to which what they
            were issued is void.
        limits: how much it may hold.
    """

    public: str
    name: str
    jetstream: bool = False
    signing_keys: Sequence[str] = ()
    scopes: Sequence[Scope] = ()
    offers: Sequence[Shared] = ()
    takes: Sequence[Shared] = ()
    revocations: Mapping[str, datetime] = field(default_factory=dict[str, datetime])
    limits: AccountLimits = AccountLimits()

    def claims(self) -> dict[str, Any]:
        """Return the part of the JWT that is NATS's own."""
        claims: dict[str, Any] = {
            "limits": {
                "subs": self.limits.subscriptions,
                "data": _NO_LIMIT,
                "payload": self.limits.payload,
                "imports": _NO_LIMIT,
                "exports": _NO_LIMIT,
                "wildcards": True,
                "conn": self.limits.connections,
                "leaf": self.limits.leaves,
                **(_JETSTREAM | {"consumer": _NO_LIMIT} if self.jetstream else {}),
            },
            "default_permissions": {"pub": {}, "sub": {}},
            "signing_keys": [*self.signing_keys, *map(_scope, self.scopes)],
            "type": "account",
            "version": 2,
        }
        if self.offers:
            claims["exports"] = [shared.offered() for shared in self.offers]
        if self.takes:
            claims["imports"] = [shared.taken() for shared in self.takes]
        if self.revocations:
            claims["revocations"] = {
                public: int(until.timestamp()) for public, until in sorted(self.revocations.items())
            }
        return claims


def operator(key: NKey, name: str, system_account: str) -> str:
    """Return the JWT of an operator, signed by itself."""
    return _encode(
        key,
        key.public,
        name,
        {"type": "operator", "version": 2, "system_account": system_account},
    )


def account(operator_key: NKey, said: Account, *, issued_at: datetime | None = None) -> str:
    """Return the JWT of an account, signed by its operator, now if `issued_at` is None."""
    return _encode(operator_key, said.public, said.name, said.claims(), issued=issued_at)


def scoped_user(
    signing_key: NKey, public: str, name: str, *, account: str, expires_at: datetime
) -> str:
    """Return the JWT of a user whose permissions are the template of its signing key.

    Args:
        signing_key: a scoped key of the account.
        public: the user's public key.
        name: fills the template.
        account: public key of the account.
        expires_at: until when it is good.
    """
    # Permissions or limits of its own would make the server refuse it.
    nats = {"type": "user", "version": 2, "issuer_account": account, "pub": {}, "sub": {}}
    return _encode(signing_key, public, name, nats, expires=expires_at)


def user(
    signing_key: NKey,
    public: str,
    name: str,
    *,
    account: str = "",
    permissions: Permissions | None = None,
    bearer: bool = False,
    expires_at: datetime | None = None,
) -> str:
    """Return the JWT of a user with permissions of its own, all of the account's when None.

    Args:
        signing_key: the account's own key, or one of its signing keys.
        public: the user's public key.
        name: shown in the server's logs.
        account: public key of the account, when another key than its own signs.
        permissions: what it may do.
        bearer: whether the JWT alone is enough to connect, without the private key.
        expires_at: until when it is good; for ever when None.
    """
    allowed = permissions.claims() if permissions else {**_UNLIMITED, "pub": {}, "sub": {}}
    nats: dict[str, Any] = {"type": "user", "version": 2, **allowed}
    if account:
        nats["issuer_account"] = account
    if bearer:
        nats["bearer_token"] = True
    return _encode(signing_key, public, name, nats, expires=expires_at)


def decode(jwt: str) -> Claims:
    """Return what a JWT says, once its signature by its own issuer is verified.

    Whether that issuer may say it is for the caller to judge; so is the expiry.

    Raises:
        BadJwt: it is no JWT of NATS, or its signature is wrong.
    """
    try:
        header, payload, signature = jwt.strip().split(".")
        if json.loads(_bytes(header)) != _HEADER:
            raise BadJwt("This JWT is not signed by a key of NATS.")
        claims = cast("dict[str, Any]", json.loads(_bytes(payload)))
        genuine = verify(claims["iss"], f"{header}.{payload}".encode("ascii"), _bytes(signature))
        said = Claims(
            subject=claims["sub"],
            issuer=claims["iss"],
            name=claims["name"],
            issued_at=datetime.fromtimestamp(claims["iat"], UTC),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC) if "exp" in claims else None,
            nats=claims["nats"],
        )
    except (BadKey, KeyError, TypeError, UnicodeError, binascii.Error) as error:
        raise BadJwt("This is no JWT of NATS.") from error
    except BadJwt:
        raise
    except ValueError as error:
        raise BadJwt("This is no JWT of NATS.") from error
    if not genuine:
        raise BadJwt("The signature of this JWT is wrong.")
    return said


_UNLIMITED = {"subs": _NO_LIMIT, "data": _NO_LIMIT, "payload": _NO_LIMIT}


def _rule(subjects: Sequence[str]) -> dict[str, list[str]]:
    # The server reads an empty list as no restriction.
    return {"allow": list(subjects)} if subjects else {"deny": [">"]}


def _scope(scope: Scope) -> dict[str, Any]:
    return {
        "kind": "user_scope",
        "key": scope.key,
        "role": scope.role,
        "template": scope.permissions.claims(),
    }


def _encode(
    signer: NKey,
    subject: str,
    name: str,
    nats: Mapping[str, Any],
    *,
    expires: datetime | None = None,
    issued: datetime | None = None,
) -> str:
    claims: dict[str, Any] = {
        "iat": int((issued or datetime.now(UTC)).timestamp()),
        "iss": signer.public,
        "name": name,
        "nats": nats,
        "sub": subject,
    }
    if expires is not None:
        claims["exp"] = int(expires.timestamp())
    digest = hashlib.sha256(_json(claims)).digest()
    claims["jti"] = base64.b32encode(digest).decode("ascii").rstrip("=")
    signed = f"{_url_text(_json(_HEADER))}.{_url_text(_json(claims))}"
    return f"{signed}.{_url_text(signer.sign(signed.encode('ascii')))}"


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def _url_text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
