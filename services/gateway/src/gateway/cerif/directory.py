"""Records, and what they say of one another."""

from dataclasses import dataclass, field

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from gateway.cerif.markup import moment, tag


@dataclass(frozen=True)
class Record:
    """One record: its id within the network, its set, its last change, and the element.

    `source` is the resource that it was made of. Of what was deleted there is no element.
    """

    id: str
    set: str
    changed: str
    xml: str = ""
    source: Message | None = None

    @property
    def deleted(self) -> bool:
        """Whether this only says that there was one."""
        return not self.xml


@dataclass(frozen=True)
class Said:
    """What other records say of something, and since when they may have to say it so."""

    xml: str
    changed: str


@dataclass
class Directory:
    """What there is, by the id within the network: what other records say of it.

    Whatever a record says of another changes with that one, so its own last change is no
    earlier. While a record is made it is noted what it takes from here; `changed` answers.
    """

    org_units: dict[str, Said] = field(default_factory=dict[str, Said])
    projects: dict[str, Said] = field(default_factory=dict[str, Said])
    persons: dict[str, Said] = field(default_factory=dict[str, Said])
    fundings: dict[str, list[Said]] = field(default_factory=dict[str, list[Said]])
    _latest: str = ""

    def org_unit(self, id: str, otherwise: str = "") -> str:
        """A reference to an organisation; `otherwise` where it has no record of its own."""
        found = self.org_units.get(id)
        return self._named("OrgUnit", f"OrgUnits/{id}", found) if found else otherwise

    def project(self, id: str) -> str:
        """A reference to a project; nothing where it has no record of its own."""
        found = self.projects.get(id)
        return self._named("Project", f"Projects/{id}", found) if found else ""

    def person(self, id: str, otherwise: str) -> str:
        """A reference to a person; `otherwise` where there is no record of their own."""
        found = self.persons.get(id)
        return self._named("Person", f"Persons/{id}", found) if found else otherwise

    def funded(self, project_id: str) -> list[str]:
        """What is said of each award for a project."""
        return [self._take(item) for item in self.fundings.get(project_id, ())]

    def changed(self, own: Timestamp) -> str:
        """When a record last changed that took from here all that was taken since the last one.

        `own` is when its resource did.
        """
        latest, self._latest = max(moment(own), self._latest), ""
        return latest

    def _named(self, name: str, id: str, found: Said) -> str:
        return tag(name, self._take(found), id=id)

    def _take(self, found: Said) -> str:
        self._latest = max(self._latest, found.changed)
        return found.xml
