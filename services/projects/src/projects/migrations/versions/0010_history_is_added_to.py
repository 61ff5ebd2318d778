"""the steps and the confirmations are only added to."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
# What is narrower for the version before, and why that is not hindered (docs/deploy.md).
tightens = {
    "trigger step.step_append_only": "no version changes a step or takes it away",
    "trigger evidence.evidence_confirmations_kept": (
        "no version changes a confirmation that was made"
    ),
}

# Steps are what a dossier tells of a project; `refuse_change` is of the first revision.
_STEPS = """
CREATE TRIGGER step_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON step
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""
# A confirmation that was made stays, where it was; another comes after it.
_GROW = """
CREATE FUNCTION keep_confirmations() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kept jsonb;
BEGIN
    SELECT coalesce(jsonb_agg(c.value ORDER BY c.place), '[]') INTO kept
    FROM jsonb_array_elements(NEW.confirmations) WITH ORDINALITY AS c(value, place)
    WHERE c.place <= jsonb_array_length(OLD.confirmations);
    IF kept <> OLD.confirmations OR NEW.resubmission_reason <> OLD.resubmission_reason THEN
        RAISE EXCEPTION 'confirmations are append-only, evidence is not changed'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$
"""
_GROWN = """
CREATE TRIGGER evidence_confirmations_kept BEFORE UPDATE ON evidence
FOR EACH ROW EXECUTE FUNCTION keep_confirmations()
"""


def upgrade() -> None:
    """Lead to this revision."""
    op.execute(_STEPS)
    op.execute(_GROW)
    op.execute(_GROWN)


def downgrade() -> None:
    """Lead back from it."""
    op.execute("DROP TRIGGER evidence_confirmations_kept ON evidence")
    op.execute("DROP FUNCTION keep_confirmations")
    op.execute("DROP TRIGGER step_append_only ON step")
