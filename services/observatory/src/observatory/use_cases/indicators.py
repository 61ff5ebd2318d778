"""Indicators as they stand today, and the observations that people enter of them."""

import hashlib
from collections.abc import Sequence
from decimal import Decimal

from domainkit.rules import RulesBroken
from domainkit.values import ImpreciseDate
from observatory import repository
from observatory.domain.indicators import (
    Indicator,
    IndicatorSource,
    IndicatorStatus,
    Observation,
    Reading,
)
from observatory.projections.network_status import MEASURES, take_snapshot
from observatory.use_cases import records
from observatory.use_cases.records import Kind
from peyvand.api.v1 import types_pb2
from peyvand.observatory.v1 import indicators_pb2 as pb
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault, Violation
from servicekit.imports import RowOutcome
from servicekit.mapping import to_message
from servicekit.requests import given_fields, occasion
from servicekit.rpc_server import Call

_OBSERVED = frozenset(
    {
        "indicator_id",
        "period",
        "value",
        "claim",
        "method",
        "verification",
        "revision_of",
        "note",
        "citations",
        "sample",
    }
)

_STATUSES = {status: getattr(pb, f"INDICATOR_STATUS_{status.name}") for status in IndicatorStatus}


async def _check_indicator(session: ReadSession, indicator: Indicator) -> None:
    await repository.require_free_indicator_code(session, indicator)
    if indicator.measure and indicator.measure not in MEASURES:
        params = {"value": indicator.measure, "allowed": ", ".join(MEASURES)}
        raise Fault.invalid(Violation("measure", "UNKNOWN_MEASURE", params))
    plan = await repository.require_plan(session, indicator.plan_id)
    goals = plan.goal_numbers() if plan else frozenset[str]()
    unknown = [
        Violation(f"goal_numbers[{index}]", "UNKNOWN_GOAL", {"value": number})
        for index, number in enumerate(indicator.goal_numbers)
        if number not in goals
    ]
    if unknown:
        raise Fault.invalid(*unknown)


INDICATORS: Kind[Indicator, pb.Indicator] = Kind(
    Indicator,
    repository.indicators,
    check=_check_indicator,
    fixed=frozenset({"source_kind", "measure"}),
)
OBSERVATIONS: Kind[Observation, pb.Observation] = Kind(
    Observation, repository.observations, fixed=_OBSERVED
)


async def present(
    session: ReadSession, indicators: Sequence[Indicator], call: Call
) -> list[pb.Indicator]:
    """Indicators with their latest values, and how they stand today."""
    entered = [i.id for i in indicators if i.source_kind is IndicatorSource.ENTERED]
    latest = await repository.latest_observations(session, entered) if entered else {}
    computed = [i for i in indicators if i.source_kind is IndicatorSource.COMPUTED]
    values: dict[str, int] = {}
    if computed:
        snapshot = await take_snapshot(session)
        values = {i.id: snapshot.measure(i.measure) for i in computed}
    return [
        _present(indicator, latest.get(indicator.id), values.get(indicator.id), call)
        for indicator in indicators
    ]


def _present(
    indicator: Indicator, observed: Observation | None, computed: int | None, call: Call
) -> pb.Indicator:
    message = repository.indicators.present(indicator, call)
    today = occasion(message, call).today
    reading = observed.reading if observed else None
    if observed is not None:
        message.latest.CopyFrom(repository.observations.present(observed, call))
    if computed is not None:
        reading = Reading(Decimal(computed), today)
        period = to_message(ImpreciseDate(today.isoformat()), types_pb2.ImpreciseDate)
        message.latest.indicator_id = indicator.id
        message.latest.value = str(computed)
        message.latest.period.CopyFrom(period)
    standing = indicator.standing(reading, today)
    message.status = _STATUSES[standing.status]
    if standing.progress is not None:
        message.progress = float(standing.progress)
    # What stands here besides the stored values changes without a step of its own.
    seen = message.latest.SerializeToString(deterministic=True)
    seen += f"{message.progress} {message.status}".encode()
    message.etag += f".{hashlib.sha256(seen).hexdigest()[:12]}"
    return message


async def get_indicator(
    session: ReadSession, request: pb.GetIndicatorRequest, call: Call
) -> pb.Indicator:
    """Give one indicator as it stands today."""
    found = await INDICATORS.store.get(session, request.indicator_id)
    return await _present_one(session, found, call)


