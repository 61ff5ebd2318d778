"""The network of docker-compose.yml, running in containers of podman."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx

from hubkit.broker import read_keys
from hubkit.topology import SERVICES
from servicekit.broker_access import BrokerAccess
from tests.compose.podman import ROOT, CommandError, Podman, run, say
from tests.support.compose_file import ranks, services

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

HUB = ("postgres", "broker", *(service.name for service in SERVICES))
LASTING = (*HUB, "node")
AGENT_PORT = 8765
_PATIENCE_SECONDS = 240.0
_PAUSE_SECONDS = 0.5
_ANSWER_SECONDS = 60.0

# Run in the node's container: what can be reached from there.
_REACH = """
import socket, sys
for target in sys.argv[1:]:
    host, port = target.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
        print(target, "open")
    except OSError as error:
        print(target, "closed")
"""


@dataclass
class Network:
    """The containers, and how this machine reaches them."""

    podman: Podman
    gateway_port: int
    nodes_port: int

    @property
    def url(self) -> str:
        """Where the gateway answers on this machine."""
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def setup(self) -> Path:
        """The folder of the setup, which only root of this machine can read."""
        return self.podman.volume("setup")

    def token(self) -> str:
        """A token of the installation's own issuer, as docs/deploy.md asks for one."""
        job = ("run", "--rm", "--no-deps", "-T", "databases")
        return self.podman.compose(*job, "hubkit", "token", "hq_admin").split()[-1]

    def broker(self) -> BrokerAccess:
        """How the oracle connects to the broker, through the port that nodes use."""
        credentials = read_keys(self.setup / "broker-keys").service_credentials("oracle")
        url = f"tls://127.0.0.1:{self.nodes_port}"
        return BrokerAccess(url, credentials, self.setup / "tls" / "ca.pem")

    def postgres(self) -> dict[str, Any]:
        """How the oracle connects to the databases, at the container's own address."""
        passwords = json.loads((self.setup / "passwords.json").read_text(encoding="utf-8"))
        return {
            "host": self.podman.address("postgres", "hub"),
            "user": "postgres",
            "password": passwords["postgres"],
            "timeout": 10,
        }

    def bring_up(self) -> list[str]:
        """Start everything and wait until the node is online; returns the codes of centers."""
        began = time.monotonic()
        for rank in self._ranks():
            self._start(rank)
        self.until("the node is online", self._online)
        codes = self.codes()
        say(
            f"up: {len(LASTING)} containers, {len(codes)} centers, the node online "
            f"({time.monotonic() - began:.0f} s)"
        )
        page = httpx.get(f"{self.url}/", trust_env=False, timeout=_ANSWER_SECONDS)
        assert page.status_code == HTTPStatus.OK, page
        assert "<html" in page.text, page.text
        say(f"page: {page.status_code}, {len(page.content)} bytes")
        return codes

    def codes(self) -> list[str]:
        """The codes of the centers in the picture of the network."""
        status = self._status()
        return sorted(center["code"] for center in status["centers"])

    def bring_up_databases(self) -> None:
        """Start no more than the databases and what makes their passwords."""
        for rank in self._ranks():
            if wanted := [name for name in rank if name in ("secrets", "postgres", "databases")]:
                self._start(wanted)
        self._wait_for({"databases": {"condition": "service_completed_successfully"}})

    def run_job(self, service: str, *command: str, settings: Sequence[str] = ()) -> str:
        """Run a job of the compose file with another command; returns what it says.

        Args:
            service: the job.
            command: in place of its own, if any.
            settings: what is added to its environment, as ``NAME=value``.
        """
        options = ["--rm", "--no-deps", "-T"]
        options += [part for setting in settings for part in ("-e", setting)]
        return self.podman.compose("--profile", "backup", "run", *options, service, *command)

    def peyvand(self, *command: str, token: str) -> str:
        """Run the `peyvand` command in its container, as docs/backup.md does."""
        options = ("--rm", "--no-deps", "-T", "--entrypoint", "peyvand")
        settings = ("-e", f"PEYVAND_TOKEN={token}", "-e", "PEYVAND_URL=http://gateway:8080")
        return self.podman.compose("run", *options, *settings, "first-data", *command)

    def look_over(self) -> None:
        """See that the containers are healthy, confined, and reach no more than they should."""
        self.until("all are healthy", lambda: not self._ill())
        confined = 0
        for service in LASTING:
            known = self.podman.inspect(self.podman.container(service))
            user = self.podman.run(
                "exec", self.podman.container(service), "sh", "-c",
                "id -u; grep CapEff /proc/1/status; touch /etc/x 2>&1 || true",
            )  # fmt: skip
            uid, capabilities, touched = user.splitlines()
            assert uid != "0", f"{service} runs as root"
            assert int(capabilities.split()[1], 16) == 0, f"{service}: {capabilities}"
            assert "Read-only" in touched, f"{service}: {touched}"
            assert known["HostConfig"]["ReadonlyRootfs"], service
            confined += 1
        say(f"healthy and confined (user, no capabilities, read-only): {confined} of {confined}")
        self._look_at_reach()

    def look_at_metrics(self) -> None:
        """Start Prometheus and see that it scrapes every service."""
        configuration = ROOT / "deploy" / "observability" / "prometheus.yml"
        run("promtool", "check", "config", configuration)
        self.podman.compose(
            "--profile", "observability", "up", "--detach", "--no-build", "--no-deps", "prometheus"
        )
        url = f"http://{self.podman.address('prometheus', 'edge')}:9090/api/v1/targets"

        def scraped() -> dict[str, str]:
            try:
                targets = httpx.get(url, trust_env=False).json()["data"]["activeTargets"]
            except httpx.TransportError:
                # Its container runs before it listens.
                return {}
            found = {
                target["labels"]["service"]: target["health"]
                for target in targets
                if target["labels"]["job"] == "peyvand"
            }
            wanted = {service.name for service in SERVICES}
            return found if wanted == found.keys() and {*found.values()} == {"up"} else {}

        found = self.until("Prometheus scrapes all", scraped)
        say(f"Prometheus scrapes {', '.join(sorted(found))}")

    def kill(self, service: str) -> None:
        """SIGKILL the first process of a container, as the kernel would."""
        os.kill(self.podman.pid(service), 9)

    def is_back(self, service: str) -> bool:
        """Whether a service says that it is healthy."""
        try:
            self.podman.run("healthcheck", "run", self.podman.container(service))
        except CommandError:
            return False
        return True

    def in_network_of_node(self, *command: str | Path) -> tuple[str | Path, ...]:
        """Make a command one that runs where the node's local API listens."""
        return ("nsenter", f"--net=/proc/{self.podman.pid('node')}/ns/net", *command)

    def take_down(self) -> None:
        """Stop and remove everything, data included."""
        if self.podman.left():
            self.podman.compose("--profile", "observability", "down", "--volumes", "--timeout=20")
        # podman-compose lets a volume be that it could not remove, and says nothing.
        for name in self.podman.left():
            self.podman.run("volume", "rm", "--force", name)
        assert not self.podman.left(), self.podman.left()

    def until(self, what: str, look: Callable[[], Any]) -> Any:
        """Look until there is something; returns it. Raises `AssertionError` with `what`."""
        began = time.monotonic()
        while not (found := look()):
            if time.monotonic() - began > _PATIENCE_SECONDS:
                raise AssertionError(f"not within {_PATIENCE_SECONDS:.0f} s: {what}")
            time.sleep(_PAUSE_SECONDS)
        return found

    def logs(self) -> str:
        """The last lines of every container."""
        told: list[str] = []
        for name in self.podman.left():
            if not name.endswith("_1"):
                continue
            told.append(f"--- {name}\n{self.podman.logs(name)}")
        return "\n".join(told)

    def _ranks(self) -> list[list[str]]:
        return ranks({name: it for name, it in services().items() if "profiles" not in it})

    def _start(self, rank: Sequence[str]) -> None:
        known = services()
        for name in rank:
            self._wait_for(known[name].get("depends_on", {}))
        # Podman before 4.6 cannot wait for health, and starts what has ended again.
        self.podman.compose("up", "--detach", "--no-build", "--no-deps", *rank)

    def _wait_for(self, conditions: dict[str, dict[str, str]]) -> None:
        for name, waits in conditions.items():
            match waits["condition"]:
                case "service_completed_successfully":
                    self.until(f"{name} has ended", lambda name=name: self._has_ended(name))
                case "service_healthy":
                    self.until(f"{name} is healthy", lambda name=name: self.is_back(name))
                case other:
                    raise AssertionError(f"{name}: no such condition is known: {other}")

    def _has_ended(self, job: str) -> bool:
        state = self.podman.inspect(self.podman.container(job))["State"]
        return state["Status"] == "exited" and state["ExitCode"] == 0

    def _status(self) -> Any:
        url = f"{self.url}/v1/network/status"
        return httpx.get(url, trust_env=False, timeout=_ANSWER_SECONDS).raise_for_status().json()

    def _online(self) -> bool:
        try:
            status = self._status()
        except (httpx.HTTPError, ValueError):
            return False
        return any(center.get("liveness") == "online" for center in status["centers"])

    def _ill(self) -> list[str]:
        return [service for service in LASTING if not self.is_back(service)]

    def _look_at_reach(self) -> None:
        podman = self.podman
        targets = [f"broker:{self.nodes_port}", "broker:8222"]
        targets += ["postgres:5432", "gateway:8080", "centers:50051"]
        targets += [f"{podman.address('postgres', 'hub')}:5432"]
        targets += [f"{podman.address('gateway', 'edge')}:8080"]
        reached = podman.run("exec", podman.container("node"), "python", "-c", _REACH, *targets)
        open_ones = [line for line in reached.splitlines() if line.endswith(" open")]
        assert open_ones == [f"broker:{self.nodes_port} open"], reached
        say(f"from the node's network: {open_ones[0]}; {len(targets) - 1} others closed")
