"""How the document shows gates: who opened them, what was put to the panel, how they ended."""

from collections.abc import Iterable
from typing import Any

from gateway.dossier.tables import lines, table
from gateway.dossier.teller import Cell, Teller, apart
from peyvand.projects.v1 import decisions_pb2, gates_pb2
from peyvand.projects.v1 import dossier_pb2 as pb

Json = dict[str, Any]


def gate_blocks(dossier: pb.ProjectDossier, teller: Teller) -> list[Json]:
    """The gates, the terms that were put to their panels, and those that were withdrawn."""
    say = teller.say
    withdrawn = [
        kept for kept in dossier.gates if kept.gate.state == gates_pb2.GATE_STATE_WITHDRAWN
    ]
    return [
        table(
            "",
            [say("Stage"), say("Opened"), say("State"), say("Panel"), say("Votes")],
            [_gate(kept.gate, teller) for kept in dossier.gates],
            "1.2fr 1.3fr 1fr 2fr 1.8fr",
        ),
        table(
            say("Terms that were put to the panels"),
            [say("Stage"), say("Decision"), say("Terms"), say("Proposed by")],
            [row for kept in dossier.gates for row in _proposals(kept.gate, teller)],
            "1.2fr 1fr 3fr 1.3fr",
        ),
        table(
            say("Gates that were withdrawn"),
            [say("Stage"), say("Opened"), say("Withdrawn"), say("Why"), say("Votes until then")],
            [_withdrawn(kept, teller) for kept in withdrawn],
            "1.2fr 1.3fr 1.3fr 2fr 1.8fr",
        ),
    ]


def terms_of(
    terms: decisions_pb2.DecisionTerms | decisions_pb2.Decision, teller: Teller
) -> Iterable[str]:
    """What a decision comes with, a line for each thing."""
    if terms.resume_date:
        yield f"{teller.say('Looked at again on')}: {teller.day(terms.resume_date)}"
    if terms.to_stage and terms.kind == decisions_pb2.DECISION_KIND_RECYCLE:
        yield teller.label(terms, "to_stage")
    if terms.HasField("kill"):
        yield f"{teller.label(terms.kill, 'code')}: {apart(terms.kill.narrative)}"
        yield f"{teller.say('Lessons')}: {apart(terms.kill.lessons)}"
    for item in terms.conditions:
        due = f"{apart(item.owner)}, {teller.day(item.due_date)}"
        open_for = f" [{apart(item.criterion)}]" if item.criterion else ""
        yield f"{teller.text(item.text)} ({due}){open_for}"


def condition_rows(dossier: pb.ProjectDossier, teller: Teller) -> list[list[Cell]]:
    """The conditions: what, who sees to it, what was said of it being met, and by whom."""
    criteria = {item.code: item.text for item in dossier.criteria}
    rows: list[list[Cell]] = []
    for item in (kept.condition for kept in dossier.conditions):
        named = criteria.get(item.criterion)
        told = item.report
        rows.append(
            [
                lines(
                    teller.text(item.text),
                    teller.text(named) if named else apart(item.criterion),
                ),
                lines(apart(item.owner), teller.day(item.due_date)),
                lines(teller.label(item, "state"), apart(item.state_reason)),
                lines(
                    apart(told.reported_by),
                    teller.day_of(told.reported_at) if told.HasField("reported_at") else "",
                    apart(told.note),
                ),
                apart(item.confirmed_by),
            ]
        )
    return rows


def withdrawn_rows(decision: decisions_pb2.Decision, teller: Teller) -> list[list[Cell]]:
    """Earlier gates over the visit of a decision that ended without one."""
    return [
        [
            lines(apart(item.opened_by), teller.when(item.opened_at)),
            lines(apart(item.withdrawn_by), teller.when(item.withdrawn_at)),
            apart(item.reason),
            lines(*(f"{apart(vote.subject)}: {teller.label(vote, 'kind')}" for vote in item.votes)),
        ]
        for item in decision.withdrawn_gates
    ]


def _gate(gate: gates_pb2.Gate, teller: Teller) -> list[Cell]:
    declared = {item.subject: item for item in gate.declarations}
    panel = [
        f"{apart(item.subject)} ({teller.label(item, 'role')})"
        + (
            f": {teller.label(declared[item.subject], 'conflict')}"
            if item.subject in declared
            else ""
        )
        for item in gate.panel
    ]
    votes = [
        lines(f"{apart(item.subject)}: {teller.label(item, 'kind')}", apart(item.reason))
        for item in gate.votes
    ]
    return [
        _stage(gate, teller),
        lines(apart(gate.opened_by), teller.when(gate.created_at)),
        lines(teller.label(gate, "state"), _quorum(gate, teller)),
        lines(*panel),
        lines(*votes),
    ]


def _proposals(gate: gates_pb2.Gate, teller: Teller) -> Iterable[list[Cell]]:
    for item in gate.proposals:
        yield [
            _stage(gate, teller),
            teller.label(item.terms, "kind"),
            lines(*terms_of(item.terms, teller)),
            lines(apart(item.proposed_by), teller.when(item.proposed_at)),
        ]


def _withdrawn(kept: pb.DossierGate, teller: Teller) -> list[Cell]:
    gate = kept.gate
    by = next((step.actor for step in kept.steps if step.action == "withdrawn"), "")
    return [
        _stage(gate, teller),
        lines(apart(gate.opened_by), teller.when(gate.created_at)),
        lines(apart(by), teller.when(gate.state_since)),
        apart(gate.state_reason),
        lines(*(f"{apart(vote.subject)}: {teller.label(vote, 'kind')}" for vote in gate.votes)),
    ]


def _stage(gate: gates_pb2.Gate, teller: Teller) -> str:
    say = teller.say
    visit = " ".join((say("Visit"), teller.number(gate.visit)))
    corrects = say("to correct a decision") if gate.supersedes_id else ""
    return lines(teller.label(gate, "stage"), visit, corrects)


def _quorum(gate: gates_pb2.Gate, teller: Teller) -> str:
    return f"{teller.say('Quorum')}: {teller.number(gate.quorum)}" if gate.quorum else ""
