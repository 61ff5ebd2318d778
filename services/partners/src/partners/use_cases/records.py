"""What the use cases of all four aggregates share."""

from collections.abc import Iterable
from typing import Any, TypeVar

import sqlalchemy as sa
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message import Message

from domainkit.aggregate import Aggregate, Stateful
from domainkit.values import LocalizedText
from partners.domain.agreement_terms import Signature, Witness, written_out
from partners.repository import persons
from servicekit.contract import enum_names
from servicekit.database import ReadSession
from servicekit.ids import new_id
from servicekit.mapping import read_fields
from servicekit.rpc_server import Call
from servicekit.store import AggregateStore

A = TypeVar("A", bound=Aggregate)
P = TypeVar("P", Signature, Witness)


def new_record(cls: type[A], store: AggregateStore[A, Any], message: Message, call: Call) -> A:
    """A new aggregate with what a message gives, as of now."""
    values = read_fields(message, cls, only={*cls.EDITABLE, "external_key"})
    values |= {"id": new_id(store.id_prefix), "created_at": call.now, "updated_at": call.now}
    if issubclass(cls, Stateful):
        values["state_since"] = call.now
    return cls(**values)


def matching(
    table: sa.Table, request: Any, enums: dict[str, EnumTypeWrapper], *texts: str
) -> list[sa.ColumnElement[bool]]:
    """Conditions for those filters of a list request that are columns of their own."""
    where: list[sa.ColumnElement[bool]] = [
        table.c[name] == enum_names(enum.DESCRIPTOR)[getattr(request, name)]
        for name, enum in enums.items()
        if getattr(request, name)
    ]
    where += [table.c[name] == getattr(request, name) for name in texts if getattr(request, name)]
    return where


def ids_of(references: Iterable[tuple[str, str]]) -> frozenset[str]:
    """The ids among references."""
    return frozenset(id for _, id in references)


async def write_out(session: ReadSession, items: Iterable[P], before: Iterable[P]) -> list[P]:
    """Signatures or witnesses with the names of their persons as they are today.

    What stood in the document `before` stays as it was, whatever the person is called now.
    """
    earlier = {item.person_id: item for item in before if item.person_id}
    written: list[P] = []
    for item in items:
        name, title = item.name, item.title
        if item.person_id and not name:
            old = earlier.get(item.person_id)
            name, title = (old.name, old.title) if old else await _as_is(session, item.person_id)
        written.append(written_out(item, name, title))
    return written


async def _as_is(
    session: ReadSession, person_id: str
) -> tuple[LocalizedText | None, LocalizedText | None]:
    """Name and title of a person as they are now."""
    person = await persons.find(session, person_id)
    if person is None or person.deleted_at is not None:
        return None, None
    return person.name_as_is(), person.title_as_is()
