"""The NATS server of one machine: its keys, its configuration and its process.

Services and nodes reach it through one port, with TLS from the first byte. Who they are
is said by JWTs that an operator of this home has signed; `nodekit.accounts` says what
each may do.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from hubkit.authority import Authority
from hubkit.broker import Configuration, make_keys, read_keys
from hubkit.errors import HubError
from hubkit.private_files import write_private
from nodekit.accounts import HubKeys
from peyvandctl.errors import ClusterError
from peyvandctl.paths import Home, script
from peyvandctl.processes import ProcessSpec, http_status
from peyvandctl.state import LOOPBACK
from servicekit.broker_access import BrokerAccess

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import datetime
    from pathlib import Path

_HERE = (LOOPBACK, "localhost", "::1")


@dataclass(frozen=True)
class NatsServer:
    """Addresses, keys and credentials of the broker.

    Attributes:
        home: where the configuration, the keys and the store lie.
        port: for services and nodes.
        monitor_port: HTTP, on loopback.
        nodes_host: name or address under which nodes on other machines reach this one.
            The port is open on loopback alone when it is empty.
        leaves_port: for brokers of provinces, at the same host; 0 for none.
    """

    home: Home
    port: int
    monitor_port: int
    nodes_host: str = ""
    leaves_port: int = 0

    @property
    def url(self) -> str:
        """Where a service connects."""
        return f"tls://{LOOPBACK}:{self.port}"

    @property
    def hub(self) -> str:
        """Where a node connects, ``host:port``."""
        host = self.nodes_host or LOOPBACK
        return f"[{host}]:{self.port}" if self._ipv6 else f"{host}:{self.port}"

    @property
    def leaves(self) -> str:
        """Where a broker of a province connects, ``host:port``; empty where none can."""
        return f"{self.hub.rpartition(':')[0]}:{self.leaves_port}" if self.leaves_port else ""

    @property
    def store(self) -> Path:
        """What the broker has been told and keeps; it may be deleted while it is stopped."""
        return self.home.nats / "store"

    @property
    def keys(self) -> Path:
        """Folder of the keys of the operator and the accounts, for the registrar alone."""
        return self.home.nats / "keys"

    @property
    def node_keys(self) -> Path:
        """What issues credentials of nodes, for the centers service alone."""
        return self.home.nats / "node-keys.json"

    @property
    def authority(self) -> Authority:
        """Who signs the server's certificate."""
        return Authority(self.home.nats / "tls")

    @property
    def access(self) -> BrokerAccess:
        """How a test, or a tool of this machine, connects as the platform."""
        return BrokerAccess.from_files(
            self.url, self.credentials("platform"), self.authority.certificate
        )

    def environment(self, name: str) -> dict[str, str]:
        """Return the settings with which the service of this name connects."""
        return {
            "PEYVAND_NATS_URL": self.url,
            "PEYVAND_NATS_CREDENTIALS": str(self.credentials(name)),
            "PEYVAND_NATS_CA": str(self.authority.certificate),
        }

    def credentials(self, name: str) -> Path:
        """Return the credentials file of a service, made when it is first asked for."""
        path = self.home.nats / "credentials" / f"{name}.creds"
        if not path.exists():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            write_private(path, self._read_keys().service_credentials(name).text())
        return path

    def prepare(self) -> None:
        """Make keys and certificates that are missing, and write the configuration.

        Raises:
            ClusterError: some of the keys have gone.
        """
        if not self.keys.exists():
            self._make_keys()
        keys = self._read_keys()
        self._set_aside_foreign_stores(keys)
        write_private(self.node_keys, keys.node_signer().text())
        self.renew_certificate()
        write_private(self._configuration_file, self._configuration(keys))

    def renew_certificate(self, now: datetime | None = None) -> bool:
        """Make the server's certificate anew if it nears its end.

        Args:
            now: the time to judge by; that of the clock when None.

        Returns:
            Whether it is a new one, which a running server takes on ``SIGHUP``.
        """
        hosts = dict.fromkeys(filter(None, (self.nodes_host, *_HERE)))
        with _told_at_the_terminal():
            return self.authority.ensure([*hosts], now)

    def spec(self) -> ProcessSpec:
        """Prepare the server and return how to run it.

        Raises:
            ClusterError: some of its keys have gone.
        """
        self.prepare()
        return ProcessSpec(
            name="nats",
            argv=(str(script("nats-server")), "--config", str(self._configuration_file)),
            env={"PATH": os.defpath},
            cwd=self.home.nats,
            ready=self._ready,
            ready_timeout=120.0,
        )

    @property
    def _configuration_file(self) -> Path:
        return self.home.nats / "server.conf"

    def _configuration(self, keys: HubKeys) -> str:
        return Configuration(
            listen=self._listen(self.port),
            advertise=self.hub if self.nodes_host else "",
            monitor=f"{LOOPBACK}:{self.monitor_port}",
            server_chain=self.authority.server_chain,
            server_key=self.authority.server_key,
            store=self.store,
            leaves=self._listen(self.leaves_port) if self.leaves_port else "",
        ).text(keys)

    def _listen(self, port: int) -> str:
        if not self.nodes_host:
            return f"{LOOPBACK}:{port}"
        # On all addresses: services on this machine use the same port, on loopback.
        return f"[{IPv6Address(0)}]:{port}" if self._ipv6 else f"{IPv4Address(0)}:{port}"

    @property
    def _ipv6(self) -> bool:
        return ":" in self.nodes_host

    def _make_keys(self) -> None:
        # What others have signed is of no use with these.
        shutil.rmtree(self.home.nats / "credentials", ignore_errors=True)
        make_keys(self.keys)

    def _set_aside_foreign_stores(self, keys: HubKeys) -> None:
        # The server never gets ready with what an account has left that it does not know:
        # one of a home from before there were accounts, or from before the keys were made
        # anew. Nothing is lost with it: the outbox of each service fills its stream again.
        own = set(keys.first_jwts())
        for folder in (self.store / "jetstream", self.store / "accounts"):
            for left in sorted(folder.glob("*")) if folder.exists() else ():
                if left.stem not in own:
                    aside = self.home.nats / "set-aside" / folder.name
                    aside.mkdir(mode=0o700, parents=True, exist_ok=True)
                    left.rename(aside / f"{left.name}-{time.time_ns()}")

    def _read_keys(self) -> HubKeys:
        with _told_at_the_terminal():
            return read_keys(self.keys)

    async def _ready(self) -> bool:
        return await http_status(LOOPBACK, self.monitor_port, "/healthz") == HTTPStatus.OK


@contextlib.contextmanager
def _told_at_the_terminal() -> Generator[None]:
    try:
        yield
    except HubError as error:
        raise ClusterError(error.message, error.mend) from error
