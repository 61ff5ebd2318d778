"""The panel of a gate: its members, and what they declare of their own interests."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class PanelRole(StrEnum):
    """What a member of a panel looks at, or does."""

    CHAIR = "chair"
    SCIENCE = "science"
    CLINIC = "clinic"
    QUALITY = "quality"
    REGULATION = "regulation"
    ETHICS = "ethics"
    BUSINESS = "business"
    PATIENTS = "patients"
    OTHER = "other"


class Conflict(StrEnum):
    """The nature of a conflict of interest, or that there is none."""

    NONE = "none"
    FINANCIAL = "financial"
    EMPLOYMENT = "employment"
    SCIENTIFIC = "scientific"
    FAMILY = "family"
    OTHER = "other"


@dataclass(frozen=True)
class PanelMember:
    """Who sits on a panel, by the subject of their tokens, and as what."""

    subject: str
    role: PanelRole | None


@dataclass(frozen=True)
class Declaration:
    """What a member declares; `center_ids` are the centers that the token named then."""

    subject: str
    conflict: Conflict
    note: str
    declared_at: datetime
    center_ids: list[str] = field(default_factory=list[str])
