"""Puts a backup back: beside what there is first, and in its place only when all is right.

What was made beside goes when it comes to nothing, and what a restore has left that was
killed goes at the next one.
"""

import asyncio
import contextlib
import importlib.util
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
from sqlalchemy import make_url

from hubkit.backup import evidence
from hubkit.backup.archive import Archive
from hubkit.backup.keys import HubIdentity, read_keys
from hubkit.backup.manifest import file_part, table_part
from hubkit.backup.tables import connect, load
from hubkit.databases import create_database, drop_database, rename_database
from hubkit.errors import HubError
from hubkit.topology import SERVICES
from servicekit import migrations
from servicekit.errors import Fault
from servicekit.object_store import ObjectStore, spool

_LOCK = 0x72657374  # "rest": one restore at a time in a server
_LOOKS, _PAUSE_SECONDS = 50, 0.1  # as long as PostgreSQL waits before it refuses a new name
_SESSIONS = """
SELECT datname, count(*) AS sessions FROM pg_stat_activity
WHERE backend_type = 'client backend' AND datname = ANY($1) GROUP BY datname
"""
_OWNED = {service.name: service.module for service in SERVICES if service.has_database}


def revisions_of(service: str) -> Path:
    """The folder with the revisions of a service's schema.

    Raises:
        HubError: the service is not installed.
    """
    found = importlib.util.find_spec(_OWNED[service])
    if found is None or found.origin is None:
        raise HubError(f"The service {service} is not installed here.", "Run: make install")
    return Path(found.origin).parent / "migrations"


async def check(archive: Archive, say: Callable[[str], None]) -> None:
    """See that a backup is whole, and that this version can restore it; changes nothing.

    Raises:
        HubError: a part is damaged, a service or a revision is not known, a table lacks, or a
            file that evidence names lacks and the manifest does not say so.
    """
    manifest = archive.manifest
    for service in sorted(_OWNED.keys() | manifest.databases.keys()):
        if service not in manifest.databases:
            raise HubError(f"The backup has no database of {service}.", "Take another backup.")
        if service not in _OWNED:
            raise _newer(f"the service {service}")
        entry = manifest.databases[service]
        if entry.revision not in migrations.revisions(revisions_of(service)):
            raise _newer(f"revision {entry.revision} of {service}")
        for table in entry.tables:
            if table_part(service, table) not in manifest.parts:
                raise HubError(
                    f"The backup has no part {table_part(service, table)}.", "Take another backup."
                )
    say("Reading all parts")
    await archive.verify()
    await _require_files(archive)


async def _require_files(archive: Archive) -> None:
    """See that the files that evidence names are there, but for those that were told."""
    manifest = archive.manifest
    entry = manifest.databases[evidence.SERVICE].tables.get(evidence.TABLE)
    if entry is None or manifest.files is None:
        return
    named = evidence.NamedFiles(entry.columns)
    async for piece in archive.read(table_part(evidence.SERVICE, evidence.TABLE)):
        named.take(piece)
    lacking = named.found.difference(manifest.files, manifest.damaged, manifest.missing)
    if lacking:
        raise HubError(
            f"Evidence names {len(lacking)} files that are not in the backup: {min(lacking)}"
            + ("." if len(lacking) == 1 else " and others."),
            "It was taken from another store of files. Take another backup, with the network's"
            " PEYVAND_OBJECTS_URL; or use a copy of its store.",
        )


def identity_of(archive: Archive, path: Path, passphrase: str | None) -> HubIdentity:
    """Read the keys of a backup.

    Raises:
        HubError: they cannot be read, or belong to another backup, or the manifest was
            tampered with.
    """
    identity = read_keys(path, passphrase)
    if identity.manifest_sha256 != archive.manifest_sha256:
        raise HubError(
            f"The keys in {path} and the manifest.json of {archive.path} do not belong together.",
            "Put the keys of this backup beside it; or the manifest was tampered with. Nothing"
            " was changed.",
        )
    return identity


async def restore_databases(
    archive: Archive,
    admin: Callable[[], Awaitable[asyncpg.Connection]],
    databases: Mapping[str, str],
    say: Callable[[str], None],
    *,
    replace: bool = False,
    files: Callable[[], Awaitable[object]] | None = None,
) -> list[str]:
    """Fill the databases of all services; they change all at once, or none does.

    Args:
        archive: a backup that was checked.
        admin: connects as the superuser.
        databases: URL of each service's database, as its owner.
        say: told what is done.
        replace: keep databases that hold something under another name.
        files: puts files where they belong. It is called when all rows are in and before a
            database changes, so that none ever names a file that is not there.

    Returns:
        The names under which databases of before are kept.

    Raises:
        HubError: a database holds something, or somebody works with it or restores too, or the
            backup does not fit.
    """
    connection = await admin()
    try:
        await _require_alone(connection)
        await _drop_drafts(connection, databases)
        filled = [name for name in databases if await _holds_something(connection, databases[name])]
        if filled and not replace:
            raise HubError(
                f"These databases are not empty: {', '.join(filled)}.",
                "Restore into an installation without data, or add --replace: they are kept under"
                " another name.",
            )
        await _require_idle(connection, databases)
        try:
            for service, url in databases.items():
                await _fill(archive, connection, service, url, say)
            if files is not None:
                await files()
            return await _put_in_place(connection, databases, filled)
        finally:
            await _drop_drafts(connection, databases)
    except asyncpg.ObjectInUseError as error:
        raise _busy(str(error)) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise HubError(
            f"PostgreSQL did not go along: {error}.", "Nothing was changed; try again."
        ) from error
    finally:
        await connection.close()


