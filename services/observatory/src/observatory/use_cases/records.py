"""What is done alike with everything that people enter: record, change, step, list, import."""

import typing
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from google.protobuf.message import Message

from domainkit.aggregate import Aggregate, Stateful
from observatory import repository
from observatory.domain.action_items import ActionItem
from observatory.domain.plans import Plan
from observatory.domain.regulations import Regulation
from observatory.domain.sources import Source
from peyvand.observatory.v1 import plan_pb2, regulations_pb2, sources_pb2
from servicekit.contract import enum_names
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault
from servicekit.ids import new_id
from servicekit.imports import RowOutcome, upsert
from servicekit.mapping import read_fields
from servicekit.policy import reaches
from servicekit.requests import given_fields, masked_fields, occasion
from servicekit.rpc_server import Call
from servicekit.store import AggregateStore

A = TypeVar("A", bound=Aggregate)
S = TypeVar("S", bound=Stateful)
R = TypeVar("R", bound=Message)

Check = Callable[[ReadSession, Any], Awaitable[None]]


async def no_check(session: ReadSession, aggregate: Any) -> None:
    """Nothing that one of this kind could clash with."""
    del session, aggregate


@dataclass(frozen=True)
class Kind(Generic[A, R]):
    """One kind of resource that people enter.

    `check` raises `Fault` if one clashes with others, or names something that is not
    there. `fixed` are fields that are given once and never changed.
    """

    cls: type[A]
    store: AggregateStore[A, R]
    check: Check = no_check
    fixed: frozenset[str] = field(default_factory=frozenset[str])

    @property
    def collection(self) -> str:
        """Name of the field that holds many of them: ``action_items``."""
        return self.store.collection

    def id_in(self, request: Any) -> str:
        """Id of the one that a request is about."""
        return getattr(request, f"{self.store.kind}_id")

    @property
    def given(self) -> frozenset[str]:
        """Fields that a caller gives for a new one."""
        return self.cls.EDITABLE | self.fixed | {"external_key"}

    def build(self, message: Message, call: Call) -> A:
        """Make a new one from what a caller gives."""
        values = read_fields(message, self.cls, only=self.given)
        if issubclass(self.cls, Stateful):
            values["state_since"] = call.now
        id = new_id(self.store.id_prefix)
        return self.cls(id=id, created_at=call.now, updated_at=call.now, **values)


async def _check_plan_code(session: ReadSession, plan: Plan) -> None:
    await repository.require_free_plan_code(session, plan)


async def _check_plan(session: ReadSession, item: ActionItem) -> None:
    await repository.require_plan(session, item.plan_id)


SOURCES: Kind[Source, sources_pb2.Source] = Kind(Source, repository.sources)
PLANS: Kind[Plan, plan_pb2.Plan] = Kind(Plan, repository.plans, check=_check_plan_code)
ACTION_ITEMS: Kind[ActionItem, plan_pb2.ActionItem] = Kind(
    ActionItem, repository.action_items, check=_check_plan
)
REGULATIONS: Kind[Regulation, regulations_pb2.Regulation] = Kind(Regulation, repository.regulations)


async def get_record(session: ReadSession, request: Any, call: Call, kind: Kind[A, R]) -> R:
    """Give one resource."""
    return kind.store.present(await kind.store.get(session, kind.id_in(request)), call)


async def list_records(session: ReadSession, request: Any, call: Call, kind: Kind[A, R]) -> Any:
    """Give a page of resources."""
    found, token = await find_page(session, kind, request)
    page = call.rpc.response_class(next_page_token=token)
    getattr(page, kind.collection).extend(kind.store.present(one, call) for one in found)
    return page


async def create_record(session: WriteSession, request: Any, call: Call, kind: Kind[A, R]) -> R:
    """Record a new resource."""
    made = await create(session, kind, getattr(request, kind.store.kind), request, call)
    return kind.store.present(made, call)


