"""The rpcs of the service: a transaction around each use case, and each key once."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from google.protobuf.message import Message

from observatory.projections.following import Following
from observatory.projections.timeline import Viewer, list_events
from observatory.use_cases import imports, indicators, network, records
from observatory.use_cases.indicators import INDICATORS
from observatory.use_cases.records import ACTION_ITEMS, PLANS, REGULATIONS, SOURCES, Kind
from peyvand.observatory.v1 import (
    events_pb2,
    indicators_pb2,
    network_pb2,
    plan_pb2,
    regulations_pb2,
    sources_pb2,
)
from peyvand.observatory.v1 import observatory_pb2 as pb
from servicekit.database import Database, WriteSession
from servicekit.idempotency import once
from servicekit.imports import import_rows
from servicekit.rpc_server import Call

R = TypeVar("R", bound=Message)
M = TypeVar("M", bound=Message)

# A little less than callers wait for an answer.
_REBUILD_PATIENCE = 4.0


class ObservatoryApi:
    """Answers the rpcs of ``peyvand.observatory.v1.Observatory``."""

    def __init__(self, database: Database, following: Following) -> None:
        self._database = database
        self._following = following

    # The picture.

    async def get_network_status(
        self, request: network_pb2.GetNetworkStatusRequest, call: Call
    ) -> network_pb2.NetworkStatus:
        del request
        async with self._database.read() as session:
            return await network.get_network_status(session, self._following, call)

    async def rebuild_projections(
        self, request: network_pb2.RebuildProjectionsRequest, call: Call
    ) -> network_pb2.RebuildProjectionsResponse:
        return await network.rebuild(
            self._database, self._following, request, call, patience=_REBUILD_PATIENCE
        )

    async def list_events(
        self, request: events_pb2.ListEventsRequest, call: Call
    ) -> events_pb2.ListEventsResponse:
        async with self._database.read() as session:
            return await list_events(session, request, Viewer(call.principal))

    # Sources.

    async def get_source(
        self, request: sources_pb2.GetSourceRequest, call: Call
    ) -> sources_pb2.Source:
        return await self._get(SOURCES, request.source_id, call)

    async def list_sources(
        self, request: sources_pb2.ListSourcesRequest, call: Call
    ) -> sources_pb2.ListSourcesResponse:
        sources, token = await self._list(SOURCES, request, call)
        return sources_pb2.ListSourcesResponse(sources=sources, next_page_token=token)

    async def create_source(
        self, request: sources_pb2.CreateSourceRequest, call: Call
    ) -> sources_pb2.Source:
        return await self._create(SOURCES, request.source, request, call)

    async def update_source(
        self, request: sources_pb2.UpdateSourceRequest, call: Call
    ) -> sources_pb2.Source:
        return await self._update(SOURCES, request.source_id, request.source, request, call)

    # Plans.

    async def get_plan(self, request: plan_pb2.GetPlanRequest, call: Call) -> plan_pb2.Plan:
        return await self._get(PLANS, request.plan_id, call)

    async def list_plans(
        self, request: plan_pb2.ListPlansRequest, call: Call
    ) -> plan_pb2.ListPlansResponse:
        plans, token = await self._list(PLANS, request, call)
        return plan_pb2.ListPlansResponse(plans=plans, next_page_token=token)

    async def create_plan(self, request: plan_pb2.CreatePlanRequest, call: Call) -> plan_pb2.Plan:
        return await self._create(PLANS, request.plan, request, call)

    async def update_plan(self, request: plan_pb2.UpdatePlanRequest, call: Call) -> plan_pb2.Plan:
        return await self._update(PLANS, request.plan_id, request.plan, request, call)

    # Indicators and observations.

    async def get_indicator(
        self, request: indicators_pb2.GetIndicatorRequest, call: Call
    ) -> indicators_pb2.Indicator:
        async with self._database.read() as session:
            found = await INDICATORS.store.get(session, request.indicator_id)
            (indicator,) = await indicators.present(session, [found], call)
            return indicator

    async def list_indicators(
        self, request: indicators_pb2.ListIndicatorsRequest, call: Call
    ) -> indicators_pb2.ListIndicatorsResponse:
        async with self._database.read() as session:
            found, token = await records.find_page(session, INDICATORS, request)
            return indicators_pb2.ListIndicatorsResponse(
                indicators=await indicators.present(session, found, call), next_page_token=token
            )

    async def create_indicator(
        self, request: indicators_pb2.CreateIndicatorRequest, call: Call
    ) -> indicators_pb2.Indicator:
        async def work(session: WriteSession) -> indicators_pb2.Indicator:
            made = await records.create(session, INDICATORS, request.indicator, request, call)
            (indicator,) = await indicators.present(session, [made], call)
            return indicator

        return await self._once(work, request, call)

    async def update_indicator(
        self, request: indicators_pb2.UpdateIndicatorRequest, call: Call
    ) -> indicators_pb2.Indicator:
        async def work(session: WriteSession) -> indicators_pb2.Indicator:
            changed = await records.update(
                session,
                INDICATORS,
                request.indicator_id,
                request.indicator,
                request=request,
                call=call,
            )
            (indicator,) = await indicators.present(session, [changed], call)
            return indicator

        return await self._database.write(work)

    async def get_observation(
        self, request: indicators_pb2.GetObservationRequest, call: Call
    ) -> indicators_pb2.Observation:
        async with self._database.read() as session:
            return await indicators.get_observation(session, request, call)

    async def list_observations(
        self, request: indicators_pb2.ListObservationsRequest, call: Call
    ) -> indicators_pb2.ListObservationsResponse:
        async with self._database.read() as session:
            return await indicators.list_observations(session, request, call)

    async def create_observation(
        self, request: indicators_pb2.CreateObservationRequest, call: Call
    ) -> indicators_pb2.Observation:
        return await self._once(
            lambda session: indicators.create_observation(session, request, call), request, call
        )

    # Action items.

    async def get_action_item(
        self, request: plan_pb2.GetActionItemRequest, call: Call
    ) -> plan_pb2.ActionItem:
        return await self._get(ACTION_ITEMS, request.action_item_id, call)

    async def list_action_items(
        self, request: plan_pb2.ListActionItemsRequest, call: Call
    ) -> plan_pb2.ListActionItemsResponse:
        items, token = await self._list(ACTION_ITEMS, request, call)
        return plan_pb2.ListActionItemsResponse(action_items=items, next_page_token=token)

    async def create_action_item(
        self, request: plan_pb2.CreateActionItemRequest, call: Call
    ) -> plan_pb2.ActionItem:
        return await self._create(ACTION_ITEMS, request.action_item, request, call)

    async def update_action_item(
        self, request: plan_pb2.UpdateActionItemRequest, call: Call
    ) -> plan_pb2.ActionItem:
        id, given = request.action_item_id, request.action_item
        return await self._update(ACTION_ITEMS, id, given, request, call)

    async def complete_action_item(
        self, request: plan_pb2.ActionItemStepRequest, call: Call
    ) -> plan_pb2.ActionItem:
        return await self._step(ACTION_ITEMS, request.action_item_id, request, call, "complete")

    async def drop_action_item(
        self, request: plan_pb2.ActionItemStepRequest, call: Call
    ) -> plan_pb2.ActionItem:
        return await self._step(ACTION_ITEMS, request.action_item_id, request, call, "drop")

    async def reopen_action_item(
        self, request: plan_pb2.ActionItemStepRequest, call: Call
    ) -> plan_pb2.ActionItem:
        return await self._step(ACTION_ITEMS, request.action_item_id, request, call, "reopen")

    async def list_action_item_steps(
        self, request: plan_pb2.ListActionItemStepsRequest, call: Call
    ) -> plan_pb2.ListActionItemStepsResponse:
        steps, token = await self._steps(ACTION_ITEMS, request.action_item_id, request, call)
        return plan_pb2.ListActionItemStepsResponse(steps=steps, next_page_token=token)

    # Regulations.

    async def get_regulation(
        self, request: regulations_pb2.GetRegulationRequest, call: Call
    ) -> regulations_pb2.Regulation:
        return await self._get(REGULATIONS, request.regulation_id, call)

    async def list_regulations(
        self, request: regulations_pb2.ListRegulationsRequest, call: Call
    ) -> regulations_pb2.ListRegulationsResponse:
        found, token = await self._list(REGULATIONS, request, call)
        return regulations_pb2.ListRegulationsResponse(regulations=found, next_page_token=token)

    async def create_regulation(
        self, request: regulations_pb2.CreateRegulationRequest, call: Call
    ) -> regulations_pb2.Regulation:
        return await self._create(REGULATIONS, request.regulation, request, call)

    async def update_regulation(
        self, request: regulations_pb2.UpdateRegulationRequest, call: Call
    ) -> regulations_pb2.Regulation:
        id, given = request.regulation_id, request.regulation
        return await self._update(REGULATIONS, id, given, request, call)

    async def consult_regulation(
        self, request: regulations_pb2.RegulationStepRequest, call: Call
    ) -> regulations_pb2.Regulation:
        return await self._step(REGULATIONS, request.regulation_id, request, call, "consult")

    async def enact_regulation(
        self, request: regulations_pb2.RegulationStepRequest, call: Call
    ) -> regulations_pb2.Regulation:
        return await self._step(REGULATIONS, request.regulation_id, request, call, "enact")

    async def repeal_regulation(
        self, request: regulations_pb2.RegulationStepRequest, call: Call
    ) -> regulations_pb2.Regulation:
        return await self._step(REGULATIONS, request.regulation_id, request, call, "repeal")

    async def list_regulation_steps(
        self, request: regulations_pb2.ListRegulationStepsRequest, call: Call
    ) -> regulations_pb2.ListRegulationStepsResponse:
        steps, token = await self._steps(REGULATIONS, request.regulation_id, request, call)
        return regulations_pb2.ListRegulationStepsResponse(steps=steps, next_page_token=token)

    # The import.

    async def import_observatory(
        self, request: pb.ImportObservatoryRequest, call: Call
    ) -> pb.ImportObservatoryResponse:
        order = imports.in_order(request.rows)
        references = imports.references()
        results = await import_rows(
            self._database,
            [request.rows[place] for place in order],
            lambda session, row: imports.import_one(session, row, call, references),
            kind=imports.kind_of,
            key_of=imports.key_of,
            validate_only=request.validate_only,
        )
        by_place = dict(zip(order, results, strict=True))
        return pb.ImportObservatoryResponse(
            results=[by_place[place] for place in range(len(order))]
        )

    # What is alike for all kinds.

    async def _get(self, kind: Kind[Any, R], id: str, call: Call) -> R:
        async with self._database.read() as session:
            return await records.get(session, kind, id, call)

    async def _list(self, kind: Kind[Any, R], request: Message, call: Call) -> tuple[list[R], str]:
        async with self._database.read() as session:
            found, token = await records.find_page(session, kind, request)
        return [kind.store.present(aggregate, call) for aggregate in found], token

    async def _create(self, kind: Kind[Any, R], given: Message, request: Message, call: Call) -> R:
        async def work(session: WriteSession) -> R:
            made = await records.create(session, kind, given, request, call)
            return kind.store.present(made, call)

        return await self._once(work, request, call)

    async def _update(
        self, kind: Kind[Any, R], id: str, given: Message, request: Message, call: Call
    ) -> R:
        async def work(session: WriteSession) -> R:
            changed = await records.update(session, kind, id, given, request=request, call=call)
            return kind.store.present(changed, call)

        return await self._database.write(work)

    async def _step(
        self, kind: Kind[Any, R], id: str, request: Message, call: Call, action: str
    ) -> R:
        return await self._once(
            lambda session: records.take_step(
                session, kind, id, action, request=request, call=call
            ),
            request,
            call,
        )

    async def _steps(
        self, kind: Kind[Any, Any], id: str, request: Message, call: Call
    ) -> tuple[list[Any], str]:
        async with self._database.read() as session:
            return await records.list_steps(session, kind, id, request, call)

    async def _once(
        self, work: Callable[[WriteSession], Awaitable[M]], request: Message, call: Call
    ) -> M:
        return await self._database.write(
            lambda session: once(session, call, request, lambda: work(session))
        )
