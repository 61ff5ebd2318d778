"""The source: a document that facts come from."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from domainkit.aggregate import Aggregate
from domainkit.rules import Broken
from domainkit.values import ImpreciseDate, LocalizedText, check_date, check_name


@dataclass(kw_only=True)
class Source(Aggregate):
    """A document that facts come from; citations name it by its external key."""

    EDITABLE: ClassVar[frozenset[str]] = frozenset(
        {"title", "publisher", "number", "published_date", "url", "note", "sample"}
    )

    title: LocalizedText | None
    publisher: LocalizedText | None = None
    number: str = ""
    published_date: ImpreciseDate | None = None
    url: str = ""
    note: LocalizedText | None = None

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        broken = [*check_name(self.title, "title")]
        broken += check_date(self.published_date, "published_date", today=today)
        return broken
