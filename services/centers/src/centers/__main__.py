"""Puts the service together and runs it: ``python -m centers``."""

from pathlib import Path

from centers.api import centers_api
from peyvand.centers.v1 import centers_pb2 as pb
from servicekit.service import Service
from servicekit.settings import DatabaseSettings


def main() -> None:
    """Run the service, or what the command line asks for."""
    service = Service(
        "centers", DatabaseSettings.from_environment(), Path(__file__).parent / "migrations"
    )
    service.answer(pb.DESCRIPTOR.services_by_name["Centers"], centers_api(service.database))
    service.main()


if __name__ == "__main__":
    main()
