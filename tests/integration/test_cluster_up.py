"""``peyvand up`` as a process of its own: signals, crashes, and a second one beside it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import psutil
import pytest

from peyvandctl.cluster import Cluster, ClusterEvent
from peyvandctl.issuer import LocalIssuer
from peyvandctl.paths import Home
from peyvandctl.processes import ProcessRecord, orphans, start_mark
from peyvandctl.state import State

if TYPE_CHECKING:
    from collections.abc import Generator

# The command itself would also start the services, which have tests of their own.
UP = """
import sys
from rich.console import Console
from peyvandctl import up
sys.exit(up.run(Console(), services=[]))
"""
WAIT_SECONDS = 120.0


@contextlib.contextmanager
def supervisor(home: Path) -> Generator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", UP],
        env=os.environ | {"PEYVAND_HOME": str(home), "PEYVAND_PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=WAIT_SECONDS)


def read_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    read = ""
    for line in process.stdout:
        read += line
        if text in line:
            return read
    raise AssertionError(f"{text!r} was not printed, but:\n{read}")


def recorded(home: Path) -> dict[str, psutil.Process]:
    records = [json.loads(path.read_text()) for path in (home / "run").glob("*.json")]
    return {record["name"]: psutil.Process(record["pid"]) for record in records}


def gone(processes: dict[str, psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(list(processes.values()), timeout=WAIT_SECONDS)
    return not alive


async def execute(cluster: Cluster, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(cluster.postgres.dsn("centers").replace("+asyncpg", ""))
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything_in_order(tmp_path: Path, number: signal.Signals) -> None:
    with supervisor(tmp_path) as up:
        read_until(up, "Ctrl-C")
        children = recorded(tmp_path)
        assert set(children) == {"postgres", "nats"}
        up.send_signal(number)
        output, _ = up.communicate(timeout=WAIT_SECONDS)
    assert up.returncode == 0, output
    assert gone(children)
    assert "stopped postgres" in output
    assert list((tmp_path / "run").iterdir()) == []
    log = (tmp_path / "logs" / "postgres.log").read_text()
    assert "database system is shut down" in log


def test_ctrl_c_while_it_starts_leaves_no_process(tmp_path: Path) -> None:
    with supervisor(tmp_path) as up:
        deadline = time.monotonic() + WAIT_SECONDS
        while not (children := list((tmp_path / "run").glob("*.json"))):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert children
        started = psutil.Process(up.pid).children(recursive=True)
        up.send_signal(signal.SIGINT)
        output, _ = up.communicate(timeout=WAIT_SECONDS)
    assert up.returncode == 0, output
    _, alive = psutil.wait_procs(started, timeout=60)
    assert alive == []
    assert list((tmp_path / "run").iterdir()) == []


def test_a_second_one_on_the_same_home_says_so_and_leaves_the_first_alone(tmp_path: Path) -> None:
    with supervisor(tmp_path) as first:
        read_until(first, "Ctrl-C")
        children = recorded(tmp_path)
        with supervisor(tmp_path) as second:
            output, _ = second.communicate(timeout=WAIT_SECONDS)
        assert second.returncode == 1
        assert "already running" in output
        assert str(first.pid) in output
        assert all(child.is_running() for child in children.values())


async def test_after_a_kill_of_the_supervisor_the_next_start_cleans_up_and_keeps_the_data(
    tmp_path: Path,
) -> None:
    home = tmp_path / "a home"
    async with Cluster(home, services=[], port=0) as cluster:
        await execute(cluster, "CREATE TABLE kept AS SELECT 7 AS number")
    with supervisor(home) as up:
        await asyncio.to_thread(read_until, up, "Ctrl-C")
        left = recorded(home)
        up.kill()
        up.wait()
    assert all(child.is_running() for child in left.values())
    # One of them also cannot answer: it is stopped like the others.
    left["nats"].suspend()
    events: list[ClusterEvent] = []
    async with Cluster(home, services=[], port=0, on_event=events.append) as cluster:
        assert gone(left)
        assert {event.name for event in events if event.kind == "orphan"} == {"postgres", "nats"}
        assert [tuple(row) for row in await execute(cluster, "TABLE kept")] == [(7,)]


def test_a_process_that_is_not_ours_is_never_taken_for_an_orphan(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    mine = os.getpid()
    argv = psutil.Process(mine).cmdline()

    def write(record: ProcessRecord) -> None:
        (home.running / f"{record.name}.json").write_text(json.dumps(vars(record)))

    write(ProcessRecord("same-id-other-start", mine, "0:1", argv))
    write(ProcessRecord("same-id-other-program", mine, start_mark(mine), ["/bin/other"]))
    write(ProcessRecord("gone", 2**22 + 1, start_mark(mine), argv))
    (home.running / "broken.json").write_text("{")
    assert orphans(home) == []
    assert list(home.running.iterdir()) == []
    write(ProcessRecord("this-one", mine, start_mark(mine), argv))
    assert [record.name for record in orphans(home)] == ["this-one"]


def test_a_token_is_printed_alone_and_needs_the_key_of_a_network(tmp_path: Path) -> None:
    Home(tmp_path).prepare()

    def token(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "peyvandctl", "token", *arguments],
            env=os.environ | {"PEYVAND_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    missing = token("--role", "hq_admin")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "make run" in missing.stderr
    home = Home(tmp_path)
    state = State(home)
    state.save()
    LocalIssuer(home, state.cluster_id).ensure_key()
    minted = token("--role", "hq_admin")
    assert minted.returncode == 0
    assert len(minted.stdout.split()) == 1
    assert minted.stdout.count(".") == 2
    unknown = token("--role", "king")
    assert unknown.returncode == 1
    assert "hq_admin" in unknown.stderr
