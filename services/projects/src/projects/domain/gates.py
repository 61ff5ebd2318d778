"""The gate: the review of one stage visit of a project by a panel, and its votes."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, ClassVar

from domainkit.aggregate import Occasion, Stateful, Step
from domainkit.machine import Machine
from domainkit.rules import Broken, Refused, RulesBroken
from projects.domain.decisions import DecisionKind, Proposal, Terms, Vote
from projects.domain.panel import Conflict, Declaration, PanelMember
from projects.domain.pathways import Stage
from projects.domain.project import Project
from projects.domain.record_hashes import terms_hash
from projects.domain.team import Team

LEAST_MEMBERS = 3
"""How many members of a panel have to be able to vote."""
_LEAST_VOTES = LEAST_MEMBERS // 2 + 1


class GateState(StrEnum):
    """Where a gate is in its life."""

    OPEN = "open"
    DECIDED = "decided"
    WITHDRAWN = "withdrawn"


@dataclass(kw_only=True)
class Gate(Stateful):
    """The review of one stage visit of a project.

    `visit` is the number of the visit among those of the project. `quorum` is the
    least number of votes that must count. A gate with `supersedes_id` is held over the
    visit in which that decision was made, to correct it. `proposals` are the terms that
    are put to the panel, one at most for each kind of decision.

    A vote counts when its member is not of the project's team and has declared to have
    no conflict of interest, and when it was given on the terms as they stand and on the
    criteria as they are. What is decided is what more than half of these voted for. Who
    opens it, puts terms to it, records its decision or withdraws it is not of the team and
    has declared no conflict either.
    """

    MACHINE: ClassVar[Machine[GateState]] = Machine(
        {
            "declare": ([GateState.OPEN], GateState.OPEN),
            "propose": ([GateState.OPEN], GateState.OPEN),
            "vote": ([GateState.OPEN], GateState.OPEN),
            "decide": ([GateState.OPEN], GateState.DECIDED),
            "withdraw": ([GateState.OPEN], GateState.WITHDRAWN),
        }
    )
    EVENTS: ClassVar[Mapping[str, str]] = {
        "declare": "declared",
        "propose": "proposed",
        "vote": "voted",
        "decide": "decided",
        "withdraw": "withdrawn",
    }
    REASONED: ClassVar[frozenset[str]] = frozenset({"withdraw"})
    # Given when it is opened, and fixed from then on.
    FIXED: ClassVar[frozenset[str]] = frozenset(
        {"external_key", "project_id", "supersedes_id", "panel", "quorum", "citations", "sample"}
    )

    project_id: str
    stage: Stage
    visit: int
    supersedes_id: str | None = None
    panel: list[PanelMember]
    quorum: int
    opened_by: str = ""
    proposals: list[Proposal] = field(default_factory=list[Proposal])
    declarations: list[Declaration] = field(default_factory=list[Declaration])
    votes: list[Vote] = field(default_factory=list[Vote])
    decision_id: str = ""
    state: GateState = GateState.OPEN

    @classmethod
    def open(
        cls,
        project: Project,
        team: Team,
        id: str,
        occasion: Occasion,
        values: Mapping[str, Any],
        *,
        conflicts: Iterable[Declaration] = (),
    ) -> "Gate":
        """A gate over the visit that `project` is in; without a quorum, that of a majority.

        `conflicts` are those that were declared at other gates over the visit: they stand.
        Raises `RulesBroken` for a panel that could not decide, or for a quorum that is less
        than most of those who can have a vote.
        """
        panel: Sequence[PanelMember] = values["panel"]
        if broken := _panel_rules(panel):
            raise RulesBroken(*broken)
        seated = {member.subject for member in panel}
        standing = {item.subject: item for item in conflicts if item.subject in seated}
        eligible = sum(not team.includes(subject) for subject in seated - standing.keys())
        quorum = values.get("quorum") or eligible // 2 + 1
        if broken := _quorum_rules(quorum, eligible):
            raise RulesBroken(*broken)
        given: dict[str, Any] = {**values, "quorum": quorum}
        return cls(
            id=id,
            created_at=occasion.at,
            updated_at=occasion.at,
            state_since=occasion.at,
            stage=project.stage,
            visit=project.visit,
            opened_by=occasion.actor,
            declarations=[standing[subject] for subject in sorted(standing)],
            **given,
        )

    def has_on_panel(self, subject: str) -> bool:
        """Tell whether someone sits on its panel."""
        return any(member.subject == subject for member in self.panel)

    def as_told(self) -> "Gate":
        """The gate as events and dossiers tell of it: without votes as long as it is open.

        The project's team reads both, and sees the votes when the gate has ended.
        """
        return replace(self, votes=[]) if self.state == GateState.OPEN else self

    def step_as_told(self, step: Step) -> Step:
        """A step as it is told with `as_told`: not who has voted, nor why, while it is open."""
        if self.state != GateState.OPEN or step.action != self.EVENTS["vote"]:
            return step
        return replace(step, actor="", reason="")

    def declare(
        self, conflict: Conflict, note: str, center_ids: Iterable[str], occasion: Occasion
    ) -> None:
        """Take what a member declares; a conflict stands until the gate has ended.

        Raises `IllegalStep`, `RulesBroken` for a conflict that is not explained, or
        `Refused`: ``NOT_ON_PANEL``, ``CONFLICT_STANDS``.
        """
        self._require_member("declare", occasion)
        if conflict != Conflict.NONE and not note.strip():
            raise RulesBroken(Broken("note", "REQUIRED"))
        before = self._declared(occasion.actor)
        if before and before.conflict != Conflict.NONE and conflict == Conflict.NONE:
            raise Refused("CONFLICT_STANDS")
        declared = Declaration(
            occasion.actor, conflict, note, occasion.at, sorted({*center_ids, *_centers(before)})
        )
        others = [item for item in self.declarations if item.subject != occasion.actor]
        self.declarations = [*others, declared]
        self._stay("declare", occasion, "declarations")

    def propose(
        self,
        terms: Terms,
        team: Team,
        center_ids: Iterable[str],
        occasion: Occasion,
        in_conflict: Collection[str] = (),
    ) -> None:
        """Put the terms of a decision to the panel, in place of those before for its kind.

        Votes on other terms do not count any more. `in_conflict` is as for
        `require_no_interest`. Raises `IllegalStep`, `RulesBroken`, or `Refused`
        ``TEAM_HAS_NO_SAY``, ``CONFLICT_HAS_NO_SAY``.
        """
        self.target_of("propose")
        self.require_no_interest(occasion.actor, center_ids, team, in_conflict)
        if not terms.are_needed:
            raise RulesBroken(Broken("decision", "NO_TERMS", {"decision": terms.kind.value}))
        if broken := terms.rules(occasion.today):
            raise RulesBroken(*broken)
        proposal = Proposal(terms, occasion.actor, occasion.at, terms_hash(terms))
        others = [item for item in self.proposals if item.terms.kind != terms.kind]
        self.proposals = [*others, proposal]
        self._stay("propose", occasion, "proposals")

    def vote(
        self,
        kind: DecisionKind,
        team: Team,
        center_ids: Iterable[str],
        assessment_hash: str,
        occasion: Occasion,
    ) -> None:
        """Take the vote of a member, in place of an earlier one; the reason is the occasion's.

        It is for the terms that stand for this kind, and on the criteria as they are now.
        Raises `IllegalStep`, `RulesBroken` without a reason, or `Refused`: ``NOT_ON_PANEL``,
        ``TEAM_HAS_NO_VOTE``, ``DECLARATION_NEEDED``, ``CONFLICT_HAS_NO_VOTE``,
        ``TERMS_NEEDED``.
        """
        self._require_member("vote", occasion)
        vote = Vote(
            occasion.actor,
            kind,
            occasion.reason,
            occasion.at,
            sorted(center_ids),
            assessment_hash=assessment_hash,
        )
        if why := self._why_not_counted(vote, team):
            raise Refused(why)
        terms = self.terms_of(kind)
        if terms is None:
            raise Refused("TERMS_NEEDED", decision=kind.value)
        if not occasion.reason.strip():
            raise RulesBroken(Broken("reason", "REASON_REQUIRED"))
        others = [item for item in self.votes if item.subject != occasion.actor]
        self.votes = [*others, replace(vote, terms_hash=terms_hash(terms))]
        self._stay("vote", occasion, "votes")

    def proposal_of(self, kind: DecisionKind) -> Proposal | None:
        """What is put to the panel for a kind of decision, or `None`."""
        return next((item for item in self.proposals if item.terms.kind == kind), None)

    def terms_of(self, kind: DecisionKind) -> Terms | None:
        """The terms that a vote for this kind is for; `None` where they are still to be put."""
        if proposal := self.proposal_of(kind):
            return proposal.terms
        terms = Terms(kind)
        return None if terms.are_needed else terms

    def counted(self, team: Team, assessment_hash: str) -> list[Vote]:
        """The votes that count, for the team, the terms and the criteria as they are now."""
        return [
            vote for vote in self._entitled(team) if not self._is_outdated(vote, assessment_hash)
        ]

    def quorum_for(self, team: Team) -> int:
        """The least number of votes that must count, for the team as it is now."""
        eligible = sum(not team.includes(member.subject) for member in self.panel)
        return max(self.quorum, eligible // 2 + 1, _LEAST_VOTES)

    def outcome(self, team: Team, assessment_hash: str) -> DecisionKind:
        """What more than half of the votes that count are for.

        Raises `Refused`: ``VOTES_OUTDATED`` while a member who may vote has voted on other
        terms or criteria, ``QUORUM_NOT_REACHED``, ``NO_MAJORITY``.
        """
        entitled = self._entitled(team)
        if late := [v.subject for v in entitled if self._is_outdated(v, assessment_hash)]:
            raise Refused("VOTES_OUTDATED", members=", ".join(sorted(late)))
        quorum = self.quorum_for(team)
        if len(entitled) < quorum:
            params = {"votes": str(len(entitled)), "quorum": str(quorum)}
            raise Refused("QUORUM_NOT_REACHED", **params)
        tally = Counter(vote.kind for vote in entitled)
        kind, most = tally.most_common(1)[0]
        if most * 2 <= len(entitled):
            votes = ", ".join(f"{each.value}: {tally[each]}" for each in sorted(tally))
            raise Refused("NO_MAJORITY", votes=votes)
        return kind

    def require_no_interest(
        self,
        subject: str,
        center_ids: Iterable[str],
        team: Team,
        in_conflict: Collection[str] = (),
    ) -> None:
        """Raise `Refused` for who is of the team or has declared a conflict of interest.

        `in_conflict` are those who have declared one at another gate over the visit; they
        need not be seated here. ``TEAM_HAS_NO_SAY``, ``CONFLICT_HAS_NO_SAY``: they neither
        open a gate, nor put terms to it, nor record its decision, nor withdraw it.
        """
        declared = self._declared(subject)
        team.require_outside(subject, {*center_ids, *_centers(declared)})
        if self._is_in_conflict(subject, in_conflict):
            raise Refused("CONFLICT_HAS_NO_SAY")

    def withdraw(
        self,
        team: Team,
        center_ids: Iterable[str],
        occasion: Occasion,
        in_conflict: Collection[str] = (),
    ) -> None:
        """End without a decision. Raises as `take` and `require_no_interest` do."""
        self.target_of("withdraw")
        self.require_no_interest(occasion.actor, center_ids, team, in_conflict)
        self.take("withdraw", occasion)

    def close(self, decision_id: str, occasion: Occasion) -> None:
        """End with a decision. Raises `IllegalStep`."""
        self.take("decide", occasion)
        self.decision_id = decision_id

    def steps_of(
        self,
        subject: str,
        center_ids: Iterable[str],
        team: Team,
        in_conflict: Collection[str] = (),
    ) -> list[str]:
        """Steps that the state allows to this person, whatever the roles are.

        `in_conflict` is as for `require_no_interest`.
        """
        steps = self.allowed_steps()
        declared = self._declared(subject)
        of_team = team.includes(subject, {*center_ids, *_centers(declared)})
        if of_team or self._is_in_conflict(subject, in_conflict):
            steps = [step for step in steps if step == "declare"]
        if not self.has_on_panel(subject):
            return [step for step in steps if step not in ("declare", "vote")]
        return steps if declared else [step for step in steps if step != "vote"]

    def _entitled(self, team: Team) -> list[Vote]:
        """The votes of those who have one, whatever they were given on."""
        return [vote for vote in self.votes if not self._why_not_counted(vote, team)]

    def _is_outdated(self, vote: Vote, assessment_hash: str) -> bool:
        """Tell whether a vote was given on other terms, or on other criteria."""
        terms = self.terms_of(vote.kind)
        on_terms = terms is not None and vote.terms_hash == terms_hash(terms)
        return not on_terms or vote.assessment_hash != assessment_hash

    def _why_not_counted(self, vote: Vote, team: Team) -> str:
        """The reason for which a vote does not count; empty if it does."""
        declared = self._declared(vote.subject)
        if team.includes(vote.subject, {*vote.center_ids, *_centers(declared)}):
            return "TEAM_HAS_NO_VOTE"
        if declared is None:
            return "DECLARATION_NEEDED"
        return "" if declared.conflict == Conflict.NONE else "CONFLICT_HAS_NO_VOTE"

    def _declared(self, subject: str) -> Declaration | None:
        return next((item for item in self.declarations if item.subject == subject), None)

    def _is_in_conflict(self, subject: str, elsewhere: Collection[str]) -> bool:
        declared = self._declared(subject)
        here = declared is not None and declared.conflict != Conflict.NONE
        return here or subject in elsewhere

    def _require_member(self, action: str, occasion: Occasion) -> None:
        self.target_of(action)
        if not self.has_on_panel(occasion.actor):
            raise Refused("NOT_ON_PANEL")

    def _stay(self, action: str, occasion: Occasion, changed: str) -> None:
        """Note a step that leaves it open; since when it is, and why, stays as well."""
        state = self.state.value
        self.record_step(
            self.EVENTS[action],
            occasion,
            from_state=state,
            to_state=state,
            changed_fields=[changed],
        )


def _centers(declaration: Declaration | None) -> list[str]:
    return declaration.center_ids if declaration else []


def _quorum_rules(quorum: int, eligible: int) -> list[Broken]:
    if eligible < LEAST_MEMBERS:
        params = {"eligible": str(eligible), "least": str(LEAST_MEMBERS)}
        return [Broken("panel", "PANEL_TOO_SMALL", params)]
    params = {"quorum": str(quorum), "eligible": str(eligible)}
    if quorum > eligible:
        return [Broken("quorum", "QUORUM_NOT_POSSIBLE", params)]
    return [] if quorum * 2 > eligible else [Broken("quorum", "QUORUM_TOO_SMALL", params)]


def _panel_rules(panel: Sequence[PanelMember]) -> list[Broken]:
    broken: list[Broken] = []
    seen = set[str]()
    for index, member in enumerate(panel):
        if not member.subject.strip():
            broken.append(Broken(f"panel[{index}].subject", "REQUIRED"))
        elif member.subject in seen:
            params = {"value": member.subject}
            broken.append(Broken(f"panel[{index}].subject", "DUPLICATE", params))
        if member.role is None:
            broken.append(Broken(f"panel[{index}].role", "REQUIRED"))
        seen.add(member.subject)
    return broken
