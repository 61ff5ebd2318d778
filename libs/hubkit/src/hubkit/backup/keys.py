"""The keys of a hub beside its backup: who it is to its nodes, and what signs.

They lie in a file of their own, sealed with a passphrase unless somebody has asked for
plain text. Inside, the SHA-256 of the backup's manifest ties the two files together.
"""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from hubkit.errors import HubError
from hubkit.private_files import write_private

SUFFIX = ".keys"
VARIABLE = "PEYVAND_BACKUP_PASSPHRASE"
_SHORTEST = 12
_FORMAT = 1
_PURPOSE = b"peyvand keys 1"
# 32 MiB and a tenth of a second for each guess.
_COST = {"n": 1 << 15, "r": 8, "p": 1}
_SEALED_NOTE = "Keys of a Peyvand hub, sealed with a passphrase. Without it they are lost."
_PLAIN_NOTE = (
    "KEYS OF A PEYVAND HUB IN PLAIN TEXT. Whoever reads this file is the hub. Keep it where"
    " nobody else can read, apart from the backup."
)


@dataclass(frozen=True)
class HubIdentity:
    """Who a hub is: files by name, which `Installation` and a home know to put in place.

    Attributes:
        files: contents by name, such as ``broker-keys/operator.nk`` or ``tls/ca.key``.
        manifest_sha256: of the backup that they belong to.
    """

    files: Mapping[str, str]
    manifest_sha256: str = ""


def keys_beside(backup: Path) -> Path:
    """Where the keys of a backup lie."""
    return backup.with_suffix(SUFFIX)


def write_keys(path: Path, identity: HubIdentity, passphrase: str | None) -> None:
    """Write keys, readable by the owner alone; in plain text where there is no passphrase."""
    document: dict[str, Any] = {"format": _FORMAT}
    content = {"manifest_sha256": identity.manifest_sha256, "files": dict(identity.files)}
    if passphrase is None:
        document |= {"note": _PLAIN_NOTE, "keys": content}
    else:
        salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
        key = Scrypt(salt=salt, length=32, **_COST).derive(passphrase.encode())
        data = AESGCM(key).encrypt(nonce, json.dumps(content).encode(), _PURPOSE)
        document |= {
            "note": _SEALED_NOTE,
            "sealed": {
                "kdf": "scrypt",
                **_COST,
                "cipher": "AES-256-GCM",
                "salt": _text(salt),
                "nonce": _text(nonce),
                "data": _text(data),
            },
        }
    write_private(path, json.dumps(document, indent=1) + "\n")


def read_keys(path: Path, passphrase: str | None) -> HubIdentity:
    """Read keys.

    Raises:
        HubError: there are none, the passphrase is missing or another one, or the file is
            damaged.
    """
    document = _document(path)
    content = document.get("keys")
    if "sealed" in document:
        if passphrase is None:
            raise HubError(
                f"The keys in {path} are sealed.",
                "Give the passphrase: --passphrase-file, or PEYVAND_BACKUP_PASSPHRASE.",
            )
        content = _opened(path, cast("dict[str, Any]", document["sealed"]), passphrase)
    try:
        found = cast("dict[str, Any]", content)
        files = {str(name): str(text) for name, text in found["files"].items()}
        return HubIdentity(files, str(found["manifest_sha256"]))
    except (KeyError, TypeError, AttributeError) as error:
        raise _damaged(path) from error


def are_sealed(path: Path) -> bool:
    """Whether a passphrase is needed to read keys. Raises `HubError` where there are none."""
    return "sealed" in _document(path)


def given_passphrase(file: Path | None) -> str | None:
    """The passphrase from a file, else from ``PEYVAND_BACKUP_PASSPHRASE``; `None` without.

    Raises:
        HubError: the file cannot be read, or the passphrase is too short to protect anything.
    """
    try:
        found = file.read_text(encoding="utf-8").strip() if file else os.environ.get(VARIABLE, "")
    except OSError as error:
        raise HubError(f"The passphrase in {file} cannot be read: {error.strerror}.") from error
    if not found and file is None:
        return None
    require_good(found)
    return found


def require_good(passphrase: str) -> None:
    """Raise `HubError` for a passphrase that is too short to protect anything."""
    if len(passphrase) < _SHORTEST:
        raise HubError(
            f"The passphrase has fewer than {_SHORTEST} characters.", "Take a longer one."
        )


def _document(path: Path) -> dict[str, Any]:
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise HubError(
            f"There are no keys at {path}.",
            "Put them beside the backup, or name them: --keys FILE. Without them every node"
            " joins anew: --without-keys.",
        ) from None
    except (OSError, ValueError) as error:
        raise _damaged(path) from error
    if not isinstance(document, dict):
        raise _damaged(path)
    known = cast("dict[str, Any]", document)
    if known.get("format") != _FORMAT:
        raise HubError(
            f"The keys in {path} have format {known.get('format')}; this version knows {_FORMAT}.",
            "Restore with the version that made them, then update.",
        )
    return known


def _opened(path: Path, sealed: dict[str, Any], passphrase: str) -> Any:
    try:
        cost = {name: int(sealed[name]) for name in _COST}
        if cost != _COST:
            raise _damaged(path)
        key = Scrypt(salt=_bytes(sealed["salt"]), length=32, **cost).derive(passphrase.encode())
        text = AESGCM(key).decrypt(_bytes(sealed["nonce"]), _bytes(sealed["data"]), _PURPOSE)
        return json.loads(text)
    except InvalidTag:
        raise HubError(
            f"The passphrase does not open {path}, or the file was changed.",
            "Give the passphrase that it was sealed with.",
        ) from None
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> HubError:
    return HubError(
        f"The keys in {path} are damaged.", "Copy them again from where they were kept."
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: object) -> bytes:
    return base64.b64decode(str(text), validate=True)
