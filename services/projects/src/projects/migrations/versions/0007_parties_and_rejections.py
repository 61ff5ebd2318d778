"""parties of agreements, and rejections of evidence."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
# What is narrower for the version before, and why that is not hindered (docs/deploy.md).
tightens = {
    "function public.keep_what_was_submitted": (
        "what it keeps too is not written by the version before"
    ),
}

# As in the second revision; why the same bytes are brought again stays as well.
_KEEP = """
CREATE OR REPLACE FUNCTION keep_what_was_submitted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.external_key, NEW.created_at, NEW.project_id, NEW.criterion, NEW.stage,
        NEW.visit, NEW.kind, NEW.title, NEW.description, NEW.file, NEW.reference,
        NEW.submitted_by, NEW.supersedes_id{more_new})
       IS DISTINCT FROM
       (OLD.id, OLD.external_key, OLD.created_at, OLD.project_id, OLD.criterion, OLD.stage,
        OLD.visit, OLD.kind, OLD.title, OLD.description, OLD.file, OLD.reference,
        OLD.submitted_by, OLD.supersedes_id{more_old})
    THEN
        RAISE EXCEPTION 'evidence is not changed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$
"""
# What was rejected before was so in its own visit, or in the last for which it had held.
_REJECTED = """
UPDATE evidence SET rejected_visit = greatest(
    visit, (SELECT max((c ->> 'visit')::int) FROM jsonb_array_elements(confirmations) c)
)
WHERE id IN (SELECT aggregate_id FROM step WHERE step ->> 'action' = 'rejected')
"""


def upgrade() -> None:
    """Lead to this revision."""
    op.add_column(
        "known_agreement",
        sa.Column(
            "party_ids",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
        ),
    )
    op.add_column(
        "evidence",
        sa.Column("resubmission_reason", sa.Text(), server_default="", nullable=False),
    )
    op.add_column(
        "evidence", sa.Column("rejected_visit", sa.Integer(), server_default="0", nullable=False)
    )
    op.create_index(
        "ix_evidence_rejected",
        "evidence",
        ["project_id"],
        unique=False,
        postgresql_where=sa.text("rejected_visit > 0"),
    )
    op.execute(_REJECTED)
    op.execute(
        _KEEP.format(more_new=", NEW.resubmission_reason", more_old=", OLD.resubmission_reason")
    )


def downgrade() -> None:
    """Lead back from it."""
    op.execute(_KEEP.format(more_new="", more_old=""))
    op.drop_index(
        "ix_evidence_rejected",
        table_name="evidence",
        postgresql_where=sa.text("rejected_visit > 0"),
    )
    op.drop_column("evidence", "rejected_visit")
    op.drop_column("evidence", "resubmission_reason")
    op.drop_column("known_agreement", "party_ids")