async def list_indicators(
    session: ReadSession, request: pb.ListIndicatorsRequest, call: Call
) -> pb.ListIndicatorsResponse:
    """Give a page of indicators as they stand today."""
    found, token = await records.find_page(session, INDICATORS, request)
    return pb.ListIndicatorsResponse(
        indicators=await present(session, found, call), next_page_token=token
    )


async def create_indicator(
    session: WriteSession, request: pb.CreateIndicatorRequest, call: Call
) -> pb.Indicator:
    """Record a new indicator."""
    made = await records.create(session, INDICATORS, request.indicator, request, call)
    return await _present_one(session, made, call)


async def update_indicator(
    session: WriteSession, request: pb.UpdateIndicatorRequest, call: Call
) -> pb.Indicator:
    """Change what is known of an indicator."""
    id, given = request.indicator_id, request.indicator
    changed = await records.update(session, INDICATORS, id, given, request=request, call=call)
    return await _present_one(session, changed, call)


async def _present_one(session: ReadSession, indicator: Indicator, call: Call) -> pb.Indicator:
    (presented,) = await present(session, [indicator], call)
    return presented


async def get_observation(
    session: ReadSession, request: pb.GetObservationRequest, call: Call
) -> pb.Observation:
    """Give one observation of an indicator."""
    observation = await repository.observations.get(session, request.observation_id)
    if observation.indicator_id != request.indicator_id:
        raise Fault.not_found(repository.observations.kind, request.observation_id)
    return repository.observations.present(observation, call)


async def list_observations(
    session: ReadSession, request: pb.ListObservationsRequest, call: Call
) -> pb.ListObservationsResponse:
    """Give a page of the observations of an indicator."""
    await repository.indicators.get(session, request.indicator_id)
    found, token = await records.find_page(session, OBSERVATIONS, request)
    return pb.ListObservationsResponse(
        observations=[repository.observations.present(o, call) for o in found],
        next_page_token=token,
    )


async def create_observation(
    session: WriteSession, request: pb.CreateObservationRequest, call: Call
) -> pb.Observation:
    """Record an observation of an entered indicator, or the correction of one."""
    given = pb.Observation()
    given.CopyFrom(request.observation)
    given.indicator_id = request.indicator_id
    observation = await _record(session, given, call)
    return repository.observations.present(observation, call)


async def import_observation(
    session: WriteSession, message: pb.Observation, call: Call
) -> RowOutcome:
    """Record an observation of a file, unless it is recorded already.

    Raises `Fault` ``OBSERVATION_FINAL`` if it is recorded with other values.
    """
    known = await repository.observations.lock_by_key(session, message.external_key)
    if known is None:
        return types_pb2.ROW_ACTION_CREATED, (await _record(session, message, call)).id
    given = given_fields(message, Observation, _OBSERVED)
    if any(getattr(known, name) != value for name, value in given.items()):
        raise Fault("OBSERVATION_FINAL", {"id": known.id})
    return types_pb2.ROW_ACTION_UNCHANGED, known.id


async def _record(session: WriteSession, message: pb.Observation, call: Call) -> Observation:
    given = pb.Observation()
    given.CopyFrom(message)
    given.verification = given.verification or pb.VERIFICATION_CLAIMED
    if not given.indicator_id:
        raise Fault.invalid(Violation("indicator_id", "REQUIRED"))
    indicator = await repository.indicators.get(session, given.indicator_id)
    if indicator.source_kind is IndicatorSource.COMPUTED:
        raise Fault("COMPUTED_INDICATOR")
    observation = OBSERVATIONS.build(given, call)
    here = occasion(given, call)
    revised = await _revised(session, observation)
    observation.recorded(here)
    if broken := observation.check_fits(indicator):
        raise RulesBroken(*broken)
    await repository.observations.save(session, observation)
    if revised is not None:
        revised.revise(observation.id, here)
        await repository.observations.save(session, revised)
    return observation


async def _revised(session: WriteSession, observation: Observation) -> Observation | None:
    """The observation that this one corrects, locked."""
    if observation.revision_of is None:
        return None
    found = await repository.observations.find(session, observation.revision_of)
    if found is None:
        params = {"resource": repository.observations.kind, "value": observation.revision_of}
        raise Fault.invalid(Violation("revision_of", "UNKNOWN_REFERENCE", params))
    revised = await repository.observations.lock(session, found.id)
    if revised.indicator_id != observation.indicator_id:
        raise Fault.invalid(Violation("revision_of", "REVISION_OF_ANOTHER", {"id": revised.id}))
    if revised.revised_by is not None:
        raise Fault("ALREADY_REVISED", {"id": revised.id, "revised_by": revised.revised_by})
    return revised
