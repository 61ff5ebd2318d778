"""The offline bundle: all that a place without internet needs to join, in one signed file.

It holds the wheels of the agent and of all that it needs, an installer, a join token, and
a manifest with the SHA-256 of each file, signed with a key of this hub. The fingerprint
of that key goes to the center by another way: by phone.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import sys
import tarfile
import tempfile
from datetime import UTC, datetime
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hubkit.private_files import write_private
from peyvandctl.errors import ClusterError
from peyvandctl.wheels import closure, make_wheels

if TYPE_CHECKING:
    from collections.abc import Callable

    from peyvandctl.paths import Home

AGENT = "peyvand-node"
_PIP = "pip"
_SCRIPTS = ("install.sh", "verify.py")
_UNIT = Path(__file__).resolve().parents[3] / "deploy" / "node" / "peyvand-node.service"
_FORMAT = 1


class BundleKey:
    """The key with which this hub signs bundles."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def of(cls, home: Home) -> Self:
        """Read the key of a home, made when it is first asked for. Raises `ClusterError`."""
        path = home.root / "bundle-key.pem"
        if not home.state.exists():
            raise ClusterError(
                f"There is no network in {home.root}, so there is no key to sign with.",
                "Run this on the hub's machine; PEYVAND_HOME names the folder of its data.",
            )
        if not path.exists():
            made = Ed25519PrivateKey.generate()
            text = made.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            write_private(path, text.decode("ascii"))
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), None)
        except (OSError, ValueError) as error:
            raise ClusterError(f"{path} cannot be read: {error}.") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise ClusterError(f"{path} holds no Ed25519 key.", "Remove it: a new one is made.")
        return cls(key)

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self._key.public_key().public_bytes_raw()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the public key in hexadecimal."""
        return hashlib.sha256(self.public).hexdigest()

    def sign(self, message: bytes) -> bytes:
        """Sign, 64 bytes."""
        return self._key.sign(message)


def write_bundle(
    output: Path, key: BundleKey, make_token: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Write a bundle.

    Args:
        output: the file to write, readable by its owner only: there is a token in it.
        key: what signs it.
        make_token: makes the token, when all else is there.

    Returns:
        What a person has to know of it.

    Raises:
        ClusterError: something of it cannot be packed, or the file cannot be written.
    """
    with tempfile.TemporaryDirectory() as place:
        wheels = Path(place)
        make_wheels([*closure(AGENT), metadata.distribution(_PIP)], wheels)
        files = {f"wheels/{path.name}": path.read_bytes() for path in wheels.glob("*.whl")}
    scripts = resources.files("peyvandctl") / "bundle_files"
    files |= {name: (scripts / name).read_bytes() for name in _SCRIPTS}
    files[_UNIT.name] = _UNIT.read_bytes()
    token = make_token()
    files["token"] = f"{token['token']}\n".encode()
    manifest = {
        "format": _FORMAT,
        "node_id": token["node_id"],
        "hub": token["hub"],
        "authority_fingerprint": token["authority_fingerprint"],
        "token_expires_at": token["expires_at"],
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "agent": metadata.version(AGENT),
        "python": "{}.{}".format(*sys.version_info),
        "platform": f"{platform.system().lower()}-{platform.machine()}",
        "files": {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)},
    }
    text = json.dumps(manifest, indent=1).encode()
    files["manifest.json"] = text
    files["manifest.sig"] = f"{key.sign(text).hex()}\n".encode()
    files["hub-key"] = f"{key.public.hex()}\n".encode()
    folder = f"peyvand-node-{token['node_id']}"
    content = _archive(folder, files)
    _write(output, content)
    return {
        "file": str(output),
        "folder": folder,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "fingerprint": key.fingerprint,
        "node_id": token["node_id"],
        "expires_at": token["expires_at"],
        "python": manifest["python"],
        "platform": manifest["platform"],
    }


def _archive(folder: str, files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    # Wheels are compressed already; the time is left out of the header.
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in sorted(files):
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mode = len(files[name]), 0o755 if name.endswith(".sh") else 0o644
            if name == "token":
                entry.mode = 0o600
            archive.addfile(entry, io.BytesIO(files[name]))
    return packed.getvalue()


def _write(output: Path, content: bytes) -> None:
    try:
        output.touch(mode=0o600, exist_ok=True)
        output.chmod(0o600)
        output.write_bytes(content)
    except OSError as error:
        raise ClusterError(f"{output} cannot be written: {error.strerror}.") from error
