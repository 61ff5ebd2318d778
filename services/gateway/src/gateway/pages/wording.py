"""How the pages speak: messages, numbers, dates of both calendars, names of values.

Messages are written in English where they are used; `locale/fa.po` holds the Persian
ones. A test holds the two together.
"""

import functools
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import resources
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations
from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.timestamp_pb2 import Timestamp
from persiantools import digits
from persiantools.jdatetime import JalaliDate

from gateway.languages import Language
from peyvand.api.v1 import types_pb2
from servicekit.contract import enum_names, value_label

TEHRAN = ZoneInfo("Asia/Tehran")
LANGUAGES: tuple[Language, ...] = ("fa", "en")
_LOCALES: dict[Language, str] = {"fa": "fa_IR", "en": "en_GB"}
# The year of a month tells its calendar; those of the Persian one are below this.
_FIRST_GREGORIAN_YEAR = 2000
# As in Persian, but in Latin script: `strftime` of persiantools knows no other spelling.
_JALALI_MONTHS_EN = (
    "Farvardin",
    "Ordibehesht",
    "Khordad",
    "Tir",
    "Mordad",
    "Shahrivar",
    "Mehr",
    "Aban",
    "Azar",
    "Dey",
    "Bahman",
    "Esfand",
)


@dataclass(frozen=True)
class Moment:
    """A point in time as a reader meets it.

    `time` is the clock in Tehran, `day` the date in the reader's calendar, `other_day`
    in the other one, `short` the clock alone for today; `utc` is RFC 3339, for machines
    and for who wants to be sure.
    """

    utc: str
    time: str
    day: str
    other_day: str
    short: str


