"""What people bring in the life of a project: evidence, waivers, and what conditions ask for."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from projects.domain.conditions import ConditionReport, ConditionState
from projects.domain.evidence import EvidenceState
from projects.domain.visits import Visited
from projects.domain.waivers import Waiver
from tests.unit.projects.examples import NOW
from tests.unit.projects.life_model import BRINGERS, ENDED, PEOPLE, WAY, LifeModel

someone = st.sampled_from(PEOPLE)
bringer = st.sampled_from(BRINGERS)
# Who reports a condition is of the team from then on; of six people two may become so.
reporter = st.sampled_from(("kian", "dana"))
some = st.integers(0, 99)


class Bringing(LifeModel):
    """The steps of those who bring what a project needs, and of those who look at it."""

    # Evidence and waivers.

    @rule(who=bringer, which=some)
    def submit(self, who: str, which: int) -> None:
        # A stage may ask for nothing on a pathway.
        if self.state not in ENDED and (criteria := self.criteria()):
            self.bring(criteria[which % len(criteria)], who)

    @rule(who=bringer, verifier=someone, but=some)
    def submit_most(self, who: str, verifier: str, but: int) -> None:
        """All that the stage asks for, most often, and all verified."""
        if self.state in ENDED or who == verifier:
            return
        criteria = self.criteria()
        for index, criterion in enumerate(criteria):
            if index != but % (3 * len(criteria)):
                piece = self.bring(criterion, who)
                piece.verify(Visited.by(self.project), self.by(verifier))

    @rule(who=st.none() | someone, which=some)
    def verify(self, who: str | None, which: int) -> None:
        """Of pieces that wait, of which there is one most often; who submitted it tries too."""
        if which % 4:
            self.submit("kian", which)
        if not self.evidence:
            return
        waits = [item for item in self.evidence if item.state == EvidenceState.SUBMITTED]
        piece = (waits or self.evidence)[which % len(waits or self.evidence)]
        by = who or piece.submitted_by
        possible = piece.state == EvidenceState.SUBMITTED and by != piece.submitted_by
        self.attempt(possible, lambda: piece.verify(Visited.by(self.project), self.by(by)))

    @precondition(lambda self: self.evidence)
    @rule(who=st.none() | someone, which=some)
    def reconfirm(self, who: str | None, which: int) -> None:
        """Of pieces from an earlier visit, if there are any; who submitted it tries too."""
        visited = Visited.by(self.project)
        old = [
            item
            for item in self.evidence
            if item.state == EvidenceState.VERIFIED
            and item.confirmed_visit < visited.last_visit(item.stage)
        ]
        piece = (old or self.evidence)[which % len(old or self.evidence)]
        by = who or piece.submitted_by
        possible = piece in old and by != piece.submitted_by
        self.attempt(possible, lambda: piece.reconfirm(visited, self.by(by)))

    @rule(who=bringer, granter=someone, which=some, days=st.integers(0, 3))
    def waive(self, who: str, granter: str, which: int, days: int) -> None:
        if self.state in ENDED or not (criteria := self.criteria()):
            return
        criterion = criteria[which % len(criteria)]
        waiver = Waiver(
            id=f"wvr_{len(self.waivers)}",
            created_at=NOW,
            updated_at=NOW,
            state_since=NOW,
            project_id=self.project.id,
            criterion=criterion.code,
            stage=criterion.stage,
            visit=self.path[-1][0],
            reason="The material arrives in spring.",
            expiry_date=self.on(days),
            requested_by=who,
        )
        self.waivers.append(waiver)
        self.team.add(who)
        visited, team = Visited.by(self.project), self.known_team()
        in_conflict = self.conflicts.get(self.path[-1][0], set())
        possible = granter not in self.team and granter not in in_conflict
        at = self.by(granter)
        self.attempt(
            possible, lambda: waiver.grant(visited, team, at, in_conflict=self.in_conflict())
        )

    # Conditions.

    @precondition(lambda self: self.conditions)
    @rule(who=bringer, verifier=someone, which=some)
    def bring_what_was_left_open(self, who: str, verifier: str, which: int) -> None:
        item = self.conditions[which % len(self.conditions)]
        if item.state != ConditionState.OPEN or not item.criterion or self.state in ENDED:
            return
        (criterion,) = (c for c in WAY.criteria if c.code == item.criterion)
        piece = self.bring(criterion, who)
        if who != verifier:
            piece.verify(Visited.by(self.project), self.by(verifier))
            self.report("kian", which, len(self.evidence) - 1)

    @precondition(lambda self: self.conditions)
    @rule(who=reporter, which=some, piece=some)
    def report(self, who: str, which: int, piece: int) -> None:
        item = self.conditions[which % len(self.conditions)]
        named = self.evidence[piece % len(self.evidence)] if piece and self.evidence else None
        told = ConditionReport(who, NOW, named.id if named else "", "Done.")
        possible = item.state == ConditionState.OPEN and (
            not item.criterion or (named is not None and named.criterion == item.criterion)
        )
        self.attempt(possible, lambda: item.tell(told, self.shown(told.evidence_id), self.by(who)))
        if possible:
            self.team.add(who)

    @precondition(lambda self: self.conditions)
    @rule(who=someone, which=some)
    def confirm(self, who: str, which: int) -> None:
        item = self.conditions[which % len(self.conditions)]
        shown = self.shown(item.report.evidence_id) if item.report else None
        visit = self.decision_of(item).visit
        possible = (
            item.state == ConditionState.OPEN
            and item.report is not None
            and item.report.reported_by != who
            and (
                shown is None
                or (shown.state == EvidenceState.VERIFIED and shown.submitted_by != who)
            )
            and (not item.criterion or (shown is not None and shown.confirmed_visit >= visit))
        )
        self.attempt(possible, lambda: item.confirm(shown, visit, self.by(who)))
