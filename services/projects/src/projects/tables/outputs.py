"""The table of outputs."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from projects.domain.outputs import OutputKind, OutputState
from projects.tables.shared import metadata, one_of
from servicekit.store import aggregate_columns, state_columns

output = sa.Table(
    "output",
    metadata,
    *aggregate_columns("out"),
    *state_columns(OutputState),
    sa.Column("project_id", sa.Text, sa.ForeignKey("project.id"), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("identifier", sa.Text, nullable=False),
    sa.Column("titles", JSONB, nullable=False),
    *(sa.Column(kind.value, JSONB(none_as_null=True)) for kind in OutputKind),
    one_of("kind", OutputKind),
    # Exactly the one of its kind is there.
    sa.CheckConstraint(
        " AND ".join(
            f"(kind = '{kind.value}') = ({kind.value} IS NOT NULL)" for kind in OutputKind
        ),
        name="one_thing",
    ),
    # What counts, counts once in a project, whoever else records it at the same time.
    sa.Index(
        "ux_output_identifier",
        "project_id",
        "identifier",
        unique=True,
        postgresql_where=sa.text("identifier <> '' AND state = 'recorded'"),
    ),
    sa.Index("ix_output_updated", "updated_at", "id"),
    sa.Index("ix_output_project", "project_id", "id"),
    sa.Index("ix_output_kind", "kind", "state", "id"),
    sa.Index(
        "ix_output_known_as", "identifier", "id", postgresql_where=sa.text("identifier <> ''")
    ),
)
