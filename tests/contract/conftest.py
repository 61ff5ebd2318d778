"""The linters of published documents, as Node programs."""

from pathlib import Path

import pytest

from tests.support.node import run_npm

WEB = Path(__file__).parent / "web"


@pytest.fixture(scope="session")
def web_tools() -> Path:
    """Install the linters as the lock file says, with the Node of the environment."""
    marker = WEB / "node_modules" / ".package-lock.json"
    lock = WEB / "package-lock.json"
    if not marker.exists() or marker.stat().st_mtime < lock.stat().st_mtime:
        run_npm("ci", cwd=WEB)
    return WEB
