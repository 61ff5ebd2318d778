"""What the page of one resource says: its name, where it is, its facts, what happened to it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from gateway.pages.next_gate_view import NextGateView, next_gate_view
from gateway.pages.provinces import province_name
from gateway.pages.reading import Reader, figure_labels
from gateway.pages.records import Record, Related, Verb, address_of
from gateway.pages.thresholds import Threshold, threshold_labels, thresholds
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
class ActionForm:
    """A step that this reader may take now."""

    verb: str
    label: str
    field: str


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
    actions: Sequence[ActionForm] = field(default_factory=tuple)
    documents: Sequence[Document] = field(default_factory=tuple)
    thresholds: Sequence[Threshold] = field(default_factory=tuple)
    next_gate: NextGateView | None = None


def record_view(record: Record, reader: Reader) -> RecordView:
    """Make the view of a resource."""
    resource: Any = record.resource
    words, kind = reader.words, record.kind
    own, other = _title(resource, words)
    state, state_label = _state(resource, words)
    allowed = list(getattr(resource, "allowed_actions", ()))
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
        actions=tuple(_action(kind.verbs[verb], words) for verb in allowed if verb in kind.verbs),
        documents=tuple(_documents(kind.collection, resource.id, words)),
        thresholds=thresholds(resource, words),
        next_gate=next_gate_view(record.next_gate, words) if record.next_gate else None,
    )


def _documents(collection: str, id: str, words: Wording) -> Iterable[Document]:
    """Whoever sees a project is given its dossier."""
    if collection == "projects":
        dossier = f"/v1/projects/{id}/dossier"
        yield Document(
            words.say("Dossier, to read and print (PDF)"), f"{dossier}.pdf?lang={words.language}"
        )
        yield Document(words.say("Dossier, to be checked (JSON)"), dossier)


def action_labels(words: Wording) -> dict[str, str]:
    """What the steps are called on their buttons, by their verb."""
    say = words.say
    return {
        "establish": say("Begin to set it up"),
        "open": say("Open it"),
        "suspend": say("Suspend"),
        "resume": say("Resume"),
        "close": say("Close for good"),
        "cancel": say("Cancel"),
        "approve": say("Approve"),
        "withdraw": say("Withdraw"),
        "revoke": say("Revoke"),
        "submit": say("Submit"),
        "return": say("Give back with a comment"),
        "complete": say("Complete"),
        "drop": say("Drop"),
        "reopen": say("Open again"),
        "consult": say("Begin consultation"),
        "enact": say("Put into force"),
        "repeal": say("Repeal"),
        "acknowledge": say("I have seen it"),
        "negotiate": say("Begin to negotiate"),
        "enter-force": say("Enter into force"),
        "expire": say("Record that it expired"),
        "terminate": say("Terminate"),
        "confirm-parent": say("Confirm the document above it"),
        "start": say("Start"),
        "dissolve": say("Record that it is dissolved"),
        "reinstate": say("Reinstate"),
        "confirm": say("Confirm"),
        "verify": say("Verify"),
        "reconfirm": say("Confirm again for this visit"),
        "reject": say("Reject"),
        "grant": say("Grant"),
        "refuse": say("Refuse"),
    }


def field_labels(words: Wording) -> dict[str, str]:
    """What the facts are called, by the name of their field; a field without is for programs."""
    say = words.say
    return {
        "code": say("Code"),
        "province": say("Province"),
        "city": say("City"),
        "host_institution": say("Host institution"),
        "opened_date": say("Opened"),
        "center_id": say("Center"),
        "lead_center_id": say("Lead center"),
        "node_id": say("Node"),
        "name": say("Name"),
        "software_version": say("Software version"),
        "joined_at": say("Joined"),
        "credentials_expire_at": say("Credentials until"),
        "period": say("Month"),
        "revision": say("Revision"),
        **figure_labels(words),
        **threshold_labels(words),
        "kind": say("Kind"),
        "type": say("Kind"),
        "country": say("Country"),
        "ror_id": say("ROR id"),
        "role": say("Role"),
        "institution_id": say("Institution"),
        "agreement_id": say("Agreement"),
        "parent_id": say("Document above it"),
        "signed_date": say("Signed"),
        "effective_date": say("In effect"),
        "expiry_date": say("Expires"),
        "start_date": say("Begins"),
        "end_date": say("Ends"),
        "due_date": say("Due"),
        "owner": say("Owner"),
        "plan_id": say("Plan"),
        "pathway": say("Pathway"),
        "stage": say("Stage"),
        "summary": say("Summary"),
        "resume_date": say("Looked at again on"),
        "quorum": say("Quorum"),
        "opened_by": say("Opened by"),
        "knowledge_based": say("Knowledge-based"),
        "registration_number": say("Registration number"),
        "founded_date": say("Founded"),
        "unit": say("Unit"),
        "definition": say("Definition"),
        "value": say("Value"),
        "comment": say("Comment"),
        "note": say("Note"),
        "opened_at": say("Since"),
        "closed_at": say("Over since"),
        "acknowledged_by": say("Seen by"),
        "acknowledged_at": say("Seen"),
        "escalated_at": say("Escalated"),
        "feed": say("Feed"),
        "refused_at": say("Refused"),
        "report_key": say("Key of the report"),
    }


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
    # A step without a name of its own is called by where it led.
    action = step_labels(words).get(step.action) or state or step.action.replace("_", " ")
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


def _action(verb: Verb, words: Wording) -> ActionForm:
    label = action_labels(words).get(verb.name, verb.name)
    return ActionForm(verb.name, label, verb.field)
