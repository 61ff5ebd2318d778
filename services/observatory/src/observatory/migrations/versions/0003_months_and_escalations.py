"""months of centers, overdue conditions, escalated alerts.

Months that were approved before it come in when the picture is built anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
# What is narrower for the version before, and why that is not hindered (docs/deploy.md).
tightens = {
    "check alert.ck_alert_kind": "it allows one kind more",
}

_KINDS = "'node_silent', 'credentials_expiring', 'token_reused', 'reports_refused', 'report_late'"


def upgrade() -> None:
    """Lead to this revision."""
    op.create_table(
        "alert_escalated",
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("generation", "alert_id", name=op.f("pk_alert_escalated")),
        comment="Alerts that nobody had seen in time; made of events alone",
    )
    op.create_table(
        "escalation",
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_escalation")),
        comment="Which alerts were escalated: kept, so that each is so once",
    )
    op.create_table(
        "reported_month",
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("center_id", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False, comment="2026-11 or 1405-08"),
        sa.Column(
            "persian", sa.Boolean(), nullable=False, comment="Which calendar the month is of"
        ),
        sa.Column("first_day", sa.Date(), nullable=False, comment="Puts months in order"),
        sa.Column("report_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sample", sa.Boolean(), nullable=False),
        sa.Column("samples_processed", sa.BigInteger(), nullable=True, comment="Absent: unknown"),
        sa.Column("products_released", sa.BigInteger(), nullable=True, comment="Absent: unknown"),
        sa.Column("procedures", sa.BigInteger(), nullable=True, comment="Absent: unknown"),
        sa.Column("trainees", sa.BigInteger(), nullable=True, comment="Absent: unknown"),
        sa.Column("articles", sa.BigInteger(), nullable=True, comment="Absent: unknown"),
        sa.PrimaryKeyConstraint(
            "generation", "center_id", "period", name=op.f("pk_reported_month")
        ),
        comment="What each center did in a month, as it was approved last; made of events alone",
    )
    op.create_index(
        "ix_reported_month_period", "reported_month", ["generation", "period"], unique=False
    )
    op.add_column(
        "alert",
        sa.Column(
            "resource_id",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="What it is about besides center and node: a condition",
        ),
    )
    _allow_kinds(f"{_KINDS}, 'condition_overdue'")
    op.create_table_comment(
        "alert_occurrence",
        "Each time that a cause came up which can come up again; made of events alone",
        existing_comment="Occurrences of causes that an acknowledgement closes; made of events alone",
    )


def downgrade() -> None:
    """Lead back from it."""
    op.create_table_comment(
        "alert_occurrence",
        "Occurrences of causes that an acknowledgement closes; made of events alone",
        existing_comment="Each time that a cause came up which can come up again; made of events alone",
    )
    op.execute("DELETE FROM alert WHERE kind = 'condition_overdue'")
    _allow_kinds(_KINDS)
    op.drop_column("alert", "resource_id")
    op.drop_index("ix_reported_month_period", table_name="reported_month")
    op.drop_table("reported_month")
    op.drop_table("escalation")
    op.drop_table("alert_escalated")


def _allow_kinds(kinds: str) -> None:
    op.drop_constraint(op.f("ck_alert_kind"), "alert", type_="check")
    op.create_check_constraint(op.f("ck_alert_kind"), "alert", f"kind IN ({kinds})")
