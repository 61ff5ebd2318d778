"""Brings aggregates to what the rows of a file say of them.

Every row is a transaction of its own and is found again by its external key, so an
import that breaks off is finished by running it again. The digest of the row that
was last applied is kept: the same row again changes nothing, even when people have
changed the resource since. How rows are only checked is in `servicekit.rehearsal`.
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message import Message
from sqlalchemy.dialects.postgresql import insert

from domainkit.aggregate import Aggregate, Occasion, Stateful
from peyvand.api.v1 import types_pb2
from servicekit.contract import enum_names
from servicekit.database import Database, ReadSession, WriteSession
from servicekit.errors import Fault, Violation, as_fault
from servicekit.store import AggregateStore

Row = TypeVar("Row", bound=Message)
A = TypeVar("A", bound=Aggregate)
S = TypeVar("S", bound=StrEnum)

RowOutcome = tuple[types_pb2.RowAction, str]
Apply = Callable[[WriteSession, Row], Awaitable[RowOutcome]]


def imported_row_table(metadata: sa.MetaData) -> sa.Table:
    """Table of the rows that were applied last, by kind and external key."""
    return sa.Table(
        "imported_row",
        metadata,
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("external_key", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("aggregate_id", sa.Text, nullable=False),
    )


_TABLE = imported_row_table(sa.MetaData())


@dataclass(frozen=True)
class Plan(Generic[Row]):
    """The rows of a file that are one service's, and how it takes them.

    `kind` is what the rows describe, or a function that tells it of each; `key_of` gives
    the external key of one. `apply` brings one row into a session and says what it did.
    `in_order` gives the places of the rows in the order in which they have to be applied.
    """

    rows: Sequence[Row]
    apply: Apply[Row]
    kind: str | Callable[[Row], str]
    key_of: Callable[[Row], str]
    in_order: Callable[[Sequence[Row]], Sequence[int]] | None = None

    def places(self) -> Sequence[int]:
        """The places of the rows in the order in which they are applied."""
        return range(len(self.rows)) if self.in_order is None else self.in_order(self.rows)

    def name(self, row: Row) -> tuple[str, str]:
        """Kind and external key of a row. Raises `Fault` without a key."""
        key = self.key_of(row)
        if not key:
            raise Fault.invalid(Violation("external_key", "REQUIRED"))
        if "\x00" in key:
            raise Fault.invalid(Violation("external_key", "WRONG_FORMAT", {"expected": "no NUL"}))
        return self.kind if isinstance(self.kind, str) else self.kind(row), key


async def apply_rows(database: Database, plan: Plan[Any]) -> list[types_pb2.RowResult]:
    """Apply rows, each in a transaction of its own; one result for each, in their order.

    A row that breaks a rule is refused with its violations, their fields relative to the
    row; the others are not held up by it.
    """

    async def one(session: WriteSession, row: Any) -> RowOutcome:
        kind, key = plan.name(row)
        await _wait_for_others(session, kind, key)
        digest = digest_of(row)
        if (known := await known_row(session, kind, key, digest)) is not None:
            return known
        action, id = await plan.apply(session, row)
        values = {"digest": digest, "aggregate_id": id}
        statement = insert(_TABLE).values(kind=kind, external_key=key, **values)
        columns = [_TABLE.c.kind, _TABLE.c.external_key]
        await session.execute(statement.on_conflict_do_update(index_elements=columns, set_=values))
        return action, id

    results: dict[int, types_pb2.RowResult] = {}
    for place in plan.places():
        row = plan.rows[place]
        work = database.write(lambda session, row=row: one(session, row))
        results[place] = await result_of(plan.key_of(row), work)
    return [results[place] for place in range(len(plan.rows))]


async def upsert(
    session: WriteSession,
    store: AggregateStore[A, Any],
    *,
    external_key: str,
    occasion: Occasion,
    build: Callable[[], A],
    values: dict[str, Any],
    goal: Any = None,
    check: Callable[[A], Awaitable[None]] | None = None,
) -> RowOutcome:
    """Make or change one aggregate, then walk it to the state `goal` if one is given.

    `build` makes a new aggregate; `values` are the editable fields that the row gives;
    `check` raises if the aggregate clashes with others.
    Raises `Fault` ``UNREACHABLE_STATE`` if no steps lead to the goal.
    """
    aggregate = await store.lock_by_key(session, external_key)
    if aggregate is not None and aggregate.deleted_at is not None:
        raise Fault.not_found(store.kind, external_key)
    action = types_pb2.ROW_ACTION_UNCHANGED
    if aggregate is None:
        aggregate = build()
        aggregate.recorded(occasion)
        if check:
            await check(aggregate)
        await store.save(session, aggregate)
        action = types_pb2.ROW_ACTION_CREATED
    elif aggregate.amend(values, occasion):
        if check:
            await check(aggregate)
        await store.save(session, aggregate)
        action = types_pb2.ROW_ACTION_UPDATED
    if goal is not None and isinstance(aggregate, Stateful) and aggregate.state != goal:
        way = aggregate.walk(goal)
        if way is None:
            params = {"state": aggregate.state.value, "goal": str(goal)}
            raise Fault.invalid(Violation("state", "UNREACHABLE_STATE", params))
        for step in way:
            aggregate.take(step, occasion)
            await store.save(session, aggregate)
        if action == types_pb2.ROW_ACTION_UNCHANGED:
            action = types_pb2.ROW_ACTION_UPDATED
    return action, aggregate.id


def stated(number: int, enum: EnumTypeWrapper, states: type[S]) -> S | None:
    """The state that a row says its aggregate ends in, `None` when it says nothing.

    Raises `Fault` for a number that the contract does not have: only a service sets a
    state, so that of a row is not checked with the request.
    """
    names = enum_names(enum.DESCRIPTOR)
    if number not in names:
        allowed = ", ".join(name for known, name in names.items() if known)
        raise Fault.invalid(Violation("state", "UNKNOWN_VALUE", {"allowed": allowed}))
    return states(names[number]) if number else None


async def _wait_for_others(session: WriteSession, kind: str, external_key: str) -> None:
    """Of two imports of the same row at once the second waits, then finds it applied.

    Nobody waits for an import to be answered, so it has more patience with locks than
    people have: it bears with a check of the same row to its end.
    A check has no need of this, and could not afford it: it is one transaction, and the
    locks of ten thousand rows would fill the table that the server keeps them in.
    """
    lock = sa.func.hashtextextended(f"import\x1f{kind}\x1f{external_key}", 0)
    patient = sa.func.set_config("lock_timeout", "0", True)
    await session.row(sa.select(patient, sa.func.pg_advisory_xact_lock(lock)))


def digest_of(row: Message) -> bytes:
    """Digest of all that a row says."""
    return hashlib.sha256(row.SerializeToString(deterministic=True)).digest()


async def known_row(session: ReadSession, kind: str, key: str, digest: bytes) -> RowOutcome | None:
    """What is to be said of a row that was applied last as it is; `None` of any other."""
    known = await session.row(
        sa.select(_TABLE).where(_TABLE.c.kind == kind, _TABLE.c.external_key == key)
    )
    if known is None or known.digest != digest:
        return None
    return types_pb2.ROW_ACTION_UNCHANGED, known.aggregate_id


async def result_of(external_key: str, work: Awaitable[RowOutcome]) -> types_pb2.RowResult:
    """The outcome of a row; one that breaks a rule is refused, with its violations."""
    try:
        action, id = await work
    except Exception as error:
        fault = as_fault(error)
        if fault is None or fault.reason in ("UNAVAILABLE", "INTERNAL"):
            raise
        violations = fault.violations or [Violation("", fault.reason, fault.params)]
        return types_pb2.RowResult(
            external_key=external_key,
            action=types_pb2.ROW_ACTION_REFUSED,
            violations=[
                types_pb2.FieldViolation(field=v.field, reason=v.reason, params=v.params)
                for v in violations
            ],
        )
    return types_pb2.RowResult(external_key=external_key, action=action, id=id)
