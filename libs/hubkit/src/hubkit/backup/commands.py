"""``python -m hubkit backup``, ``verify``, ``restore-keys`` and ``restore``: of an installation.

What runs on one machine is backed up by ``peyvand backup``, with the same code.
"""

import argparse
import contextlib
from collections.abc import Callable
from pathlib import Path

import asyncpg

from hubkit.backup.archive import Archive
from hubkit.backup.keys import HubIdentity, given_passphrase, keys_beside
from hubkit.backup.making import Made, Source, make_backup
from hubkit.backup.manifest import Manifest
from hubkit.backup.restoring import (
    check,
    identity_of,
    require_place,
    restore_databases,
    restore_files,
)
from hubkit.errors import HubError
from hubkit.installation import Installation
from hubkit.settings import SetupSettings
from hubkit.topology import SERVICES
from servicekit.object_store import ObjectSettings, ObjectStore

Say = Callable[[str], None]

HELP = {
    "backup": "back up databases, files and keys of the installation",
    "verify": "see that a backup is whole, and that this version can restore it",
    "restore-keys": "put the keys of a backup into an empty setup",
    "restore": "put databases and files of a backup back; the services are stopped",
}
KEYS = ("sealed", "plain", "none")
NO_PASSPHRASE = HubError(
    "There is no passphrase to seal the keys with.",
    "Set PEYVAND_BACKUP_PASSPHRASE or name a --passphrase-file; or say --keys plain, or"
    " --keys none.",
)


def describe(name: str, parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a command."""
    if name == "backup":
        parser.add_argument("--to", type=Path, required=True, help="folder, or file.backup")
        parser.add_argument("--keys", choices=KEYS, default="sealed", help="how keys are kept")
        parser.add_argument("--no-files", action="store_true", help="leave files out")
    else:
        parser.add_argument("file", type=Path)
    if name == "restore-keys":
        parser.add_argument("--keys", type=Path, help="where they lie, if not beside the backup")
    if name == "restore":
        parser.add_argument("--replace", action="store_true", help="keep what is there aside")
    if name in ("backup", "restore-keys"):
        parser.add_argument("--passphrase-file", type=Path)


async def run(
    name: str,
    installation: Installation,
    settings: SetupSettings,
    chosen: argparse.Namespace,
    say: Say,
) -> None:
    """Do what a command says.

    Raises:
        HubError: it cannot be done; what it is about is as it was.
    """
    if name == "backup":
        source = Source(
            databases=_databases(installation, settings),
            files=None if chosen.no_files else _store(),
            identity=None if chosen.keys == "none" else HubIdentity(installation.identity()),
            passphrase=_passphrase(chosen),
        )
        for line in told(await make_backup(source, chosen.to, say)):
            say(line)
        return
    with Archive.open(chosen.file) as archive:
        await check(archive, say)
        if name == "restore-keys":
            beside = chosen.keys or keys_beside(chosen.file)
            identity = identity_of(archive, beside, given_passphrase(chosen.passphrase_file))
            installation.adopt(identity.files)
            say("The keys are in place; start the installation, and restore the rest")
        elif name == "restore":
            await _restore(archive, installation, settings, say, replace=chosen.replace)
        for line in summary(archive.manifest):
            say(line)


async def _restore(
    archive: Archive,
    installation: Installation,
    settings: SetupSettings,
    say: Say,
    *,
    replace: bool,
) -> None:
    async def admin() -> asyncpg.Connection:
        try:
            return await installation.connect(settings.postgres)
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise HubError(f"PostgreSQL does not let us in: {error}.") from error

    store = _store()
    require_place(archive, store)
    own = {name: installation.database_url(name, settings.postgres) for name in _services()}
    for kept in await restore_databases(
        archive,
        admin,
        own,
        say,
        replace=replace,
        files=lambda: restore_files(archive, store, say),
    ):
        say(f"What was there is kept as the database {kept}")


def told(made: Made) -> list[str]:
    """What is said of a backup that was made."""
    lines = [*summary(made.manifest), f"Backup: {made.path}"]
    if made.keys is None:
        return [*lines, "Keys: none. With another hub's keys every node joins anew."]
    if made.manifest.keys == "plain":
        return [*lines, f"Keys: {made.keys}, IN PLAIN TEXT. Whoever reads them is the hub."]
    return [*lines, f"Keys: {made.keys}, sealed. Without the passphrase they are lost."]


def summary(manifest: Manifest) -> list[str]:
    """What a backup holds, line by line."""
    lines = [f"Made {manifest.made_at} by version {manifest.version}"]
    for service, entry in sorted(manifest.databases.items()):
        rows = sum(table.rows for table in entry.tables.values())
        events = entry.tables["outbox"].rows if "outbox" in entry.tables else 0
        lines.append(
            f"{service}: {len(entry.tables)} tables, {rows} rows at revision {entry.revision};"
            f" its stream is filled from the {events} events of its outbox"
        )
    if manifest.files is None:
        lines.append("Files: left out")
    else:
        size = sum(manifest.files.values())
        lines.append(f"Files: {len(manifest.files)}, {size} bytes")
    lines += [f"DAMAGED in its store, not in the backup: file {it}" for it in manifest.damaged]
    lines += [f"MISSING in its store, not in the backup: file {it}" for it in manifest.missing]
    return lines


def _databases(installation: Installation, settings: SetupSettings) -> dict[str, str]:
    given = settings.database_urls
    if not given:
        return {name: installation.database_url(name, settings.postgres) for name in _services()}
    if lacking := [name for name in _services() if name not in given]:
        raise HubError(f"PEYVAND_DATABASE_URLS has none for {', '.join(lacking)}.")
    return {name: given[name] for name in _services()}


def _services() -> list[str]:
    return [service.name for service in SERVICES if service.has_database]


def _store() -> ObjectStore | None:
    with contextlib.suppress(OSError):
        return ObjectSettings.from_environment().object_store()
    raise HubError("The folder of files cannot be used.", "Look at PEYVAND_OBJECTS_URL.")


def _passphrase(chosen: argparse.Namespace) -> str | None:
    if chosen.keys != "sealed":
        return None
    found = given_passphrase(chosen.passphrase_file)
    if found is None:
        raise NO_PASSPHRASE
    return found
