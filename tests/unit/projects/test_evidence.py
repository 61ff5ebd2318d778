"""The rules of evidence and waivers, tried one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domainkit.aggregate import Occasion
from domainkit.rules import IllegalStep, Refused, RulesBroken
from domainkit.values import LocalizedText
from projects.domain.evidence import (
    Evidence,
    EvidenceKind,
    EvidenceState,
    Reference,
    StoredFile,
    Version,
    as_judged,
)
from projects.domain.pathways import Stage
from projects.domain.team import Team
from projects.domain.visits import Visited
from projects.domain.waivers import Waiver, WaiverState
from tests.unit.projects.examples import NO_TEAM, NOW, TOMORROW, YESTERDAY, broken_by, occasion

S1_AGAIN = Visited({1: Stage.S1, 2: Stage.S0, 3: Stage.S1})
FILE = StoredFile("report.pdf", "application/pdf", 10, "a" * 64)


def by(actor: str, day: int = 0, reason: str = "") -> Occasion:
    return replace(occasion(day, reason), actor=actor)


def evidence(**values: Any) -> Evidence:
    given: dict[str, Any] = {
        "project_id": "prj_1",
        "criterion": "prior-art",
        "stage": Stage.S1,
        "visit": 1,
        "kind": EvidenceKind.REPORT,
        "title": LocalizedText(en="Search of the prior art"),
        "file": FILE,
        "submitted_by": "amin",
    }
    times = {"created_at": NOW, "updated_at": NOW, "state_since": NOW}
    return Evidence(id="evd_1", **times, **(given | values))


def waiver(**values: Any) -> Waiver:
    given: dict[str, Any] = {
        "project_id": "prj_1",
        "criterion": "prior-art",
        "stage": Stage.S1,
        "visit": 3,
        "reason": "It is the same substance.",
        "expiry_date": TOMORROW,
        "requested_by": "amin",
    }
    times = {"created_at": NOW, "updated_at": NOW, "state_since": NOW}
    return Waiver(id="wvr_1", **times, **(given | values))


def test_another_than_who_submitted_it_verifies() -> None:
    piece = evidence()
    assert piece.steps_of("amin", S1_AGAIN) == ["reject", "supersede"]
    with pytest.raises(Refused, match="OWN_EVIDENCE"):
        piece.verify(S1_AGAIN, by("amin"))
    assert (piece.state, piece.confirmations, piece.pending) == (EvidenceState.SUBMITTED, [], [])
    piece.verify(S1_AGAIN, by("sara"))
    assert piece.state == EvidenceState.VERIFIED
    # It was made in an earlier visit, and found to hold in this one.
    assert (piece.visit, piece.confirmed_visit) == (1, 3)


def test_verified_evidence_is_reconfirmed_once_for_each_later_visit_and_by_another() -> None:
    piece = evidence()
    first = Visited({1: Stage.S1})
    piece.verify(first, by("sara"))
    assert piece.steps_of("sara", first) == ["reject", "supersede"]
    with pytest.raises(Refused, match="CONFIRMED_ALREADY"):
        piece.reconfirm(first, by("omid"))
    # The project is in another stage: nothing new to confirm it for.
    with pytest.raises(Refused, match="CONFIRMED_ALREADY"):
        piece.reconfirm(Visited({1: Stage.S1, 2: Stage.S2}), by("omid"))
    assert piece.steps_of("sara", S1_AGAIN) == ["reconfirm", "reject", "supersede"]
    assert "reconfirm" not in piece.steps_of("amin", S1_AGAIN)
    with pytest.raises(Refused, match="OWN_EVIDENCE"):
        piece.reconfirm(S1_AGAIN, by("amin"))
    piece.reconfirm(S1_AGAIN, by("sara"))
    assert [(c.visit, c.confirmed_by) for c in piece.confirmations] == [(1, "sara"), (3, "sara")]
    assert piece.state == EvidenceState.VERIFIED


def test_a_rejection_says_why_and_ends_what_was_verified() -> None:
    piece = evidence()
    piece.verify(S1_AGAIN, by("sara"))
    with pytest.raises(RulesBroken) as error:
        piece.take("reject", by("sara"))
    assert broken_by(error.value) == {("reason", "REASON_REQUIRED")}
    piece.take("reject", by("sara", reason="The figures are of another study."))
    assert piece.state == EvidenceState.REJECTED
    for step in (piece.verify, piece.reconfirm):
        with pytest.raises(IllegalStep):
            step(S1_AGAIN, by("omid"))


def test_superseded_evidence_names_what_took_its_place_and_takes_no_step() -> None:
    piece = evidence()
    piece.supersede("evd_2", by("amin"))
    assert (piece.state, piece.superseded_by_id) == (EvidenceState.SUPERSEDED, "evd_2")
    assert piece.allowed_steps() == []
    with pytest.raises(IllegalStep):
        piece.verify(S1_AGAIN, by("sara"))


@pytest.mark.parametrize(
    ("values", "broken"),
    [
        ({"file": None}, {("file", "ONE_SOURCE_NEEDED")}),
        ({"reference": Reference("https://a.example", "b" * 64)}, {("file", "ONE_SOURCE_NEEDED")}),
        (
            {"file": replace(FILE, sha256="A" * 64, name=" ")},
            {("file.sha256", "WRONG_FORMAT"), ("file.name", "REQUIRED")},
        ),
        (
            {"file": None, "reference": Reference("https://a.example", "b" * 63)},
            {("reference.sha256", "WRONG_FORMAT")},
        ),
        ({"title": None}, {("title", "NAME_REQUIRED")}),
    ],
)
def test_evidence_has_a_title_and_one_hashed_source(
    values: dict[str, Any], broken: set[tuple[str, str]]
) -> None:
    with pytest.raises(RulesBroken) as error:
        evidence(**values).recorded(by("amin"))
    assert broken_by(error.value) == broken


def test_another_than_who_asked_for_it_grants_a_waiver() -> None:
    asked = waiver()
    asked.recorded(by("amin"))
    today = NOW.date()
    assert asked.steps_of("amin", S1_AGAIN, NO_TEAM, today) == ["refuse", "withdraw"]
    with pytest.raises(Refused, match="OWN_WAIVER"):
        asked.grant(S1_AGAIN, NO_TEAM, by("amin"))
    assert asked.steps_of("sara", S1_AGAIN, NO_TEAM, today) == ["grant", "refuse", "withdraw"]
    asked.grant(S1_AGAIN, NO_TEAM, by("sara"))
    assert (asked.state, asked.ruled_by) == (WaiverState.GRANTED, "sara")
    with pytest.raises(RulesBroken):
        asked.take("revoke", by("sara"))
    asked.take("revoke", by("sara", reason="The assay is there now."))
    assert asked.state == WaiverState.REVOKED


def test_nobody_of_the_team_or_in_conflict_grants_a_waiver() -> None:
    asked, team = waiver(), Team(frozenset({"omid"}), frozenset({"ctr_a"}))
    for who, centers, conflict, reason in (
        ("omid", (), (), "TEAM_HAS_NO_SAY"),
        ("sara", ("ctr_a",), (), "TEAM_HAS_NO_SAY"),
        ("sara", (), ("sara",), "CONFLICT_HAS_NO_SAY"),
    ):
        with pytest.raises(Refused, match=reason):
            asked.grant(S1_AGAIN, team, by(who), centers, conflict)
    assert asked.state == WaiverState.REQUESTED
    assert asked.steps_of("omid", S1_AGAIN, team, NOW.date()) == ["refuse", "withdraw"]
    assert "grant" not in asked.steps_of("sara", S1_AGAIN, team, NOW.date(), ["ctr_a"])
    conflict, today = {"vida"}, NOW.date()
    assert "grant" not in asked.steps_of("vida", S1_AGAIN, team, today, in_conflict=conflict)
    assert asked.steps_of("vida", S1_AGAIN, team, today, under_way=False) == []
    asked.grant(S1_AGAIN, team, by("sara"), ("ctr_b",), ("dana",))


def test_a_waiver_is_granted_in_its_visit_and_before_its_last_day_is_over() -> None:
    with pytest.raises(Refused, match="VISIT_IS_OVER"):
        waiver().grant(Visited({**S1_AGAIN.stages, 4: Stage.S2}), NO_TEAM, by("sara"))
    waiver().grant(S1_AGAIN, NO_TEAM, by("sara", day=1))
    with pytest.raises(Refused, match="WAIVER_EXPIRED"):
        waiver().grant(S1_AGAIN, NO_TEAM, by("sara", day=2))
    assert "grant" not in waiver().steps_of("sara", S1_AGAIN, NO_TEAM, by("sara", day=2).today)


@pytest.mark.parametrize(
    ("values", "broken"),
    [
        ({"expiry_date": YESTERDAY}, {("expiry_date", "DATE_IN_PAST")}),
        ({"expiry_date": "2026-02-30"}, {("expiry_date", "NO_SUCH_DATE")}),
        ({"reason": " "}, {("reason", "REASON_REQUIRED")}),
    ],
)
def test_a_waiver_has_a_reason_and_an_end(
    values: dict[str, Any], broken: set[tuple[str, str]]
) -> None:
    with pytest.raises(RulesBroken) as error:
        waiver(**values).recorded(by("amin"))
    assert broken_by(error.value) == broken


def test_a_refusal_says_why() -> None:
    with pytest.raises(RulesBroken):
        waiver().refuse(by("sara"))
    refused = waiver()
    refused.refuse(by("sara", reason="The assay can be had elsewhere."))
    assert (refused.state, refused.ruled_by) == (WaiverState.REFUSED, "sara")


@pytest.mark.parametrize(
    ("versions", "found"),
    [
        ("s", "submitted"),
        ("v", "verified"),
        ("vs", "verified"),
        ("vss", "verified"),
        ("vsr", "rejected"),
        ("vrs", "rejected"),
        ("vrv", "verified"),
        ("rs", "rejected"),
        ("ss", "submitted"),
        # It was verified, then rejected, and gave way.
        ("xs", "rejected"),
    ],
)
def test_a_newer_version_that_waits_takes_nothing_from_what_was_found(
    versions: str, found: str
) -> None:
    *former, last = versions
    states = {"s": "submitted", "v": "verified", "r": "rejected", "x": "rejected"}
    chain = [
        Version(EvidenceState(state), mark in "vx", mark in "rx")
        for mark, state in [*((m, "superseded") for m in former), (last, states[last])]
    ]
    assert as_judged(chain) == found


def test_a_rejection_is_of_the_last_visit_to_the_stage() -> None:
    made = evidence(state=EvidenceState.VERIFIED)
    assert made.rejected_visit == 0
    with pytest.raises(RulesBroken):
        made.reject(S1_AGAIN, by("omid"))
    assert made.rejected_visit == 0
    made.reject(S1_AGAIN, by("omid", reason="Another study."))
    assert (made.state, made.rejected_visit, made.visit) == (EvidenceState.REJECTED, 3, 1)


@pytest.mark.parametrize(
    ("values", "passes"),
    [
        ({}, False),
        ({"supersedes_id": "evd_0"}, False),
        ({"supersedes_id": "evd_0", "resubmission_reason": " "}, False),
        ({"supersedes_id": "evd_0", "resubmission_reason": "It is the signed one."}, True),
    ],
)
def test_the_same_bytes_go_against_a_rejection_with_a_reason_alone(
    values: dict[str, str], passes: bool
) -> None:
    made = evidence(**values)
    made.require_not_rejected(None)
    assert ("verify" in made.steps_of("omid", S1_AGAIN, "evd_9")) == passes
    assert "verify" in made.steps_of("omid", S1_AGAIN)
    assert made.steps_of("omid", S1_AGAIN, under_way=False) == []
    if passes:
        made.require_not_rejected("evd_9")
        return
    with pytest.raises(Refused) as refused:
        made.require_not_rejected("evd_9")
    assert (refused.value.reason, refused.value.params) == ("REJECTED_BEFORE", {"id": "evd_9"})


def test_a_reason_to_bring_it_again_is_of_a_piece_that_stands_for_another() -> None:
    with pytest.raises(RulesBroken) as refused:
        evidence(resubmission_reason="It is the signed one.").check(NOW.date())
    assert broken_by(refused.value) == {("supersedes_id", "REQUIRED")}
