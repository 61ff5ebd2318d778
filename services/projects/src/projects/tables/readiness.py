"""The table of claims of readiness."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from projects.domain.readiness import ClaimState, Dimension
from projects.tables.shared import metadata, one_of
from servicekit.store import aggregate_columns, state_columns

readiness_claim = sa.Table(
    "readiness_claim",
    metadata,
    *aggregate_columns("rdc"),
    *state_columns(ClaimState),
    sa.Column("project_id", sa.Text, sa.ForeignKey("project.id"), nullable=False),
    sa.Column("dimension", sa.Text, nullable=False),
    sa.Column("level", sa.Integer, nullable=False),
    sa.Column("evidence_ids", JSONB, nullable=False),
    sa.Column("statement", JSONB),
    sa.Column("scale_version", sa.Text, nullable=False),
    sa.Column("claimed_by", sa.Text, nullable=False),
    one_of("dimension", Dimension),
    sa.CheckConstraint("level BETWEEN 1 AND 9", name="level"),
    # A level is claimed once at a time.
    sa.Index(
        "ux_readiness_claim_standing",
        "project_id",
        "dimension",
        "level",
        unique=True,
        postgresql_where=sa.text("state IN ('claimed', 'verified')"),
    ),
    sa.Index("ix_readiness_claim_project", "project_id", "id"),
    sa.Index("ix_readiness_claim_updated", "updated_at", "id"),
    sa.Index("ix_readiness_claim_state", "state", "id"),
)
