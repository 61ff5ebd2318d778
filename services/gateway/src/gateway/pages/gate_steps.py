"""The steps of gates and conditions that need more than a few words, as forms take them."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class OwnStep:
    """One of them: its rpc, where the id stands in the request, and what a form gives."""

    rpc: str
    place: str
    asks: tuple[str, ...]
    preset: Mapping[str, str] = field(default_factory=dict[str, str])


def _propose(kind: str, *asks: str) -> OwnStep:
    return OwnStep("Gates/ProposeAtGate", "gate_id", asks, {"decision": kind})


OWN_STEPS: Mapping[str, Mapping[str, OwnStep]] = {
    "gates": {
        "declare": OwnStep("Gates/DeclareAtGate", "gate_id", ("conflict", "note")),
        "vote": OwnStep("Gates/VoteAtGate", "gate_id", ("decision", "reason", "assessment_hash")),
        "propose-conditional-go": _propose(
            "conditional_go",
            "conditions[].text.fa",
            "conditions[].text.en",
            "conditions[].owner",
            "conditions[].due_date",
            "conditions[].criterion",
        ),
        "propose-hold": _propose("hold", "resume_date"),
        "propose-recycle": _propose("recycle", "to_stage"),
        "propose-kill": _propose("kill", "kill.code", "kill.narrative", "kill.lessons"),
    },
    "projects": {
        "open-gate": OwnStep(
            "Gates/CreateGate",
            "gate.project_id",
            ("gate.panel[].subject", "gate.panel[].role", "gate.quorum", "gate.supersedes_id"),
        ),
        "decide": OwnStep(
            "Projects/DecideProject", "project_id", ("decision", "reason", "decided_date.value")
        ),
        "waive": OwnStep(
            "Criteria/CreateWaiver",
            "waiver.project_id",
            ("waiver.criterion", "waiver.reason", "waiver.expiry_date"),
        ),
        "acknowledge-flag": OwnStep(
            "Projects/AcknowledgeProjectFlag", "project_id", ("regulation_id", "reason")
        ),
        "strike-naming": OwnStep(
            "Projects/StrikeProjectNaming", "project_id", ("subject", "reason")
        ),
    },
    "conditions": {
        "report": OwnStep("Gates/ReportProjectCondition", "condition_id", ("evidence_id", "note")),
    },
}
"""By the collection of the page, and the name of the step in addresses."""
