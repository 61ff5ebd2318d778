"""A step that somebody is about to take with a project, or with what belongs to one.

The rules are tried with it: by many at once, by who is cut off in the midst, and by what
changes while the step waits for its turn.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message

from peyvand.projects.v1 import (
    awards_pb2,
    criteria_pb2,
    gates_pb2,
    outputs_pb2,
    projects_pb2,
    readiness_pb2,
)
from projects import tables
from projects.api.awards import awards_api
from projects.api.criteria import criteria_api
from projects.api.gates import gates_api
from projects.api.outputs import outputs_api
from projects.api.projects import projects_api
from projects.api.readiness import readiness_api
from servicekit.database import Database
from servicekit.errors import Fault
from servicekit.messaging_tables import TABLES
from servicekit.rpcs import Rpcs
from tests.integration.projects.results import Results
from tests.support.messaging import eventually
from tests.support.rpc import RpcBench

SERVED: Mapping[str, Callable[[Database], Rpcs]] = {
    "Projects": projects_api,
    "Gates": gates_api,
    "Criteria": lambda database: criteria_api(database, None),
    "Outputs": outputs_api,
    "Awards": awards_api,
    "Readiness": readiness_api,
}
_DECLARED = {
    "Projects": projects_pb2,
    "Gates": gates_pb2,
    "Criteria": criteria_pb2,
    "Outputs": outputs_pb2,
    "Awards": awards_pb2,
    "Readiness": readiness_pb2,
}
# What a step could change; the relay's notes on an event are no part of it.
_KEPT = (
    tables.project,
    tables.company,
    tables.evidence,
    tables.waiver,
    tables.gate,
    tables.decision,
    tables.project_condition,
    tables.output,
    tables.award,
    tables.disbursement,
    tables.readiness_claim,
    tables.service_tables.step,
    TABLES.outbox,
)


@dataclass(frozen=True)
class Step:
    """A call that would succeed now, and who makes it: see `RpcBench.call`."""

    name: str
    request: Message
    who: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def service(self) -> ServiceDescriptor:
        """The service that answers it."""
        return service_of(self.name)

    def rpc(self, results: Results) -> RpcBench:
        """Where that service is served."""
        bench = results.bench
        served = {
            "Projects": bench.rpc,
            "Gates": bench.gates,
            "Criteria": bench.criteria,
            "Outputs": results.outputs,
            "Awards": results.awards,
            "Readiness": results.readiness,
        }
        return served[self.service.name]

    def again(self, key: str) -> "Step":
        """The same step, as somebody asks for it who knows nothing of the first time."""
        request: Any = type(self.request)()
        request.CopyFrom(self.request)
        if "idempotency_key" in self.request.DESCRIPTOR.fields_by_name:
            request.idempotency_key = key
        return Step(self.name, request, self.who)


Prepare = Callable[[Results, projects_pb2.Project], Awaitable[Step]]


def service_of(name: str) -> ServiceDescriptor:
    """The service that has an rpc of this name."""
    found = [declared.DESCRIPTOR.services_by_name[of] for of, declared in _DECLARED.items()]
    return next(service for service in found if name in service.methods_by_name)


async def take(results: Results, step: Step) -> str:
    """Take a step, and give why it is refused; empty where it is taken.

    A row that was waited for too long says nothing about a rule: it is asked for again.
    """
    while True:
        try:
            await step.rpc(results).call(step.name, step.request, **step.who)
        except Fault as fault:
            if fault.reason == "RESOURCE_IN_USE":
                continue
            return ", ".join(item.reason for item in fault.violations) or fault.reason
        return ""


async def take_while(
    results: Results, step: Step, locked: sa.Select[Any], *changes: sa.Executable
) -> str:
    """Take a step that waits for who holds a row, while that one changes something.

    The change is committed once the step waits, so that only who looks under the lock, and
    not before it, finds it. Gives what `take` does.
    """
    engine = results.bench.database.engine
    async with engine.begin() as connection:
        await connection.execute(locked.with_for_update())
        taking = asyncio.create_task(take(results, step))

        async def waits() -> bool:
            return taking.done() or await waiting(results) > 0

        await eventually(waits, within=60)
        assert not taking.done(), f"{step.name} did not wait: {taking.result()}"
        for change in changes:
            await connection.execute(change)
    return await taking


async def waiting(results: Results) -> int:
    """How many connections of the database wait for a lock."""
    query = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with results.bench.database.engine.connect() as connection:
        return (await connection.exec_driver_sql(query)).scalar_one()


def the_project(id: str) -> sa.Select[Any]:
    """The row of a project, to be locked."""
    return sa.select(tables.project.c.id).where(tables.project.c.id == id)


def of_project(id: str, **values: Any) -> sa.Update:
    """A change of the row of a project."""
    return tables.project.update().where(tables.project.c.id == id).values(**values)


async def snapshot(results: Results) -> dict[str, list[Any]]:
    """All rows of what a step could change, by table."""
    found: dict[str, list[Any]] = {}
    async with results.bench.database.engine.connect() as connection:
        for table in _KEPT:
            rows = await connection.execute(sa.select(table).order_by(*table.primary_key.columns))
            found[table.name] = [
                {name: value for name, value in row.items() if not name.startswith("publish")}
                for row in rows.mappings()
            ]
    return found


def require_taken_once(
    before: Mapping[str, Sequence[Any]], after: Mapping[str, Sequence[Any]]
) -> None:
    """One step came to what it is about: an event each, and versions without a gap."""
    steps = [row for row in after["step"] if row not in before["step"]]
    events = [row for row in after["outbox"] if row not in before["outbox"]]
    assert steps
    told = sorted((row["aggregate_id"], row["aggregate_version"]) for row in events)
    assert told == sorted((row["aggregate_id"], row["version"]) for row in steps)
    # What belongs together has moved by one version, and of a kind one was made at most.
    assert len({row["aggregate_id"] for row in steps}) == len(steps)
    made = [row["aggregate_id"].partition("_")[0] for row in steps if row["version"] == 1]
    assert len(set(made)) == len(made)
    of: dict[str, list[int]] = {}
    for row in after["step"]:
        of.setdefault(row["aggregate_id"], []).append(row["version"])
    assert all(sorted(found) == list(range(1, len(found) + 1)) for found in of.values())
