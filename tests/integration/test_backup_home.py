"""A home is backed up whether it runs or not, and restored into a folder that is free."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hubkit.backup.archive import Archive
from hubkit.backup.keys import keys_beside
from hubkit.backup.making import Source, make_backup
from hubkit.backup.tables import hashes
from peyvandctl import backups
from peyvandctl.cluster import Cluster
from peyvandctl.errors import ClusterError
from peyvandctl.issuer import LocalIssuer
from peyvandctl.paths import Home
from peyvandctl.state import HomeLock, State
from tests.drill.commands import peyvand
from tests.support.backups import NAMES, databases_of_a_hub
from tests.support.cluster import fresh_home

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from hubkit.backup.manifest import Manifest
    from tests.support.cluster import Infra

# A restore makes a server of its own, and there are some of them here.
pytestmark = pytest.mark.timeout(600)

PASSPHRASE = "five dry stones in a river"


@dataclass
class Restored:
    """A home that was restored with new keys, and the backup that it came from."""

    home: Home
    backup: Path
    manifest: Manifest


def quiet(_text: str) -> None:
    """Nobody looks on."""


async def restored_into(
    home: Home, backup: Path, *, keys: bool = True, replace: bool = False
) -> Path | None:
    with Archive.open(backup) as archive:
        identity = backups.open_keys(archive, keys_beside(backup), PASSPHRASE) if keys else None
        work = backups.Restore(archive, home, quiet)
        return await work.run(identity, replace=replace, trial=False)


@pytest.fixture(scope="module")
async def restored(infra: Infra) -> AsyncGenerator[Restored]:
    with fresh_home() as outer:
        async with databases_of_a_hub(infra) as urls:
            source = Source(urls, None, None, None)
            made = await make_backup(source, outer.root / "first.backup", quiet)
        home = Home(outer.root / "hub")
        assert await restored_into(home, made.path, keys=False) is None
        yield Restored(home, made.path, made.manifest)


async def rows_of(cluster: Cluster) -> dict[str, object]:
    return {name: await hashes(cluster.postgres.dsn(name)) for name in NAMES}


async def test_a_home_goes_from_one_place_to_another_and_back(restored: Restored) -> None:
    home, outer = restored.home, restored.home.root.parent
    wanted = {name: entry.tables for name, entry in restored.manifest.databases.items()}
    async with Cluster(home.root, services=[], port=0) as cluster:
        assert await rows_of(cluster) == wanted
        known = State(home)
        nodes_port = cluster.nats.port
        authority = cluster.nats.authority.certificate.read_text()
        made = await backups.back_up(
            home, outer / "b.backup", keys=True, files=True, passphrase=PASSPHRASE, say=quiet
        )
        # It runs, so that nobody puts anything else in its place.
        with pytest.raises(ClusterError, match="already running"):
            await restored_into(home, made.path, replace=True)
    assert {name: it.tables for name, it in made.manifest.databases.items()} == wanted
    stopped = await backups.back_up(
        home, outer / "c.backup", keys=True, files=True, passphrase=None, say=quiet
    )
    assert stopped.manifest.databases == made.manifest.databases
    assert (made.manifest.keys, stopped.manifest.keys) == ("sealed", "plain")

    there = Home(outer / "there")
    assert await restored_into(there, made.path) is None
    state = State(there)
    assert (state.cluster_id, state.ports) == (known.cluster_id, {"nats": nodes_port})
    signing = [LocalIssuer(it, state.cluster_id).private_key.read_text() for it in (home, there)]
    assert signing[0] == signing[1]
    async with Cluster(there.root, services=[], port=0, nodes_port=0) as cluster:
        assert cluster.nats.port == nodes_port
        assert cluster.nats.authority.certificate.read_text() == authority
        assert await rows_of(cluster) == wanted

    with pytest.raises(ClusterError, match="holds data"):
        await restored_into(there, made.path)
    (there.root / "nodes" / "own").mkdir(parents=True)
    aside = await restored_into(there, made.path, replace=True)
    assert aside is not None
    assert (aside / "postgres" / "data").exists()
    # What a node keeps is its own, and moves on.
    assert (there.root / "nodes" / "own").is_dir()
    assert not (outer / "there.restoring").exists()


async def test_a_backup_and_a_restore_leave_the_port_for_leaves_to_the_hub(
    restored: Restored, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = restored.home.root.parent
    with socket.create_server(("127.0.0.1", 0)) as hub:
        monkeypatch.setenv("PEYVAND_LEAVES_PORT", str(hub.getsockname()[1]))
        with pytest.raises(ClusterError, match="is taken"):
            await Cluster(restored.home.root, services=[], port=0).start()
        made = await backups.back_up(
            restored.home,
            outer / "leaves.backup",
            keys=True,
            files=True,
            passphrase=PASSPHRASE,
            say=quiet,
        )
        assert await restored_into(Home(outer / "beside-leaves"), made.path) is None


async def test_one_that_fails_leaves_no_folder_behind(restored: Restored) -> None:
    home = Home(restored.home.root.with_name("failed"))
    with Archive.open(restored.backup) as archive:
        entry = archive.manifest.databases["observatory"]
        outbox = entry.tables["outbox"]
        entry.tables["outbox"] = replace(outbox, rows=outbox.rows + 1)
        work = backups.Restore(archive, home, quiet)
        with pytest.raises(ClusterError, match="The table outbox has 1 rows"):
            await work.run(None, replace=False, trial=False)
    assert not home.root.exists()
    assert not home.root.with_name("failed.restoring").exists()


# `peyvand`, killed as it is about to give a folder of the name its new one.
_KILLED_AT_RENAME = """
import os, pathlib, runpy, signal, sys
place, *sys.argv[1:] = sys.argv[1:]
rename = pathlib.Path.rename
def watched(path, target):
    if path.name.endswith(place):
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(path, target)
pathlib.Path.rename = watched
runpy.run_module("peyvandctl", run_name="__main__")
"""


@pytest.mark.parametrize("place", [".restoring", "nodes"])
async def test_what_nodes_keep_moves_on_though_a_restore_was_killed(
    restored: Restored, place: str
) -> None:
    home = Home(restored.home.root.with_name(f"killed-at-{place.strip('.')}-moved"))
    own = home.root / "nodes" / "own" / "kept"
    own.parent.mkdir(parents=True)
    own.write_text("not handed in yet")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _KILLED_AT_RENAME, place),
        *("restore", str(restored.backup), "--home", str(home.root)),
        *("--replace", "--without-keys", "--no-start"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
    )
    assert await process.wait() == -signal.SIGKILL
    assert not own.exists()
    await restored_into(home, restored.backup, keys=False, replace=True)
    assert own.read_text() == "not handed in yet"
    assert (home.postgres / "data").exists()


async def test_a_restore_that_runs_is_not_disturbed_by_another(restored: Restored) -> None:
    target = Home(restored.home.root.with_name("twice"))
    draft = Home(restored.home.root.with_name("twice.restoring"))
    draft.prepare()
    lock = HomeLock(draft)
    lock.acquire()
    with pytest.raises(ClusterError, match="already running"):
        await restored_into(target, restored.backup, keys=False)
    lock.release()
    assert not target.root.exists()


async def test_what_cannot_be_done_is_said_with_a_mend(restored: Restored, tmp_path: Path) -> None:
    home, to = restored.home.root, str(tmp_path / "x.backup")
    nothing = {"PEYVAND_BACKUP_PASSPHRASE": ""}
    told = await peyvand("backup", "--to", to, home=home, **nothing)
    assert (told.status, "--keys plain" in told.output) == (1, True), told.output
    told = await peyvand("backup", "--to", to, home=tmp_path / "none")
    assert (told.status, "There is no network in" in told.output) == (1, True), told.output
    told = await peyvand("restore", str(restored.backup), home=tmp_path / "new")
    assert (told.status, "--without-keys" in told.output) == (1, True), told.output
    told = await peyvand("backup", "--verify", str(tmp_path / "none.backup"), home=home)
    assert (told.status, "There is no backup" in told.output) == (1, True), told.output
    assert list(tmp_path.iterdir()) == []
