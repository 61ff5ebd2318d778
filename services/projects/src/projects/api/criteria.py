"""Which use case answers which rpc of ``peyvand.projects.v1.Criteria``, and how."""

from functools import partial

from projects.use_cases import evidence as evidence_cases
from projects.use_cases import next_gate as next_gate_cases
from projects.use_cases import waivers as waiver_cases
from servicekit.database import Database
from servicekit.object_store import ObjectStore
from servicekit.rpcs import Rpcs


def criteria_api(database: Database, objects: ObjectStore | None) -> Rpcs:
    """Make the handlers of the service. Without `objects` evidence cannot be a file."""
    rpcs = Rpcs(database)
    rpcs.read(
        evidence_cases.get_evidence,
        evidence_cases.list_evidence,
        evidence_cases.list_evidence_steps,
        waiver_cases.get_waiver,
        waiver_cases.list_waivers,
        waiver_cases.list_waiver_steps,
        next_gate_cases.get_next_gate,
        next_gate_cases.list_pathway_templates,
        next_gate_cases.get_pathway_template,
    )
    rpcs.once(create_evidence=partial(evidence_cases.create_evidence, objects=objects))
    rpcs.once(
        evidence_cases.verify_evidence,
        evidence_cases.reconfirm_evidence,
        evidence_cases.reject_evidence,
        waiver_cases.create_waiver,
        waiver_cases.grant_waiver,
        waiver_cases.refuse_waiver,
    )
    for action in ("withdraw", "revoke"):
        rpcs.once(**{f"{action}_waiver": partial(waiver_cases.take_waiver_step, action=action)})
    return rpcs
