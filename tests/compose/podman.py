"""Debian's podman and podman-compose, driven as a person would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "peyvand-try"
_COMPOSE = "podman-compose==1.6.0"
_LIMITS = "nofile=1024:1024"
# A machine in a container may have neither systemd nor cgroups of version 2.
_CONFIGURATION = f"""\
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["{_LIMITS}", "nproc=1024:1024"]
"""


class CommandError(Exception):
    """A command has failed; the message is its output."""


@dataclass
class Podman:
    """The engine, with a configuration of its own in `folder`."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict[str, str])

    def prepare(self) -> None:
        """Write the configuration, and install podman-compose beside it."""
        (self.folder / "containers.conf").write_text(_CONFIGURATION, encoding="utf-8")
        if not self._compose_program.exists():
            venv.create(self.folder / "venv", with_pip=True)
            run(self.folder / "venv" / "bin" / "pip", "install", "--quiet", _COMPOSE)

    def run(self, *arguments: str | Path, timeout: float = 600) -> str:
        """Run podman; returns what it prints. Raises `CommandError`."""
        return run("podman", *arguments, env=self._environment, timeout=timeout)

    def compose(self, *arguments: str, timeout: float = 900) -> str:
        """Run podman-compose on the file of the repository. Raises `CommandError`."""
        command = (self._compose_program, "--project-name", PROJECT, *arguments)
        return run(*command, env=self._environment, timeout=timeout)

    def build(
        self,
        file: Path,
        tag: str,
        *,
        context: Path = ROOT,
        target: str = "",
        volumes: Mapping[Path, str] | None = None,
        fresh: bool = False,
    ) -> None:
        """Build an image without any network; `volumes` are there while it is built."""
        mounts = [f"--volume={path}:{place}:ro" for path, place in (volumes or {}).items()]
        options = [f"--target={target}"] if target else []
        options += ["--no-cache"] if fresh else []
        self.run(
            "build",
            "--quiet",
            # The other format knows no health checks.
            "--format=docker",
            "--network=none",
            f"--ulimit={_LIMITS}",
            "--timestamp=1767225600",
            *options,
            *mounts,
            f"--file={file}",
            f"--tag={tag}",
            context,
            timeout=1800,
        )

    def inspect(self, name: str, kind: str = "container") -> Any:
        """Return what podman knows of a thing."""
        return json.loads(self.run("inspect", f"--type={kind}", name))[0]

    def has(self, image: str) -> bool:
        """Whether there is an image of this name."""
        try:
            self.run("image", "exists", image)
        except CommandError:
            return False
        return True

    def container(self, service: str) -> str:
        """Name of the container of a service of the compose file."""
        return f"{PROJECT}_{service}_1"

    def logs(self, name: str) -> str:
        """The last lines of a container's log."""
        both = 'podman logs --tail=8 "$1" 2>&1 || true'
        return run("/bin/sh", "-c", both, "sh", name, env=self._environment)

    def pid(self, service: str) -> int:
        """Process id of a container's first process on this machine; 0 when it does not run."""
        return int(self.inspect(self.container(service))["State"]["Pid"])

    def address(self, service: str, network: str) -> str:
        """Address of a container in one of its networks."""
        networks = self.inspect(self.container(service))["NetworkSettings"]["Networks"]
        return str(networks[f"{PROJECT}_{network}"]["IPAddress"])

    def volume(self, name: str) -> Path:
        """Where a volume lies on this machine."""
        return Path(self.inspect(f"{PROJECT}_{name}", "volume")["Mountpoint"])

    def left(self) -> list[str]:
        """Containers, volumes and networks of the project that are there."""
        listed = (
            ("ps", "--all", "--format={{.Names}}"),
            ("volume", "ls", "--format={{.Name}}"),
            ("network", "ls", "--format={{.Name}}"),
        )
        names = [name for command in listed for name in self.run(*command).split()]
        return [name for name in names if name.startswith(f"{PROJECT}_")]

    @property
    def _compose_program(self) -> Path:
        return self.folder / "venv" / "bin" / "podman-compose"

    @property
    def _environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if "PEYVAND" not in name}
        configuration = {"CONTAINERS_CONF": str(self.folder / "containers.conf")}
        return own | configuration | self.settings


def run(
    *command: str | Path,
    env: Mapping[str, str] | None = None,
    timeout: float = 600,
    standard_input: str | None = None,
) -> str:
    """Run a command to its end, with least priority; returns what it prints.

    Raises:
        CommandError: it failed, or did not end in time.
    """
    try:
        done = subprocess.run(
            ("/usr/bin/nice", "-n", "15", *command),
            env=env,
            input=standard_input,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            cwd=ROOT,
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{_shown(command)} did not end within {timeout:.0f} s") from error
    if done.returncode:
        told = "\n".join((done.stdout + done.stderr).splitlines()[-30:])
        raise CommandError(f"{_shown(command)} ended with {done.returncode}:\n{told}")
    return done.stdout


def say(text: str) -> None:
    """Show a line of progress."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _shown(command: Sequence[str | Path]) -> str:
    return " ".join(map(str, command))[:200]
