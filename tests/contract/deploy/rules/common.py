"""What the rules are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from centers.registrar import RegistrarSettings
from centers.settings import CentersSettings
from gateway.settings import GatewaySettings
from peyvandctl.topology import SERVICES
from projects.settings import ProjectsSettings
from servicekit.settings import ServiceSettings
from tests.support.manifests import (
    Manifest,
    Manifests,
)

Complaints = Iterator[str]
Rule = Callable[[Manifests], Complaints]

OWNERS = tuple(service.name for service in SERVICES if service.has_database)
BROKER = "broker"
LEAVES = "leaves"
ZONE = "topology.kubernetes.io/zone"
# Connections of a process beside its pool: those that lead or wait to, and listen.
LEADERS = 6
SETTINGS: Mapping[str, type[ServiceSettings]] = {
    "gateway": GatewaySettings,
    "centers": CentersSettings,
    "projects": ProjectsSettings,
    "registrar": RegistrarSettings,
}


def name_of(document: Manifest) -> str:
    """Kind and name of a document."""
    return f"{document['kind']} {document['metadata']['name']}"
