"""``make run`` ends with a node that has joined, goes on with it, and leaves nothing behind."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from typing import Any

import httpx
import psutil
import pytest

from peyvandctl import first_node
from peyvandctl.issuer import LocalIssuer
from peyvandctl.paths import Home
from peyvandctl.state import State
from tests.support.cluster import PATIENT, fresh_home
from tests.support.http import PATIENCE_SECONDS

WAIT_SECONDS = 120.0


@contextlib.contextmanager
def running(home: Home) -> Generator[subprocess.Popen[str]]:
    settings = PATIENT | {"PEYVAND_HOME": str(home.root), "PEYVAND_PORT": "0"}
    process = subprocess.Popen(
        [sys.executable, "-m", "peyvandctl", "up"],
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        read: list[str] = []
        assert process.stdout is not None
        for line in process.stdout:
            read.append(line)
            if "Ctrl-C" in line:
                break
        else:
            raise AssertionError("".join(read))
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=WAIT_SECONDS)


def children(home: Home) -> dict[str, psutil.Process]:
    """The processes that the home says are running."""
    records = [json.loads(path.read_text()) for path in home.running.glob("*.json")]
    return {record["name"]: psutil.Process(record["pid"]) for record in records}


def node_of(home: Home) -> dict[str, Any]:
    """The first node as the hub has it, once it is online."""
    state = State(home)
    token = LocalIssuer(home, state.cluster_id).mint("hq_admin")
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(
        base_url=state.gateway_url, headers=headers, timeout=PATIENCE_SECONDS
    ) as http:
        (node,) = http.get("/v1/nodes").json()["nodes"]
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            health = http.get(f"/v1/nodes/{node['id']}/health").json()
            heard = {feed["feed"]: feed["liveness"] for feed in health["feeds"]}
            if heard.get("heartbeat") == "online":
                return http.get(f"/v1/nodes/{node['id']}").json()
            assert time.monotonic() < deadline, health
            time.sleep(0.2)


def left(processes: dict[str, psutil.Process]) -> list[psutil.Process]:
    return psutil.wait_procs(list(processes.values()), timeout=WAIT_SECONDS)[1]


@pytest.mark.timeout(900)
def test_the_node_joins_once_and_every_later_run_goes_on_with_it() -> None:
    with fresh_home() as home:
        identity = first_node.folder_of(home) / "node.json"
        with running(home) as up:
            first = node_of(home)
            assert first["state"] == "active"
            joined = json.loads(identity.read_text())
            killed = children(home)
            agent = killed[first_node.PROCESS]
            # It knows nothing of the network but what the token told it.
            assert not [name for name in agent.environ() if name.startswith("PEYVAND_")]
            assert identity.stat().st_mode & 0o077 == 0
            up.kill()
            up.wait()
        assert all(process.is_running() for process in killed.values())
        with running(home) as up:
            assert left(killed) == []
            again = node_of(home)
            assert (again["id"], again["joined_at"]) == (first["id"], first["joined_at"])
            kept = json.loads(identity.read_text())
            assert kept["credentials"] == joined["credentials"]
            stopped = children(home)
            assert first_node.PROCESS in stopped
            up.send_signal(signal.SIGINT)
            output, _ = up.communicate(timeout=WAIT_SECONDS)
        assert up.returncode == 0, output
        assert left(stopped) == []
        assert list(home.running.iterdir()) == []


@pytest.mark.parametrize(
    ("setting", "wanted"), [("0", False), ("no", False), ("False", False), ("1", True), ("", True)]
)
def test_a_setting_leaves_the_node_out(
    monkeypatch: pytest.MonkeyPatch, setting: str, wanted: bool
) -> None:
    monkeypatch.setenv("PEYVAND_NODE", setting)
    assert first_node.is_wanted() is wanted
