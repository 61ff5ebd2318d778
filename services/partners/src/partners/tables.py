"""The tables of this service.

Parties, participants and positions are lists within their aggregate; the GIN indexes
answer who takes part in what.
"""

from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from partners.domain.activities import ActivityKind, ActivityState
from partners.domain.agreement_terms import AgreementKind, RenewalMode
from partners.domain.agreements import AgreementState
from partners.domain.institutions import InstitutionType
from servicekit.service import ServiceTables
from servicekit.store import aggregate_columns, state_columns

service_tables = ServiceTables()
metadata = service_tables.metadata


def _one_of(column: str, values: type[StrEnum]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value.value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


def _contains_index(name: str, column: str) -> sa.Index:
    """Index for `@>` on a list of objects."""
    return sa.Index(name, column, postgresql_using="gin", postgresql_ops={column: "jsonb_path_ops"})


institution = sa.Table(
    "institution",
    metadata,
    *aggregate_columns("ins"),
    sa.Column("names", JSONB, nullable=False),
    sa.Column("ror_id", sa.Text, unique=True),
    sa.Column("type", sa.Text),
    sa.Column("country", sa.Text, nullable=False),
    sa.Column("parent_id", sa.Text, sa.ForeignKey("institution.id")),
    sa.Column("predecessor_id", sa.Text, sa.ForeignKey("institution.id")),
    sa.Column("contact", JSONB),
    _one_of("type", InstitutionType),
    sa.Index("ix_institution_updated", "updated_at", "id"),
    sa.Index("ix_institution_country", "country", "id"),
    sa.Index("ix_institution_parent", "parent_id", "id"),
)

person = sa.Table(
    "person",
    metadata,
    *aggregate_columns("per"),
    sa.Column("names", JSONB, nullable=False),
    sa.Column("positions", JSONB, nullable=False),
    sa.Column("note", JSONB),
    sa.Index("ix_person_updated", "updated_at", "id"),
    _contains_index("ix_person_positions", "positions"),
)

agreement = sa.Table(
    "agreement",
    metadata,
    *aggregate_columns("agr"),
    *state_columns(AgreementState),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("titles", JSONB, nullable=False),
    sa.Column("parent_id", sa.Text, sa.ForeignKey("agreement.id")),
    sa.Column("suggested_parent_id", sa.Text, sa.ForeignKey("agreement.id")),
    sa.Column("suggested_parent_note", JSONB),
    sa.Column("parties", JSONB, nullable=False),
    sa.Column("signatures", JSONB, nullable=False),
    sa.Column("witnesses", JSONB, nullable=False),
    sa.Column("ratification_required", sa.Boolean, nullable=False),
    sa.Column("ratifications", JSONB, nullable=False),
    sa.Column("scope", JSONB, nullable=False),
    sa.Column("place", JSONB),
    sa.Column("signed_date", JSONB),
    sa.Column("effective_date", JSONB),
    sa.Column("expiry_date", JSONB),
    sa.Column("provisional", sa.Boolean, nullable=False),
    sa.Column("notice_days", sa.Integer),
    sa.Column("renewal_mode", sa.Text),
    sa.Column("terms_hash", sa.Text, nullable=False),
    sa.Column("superseded_by_id", sa.Text, sa.ForeignKey("agreement.id")),
    sa.Column("note", JSONB),
    sa.Column("review_flags", JSONB, nullable=False),
    _one_of("kind", AgreementKind),
    _one_of("renewal_mode", RenewalMode),
    sa.Index("ix_agreement_updated", "updated_at", "id"),
    sa.Index("ix_agreement_state", "state", "id"),
    sa.Index("ix_agreement_kind", "kind", "id"),
    sa.Index("ix_agreement_parent", "parent_id", "id"),
    _contains_index("ix_agreement_parties", "parties"),
)

activity = sa.Table(
    "activity",
    metadata,
    *aggregate_columns("act"),
    *state_columns(ActivityState),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("titles", JSONB, nullable=False),
    sa.Column("agreement_id", sa.Text, sa.ForeignKey("agreement.id")),
    sa.Column("scope_codes", JSONB, nullable=False),
    sa.Column("out_of_scope_reason", JSONB),
    sa.Column("participants", JSONB, nullable=False),
    sa.Column("start_date", JSONB),
    sa.Column("end_date", JSONB),
    sa.Column("place", JSONB),
    sa.Column("note", JSONB),
    sa.Column("was_approved", sa.Boolean, nullable=False),
    _one_of("kind", ActivityKind),
    sa.Index("ix_activity_updated", "updated_at", "id"),
    sa.Index("ix_activity_state", "state", "id"),
    sa.Index("ix_activity_kind", "kind", "id"),
    sa.Index("ix_activity_agreement", "agreement_id", "id"),
    _contains_index("ix_activity_participants", "participants"),
)

# A copy: that a center is there is all that agreements and activities need to know of it.
# `version` is that of its last event.
known_center = sa.Table(
    "known_center",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("external_key", sa.Text, nullable=False, index=True),
    sa.Column("version", sa.BigInteger, nullable=False),
)
