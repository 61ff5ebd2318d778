"""Puts the service together and runs it: ``python -m centers``."""

from pathlib import Path

from centers.api.centers import centers_api
from centers.api.nodes import nodes_api
from centers.api.reports import reports_api
from centers.line.credential_watch import CredentialWatch
from centers.line.intake import intake, report_standing
from centers.line.joining import Joining
from centers.line.presence_keeper import PresenceKeeper
from centers.line.responder import Responder
from centers.line.wake import Waker
from centers.settings import CentersSettings
from peyvand.centers.v1 import centers_pb2, nodes_pb2, reports_pb2
from servicekit.service import Service


def main() -> None:
    """Run the service, or what the command line asks for."""
    settings = CentersSettings.from_environment()
    service = Service("centers", settings, Path(__file__).parent / "migrations")
    database = service.database
    waker = Waker()
    presence = PresenceKeeper(database, settings.database_url, waker.wake)
    nodes = nodes_api(database, settings.hub_address(), presence)
    reports = reports_api(database, waker.wake)
    service.answer(centers_pb2.DESCRIPTOR.services_by_name["Centers"], centers_api(database))
    service.answer(nodes_pb2.DESCRIPTOR.services_by_name["Nodes"], nodes)
    service.answer(reports_pb2.DESCRIPTOR.services_by_name["Reports"], reports)

    joining = Joining(database, settings.issuing(), report_standing)
    exchanges = {**joining.exchanges(), **intake(database)}
    service.beside(lambda broker: Responder(broker, exchanges))
    service.beside(waker.on)
    service.beside(presence.on)
    service.beside(lambda _: CredentialWatch(database))
    service.main()


if __name__ == "__main__":
    main()
