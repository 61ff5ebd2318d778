"""The table of companies."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from projects.domain.company import CompanyState
from projects.tables.shared import metadata
from servicekit.store import aggregate_columns, state_columns

company = sa.Table(
    "company",
    metadata,
    *aggregate_columns("com"),
    *state_columns(CompanyState),
    sa.Column("names", JSONB, nullable=False),
    sa.Column("knowledge_based", sa.Boolean, nullable=False),
    sa.Column("registration_number", sa.Text, nullable=False),
    # Defaults are for a version that runs beside this one and does not know of these.
    sa.Column("recognised_until", sa.Text, nullable=False, server_default=""),
    sa.Column("legal_entity_id", sa.Text, nullable=False, server_default=""),
    sa.Column("founded_date", JSONB),
    sa.Column("project_ids", JSONB, nullable=False),
    sa.Index(
        "ix_company_registration",
        "registration_number",
        unique=True,
        postgresql_where=sa.text("registration_number <> ''"),
    ),
    sa.Index(
        "ux_company_legal_entity",
        "legal_entity_id",
        unique=True,
        postgresql_where=sa.text("legal_entity_id <> ''"),
    ),
    sa.Index("ix_company_updated", "updated_at", "id"),
    sa.Index("ix_company_state", "state", "id"),
    sa.Index("ix_company_projects", "project_ids", postgresql_using="gin"),
)
