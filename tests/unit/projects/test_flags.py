"""Flags: what they follow from, how they come and go, what they stop."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domainkit.rules import Refused, RulesBroken
from projects.domain.flags import (
    Acknowledgement,
    Flag,
    FlagKind,
    KnownRegulation,
    KnownState,
    Neighbours,
)
from projects.domain.participants import Participant
from projects.domain.pathways import Pathway, Stage, Template
from projects.domain.project import Project, ProjectState
from projects.pathway_templates import NEWEST, template
from tests.unit.projects.examples import (
    CONDITIONAL_GO,
    GO,
    HOLD,
    KILL,
    NOW,
    begin,
    broken_by,
    occasion,
    recycle,
)

WAY = template(NEWEST)
CENTER_STATES = ["planned", "establishing", "operational", "suspended", "closed", "cancelled"]
OUT = ["suspended", "closed", "cancelled"]
AGREEMENT_STATES = ["signed", "in_force", "suspended", "expired", "terminated", "superseded"]
PARTICIPANTS = [
    Participant(center_id="ctr_b"),
    Participant(institution_id="ins_1", agreement_id="agr_1"),
]


def neighbours(
    lead: str = "operational",
    other: str = "operational",
    agreement: str = "in_force",
    *,
    change: int = 0,
    day: int = 1,
) -> Neighbours:
    changed_at = NOW + timedelta(days=day) if change else None
    return Neighbours(
        centers={"ctr_a": KnownState(lead, NOW), "ctr_b": KnownState(other, NOW)},
        agreements={"agr_1": KnownState(agreement, NOW)},
        regulations={
            "reg-cell-therapy": KnownRegulation("reg_1", "in_force", changed_at, change),
            "reg-gene-therapy": KnownRegulation("reg_2", "in_force", changed_at, change),
        },
    )


def project(**values: Any) -> Project:
    return begin(WAY, **({"participants": PARTICIPANTS} | values))


def due(at: Project, known: Neighbours) -> list[tuple[str, str, str]]:
    return [(f.kind, f.resource_id, f.state) for f in at.due_flags(known, WAY)]


@pytest.mark.parametrize("state", CENTER_STATES)
def test_a_center_that_leads_or_takes_part_flags_while_it_is_out(state: str) -> None:
    out = state in OUT
    expected = [("center_unavailable", "ctr_a", state)] if out else []
    assert due(project(), neighbours(lead=state)) == expected
    expected = [("center_unavailable", "ctr_b", state)] if out else []
    assert due(project(), neighbours(other=state)) == expected
    assert due(project(participants=[]), neighbours(other=state)) == []


@pytest.mark.parametrize("state", AGREEMENT_STATES)
def test_an_agreement_flags_while_it_is_not_in_force(state: str) -> None:
    expected = [] if state == "in_force" else [("agreement_not_in_force", "agr_1", state)]
    assert due(project(), neighbours(agreement=state)) == expected
    assert due(project(participants=[]), neighbours(agreement=state)) == []


def test_a_regulation_flags_who_has_it_before_them_and_began_before_it_changed() -> None:
    changed = [("regulation_changed", "reg_1", "in_force")]
    assert due(project(), neighbours(change=2)) == changed
    assert due(project(), neighbours(change=0)) == []
    # It was so when the project began.
    assert due(project(), neighbours(change=2, day=0)) == []
    assert due(project(), neighbours(change=2, day=-1)) == []
    gene = project(pathway=Pathway.GENE_THERAPY)
    assert due(gene, neighbours(change=2)) == [("regulation_changed", "reg_2", "in_force")]
    assert due(project(pathway=Pathway.DEVICE), neighbours(change=2)) == []
    assert begin(template("1")).due_flags(neighbours(change=2), template("1")) == []
    looked_at = project()
    looked_at.acknowledged = [Acknowledgement("reg_1", 2)]
    assert due(looked_at, neighbours(change=2)) == []
    assert due(looked_at, neighbours(change=3)) == changed


def test_a_regulation_flags_no_more_once_the_stages_that_cite_it_are_left() -> None:
    criteria = tuple(c for c in WAY.criteria if c.stage != Stage.S7)
    short = replace(WAY, criteria=criteria)
    known = neighbours(change=2)
    at = project(initial_stage=Stage.S6, initial_stage_reason="Under way.")
    assert at.due_flags(known, short)
    at.decide(GO, short, "dec_1", occasion(2))
    assert at.due_flags(known, short) == []
    # Back before it, it counts again: what it says now was looked at by nobody.
    at.decide(recycle(Stage.S3), short, "dec_2", occasion(3))
    assert [f.resource_id for f in at.due_flags(known, short)] == ["reg_1"]


def test_what_is_not_known_flags_nobody() -> None:
    assert due(project(), Neighbours()) == []


@pytest.mark.parametrize("state", [ProjectState.COMPLETED, ProjectState.KILLED])
def test_a_project_that_has_ended_has_no_flags(state: ProjectState) -> None:
    known = neighbours("suspended", "closed", "expired", change=2)
    assert len(due(project(state=ProjectState.ON_HOLD), known)) == 4
    assert due(project(state=state), known) == []


def test_flags_come_and_go_as_steps_that_say_which() -> None:
    at = project()
    at.recorded(occasion())
    assert not at.flag(at.due_flags(neighbours(), WAY), occasion(1))
    suspended = at.due_flags(neighbours("suspended", "closed"), WAY)
    assert not at.unflag(suspended, occasion(1))
    assert at.flag(suspended, occasion(1))
    assert not at.flag(suspended, occasion(1))
    # One goes, another comes, a third is in another state now.
    later = at.due_flags(neighbours(other="cancelled", agreement="expired"), WAY)
    assert at.unflag(later, occasion(2))
    assert [f.resource_id for f in at.flags] == ["ctr_b"]
    assert at.flag(later, occasion(2))
    assert at.flags == later
    steps = [(step.action, step.version, step.reason) for step in at.pending[1:]]
    assert steps == [
        (
            "flagged",
            2,
            "center_unavailable ctr_a (suspended); center_unavailable ctr_b (closed)",
        ),
        ("unflagged", 3, "center_unavailable ctr_a (suspended)"),
        (
            "flagged",
            4,
            "agreement_not_in_force agr_1 (expired); center_unavailable ctr_b (cancelled)",
        ),
    ]
    assert {(step.from_state, step.to_state) for step in at.pending[1:]} == {("active", "active")}


@pytest.mark.parametrize("ruling", [GO, CONDITIONAL_GO])
@pytest.mark.parametrize(
    "known",
    [
        neighbours("suspended"),
        neighbours(other="suspended"),
        neighbours(agreement="expired"),
        neighbours(change=2),
    ],
)
def test_no_flagged_project_goes_on(way: Template, ruling: Any, known: Neighbours) -> None:
    at = project()
    at.flag(at.due_flags(known, way), occasion())
    before = replace(at, pending=list(at.pending))
    with pytest.raises(Refused, match="FLAGS_BLOCK_GO") as refusal:
        at.decide(ruling, way, "dec_1", occasion())
    assert refusal.value.params["flags"] == at.flags[0].in_words()
    assert at == before
    at.unflag([], occasion())
    at.decide(ruling, way, "dec_1", occasion())
    assert at.stage == Stage.S1


@pytest.mark.parametrize("ruling", [HOLD, KILL, recycle(Stage.S0)])
def test_a_flag_stops_nothing_but_a_go(way: Template, ruling: Any) -> None:
    at = project(initial_stage=Stage.S2, initial_stage_reason="Under way.")
    at.flag(at.due_flags(neighbours("suspended"), way), occasion())
    at.decide(ruling, way, "dec_1", occasion())
    ended = ruling is KILL
    assert bool(at.flags) is not ended


def test_only_money_waits_for_who_is_out() -> None:
    at = project()
    flags = at.due_flags(neighbours("suspended", agreement="expired", change=2), WAY)
    assert {f.kind: f.blocks_disbursement for f in flags} == {
        FlagKind.CENTER_UNAVAILABLE: True,
        FlagKind.AGREEMENT_NOT_IN_FORCE: True,
        FlagKind.REGULATION_CHANGED: False,
    }


def test_a_change_of_a_regulation_is_acknowledged_once_with_a_reason(way: Template) -> None:
    at = project()
    at.flag(at.due_flags(neighbours("suspended", change=2), way), occasion())
    assert "acknowledge-flag" in at.allowed_steps()
    with pytest.raises(RulesBroken) as refusal:
        at.acknowledge_flag("reg_1", occasion(1, " "))
    assert broken_by(refusal.value) == {("reason", "REASON_REQUIRED")}
    for other in ("reg_2", "ctr_a"):
        with pytest.raises(Refused, match="REGULATION_NOT_FLAGGED"):
            at.acknowledge_flag(other, occasion(1, "Read."))
    at.acknowledge_flag("reg_1", occasion(1, "It asks for nothing new."))
    assert [f.resource_id for f in at.flags] == ["ctr_a"]
    assert at.pending[-1].action == "flag_acknowledged"
    assert at.pending[-1].reason == "It asks for nothing new."
    assert "acknowledge-flag" not in at.allowed_steps()
    with pytest.raises(Refused, match="REGULATION_NOT_FLAGGED"):
        at.acknowledge_flag("reg_1", occasion(2, "Again."))
    # The next change is another matter.
    again = at.due_flags(neighbours("suspended", change=5), way)
    assert at.flag(again, occasion(3))
    at.acknowledge_flag("reg_1", occasion(4, "Nor this."))
    assert at.acknowledged == [Acknowledgement("reg_1", 5)]


def test_a_killed_project_acknowledges_nothing(way: Template) -> None:
    at = project()
    at.decide(KILL, way, "dec_1", occasion())
    with pytest.raises(Refused, match="KILLED_IS_FINAL"):
        at.acknowledge_flag("reg_1", occasion(1, "Read."))


def test_a_step_of_others_takes_the_flags_along_and_names_them() -> None:
    at = project()
    at.recorded(occasion())
    at.heed(at.due_flags(neighbours(other="suspended"), WAY))
    assert [f.resource_id for f in at.flags] == ["ctr_b"]
    assert [step.changed_fields for step in at.pending] == [[]]
    at.pending.clear()
    at.amend({"participants": []}, occasion(1))
    at.heed(at.due_flags(neighbours(other="suspended"), WAY))
    assert at.flags == []
    assert [step.changed_fields for step in at.pending] == [["participants", "flags"]]


@given(
    lives=st.lists(
        st.builds(
            neighbours,
            st.sampled_from(CENTER_STATES),
            st.sampled_from(CENTER_STATES),
            st.sampled_from(AGREEMENT_STATES),
            change=st.integers(0, 5),
        ),
        max_size=12,
    )
)
def test_whatever_happens_the_flags_are_those_that_are_due(lives: list[Neighbours]) -> None:
    at = project()
    shown: set[Flag] = set()
    for day, known in enumerate(lives):
        before = at.version
        wanted = at.due_flags(known, WAY)
        gone, came = at.unflag(wanted, occasion(day)), at.flag(wanted, occasion(day))
        assert at.flags == wanted
        assert at.version - before == gone + came
        assert came == bool(set(wanted) - shown)
        causes = {(f.kind, f.resource_id) for f in wanted}
        assert gone == any((f.kind, f.resource_id) not in causes for f in shown)
        shown = set(wanted)
        # Hearing the same again is no step.
        assert not at.unflag(wanted, occasion(day))
        assert not at.flag(wanted, occasion(day))
