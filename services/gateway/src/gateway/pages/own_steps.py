"""The steps that need more than a few words, as forms take them: of gates, evidence and awards."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class OwnStep:
    """One of them: its rpc, where the id stands in the request, and what a form gives.

    `preset` is what the form itself stands for. `along` names what goes along with a value: in
    the same message as the value stands the last step of the other, as it was typed there.
    """

    rpc: str
    place: str
    asks: tuple[str, ...]
    preset: Mapping[str, str] = field(default_factory=dict[str, str])
    along: Mapping[str, str] = field(default_factory=dict[str, str])


def _propose(kind: str, *asks: str) -> OwnStep:
    return OwnStep("Gates/ProposeAtGate", "gate_id", asks, {"decision": kind})


_BROUGHT = (
    "evidence.kind",
    "evidence.title.fa",
    "evidence.title.en",
    "evidence.description",
    "evidence.file.name",
    "evidence.file.media_type",
    "evidence.file.size_bytes",
    "evidence.file.sha256",
    "evidence.reference.uri",
    "evidence.reference.sha256",
)

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
        "add-evidence": OwnStep(
            "Criteria/CreateEvidence", "evidence.project_id", ("evidence.criterion", *_BROUGHT)
        ),
        "record-award": OwnStep(
            "Awards/CreateAward",
            "award.project_id",
            (
                "award.titles.fa",
                "award.titles.en",
                "award.funder.names.fa",
                "award.funder.names.en",
                "award.funder.ror_id",
                "award.grant_number",
                "award.amount.amount",
                "award.amount.currency",
                "award.awarded_date.value",
                "award.milestones[].code",
                "award.milestones[].text.fa",
                "award.milestones[].text.en",
                "award.milestones[].due_date",
                "award.tranches[].code",
                "award.tranches[].amount.amount",
                "award.tranches[].milestone_code",
            ),
            # All money of an award is in one currency, which is asked for once.
            along={"award.tranches[].amount.amount": "award.amount.currency"},
        ),
    },
    "evidence": {
        # A better piece, for the same project and criterion, in the place of this one.
        "supersede": OwnStep(
            "Criteria/CreateEvidence",
            "evidence.supersedes_id",
            (
                "evidence.project_id",
                "evidence.criterion",
                "evidence.resubmission_reason",
                *_BROUGHT,
            ),
        ),
    },
    "awards": {
        "report-milestone": OwnStep(
            "Awards/ReportMilestone", "award_id", ("milestone_code", "evidence_ids[]", "note")
        ),
        "return-milestone": OwnStep(
            "Awards/ReturnMilestone", "award_id", ("milestone_code", "reason")
        ),
        "meet-milestone": OwnStep("Awards/MeetMilestone", "award_id", ("milestone_code", "reason")),
        "release-tranche": OwnStep(
            "Awards/ReleaseTranche",
            "award_id",
            ("tranche_code", "amount.amount", "payment_reference", "reason"),
            along={"amount.amount": "currency"},
        ),
    },
    "conditions": {
        "report": OwnStep("Gates/ReportProjectCondition", "condition_id", ("evidence_id", "note")),
    },
}
"""By the collection of the page, and the name of the step in addresses."""
