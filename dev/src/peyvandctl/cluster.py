"""The whole of Peyvand on one machine: what runs, in which order, at which address.

``make run``, the tests, the chaos runs and the bench all start the network here.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal, Self, TypeVar

from hubkit.topology import CENTERS, GATEWAY, PROJECTS, REGISTRAR, SERVICES, ServiceSpec
from peyvandctl.errors import ClusterError
from peyvandctl.issuer import AUDIENCE, DEFAULT_TTL_SECONDS, LocalIssuer
from peyvandctl.nats import NatsServer
from peyvandctl.paths import Home
from peyvandctl.postgres import PostgresServer
from peyvandctl.processes import (
    ManagedProcess,
    ProcessSpec,
    end_orphans,
    http_status,
    orphans,
)
from peyvandctl.state import (
    LOOPBACK,
    HomeLock,
    Secrets,
    State,
    claim_port,
    port_is_free,
    port_setting,
)
from peyvandctl.topology import Replica, chosen, metrics_port, replicas_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

_Part = TypeVar("_Part")

DEFAULT_PORT = 8080
# Seconds; also for a process that ends while its machine stands still for some.
_GRACE = 30.0
_TIMES_OF_ENDING = ("PEYVAND_LINGER_SECONDS", "PEYVAND_DRAIN_SECONDS")
_START_TRIES = 3
_FIRST_BACKOFF_SECONDS = 0.2
_LONGEST_BACKOFF_SECONDS = 10.0
_HEALTHY_AFTER_SECONDS = 30.0
_CERTIFICATE_LOOK_SECONDS = 3600.0


@dataclass(frozen=True)
class ClusterEvent:
    """Something a person who watches wants to see.

    Attributes:
        kind: what happened.
        name: the process it happened to.
        detail: more about it, or empty.
        seconds: how long it took, where that is known.
    """

    kind: Literal["orphan", "starting", "ready", "died", "retry", "stopping", "stopped"]
    name: str
    detail: str = ""
    seconds: float = 0.0


class Cluster:
    """PostgreSQL, NATS and the services of Peyvand, as child processes of this one.

    Use it as ``async with Cluster(...) as cluster``. After it ends the data stays
    in the home, and the next cluster there goes on with it.
    """

    def __init__(
        self,
        home: str | Path | None = None,
        *,
        services: Sequence[str | ServiceSpec] | None = None,
        port: int | None = None,
        host: str | None = None,
        nodes_host: str | None = None,
        nodes_port: int | None = None,
        leaves_port: int | None = None,
        replicas: int = 1,
        supervise: bool = False,
        env: Mapping[str, str] | None = None,
        on_event: Callable[[ClusterEvent], None] | None = None,
    ) -> None:
        """Describe a cluster; nothing is started or written yet.

        Args:
            home: folder of its data; ``PEYVAND_HOME`` or ``.peyvand`` when None.
            services: which services run, all of ``SERVICES`` when None. An empty
                list gives PostgreSQL and NATS only.
            port: of the gateway; ``PEYVAND_PORT`` or 8080 when None, 0 for any free one.
            host: address the gateway listens on; ``PEYVAND_HOST`` or loopback when None.
            nodes_host: name or address under which nodes on other machines reach the
                broker of this one; ``PEYVAND_NODES_HOST`` when None. Empty: the broker
                listens on loopback alone.
            nodes_port: the port of the broker; ``PEYVAND_NODES_PORT`` when None, 0 for the
                one that it had, or any free one.
            leaves_port: the port of the broker for those of provinces;
                ``PEYVAND_LEAVES_PORT`` when None, 0 for none.
            replicas: processes of each service that run side by side; of the gateway too.
            supervise: start a process again when it dies by itself.
            env: settings added to the environment of every service.
            on_event: told what happens, from the event loop.

        Raises:
            ClusterError: ``PEYVAND_PORT``, ``PEYVAND_NODES_PORT`` or ``PEYVAND_LEAVES_PORT``
                is no port number, or a service is unknown.
        """
        self.home = Home.locate(home)
        self.services = chosen(services)
        self.replicas = replicas_of(self.services, replicas)
        self._wanted_port = port_setting("PEYVAND_PORT", DEFAULT_PORT) if port is None else port
        self._nodes_port = (
            port_setting("PEYVAND_NODES_PORT", 0) if nodes_port is None else nodes_port
        )
        self._leaves_port = (
            port_setting("PEYVAND_LEAVES_PORT", 0) if leaves_port is None else leaves_port
        )
        given = os.environ.get("PEYVAND_NODES_HOST", "") if nodes_host is None else nodes_host
        self._nodes_host = given.strip().strip("[]")
        self._host = host or os.environ.get("PEYVAND_HOST") or LOOPBACK
        self._supervise = supervise
        self._extra_env = dict(env or {})
        self._on_event = on_event
        self._lock = HomeLock(self.home)
        self._processes: dict[str, ManagedProcess] = {}
        # When each process last died, and how long its start was held back then.
        self._deaths: dict[str, tuple[float, float]] = {}
        self._revivals: dict[str, asyncio.Task[None]] = {}
        self._certificate: asyncio.Task[None] | None = None
        self._ports: dict[str, int] = {}
        self._postgres: PostgresServer | None = None
        self._nats: NatsServer | None = None
        self._issuer: LocalIssuer | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def postgres(self) -> PostgresServer:
        """The database server."""
        return _started(self._postgres)

    @property
    def nats(self) -> NatsServer:
        """The broker."""
        return _started(self._nats)

    @property
    def issuer(self) -> LocalIssuer:
        """The issuer of local tokens."""
        return _started(self._issuer)

    @property
    def gateway_url(self) -> str:
        """Where the (first) gateway answers on this machine, without a slash at the end."""
        return self.gateway_urls[0]

    @property
    def gateway_urls(self) -> list[str]:
        """Where each gateway answers on this machine."""
        host = LOOPBACK if ip_address(self._host).is_unspecified else self._host
        return [f"http://{host}:{self._ports[name]}" for name in self.names(GATEWAY)]

    def names(self, service: str) -> list[str]:
        """Return the names of the processes of a service."""
        return [each.name for each in self.replicas if each.service.name == service]

    def target(self, service: str) -> str:
        """Return where a service's gRPC servers are: ``host:port``, or a list of them for gRPC."""
        servers = [f"{LOOPBACK}:{self._ports[name]}" for name in self.names(service)]
        return servers[0] if len(servers) == 1 else f"ipv4:{','.join(servers)}"

    def metrics_url(self, process: str) -> str:
        """Return the base of ``/livez``, ``/readyz`` and ``/metrics`` of a process."""
        return f"http://{LOOPBACK}:{self._ports[metrics_port(process)]}"

    def process(self, name: str) -> ManagedProcess:
        """Return a process by name: a service, ``postgres`` or ``nats``.

        Raises:
            ClusterError: the cluster has no such process.
        """
        try:
            return self._processes[name]
        except KeyError:
            raise ClusterError(
                f"The cluster has no process {name}.",
                f"It has: {', '.join(self._processes) or 'none, it is not started'}",
            ) from None

    @property
    def processes(self) -> Mapping[str, ManagedProcess]:
        """All processes by name, in the order in which they start."""
        return self._processes

    def token(
        self,
        role: str,
        sub: str | None = None,
        *,
        center_ids: Sequence[str] = (),
        institution_ids: Sequence[str] = (),
        ttl: int = DEFAULT_TTL_SECONDS,
    ) -> str:
        """Sign a token of the local issuer; see ``LocalIssuer.mint``."""
        return self.issuer.mint(
            role, sub, center_ids=center_ids, institution_ids=institution_ids, ttl=ttl
        )

    async def start(self) -> None:
        """Start everything and wait until all is ready.

        Raises:
            ClusterError: something keeps it from running. Nothing is left running.
        """
        self.home.prepare()
        self._lock.acquire()
        try:
            await self._end_orphans()
            state = State(self.home)
            for tries_left in reversed(range(_START_TRIES)):
                self._choose_ports(state)
                try:
                    await self._start_all(state)
                except ClusterError as error:
                    await self._stop_processes()
                    taken = [port for port in self._ports.values() if not port_is_free(port)]
                    # Someone may take a port between the choice and the start.
                    if not taken or not tries_left:
                        raise
                    self._tell("retry", "cluster", f"{error.message} Trying other ports.")
                else:
                    # The command line finds the network by this.
                    state.gateway_url = self.gateway_url if GATEWAY in self._ports else ""
                    state.save()
                    return
        except BaseException:
            await self.stop()
            raise

    async def run_beside(self, spec: ProcessSpec) -> None:
        """Run one more process with the network; it is watched and stopped like the others.

        Raises:
            ClusterError: it does not start.
        """
        await self._start_process(spec)

    async def stop(self) -> None:
        """Stop everything in order: who calls before who is called."""
        await self._stop_processes()
        self._lock.release()

    def service_environment(self, service: ServiceSpec, number: int = 1) -> dict[str, str]:
        """Return the environment in which a process of a service runs, by default the first."""
        replica = Replica(service, number)
        listen = LOOPBACK if service.name != GATEWAY else self._host
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in _NOT_INHERITED and not name.startswith(_OF_ANOTHER_ISSUER)
        }
        settings = {
            "PYTHONUNBUFFERED": "1",
            # The current folder holds data; it is no place to import from.
            "PYTHONSAFEPATH": "1",
            "PEYVAND_HOME": str(self.home.root),
            "PEYVAND_LISTEN": f"{listen}:{self._ports[replica.name]}",
            "PEYVAND_METRICS_LISTEN": f"{LOOPBACK}:{self._ports[replica.metrics]}",
            "PEYVAND_ISSUER": self.issuer.issuer,
            "PEYVAND_JWKS": str(self.issuer.jwks),
            "PEYVAND_AUDIENCE": AUDIENCE,
        }
        for peer in self.services:
            if peer.name != GATEWAY and not peer.beside:
                settings[f"PEYVAND_{peer.name.upper()}_TARGET"] = self.target(peer.name)
        if service.has_database:
            settings["PEYVAND_DATABASE_URL"] = self.postgres.dsn(service.name)
            settings["PEYVAND_MIGRATE"] = "true"
        if service.beside:
            settings["PEYVAND_DATABASE_URL"] = self.postgres.dsn(service.beside)
        # Another store can be named in the environment; both are then told of it.
        if service.name in (GATEWAY, PROJECTS) and not inherited.get("PEYVAND_OBJECTS_URL"):
            settings["PEYVAND_OBJECTS_URL"] = self.home.objects.as_uri()
        if service.name == GATEWAY:
            settings["PEYVAND_SIGNING_KEY"] = str(self.issuer.private_key)
        settings |= self._line_settings(service.name)
        return inherited | settings | self._extra_env

    def _line_settings(self, service: str) -> dict[str, str]:
        """Give each service of the broker and its keys what it needs, and no more."""
        if service == REGISTRAR:
            return {
                "PEYVAND_NATS_URL": self.nats.url,
                "PEYVAND_NATS_CA": str(self.nats.authority.certificate),
                "PEYVAND_REGISTRAR_KEYS": str(self.nats.keys),
                "PEYVAND_LEAVES_PORT": str(self._leaves_port),
            }
        settings = self.nats.environment(service)
        if service == CENTERS:
            settings["PEYVAND_NODE_HUB"] = self.nats.hub
            settings["PEYVAND_NODE_KEYS"] = str(self.nats.node_keys)
            settings["PEYVAND_NODE_CA"] = str(self.nats.authority.certificate)
        return settings

    async def _end_orphans(self) -> None:
        left = orphans(self.home)
        if not left:
            return
        for record in left:
            self._tell("orphan", record.name, f"left by an earlier run, process {record.pid}")
        servers = [record for record in left if record.name in ("postgres", "nats")]
        await end_orphans(self.home, [record for record in left if record not in servers])
        await end_orphans(self.home, servers)

    def _choose_ports(self, state: State) -> None:
        names = ["postgres", "nats-monitor"]
        for replica in self.replicas:
            if replica.name != GATEWAY or self._wanted_port == 0:
                names.append(replica.name)
            names.append(replica.metrics)
        if not self._nodes_port:
            names.append("nats")
        self._ports = state.choose_ports(names)
        if self._nodes_port:
            claim_port(self._nodes_port, LOOPBACK, "PEYVAND_NODES_PORT")
            self._ports["nats"] = self._nodes_port
        if self._leaves_port:
            claim_port(self._leaves_port, LOOPBACK, "PEYVAND_LEAVES_PORT")
        if any(service.name == GATEWAY for service in self.services) and self._wanted_port:
            claim_port(self._wanted_port, self._host, "PEYVAND_PORT")
            self._ports[GATEWAY] = self._wanted_port

    async def _start_all(self, state: State) -> None:
        secrets = Secrets(self.home)
        databases = dict.fromkeys(
            service.name for service in (*SERVICES, *self.services) if service.has_database
        )
        self._postgres = PostgresServer(
            self.home,
            self._ports["postgres"],
            secrets.get("postgres"),
            {name: secrets.get(f"postgres-{name}") for name in databases},
        )
        self._nats = NatsServer(
            self.home,
            self._ports["nats"],
            self._ports["nats-monitor"],
            self._nodes_host,
            self._leaves_port,
        )
        self._issuer = LocalIssuer(self.home, state.cluster_id)
        self._issuer.ensure_key()
        await _all_of([self._start_postgres(databases), self._start_process(self._nats.spec())])
        await _all_of([self._start_service(replica) for replica in self.replicas])
        self._certificate = asyncio.create_task(self._keep_certificate())

    async def _start_postgres(self, databases: Iterable[str]) -> None:
        if not self.postgres.data.exists():
            self._tell("starting", "postgres", "making the data folder")
        await self.postgres.make_data_folder()
        await self._start_process(self.postgres.spec())
        await self.postgres.make_databases(databases)

    async def _start_service(self, replica: Replica) -> None:
        environment = self.service_environment(replica.service, replica.number)
        program = (sys.executable, "-m", replica.service.module)

        async def ready() -> bool:
            port = self._ports[replica.metrics]
            return await http_status(LOOPBACK, port, "/readyz") == HTTPStatus.OK

        # Who may end later must not be killed earlier.
        lasts = sum(float(environment.get(name, "0")) for name in _TIMES_OF_ENDING)
        await self._start_process(
            ProcessSpec(
                replica.name, program, environment, self.home.root, ready, grace=lasts + _GRACE
            )
        )

    async def _start_process(self, spec: ProcessSpec) -> None:
        process = ManagedProcess(self.home, spec, self._died)
        self._processes[spec.name] = process
        await self._start_and_tell(process)

    async def _start_and_tell(self, process: ManagedProcess) -> None:
        began = time.monotonic()
        self._tell("starting", process.name)
        await process.start()
        self._tell("ready", process.name, seconds=time.monotonic() - began)

    async def _keep_certificate(self) -> None:
        """Renew the broker's certificate in time, also when the network runs for years."""
        while True:
            await asyncio.sleep(_CERTIFICATE_LOOK_SECONDS)
            try:
                if self.nats.renew_certificate() and self.process("nats").running:
                    self.process("nats").reload()
            except (ClusterError, OSError) as error:
                self._tell("retry", "nats", f"Its certificate was not renewed: {error}")

    async def _stop_processes(self) -> None:
        if self._certificate is not None:
            self._certificate.cancel()
            await asyncio.gather(self._certificate, return_exceptions=True)
            self._certificate = None
        for revival in self._revivals.values():
            revival.cancel()
        await asyncio.gather(*self._revivals.values(), return_exceptions=True)
        servers = [
            self._processes[name] for name in ("postgres", "nats") if name in self._processes
        ]
        edge = [self._processes[name] for name in self.names(GATEWAY) if name in self._processes]
        between = [
            process
            for process in self._processes.values()
            if process not in servers and process not in edge
        ]
        for group in (edge, between, servers):
            await asyncio.gather(*(self._stop_and_tell(process) for process in group))
        self._processes.clear()

    async def _stop_and_tell(self, process: ManagedProcess) -> None:
        if process.running:
            began = time.monotonic()
            self._tell("stopping", process.name)
            await process.stop()
            self._tell("stopped", process.name, seconds=time.monotonic() - began)
        process.wanted = False

    def _died(self, process: ManagedProcess, code: int) -> None:
        ended = f"by signal {-code}" if code < 0 else f"with exit status {code}"
        self._tell("died", process.name, f"ended {ended}; its log is {process.log}")
        revival = self._revivals.get(process.name)
        # A start that failed is a death too; the revival that tried it goes on.
        if self._supervise and (revival is None or revival.done()):
            self._revivals[process.name] = asyncio.create_task(self._revive(process))

    async def _revive(self, process: ManagedProcess) -> None:
        now = time.monotonic()
        last_death, backoff = self._deaths.get(process.name, (0.0, 0.0))
        calm = now - last_death > _HEALTHY_AFTER_SECONDS
        backoff = _FIRST_BACKOFF_SECONDS if calm else min(backoff * 2, _LONGEST_BACKOFF_SECONDS)
        self._deaths[process.name] = (now, backoff)
        while True:
            await asyncio.sleep(backoff)
            if not process.wanted:
                return
            try:
                await self._start_and_tell(process)
            except ClusterError as error:
                backoff = min(backoff * 2, _LONGEST_BACKOFF_SECONDS)
                self._tell("retry", process.name, f"{error.message} Next try in {backoff:.1f} s.")
            else:
                if process.running:
                    return

    def _tell(
        self,
        kind: Literal["orphan", "starting", "ready", "died", "retry", "stopping", "stopped"],
        name: str,
        detail: str = "",
        seconds: float = 0.0,
    ) -> None:
        if self._on_event is not None:
            self._on_event(ClusterEvent(kind, name, detail, seconds))


# What these say is true for the supervisor only.
_NOT_INHERITED = frozenset(
    {
        "PEYVAND_PORT",
        "PEYVAND_HOST",
        "PEYVAND_NODE",
        "PEYVAND_NODES_PORT",
        "PEYVAND_NODES_HOST",
        "PEYVAND_LEAVES_PORT",
        "PEYVAND_ROLES_CLAIM",
    }
)
# The issuer is the local one, at which nobody signs in as a client.
_OF_ANOTHER_ISSUER = "PEYVAND_OIDC_"


def _started(part: _Part | None) -> _Part:
    if part is None:
        raise ClusterError("The cluster is not started.")
    return part


async def _all_of(steps: Sequence[Awaitable[None]]) -> None:
    """Run the steps side by side; when one fails, cancel the others and raise its error."""
    tasks = [asyncio.ensure_future(step) for step in steps]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
