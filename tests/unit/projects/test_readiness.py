"""Claims of readiness, the levels that follow from them, and the scale that is published."""

from __future__ import annotations

import re
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domainkit.aggregate import Occasion
from domainkit.rules import IllegalStep, Refused, RulesBroken
from domainkit.values import LocalizedText
from projects.domain.project import ProjectState
from projects.domain.readiness import (
    LEVELS,
    ClaimState,
    Dimension,
    Gap,
    ReadinessClaim,
    read_scale,
    require_going_on,
    standing,
)
from projects.readiness_scales import NEWEST, VERSIONS, scale
from tests.unit.projects.examples import NOW, broken_by

TEXT = (resources.files("projects.readiness_scales") / f"{NEWEST}.toml").read_text("utf-8")
SHOWN = LocalizedText(en="Shown in three donors.")


def claim(level: int = 1, **values: Any) -> ReadinessClaim:
    made: dict[str, Any] = {
        "id": f"rdc_{level}",
        "created_at": NOW,
        "updated_at": NOW,
        "state_since": NOW,
        "project_id": "prj_1",
        "dimension": Dimension.TECHNOLOGY,
        "level": level,
        "statement": SHOWN,
        "scale_version": NEWEST,
        "claimed_by": "the center",
    }
    return ReadinessClaim(**(made | values))


def by(actor: str, reason: str = "") -> Occasion:
    return Occasion(actor=actor, at=NOW, reason=reason)


@pytest.mark.parametrize(
    ("values", "broken"),
    [
        ({"statement": None}, {("statement", "READINESS_NOT_SHOWN")}),
        ({"statement": LocalizedText(fa=" ")}, {("statement", "READINESS_NOT_SHOWN")}),
        ({"evidence_ids": ["evd_1", "evd_1"]}, {("evidence_ids[1]", "DUPLICATE")}),
    ],
)
def test_a_claim_says_what_shows_it(values: dict[str, Any], broken: set[tuple[str, str]]) -> None:
    with pytest.raises(RulesBroken) as refusal:
        claim(**values).recorded(by("the center"))
    assert broken_by(refusal.value) == broken
    claim(statement=None, evidence_ids=["evd_1"]).recorded(by("the center"))


@pytest.mark.parametrize("action", ["verify", "reject"])
def test_nobody_decides_on_the_own_claim(action: str) -> None:
    made = claim(dimension=Dimension.TEAM)
    with pytest.raises(Refused, match="CLAIMED_BY_YOURSELF"):
        made.take(action, by("the center", "It holds."))
    assert (made.state, made.version) == (ClaimState.CLAIMED, 0)
    assert made.steps_of("the center", ProjectState.ACTIVE, {}) == ["withdraw"]
    assert made.steps_of("somebody", ProjectState.ACTIVE, {}) == ["verify", "reject", "withdraw"]
    made.take(action, by("somebody", "As the board sees it."))
    assert made.state == {"verify": "verified", "reject": "rejected"}[action]


@pytest.mark.parametrize(
    ("values", "possible"),
    [
        ({"evidence_ids": ["evd_1"]}, True),
        ({"evidence_ids": ["evd_1", "evd_2"]}, False),
        ({"dimension": Dimension.TECHNOLOGY}, False),
    ],
)
def test_verifying_is_possible_once_it_would_not_be_refused(
    values: dict[str, Any], possible: bool
) -> None:
    states = {"evd_1": "verified", "evd_2": "submitted"}
    made = claim(**values)
    steps = made.steps_of("somebody", ProjectState.ACTIVE, states)
    assert ("verify" in steps) is possible
    if possible:
        made.verify(states, by("somebody"))
    else:
        with pytest.raises((Refused, RulesBroken)):
            made.verify(states, by("somebody"))


@pytest.mark.parametrize("action", ["reject", "withdraw"])
def test_saying_no_takes_a_reason(action: str) -> None:
    with pytest.raises(RulesBroken) as refusal:
        claim().take(action, by("somebody"))
    assert broken_by(refusal.value) == {("reason", "REASON_REQUIRED")}


def test_what_is_settled_stays_settled_but_a_level_may_fall() -> None:
    fallen = claim()
    fallen.take("verify", by("somebody"))
    with pytest.raises(IllegalStep):
        fallen.take("verify", by("somebody"))
    refuted = claim()
    refuted.take("verify", by("somebody"))
    refuted.take("reject", by("another", "The assay was not blinded."))
    assert refuted.state == ClaimState.REJECTED
    fallen.take("withdraw", by("the center", "The assay failed elsewhere."))
    rejected = claim()
    rejected.take("reject", by("somebody", "Not reproduced."))
    for ended in (fallen, rejected):
        assert ended.allowed_steps() == []
        for action in ("verify", "reject", "withdraw"):
            with pytest.raises(IllegalStep):
                ended.take(action, by("somebody", "Again."))


@pytest.mark.parametrize("state", ProjectState)
def test_the_readiness_of_a_project_that_has_ended_stays(state: ProjectState) -> None:
    if state in (ProjectState.COMPLETED, ProjectState.KILLED):
        with pytest.raises(Refused, match="READINESS_IS_FINAL"):
            require_going_on(state)
        assert claim().steps_of("somebody", state, {}) == []
    else:
        require_going_on(state)


def test_a_claim_is_not_amended() -> None:
    assert not claim().can_be_amended()
    with pytest.raises(RulesBroken):
        claim().amend({"level": 9}, by("the center"))


