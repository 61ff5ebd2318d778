"""Brings partners to what the rows of a file say of them."""

from collections.abc import Sequence
from typing import Any

from domainkit.aggregate import Occasion
from domainkit.rules import Refused, RulesBroken
from partners.domain.activities import Activity, ActivityState
from partners.domain.agreement_terms import Ratification, Signature
from partners.domain.agreements import Agreement, AgreementState
from partners.domain.institutions import Institution
from partners.domain.persons import Person
from partners.repository import (
    activities,
    agreements,
    institutions,
    persons,
    require_known,
)
from partners.use_cases.activities import (
    check_activity,
    write_out_participants,
)
from partners.use_cases.activities import take_and_save as take_activity_step
from partners.use_cases.agreements import check_agreement, supersede_and_save
from partners.use_cases.agreements import take_and_save as take_agreement_step
from partners.use_cases.institutions import check_institution
from partners.use_cases.records import ids_of, new_record, write_out
from peyvand.api.v1 import types_pb2
from peyvand.partners.v1 import activities_pb2, agreements_pb2, institutions_pb2
from peyvand.partners.v1 import partners_pb2 as pb
from servicekit.database import WriteSession
from servicekit.errors import Fault, Violation
from servicekit.imports import RowOutcome, stated, upsert
from servicekit.mapping import from_message
from servicekit.references import References
from servicekit.requests import given_fields, occasion
from servicekit.rpc_server import Call
from servicekit.validation import violations


def kind_of(row: pb.PartnersRow) -> str:
    """What a row describes: ``institution``; empty when it describes nothing."""
    return row.WhichOneof("row") or ""


def key_of(row: pb.PartnersRow) -> str:
    """External key of what a row describes."""
    kind = kind_of(row)
    return getattr(getattr(row, kind), kind).external_key if kind else ""


def in_order(rows: Sequence[pb.PartnersRow]) -> list[int]:
    """Positions of the rows, each after those that it refers to."""
    places: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        places.setdefault(key_of(row), []).append(index)
    ordered: dict[int, None] = {}
    entered = set[int]()
    for first in range(len(rows)):
        waiting = [(first, False)]
        while waiting:
            index, is_left = waiting.pop()
            if is_left:
                ordered[index] = None
            elif index not in entered:
                entered.add(index)
                waiting.append((index, True))
                row: Any = rows[index]
                kind = kind_of(row)
                keys = getattr(row, kind).references.values() if kind else ()
                for key in sorted(keys, reverse=True):
                    waiting += [(place, False) for place in reversed(places.get(key, ()))]
    return list(ordered)


async def import_row(
    session: WriteSession, row: pb.PartnersRow, call: Call, references: References
) -> RowOutcome:
    """Bring one institution, person, agreement or activity to what a row says of it."""
    kind = kind_of(row)
    inner: Any = await references.follow(session, getattr(row, kind), kind)
    if kind == institutions.kind:
        return await _import_institution(session, inner, call)
    if kind == persons.kind:
        return await _import_person(session, inner, call)
    if kind == agreements.kind:
        return await _import_agreement(session, inner, call, references)
    return await _import_activity(session, inner, call, references)


async def _import_institution(
    session: WriteSession, row: institutions_pb2.InstitutionRow, call: Call
) -> RowOutcome:
    message = row.institution
    before = await institutions.lock_by_key(session, message.external_key)
    known = ids_of(before.references()) if before else frozenset[str]()
    return await upsert(
        session,
        institutions,
        external_key=message.external_key,
        occasion=occasion(row, call),
        build=lambda: new_record(Institution, institutions, message, call),
        values=given_fields(message, Institution, Institution.EDITABLE),
        check=lambda institution: check_institution(session, institution, known),
    )


async def _import_person(
    session: WriteSession, row: institutions_pb2.PersonRow, call: Call
) -> RowOutcome:
    message = row.person
    before = await persons.lock_by_key(session, message.external_key)
    known = ids_of(before.references()) if before else frozenset[str]()
    return await upsert(
        session,
        persons,
        external_key=message.external_key,
        occasion=occasion(row, call),
        build=lambda: new_record(Person, persons, message, call),
        values=given_fields(message, Person, Person.EDITABLE),
        check=lambda person: require_known(session, person.references(), known),
    )


async def _import_agreement(
    session: WriteSession, row: agreements_pb2.AgreementRow, call: Call, references: References
) -> RowOutcome:
    message = row.agreement
    _check_facts(message)
    goal = stated(message.state, agreements_pb2.AgreementState, AgreementState)
    before = await agreements.lock_by_key(session, message.external_key)
    values = given_fields(message, Agreement, Agreement.EDITABLE)
    if "witnesses" in values:
        known = before.witnesses if before else []
        values["witnesses"] = await write_out(session, values["witnesses"], known)

    def build() -> Agreement:
        agreement = new_record(Agreement, agreements, message, call)
        agreement.witnesses = values.get("witnesses", [])
        return agreement

    when = occasion(row, call)
    outcome = await upsert(
        session,
        agreements,
        external_key=message.external_key,
        occasion=when,
        build=build,
        values=values,
        check=lambda agreement: check_agreement(session, agreement, before, references.assumed),
    )
    agreement = await agreements.lock(session, outcome[1])
    version = agreement.version
    await _record_signatures(session, agreement, message, when)
    await _record_ratifications(session, agreement, message, when)
    if goal == AgreementState.SUPERSEDED and agreement.state != goal:
        if not message.superseded_by_id:
            raise Fault.invalid(Violation("superseded_by_id", "REQUIRED"))
        if agreement.state != AgreementState.SUSPENDED:
            await _walk_agreement(session, agreement, AgreementState.IN_FORCE, when)
        await supersede_and_save(session, agreement, message.superseded_by_id, when)
    elif goal:
        await _walk_agreement(session, agreement, goal, when)
    return _outcome(outcome, changed=agreement.version > version)


