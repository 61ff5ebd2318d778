"""The whole service in processes of its own that are killed while neighbours change."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from peyvand.centers.v1 import centers_pb2
from peyvand.observatory.v1 import regulations_pb2
from peyvand.partners.v1 import agreements_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from projects import tables
from servicekit.broker import Broker, event_stream
from servicekit.ids import new_id, uuid7
from servicekit.messaging_tables import TABLES
from tests.integration.projects.conftest import (
    ProjectsBench,
    agreement_event,
    center_event,
    heard,
    project,
    regulation_event,
)
from tests.integration.projects.standing import require_right_flags
from tests.support.messaging import count, eventually
from tests.support.patience import patient_broker

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from peyvandctl.nats import NatsServer
    from tests.support.cluster import Infra

CENTERS, PROJECTS, EVENTS, KILLS = 8, 60, 400, 5
# What a killed process had taken comes to another after half a minute; and where both are new,
# they have to start first.
PATIENCE = 150


class Processes:
    """Processes of the service that share one database."""

    def __init__(self, bench: ProjectsBench, nats: NatsServer) -> None:
        self._environment = (
            os.environ
            | nats.environment("projects")
            | {"PEYVAND_DATABASE_URL": bench.url, "PEYVAND_LOG_LEVEL": "warning"}
        )
        self._running: list[asyncio.subprocess.Process] = []

    async def start(self) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "projects", env=self._environment
        )
        self._running.append(process)

    async def kill_one(self, dice: random.Random) -> None:
        """End one with SIGKILL."""
        await self._kill(self._running.pop(dice.randrange(len(self._running))))

    async def kill_all(self) -> None:
        for process in self._running:
            await self._kill(process)

    async def _kill(self, process: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def publish(broker: Broker, kind: str, id: str, version: int, event: Message) -> None:
    """Announce an event as its service's relay does."""
    delivery = heard(kind, id, version, event)
    await broker.jetstream.publish(
        delivery.subject,
        delivery.payload,
        headers={
            "ce-id": str(uuid7()),
            "ce-type": delivery.type,
            "ce-time": datetime.now(UTC).isoformat(),
            "ce-partitionkey": id,
            "ce-sequence": str(version),
        },
    )


class Neighbourhood:
    """Centers, an agreement and a regulation that change all the time."""

    def __init__(self, broker: Broker, centers: list[str], agreement: str, regulation: str) -> None:
        self.broker = broker
        self.versions = dict.fromkeys([*centers, agreement, regulation], 1)
        self.published = 0
        self._dice = random.Random(17)

    async def change(self) -> None:
        """One of them changes."""
        id = self._dice.choice(list(self.versions))
        version = self.versions[id] = self.versions[id] + 1
        kind, event = self._event(id, version)
        await publish(self.broker, kind, id, version, event)
        self.published += 1

    def _event(self, id: str, version: int) -> tuple[str, Message]:
        if id.startswith("ctr"):
            states = [
                centers_pb2.CENTER_STATE_OPERATIONAL,
                centers_pb2.CENTER_STATE_SUSPENDED,
                centers_pb2.CENTER_STATE_CLOSED,
            ]
            return "center", center_event(id, self._dice.choice(states))
        if id.startswith("agr"):
            states = [
                agreements_pb2.AGREEMENT_STATE_IN_FORCE,
                agreements_pb2.AGREEMENT_STATE_EXPIRED,
            ]
            return "agreement", agreement_event(id, self._dice.choice(states))
        state = regulations_pb2.REGULATION_STATE_IN_FORCE
        changed = ["note"] if version % 2 else ["citations"]
        return "regulation", regulation_event(
            id, "reg-cell-therapy", version, state, changed=changed
        )


async def heard_of(bench: ProjectsBench) -> dict[str, int]:
    """Versions of the neighbours that are known here."""
    found: dict[str, int] = {}
    async with bench.database.read() as session:
        for table in (tables.known_center, tables.known_agreement, tables.known_regulation):
            rows = await session.rows(sa.select(table.c.id, table.c.version))
            found |= {row.id: row.version for row in rows}
    return found


async def test_killed_while_neighbours_change_nothing_is_missed_and_nothing_noted_twice(
    bench: ProjectsBench, infra: Infra
) -> None:
    dice = random.Random(19)
    lead, party = await bench.center(), await bench.institution()
    agreement = await bench.agreement(agreements_pb2.AGREEMENT_STATE_IN_FORCE, party)
    centers = [await bench.center() for _ in range(CENTERS)]
    regulation = new_id("reg")
    first = regulation_event(regulation, "reg-cell-therapy", 1)
    await bench.hear(heard("regulation", regulation, 1, first))
    institution = pb.ProjectParticipant(institution_id=party, agreement_id=agreement)
    for _ in range(PROJECTS):
        parts = [pb.ProjectParticipant(center_id=id) for id in dice.sample(centers, 3)]
        if dice.random() < 0.5:
            parts.append(institution)
        await bench.create(project(lead, participants=parts))
    async with infra.fresh_nats() as (nats, _):
        broker = patient_broker(await Broker.connect(nats.access, name="the neighbours"))
        for name in ("centers", "partners", "observatory"):
            await broker.declare(event_stream(name))
        neighbours = Neighbourhood(broker, centers, agreement, regulation)
        processes = Processes(bench, nats)
        inbox = TABLES.inbox
        at_kills: list[int] = []

        async def handled() -> int:
            return await count(bench.database.engine, inbox)

        async def change_all() -> None:
            # As long as it takes: kills are to fall into the work, not after it.
            while neighbours.published < EVENTS or len(at_kills) < KILLS:
                await neighbours.change()
                await asyncio.sleep(dice.uniform(0, 0.06))
            await neighbours.change()

        try:
            await processes.start()
            await processes.start()
            changing = asyncio.create_task(change_all())
            for _ in range(KILLS):
                before = await handled()

                async def goes_on(before: int = before) -> bool:
                    return await handled() > before

                await eventually(goes_on, within=PATIENCE)
                await asyncio.sleep(dice.uniform(0, 0.4))
                await processes.kill_one(dice)
                at_kills.append(await handled())
                await processes.start()
            await changing

            async def all_handled() -> bool:
                return await handled() == neighbours.published

            await eventually(all_handled, within=PATIENCE)

            async def all_told() -> bool:
                waiting = TABLES.outbox.c.published_at.is_(None)
                return not await count(bench.database.engine, TABLES.outbox, waiting)

            await eventually(all_told, within=PATIENCE)
        finally:
            await processes.kill_all()
            await broker.close()
    assert 0 < at_kills[0] < at_kills[-1] < neighbours.published, at_kills
    dead = TABLES.inbox.c.dead_letter_reason.is_not(None)
    assert await count(bench.database.engine, TABLES.inbox, dead) == 0
    assert await heard_of(bench) == neighbours.versions | {lead: 1}
    assert await require_right_flags(bench)
    flagged = TABLES.outbox.c.type.like("%.flagged")
    assert await count(bench.database.engine, TABLES.outbox, flagged) > neighbours.published / 4
