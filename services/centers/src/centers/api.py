"""Which use case answers which rpc of ``peyvand.centers.v1.Centers``, and how."""

from functools import partial

from centers import use_cases
from centers.domain import Center
from centers.repository import centers
from peyvand.centers.v1 import centers_pb2 as pb
from servicekit.database import Database
from servicekit.imports import import_rows
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
    rpcs.handle("import_centers", partial(_import_centers, database))
    return rpcs


async def _import_centers(
    database: Database, request: pb.ImportCentersRequest, call: Call
) -> pb.ImportCentersResponse:
    results = await import_rows(
        database,
        request.rows,
        lambda session, row: use_cases.import_center(session, row, call),
        kind=centers.kind,
        key_of=lambda row: row.center.external_key,
        validate_only=request.validate_only,
    )
    return pb.ImportCentersResponse(results=results)
