"""Whether money can be released for a project, whatever the award."""

from collections.abc import Sequence

from domainkit.rules import Refused
from projects.domain.flags import Neighbours, in_order, in_words
from projects.domain.pathways import Stage
from projects.domain.project import Project, ProjectState


def can_be_paid(
    project: Project, overdue_condition_ids: Sequence[str], neighbours: Neighbours
) -> bool:
    """Tell whether `require_payable` lets a project pass."""
    try:
        require_payable(project, overdue_condition_ids, neighbours)
    except Refused:
        return False
    return True


def require_payable(
    project: Project, overdue_condition_ids: Sequence[str], neighbours: Neighbours
) -> None:
    """Raise `Refused` unless money can be released for a project now.

    ``KILLED_IS_FINAL``, ``PROJECT_ON_HOLD``, ``CONDITION_OVERDUE``, ``NOT_DECIDED_HERE`` or
    ``FLAGS_BLOCK_PAYMENT``. One that was recorded at a later stage has passed the gates before
    by the word of one person; a panel decides on it first. `neighbours` hold what is known of
    its centers and agreements: they are asked themselves, as a completed project has no flags
    and can still be paid.
    """
    if project.state == ProjectState.KILLED:
        raise Refused("KILLED_IS_FINAL")
    # An overdue condition is named although it holds the project too: it says what to do.
    if overdue_condition_ids:
        raise Refused("CONDITION_OVERDUE", conditions=", ".join(overdue_condition_ids))
    if project.state == ProjectState.ON_HOLD:
        raise Refused("PROJECT_ON_HOLD")
    if project.initial_stage != Stage.S0 and not project.latest_decision_id:
        raise Refused("NOT_DECIDED_HERE", stage=project.initial_stage.value)
    due = [
        *neighbours.center_flags(project.center_ids()),
        *neighbours.agreement_flags(project.agreement_ids()),
        *project.flags,
    ]
    blocking = {(f.kind, f.resource_id): f for f in due if f.blocks_disbursement}
    if blocking:
        raise Refused("FLAGS_BLOCK_PAYMENT", flags=in_words(in_order(blocking.values())))
