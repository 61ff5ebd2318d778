"""Which use case answers which rpc of ``peyvand.centers.v1.Centers``, and how."""

from functools import partial

from centers.domain.centers import Center
from centers.repository.centers import centers
from centers.use_cases import centers as use_cases
from peyvand.centers.v1 import centers_pb2 as pb
from servicekit.database import Database
from servicekit.imports import Plan
from servicekit.rpc_server import Call
from servicekit.rpcs import Rpcs


def centers_api(database: Database) -> Rpcs:
    """Make the handlers of the service."""
    rpcs = Rpcs(database)
    rpcs.read(use_cases.get_center, use_cases.list_centers, use_cases.list_center_steps)
    rpcs.once(use_cases.create_center)
    rpcs.write(use_cases.update_center)
    for action in Center.EVENTS:
        rpcs.once(**{f"{action}_center": partial(use_cases.take_step, action=action)})
    rpcs.imports("centers", _plan, pb.ImportCentersResponse)
    return rpcs


def _plan(request: pb.ImportCentersRequest, call: Call) -> Plan[pb.CenterRow]:
    return Plan(
        request.rows,
        lambda session, row: use_cases.import_center(session, row, call),
        kind=centers.kind,
        key_of=lambda row: row.center.external_key,
    )
