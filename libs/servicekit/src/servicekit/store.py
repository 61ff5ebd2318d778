"""Stores aggregates: one row each, the steps they took, and an event for every step.

Columns are named as the fields of the aggregate; nested values are JSONB. What a
query filters by has a column of its own type. `save` is the only way in, so no
change is without its step and its event.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from google.protobuf.message import Message
from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import JSONB

from domainkit.aggregate import Aggregate, Stateful, Step
from peyvand.api.v1 import types_pb2
from servicekit import paging
from servicekit.contract import descriptor_of, event_spec, resource_spec
from servicekit.database import REHEARSAL, ReadSession, WriteSession
from servicekit.errors import Fault, Violation
from servicekit.mapping import fill, to_datetime, to_message
from servicekit.outbox import MAX_PAYLOAD, Event
from servicekit.personal_data import (
    holds_national_id,
    is_written_national_id,
    personal_data,
)
from servicekit.policy import allowed_actions
from servicekit.rpc_server import Call

A = TypeVar("A", bound=Aggregate)
R = TypeVar("R", bound=Message)

_STEP: TypeAdapter[Step] = TypeAdapter(Step)


def aggregate_columns(prefix: str, *, unique_keys: bool = True) -> list[sa.schema.SchemaItem]:
    """Columns that every aggregate has; `prefix` is that of its ids.

    Without `unique_keys` the table says itself among which rows an external key is unique.
    """
    return [
        sa.Column("id", sa.Text, primary_key=True),
        sa.CheckConstraint(f"starts_with(id, '{prefix}_')", name="id_kind"),
        sa.Column("external_key", sa.Text, unique=unique_keys),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.Column("citations", JSONB, nullable=False),
        sa.Column("sample", sa.Boolean, nullable=False),
    ]


def state_columns(states: type[StrEnum]) -> list[sa.schema.SchemaItem]:
    """Columns of an aggregate with a life cycle; `states` is its `StrEnum`."""
    listed = ", ".join(f"'{state.value}'" for state in states)
    return [
        sa.Column("state", sa.Text, nullable=False),
        sa.CheckConstraint(f"state IN ({listed})", name="state"),
        sa.Column("state_reason", sa.Text, nullable=False),
        sa.Column("state_since", sa.DateTime(timezone=True), nullable=False),
    ]


def step_table(metadata: sa.MetaData) -> sa.Table:
    """Table of the steps that aggregates took; a row is written once and never changed."""
    return sa.Table(
        "step",
        metadata,
        sa.Column("aggregate_id", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True),
        sa.Column("step", JSONB, nullable=False),
    )


@dataclass(frozen=True)
class Staged:
    """One step of an aggregate as it will be written: its row, the step, the event."""

    row: Mapping[str, Any]
    step: Mapping[str, Any]
    event: Event


class AggregateStore(Generic[A, R]):
    """Keeps the aggregates of one class.

    `owned_by` tells whether an aggregate is a caller's own, for grants of scope OWN. `as_told`
    and `step_as_told` give what events tell of an aggregate and of a step that it took, which
    is all of both where they are left out. What is stored stays whole.
    """

    def __init__(
        self,
        cls: type[A],
        *,
        table: sa.Table,
        steps: sa.Table,
        resource: type[R],
        event: type[Message],
        owned_by: Callable[[A, Call], bool] = lambda _aggregate, _call: False,
        as_told: Callable[[A], A] = lambda aggregate: aggregate,
        step_as_told: Callable[[A, Step], Step] = lambda _aggregate, step: step,
    ) -> None:
        self.table = table
        self.resource = resource
        self.as_told = as_told
        self.step_as_told = step_as_told
        self._cls = cls
        self._adapter = TypeAdapter(cls)
        self._steps = steps
        self._event = event
        self._owned_by = owned_by
        self._json_columns = [c.name for c in table.columns if isinstance(c.type, JSONB)]
        self._columns = [c.name for c in table.columns]
        self._plain_columns = [c.name for c in table.columns if not isinstance(c.type, JSONB)]
        spec, announced = resource_spec(descriptor_of(resource)), event_spec(descriptor_of(event))
        if spec is None or announced is None:
            raise TypeError(f"{resource.__name__} and {event.__name__} need their options")
        self._spec = spec
        self._event_names = frozenset(announced.names)
        self._has_etag = "etag" in descriptor_of(resource).fields_by_name
        self._package = resource.DESCRIPTOR.file.package

    @property
    def kind(self) -> str:
        """What the resource is called: ``center``."""
        return self._spec.aggregate

    @property
    def collection(self) -> str:
        """Name of the field that holds many of them in a list: ``centers``."""
        return self._spec.plural.replace("-", "_")

    @property
    def id_prefix(self) -> str:
        """Prefix of the ids."""
        return self._spec.id_prefix

    async def find(self, session: ReadSession, id: str) -> A | None:
        """The aggregate with this id, or `None`."""
        return await self.find_by(session, self.table.c.id == id)

    async def find_by(self, session: ReadSession, *where: sa.ColumnElement[bool]) -> A | None:
        """The first aggregate that fits, or `None`."""
        row = await session.row(sa.select(self.table).where(*where).limit(1))
        return None if row is None else self.load(row)

    async def get(self, session: ReadSession, id: str) -> A:
        """The aggregate with this id. Raises `Fault` ``NOT_FOUND``, also for a deleted one."""
        found = await self.find(session, id)
        if found is None or found.deleted_at is not None:
            raise Fault.not_found(self.kind, id)
        return found

    async def lock(self, session: WriteSession, id: str, etag: str | None = None) -> A:
        """Read an aggregate to change it; other writers wait until the transaction ends.

        With `etag` (empty when the caller gave none) the caller must have read this
        version. Raises `Fault` ``NOT_FOUND``, ``PRECONDITION_REQUIRED``, ``STALE_ETAG``.
        """
        query = sa.select(self.table).where(self.table.c.id == id).with_for_update()
        row = await session.row(query)
        if row is None or row.deleted_at is not None:
            raise Fault.not_found(self.kind, id)
        if etag == "":
            raise Fault("PRECONDITION_REQUIRED")
        aggregate = self.load(row)
        # What may stand behind a dot tells representations of one version apart.
        if etag is not None and etag.partition(".")[0] != etag_of(aggregate):
            raise Fault("STALE_ETAG")
        return aggregate

    async def lock_by_key(self, session: WriteSession, external_key: str) -> A | None:
        """Read an aggregate by its external key to change it, or `None`."""
        key = self.table.c.external_key == external_key
        row = await session.row(sa.select(self.table).where(key).with_for_update())
        return None if row is None else self.load(row)

    async def save(
        self,
        session: WriteSession,
        aggregate: A,
        *,
        beside: Mapping[str, Message | int] | None = None,
    ) -> None:
        """Write the one step that an aggregate has taken, and announce it.

        `beside` are further fields of the event, by name: messages or numbers. Raises `Fault`
        ``EXTERNAL_KEY_TAKEN`` for a new aggregate whose key is in use, and for one that
        has become too large for an event, or holds what looks like a personal identifier.
        """
        (step,) = aggregate.pending
        messages = [value for value in (beside or {}).values() if isinstance(value, Message)]
        messages.insert(0, to_message(aggregate, self.resource))
        if found := _personal(aggregate, step, messages):
            raise Fault.invalid(*found)
        # The time of the last change is that of the database, taken when the row is its
        # own: changes of a row are then in order, and `_SETTLED` can tell what is to come.
        values = self._row(aggregate) | {"updated_at": sa.func.clock_timestamp()}
        if step.version == 1:
            await self._check_key(session, aggregate)
            write = sa.insert(self.table).values(values)
        else:
            own = (self.table.c.id == aggregate.id, self.table.c.version == step.version - 1)
            write = sa.update(self.table).where(*own).values(values)
        written = (await session.execute(write.returning(self.table.c.updated_at))).scalar()
        if written is None:
            raise Fault("STALE_ETAG")
        aggregate.updated_at = written
        row = {
            "aggregate_id": aggregate.id,
            "version": step.version,
            "step": _STEP.dump_python(step, mode="json"),
        }
        await session.execute(sa.insert(self._steps), [row])
        session.emit(self._announce(aggregate, step, beside or {}))
        aggregate.pending.clear()

    def stage(self, aggregate: A, written_at: datetime) -> Staged:
        """Make ready to write, among many, the one step that an aggregate has taken.

        `written_at` is the database's `clock_timestamp()`, taken in the transaction that
        will write it, once the rows that change are locked. Raises `Fault` as `save` does;
        whose external keys are free is for the caller to see.
        """
        (step,) = aggregate.pending
        if found := _personal(aggregate, step, [to_message(aggregate, self.resource)]):
            raise Fault.invalid(*found)
        aggregate.updated_at = written_at
        staged = Staged(
            row=self._row(aggregate),
            step={
                "aggregate_id": aggregate.id,
                "version": step.version,
                "step": _STEP.dump_python(step, mode="json"),
            },
            event=self._announce(aggregate, step, {}),
        )
        aggregate.pending.clear()
        return staged

    async def save_staged(self, session: WriteSession, staged: Sequence[Staged]) -> None:
        """Write many steps, in a handful of statements however many there are.

        Those of one aggregate stand in their order. The caller holds the locks of the rows
        that change, and has read them under these.
        """
        first = {item.row["id"]: item.row["version"] for item in reversed(staged)}
        last = {item.row["id"]: item.row for item in staged}
        new = [row for id, row in last.items() if first[id] == 1]
        changed = [row for id, row in last.items() if first[id] != 1]
        if new:
            await session.execute(sa.insert(self.table), new)
        if changed:
            values = {name: sa.bindparam(f"new_{name}") for name in self._columns if name != "id"}
            own = self.table.c.id == sa.bindparam("new_id")
            rows = [{f"new_{name}": value for name, value in row.items()} for row in changed]
            await session.execute(sa.update(self.table).where(own).values(values), rows)
        if staged:
            await session.execute(sa.insert(self._steps), [dict(item.step) for item in staged])
        for item in staged:
            session.emit(item.event)

    async def page(
        self, session: ReadSession, request: Any, *where: sa.ColumnElement[bool]
    ) -> tuple[list[A], str]:
        """One page for a list request and the token of the next, empty on the last.

        The order is that of creation; with `updated_since` that of the last change,
        and deleted aggregates are included. A change is then held back while one that
        comes before it may still be under way: who asks again from the last change
        that was given misses none.
        """
        table, size = self.table, paging.page_size(request)
        query = sa.select(table).where(*where).limit(size + 1)
        by_change = _asks_for_changes(request)
        if by_change:
            after = paging.read_token(request, paging.moment, paging.text)
            order = sa.tuple_(table.c.updated_at, table.c.id)
            since = to_datetime(request.updated_since)
            settled = await session.scalar(_SETTLED)
            query = query.where(table.c.updated_at >= since, table.c.updated_at < settled)
            if after:
                position = sa.tuple_(
                    sa.literal(after[0], sa.DateTime(timezone=True)), sa.literal(after[1])
                )
                query = query.where(order > position)
            query = query.order_by(table.c.updated_at, table.c.id)
        else:
            after = paging.read_token(request, paging.text)
            query = query.where(table.c.deleted_at.is_(None)).order_by(table.c.id)
            if after:
                query = query.where(table.c.id > after[0])
        rows = await session.rows(query)
        token = ""
        if len(rows) > size:
            last = rows[size - 1]
            moment = [last.updated_at.isoformat()] if by_change else []
            token = paging.write_token(request, [*moment, last.id])
        return [self.load(row) for row in rows[:size]], token

    async def steps(self, session: ReadSession, id: str, request: Any) -> tuple[list[Any], str]:
        """A page of the steps that an aggregate took, the oldest first, and the next token."""
        size, after = paging.page_size(request), paging.read_token(request, paging.number)
        query = (
            sa.select(self._steps)
            .where(self._steps.c.aggregate_id == id)
            .where(self._steps.c.version > (after[0] if after else 0))
            .order_by(self._steps.c.version)
            .limit(size + 1)
        )
        rows = await session.rows(query)
        token = ""
        if len(rows) > size:
            token = paging.write_token(request, [str(rows[size - 1].version)])
        steps = [_STEP.validate_python(row.step) for row in rows[:size]]
        return [to_message(step, types_pb2.Step) for step in steps], token

    def present(
        self,
        aggregate: A,
        call: Call,
        *,
        own: bool | None = None,
        steps: Sequence[str] | None = None,
    ) -> R:
        """The aggregate as this caller sees it, with the steps that this caller may take.

        Where that does not stand in the aggregate alone, whoever knows says whether it is
        the caller's own, and which steps of its life are open to this caller.
        """
        message: Any = self._message(aggregate)
        descriptor = descriptor_of(self.resource)
        if aggregate.deleted_at is None and "allowed_actions" in descriptor.fields_by_name:
            if steps is None:
                steps = self._allowed_steps(aggregate)
            if own is None:
                own = self._owned_by(aggregate, call)
            possible = [*_editing(aggregate), *steps]
            actions = allowed_actions(descriptor, possible, call.principal, own=own)
            message.allowed_actions.extend(actions)
        return message

    def owned_by(self, aggregate: A, call: Call) -> bool:
        """Tell whether an aggregate is the caller's own."""
        return self._owned_by(aggregate, call)

    def load(self, row: sa.Row[Any]) -> A:
        """Build the aggregate from a row that has all columns of the table."""
        return self._adapter.validate_python(dict(zip(self._columns, row, strict=True)))

    def _row(self, aggregate: A) -> dict[str, Any]:
        row = {name: getattr(aggregate, name) for name in self._plain_columns}
        included = dict.fromkeys(self._json_columns, True)
        row |= self._adapter.dump_python(aggregate, mode="json", include=included)
        return row

    def _message(self, aggregate: A) -> R:
        message: Any = to_message(aggregate, self.resource)
        if aggregate.deleted_at is not None:
            for field, _ in message.ListFields():
                if field.name not in _TOMBSTONE:
                    message.ClearField(field.name)
        if self._has_etag:
            message.etag = etag_of(aggregate)
        return message

    def _allowed_steps(self, aggregate: A) -> list[str]:
        return aggregate.allowed_steps() if isinstance(aggregate, Stateful) else []

    def _announce(self, aggregate: A, step: Step, beside: Mapping[str, Message | int]) -> Event:
        if step.action not in self._event_names:
            raise ValueError(f"{self._event.__name__} does not announce {step.action!r}")
        message: Any = self._event()
        getattr(message, self.kind).CopyFrom(self._message(self.as_told(aggregate)))
        fill(message.change.step, self.step_as_told(aggregate, step))
        for name, value in beside.items():
            if isinstance(value, Message):
                getattr(message, name).CopyFrom(value)
            else:
                setattr(message, name, value)
        payload = message.SerializeToString(deterministic=True)
        # Steps have to be possible also for what has grown as large as people may make it.
        most = MAX_PAYLOAD if step.action not in _BY_PEOPLE else MAX_PAYLOAD - _ROOM_FOR_STEPS
        if len(payload) > most:
            expected = {"expected": f"at most {most} bytes altogether"}
            raise Fault.invalid(Violation(self.kind, "OUT_OF_RANGE", expected))
        service = self._package.split(".")[1]
        return Event(
            type=f"{self._package}.{self.kind}.{step.action}",
            subject=f"evt.{service}.{self.kind}.{step.action}.{aggregate.id}",
            aggregate_id=aggregate.id,
            aggregate_version=aggregate.version,
            payload=payload,
            time=step.at,
        )

    async def _check_key(self, session: WriteSession, aggregate: A) -> None:
        # Where the column is not unique, whoever keeps the table sees to the keys.
        if aggregate.external_key is None or not self.table.c.external_key.unique:
            return
        taken = await session.scalar(
            sa.select(self.table.c.id).where(self.table.c.external_key == aggregate.external_key)
        )
        if taken:
            raise Fault("EXTERNAL_KEY_TAKEN", {"external_key": aggregate.external_key, "id": taken})


