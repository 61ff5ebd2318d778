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
from peyvandctl.state import LOOPBACK, HomeLock, Secrets, State, port_is_free

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

_Part = TypeVar("_Part")

GATEWAY = "gateway"
DEFAULT_PORT = 8080
_HIGHEST_PORT = 65_535
_START_TRIES = 3
_FIRST_BACKOFF_SECONDS = 0.2
_LONGEST_BACKOFF_SECONDS = 10.0
_HEALTHY_AFTER_SECONDS = 30.0


@dataclass(frozen=True)
class ServiceSpec:
    """A service of the network.

    Attributes:
        name: its name in the cluster, in addresses and in the settings of the others.
        module: run as ``python -m <module>``; told by ``PEYVAND_MIGRATE`` to migrate first.
        has_database: whether it owns a database.
    """

    name: str
    module: str
    has_database: bool


SERVICES = (
    ServiceSpec("centers", "centers", has_database=True),
    ServiceSpec("projects", "projects", has_database=True),
    ServiceSpec("partners", "partners", has_database=True),
    ServiceSpec("observatory", "observatory", has_database=True),
    ServiceSpec(GATEWAY, "gateway", has_database=False),
)


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
            supervise: start a process again when it dies by itself.
            env: settings added to the environment of every service.
            on_event: told what happens, from the event loop.

        Raises:
            ClusterError: ``PEYVAND_PORT`` is no port number, or a service is unknown.
        """
        self.home = Home.locate(home)
        self.services = _chosen(services)
        self._wanted_port = _gateway_port() if port is None else port
        self._host = host or os.environ.get("PEYVAND_HOST") or LOOPBACK
        self._supervise = supervise
        self._extra_env = dict(env or {})
        self._on_event = on_event
        self._lock = HomeLock(self.home)
        self._processes: dict[str, ManagedProcess] = {}
        # When each process last died, and how long its start was held back then.
        self._deaths: dict[str, tuple[float, float]] = {}
        self._revivals: set[asyncio.Task[None]] = set()
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
        """Where the gateway answers on this machine, without a slash at the end."""
        host = LOOPBACK if ip_address(self._host).is_unspecified else self._host
        return f"http://{host}:{self._ports[GATEWAY]}"

    def target(self, service: str) -> str:
        """Return ``host:port`` of a service's gRPC server."""
        return f"{LOOPBACK}:{self._ports[service]}"

    def metrics_url(self, service: str) -> str:
        """Return the base of ``/livez``, ``/readyz`` and ``/metrics`` of a service."""
        return f"http://{LOOPBACK}:{self._ports[_metrics(service)]}"

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

    async def stop(self) -> None:
        """Stop everything in order: who calls before who is called."""
        await self._stop_processes()
        self._lock.release()

    def service_environment(self, service: ServiceSpec) -> dict[str, str]:
        """Return the environment in which a service runs."""
        listen = LOOPBACK if service.name != GATEWAY else self._host
        inherited = {
            name: value for name, value in os.environ.items() if name not in _NOT_INHERITED
        }
        settings = {
            "PYTHONUNBUFFERED": "1",
            # The current folder holds data; it is no place to import from.
            "PYTHONSAFEPATH": "1",
            "PEYVAND_HOME": str(self.home.root),
            "PEYVAND_NATS_URL": self.nats.url,
            "PEYVAND_LISTEN": f"{listen}:{self._ports[service.name]}",
            "PEYVAND_METRICS_LISTEN": f"{LOOPBACK}:{self._ports[_metrics(service.name)]}",
            "PEYVAND_ISSUER": self.issuer.issuer,
            "PEYVAND_JWKS": str(self.issuer.jwks),
            "PEYVAND_AUDIENCE": AUDIENCE,
        }
        for peer in self.services:
            if peer.name != GATEWAY:
                settings[f"PEYVAND_{peer.name.upper()}_TARGET"] = self.target(peer.name)
        if service.has_database:
            settings["PEYVAND_DATABASE_URL"] = self.postgres.dsn(service.name)
            settings["PEYVAND_MIGRATE"] = "true"
        if service.name == GATEWAY:
            settings["PEYVAND_SIGNING_KEY"] = str(self.issuer.private_key)
        return inherited | settings | self._extra_env

    async def _end_orphans(self) -> None:
        left = orphans(self.home)
        if not left:
            return
        for record in left:
            self._tell("orphan", record.name, f"left by an earlier run, process {record.pid}")
        servers = [record for record in left if record.name in ("postgres", "nats")]
        await end_orphans(self.home, [record for record in left if record not in servers])
        await end_orphans(self.home, servers, grace=30.0)

    def _choose_ports(self, state: State) -> None:
        names = ["postgres", "nats", "nats-monitor"]
        for service in self.services:
            if service.name != GATEWAY or self._wanted_port == 0:
                names.append(service.name)
            names.append(_metrics(service.name))
        self._ports = state.choose_ports(names)
        if any(service.name == GATEWAY for service in self.services) and self._wanted_port:
            if not port_is_free(self._wanted_port, self._host):
                raise ClusterError(
                    f"Port {self._wanted_port} is taken by another program (or may not be used).",
                    "Set PEYVAND_PORT to another port, or to 0 for any free one.",
                )
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
            "platform",
            secrets.get("nats"),
        )
        self._issuer = LocalIssuer(self.home, state.cluster_id)
        self._issuer.ensure_key()
        await _all_of([self._start_postgres(databases), self._start_process(self._nats.spec())])
        await _all_of([self._start_service(service) for service in self.services])

    async def _start_postgres(self, databases: Iterable[str]) -> None:
        if not self.postgres.data.exists():
            self._tell("starting", "postgres", "making the data folder")
        await self.postgres.make_data_folder()
        await self._start_process(self.postgres.spec())
        await self.postgres.make_databases(databases)

    async def _start_service(self, service: ServiceSpec) -> None:
        environment = self.service_environment(service)
        program = (sys.executable, "-m", service.module)

        async def ready() -> bool:
            port = self._ports[_metrics(service.name)]
            return await http_status(LOOPBACK, port, "/readyz") == HTTPStatus.OK

        await self._start_process(
            ProcessSpec(service.name, program, environment, self.home.root, ready)
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

    async def _stop_processes(self) -> None:
        for revival in self._revivals:
            revival.cancel()
        await asyncio.gather(*self._revivals, return_exceptions=True)
        servers = [
            self._processes[name] for name in ("postgres", "nats") if name in self._processes
        ]
        edge = [self._processes[GATEWAY]] if GATEWAY in self._processes else []
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
        if self._supervise:
            revival = asyncio.create_task(self._revive(process))
            self._revivals.add(revival)
            revival.add_done_callback(self._revivals.discard)

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
_NOT_INHERITED = frozenset({"PEYVAND_PORT", "PEYVAND_HOST"})


def _chosen(services: Sequence[str | ServiceSpec] | None) -> tuple[ServiceSpec, ...]:
    if services is None:
        return SERVICES
    known = {service.name: service for service in SERVICES}
    chosen: list[ServiceSpec] = []
    for service in services:
        if isinstance(service, ServiceSpec):
            chosen.append(service)
        elif service in known:
            chosen.append(known[service])
        else:
            raise ClusterError(f"There is no service {service}.", f"Services: {', '.join(known)}")
    return tuple(chosen)


def _gateway_port() -> int:
    text = os.environ.get("PEYVAND_PORT", "").strip()
    if not text:
        return DEFAULT_PORT
    if not text.isdecimal() or int(text) > _HIGHEST_PORT:
        raise ClusterError(
            f"PEYVAND_PORT is {text!r}, which is no port.",
            "Set it to a number from 0 to 65535; 0 takes any free port.",
        )
    return int(text)


def _metrics(service: str) -> str:
    return f"{service}-metrics"


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
