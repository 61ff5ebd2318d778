"""The folder of a node."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from node_agent import running
from node_agent.home import AlreadyRuns, Home, NotJoined, RunningAgent, write_whole
from node_agent.joining import default_home
from tests.unit.node.conftest import an_identity


def test_an_identity_is_read_as_it_was_kept(tmp_path: Path) -> None:
    home = Home(tmp_path / "node")
    with pytest.raises(NotJoined):
        home.identity()
    identity = an_identity()
    home.keep(identity)
    assert home.identity() == identity
    renewed = identity.with_renewed(replace(identity.credentials, jwt="new"))
    home.keep(renewed)
    assert home.identity() == renewed
    assert home.identity().credentials == identity.credentials


def test_nothing_secret_is_shown_when_an_identity_is_printed() -> None:
    identity = an_identity()
    assert identity.credentials.seed not in repr(identity)


def test_a_file_that_cannot_be_written_whole_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_whole(path, "old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_written_belongs_to_whom_the_folder_belongs(tmp_path: Path) -> None:
    home = Home(tmp_path / "node")
    home.keep(an_identity())
    if os.geteuid() == 0:  # as a service of systemd has it, whose user is made for it
        for path in (home.path, home.identity_file):
            os.chown(path, 61234, 61235)
    home.keep(replace(home.identity(), api_port=4711))  # as root does that joins anew
    home.note_running(4711)
    with home.locked():
        owner = home.path.stat()
        for path in home.path.iterdir():
            state = path.stat()
            assert (path.name, state.st_uid) == (path.name, owner.st_uid)
            assert (path.name, state.st_gid) == (path.name, owner.st_gid)
        assert len(list(home.path.iterdir())) == 3


def test_one_agent_holds_a_folder_and_looking_takes_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert not home.is_locked()
    with home.locked():
        assert home.is_locked()
        assert home.is_locked()
        with pytest.raises(AlreadyRuns), home.locked():
            pytest.fail("two hold it")
    assert not home.is_locked()
    with home.locked():
        pass


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from node_agent.home import Home\n"
        "with Home(Path(sys.argv[1])).locked():\n  print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        assert Home(tmp_path).is_locked()
        process.kill()
        process.wait()
    assert not Home(tmp_path).is_locked()


async def test_the_note_of_an_agent_that_was_killed_does_not_stand_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, seen = Home(tmp_path), list[RunningAgent | None]()
    home.keep(replace(an_identity(), api_port=0))
    killed = {"pid": 2**22 + 1, "url": "http://127.0.0.1:1"}
    home.running_file.write_text(json.dumps(killed))

    async def run(*_: object) -> None:
        # It has written no note yet, or cannot, as on a full disk.
        seen.append(home.running())

    monkeypatch.setattr(running, "_run", run)
    await running.serve(home)
    assert seen == [RunningAgent(os.getpid(), f"http://127.0.0.1:{home.identity().api_port}")]


def test_the_folder_is_the_one_that_is_named_or_the_users_own() -> None:
    assert default_home({"PEYVAND_NODE_HOME": "/a"}, is_root=True) == Path("/a")
    assert default_home({}, is_root=True) == Path("/var/lib/peyvand-node")
    assert default_home({"XDG_DATA_HOME": "/d"}, is_root=False) == Path("/d/peyvand-node")
