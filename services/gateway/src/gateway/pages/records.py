"""One resource with all that a reader may know of it: read by the contract, whatever its kind.

Its page stands at its address in the API without the version: ``/centers/ctr_…``. Which rpc
gives it, which its steps, and which step is taken by which verb, is read from the HTTP rules
of the contract, so that a new kind of resource has its page with its contract.
"""

import asyncio
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from google.protobuf.message import Message

from gateway.auth import Caller
from gateway.languages import Language
from gateway.pages.beside import Beside, read_beside
from gateway.pages.forms import put
from gateway.pages.own_steps import OWN_STEPS
from gateway.transcoding import Backend
from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import criteria_pb2, projects_pb2
from servicekit.contract import Rpc, contract, descriptor_of, resource_spec
from servicekit.errors import Fault
from servicekit.policy import authorize, reaches
from servicekit.rpc_client import CallContext

# What the form of any step asks for, besides what the page itself knows.
_ASKED = frozenset({"reason", "comment"})
_KNOWN = frozenset({"etag", "idempotency_key", "effective_date"})
# A place of a row in the name of a field.
_ROW = re.compile(r"\[\d+\]")
_MANY = 50
# Lists that belong on the page of a resource: collection, and the filter that narrows it.
RELATED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "centers": (
        ("nodes", "center_id"),
        ("period-reports", "center_id"),
        ("projects", "center_id"),
    ),
    "nodes": (("refused-reports", "node_id"),),
    "institutions": (("agreements", "institution_id"),),
    "agreements": (("activities", "agreement_id"),),
    "projects": (
        ("gates", "project_id"),
        ("conditions", "project_id"),
        ("evidence", "project_id"),
        ("waivers", "project_id"),
        ("readiness-claims", "project_id"),
        ("outputs", "project_id"),
        ("awards", "project_id"),
        ("companies", "project_id"),
    ),
    "plans": (("indicators", "plan_id"),),
}


@dataclass(frozen=True)
class Verb:
    """A step that a form can take: its name in addresses, and the rpc that takes it.

    `place` is the path of the id in the request, `asks` are the paths of what a form gives
    (``conditions[].owner`` in each row), `preset` and `along` are as `OwnStep` has them.
    """

    name: str
    rpc: Rpc
    place: str
    asks: frozenset[str]
    preset: Mapping[str, str] = field(default_factory=dict[str, str])
    along: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def field(self) -> str:
        """The field for what the person says: ``reason`` or ``comment``."""
        return next(iter(_ASKED & self.asks), "")

    @property
    def makes_another(self) -> bool:
        """Whether something is made for the resource: it stands in what is to be made."""
        return "." in self.place

    def request(self, id: str, typed: Mapping[str, str]) -> Message:
        """The step as a form asks for it. Raises `Fault` for what cannot stand in it."""
        request: Any = self.rpc.request_class()
        put(request, self.place, id)
        for name, value in self.preset.items():
            put(request, name, value)
        fields = descriptor_of(self.rpc.request_class).fields_by_name
        for name in ("etag", "idempotency_key"):
            if name in fields and typed.get(name):
                setattr(request, name, typed[name].strip())
        given = {
            name: text
            for name, text in typed.items()
            if _ROW.sub("[]", name) in self.asks and text.strip()
        }
        broken = [
            violation
            for name, text in (*given.items(), *self._along(given, typed))
            if (violation := put(request, name, text)) is not None
        ]
        if broken:
            raise Fault.invalid(*broken)
        return request

    def _along(
        self, given: Mapping[str, str], typed: Mapping[str, str]
    ) -> Iterable[tuple[str, str]]:
        """What goes along with what is given: beside it, under the name that it has elsewhere."""
        for name in given:
            source = self.along.get(_ROW.sub("[]", name), "")
            if text := typed.get(source, "").strip():
                yield f"{name.rpartition('.')[0]}.{source.rpartition('.')[2]}", text


