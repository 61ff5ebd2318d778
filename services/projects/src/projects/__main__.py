"""Puts the service together and runs it: ``python -m projects``."""

import dataclasses
import json
import sys
from pathlib import Path

from peyvand.projects.v1 import (
    awards_pb2,
    criteria_pb2,
    dossier_pb2,
    gates_pb2,
    outputs_pb2,
    portfolio_pb2,
    projects_pb2,
    readiness_pb2,
)
from projects.api.awards import awards_api
from projects.api.criteria import criteria_api
from projects.api.dossier import dossiers_api
from projects.api.gates import gates_api
from projects.api.outputs import outputs_api
from projects.api.portfolio import portfolio_api
from projects.api.projects import projects_api
from projects.api.readiness import readiness_api
from projects.consumers import center_copies, partner_copies, regulation_copies
from projects.settings import ProjectsSettings
from projects.use_cases.record_check import check_files, check_records
from projects.watches.condition_watch import ConditionWatch
from projects.watches.file_sweep import FileSweep
from projects.watches.flags_at_start import FlagsAtStart
from servicekit.database import Database
from servicekit.object_store import ObjectStore
from servicekit.service import Service


def main() -> None:
    """Run the service, or what the command line asks for."""
    settings = ProjectsSettings.from_environment()
    service = Service("projects", settings, Path(__file__).parent / "migrations")
    database = service.database
    objects = settings.object_store()
    named = {
        **projects_pb2.DESCRIPTOR.services_by_name,
        **criteria_pb2.DESCRIPTOR.services_by_name,
        **gates_pb2.DESCRIPTOR.services_by_name,
        **readiness_pb2.DESCRIPTOR.services_by_name,
        **outputs_pb2.DESCRIPTOR.services_by_name,
        **awards_pb2.DESCRIPTOR.services_by_name,
        **dossier_pb2.DESCRIPTOR.services_by_name,
        **portfolio_pb2.DESCRIPTOR.services_by_name,
    }
    service.answer(named["Projects"], projects_api(database))
    service.answer(named["Criteria"], criteria_api(database, objects))
    service.answer(named["Gates"], gates_api(database))
    service.answer(named["Readiness"], readiness_api(database))
    service.answer(named["Outputs"], outputs_api(database))
    service.answer(named["Awards"], awards_api(database))
    service.answer(named["Dossiers"], dossiers_api(database))
    service.answer(named["Portfolios"], portfolio_api(database))
    service.beside(lambda broker: center_copies(broker, database))
    service.beside(lambda broker: partner_copies(broker, database))
    service.beside(lambda broker: regulation_copies(broker, database))
    service.beside(lambda _: FlagsAtStart(database))
    service.beside(lambda _: ConditionWatch(database))
    if objects is not None:
        service.beside(lambda _: FileSweep(database, objects))
    service.command(
        "check-records",
        "find decisions, evidence and files that are not as they were recorded",
        lambda: _check_records(database, objects),
    )
    service.main()


async def _check_records(database: Database, objects: ObjectStore | None) -> bool:
    """Print what was found as JSON; gives whether all is as it was recorded."""
    async with database.snapshot() as session:
        found = await check_records(session)
    if objects is not None:
        await check_files(database, objects, found)
    sys.stdout.write(f"{json.dumps(dataclasses.asdict(found))}\n")
    return not found.damaged


if __name__ == "__main__":
    main()
