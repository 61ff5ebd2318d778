"""Which use case answers which rpc of ``peyvand.projects.v1.Dossiers``."""

from projects.use_cases.dossier import get_project_dossier
from servicekit.database import Database
from servicekit.rpcs import Rpcs


def dossiers_api(database: Database) -> Rpcs:
    """Make the handlers of the service."""
    rpcs = Rpcs(database)
    rpcs.read_snapshot(get_project_dossier)
    return rpcs
