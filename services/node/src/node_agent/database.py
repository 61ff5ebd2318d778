"""The SQLite file of a node: opened, brought to the present tables, and written to.

A disk that is full is met here: what it does not take raises `StorageFull`.
"""

import secrets
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from node_agent.ballast import Ballast

SCHEMA = """
CREATE TABLE IF NOT EXISTS standing (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    journal TEXT NOT NULL,
    newest INTEGER NOT NULL,
    acked INTEGER NOT NULL,
    offered INTEGER NOT NULL,
    receipts_after INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS report (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    journal TEXT NOT NULL,
    number INTEGER NOT NULL,
    key TEXT NOT NULL UNIQUE,
    feed TEXT NOT NULL,
    taken_at REAL NOT NULL,
    body BLOB NOT NULL,
    idempotency_key TEXT NOT NULL UNIQUE,
    digest BLOB NOT NULL,
    UNIQUE (journal, number)
);
CREATE TABLE IF NOT EXISTS receipt (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    decision TEXT NOT NULL,
    refused INTEGER NOT NULL,
    stored_at REAL NOT NULL,
    body BLOB NOT NULL,
    digest BLOB NOT NULL UNIQUE
);
CREATE INDEX IF NOT EXISTS receipt_key ON receipt (key);
"""
# What was added to the tables since, by steps; `user_version` of the file counts them.
_ADDED: tuple[tuple[str, ...], ...] = (
    (
        "ALTER TABLE standing ADD COLUMN lived REAL NOT NULL DEFAULT 0",
        "ALTER TABLE report ADD COLUMN lived REAL NOT NULL DEFAULT 0",
        "ALTER TABLE receipt RENAME COLUMN stored_at TO lived",
        "UPDATE receipt SET lived = 0",
        "DROP INDEX IF EXISTS report_taken",
        "CREATE INDEX report_lived ON report (lived)",
    ),
    ("ALTER TABLE standing ADD COLUMN receipts_mark TEXT NOT NULL DEFAULT ''",),
    (
        "ALTER TABLE standing ADD COLUMN refusals_seen INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE receipt ADD COLUMN told INTEGER NOT NULL DEFAULT 0",
        (
            "CREATE INDEX receipt_untold ON receipt (position)"
            " WHERE told = 0 AND (refused = 1 OR decision = 'returned')"
        ),
        "CREATE TABLE origin (key TEXT PRIMARY KEY, file TEXT, lines TEXT, lived REAL)",
    ),
)
# Results of SQLite that say that the disk does not take what is written.
_FULL = 13
_DISK_ERRORS = frozenset({10, _FULL, 14})  # IOERR, FULL, CANTOPEN


class StorageFull(Exception):
    """The disk, or the share of it that the node may use, does not take more."""


class Database:
    """One file, or memory. It belongs to one thread.

    Attributes:
        ballast: room on the disk that is held for what must be written on a full one.
    """

    def __init__(self, path: Path | None, ballast_bytes: int) -> None:
        """Open the file, made when it is not there; without a path, in memory.

        Raises `StorageFull` when it cannot be made or opened.
        """
        self._path = path
        self.ballast = Ballast(None if path is None else path.with_name("ballast"), ballast_bytes)
        self._open()
        self.ballast.fill()

    def _open(self) -> None:
        """Open the file, on a full disk with the room that the ballast has held."""
        while True:
            try:
                self._connect()
            except StorageFull:
                if not self.ballast.give_back():
                    raise
            else:
                return

    def _connect(self) -> None:
        name = ":memory:" if self._path is None else str(self._path)
        try:
            self._db = sqlite3.connect(name, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute("PRAGMA auto_vacuum=INCREMENTAL")
            self._db.execute("PRAGMA busy_timeout=5000")
            self._db.execute("PRAGMA cache_size=-2048")
            self._db.executescript(SCHEMA)
            self._add_what_is_new()
            with self.transaction() as db:
                db.execute(
                    "INSERT OR IGNORE INTO standing"
                    " (one, journal, newest, acked, offered, receipts_after)"
                    " VALUES (1, ?, 0, 0, 0, 0)",
                    (new_journal(),),
                )
            (self._page_bytes,) = self._db.execute("PRAGMA page_size").fetchone()
        except sqlite3.OperationalError as error:
            raise StorageFull(f"The store {name} cannot be opened: {error}") from error

    def _add_what_is_new(self) -> None:
        if self._version() >= len(_ADDED):
            return  # nothing, or a newer agent has added more, which is no matter here
        with self.transaction() as db:
            for statements in _ADDED[self._version() :]:
                for statement in statements:
                    db.execute(statement)
            db.execute(f"PRAGMA user_version = {len(_ADDED)}")

    def _version(self) -> int:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        return version

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """Write something whole or not at all.

        Raises `StorageFull` when the disk does not take it; nothing was written then.
        """
        self.require_open()
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if (error.sqlite_errorcode & 0xFF) not in _DISK_ERRORS:
                self._roll_back()
                raise
            self._recover()
            raise StorageFull(f"The disk does not take it: {error}.") from error
        except BaseException:
            self._roll_back()
            raise

    def require_open(self) -> None:
        """Open the file again, where a full disk has closed it."""
        if self._path is None:
            return
        try:
            self._db.execute("SELECT 1")
        except sqlite3.ProgrammingError:
            self._open()

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _recover(self) -> None:
        """Leave the failed transaction; after an error of the disk by a fresh connection."""
        try:
            self._roll_back()
        except sqlite3.OperationalError:
            if self._path is not None:
                self._db.close()
                with suppress(StorageFull):
                    self._open()

    def execute(self, sql: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        """Run one statement on its own."""
        return self._db.execute(sql, values)

    def used_bytes(self) -> int:
        """Size of what is stored, in bytes."""
        (pages,) = self._db.execute("PRAGMA page_count").fetchone()
        (free,) = self._db.execute("PRAGMA freelist_count").fetchone()
        return (pages - free) * self._page_bytes


def new_journal() -> str:
    """Make the id of a journal."""
    return secrets.token_hex(16)
