"""Reads what a caller may see of the network, and gives it record by record.

It is read twice: first to know what there is, so that no record names another that is not
in the export; then to write it. Each list is read page by page, so that the whole is never
in memory.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from gateway.auth import Caller
from gateway.cerif import entities
from gateway.cerif.entities import Directory, Record
from gateway.cerif.markup import texts
from gateway.languages import Language
from gateway.transcoding import Backend
from peyvand.projects.v1 import outputs_pb2, people_pb2
from servicekit.contract import Rpc, contract
from servicekit.rpc_client import CallContext

_PAGE = 200
_ORGANISATIONS = (
    ("partners.v1.Partners/ListInstitutions", "institutions", entities.institution_names),
    ("centers.v1.Centers/ListCenters", "centers", entities.center_names),
    (
        "projects.v1.Projects/ListCompanies",
        "companies",
        lambda item: texts("Name", item.names),
    ),
)
_PERSONS = "partners.v1.Partners/ListPersons"
_PROJECTS = "projects.v1.Projects/ListProjects"
_AWARDS = "projects.v1.Awards/ListAwards"
_OUTPUTS = "projects.v1.Outputs/ListOutputs"


class Harvest:
    """What one caller may see. Without `with_sample` sample data is left out."""

    def __init__(
        self,
        backend: Backend,
        who: Caller,
        language: Language,
        *,
        timeout: float,
        with_sample: bool,
    ) -> None:
        self._backend = backend
        self._who = who
        self._context = CallContext(who.token, language, timeout)
        self._with_sample = with_sample
        self._known = Directory()
        self._people: dict[str, tuple[people_pb2.ProjectPerson, Timestamp]] = {}

    async def records(self) -> AsyncIterator[Record]:
        """Every record, the organisations first. Raises `Fault`."""
        await self._look()
        known = self._known
        makers: list[tuple[str, str, Callable[[Any, Directory], Record]]] = [
            (*_ORGANISATIONS[0][:2], entities.institution),
            (*_ORGANISATIONS[1][:2], entities.center),
            (*_ORGANISATIONS[2][:2], entities.company),
            (_PERSONS, "persons", entities.person_of_network),
        ]
        for path, collection, make in makers:
            async for item in self._all(path, collection):
                if collection == "persons" or item.id in known.org_units:
                    yield make(item, known)
        for id, (person, changed) in sorted(self._people.items()):
            yield entities.person_of_projects(id, person, changed)
        async for item in self._all(_PROJECTS, "projects"):
            if item.id in known.projects:
                yield entities.project(item, known)
        async for item in self._all(_AWARDS, "awards"):
            if item.project_id in known.fundings:
                yield entities.funding(item, known)
        async for item in self._all(_OUTPUTS, "outputs"):
            counts = item.state == outputs_pb2.OUTPUT_STATE_RECORDED
            if counts and item.project_id in known.projects:
                record = entities.output(item, known)
                if record is not None:
                    yield record

    async def _look(self) -> None:
        """Find out what there is, and what other records say of it."""
        known = self._known
        for path, collection, names in _ORGANISATIONS:
            async for item in self._all(path, collection):
                known.org_units[item.id] = names(item)
        async for item in self._all(_PROJECTS, "projects"):
            known.projects[item.id] = texts("Title", item.titles)
            self._note_people(item.people, item.updated_at)
        async for item in self._all(_AWARDS, "awards"):
            if item.project_id in known.projects:
                by = entities.funder("By", item, known)
                given = known.fundings.setdefault(item.project_id, [])
                given.append((by, entities.funding_reference(item)))

    def _note_people(self, people: Iterable[people_pb2.ProjectPerson], changed: Timestamp) -> None:
        for person in people:
            id = entities.person_id(person)
            if not id:
                continue
            before = self._people.get(id)
            # What was said of the same person last is what is said of the person.
            if before is None or before[1].ToNanoseconds() < changed.ToNanoseconds():
                self._people[id] = (person, changed)
                self._known.persons[id] = entities.person_brief(person)

    async def _all(self, path: str, collection: str) -> AsyncIterator[Any]:
        """All items of a list that the caller may see; none of one that is not open to it."""
        rpc = contract().rpcs[f"/peyvand.{path}"]
        if not self._who.principal.has(*rpc.role_names):
            return
        token = ""
        while True:
            answer = await self._page(rpc, token)
            for item in getattr(answer, collection):
                if self._with_sample or not item.sample:
                    yield item
            token = answer.next_page_token
            if not token:
                return

    async def _page(self, rpc: Rpc, token: str) -> Any:
        make: Callable[..., Message] = rpc.request_class
        request = make(page_size=_PAGE, page_token=token)
        return await self._backend.call(rpc, request, self._context)
