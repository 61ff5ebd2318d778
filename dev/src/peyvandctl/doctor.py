"""``peyvand doctor``: looks at everything a network stands on, and says how to mend it."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import os
import re
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, Literal

import asyncpg
import httpx
import psutil

from hubkit.topology import GATEWAY, SERVICES
from peyvandctl.client import Access, Api, ApiError
from peyvandctl.errors import ClusterError
from peyvandctl.paths import Home
from peyvandctl.postgres import PostgresServer
from peyvandctl.processes import http_status, orphans
from peyvandctl.state import LOOPBACK, HomeLock, Secrets, State

Verdict = Literal["ok", "warning", "bad"]

_OLDEST_PYTHON = (3, 11)
_LITTLE_SPACE = 1 << 30
_SCARCE_SPACE = 5 << 30
_LITTLE_MEMORY = 500 << 20
_CLOCK_LIMIT_SECONDS = 5.0
# The relay publishes within milliseconds; what waits longer waits for something.
_OUTBOX_LIMIT_SECONDS = 10.0
_MEND_UNSEEN = "Mend what it says, or run as the user that runs the network; then look again."
_MEND_RECORDS = (
    "Somebody wrote past the service. Change nothing; compare with the last backup and with "
    "dossiers that were kept, as docs/dossier.md says."
)
_MEND_FILES = (
    "Send the same files again (POST /v1/files): a file is known by its SHA-256. Who has none "
    "takes it from the last backup, as docs/backup.md says."
)
_DAMAGES = {
    "changed": "is changed",
    "missing": "is missing",
    "file_changed": "has a changed file",
    "file_missing": "has lost its file",
}
_MEND_UNREAD = (
    "See: database. Where that is well, the store of files is out of reach: PEYVAND_OBJECTS_URL."
)
# How an error is told: by what it is, and what it says.
_RAISED = re.compile(r"(Error|Fault)\b.*:")
# Records that a finding names; the command of the service names them all.
_NAMED = 10
_PACKAGES = ("peyvandctl", "servicekit", "grpcio", "protobuf", "sqlalchemy", "asyncpg", "nats-py")


@dataclass(frozen=True)
class Finding:
    """What one look has shown.

    Attributes:
        subject: what was looked at.
        verdict: how it is.
        message: what was found, in a sentence.
        mend: what to do about it; empty when nothing has to be done.
    """

    subject: str
    verdict: Verdict
    message: str
    mend: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return it for programs."""
        return asdict(self)


