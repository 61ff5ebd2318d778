"""The tables that messaging needs in each service's database.

A service adds them to its own `MetaData`, so that its migrations create them beside its
other tables; the modules of servicekit address them through `TABLES`.
"""

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID


@dataclass(frozen=True)
class MessagingTables:
    """The tables made by `messaging_tables`."""

    outbox: Table
    inbox: Table
    projection_position: Table
    projection_failure: Table


def messaging_tables(metadata: MetaData) -> MessagingTables:
    """Add the outbox, the inbox and the projections' book-keeping to `metadata`."""
    return MessagingTables(
        outbox=_outbox(metadata),
        inbox=_inbox(metadata),
        projection_position=_projection_position(metadata),
        projection_failure=_projection_failure(metadata),
    )


def _moment(name: str, *, nullable: bool = False, default_now: bool = False) -> Column[object]:
    return Column(
        name,
        DateTime(timezone=True),
        nullable=nullable,
        server_default=func.now() if default_now else None,
    )


def _outbox(metadata: MetaData) -> Table:
    table = Table(
        "outbox",
        metadata,
        Column("seq", BigInteger, Identity(always=True), primary_key=True),
        Column("event_id", UUID(as_uuid=True), nullable=False, unique=True),
        Column("aggregate_id", Text, nullable=False),
        Column("aggregate_version", BigInteger, nullable=False),
        Column("subject", Text, nullable=False),
        Column("type", Text, nullable=False),
        Column("headers", JSONB, nullable=False),
        Column("payload", LargeBinary, nullable=False),
        _moment("recorded_at", default_now=True),
        _moment("published_at", nullable=True),
        Column("stream_seq", BigInteger, comment="Sequence in the stream, from the server's ack"),
        comment="Events of this service: written with the change they tell of, kept for ever",
    )
    Index("ix_outbox_unpublished", table.c.seq, postgresql_where=text("published_at IS NULL"))
    Index(
        "ux_outbox_stream_seq",
        table.c.stream_seq,
        unique=True,
        postgresql_where=text("stream_seq IS NOT NULL"),
    )
    return table


def _inbox(metadata: MetaData) -> Table:
    return Table(
        "inbox",
        metadata,
        Column("consumer", Text, primary_key=True),
        Column("event_id", UUID(as_uuid=True), primary_key=True),
        _moment("handled_at", default_now=True),
        Column("dead_letter_reason", Text, comment="Set when the event went to the dead letters"),
        comment="Events whose effect is in this database; each consumer applies an event once",
    )


def _projection_position(metadata: MetaData) -> Table:
    return Table(
        "projection_position",
        metadata,
        Column("projection", Text, primary_key=True),
        Column("stream", Text, primary_key=True),
        Column("position", BigInteger, nullable=False, server_default=text("0")),
        Column("event_id", UUID(as_uuid=True), comment="The event at this position"),
        _moment("event_time", nullable=True),
        _moment("updated_at", default_now=True),
        comment="How far each projection has read each stream; moved with what it wrote",
    )


def _projection_failure(metadata: MetaData) -> Table:
    return Table(
        "projection_failure",
        metadata,
        Column("projection", Text, primary_key=True),
        Column("stream", Text, primary_key=True),
        Column("stream_seq", BigInteger, primary_key=True),
        Column("event_id", UUID(as_uuid=True), nullable=False),
        Column("aggregate_id", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("headers", JSONB, nullable=False),
        Column("payload", LargeBinary, nullable=False),
        Column("reason", Text, nullable=False),
        Column("attempts", Integer, nullable=False),
        _moment("failed_at", default_now=True),
        comment="Events that a projection could not apply, and later ones of their aggregates",
    )


TABLES = messaging_tables(MetaData())
"""The same tables in a metadata of their own, for the statements of servicekit."""
