"""terms of decisions, and all who were ever named on a project."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
# What is narrower for the version before, and why that is not hindered (docs/deploy.md).
tightens = {
    "function public.keep_gate": "what it keeps too is not written by the version before",
    "trigger project.project_named_kept": "what it keeps is not written by the version before",
}

# As in the third revision, and who has opened it stays as well.
_KEEP_GATE = """
CREATE OR REPLACE FUNCTION keep_gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'open'
       OR (NEW.id, NEW.external_key, NEW.created_at, NEW.project_id, NEW.stage, NEW.visit,
           NEW.supersedes_id, NEW.panel, NEW.quorum{opened_by})
       IS DISTINCT FROM
          (OLD.id, OLD.external_key, OLD.created_at, OLD.project_id, OLD.stage, OLD.visit,
           OLD.supersedes_id, OLD.panel, OLD.quorum{old_opened_by})
    THEN
        RAISE EXCEPTION 'a gate is not changed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$
"""
_KEEP_NAMED = """
CREATE FUNCTION keep_named() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (NEW.named_subjects @> OLD.named_subjects
            AND NEW.named_center_ids @> OLD.named_center_ids)
    THEN
        RAISE EXCEPTION 'who was named on a project stays named'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$
"""
_NAMED_STAY = """
CREATE TRIGGER project_named_kept BEFORE UPDATE ON project
FOR EACH ROW EXECUTE FUNCTION keep_named()
"""
# Who was taken off before is not known here any more.
_NAMED_NOW = """
UPDATE project SET
    named_subjects = (
        SELECT coalesce(jsonb_agg(DISTINCT person ->> 'subject'), '[]')
        FROM jsonb_array_elements(people) AS person
        WHERE coalesce(person ->> 'subject', '') <> ''
    ),
    named_center_ids = (
        SELECT jsonb_agg(DISTINCT center_id)
        FROM (
            SELECT lead_center_id
            UNION ALL
            SELECT part ->> 'center_id' FROM jsonb_array_elements(participants) AS part
        ) AS named (center_id)
        WHERE coalesce(center_id, '') <> ''
    )
"""


def upgrade() -> None:
    """Lead to this revision."""
    for table, column, empty in (
        ("gate", "proposals", "[]"),
        ("project", "named_subjects", "[]"),
        ("project", "named_center_ids", "[]"),
    ):
        op.add_column(
            table,
            sa.Column(
                column,
                postgresql.JSONB(astext_type=sa.Text()),
                server_default=empty,
                nullable=False,
            ),
        )
    op.add_column("gate", sa.Column("opened_by", sa.Text(), server_default="", nullable=False))
    op.execute(_NAMED_NOW)
    op.execute(_KEEP_GATE.format(opened_by=", NEW.opened_by", old_opened_by=", OLD.opened_by"))
    op.execute(_KEEP_NAMED)
    op.execute(_NAMED_STAY)


def downgrade() -> None:
    """Lead back from it."""
    op.execute("DROP TRIGGER project_named_kept ON project")
    op.execute("DROP FUNCTION keep_named")
    op.execute(_KEEP_GATE.format(opened_by="", old_opened_by=""))
    op.drop_column("gate", "opened_by")
    op.drop_column("project", "named_center_ids")
    op.drop_column("project", "named_subjects")
    op.drop_column("gate", "proposals")