class Wording:
    """Everything that differs between the two languages."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self.direction = "rtl" if language == "fa" else "ltr"
        self._comma = "، " if language == "fa" else ", "
        self.translations = _translations(language)
        self._locale = Locale.parse(_LOCALES[language])

    def say(self, message: str, **values: object) -> str:
        """Give a message, filled."""
        text = self.translations.ugettext(message)
        return text % values if values else text

    def say_count(self, one: str, many: str, count: int, **values: object) -> str:
        """Give a message about `count` things; it stands in the text as ``%(count)s``."""
        text = self.translations.ungettext(one, many, count)
        return text % {"count": self.number(count), **values}

    def number(self, value: int) -> str:
        """Write a number with the digits and separators of the language."""
        return self.numerals(format_decimal(value, locale=self._locale))

    def decimal(self, value: float) -> str:
        """Write a number with at most one digit after the point, in the language's digits."""
        text = format_decimal(round(value, 1), format="#,##0.#", locale=self._locale)
        return self.numerals(text)

    def amount(self, value: Decimal) -> str:
        """Write an amount of money in full, in the language's digits."""
        text = format_decimal(value, format="#,##0.####", locale=self._locale)
        return self.numerals(text)

    def percent(self, share: float) -> str:
        """Write a share of one in percent; only all of it is 100."""
        shown = min(round(share * 100, 1), 99.9) if share < 1 else 100.0
        text = format_decimal(shown, format="#,##0.#", locale=self._locale)
        return self.numerals(text) + ("٪" if self.language == "fa" else "%")

    def numerals(self, text: str) -> str:
        """Write the digits within a text as the language does."""
        if self.language != "fa":
            return text
        return digits.en_to_fa(text).replace(",", "٬")

    def names(self, items: Sequence[str]) -> str:
        """Join names: ``a, b and c``."""
        if len(items) < 2:
            return "".join(items)
        last = " و " if self.language == "fa" else " and "
        return self._comma.join(items[:-1]) + last + items[-1]

    def clauses(self, items: Sequence[str]) -> str:
        """Join parts of one sentence."""
        return ("؛ " if self.language == "fa" else "; ").join(items)

    def place(self, city: str, province: str) -> str:
        """City and province; one of them where they are named the same, or one is unknown."""
        return self._comma.join(dict.fromkeys(part for part in (city, province) if part))

    def text(self, value: types_pb2.LocalizedText) -> str:
        """Text in the reader's language; in the other one where there is no other."""
        own, other = (value.fa, value.en) if self.language == "fa" else (value.en, value.fa)
        return own or other

    def country(self, code: str) -> str:
        """Name of a country by its ISO 3166-1 code."""
        return self._locale.territories.get(code.upper(), code)

    def label(self, enum: EnumDescriptor, key: str) -> str:
        """Name that the contract gives a value of an enum, by its lower-case name."""
        return _labels(enum).get(key, {}).get(self.language) or key.replace("_", " ")

    def moment(self, value: Timestamp, now: datetime | None = None) -> Moment:
        """Give a point in time; `now` decides what counts as today."""
        exact = datetime.fromtimestamp(value.seconds, UTC)
        local = exact.astimezone(TEHRAN)
        today = (now or datetime.now(UTC)).astimezone(TEHRAN).date()
        jalali, gregorian = self._jalali(local.date()), self._gregorian(local.date())
        own, other = (jalali, gregorian) if self.language == "fa" else (gregorian, jalali)
        clock = self.numerals(f"{local:%H:%M}")
        return Moment(
            utc=exact.isoformat().replace("+00:00", "Z"),
            time=clock,
            day=own,
            other_day=other,
            short=clock if local.date() == today else self._comma.join((own, clock)),
        )

    def day(self, iso: str) -> str:
        """A day, ``2026-11-22``, in the reader's calendar."""
        exact = date.fromisoformat(iso)
        return self._jalali(exact) if self.language == "fa" else self._gregorian(exact)

    def month(self, period: str) -> str:
        """A month, ``1405-08`` or ``2026-11``, by its name; it stays in its own calendar."""
        year, month = (int(part) for part in period.split("-"))
        if year >= _FIRST_GREGORIAN_YEAR:
            text = format_date(date(year, month, 1), "MMMM y", locale=self._locale)
            return self._in_gregorian(text)
        if self.language == "fa":
            name = JalaliDate(year, month, 1).strftime("%B", locale="fa")
            return f"{name} {self.numerals(str(year))}"
        return f"{_JALALI_MONTHS_EN[month - 1]} {year}"

    def weekday(self, value: Timestamp) -> str:
        """Day of the week in Tehran."""
        local = datetime.fromtimestamp(value.seconds, TEHRAN)
        return format_date(local.date(), "EEEE", locale=self._locale)

    def imprecise(self, value: types_pb2.ImpreciseDate) -> str:
        """A date at the precision that is known, in the reader's calendar where it has one.

        A Gregorian year or month lies across two Jalali ones, so those stay Gregorian.
        """
        match [int(part) for part in value.value.split("-")]:
            case [year, month, day]:
                exact = date(year, month, day)
                return self._jalali(exact) if self.language == "fa" else self._gregorian(exact)
            case [year, month]:
                text = format_date(date(year, month, 1), "MMMM y", locale=self._locale)
                return self._in_gregorian(text)
            case _:
                return self._in_gregorian(value.value)

    def _in_gregorian(self, text: str) -> str:
        return f"{self.numerals(text)} میلادی" if self.language == "fa" else text

    def _jalali(self, day: date) -> str:
        jalali = JalaliDate(day)
        if self.language == "fa":
            return self.numerals(f"{jalali.day} {jalali.strftime('%B', locale='fa')} {jalali.year}")
        return f"{jalali.day} {_JALALI_MONTHS_EN[jalali.month - 1]} {jalali.year}"

    def _gregorian(self, day: date) -> str:
        return self.numerals(format_date(day, "d MMMM y", locale=self._locale))


@functools.cache
def wording(language: Language) -> Wording:
    """The wording of a language, read once."""
    return Wording(language)


def _translations(language: Language) -> NullTranslations:
    if language == "en":
        return NullTranslations()
    source = resources.files("gateway.pages").joinpath("locale", f"{language}.po")
    catalogue = read_po(io.BytesIO(source.read_bytes()), locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


@functools.cache
def _labels(enum: EnumDescriptor) -> dict[str, dict[Language, str]]:
    names = enum_names(enum)
    found: dict[str, dict[Language, str]] = {}
    for value in enum.values:
        label = value_label(value)
        found[names[value.number]] = {"fa": label.fa, "en": label.en}
    return found
