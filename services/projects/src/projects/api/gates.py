"""Which use case answers which rpc of ``peyvand.projects.v1.Gates``, and how."""

from projects.use_cases import conditions as condition_cases
from projects.use_cases import gates as gate_cases
from servicekit.database import Database
from servicekit.rpcs import Rpcs


def gates_api(database: Database) -> Rpcs:
    """Make the handlers of the service."""
    rpcs = Rpcs(database)
    rpcs.read(
        gate_cases.get_gate,
        gate_cases.list_gates,
        gate_cases.list_gate_steps,
        condition_cases.get_project_condition,
        condition_cases.list_project_conditions,
        condition_cases.list_project_condition_steps,
    )
    rpcs.once(
        gate_cases.create_gate,
        gate_cases.declare_at_gate,
        gate_cases.propose_at_gate,
        gate_cases.vote_at_gate,
        gate_cases.withdraw_gate,
        condition_cases.report_project_condition,
        condition_cases.return_project_condition,
        condition_cases.confirm_project_condition,
    )
    return rpcs
