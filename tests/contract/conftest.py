"""The linters of published documents, as Node programs."""

import fcntl
from pathlib import Path

import pytest

from tests.support.node import run_npm

WEB = Path(__file__).parent / "web"


@pytest.fixture(scope="session")
def web_tools() -> Path:
    """Install the linters as the lock file says, with the Node of the environment."""
    marker = WEB / "node_modules" / ".package-lock.json"
    wanted = WEB / "package-lock.json"
    # Whoever installs begins by taking away what is there, and files that need it run side by side.
    with wanted.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not marker.exists() or marker.stat().st_mtime < wanted.stat().st_mtime:
            run_npm("ci", cwd=WEB)
    return WEB
