"""Which use case answers which rpc of ``peyvand.projects.v1.Readiness``."""

from functools import partial

from projects.domain.readiness import ReadinessClaim
from projects.use_cases import readiness as use_cases
from servicekit.database import Database
from servicekit.rpcs import Rpcs


def readiness_api(database: Database) -> Rpcs:
    """Make the handlers of the service."""
    rpcs = Rpcs(database)
    rpcs.read(
        use_cases.get_project_readiness,
        use_cases.get_readiness_scale,
        use_cases.get_readiness_claim,
        use_cases.list_readiness_claims,
        use_cases.list_readiness_claim_steps,
    )
    rpcs.once(use_cases.create_readiness_claim, use_cases.verify_readiness_claim)
    for action in ReadinessClaim.EVENTS.keys() - {"verify"}:
        step = partial(use_cases.take_claim_step, action=action)
        rpcs.once(**{f"{action}_readiness_claim": step})
    return rpcs
