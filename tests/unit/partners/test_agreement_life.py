"""Whatever is done to an agreement in whatever order, what it may never be it never is."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domainkit.rules import IllegalStep, Refused, RulesBroken
from partners.domain.agreement_terms import AgreementKind, Party
from partners.domain.agreements import BEFORE_SIGNED, ENDED, Agreement, AgreementState
from tests.unit.partners.builders import TODAY, agreement, occasion, on, ratification, signature
from tests.unit.partners.builders import signed as signed_agreement

PARTIES = ["iran", "russia", "china"]
DATES = [None, "2024", "2025-04", "2025-04-25", "2026-02-28", "2026-04-01", "2030"]
PLAIN = ["negotiate", "enter-force", "suspend", "resume", "expire", "terminate", "withdraw"]
TERMS: dict[str, list[Any]] = {
    "notice_days": [None, 30, 90],
    "expiry_date": [None, on("2025-12"), on("2030"), on("2030-01")],
    "effective_date": [None, on("2025"), on("2025-05-01"), on("2024-01-01")],
}


class AgreementLife(RuleBasedStateMachine):
    """Takes steps at random and holds what has to hold after each."""

    found: Agreement
    parties: list[str]

    @initialize(kind=st.sampled_from(AgreementKind), size=st.integers(2, 3))
    def begin(self, kind: AgreementKind, size: int) -> None:
        self.parties = PARTIES[:size]
        codes = {"iran": "IR", "russia": "RU", "china": "CN"}
        self.found = agreement(kind, parties=[Party(k, country=codes[k]) for k in self.parties])
        self.agreed: dict[str, Any] = {}
        self.ended_in: AgreementState | None = None

    def attempt(self, action: str, work: Any) -> None:
        before, version = self.found.state, self.found.version
        possible = action in Agreement.MACHINE.allowed(before)
        told: tuple[str, ...] | None = None
        try:
            work()
        except IllegalStep as error:
            told = error.allowed
        except (RulesBroken, Refused):
            assert possible
        else:
            assert possible
            assert self.found.version == version + 1
            assert self.found.pending[-1].action == Agreement.EVENTS[action]
            return
        if told is not None:
            assert not possible
            assert told == tuple(self.found.allowed_steps())
        assert (self.found.state, self.found.version) == (before, version)

    @rule(action=st.sampled_from(PLAIN), why=st.sampled_from(["", "why"]))
    def take(self, action: str, why: str) -> None:
        self.attempt(action, lambda: self.found.take(action, occasion(why)))

    @rule(effective=st.sampled_from(DATES[1:]))
    def enter_force(self, effective: str) -> None:
        self.attempt(
            "enter-force", lambda: self.found.take("enter-force", occasion(effective=effective))
        )

    @rule(party=st.sampled_from(PARTIES), at=st.sampled_from(DATES))
    def sign(self, party: str, at: str | None) -> None:
        self.attempt("sign", lambda: self.found.sign(signature(party, at), occasion()))

    @rule(
        party=st.sampled_from(PARTIES),
        body=st.sampled_from(["upper house", "lower house"]),
        approved=st.booleans(),
    )
    def ratify(self, party: str, body: str, approved: bool) -> None:
        decision = ratification(party, body, approved=approved)
        self.attempt("ratify", lambda: self.found.ratify(decision, occasion()))

    @rule(is_signed=st.booleans())
    def supersede(self, is_signed: bool) -> None:
        successor = signed_agreement(id="agr_new") if is_signed else agreement(id="agr_new")
        self.attempt("supersede", lambda: self.found.supersede(successor, occasion()))

    @precondition(lambda self: self.found.state not in ENDED)
    @rule(name=st.sampled_from(sorted(TERMS)), data=st.data())
    def amend(self, name: str, data: st.DataObject) -> None:
        value = data.draw(st.sampled_from(TERMS[name]))
        old = getattr(self.found, name)
        try:
            self.found.amend({name: value}, occasion())
        except (RulesBroken, Refused):
            # The aggregate is discarded after a refusal; here it goes on as it was.
            setattr(self.found, name, old)

    @invariant()
    def what_is_signed_is_signed_by_all(self) -> None:
        signers = [item.party for item in self.found.signatures]
        assert len(signers) == len(set(signers))
        is_complete = set(signers) == set(self.parties)
        if self.found.state not in BEFORE_SIGNED:
            assert is_complete
        if self.found.state in BEFORE_SIGNED:
            assert not is_complete
            assert self.found.signed_date is None

    @invariant()
    def nothing_is_signed_in_the_future_or_takes_effect_too_early(self) -> None:
        for item in self.found.signatures:
            if item.signed_date:
                assert item.signed_date.earliest() <= TODAY
                if self.found.effective_date:
                    assert self.found.effective_date.latest() >= item.signed_date.earliest()

    @invariant()
    def a_treaty_in_force_is_ratified_by_all(self) -> None:
        if self.found.kind == AgreementKind.TREATY and self.found.state in (
            AgreementState.IN_FORCE,
            AgreementState.SUSPENDED,
        ):
            assert self.found.unratified() == []

    @invariant()
    def agreed_terms_stay(self) -> None:
        for name, value in self.agreed.items():
            now = getattr(self.found, name)
            if name == "notice_days":
                assert now == value
            else:
                assert value.earliest() <= now.earliest() <= now.latest() <= value.latest()
        if self.found.signatures:
            for name in TERMS:
                if (value := getattr(self.found, name)) is not None:
                    self.agreed.setdefault(name, value)

    @invariant()
    def expiry_is_known_and_an_end_is_final(self) -> None:
        if self.found.state == AgreementState.EXPIRED:
            assert self.found.expiry_date is not None
            assert self.found.expiry_date.latest() <= TODAY
        if self.ended_in is not None:
            assert self.found.state == self.ended_in
        if self.found.state in ENDED:
            self.ended_in = self.found.state
            assert Agreement.MACHINE.allowed(self.found.state) == []

    @invariant()
    def every_step_is_counted(self) -> None:
        assert [step.version for step in self.found.pending] == list(
            range(1, self.found.version + 1)
        )


TestAgreementLife = AgreementLife.TestCase
TestAgreementLife.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
