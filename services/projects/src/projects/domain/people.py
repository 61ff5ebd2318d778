"""The people who work on a project: who, in which role, since when and until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from domainkit.rules import Broken
from domainkit.values import ImpreciseDate, LocalizedText, check_date, check_name
from projects.domain.identifiers import canonical_orcid, check_orcid


class PersonRole(StrEnum):
    """What somebody does on a project."""

    PRINCIPAL_INVESTIGATOR = "principal_investigator"
    CO_INVESTIGATOR = "co_investigator"
    MANUFACTURING = "manufacturing"
    QUALITY = "quality"
    CLINICAL = "clinical"
    REGULATORY = "regulatory"
    BUSINESS = "business"
    OTHER = "other"


@dataclass(frozen=True)
class ProjectPerson:
    """Somebody in one role; `subject` is that of the token with which the person signs in."""

    name: LocalizedText | None
    role: PersonRole | None
    orcid: str = ""
    subject: str = ""
    since_date: ImpreciseDate | None = None
    until_date: ImpreciseDate | None = None

    def __post_init__(self) -> None:
        """Write the ORCID iD in its canonical form."""
        object.__setattr__(self, "orcid", canonical_orcid(self.orcid))

    def rules(self, path: str) -> list[Broken]:
        """Rules that the values break as they are."""
        broken = check_name(self.name, f"{path}.name")
        if self.role is None:
            broken.append(Broken(f"{path}.role", "REQUIRED"))
        if self.orcid:
            broken += check_orcid(self.orcid, f"{path}.orcid")
        dates = [("since_date", self.since_date), ("until_date", self.until_date)]
        return broken + check_in_order(dates, path)

    def is_same_as(self, other: "ProjectPerson") -> bool:
        """Tell whether an ORCID iD or a subject says that two are one person."""
        return bool(
            (self.orcid and self.orcid == other.orcid)
            or (self.subject and self.subject == other.subject)
        )

    def meets(self, other: "ProjectPerson") -> bool:
        """Tell whether both are there on some day; a date that is not known has no end."""
        return not (_ends_before(self, other) or _ends_before(other, self))


def check_people(people: Sequence[ProjectPerson], path: str) -> list[Broken]:
    """Rules of the people of a project: each one's, and that nobody has a role twice at once."""
    broken = [
        item for index, person in enumerate(people) for item in person.rules(f"{path}[{index}]")
    ]
    if broken:
        return broken
    for index, person in enumerate(people):
        twice = any(
            person.role == other.role and person.is_same_as(other) and person.meets(other)
            for other in people[:index]
        )
        if twice:
            value = person.orcid or person.subject
            broken.append(Broken(f"{path}[{index}]", "PERSON_TWICE", {"value": value}))
    return broken


def check_in_order(dates: Sequence[tuple[str, ImpreciseDate | None]], path: str) -> list[Broken]:
    """Rules of dates that follow one another: each exists, and none lies wholly before another.

    Those that are not known are passed over.
    """
    broken = [item for name, value in dates for item in check_date(value, f"{path}.{name}")]
    if broken:
        return broken
    given = [(name, value) for name, value in dates if value is not None]
    for place, (name, value) in enumerate(given):
        for earlier, before in given[:place]:
            if value.latest() < before.earliest():
                params = {"earlier": earlier}
                broken.append(Broken(f"{path}.{name}.value", "DATES_OUT_OF_ORDER", params))
                break
    return broken


def _ends_before(person: ProjectPerson, other: ProjectPerson) -> bool:
    if person.until_date is None or other.since_date is None:
        return False
    return person.until_date.latest() < other.since_date.earliest()
