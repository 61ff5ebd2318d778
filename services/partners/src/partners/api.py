"""Which use case answers which rpc of ``peyvand.partners.v1.Partners``, and how."""

from functools import partial

from partners.domain.activities import Activity
from partners.repository import FIND_BY_KEY
from partners.use_cases import activities, agreements, imports, institutions, persons
from peyvand.partners.v1 import partners_pb2 as pb
from servicekit.database import Database
from servicekit.imports import Plan
from servicekit.references import References
from servicekit.rpc_server import Call
from servicekit.rpcs import Rpcs

# The steps that ask for nothing but a reason, by the name of their rpc.
_AGREEMENT_STEPS = {
    "negotiate_agreement": "negotiate",
    "enter_agreement_into_force": "enter-force",
    "suspend_agreement": "suspend",
    "resume_agreement": "resume",
    "expire_agreement": "expire",
    "terminate_agreement": "terminate",
    "withdraw_agreement": "withdraw",
}


def partners_api(database: Database) -> Rpcs:
    """Make the handlers of the service."""
    rpcs = Rpcs(database)
    rpcs.read(
        institutions.get_institution,
        institutions.list_institutions,
        persons.get_person,
        persons.list_persons,
        agreements.get_agreement,
        agreements.list_agreements,
        agreements.list_agreement_steps,
        activities.get_activity,
        activities.list_activities,
        activities.list_activity_steps,
    )
    rpcs.once(
        institutions.create_institution,
        persons.create_person,
        agreements.create_agreement,
        agreements.sign_agreement,
        agreements.ratify_agreement,
        agreements.supersede_agreement,
        agreements.confirm_agreement_parent,
        activities.create_activity,
    )
    rpcs.write(
        institutions.update_institution,
        persons.update_person,
        persons.delete_person,
        agreements.update_agreement,
        activities.update_activity,
    )
    for name, action in _AGREEMENT_STEPS.items():
        rpcs.once(**{name: partial(agreements.take_agreement_step, action=action)})
    for action in Activity.EVENTS:
        step = partial(activities.take_activity_step, action=action)
        rpcs.once(**{f"{action}_activity": step})
    rpcs.imports("partners", _plan, pb.ImportPartnersResponse)
    return rpcs


def _plan(request: pb.ImportPartnersRequest, call: Call) -> Plan[pb.PartnersRow]:
    pending = request.pending if request.validate_only else ()
    references = References(FIND_BY_KEY, pending=pending)
    return Plan(
        request.rows,
        lambda session, row: imports.import_row(session, row, call, references),
        kind=imports.kind_of,
        key_of=imports.key_of,
        in_order=imports.in_order,
    )
