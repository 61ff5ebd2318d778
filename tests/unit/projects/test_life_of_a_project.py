"""The whole life of a project under any series of steps of anybody, against a model of it.

People bring evidence, verify it, ask for waivers, open gates, declare, vote, decide,
correct, report conditions and confirm them, in any order, and days go by. The model knows
from its own books whether each step has to be taken or refused; what is refused changes
nothing. After each step every rule is looked at in what the project has become.
"""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from domainkit.rules import Refused
from domainkit.values import LocalizedText
from projects.domain.conditions import (
    ConditionState,
)
from projects.domain.decisions import DecisionKind, Ruling, Terms
from projects.domain.gates import Gate, GateState
from projects.domain.panel import Conflict
from projects.domain.pathways import Pathway, Stage
from projects.domain.people import PersonRole, ProjectPerson
from projects.domain.project import HoldCause, ProjectState
from projects.domain.record_hashes import assessment_hash
from projects.domain.review import Review, conditions_of
from tests.unit.projects.examples import (
    begin,
    on_panel,
)
from tests.unit.projects.life_bringing import Bringing, some, someone
from tests.unit.projects.life_model import (
    ADVANCES,
    CHAIR,
    ENDED,
    PEOPLE,
    WAY,
    met_in,
)
from tests.unit.projects.life_rules import LifeRules

anything = st.sampled_from(DecisionKind)


