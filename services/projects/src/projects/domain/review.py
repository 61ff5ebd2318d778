"""What a panel's review comes to: the guard that every decision on a project passes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC

from domainkit.aggregate import Occasion
from domainkit.rules import Broken, IllegalStep, Refused, RulesBroken
from projects.domain.assessment import Assessment
from projects.domain.conditions import ProjectCondition
from projects.domain.decisions import Condition, Decision, DecisionKind, Ruling, WithdrawnGate
from projects.domain.flags import Flag
from projects.domain.gates import Gate
from projects.domain.pathways import Template
from projects.domain.project import ONWARD, Project
from projects.domain.record_hashes import assessment_hash, decided_criteria, sealed, terms_hash
from projects.domain.team import Team


@dataclass(frozen=True, kw_only=True)
class Review:
    """All that a decision at a gate stands on, read under the lock of the project's row.

    `assessment` is that of the visit under review; `flags` are those that are due on the
    project as it was then. `overdue` are ids of the project's overdue conditions, `unmet`
    of those that stand for a criterion of an earlier gate and are not met; both but for
    those of `superseded`, the decision that is corrected, if one is. `previous` is the last
    decision on the project, `withdrawn` are earlier gates over the visit without a decision,
    `center_ids` the centers that the token of who records the decision names, `in_conflict`
    who has declared a conflict of interest at any gate over the visit.
    """

    gate: Gate
    team: Team
    assessment: Assessment
    flags: Sequence[Flag] = ()
    overdue: Collection[str] = ()
    unmet: Collection[str] = ()
    previous: Decision | None = None
    superseded: Decision | None = None
    withdrawn: Sequence[WithdrawnGate] = field(default_factory=tuple)
    center_ids: Collection[str] = ()
    in_conflict: Collection[str] = ()

    def decide(
        self, project: Project, ruling: Ruling, template: Template, id: str, occasion: Occasion
    ) -> Decision:
        """Do what the panel has voted for, end the gate, and return the decision, sealed.

        A ruling without terms takes those that were voted for. Raises besides as
        `Project.decide` does `Refused`: ``TEAM_HAS_NO_SAY``, ``CONFLICT_HAS_NO_SAY``,
        ``VOTES_OUTDATED``, ``QUORUM_NOT_REACHED``, ``NO_MAJORITY``, ``NOT_WHAT_WAS_VOTED``,
        ``TERMS_DIFFER``, ``CONDITION_OVERDUE``, ``CONDITION_UNMET``, ``CRITERIA_OPEN``;
        nothing was changed then.
        """
        gate = self.gate
        if gate.id != project.open_gate_id or gate.visit != self.assessment.visit:
            raise ValueError(f"{gate.id} is not the gate that {project.id} stands at")
        if gate.supersedes_id != (self.superseded.id if self.superseded else None):
            raise ValueError(f"{gate.id} is held over another decision")
        gate.require_no_interest(occasion.actor, self.center_ids, self.team, self.in_conflict)
        ruling = self._as_voted(ruling)
        if broken := self._date_rules(ruling):
            raise RulesBroken(*broken)
        if self.overdue and ruling.kind != DecisionKind.KILL:
            raise Refused("CONDITION_OVERDUE", conditions=", ".join(self.overdue))
        if self.unmet and ruling.kind in ONWARD:
            raise Refused("CONDITION_UNMET", conditions=", ".join(self.unmet))
        self._require_criteria(project, ruling, template)
        decision = project.decide(
            ruling, template, id, occasion, superseded=self.superseded, flags=self.flags
        )
        gate.close(id, replace(occasion, reason=ruling.reason))
        proposal, basis = gate.proposal_of(ruling.kind), assessment_hash(self.assessment)
        recorded = replace(
            decision,
            gate_id=gate.id,
            visit=gate.visit,
            panel=gate.panel,
            quorum=gate.quorum_for(self.team),
            declarations=gate.declarations,
            votes=gate.counted(self.team, basis),
            criteria=decided_criteria(self.assessment),
            supersedes_id=gate.supersedes_id or "",
            opened_by=gate.opened_by,
            proposed_by=proposal.proposed_by if proposal else "",
            terms_hash=terms_hash(ruling.terms),
            assessment_hash=basis,
            withdrawn_gates=list(self.withdrawn),
        )
        return sealed(recorded, self.previous)

    def can_be_decided(self, project: Project, template: Template, occasion: Occasion) -> bool:
        """Tell whether `decide` would record what the panel has voted for; nothing is changed."""
        trial = replace(self, gate=replace(self.gate, pending=[]))
        basis = assessment_hash(self.assessment)
        try:
            ruling = Ruling(self.gate.outcome(self.team, basis), reason="As voted.")
            trial.decide(replace(project, pending=[]), ruling, template, "", occasion)
        except (Refused, RulesBroken, IllegalStep):
            return False
        return True

    def _as_voted(self, ruling: Ruling) -> Ruling:
        """The ruling on the terms that the panel has voted for."""
        outcome = self.gate.outcome(self.team, assessment_hash(self.assessment))
        if ruling.kind != outcome:
            raise Refused("NOT_WHAT_WAS_VOTED", decision=ruling.kind.value, voted=outcome.value)
        terms = self.gate.terms_of(outcome)
        if terms is None:
            raise ValueError(f"{self.gate.id} has votes for terms that it does not have")
        ruling = ruling.on(terms)
        if terms_hash(ruling.terms) != terms_hash(terms):
            raise Refused("TERMS_DIFFER", decision=ruling.kind.value)
        return ruling

    def _date_rules(self, ruling: Ruling) -> list[Broken]:
        """Rule of the day that is given for the decision: the gate was open by then."""
        opened = self.gate.created_at.astimezone(UTC).date()
        given = ruling.decided_date
        if given is None or not given.exists() or given.latest() >= opened:
            return []
        params = {"opened": opened.isoformat()}
        return [Broken("decided_date.value", "DECIDED_BEFORE_GATE", params)]

    def _require_criteria(self, project: Project, ruling: Ruling, template: Template) -> None:
        if broken := check_named(ruling.conditions, self.assessment):
            raise RulesBroken(*broken)
        named = {item.criterion for item in ruling.conditions} - {""}
        # What is left open is asked for at the next gate; after the last there is none.
        if template.next_stage(project.pathway, self.assessment.stage) is None:
            named = set[str]()
        if ruling.kind in ONWARD and (still := self.assessment.open_but_for(named)):
            codes = ", ".join(item.criterion.code for item in still)
            raise Refused("CRITERIA_OPEN", criteria=codes)


def check_named(conditions: Sequence[Condition], assessment: Assessment) -> list[Broken]:
    """Rules of the criteria that conditions name: of the stage under review, and deferrable."""
    known = {item.criterion.code: item.criterion for item in assessment.criteria}
    broken: list[Broken] = []
    for index, item in enumerate(conditions):
        path, params = f"conditions[{index}].criterion", {"criterion": item.criterion}
        if item.criterion and item.criterion not in known:
            params["stage"] = assessment.stage.value
            broken.append(Broken(path, "CRITERION_NOT_OF_STAGE", params))
        elif item.criterion and not known[item.criterion].deferrable:
            broken.append(Broken(path, "CRITERION_NOT_DEFERRABLE", params))
    return broken


def conditions_of(
    decision: Decision, ids: Collection[str], occasion: Occasion, *, sample: bool = False
) -> list[ProjectCondition]:
    """The conditions that a decision makes, with these ids."""
    return [
        ProjectCondition(
            id=id,
            created_at=occasion.at,
            updated_at=occasion.at,
            state_since=occasion.at,
            project_id=decision.project_id,
            decision_id=decision.id,
            criterion=item.criterion,
            text=item.text,
            owner=item.owner,
            due_date=item.due_date,
            sample=sample,
        )
        for id, item in zip(ids, decision.conditions, strict=True)
    ]
