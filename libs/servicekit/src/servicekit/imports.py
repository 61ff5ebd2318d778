"""Brings aggregates to what the rows of a file say of them.

Every row is a transaction of its own and is found again by its external key, so an
import that breaks off is finished by running it again. The digest of the row that
was last applied is kept: the same row again changes nothing, even when people have
changed the resource since. A check runs all rows in one transaction that is rolled
back, so later rows see what earlier ones would have made.
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Any, TypeVar

import sqlalchemy as sa
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message import Message
from sqlalchemy.dialects.postgresql import insert

from domainkit.aggregate import Aggregate, Occasion, Stateful, without_reason
from peyvand.api.v1 import types_pb2
from servicekit.contract import enum_names
from servicekit.database import Database, WriteSession
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


async def import_rows(
    database: Database,
    rows: Sequence[Row],
    apply: Apply[Row],
    *,
    kind: str | Callable[[Row], str],
    key_of: Callable[[Row], str],
    validate_only: bool,
    in_order: Callable[[Sequence[Row]], Sequence[int]] | None = None,
) -> list[types_pb2.RowResult]:
    """Apply rows, or only check them; one result for each, in the order of `rows`.

    `kind` is what the rows describe, or a function that tells it of each. `apply` brings
    one row into a session and says what it did. A row that breaks a rule is refused with
    its violations, their fields relative to the row; the others are not held up by it.
    `in_order` gives the places of the rows in the order in which they have to be applied.
    """
    places = range(len(rows)) if in_order is None else in_order(rows)
    ordered = [rows[place] for place in places]

    async def one(session: WriteSession, row: Row) -> RowOutcome:
        row_kind = kind if isinstance(kind, str) else kind(row)
        return await _apply_unless_known(session, row, apply, row_kind, key_of(row))

    async def check(session: WriteSession) -> list[types_pb2.RowResult]:
        return [await _result(key_of(row), _attempt(session, row, one)) for row in ordered]

    if validate_only:
        results = await database.rehearse(check)
        for result in results:
            if result.action == types_pb2.ROW_ACTION_CREATED:
                result.id = ""  # the id was made for the check alone
    else:
        results = [
            await _result(key_of(row), database.write(lambda session, row=row: one(session, row)))
            for row in ordered
        ]
    placed = dict(zip(places, results, strict=True))
    return [placed[place] for place in range(len(rows))]


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
        aggregate.recorded(without_reason(occasion))
        if check:
            await check(aggregate)
        await store.save(session, aggregate)
        action = types_pb2.ROW_ACTION_CREATED
    elif aggregate.amend(values, without_reason(occasion)):
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


async def _apply_unless_known(
    session: WriteSession, row: Row, apply: Apply[Row], kind: str, external_key: str
) -> RowOutcome:
    if not external_key:
        raise Fault.invalid(Violation("external_key", "REQUIRED"))
    if "\x00" in external_key:
        raise Fault.invalid(Violation("external_key", "WRONG_FORMAT", {"expected": "no NUL"}))
    digest = hashlib.sha256(row.SerializeToString(deterministic=True)).digest()
    # Two imports of the same row at once: the second waits here, then finds it applied.
    lock = sa.func.hashtextextended(f"import\x1f{kind}\x1f{external_key}", 0)
    await session.scalar(sa.select(sa.func.pg_advisory_xact_lock(lock)))
    known = await session.row(
        sa.select(_TABLE).where(_TABLE.c.kind == kind, _TABLE.c.external_key == external_key)
    )
    if known is not None and known.digest == digest:
        return types_pb2.ROW_ACTION_UNCHANGED, known.aggregate_id
    action, id = await apply(session, row)
    values = {"digest": digest, "aggregate_id": id}
    statement = insert(_TABLE).values(kind=kind, external_key=external_key, **values)
    key = [_TABLE.c.kind, _TABLE.c.external_key]
    await session.execute(statement.on_conflict_do_update(index_elements=key, set_=values))
    return action, id


async def _attempt(
    session: WriteSession, row: Row, one: Callable[[WriteSession, Row], Awaitable[RowOutcome]]
) -> RowOutcome:
    async with session.attempt():
        return await one(session, row)


async def _result(external_key: str, work: Awaitable[RowOutcome]) -> types_pb2.RowResult:
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
