"""Verify a bundle of Peyvand before anything of it is used.

Usage: python3 verify.py [FINGERPRINT]

It needs Python alone: the signature (Ed25519, RFC 8032) is checked right here. The
bundle is refused when the key that has signed it is not the one whose fingerprint the
headquarters has told, when the signature does not fit, and when any file was changed,
added or taken away. Whoever can change this file can change what it says: so compare
also the SHA-256 of the whole file that you were given, as the headquarters has told it.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    # In extended coordinates: X, Y, Z, T.
    Point = tuple[int, int, int, int]

MANIFEST, SIGNATURE, KEY = "manifest.json", "manifest.sig", "hub-key"

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)


class Refused(Exception):
    """The bundle must not be used; the message says why."""


def verify(folder: Path, told: str | None = None) -> dict[str, Any]:
    """Check a bundle that was unpacked to a folder, and return its manifest.

    `told` is the fingerprint that the headquarters has told, or None to check all else.
    Raises `Refused`.
    """
    manifest = _read(folder, MANIFEST)
    try:
        key = bytes.fromhex(_read(folder, KEY).decode("ascii").strip())
        signature = bytes.fromhex(_read(folder, SIGNATURE).decode("ascii").strip())
    except ValueError:
        raise Refused("the key or the signature is damaged") from None
    if told is not None and "".join(told.split()).lower() != fingerprint_of(key):
        raise Refused(
            "the key that has signed it has another fingerprint than you were told:\n"
            "  " + in_groups(fingerprint_of(key))
        )
    if not is_signed(key, manifest, signature):
        raise Refused("the signature does not fit: the list of files was changed")
    listed = json.loads(manifest)
    known: dict[str, str] = dict(listed["files"])
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise Refused(f"{name} is neither a file nor a folder")
        if path.is_dir() or name in (MANIFEST, SIGNATURE, KEY):
            continue
        if name not in known:
            raise Refused(f"{name} does not belong to it")
        if hashlib.sha256(path.read_bytes()).hexdigest() != known.pop(name):
            raise Refused(f"{name} was changed")
    if known:
        raise Refused(f"{', '.join(sorted(known))} is missing")
    return listed


def fitting(
    manifest: Mapping[str, Any], version: str | None = None, machine: str | None = None
) -> None:
    """Check that this machine is one that the bundle was packed for. Raises `Refused`."""
    version = version or "{}.{}".format(*sys.version_info)
    machine = machine or f"{platform.system().lower()}-{platform.machine()}"
    if machine != manifest["platform"]:
        raise Refused(f"it was packed for {manifest['platform']}, and this machine is {machine}")
    if version != manifest["python"]:
        raise Refused(
            f"it was packed for Python {manifest['python']}, and this is {version}: name the right "
            f"one with PYTHON=python{manifest['python']}"
        )


def fingerprint_of(key: bytes) -> str:
    """The fingerprint of a public key: its SHA-256 in hexadecimal."""
    return hashlib.sha256(key).hexdigest()


def in_groups(fingerprint: str) -> str:
    """A fingerprint as people read it out: four digits at a time."""
    return " ".join(fingerprint[place : place + 4] for place in range(0, len(fingerprint), 4))


def is_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature fits (RFC 8032, 5.1.7)."""
    if len(key) != 32 or len(signature) != 64:
        return False
    public, nonce = _point(key), _point(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if public is None or nonce is None or scalar >= _L:
        return False
    hashed = hashlib.sha512(signature[:32] + key + message).digest()
    challenge = int.from_bytes(hashed, "little") % _L
    return _same(_times(scalar, _base()), _plus(nonce, _times(challenge, public)))


def _point(encoded: bytes) -> Point | None:
    """A point of the curve in extended coordinates; None where the text encodes none."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return (x, y, 1, x * y % _P)


def _base() -> Point:
    base = _point((4 * pow(5, _P - 2, _P) % _P).to_bytes(32, "little"))
    assert base is not None
    return base


def _plus(one: Point, other: Point) -> Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c = 2 * one[3] * other[3] * _D % _P
    d = 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _times(count: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    while count:
        if count & 1:
            total = _plus(total, point)
        point = _plus(point, point)
        count >>= 1
    return total


def _same(one: Point, other: Point) -> bool:
    return not (
        (one[0] * other[2] - other[0] * one[2]) % _P or (one[1] * other[2] - other[1] * one[2]) % _P
    )


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise Refused(f"{name} is missing")
    return path.read_bytes()


def _ask(folder: Path) -> None:
    """Let the person at the terminal compare the fingerprint."""
    key = bytes.fromhex(_read(folder, KEY).decode("ascii").strip())
    shown = "The fingerprint of the key that has signed this bundle:\n  " + in_groups(
        fingerprint_of(key)
    )
    if not sys.stdin.isatty():
        raise Refused(
            "the fingerprint was not compared. Ask the headquarters for it by phone, and give "
            "it: sh install.sh FINGERPRINT"
        )
    answer = input(shown + "\nHas the headquarters told you just this by phone? [yes/no] ")
    if answer.strip().lower() not in ("yes", "بله"):
        raise Refused("the fingerprint is not the one that you were told")


def main(arguments: Sequence[str]) -> int:
    """Verify the bundle that this file lies in."""
    folder = Path(__file__).resolve().parent
    told = "".join(arguments)
    try:
        manifest = verify(folder, told or None)
        fitting(manifest)
        if not told:
            _ask(folder)
    except Refused as refused:
        sys.stderr.write(f"This bundle is not used: {refused}.\n")
        return 1
    sys.stdout.write(f"The bundle is whole, and signed for node {manifest['node_id']}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
