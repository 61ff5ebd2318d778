"""Tables of the peer."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Identity, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        dict[str, Any]: JSONB,
        list[dict[str, Any]]: JSONB,
        datetime: DateTime(timezone=True),
    }


class Center(Base):
    __tablename__ = "center"

    id: Mapped[str] = mapped_column(primary_key=True)
    external_key: Mapped[str | None] = mapped_column(unique=True)
    code: Mapped[str] = mapped_column(unique=True)
    names: Mapped[dict[str, Any]]
    province: Mapped[str] = mapped_column(index=True)
    city: Mapped[dict[str, Any] | None]
    position: Mapped[dict[str, Any] | None]
    host_institution: Mapped[dict[str, Any] | None]
    opened_date: Mapped[dict[str, Any] | None]
    contact: Mapped[dict[str, Any] | None]
    state: Mapped[str] = mapped_column(index=True)
    state_reason: Mapped[str | None]
    state_since: Mapped[datetime]
    citations: Mapped[list[dict[str, Any]]]
    sample: Mapped[bool]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Outbox(Base):
    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_unpublished", "seq", postgresql_where=text("published_at IS NULL")),
    )

    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    event_id: Mapped[UUID] = mapped_column(unique=True)
    subject: Mapped[str]
    payload: Mapped[dict[str, Any]]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    published_at: Mapped[datetime | None]
