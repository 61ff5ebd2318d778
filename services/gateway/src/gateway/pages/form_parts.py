"""What the forms of several steps are made of."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from google.protobuf.descriptor import EnumDescriptor

from gateway.pages.forms import Choice, Field, FieldGroup, Form, Tried, typed_day
from gateway.pages.records import Record
from gateway.pages.wording import Wording
from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import evidence_pb2
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


def in_both_languages(
    path: str, labels: tuple[str, str], words: Wording, value: types_pb2.LocalizedText | None = None
) -> list[Field]:
    """Fields for a text in Persian and in English, so labelled; the other one may stay empty."""
    has = value or types_pb2.LocalizedText()
    in_fa = Field(f"{path}.fa", labels[0], value=has.fa)
    in_en = Field(f"{path}.en", labels[1], value=has.en)
    own, other = (in_fa, in_en) if words.language == "fa" else (in_en, in_fa)
    return [own, optional(other)]


def evidence_choices(record: Record, words: Wording) -> list[Choice]:
    """The pieces of evidence beside a resource, by title and state; none of them first."""
    state = evidence_pb2.EvidenceState.DESCRIPTOR
    found = [Choice("", words.say("none"))]
    for item in record.beside.evidence:
        label = words.label(state, enum_names(state)[item.state])
        found.append(Choice(item.id, f"{words.text(item.title)} · {label}"))
    return found


def day_field(name: str, label: str, words: Wording, iso: str = "") -> Field:
    """A field for a day, in either calendar."""
    hint = words.say("Year, month and day in either calendar: 1405-06-15 or 2026-09-06")
    return Field(name, label, "day", typed_day(iso, words), words.numerals(hint), length=10)


def optional(field: Field) -> Field:
    """The same field, which may be left empty."""
    return replace(field, is_required=False)
