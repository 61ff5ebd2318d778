"""Reads what a caller may see of the network, and gives it record by record.

Before records are made it is read what there is, so that no record names another that has
no record of its own. Each list is read page by page, so that the whole is never in memory.
A position among the pages can be kept, and read on from at any later time.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, NamedTuple

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from gateway.auth import Caller
from gateway.cerif import entities
from gateway.cerif.collections import (
    AWARDS,
    ERASED_PERSONS,
    ORGANISATIONS,
    OUTPUTS,
    PEOPLE_KEY,
    PEOPLE_SETS,
    PERSONS,
    PROJECTS,
    STORED,
    Collection,
    Part,
)
from gateway.cerif.directory import Directory, Record, Said
from gateway.cerif.markup import moment, texts
from gateway.languages import Language
from gateway.transcoding import Backend
from peyvand.projects.v1 import people_pb2
from servicekit.contract import Rpc
from servicekit.errors import Fault
from servicekit.ids import is_id
from servicekit.rpc_client import CallContext

_PAGE = 200
# The kinds in their order; of those without a collection the records are gathered.
_ORDER: dict[str, Collection | None] = {
    **{collection.key: collection for collection in (*ORGANISATIONS, PERSONS)},
    PEOPLE_KEY: None,
    **{collection.key: collection for collection in (PROJECTS, AWARDS, OUTPUTS, ERASED_PERSONS)},
}
_NAMES: dict[str, Callable[[Any], str]] = {
    "institutions": entities.institution_names,
    "centers": entities.center_names,
    "companies": lambda item: texts("Name", item.names),
}
# What says that somebody may not see a resource, or that there is none.
_UNSEEN = frozenset({"NOT_FOUND", "PERMISSION_DENIED", "UNAUTHENTICATED"})


class Position(NamedTuple):
    """Where a page begins: a kind of resources, and the token of the page among them."""

    kind: str
    token: str

    @property
    def known(self) -> bool:
        """Whether there is such a kind."""
        return self.kind in _ORDER


START = Position(next(iter(_ORDER)), "")


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
        self._looked_at: set[Part] = set()
        self._people: dict[str, tuple[people_pb2.ProjectPerson, Timestamp]] = {}

    async def records(self) -> AsyncIterator[Record]:
        """Every record of what there is, the organisations first. Raises `Fault`."""
        await self._look(Part)
        async for _, page in self.pages():
            for record in page:
                if not record.deleted:
                    yield record

    async def pages(
        self, begin: Position = START, only: str = ""
    ) -> AsyncIterator[tuple[Position, list[Record]]]:
        """Records page by page from a position on, each with where it begins.

        Of what was deleted there are records as well, as far as that is known. With `only`
        kinds are left out of which none is in that set. Within a kind the order is that in
        which resources came to be, which no change of them changes. Raises `Fault`.
        """
        kinds = list(_ORDER)
        for kind in kinds[kinds.index(begin.kind) :]:
            collection = _ORDER[kind]
            sets = collection.sets if collection else PEOPLE_SETS
            if only and only not in sets:
                continue
            at = Position(kind, begin.token if kind == begin.kind else "")
            while True:
                if collection:
                    records, following = await self._stored(collection, at.token)
                else:
                    records, following = await self._gathered(at.token)
                yield at, records
                if not following:
                    break
                at = Position(kind, following)

    async def one(self, id: str) -> Record | None:
        """The record with this id, or of its deletion; `None` where there is none to see."""
        _, _, local = id.partition("/")
        found: Record | None = None
        for collection in STORED:
            if is_id(local, collection.prefix):
                found = await self._record(collection, local)
        if local.startswith("orcid-"):
            await self._look([Part.PROJECTS])
            if local in self._people:
                found = entities.person_of_projects(local, *self._people[local])
        if found is None and is_id(local, ERASED_PERSONS.prefix):
            async for _, page in self.pages(Position(ERASED_PERSONS.key, "")):
                found = found or next((record for record in page if record.id == id), None)
        return found if found is not None and found.id == id else None

    async def earliest(self) -> str:
        """When the first change was of what is there; empty where there is nothing."""
        firsts = await asyncio.gather(*(self._first(collection) for collection in STORED))
        return min((moment for moment in firsts if moment), default="")

    async def _stored(self, collection: Collection, token: str) -> tuple[list[Record], str]:
        await self._look(collection.needs)
        items, following = await self._page(collection, token)
        made = (self._made(collection, item) for item in items)
        return [record for record in made if record is not None], following

    async def _gathered(self, token: str) -> tuple[list[Record], str]:
        """Those who have an ORCID iD on projects and come after one of them."""
        await self._look([Part.PROJECTS])
        left = sorted(id for id in self._people if id > token)
        page = left[:_PAGE]
        records = [entities.person_of_projects(id, *self._people[id]) for id in page]
        return records, page[-1] if len(left) > len(page) else ""

    def _made(self, collection: Collection, item: Any) -> Record | None:
        known = self._known
        return collection.make(item, known) if collection.is_given(item, known) else None

    async def _record(self, collection: Collection, id: str) -> Record | None:
        rpc = collection.get_rpc
        if not self._who.principal.has(*rpc.role_names):
            return None
        make: Callable[..., Message] = rpc.request_class
        request = make(**{f"{collection.resource.lower()}_id": id})
        try:
            item: Any = await self._backend.call(rpc, request, self._context)
        except Fault as fault:
            if fault.reason in _UNSEEN:
                return None
            raise
        if item.sample and not self._with_sample:
            return None
        await self._look(collection.needs)
        return self._made(collection, item)

    async def _look(self, parts: Iterable[Part]) -> None:
        """Find out what there is, and what other records say of it."""
        wanted = set(parts) - self._looked_at
        known = self._known
        if Part.ORGANISATIONS in wanted:
            for collection in ORGANISATIONS:
                names = _NAMES[collection.name]
                async for item in self._all(collection):
                    known.org_units[item.id] = Said(names(item), moment(item.updated_at))
        if Part.PROJECTS in wanted:
            async for item in self._all(PROJECTS):
                title = texts("Title", item.titles)
                known.projects[item.id] = Said(title, moment(item.updated_at))
                self._note_people(item.people, item.updated_at)
        if Part.FUNDINGS in wanted:
            async for item in self._all(AWARDS):
                if item.project_id in known.projects:
                    given = known.fundings.setdefault(item.project_id, [])
                    given.append(entities.funded(item, known))
        self._looked_at |= wanted

    def _note_people(self, people: Iterable[people_pb2.ProjectPerson], changed: Timestamp) -> None:
        for person in people:
            id = entities.person_id(person)
            if not id:
                continue
            before = self._people.get(id)
            # What was said of the same person last is what is said of the person.
            if before is None or before[1].ToNanoseconds() < changed.ToNanoseconds():
                self._people[id] = (person, changed)
                self._known.persons[id] = Said(entities.person_brief(person), moment(changed))

    async def _all(self, collection: Collection) -> AsyncIterator[Any]:
        """All items of a kind that the caller may see."""
        token = ""
        while True:
            items, token = await self._page(collection, token)
            for item in items:
                yield item
            if not token:
                return

    async def _page(self, collection: Collection, token: str) -> tuple[list[Any], str]:
        """Items that the caller may see, none of a list that is not open to them."""
        answer = await self._answer(collection.list_rpc, token, by_change=collection.erased)
        if answer is None:
            return [], ""
        items = [
            item
            for item in getattr(answer, collection.name)
            if (self._with_sample or not item.sample)
            and (not collection.erased or item.HasField("deleted_at"))
        ]
        return items, answer.next_page_token

    async def _first(self, collection: Collection) -> str:
        answer = await self._answer(collection.list_rpc, "", by_change=True, size=1)
        items = () if answer is None else getattr(answer, collection.name)
        return next((moment(item.updated_at) for item in items), "")

    async def _answer(
        self, rpc: Rpc, token: str, *, by_change: bool = False, size: int = _PAGE
    ) -> Any:
        """A page in the order of creation, or in that of changes, with what was deleted."""
        if not self._who.principal.has(*rpc.role_names):
            return None
        make: Callable[..., Message] = rpc.request_class
        request = make(page_size=size, page_token=token)
        if by_change:
            since: Any = request
            since.updated_since.SetInParent()
        return await self._backend.call(rpc, request, self._context)
