"""Homes of tests: what a killed run has left goes, and what another run uses stays."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from peyvandctl.paths import Home
from peyvandctl.processes import ManagedProcess, ProcessSpec
from peyvandctl.state import HomeLock
from tests.support import cluster
from tests.support.cluster import fresh_home, remove_abandoned_homes


@pytest.fixture(autouse=True)
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cluster, "HOMES", tmp_path)
    return tmp_path


def old(folder: Path) -> None:
    long_ago = time.time() - 3600
    os.utime(folder, (long_ago, long_ago))
    lock = folder / "lock"
    if lock.exists():
        os.utime(lock, (long_ago, long_ago))


async def test_a_home_between_two_clusters_of_its_test_is_left_alone() -> None:
    with fresh_home() as home:
        home.prepare()
        lock = HomeLock(home)
        lock.acquire()
        lock.release()
        old(home.root)
        await remove_abandoned_homes()
        assert home.running.exists()


async def test_an_abandoned_home_goes_with_what_runs_there(homes: Path) -> None:
    left: list[ManagedProcess] = []
    for home in (Home(homes / "left"), Home(homes / "of-several" / "one")):
        home.prepare()
        lock = HomeLock(home)
        lock.acquire()
        lock.release()

        async def ready() -> bool:
            return True

        spec = ProcessSpec("sleeper", ("/bin/sleep", "3600"), {}, home.root, ready)
        process = ManagedProcess(home, spec)
        await process.start()
        left.append(process)
        old(home.root)
        old(home.root.parent)
    await remove_abandoned_homes()
    for process in left:
        assert await asyncio.wait_for(process._ended(), 60) < 0
    assert list(homes.iterdir()) == []


async def test_a_home_that_goes_meanwhile_is_none(
    homes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, file = homes / "gone", homes / "no-folder"
    file.touch()
    monkeypatch.setattr(Path, "glob", lambda _, __: iter([gone, gone / "lock", file]))
    await remove_abandoned_homes()