class Doctor:
    """Looks at the network of one home, and at the gateway that commands talk to."""

    def __init__(self, home: Home, access: Access) -> None:
        self._home = home
        self._access = access

    async def findings(self) -> AsyncIterator[Finding]:
        """Look at one thing after the other. A look that fails is a finding itself."""
        yield _python()
        yield _packages()
        for look in (self._folder, self._space):
            yield _guarded(look)
        supervisor = _guarded(self._supervisor)
        yield supervisor
        supervised = supervisor.verdict == "ok"
        # Of a network that was stopped one finding is enough; what a supervisor that was
        # killed has left behind is looked at.
        if self._home.state.exists() and (supervised or orphans(self._home)):
            for finding in await self._processes():
                yield finding
            database = await self._postgres()
            yield database
            yield await self._nats()
            for finding in await self._services():
                yield finding
            if database.verdict != "bad" or database.subject != "database":
                for finding in await self._outboxes():
                    yield finding
                yield await self._records()
        for finding in await asyncio.to_thread(self._gateway):
            yield finding

    def _folder(self) -> Finding:
        root = self._home.root
        if not root.exists():
            return Finding(
                "home",
                "bad",
                f"There is no {root}.",
                "Start the network once (make run), or set PEYVAND_HOME to its data.",
            )
        if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
            return Finding(
                "home", "bad", f"{root} is closed to you.", "Run as the user that runs the network."
            )
        return Finding("home", "ok", f"Data in {root}.")

    def _space(self) -> Finding:
        folder = self._home.root if self._home.root.exists() else self._home.root.parent
        free = shutil.disk_usage(folder if folder.exists() else "/").free
        memory = psutil.virtual_memory().available
        message = f"{_size(free)} of disk and {_size(memory)} of memory are free."
        mend = "Make room: the database stops when the disk is full."
        if free < _LITTLE_SPACE:
            return Finding("space", "bad", message, mend)
        if free < _SCARCE_SPACE or memory < _LITTLE_MEMORY:
            return Finding("space", "warning", message, mend)
        return Finding("space", "ok", message)

    def _supervisor(self) -> Finding:
        if not self._home.lock.exists():
            return Finding("supervisor", "bad", "The network never ran here.", "Run: make run")
        lock = HomeLock(self._home)
        try:
            lock.acquire()
        except ClusterError as error:
            return Finding("supervisor", "ok", error.message)
        lock.release()
        return Finding("supervisor", "bad", "The network does not run.", "Run: make run")

    async def _processes(self) -> list[Finding]:
        alive = {record.name: record for record in orphans(self._home)}
        found: list[Finding] = []
        for name in ("postgres", "nats", *(service.name for service in SERVICES)):
            log = self._home.logs / f"{name}.log"
            if name in alive:
                found.append(Finding(name, "ok", f"Process {alive[name].pid} runs."))
            else:
                mend = f"Look at {log}; then stop the network and run: make run"
                found.append(Finding(name, "bad", "Its process does not run.", mend))
        return found

    async def _postgres(self) -> Finding:
        try:
            connection = await self._connect("postgres")
        except (OSError, asyncpg.PostgresError, TimeoutError, KeyError, ClusterError) as error:
            mend = f"Look at {self._home.logs / 'postgres.log'}"
            why = str(error) or "no answer in time"
            return Finding("database", "bad", f"It takes no connection: {why}.", mend)
        try:
            version = str(await connection.fetchval("show server_version"))
            now: Any = await connection.fetchval("select clock_timestamp()")
        finally:
            await connection.close()
        apart = abs(now.timestamp() - time.time())
        if apart > _CLOCK_LIMIT_SECONDS:
            return Finding(
                "clock",
                "bad",
                f"The database's clock is {apart:.0f} s from this one.",
                "Set both clocks by NTP: tokens and leases depend on them.",
            )
        return Finding("database", "ok", f"PostgreSQL {version} answers; the clocks agree.")

    async def _nats(self) -> Finding:
        port = State(self._home).ports.get("nats-monitor", 0)
        try:
            healthy = await http_status(LOOPBACK, port, "/healthz") == HTTPStatus.OK
        except OSError:
            healthy = False
        if healthy:
            return Finding("broker", "ok", "NATS is healthy, JetStream included.")
        return Finding(
            "broker", "bad", "NATS is not healthy.", f"Look at {self._home.logs / 'nats.log'}"
        )

    async def _services(self) -> list[Finding]:
        ports = State(self._home).ports
        found: list[Finding] = []
        for service in SERVICES:
            try:
                status = await http_status(
                    LOOPBACK, ports.get(f"{service.name}-metrics", 0), "/readyz"
                )
            except OSError:
                status = None
            if status == HTTPStatus.OK:
                found.append(Finding(f"{service.name} readiness", "ok", "It is ready."))
                continue
            said = f"It answers {status} to /readyz." if status else "It does not answer."
            mend = f"Look at {self._home.logs / f'{service.name}.log'}"
            found.append(Finding(f"{service.name} readiness", "bad", said, mend))
        return found

    async def _outboxes(self) -> list[Finding]:
        return [await self._outbox(service.name) for service in SERVICES if service.has_database]

    async def _outbox(self, service: str) -> Finding:
        subject = f"{service} outbox"
        try:
            connection = await self._connect(service)
        except (OSError, asyncpg.PostgresError, TimeoutError, KeyError, ClusterError):
            return Finding(subject, "bad", "Its database cannot be reached.", "See: database")
        try:
            row: Any = await connection.fetchrow(
                "select count(*) as waiting, "
                "coalesce(extract(epoch from now() - min(recorded_at)), 0)::float8 as oldest "
                "from outbox where published_at is null"
            )
        except asyncpg.UndefinedTableError:
            return Finding(
                subject, "bad", "It has no tables.", "Start the network again: it migrates."
            )
        finally:
            await connection.close()
        waiting, oldest = int(row["waiting"]), float(row["oldest"])
        message = f"{waiting} events wait to be published, the oldest for {oldest:.0f} s."
        if waiting and oldest > _OUTBOX_LIMIT_SECONDS:
            log = self._home.logs / f"{service}.log"
            mend = f"The relay is stuck: look at the broker, then at {log}"
            return Finding(subject, "bad", message, mend)
        return Finding(subject, "ok", message if waiting else "Every event is published.")

    async def _records(self) -> Finding:
        """Have the service that keeps decisions make their hashes anew."""
        subject = "records of projects"
        secrets = Secrets(self._home)
        server = PostgresServer(
            self._home,
            State(self._home).ports["postgres"],
            secrets.get("postgres"),
            {"projects": secrets.get("postgres-projects")},
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "projects",
            "check-records",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={
                "PEYVAND_OBJECTS_URL": self._home.objects.as_uri(),
                **os.environ,
                "PEYVAND_DATABASE_URL": server.dsn("projects"),
            },
        )
        said, complaint = await process.communicate()
        try:
            return _records_found(subject, json.loads(said))
        except ValueError:
            told = complaint.decode(errors="replace").strip().splitlines()
            # What an error is stands before where its library explains it.
            said_last = (line for line in reversed(told) if _RAISED.search(line))
            last = next(said_last, "it said nothing")
            return Finding(subject, "bad", f"They cannot be checked: {last}", _MEND_UNREAD)

    def _gateway(self) -> list[Finding]:
        url = self._access.url
        began = time.time()
        try:
            answer = httpx.get(f"{url}/readyz", timeout=5.0)
        except httpx.HTTPError as error:
            mend = "Start the network, or say where it is: PEYVAND_URL."
            return [Finding(GATEWAY, "bad", f"Nobody answers at {url}: {error}.", mend)]
        found = [_readiness(url, answer, time.time() - began), self._token()]
        with Api(self._access) as api:
            found += _lag(api)
        return found

    def _token(self) -> Finding:
        if self._access.token is None:
            return Finding(
                "token",
                "warning",
                "There is no token: only what is public can be read.",
                "Set PEYVAND_TOKEN, or run as the user that runs the network.",
            )
        with Api(self._access) as api:
            try:
                api.get("/v1/centers", page_size=1)
            except ApiError as error:
                return Finding("token", "bad", error.message, error.mend)
        return Finding("token", "ok", "The gateway takes it.")

    async def _connect(self, database: str) -> asyncpg.Connection:
        secrets = Secrets(self._home)
        port = State(self._home).ports["postgres"]
        return await PostgresServer(self._home, port, secrets.get("postgres")).connect(database)


