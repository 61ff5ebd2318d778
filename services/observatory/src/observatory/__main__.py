"""Puts the service together and runs it: ``python -m observatory``."""

from pathlib import Path

from observatory.api import observatory_api
from observatory.projections.following import Following
from observatory.settings import ObservatorySettings
from observatory.watches.escalation_watch import EscalationWatch
from peyvand.observatory.v1 import observatory_pb2 as pb
from servicekit.service import Service


def main() -> None:
    """Run the service, or what the command line asks for."""
    settings = ObservatorySettings.from_environment()
    service = Service("observatory", settings, Path(__file__).parent / "migrations")
    following = Following(service.database, settings.database_url)
    service.beside(following.begin)
    service.beside(lambda _: EscalationWatch(service.database, settings.escalate_after))
    api = observatory_api(service.database, following)
    service.answer(pb.DESCRIPTOR.services_by_name["Observatory"], api)
    service.main()


if __name__ == "__main__":
    main()
