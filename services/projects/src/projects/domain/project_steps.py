"""Which steps of a project are open to somebody: those that would not be refused now."""

from dataclasses import dataclass
from datetime import date

from projects.domain.project import Project
from projects.domain.team import Stake


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Who asks, and what the answer hangs on that does not stand in the project.

    `is_overdue` tells whether a condition of it is, `can_be_decided` whether the panel at its
    gate has voted for something that can be recorded by who asks.
    """

    subject: str
    stake: Stake
    is_overdue: bool
    can_be_decided: bool


def steps_of(project: Project, asking: Asking, today: date) -> list[str]:
    """Verbs that are possible for somebody on a day, as far as the rules go."""
    others = {*project.named_subjects} - {*project.struck_subjects, asking.subject}
    possible = {
        "decide": asking.can_be_decided,
        "acknowledge-flag": asking.stake.is_none,
        "strike-naming": bool(others) and not asking.stake.acts,
        "resume": asking.stake.is_none and not asking.is_overdue,
    }
    return [verb for verb in project.steps_on(today) if possible[verb]]
