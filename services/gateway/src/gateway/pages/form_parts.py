"""What the forms of several steps are made of."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from google.protobuf.descriptor import EnumDescriptor

from gateway.pages.forms import Choice, Field, FieldGroup, Form, Tried, typed_day
from gateway.pages.records import Record
from gateway.pages.wording import Wording
from servicekit.contract import enum_names


def own_form(
    record: Record,
    name: str,
    label: str,
    groups: Sequence[Field] | Sequence[FieldGroup],
    **more: Any,
) -> Form:
    """The form of a step with the resource of a page: of fields, or of groups of them."""
    resource: Any = record.resource
    fields = [item for item in groups if isinstance(item, Field)]
    given = [item for item in groups if isinstance(item, FieldGroup)]
    return Form(
        name=name,
        label=label,
        address=record.kind.address(resource.id, name),
        etag=resource.etag,
        groups=given or [FieldGroup("", fields)],
        **more,
    )


def rows_shown(tried: Tried | None, form: str, of: str, least: int, at_once: int) -> int:
    """How many rows a form shows: those that it was sent with, and more where it was asked."""
    if tried is None or tried.name != form:
        return least
    return max(least, tried.rows(of)) + (at_once if tried.asks_for_more else 0)


def choices_of(enum: EnumDescriptor, words: Wording) -> list[Choice]:
    """The values of an enum, by what people call them."""
    names = enum_names(enum)
    return [Choice(name, words.label(enum, name)) for number, name in names.items() if number]


def day_field(name: str, label: str, words: Wording, iso: str = "") -> Field:
    """A field for a day, in either calendar."""
    hint = words.say("Year, month and day in either calendar: 1405-06-15 or 2026-09-06")
    return Field(name, label, "day", typed_day(iso, words), words.numerals(hint), length=10)


def optional(field: Field) -> Field:
    """The same field, which may be left empty."""
    return replace(field, is_required=False)
