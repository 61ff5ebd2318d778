"""What this service is told at start, besides what every service is told."""

from servicekit.object_store import ObjectSettings
from servicekit.settings import DatabaseSettings


class ProjectsSettings(DatabaseSettings, ObjectSettings):
    """Settings of the projects service. Without a store of files, evidence is a reference."""
