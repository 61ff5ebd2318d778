"""The rules of awards, each tried to be broken, and their life under any series of steps."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domainkit.aggregate import Occasion
from domainkit.rules import IllegalStep, Refused, RulesBroken
from domainkit.values import ImpreciseDate, LocalizedText
from projects.domain.awards import (
    Award,
    AwardState,
    Disbursement,
    Funder,
    Milestone,
    MilestoneState,
    Tranche,
)
from projects.domain.evidence import EvidenceFound, EvidenceState
from projects.domain.money import CURRENCIES, Money
from tests.unit.projects.examples import NOW, broken_by

TEXT = LocalizedText(en="Three runs in specification")
VERIFIED = {"evd_1": "verified"}
M1, M2 = Milestone("m1", TEXT), Milestone("m2", TEXT, "2026-12-31")


def rials(amount: str) -> Money:
    return Money(amount, "IRR")


def by(actor: str, reason: str = "") -> Occasion:
    return Occasion(actor=actor, at=NOW, reason=reason)


def award(**values: Any) -> Award:
    given: dict[str, Any] = {
        "project_id": "prj_1",
        "titles": LocalizedText(en="Seed grant"),
        "funder": Funder(LocalizedText(en="Headquarters"), ror_id="01C4PZ451"),
        "amount": rials("100"),
        "milestones": [M1, M2],
        "tranches": [Tranche("t1", rials("60"), "m1"), Tranche("t2", rials("40"), "m2")],
        **values,
    }
    return Award.begin("awd_1", NOW, given)


def steps(
    made: Award,
    subject: str,
    *,
    newest: str = "verified",
    judged: str = "verified",
    is_payable: bool = True,
    is_outside: bool = True,
) -> list[str]:
    """What is possible for somebody, where all evidence stands so."""
    found = EvidenceFound(EvidenceState(newest), EvidenceState(judged))
    asked = dict.fromkeys(made.evidence_asked_for, found)
    return made.steps_of(subject, found=asked, is_payable=is_payable, is_outside=is_outside)


def met(made: Award, code: str = "m1") -> Award:
    made.report_milestone(code, ["evd_1"], "", by("reporter"))
    made.meet_milestone(code, {"evd_1": "verified"}, by("checker"))
    return made


def test_a_tranche_is_released_once_its_milestone_is_met() -> None:
    made = award()
    made.recorded(by("hq"))
    assert made.funder is not None
    assert made.funder.ror_id == "https://ror.org/01c4pz451"
    assert made.allowed_steps() == ["report-milestone", "close", "cancel"]
    made.report_milestone("m1", [], "Done, see the records.", by("reporter"))
    assert made.allowed_steps() == [
        "report-milestone",
        "return-milestone",
        "meet-milestone",
        "close",
        "cancel",
    ]
    made.meet_milestone("m1", {}, by("checker", "Seen."))
    assert made.allowed_steps() == [
        "report-milestone",
        "return-milestone",
        "release-tranche",
        "close",
        "cancel",
    ]
    entry = made.release_tranche("t1", None, "1405-7", {}, by("payer"))
    assert entry == Disbursement("t1", "m1", Decimal(60), "IRR")
    assert made.released == rials("60")
    assert made.released_value == 60
    released = made.tranches[0]
    assert (released.released, released.released_by, released.payment_reference) == (
        rials("60"),
        "payer",
        "1405-7",
    )
    assert "release-tranche" not in steps(made, "payer")
    assert made.allowed_steps() == ["report-milestone", "close", "cancel"]
    assert [(step.action, step.reason) for step in made.pending] == [
        ("created", ""),
        ("milestone_reported", "m1: Done, see the records."),
        ("milestone_met", "m1: Seen."),
        ("tranche_released", "t1"),
    ]


def test_what_a_caller_says_of_what_was_done_is_not_taken() -> None:
    done = replace(M1, state=MilestoneState.MET, confirmed_by="me", reported_by="me")
    paid = Tranche("t1", rials("60"), "m1", released=rials("60"), released_by="me")
    made = award(milestones=[done], tranches=[paid])
    assert made.milestones == [M1]
    assert made.tranches == [paid.plan]
    made.amend({"milestones": [done, M2], "tranches": [replace(paid, code="t9")]}, by("hq"))
    assert made.milestones == [M1, M2]
    assert made.released_value == 0


@pytest.mark.parametrize(
    ("values", "broken"),
    [
        ({"titles": None}, ("titles", "NAME_REQUIRED")),
        ({"funder": Funder(None)}, ("funder.names", "NAME_REQUIRED")),
        (
            {"funder": Funder(TEXT, ror_id="01c4pz452")},
            ("funder.ror_id", "ROR_CHECKSUM"),
        ),
        ({"awarded_date": ImpreciseDate("2027")}, ("awarded_date.value", "DATE_IN_FUTURE")),
        ({"milestones": [M1, M2, M1]}, ("milestones[2].code", "DUPLICATE")),
        (
            {"milestones": [M1, replace(M2, text=None)]},
            ("milestones[1].text", "NAME_REQUIRED"),
        ),
        (
            {"milestones": [M1, replace(M2, due_date="2026-02-30")]},
            ("milestones[1].due_date", "NO_SUCH_DATE"),
        ),
        (
            {"tranches": [Tranche("t1", rials("60"), "m3")]},
            ("tranches[0].milestone_code", "UNKNOWN_MILESTONE"),
        ),
        (
            {"tranches": [Tranche("t1", rials("6"), "m1"), Tranche("t1", rials("6"), "m2")]},
            ("tranches[1].code", "DUPLICATE"),
        ),
        (
            {"tranches": [Tranche("t1", Money("60", "EUR"), "m1")]},
            ("tranches[0].amount.currency", "OTHER_CURRENCY"),
        ),
        (
            {"tranches": [Tranche("t1", rials("0.000"), "m1")]},
            ("tranches[0].amount.amount", "AMOUNT_NOT_POSITIVE"),
        ),
        (
            {"tranches": [Tranche("t1", rials("60"), "m1"), Tranche("t2", rials("40.01"), "m2")]},
            ("tranches", "TRANCHES_EXCEED_AWARD"),
        ),
        (
            {"amount": rials("0"), "tranches": []},
            ("amount.amount", "AMOUNT_NOT_POSITIVE"),
        ),
        (
            {"amount": Money("1", "RIA"), "tranches": []},
            ("amount.currency", "UNKNOWN_CURRENCY"),
        ),
        (
            {"amount": Money("1", "XAU"), "tranches": []},
            ("amount.currency", "UNKNOWN_CURRENCY"),
        ),
    ],
)
def test_values_that_break_a_rule_are_refused(
    values: dict[str, Any], broken: tuple[str, str]
) -> None:
    with pytest.raises(RulesBroken) as refusal:
        award(**values).recorded(by("hq"))
    assert broken_by(refusal.value) == {broken}


def test_currencies_are_those_of_iso_4217() -> None:
    assert {"IRR", "EUR", "USD", "CNY", "TRY"} <= CURRENCIES
    assert not {"XXX", "XTS", "XAU"} & CURRENCIES


def test_a_milestone_is_reported_with_something_and_once() -> None:
    made = award()
    with pytest.raises(RulesBroken) as refusal:
        made.report_milestone("m1", [], " ", by("reporter"))
    assert broken_by(refusal.value) == {("note", "EVIDENCE_OR_NOTE_NEEDED")}
    with pytest.raises(RulesBroken) as refusal:
        made.report_milestone("m7", [], "Done.", by("reporter"))
    assert broken_by(refusal.value) == {("milestone_code", "UNKNOWN_MILESTONE")}
    made.report_milestone("m1", [], "Done.", by("reporter"))
    with pytest.raises(Refused) as refused:
        made.report_milestone("m1", [], "Done again.", by("another"))
    assert refused.value.reason == "MILESTONE_STATE_WRONG"
    assert refused.value.params == {"code": "m1", "state": "reported", "needed": "open"}


def test_whoever_reports_a_milestone_does_not_confirm_it() -> None:
    made = award()
    with pytest.raises(Refused) as refused:
        made.meet_milestone("m1", {}, by("checker"))
    assert refused.value.reason == "MILESTONE_STATE_WRONG"
    made.report_milestone("m1", [], "Done.", by("reporter"))
    assert "meet-milestone" not in steps(made, "reporter")
    assert "meet-milestone" in steps(made, "checker")
    assert "meet-milestone" not in steps(made, "checker", is_outside=False)
    with pytest.raises(Refused) as refused:
        made.meet_milestone("m1", {}, by("reporter"))
    assert refused.value.reason == "REPORTER_CANNOT_CONFIRM"
    assert made.milestones[0].state == MilestoneState.REPORTED


@pytest.mark.parametrize("state", ["submitted", "rejected", "superseded", ""])
def test_a_milestone_is_not_met_by_evidence_that_is_not_verified(state: str) -> None:
    made = award()
    made.report_milestone("m1", ["evd_1", "evd_2"], "", by("reporter"))
    states = {"evd_1": "verified"} | ({"evd_2": state} if state else {})
    with pytest.raises(Refused) as refused:
        made.meet_milestone("m1", states, by("checker"))
    assert refused.value.reason == "EVIDENCE_NOT_VERIFIED"
    assert refused.value.params["evidence_id"] == "evd_2"
    assert "meet-milestone" not in steps(made, "checker", newest=state or "submitted")


def test_a_report_is_returned_with_a_reason_and_made_again() -> None:
    made = award()
    made.report_milestone("m1", ["evd_1"], "Done.", by("reporter"))
    with pytest.raises(RulesBroken) as refusal:
        made.return_milestone("m1", by("checker"))
    assert broken_by(refusal.value) == {("reason", "REASON_REQUIRED")}
    made.return_milestone("m1", by("checker", "A record is missing."))
    assert made.milestones[0] == replace(M1, note="A record is missing.")
    made.report_milestone("m1", ["evd_2"], "", by("checker"))
    # Whoever returned the first report has now reported, and another confirms.
    made.meet_milestone("m1", {"evd_2": "verified"}, by("reporter"))
    assert made.milestones[0].state == MilestoneState.MET


def test_a_met_milestone_is_returned_as_long_as_nothing_was_released_for_it() -> None:
    shared = [Tranche("t1", rials("60"), "m1"), Tranche("t2", rials("40"), "m1")]
    made = met(award(tranches=shared))
    made.return_milestone("m1", by("checker", "Its evidence was rejected."))
    assert made.milestones[0] == replace(M1, note="Its evidence was rejected.")
    assert "release-tranche" not in made.allowed_steps()
    met(made).release_tranche("t1", None, "", VERIFIED, by("payer"))
    assert "return-milestone" not in made.allowed_steps()
    with pytest.raises(Refused) as refused:
        made.return_milestone("m1", by("checker", "Too late."))
    assert refused.value.reason == "MILESTONE_PAID"
    assert refused.value.params == {"code": "m1", "tranches": "t1"}
    with pytest.raises(Refused) as refused:
        made.return_milestone("m2", by("checker", "It is open."))
    assert refused.value.params == {"code": "m2", "state": "open", "needed": "reported, met"}


@pytest.mark.parametrize("state", ["submitted", "rejected", "superseded", ""])
def test_no_money_for_a_milestone_whose_evidence_does_not_hold_any_more(state: str) -> None:
    made = met(award())
    states = {"evd_1": state} if state else {}
    assert made.evidence_behind == ["evd_1"]
    assert "release-tranche" in steps(made, "payer", judged="verified")
    assert "release-tranche" not in steps(made, "payer", judged=state or "submitted")
    assert "release-tranche" not in steps(made, "payer", judged="verified", is_payable=False)
    assert "release-tranche" not in steps(made, "payer", judged="verified", is_outside=False)
    with pytest.raises(Refused) as refused:
        made.release_tranche("t1", None, "", states, by("payer"))
    assert refused.value.reason == "EVIDENCE_NOT_VERIFIED"
    assert refused.value.params == {"evidence_id": "evd_1", "state": state}
    assert made.released_value == 0


@pytest.mark.parametrize(
    ("code", "amount", "expected"),
    [
        ("t7", None, "UNKNOWN_TRANCHE"),
        ("t2", None, "MILESTONE_NOT_MET"),
        ("t1", Money("60", "EUR"), "OTHER_CURRENCY"),
        ("t1", rials("60.0001"), "RELEASE_EXCEEDS_TRANCHE"),
        ("t1", rials("0"), "AMOUNT_NOT_POSITIVE"),
    ],
)
def test_money_is_not_released_against_a_rule(
    code: str, amount: Money | None, expected: str
) -> None:
    made = met(award())
    with pytest.raises((Refused, RulesBroken)) as refusal:
        made.release_tranche(code, amount, "", VERIFIED, by("payer"))
    error = refusal.value
    reason = error.reason if isinstance(error, Refused) else error.broken[0].rule
    assert reason == expected
    assert made.released_value == 0


def test_a_tranche_is_released_once_also_in_part() -> None:
    made = met(award())
    assert made.milestones[0].reported_at == made.milestones[0].confirmed_at == NOW
    made.release_tranche("t1", rials("12.5"), "", VERIFIED, by("payer"))
    assert made.released == rials("12.5")
    with pytest.raises(Refused) as refused:
        made.release_tranche("t1", rials("1"), "", VERIFIED, by("payer"))
    assert refused.value.reason == "TRANCHE_RELEASED"


def test_what_was_reached_and_released_stays() -> None:
    made = met(award())
    made.release_tranche("t1", None, "", VERIFIED, by("payer"))
    t1, t2 = made.tranches

    def refused(**values: Any) -> set[tuple[str, str]]:
        with pytest.raises(RulesBroken) as refusal:
            made.amend(values, by("hq"))
        return broken_by(refusal.value)

    changed = replace(M1, text=LocalizedText(en="One run"))
    assert refused(milestones=[changed, M2]) == {("milestones", "MILESTONE_STAYS")}
    assert refused(milestones=[M2]) == {("milestones", "MILESTONE_STAYS")}
    assert refused(tranches=[t2]) == {("tranches", "TRANCHE_STAYS")}
    smaller = replace(t1.plan, amount=rials("50"))
    assert refused(tranches=[smaller, t2]) == {("tranches", "TRANCHE_STAYS")}
    late = Tranche("t3", rials("1"), "m1")
    assert ("tranches[2].milestone_code", "MILESTONE_MET_ALREADY") in refused(
        tranches=[t1, t2, late]
    )
    moved = replace(t2, milestone_code="m1")
    assert ("tranches[1].milestone_code", "MILESTONE_MET_ALREADY") in refused(tranches=[t1, moved])
    # What was not reached and not released can be agreed anew; the rest is kept with it.
    assert made.amend(
        {
            "milestones": [M1.plan, replace(M2, due_date="2027-01-31"), Milestone("m3", TEXT)],
            "tranches": [t1.plan, Tranche("t3", rials("30"), "m3")],
        },
        by("hq"),
    )
    assert made.milestones[0].state == MilestoneState.MET
    assert made.tranches[0].released == rials("60")
    assert made.released_value == 60


def test_an_award_is_not_lowered_under_what_it_promises_nor_given_another_currency() -> None:
    made = met(award())
    with pytest.raises(RulesBroken) as refusal:
        made.amend({"amount": rials("99")}, by("hq"))
    assert broken_by(refusal.value) == {("tranches", "TRANCHES_EXCEED_AWARD")}
    made = met(award())
    made.release_tranche("t1", None, "", VERIFIED, by("payer"))
    in_euro = [Tranche("t1", Money("60", "EUR"), "m1")]
    with pytest.raises(RulesBroken):
        made.amend({"amount": Money("100", "EUR"), "tranches": in_euro}, by("hq"))
    free = award(tranches=[])
    assert free.amend({"amount": Money("100", "EUR")}, by("hq"))
    assert free.released == Money("0", "EUR")


def test_a_tranche_of_a_met_milestone_may_shrink_but_not_grow() -> None:
    made = met(award(amount=rials("1000")))
    t1, t2 = made.tranches
    with pytest.raises(RulesBroken) as refusal:
        made.amend({"tranches": [replace(t1, amount=rials("61")), t2]}, by("hq"))
    assert broken_by(refusal.value) == {("tranches[0].milestone_code", "MILESTONE_MET_ALREADY")}
    assert made.amend({"tranches": [replace(t1, amount=rials("59")), t2]}, by("hq"))


@pytest.mark.parametrize("action", ["close", "cancel"])
def test_an_award_that_has_ended_takes_no_step(action: str) -> None:
    made = met(award())
    if action == "cancel":
        with pytest.raises(RulesBroken):
            made.take("cancel", by("hq"))
    made.take(action, by("hq", "Enough."))
    assert made.allowed_steps() == []
    assert not made.can_be_amended()
    for step in (
        lambda: made.amend({"titles": TEXT}, by("hq")),
        lambda: made.report_milestone("m2", [], "Done.", by("reporter")),
        lambda: made.return_milestone("m2", by("checker", "No.")),
        lambda: made.meet_milestone("m2", {}, by("checker")),
        lambda: made.release_tranche("t1", None, "", VERIFIED, by("payer")),
        lambda: made.take("close", by("hq", "Again.")),
        lambda: made.take("cancel", by("hq", "Again.")),
    ):
        with pytest.raises(IllegalStep):
            step()


@pytest.mark.parametrize(
    ("amount", "currency"), [("59", "USD"), ("0.01", "EUR"), ("59", "IRR"), ("60", "IRR")]
)
def test_a_tranche_of_a_met_milestone_becomes_less_in_its_own_currency_alone(
    amount: str, currency: str
) -> None:
    """The euro is dear: 59 of them are not less than 60 rials."""
    made = met(award(), "m1")
    change = {
        "amount": Money("100", currency),
        "tranches": [
            Tranche("t1", Money(amount, currency), "m1"),
            Tranche("t2", Money("40", currency), "m2"),
        ],
    }
    if currency == "IRR":
        made.amend(change, by("hq"))
        assert made.tranches[0].amount == Money(amount, currency)
        return
    with pytest.raises(RulesBroken) as refused:
        made.amend(change, by("hq"))
    assert broken_by(refused.value) == {("tranches[0].milestone_code", "MILESTONE_MET_ALREADY")}
    assert made.currency == "IRR"


PEOPLE = st.sampled_from(["a", "b", "c"])
MILESTONES = st.sampled_from(["m1", "m2", "m3"])
AMOUNTS = st.decimals("0.01", "120", places=2).map(str)


class Life(RuleBasedStateMachine):
    """Any step at any time by anybody; a model of the books says what must hold."""

    award: Award
    paid: dict[str, Decimal]
    confirmed: dict[str, tuple[str, str]]
    reporters: dict[str, str]

    @initialize()
    def record(self) -> None:
        self.award = award()
        self.award.recorded(by("hq"))
        self.paid, self.confirmed, self.reporters = {}, {}, {}

    def attempt(self, step: Any) -> bool:
        """Take a step; one that is refused must change nothing that is kept."""
        before = replace(self.award)
        try:
            step()
        except (Refused, RulesBroken, IllegalStep):
            # A refused aggregate is discarded, as a rolled back transaction does.
            self.award = before
            return False
        return True

    @rule(code=MILESTONES, who=PEOPLE)
    def report(self, code: str, who: str) -> None:
        if self.attempt(lambda: self.award.report_milestone(code, [], "Done.", by(who))):
            assert code not in self.confirmed
            self.reporters[code] = who

    @rule(code=MILESTONES, who=PEOPLE)
    def give_back(self, code: str, who: str) -> None:
        if self.attempt(lambda: self.award.return_milestone(code, by(who, "No."))):
            of = {t.code: t.milestone_code for t in self.award.tranches}
            assert code not in {of[paid] for paid in self.paid}
            self.confirmed.pop(code, None)
            del self.reporters[code]

    @rule(code=MILESTONES, who=PEOPLE)
    def meet(self, code: str, who: str) -> None:
        if self.attempt(lambda: self.award.meet_milestone(code, {}, by(who))):
            self.confirmed[code] = (self.reporters[code], who)

    @rule(code=st.sampled_from(["t1", "t2", "t3"]), amount=st.none() | AMOUNTS)
    def release(self, code: str, amount: str | None) -> None:
        money = None if amount is None else rials(amount)
        entries: list[Disbursement] = []

        def step() -> None:
            entries.append(self.award.release_tranche(code, money, "", {}, by("payer")))

        if self.attempt(step):
            assert code not in self.paid
            assert entries[0].milestone_code in self.confirmed
            self.paid[code] = entries[0].amount

    @rule(
        amount=AMOUNTS,
        tranches=st.lists(
            st.builds(Tranche, st.sampled_from(["t1", "t2", "t3"]), AMOUNTS.map(rials), MILESTONES),
            max_size=3,
        ),
        keep=st.booleans(),
    )
    def agree_anew(self, amount: str, tranches: list[Tranche], keep: bool) -> None:
        kept = [t for t in self.award.tranches if t.released or keep]
        codes = {t.code for t in kept}
        planned = [*kept, *(t for t in tranches if t.code not in codes)]
        values = {"amount": rials(amount), "tranches": planned}
        self.attempt(lambda: self.award.amend(values, by("hq")))

    @rule(codes=st.sets(MILESTONES))
    def plan_anew(self, codes: set[str]) -> None:
        planned = [Milestone(code, TEXT) for code in sorted(codes)]
        self.attempt(lambda: self.award.amend({"milestones": planned}, by("hq")))

    @rule(action=st.sampled_from(["close", "cancel"]), really=st.integers(0, 9))
    def end(self, action: str, really: int) -> None:
        if not really:
            self.attempt(lambda: self.award.take(action, by("hq", "Enough.")))

    @invariant()
    def no_more_is_released_than_was_awarded_and_agreed(self) -> None:
        assert self.award.released_value == sum(self.paid.values(), start=Decimal(0))
        assert self.award.released_value <= self.award.awarded_value
        for tranche in self.award.tranches:
            if tranche.code in self.paid:
                assert tranche.amount is not None
                assert tranche.released is not None
                assert tranche.released.value == self.paid[tranche.code]
                assert self.paid[tranche.code] <= tranche.amount.value

    @invariant()
    def what_was_paid_is_for_what_another_has_confirmed(self) -> None:
        states = {m.code: m.state for m in self.award.milestones}
        for tranche in self.award.tranches:
            if tranche.released:
                reporter, checker = self.confirmed[tranche.milestone_code]
                assert reporter != checker
                assert states[tranche.milestone_code] == MilestoneState.MET

    @invariant()
    def what_was_met_stays_met(self) -> None:
        states = {m.code: m.state for m in self.award.milestones}
        assert {code for code, s in states.items() if s == MilestoneState.MET} == set(
            self.confirmed
        )
        assert set(self.paid) <= {tranche.code for tranche in self.award.tranches}

    @invariant()
    def what_it_says_is_possible_is_possible(self) -> None:
        steps = self.award.allowed_steps()
        assert ("close" in steps) == (self.award.state == AwardState.ACTIVE)
        waiting = any(
            not t.released and t.milestone_code in self.confirmed for t in self.award.tranches
        )
        assert ("release-tranche" in steps) == (waiting and "close" in steps)


Life.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestLife = Life.TestCase
