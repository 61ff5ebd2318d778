"""Who stands behind a project, and has therefore no vote at its gates."""

from collections.abc import Iterable
from dataclasses import dataclass

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
