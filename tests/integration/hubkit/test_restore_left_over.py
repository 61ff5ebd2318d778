"""A restore that comes to nothing leaves nothing behind, however it ends."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from hubkit.backup.archive import Archive
from hubkit.backup.restoring import _LOCK, restore_databases, restore_files
from hubkit.backup.tables import hashes
from hubkit.errors import HubError
from servicekit.object_store import ObjectStore, spool
from tests.support.backups import Hub, put_back, taken

if TYPE_CHECKING:
    from pathlib import Path

# A restore that is killed as it says a given text.
KILLED = """
import asyncio, json, os, pathlib, signal, sys
import asyncpg
from hubkit.backup.archive import Archive
from hubkit.backup.restoring import restore_databases
told = json.loads(sys.stdin.read())
def say(text):
    if text == told["at"]:
        os.kill(os.getpid(), signal.SIGKILL)
async def run():
    async def admin():
        return await asyncpg.connect(**told["admin"])
    with Archive.open(pathlib.Path(told["file"])) as archive:
        await restore_databases(archive, admin, told["urls"], say)
asyncio.run(run())
"""
BOUND = 60  # seconds: more than anything here takes


def superuser(hub: Hub) -> dict[str, Any]:
    postgres = hub.infra.cluster.postgres
    return {
        "host": "127.0.0.1",
        "port": postgres.port,
        "user": "postgres",
        "password": postgres.password,
        "database": "postgres",
    }


def stamp_of(target: dict[str, str]) -> str:
    return target["centers"].rpartition("_")[2]


async def with_a_file(folder: Path) -> tuple[ObjectStore, str]:
    store = ObjectStore.in_folder(folder)
    with spool() as file:
        await file.write(b"minutes")
        digest = await file.finish()
        await store.put(file, digest)
    return store, digest


async def test_what_a_killed_one_left_goes_at_the_next_though_that_is_refused(
    hub: Hub, target: dict[str, str], tmp_path: Path
) -> None:
    made = await taken(hub, tmp_path)
    told = {
        "at": "projects: outbox",
        "admin": superuser(hub),
        "file": str(made.path),
        "urls": target,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KILLED), stdin=asyncio.subprocess.PIPE
    )
    await asyncio.wait_for(process.communicate(json.dumps(told).encode()), BOUND)
    assert process.returncode == -signal.SIGKILL
    left = await hub.databases(stamp_of(target))
    assert left
    assert all(name.endswith("_restoring") for name in left)
    # Where there is something already: nothing is asked of it but whether there is.
    filled = target | {"partners": hub.urls["partners"]}
    with pytest.raises(HubError, match="not empty: partners"):
        await put_back(hub, made.path, filled)
    assert await hub.databases(stamp_of(target)) == []


async def test_that_a_killed_one_is_still_held_for_at_work_refuses_nobody(
    hub: Hub, target: dict[str, str], tmp_path: Path
) -> None:
    made = await taken(hub, tmp_path)
    # PostgreSQL notices a moment later that a session was lost, and keeps its locks until then.
    killed = await hub.infra.cluster.postgres.connect()
    await killed.execute("SELECT pg_advisory_lock($1)", _LOCK)

    async def is_noticed() -> None:
        await asyncio.sleep(1)
        await killed.close()

    kept, _ = await asyncio.gather(put_back(hub, made.path, target), is_noticed())
    assert kept == []


async def test_files_are_put_when_nobody_can_say_no_any_more(
    hub: Hub, target: dict[str, str], tmp_path: Path
) -> None:
    store, digest = await with_a_file(tmp_path / "objects")
    made = await taken(hub, tmp_path, store)
    other = ObjectStore.in_folder(tmp_path / "other")
    admin = hub.infra.cluster.postgres.connect

    def say(text: str) -> None:
        said.append(text)

    said: list[str] = []
    with Archive.open(made.path) as archive:

        async def files() -> None:
            await restore_files(archive, other, say)

        filled = target | {"observatory": hub.urls["observatory"]}
        with pytest.raises(HubError, match="not empty: observatory"):
            await restore_databases(archive, admin, filled, say, files=files)
        assert await other.find(digest) is None
        await restore_databases(archive, admin, target, say, files=files)
    assert await other.find(digest) is not None
    # After the last row, and before any database had its name.
    assert said[-1] == "files: 1 of 1"


async def test_files_that_cannot_be_put_leave_every_database_as_it_was(
    hub: Hub, target: dict[str, str], tmp_path: Path
) -> None:
    store, _ = await with_a_file(tmp_path / "objects")
    made = await taken(hub, tmp_path, store)
    await put_back(hub, made.path, target)
    was = {name: await hashes(url) for name, url in target.items()}
    known = await hub.databases(stamp_of(target))
    broken = ObjectStore.in_folder(tmp_path / "broken")
    (tmp_path / "broken" / "sha256").write_text("where the folder should be")
    admin = hub.infra.cluster.postgres.connect
    with Archive.open(made.path) as archive:

        async def files() -> None:
            await restore_files(archive, broken, lambda _: None)

        with pytest.raises(HubError, match="store of files cannot be reached"):
            await restore_databases(
                archive, admin, target, lambda _: None, replace=True, files=files
            )
    assert await hub.databases(stamp_of(target)) == known
    assert {name: await hashes(url) for name, url in target.items()} == was


async def test_one_that_is_given_up_takes_its_databases_with_it(
    hub: Hub, target: dict[str, str], tmp_path: Path
) -> None:
    made = await taken(hub, tmp_path)
    waiting = asyncio.Event()

    async def files() -> None:
        waiting.set()
        await asyncio.Event().wait()

    admin = hub.infra.cluster.postgres.connect
    with Archive.open(made.path) as archive:
        restoring = asyncio.create_task(
            restore_databases(archive, admin, target, lambda _: None, files=files)
        )
        await asyncio.wait_for(waiting.wait(), BOUND)
        # Meanwhile a second one keeps away from what the first has made.
        with pytest.raises(HubError, match="Another restore is at work"):
            await put_back(hub, made.path, target)
        assert len(await hub.databases(f"{stamp_of(target)}_restoring")) == len(target)
        restoring.cancel()
        with pytest.raises(asyncio.CancelledError):
            await restoring
    assert await hub.databases(stamp_of(target)) == []


async def test_an_empty_database_of_before_is_gone_and_a_killed_one_leaves_none(
    hub: Hub, target: dict[str, str], tmp_path: Path
) -> None:
    made = await taken(hub, tmp_path)
    connection = await hub.infra.cluster.postgres.connect()
    for url in target.values():
        name = url.rpartition("/")[2]
        owner = name.partition("_")[0]
        await connection.execute(f'CREATE DATABASE "{name}" OWNER "{owner}"')
    # As one that was killed between the new names and the end of the old ones.
    emptied = f"{target['centers'].rpartition('/')[2]}_emptied"
    await connection.execute(f'CREATE DATABASE "{emptied}"')
    await connection.close()
    assert await put_back(hub, made.path, target) == []
    assert await hub.databases(stamp_of(target)) == sorted(
        url.rpartition("/")[2] for url in target.values()
    )
