"""Which services make a hub."""

from dataclasses import dataclass

CENTERS = "centers"
GATEWAY = "gateway"
PROJECTS = "projects"
REGISTRAR = "registrar"


@dataclass(frozen=True)
class ServiceSpec:
    """A service of the network.

    Attributes:
        name: its name in the cluster, in addresses and in the settings of the others.
        module: run as ``python -m <module>``; told by ``PEYVAND_MIGRATE`` to migrate first.
        has_database: whether it owns a database.
        beside: the service whose database it looks into, when it is no service that is
            called but works beside one; empty otherwise.
    """

    name: str
    module: str
    has_database: bool
    beside: str = ""

    @property
    def database(self) -> str:
        """The service whose database it uses, empty when it uses none."""
        return self.name if self.has_database else self.beside


SERVICES = (
    ServiceSpec(CENTERS, "centers", has_database=True),
    ServiceSpec(PROJECTS, "projects", has_database=True),
    ServiceSpec("partners", "partners", has_database=True),
    ServiceSpec("observatory", "observatory", has_database=True),
    ServiceSpec(GATEWAY, "gateway", has_database=False),
    ServiceSpec(REGISTRAR, "centers.registrar", has_database=False, beside=CENTERS),
)
