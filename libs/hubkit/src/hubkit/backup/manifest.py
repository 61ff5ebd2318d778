"""What a backup says of itself: versions, revisions, row counts and hashes, its parts."""

import json
from dataclasses import asdict, dataclass, field
from typing import Self

from pydantic import TypeAdapter, ValidationError

from hubkit.errors import HubError

FORMAT = 1


@dataclass(frozen=True)
class TableEntry:
    """A table: its columns in order, how many rows it has, and their hash (`tables.RowHash`)."""

    columns: list[str]
    rows: int
    hash: str


@dataclass(frozen=True)
class DatabaseEntry:
    """A service's database.

    Attributes:
        revision: of its schema.
        tables: by name.
        sequences: the last number of each, and whether it was given.
    """

    revision: str
    tables: dict[str, TableEntry]
    sequences: dict[str, tuple[int, bool]]


@dataclass(frozen=True)
class PartEntry:
    """A part of the file: its size in bytes and its SHA-256, hexadecimal."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """All that a backup says of itself.

    Attributes:
        format: of the backup.
        made_at: when the snapshots were taken, RFC 3339.
        version: of the software that made it.
        postgres: version of the server.
        databases: by service.
        files: sizes of the files of evidence, by SHA-256; `None` when they were left out.
        damaged: SHA-256 of files that were damaged in their store, and are not in the backup.
        missing: SHA-256 of files that evidence names and that were not in their store.
        keys: ``sealed``, ``plain`` or ``none``: what lies beside the backup.
        parts: by name.
    """

    format: int
    made_at: str
    version: str
    postgres: str
    databases: dict[str, DatabaseEntry]
    files: dict[str, int] | None
    damaged: list[str]
    keys: str
    parts: dict[str, PartEntry] = field(default_factory=dict[str, PartEntry])
    missing: list[str] = field(default_factory=list[str])

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Read it.

        Raises:
            HubError: it is none, or one of a format that this version does not know.
        """
        try:
            told = json.loads(text)["format"]
        except (ValueError, KeyError, TypeError) as error:
            raise HubError(
                "The manifest of the backup cannot be read.", "Take another backup."
            ) from error
        if told != FORMAT:
            raise HubError(
                f"The backup has format {told}; this version knows format {FORMAT}.",
                "Restore it with the version that made it, then update.",
            )
        try:
            return TypeAdapter(cls).validate_json(text)
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise HubError(
                f"The manifest of the backup is damaged at {where}.", "Take another backup."
            ) from error


def table_part(service: str, table: str) -> str:
    """Name of the part with the rows of a table."""
    return f"databases/{service}/{table}.copy"


def file_part(sha256: str) -> str:
    """Name of the part with a file of evidence."""
    return f"files/{sha256}"
