"""The forms on the page of one resource: the steps that its reader may take now."""

from collections.abc import Sequence
from typing import Any

from gateway.pages.forms import Field, FieldGroup, Form, Tried, as_tried
from gateway.pages.gate_forms import OWN_FORMS, forms_of_more
from gateway.pages.records import Record, Verb
from gateway.pages.wording import Wording


def record_forms(record: Record, words: Wording, tried: Tried | None = None) -> Sequence[Form]:
    """A form for each step that is allowed; the one that was not taken says why."""
    resource: Any = record.resource
    kind, found = record.kind, list[Form]()
    for action in getattr(resource, "allowed_actions", ()):
        own = OWN_FORMS.get((kind.collection, action))
        if own is not None:
            found += own(record, words, tried)
        elif action in kind.verbs:
            found.append(_usual(record, kind.verbs[action], words))
    found += forms_of_more(record, words, tried)
    return as_tried(found, tried, words)


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
