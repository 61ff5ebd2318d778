"""Agreements: read, record, change, and the steps of their life."""

from collections.abc import Collection, Sequence
from datetime import UTC
from typing import Any

from domainkit.aggregate import Occasion
from domainkit.rules import Broken, RulesBroken
from partners import tables
from partners.domain.agreement_terms import Ratification, Signature
from partners.domain.agreements import ENDED, Agreement
from partners.repository import (
    agreements,
    children_of,
    holds,
    last_activity_days,
    own_agreements,
    require_known,
    require_no_cycle,
    visible_agreements,
)
from partners.use_cases.records import ids_of, matching, new_record, write_out
from peyvand.partners.v1 import agreements_pb2 as pb
from servicekit.database import ReadSession, WriteSession
from servicekit.errors import Fault, Violation
from servicekit.mapping import from_message
from servicekit.requests import masked_fields, occasion
from servicekit.rpc_server import Call

_columns = tables.agreement.c


async def get_agreement(
    session: ReadSession, request: pb.GetAgreementRequest, call: Call
) -> pb.Agreement:
    """Give one agreement that the caller may see."""
    found = await agreements.find_by(
        session, _columns.id == request.agreement_id, visible_agreements(call.principal)
    )
    if found is None:
        raise Fault.not_found(agreements.kind, request.agreement_id)
    return await _present(session, found, call)


async def list_agreements(
    session: ReadSession, request: pb.ListAgreementsRequest, call: Call
) -> pb.ListAgreementsResponse:
    """Give a page of the agreements that the caller may see."""
    where = matching(
        tables.agreement,
        request,
        {"state": pb.AgreementState, "kind": pb.AgreementKind},
        "parent_id",
        "external_key",
    )
    where += [
        holds(_columns.parties, **{name: value})
        for name in ("institution_id", "country", "center_id")
        if (value := getattr(request, name))
    ]
    found, token = await agreements.page(
        session, request, *where, visible_agreements(call.principal)
    )
    return pb.ListAgreementsResponse(
        agreements=await _present_all(session, found, call), next_page_token=token
    )


async def create_agreement(
    session: WriteSession, request: pb.CreateAgreementRequest, call: Call
) -> pb.Agreement:
    """Record a new agreement, as a draft."""
    agreement = new_record(Agreement, agreements, request.agreement, call)
    agreement.witnesses = await write_out(session, agreement.witnesses, [])
    agreement.recorded(occasion(request, call))
    await check_agreement(session, agreement, None)
    await agreements.save(session, agreement)
    return await _present(session, agreement, call)


async def update_agreement(
    session: WriteSession, request: pb.UpdateAgreementRequest, call: Call
) -> pb.Agreement:
    """Change what is known of an agreement."""
    agreement = await agreements.lock(session, request.agreement_id, request.etag)
    before = await agreements.find(session, agreement.id)
    values = masked_fields(request.agreement, Agreement, request.update_mask.paths)
    if "witnesses" in values:
        values["witnesses"] = await write_out(session, values["witnesses"], agreement.witnesses)
    if agreement.amend(values, occasion(request, call)):
        await check_agreement(session, agreement, before)
        await agreements.save(session, agreement)
    return await _present(session, agreement, call)


async def check_agreement(
    session: WriteSession,
    agreement: Agreement,
    before: Agreement | None,
    assumed: Collection[str] = (),
) -> None:
    """Raise `Fault` or `RulesBroken` if an agreement does not go with others.

    `before` is the agreement as it was, `None` for a new one; `assumed` are ids of what
    will be there by the time that it is recorded.
    """
    known = ids_of(before.references()) if before else frozenset[str]()
    await require_known(session, agreement.references(), known.union(assumed))
    place = (agreement.kind, agreement.parent_id)
    if before is not None and place == (before.kind, before.parent_id):
        return
    await require_no_cycle(session, agreement, "parent_id")
    parent_id = agreement.parent_id
    agreement.stand_under(await agreements.lock(session, parent_id) if parent_id else None)
    for child in await children_of(session, agreement.id) if before else ():
        if not agreement.kind.is_above(child.kind):
            params = {"parent_kind": agreement.kind.value, "kind": child.kind.value}
            raise RulesBroken(Broken("kind", "PARENT_NOT_HIGHER", params))


async def sign_agreement(
    session: WriteSession, request: pb.SignAgreementRequest, call: Call
) -> pb.Agreement:
    """Record the signature of one party."""
    agreement = await agreements.lock(session, request.agreement_id, request.etag)
    signature = from_message(request.signature, Signature)
    if signature.person_id:
        await require_known(session, [("signature.person_id", signature.person_id)])
    (signature,) = await write_out(session, [signature], [])
    agreement.sign(signature, occasion(request, call))
    await agreements.save(session, agreement)
    return await _present(session, agreement, call)


