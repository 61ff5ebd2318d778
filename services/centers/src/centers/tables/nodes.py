"""The tables of nodes, of the tokens that let them join, and of the keys that they got."""

import sqlalchemy as sa

from centers.domain.nodes import NodeState
from centers.tables.shared import metadata
from servicekit.store import aggregate_columns, state_columns

_TIME = sa.DateTime(timezone=True)

node = sa.Table(
    "node",
    metadata,
    *aggregate_columns("nod"),
    *state_columns(NodeState),
    sa.Column("center_id", sa.Text, sa.ForeignKey("center.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("public_key", sa.Text, nullable=False),
    sa.Column("joined_at", _TIME),
    sa.Column("first_heard_at", _TIME),
    sa.Column("credentials_issued_at", _TIME),
    sa.Column("credentials_expire_at", _TIME),
    sa.Column("warned_days", sa.Integer),
    sa.Column("software_version", sa.Text, nullable=False),
    sa.Index("ix_node_updated", "updated_at", "id"),
    sa.Index("ix_node_state", "state", "id"),
    sa.Index("ix_node_center", "center_id", "id"),
    sa.Index(
        "ix_node_credentials_expire",
        "credentials_expire_at",
        postgresql_where=sa.text("state IN ('enrolled', 'active')"),
    ),
)

join_token = sa.Table(
    "join_token",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("node_id", sa.Text, sa.ForeignKey("node.id"), nullable=False, index=True),
    sa.Column("created_at", _TIME, nullable=False),
    sa.Column("expires_at", _TIME, nullable=False),
    sa.Column("used_at", _TIME),
    sa.Column("used_by", sa.Text, comment="Public key that joined with it"),
    sa.Column("replaced_at", _TIME, comment="When a newer one took its place, unused"),
    sa.CheckConstraint("expires_at <= created_at + interval '1 day'", name="a_day_at_most"),
    sa.CheckConstraint("(used_at IS NULL) = (used_by IS NULL)", name="used_by_someone"),
    comment="Tokens that let a node join, once; only the digest of the secret is kept",
)

node_key = sa.Table(
    "node_key",
    metadata,
    sa.Column("public_key", sa.Text, primary_key=True),
    sa.Column("node_id", sa.Text, sa.ForeignKey("node.id"), nullable=False, index=True),
    sa.Column("issued_at", _TIME, nullable=False),
    sa.Column("expires_at", _TIME, nullable=False),
    sa.Column("barred_since", _TIME, comment="Since when the broker must refuse it"),
    sa.Index(
        "ix_node_key_barred",
        "expires_at",
        postgresql_where=sa.text("barred_since IS NOT NULL"),
    ),
    comment="Keys that credentials were made for; each change notifies the channel node_keys",
)
