"""Makes a backup of a hub that runs.

The snapshots of all databases lie on one cut: for some milliseconds nobody can write to any
outbox, and in that time each snapshot is taken. So no service has heard of an event that its
owner's snapshot does not have. What a service has not heard yet it hears after the restore.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import asyncpg

from hubkit.backup.archive import ArchiveWriter, PartWriter
from hubkit.backup.evidence import SERVICE, TABLE, NamedFiles
from hubkit.backup.keys import HubIdentity, keys_beside, write_keys
from hubkit.backup.manifest import (
    FORMAT,
    DatabaseEntry,
    Manifest,
    TableEntry,
    file_part,
    table_part,
)
from hubkit.backup.tables import Snapshot, connect
from hubkit.errors import HubError
from servicekit.errors import Fault
from servicekit.object_store import DamagedError, ObjectStore, Spool, spool

SUFFIX = ".backup"
_LOCK_TIMEOUT = "2s"
_TRIES = 10
_PAUSE_SECONDS = 1.0
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Source:
    """What is backed up.

    Attributes:
        databases: URL of each service's database.
        files: where files of evidence are kept; `None` leaves them out.
        identity: the keys of the hub; `None` leaves them out.
        passphrase: what the keys are sealed with; `None` leaves them in plain text.
    """

    databases: Mapping[str, str]
    files: ObjectStore | None
    identity: HubIdentity | None
    passphrase: str | None


@dataclass(frozen=True)
class Made:
    """A backup that was made: its file, that of its keys, and what it says of itself."""

    path: Path
    keys: Path | None
    manifest: Manifest


def place_for(wanted: Path, now: datetime) -> Path:
    """The file of a backup that goes to a folder, or is named as it is to be.

    Raises:
        HubError: there is something of that name already, or no folder.
    """
    named = wanted.suffix == SUFFIX
    path = wanted if named else wanted / f"peyvand-{now:%Y%m%dT%H%M%SZ}{SUFFIX}"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise HubError(f"{path.parent} cannot be used: {error.strerror}.") from error
    for taken in (path, keys_beside(path)):
        if taken.exists():
            raise HubError(f"{taken} is there already.", "A backup is never written over.")
    return path


async def make_backup(source: Source, wanted: Path, say: Callable[[str], None]) -> Made:
    """Back a hub up to a folder or a file; it appears whole or not at all.

    Raises:
        HubError: a database cannot be read, the place cannot be written to, or the store of
            files has none of those that evidence names.
    """
    now = datetime.now(UTC)
    path = place_for(wanted, now)
    try:
        archive = ArchiveWriter(path)
    except OSError as error:
        raise HubError(f"{path} cannot be written: {error.strerror}.") from error
    try:
        async with _cut(source.databases, say) as snapshots:
            made_at = datetime.now(UTC)
            postgres = await snapshots[next(iter(snapshots))].server_version()
            databases: dict[str, DatabaseEntry] = {}
            named: set[str] = set()
            for service, snapshot in snapshots.items():
                databases[service] = await _write_database(archive, service, snapshot, named, say)
        # After the snapshots: a file is kept before evidence names it.
        files, damaged = await _write_files(archive, source.files, say)
        missing = _missing(named, files, damaged)
        manifest = Manifest(
            format=FORMAT,
            made_at=made_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            version=version("hubkit"),
            postgres=postgres,
            databases=databases,
            files=files,
            damaged=damaged,
            missing=missing,
            keys=_how(source),
            parts=archive.parts,
        )
        digest = await asyncio.to_thread(archive.finish, manifest)
        keys = None
        if source.identity is not None:
            # First: a backup that has its name has its keys.
            keys = keys_beside(path)
            write_keys(keys, HubIdentity(source.identity.files, digest), source.passphrase)
        archive.publish()
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise HubError(
            f"A database went away while it was read: {error}.", "Try again when it is back."
        ) from error
    except OSError as error:
        raise HubError(
            f"{path} cannot be written: {error.strerror or error}.", "Is there room on the disk?"
        ) from error
    finally:
        archive.abandon()
    return Made(path, keys, manifest)


@contextlib.asynccontextmanager
async def _cut(
    databases: Mapping[str, str], say: Callable[[str], None]
) -> AsyncGenerator[dict[str, Snapshot]]:
    """Snapshots of all databases of one cut."""
    async with contextlib.AsyncExitStack() as stack:
        snapshots: dict[str, Snapshot] = {}
        for service, url in databases.items():
            snapshots[service] = await Snapshot.connect(url)
            stack.push_async_callback(snapshots[service].close)
        async with contextlib.AsyncExitStack() as doors:
            holders = [await _holder(url, doors) for url in databases.values()]
            await _close_outboxes(holders, say)
            for snapshot in snapshots.values():
                await snapshot.hold()
        yield snapshots


async def _holder(url: str, doors: contextlib.AsyncExitStack) -> asyncpg.Connection:
    connection = await connect(url)
    doors.push_async_callback(connection.close)
    return connection


async def _close_outboxes(holders: list[asyncpg.Connection], say: Callable[[str], None]) -> None:
    """Keep everybody from writing to an outbox until the connections are closed."""
    for number in range(_TRIES):
        try:
            for holder in holders:
                await holder.execute(f"BEGIN; SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
                await holder.execute("LOCK TABLE outbox IN SHARE MODE")
        except asyncpg.LockNotAvailableError:
            # Whoever writes must not wait behind us for long.
            for holder in holders:
                await holder.execute("ROLLBACK")
            say(f"A long transaction is in the way; waiting for it ({number + 1} of {_TRIES})")
            await asyncio.sleep(_PAUSE_SECONDS)
        except asyncpg.UndefinedTableError as error:
            raise HubError(
                "A database has no schema yet.",
                "Start the network once, so that there is something to keep.",
            ) from error
        else:
            return
    raise HubError(
        f"Transactions did not let go of an outbox in {_TRIES} tries.",
        "Try again when no large file is being imported.",
    )


async def _write_database(
    archive: ArchiveWriter,
    service: str,
    snapshot: Snapshot,
    named: set[str],
    say: Callable[[str], None],
) -> DatabaseEntry:
    """Write the rows of a database; adds the files that its evidence names to `named`."""
    revision = await snapshot.revision()
    tables: dict[str, TableEntry] = {}
    for table, columns in (await snapshot.columns()).items():
        say(f"{service}: {table}")
        is_evidence = (service, table) == (SERVICE, TABLE)
        files = NamedFiles(columns if is_evidence else ())
        with archive.part(table_part(service, table)) as part:

            def take(piece: bytes, part: PartWriter = part, files: NamedFiles = files) -> None:
                part.write(piece)
                files.take(piece)

            rows = await snapshot.copy(table, columns, take)
        named |= files.found
        tables[table] = TableEntry([*columns], rows.rows, rows.value)
    return DatabaseEntry(revision, tables, await snapshot.sequences())


async def _write_files(
    archive: ArchiveWriter, store: ObjectStore | None, say: Callable[[str], None]
) -> tuple[dict[str, int] | None, list[str]]:
    if store is None:
        return None, []
    files: dict[str, int] = {}
    damaged: list[str] = []
    try:
        async for page in store.stored_before(datetime.now(UTC) + timedelta(days=1)):
            for stored in page:
                say(f"files: {len(files) + 1}")
                with spool() as copy:
                    try:
                        if await _fetch(store, stored.sha256, copy):
                            files[stored.sha256] = copy.size_bytes
                            _append(archive, file_part(stored.sha256), copy)
                    except DamagedError:
                        damaged.append(stored.sha256)
    except Fault as error:
        raise HubError(
            "The store of files cannot be reached.", "Look at PEYVAND_OBJECTS_URL; or --no-files."
        ) from error
    return files, sorted(damaged)


def _missing(named: set[str], files: Mapping[str, int] | None, damaged: list[str]) -> list[str]:
    """Files that evidence names and the store does not have."""
    if files is None:
        return []
    missing = named.difference(files, damaged)
    if missing and missing == named:
        raise HubError(
            f"The store of files has none of the {len(named)} files that evidence names.",
            "It is another store than the network's: look at PEYVAND_OBJECTS_URL; or --no-files.",
        )
    return sorted(missing)


async def _fetch(store: ObjectStore, sha256: str, copy: Spool) -> bool:
    """Copy a file of the store; tells whether it is still there. Raises `DamagedError`."""
    pieces = await store.read(sha256)
    if pieces is None:
        return False
    async for piece in pieces:
        await copy.write(piece)
    await copy.finish()
    return True


def _append(archive: ArchiveWriter, name: str, copy: Spool) -> None:
    with archive.part(name) as part:
        while piece := copy.file.read(_CHUNK):
            part.write(piece)


def _how(source: Source) -> str:
    if source.identity is None:
        return "none"
    return "plain" if source.passphrase is None else "sealed"
