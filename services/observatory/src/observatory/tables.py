"""The tables of this service: what people enter, and the picture made of events.

The picture is the tables from `timeline` to `PICTURE`; everything in them follows from
the events alone. Each row belongs to a generation: while the picture is built anew, the
new generation grows beside the one that is shown, and takes its place in one transaction.
`rebuild` says which is which.
"""

from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from observatory.domain.action_items import ActionItemState
from observatory.domain.activity import FIGURES
from observatory.domain.alerts import AlertKind, AlertState
from observatory.domain.liveness import Liveness
from observatory.domain.regulations import RegulationState
from servicekit.service import ServiceTables
from servicekit.store import aggregate_columns, state_columns

service_tables = ServiceTables()
metadata = service_tables.metadata

source = sa.Table(
    "source",
    metadata,
    *aggregate_columns("src"),
    sa.Column("title", JSONB, nullable=False),
    sa.Column("publisher", JSONB),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("published_date", JSONB),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("note", JSONB),
    sa.Index("ix_source_updated", "updated_at", "id"),
)

plan = sa.Table(
    "plan",
    metadata,
    *aggregate_columns("pln"),
    sa.Column("code", sa.Text, nullable=False, unique=True),
    sa.Column("titles", JSONB, nullable=False),
    sa.Column("statements", JSONB, nullable=False),
    sa.Column("note", JSONB),
    sa.Index("ix_plan_updated", "updated_at", "id"),
)

