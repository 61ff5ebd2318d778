"""The table of gates."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from projects.domain.gates import GateState
from projects.domain.pathways import Stage
from projects.tables.shared import metadata, one_of
from servicekit.store import aggregate_columns, state_columns

# What was reviewed, by whom and with which quorum never changes, a gate that has ended
# does not change at all, and none is deleted; a trigger of the third revision refuses
# anything else.
gate = sa.Table(
    "gate",
    metadata,
    *aggregate_columns("gat"),
    *state_columns(GateState),
    sa.Column("project_id", sa.Text, sa.ForeignKey("project.id"), nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("visit", sa.Integer, nullable=False),
    sa.Column("supersedes_id", sa.Text, sa.ForeignKey("decision.id")),
    sa.Column("panel", JSONB, nullable=False),
    sa.Column("quorum", sa.Integer, nullable=False),
    # Empty for a gate that was opened before it was asked who opens one.
    sa.Column("opened_by", sa.Text, nullable=False, server_default=""),
    sa.Column("proposals", JSONB, nullable=False, server_default="[]"),
    sa.Column("declarations", JSONB, nullable=False),
    sa.Column("votes", JSONB, nullable=False),
    sa.Column("decision_id", sa.Text, nullable=False),
    one_of("stage", Stage),
    sa.CheckConstraint("quorum BETWEEN 1 AND jsonb_array_length(panel)", name="quorum"),
    sa.CheckConstraint("(state = 'decided') = (decision_id <> '')", name="decided_by_a_decision"),
    sa.Index("ix_gate_updated", "updated_at", "id"),
    sa.Index("ix_gate_state", "state", "id"),
    sa.Index("ix_gate_project", "project_id", "id"),
    sa.Index("ix_gate_panel", "panel", postgresql_using="gin"),
    # One open gate a project, whoever else opens one at the same time.
    sa.Index("ix_gate_open", "project_id", unique=True, postgresql_where=sa.text("state = 'open'")),
)
