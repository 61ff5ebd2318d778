"""How centers are stored and found."""

from centers import tables
from centers.domain.centers import Center
from peyvand.centers.v1 import centers_pb2 as pb
from servicekit.database import ReadSession
from servicekit.errors import Fault
from servicekit.rpc_server import Call
from servicekit.store import AggregateStore


def owned_by(center: Center, call: Call) -> bool:
    """A center is the own one of those whose token names it."""
    return center.id in call.principal.center_ids


centers: AggregateStore[Center, pb.Center] = AggregateStore(
    Center,
    table=tables.center,
    steps=tables.service_tables.step,
    resource=pb.Center,
    event=pb.CenterEvent,
    owned_by=owned_by,
)


async def require_free_code(session: ReadSession, center: Center) -> None:
    """Raise `Fault` ``CENTER_CODE_TAKEN`` if another center has the code."""
    table = tables.center
    other = await centers.find_by(session, table.c.code == center.code, table.c.id != center.id)
    if other is not None:
        raise Fault("CENTER_CODE_TAKEN", {"code": center.code, "id": other.id})
