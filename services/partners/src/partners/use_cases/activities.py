"""Activities: read, record, change, and the steps of their life."""

from collections.abc import Collection

from domainkit.aggregate import Occasion
from partners import tables
from partners.domain.activities import Activity, ActivityParticipant, ActivityState
from partners.domain.agreements import Agreement
from partners.repository import (
    activities,
    agreements,
    holds,
    own_activities,
    persons,
    require_known,
    visible_activities,
)
from partners.use_cases.records import ids_of, matching, new_record
from peyvand.partners.v1 import activities_pb2 as pb
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault
from servicekit.requests import masked_fields, occasion
from servicekit.rpc_server import Call

_columns = tables.activity.c


async def get_activity(
    session: ReadSession, request: pb.GetActivityRequest, call: Call
) -> pb.Activity:
    """Give one activity that the caller may see."""
    found = await activities.find_by(
        session, _columns.id == request.activity_id, visible_activities(call.principal)
    )
    if found is None:
        raise Fault.not_found(activities.kind, request.activity_id)
    return activities.present(found, call)


async def list_activities(
    session: ReadSession, request: pb.ListActivitiesRequest, call: Call
) -> pb.ListActivitiesResponse:
    """Give a page of the activities that the caller may see."""
    where = matching(
        tables.activity,
        request,
        {"state": pb.ActivityState, "kind": pb.ActivityKind},
        "agreement_id",
        "external_key",
    )
    where += [
        holds(_columns.participants, **{name: value})
        for name in ("institution_id", "center_id")
        if (value := getattr(request, name))
    ]
    found, token = await activities.page(
        session, request, *where, visible_activities(call.principal)
    )
    return pb.ListActivitiesResponse(
        activities=[activities.present(item, call) for item in found], next_page_token=token
    )


async def create_activity(
    session: WriteSession, request: pb.CreateActivityRequest, call: Call
) -> pb.Activity:
    """Record a new activity, as proposed."""
    activity = new_record(Activity, activities, request.activity, call)
    activity.participants = await write_out_participants(session, activity.participants, [])
    activity.recorded(occasion(request, call))
    await check_activity(session, activity, None)
    await activities.save(session, activity)
    return activities.present(activity, call)


async def update_activity(
    session: WriteSession, request: pb.UpdateActivityRequest, call: Call
) -> pb.Activity:
    """Change what is known of an activity."""
    activity = await activities.lock(session, request.activity_id, request.etag)
    before = await activities.find(session, activity.id)
    values = masked_fields(request.activity, Activity, request.update_mask.paths)
    if "participants" in values:
        values["participants"] = await write_out_participants(
            session, values["participants"], activity.participants
        )
    if activity.amend(values, occasion(request, call)):
        await check_activity(session, activity, before)
        await activities.save(session, activity)
    return activities.present(activity, call)


async def check_activity(
    session: ReadSession,
    activity: Activity,
    before: Activity | None,
    assumed: Collection[str] = (),
) -> None:
    """Raise `Fault` or `RulesBroken` if an activity does not go with its agreement or partners.

    `before` is the activity as it was, `None` for a new one; `assumed` are ids of what
    will be there by the time that it is recorded.
    """
    known = ids_of(before.references()) if before else frozenset[str]()
    await require_known(session, activity.references(), known.union(assumed))
    if before is not None and _bounds(activity) == _bounds(before):
        return
    agreement = await _agreement_of(session, activity)
    decided = activity.state != ActivityState.PROPOSED
    if before is None or _support(activity) != _support(before):
        activity.check_carried(agreement, decided=decided)
    activity.check_within(agreement, decided=decided)


async def take_activity_step(
    session: WriteSession, request: pb.ActivityStepRequest, call: Call, action: str
) -> pb.Activity:
    """Take one step in the life of an activity."""
    activity = await activities.lock(session, request.activity_id, request.etag)
    await take_and_save(session, activity, action, occasion(request, call))
    return activities.present(activity, call)


async def list_activity_steps(
    session: ReadSession, request: pb.ListActivityStepsRequest, call: Call
) -> pb.ListActivityStepsResponse:
    """Give a page of the steps that an activity has taken."""
    found = await activities.find_by(
        session, _columns.id == request.activity_id, own_activities(call.principal)
    )
    if found is None:
        raise Fault.not_found(activities.kind, request.activity_id)
    steps, token = await activities.steps(session, found.id, request)
    return pb.ListActivityStepsResponse(steps=steps, next_page_token=token)


async def take_and_save(
    session: WriteSession, activity: Activity, action: str, occasion: Occasion
) -> None:
    """Take a step; approval and start look at the agreement that the activity stands on."""
    if action == "approve":
        activity.approve(await _agreement_of(session, activity), occasion)
    elif action == "start":
        activity.start(await _agreement_of(session, activity), occasion)
    else:
        activity.take(action, occasion)
    await activities.save(session, activity)


async def write_out_participants(
    session: ReadSession,
    participants: list[ActivityParticipant],
    before: list[ActivityParticipant],
) -> list[ActivityParticipant]:
    """Participants with the names of their persons as they are today, or as they stood before."""
    earlier = {item.person_id: item.name for item in before if item.person_id}
    written: list[ActivityParticipant] = []
    for item in participants:
        name = item.name
        if item.person_id and not name:
            name = earlier.get(item.person_id)
            if name is None:
                person = await persons.find(session, item.person_id)
                name = person.name_as_is() if person and person.deleted_at is None else None
        written.append(item.named(name))
    return written


def _support(activity: Activity) -> tuple[object, ...]:
    """What it stands on."""
    return activity.agreement_id, activity.out_of_scope_reason


def _bounds(activity: Activity) -> tuple[object, ...]:
    """What has to lie within what it stands on."""
    dates = activity.start_date, activity.end_date
    return *_support(activity), activity.scope_codes, *dates


async def _agreement_of(session: ReadSession, activity: Activity) -> Agreement | None:
    return await agreements.find(session, activity.agreement_id) if activity.agreement_id else None
