"""What the page of one resource says: its name, where it is, its facts, what happened to it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from gateway.dossier.words import STEPS
from gateway.pages.award_view import AwardView, award_view
from gateway.pages.field_labels import field_labels
from gateway.pages.forms import Form, Tried, refusal
from gateway.pages.gate_view import DecisionRow, GateView, decision_rows, gate_view
from gateway.pages.next_gate_view import NextGateView, next_gate_view
from gateway.pages.provinces import province_name
from gateway.pages.reading import Reader
from gateway.pages.record_forms import record_forms
from gateway.pages.records import Record, Related, address_of
from gateway.pages.thresholds import Threshold, thresholds
from gateway.pages.wording import Moment, Wording
from gateway.problem_words import word
from peyvand.api.v1 import annotations_pb2, types_pb2
from servicekit.contract import descriptor_of, enum_names
from servicekit.identity import KNOWN_ROLES

_TITLES = ("names", "titles", "title", "text", "name", "period", "summary", "key", "code")
# Told at the top, or of use to programs alone.
_ASIDE = frozenset(
    {
        "id",
        "state",
        "state_reason",
        "state_since",
        "etag",
        "allowed_actions",
        "citations",
        "sample",
        "external_key",
        "created_at",
        "updated_at",
        "deleted_at",
    }
)
_TEXT = "peyvand.api.v1.LocalizedText"
_DATE = "peyvand.api.v1.ImpreciseDate"
_TIME = "google.protobuf.Timestamp"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Fact:
    """One thing that is known of a resource; `address` is that of what it names."""

    label: str
    value: str
    address: str = ""
    moment: Moment | None = None


@dataclass(frozen=True)
class StepRow:
    """One step that was taken."""

    action: str
    state: str
    actor: str
    reason: str
    when: Moment


@dataclass(frozen=True)
class RelatedRow:
    """A resource that belongs to the one that is shown."""

    text: str
    state: str
    state_label: str
    address: str


@dataclass(frozen=True)
class RelatedList:
    """Resources of one kind that belong to the one that is shown."""

    label: str
    rows: Sequence[RelatedRow]
    has_more: bool


@dataclass(frozen=True)
class Document:
    """What is known of a resource, in a form to keep."""

    label: str
    address: str


@dataclass(frozen=True)
class RecordView:
    """Everything that the page of one resource shows."""

    kind: str
    title: str
    also: str
    collection: str
    id: str
    etag: str
    state: str
    state_label: str
    state_reason: str
    state_since: Moment | None
    is_sample: bool
    facts: Sequence[Fact] = field(default_factory=tuple)
    sources: Sequence[str] = field(default_factory=tuple)
    steps: Sequence[StepRow] = field(default_factory=tuple)
    related: Sequence[RelatedList] = field(default_factory=tuple)
    actions: Sequence[Form] = field(default_factory=tuple)
    refused: str = ""
    documents: Sequence[Document] = field(default_factory=tuple)
    sends_files: bool = False
    thresholds: Sequence[Threshold] = field(default_factory=tuple)
    next_gate: NextGateView | None = None
    gate: GateView | None = None
    award: AwardView | None = None
    decisions: Sequence[DecisionRow] = field(default_factory=tuple)


def record_view(record: Record, reader: Reader, tried: Tried | None = None) -> RecordView:
    """Make the view of a resource; `tried` is a form on it that was not taken."""
    resource: Any = record.resource
    words, kind = reader.words, record.kind
    own, other = _title(resource, words)
    state, state_label = _state(resource, words)
    forms = record_forms(record, words, tried)
    return RecordView(
        kind=word("resource", kind.aggregate, words.language),
        title=own or resource.id,
        also=other,
        collection=kind.collection,
        id=resource.id,
        etag=getattr(resource, "etag", ""),
        state=state,
        state_label=state_label,
        state_reason=getattr(resource, "state_reason", ""),
        state_since=_moment(resource, "state_since", reader),
        is_sample=getattr(resource, "sample", False),
        facts=tuple(_facts(resource, reader)),
        sources=tuple(_sources(resource)),
        steps=tuple(_step(step, resource, reader) for step in record.steps),
        related=tuple(_related(item, words) for item in record.related if item.items),
        actions=forms,
        refused=_refused(forms, tried, words),
        sends_files=any(group.sends_to for form in forms for group in form.groups),
        documents=tuple(_documents(resource, kind.collection, words)),
        thresholds=thresholds(resource, words),
        next_gate=next_gate_view(record.next_gate, words) if record.next_gate else None,
        gate=gate_view(resource, record.beside, reader) if kind.aggregate == "gate" else None,
        award=award_view(resource, record.beside, reader) if kind.aggregate == "award" else None,
        decisions=decision_rows(record.beside, reader) if kind.aggregate == "project" else (),
    )


def _refused(forms: Sequence[Form], tried: Tried | None, words: Wording) -> str:
    """Why a step was not taken, where its form is not there any more to tell it."""
    if tried is None or tried.problem is None or any(form.name == tried.name for form in forms):
        return ""
    return refusal(tried.problem, words)


def _documents(resource: Any, collection: str, words: Wording) -> Iterable[Document]:
    """Whoever sees a project is given its dossier, and who sees evidence the file that it is."""
    if collection == "evidence" and resource.HasField("file"):
        yield Document(words.say("The file itself"), f"/v1/evidence/{resource.id}/file")
    if collection == "projects":
        dossier = f"/v1/projects/{resource.id}/dossier"
        yield Document(
            words.say("Dossier, to read and print (PDF)"), f"{dossier}.pdf?lang={words.language}"
        )
        yield Document(words.say("Dossier, to be checked (JSON)"), dossier)


def _facts(message: Message, reader: Reader) -> Iterable[Fact]:
    labels = field_labels(reader.words)
    for descriptor, value in message.ListFields():
        name = str(descriptor.name)
        if name in _ASIDE or descriptor.is_repeated:
            continue
        if _is_group(descriptor):
            # What stands within, as figures within a report, are facts as well.
            yield from _facts(value, reader)
        elif (label := labels.get(name)) is not None:
            yield _fact(label, descriptor, value, reader)


def _is_group(descriptor: FieldDescriptor) -> bool:
    kind = descriptor.message_type
    return kind is not None and kind.full_name not in (_TEXT, _DATE, _TIME)


def _fact(label: str, descriptor: FieldDescriptor, value: Any, reader: Reader) -> Fact:
    if isinstance(value, Timestamp):
        return Fact(label, "", moment=reader.moment(value))
    text = _value(descriptor, value, reader.words)
    return Fact(label, text, address_of(text) if isinstance(value, str) else "")


def _value(descriptor: FieldDescriptor, value: Any, words: Wording) -> str:
    """How a value reads."""
    enum = descriptor.enum_type
    match value:
        case int() if enum is not None:
            return words.label(enum, enum_names(enum)[value])
        case types_pb2.LocalizedText():
            return words.text(value)
        case types_pb2.ImpreciseDate():
            inferred = f" ({words.say('inferred')})" if value.inferred else ""
            return words.imprecise(value) + inferred
        case bool():
            return words.say("yes") if value else words.say("no")
        case int() | float():
            return words.decimal(value)
        case _:
            return _text(str(descriptor.name), str(value), words)


def _text(name: str, text: str, words: Wording) -> str:
    if name == "province":
        return province_name(text, words.language)
    if name == "country":
        return words.country(text)
    if name == "period":
        return words.numerals(text)
    return words.day(text) if _DAY.fullmatch(text) else text


def _title(message: Any, words: Wording) -> tuple[str, str]:
    """A resource by its name, and by the one in the other language."""
    fields = descriptor_of(message).fields_by_name
    for name in _TITLES:
        value = getattr(message, name, None) if name in fields else None
        if isinstance(value, types_pb2.LocalizedText):
            own = words.text(value)
            other = value.en if own == value.fa else value.fa
            if own:
                return own, other
        elif isinstance(value, str) and value:
            return words.numerals(value) if name == "period" else value, ""
        elif name == "names" and value:
            texts = [item for item in value if item.language == words.language] or list(value)
            others = [item.text for item in value if item.text != texts[0].text]
            return str(texts[0].text), str(others[0]) if others else ""
    # What has no name is called by the stage, or by what it is about.
    for name in ("stage", "criterion", "kind"):
        descriptor = fields.get(name)
        if descriptor is not None and (value := getattr(message, name)):
            return _value(descriptor, value, words), ""
    return "", ""


def _state(message: Any, words: Wording) -> tuple[str, str]:
    descriptor = descriptor_of(message).fields_by_name.get("state")
    if descriptor is None or descriptor.enum_type is None:
        return "", ""
    state = enum_names(descriptor.enum_type)[message.state]
    return state, words.label(descriptor.enum_type, state)


def _moment(message: Any, name: str, reader: Reader) -> Moment | None:
    known = name in descriptor_of(message).fields_by_name and message.HasField(name)
    return reader.moment(getattr(message, name)) if known else None


def _sources(message: Any) -> Iterable[str]:
    for citation in getattr(message, "citations", ()):
        place = f"{citation.source} · {citation.statement}".strip(" ·")
        yield f"{place}: {citation.note}" if citation.note else place


def _step(step: types_pb2.Step, resource: Any, reader: Reader) -> StepRow:
    words = reader.words
    descriptor = descriptor_of(resource).fields_by_name.get("state")
    enum = descriptor.enum_type if descriptor is not None else None
    state = words.label(enum, step.to_state) if enum is not None and step.to_state else ""
    if step.to_state == step.from_state:
        state = ""
    # A step without a name of its own is called by where it led, else as the dossier has it.
    in_dossier = dict(zip(("en", "fa"), STEPS.get(step.action, ()), strict=False))
    action = (
        step_labels(words).get(step.action)
        or state
        or in_dossier.get(words.language)
        or step.action.replace("_", " ")
    )
    return StepRow(
        action=action,
        state=state if state != action else "",
        actor=actor_name(step.actor, words),
        reason=step.reason,
        when=reader.moment(step.at),
    )


def step_labels(words: Wording) -> dict[str, str]:
    """What the commonest steps are called once they were taken."""
    say = words.say
    return {
        "created": say("recorded"),
        "updated": say("changed"),
        "deleted": say("deleted"),
        "approved": say("approved"),
        "suspended": say("suspended"),
        "resumed": say("resumed"),
        "became_overdue": say("overdue"),
        "declared": say("interests declared"),
        "proposed": say("terms proposed"),
        "voted": say("vote given"),
    }


def actor_name(subject: str, words: Wording) -> str:
    """Who acted, as people call them."""
    place, _, role = subject.partition(":")
    if place != "local" or role not in KNOWN_ROLES:
        return subject
    label = words.label(annotations_pb2.Role.DESCRIPTOR, role)
    return words.say("%(role)s, on this machine", role=label)


def _related(found: Related, words: Wording) -> RelatedList:
    rows: list[RelatedRow] = []
    for item in found.items:
        resource: Any = item
        state, label = _state(resource, words)
        text = _title(resource, words)[0] or str(resource.id)
        rows.append(RelatedRow(text, state, label, address_of(resource.id)))
    return RelatedList(plural_label(found.kind.collection, words), rows, found.has_more)


def plural_label(collection: str, words: Wording) -> str:
    """What several of a kind are called."""
    say = words.say
    known = {
        "nodes": say("Nodes"),
        "period-reports": say("Period reports"),
        "projects": say("Projects"),
        "refused-reports": say("Refused reports"),
        "agreements": say("Agreements"),
        "activities": say("Activities"),
        "companies": say("Companies"),
        "indicators": say("Indicators"),
        "evidence": say("Evidence"),
        "waivers": say("Waivers"),
        "gates": say("Gates"),
        "conditions": say("Conditions"),
        "readiness-claims": say("Claims of readiness"),
        "outputs": say("Outputs"),
        "awards": say("Awards"),
    }
    return known.get(collection, collection)
