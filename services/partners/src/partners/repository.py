"""How institutions, persons, agreements and activities are stored, found and seen."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from domainkit.aggregate import Aggregate
from domainkit.values import ImpreciseDate
from partners import tables
from partners.domain.activities import Activity, ActivityState
from partners.domain.agreements import BEFORE_SIGNED, Agreement, AgreementState
from partners.domain.institutions import Institution
from partners.domain.persons import Person
from peyvand.partners.v1 import activities_pb2, agreements_pb2, institutions_pb2
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault, Violation
from servicekit.identity import Principal
from servicekit.references import FindByKey
from servicekit.store import AggregateStore

institutions: AggregateStore[Institution, institutions_pb2.Institution] = AggregateStore(
    Institution,
    table=tables.institution,
    steps=tables.service_tables.step,
    resource=institutions_pb2.Institution,
    event=institutions_pb2.InstitutionEvent,
)
persons: AggregateStore[Person, institutions_pb2.Person] = AggregateStore(
    Person,
    table=tables.person,
    steps=tables.service_tables.step,
    resource=institutions_pb2.Person,
    event=institutions_pb2.PersonEvent,
)
agreements: AggregateStore[Agreement, agreements_pb2.Agreement] = AggregateStore(
    Agreement,
    table=tables.agreement,
    steps=tables.service_tables.step,
    resource=agreements_pb2.Agreement,
    event=agreements_pb2.AgreementEvent,
)
activities: AggregateStore[Activity, activities_pb2.Activity] = AggregateStore(
    Activity,
    table=tables.activity,
    steps=tables.service_tables.step,
    resource=activities_pb2.Activity,
    event=activities_pb2.ActivityEvent,
)
_STORES: tuple[AggregateStore[Any, Any], ...] = (institutions, persons, agreements, activities)
_BY_PREFIX = {store.id_prefix: store for store in _STORES}
# Where it is looked up whether an id that is referred to is there, by its prefix.
_TABLES = {**{store.id_prefix: store.table for store in _STORES}, "ctr": tables.known_center}
_KINDS = {**{store.id_prefix: store.kind for store in _STORES}, "ctr": "center"}


def _by_key(table: sa.Table) -> FindByKey:
    deleted_at = table.c.get("deleted_at")

    async def find(session: ReadSession, external_key: str) -> str | None:
        query = sa.select(table.c.id).where(table.c.external_key == external_key)
        if deleted_at is not None:
            query = query.where(deleted_at.is_(None))
        return await session.scalar(query.limit(1))

    return find


FIND_BY_KEY: Mapping[str, FindByKey] = {
    _KINDS[prefix]: _by_key(table) for prefix, table in _TABLES.items()
}
"""How a row's external keys are found, by the kind of resource."""

Condition = sa.ColumnElement[bool]

_SEES_ALL = ("hq_admin", "hq_analyst", "service")
_agreement, _activity = tables.agreement.c, tables.activity.c


def holds(column: sa.ColumnElement[Any], **item: str) -> Condition:
    """The list in a JSONB column has an item with these values."""
    return column.contains([item])


def visible_agreements(principal: Principal) -> Condition:
    """The agreements that a caller may see: those signed by all, and the caller's own."""
    if principal.has(*_SEES_ALL):
        return sa.true()
    return _agreement.state.not_in(sorted(BEFORE_SIGNED)) | own_agreements(principal)


def own_agreements(principal: Principal) -> Condition:
    """The agreements that a caller's institution or center is a party of; all for headquarters."""
    if principal.has(*_SEES_ALL):
        return sa.true()
    return sa.or_(sa.false(), *_takes_part(_agreement.parties, principal))


def visible_activities(principal: Principal) -> Condition:
    """The activities that a caller may see: those once approved, and the caller's own."""
    if principal.has(*_SEES_ALL):
        return sa.true()
    return _activity.was_approved | own_activities(principal)


def own_activities(principal: Principal) -> Condition:
    """The activities that a caller takes part in, or whose agreement is the caller's own."""
    if principal.has(*_SEES_ALL):
        return sa.true()
    part = list(_takes_part(_activity.participants, principal))
    if not part:
        return sa.false()
    stands_on = sa.select(_agreement.id).where(own_agreements(principal))
    return sa.or_(*part, _activity.agreement_id.in_(stands_on))


