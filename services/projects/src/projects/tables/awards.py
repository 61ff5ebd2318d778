"""The tables of awards and of what was released of them."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from projects.domain.awards import AwardState
from projects.tables.shared import metadata
from servicekit.store import aggregate_columns, state_columns

_AMOUNT = sa.Numeric(19, 4)

award = sa.Table(
    "award",
    metadata,
    *aggregate_columns("awd"),
    *state_columns(AwardState),
    sa.Column("project_id", sa.Text, sa.ForeignKey("project.id"), nullable=False),
    sa.Column("titles", JSONB, nullable=False),
    sa.Column("funder", JSONB, nullable=False),
    sa.Column("grant_number", sa.Text, nullable=False),
    sa.Column("amount", JSONB, nullable=False),
    sa.Column("awarded_date", JSONB),
    sa.Column("milestones", JSONB, nullable=False),
    sa.Column("tranches", JSONB, nullable=False),
    sa.Column("released", JSONB, nullable=False),
    # The money once more, in types that sums and constraints are made of.
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("awarded_value", _AMOUNT, nullable=False),
    sa.Column("released_value", _AMOUNT, nullable=False),
    sa.CheckConstraint("awarded_value > 0", name="awarded"),
    sa.CheckConstraint("released_value BETWEEN 0 AND awarded_value", name="released"),
    # Who reported a milestone has not confirmed it.
    sa.CheckConstraint(
        "NOT jsonb_path_exists(milestones,"
        " '$[*] ? (@.state == \"met\" && @.confirmed_by == @.reported_by)')",
        name="met_by_another",
    ),
    # What is released refers to this, so that it is in the same currency.
    sa.UniqueConstraint("id", "currency"),
    sa.Index("ix_award_updated", "updated_at", "id"),
    sa.Index("ix_award_project", "project_id", "id"),
    sa.Index("ix_award_state", "state", "id"),
    sa.Index("ix_award_funder", sa.text("(funder ->> 'institution_id')"), "id"),
)

# The books: what was released is only ever added. Triggers of the revision that made it
# refuse anything else, and see at the commit that the books agree with the award.
disbursement = sa.Table(
    "disbursement",
    metadata,
    sa.Column("award_id", sa.Text, primary_key=True),
    sa.Column("tranche_code", sa.Text, primary_key=True),
    sa.Column("milestone_code", sa.Text, nullable=False),
    sa.Column("amount", _AMOUNT, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("award_version", sa.BigInteger, nullable=False),
    sa.Column("released_at", sa.DateTime(timezone=True), nullable=False, index=True),
    sa.CheckConstraint("amount > 0", name="amount"),
    sa.ForeignKeyConstraint(["award_id", "currency"], ["award.id", "award.currency"]),
)
