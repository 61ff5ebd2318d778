"""What the service does to find records that somebody has changed past it."""

from dataclasses import dataclass, field

from projects.domain.record_check import DamagedRecord, damaged_records
from projects.repository.stored_records import stored_records
from servicekit.database import ReadSession


@dataclass
class RecordCheck:
    """How much was looked at, and what is not as it was recorded."""

    decisions: int = 0
    evidence: int = 0
    damaged: list[DamagedRecord] = field(default_factory=list[DamagedRecord])


async def check_records(session: ReadSession) -> RecordCheck:
    """Make the hashes of all decisions anew, and compare those of the evidence they stood on."""
    found = RecordCheck()
    async for stored in stored_records(session):
        found.decisions += len(stored.decisions) + len(stored.unreadable)
        named = {
            id for item in stored.decisions for one in item.criteria for id in one.evidence_ids
        }
        found.evidence += len(named)
        found.damaged += damaged_records(stored)
    return found
