"""The person who takes part: a signatory, an expert of the diaspora, a committee member."""

from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

from domainkit.aggregate import Aggregate, Occasion
from domainkit.rules import Broken
from domainkit.values import ImpreciseDate, LocalizedText, check_date, check_name
from partners.domain.names import Name, as_text, check_names


@dataclass(frozen=True)
class PersonPosition:
    """A position that a person holds or held, as far as it is known."""

    title: LocalizedText | None = None
    institution_id: str | None = None
    organization: LocalizedText | None = None
    from_date: ImpreciseDate | None = None
    until_date: ImpreciseDate | None = None


@dataclass(kw_only=True)
class Person(Aggregate):
    """Somebody at home or abroad, with what public sources say about the office."""

    EDITABLE: ClassVar[frozenset[str]] = frozenset(
        {"names", "positions", "note", "citations", "sample"}
    )

    names: list[Name]
    positions: list[PersonPosition] = field(default_factory=list[PersonPosition])
    note: LocalizedText | None = None

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        broken = [*super().rules(today), *check_names(self.names)]
        for index, position in enumerate(self.positions):
            path = f"positions[{index}]"
            broken += check_name(position.title, f"{path}.title")
            broken += check_period(position.from_date, position.until_date, path, _PERIOD)
        return broken

    def references(self) -> list[tuple[str, str]]:
        """Ids that the person's positions refer to, with the path of the field."""
        return [
            (f"positions[{index}].institution_id", position.institution_id)
            for index, position in enumerate(self.positions)
            if position.institution_id
        ]

    def erase(self, occasion: Occasion) -> None:
        """Delete the person: nothing that says who it was is left here."""
        self.names = []
        self.positions = []
        self.note = None
        self.citations = []
        self.delete(occasion)

    def name_as_is(self) -> LocalizedText:
        """The name to write into a document that the person signs now."""
        return as_text(self.names)

    def title_as_is(self) -> LocalizedText | None:
        """The title to write into a document that the person signs now, if one is known."""
        return self.positions[0].title if self.positions else None


_PERIOD = ("from_date", "until_date")


def check_period(
    start: ImpreciseDate | None, end: ImpreciseDate | None, path: str, names: tuple[str, str]
) -> list[Broken]:
    """Rules of a period: both dates exist, and it does not surely end before it begins.

    `names` are those of the two fields below `path`.
    """
    start_path, end_path = (f"{path}.{name}" if path else name for name in names)
    broken = [*check_date(start, start_path), *check_date(end, end_path)]
    if not broken and start and end and end.latest() < start.earliest():
        params = {"start": start.value, "end": end.value}
        broken.append(Broken(end_path, "END_BEFORE_START", params))
    return broken
