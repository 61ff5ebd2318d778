"""Rows of a file: found, put in order, and brought in one by one."""

from collections.abc import Sequence
from typing import Any

from observatory import repository
from observatory.use_cases.indicators import INDICATORS, import_observation
from observatory.use_cases.records import (
    ACTION_ITEMS,
    PLANS,
    REGULATIONS,
    SOURCES,
    Kind,
    import_row,
)
from peyvand.observatory.v1 import observatory_pb2 as pb
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault, Violation
from servicekit.imports import RowOutcome
from servicekit.references import FindByKey, References
from servicekit.rpc_server import Call
from servicekit.store import AggregateStore

# What may be referred to comes before what refers to it.
_ORDER = ("source", "plan", "indicator", "observation", "action_item", "regulation")
_KINDS: dict[str, Kind[Any, Any]] = {
    "source": SOURCES,
    "plan": PLANS,
    "indicator": INDICATORS,
    "action_item": ACTION_ITEMS,
    "regulation": REGULATIONS,
}


def kind_of(row: pb.ObservatoryRow) -> str:
    """What a row describes; empty when it describes nothing."""
    return row.WhichOneof("row") or ""


def key_of(row: pb.ObservatoryRow) -> str:
    """External key of what a row describes."""
    kind = kind_of(row)
    return getattr(getattr(row, kind), kind).external_key if kind else ""


def in_order(rows: Sequence[pb.ObservatoryRow]) -> list[int]:
    """Places of the rows so that each comes after those of the file that it refers to."""
    observed = {key_of(row): row for row in rows if kind_of(row) == "observation"}

    def depth(row: pb.ObservatoryRow, seen: frozenset[str] = frozenset()) -> int:
        key = row.observation.references.get("revision_of", "")
        if key not in observed or key in seen:
            return 0
        return 1 + depth(observed[key], seen | {key})

    def rank(place: int) -> tuple[int, int]:
        kind = kind_of(rows[place])
        number = _ORDER.index(kind) if kind else len(_ORDER)
        return number, depth(rows[place]) if kind == "observation" else 0

    return sorted(range(len(rows)), key=rank)


def references() -> References:
    """What follows the references of one import."""
    stores: list[AggregateStore[Any, Any]] = [
        repository.plans,
        repository.indicators,
        repository.observations,
    ]
    return References({store.kind: _finder(store) for store in stores})


async def import_one(
    session: WriteSession, row: pb.ObservatoryRow, call: Call, follower: References
) -> RowOutcome:
    """Bring one resource to what a row of a file says of it."""
    kind = kind_of(row)
    if not kind:
        raise Fault.invalid(Violation("row", "REQUIRED"))
    inner: Any = await follower.follow(session, getattr(row, kind), kind)
    message = getattr(inner, kind)
    if kind == "observation":
        return await import_observation(session, message, call)
    return await import_row(session, _KINDS[kind], message, inner, call)


def _finder(store: AggregateStore[Any, Any]) -> FindByKey:
    async def find(session: ReadSession, key: str) -> str | None:
        found = await store.find_by(session, store.table.c.external_key == key)
        return None if found is None else found.id

    return find
