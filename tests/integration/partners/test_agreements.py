"""Agreements and activities over gRPC against a real database."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from partners.tables import metadata
from peyvand.api.v1 import types_pb2
from peyvand.partners.v1 import activities_pb2 as act
from peyvand.partners.v1 import agreements_pb2 as agr
from peyvand.partners.v1 import institutions_pb2 as ins
from servicekit.errors import Fault
from servicekit.migrations import differences
from tests.integration.partners.conftest import PartnersBench, on, text
from tests.support.rpc import outbox


def names(values: Any) -> list[str]:
    return [agr.ReviewFlag.Name(value) for value in values]


async def test_a_treaty_lives_its_life_and_every_step_is_an_event(bench: PartnersBench) -> None:
    treaty = await bench.in_force(kind=agr.AGREEMENT_KIND_TREATY, expiry_date=on("2025"))
    assert treaty.state == agr.AGREEMENT_STATE_IN_FORCE
    assert not treaty.HasField("effective_date")
    assert names(treaty.review_flags) == ["REVIEW_FLAG_EXPIRING"]
    over = await bench.step("ExpireAgreement", treaty)
    assert over.state == agr.AGREEMENT_STATE_EXPIRED
    assert list(over.allowed_actions) == ["update"]
    assert [kind.rsplit(".", 1)[1] for kind, _, _ in await outbox(bench.database)] == [
        "created",
        "negotiation_opened",
        "signed",
        "signed",
        "ratified",
        "ratified",
        "entered_force",
        "expired",
    ]
    steps = await bench.call(
        "ListAgreementSteps", agr.ListAgreementStepsRequest(agreement_id=over.id)
    )
    assert steps.steps[3].to_state == "awaiting_ratification"
    assert [step.version for step in steps.steps] == list(range(1, 9))


async def test_faults_keep_their_reason_over_the_wire(bench: PartnersBench) -> None:
    draft = await bench.agreement()
    request = agr.AgreementStepRequest(agreement_id=draft.id, etag=draft.etag)
    fault = await bench.fault("EnterAgreementIntoForce", request)
    assert (fault.reason, fault.allowed) == ("ILLEGAL_TRANSITION", ("negotiate", "withdraw"))

    open_ = await bench.step("NegotiateAgreement", draft)
    assert list(open_.allowed_actions) == ["update", "sign", "withdraw"]
    signature = agr.Signature(party="china", name=text("Somebody"))
    sign = agr.SignAgreementRequest(agreement_id=draft.id, etag=open_.etag, signature=signature)
    fault = await bench.fault("SignAgreement", sign)
    assert [(v.field, v.reason) for v in fault.violations] == [("signature.party", "UNKNOWN_PARTY")]

    treaty = await bench.signed(kind=agr.AGREEMENT_KIND_TREATY)
    request = agr.AgreementStepRequest(agreement_id=treaty.id, etag=treaty.etag)
    fault = await bench.fault("EnterAgreementIntoForce", request)
    assert (fault.reason, fault.params) == ("RATIFICATION_MISSING", {"parties": "iran, russia"})
    frozen = await bench.update(await bench.get(treaty.id), notice_days=90)
    fault = await bench.fault(*bench.updating(frozen, notice_days=30))
    assert (fault.reason, fault.params) == ("TERMS_FROZEN", {"field": "notice_days"})


async def test_two_parties_sign_at_once_and_one_reads_again(bench: PartnersBench) -> None:
    found = await bench.step("NegotiateAgreement", await bench.agreement())

    async def sign(party: str) -> str:
        try:
            return str((await bench.sign(found, party)).state)
        except Fault as fault:
            return fault.reason

    outcomes = Counter(await asyncio.gather(sign("iran"), sign("russia")))
    assert outcomes == {str(agr.AGREEMENT_STATE_PARTLY_SIGNED): 1, "STALE_ETAG": 1}
    half = await bench.get(found.id)
    (other,) = {"iran", "russia"} - {signature.party for signature in half.signatures}
    assert (await bench.sign(half, other)).state == agr.AGREEMENT_STATE_SIGNED


async def test_of_many_changes_from_one_version_one_is_taken(bench: PartnersBench) -> None:
    found = await bench.agreement()

    async def change(note: str) -> str:
        try:
            return (await bench.update(found, note=text(note))).note.en
        except Fault as fault:
            return fault.reason

    outcomes = await asyncio.gather(*(change(f"note {number}") for number in range(10)))
    assert Counter(outcomes)["STALE_ETAG"] == 9
    (kept,) = set(outcomes) - {"STALE_ETAG"}
    assert (await bench.get(found.id)).note.en == kept
    assert len(await outbox(bench.database)) == 2


async def test_the_end_of_a_parent_flags_its_children_in_the_same_step(
    bench: PartnersBench,
) -> None:
    treaty = await bench.in_force(kind=agr.AGREEMENT_KIND_TREATY)
    child = await bench.signed(parent_id=treaty.id)
    given_up = await bench.step(
        "WithdrawAgreement", await bench.agreement(parent_id=treaty.id), "No longer wanted."
    )
    await bench.step("TerminateAgreement", treaty, "Ended by both.")
    flagged = await bench.get(child.id)
    assert names(flagged.review_flags) == ["REVIEW_FLAG_PARENT_ENDED"]
    assert flagged.state == agr.AGREEMENT_STATE_SIGNED
    assert names((await bench.get(given_up.id)).review_flags) == []
    late = await bench.agreement(parent_id=treaty.id)
    assert names(late.review_flags) == ["REVIEW_FLAG_PARENT_ENDED"]
    kinds = [kind.rsplit(".", 1)[1] for kind, _, _ in await outbox(bench.database)]
    assert kinds.count("parent_ended") == 1
    freed = await bench.update(flagged, parent_id="")
    assert names(freed.review_flags) == []


async def test_parents_are_of_a_higher_kind_also_when_a_kind_changes(bench: PartnersBench) -> None:
    frame = await bench.agreement(kind=agr.AGREEMENT_KIND_FRAMEWORK)
    child = await bench.agreement(parent_id=frame.id)
    for request in (
        bench.updating(frame, parent_id=child.id),
        bench.updating(child, kind=agr.AGREEMENT_KIND_TREATY),
    ):
        fault = await bench.fault(*request)
        assert fault.violations[0].reason in ("PARENT_NOT_HIGHER", "PARENT_CYCLE")
    lower = bench.updating(frame, kind=agr.AGREEMENT_KIND_IMPLEMENTING_ARRANGEMENT)
    fault = await bench.fault(*lower)
    assert [(v.field, v.reason) for v in fault.violations] == [("kind", "PARENT_NOT_HIGHER")]


async def test_a_suggested_parent_is_confirmed(bench: PartnersBench) -> None:
    treaty = await bench.signed(kind=agr.AGREEMENT_KIND_TREATY)
    mou = await bench.signed(suggested_parent_id=treaty.id, suggested_parent_note=text("Same."))
    assert "confirm-parent" in mou.allowed_actions
    confirmed = await bench.step("ConfirmAgreementParent", mou)
    assert (confirmed.parent_id, confirmed.suggested_parent_id) == (treaty.id, "")
    request = agr.AgreementStepRequest(agreement_id=mou.id, etag=confirmed.etag)
    fault = await bench.fault("ConfirmAgreementParent", request)
    assert fault.reason == "NO_SUGGESTED_PARENT"


async def test_another_agreement_takes_the_place(bench: PartnersBench) -> None:
    old, draft, new = await bench.in_force(), await bench.agreement(), await bench.signed()
    request = agr.SupersedeAgreementRequest(
        agreement_id=old.id, etag=old.etag, superseded_by_id=draft.id
    )
    fault = await bench.fault("SupersedeAgreement", request)
    assert fault.violations[0].reason == "SUCCESSOR_NOT_SIGNED"
    request.superseded_by_id = new.id
    request.idempotency_key = "another"
    assert (await bench.call("SupersedeAgreement", request)).superseded_by_id == new.id


async def test_what_is_referred_to_is_there(bench: PartnersBench) -> None:
    gone = "ins_" + "0" * 26
    party = agr.Party(key="a", institution_id=gone)
    other = agr.Party(key="b", country="IR")
    agreement = agr.Agreement(kind=agr.AGREEMENT_KIND_MOU, titles=text("M"), parties=[party, other])
    fault = await bench.fault("CreateAgreement", agr.CreateAgreementRequest(agreement=agreement))
    assert [(v.field, v.reason, v.params["resource"]) for v in fault.violations] == [
        ("parties[0].institution_id", "UNKNOWN_REFERENCE", "institution")
    ]


@pytest.fixture
async def seen(bench: PartnersBench) -> dict[str, str]:
    """Ids of a draft, a signed agreement, a proposal, an approved activity, and their party."""
    partner = await bench.institution("Own")
    parties = [agr.Party(key="own", institution_id=partner.id), agr.Party(key="iran", country="IR")]
    center = await bench.center()
    draft = await bench.agreement(parties=[*parties, agr.Party(key="center", center_id=center)])
    signed = await bench.signed(parties=parties)
    proposed = await bench.activity(agreement_id=draft.id)
    approved = await bench.activity_step("ApproveActivity", await bench.activity())
    given_up = await bench.activity_step("CancelActivity", await bench.activity(), "No money.")
    ended = await bench.activity_step(
        "CancelActivity",
        await bench.activity_step("ApproveActivity", await bench.activity()),
        "No money.",
    )
    return {
        "partner": partner.id,
        "center": center,
        "draft": draft.id,
        "signed": signed.id,
        "proposed": proposed.id,
        "approved": approved.id,
        "given_up": given_up.id,
        "ended": ended.id,
    }


OPEN = {"signed", "approved", "ended"}
OWN = OPEN | {"draft", "proposed"}
ALL = OWN | {"given_up"}
STRANGER = "ins_" + "1" * 26


@pytest.mark.parametrize(
    ("role", "who", "expected"),
    [
        (None, {}, OPEN),
        ("hq_admin", {}, ALL),
        ("hq_analyst", {}, ALL),
        ("partner", {"institution_ids": "partner"}, OWN),
        ("partner", {"institution_ids": STRANGER}, OPEN),
        ("partner", {}, OPEN),
        ("center_admin", {"center_ids": "center"}, OWN),
        ("center_operator", {"center_ids": "center"}, OWN),
        # Ids in a token count only together with the role that they belong to.
        ("center_admin", {"institution_ids": "partner"}, OPEN),
        ("partner", {"center_ids": "center"}, OPEN),
    ],
)
async def test_each_role_sees_what_is_its_to_see(
    bench: PartnersBench,
    seen: dict[str, str],
    role: str | None,
    who: dict[str, str],
    expected: set[str],
) -> None:
    caller: dict[str, Any] = {name: [seen.get(id, id)] for name, id in who.items()}
    gotten, hidden = set[str](), dict[str, str]()
    for name in ALL:
        try:
            await bench.get(seen[name], role, **caller)
            gotten.add(name)
        except Fault as fault:
            hidden[name] = fault.reason
    assert gotten == expected
    assert hidden == dict.fromkeys(ALL - expected, "NOT_FOUND")
    agreements = await bench.call("ListAgreements", agr.ListAgreementsRequest(), role, **caller)
    activities = await bench.call("ListActivities", act.ListActivitiesRequest(), role, **caller)
    listed = {item.id for item in (*agreements.agreements, *activities.activities)}
    assert listed == {seen[name] for name in expected}


async def test_steps_are_for_headquarters_and_those_who_take_part(
    bench: PartnersBench, seen: dict[str, str]
) -> None:
    request = agr.ListAgreementStepsRequest(agreement_id=seen["signed"])
    own = await bench.call(
        "ListAgreementSteps", request, "partner", institution_ids=[seen["partner"]]
    )
    assert len(own.steps) == 4
    foreign = await bench.fault(
        "ListAgreementSteps", request, "partner", institution_ids=[STRANGER]
    )
    assert foreign.reason == "NOT_FOUND"
    anonymous = await bench.fault("ListAgreementSteps", request, None)
    assert anonymous.reason == "UNAUTHENTICATED"


@pytest.mark.parametrize("role", [None, "partner", "hq_analyst", "center_admin"])
async def test_only_the_headquarters_changes_anything(
    bench: PartnersBench, role: str | None
) -> None:
    request = ins.CreatePersonRequest(person=ins.Person(names=[ins.Name(text="A", language="en")]))
    fault = await bench.fault("CreatePerson", request, role)
    assert fault.reason == ("PERMISSION_DENIED" if role else "UNAUTHENTICATED")
    # The public directory has no persons in it.
    if role != "hq_analyst":
        listed = await bench.fault("ListPersons", ins.ListPersonsRequest(), role)
        assert listed.reason in ("PERMISSION_DENIED", "UNAUTHENTICATED")


async def test_lists_can_be_narrowed(bench: PartnersBench) -> None:
    partner = await bench.institution("TUMS")
    party = agr.Party(key="a", institution_id=partner.id)
    mine = await bench.agreement(parties=[party, agr.Party(key="b", country="RU")])
    treaty = await bench.signed(kind=agr.AGREEMENT_KIND_TREATY)

    async def listed(**filters: Any) -> set[str]:
        answer = await bench.call("ListAgreements", agr.ListAgreementsRequest(**filters))
        return {item.id for item in answer.agreements}

    assert await listed(institution_id=partner.id) == {mine.id}
    assert await listed(country="IR") == {treaty.id}
    assert await listed(country="RU") == {mine.id, treaty.id}
    assert await listed(kind=agr.AGREEMENT_KIND_MOU) == {mine.id}
    assert await listed(state=agr.AGREEMENT_STATE_AWAITING_RATIFICATION) == {treaty.id}
    assert await listed(parent_id=treaty.id) == set()

    guest = act.ActivityParticipant(institution_id=partner.id)
    meeting = await bench.activity(participants=[guest], agreement_id=mine.id)
    await bench.activity()
    for request in (
        act.ListActivitiesRequest(institution_id=partner.id),
        act.ListActivitiesRequest(agreement_id=mine.id),
    ):
        answer = await bench.call("ListActivities", request)
        assert [item.id for item in answer.activities] == [meeting.id]


async def test_an_activity_stays_within_its_agreement(bench: PartnersBench) -> None:
    area = agr.ScopeArea(code="training", text=text("Training"))
    found = await bench.signed(scope=[area], expiry_date=on("2027"))
    given = act.Activity(
        kind=act.ACTIVITY_KIND_TRAINING,
        titles=text("Course"),
        agreement_id=found.id,
        scope_codes=["weapons"],
    )
    fault = await bench.fault("CreateActivity", act.CreateActivityRequest(activity=given))
    assert [(v.field, v.reason, v.params["part"]) for v in fault.violations] == [
        ("out_of_scope_reason", "OUTSIDE_AGREEMENT", "scope")
    ]
    open_ = await bench.activity(agreement_id=found.id)
    step = act.ActivityStepRequest(activity_id=open_.id, etag=open_.etag)
    fault = await bench.fault("ApproveActivity", step)
    assert fault.violations[0].reason == "OUTSIDE_AGREEMENT"
    fitting = await bench.update(open_, scope_codes=["training"])
    approved = await bench.activity_step("ApproveActivity", fitting)
    fault = await bench.fault(*bench.updating(approved, end_date=on("2028")))
    assert fault.violations[0].params["part"] == "dates"
    # What has nothing to do with the bounds is not held up by them.
    assert (await bench.update(approved, note=text("n"))).note.en == "n"


async def test_an_activity_needs_an_agreement_that_carries_it(bench: PartnersBench) -> None:
    draft = await bench.agreement()
    proposed = await bench.activity(agreement_id=draft.id)
    step = act.ActivityStepRequest(activity_id=proposed.id, etag=proposed.etag)
    refused = await bench.fault("ApproveActivity", step)
    signed = await bench.signed()
    approved = await bench.activity_step(
        "ApproveActivity", await bench.update(proposed, agreement_id=signed.id)
    )
    moved = await bench.fault(*bench.updating(approved, agreement_id=draft.id))
    in_force = await bench.step("EnterAgreementIntoForce", signed)
    await bench.step("TerminateAgreement", in_force, "Over.")
    # The end of the agreement does not hold up what leaves the activity on it.
    noted = await bench.update(approved, note=text("n"), end_date=on("2030"))
    step = act.ActivityStepRequest(activity_id=noted.id, etag=noted.etag)
    late = await bench.fault("StartActivity", step)
    assert [
        (v.field, v.reason, v.params["state"])
        for fault in (refused, moved, late)
        for v in fault.violations
    ] == [
        ("out_of_scope_reason", "AGREEMENT_NOT_STANDING", "draft"),
        ("out_of_scope_reason", "AGREEMENT_NOT_STANDING", "draft"),
        ("out_of_scope_reason", "AGREEMENT_NOT_STANDING", "terminated"),
    ]
    allowed = await bench.update(noted, out_of_scope_reason=text("To finish what was begun."))
    assert (await bench.activity_step("StartActivity", allowed)).state == act.ACTIVITY_STATE_ACTIVE


async def test_an_agreement_without_activity_is_dormant_until_there_is_one(
    bench: PartnersBench,
) -> None:
    found = await bench.in_force(effective_date=on("2020-01-01"))
    assert names(found.review_flags) == ["REVIEW_FLAG_DORMANT"]
    long_ago = await bench.activity(agreement_id=found.id, start_date=on("2020-05"))
    await bench.activity_step("ApproveActivity", long_ago)
    proposed = await bench.activity(agreement_id=found.id)
    assert names((await bench.get(found.id)).review_flags) == ["REVIEW_FLAG_DORMANT"]
    await bench.activity_step("ApproveActivity", proposed)
    assert names((await bench.get(found.id)).review_flags) == []


async def test_the_migrations_lead_to_the_tables_of_the_code(bench: PartnersBench) -> None:
    async with bench.database.engine.connect() as connection:
        assert await connection.run_sync(lambda sync: differences(sync, metadata)) == []


async def test_an_agreement_that_no_event_can_carry_is_refused_and_steps_stay_possible(
    bench: PartnersBench,
) -> None:
    long = types_pb2.LocalizedText(en="x" * 2000, fa="س" * 2000)
    scope = [agr.ScopeArea(code=f"area-{n}", text=long) for n in range(100)]
    witnesses = [agr.Witness(name=long, title=long) for _ in range(50)]
    small = await bench.agreement(scope=scope[:50])
    with pytest.raises(Fault) as caught:
        await bench.update(small, scope=scope, witnesses=witnesses)
    (violation,) = caught.value.violations
    assert (violation.field, violation.reason) == ("agreement", "OUT_OF_RANGE")
    large = await bench.update(small, scope=scope)
    assert large.ByteSize() > 600_000
    signed = await bench.step("NegotiateAgreement", large)
    for party in list(signed.parties):
        signed = await bench.sign(signed, party.key, name=long, title=long)
    assert signed.state == agr.AGREEMENT_STATE_SIGNED


async def test_a_flag_that_the_day_puts_up_shows_in_the_version_tag(bench: PartnersBench) -> None:
    dormant = await bench.in_force(effective_date=on("2020-01-01"))
    assert list(dormant.review_flags) == [agr.REVIEW_FLAG_DORMANT]
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    meeting = await bench.activity(agreement_id=dormant.id, start_date=on(today))
    await bench.activity_step("ApproveActivity", meeting)
    awake = await bench.get(dormant.id)
    assert list(awake.review_flags) == []
    assert awake.etag != dormant.etag
    # Both are the same version: nothing was changed that a writer would overwrite.
    suspended = await bench.step("SuspendAgreement", dormant, "Under review.")
    assert suspended.state == agr.AGREEMENT_STATE_SUSPENDED
    with pytest.raises(Fault, match="STALE_ETAG"):
        await bench.step("ResumeAgreement", dormant)
