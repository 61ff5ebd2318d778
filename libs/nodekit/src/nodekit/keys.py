"""Keys of the line: Ed25519 in the text form of NATS, the nkey.

A public key is a prefix byte and 32 bytes, a seed two prefix bytes and 32 bytes; both
are followed by their CRC-16 and written in base32 without padding, so that the first
letter tells what a key is for and a mistyped one is noticed.
"""

import base64
import binascii
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_SEED = 18 << 3
_KEY_BYTES = 32
_CRC_BYTES = 2


class KeyKind(Enum):
    """What a key is for; the value is the prefix byte of its public text."""

    OPERATOR = 14 << 3
    ACCOUNT = 0
    USER = 20 << 3

    @property
    def letter(self) -> str:
        """The first letter of such a public key."""
        return chr(ord("A") + (self.value >> 3))


class BadKey(ValueError):
    """A text is no key, or a key of another kind."""


@dataclass(frozen=True)
class NKey:
    """A key pair.

    Attributes:
        kind: what it is for.
        secret: the 32 bytes of the private key.
    """

    kind: KeyKind
    secret: bytes = field(repr=False)

    @classmethod
    def new(cls, kind: KeyKind) -> "NKey":
        """Make a key pair from the random numbers of the system."""
        return cls(kind, os.urandom(_KEY_BYTES))

    @classmethod
    def from_seed(cls, seed: str, kind: KeyKind | None = None) -> "NKey":
        """Read a seed; with `kind`, one of that kind only.

        Raises:
            BadKey: it is no seed, or one of another kind.
        """
        raw = _checked(seed.strip())
        if len(raw) != _KEY_BYTES + 2 or raw[0] & 0xF8 != _SEED:
            raise BadKey("This is no seed of a key.")
        prefix = (raw[0] & 0x07) << 5 | raw[1] >> 3
        found = _kind(prefix)
        if kind is not None and found is not kind:
            raise BadKey(f"This seed is of an {found.name.lower()}, not of an {kind.name.lower()}.")
        return cls(found, raw[2:])

    @property
    def seed(self) -> str:
        """The private key as text; whoever has it is the key's holder."""
        prefix = self.kind.value
        head = bytes([_SEED | prefix >> 5, (prefix & 0x1F) << 3])
        return _text(head + self.secret)

    @property
    def public(self) -> str:
        """The public key as text."""
        raw = self._private().public_key().public_bytes_raw()
        return _text(bytes([self.kind.value]) + raw)

    def sign(self, data: bytes) -> bytes:
        """Return the signature, 64 bytes."""
        return self._private().sign(data)

    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.secret)


def check_public(text: str, kind: KeyKind) -> str:
    """Return the public key when it is one of `kind`.

    Raises:
        BadKey: it is not.
    """
    found, _ = _public(text)
    if found is not kind:
        raise BadKey(f"This public key is of an {found.name.lower()}, not of a {kind.letter} kind.")
    return text


def verify(public: str, data: bytes, signature: bytes) -> bool:
    """Tell whether `signature` is the one that the holder of `public` made over `data`.

    Raises:
        BadKey: `public` is no public key.
    """
    _, raw = _public(public)
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, data)
    except InvalidSignature:
        return False
    return True


def _public(text: str) -> tuple[KeyKind, bytes]:
    raw = _checked(text)
    if len(raw) != _KEY_BYTES + 1:
        raise BadKey("This is no public key.")
    return _kind(raw[0]), raw[1:]


def _kind(prefix: int) -> KeyKind:
    try:
        return KeyKind(prefix)
    except ValueError:
        raise BadKey("This key is of a kind that the line does not use.") from None


def _text(raw: bytes) -> str:
    # XMODEM's CRC-16, the lower byte first.
    checked = raw + binascii.crc_hqx(raw, 0).to_bytes(_CRC_BYTES, "little")
    return base64.b32encode(checked).decode("ascii").rstrip("=")


def _checked(text: str) -> bytes:
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        raise BadKey("A key is written in the letters A to Z and the digits 2 to 7.") from None
    # The last letter may carry bits that no byte takes; only one way to write is right.
    if len(raw) <= _CRC_BYTES or base64.b32encode(raw).decode("ascii").rstrip("=") != text:
        raise BadKey("This is no key: it is cut off or mistyped.")
    body, crc = raw[:-_CRC_BYTES], raw[-_CRC_BYTES:]
    if binascii.crc_hqx(body, 0) != int.from_bytes(crc, "little"):
        raise BadKey("This is no key: its check sum is wrong.")
    return body


@dataclass(frozen=True)
class UserCredentials:
    """What a client of the broker shows: a JWT, and the key that it was made for.

    nats-py takes the two callbacks as `user_jwt_cb` and `signature_cb`; its own reading
    of a credentials file needs the package nkeys, which is installed nowhere here.
    A bearer's JWT comes without a key.
    """

    jwt: str
    key: NKey | None = None

    def user_jwt(self) -> bytes:
        """Return the JWT, as `user_jwt_cb` wants it."""
        return self.jwt.encode("ascii")

    def signature(self, nonce: str) -> bytes:
        """Return the answer to the broker's challenge, as `signature_cb` wants it."""
        if self.key is None:
            return b""
        return base64.b64encode(self.key.sign(nonce.encode()))

    def callbacks(self) -> dict[str, Callable[..., bytes]]:
        """Return the options that `nats.connect` takes."""
        return {"user_jwt_cb": self.user_jwt, "signature_cb": self.signature}

    def text(self) -> str:
        """Return the credentials file that the tools of NATS read too."""
        seed = "" if self.key is None else self.key.seed
        return (
            f"{_JWT_BEGINS}\n{self.jwt}\n------END NATS USER JWT------\n\n"
            f"{_SEED_BEGINS}\n{seed}\n------END USER NKEY SEED------\n"
        )

    @classmethod
    def from_text(cls, text: str) -> "UserCredentials":
        """Read a credentials file.

        Raises:
            BadKey: it holds no JWT, or a seed that is none.
        """
        lines = [line.strip() for line in text.splitlines()]
        jwt, seed = _after(lines, _JWT_BEGINS), _after(lines, _SEED_BEGINS)
        if not jwt:
            raise BadKey("This is no credentials file: it holds no JWT.")
        return cls(jwt, NKey.from_seed(seed, KeyKind.USER) if seed else None)


_JWT_BEGINS = "-----BEGIN NATS USER JWT-----"
_SEED_BEGINS = "-----BEGIN USER NKEY SEED-----"


def _after(lines: list[str], begin: str) -> str:
    try:
        line = lines[lines.index(begin) + 1]
    except (ValueError, IndexError):
        return ""
    return "" if line.startswith("---") else line
