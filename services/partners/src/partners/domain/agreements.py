"""The agreement: from the draft to the end."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from domainkit.aggregate import Occasion, Stateful
from domainkit.machine import Machine
from domainkit.rules import Broken, Refused, RulesBroken
from domainkit.values import ImpreciseDate, LocalizedText, check_date, check_name
from partners.domain.agreement_terms import (
    AgreementKind,
    Party,
    Ratification,
    RenewalMode,
    ScopeArea,
    Signature,
    Witness,
    check_effect,
    check_parties,
    check_person,
    check_scope,
    is_more_precise,
    last_signed,
)
from partners.domain.persons import check_period

_WARNING_DAYS = 30  # before expiry, where no notice is agreed
_DORMANT_AFTER = timedelta(days=365)


class AgreementState(StrEnum):
    """Where an agreement is in its life."""

    DRAFT = "draft"
    NEGOTIATING = "negotiating"
    PARTLY_SIGNED = "partly_signed"
    SIGNED = "signed"
    AWAITING_RATIFICATION = "awaiting_ratification"
    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    TERMINATED = "terminated"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


_S = AgreementState
BEFORE_SIGNED = frozenset({_S.DRAFT, _S.NEGOTIATING, _S.PARTLY_SIGNED, _S.WITHDRAWN})
"""States in which not every party has signed."""
ENDED = frozenset({_S.EXPIRED, _S.TERMINATED, _S.SUPERSEDED, _S.WITHDRAWN})
"""States that nothing leads out of."""


class ReviewFlag(StrEnum):
    """Something about an agreement that a person should look at."""

    EXPIRING = "expiring"
    DORMANT = "dormant"
    PARENT_ENDED = "parent_ended"


@dataclass(kw_only=True)
class Agreement(Stateful):
    """An agreement between institutions, states or centers.

    `signed_date` is kept with the last signature; `review_flags` holds only what a
    step has put there, `flags` tells all that are up on a day.
    """

    MACHINE: ClassVar[Machine[AgreementState]] = Machine(
        {
            "negotiate": ([_S.DRAFT], _S.NEGOTIATING),
            "sign": ([_S.NEGOTIATING, _S.PARTLY_SIGNED], _S.SIGNED),
            "ratify": ([_S.AWAITING_RATIFICATION], _S.AWAITING_RATIFICATION),
            "enter-force": ([_S.SIGNED, _S.AWAITING_RATIFICATION], _S.IN_FORCE),
            "suspend": ([_S.IN_FORCE], _S.SUSPENDED),
            "resume": ([_S.SUSPENDED], _S.IN_FORCE),
            "expire": ([_S.IN_FORCE, _S.SUSPENDED], _S.EXPIRED),
            "terminate": ([_S.IN_FORCE, _S.SUSPENDED], _S.TERMINATED),
            "supersede": ([_S.IN_FORCE, _S.SUSPENDED], _S.SUPERSEDED),
            "withdraw": ([_S.DRAFT, _S.NEGOTIATING, _S.PARTLY_SIGNED], _S.WITHDRAWN),
        }
    )
    # Steps that an occasion alone is enough for, as a series that leads somewhere.
    PLAIN: ClassVar[Machine[AgreementState]] = Machine(
        {
            "negotiate": ([_S.DRAFT], _S.NEGOTIATING),
            "enter-force": ([_S.SIGNED, _S.AWAITING_RATIFICATION], _S.IN_FORCE),
            "suspend": ([_S.IN_FORCE], _S.SUSPENDED),
            "resume": ([_S.SUSPENDED], _S.IN_FORCE),
            "expire": ([_S.IN_FORCE, _S.SUSPENDED], _S.EXPIRED),
            "terminate": ([_S.IN_FORCE, _S.SUSPENDED], _S.TERMINATED),
            "withdraw": ([_S.DRAFT, _S.NEGOTIATING, _S.PARTLY_SIGNED], _S.WITHDRAWN),
        }
    )
    EVENTS: ClassVar[Mapping[str, str]] = {
        "negotiate": "negotiation_opened",
        "sign": "signed",
        "ratify": "ratified",
        "enter-force": "entered_force",
        "suspend": "suspended",
        "resume": "resumed",
        "expire": "expired",
        "terminate": "terminated",
        "supersede": "superseded",
        "withdraw": "withdrawn",
    }
    REASONED: ClassVar[frozenset[str]] = frozenset({"suspend", "terminate", "withdraw"})
    TERMS: ClassVar[frozenset[str]] = frozenset(
        {
            "kind",
            "parties",
            "ratification_required",
            "scope",
            "effective_date",
            "expiry_date",
            "provisional",
            "notice_days",
            "renewal_mode",
            "terms_hash",
        }
    )
    EDITABLE: ClassVar[frozenset[str]] = TERMS | {
        "titles",
        "parent_id",
        "suggested_parent_id",
        "suggested_parent_note",
        "witnesses",
        "place",
        "note",
        "citations",
        "sample",
    }

    kind: AgreementKind
    titles: LocalizedText | None
    parent_id: str | None = None
    suggested_parent_id: str | None = None
    suggested_parent_note: LocalizedText | None = None
    parties: list[Party]
    signatures: list[Signature] = field(default_factory=list[Signature])
    witnesses: list[Witness] = field(default_factory=list[Witness])
    ratification_required: bool = False
    ratifications: list[Ratification] = field(default_factory=list[Ratification])
    scope: list[ScopeArea] = field(default_factory=list[ScopeArea])
    place: LocalizedText | None = None
    signed_date: ImpreciseDate | None = None
    effective_date: ImpreciseDate | None = None
    expiry_date: ImpreciseDate | None = None
    provisional: bool = False
    notice_days: int | None = None
    renewal_mode: RenewalMode | None = None
    terms_hash: str = ""
    superseded_by_id: str | None = None
    note: LocalizedText | None = None
    review_flags: list[ReviewFlag] = field(default_factory=list[ReviewFlag])
    state: AgreementState = AgreementState.DRAFT

    def __post_init__(self) -> None:
        """Hold that a treaty always needs ratification."""
        self.ratification_required |= self.kind == AgreementKind.TREATY

    # What holds of the values as they are.

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        broken = [*super().rules(today), *check_name(self.titles, "titles")]
        broken += check_parties(self.parties)
        broken += check_scope(self.scope)
        broken += check_period(
            self.effective_date, self.expiry_date, "", ("effective_date", "expiry_date")
        )
        broken += check_effect(self.effective_date, self.signatures, provisional=self.provisional)
        for index, witness in enumerate(self.witnesses):
            broken += check_person(witness, f"witnesses[{index}]")
        for name in ("parent_id", "suggested_parent_id"):
            if getattr(self, name) == self.id:
                broken.append(Broken(name, "PARENT_CYCLE", {"id": self.id}))
        return broken

    def references(self) -> list[tuple[str, str]]:
        """Ids of what it refers to, centers among them, with their paths."""
        named: list[tuple[str, str | None]] = [
            ("parent_id", self.parent_id),
            ("suggested_parent_id", self.suggested_parent_id),
            ("superseded_by_id", self.superseded_by_id),
        ]
        named += [
            (f"parties[{i}].institution_id", p.institution_id) for i, p in enumerate(self.parties)
        ]
        named += [(f"parties[{i}].center_id", p.center_id) for i, p in enumerate(self.parties)]
        named += [
            (f"signatures[{i}].person_id", s.person_id) for i, s in enumerate(self.signatures)
        ]
        named += [(f"witnesses[{i}].person_id", w.person_id) for i, w in enumerate(self.witnesses)]
        return [(path, id) for path, id in named if id]

    def unratified(self) -> list[str]:
        """Keys of the parties that have not ratified, or of which a body has refused."""
        last = self._last_decisions()
        return [
            party.key
            for party in self.parties
            if not (own := [d.approved for d in last if d.party == party.key]) or not all(own)
        ]

    def flags(self, today: date, last_activity: date | None) -> list[ReviewFlag]:
        """What a person should look at on a day; `last_activity` is the day of the latest one."""
        found: list[ReviewFlag] = []
        if self.state == AgreementState.IN_FORCE:
            warning = timedelta(
                days=_WARNING_DAYS if self.notice_days is None else self.notice_days
            )
            if self.expiry_date and self.expiry_date.earliest() - today <= warning:
                found.append(ReviewFlag.EXPIRING)
            began = self.effective_date.latest() if self.effective_date else self.state_since.date()
            if today - max(began, last_activity or began) > _DORMANT_AFTER:
                found.append(ReviewFlag.DORMANT)
        return [*found, *self.review_flags]

    def allowed_steps(self) -> list[str]:
        """Actions that are possible now, whoever asks."""
        steps = super().allowed_steps()
        if "enter-force" in steps and self.ratification_required and self.unratified():
            steps.remove("enter-force")
        if "expire" in steps and self.expiry_date is None:
            steps.remove("expire")
        return [*steps, *(["confirm-parent"] if self.suggested_parent_id else [])]

    # What changes it.

    def amend(self, values: Mapping[str, Any], occasion: Occasion) -> bool:
        """Set editable fields and note the step; see `Aggregate.amend`.

        Raises `Refused` ``TERMS_FROZEN`` for a term that was known at the first signature.
        """
        if "ratification_required" in values or "kind" in values:
            kind = values.get("kind", self.kind)
            required = values.get("ratification_required", self.ratification_required)
            required = required or kind == AgreementKind.TREATY
            values = {**values, "ratification_required": required}
        if self.signatures:
            for name in sorted(self.TERMS & values.keys()):
                self._require_open(name, values[name])
        return super().amend(values, occasion)

    def take(self, action: str, occasion: Occasion) -> None:
        """Take a step that an occasion alone is enough for; see `Stateful.take`."""
        self.target_of(action)
        if action not in self.PLAIN.allowed(self.state):
            raise ValueError(f"{action} takes more than an occasion")
        if action == "enter-force":
            self._check_entry(occasion)
        if action == "expire":
            self._check_expiry(occasion)
        super().take(action, occasion)

    def walk(self, goal: StrEnum) -> list[str] | None:
        """Plain actions that lead from here to `goal`; `None` if no way leads there."""
        return self.PLAIN.path(self.state, AgreementState(goal))

    def sign(self, signature: Signature, occasion: Occasion) -> None:
        """Record the signature of one party."""
        self.target_of("sign")
        broken = check_person(signature, "signature")
        broken += check_date(signature.signed_date, "signature.signed_date", today=occasion.today)
        broken += self._check_party(signature.party, "signature.party")
        signatures = [*self.signatures, signature]
        if not broken:
            broken = check_effect(self.effective_date, signatures, provisional=self.provisional)
        if broken:
            raise RulesBroken(*broken)
        if signature.party in {known.party for known in self.signatures}:
            raise Refused("ALREADY_SIGNED", party=signature.party)
        self.signatures = signatures
        target = AgreementState.PARTLY_SIGNED
        if len(signatures) == len(self.parties):
            self.signed_date = last_signed(signatures)
            target = (
                AgreementState.AWAITING_RATIFICATION
                if self.ratification_required
                else AgreementState.SIGNED
            )
        self.enter(target, occasion, self.EVENTS["sign"])

    def ratify(self, ratification: Ratification, occasion: Occasion) -> None:
        """Record what a body of one party has decided. The state stays."""
        self.target_of("ratify")
        broken = check_name(ratification.body, "ratification.body")
        broken += check_date(
            ratification.decided_date, "ratification.decided_date", today=occasion.today
        )
        broken += self._check_party(ratification.party, "ratification.party")
        if broken:
            raise RulesBroken(*broken)
        before = [d for d in self._last_decisions() if d.is_by_same_body(ratification)]
        if any(decision.approved for decision in before):
            raise Refused("ALREADY_RATIFIED", party=ratification.party)
        self.ratifications = [*self.ratifications, ratification]
        state = self.state.value
        self.note_step(self.EVENTS["ratify"], occasion, ["ratifications"], state)

    def supersede(self, successor: "Agreement", occasion: Occasion) -> None:
        """End because `successor` takes its place; that one is signed and has not ended."""
        self.target_of("supersede")
        if successor.id == self.id:
            raise RulesBroken(Broken("superseded_by_id", "PARENT_CYCLE", {"id": self.id}))
        if successor.state in BEFORE_SIGNED | ENDED:
            params = {"id": successor.id, "state": successor.state.value}
            raise RulesBroken(Broken("superseded_by_id", "SUCCESSOR_NOT_SIGNED", params))
        self.superseded_by_id = successor.id
        super().take("supersede", occasion)

    def confirm_parent(self, parent: "Agreement | None", occasion: Occasion) -> None:
        """Make the suggested parent, which is `parent`, the parent."""
        if parent is None or parent.id != self.suggested_parent_id:
            raise Refused("NO_SUGGESTED_PARENT")
        if broken := occasion.rules():
            raise RulesBroken(*broken)
        self.parent_id = parent.id
        self.suggested_parent_id = None
        self.suggested_parent_note = None
        self.stand_under(parent)
        self.check(occasion.today)
        changed = ["parent_id", "suggested_parent_id", "suggested_parent_note"]
        self.note_step("parent_confirmed", occasion, changed)

    def stand_under(self, parent: "Agreement | None") -> None:
        """Hold the rules between this agreement and its parent, and flag an ended one."""
        if parent is not None and not parent.kind.is_above(self.kind):
            params = {"parent_kind": parent.kind.value, "kind": self.kind.value}
            raise RulesBroken(Broken("parent_id", "PARENT_NOT_HIGHER", params))
        ended = parent is not None and parent.state in ENDED
        self.review_flags = [ReviewFlag.PARENT_ENDED] if ended else []

    def parent_has_ended(self, occasion: Occasion) -> bool:
        """Flag for review because the parent has ended; `False` if it is flagged or has ended."""
        if self.state in ENDED or ReviewFlag.PARENT_ENDED in self.review_flags:
            return False
        self.review_flags = [*self.review_flags, ReviewFlag.PARENT_ENDED]
        self.note_step("parent_ended", occasion, ["review_flags"])
        return True

    def note_step(
        self, event: str, occasion: Occasion, changed: Iterable[str], state: str = ""
    ) -> None:
        """Note a step that leaves the state as it is."""
        self.record_step(
            event, occasion, from_state=state, to_state=state, changed_fields=list(changed)
        )

    def _check_entry(self, occasion: Occasion) -> None:
        effective = occasion.effective_date or self.effective_date
        broken = check_date(effective, "effective_date", today=occasion.today)
        broken += check_effect(effective, self.signatures, provisional=self.provisional)
        if broken:
            raise RulesBroken(*broken)
        if self.ratification_required and (missing := self.unratified()):
            raise Refused("RATIFICATION_MISSING", parties=", ".join(missing))
        if occasion.effective_date:
            self._require_open("effective_date", occasion.effective_date)
            self.effective_date = occasion.effective_date
            self.check(occasion.today)

    def _check_expiry(self, occasion: Occasion) -> None:
        if self.expiry_date is None:
            raise Refused("EXPIRY_UNKNOWN")
        if occasion.today < self.expiry_date.latest():
            raise Refused("EXPIRY_NOT_REACHED", expiry_date=self.expiry_date.value)

    def _require_open(self, name: str, value: Any) -> None:
        """Raise `Refused` if the signatures have frozen what a term says."""
        known = getattr(self, name)
        if value == known or known in (None, "", []):
            return
        if isinstance(known, ImpreciseDate) and value and is_more_precise(known, value):
            return
        raise Refused("TERMS_FROZEN", field=name)

    def _check_party(self, key: str, path: str) -> list[Broken]:
        keys = [party.key for party in self.parties]
        if key in keys:
            return []
        return [Broken(path, "UNKNOWN_PARTY", {"party": key, "parties": ", ".join(keys)})]

    def _last_decisions(self) -> list[Ratification]:
        """The latest decision of each body."""
        last: list[Ratification] = []
        for decision in self.ratifications:
            last = [known for known in last if not known.is_by_same_body(decision)]
            last.append(decision)
        return last
