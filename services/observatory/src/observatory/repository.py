"""How the resources that people enter are stored and found."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from observatory import tables
from observatory.domain.action_items import ActionItem
from observatory.domain.indicators import Indicator, Observation
from observatory.domain.plans import Plan
from observatory.domain.regulations import Regulation
from observatory.domain.sources import Source
from peyvand.observatory.v1 import indicators_pb2, plan_pb2, regulations_pb2, sources_pb2
from servicekit.database import ReadSession
from servicekit.errors import Fault, Violation
from servicekit.store import AggregateStore

_STEPS = tables.service_tables.step

sources: AggregateStore[Source, sources_pb2.Source] = AggregateStore(
    Source,
    table=tables.source,
    steps=_STEPS,
    resource=sources_pb2.Source,
    event=sources_pb2.SourceEvent,
)
plans: AggregateStore[Plan, plan_pb2.Plan] = AggregateStore(
    Plan, table=tables.plan, steps=_STEPS, resource=plan_pb2.Plan, event=plan_pb2.PlanEvent
)
indicators: AggregateStore[Indicator, indicators_pb2.Indicator] = AggregateStore(
    Indicator,
    table=tables.indicator,
    steps=_STEPS,
    resource=indicators_pb2.Indicator,
    event=indicators_pb2.IndicatorEvent,
)
observations: AggregateStore[Observation, indicators_pb2.Observation] = AggregateStore(
    Observation,
    table=tables.observation,
    steps=_STEPS,
    resource=indicators_pb2.Observation,
    event=indicators_pb2.ObservationEvent,
)
action_items: AggregateStore[ActionItem, plan_pb2.ActionItem] = AggregateStore(
    ActionItem,
    table=tables.action_item,
    steps=_STEPS,
    resource=plan_pb2.ActionItem,
    event=plan_pb2.ActionItemEvent,
)
regulations: AggregateStore[Regulation, regulations_pb2.Regulation] = AggregateStore(
    Regulation,
    table=tables.regulation,
    steps=_STEPS,
    resource=regulations_pb2.Regulation,
    event=regulations_pb2.RegulationEvent,
)


async def require_free_plan_code(session: ReadSession, plan: Plan) -> None:
    """Raise `Fault` ``PLAN_CODE_TAKEN`` if another plan has the code."""
    columns = tables.plan.c
    other = await plans.find_by(session, columns.code == plan.code, columns.id != plan.id)
    if other is not None:
        raise Fault("PLAN_CODE_TAKEN", {"code": plan.code, "id": other.id})


async def require_free_indicator_code(session: ReadSession, indicator: Indicator) -> None:
    """Raise `Fault` ``INDICATOR_CODE_TAKEN`` if another indicator has the code."""
    columns = tables.indicator.c
    other = await indicators.find_by(
        session, columns.code == indicator.code, columns.id != indicator.id
    )
    if other is not None:
        raise Fault("INDICATOR_CODE_TAKEN", {"code": indicator.code, "id": other.id})


async def require_plan(session: ReadSession, plan_id: str | None) -> Plan | None:
    """The plan that a resource names; raises `Fault` ``UNKNOWN_REFERENCE`` if there is none."""
    if plan_id is None:
        return None
    plan = await plans.find(session, plan_id)
    if plan is None:
        params = {"resource": plans.kind, "value": plan_id}
        raise Fault.invalid(Violation("plan_id", "UNKNOWN_REFERENCE", params))
    return plan


async def latest_observations(
    session: ReadSession, indicator_ids: Sequence[str]
) -> dict[str, Observation]:
    """The latest observation of each indicator that has a value and was not revised.

    The latest is that of the latest period; one whose period is not known comes before
    all others.
    """
    columns = tables.observation.c
    query = (
        sa.select(tables.observation)
        .ext(distinct_on(columns.indicator_id))
        .where(
            columns.indicator_id.in_(indicator_ids),
            columns.value != "",
            columns.revised_by.is_(None),
            columns.deleted_at.is_(None),
        )
        .order_by(columns.indicator_id, columns.period_end.desc().nulls_last(), columns.id.desc())
    )
    found = [observations.load(row) for row in await session.rows(query)]
    return {observation.indicator_id: observation for observation in found}
