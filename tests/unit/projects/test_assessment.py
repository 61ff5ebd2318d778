"""What a project still needs: each criterion, alternative routes, visits and days."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.domain.assessment import (
    SATISFIED,
    Assessment,
    CriterionState,
    Leave,
    Piece,
    assess,
)
from projects.domain.evidence import EvidenceState
from projects.domain.pathways import ROUTE_NAMES, Pathway, Stage, Template
from projects.domain.project import Project, StageVisit
from projects.domain.waivers import WaiverState
from projects.pathway_templates import NEWEST, template, versions
from tests.unit.projects.examples import NOW, begin

TODAY = NOW.date()
EXEMPTION = (
    "exemption-permit",
    "named-hospital",
    "individual-prescription",
    "traceability",
    "vigilance",
)


def project(way: Template, *stages: Stage, pathway: Pathway = Pathway.SOMATIC_CELL) -> Project:
    """A project that has been in these stages, and is in the last one."""
    made = begin(way, pathway=pathway)
    made.stage_visits = [StageVisit(stage, NOW, number=n) for n, stage in enumerate(stages, 1)]
    made.stage = stages[-1]
    return made


def piece(criterion: str, state: EvidenceState = EvidenceState.VERIFIED, **values: Any) -> Piece:
    given = {"visit": 1, "confirmed_visit": 1 if state == EvidenceState.VERIFIED else 0}
    given |= values
    digest = f"{criterion}-{given['visit']}"
    return Piece(f"evd_{criterion}", criterion, state, sha256=digest, **given)


def leave(criterion: str, **values: Any) -> Leave:
    given: dict[str, Any] = {"state": WaiverState.GRANTED, "visit": 1, "expiry": TODAY}
    return Leave(f"wvr_{criterion}", criterion, **(given | values))


def states(found: Assessment) -> dict[str, CriterionState]:
    return {item.criterion.code: item.state for item in found.criteria}


def codes(found: Assessment) -> list[str]:
    return [item.criterion.code for item in found.missing]


def test_a_stage_is_left_with_all_of_its_criteria(way: Template) -> None:
    made = project(way, Stage.S1)
    known = ["in-vitro-proof", "consent-ethics", "prior-art"]
    found = assess(made, way, [piece(code) for code in known[:2]], [], TODAY)
    assert (found.stage, found.visit, found.is_satisfied) == (Stage.S1, 1, False)
    assert codes(found) == ["prior-art"]
    assert found.evidence_hashes == ("in-vitro-proof-1", "consent-ethics-1")
    found = assess(made, way, [piece(code) for code in known], [], TODAY)
    assert found.is_satisfied
    assert found.missing == ()


@pytest.mark.parametrize(
    ("pieces", "state"),
    [
        ([], CriterionState.MISSING),
        ([piece("prior-art", EvidenceState.SUBMITTED)], CriterionState.SUBMITTED),
        ([piece("prior-art", EvidenceState.REJECTED, visit=3)], CriterionState.REJECTED),
        # What was rejected in an earlier visit says nothing of this one.
        ([piece("prior-art", EvidenceState.REJECTED, visit=1)], CriterionState.MISSING),
        ([piece("prior-art")], CriterionState.TO_RECONFIRM),
        ([piece("prior-art", confirmed_visit=3)], CriterionState.VERIFIED),
        ([piece("prior-art", EvidenceState.SUPERSEDED, confirmed_visit=3)], CriterionState.MISSING),
        # The best of several counts.
        (
            [
                piece("prior-art", EvidenceState.REJECTED, visit=3),
                piece("prior-art", EvidenceState.SUBMITTED),
                piece("prior-art", visit=3, confirmed_visit=3),
            ],
            CriterionState.VERIFIED,
        ),
        (
            [piece("prior-art", EvidenceState.SUBMITTED), piece("prior-art")],
            CriterionState.SUBMITTED,
        ),
        # Evidence for something else is none for this.
        ([piece("disclosure", confirmed_visit=3)], CriterionState.MISSING),
    ],
)
def test_evidence_counts_for_the_visit_in_which_it_was_found_to_hold(
    way: Template, pieces: list[Piece], state: CriterionState
) -> None:
    made = project(way, Stage.S1, Stage.S0, Stage.S1)
    assert states(assess(made, way, pieces, [], TODAY))["prior-art"] == state


@pytest.mark.parametrize(
    ("waived", "counts"),
    [
        (leave("prior-art"), True),
        (leave("prior-art", expiry=TODAY - timedelta(days=1)), False),
        (leave("prior-art", visit=2), False),
        (leave("prior-art", state=WaiverState.REQUESTED), False),
        (leave("prior-art", state=WaiverState.REVOKED), False),
        (leave("disclosure"), False),
    ],
)
def test_a_waiver_counts_while_it_is_granted_for_this_visit_and_day(
    way: Template, waived: Leave, counts: bool
) -> None:
    found = assess(project(way, Stage.S1), way, [], [waived], TODAY)
    (item,) = [item for item in found.criteria if item.criterion.code == "prior-art"]
    assert (item.state == CriterionState.WAIVED) == counts
    assert item.waiver_id == ("wvr_prior-art" if counts else "")


def test_evidence_that_holds_counts_before_a_waiver(way: Template) -> None:
    found = assess(project(way, Stage.S1), way, [piece("prior-art")], [leave("prior-art")], TODAY)
    assert states(found)["prior-art"] == CriterionState.VERIFIED


def test_one_route_to_access_is_enough_and_half_of_each_is_not(way: Template) -> None:
    made = project(way, Stage.S6)
    found = assess(made, way, [], [], TODAY)
    assert found.routes == ("market_authorisation", "hospital_exemption")
    # The nearest way out is told.
    assert codes(found) == ["authorisation-number"]

    market = assess(made, way, [piece("authorisation-number")], [], TODAY)
    assert market.is_satisfied
    assert {states(market)[code] for code in EXEMPTION} == {CriterionState.OTHER_ROUTE}

    half = [piece(code) for code in EXEMPTION[:-1]]
    assert not assess(made, way, half, [], TODAY).is_satisfied
    exemption = assess(made, way, half, [leave(EXEMPTION[-1])], TODAY)
    assert exemption.is_satisfied
    assert states(exemption)["authorisation-number"] == CriterionState.OTHER_ROUTE
    assert states(exemption)[EXEMPTION[-1]] == CriterionState.WAIVED


def test_what_is_left_to_conditions_is_not_missing(way: Template) -> None:
    found = assess(project(way, Stage.S1), way, [piece("prior-art")], [], TODAY)
    left = found.open_but_for({"in-vitro-proof"})
    assert [item.criterion.code for item in left] == ["consent-ethics"]
    assert not found.open_but_for({"in-vitro-proof", "consent-ethics"})
    access = assess(project(way, Stage.S6), way, [], [], TODAY)
    assert not access.open_but_for(EXEMPTION)
    assert access.open_but_for(EXEMPTION[1:])


def test_a_stage_without_criteria_asks_for_nothing() -> None:
    before = template("2")
    tool = project(before, Stage.S6, pathway=Pathway.RESEARCH_TOOL)
    assert assess(tool, before, [], [], TODAY).is_satisfied


def test_another_version_of_the_template_assesses_nothing(way: Template) -> None:
    other = Template("0", way.ways, way.criteria)
    with pytest.raises(ValueError, match="keeps to template"):
        assess(project(way, Stage.S1), other, [], [], TODAY)


def test_every_route_of_every_version_has_a_name_and_the_newest_is_among_them() -> None:
    assert NEWEST in versions()
    for version in versions():
        found = template(version)
        assert found.version == version
        routes = {criterion.route for criterion in found.criteria if criterion.route}
        assert routes <= ROUTE_NAMES.keys()
    for name in ROUTE_NAMES.values():
        assert name.fa
        assert name.en


ALL_CODES = [criterion.code for criterion in template(NEWEST).criteria]
PIECES = st.builds(
    piece,
    st.sampled_from(ALL_CODES),
    st.sampled_from(EvidenceState),
    visit=st.integers(1, 3),
    confirmed_visit=st.integers(0, 3),
)
LEAVES = st.builds(
    leave,
    st.sampled_from(ALL_CODES),
    state=st.sampled_from(WaiverState),
    visit=st.integers(1, 3),
    expiry=st.dates(TODAY - timedelta(days=1), TODAY + timedelta(days=1)),
)


@given(
    stages=st.lists(st.sampled_from(Stage), min_size=1, max_size=3),
    pieces=st.lists(PIECES, max_size=30),
    leaves=st.lists(LEAVES, max_size=10),
    day=st.dates(TODAY, TODAY + timedelta(days=2)),
)
def test_nothing_is_satisfied_without_a_confirmation_or_a_waiver_for_this_visit_and_day(
    stages: list[Stage], pieces: list[Piece], leaves: list[Leave], day: date
) -> None:
    way = template(NEWEST)
    found = assess(project(way, *stages), way, pieces, leaves, day)
    visit = len(stages)
    holds = {
        p.criterion
        for p in pieces
        if p.state == EvidenceState.VERIFIED and p.confirmed_visit == visit
    }
    waived = {
        w.criterion
        for w in leaves
        if w.state == WaiverState.GRANTED and w.visit == visit and w.expiry >= day
    }
    needed = way.criteria_of(Pathway.SOMATIC_CELL, stages[-1])
    assert [item.criterion for item in found.criteria] == needed
    met = {item.criterion.code for item in found.criteria if item.state in SATISFIED}
    assert met == {c.code for c in needed} & (holds | waived)
    always = {c.code for c in needed if not c.route}
    routes = [{c.code for c in needed if c.route == route} for route in found.routes]
    expected = always <= met and (not routes or any(route <= met for route in routes))
    assert found.is_satisfied == expected
