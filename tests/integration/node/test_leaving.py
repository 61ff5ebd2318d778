"""Leaving for good, and what is said of an agent that is not as it should be."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import typer

from node_agent.cli import leave
from node_agent.home import Home
from node_agent.kept import NewReport
from node_agent.local_client import agent_status
from node_agent.store import Store
from peyvand.node.v1 import protocol_pb2 as pb
from tests.integration.node.conftest import command, joined
from tests.support.hub_line import until
from tests.support.small_hub import SmallHub

HOLDER = (
    "import sys; from pathlib import Path; from node_agent.home import Home\n"
    "with Home(Path(sys.argv[1])).locked():\n  print('held', flush=True); sys.stdin.read()"
)


@contextlib.asynccontextmanager
async def background_agent(hub: SmallHub, folder: Path) -> AsyncGenerator[tuple[Home, str]]:
    """An agent as joining starts it; gives its folder and the address of its API."""
    status, out = await command("join", hub.token(), "--home", str(folder), "--json")
    try:
        assert status == 0, out
        yield Home(folder), json.loads(out)["url"]
    finally:
        hub.silent.clear()
        await command("leave", "--force", "--reason", "the test is over", "--home", str(folder))


@contextlib.asynccontextmanager
async def holder(home: Home) -> AsyncGenerator[int]:
    """A process that holds the folder and answers nobody."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLDER, str(home.path)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"held\n"
        yield process.pid
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def hand_in(url: str, key: str) -> int:
    value = {
        "observed_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "items": [{"kind": "gmp_suite", "total": 4, "used": 1}],
    }
    async with httpx.AsyncClient(timeout=60) as client:
        headers = {"Idempotency-Key": key}
        return (
            await client.post(f"{url}/reports/capacity", json=value, headers=headers)
        ).status_code


def process_of(home: Home) -> int:
    running = home.running()
    assert running is not None
    assert running.pid is not None
    return running.pid


async def test_no_report_is_taken_from_when_what_waits_is_counted_until_the_hub_knows(
    hub: SmallHub, tmp_path: Path
) -> None:
    async with background_agent(hub, tmp_path / "node") as (home, url):
        pid = process_of(home)
        hub.silent.add("leave")
        leaving = asyncio.create_task(
            command("leave", "--reason", "moves", "--home", str(home.path))
        )
        await until(lambda: not home.is_held_by(pid))
        with pytest.raises(httpx.ConnectError):
            await hand_in(url, "late")
        status, out = await leaving
        assert (status, "Nothing was changed" in out) == (1, True)
        assert home.has_joined()
        # The hub could not be told: the agent is at work again, at the same address.
        await until(lambda: agent_status(home) is not None)
        assert await hand_in(url, "after") == 202


async def test_with_reports_that_wait_nothing_is_touched(hub: SmallHub, tmp_path: Path) -> None:
    async with background_agent(hub, tmp_path / "node") as (home, url):
        pid = process_of(home)
        hub.silent.add("reports")
        assert await hand_in(url, "waits") == 202
        status, out = await command("leave", "--reason", "moves", "--home", str(home.path))
        assert (status, "1 reports wait" in out) == (1, True)
        assert hub.left == []
        assert home.is_held_by(pid)


async def test_a_report_that_was_answered_while_the_agent_ended_is_counted(
    hub: SmallHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, _ = await joined(tmp_path / "node", hub.token())

    def ends_and_takes_one_more(folder: Home, _seconds: float) -> bool:
        store = Store(folder.store_file)
        store.put([NewReport("rpt_last", pb.Report(key="rpt_last"), "last", b"digest")])
        store.close()
        return True

    monkeypatch.setattr("node_agent.background.stop", ends_and_takes_one_more)
    monkeypatch.setattr("node_agent.cli.configure_quiet_logs", lambda: None)
    with pytest.raises(typer.Exit) as ended:
        await asyncio.to_thread(leave, "moves", home.path)
    assert ended.value.exit_code == 1
    assert hub.left == []
    assert home.has_joined()


async def test_an_agent_that_cannot_be_ended_keeps_the_node_in_the_network(
    hub: SmallHub, tmp_path: Path
) -> None:
    home, _ = await joined(tmp_path / "node", hub.token())
    async with holder(home):
        (home.path / "lock").write_text("")  # as on a disk that was full
        status, out = await command("leave", "--reason", "moves", "--home", str(home.path))
    assert (status, "cannot be ended" in out) == (1, True)
    assert hub.left == []
    assert home.has_joined()


async def test_an_agent_without_its_note_is_found_and_ended(hub: SmallHub, tmp_path: Path) -> None:
    async with background_agent(hub, tmp_path / "node") as (home, url):
        home.running_file.unlink()
        status, out = await command("status", "--json", "--home", str(home.path))
        assert status == 0, out
        assert json.loads(out)["url"] == url
        assert url in (await command("status", "--home", str(home.path)))[1]
        status, out = await command("leave", "--reason", "moves", "--home", str(home.path))
        assert status == 0, out
        assert hub.left == ["moves"]
        assert not home.is_locked()


async def test_an_agent_that_runs_and_does_not_answer_is_not_said_to_be_away(
    hub: SmallHub, tmp_path: Path
) -> None:
    home, _ = await joined(tmp_path / "node", hub.token())
    async with holder(home) as pid:
        says = f"runs (pid {pid}) but does not answer"
        for name in ("status", "doctor"):
            status, out = await command(name, "--home", str(home.path))
            assert (status, says in out) == (1, True), out
    for name in ("status", "doctor"):
        status, out = await command(name, "--home", str(home.path))
        assert (status, "agent does not run" in out) == (1, True), out
    assert f"peyvand-node run --home {home.path}" in out


async def test_joining_again_keeps_the_port_that_the_centers_systems_know(
    hub: SmallHub, tmp_path: Path
) -> None:
    home, _ = await joined(tmp_path / "node", hub.token())
    home.keep(replace(home.identity(), api_port=4711))
    await joined(home.path, hub.token(), again=True)
    assert home.identity().api_port == 4711


@pytest.mark.parametrize("text", ['{"node_id": "nod_', "[]", "{}", '{"next_credentials": 1}'])
async def test_a_damaged_identity_is_said_in_one_sentence(tmp_path: Path, text: str) -> None:
    home = Home(tmp_path)
    home.identity_file.write_text(text)
    for arguments in (["status"], ["leave", "--reason", "moves"], ["doctor"]):
        status, out = await command(*arguments, "--home", str(tmp_path))
        assert (status, "node.json cannot be read" in out, "--again" in out) == (1, True, True)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "node_agent", "run", "--home", str(tmp_path)),
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == 1
    assert b"node.json cannot be read" in errors
    assert b"Traceback" not in errors
