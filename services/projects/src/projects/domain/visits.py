"""The stage visits of a project, as evidence and waivers are bound to them.

A visit is known by its number: they are counted from 1, with those that were struck since.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from domainkit.rules import Refused
from projects.domain.pathways import Criterion, Stage, Template
from projects.domain.project import Project, ProjectState

_ENDED = frozenset({ProjectState.COMPLETED, ProjectState.KILLED})


@dataclass(frozen=True)
class Visited:
    """The stage visits of a project by their numbers, the present or last one at the end."""

    stages: Mapping[int, Stage]

    @classmethod
    def by(cls, project: Project) -> "Visited":
        """The visits of this project."""
        return cls({visit.number: visit.stage for visit in project.stage_visits})

    @property
    def present(self) -> int:
        """The number of the present or last visit."""
        return max(self.stages)

    def last_visit(self, stage: Stage) -> int:
        """The number of the last visit to a stage; 0 for one that was never entered."""
        return max((n for n, entered in self.stages.items() if entered == stage), default=0)


def is_under_way(project: Project) -> bool:
    """Tell whether a project was neither completed nor killed."""
    return project.state not in _ENDED


def require_under_way(project: Project) -> None:
    """Raise `Refused` ``PROJECT_HAS_ENDED`` for a project that was completed or killed."""
    if not is_under_way(project):
        raise Refused("PROJECT_HAS_ENDED", state=project.state.value)


def criterion_of(project: Project, template: Template, code: str) -> Criterion | None:
    """The criterion with this code on the project's pathway, or `None`."""
    for criterion in template.criteria:
        if criterion.code == code and project.pathway in criterion.pathways:
            return criterion
    return None
