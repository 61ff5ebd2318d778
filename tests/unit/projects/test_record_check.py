"""Which stored records are found not to be as they were recorded."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from projects.domain.decisions import DecidedCriterion, Decision, DecisionKind
from projects.domain.pathways import Stage
from projects.domain.record_check import Damage, DamagedRecord, StoredRecords, damaged_records
from projects.domain.record_hashes import sealed

HASHES = {"evd_1": "a" * 64, "evd_2": "b" * 64}


def decision(id: str, before: Decision | None = None) -> Decision:
    made = Decision(
        id=id,
        project_id="prj_1",
        kind=DecisionKind.GO,
        from_stage=Stage.S0,
        to_stage=Stage.S1,
        reason="All of it holds.",
        recorded_by="sara",
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
        template_version="3",
        criteria=[
            DecidedCriterion(
                "disclosure",
                "verified",
                evidence_ids=list(HASHES),
                evidence_hashes=list(HASHES.values()),
            )
        ],
    )
    return sealed(made, before)


FIRST = decision("dec_1")
SECOND = decision("dec_2", FIRST)
STORED = StoredRecords("prj_1", "dec_2", [FIRST, SECOND], [], HASHES)


def test_records_that_nobody_has_touched_are_found_whole() -> None:
    assert damaged_records(STORED) == []


@pytest.mark.parametrize(
    ("stored", "record", "damage"),
    [
        (
            replace(STORED, decisions=[FIRST, replace(SECOND, reason="As I wished.")]),
            "dec_2",
            Damage.CHANGED,
        ),
        (replace(STORED, decisions=[SECOND]), "dec_2", Damage.CHANGED),
        (replace(STORED, decisions=[FIRST]), "dec_2", Damage.MISSING),
        (
            replace(STORED, decisions=[FIRST], unreadable=["dec_2"]),
            "dec_2",
            Damage.CHANGED,
        ),
        (replace(STORED, evidence_hashes=HASHES | {"evd_2": "c" * 64}), "evd_2", Damage.CHANGED),
        (replace(STORED, evidence_hashes={"evd_2": "b" * 64}), "evd_1", Damage.MISSING),
    ],
)
def test_a_record_that_is_not_as_it_was_recorded_is_named_once(
    stored: StoredRecords, record: str, damage: Damage
) -> None:
    assert damaged_records(stored) == [DamagedRecord("prj_1", record, damage)]
