"""The life of projects under any series of calls, each answer held to a model of it.

Hypothesis runs in a thread of its own and its steps on the loop of the test, against the
real service and its database. What the model knows stands in its own books; what the
service says of itself, in answers and in what it allows, has to agree.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from peyvand.projects.v1 import conditions_pb2, criteria_pb2, decisions_pb2, stages_pb2
from peyvand.projects.v1 import projects_pb2 as pb
from projects.domain.record_hashes import damaged
from projects.repository.decisions import find_decision
from servicekit.errors import Fault
from tests.integration.projects.conftest import (
    ADVANCES,
    KILL,
    ProjectsBench,
    condition,
    in_days,
    project,
)

T = TypeVar("T")

GO, CONDITIONAL_GO = ADVANCES
HOLD = decisions_pb2.DECISION_KIND_HOLD
RECYCLE = decisions_pb2.DECISION_KIND_RECYCLE
KILLED = decisions_pb2.DECISION_KIND_KILL
ACTIVE, ON_HOLD = pb.PROJECT_STATE_ACTIVE, pb.PROJECT_STATE_ON_HOLD
# The stages of a research tool, whose way is the shortest.
WAY = [
    stages_pb2.STAGE_S0,
    stages_pb2.STAGE_S1,
    stages_pb2.STAGE_S2,
    stages_pb2.STAGE_S6,
    stages_pb2.STAGE_S7,
]
kinds = st.sampled_from([GO, GO, CONDITIONAL_GO, HOLD, RECYCLE, KILLED])


class Lives(RuleBasedStateMachine):
    """One project after another, in one database."""

    bench: ProjectsBench
    loop: asyncio.AbstractEventLoop
    lead: str

    def __init__(self) -> None:
        super().__init__()
        self.place = 0
        self.state: pb.ProjectState = ACTIVE
        self.visits = 1
        # The number of the present visit, and how many there were with those that were struck.
        self.number = self.begun = 1
        # For what the panel of the open gate has voted, on which terms, and whether it
        # corrects a decision; and whether what it has reviewed has changed since.
        self.voted: decisions_pb2.DecisionKind | None = None
        self.terms: dict[str, Any] = {}
        self.corrects = False
        self.stale = False
        # Where the project was before its last decision, and how many there were.
        self.came_from = (0, 1, 1)
        self.count = 0
        # Numbers of visits of which all is shown; and of the decisions that have left criteria
        # open, in which visit.
        self.complete = set[int]()
        self.owed: dict[int, int] = {}
        self.long = False

    def do(self, work: Awaitable[T]) -> T:
        return asyncio.run_coroutine_threadsafe(_awaited(work), self.loop).result(60)

    @initialize()
    def record(self) -> None:
        given = project(self.lead, pathway=stages_pb2.PATHWAY_RESEARCH_TOOL)
        self.id = self.do(self.bench.create(given)).id

    @rule(
        kind=kinds,
        correct=st.sampled_from([False, False, True]),
        to=st.integers(0, len(WAY) - 1),
        more=st.booleans(),
    )
    def review(
        self, kind: "decisions_pb2.DecisionKind", correct: bool, to: int, more: bool
    ) -> None:
        """A panel votes; with `more` for a long hold, or to leave open what is not shown."""
        decisions = self.do(self.bench.decisions(self.id))
        over = decisions[-1].id if correct and decisions else ""
        ended = self.state == pb.PROJECT_STATE_KILLED or (
            self.state == pb.PROJECT_STATE_COMPLETED and not over
        )
        place = self.came_from[0] if over else self.place
        to_earlier = kind != RECYCLE or to < place
        expected = self.voted is None and not ended and to_earlier
        terms: dict[str, Any] = {}
        if kind == HOLD:
            terms["resume_date"] = "2099-01-01" if more else in_days(0)
        elif kind == RECYCLE:
            terms["to_stage"] = WAY[to]
        elif kind == KILLED:
            terms["kill"] = KILL
        elif kind == CONDITIONAL_GO:
            named = self.missing() if more and not over and not ended else []
            terms["conditions"] = [condition(code) for code in named or [""]]
        work = self.bench.review(self.id, kind, supersedes_id=over, **terms)
        if expected or self.voted is not None or ended:
            if self.attempt(work, expected):
                self.voted, self.terms, self.corrects = kind, terms, bool(over)
                self.stale = False
            return
        # There is no such way back: the terms are refused, and the gate goes.
        with pytest.raises(Fault, match="STAGE_NOT_EARLIER"):
            self.do(work)
        self.do(self.bench.withdraw(self.do(self.bench.get(self.id)).open_gate_id))

    def missing(self) -> list[str]:
        request = criteria_pb2.GetNextGateRequest(project_id=self.id)
        answer = self.do(self.bench.criteria.call("GetNextGate", request))
        return list(cast("criteria_pb2.NextGate", answer).missing)

    @precondition(lambda self: self.voted is not None)
    @rule()
    def withdraw(self) -> None:
        self.do(self.bench.withdraw(self.do(self.bench.get(self.id)).open_gate_id))
        self.voted = None

    @rule()
    def bring_evidence(self) -> None:
        if self.state not in (ACTIVE, ON_HOLD):
            return
        here = self.number
        brought = bool(self.missing())
        self.do(self.bench.satisfy(self.id))
        self.complete.add(here)
        if self.voted is not None and (self.came_from[2] if self.corrects else here) == here:
            self.stale = self.stale or brought

    @precondition(lambda self: self.voted is None and self.owed)
    @rule()
    def show_what_was_left_open(self) -> None:
        for item in self.do(self.bench.conditions(project_id=self.id)):
            if item.criterion and item.state == conditions_pb2.CONDITION_STATE_OPEN:
                self.do(self.meet(item))
        self.complete |= {*self.owed.values()}
        self.owed = {}

    async def meet(self, item: conditions_pb2.ProjectCondition) -> None:
        shown = await self.bench.verified(self.id, item.criterion)
        report = conditions_pb2.ReportProjectConditionRequest(
            condition_id=item.id,
            evidence_id=shown.id,
            etag=item.etag,
            idempotency_key=self.bench.key(),
        )
        told: Any = await self.bench.gates.call("ReportProjectCondition", report, subject="kian")
        found = conditions_pb2.ProjectConditionStepRequest(
            condition_id=item.id, etag=told.etag, idempotency_key=self.bench.key()
        )
        await self.bench.gates.call("ConfirmProjectCondition", found)

    def named(self) -> set[str]:
        """Criteria that the terms that were voted for leave open."""
        return {item.criterion for item in self.terms.get("conditions", [])} - {""}

    def reviewed(self) -> tuple[int, int, int]:
        """The place, the visits and the number of the one that is under review."""
        return self.came_from if self.corrects else (self.place, self.visits, self.number)

    def can_be_decided(self, kind: "decisions_pb2.DecisionKind | None") -> bool:
        place, _, number = self.reviewed()
        active = self.state == ACTIVE or self.corrects
        owed = {count for count in self.owed if not (self.corrects and count == self.count)}
        shown = number in self.complete
        last = place + 1 == len(WAY)
        return (
            kind is not None
            and self.voted == kind
            and not self.stale
            and (active or kind == KILLED)
            and (
                kind not in ADVANCES or (not owed and (shown or (bool(self.named()) and not last)))
            )
        )

    @rule(kind=st.none() | kinds, bare=st.booleans())
    def decide(self, kind: "decisions_pb2.DecisionKind | None", bare: bool) -> None:
        kind = kind or self.voted or GO
        place, visits, number = self.reviewed()
        last, named = place + 1 == len(WAY), self.named()
        expected = self.can_be_decided(kind)
        values = self.terms if self.voted == kind and not bare else {}
        request = self.bench.ruling(self.do(self.bench.get(self.id)), kind, **values)
        if not self.attempt(self.bench.rpc.call("DecideProject", request), expected):
            return
        if self.corrects:
            self.owed.pop(self.count, None)
        self.count += 1
        if named:
            self.owed[self.count] = number
        if kind == KILLED:
            self.owed = {}
        # Where a correction strikes the visit that the last decision led to, that is `left`.
        left = (self.place, self.number) if self.corrects and self.number != number else None
        self.came_from = (place, visits, number)
        self.long = self.terms.get("resume_date", "") > in_days(0)
        self.voted, self.corrects = None, False
        self.place, self.visits, self.number, self.state = place, visits, number, ACTIVE
        if kind == KILLED:
            self.state = pb.PROJECT_STATE_KILLED
        elif kind == HOLD:
            self.state = ON_HOLD
        elif kind in ADVANCES and last:
            self.state = pb.PROJECT_STATE_COMPLETED
        else:
            self.place = WAY.index(self.terms["to_stage"]) if kind == RECYCLE else place + 1
            self.visits += 1
            going_on = left is not None and left[0] == self.place
            self.number = left[1] if left and going_on else self.begun + 1
            self.begun = max(self.begun, self.number)

    @rule()
    def resume(self) -> None:
        found = self.do(self.bench.get(self.id))
        request = pb.ProjectStepRequest(
            project_id=self.id, etag=found.etag, idempotency_key=self.bench.key()
        )
        work = self.bench.rpc.call("ResumeProject", request)
        if self.attempt(work, self.state == ON_HOLD and not self.long):
            self.state = ACTIVE

    @invariant()
    def it_is_what_the_model_says(self) -> None:
        found = self.do(self.bench.get(self.id))
        assert (found.state, found.stage) == (self.state, WAY[self.place])
        assert len(found.stage_visits) == self.visits
        assert found.stage_visits[-1].number == self.number
        assert bool(found.open_gate_id) == (self.voted is not None)
        assert ("decide" in found.allowed_actions) == self.can_be_decided(self.voted)
        possible = self.state == ON_HOLD and not self.long
        assert ("resume" in found.allowed_actions) == possible

    @invariant()
    def the_chain_is_whole_and_conditions_follow_their_decisions(self) -> None:
        decisions = self.do(self.bench.decisions(self.id))
        assert damaged(self.do(self.stored([item.id for item in decisions]))) == []
        superseded = {item.supersedes_id for item in decisions}
        owed = {decisions[count - 1].id for count in self.owed}
        met, still = conditions_pb2.CONDITION_STATE_MET, conditions_pb2.CONDITION_STATE_OPEN
        for item in self.do(self.bench.conditions(project_id=self.id)):
            void = item.decision_id in superseded or self.state == pb.PROJECT_STATE_KILLED
            if item.criterion and item.state == met:
                assert item.decision_id not in owed
            elif void:
                assert item.state == conditions_pb2.CONDITION_STATE_CANCELLED
            else:
                assert item.state == still
                assert not item.criterion or item.decision_id in owed

    async def stored(self, ids: list[str]) -> list[Any]:
        async with self.bench.database.read() as session:
            return [await find_decision(session, self.id, id) for id in ids]

    def attempt(self, work: Awaitable[Any], expected: bool) -> bool:
        """Whether it was done, which has to be as expected; what is refused changes nothing."""
        before, fault = self.do(self.bench.get(self.id)), None
        try:
            self.do(work)
        except Fault as refusal:
            fault = refusal
        assert (fault is None) == expected, fault
        assert fault is None or self.do(self.bench.get(self.id)) == before
        return fault is None


async def _awaited(work: Awaitable[T]) -> T:
    return await work


async def test_any_series_of_calls_leaves_what_the_model_says(bench: ProjectsBench) -> None:
    machine = type("Lives", (Lives,), {})
    machine.bench, machine.lead = bench, await bench.center()
    machine.loop = asyncio.get_running_loop()
    await asyncio.to_thread(
        run_state_machine_as_test,
        cast("Any", machine),
        settings=settings(
            max_examples=6,
            stateful_step_count=16,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