def test_levels_count_with_every_level_below() -> None:
    verified = {"state": ClaimState.VERIFIED}
    claims = [claim(1, **verified), claim(2, **verified), claim(3), claim(5, **verified)]
    found = standing(Dimension.TECHNOLOGY, claims, {})
    assert (found.claimed_level, found.verified_level) == (3, 2)
    assert found.missing == (Gap(3, "rdc_3"), Gap(4))
    # A level between that is claimed later lets those above count.
    found = standing(Dimension.TECHNOLOGY, [*claims, claim(4)], {})
    assert (found.claimed_level, found.verified_level) == (5, 2)
    assert found.missing == (Gap(3, "rdc_3"), Gap(4, "rdc_4"), Gap(6))
    assert standing(Dimension.TEAM, claims, {}).missing == (Gap(1),)
    all_nine = [claim(level, **verified) for level in LEVELS]
    found = standing(Dimension.TECHNOLOGY, all_nine, {})
    assert (found.claimed_level, found.verified_level, found.missing) == (9, 9, ())


@pytest.mark.parametrize("state", ["submitted", "rejected", "superseded", ""])
def test_a_verified_level_falls_with_the_evidence_of_its_claim(state: str) -> None:
    verified = {"state": ClaimState.VERIFIED}
    shown = claim(2, evidence_ids=["evd_1", "evd_2"], **verified)
    claims = [claim(1, **verified), shown, claim(3, **verified)]
    all_hold = dict.fromkeys(shown.evidence_ids, "verified")
    assert standing(Dimension.TECHNOLOGY, claims, all_hold).verified_level == 3
    states = all_hold | {"evd_2": state}
    found = standing(Dimension.TECHNOLOGY, claims, states)
    assert (found.claimed_level, found.verified_level) == (3, 1)
    assert found.missing == (Gap(2, "rdc_2", fallen=True), Gap(4))


@given(states=st.dictionaries(st.integers(1, 9), st.sampled_from(ClaimState)))
def test_the_levels_are_what_a_person_would_count(states: dict[int, ClaimState]) -> None:
    found = standing(
        Dimension.TECHNOLOGY, [claim(level, state=state) for level, state in states.items()], {}
    )
    stands = [states.get(level) in (ClaimState.CLAIMED, ClaimState.VERIFIED) for level in LEVELS]
    holds = [states.get(level) == ClaimState.VERIFIED for level in LEVELS]
    assert found.claimed_level == ([*stands, False]).index(False)
    assert found.verified_level == ([*holds, False]).index(False)
    assert found.verified_level <= found.claimed_level
    # What is missing is there, and who does all of it reaches the next level.
    assert not {gap.level for gap in found.missing} & {n for n in LEVELS if holds[n - 1]}
    assert all(bool(gap.claim_id) == stands[gap.level - 1] for gap in found.missing)
    done = [
        claim(level, state=ClaimState.VERIFIED)
        for level in {n for n in LEVELS if holds[n - 1]} | {gap.level for gap in found.missing}
    ]
    after = standing(Dimension.TECHNOLOGY, done, {})
    assert after.verified_level >= min(found.claimed_level + 1, 9)


def test_every_level_of_every_dimension_is_described_in_both_languages() -> None:
    for version in VERSIONS:
        texts = [text for levels in scale(version).levels.values() for text in levels.values()]
        assert len(texts) == 72
        assert len({text.en for text in texts}) == len({text.fa for text in texts}) == 72
        for text in texts:
            assert re.search("[\u0600-\u06ff]", text.fa)
            # Persian letters, not their Arabic look-alikes.
            assert not re.search("[\u064a\u0643]", text.fa), text.fa


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (r"(?s)\[levels\.team\].*?(?=\[levels)", ""),  # a dimension is missing
        (r"5 = .*\n", ""),  # a level is missing
        (r"5 = (.*\n)", r"10 = \1"),  # a level that is none
        (r"levels\.team", "levels.luck"),
        (r'fa = "[^"]*"', 'fa = ""'),
    ],
)
def test_a_scale_that_leaves_something_out_is_refused(pattern: str, replacement: str) -> None:
    text, changes = re.subn(pattern, replacement, TEXT, count=1)
    assert changes == 1
    with pytest.raises(ValueError, match=r"."):
        read_scale(text)


@pytest.mark.parametrize("dimension", Dimension)
def test_words_alone_show_what_is_evidence_of_no_criterion(dimension: Dimension) -> None:
    made = claim(dimension=dimension)
    shown = claim(dimension=dimension, statement=None, evidence_ids=["evd_1"])
    shown.check(NOW.date())
    shown.verify({"evd_1": "verified"}, by("somebody"))
    if dimension in ("customer", "business", "team", "funding"):
        made.check(NOW.date())
        made.verify({}, by("somebody"))
        assert made.state == ClaimState.VERIFIED
        return
    with pytest.raises(RulesBroken) as refused:
        made.check(NOW.date())
    assert broken_by(refused.value) == {("evidence_ids", "READINESS_NEEDS_EVIDENCE")}
    # One that was made when words were enough is not verified by them any more.
    with pytest.raises(RulesBroken):
        made.verify({}, by("somebody"))
    assert made.state == ClaimState.CLAIMED


@pytest.mark.parametrize("state", ["submitted", "rejected", "superseded", ""])
def test_a_claim_is_not_verified_before_its_evidence(state: str) -> None:
    made = claim(evidence_ids=["evd_1", "evd_2"])
    states = {"evd_1": "verified", "evd_2": state}
    with pytest.raises(Refused) as refused:
        made.verify({id: known for id, known in states.items() if known}, by("somebody"))
    assert (refused.value.reason, refused.value.params) == (
        "EVIDENCE_NOT_VERIFIED",
        {"evidence_id": "evd_2", "state": state},
    )
    with pytest.raises(Refused) as own:
        made.verify(dict.fromkeys(states, "verified"), by("the center"))
    assert own.value.reason == "CLAIMED_BY_YOURSELF"
    assert made.state == ClaimState.CLAIMED
