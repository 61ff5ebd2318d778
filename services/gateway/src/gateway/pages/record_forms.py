"""The forms on the page of one resource: the steps that its reader may take now."""

from collections.abc import Iterable, Sequence
from typing import Any

from gateway.pages.award_forms import AWARD_FORMS, record_award
from gateway.pages.evidence_forms import add_evidence, supersede
from gateway.pages.forms import Field, FieldGroup, Form, Tried, as_tried
from gateway.pages.gate_forms import GATE_FORMS, gate_forms_of_more
from gateway.pages.records import Record, Verb
from gateway.pages.wording import Wording
from peyvand.projects.v1 import evidence_pb2, projects_pb2

_OWN_FORMS = {**GATE_FORMS, **AWARD_FORMS}


def record_forms(record: Record, words: Wording, tried: Tried | None = None) -> Sequence[Form]:
    """A form for each step that is allowed; the one that was not taken says why."""
    resource: Any = record.resource
    kind, found = record.kind, list[Form]()
    for action in getattr(resource, "allowed_actions", ()):
        own = _OWN_FORMS.get((kind.collection, action))
        if own is not None:
            found += own(record, words, tried)
        elif action in kind.verbs:
            found.append(_usual(record, kind.verbs[action], words))
    found += gate_forms_of_more(record, words, tried)
    found += _forms_of_more(record, words, tried)
    return as_tried(found, tried, words)


def _forms_of_more(record: Record, words: Wording, tried: Tried | None) -> Iterable[Form]:
    """The forms of what is made for a resource, by who may make it."""
    match record.resource:
        case projects_pb2.Project() as project:
            if "add-evidence" in record.may:
                yield from add_evidence(record, words)
            if "record-award" in record.may and project.state != projects_pb2.PROJECT_STATE_KILLED:
                yield from record_award(record, words, tried)
        case evidence_pb2.Evidence() if "supersede" in record.may:
            yield from supersede(record, words)
        case _:
            pass


def _usual(record: Record, verb: Verb, words: Wording) -> Form:
    """The form of a step that needs no more than a few words."""
    resource: Any = record.resource
    asked = {"reason": words.say("Why"), "comment": words.say("What is done about it")}
    fields = [Field(verb.field, asked[verb.field])] if verb.field else []
    return Form(
        name=verb.name,
        label=action_labels(words).get(verb.name, verb.name),
        address=record.kind.address(resource.id, verb.name),
        etag=getattr(resource, "etag", ""),
        groups=[FieldGroup("", fields)],
    )


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