# Every change before this time is there to be read: each transaction under way in the
# database of the service began later, and changes are dated after that; a rehearsal
# changes nothing. Taken in a statement before the one that reads; the asking
# transaction itself counts, so that there always is an answer.
_SETTLED = (
    sa.select(sa.func.min(sa.column("xact_start", sa.DateTime(timezone=True))))
    .select_from(sa.table("pg_stat_activity"))
    .where(
        sa.column("application_name") != sa.literal_column(f"'{REHEARSAL}'"),
        sa.column("datname") == sa.func.current_database(),
        sa.column("usename") == sa.literal_column("current_user"),
    )
)

# The steps in which people enter values, and what these leave of an event, in bytes.
_BY_PEOPLE = frozenset({"created", "updated"})
_ROOM_FOR_STEPS = 200_000
# What is told of a deleted aggregate, besides its version.
_TOMBSTONE = frozenset({"id", "created_at", "updated_at", "deleted_at"})


def etag_of(aggregate: Aggregate) -> str:
    """Version tag of an aggregate, as `If-Match` carries it."""
    return f"v{aggregate.version}"


def _personal(aggregate: Aggregate, step: Step, messages: Sequence[Message]) -> list[Violation]:
    """What looks like a personal identifier in what a step writes."""
    found = [item for message in messages for item in personal_data(message)]
    # The reason of most steps is that of the state as well, and told as such.
    if holds_national_id(step.reason) and all(item.field != "state_reason" for item in found):
        found.append(Violation("reason", "PERSONAL_DATA"))
    # A key is never changed: what has one already can only be left, or deleted.
    if step.version == 1 and is_written_national_id(aggregate.external_key or ""):
        found.append(Violation("external_key", "PERSONAL_DATA"))
    return found


def _asks_for_changes(request: Any) -> bool:
    """Whether a list is asked for by time of change; what never changes has none such."""
    known = "updated_since" in request.DESCRIPTOR.fields_by_name
    return known and request.HasField("updated_since")


def _editing(aggregate: Aggregate) -> Sequence[str]:
    return ("update", "delete") if aggregate.can_be_amended() else ("delete",)
