"""Starts an agent that goes on when the terminal is closed, and ends one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from node_agent.home import Home
from node_agent.local_client import agent_status

_LOOK_SECONDS = 0.2


class NotStarted(Exception):
    """The agent ended at once; the message is the last that it wrote."""


def start(home: Home) -> int:
    """Start an agent in the background; returns its process id."""
    with home.log_file.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "node_agent", "run", "--home", str(home.path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )
    return process.pid


def wait_online(home: Home, pid: int | None, seconds: float) -> dict[str, Any] | None:
    """Wait until the hub has greeted the agent; `None` when it has not in time.

    Without a process id it is one of systemd's. Raises `NotStarted` when the process has ended.
    """
    return _wait_for(home, pid, seconds, lambda status: status["line"]["state"] == "online")


def wait_answering(home: Home, pid: int | None, seconds: float) -> dict[str, Any] | None:
    """Wait until the agent answers, whether the hub is there or not; as `wait_online`."""
    return _wait_for(home, pid, seconds, lambda _: True)


def _wait_for(
    home: Home, pid: int | None, seconds: float, suits: Callable[[dict[str, Any]], bool]
) -> dict[str, Any] | None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status = agent_status(home)
        if status is not None and suits(status):
            return status
        if pid is not None and _has_ended(pid):
            lines = home.log_file.read_text("utf-8", "replace").splitlines()
            raise NotStarted(lines[-1] if lines else "It wrote nothing.")
        time.sleep(_LOOK_SECONDS)
    return None


def _has_ended(pid: int) -> bool:
    try:
        found, _ = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return False
    return found == pid


def stop(home: Home, seconds: float) -> bool:
    """End the agent that runs in the folder; tells whether none runs any more."""
    running = home.running()
    if running is None:
        return True
    # The first process of a container ends together with whoever asks from within it.
    if running.pid is None or running.pid == 1 or not home.is_held_by(running.pid):
        return False
    try:
        os.kill(running.pid, signal.SIGTERM)
    except PermissionError:
        return False
    except ProcessLookupError:
        pass
    deadline = time.monotonic() + seconds
    while home.is_locked() and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    return not home.is_locked()


def is_kept_running(pid: int) -> bool:
    """Whether systemd runs the process as the service of the node, and starts it again."""
    try:
        return Path(f"/proc/{pid}/cgroup").read_text().strip().endswith("peyvand-node.service")
    except OSError:
        return False