@dataclass(frozen=True)
class Kind:
    """A kind of resource as the pages know it. `steps` is `None` where it keeps none."""

    collection: str
    aggregate: str
    id_prefix: str
    get: Rpc
    steps: Rpc | None
    list: Rpc | None
    verbs: Mapping[str, Verb]

    def request(self, rpc: Rpc, id: str) -> Any:
        """A request of an rpc of one resource, that names the resource."""
        message: Any = rpc.request_class()
        setattr(message, _id_field(rpc), id)
        return message

    def address(self, id: str, verb: str) -> str:
        """Where the form of a step is sent to."""
        return f"/pages/records/{self.collection}/{id}/{verb}"

    def verb(self, name: str) -> Verb:
        """A step by its name in addresses. Raises `Fault` for one that no form can take."""
        known = self.verbs.get(name)
        if known is None:
            raise Fault("ROUTE_NOT_FOUND")
        return known


@dataclass(frozen=True)
class Related:
    """Resources of another kind that belong to the one that is shown."""

    kind: Kind
    items: Sequence[Message]
    has_more: bool


@dataclass(frozen=True)
class Record:
    """A resource, what happened to it (the latest first), and what belongs to it.

    `may` are the steps that the reader may take whatever the state is, with what is of a
    project of theirs or of any.
    """

    kind: Kind
    resource: Message
    steps: Sequence[types_pb2.Step]
    related: Sequence[Related]
    next_gate: criteria_pb2.NextGate | None = None
    beside: Beside = field(default_factory=Beside)
    may: frozenset[str] = frozenset()


@functools.cache
def kinds() -> Mapping[str, Kind]:
    """The kinds of resources that have a page, by their collection."""
    found: dict[str, Kind] = {}
    for message in contract().messages():
        spec = resource_spec(message)
        get = spec and _rpc("GET", rf"/v1/{spec.plural}/\{{\w+\}}")
        if spec is None or get is None:
            continue
        found[spec.plural] = Kind(
            collection=spec.plural,
            aggregate=spec.aggregate,
            id_prefix=spec.id_prefix,
            get=get,
            steps=_rpc("GET", rf"/v1/{spec.plural}/\{{\w+\}}/steps"),
            list=_list(spec.plural),
            verbs={**_verbs(spec.plural), **_own_verbs(spec.plural)},
        )
    return found


@functools.cache
def collection_of(id: str) -> str:
    """The collection that an id belongs to, by its prefix; empty where it has no page."""
    prefix = id.partition("_")[0]
    return next((kind.collection for kind in kinds().values() if kind.id_prefix == prefix), "")


def address_of(id: str) -> str:
    """Address of the page of a resource; empty where it has none."""
    collection = collection_of(id)
    return f"/{collection}/{id}" if collection else ""


