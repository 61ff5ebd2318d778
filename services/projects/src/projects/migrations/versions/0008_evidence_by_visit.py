"""evidence by the visit that it speaks for."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_SPEAKS_FOR = (
    "(\nCASE\n    WHEN state = 'verified'::text"
    " THEN ((confirmations -> '-1'::integer) ->> 'visit'::text)::integer\n    ELSE visit\nEND)"
)


def upgrade() -> None:
    """Lead to this revision."""
    op.create_index(
        "ix_evidence_speaks",
        "evidence",
        ["project_id", "criterion", "state", sa.literal_column(_SPEAKS_FOR), "id"],
        unique=False,
    )


def downgrade() -> None:
    """Lead back from it."""
    op.drop_index("ix_evidence_speaks", table_name="evidence")
