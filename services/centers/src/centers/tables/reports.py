"""The tables of reports, of the line that brings them, and of who is heard of."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from centers.domain.presence import Liveness
from centers.domain.reports import UNFINISHED, PeriodReportState
from centers.tables.shared import metadata
from servicekit.store import aggregate_columns, state_columns

_unfinished = ", ".join(f"'{state.value}'" for state in UNFINISHED)

capacity_snapshot = sa.Table(
    "capacity_snapshot",
    metadata,
    *aggregate_columns("cap"),
    sa.Column("center_id", sa.Text, nullable=False),
    sa.Column("node_id", sa.Text),
    sa.Column("observed_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("items", JSONB, nullable=False),
    sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("told_observed_at", sa.DateTime(timezone=True)),
    sa.Index("ix_capacity_snapshot_center", "center_id", "id"),
    sa.Index("ix_capacity_snapshot_updated", "updated_at", "id"),
)

period_report = sa.Table(
    "period_report",
    metadata,
    *aggregate_columns("rep", unique_keys=False),
    *state_columns(PeriodReportState),
    sa.Column("center_id", sa.Text, nullable=False),
    sa.Column("period", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("figures", JSONB, nullable=False),
    sa.Column("node_id", sa.Text),
    # A later revision is the same report of the center's, under the same key.
    sa.UniqueConstraint("center_id", "external_key", "revision", name="uq_period_report_key"),
    sa.UniqueConstraint("center_id", "period", "revision", name="uq_period_report_revision"),
    sa.Index(
        "ux_period_report_unfinished",
        "center_id",
        "period",
        unique=True,
        postgresql_where=sa.text(f"state IN ({_unfinished})"),
    ),
    sa.Index(
        "ux_period_report_approved",
        "center_id",
        "period",
        unique=True,
        postgresql_where=sa.text("state = 'approved'"),
    ),
    sa.Index("ix_period_report_center", "center_id", "id"),
    sa.Index("ix_period_report_state", "state", "id"),
    sa.Index("ix_period_report_updated", "updated_at", "id"),
)

refused_report = sa.Table(
    "refused_report",
    metadata,
    *aggregate_columns("ref"),
    sa.Column("node_id", sa.Text, nullable=False),
    sa.Column("center_id", sa.Text, nullable=False),
    sa.Column("feed", sa.Text, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("report_key", sa.Text, nullable=False),
    sa.Column("violations", JSONB, nullable=False),
    sa.Column("refused_at", sa.DateTime(timezone=True), nullable=False),
    sa.Index("ix_refused_report_node", "node_id", "id"),
    sa.Index("ix_refused_report_center", "center_id", "id"),
)

# One row a node: its lock orders all that the node is told, so that receipts become
# visible in the order of their numbers.
node_line = sa.Table(
    "node_line",
    metadata,
    sa.Column("node_id", sa.Text, primary_key=True),
    sa.Column("last_receipt", sa.BigInteger, nullable=False),
    sa.Column("confirmed_receipt", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("confirmed_mark", sa.Text, nullable=False, server_default=""),
    sa.Column("capacity_at", sa.DateTime(timezone=True)),
    sa.Column("report_at", sa.DateTime(timezone=True)),
    comment="What was taken of a node last, by the clock of the database",
)

node_journal = sa.Table(
    "node_journal",
    metadata,
    sa.Column("node_id", sa.Text, primary_key=True),
    sa.Column("journal", sa.Text, primary_key=True),
    sa.Column("last_number", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    comment="How far each store of a node was taken: the last number, and all before it",
)

node_receipt = sa.Table(
    "node_receipt",
    metadata,
    sa.Column("node_id", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("receipt", sa.LargeBinary, nullable=False),
    sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
    sa.Index("ix_node_receipt_recorded", "recorded_at"),
    comment="What a node is to be told of its reports, until it has said that it knows",
)

delivered_report = sa.Table(
    "delivered_report",
    metadata,
    sa.Column("report_id", sa.Text, primary_key=True),
    sa.Column("node_id", sa.Text, nullable=False),
    sa.Column("journal", sa.Text, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("report_key", sa.Text, nullable=False),
    comment="As what a node delivered a period report last, to tell it what became of it",
)

_liveness = ", ".join(f"'{value.value}'" for value in Liveness)

presence = sa.Table(
    "presence",
    metadata,
    *aggregate_columns("prs"),
    sa.Column("node_id", sa.Text, nullable=False),
    sa.Column("center_id", sa.Text, nullable=False),
    sa.Column("feed", sa.Text, nullable=False),
    sa.Column("liveness", sa.Text, nullable=False),
    sa.CheckConstraint(f"liveness IN ({_liveness})", name="liveness"),
    sa.Column("since", sa.DateTime(timezone=True), nullable=False),
    sa.Column("last_received_at", sa.DateTime(timezone=True)),
    sa.Column("ended", sa.Boolean, nullable=False),
    sa.UniqueConstraint("node_id", "feed", name="uq_presence_feed"),
)

listening = sa.Table(
    "listening",
    metadata,
    sa.Column("one", sa.Boolean, sa.CheckConstraint("one", name="one"), primary_key=True),
    sa.Column("heard_until", sa.DateTime(timezone=True), nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    comment="Until when somebody has listened to the nodes; the number grows with each writing",
)

node_vitals = sa.Table(
    "node_vitals",
    metadata,
    sa.Column("node_id", sa.Text, primary_key=True),
    sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("vitals", sa.LargeBinary, nullable=False),
    comment="What a node last told of itself; written now and then, the live line knows more",
)
