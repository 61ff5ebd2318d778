"""Puts the service together and runs it: ``python -m projects``."""

from pathlib import Path

from peyvand.projects.v1 import projects_pb2 as pb
from projects.api import projects_api
from projects.consumers import center_copies, partner_copies
from servicekit.service import Service
from servicekit.settings import DatabaseSettings


def main() -> None:
    """Run the service, or what the command line asks for."""
    service = Service(
        "projects", DatabaseSettings.from_environment(), Path(__file__).parent / "migrations"
    )
    service.answer(pb.DESCRIPTOR.services_by_name["Projects"], projects_api(service.database))
    service.beside(lambda broker: center_copies(broker, service.database.engine))
    service.beside(lambda broker: partner_copies(broker, service.database.engine))
    service.main()


if __name__ == "__main__":
    main()
