"""Which use case answers which rpc of ``peyvand.observatory.v1.Observatory``, and how."""

from functools import partial
from typing import Any

from domainkit.aggregate import Stateful
from observatory.projections.following import Following
from observatory.projections.timeline import list_events
from observatory.projections.viewers import Viewer
from observatory.use_cases import (
    alerts,
    availability,
    imports,
    indicators,
    network,
    periods,
    records,
)
from observatory.use_cases.records import ACTION_ITEMS, PLANS, REGULATIONS, SOURCES, Kind
from peyvand.observatory.v1 import events_pb2, network_pb2
from peyvand.observatory.v1 import observatory_pb2 as pb
from servicekit.database import Database, ReadSession
from servicekit.imports import Plan
from servicekit.rpc_server import Call
from servicekit.rpcs import Rpcs

# A little less than callers wait for an answer.
_REBUILD_PATIENCE = 4.0


def observatory_api(database: Database, following: Following) -> Rpcs:
    """Make the handlers of the service."""
    rpcs = Rpcs(database)
    _answer_for_the_picture(rpcs, database, following)
    for kind in (SOURCES, PLANS, ACTION_ITEMS, REGULATIONS):
        _answer_for_records(rpcs, kind)
    rpcs.read(
        indicators.get_indicator,
        indicators.list_indicators,
        indicators.get_observation,
        indicators.list_observations,
    )
    rpcs.once(indicators.create_indicator, indicators.create_observation)
    rpcs.write(indicators.update_indicator)
    rpcs.imports("observatory", _plan, pb.ImportObservatoryResponse)
    return rpcs


def _answer_for_the_picture(rpcs: Rpcs, database: Database, following: Following) -> None:
    async def get_network_status(
        session: ReadSession, _: network_pb2.GetNetworkStatusRequest, call: Call
    ) -> network_pb2.NetworkStatus:
        return await network.get_network_status(session, following, call)

    async def list_events_of_caller(
        session: ReadSession, request: events_pb2.ListEventsRequest, call: Call
    ) -> events_pb2.ListEventsResponse:
        return await list_events(session, request, Viewer(call.principal))

    async def rebuild_projections(
        request: network_pb2.RebuildProjectionsRequest, call: Call
    ) -> network_pb2.RebuildProjectionsResponse:
        return await network.rebuild(database, following, request, call, patience=_REBUILD_PATIENCE)

    rpcs.read(
        get_network_status,
        alerts.list_alerts,
        get_availability=partial(availability.get_availability, following=following),
        get_network_periods=partial(periods.get_network_periods, following=following),
        list_events=list_events_of_caller,
    )
    rpcs.once(alerts.acknowledge_alert)
    rpcs.handle("rebuild_projections", rebuild_projections)


def _answer_for_records(rpcs: Rpcs, kind: Kind[Any, Any]) -> None:
    one, many = kind.store.kind, kind.collection
    rpcs.read(
        **{
            f"get_{one}": partial(records.get_record, kind=kind),
            f"list_{many}": partial(records.list_records, kind=kind),
        }
    )
    rpcs.once(**{f"create_{one}": partial(records.create_record, kind=kind)})
    rpcs.write(**{f"update_{one}": partial(records.update_record, kind=kind)})
    if issubclass(kind.cls, Stateful):
        rpcs.read(**{f"list_{one}_steps": partial(records.list_record_steps, kind=kind)})
        for action in kind.cls.EVENTS:
            step = partial(records.take_record_step, kind=kind, action=action)
            rpcs.once(**{f"{action}_{one}": step})


def _plan(request: pb.ImportObservatoryRequest, call: Call) -> Plan[pb.ObservatoryRow]:
    references = imports.references()
    return Plan(
        request.rows,
        lambda session, row: imports.import_one(session, row, call, references),
        kind=imports.kind_of,
        key_of=imports.key_of,
        in_order=imports.in_order,
    )
