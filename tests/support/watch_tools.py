"""Prometheus' and Alertmanager's own tools, which check rules, configurations and routes.

``PEYVAND_PROMTOOL`` names one (``PEYVAND_AMTOOL`` another, and so on); else it is looked for on
the path; else it is unpacked from Debian's package into `.cache/`, which needs no rights. No
package of PyPI or npm carries them, and nothing else evaluates rules as Prometheus does, so
where there is no Debian either they have to be installed: the tests that need them fail and
say so, they are not left out.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

_CACHE = Path(__file__).resolve().parents[2] / ".cache"
_PACKAGES = {
    "promtool": "prometheus",
    "amtool": "prometheus-alertmanager",
    "prometheus-alertmanager": "prometheus-alertmanager",
}
_PATIENCE_SECONDS = 300


def promtool() -> Path:
    """Prometheus' tool."""
    return tool("promtool")


def alertmanager() -> tuple[str, ...]:
    """The command that starts an Alertmanager; options follow it.

    Debian's looks for its templates in one place alone, so that one which was only unpacked
    gets a view of the disk in which they are there.
    """
    program = tool("prometheus-alertmanager")
    share = _share(program)
    if not share.exists():
        return (str(program),)
    own_users = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    script = 'mount --bind "$0" /usr/share && exec "$@"'
    return ("unshare", "--mount", *own_users, "sh", "-c", script, str(share), str(program))


def _share(program: Path) -> Path:
    return program.with_name(f"{program.name}.share")


@cache
def tool(name: str) -> Path:
    """Find one, or unpack it."""
    variable = f"PEYVAND_{name.upper().replace('-', '_')}"
    named = os.environ.get(variable) or shutil.which(name)
    return Path(named) if named else _unpacked(name, variable)


def _unpacked(name: str, variable: str) -> Path:
    _CACHE.mkdir(exist_ok=True)
    home = _CACHE / name
    with (_CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.exists():
            _unpack(name, variable, home)
    return home


def _unpack(name: str, variable: str, home: Path) -> None:
    apt, package = shutil.which("apt-get"), _PACKAGES[name]
    if apt is None:
        raise AssertionError(
            f"{name} is missing and this is no Debian: install {package}, or set {variable} to"
            " where it is"
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
        _run(folder, apt, *options, "download", "-q", package)
        (found,) = Path(folder).glob(f"{package}_*.deb")
        _run(folder, "dpkg-deb", "-x", str(found), "unpacked")
        usr = Path(folder) / "unpacked" / "usr"
        if (usr / "share").exists() and not _share(home).exists():
            shutil.move(usr / "share", _share(home))
        shutil.move(usr / "bin" / name, home)


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
