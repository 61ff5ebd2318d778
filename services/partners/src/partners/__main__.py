"""Puts the service together and runs it: ``python -m partners``."""

from pathlib import Path

from partners.api import partners_api
from partners.consumers import center_copies
from peyvand.partners.v1 import partners_pb2 as pb
from servicekit.service import Service
from servicekit.settings import DatabaseSettings


def main() -> None:
    """Run the service, or what the command line asks for."""
    service = Service(
        "partners", DatabaseSettings.from_environment(), Path(__file__).parent / "migrations"
    )
    service.answer(pb.DESCRIPTOR.services_by_name["Partners"], partners_api(service.database))
    service.beside(lambda broker: center_copies(broker, service.database.engine))
    service.main()


if __name__ == "__main__":
    main()
