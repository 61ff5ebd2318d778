"""Files that hold secrets."""

import os
from pathlib import Path

OWNER_ONLY = 0o600


def write_private(path: Path, text: str, mode: int = OWNER_ONLY) -> None:
    """Write a file whole or not at all; only its owner can read it unless `mode` says more."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
