"""The table of centers."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from centers.domain.centers import CenterState
from centers.tables.shared import metadata
from servicekit.store import aggregate_columns, state_columns

center = sa.Table(
    "center",
    metadata,
    *aggregate_columns("ctr"),
    *state_columns(CenterState),
    sa.Column("code", sa.Text, nullable=False, unique=True),
    sa.Column("names", JSONB, nullable=False),
    sa.Column("province", sa.Text, nullable=False),
    sa.Column("city", JSONB),
    sa.Column("position", JSONB),
    sa.Column("host_institution", JSONB),
    sa.Column("opened_date", JSONB),
    sa.Column("contact", JSONB),
    sa.Column("expectations", JSONB),
    sa.Index("ix_center_updated", "updated_at", "id"),
    sa.Index("ix_center_state", "state", "id"),
    sa.Index("ix_center_province", "province", "id"),
)
