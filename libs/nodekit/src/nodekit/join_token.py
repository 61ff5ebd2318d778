"""The text that lets a node join: where the hub is, whom to trust there, and a secret.

``pvn1.`` and base64url, without padding, of the JSON ``[hub, fingerprint, secret]``. The
hub's address and the fingerprint of its certificate authority are in it so that the node
can tell the hub from a stranger before it sends the secret.
"""

import base64
import binascii
import hashlib
import json
import re
import secrets
from dataclasses import dataclass, field
from typing import Any, Self

PREFIX = "pvn1."
MAX_LENGTH = 500  # characters
_SECRET_BYTES = 32
_MAX_HUB = 250  # characters; with it a token stays within its bound
_HUB = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?):([0-9]{1,5})")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{20,100}")


class JoinTokenError(ValueError):
    """A text is no join token; the message tells a person what is wrong with it."""


def is_address(text: str) -> bool:
    """Tell whether a text is a host and a port, as a broker is named by."""
    match = _HUB.fullmatch(text)
    return match is not None and len(text) <= _MAX_HUB and 0 < int(match[1]) < 65536


@dataclass(frozen=True)
class JoinToken:
    """What a join token says.

    `hub` is host and port (``hub.example:4443``, ``[2001:db8::1]:4443``), `fingerprint`
    the SHA-256 of the certificate of the hub's authority in lower-case hexadecimal.
    """

    hub: str
    fingerprint: str
    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        if not is_address(self.hub):
            raise JoinTokenError(f"{self.hub[:300]!r} is no address of a hub: give host:port")
        if not _FINGERPRINT.fullmatch(self.fingerprint):
            raise JoinTokenError("the fingerprint must be 64 hexadecimal digits in lower case")
        if not _SECRET.fullmatch(self.secret):
            raise JoinTokenError("the secret must be 20 to 100 letters, digits, '-' or '_'")

    @property
    def host(self) -> str:
        """The hub's name or address, an IPv6 one without its brackets."""
        return self.hub.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The hub's port."""
        return int(self.hub.rpartition(":")[2])

    def encode(self) -> str:
        """Write the token as the text that a person carries to the node."""
        body = json.dumps([self.hub, self.fingerprint, self.secret], separators=(",", ":"))
        return PREFIX + base64.urlsafe_b64encode(body.encode()).rstrip(b"=").decode()

    @classmethod
    def decode(cls, text: str) -> Self:
        """Read a token; blanks and line breaks around and within it do not matter.

        Raises `JoinTokenError`.
        """
        text = "".join(text.split())
        if not text:
            raise JoinTokenError("no join token was given")
        if not text.startswith(PREFIX):
            raise JoinTokenError(f"a join token begins with {PREFIX!r}; this text does not")
        if len(text) > MAX_LENGTH:
            raise JoinTokenError(f"a join token has at most {MAX_LENGTH} characters")
        return cls(*_parts(text.removeprefix(PREFIX)))


def _parts(body: str) -> tuple[str, str, str]:
    try:
        padded = body + "=" * (-len(body) % 4)
        value: Any = json.loads(base64.b64decode(padded, altchars="-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise JoinTokenError(
            "the join token is damaged: copy it whole, from the first to the last character"
        ) from error
    match value:
        case [str(hub), str(fingerprint), str(secret)]:
            return hub, fingerprint, secret
        case _:
            raise JoinTokenError("the join token does not name a hub, a fingerprint and a secret")


def new_secret() -> str:
    """Make the secret of a token: 256 random bits as text."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def secret_digest(secret: str) -> bytes:
    """What the hub keeps of a secret. It is random, so that a plain hash gives nothing away."""
    return hashlib.sha256(secret.encode()).digest()
