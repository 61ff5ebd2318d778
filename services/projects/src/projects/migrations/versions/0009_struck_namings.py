"""namings that were struck as wrong."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
# What is narrower for the version before, and why that is not hindered (docs/deploy.md).
tightens = {
    "function public.keep_named": "what it keeps too is not written by the version before",
}

# As in the sixth revision, and what was struck stays struck.
_KEEP_NAMED = """
CREATE OR REPLACE FUNCTION keep_named() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (NEW.named_subjects @> OLD.named_subjects
            AND NEW.named_center_ids @> OLD.named_center_ids{struck})
    THEN
        RAISE EXCEPTION 'who was named on a project stays named'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$
"""


def upgrade() -> None:
    """Lead to this revision."""
    op.add_column(
        "project",
        sa.Column(
            "struck_subjects",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
        ),
    )
    struck = "\n            AND NEW.struck_subjects @> OLD.struck_subjects"
    op.execute(_KEEP_NAMED.format(struck=struck))


def downgrade() -> None:
    """Lead back from it."""
    op.execute(_KEEP_NAMED.format(struck=""))
    op.drop_column("project", "struck_subjects")
