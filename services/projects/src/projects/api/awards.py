"""Which use case answers which rpc of ``peyvand.projects.v1.Awards``, and how."""

from functools import partial

from projects.use_cases import awards as award_cases
from servicekit.database import Database
from servicekit.rpcs import Rpcs


def awards_api(database: Database) -> Rpcs:
    """Make the handlers of the service."""
    rpcs = Rpcs(database)
    rpcs.read(award_cases.get_award, award_cases.list_awards, award_cases.list_award_steps)
    rpcs.once(
        award_cases.create_award,
        award_cases.report_milestone,
        award_cases.return_milestone,
        award_cases.meet_milestone,
        award_cases.release_tranche,
        close_award=partial(award_cases.end_award, action="close"),
        cancel_award=partial(award_cases.end_award, action="cancel"),
    )
    rpcs.write(award_cases.update_award)
    return rpcs
