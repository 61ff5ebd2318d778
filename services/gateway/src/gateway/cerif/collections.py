"""The kinds of resources that have a counterpart, in the order in which they are given."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from gateway.cerif import entities
from gateway.cerif.directory import Directory, Record
from servicekit.contract import Rpc, contract


class Part(Enum):
    """What has to be known of the network before records of a kind are made."""

    ORGANISATIONS = "organisations"
    PROJECTS = "projects"
    FUNDINGS = "fundings"


def _everything(item: Any, known: Directory) -> bool:
    del item, known
    return True


def _of_project(item: Any, known: Directory) -> bool:
    return item.project_id in known.projects


def _project(item: Any, known: Directory) -> bool:
    return item.id in known.projects


@dataclass(frozen=True)
class Collection:
    """Resources of one kind, who gives them, and how a record is made of one.

    `name` is that of the field in answers to lists, `key` what a position calls it. With
    `erased` those that were deleted are given, and no other.
    """

    service: str
    resource: str
    prefix: str
    name: str
    sets: frozenset[str]
    make: Callable[[Any, Directory], Record | None]
    needs: tuple[Part, ...] = ()
    is_given: Callable[[Any, Directory], bool] = _everything
    erased: bool = False

    @property
    def key(self) -> str:
        """What a position calls it."""
        return f"erased-{self.name}" if self.erased else self.name

    @property
    def list_rpc(self) -> Rpc:
        """The rpc that lists them."""
        return contract().rpcs[f"/peyvand.{self.service}/List{self.name.capitalize()}"]

    @property
    def get_rpc(self) -> Rpc:
        """The rpc that gives one of them."""
        return contract().rpcs[f"/peyvand.{self.service}/Get{self.resource}"]


def _set(name: str) -> frozenset[str]:
    return frozenset({f"openaire_cris_{name}"})


ORGANISATIONS = (
    Collection(
        "partners.v1.Partners",
        "Institution",
        "ins",
        "institutions",
        _set("orgunits"),
        entities.institution,
        (Part.ORGANISATIONS,),
    ),
    Collection("centers.v1.Centers", "Center", "ctr", "centers", _set("orgunits"), entities.center),
    Collection(
        "projects.v1.Projects", "Company", "com", "companies", _set("orgunits"), entities.company
    ),
)
PERSONS = Collection(
    "partners.v1.Partners",
    "Person",
    "per",
    "persons",
    _set("persons"),
    entities.person_of_network,
    (Part.ORGANISATIONS,),
)
PROJECTS = Collection(
    "projects.v1.Projects",
    "Project",
    "prj",
    "projects",
    _set("projects"),
    entities.project,
    (Part.ORGANISATIONS, Part.PROJECTS, Part.FUNDINGS),
    _project,
)
AWARDS = Collection(
    "projects.v1.Awards",
    "Award",
    "awd",
    "awards",
    _set("funding"),
    entities.funding,
    (Part.ORGANISATIONS, Part.PROJECTS),
    _of_project,
)
OUTPUTS = Collection(
    "projects.v1.Outputs",
    "Output",
    "out",
    "outputs",
    _set("publications") | _set("patents") | _set("products"),
    entities.output,
    (Part.ORGANISATIONS, Part.PROJECTS),
    _of_project,
)
# Whoever has an ORCID iD on projects. They are found by reading the projects.
PEOPLE_KEY = "people"
PEOPLE_SETS = _set("persons")
ERASED_PERSONS = Collection(
    PERSONS.service,
    PERSONS.resource,
    PERSONS.prefix,
    PERSONS.name,
    PERSONS.sets,
    PERSONS.make,
    erased=True,
)
STORED = (*ORGANISATIONS, PERSONS, PROJECTS, AWARDS, OUTPUTS)
