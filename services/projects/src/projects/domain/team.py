"""Who stands behind a project, and has therefore no vote at its gates."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from domainkit.rules import Refused
from projects.domain.project import Project


@dataclass(frozen=True)
class Team:
    """The subjects of those who work on a project or speak for it, and their centers."""

    subjects: frozenset[str]
    center_ids: frozenset[str]

    def includes(self, subject: str, center_ids: Iterable[str] = ()) -> bool:
        """Tell whether someone is of it, in person or by a center that their token names."""
        return subject in self.subjects or not self.center_ids.isdisjoint(center_ids)

    def require_outside(self, subject: str, center_ids: Iterable[str] = ()) -> None:
        """Raise `Refused` ``TEAM_HAS_NO_SAY`` for someone who is of it."""
        if self.includes(subject, center_ids):
            raise Refused("TEAM_HAS_NO_SAY")


@dataclass(frozen=True)
class Stake:
    """What ties somebody to a project, so that others speak for it in that one's place.

    `acts` is for having worked or spoken for it, in person or by a center; `of_team` besides
    for being named on it; `in_conflict` for a conflict of interest that was declared in it.
    """

    acts: bool
    of_team: bool
    in_conflict: bool

    @property
    def is_none(self) -> bool:
        """Whether nothing of the team nor a conflict ties this person to it."""
        return not (self.of_team or self.in_conflict)

    def require_none(self) -> None:
        """Raise `Refused` ``TEAM_HAS_NO_SAY`` or ``CONFLICT_HAS_NO_SAY`` where something does."""
        if self.of_team:
            raise Refused("TEAM_HAS_NO_SAY")
        if self.in_conflict:
            raise Refused("CONFLICT_HAS_NO_SAY")

    def require_no_acts(self) -> None:
        """Raise `Refused` ``TEAM_HAS_NO_SAY`` for who has worked or spoken for it."""
        if self.acts:
            raise Refused("TEAM_HAS_NO_SAY")


def stake_of(
    subject: str,
    center_ids: Iterable[str],
    project: Project,
    contributors: Iterable[str],
    *,
    in_conflict: bool,
) -> Stake:
    """The stake of somebody in a project; `contributors` are as for `team_of`."""
    centers, who = list(center_ids), list(contributors)
    unnamed = team_of(replace(project, people=[], named_subjects=[]), who)
    return Stake(
        acts=unnamed.includes(subject, centers),
        of_team=team_of(project, who).includes(subject, centers),
        in_conflict=in_conflict,
    )


def team_of(project: Project, contributors: Iterable[str]) -> Team:
    """The team of a project.

    `contributors` are the subjects who have submitted evidence, asked for waivers, claimed
    readiness, or reported a condition or a milestone in it. Who was on the team once, or was
    named on the project once, stays of it, unless that naming was struck as wrong.
    """
    named = {*project.named_subjects, *(person.subject for person in project.people)}
    named.difference_update(project.struck_subjects)
    return Team(
        subjects=frozenset({*named, *contributors} - {""}),
        center_ids=frozenset({*project.named_center_ids, *project.center_ids()} - {""}),
    )
