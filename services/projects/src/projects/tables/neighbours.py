"""Copies of what this service must know of its neighbours."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from projects.tables.shared import metadata


def _known_columns() -> list[sa.schema.SchemaItem]:
    """Columns of a copy of a neighbour's resource; `version` is that of its last event."""
    return [
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("external_key", sa.Text, nullable=False, index=True),
        sa.Column("version", sa.BigInteger, nullable=False),
    ]


known_center = sa.Table(
    "known_center",
    metadata,
    *_known_columns(),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("names", JSONB, nullable=False),
    sa.Column("province", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("state_since", sa.DateTime(timezone=True)),
)

known_institution = sa.Table(
    "known_institution",
    metadata,
    *_known_columns(),
    sa.Column("names", JSONB, nullable=False),
)

# `party_ids` are those of the institutions among its parties. The default is for a version
# that runs beside this one and does not know of them.
known_agreement = sa.Table(
    "known_agreement",
    metadata,
    *_known_columns(),
    sa.Column("titles", JSONB, nullable=False),
    sa.Column("party_ids", JSONB, nullable=False, server_default="[]"),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("state_since", sa.DateTime(timezone=True)),
)

# `changed_at` and `changed_version` are those of the last change of its state or text.
known_regulation = sa.Table(
    "known_regulation",
    metadata,
    *_known_columns(),
    sa.Column("titles", JSONB, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("changed_at", sa.DateTime(timezone=True)),
    sa.Column("changed_version", sa.BigInteger, nullable=False, server_default="0"),
)
