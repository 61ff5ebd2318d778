"""Prometheus' own tool, which checks rules and runs their tests.

``PEYVAND_PROMTOOL`` names one; else it is looked for on the path; else it is unpacked from
Debian's package into `.cache/`, which needs no rights. No package of PyPI or npm carries it,
and nothing else evaluates rules as Prometheus does, so where there is no Debian either it
has to be installed: the tests that need it fail and say so, they are not left out.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

_CACHE = Path(__file__).resolve().parents[2] / ".cache"
_PACKAGE = "prometheus"
_PATIENCE_SECONDS = 300


@cache
def promtool() -> Path:
    """Find it, or unpack it."""
    named = os.environ.get("PEYVAND_PROMTOOL") or shutil.which("promtool")
    return Path(named) if named else _unpacked()


def _unpacked() -> Path:
    _CACHE.mkdir(exist_ok=True)
    home = _CACHE / "promtool"
    with (_CACHE / "promtool.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.exists():
            _unpack(home)
    return home


def _unpack(home: Path) -> None:
    apt = shutil.which("apt-get")
    if apt is None:
        raise AssertionError(
            "promtool is missing and this is no Debian: install Prometheus, or set"
            " PEYVAND_PROMTOOL to where its promtool is"
        )
    with tempfile.TemporaryDirectory(dir=_CACHE) as folder:
        # Lists and cache of its own: those of the system belong to root, and may be empty.
        for part in ("lists/partial", "archives/partial"):
            (Path(folder) / part).mkdir(parents=True)
        options = (
            *("-o", f"Dir::State::lists={folder}/lists"),
            *("-o", f"Dir::Cache={folder}"),
            *("-o", "APT::Sandbox::User="),
        )
        _run(folder, apt, *options, "update", "-q")
        _run(folder, apt, *options, "download", "-q", _PACKAGE)
        (package,) = Path(folder).glob(f"{_PACKAGE}_*.deb")
        _run(folder, "dpkg-deb", "-x", str(package), "unpacked")
        shutil.move(Path(folder) / "unpacked" / "usr" / "bin" / "promtool", home)


def _run(folder: str, *command: str) -> None:
    run = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE_SECONDS,
    )
    assert run.returncode == 0, run.stdout + run.stderr