class Life(Bringing, LifeRules):
    """The steps of everybody: what is brought, and here what is decided while days go by."""

    @initialize(pathway=st.sampled_from(Pathway), first=some)
    def record(self, pathway: Pathway, first: int) -> None:
        self.stages = WAY.stages(pathway)
        self.day = 0
        self.place = first % len(self.stages)
        self.state, self.cause = ProjectState.ACTIVE, None
        self.path, self.begun = [(1, self.stages[self.place])], 1
        first_stage = self.stages[self.place]
        self.project = begin(
            WAY, pathway=pathway, initial_stage=first_stage, initial_stage_reason="Under way."
        )
        self.project.recorded(self.by("azar"))

    # Gates.

    @rule(
        panel=st.sets(someone, min_size=1),
        quorum=st.sampled_from([0, 0, 1, 2, 3, 4]),
        correct=st.booleans(),
    )
    def open_gate(self, panel: set[str], quorum: int, correct: bool) -> None:
        over = self.decisions[-1] if correct and self.decisions else None
        path = self.before()[1] if over else self.path
        visit = path[-1][0]
        standing = panel & self.conflicts.get(visit, set())
        eligible = len(panel - self.team - standing)
        possible = (
            self.gate is None
            and self.state != ProjectState.KILLED
            and (over is not None or self.state != ProjectState.COMPLETED)
            and eligible >= 3
            and (quorum == 0 or eligible < 2 * quorum <= 2 * eligible)
        )
        if not over and self.state == ProjectState.COMPLETED:
            return  # The use case sees to that.
        project = deepcopy(self.project)

        def act() -> Gate:
            project.open_gate(f"gat_{self.project.version}", self.by(CHAIR))
            values: dict[str, Any] = {
                "project_id": project.id,
                "panel": on_panel(*sorted(panel)),
                "quorum": quorum,
                "supersedes_id": over.id if over else None,
            }
            reviewed = project.before(over) if over else project
            return Gate.open(
                reviewed,
                self.known_team(),
                project.open_gate_id,
                self.by(CHAIR),
                values,
                conflicts=self.declared_over(visit),
            )

        opened = self.attempt(possible, act)
        if opened:
            self.project, self.gate, self.over = project, opened, over
            self.votes, self.terms = {}, {}
            self.declared = dict.fromkeys(standing, Conflict.OTHER)

    @precondition(lambda self: self.gate)
    @rule(who=st.sampled_from([CHAIR, CHAIR, *PEOPLE]))
    def withdraw_gate(self, who: str) -> None:
        gate, team = self.at_gate(), self.known_team()
        at = replace(self.by(who), reason="Another panel is called.")
        if not self.has_say(who):
            self.attempt(False, lambda: gate.withdraw(team, (), at))
            return
        gate.withdraw(team, (), at)
        self.project.withdraw_gate(self.by(who))
        self.past.append(gate)
        self.gate = self.over = None

    @precondition(lambda self: self.gate)
    @rule(
        who=someone,
        conflict=st.sampled_from([Conflict.NONE, *Conflict]),
    )
    def declare_some(self, who: str, conflict: Conflict) -> None:
        # A conflict stands for the visit; enough of the others can always have a vote.
        self.declare(who, conflict if who in ("azar", "dana", "vida") else Conflict.NONE)

    def declare(self, who: str, conflict: Conflict) -> None:
        gate = self.at_gate()
        stands = self.declared.get(who, Conflict.NONE) != Conflict.NONE
        possible = self.sits(who) and not (stands and conflict == Conflict.NONE)
        self.attempt(possible, lambda: gate.declare(conflict, "As it is.", (), self.by(who)))
        if possible:
            self.declared[who] = conflict
            if conflict != Conflict.NONE:
                self.conflicts.setdefault(gate.visit, set()).add(who)

    @precondition(lambda self: self.gate)
    @rule(
        who=st.sampled_from([CHAIR, CHAIR, *PEOPLE]),
        kind=anything,
        to=st.sampled_from(Stage),
        named=st.booleans(),
    )
    def propose(self, who: str, kind: DecisionKind, to: Stage, named: bool) -> None:
        gate, team = self.at_gate(), self.known_team()
        terms = self.ruling(kind, to, self.still_open(self.reviewed()) if named else []).terms
        possible = kind != DecisionKind.GO and self.has_say(who)
        self.attempt(possible, lambda: gate.propose(terms, team, (), self.by(who)))
        if possible:
            self.terms[kind] = terms

    @precondition(lambda self: self.gate)
    @rule(who=someone, kind=anything)
    def vote(self, who: str, kind: DecisionKind) -> None:
        gate, team = self.at_gate(), self.known_team()
        terms = Terms(kind) if kind == DecisionKind.GO else self.terms.get(kind)
        possible = (
            self.sits(who)
            and who not in self.team
            and self.declared.get(who) == Conflict.NONE
            and terms is not None
        )
        at, assessment = replace(self.by(who), reason="As the evidence stands."), self.assessed()
        basis = assessment_hash(assessment)
        self.attempt(possible, lambda: gate.vote(kind, team, (), basis, at))
        if possible and terms is not None:
            self.votes[who] = (kind, terms, assessment)

    @precondition(lambda self: self.gate)
    @rule(kind=anything, but=st.none() | someone, to=some, named=st.booleans())
    def all_vote(self, kind: DecisionKind, but: str | None, to: int, named: bool) -> None:
        if kind != DecisionKind.GO:
            self.propose(CHAIR, kind, self.stages[to % len(self.stages)], named)
        for who in PEOPLE:
            if who != but and self.sits(who):
                self.declare(who, Conflict.NONE)
                self.vote(who, kind)

    # Who is named on the project.

    @rule(who=st.none() | st.sampled_from(("kian", "vida")))
    def name_people(self, who: str | None) -> None:
        name = LocalizedText(en="Dr A")
        people = [ProjectPerson(name, PersonRole.QUALITY, subject=who)] if who else []
        same = people == self.project.people
        possible = self.state != ProjectState.KILLED and (same or self.gate is None)
        project = deepcopy(self.project)
        at = self.by("azar")
        self.attempt(possible, lambda: project.amend({"people": people}, at))
        if possible:
            self.project = project
            self.team |= {who} if who else set()

    # Decisions.

    @rule(kind=anything, other=st.booleans(), to=st.sampled_from(Stage), who=st.none() | someone)
    def decide(self, kind: DecisionKind, other: bool, to: Stage, who: str | None) -> None:
        self.lay(kind, self.ruling(kind, to, []) if other else None, who or CHAIR)

    @precondition(lambda self: self.gate and self.votes)
    @rule()
    def decide_as_voted(self) -> None:
        self.lay(Counter(kind for kind, *_ in self.votes.values()).most_common(1)[0][0])

    @rule(
        kind=anything,
        to=some,
        named=st.booleans(),
        correct=st.sampled_from([False, False, True]),
        verifier=st.none() | someone,
    )
    def the_board_meets(
        self, kind: DecisionKind, to: int, named: bool, correct: bool, verifier: str | None
    ) -> None:
        """What single steps would come to seldom: evidence, a gate, votes, a decision."""
        if verifier is not None:
            self.submit_most("kian", verifier, len(self.criteria()))
        self.open_gate(set(PEOPLE), 0, correct)
        if self.gate is not None:
            self.all_vote(kind, None, to, named)
            self.lay(kind)

    @rule(
        kind=st.sampled_from([*ADVANCES, *ADVANCES, *DecisionKind]),
        to=some,
        named=st.booleans(),
        correct=st.sampled_from([False, False, True]),
        meet=st.booleans(),
        show=st.booleans(),
        meanwhile=st.sampled_from(["", "", "evidence", "terms"]),
    )
    def a_gate_is_held(
        self,
        *,
        kind: DecisionKind,
        to: int,
        named: bool,
        correct: bool,
        meet: bool,
        show: bool,
        meanwhile: str,
    ) -> None:
        """Whatever is open is ended first; all may be shown, and something may change late."""
        if self.gate is not None:
            self.withdraw_gate(CHAIR)
        for which, item in enumerate(self.conditions):
            if meet and item.state == ConditionState.OPEN:
                self.bring_what_was_left_open("kian", "sara", which)
                self.confirm("omid", which)
        self.resume()
        if show:
            self.submit_most("kian", "sara", len(self.criteria()))
        self.open_gate(set(PEOPLE), 0, correct)
        if self.gate is None:
            return
        self.all_vote(kind, None, to, named)
        if meanwhile == "evidence":
            self.submit_most("azar", "omid", to)
        elif meanwhile == "terms":
            self.days_go_by(1)
            self.propose(CHAIR, kind, self.stages[to % len(self.stages)], not named)
        self.lay(kind)

    @rule()
    def what_was_left_open_comes_up_again(self) -> None:
        """A criterion is left open, and the next gate has all but that."""
        for kind, show in ((DecisionKind.CONDITIONAL_GO, False), (DecisionKind.GO, True)):
            if self.gate is not None:
                self.withdraw_gate(CHAIR)
            if show:
                self.submit_most("kian", "sara", len(self.criteria()))
            self.open_gate(set(PEOPLE), 0, False)
            if self.gate is not None:
                self.all_vote(kind, None, 0, True)
                self.lay(kind)

    @rule(who=st.none() | someone, which=some)
    def it_goes_back_and_shows_again(self, who: str | None, which: int) -> None:
        """What was verified in an earlier visit is confirmed for the one that begins."""
        if not self.place or self.state in ENDED:
            return
        self.resume()
        if self.gate is not None:
            self.withdraw_gate(CHAIR)
        self.open_gate(set(PEOPLE), 0, False)
        if self.gate is not None:
            self.all_vote(DecisionKind.RECYCLE, None, which % self.place, False)
            self.lay(DecisionKind.RECYCLE)
            if self.evidence:
                self.reconfirm(who, which)

    def lay(self, kind: DecisionKind, ruling: Ruling | None = None, who: str = CHAIR) -> None:
        """Record a decision: on the terms that were voted for, or on others of one's own."""
        if self.gate is None:
            with pytest.raises(Refused):
                self.project.require_at_gate()
            return
        start, path = (self.place, self.path) if self.over is None else self.before()
        terms = Terms(kind) if kind == DecisionKind.GO else self.terms.get(kind)
        laid = ruling or Ruling(kind, "As it was voted.")
        overdue = [
            item.id
            for item in self.conditions
            if item.is_overdue(self.today())
            and (self.over is None or item.decision_id != self.over.id)
        ]
        unmet = self.unmet()
        now = self.assessed()
        entitled = [
            vote
            for voter, vote in self.votes.items()
            if voter not in self.team and self.declared[voter] == Conflict.NONE
        ]
        current = all(
            voted == (Terms(of) if of == DecisionKind.GO else self.terms[of])
            and met_in(seen) == met_in(now)
            for of, voted, seen in entitled
        )
        tally = Counter(of for of, *_ in entitled)
        seated = {member.subject for member in self.gate.panel}
        quorum = max(self.gate.quorum, len(seated - self.team) // 2 + 1, 2)
        active = self.over is not None or self.state == ProjectState.ACTIVE
        possible = (
            self.has_say(who)
            and current
            and len(entitled) >= quorum
            and tally[kind] * 2 > len(entitled)
            and terms is not None
            and (ruling is None or laid.terms in (terms, Terms(kind)))
            and self.is_timely(terms)
            and (kind == DecisionKind.KILL or (active and not overdue))
            and (kind != DecisionKind.RECYCLE or terms.to_stage in self.stages[:start])
            and (kind not in ADVANCES or (not unmet and not self.left_open(terms, start)))
        )
        fixed = {item.criterion.code for item in now.criteria if not item.criterion.deferrable}
        if terms is not None and fixed & {item.criterion for item in terms.conditions}:
            possible = False
        gate, project = deepcopy(self.gate), deepcopy(self.project)
        review = Review(
            gate=gate,
            team=self.known_team(),
            assessment=now,
            overdue=overdue,
            unmet=unmet,
            previous=self.decisions[-1] if self.decisions else None,
            superseded=self.over,
        )
        id = f"dec_{project.version}"
        made = self.attempt(possible, lambda: review.decide(project, laid, WAY, id, self.by(who)))
        if made is None or terms is None:
            return
        assert gate.state == GateState.DECIDED
        event(f"{kind}{', a correction' if self.over else ''}")
        self.project = project
        self.decisions.append(made)
        self.past.append(gate)
        self.cancel(kind)
        ids = [f"cnd_{len(self.conditions) + n}" for n in range(len(made.conditions))]
        self.conditions += conditions_of(made, ids, self.by(who))
        self.came_from = (start, path)
        self.gate = self.over = None
        self.until = terms.resume_date
        self.follow(kind, terms.to_stage, start, path)

    def follow(
        self, kind: DecisionKind, to: Stage | None, start: int, path: list[tuple[int, Stage]]
    ) -> None:
        """Where the project must be after a decision."""
        struck = self.path[len(path) :]
        self.place, self.path = start, list(path)
        self.state, self.cause = ProjectState.ACTIVE, None
        if kind == DecisionKind.KILL:
            self.state = ProjectState.KILLED
        elif kind == DecisionKind.HOLD:
            self.state, self.cause = ProjectState.ON_HOLD, HoldCause.DECISION
        elif kind in ADVANCES and start + 1 == len(self.stages):
            self.state = ProjectState.COMPLETED
        else:
            self.place = self.stages.index(to) if to else start + 1
            stage = self.stages[self.place]
            going_on = [number for number, left in struck if left == stage]
            number = going_on[0] if going_on else self.begun + 1
            self.begun = max(self.begun, number)
            self.path.append((number, stage))

    def cancel(self, kind: DecisionKind) -> None:
        """As the use case does: with a kill all conditions, with a correction those of it."""
        for item in self.conditions:
            corrected = self.over is not None and item.decision_id == self.over.id
            if item.state == ConditionState.OPEN and (kind == DecisionKind.KILL or corrected):
                item.take("cancel", replace(self.by("azar"), reason="Void."))

    # Time and holds.

    @rule(days=st.integers(1, 3))
    def days_go_by(self, days: int) -> None:
        self.day += days

    @rule()
    def the_watch_looks(self) -> None:
        if self.overdue():
            held = self.project.hold_overdue(self.by("projects"))
            assert held == (self.state == ProjectState.ACTIVE)
            if held:
                self.state, self.cause = ProjectState.ON_HOLD, HoldCause.OVERDUE_CONDITION

    @rule()
    def resume(self) -> None:
        held = bool(self.until) and self.today().isoformat() < self.until
        possible = self.state == ProjectState.ON_HOLD and not held and not self.overdue()
        overdue = self.overdue()
        self.attempt(possible, lambda: self.project.resume(self.by("azar"), overdue=overdue))
        if possible:
            self.state, self.cause, self.until = ProjectState.ACTIVE, None, ""


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
