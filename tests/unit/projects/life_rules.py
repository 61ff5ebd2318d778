"""What has to hold of a project at any time of its life, whatever was done."""

from collections import Counter

from hypothesis.stateful import invariant

from projects.domain.conditions import ConditionState
from projects.domain.decisions import DecisionKind
from projects.domain.panel import Conflict
from projects.domain.project import HoldCause, ProjectState
from projects.domain.record_hashes import damaged
from projects.domain.waivers import WaiverState
from tests.unit.projects.life_model import ADVANCES, ENDED, WAY, LifeModel


class LifeRules(LifeModel):
    """The rules that every state has to keep."""

    @invariant()
    def it_is_where_the_model_is(self) -> None:
        project = self.project
        assert (project.state, project.stage) == (self.state, self.stages[self.place])
        assert project.hold_cause == self.cause
        assert [(visit.number, visit.stage) for visit in project.stage_visits] == self.path
        open_visits = [visit for visit in project.stage_visits if visit.left_at is None]
        assert open_visits == ([] if self.state in ENDED else project.stage_visits[-1:])
        assert bool(project.resume_date) == (self.cause == HoldCause.DECISION)
        assert (project.hold_cause is not None) == (project.state == ProjectState.ON_HOLD)
        assert project.open_gate_id == (self.gate.id if self.gate else "")
        assert [step.version for step in project.pending] == list(range(1, project.version + 1))

    @invariant()
    def every_decision_was_voted_for_by_people_without_an_interest(self) -> None:
        for decision in self.decisions:
            none = {d.subject for d in decision.declarations if d.conflict == Conflict.NONE}
            voters = {vote.subject for vote in decision.votes}
            assert voters <= none & {member.subject for member in decision.panel}
            assert len(voters) == len(decision.votes) >= decision.quorum >= 2
            for vote in decision.votes:
                assert vote.assessment_hash == decision.assessment_hash
                assert vote.kind != decision.kind or vote.terms_hash == decision.terms_hash
            kinds = Counter(vote.kind for vote in decision.votes)
            assert kinds[decision.kind] * 2 > len(decision.votes)

    @invariant()
    def no_stage_was_left_without_what_it_asks_for(self) -> None:
        for decision in self.decisions:
            if decision.kind not in ADVANCES:
                continue
            named = {item.criterion for item in decision.conditions}
            met = {"verified", "waived", "other_route"}
            routes = {c.code: c.route for c in WAY.criteria}
            left = [
                item.code
                for item in decision.criteria
                if item.state not in met and item.code not in named and not routes[item.code]
            ]
            assert left == []

    @invariant()
    def a_number_of_a_visit_is_of_one_stage_for_ever(self) -> None:
        bound = [*self.past, *([self.gate] if self.gate else []), *self.waivers]
        known = {(item.visit, item.stage) for item in bound} | {*self.path}
        assert len({number for number, _ in known}) == len(known)

    @invariant()
    def the_chain_of_decisions_is_whole(self) -> None:
        assert damaged(self.decisions) == []
        corrected = [decision.supersedes_id for decision in self.decisions]
        for before, over in zip(["", *(d.id for d in self.decisions)], corrected, strict=False):
            assert over in ("", before)
        kills = [d for d in self.decisions if d.kind == DecisionKind.KILL]
        assert kills == [] or kills == self.decisions[-1:]

    @invariant()
    def nobody_vouches_for_own_work(self) -> None:
        for piece in self.evidence:
            assert piece.submitted_by not in {c.confirmed_by for c in piece.confirmations}
        for waiver in self.waivers:
            assert waiver.state != WaiverState.GRANTED or waiver.ruled_by != waiver.requested_by
        for item in self.conditions:
            if item.state == ConditionState.MET:
                assert item.report is not None
                assert item.confirmed_by not in ("", item.report.reported_by)

    @invariant()
    def a_killed_project_has_no_open_condition(self) -> None:
        if self.state == ProjectState.KILLED:
            assert all(item.state != ConditionState.OPEN for item in self.conditions)
