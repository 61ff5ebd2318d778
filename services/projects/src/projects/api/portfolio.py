"""Which use case answers which rpc of ``peyvand.projects.v1.Portfolios``."""

from projects.use_cases import portfolio as use_cases
from servicekit.database import Database
from servicekit.rpcs import Rpcs


def portfolio_api(database: Database) -> Rpcs:
    """Make the handlers of the service."""
    rpcs = Rpcs(database)
    rpcs.read_snapshot(use_cases.get_portfolio)
    return rpcs
