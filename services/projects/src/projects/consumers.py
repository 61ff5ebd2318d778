"""Keeps copies of what this service must know of centers, institutions and agreements.

Each event carries its resource whole, and a row of a copy remembers the version that it
shows, so an event that comes late, or twice, changes nothing. That makes the order of
arrival irrelevant: what counts is the newest version that has arrived.
"""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError, Message
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from peyvand.centers.v1 import centers_pb2
from peyvand.partners.v1 import agreements_pb2, institutions_pb2
from projects import tables
from servicekit.broker import Broker, event_stream
from servicekit.contract import enum_names
from servicekit.delivery import Delivery, PoisonError
from servicekit.effects import EffectConsumer

Read = Callable[[bytes], dict[str, Any]]


def center_copies(broker: Broker, engine: AsyncEngine) -> EffectConsumer:
    """The consumer that keeps `known_center`."""
    return EffectConsumer(
        name="projects-centers",
        stream=event_stream("centers").name,
        subjects=["evt.centers.center.>"],
        broker=broker,
        engine=engine,
        handle=keep_copies,
    )


def partner_copies(broker: Broker, engine: AsyncEngine) -> EffectConsumer:
    """The consumer that keeps `known_institution` and `known_agreement`."""
    return EffectConsumer(
        name="projects-partners",
        stream=event_stream("partners").name,
        subjects=["evt.partners.institution.>", "evt.partners.agreement.>"],
        broker=broker,
        engine=engine,
        handle=keep_copies,
    )


async def keep_copies(connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
    """Bring the copies to what the events say, unless they show something newer."""
    newest: dict[sa.Table, dict[str, dict[str, Any]]] = {}
    for delivery in deliveries:
        table, row = _read(delivery)
        rows = newest.setdefault(table, {})
        known = rows.get(delivery.aggregate_id)
        if known is None or known["version"] < row["version"]:
            rows[delivery.aggregate_id] = row
    for table, rows in newest.items():
        # In one order everywhere, so that two processes never wait for each other crosswise.
        statement = insert(table).values([rows[id] for id in sorted(rows)])
        given = {c.name: statement.excluded[c.name] for c in table.columns if c.name != "id"}
        await connection.execute(
            statement.on_conflict_do_update(
                index_elements=[table.c.id],
                set_=given,
                where=table.c.version < statement.excluded.version,
            )
        )


def _read(delivery: Delivery) -> tuple[sa.Table, dict[str, Any]]:
    kind = delivery.type.split(".")[3]  # peyvand.centers.v1.center.suspended
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
    }


def _plain(message: Message) -> dict[str, Any]:
    return MessageToDict(message, preserving_proto_field_name=True)


_COPIES: dict[str, tuple[sa.Table, Read]] = {
    "center": (tables.known_center, _center),
    "institution": (tables.known_institution, _institution),
    "agreement": (tables.known_agreement, _agreement),
}
