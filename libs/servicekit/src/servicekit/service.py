"""Runs one service as a process: its database, relay, consumers, calls and probes.

A service's ``__main__`` makes a `Service`, hands it the implementation of its rpcs
and its consumers, and calls `main`. gRPC answers as soon as the database does;
messaging joins when the broker is there, because PostgreSQL is the truth and what is
committed in between waits in the outbox.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
import structlog
import uvloop
from google.protobuf.descriptor import ServiceDescriptor
from nats.errors import Error as NatsError
from sqlalchemy import exc

from servicekit import migrations, telemetry, tracing
from servicekit.broker import DEAD_LETTERS, Broker, event_stream
from servicekit.database import ANSWERS_WITHIN, Database
from servicekit.delivery import is_transient
from servicekit.idempotency import forget_old, idempotency_table
from servicekit.identity import TokenVerifier
from servicekit.imports import imported_row_table
from servicekit.messaging_tables import messaging_tables
from servicekit.probes import ProbeServer
from servicekit.relay import Relay
from servicekit.rpc_server import Dispatcher, RpcServer
from servicekit.rpcs import Rpcs
from servicekit.settings import DatabaseSettings
from servicekit.store import step_table
from servicekit.tasks import end_tasks

log = structlog.get_logger(__name__)

_TIDY_INTERVAL = 600.0  # seconds
_HEALTH_INTERVAL = 2.0  # seconds
_AGAIN_INTERVAL = 0.5  # seconds after the database did not answer
_LATE_TO_SAY_NO = 2  # answers in a row


class Background(Protocol):
    """Something that works beside the calls: a consumer or a projector."""

    async def start(self) -> None:
        """Begin in the background."""
        ...

    async def stop(self) -> None:
        """End."""
        ...


class ServiceTables:
    """A service's metadata, with the tables that every service has beside its own."""

    def __init__(self) -> None:
        self.metadata = sa.MetaData(
            naming_convention={
                "ix": "ix_%(column_0_label)s",
                "uq": "uq_%(table_name)s_%(column_0_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
                "pk": "pk_%(table_name)s",
            }
        )
        messaging_tables(self.metadata)
        idempotency_table(self.metadata)
        imported_row_table(self.metadata)
        self.step = step_table(self.metadata)


