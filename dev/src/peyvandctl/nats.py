"""The NATS server of one machine: its configuration and its process."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from peyvandctl.paths import Home, script, write_private
from peyvandctl.processes import ProcessSpec, http_status
from peyvandctl.state import LOOPBACK

if TYPE_CHECKING:
    from pathlib import Path


class Authentication(Protocol):
    """Who may connect: one part of the server's configuration."""

    def lines(self) -> list[str]:
        """Return the lines of the configuration."""
        ...


@dataclass(frozen=True)
class PlatformPassword:
    """One account with one user: the services of this machine, and nobody else."""

    user: str
    password: str

    def lines(self) -> list[str]:
        """Return the account of the platform; the system account gets no user."""
        credentials = f"{{ user: {_quoted(self.user)}, password: {_quoted(self.password)} }}"
        return [
            "accounts {",
            f"  PLATFORM {{ jetstream: enabled, users: [ {credentials} ] }}",
            "  SYS {}",
            "}",
            "system_account: SYS",
        ]


@dataclass(frozen=True)
class NatsServer:
    """Addresses and credentials of the broker.

    Attributes:
        home: where the configuration and the store lie.
        port: for clients, on loopback.
        monitor_port: HTTP, on loopback.
        user: the user of the services.
        password: its password.
        authentication: who may connect; the one user when None.
    """

    home: Home
    port: int
    monitor_port: int
    user: str
    password: str
    authentication: Authentication | None = None

    @property
    def url(self) -> str:
        """Where a service connects, with its credentials."""
        return f"nats://{self.user}:{self.password}@{LOOPBACK}:{self.port}"

    @property
    def store(self) -> Path:
        """Folder of JetStream; it may be deleted while the server is stopped."""
        return self.home.nats / "store"

    def configuration(self) -> str:
        """Return the configuration of the server."""
        authentication = self.authentication or PlatformPassword(self.user, self.password)
        lines = [
            "server_name: peyvand",
            f"listen: {_quoted(f'{LOOPBACK}:{self.port}')}",
            f"http: {_quoted(f'{LOOPBACK}:{self.monitor_port}')}",
            "jetstream {",
            f"  store_dir: {_quoted(str(self.store))}",
            "  max_memory_store: 256MB",
            "  max_file_store: 20GB",
            # The outbox of each service can fill a stream again, so that a second of
            # acknowledged messages may be lost with the machine's power.
            "  sync_interval: 1s",
            "}",
            "max_payload: 1MB",
            *authentication.lines(),
        ]
        return "\n".join(lines) + "\n"

    def spec(self) -> ProcessSpec:
        """Write the configuration and return how to run the server."""
        path = self.home.nats / "server.conf"
        write_private(path, self.configuration())
        return ProcessSpec(
            name="nats",
            argv=(str(script("nats-server")), "--config", str(path)),
            env={"PATH": os.defpath},
            cwd=self.home.nats,
            ready=self._ready,
            ready_timeout=30.0,
        )

    async def _ready(self) -> bool:
        return await http_status(LOOPBACK, self.monitor_port, "/healthz") == HTTPStatus.OK


def _quoted(text: str) -> str:
    # A JSON string is a string of the configuration language too.
    return json.dumps(text, ensure_ascii=False)
