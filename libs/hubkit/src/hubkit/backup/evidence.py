"""Which files the evidence in a backup names: each should be in the backup too."""

import json
from collections.abc import Sequence

SERVICE = "projects"
TABLE = "evidence"
_COLUMN = "file"
_NULL = b"\\N"


class NamedFiles:
    """Collects the SHA-256 of the files that rows of evidence name.

    It is fed with what ``COPY`` gives of the table, in pieces that may end within a row.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        # A revision before files had no such column.
        self._place = columns.index(_COLUMN) if _COLUMN in columns else None
        self._rest = b""
        self.found: set[str] = set()

    def take(self, piece: bytes) -> None:
        """Take the next piece."""
        if self._place is None:
            return
        *rows, self._rest = (self._rest + piece).split(b"\n")
        for row in rows:
            told = row.split(b"\t")[self._place]
            if told != _NULL:
                # COPY doubles backslashes; JSON has no other sign that it escapes.
                self.found.add(json.loads(told.replace(b"\\\\", b"\\"))["sha256"])
