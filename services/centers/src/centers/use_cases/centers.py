"""What the service does with centers."""

from typing import Any

from centers import tables
from centers.domain.centers import ENDED, Center, CenterState
from centers.repository.centers import centers, require_free_code
from centers.use_cases.nodes import withdraw_nodes
from peyvand.centers.v1 import centers_pb2 as pb
from servicekit.contract import enum_names
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault
from servicekit.ids import new_id
from servicekit.imports import RowOutcome, stated, upsert
from servicekit.mapping import read_fields
from servicekit.policy import reaches
from servicekit.requests import given_fields, masked_fields, occasion
from servicekit.rpc_server import Call


async def get_center(session: ReadSession, request: pb.GetCenterRequest, call: Call) -> pb.Center:
    """Give one center."""
    return centers.present(await centers.get(session, request.center_id), call)


async def list_centers(
    session: ReadSession, request: pb.ListCentersRequest, call: Call
) -> pb.ListCentersResponse:
    """Give a page of centers."""
    columns = tables.center.c
    where: list[Any] = []
    if request.state:
        where.append(columns.state == enum_names(pb.CenterState.DESCRIPTOR)[request.state])
    if request.province:
        where.append(columns.province == request.province)
    if request.external_key:
        where.append(columns.external_key == request.external_key)
    found, token = await centers.page(session, request, *where)
    return pb.ListCentersResponse(
        centers=[centers.present(center, call) for center in found], next_page_token=token
    )


async def create_center(
    session: WriteSession, request: pb.CreateCenterRequest, call: Call
) -> pb.Center:
    """Record a new center, as planned."""
    center = _new_center(read_fields(request.center, Center, only=_GIVEN), call)
    center.recorded(occasion(request, call))
    await require_free_code(session, center)
    await centers.save(session, center)
    return centers.present(center, call)


async def update_center(
    session: WriteSession, request: pb.UpdateCenterRequest, call: Call
) -> pb.Center:
    """Change what is known of a center."""
    center = await _lock_own(session, request.center_id, call, request.etag)
    values = masked_fields(request.center, Center, request.update_mask.paths)
    if center.amend(values, occasion(request, call)):
        await require_free_code(session, center)
        await centers.save(session, center)
    return centers.present(center, call)


async def take_step(
    session: WriteSession, request: pb.CenterStepRequest, call: Call, action: str
) -> pb.Center:
    """Take one step in the life of a center; with its end its nodes leave the network."""
    center = await _lock_own(session, request.center_id, call, request.etag)
    if action == "open":
        center.open(occasion(request, call))
    else:
        center.take(action, occasion(request, call))
    await centers.save(session, center)
    if center.state in ENDED:
        await withdraw_nodes(session, center.id, occasion(request, call))
    return centers.present(center, call)


async def list_center_steps(
    session: ReadSession, request: pb.ListCenterStepsRequest, call: Call
) -> pb.ListCenterStepsResponse:
    """Give a page of the steps that a center has taken."""
    center = await centers.get(session, request.center_id)
    _require_reach(center, call)
    steps, token = await centers.steps(session, center.id, request)
    return pb.ListCenterStepsResponse(steps=steps, next_page_token=token)


async def import_center(session: WriteSession, row: pb.CenterRow, call: Call) -> RowOutcome:
    """Bring one center to what a row of a file says of it."""
    values = given_fields(row.center, Center, Center.EDITABLE)
    goal = stated(row.center.state, pb.CenterState, CenterState)
    outcome = await upsert(
        session,
        centers,
        external_key=row.center.external_key,
        occasion=occasion(row, call),
        build=lambda: _new_center(read_fields(row.center, Center, only=_GIVEN), call),
        values=values,
        goal=goal,
        check=lambda center: require_free_code(session, center),
    )
    if goal in ENDED:
        await withdraw_nodes(session, outcome[1], occasion(row, call))
    return outcome


_GIVEN = frozenset({*Center.EDITABLE, "external_key"})


def _new_center(values: dict[str, Any], call: Call) -> Center:
    now = call.now
    return Center(
        id=new_id(centers.id_prefix), created_at=now, updated_at=now, state_since=now, **values
    )


async def _lock_own(session: WriteSession, center_id: str, call: Call, etag: str) -> Center:
    center = await centers.lock(session, center_id, etag)
    _require_reach(center, call)
    return center


def _require_reach(center: Center, call: Call) -> None:
    own = centers.owned_by(center, call)
    if not reaches(call.rpc, call.principal, own=own):
        raise Fault.not_found(centers.kind, center.id)
