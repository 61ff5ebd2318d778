"""The whole life of a project under any series of decisions, against a model of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domainkit.rules import IllegalStep, Refused, RulesBroken
from projects.domain.decisions import Ruling
from projects.domain.pathways import Pathway, Stage
from projects.domain.project import Project, ProjectState
from projects.pathway_templates import NEWEST, template
from tests.unit.projects.examples import (
    CONDITIONAL_GO,
    GO,
    HOLD,
    KILL,
    begin,
    occasion,
    recycle,
)

WAY = template(NEWEST)
FAR = replace(HOLD, resume_date="2099-01-01")
LATER = replace(
    CONDITIONAL_GO,
    conditions=[replace(CONDITIONAL_GO.conditions[0], due_date="2099-01-01")],
)


class Life(RuleBasedStateMachine):
    """Takes any decision at any time; the model is where the project must be then."""

    project: Project
    stages: tuple[Stage, ...]
    place: int
    state: ProjectState
    path: list[Stage]

    @initialize(pathway=st.sampled_from(Pathway), data=st.data())
    def record(self, pathway: Pathway, data: st.DataObject) -> None:
        self.stages = WAY.stages(pathway)
        self.place = data.draw(st.integers(0, len(self.stages) - 1))
        self.state = ProjectState.ACTIVE
        self.path = [self.stages[self.place]]
        self.project = begin(
            WAY, pathway=pathway, initial_stage=self.path[0], initial_stage_reason="Under way."
        )
        self.project.recorded(occasion())

    @rule(ruling=st.sampled_from([GO, LATER]))
    def go(self, ruling: Ruling) -> None:
        if self.accepted(ruling, self.state == ProjectState.ACTIVE):
            if self.place + 1 == len(self.stages):
                self.state = ProjectState.COMPLETED
            else:
                self.place += 1
                self.path.append(self.stages[self.place])

    @rule()
    def hold(self) -> None:
        if self.accepted(FAR, self.state == ProjectState.ACTIVE):
            self.state = ProjectState.ON_HOLD

    @rule(to=st.sampled_from(Stage))
    def recycle(self, to: Stage) -> None:
        earlier = to in self.stages[: self.place]
        if self.accepted(recycle(to), self.state == ProjectState.ACTIVE and earlier):
            self.place = self.stages.index(to)
            self.path.append(to)

    @rule()
    def kill(self) -> None:
        if self.accepted(KILL, self.state in (ProjectState.ACTIVE, ProjectState.ON_HOLD)):
            self.state = ProjectState.KILLED

    @rule()
    def resume(self) -> None:
        if self.state == ProjectState.ON_HOLD:
            self.project.resume(occasion(self.project.version))
            self.state = ProjectState.ACTIVE
        else:
            with pytest.raises((IllegalStep, Refused)):
                self.project.resume(occasion(self.project.version))

    def accepted(self, ruling: Ruling, possible: bool) -> bool:
        before = replace(self.project, pending=list(self.project.pending))
        at = occasion(self.project.version)
        if possible:
            decision = self.project.decide(ruling, WAY, f"dec_{before.version}", at)
            assert (decision.from_stage, decision.to_stage) == (before.stage, self.project.stage)
        else:
            with pytest.raises((IllegalStep, Refused, RulesBroken)):
                self.project.decide(ruling, WAY, f"dec_{before.version}", at)
            assert self.project == before
        return possible

    @invariant()
    def it_is_where_the_model_is(self) -> None:
        project = self.project
        ended = self.state in (ProjectState.COMPLETED, ProjectState.KILLED)
        assert (project.state, project.stage) == (self.state, self.stages[self.place])
        assert [visit.stage for visit in project.stage_visits] == self.path
        open_visits = [visit for visit in project.stage_visits if visit.left_at is None]
        assert open_visits == ([] if ended else project.stage_visits[-1:])
        assert bool(project.resume_date) == (self.state == ProjectState.ON_HOLD)
        assert [step.version for step in project.pending] == list(range(1, project.version + 1))


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
