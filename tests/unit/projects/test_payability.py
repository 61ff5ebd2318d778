"""When money can be released for a project: each reason against it, alone and together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domainkit.rules import Refused
from projects.domain.flags import Flag, FlagKind, KnownRegulation, KnownState, Neighbours
from projects.domain.participants import Participant
from projects.domain.pathways import Stage, Template
from projects.domain.payability import can_be_paid, require_payable
from projects.domain.project import Project, ProjectState
from tests.unit.projects.examples import NOW, begin

FINE = Neighbours(
    centers={"ctr_a": KnownState("operational", NOW), "ctr_b": KnownState("planned", NOW)},
    agreements={"agr_1": KnownState("in_force", NOW)},
)
STATES_THAT_ARE_PAID = [ProjectState.ACTIVE, ProjectState.COMPLETED]


def project(way: Template, state: ProjectState = ProjectState.ACTIVE) -> Project:
    parts = [
        Participant(center_id="ctr_b"),
        Participant(institution_id="ins_1", agreement_id="agr_1"),
    ]
    made = begin(way, participants=parts)
    made.state = state
    return made


def with_center(id: str, state: str) -> Neighbours:
    return replace(FINE, centers={**FINE.centers, id: KnownState(state, NOW)})


@pytest.mark.parametrize(
    ("state", "overdue", "reason"),
    [
        (ProjectState.ACTIVE, [], ""),
        (ProjectState.COMPLETED, [], ""),
        (ProjectState.ACTIVE, ["cnd_1", "cnd_2"], "CONDITION_OVERDUE"),
        (ProjectState.ON_HOLD, ["cnd_1"], "CONDITION_OVERDUE"),
        (ProjectState.ON_HOLD, [], "PROJECT_ON_HOLD"),
        (ProjectState.KILLED, [], "KILLED_IS_FINAL"),
        (ProjectState.KILLED, ["cnd_1"], "KILLED_IS_FINAL"),
    ],
)
def test_a_project_is_paid_only_while_it_goes_on(
    way: Template, state: ProjectState, overdue: list[str], reason: str
) -> None:
    made = project(way, state)
    assert can_be_paid(made, overdue, FINE) == (not reason)
    if reason:
        with pytest.raises(Refused) as refused:
            require_payable(made, overdue, FINE)
        assert refused.value.reason == reason


def test_what_was_recorded_at_a_later_stage_is_paid_once_a_panel_has_decided(
    way: Template,
) -> None:
    made = project(way)
    made.initial_stage = Stage.S3
    with pytest.raises(Refused) as refused:
        require_payable(made, [], FINE)
    assert (refused.value.reason, refused.value.params) == ("NOT_DECIDED_HERE", {"stage": "s3"})
    made.latest_decision_id = "dec_1"
    require_payable(made, [], FINE)


@pytest.mark.parametrize("state", STATES_THAT_ARE_PAID)
@pytest.mark.parametrize(
    ("neighbours", "flags"),
    [
        (with_center("ctr_a", "suspended"), "center_unavailable ctr_a (suspended)"),
        (with_center("ctr_b", "closed"), "center_unavailable ctr_b (closed)"),
        (
            replace(FINE, agreements={"agr_1": KnownState("expired", NOW)}),
            "agreement_not_in_force agr_1 (expired)",
        ),
    ],
)
def test_money_waits_for_who_is_out_whether_the_project_is_flagged_or_not(
    way: Template, state: ProjectState, neighbours: Neighbours, flags: str
) -> None:
    made = project(way, state)
    assert not made.flags
    with pytest.raises(Refused) as refused:
        require_payable(made, [], neighbours)
    assert (refused.value.reason, refused.value.params) == ("FLAGS_BLOCK_PAYMENT", {"flags": flags})
    assert not can_be_paid(made, [], neighbours)


def test_a_flag_that_stands_stops_the_money_and_is_told_once(way: Template) -> None:
    made = project(way)
    made.flags = [Flag(FlagKind.CENTER_UNAVAILABLE, "ctr_a", "suspended", NOW)]
    for neighbours in (FINE, with_center("ctr_a", "suspended")):
        with pytest.raises(Refused) as refused:
            require_payable(made, [], neighbours)
        assert refused.value.params == {"flags": "center_unavailable ctr_a (suspended)"}


def test_a_changed_regulation_does_not_hold_money_back(way: Template) -> None:
    made = project(way)
    made.flags = [Flag(FlagKind.REGULATION_CHANGED, "reg_1", "in_force", NOW, 2)]
    changed = KnownRegulation("reg_1", "in_force", NOW, 2)
    require_payable(made, [], replace(FINE, regulations={"reg-cell-therapy": changed}))


def test_who_is_out_elsewhere_stops_nothing(way: Template) -> None:
    require_payable(project(way), [], with_center("ctr_z", "suspended"))
