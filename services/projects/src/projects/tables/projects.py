"""The tables of projects and of the decisions about them."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from projects.domain.decisions import DecisionKind
from projects.domain.pathways import Pathway, Stage
from projects.domain.project import HoldCause, ProjectState
from projects.tables.shared import metadata, one_of
from servicekit.store import aggregate_columns, state_columns

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
    # The default is for a version that runs beside this one and does not know of people.
    sa.Column("people", JSONB, nullable=False, server_default=sa.text("'[]'")),
    sa.Column("initial_stage", sa.Text, nullable=False),
    sa.Column("initial_stage_reason", sa.Text, nullable=False),
    sa.Column("revival_of_id", sa.Text, sa.ForeignKey("project.id")),
    sa.Column("template_version", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("stage_visits", JSONB, nullable=False),
    # The default is for a version that runs beside this one and does not count them.
    sa.Column("visits_begun", sa.Integer, nullable=False, server_default="0"),
    sa.Column("resume_date", sa.Text, nullable=False),
    sa.Column("hold_cause", sa.Text),
    sa.Column("latest_decision_id", sa.Text, nullable=False),
    sa.Column("open_gate_id", sa.Text, nullable=False, server_default=""),
    sa.Column("flags", JSONB, nullable=False, server_default="[]"),
    sa.Column("acknowledged", JSONB, nullable=False, server_default="[]"),
    # All who were ever named on it; a trigger of the sixth revision lets none be taken away.
    sa.Column("named_subjects", JSONB, nullable=False, server_default="[]"),
    sa.Column("named_center_ids", JSONB, nullable=False, server_default="[]"),
    # Of these, who was named wrongly; none is taken back.
    sa.Column("struck_subjects", JSONB, nullable=False, server_default="[]"),
    one_of("pathway", Pathway),
    one_of("initial_stage", Stage),
    one_of("stage", Stage),
    one_of("hold_cause", HoldCause),
    # A decision holds until a day, an overdue condition until it is met.
    sa.CheckConstraint(
        "(state = 'on_hold')"
        " = (resume_date <> '' OR coalesce(hold_cause = 'overdue_condition', false))",
        name="resume_date",
    ),
    sa.CheckConstraint(
        "hold_cause IS NULL OR (hold_cause = 'decision') = (resume_date <> '')", name="held_by_one"
    ),
    sa.Index("ix_project_updated", "updated_at", "id"),
    sa.Index("ix_project_state", "state", "id"),
    sa.Index("ix_project_stage", "stage", "id"),
    sa.Index("ix_project_lead_center", "lead_center_id", "id"),
    sa.Index("ix_project_participants", "participants", postgresql_using="gin"),
    sa.Index("ix_project_flags", "flags", postgresql_using="gin"),
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
    one_of("kind", DecisionKind),
    # One decision for each step of a project, whoever else decides at the same time.
    sa.UniqueConstraint("project_id", "project_version"),
)