def _guarded(look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except (OSError, ClusterError) as error:
        subject, problem = look.__name__.strip("_"), f"It cannot be looked at: {error}."
        mend = getattr(error, "mend", "") or _MEND_UNSEEN
        return Finding(subject, "bad", problem, mend)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < _OLDEST_PYTHON:
        return Finding("python", "bad", f"This is Python {version}.", "Use 3.11 or newer.")
    return Finding("python", "ok", f"Python {version}.")


def _packages() -> Finding:
    try:
        versions = [f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES]
    except importlib.metadata.PackageNotFoundError as error:
        return Finding("packages", "bad", f"{error.name} is not installed.", "Run: make install")
    return Finding("packages", "ok", f"{', '.join(versions)}.")


def _records_found(subject: str, found: Mapping[str, Any]) -> Finding:
    damaged = found["damaged"]
    if not damaged:
        said = f"{found['decisions']} decisions, {found['evidence']} pieces of evidence"
        return Finding(
            subject, "ok", f"{said} and {found['files']} files are as they were recorded."
        )
    named = [
        f"{item['record_id']} of {item['project_id']} {_DAMAGES[item['damage']]}"
        for item in damaged
    ]
    only_files = all(item["damage"].startswith("file_") for item in damaged)
    more = f", and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return Finding(
        subject,
        "bad",
        f"{len(named)} records do not match their hashes: {', '.join(named[:_NAMED])}{more}.",
        _MEND_FILES if only_files else _MEND_RECORDS,
    )


def _readiness(url: str, answer: httpx.Response, seconds: float) -> Finding:
    if answer.status_code == HTTPStatus.OK:
        return Finding(GATEWAY, "ok", f"{url} answers in {seconds * 1000:.0f} ms.")
    try:
        services: dict[str, bool] = answer.json()["services"]
        away = ", ".join(name for name, ready in services.items() if not ready)
    except (ValueError, KeyError, TypeError):
        away = ""
    said = f"It does not reach: {away}." if away else f"It answers {answer.status_code}."
    return Finding(GATEWAY, "bad", said, "See the services above and their logs.")


def _lag(api: Api) -> list[Finding]:
    try:
        picture = api.get("/v1/network/status")
    except ApiError as error:
        return [Finding("picture", "bad", error.message, error.mend)]
    found: list[Finding] = []
    for stream in picture["streams"]:
        message, mend = _freshness(stream)
        verdict: Verdict = "warning" if mend else "ok"
        found.append(Finding(f"picture of {stream['service']}", verdict, message, mend))
    if not picture["centers"]:
        found.append(
            Finding(
                "data",
                "warning",
                "There is no center.",
                "Run: peyvand import dev/data/network.yaml",
            )
        )
    return found


def _freshness(stream: Mapping[str, Any]) -> tuple[str, str]:
    """How far the picture follows one service, and the mend where it does not."""
    match stream["liveness"]:
        case "online":
            return f"It is up to date; {stream['lag']} events are on their way.", ""
        case "late":
            said = f"{stream['lag']} events are not in the picture yet."
            return said, "Wait a moment; if the number does not fall: the log of the observatory."
        case _:
            # What is missing cannot be counted from where nothing is heard of.
            since = f" since {stream['since']}" if stream["since"] else ""
            said = f"Nothing can be heard of it{since}: events may be missing."
            return said, "See the broker above, then the log of the observatory."


def _size(count: int) -> str:
    return f"{count / (1 << 30):.1f} GB"
