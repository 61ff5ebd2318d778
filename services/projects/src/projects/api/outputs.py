"""Which use case answers which rpc of ``peyvand.projects.v1.Outputs``, and how."""

from functools import partial

from projects.domain.outputs import Output
from projects.use_cases import outputs as output_cases
from servicekit.database import Database
from servicekit.rpcs import Rpcs


def outputs_api(database: Database) -> Rpcs:
    """Make the handlers of the service."""
    rpcs = Rpcs(database)
    rpcs.read(output_cases.get_output, output_cases.list_outputs, output_cases.list_output_steps)
    rpcs.once(output_cases.create_output)
    rpcs.write(output_cases.update_output)
    for action in Output.EVENTS:
        step = partial(output_cases.take_output_step, action=action)
        rpcs.once(**{f"{action}_output": step})
    return rpcs
