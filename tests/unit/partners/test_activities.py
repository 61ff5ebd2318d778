"""Rules of activities, each tried to be broken."""

from typing import Any

import pytest

from domainkit.rules import IllegalStep, RulesBroken
from partners.domain.activities import Activity, ActivityParticipant, ActivityState
from partners.domain.agreement_terms import RenewalMode, ScopeArea
from partners.domain.agreements import Agreement
from tests.unit.partners.builders import (
    activity,
    agreement,
    broken_by,
    in_force,
    in_negotiation,
    occasion,
    on,
    rules_of,
    signature,
    signed,
    text,
)


def test_it_lives_its_life() -> None:
    found = activity()
    found.approve(None, occasion())
    found.start(None, occasion())
    found.take("complete", occasion())
    assert (found.state, found.allowed_steps()) == (ActivityState.DONE, [])
    with pytest.raises(IllegalStep) as caught:
        found.approve(None, occasion())
    assert caught.value.allowed == ()


def test_giving_it_up_needs_a_reason() -> None:
    with pytest.raises(RulesBroken) as caught:
        activity().take("cancel", occasion())
    assert rules_of(caught) == {("reason", "REASON_REQUIRED")}


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"titles": text(" ")}, ("titles", "NAME_REQUIRED")),
        (
            {"participants": [ActivityParticipant("ins_1", "per_1")]},
            ("participants[0]", "ONE_REFERENCE_NEEDED"),
        ),
        ({"participants": [ActivityParticipant()]}, ("participants[0].name", "NAME_REQUIRED")),
        (
            {"start_date": on("2025-05"), "end_date": on("2025-04-30")},
            ("end_date", "END_BEFORE_START"),
        ),
        ({"scope_codes": ["training"]}, ("agreement_id", "REQUIRED")),
    ],
)
def test_values_keep_their_rules(values: dict[str, Any], rule: tuple[str, str]) -> None:
    assert broken_by(activity(**values)) == {rule}


def bounded(**values: Any) -> Agreement:
    given: dict[str, Any] = {
        "scope": [ScopeArea("training", text("Training"))],
        "effective_date": on("2025-06-01"),
        "expiry_date": on("2027"),
    }
    return in_force(**(given | values))


def under(**values: Any) -> Activity:
    return activity(agreement_id="agr_mou", scope_codes=["training"], **values)


OUTSIDE: list[tuple[dict[str, Any], str]] = [
    ({"scope_codes": ["weapons"]}, "scope"),
    ({"start_date": on("2025-05")}, "dates"),
    ({"end_date": on("2028-01-01")}, "dates"),
    ({"start_date": on("2026"), "end_date": on("2028")}, "dates"),
]


@pytest.mark.parametrize(("values", "part"), OUTSIDE)
def test_it_lies_within_the_agreement_or_says_why_not(values: dict[str, Any], part: str) -> None:
    found = under()
    for name, value in values.items():
        setattr(found, name, value)
    with pytest.raises(RulesBroken) as caught:
        found.check_within(bounded())
    (broken,) = caught.value.broken
    assert (broken.field, broken.rule) == ("out_of_scope_reason", "OUTSIDE_AGREEMENT")
    assert broken.params["part"] == part
    found.out_of_scope_reason = text("Both ministers asked for it.")
    found.check_within(bounded())


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"start_date": on("2025")},  # the year may mean a day within
        {"start_date": on("2025-06-01"), "end_date": on("2027-12-31")},
        {"end_date": on("2027")},
    ],
)
def test_what_may_lie_within_is_not_outside(values: dict[str, Any]) -> None:
    under(**values).check_within(bounded(), decided=True)


def test_a_year_that_may_end_before_the_agreement_does_is_not_outside() -> None:
    under(end_date=on("2028")).check_within(bounded(expiry_date=on("2028-06")))


def test_an_agreement_that_renews_itself_has_no_last_day() -> None:
    found = under(end_date=on("2029"))
    found.check_within(bounded(renewal_mode=RenewalMode.AUTOMATIC))


def test_a_proposal_may_leave_the_scope_open_an_approval_may_not() -> None:
    found = activity(agreement_id="agr_mou")
    found.check_within(bounded())
    with pytest.raises(RulesBroken):
        found.approve(bounded(), occasion())
    assert (found.state, found.was_approved) == (ActivityState.PROPOSED, False)
    found.approve(bounded(scope=[]), occasion())
    assert found.was_approved


def _ended() -> Agreement:
    found = bounded()
    found.take("terminate", occasion("Over."))
    return found


def _withdrawn(**values: Any) -> Agreement:
    found = agreement(**values)
    found.take("withdraw", occasion("No interest."))
    return found


def _partly_signed(**values: Any) -> Agreement:
    found = in_negotiation(**values)
    found.sign(signature("iran"), occasion())
    return found


def _refused(caught: pytest.ExceptionInfo[RulesBroken]) -> str:
    """The state for which an agreement does not carry an activity."""
    (broken,) = caught.value.broken
    assert (broken.field, broken.rule) == ("out_of_scope_reason", "AGREEMENT_NOT_STANDING")
    return broken.params["state"]


@pytest.mark.parametrize("over", [_ended(), _withdrawn()], ids=lambda found: found.state.value)
def test_nothing_is_proposed_under_an_agreement_that_has_ended(over: Agreement) -> None:
    with pytest.raises(RulesBroken) as caught:
        activity(agreement_id="agr_mou").check_carried(over)
    assert _refused(caught) == over.state
    activity(agreement_id="agr_mou", out_of_scope_reason=text("Agreed.")).check_carried(over)


@pytest.mark.parametrize(
    "other",
    [agreement(), in_negotiation(), _partly_signed(), _withdrawn(provisional=True), _ended()],
    ids=lambda found: found.state.value,
)
def test_what_is_decided_stands_on_an_agreement_that_is_signed_and_has_not_ended(
    other: Agreement,
) -> None:
    scope = [area.code for area in other.scope]
    proposal = activity(agreement_id="agr_mou", scope_codes=scope)
    with pytest.raises(RulesBroken) as caught:
        proposal.approve(other, occasion())
    assert _refused(caught) == other.state
    assert (proposal.state, proposal.was_approved) == (ActivityState.PROPOSED, False)
    proposal.approve(signed(scope=other.scope), occasion())
    with pytest.raises(RulesBroken) as caught:
        proposal.start(other, occasion())
    assert _refused(caught) == other.state
    assert proposal.state == ActivityState.APPROVED
    proposal.out_of_scope_reason = text("Both ministers asked for it.")
    proposal.start(other, occasion())
    assert proposal.state == ActivityState.ACTIVE


def test_what_is_applied_provisionally_carries_activities_before_it_is_signed() -> None:
    found = activity(agreement_id="agr_mou")
    found.approve(_partly_signed(provisional=True), occasion())
    found.start(_partly_signed(provisional=True), occasion())
    assert found.state == ActivityState.ACTIVE


def test_what_is_over_stays_under_an_agreement_that_ends() -> None:
    found = activity(agreement_id="agr_mou", state=ActivityState.DONE)
    found.check_carried(_ended(), decided=True)
    with pytest.raises(RulesBroken) as caught:
        found.check_carried(_withdrawn(), decided=True)
    assert _refused(caught) == "withdrawn"