indicator = sa.Table(
    "indicator",
    metadata,
    *aggregate_columns("ind"),
    sa.Column("code", sa.Text, nullable=False, unique=True),
    sa.Column("titles", JSONB, nullable=False),
    sa.Column("definition", JSONB),
    sa.Column("unit", JSONB),
    sa.Column("direction", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("source_kind", sa.Text, nullable=False),
    sa.Column("measure", sa.Text, nullable=False),
    sa.Column("frequency", sa.Text),
    sa.Column("owner", JSONB),
    sa.Column("staleness_limit_days", sa.Integer),
    sa.Column("baseline", JSONB),
    sa.Column("target", JSONB),
    sa.Column("plan_id", sa.Text, sa.ForeignKey("plan.id")),
    sa.Column("goal_numbers", JSONB, nullable=False),
    sa.Column("note", JSONB),
    sa.Index("ix_indicator_updated", "updated_at", "id"),
    sa.Index("ix_indicator_plan", "plan_id", "id"),
)

observation = sa.Table(
    "observation",
    metadata,
    *aggregate_columns("obs"),
    sa.Column("indicator_id", sa.Text, sa.ForeignKey("indicator.id"), nullable=False),
    sa.Column("period", JSONB),
    sa.Column("period_end", sa.Date, comment="Last day of the period"),
    sa.Column("value", sa.Text, nullable=False, comment="A decimal number; empty for a claim"),
    sa.Column("claim", JSONB),
    sa.Column("method", JSONB),
    sa.Column("verification", sa.Text, nullable=False),
    sa.Column("revision_of", sa.Text, sa.ForeignKey("observation.id"), unique=True),
    sa.Column("revised_by", sa.Text),
    sa.Column("note", JSONB),
    sa.Index("ix_observation_updated", "updated_at", "id"),
    sa.Index("ix_observation_latest", "indicator_id", "period_end", "id"),
)

action_item = sa.Table(
    "action_item",
    metadata,
    *aggregate_columns("itm"),
    *state_columns(ActionItemState),
    sa.Column("text", JSONB, nullable=False),
    sa.Column("owner", JSONB),
    sa.Column("due_date", JSONB),
    sa.Column("due_text", JSONB),
    sa.Column("plan_id", sa.Text, sa.ForeignKey("plan.id")),
    sa.Index("ix_action_item_updated", "updated_at", "id"),
    sa.Index("ix_action_item_state", "state", "id"),
    sa.Index("ix_action_item_plan", "plan_id", "id"),
)

regulation = sa.Table(
    "regulation",
    metadata,
    *aggregate_columns("reg"),
    *state_columns(RegulationState),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("titles", JSONB, nullable=False),
    sa.Column("issuer", JSONB),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("effective_date", JSONB),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("note", JSONB),
    sa.Index("ix_regulation_updated", "updated_at", "id"),
    sa.Index("ix_regulation_state", "state", "id"),
)


def _in(column: str, values: type[StrEnum]) -> str:
    """The rule that a column holds one of these values."""
    return f"{column} IN ({', '.join(repr(value.value) for value in values)})"


def _audience() -> list[sa.Column[object]]:
    """Columns that say who may see a row; the arrays name those whom it concerns."""
    return [
        sa.Column("visibility", sa.Text, nullable=False),
        sa.Column("center_ids", ARRAY(sa.Text), nullable=False),
        sa.Column("institution_ids", ARRAY(sa.Text), nullable=False),
    ]


timeline = sa.Table(
    "timeline",
    metadata,
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("stream_seq", sa.BigInteger, primary_key=True),
    sa.Column("event_id", UUID(as_uuid=True), nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False, comment="Aggregate: center, project, …"),
    sa.Column("subject", sa.Text, nullable=False, comment="Id of the resource"),
    sa.Column("time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("name_fa", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("data", JSONB, comment="The resource after the change, as the API spells it"),
    sa.Column("change", JSONB, comment="What changed it"),
    sa.Column("traceparent", sa.Text),
    *_audience(),
    sa.CheckConstraint("visibility IN ('public', 'concerned', 'headquarters')", name="visibility"),
    sa.Index("ix_timeline_subject", "generation", "subject", "stream_seq"),
    comment="Everything that happened, by stream; made of events alone",
)

record = sa.Table(
    "record",
    metadata,
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("part", sa.Text, comment="What it is counted under; absent: not counted"),
    sa.Column("lead_center_ids", ARRAY(sa.Text), nullable=False, comment="Counted for these"),
    sa.Column("sample", sa.Boolean, nullable=False),
    sa.Column("name_fa", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("message", sa.LargeBinary, comment="The resource itself, where the picture shows it"),
    *_audience(),
    sa.Index("ix_record_kind", "generation", "kind", "part"),
    comment="What each resource is after its last event; made of events alone",
)

center_report = sa.Table(
    "center_report",
    metadata,
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("center_id", sa.Text, primary_key=True),
    sa.Column("capacity", sa.LargeBinary, comment="The newest snapshot, as a message"),
    sa.Column("capacity_observed_at", sa.DateTime(timezone=True)),
    sa.Column("approved_period", sa.Text, comment="The last month with an approved report"),
    sa.Column("approved_order", sa.Date, comment="Puts months of both calendars in order"),
    comment="What each center reported last; made of events alone",
)

reported_month = sa.Table(
    "reported_month",
    metadata,
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("center_id", sa.Text, primary_key=True),
    sa.Column("period", sa.Text, primary_key=True, comment="2026-11 or 1405-08"),
    sa.Column("persian", sa.Boolean, nullable=False, comment="Which calendar the month is of"),
    sa.Column("first_day", sa.Date, nullable=False, comment="Puts months in order"),
    sa.Column("report_id", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("sample", sa.Boolean, nullable=False),
    *(sa.Column(name, sa.BigInteger, comment="Absent: unknown") for name in FIGURES),
    sa.Index("ix_reported_month_period", "generation", "period"),
    comment="What each center did in a month, as it was approved last; made of events alone",
)

presence = sa.Table(
    "presence",
    metadata,
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("node_id", sa.Text, primary_key=True),
    sa.Column("feed", sa.Text, primary_key=True),
    sa.Column("center_id", sa.Text, nullable=False),
    sa.Column("liveness", sa.Text, nullable=False),
    sa.CheckConstraint(_in("liveness", Liveness), name="liveness"),
    sa.Index("ix_presence_center", "generation", "center_id", "feed"),
    comment="Feeds as their last event left them, for alerts; what is shown as now is not here",
)

heartbeat_change = sa.Table(
    "heartbeat_change",
    metadata,
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("stream_seq", sa.BigInteger, primary_key=True),
    sa.Column("center_id", sa.Text, nullable=False),
    sa.Column("node_id", sa.Text, nullable=False),
    sa.Column("liveness", sa.Text, comment="Absent: it is no longer expected"),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint(_in("liveness", Liveness), name="liveness"),
    sa.Index("ix_heartbeat_change_at", "generation", "center_id", "at"),
    sa.Index("ix_heartbeat_change_node", "generation", "center_id", "node_id", "stream_seq"),
    comment="How each center was heard of over time; made of events alone",
)

alert = sa.Table(
    "alert",
    metadata,
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("center_id", sa.Text, nullable=False),
    sa.Column("node_id", sa.Text, nullable=False),
    sa.Column("feed", sa.Text, nullable=False),
    sa.Column(
        "resource_id",
        sa.Text,
        nullable=False,
        server_default="",
        comment="What it is about besides center and node: a condition",
    ),
    sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("opened_seq", sa.BigInteger, nullable=False),
    sa.Column("first", sa.Integer, nullable=False, comment="Number of its first occurrence"),
    sa.Column("occurrences", sa.Integer, nullable=False),
    sa.Column("gone_at", sa.DateTime(timezone=True), comment="When the cause was gone"),
    sa.Column("closed_at", sa.DateTime(timezone=True)),
    sa.CheckConstraint(_in("kind", AlertKind), name="kind"),
    sa.CheckConstraint(_in("state", AlertState), name="state"),
    sa.Index("ix_alert_latest", "generation", "opened_at", "id"),
    sa.Index("ix_alert_state", "generation", "state", "opened_at", "id"),
    sa.Index("ix_alert_center", "generation", "center_id", "opened_at", "id"),
    sa.Index("ix_alert_cause", "generation", "cause", "first"),
    comment="What the headquarters has to look at; made of events alone",
)

alert_occurrence = sa.Table(
    "alert_occurrence",
    metadata,
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("cause", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, comment="Among all of the cause, from 1"),
    sa.Column("event_id", UUID(as_uuid=True), nullable=False),
    sa.Column("stream_seq", sa.BigInteger, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    comment="Each time that a cause came up which can come up again; made of events alone",
)

alert_seen = sa.Table(
    "alert_seen",
    metadata,
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("alert_id", sa.Text, primary_key=True),
    sa.Column("occurrences", sa.Integer, nullable=False, comment="How many the person had seen"),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    comment="Acknowledgements, whether their alert is there yet or not; made of events alone",
)

alert_escalated = sa.Table(
    "alert_escalated",
    metadata,
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("alert_id", sa.Text, primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    comment="Alerts that nobody had seen in time; made of events alone",
)

PICTURE = (
    timeline,
    record,
    center_report,
    reported_month,
    presence,
    heartbeat_change,
    alert,
    alert_occurrence,
    alert_seen,
    alert_escalated,
)

acknowledgement = sa.Table(
    "acknowledgement",
    metadata,
    sa.Column("alert_id", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("occurrences", sa.Integer, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    comment="What people said of alerts: entered, and kept when the picture is built anew",
)

escalation = sa.Table(
    "escalation",
    metadata,
    sa.Column("alert_id", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    comment="Which alerts were escalated: kept, so that each is so once",
)

rebuild = sa.Table(
    "rebuild",
    metadata,
    sa.Column("generation", sa.Integer, sa.Identity(always=True), primary_key=True),
    sa.Column("subject", sa.Text, nullable=False, comment="Who asked for it"),
    sa.Column("idempotency_key", sa.Text, nullable=False),
    sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("goals", JSONB, nullable=False, comment="Positions to reach, by stream"),
    sa.Column("began_at", sa.DateTime(timezone=True)),
    sa.Column("finished_at", sa.DateTime(timezone=True)),
    sa.Column("digest_before", sa.Text),
    sa.Column("digest_after", sa.Text),
    sa.Column("rows_before", JSONB),
    sa.Column("rows_after", JSONB),
    sa.UniqueConstraint("subject", "idempotency_key"),
    comment="Each time the picture was built anew; the last finished one is shown",
)
