"""Numbers, dates and messages in both languages."""

import io
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pycountry
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

import gateway.pages
from gateway.pages.provinces import CODES
from gateway.pages.wording import wording
from peyvand.api.v1 import types_pb2
from tests.support.network_picture import stamp

PAGES = Path(gateway.pages.__file__).parent
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}")


def as_tuple(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def used_messages() -> set[str]:
    """Every message that code or templates say; of a pair the first."""
    found: set[str] = set()
    for file in PAGES.glob("*.py"):
        keywords = {"say": None, "say_count": (1, 2)}
        for _, message, *_ in extract("python", io.BytesIO(file.read_bytes()), keywords):
            found.add(as_tuple(message)[0])
    options = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
    for file in (PAGES / "templates").iterdir():
        source = io.BytesIO(file.read_bytes())
        for _, _, message, _ in babel_extract(source, ("_",), (), options):
            found.add(as_tuple(message)[0])
    return found


def test_every_message_is_said_in_persian_and_no_other_is_kept() -> None:
    catalogue = read_po(io.BytesIO((PAGES / "locale" / "fa.po").read_bytes()), locale="fa")
    translated: dict[str, tuple[str, ...]] = {}
    for message in catalogue:
        ids, texts = as_tuple(message.id), as_tuple(message.string)
        if ids[0]:
            translated[ids[0]] = texts
    assert set(translated) == used_messages()
    for message, texts in translated.items():
        for text in texts:
            assert text, message
            assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(message)), message


def test_both_calendars_are_shown_and_utc_stands_by() -> None:
    moment = stamp(datetime(2025, 3, 20, 20, 45, tzinfo=UTC))  # after midnight in Tehran
    now = datetime(2025, 3, 21, 12, tzinfo=UTC)
    fa, en = (wording(language).moment(moment, now) for language in ("fa", "en"))
    assert (fa.time, fa.day, fa.other_day) == ("۰۰:۱۵", "۱ فروردین ۱۴۰۴", "۲۱ مارس ۲۰۲۵")
    assert (en.time, en.day, en.other_day) == ("00:15", "21 March 2025", "1 Farvardin 1404")
    assert fa.utc == en.utc == "2025-03-20T20:45:00Z"
    assert (fa.short, en.short) == ("۰۰:۱۵", "00:15")
    later = datetime(2025, 3, 22, 12, tzinfo=UTC)
    assert wording("fa").moment(moment, later).short == "۱ فروردین ۱۴۰۴، ۰۰:۱۵"


def test_a_date_is_shown_no_more_exactly_than_it_is_known() -> None:
    def shown(value: str) -> tuple[str, str]:
        date = types_pb2.ImpreciseDate(value=value)
        return wording("fa").imprecise(date), wording("en").imprecise(date)

    assert shown("2025-04-25") == ("۵ اردیبهشت ۱۴۰۴", "25 April 2025")
    assert shown("2025-04") == ("آوریل ۲۰۲۵ میلادی", "April 2025")
    assert shown("2020") == ("۲۰۲۰ میلادی", "2020")


def test_numbers_have_the_digits_of_the_language() -> None:
    assert wording("fa").number(12345) == "۱۲٬۳۴۵"
    assert wording("en").number(12345) == "12,345"


def test_all_provinces_have_names() -> None:
    known = pycountry.subdivisions.get(country_code="IR")
    assert {province.code for province in known or ()} == CODES
