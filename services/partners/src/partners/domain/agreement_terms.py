"""What an agreement is made of: parties, signatures, ratifications, scope."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

from domainkit.rules import Broken
from domainkit.values import Citation, ImpreciseDate, LocalizedText, check_date, check_name
from partners.domain.institutions import COUNTRIES


class AgreementKind(StrEnum):
    """What an agreement is, the highest kind first."""

    TREATY = "treaty"
    FRAMEWORK = "framework"
    MOU = "mou"
    IMPLEMENTING_ARRANGEMENT = "implementing_arrangement"

    def is_above(self, other: "AgreementKind") -> bool:
        """Tell whether an agreement of this kind can be the parent of one of the other."""
        order = list(AgreementKind)
        return order.index(self) < order.index(other)


class RenewalMode(StrEnum):
    """What happens to an agreement at its expiry date."""

    NONE = "none"
    BY_CONSENT = "by_consent"
    AUTOMATIC = "automatic"


@dataclass(frozen=True)
class Party:
    """One party: an institution, a state, or a center of the network."""

    key: str
    institution_id: str | None = None
    country: str | None = None
    center_id: str | None = None
    name: LocalizedText | None = None
    role: LocalizedText | None = None


@dataclass(frozen=True)
class Signature:
    """The signature of one party, with the signatory's name and title as they were."""

    party: str
    person_id: str | None = None
    name: LocalizedText | None = None
    title: LocalizedText | None = None
    signed_date: ImpreciseDate | None = None
    citations: list[Citation] = field(default_factory=list[Citation])


@dataclass(frozen=True)
class Witness:
    """Someone who was present at the signing, without binding a party."""

    person_id: str | None = None
    name: LocalizedText | None = None
    title: LocalizedText | None = None
    citations: list[Citation] = field(default_factory=list[Citation])


@dataclass(frozen=True)
class Ratification:
    """What a body of one party has decided."""

    party: str
    body: LocalizedText | None = None
    approved: bool = False
    decided_date: ImpreciseDate | None = None
    citations: list[Citation] = field(default_factory=list[Citation])

    def is_by_same_body(self, other: "Ratification") -> bool:
        """Tell whether both were decided by one body, going by its name."""
        mine, theirs = self.body or LocalizedText(), other.body or LocalizedText()
        names = [(mine.en, theirs.en), (mine.fa, theirs.fa)]
        same = any(a.strip() and a.strip().casefold() == b.strip().casefold() for a, b in names)
        return self.party == other.party and same


@dataclass(frozen=True)
class ScopeArea:
    """Something that an agreement covers."""

    code: str
    text: LocalizedText | None = None
    citations: list[Citation] = field(default_factory=list[Citation])


def check_parties(parties: list[Party]) -> list[Broken]:
    """Rules of the parties: two or more, each with a key of its own, each exactly one thing."""
    broken = [] if len(parties) >= 2 else [Broken("parties", "TOO_FEW_ITEMS", {"min": "2"})]
    broken += _check_unique([party.key for party in parties], "parties", "key")
    for index, party in enumerate(parties):
        given = [party.institution_id, party.country, party.center_id]
        if sum(bool(value) for value in given) != 1:
            params = {"fields": "institution_id, country, center_id"}
            broken.append(Broken(f"parties[{index}]", "ONE_REFERENCE_NEEDED", params))
        elif party.country and party.country not in COUNTRIES:
            params = {"value": party.country}
            broken.append(Broken(f"parties[{index}].country", "UNKNOWN_COUNTRY", params))
    # The same body twice would sign an agreement with itself.
    ids = [party.institution_id or party.country or party.center_id or "" for party in parties]
    return broken + _check_unique([id for id in ids if id], "parties", "")


def check_scope(scope: list[ScopeArea]) -> list[Broken]:
    """Rules of the scope: each area has a text, and a code of its own."""
    broken = _check_unique([area.code for area in scope], "scope", "code")
    for index, area in enumerate(scope):
        broken += check_name(area.text, f"scope[{index}].text")
    return broken


P = TypeVar("P", Signature, Witness)


def written_out(value: P, name: LocalizedText | None, title: LocalizedText | None) -> P:
    """A signature or witness with name and title as they are now, where it gives none."""
    return replace(value, name=value.name or name, title=value.title or title)


def check_person(value: Signature | Witness, path: str) -> list[Broken]:
    """Rule of a signature or witness: it says who."""
    return [] if value.person_id or value.name else [Broken(path, "SIGNATORY_REQUIRED")]


def is_more_precise(old: ImpreciseDate, new: ImpreciseDate) -> bool:
    """Tell whether `new` says the same as `old`, or says it better.

    What was concluded and not stated was never agreed, so any date may replace it.
    """
    if not new.exists():
        return False
    return old.inferred or (old.earliest() <= new.earliest() and new.latest() <= old.latest())


def last_signed(signatures: list[Signature]) -> ImpreciseDate | None:
    """Date of the last signature; unknown as soon as one of the dates is."""
    dates = [signature.signed_date for signature in signatures]
    known = [value for value in dates if value is not None]
    if not known or len(known) < len(dates):
        return None
    return max(known, key=lambda value: (value.latest(), value.earliest()))


def check_effect(
    effective: ImpreciseDate | None, signatures: list[Signature], *, provisional: bool
) -> list[Broken]:
    """Rule of the effective date: not surely before any signature, unless provisional."""
    if effective is None or provisional or check_date(effective, ""):
        return []
    for signature in signatures:
        signed = signature.signed_date
        if signed and effective.latest() < signed.earliest():
            params = {"signed_date": signed.value}
            return [Broken("effective_date", "EFFECTIVE_BEFORE_SIGNATURE", params)]
    return []


def _check_unique(values: list[str], path: str, name: str) -> list[Broken]:
    first: dict[str, int] = {}
    broken: list[Broken] = []
    for index, value in enumerate(values):
        if value in first:
            place = f"{path}[{index}].{name}" if name else f"{path}[{index}]"
            broken.append(Broken(place, "DUPLICATE", {"value": value}))
        first.setdefault(value, index)
    return broken
