"""The table of conditions that conditional decisions have made."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from projects.domain.conditions import ConditionState
from projects.tables.shared import metadata
from servicekit.store import aggregate_columns, state_columns

# What is to be done, by whom and until when never changes, and no condition is deleted;
# a trigger of the third revision refuses anything else.
project_condition = sa.Table(
    "project_condition",
    metadata,
    *aggregate_columns("cnd"),
    *state_columns(ConditionState),
    sa.Column("project_id", sa.Text, sa.ForeignKey("project.id"), nullable=False),
    sa.Column("decision_id", sa.Text, sa.ForeignKey("decision.id"), nullable=False),
    sa.Column("criterion", sa.Text, nullable=False),
    sa.Column("text", JSONB, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("due_date", sa.Text, nullable=False),
    sa.Column("report", JSONB(none_as_null=True)),
    sa.Column("confirmed_by", sa.Text, nullable=False),
    sa.CheckConstraint("(state = 'met') = (confirmed_by <> '')", name="met_by_someone"),
    sa.CheckConstraint(
        "state <> 'met' OR (report IS NOT NULL AND report ->> 'reported_by' <> confirmed_by)",
        name="met_by_another",
    ),
    sa.Index("ix_project_condition_updated", "updated_at", "id"),
    sa.Index("ix_project_condition_state", "state", "id"),
    sa.Index("ix_project_condition_project", "project_id", "id"),
    sa.Index(
        "ix_project_condition_due",
        "due_date",
        "project_id",
        postgresql_where=sa.text("state = 'open'"),
    ),
)
