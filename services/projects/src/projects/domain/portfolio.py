"""What makes a project stuck, and who can do something about it."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from projects.domain.flags import FlagKind

LEAST_VISITS = 4
"""Ended visits to a stage from which on it is known how long the stage takes."""
PATIENCE_DAYS = 14
"""Days after which waiting for votes, to be decided or to be verified makes a project stuck."""


class StuckReason(StrEnum):
    """Why a project is stuck."""

    LONG_IN_STAGE = "long_in_stage"
    ON_HOLD = "on_hold"
    FLAGGED = "flagged"
    CONDITION_OVERDUE = "condition_overdue"
    GATE_WITHOUT_QUORUM = "gate_without_quorum"
    EVIDENCE_WAITS = "evidence_waits"
    GATE_UNDECIDED = "gate_undecided"


_HEADQUARTERS = ("hq_admin",)
_CENTER_FIRST = ("center_admin", "center_operator", "hq_admin")
# As far as the reason alone says it.
_OPEN_TO: Mapping[StuckReason, Sequence[str]] = {
    StuckReason.LONG_IN_STAGE: _CENTER_FIRST,
    StuckReason.ON_HOLD: _HEADQUARTERS,
    StuckReason.FLAGGED: ("hq_admin", "center_admin"),
    StuckReason.CONDITION_OVERDUE: _CENTER_FIRST,
    StuckReason.GATE_WITHOUT_QUORUM: ("hq_admin", "center_admin", "center_operator"),
    StuckReason.EVIDENCE_WAITS: _HEADQUARTERS,
    StuckReason.GATE_UNDECIDED: _HEADQUARTERS,
}


def open_to(reason: StuckReason, flag: str, *, reported: bool) -> Sequence[str]:
    """Roles, one of which can take the next step; `reported` is a condition, by its owner."""
    if flag == FlagKind.REGULATION_CHANGED or reported:
        return _HEADQUARTERS
    return _OPEN_TO[reason]