async def ratify_agreement(
    session: WriteSession, request: pb.RatifyAgreementRequest, call: Call
) -> pb.Agreement:
    """Record what a body of one party has decided."""
    agreement = await agreements.lock(session, request.agreement_id, request.etag)
    agreement.ratify(from_message(request.ratification, Ratification), occasion(request, call))
    await agreements.save(session, agreement)
    return await _present(session, agreement, call)


async def take_agreement_step(
    session: WriteSession, request: pb.AgreementStepRequest, call: Call, action: str
) -> pb.Agreement:
    """Take one step that needs no more than a reason and a date."""
    agreement = await agreements.lock(session, request.agreement_id, request.etag)
    await take_and_save(session, agreement, action, occasion(request, call))
    return await _present(session, agreement, call)


async def supersede_agreement(
    session: WriteSession, request: pb.SupersedeAgreementRequest, call: Call
) -> pb.Agreement:
    """End an agreement because another takes its place."""
    agreement = await agreements.lock(session, request.agreement_id, request.etag)
    await supersede_and_save(session, agreement, request.superseded_by_id, occasion(request, call))
    return await _present(session, agreement, call)


async def confirm_agreement_parent(
    session: WriteSession, request: pb.AgreementStepRequest, call: Call
) -> pb.Agreement:
    """Make the suggested parent the parent."""
    agreement = await agreements.lock(session, request.agreement_id, request.etag)
    suggested = agreement.suggested_parent_id
    parent = await agreements.lock(session, suggested) if suggested else None
    agreement.confirm_parent(parent, occasion(request, call))
    await require_no_cycle(session, agreement, "parent_id")
    await agreements.save(session, agreement)
    return await _present(session, agreement, call)


async def list_agreement_steps(
    session: ReadSession, request: pb.ListAgreementStepsRequest, call: Call
) -> pb.ListAgreementStepsResponse:
    """Give a page of the steps that an agreement has taken."""
    found = await agreements.find_by(
        session, _columns.id == request.agreement_id, own_agreements(call.principal)
    )
    if found is None:
        raise Fault.not_found(agreements.kind, request.agreement_id)
    steps, token = await agreements.steps(session, found.id, request)
    return pb.ListAgreementStepsResponse(steps=steps, next_page_token=token)


async def take_and_save(
    session: WriteSession, agreement: Agreement, action: str, occasion: Occasion
) -> None:
    """Take a plain step; if it is the end, flag the agreements right under this one."""
    agreement.take(action, occasion)
    await agreements.save(session, agreement)
    await _flag_children(session, agreement, occasion)


async def supersede_and_save(
    session: WriteSession, agreement: Agreement, successor_id: str, occasion: Occasion
) -> None:
    """End an agreement for a successor and flag the agreements right under it."""
    successor = await agreements.find(session, successor_id)
    if successor is None:
        params = {"resource": agreements.kind, "value": successor_id}
        raise Fault.invalid(Violation("superseded_by_id", "UNKNOWN_REFERENCE", params))
    agreement.supersede(successor, occasion)
    await agreements.save(session, agreement)
    await _flag_children(session, agreement, occasion)


async def _flag_children(session: WriteSession, agreement: Agreement, occasion: Occasion) -> None:
    if agreement.state not in ENDED:
        return
    for child in await children_of(session, agreement.id):
        if child.parent_has_ended(occasion):
            await agreements.save(session, child)


async def _present(session: ReadSession, agreement: Agreement, call: Call) -> pb.Agreement:
    (message,) = await _present_all(session, [agreement], call)
    return message


async def _present_all(
    session: ReadSession, found: Sequence[Agreement], call: Call
) -> list[pb.Agreement]:
    days = await last_activity_days(session, found)
    today = call.now.astimezone(UTC).date()
    messages: list[pb.Agreement] = []
    for agreement in found:
        message: Any = agreements.present(agreement, call)
        flags = agreement.flags(today, days.get(agreement.id))
        message.ClearField("review_flags")
        message.review_flags.extend(
            pb.ReviewFlag.Value(f"REVIEW_FLAG_{flag.name}") for flag in flags
        )
        # The day alone changes these: who has read the agreement without them reads it anew.
        of_today = [flag.value for flag in flags if flag not in agreement.review_flags]
        message.etag = ".".join([message.etag, *of_today])
        messages.append(message)
    return messages
