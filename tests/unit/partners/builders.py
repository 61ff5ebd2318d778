"""Institutions, persons, agreements and activities as tests need them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domainkit.aggregate import Occasion
from domainkit.rules import RulesBroken
from domainkit.values import ImpreciseDate, LocalizedText
from partners.domain.activities import Activity, ActivityKind
from partners.domain.agreement_terms import AgreementKind, Party, Ratification, Signature
from partners.domain.agreements import Agreement
from partners.domain.institutions import Institution
from partners.domain.names import Name
from partners.domain.persons import Person

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TODAY = NOW.date()


def on(value: str, **more: Any) -> ImpreciseDate:
    return ImpreciseDate(value, **more)


def text(en: str) -> LocalizedText:
    return LocalizedText(en=en)


def occasion(reason: str = "", effective: str | None = None, at: datetime = NOW) -> Occasion:
    return Occasion("tester", at, reason, on(effective) if effective else None)


def institution(**values: Any) -> Institution:
    given: dict[str, Any] = {
        "id": "ins_1",
        "created_at": NOW,
        "updated_at": NOW,
        "names": [Name("Hematological Research Center", "en")],
        "country": "RU",
    }
    return Institution(**(given | values))


def person(**values: Any) -> Person:
    given: dict[str, Any] = {
        "id": "per_1",
        "created_at": NOW,
        "updated_at": NOW,
        "names": [Name("Maryam Behfar", "en")],
    }
    return Person(**(given | values))


def agreement(kind: AgreementKind = AgreementKind.MOU, **values: Any) -> Agreement:
    given: dict[str, Any] = {
        "id": f"agr_{kind}",
        "created_at": NOW,
        "updated_at": NOW,
        "state_since": NOW,
        "kind": kind,
        "titles": text("Memorandum"),
        "parties": [Party("iran", country="IR"), Party("russia", country="RU")],
    }
    return Agreement(**(given | values))


def activity(**values: Any) -> Activity:
    given: dict[str, Any] = {
        "id": "act_1",
        "created_at": NOW,
        "updated_at": NOW,
        "state_since": NOW,
        "kind": ActivityKind.COMMITTEE,
        "titles": text("Permanent joint committee"),
    }
    return Activity(**(given | values))


def signature(party: str, signed: str | None = "2025-04-25") -> Signature:
    return Signature(party, name=text("Somebody"), signed_date=on(signed) if signed else None)


def ratification(party: str, body: str, *, approved: bool = True) -> Ratification:
    return Ratification(party, text(body), approved)


def in_negotiation(kind: AgreementKind = AgreementKind.MOU, **values: Any) -> Agreement:
    found = agreement(kind, **values)
    found.take("negotiate", occasion())
    return found


def signed(kind: AgreementKind = AgreementKind.MOU, **values: Any) -> Agreement:
    found = in_negotiation(kind, **values)
    for party in found.parties:
        found.sign(signature(party.key), occasion())
    return found


def in_force(kind: AgreementKind = AgreementKind.MOU, **values: Any) -> Agreement:
    found = signed(kind, **values)
    if found.ratification_required:
        for party in found.parties:
            found.ratify(ratification(party.key, f"Parliament of {party.key}"), occasion())
    found.take("enter-force", occasion())
    return found


def broken_by(value: Any) -> set[tuple[str, str]]:
    """Fields and rules that an aggregate breaks as it is."""
    return {(item.field, item.rule) for item in value.rules(TODAY)}


def rules_of(caught: pytest.ExceptionInfo[RulesBroken]) -> set[tuple[str, str]]:
    """Fields and rules that a step was refused for."""
    return {(item.field, item.rule) for item in caught.value.broken}
