"""What the service does to find records that somebody has changed past it."""

from dataclasses import dataclass, field

from projects.domain.record_check import Damage, DamagedRecord, damaged_records
from projects.repository.criteria import evidence_of_files
from projects.repository.stored_records import stored_records
from servicekit.database import Database, ReadSession
from servicekit.object_store import DamagedError, ObjectStore

# Files at a time that are asked for; each is read once, however many pieces name it.
_FILES = 500


@dataclass
class RecordCheck:
    """How much was looked at, and what is not as it was recorded.

    `files` is `None` where no store of files is set.
    """

    decisions: int = 0
    evidence: int = 0
    files: int | None = None
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


async def check_files(database: Database, objects: ObjectStore, found: RecordCheck) -> None:
    """Read every file that evidence names, and compare its bytes with their SHA-256.

    Raises `Fault` ``UNAVAILABLE`` where the store is out of reach. The database is not
    held meanwhile: no evidence comes to name a file that is not there.
    """
    after, found.files = "", 0
    while True:
        async with database.read() as session:
            named = await evidence_of_files(session, after, _FILES)
        for sha256, evidence in named.items():
            damage = await _damage_of(objects, sha256)
            if damage is not None:
                found.damaged += [DamagedRecord(project, id, damage) for project, id in evidence]
        found.files += len(named)
        if len(named) < _FILES:
            return
        after = next(reversed(named))


async def _damage_of(objects: ObjectStore, sha256: str) -> Damage | None:
    pieces = await objects.read(sha256)
    if pieces is None:
        return Damage.FILE_MISSING
    try:
        async for _ in pieces:
            pass
    except DamagedError:
        return Damage.FILE_CHANGED
    return None