class Records:
    """Reads resources, and takes steps with them, for one caller. Raises `Fault`."""

    def __init__(self, backend: Backend, timeout: float) -> None:
        self._backend = backend
        self._timeout = timeout

    async def read(self, who: Caller, kind: Kind, id: str, language: Language) -> Record:
        """One resource as this caller may see it."""
        resource, steps, related, next_gate = await asyncio.gather(
            self._call(who, kind.get, kind.request(kind.get, id), language),
            self._steps(who, kind, id, language),
            self._related(who, kind, id, language),
            self._next_gate(who, kind, id, language),
        )
        beside = await read_beside(
            resource, lambda rpc, asked: self._call(who, rpc, asked, language)
        )
        own = _is_own(beside.project, who)
        may = frozenset(
            name for name, verb in kind.verbs.items() if reaches(verb.rpc, who.principal, own=own)
        )
        return Record(kind, resource, steps, related, next_gate, beside, may)

    async def step(
        self, who: Caller, verb: Verb, id: str, typed: Mapping[str, str], language: Language
    ) -> str:
        """Take one step with a resource, as it was when the page showed it.

        Gives the id of what there is now: of the resource, or of what was made for it.
        """
        answer: Any = await self._call(who, verb.rpc, verb.request(id, typed), language)
        return str(answer.id) if verb.makes_another else id

    async def _steps(
        self, who: Caller, kind: Kind, id: str, language: Language
    ) -> Sequence[types_pb2.Step]:
        if kind.steps is None or not who.principal.has(*kind.steps.role_names):
            return ()
        found: list[types_pb2.Step] = []
        request = kind.request(kind.steps, id)
        request.page_size = 200
        # The oldest stand first: of a long life the last page is what people look for.
        for _ in range(_MANY):
            answer: Any = await self._call(who, kind.steps, request, language)
            found = [*found, *answer.steps][-200:]
            if not answer.next_page_token:
                break
            request.page_token = answer.next_page_token
        return found[::-1]

    async def _related(
        self, who: Caller, kind: Kind, id: str, language: Language
    ) -> Sequence[Related]:
        return [
            found
            for collection, field in RELATED.get(kind.collection, ())
            if (found := await self._listed(who, collection, {field: id}, language)) is not None
        ]

    async def _next_gate(
        self, who: Caller, kind: Kind, id: str, language: Language
    ) -> criteria_pb2.NextGate | None:
        """What a project still needs; other kinds go through no gates."""
        if kind.aggregate != "project":
            return None
        rpc = contract().rpcs["/peyvand.projects.v1.Criteria/GetNextGate"]
        if not who.principal.has(*rpc.role_names):
            return None
        answer = await self._call(who, rpc, kind.request(rpc, id), language)
        assert isinstance(answer, criteria_pb2.NextGate)
        return answer

    async def _listed(
        self, who: Caller, collection: str, where: Mapping[str, str], language: Language
    ) -> Related | None:
        kind = kinds().get(collection)
        if kind is None or kind.list is None or not who.principal.has(*kind.list.role_names):
            return None
        request: Any = kind.list.request_class(page_size=_MANY, **where)
        answer: Any = await self._call(who, kind.list, request, language)
        items = cast("Sequence[Message]", getattr(answer, collection.replace("-", "_")))
        return Related(kind, items, bool(answer.next_page_token))

    async def _call(self, who: Caller, rpc: Rpc, request: Message, language: Language) -> Message:
        authorize(rpc, who.principal)
        context = CallContext(who.token, language, self._timeout)
        return await self._backend.call(rpc, request, context)


def _is_own(project: projects_pb2.Project | None, who: Caller) -> bool:
    """Whether a project is led by a center of the reader, or one takes part in it."""
    if project is None:
        return False
    centers = {project.lead_center_id, *(item.center_id for item in project.participants)}
    return not centers.isdisjoint(who.principal.center_ids)


def _id_field(rpc: Rpc) -> str:
    match = re.search(r"\{(\w+)\}", rpc.http.path if rpc.http else "")
    if match is None:
        raise ValueError(f"{rpc.path} is not about one resource")
    return match[1]


def _rpc(method: str, path: str) -> Rpc | None:
    for rpc in contract().rpcs.values():
        if rpc.http and rpc.http.method == method and re.fullmatch(path, rpc.http.path):
            return rpc
    return None


def _list(plural: str) -> Rpc | None:
    found = _rpc("GET", f"/v1/{plural}")
    if found is None or "page_size" not in descriptor_of(found.request_class).fields_by_name:
        return None
    return found


def _verbs(plural: str) -> dict[str, Verb]:
    """Steps that need no more than a few words."""
    found: dict[str, Verb] = {}
    for rpc in contract().rpcs.values():
        path = rpc.http.path if rpc.http and rpc.http.method == "POST" else ""
        match = re.fullmatch(rf"/v1/{plural}/\{{(\w+)\}}:([a-z-]+)", path)
        if match is None:
            continue
        names = set(descriptor_of(rpc.request_class).fields_by_name)
        if names <= {match[1], *_ASKED, *_KNOWN}:
            found[match[2]] = Verb(match[2], rpc, match[1], _ASKED & names)
    return found


def _own_verbs(plural: str) -> dict[str, Verb]:
    """Steps that need more, and have a form of their own."""
    return {
        name: Verb(
            name,
            contract().rpcs[f"/peyvand.projects.v1.{step.rpc}"],
            step.place,
            frozenset(step.asks),
            step.preset,
            step.along,
        )
        for name, step in OWN_STEPS.get(plural, {}).items()
    }
