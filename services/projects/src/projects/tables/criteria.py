"""The tables of evidence and of waivers."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from projects.domain.evidence import EvidenceKind, EvidenceState
from projects.domain.pathways import Stage
from projects.domain.waivers import WaiverState
from projects.tables.shared import metadata, one_of
from servicekit.store import aggregate_columns, state_columns

# The visit that a piece of evidence speaks for: if it was verified, the last one for which
# somebody found that it holds; else the one in which it was made. In the words of PostgreSQL,
# so that a draft of a revision finds it unchanged.
SPEAKS_FOR = (
    "(\nCASE\n    WHEN state = 'verified'::text"
    " THEN ((confirmations -> '-1'::integer) ->> 'visit'::text)::integer\n    ELSE visit\nEND)"
)

# A piece of evidence is never deleted, and what was submitted never changes; a trigger
# of the second revision refuses anything else.
evidence = sa.Table(
    "evidence",
    metadata,
    *aggregate_columns("evd"),
    *state_columns(EvidenceState),
    sa.Column("project_id", sa.Text, sa.ForeignKey("project.id"), nullable=False),
    sa.Column("criterion", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("visit", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("title", JSONB, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("file", JSONB(none_as_null=True)),
    sa.Column("reference", JSONB(none_as_null=True)),
    sa.Column("submitted_by", sa.Text, nullable=False),
    sa.Column("confirmations", JSONB, nullable=False),
    sa.Column("supersedes_id", sa.Text, sa.ForeignKey("evidence.id")),
    sa.Column("superseded_by_id", sa.Text, nullable=False),
    sa.Column("resubmission_reason", sa.Text, nullable=False, server_default=""),
    sa.Column("rejected_visit", sa.Integer, nullable=False, server_default="0"),
    one_of("stage", Stage),
    one_of("kind", EvidenceKind),
    sa.CheckConstraint("(file IS NULL) <> (reference IS NULL)", name="one_source"),
    # Who submitted it has confirmed none of it.
    sa.CheckConstraint(
        "NOT jsonb_path_exists(confirmations, '$[*] ? (@.confirmed_by == $who)',"
        " jsonb_build_object('who', submitted_by))",
        name="confirmed_by_another",
    ),
    sa.CheckConstraint(
        "state <> 'verified' OR jsonb_array_length(confirmations) > 0", name="verified_by_someone"
    ),
    sa.CheckConstraint(
        "(state = 'superseded') = (superseded_by_id <> '')", name="superseded_by_another"
    ),
    sa.Index("ix_evidence_updated", "updated_at", "id"),
    sa.Index("ix_evidence_state", "state", "id"),
    sa.Index("ix_evidence_project", "project_id", "criterion", "id"),
    # By the visit that it speaks for; what is of other visits is not even looked at.
    sa.Index("ix_evidence_speaks", "project_id", "criterion", "state", sa.text(SPEAKS_FOR), "id"),
    sa.Index(
        "ix_evidence_supersedes",
        "supersedes_id",
        unique=True,
        postgresql_where=sa.text("supersedes_id IS NOT NULL"),
    ),
    sa.Index("ix_evidence_file", sa.text("(file ->> 'sha256')")),
    sa.Index("ix_evidence_rejected", "project_id", postgresql_where=sa.text("rejected_visit > 0")),
)

waiver = sa.Table(
    "waiver",
    metadata,
    *aggregate_columns("wvr"),
    *state_columns(WaiverState),
    sa.Column("project_id", sa.Text, sa.ForeignKey("project.id"), nullable=False),
    sa.Column("criterion", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("visit", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("expiry_date", sa.Text, nullable=False),
    sa.Column("requested_by", sa.Text, nullable=False),
    sa.Column("ruled_by", sa.Text, nullable=False),
    one_of("stage", Stage),
    sa.CheckConstraint("state <> 'granted' OR ruled_by <> ''", name="granted_by_someone"),
    sa.CheckConstraint("state <> 'granted' OR ruled_by <> requested_by", name="granted_by_another"),
    sa.Index("ix_waiver_updated", "updated_at", "id"),
    sa.Index("ix_waiver_state", "state", "id"),
    sa.Index("ix_waiver_project", "project_id", "visit", "criterion", "id"),
    # One request at a time for a criterion in a visit.
    sa.Index(
        "ix_waiver_requested",
        "project_id",
        "visit",
        "criterion",
        unique=True,
        postgresql_where=sa.text("state = 'requested'"),
    ),
)
