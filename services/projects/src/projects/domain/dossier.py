"""How a dossier vouches for itself: a digest of each part, and one of all of them.

The canonical form is that of RFC 8785: the members of each object in the order of their
names, no white space, UTF-8. Dossiers hold texts, whole numbers, truth values, lists and
objects with names in ASCII alone, for which that is what `canonical` writes. Unlike the
digest of a decision (`record_hashes`), which outlives versions of the contract, it leaves
nothing out: whatever stands in a dossier is covered as it stands there.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from projects.domain.decisions import Decision
from projects.domain.record_hashes import link_to

FORMAT = "peyvand-dossier-1"
# Items of all lists and steps together.
MAX_ITEMS = 20_000
MAX_BYTES = 24 * 1024 * 1024


@dataclass(frozen=True)
class Part:
    """One member of a dossier: its name, how many items it has, and its digest."""

    name: str
    count: int
    sha256: str


def canonical(value: Any) -> bytes:
    """Plain JSON in its canonical form."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def digest(value: Any) -> str:
    """SHA-256 of plain JSON in its canonical form, in lower-case hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()


def parts_of(dossier: Mapping[str, Any]) -> list[Part]:
    """What the manifest says of the members of a dossier, in the order of their names."""
    return [
        Part(name, len(value) if isinstance(value, list) else 1, digest(value))
        for name, value in sorted(dossier.items())
    ]


def chain_head(decisions: Sequence[Decision]) -> str:
    """What the next decision would carry of the last one; empty before the first."""
    return link_to(decisions[-1]) if decisions else ""
