"""Keeps copies of what this service must know of its neighbours, and flags projects by them.

Each event carries its resource whole, and a row of a copy remembers the version that it
shows, so an event that comes late, or twice, changes nothing. That makes the order of
arrival irrelevant: what counts is the newest version that has arrived. What a change of a
copy means for projects is written in the same transaction.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError, Message
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from peyvand.centers.v1 import centers_pb2
from peyvand.observatory.v1 import regulations_pb2
from peyvand.partners.v1 import agreements_pb2, institutions_pb2
from projects import tables
from projects.use_cases.flags import heed_changes
from servicekit import outbox
from servicekit.broker import Broker, event_stream
from servicekit.contract import enum_names
from servicekit.database import Database, WriteSession
from servicekit.delivery import Delivery, PoisonError
from servicekit.effects import EffectConsumer
from servicekit.mapping import to_datetime

Read = Callable[[bytes], dict[str, Any]]


def center_copies(broker: Broker, database: Database) -> EffectConsumer:
    """The consumer that keeps `known_center`."""
    return _copies(broker, database, "projects-centers", "centers", "center")


def partner_copies(broker: Broker, database: Database) -> EffectConsumer:
    """The consumer that keeps `known_institution` and `known_agreement`.

    Its name has changed since the copies have the parties of agreements: under a new one
    all events are read once more, and fill in what those who read them first left out.
    """
    return _copies(broker, database, "projects-parties", "partners", "institution", "agreement")


def regulation_copies(broker: Broker, database: Database) -> EffectConsumer:
    """The consumer that keeps `known_regulation`."""
    return _copies(broker, database, "projects-regulations", "observatory", "regulation")


def _copies(
    broker: Broker, database: Database, name: str, service: str, *kinds: str
) -> EffectConsumer:
    return EffectConsumer(
        name=name,
        stream=event_stream(service).name,
        subjects=[f"evt.{service}.{kind}.>" for kind in kinds],
        broker=broker,
        engine=database.engine,
        handle=keep_copies,
        after_commit=database.after_commit,
    )


async def keep_copies(connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
    """Bring the copies to what the events say, unless they show something newer.

    Flags the projects that a change concerns, and unflags those that it sets free.
    """
    newest: dict[sa.Table, dict[str, dict[str, Any]]] = {}
    for delivery in deliveries:
        table, row = _read(delivery)
        rows = newest.setdefault(table, {})
        known = rows.get(delivery.aggregate_id)
        if known is None or known["version"] < row["version"]:
            rows[delivery.aggregate_id] = row
    session = WriteSession(connection)
    changed: dict[sa.Table, list[sa.Row[Any]]] = {}
    # In one order everywhere, so that two processes never wait for each other crosswise.
    for table in sorted(newest, key=lambda table: table.name):
        changed[table] = await _put(session, table, newest[table])
    regulations = {row.external_key for row in await _note_changes(session, deliveries)}
    await heed_changes(
        session,
        datetime.now(UTC),
        center_ids=[row.id for row in changed.get(tables.known_center, [])],
        agreement_ids=[row.id for row in changed.get(tables.known_agreement, [])],
        regulation_keys=sorted(regulations - {""}),
    )
    await outbox.record(connection, session.events)


async def _put(
    session: WriteSession, table: sa.Table, rows: dict[str, dict[str, Any]]
) -> list[sa.Row[Any]]:
    """Write rows that are not older than those that are there; give these.

    One of the same version says the same, or more: an earlier release may have left
    something out.
    """
    statement = insert(table).values([rows[id] for id in sorted(rows)])
    given = {name: statement.excluded[name] for name in next(iter(rows.values())) if name != "id"}
    written = await session.execute(
        statement.on_conflict_do_update(
            index_elements=[table.c.id],
            set_=given,
            where=table.c.version <= statement.excluded.version,
        ).returning(table.c.id)
    )
    return list(written.all())


async def _note_changes(session: WriteSession, deliveries: Sequence[Delivery]) -> list[sa.Row[Any]]:
    """Note the last change of each regulation; give the regulations that have one.

    Another event may be newer that changed nothing of what it says, so that the last
    change has a version of its own.
    """
    latest: dict[str, Delivery] = {}
    for delivery in deliveries:
        if _kind(delivery) == "regulation" and _changes_what_holds(delivery.payload):
            known = latest.get(delivery.aggregate_id)
            if known is None or known.aggregate_version < delivery.aggregate_version:
                latest[delivery.aggregate_id] = delivery
    table = tables.known_regulation
    noted: list[sa.Row[Any]] = []
    for id in sorted(latest):
        version = latest[id].aggregate_version
        change = (
            sa.update(table)
            .where(table.c.id == id, table.c.changed_version < version)
            .values(changed_version=version, changed_at=latest[id].time)
            .returning(table.c.external_key)
        )
        noted += (await session.execute(change)).all()
    return noted


def _kind(delivery: Delivery) -> str:
    return delivery.type.split(".")[3]  # peyvand.centers.v1.center.suspended


def _read(delivery: Delivery) -> tuple[sa.Table, dict[str, Any]]:
    kind = _kind(delivery)
    table, read = _COPIES[kind]
    try:
        row = read(delivery.payload)
    except (DecodeError, KeyError) as error:
        raise PoisonError(f"cannot be read as {kind}: {error!r}") from error
    return table, {"id": delivery.aggregate_id, "version": delivery.aggregate_version, **row}


def _center(payload: bytes) -> dict[str, Any]:
    center = centers_pb2.CenterEvent.FromString(payload).center
    return {
        "external_key": center.external_key,
        "code": center.code,
        "names": _plain(center.names),
        "province": center.province,
        "state": enum_names(centers_pb2.CenterState.DESCRIPTOR)[center.state],
        "state_since": _moment(center, "state_since"),
    }


def _institution(payload: bytes) -> dict[str, Any]:
    institution = institutions_pb2.InstitutionEvent.FromString(payload).institution
    return {
        "external_key": institution.external_key,
        "names": [_plain(name) for name in institution.names],
    }


def _agreement(payload: bytes) -> dict[str, Any]:
    agreement = agreements_pb2.AgreementEvent.FromString(payload).agreement
    return {
        "external_key": agreement.external_key,
        "titles": _plain(agreement.titles),
        "state": enum_names(agreements_pb2.AgreementState.DESCRIPTOR)[agreement.state],
        "state_since": _moment(agreement, "state_since"),
        "party_ids": sorted({p.institution_id for p in agreement.parties} - {""}),
    }


def _regulation(payload: bytes) -> dict[str, Any]:
    regulation = regulations_pb2.RegulationEvent.FromString(payload).regulation
    return {
        "external_key": regulation.external_key,
        "titles": _plain(regulation.titles),
        "state": enum_names(regulations_pb2.RegulationState.DESCRIPTOR)[regulation.state],
    }


# What a regulation says and where it stands, besides its state.
_TEXT = frozenset({"kind", "titles", "issuer", "number", "effective_date", "url", "note"})


def _changes_what_holds(payload: bytes) -> bool:
    """Whether a regulation is in another state or says something else after an event."""
    step = regulations_pb2.RegulationEvent.FromString(payload).change.step
    was_there = step.version > 1
    return was_there and (
        step.from_state != step.to_state or not _TEXT.isdisjoint(step.changed_fields)
    )


def _moment(message: Any, field: str) -> datetime | None:
    return to_datetime(getattr(message, field)) if message.HasField(field) else None


def _plain(message: Message) -> dict[str, Any]:
    return MessageToDict(message, preserving_proto_field_name=True)


_COPIES: dict[str, tuple[sa.Table, Read]] = {
    "center": (tables.known_center, _center),
    "institution": (tables.known_institution, _institution),
    "agreement": (tables.known_agreement, _agreement),
    "regulation": (tables.known_regulation, _regulation),
}
