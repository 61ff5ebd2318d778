"""The tables of this service."""

from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from projects.domain.company import CompanyState
from projects.domain.decisions import DecisionKind
from projects.domain.pathways import Pathway, Stage
from projects.domain.project import ProjectState
from servicekit.service import ServiceTables
from servicekit.store import aggregate_columns, state_columns

service_tables = ServiceTables()
metadata = service_tables.metadata


def _one_of(column: str, values: type[StrEnum]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value.value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


project = sa.Table(
    "project",
    metadata,
    *aggregate_columns("prj"),
    *state_columns(ProjectState),
    sa.Column("titles", JSONB, nullable=False),
    sa.Column("summary", JSONB),
    sa.Column("lead_center_id", sa.Text, nullable=False),
    sa.Column("pathway", sa.Text, nullable=False),
    sa.Column("participants", JSONB, nullable=False),
    sa.Column("initial_stage", sa.Text, nullable=False),
    sa.Column("initial_stage_reason", sa.Text, nullable=False),
    sa.Column("revival_of_id", sa.Text, sa.ForeignKey("project.id")),
    sa.Column("template_version", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("stage_visits", JSONB, nullable=False),
    sa.Column("resume_date", sa.Text, nullable=False),
    sa.Column("latest_decision_id", sa.Text, nullable=False),
    _one_of("pathway", Pathway),
    _one_of("initial_stage", Stage),
    _one_of("stage", Stage),
    sa.CheckConstraint("(state = 'on_hold') = (resume_date <> '')", name="resume_date"),
    sa.Index("ix_project_updated", "updated_at", "id"),
    sa.Index("ix_project_state", "state", "id"),
    sa.Index("ix_project_stage", "stage", "id"),
    sa.Index("ix_project_lead_center", "lead_center_id", "id"),
    sa.Index("ix_project_participants", "participants", postgresql_using="gin"),
)

# Decisions are only ever added; a trigger of the first revision refuses anything else.
decision = sa.Table(
    "decision",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.CheckConstraint("starts_with(id, 'dec_')", name="id_kind"),
    sa.Column("project_id", sa.Text, sa.ForeignKey("project.id"), nullable=False),
    sa.Column("project_version", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("from_stage", sa.Text, nullable=False),
    sa.Column("to_stage", sa.Text, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("decision", JSONB, nullable=False),
    _one_of("kind", DecisionKind),
    # One decision for each step of a project, whoever else decides at the same time.
    sa.UniqueConstraint("project_id", "project_version"),
)

company = sa.Table(
    "company",
    metadata,
    *aggregate_columns("com"),
    *state_columns(CompanyState),
    sa.Column("names", JSONB, nullable=False),
    sa.Column("knowledge_based", sa.Boolean, nullable=False),
    sa.Column("registration_number", sa.Text, nullable=False),
    sa.Column("founded_date", JSONB),
    sa.Column("project_ids", JSONB, nullable=False),
    sa.Index(
        "ix_company_registration",
        "registration_number",
        unique=True,
        postgresql_where=sa.text("registration_number <> ''"),
    ),
    sa.Index("ix_company_updated", "updated_at", "id"),
    sa.Index("ix_company_state", "state", "id"),
    sa.Index("ix_company_projects", "project_ids", postgresql_using="gin"),
)


def _known_columns() -> list[sa.schema.SchemaItem]:
    """Columns of a copy of a neighbour's resource; `version` is that of its last event."""
    return [
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("external_key", sa.Text, nullable=False, index=True),
        sa.Column("version", sa.BigInteger, nullable=False),
    ]


known_center = sa.Table(
    "known_center",
    metadata,
    *_known_columns(),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("names", JSONB, nullable=False),
    sa.Column("province", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
)

known_institution = sa.Table(
    "known_institution",
    metadata,
    *_known_columns(),
    sa.Column("names", JSONB, nullable=False),
)

known_agreement = sa.Table(
    "known_agreement",
    metadata,
    *_known_columns(),
    sa.Column("titles", JSONB, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
)