async def _import_activity(
    session: WriteSession, row: activities_pb2.ActivityRow, call: Call, references: References
) -> RowOutcome:
    message = row.activity
    goal = stated(message.state, activities_pb2.ActivityState, ActivityState)
    before = await activities.lock_by_key(session, message.external_key)
    values = given_fields(message, Activity, Activity.EDITABLE)
    if "participants" in values:
        known = before.participants if before else []
        values["participants"] = await write_out_participants(
            session, values["participants"], known
        )

    def build() -> Activity:
        activity = new_record(Activity, activities, message, call)
        activity.participants = values.get("participants", [])
        return activity

    when = occasion(row, call)
    outcome = await upsert(
        session,
        activities,
        external_key=message.external_key,
        occasion=when,
        build=build,
        values=values,
        check=lambda activity: check_activity(session, activity, before, references.assumed),
    )
    activity = await activities.lock(session, outcome[1])
    version = activity.version
    for action in _way(activity, goal) if goal else ():
        await take_activity_step(session, activity, action, when)
    return _outcome(outcome, changed=activity.version > version)


def _check_facts(message: agreements_pb2.Agreement) -> None:
    """Check what only the steps of an agreement record, and a row nevertheless brings."""
    facts = [
        *((f"signatures[{index}]", item) for index, item in enumerate(message.signatures)),
        *((f"ratifications[{index}]", item) for index, item in enumerate(message.ratifications)),
    ]
    found = [
        Violation(f"{path}.{item.field}", item.reason, item.params)
        for path, fact in facts
        for item in violations(fact)
    ]
    if found:
        raise Fault.invalid(*found)


async def _record_signatures(
    session: WriteSession,
    agreement: Agreement,
    message: agreements_pb2.Agreement,
    occasion: Occasion,
) -> None:
    given = [from_message(item, Signature) for item in message.signatures]
    given = await write_out(session, given, agreement.signatures)
    fresh = [
        (f"signatures[{index}].person_id", item.person_id)
        for index, item in enumerate(given)
        if item.person_id and item not in agreement.signatures
    ]
    await require_known(session, fresh)
    for index, signature in enumerate(given):
        if signature in agreement.signatures:
            continue
        if agreement.state == AgreementState.DRAFT:
            await take_agreement_step(session, agreement, "negotiate", occasion)
        try:
            agreement.sign(signature, occasion)
        except (RulesBroken, Refused) as error:
            raise _placed(error, "signature", f"signatures[{index}]") from error
        await agreements.save(session, agreement)


async def _record_ratifications(
    session: WriteSession,
    agreement: Agreement,
    message: agreements_pb2.Agreement,
    occasion: Occasion,
) -> None:
    for index, item in enumerate(message.ratifications):
        ratification = from_message(item, Ratification)
        if ratification in agreement.ratifications:
            continue
        try:
            agreement.ratify(ratification, occasion)
        except (RulesBroken, Refused) as error:
            raise _placed(error, "ratification", f"ratifications[{index}]") from error
        await agreements.save(session, agreement)


def _placed(error: RulesBroken | Refused, name: str, place: str) -> Fault:
    """The fault that tells where in the row a fact is that cannot be recorded."""
    if isinstance(error, Refused):
        return Fault.invalid(Violation(place, error.reason, error.params))
    return Fault.invalid(
        *(
            Violation(place + b.field.removeprefix(name), b.rule, b.params)
            if b.field.startswith(name)
            else Violation(b.field, b.rule, b.params)
            for b in error.broken
        )
    )


async def _walk_agreement(
    session: WriteSession, agreement: Agreement, goal: AgreementState, occasion: Occasion
) -> None:
    for action in _way(agreement, goal):
        await take_agreement_step(session, agreement, action, occasion)


def _way(aggregate: Agreement | Activity, goal: AgreementState | ActivityState) -> list[str]:
    way = aggregate.walk(goal)
    if way is None:
        params = {"state": aggregate.state.value, "goal": goal.value}
        raise Fault.invalid(Violation("state", "UNREACHABLE_STATE", params))
    return way


def _outcome(outcome: RowOutcome, *, changed: bool) -> RowOutcome:
    action, id = outcome
    if changed and action == types_pb2.ROW_ACTION_UNCHANGED:
        action = types_pb2.ROW_ACTION_UPDATED
    return action, id
