"""Whether stored decisions, and the evidence that they stood on, are as they were recorded."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from projects.domain.decisions import Decision
from projects.domain.record_hashes import damaged


class Damage(StrEnum):
    """What is wrong with a record."""

    CHANGED = "changed"
    """It does not match the hash that was made of it, or does not follow the one before."""
    MISSING = "missing"
    """Another record names it, and it is not there."""
    FILE_CHANGED = "file_changed"
    """The stored bytes of its file do not have the SHA-256 that it names."""
    FILE_MISSING = "file_missing"
    """Its file is not in the store."""


@dataclass(frozen=True)
class DamagedRecord:
    """A decision or a piece of evidence that is not as it was recorded."""

    project_id: str
    record_id: str
    damage: Damage


@dataclass(frozen=True)
class StoredRecords:
    """What is stored of one project.

    `decisions` are those that can be read, the oldest first; `unreadable` are the ids of the
    others. `latest_decision_id` is the last one by the word of the project itself.
    `evidence_hashes` are those of its evidence, by id; empty for a piece without.
    """

    project_id: str
    latest_decision_id: str
    decisions: Sequence[Decision]
    unreadable: Sequence[str]
    evidence_hashes: Mapping[str, str]


def damaged_records(stored: StoredRecords) -> list[DamagedRecord]:
    """The records of a project that are not as they were recorded, each once."""
    found = [(id, Damage.CHANGED) for id in (*stored.unreadable, *damaged(stored.decisions))]
    known = {*stored.unreadable, *(item.id for item in stored.decisions)}
    latest = stored.latest_decision_id
    if latest and latest not in known:
        found.append((latest, Damage.MISSING))
    found += _damaged_evidence(stored)
    return [DamagedRecord(stored.project_id, id, damage) for id, damage in dict.fromkeys(found)]


def _damaged_evidence(stored: StoredRecords) -> Iterable[tuple[str, Damage]]:
    for decision in stored.decisions:
        for item in decision.criteria:
            for id in item.evidence_ids:
                sha256 = stored.evidence_hashes.get(id)
                if sha256 is None:
                    yield id, Damage.MISSING
                elif sha256 not in item.evidence_hashes:
                    yield id, Damage.CHANGED
