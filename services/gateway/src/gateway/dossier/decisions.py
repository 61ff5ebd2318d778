"""How the document shows a gate decision: who decided what, on what, and why."""

from collections.abc import Mapping
from typing import Any

from gateway.dossier.gates import withdrawn_rows
from gateway.dossier.teller import Cell, Teller, apart, hashed
from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import decisions_pb2
from peyvand.projects.v1 import dossier_pb2 as pb

Json = dict[str, Any]

# Colours of the badges, as `dossier.typ` names them.
TONES: Mapping[int, str] = {
    decisions_pb2.DECISION_KIND_GO: "good",
    decisions_pb2.DECISION_KIND_CONDITIONAL_GO: "fair",
    decisions_pb2.DECISION_KIND_HOLD: "wait",
    decisions_pb2.DECISION_KIND_RECYCLE: "wait",
    decisions_pb2.DECISION_KIND_KILL: "bad",
}


def decision_blocks(dossier: pb.ProjectDossier, teller: Teller) -> list[Json]:
    """The decisions, the oldest first."""
    criteria = {item.code: item.text for item in dossier.criteria}
    numbers = {item.id: number for number, item in enumerate(dossier.decisions, start=1)}
    return [_decision(item, numbers, criteria, teller) for item in dossier.decisions]


def _decision(
    decision: decisions_pb2.Decision,
    numbers: Mapping[str, int],
    criteria: Mapping[str, types_pb2.LocalizedText],
    teller: Teller,
) -> Json:
    say = teller.say
    ways = [teller.label(decision, "from_stage"), teller.label(decision, "to_stage")]
    facts: list[tuple[str, Cell]] = [
        (say("Gate opened by"), apart(decision.opened_by)),
        (say("Terms proposed by"), apart(decision.proposed_by)),
        (say("Recorded by"), apart(decision.recorded_by)),
        (say("When"), teller.when(decision.created_at)),
        (say("Decided"), teller.imprecise(decision, "decided_date")),
        (say("Why"), apart(decision.reason)),
        (say("Looked at again on"), teller.day(decision.resume_date)),
        (say("Quorum"), teller.number(decision.quorum) if decision.quorum else ""),
    ]
    if decision.supersedes_id:
        number = teller.number(numbers.get(decision.supersedes_id, 0))
        facts.append((say("Corrects"), number))
    if decision.HasField("kill"):
        code = teller.label(decision.kill, "code")
        facts += [
            (say("What happened"), f"{code}: {apart(decision.kill.narrative)}"),
            (say("Lessons"), apart(decision.kill.lessons)),
        ]
    return {
        "kind": "decision",
        "number": teller.number(numbers[decision.id]),
        "tone": TONES[decision.kind],
        "label": teller.label(decision, "kind"),
        "from": ways[0],
        "to": ways[1] if ways[1] != ways[0] else "",
        "facts": [(label, value) for label, value in facts if value],
        "tables": [item for item in _tables(decision, criteria, teller) if item["rows"]],
        "hashes": [
            (say("Hash"), hashed(decision.record_hash)),
            (say("Before it"), hashed(decision.previous_hash)),
            *(
                (label, hashed(sha256))
                for label, sha256 in (
                    (say("Terms that were voted for"), decision.terms_hash),
                    (say("Criteria voted on"), decision.assessment_hash),
                )
                if sha256
            ),
        ]
        if decision.record_hash
        else [],
    }


def _tables(
    decision: decisions_pb2.Decision,
    criteria: Mapping[str, types_pb2.LocalizedText],
    teller: Teller,
) -> list[Json]:
    say = teller.say
    declared = {item.subject: item for item in decision.declarations}

    def interests(subject: str) -> tuple[str, str]:
        if subject not in declared:
            return say("nothing declared"), ""
        return teller.label(declared[subject], "conflict"), apart(declared[subject].note)

    votes: list[list[Cell]] = [
        [
            apart(item.subject),
            teller.label(item, "kind"),
            apart(item.reason),
            teller.when(item.voted_at),
        ]
        for item in decision.votes
    ]
    panel: list[list[Cell]] = [
        [apart(item.subject), teller.label(item, "role"), *interests(item.subject)]
        for item in decision.panel
    ]
    made: list[list[Cell]] = [
        [
            teller.text(item.text),
            apart(item.owner),
            teller.day(item.due_date),
            teller.text(criteria[item.criterion])
            if item.criterion in criteria
            else apart(item.criterion),
        ]
        for item in decision.conditions
    ]
    stood: list[list[Cell]] = [
        [
            teller.text(criteria[item.code]) if item.code in criteria else apart(item.code),
            teller.label(item, "state"),
            _stands_on(item, teller),
        ]
        for item in decision.criteria
    ]
    return [
        _table(
            say("Votes that counted"),
            [say("Member"), say("Vote"), say("Why"), say("When")],
            votes,
            "1fr 1fr 2.4fr 1.3fr",
        ),
        _table(
            say("Panel and interests"),
            [say("Member"), say("Role"), say("Declared"), say("Note")],
            panel,
            "1fr 1.2fr 1.4fr 2fr",
        ),
        _table(
            say("Conditions"),
            [say("What"), say("Owner"), say("Due"), say("Criterion that is left open")],
            made,
            "2.4fr 1.4fr 1fr 1.6fr",
        ),
        _table(
            say("How it stood with the criteria"),
            [say("Criterion"), say("State"), say("Stands on")],
            stood,
            "3fr 1fr 1.2fr",
        ),
        _table(
            say("Gates over this visit that were withdrawn before"),
            [say("Opened"), say("Withdrawn"), say("Why"), say("Votes until then")],
            withdrawn_rows(decision, teller),
            "1.3fr 1.3fr 2fr 1.6fr",
        ),
    ]


def _table(title: str, head: list[str], rows: list[list[Cell]], widths: str) -> Json:
    return {"title": title, "head": head, "rows": rows, "widths": widths.split()}


def _stands_on(item: decisions_pb2.DecidedCriterion, teller: Teller) -> str:
    if item.waiver_id:
        return teller.say("a waiver")
    if not item.evidence_ids:
        return teller.say("nothing")
    return f"{teller.say('Evidence')}: {teller.number(len(item.evidence_ids))}"