def _takes_part(column: sa.ColumnElement[Any], principal: Principal) -> Iterable[Condition]:
    if principal.has("partner"):
        for id in sorted(principal.institution_ids):
            yield holds(column, institution_id=id)
    if principal.has("center_admin", "center_operator"):
        for id in sorted(principal.center_ids):
            yield holds(column, center_id=id)


async def require_known(
    session: ReadSession, references: Sequence[tuple[str, str]], known: Iterable[str] = ()
) -> None:
    """Raise `Fault` if an id that is referred to is not there.

    `references` are ids with their paths; `known` are ids that were referred to
    before: what has been deleted since then stays referred to.
    """
    fresh = [(path, id) for path, id in references if id not in set(known)]
    there = set[str]()
    for prefix, table in _TABLES.items():
        ids = {id for _, id in fresh if id.startswith(f"{prefix}_")}
        if ids:
            query = sa.select(table.c.id).where(table.c.id.in_(ids))
            if "deleted_at" in table.c:
                query = query.where(table.c.deleted_at.is_(None))
            there.update(row.id for row in await session.rows(query))
    missing = [(path, id) for path, id in fresh if id not in there]
    if missing:
        raise Fault.invalid(
            *(
                Violation(
                    path,
                    "UNKNOWN_REFERENCE",
                    {"resource": _KINDS.get(id.partition("_")[0], "resource"), "value": id},
                )
                for path, id in missing
            )
        )


async def require_no_cycle(session: WriteSession, aggregate: Aggregate, *names: str) -> None:
    """Raise `Fault` if an aggregate would come to stand above itself by one of these fields.

    Two changes that are each right alone can close a circle together, so changes of
    one kind of tree are made one after the other.
    """
    store = _BY_PREFIX[aggregate.id.partition("_")[0]]
    lock = sa.func.hashtextextended(f"tree\x1f{store.kind}", 0)
    await session.scalar(sa.select(sa.func.pg_advisory_xact_lock(lock)))
    for name in names:
        start = getattr(aggregate, name)
        if start is None:
            continue
        table = store.table
        above = sa.select(table.c.id, table.c[name].label("next")).where(table.c.id == start)
        chain = above.cte("chain", recursive=True)
        # UNION, not UNION ALL: it ends also where a circle stands already.
        chain = chain.union(
            sa.select(table.c.id, table.c[name].label("next")).where(table.c.id == chain.c.next)
        )
        if await session.scalar(sa.select(chain.c.id).where(chain.c.id == aggregate.id)):
            raise Fault.invalid(Violation(name, "PARENT_CYCLE", {"id": aggregate.id}))


async def require_free_ror(session: ReadSession, institution: Institution) -> None:
    """Raise `Fault` ``ROR_TAKEN`` if another institution has the ROR id."""
    if institution.ror_id is None:
        return
    columns = tables.institution.c
    other = await institutions.find_by(
        session, columns.ror_id == institution.ror_id, columns.id != institution.id
    )
    if other is not None:
        raise Fault("ROR_TAKEN", {"value": institution.ror_id, "id": other.id})


async def children_of(session: WriteSession, agreement_id: str) -> list[Agreement]:
    """The agreements right under one, locked, in the order of their ids."""
    query = (
        sa.select(tables.agreement)
        .where(_agreement.parent_id == agreement_id)
        .order_by(_agreement.id)
        .with_for_update()
    )
    return [agreements.load(row) for row in await session.rows(query)]


async def last_activity_days(session: ReadSession, found: Iterable[Agreement]) -> dict[str, date]:
    """Day of the latest activity under each agreement in force; none, no entry.

    An activity counts on its last known day, and where no day is known on the day
    that it came into its state. Proposals and what was given up do not count.
    """
    ids = [item.id for item in found if item.state == AgreementState.IN_FORCE]
    if not ids:
        return {}
    stated = sa.func.coalesce(
        _activity.end_date["value"].astext,
        _activity.start_date["value"].astext,
        sa.func.to_char(_activity.state_since, "YYYY-MM-DD"),
    )
    # Padded, so that text order is the order of the latest day that a date can mean.
    padded = stated + sa.func.substr("9999-99-99", sa.func.length(stated) + 1)
    done = [ActivityState.APPROVED, ActivityState.ACTIVE, ActivityState.DONE]
    query = (
        sa.select(_activity.agreement_id, sa.func.max(padded).label("last"))
        .where(_activity.agreement_id.in_(ids), _activity.state.in_(done))
        .group_by(_activity.agreement_id)
    )
    rows = await session.rows(query)
    return {row.agreement_id: ImpreciseDate(row.last.replace("-99", "")).latest() for row in rows}
