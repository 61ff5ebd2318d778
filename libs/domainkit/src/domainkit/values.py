"""Values that several domains share: texts in two languages, dates, citations."""

import calendar
import re
from dataclasses import dataclass, field
from datetime import date

from domainkit.rules import Broken

_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


@dataclass(frozen=True)
class LocalizedText:
    """A text in Persian and English; an empty string is "not given"."""

    fa: str = ""
    en: str = ""

    def __bool__(self) -> bool:
        return bool(self.fa.strip() or self.en.strip())


@dataclass(frozen=True)
class ImpreciseDate:
    """A calendar date at the precision that is known: ``2025``, ``2025-04`` or ``2025-04-25``."""

    value: str
    inferred: bool = False
    note: str = ""

    def exists(self) -> bool:
        """Tell whether the calendar has such a date."""
        parts = self._parts()
        if parts is None:
            return False
        year, month, day = parts
        if not year >= 1 or (month is not None and not 1 <= month <= 12):
            return False
        return day is None or 1 <= day <= calendar.monthrange(year, month or 1)[1]

    def earliest(self) -> date:
        """First day that the date can mean."""
        year, month, day = self._known()
        return date(year, month or 1, day or 1)

    def latest(self) -> date:
        """Last day that the date can mean."""
        year, month, day = self._known()
        month = month or 12
        return date(year, month, day or calendar.monthrange(year, month)[1])

    def _known(self) -> tuple[int, int | None, int | None]:
        parts = self._parts()
        if parts is None:
            raise ValueError(f"not a date: {self.value}")
        return parts

    def _parts(self) -> tuple[int, int | None, int | None] | None:
        match = _DATE.fullmatch(self.value)
        if match is None:
            return None
        year, month, day = match.groups()
        return int(year), int(month) if month else None, int(day) if day else None


@dataclass(frozen=True)
class Citation:
    """Where a fact comes from: a source's key and the statement in it."""

    source: str
    statement: str = ""
    fields: list[str] = field(default_factory=list)
    inferred: bool = False
    note: str = ""


def check_date(
    value: ImpreciseDate | None, path: str, *, today: date | None = None
) -> list[Broken]:
    """Rules of a date: it exists and, if `today` is given, does not lie wholly after it."""
    if value is None:
        return []
    if not value.exists():
        return [Broken(f"{path}.value", "NO_SUCH_DATE")]
    if today is not None and value.earliest() > today:
        return [Broken(f"{path}.value", "DATE_IN_FUTURE")]
    return []


def check_name(value: LocalizedText | None, path: str) -> list[Broken]:
    """Rule of a name: it is given in at least one language."""
    return [] if value else [Broken(path, "NAME_REQUIRED")]
