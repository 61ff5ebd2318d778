"""nodes are heard of, and alerts follow."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lead to this revision."""
    op.create_table(
        "acknowledgement",
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("occurrences", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_acknowledgement")),
        comment="What people said of alerts: entered, and kept when the picture is built anew",
    )
    op.create_table(
        "alert",
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("center_id", sa.Text(), nullable=False),
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_seq", sa.BigInteger(), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False, comment="Number of its first occurrence"),
        sa.Column("occurrences", sa.Integer(), nullable=False),
        sa.Column(
            "gone_at", sa.DateTime(timezone=True), nullable=True, comment="When the cause was gone"
        ),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('node_silent', 'credentials_expiring', 'token_reused', 'reports_refused', 'report_late')",
            name=op.f("ck_alert_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('open', 'acknowledged', 'closed')", name=op.f("ck_alert_state")
        ),
        sa.PrimaryKeyConstraint("generation", "id", name=op.f("pk_alert")),
        comment="What the headquarters has to look at; made of events alone",
    )
    op.create_index("ix_alert_cause", "alert", ["generation", "cause", "first"], unique=False)
    op.create_index(
        "ix_alert_center", "alert", ["generation", "center_id", "opened_at", "id"], unique=False
    )
    op.create_index("ix_alert_latest", "alert", ["generation", "opened_at", "id"], unique=False)
    op.create_index(
        "ix_alert_state", "alert", ["generation", "state", "opened_at", "id"], unique=False
    )
    op.create_table(
        "alert_occurrence",
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="Among all of the cause, from 1"),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("stream_seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("generation", "cause", "number", name=op.f("pk_alert_occurrence")),
        comment="Occurrences of causes that an acknowledgement closes; made of events alone",
    )
    op.create_table(
        "alert_seen",
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column(
            "occurrences", sa.Integer(), nullable=False, comment="How many the person had seen"
        ),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("generation", "alert_id", name=op.f("pk_alert_seen")),
        comment="Acknowledgements, whether their alert is there yet or not; made of events alone",
    )
    op.create_table(
        "center_report",
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("center_id", sa.Text(), nullable=False),
        sa.Column(
            "capacity", sa.LargeBinary(), nullable=True, comment="The newest snapshot, as a message"
        ),
        sa.Column("capacity_observed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "approved_period",
            sa.Text(),
            nullable=True,
            comment="The last month with an approved report",
        ),
        sa.Column(
            "approved_order",
            sa.Date(),
            nullable=True,
            comment="Puts months of both calendars in order",
        ),
        sa.PrimaryKeyConstraint("generation", "center_id", name=op.f("pk_center_report")),
        comment="What each center reported last; made of events alone",
    )
    op.create_table(
        "heartbeat_change",
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("stream_seq", sa.BigInteger(), nullable=False),
        sa.Column("center_id", sa.Text(), nullable=False),
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("liveness", sa.Text(), nullable=True, comment="Absent: it is no longer expected"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "liveness IN ('online', 'late', 'stale', 'offline', 'unknown')",
            name=op.f("ck_heartbeat_change_liveness"),
        ),
        sa.PrimaryKeyConstraint("generation", "stream_seq", name=op.f("pk_heartbeat_change")),
        comment="How each center was heard of over time; made of events alone",
    )
    op.create_index(
        "ix_heartbeat_change_at",
        "heartbeat_change",
        ["generation", "center_id", "at"],
        unique=False,
    )
    op.create_index(
        "ix_heartbeat_change_node",
        "heartbeat_change",
        ["generation", "center_id", "node_id", "stream_seq"],
        unique=False,
    )
    op.create_table(
        "presence",
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("center_id", sa.Text(), nullable=False),
        sa.Column("liveness", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "liveness IN ('online', 'late', 'stale', 'offline', 'unknown')",
            name=op.f("ck_presence_liveness"),
        ),
        sa.PrimaryKeyConstraint("generation", "node_id", "feed", name=op.f("pk_presence")),
        comment="Feeds as their last event left them, for alerts; what is shown as now is not here",
    )
    op.create_index(
        "ix_presence_center", "presence", ["generation", "center_id", "feed"], unique=False
    )


def downgrade() -> None:
    """Lead back from it."""
    op.drop_index("ix_presence_center", table_name="presence")
    op.drop_table("presence")
    op.drop_index("ix_heartbeat_change_node", table_name="heartbeat_change")
    op.drop_index("ix_heartbeat_change_at", table_name="heartbeat_change")
    op.drop_table("heartbeat_change")
    op.drop_table("center_report")
    op.drop_table("alert_seen")
    op.drop_table("alert_occurrence")
    op.drop_index("ix_alert_state", table_name="alert")
    op.drop_index("ix_alert_latest", table_name="alert")
    op.drop_index("ix_alert_center", table_name="alert")
    op.drop_index("ix_alert_cause", table_name="alert")
    op.drop_table("alert")
    op.drop_table("acknowledgement")