class Service:
    """One service. `name` is its name in the contract, `migrations` the folder of its revisions."""

    def __init__(self, name: str, settings: DatabaseSettings, migrations: Path) -> None:
        self.name = name
        self.settings = settings
        self.database = Database(
            settings.database_url, pool=settings.database_pool, after_commit=self._committed
        )
        self._migrations = migrations
        verifier = TokenVerifier(
            issuer=settings.issuer,
            audience=settings.audience,
            jwks=settings.jwks,
            roles_claim=settings.roles_claim,
            keys_kept=settings.key_set_seconds,
        )
        self._dispatcher = Dispatcher(verifier)
        self._factories: list[Callable[[Broker], Background]] = []
        self._commands: dict[str, tuple[str, Callable[[], Awaitable[bool]]]] = {}
        self._relay: Relay | None = None
        self._leaving = False
        self._database_answers = False
        self.broker: Broker | None = None

    def answer(self, service: ServiceDescriptor, rpcs: Rpcs) -> None:
        """Answer the rpcs of a service of the contract."""
        self._dispatcher.add(service, rpcs.handlers)

    def beside(self, factory: Callable[[Broker], Background]) -> None:
        """Run a consumer or projector as soon as the broker is there."""
        self._factories.append(factory)

    def command(self, name: str, about: str, run: Callable[[], Awaitable[bool]]) -> None:
        """Do something of this service's own when the command line says `name`.

        `run` tells whether all is well; the exit status is 1 where it is not.
        """
        self._commands[name] = about, run

    def main(self) -> None:
        """Do what the command line says: serve, see to the schema, or run a command of its own."""
        parser = argparse.ArgumentParser(prog=f"python -m {self.name}")
        commands = parser.add_subparsers(dest="command")
        commands.add_parser("serve", help="answer calls (the default)")
        commands.add_parser("migrate", help="bring the database to the newest schema")
        commands.add_parser("wait-for-schema", help="return once the schema is one to work with")
        draft = commands.add_parser("draft-migration", help="write a revision from the tables")
        draft.add_argument("message")
        for name, (about, _) in self._commands.items():
            commands.add_parser(name, help=about)
        arguments = parser.parse_args()
        telemetry.configure(self.name, self.settings)
        url = self.settings.database_url
        if arguments.command == "migrate":
            applied = asyncio.run(migrations.upgrade(url, self._migrations))
            log.info("schema", changed=applied)
        elif arguments.command == "wait-for-schema":
            asyncio.run(self._wait_for_schema())
        elif arguments.command == "draft-migration":
            asyncio.run(migrations.draft(url, self._migrations, arguments.message))
        elif arguments.command in self._commands:
            raise SystemExit(0 if asyncio.run(self._run(arguments.command)) else 1)
        else:
            if self.settings.migrate:
                asyncio.run(self._migrate())
            uvloop.run(self.serve())

    async def _run(self, command: str) -> bool:
        try:
            return await self._commands[command][1]()
        finally:
            await self.database.close()

    async def _migrate(self) -> None:
        """Bring the schema up to date as soon as the database is there."""
        while True:
            try:
                await migrations.upgrade(self.settings.database_url, self._migrations)
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("the database is not there yet", error=repr(error))
                await asyncio.sleep(0.5)
            else:
                return

    async def _wait_for_schema(self) -> None:
        """Return once somebody has brought the schema to what this code knows, or beyond."""
        told = ""
        while True:
            try:
                if await migrations.suffices(self.settings.database_url, self._migrations):
                    return
                reason = "the schema is older than this code"
            except Exception as error:
                if not is_transient(error):
                    raise
                reason = repr(error)
            if reason != told:
                log.info("waiting for the schema", reason=reason)
            told = reason
            await asyncio.sleep(1)

    async def serve(self) -> None:
        """Serve until SIGTERM or SIGINT, tell that this process goes, and let running calls end.

        Ends with an error when messaging cannot be started, so that whoever watches
        the process starts it again.
        """
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        server = RpcServer(self._dispatcher, self.settings.listen)
        probes = ProbeServer(self.settings.metrics_listen, self._readiness)
        await server.start()
        await probes.start()
        tasks = [
            asyncio.create_task(self._messaging(), name="messaging"),
            asyncio.create_task(self._tidy(), name="tidy"),
            asyncio.create_task(self._tell_health(server), name="health"),
        ]
        tasks[0].add_done_callback(lambda _: stopping.set())
        log.info("serving", listen=self.settings.listen)
        await stopping.wait()
        log.info("stopping")
        self._leaving = True
        await server.leave()
        # Whoever calls goes elsewhere as soon as it hears; until then it is answered here.
        await asyncio.sleep(self.settings.linger_seconds)
        await server.stop(self.settings.drain_seconds)
        await end_tasks(*tasks, again_after=2 * self.settings.drain_seconds)
        await probes.stop()
        await self.database.close()
        tracing.shutdown()
        for task in tasks:
            if not task.cancelled() and (error := task.exception()):
                raise error

    def _committed(self) -> None:
        if self._relay:
            self._relay.nudge()

    async def _readiness(self) -> dict[str, bool]:
        # The broker is left out on purpose: without it calls can still be answered.
        # As it was asked for last: a server that hangs must not hold up the answer of a probe.
        return {"database": self._database_answers, "staying": not self._leaving}

    async def _messaging(self) -> None:
        url = self.settings.database_url
        broker = await Broker.connect(self.settings.broker, name=self.name)
        running: list[Background] = []
        try:
            await self._declare(broker)
            self.broker = broker
            stream = event_stream(self.name, replicas=self.settings.stream_replicas)
            self._relay = Relay(broker=broker, database_url=url, stream=stream)
            running = [self._relay, *(factory(broker) for factory in self._factories)]
            for background in running:
                await background.start()
            await asyncio.Event().wait()
        finally:
            for background in reversed(running):
                await background.stop()
            await broker.close()

    async def _declare(self, broker: Broker) -> None:
        dead_letters = dataclasses.replace(DEAD_LETTERS, replicas=self.settings.stream_replicas)
        while True:
            try:
                await broker.declare(dead_letters)
            except (NatsError, OSError, TimeoutError) as error:
                log.warning("streams cannot be declared yet", error=repr(error))
                await asyncio.sleep(1)
            else:
                return

    async def _tell_health(self, server: RpcServer) -> None:
        while True:
            asked: list[asyncio.Task[bool]] = []
            try:
                answers = await self._ask_database(asked)
                await self._note_database(server, answers=answers)
                if not answers:
                    # Until the connections of late ones are given up it takes a while.
                    answers = (await asyncio.gather(*asked))[-1]
                    await self._note_database(server, answers=answers)
            finally:
                for task in asked:
                    task.cancel()
            await asyncio.sleep(_HEALTH_INTERVAL if answers else _AGAIN_INTERVAL)

    async def _ask_database(self, asked: list[asyncio.Task[bool]]) -> bool:
        """Tell whether the database answers in time; one that is late is asked once more.

        This machine may have stood still meanwhile, and the others with it: if all said no for
        that, whoever calls would have nowhere to go.
        """
        for _ in range(_LATE_TO_SAY_NO):
            began = time.monotonic()
            task = asyncio.create_task(self.database.reachable(), name="ask the database")
            asked.append(task)
            await asyncio.wait({task}, timeout=ANSWERS_WITHIN)
            in_time = time.monotonic() - began < ANSWERS_WITHIN
            if task.done() and (in_time or task.result()):
                return task.result()
        return False

    async def _note_database(self, server: RpcServer, *, answers: bool) -> None:
        self._database_answers = answers
        await server.set_serving(answers)

    async def _tidy(self) -> None:
        while True:
            with contextlib.suppress(exc.SQLAlchemyError, OSError):
                await self.database.write(forget_old)
            await asyncio.sleep(_TIDY_INTERVAL)
