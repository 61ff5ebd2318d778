"""The tables of this service."""

from projects.tables.awards import award, disbursement
from projects.tables.companies import company
from projects.tables.conditions import project_condition
from projects.tables.criteria import SPEAKS_FOR, evidence, waiver
from projects.tables.gates import gate
from projects.tables.neighbours import (
    known_agreement,
    known_center,
    known_institution,
    known_regulation,
)
from projects.tables.outputs import output
from projects.tables.projects import decision, project
from projects.tables.readiness import readiness_claim
from projects.tables.shared import metadata, service_tables

__all__ = [
    "SPEAKS_FOR",
    "award",
    "company",
    "decision",
    "disbursement",
    "evidence",
    "gate",
    "known_agreement",
    "known_center",
    "known_institution",
    "known_regulation",
    "metadata",
    "output",
    "project",
    "project_condition",
    "readiness_claim",
    "service_tables",
    "waiver",
]
