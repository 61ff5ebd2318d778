"""numbers of stage visits that are not given again."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# What is bound to a visit that was struck since knows its number too, and keeps it.
_COUNT = """
UPDATE project SET visits_begun = greatest(
    jsonb_array_length(stage_visits),
    (SELECT max(visit) FROM gate WHERE gate.project_id = project.id),
    (SELECT max(visit) FROM waiver WHERE waiver.project_id = project.id),
    (SELECT max(greatest(visit, rejected_visit))
     FROM evidence WHERE evidence.project_id = project.id),
    (SELECT max((c.value ->> 'visit')::integer)
     FROM evidence, jsonb_array_elements(evidence.confirmations) AS c(value)
     WHERE evidence.project_id = project.id)
)
"""


def upgrade() -> None:
    """Lead to this revision."""
    op.add_column(
        "project", sa.Column("visits_begun", sa.Integer(), server_default="0", nullable=False)
    )
    op.execute(_COUNT)


def downgrade() -> None:
    """Lead back from it."""
    op.drop_column("project", "visits_begun")
