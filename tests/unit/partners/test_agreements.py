"""Rules of agreements, each tried to be broken."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from domainkit.rules import IllegalStep, Refused, RulesBroken
from partners.domain.agreement_terms import (
    AgreementKind,
    Party,
    RenewalMode,
    ScopeArea,
    Signature,
    Witness,
)
from partners.domain.agreements import ENDED, Agreement, AgreementState, ReviewFlag
from tests.unit.partners.builders import (
    NOW,
    TODAY,
    agreement,
    broken_by,
    in_force,
    in_negotiation,
    occasion,
    on,
    ratification,
    rules_of,
    signature,
    signed,
    text,
)


def test_every_party_signs_before_it_is_signed() -> None:
    found = in_negotiation()
    found.sign(signature("iran", "2025-04-24"), occasion())
    assert found.state == AgreementState.PARTLY_SIGNED
    assert found.signed_date is None
    found.sign(signature("russia", "2025-04-25"), occasion())
    assert found.state == AgreementState.SIGNED
    assert found.signed_date == on("2025-04-25")


def test_the_date_of_signing_is_unknown_as_soon_as_one_signature_has_none() -> None:
    found = in_negotiation()
    found.sign(signature("iran", None), occasion())
    found.sign(signature("russia", "2025"), occasion())
    assert found.state == AgreementState.SIGNED
    assert found.signed_date is None


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        (signature("china"), ("signature.party", "UNKNOWN_PARTY")),
        (signature("iran", "2026-03-02"), ("signature.signed_date.value", "DATE_IN_FUTURE")),
        (signature("iran", "2025-02-30"), ("signature.signed_date.value", "NO_SUCH_DATE")),
        (Signature("iran"), ("signature", "SIGNATORY_REQUIRED")),
    ],
)
def test_a_wrong_signature_is_not_recorded(wrong: Signature, rule: tuple[str, str]) -> None:
    found = in_negotiation()
    with pytest.raises(RulesBroken) as caught:
        found.sign(wrong, occasion())
    assert rules_of(caught) == {rule}
    assert (found.signatures, found.state) == ([], AgreementState.NEGOTIATING)


def test_a_date_that_may_lie_in_the_past_is_not_in_the_future() -> None:
    found = in_negotiation()
    found.sign(signature("iran", "2026"), occasion())
    assert found.state == AgreementState.PARTLY_SIGNED


def test_a_party_signs_once() -> None:
    found = in_negotiation()
    found.sign(signature("iran"), occasion())
    with pytest.raises(Refused) as caught:
        found.sign(signature("iran"), occasion())
    assert caught.value.reason == "ALREADY_SIGNED"


def test_it_takes_effect_after_the_last_signature_unless_it_is_provisional() -> None:
    early = in_negotiation(effective_date=on("2025-04"))
    early.sign(signature("iran", "2025-04-25"), occasion())  # the month leaves it open
    with pytest.raises(RulesBroken) as caught:
        early.sign(signature("russia", "2025-05-01"), occasion())
    assert rules_of(caught) == {("effective_date", "EFFECTIVE_BEFORE_SIGNATURE")}
    provisional = in_negotiation(effective_date=on("2025-04"), provisional=True)
    provisional.sign(signature("iran", "2025-05-01"), occasion())


def test_a_treaty_enters_into_force_with_every_ratification_only() -> None:
    treaty = signed(AgreementKind.TREATY)
    assert treaty.state == AgreementState.AWAITING_RATIFICATION
    treaty.ratify(ratification("russia", "Federation Council"), occasion())
    treaty.ratify(ratification("russia", "State Duma"), occasion())
    assert treaty.state == AgreementState.AWAITING_RATIFICATION
    assert "enter-force" not in treaty.allowed_steps()
    with pytest.raises(Refused) as caught:
        treaty.take("enter-force", occasion())
    assert (caught.value.reason, caught.value.params) == (
        "RATIFICATION_MISSING",
        {"parties": "iran"},
    )
    treaty.ratify(ratification("iran", "Parliament", approved=False), occasion())
    assert treaty.unratified() == ["iran"]
    treaty.ratify(ratification("iran", "parliament "), occasion())  # the same body, anew
    assert treaty.unratified() == []
    treaty.take("enter-force", occasion())
    assert treaty.state == AgreementState.IN_FORCE


def test_a_treaty_needs_ratification_whatever_it_says() -> None:
    assert agreement(AgreementKind.TREATY, ratification_required=False).ratification_required
    found = agreement(AgreementKind.MOU)
    found.amend({"kind": AgreementKind.TREATY}, occasion())
    assert found.ratification_required
    assert not found.amend({"ratification_required": False}, occasion())


def test_a_body_ratifies_once_and_for_a_party() -> None:
    treaty = signed(AgreementKind.TREATY)
    treaty.ratify(ratification("russia", "State Duma"), occasion())
    with pytest.raises(Refused) as refused:
        treaty.ratify(ratification("russia", "state duma"), occasion())
    assert refused.value.reason == "ALREADY_RATIFIED"
    with pytest.raises(RulesBroken) as broken:
        treaty.ratify(ratification("china", "Congress"), occasion())
    assert rules_of(broken) == {("ratification.party", "UNKNOWN_PARTY")}
    # Bodies of the same name of two parties are two bodies.
    treaty.ratify(ratification("iran", "State Duma"), occasion())


def test_one_refusing_body_is_enough_to_hold_it_up() -> None:
    treaty = signed(AgreementKind.TREATY)
    treaty.ratify(ratification("iran", "Parliament"), occasion())
    treaty.ratify(ratification("russia", "State Duma"), occasion())
    treaty.ratify(ratification("russia", "Federation Council", approved=False), occasion())
    assert treaty.unratified() == ["russia"]


def test_an_unknown_effective_date_stays_unknown() -> None:
    assert in_force().effective_date is None
    found = signed()
    found.take("enter-force", occasion(effective="2025-05"))
    assert found.effective_date == on("2025-05")


@pytest.mark.parametrize(
    ("effective", "rule"),
    [
        ("2025-04-24", ("effective_date", "EFFECTIVE_BEFORE_SIGNATURE")),
        ("2026-03-02", ("effective_date.value", "DATE_IN_FUTURE")),
    ],
)
def test_it_enters_into_force_neither_too_early_nor_in_the_future(
    effective: str, rule: tuple[str, str]
) -> None:
    found = signed()
    with pytest.raises(RulesBroken) as caught:
        found.take("enter-force", occasion(effective=effective))
    assert rules_of(caught) == {rule}
    assert found.state == AgreementState.SIGNED


def test_expiry_is_known_and_reached_never_concluded() -> None:
    endless = in_force()
    with pytest.raises(Refused) as unknown:
        endless.take("expire", occasion())
    assert unknown.value.reason == "EXPIRY_UNKNOWN"
    running = in_force(expiry_date=on("2026"))  # the year is not over
    with pytest.raises(Refused) as early:
        running.take("expire", occasion())
    assert early.value.reason == "EXPIRY_NOT_REACHED"
    over = in_force(expiry_date=on("2026-03-01"))
    over.take("expire", occasion())
    assert over.state == AgreementState.EXPIRED


FROZEN: list[tuple[str, Any, Any]] = [
    ("kind", AgreementKind.MOU, AgreementKind.FRAMEWORK),
    ("notice_days", 180, 90),
    ("notice_days", 0, 90),
    ("renewal_mode", RenewalMode.AUTOMATIC, RenewalMode.NONE),
    ("terms_hash", "sha256:" + "0" * 64, "sha256:" + "1" * 64),
    ("expiry_date", on("2030"), on("2031")),
    ("expiry_date", on("2030"), None),
    ("scope", [ScopeArea("a", text("A"))], []),
    ("ratification_required", False, True),
    ("provisional", False, True),
]


@pytest.mark.parametrize(("name", "agreed", "other"), FROZEN)
def test_terms_are_frozen_from_the_first_signature_on(name: str, agreed: Any, other: Any) -> None:
    found = in_negotiation(**({} if name == "kind" else {name: agreed}))
    found.sign(signature("iran"), occasion())
    with pytest.raises(Refused) as caught:
        found.amend({name: other}, occasion())
    assert (caught.value.reason, caught.value.params) == ("TERMS_FROZEN", {"field": name})
    before = in_negotiation(**({} if name == "kind" else {name: agreed}))
    before.amend({name: other}, occasion())
    assert getattr(before, name) == other


def test_parties_are_frozen_too() -> None:
    found = signed()
    with pytest.raises(Refused):
        found.amend({"parties": [*found.parties, Party("china", country="CN")]}, occasion())


@pytest.mark.parametrize(
    ("name", "known", "better"),
    [
        ("expiry_date", None, on("2030")),
        ("expiry_date", on("2030"), on("2030-06")),
        ("expiry_date", on("2029", inferred=True), on("2030-06")),
        ("notice_days", None, 90),
        ("scope", [], [ScopeArea("a", text("A"))]),
        ("terms_hash", "", "sha256:" + "0" * 64),
    ],
)
def test_what_was_not_known_at_signature_can_be_filled_in(
    name: str, known: Any, better: Any
) -> None:
    found = signed(**{name: known})
    assert found.amend({name: better}, occasion())
    assert getattr(found, name) == better


def test_what_is_said_about_it_is_no_term() -> None:
    assert signed().amend({"note": text("A conflict between sources.")}, occasion())


def test_a_refused_step_does_not_name_the_entry_that_lacks_ratification() -> None:
    treaty = signed(AgreementKind.TREATY)
    with pytest.raises(IllegalStep) as caught:
        treaty.take("suspend", occasion("why"))
    assert list(caught.value.allowed) == ["ratify"]


def test_a_parent_is_not_confirmed_in_the_future() -> None:
    parent = signed(AgreementKind.TREATY)
    child = signed(suggested_parent_id=parent.id)
    with pytest.raises(RulesBroken) as caught:
        child.confirm_parent(parent, occasion(effective="2027"))
    assert rules_of(caught) == {("effective_date.value", "DATE_IN_FUTURE")}
    assert child.parent_id is None


@pytest.mark.parametrize("state", list(AgreementState))
def test_an_illegal_step_lists_the_allowed_ones(state: AgreementState) -> None:
    found = agreement(state=state)
    # What the values rule out, as an expiry date that is not known, is not allowed either.
    allowed = [step for step in Agreement.MACHINE.allowed(state) if step != "expire"]
    steps: dict[str, Callable[[], None]] = {
        "sign": lambda: found.sign(signature("iran"), occasion()),
        "ratify": lambda: found.ratify(ratification("iran", "P"), occasion()),
        "supersede": lambda: found.supersede(signed(), occasion()),
    }
    for action in set(Agreement.EVENTS) - set(Agreement.MACHINE.allowed(state)):
        with pytest.raises(IllegalStep) as caught:
            steps.get(action, lambda action=action: found.take(action, occasion("why")))()
        assert list(caught.value.allowed) == allowed == found.allowed_steps()
    assert (not allowed) == (state in ENDED)


@pytest.mark.parametrize("action", ["suspend", "terminate"])
def test_taking_it_back_needs_a_reason(action: str) -> None:
    found = in_force()
    with pytest.raises(RulesBroken) as caught:
        found.take(action, occasion(" "))
    assert rules_of(caught) == {("reason", "REASON_REQUIRED")}


def test_a_suspended_agreement_goes_on_or_ends() -> None:
    found = in_force(expiry_date=on("2026-02"))
    found.take("suspend", occasion("Sanctions."))
    assert found.allowed_steps() == ["resume", "expire", "terminate", "supersede"]
    found.take("resume", occasion())
    assert found.state == AgreementState.IN_FORCE


def test_it_is_withdrawn_only_before_everyone_has_signed() -> None:
    half = in_negotiation()
    half.sign(signature("iran"), occasion())
    half.take("withdraw", occasion("No longer wanted."))
    assert half.state == AgreementState.WITHDRAWN
    with pytest.raises(IllegalStep):
        signed().take("withdraw", occasion("No longer wanted."))


def test_only_a_signed_agreement_takes_the_place_of_another() -> None:
    old = in_force()
    draft = agreement(id="agr_new")
    with pytest.raises(RulesBroken) as caught:
        old.supersede(draft, occasion())
    assert rules_of(caught) == {("superseded_by_id", "SUCCESSOR_NOT_SIGNED")}
    with pytest.raises(RulesBroken):
        old.supersede(old, occasion())
    old.supersede(signed(id="agr_new"), occasion())
    assert (old.state, old.superseded_by_id) == (AgreementState.SUPERSEDED, "agr_new")


@pytest.mark.parametrize("above", list(AgreementKind))
@pytest.mark.parametrize("below", list(AgreementKind))
def test_a_parent_is_of_a_higher_kind(above: AgreementKind, below: AgreementKind) -> None:
    order = list(AgreementKind)
    parent, child = agreement(above, id="agr_parent"), agreement(below)
    if order.index(above) < order.index(below):
        child.stand_under(parent)
        assert child.review_flags == []
    else:
        with pytest.raises(RulesBroken) as caught:
            child.stand_under(parent)
        assert rules_of(caught) == {("parent_id", "PARENT_NOT_HIGHER")}


def test_the_end_of_the_parent_flags_a_child_once() -> None:
    child = in_force()
    child.pending.clear()
    assert child.parent_has_ended(occasion())
    assert not child.parent_has_ended(occasion())
    assert child.flags(TODAY, TODAY) == [ReviewFlag.PARENT_ENDED]
    assert [step.action for step in child.pending] == ["parent_ended"]
    child.stand_under(None)
    assert child.flags(TODAY, TODAY) == []
    over = in_force()
    over.take("terminate", occasion("Over."))
    assert not over.parent_has_ended(occasion())


def test_who_comes_under_an_agreement_that_has_ended_is_flagged_at_once() -> None:
    treaty = in_force(AgreementKind.TREATY)
    treaty.take("terminate", occasion("Over."))
    child = agreement()
    child.stand_under(treaty)
    assert child.review_flags == [ReviewFlag.PARENT_ENDED]


def test_a_suggested_parent_is_confirmed_by_a_person() -> None:
    treaty = agreement(AgreementKind.TREATY)
    child = signed(suggested_parent_id=treaty.id, suggested_parent_note=text("Same parties."))
    assert child.parent_id is None
    assert "confirm-parent" in child.allowed_steps()
    child.confirm_parent(treaty, occasion())
    assert (child.parent_id, child.suggested_parent_id) == (treaty.id, None)
    assert child.suggested_parent_note is None
    with pytest.raises(Refused) as caught:
        child.confirm_parent(None, occasion())
    assert caught.value.reason == "NO_SUGGESTED_PARENT"


@pytest.mark.parametrize(
    ("parties", "rules"),
    [
        ([Party("iran", country="IR")], {("parties", "TOO_FEW_ITEMS")}),
        (
            [Party("a", country="IR"), Party("a", country="RU")],
            {("parties[1].key", "DUPLICATE")},
        ),
        (
            [Party("a", country="IR"), Party("b", country="IR")],
            {("parties[1]", "DUPLICATE")},
        ),
        (
            [Party("a"), Party("b", country="IR", center_id="ctr_1")],
            {("parties[0]", "ONE_REFERENCE_NEEDED"), ("parties[1]", "ONE_REFERENCE_NEEDED")},
        ),
        (
            [Party("a", country="XX"), Party("b", country="RU")],
            {("parties[0].country", "UNKNOWN_COUNTRY")},
        ),
    ],
)
def test_parties_are_two_or_more_and_each_is_one_thing(
    parties: list[Party], rules: set[tuple[str, str]]
) -> None:
    assert broken_by(agreement(parties=parties)) == rules


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"titles": None}, ("titles", "NAME_REQUIRED")),
        ({"witnesses": [Witness()]}, ("witnesses[0]", "SIGNATORY_REQUIRED")),
        (
            {"scope": [ScopeArea("a", text("A")), ScopeArea("a", text("B"))]},
            ("scope[1].code", "DUPLICATE"),
        ),
        ({"scope": [ScopeArea("a")]}, ("scope[0].text", "NAME_REQUIRED")),
        (
            {"effective_date": on("2025"), "expiry_date": on("2024-12")},
            ("expiry_date", "END_BEFORE_START"),
        ),
        ({"expiry_date": on("2025-13")}, ("expiry_date.value", "NO_SUCH_DATE")),
        ({"parent_id": "agr_mou"}, ("parent_id", "PARENT_CYCLE")),
    ],
)
def test_values_keep_their_rules(values: dict[str, Any], rule: tuple[str, str]) -> None:
    assert broken_by(agreement(**values)) == {rule}


def test_expiring_is_computed_for_a_day_with_notice_or_thirty_days() -> None:
    plain = in_force(expiry_date=on("2026-05-01"), effective_date=on("2026-01"))
    noticed = in_force(expiry_date=on("2026-05-01"), effective_date=on("2026-01"), notice_days=90)
    assert plain.flags(date(2026, 3, 31), None) == []
    assert plain.flags(date(2026, 4, 1), None) == [ReviewFlag.EXPIRING]
    assert noticed.flags(date(2026, 1, 31), None) == [ReviewFlag.EXPIRING]
    assert in_force().flags(TODAY, None) == []  # no expiry date, nothing concluded


def test_dormant_is_computed_from_the_last_activity() -> None:
    found = in_force(effective_date=on("2025-04-25"))
    anniversary = date(2025, 4, 25) + timedelta(days=365)
    assert found.flags(anniversary, None) == []
    later = anniversary + timedelta(days=1)
    assert found.flags(later, None) == [ReviewFlag.DORMANT]
    assert found.flags(later, date(2025, 12, 1)) == []
    # Where it is not known since when it is in force, it counts from when that was recorded.
    assert in_force().flags(NOW.date() + timedelta(days=365), None) == []
    assert signed(effective_date=on("2025-04-25")).flags(later, None) == []
