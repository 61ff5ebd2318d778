"""The agent as a service: a stand-in for systemctl, which starts and ends what units say."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from node_agent import service
from node_agent.cli import app
from node_agent.home import Home
from node_agent.local_client import agent_status
from tests.integration.node.conftest import joined
from tests.support.hub_line import until
from tests.support.small_hub import SmallHub

ROOT = Path(__file__).parents[3]
SYSTEMCTL = """#!/bin/sh
# Notes what it is asked; starts and ends what the unit names.
echo "$@" >> "{folder}/asked"
end() {{
    [ -f "{folder}/pid" ] || return 0
    kill "$(cat "{folder}/pid")"
    while kill -0 "$(cat "{folder}/pid")" 2>/dev/null; do sleep 0.1; done
    rm "{folder}/pid"
}}
case "$1" in
restart)
    end
    command=$(sed -n 's/^ExecStart=//p' "{folder}/units/$2")
    (
        exec >> "{folder}/log" 2>&1 < /dev/null
        eval "exec setsid $command"
    ) &
    echo $! > "{folder}/pid"
    ;;
disable) end ;;
enable) [ ! -f "{folder}/broken" ] || {{ echo "it is masked" >&2; exit 1; }} ;;
esac
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """A machine that systemd runs, as root sees it; all that it has lies in one folder."""
    for name in ("bin", "runs", "units", "state"):
        (tmp_path / name).mkdir()
    program = tmp_path / "bin" / "systemctl"
    program.write_text(SYSTEMCTL.format(folder=tmp_path))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr(service, "_RUNS", tmp_path / "runs")
    monkeypatch.setattr(service, "_UNITS", tmp_path / "units")
    monkeypatch.setattr(service, "_STATE", tmp_path / "state")
    monkeypatch.setattr(service, "_HIDDEN", ())
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    yield tmp_path
    subprocess.run([program, "disable"], check=True)


async def command(*arguments: str) -> tuple[int, str]:
    done = await asyncio.to_thread(CliRunner().invoke, app, list(arguments))
    return done.exit_code, done.output


def asked(machine: Path) -> list[str]:
    return (machine / "asked").read_text().splitlines()


async def test_who_joins_where_systemd_runs_has_a_service_that_outlives_the_machine(
    hub: SmallHub, machine: Path
) -> None:
    home = Home(machine / "state" / "node")
    status, out = await command("join", hub.token(), "--home", str(home.path))
    assert (status, "systemd starts it with the machine" in out) == (0, True), out
    assert asked(machine) == [
        "daemon-reload",
        "enable peyvand-node.service",
        "restart peyvand-node.service",
    ]
    unit = (machine / "units" / service.NAME).read_text()
    run = f"{service.quoted(service.program())} run --home {service.quoted(home.path)}"
    assert f"ExecStart={run}\n" in unit
    assert "StateDirectory=node\n" in unit
    first = home.running()
    assert first is not None
    # Started anew, as after an update, it is another process of the same service.
    status, out = await command("restart", "--home", str(home.path))
    assert status == 0, out
    second = home.running()
    assert second is not None
    assert second.pid != first.pid
    status, out = await command("leave", "--reason", "moves", "--home", str(home.path))
    assert status == 0, out
    assert asked(machine)[-2:] == ["disable --now peyvand-node.service", "daemon-reload"]
    assert not service.is_installed(home)
    assert hub.left == ["moves"]


async def test_an_agent_in_the_background_becomes_a_service(hub: SmallHub, machine: Path) -> None:
    home, _ = await joined(machine / "state" / "node", hub.token())
    (machine / "runs").rmdir()
    status, out = await command("restart", "--home", str(home.path))
    assert (status, "not again with the machine" in out) == (0, True), out
    before = home.running()
    assert before is not None
    assert not (machine / "asked").exists()
    status, out = await command("install-service", "--home", str(home.path))
    assert (status, "systemd does not run" in out) == (1, True), out
    assert home.running() == before
    (machine / "runs").mkdir()
    status, out = await command("install-service", "--home", str(home.path))
    assert status == 0, out
    await until(lambda: agent_status(home) is not None)
    running = home.running()
    assert running is not None
    assert running.pid == int((machine / "pid").read_text())


async def test_what_systemd_says_against_it_is_told(hub: SmallHub, machine: Path) -> None:
    home, _ = await joined(machine / "state" / "node", hub.token())
    (machine / "broken").touch()
    status, out = await command("install-service", "--home", str(home.path))
    assert (status, "it is masked" in out) == (1, True), out


def test_what_cannot_be_a_service_is_told_with_a_way_to_mend_it(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(machine / "state" / "node")
    assert service.obstacle(home) == ("", "")
    says, mend = service.obstacle(Home(machine / "elsewhere"))
    assert (str(machine / "elsewhere") in says, "--home" in mend) == (True, True)
    monkeypatch.setattr(service, "_HIDDEN", (service.program().parents[1],))
    assert "services do not see" in service.obstacle(home)[0]
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "Only root" in service.obstacle(home)[0]


def test_the_unit_that_is_shipped_is_the_one_that_is_written(tmp_path: Path) -> None:
    shipped = ROOT / "deploy" / "node" / service.NAME
    usual = service.unit(
        Path("/opt/peyvand-node/software/bin/peyvand-node"), Path("/var/lib/peyvand-node")
    )
    assert shipped.read_text() == usual
    if analyze := shutil.which("systemd-analyze"):
        here = tmp_path / service.NAME
        here.write_text(service.unit(Path("/bin/true"), Path("/var/lib/peyvand-node")))
        done = subprocess.run(
            [analyze, "verify", here], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
