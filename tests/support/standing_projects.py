"""Projects that stand at their gate, with little or much evidence of earlier visits."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from projects import tables
from projects.domain.pathways import Pathway, Stage
from projects.pathway_templates import NEWEST, template
from servicekit.ids import new_id
from tests.support.many_projects import aggregate

if TYPE_CHECKING:
    from tests.support.many_projects import ManyProjects

PANEL = ("dana", "mina", "omid")


def at_gate(made: ManyProjects, *, evidence: int) -> str:
    """Add a project that came back to S1, and stands at its gate with all that it needs,
    its panel about to vote.

    Of its evidence, two pieces for each criterion are of the present visit; the others are
    of the three visits before, for both stages. Returns its id.
    """
    way, pathway = template(NEWEST), Pathway.SOMATIC_CELL
    at = made.now - timedelta(days=100)
    id, gate_id = new_id("prj"), new_id("gat")
    stages = (Stage.S0, Stage.S1, Stage.S0, Stage.S1)
    visits = [
        {
            "stage": stage.value,
            "entered_at": (at + timedelta(days=10 * number)).isoformat(),
            "left_at": (at + timedelta(days=10 * number + 10)).isoformat() if number < 3 else None,
            "decision_id": "",
        }
        for number, stage in enumerate(stages)
    ]
    made.add(
        tables.project,
        aggregate(id, at, sample=False)
        | {
            "titles": {"fa": "", "en": "Cartilage patch"},
            "summary": None,
            "lead_center_id": new_id("ctr"),
            "pathway": pathway.value,
            "participants": [],
            "people": [],
            "initial_stage": "s0",
            "initial_stage_reason": "",
            "revival_of_id": None,
            "template_version": way.version,
            "stage": "s1",
            "stage_visits": visits,
            "resume_date": "",
            "hold_cause": None,
            "latest_decision_id": "",
            "open_gate_id": gate_id,
            "flags": [],
            "acknowledged": [],
            "state": "active",
        },
    )
    declared = {"conflict": "none", "note": "", "declared_at": at.isoformat(), "center_ids": []}
    made.add(
        tables.gate,
        aggregate(gate_id, at, sample=False)
        | {
            "state": "open",
            "project_id": id,
            "stage": "s1",
            "visit": len(stages),
            "supersedes_id": None,
            "panel": [{"subject": subject, "role": "science"} for subject in PANEL],
            "quorum": len(PANEL),
            "declarations": [{"subject": subject, **declared} for subject in PANEL],
            "votes": [],
            "decision_id": "",
        },
    )
    present = [c.code for c in way.criteria_of(pathway, Stage.S1)]
    before = [(c.code, c.stage.value) for c in way.criteria if c.stage in (Stage.S0, Stage.S1)]
    for number in range(evidence):
        if number < 2 * len(present):
            add_evidence(made, id, present[number % len(present)], "s1", visit=4)
        else:
            code, stage = before[number % len(before)]
            state = ("verified", "rejected", "superseded")[number % 3]
            visit = 2 if stage == "s1" else (1, 3)[number % 2]
            add_evidence(made, id, code, stage, visit=visit, state=state)
    return id


def add_evidence(
    made: ManyProjects,
    project_id: str,
    code: str,
    stage: str,
    *,
    visit: int,
    state: str = "verified",
) -> dict[str, Any]:
    """Add a piece of evidence that was made in a visit; returns its row."""
    at = made.now - timedelta(days=50)
    confirmed = {"visit": visit, "confirmed_by": "verifier", "confirmed_at": at.isoformat()}
    return made.add(
        tables.evidence,
        aggregate(new_id("evd"), at, sample=False)
        | {
            "state": state,
            "project_id": project_id,
            "criterion": code,
            "stage": stage,
            "visit": visit,
            "kind": "report",
            "title": {"fa": "", "en": f"Report on {code}"},
            "description": "",
            "file": None,
            "reference": {"uri": "https://example.org/report", "sha256": "a" * 64},
            "submitted_by": "kian",
            "confirmations": [confirmed] if state == "verified" else [],
            "supersedes_id": None,
            "superseded_by_id": new_id("evd") if state == "superseded" else "",
        },
    )