def require_place(archive: Archive, store: ObjectStore | None) -> None:
    """Raise `HubError` when a backup has files and there is no store for them."""
    if archive.manifest.files and store is None:
        raise HubError("There is no place for files.", "Set PEYVAND_OBJECTS_URL.")


async def restore_files(
    archive: Archive, store: ObjectStore | None, say: Callable[[str], None]
) -> int:
    """Put the files of evidence into their store; returns how many there are.

    Raises:
        HubError: the backup has files and there is no store, or it cannot be reached.
    """
    require_place(archive, store)
    files = archive.manifest.files or {}
    for number, sha256 in enumerate(files, 1):
        assert store is not None
        say(f"files: {number} of {len(files)}")
        with spool() as copy:
            async for piece in archive.read(file_part(sha256)):
                await copy.write(piece)
            if await copy.finish() != sha256:
                raise HubError(
                    f"The part {file_part(sha256)} is not the file that it is named after.",
                    "Take another backup.",
                )
            try:
                await store.put(copy, sha256)
            except Fault as error:
                raise HubError("The store of files cannot be reached.") from error
    return len(files)


async def _fill(
    archive: Archive,
    connection: asyncpg.Connection,
    service: str,
    url: str,
    say: Callable[[str], None],
) -> None:
    draft = _draft(url)
    await create_database(connection, draft, owner=_owner(url))
    target = make_url(url).set(drivername="postgresql+asyncpg", database=draft)
    place = target.render_as_string(hide_password=False)

    async def pieces(table: str) -> AsyncIterator[bytes]:
        say(f"{service}: {table}")
        async for piece in archive.read(table_part(service, table)):
            yield piece

    directory = revisions_of(service)
    await load(place, directory, archive.manifest.databases[service], pieces)
    say(f"{service}: row hashes are equal")
    await migrations.upgrade(place, directory)


async def _put_in_place(
    connection: asyncpg.Connection, databases: Mapping[str, str], filled: list[str]
) -> list[str]:
    stamp = f"{datetime.now(UTC):%Y%m%d%H%M%S}"
    known = {row[0] for row in await connection.fetch("SELECT datname FROM pg_database")}
    kept: list[str] = []
    async with connection.transaction():
        for service, url in databases.items():
            name = _name(url)
            if service in filled:
                kept.append(f"{name}_before_{stamp}")
                await rename_database(connection, name, kept[-1])
            elif name in known:
                # It holds nothing, and goes with the drafts.
                await rename_database(connection, name, _emptied(url))
            await rename_database(connection, _draft(url), name)
    return kept


async def _require_alone(connection: asyncpg.Connection) -> None:
    """See that nobody else restores; holds for as long as the connection does."""
    # That of a restore which was killed is held for a moment longer.
    for _ in range(_LOOKS):
        if await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
            return
        await asyncio.sleep(_PAUSE_SECONDS)
    raise HubError("Another restore is at work in this PostgreSQL.", "Wait for it, or end it.")


async def _require_idle(connection: asyncpg.Connection, databases: Mapping[str, str]) -> None:
    """See that nobody works with what is to be changed, before hours are spent on it."""
    names = [_name(url) for url in databases.values()]
    busy: list[asyncpg.Record] = []
    # A session that was closed is seen for a moment longer.
    for _ in range(_LOOKS):
        busy = await connection.fetch(_SESSIONS, names)
        if not busy:
            return
        await asyncio.sleep(_PAUSE_SECONDS)
    raise _busy(", ".join(f"{row['datname']} ({row['sessions']} sessions)" for row in busy))


async def _drop_drafts(connection: asyncpg.Connection, databases: Mapping[str, str]) -> None:
    """Remove what was made on the way; that of a lost connection goes at the next restore."""
    for url in databases.values():
        for name in (_draft(url), _emptied(url)):
            with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                await drop_database(connection, name)


async def _holds_something(connection: asyncpg.Connection, url: str) -> bool:
    """Whether a database has rows of a service; one that only has a schema holds nothing."""
    exists = "SELECT true FROM pg_database WHERE datname = $1"
    if not await connection.fetchval(exists, _name(url)):
        return False
    own = await connect(url)
    try:
        if await own.fetchval("SELECT to_regclass('public.outbox') IS NULL"):
            return False
        return bool(await own.fetchval("SELECT EXISTS (SELECT FROM outbox)"))
    finally:
        await own.close()


def _draft(url: str) -> str:
    return f"{_name(url)}_restoring"


def _emptied(url: str) -> str:
    return f"{_name(url)}_emptied"


def _name(url: str) -> str:
    return make_url(url).database or ""


def _owner(url: str) -> str:
    return make_url(url).username or ""


def _busy(what: str) -> HubError:
    return HubError(
        f"Somebody works with a database: {what}.",
        "Stop the services first; nothing was changed.",
    )


def _newer(what: str) -> HubError:
    return HubError(
        f"The backup is of a later version: {what} is not known here.",
        "Restore it with that version or a later one. Nothing was changed.",
    )