async def update_record(session: WriteSession, request: Any, call: Call, kind: Kind[A, R]) -> R:
    """Change what is known of a resource."""
    given = getattr(request, kind.store.kind)
    id = kind.id_in(request)
    changed = await update(session, kind, id, given, request=request, call=call)
    return kind.store.present(changed, call)


async def take_record_step(
    session: WriteSession, request: Any, call: Call, kind: Kind[S, R], action: str
) -> R:
    """Take one step in the life of a resource."""
    aggregate = await kind.store.lock(session, kind.id_in(request), request.etag)
    aggregate.take(action, occasion(request, call))
    await kind.store.save(session, aggregate)
    return kind.store.present(aggregate, call)


async def list_record_steps(
    session: ReadSession, request: Any, call: Call, kind: Kind[A, R]
) -> Message:
    """Give a page of the steps that a resource has taken."""
    id = kind.id_in(request)
    aggregate = await kind.store.get(session, id)
    if not reaches(call.rpc, call.principal, own=kind.store.owned_by(aggregate, call)):
        raise Fault.not_found(kind.store.kind, id)
    steps, token = await kind.store.steps(session, aggregate.id, request)
    return call.rpc.response_class(steps=steps, next_page_token=token)


async def find_page(
    session: ReadSession, kind: Kind[A, R], request: Message
) -> tuple[list[A], str]:
    """Find a page of resources, and the token of the next."""
    return await kind.store.page(session, request, *filters(request, kind.store.table))


async def create(
    session: WriteSession, kind: Kind[A, R], message: Message, request: Message, call: Call
) -> A:
    """Record a new resource."""
    aggregate = kind.build(message, call)
    aggregate.recorded(occasion(request, call))
    await kind.check(session, aggregate)
    await kind.store.save(session, aggregate)
    return aggregate


async def update(
    session: WriteSession, kind: Kind[A, R], id: str, message: Message, *, request: Any, call: Call
) -> A:
    """Change what is known of a resource."""
    # Behind the version, a tag may say what else the caller has seen.
    version = request.etag.partition(".")[0]
    aggregate = await kind.store.lock(session, id, version)
    values = masked_fields(message, kind.cls, request.update_mask.paths)
    if aggregate.amend(values, occasion(request, call)):
        await kind.check(session, aggregate)
        await kind.store.save(session, aggregate)
    return aggregate


async def import_row(
    session: WriteSession, kind: Kind[A, R], message: Any, row: Message, call: Call
) -> RowOutcome:
    """Bring one resource to what a row of a file says of it."""
    values = given_fields(message, kind.cls, kind.cls.EDITABLE)
    if kind.fixed:
        key = kind.store.table.c.external_key == message.external_key
        known = await kind.store.find_by(session, key)
        fixed = given_fields(message, kind.cls, kind.fixed)
        # Those that differ are passed on, so that they are refused by name.
        values |= {name: v for name, v in fixed.items() if known and getattr(known, name) != v}
    goal = None
    if issubclass(kind.cls, Stateful) and message.state:
        names = enum_names(message.DESCRIPTOR.fields_by_name["state"].enum_type)
        goal = typing.get_type_hints(kind.cls)["state"](names[message.state])
    return await upsert(
        session,
        kind.store,
        external_key=message.external_key,
        occasion=occasion(row, call),
        build=lambda: kind.build(message, call),
        values=values,
        goal=goal,
        check=lambda aggregate: kind.check(session, aggregate),
    )


def filters(request: Message, table: sa.Table) -> list[sa.ColumnElement[bool]]:
    """Conditions for the fields of a list request that are named as columns."""
    where: list[sa.ColumnElement[bool]] = []
    for described, value in request.ListFields():
        if described.name not in table.c or described.message_type is not None:
            continue
        enum = described.enum_type
        wanted = value if enum is None else enum_names(enum)[typing.cast("int", value)]
        where.append(table.c[described.name] == wanted)
    return where
