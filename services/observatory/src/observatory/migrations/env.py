"""Alembic's entry: the tables that the revisions lead to."""

from observatory.tables import metadata
from servicekit.migrations import run_environment

run_environment(metadata)
