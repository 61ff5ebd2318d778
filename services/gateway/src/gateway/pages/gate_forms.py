"""The forms by which people work a gate: open it, declare, put terms, vote, decide, waive."""

from collections.abc import Callable, Iterable, Mapping
from textwrap import shorten

from gateway.pages.form_parts import (
    choices_of,
    day_field,
    evidence_choices,
    optional,
    own_form,
    rows_shown,
)
from gateway.pages.forms import Choice, Field, FieldGroup, Form, Tried
from gateway.pages.gate_view import terms_lines, without_isolates
from gateway.pages.propose_forms import propose_forms
from gateway.pages.records import Record, kinds
from gateway.pages.wording import Wording
from peyvand.projects.v1 import (
    conditions_pb2,
    criteria_pb2,
    decisions_pb2,
    flags_pb2,
    gates_pb2,
    panel_pb2,
    projects_pb2,
)
from servicekit.contract import enum_names

_KIND = decisions_pb2.DecisionKind.DESCRIPTOR
# Seats that an empty form has: the least that a panel needs; and how many more come at once.
_SEATS, _MORE_SEATS = 3, 2
_MET = (
    criteria_pb2.CRITERION_STATE_VERIFIED,
    criteria_pb2.CRITERION_STATE_WAIVED,
    criteria_pb2.CRITERION_STATE_OTHER_ROUTE,
)
_UNDER_WAY = (projects_pb2.PROJECT_STATE_ACTIVE, projects_pb2.PROJECT_STATE_ON_HOLD)
_LONG = 10_000
_SHORT = 80


def _declare(record: Record, words: Wording, tried: Tried | None) -> Iterable[Form]:
    del tried
    say = words.say
    fields = [
        Field(
            "conflict",
            say("Your own interests"),
            "choice",
            choices=choices_of(panel_pb2.Conflict.DESCRIPTOR, words),
        ),
        Field(
            "note",
            say("What it is about"),
            "area",
            hint=say("Needed unless there is no conflict. A conflict that is declared stands."),
            is_required=False,
        ),
    ]
    yield own_form(record, "declare", say("Declare your interests"), fields)


def _vote(record: Record, words: Wording, tried: Tried | None) -> Iterable[Form]:
    del tried
    gate, say = _gate(record), words.say
    fields = [
        Field(
            "decision",
            say("What you are for"),
            "choice",
            choices=_votable(gate, record, words),
            hint=say("Other decisions can be voted for once their terms are proposed."),
        ),
        Field("reason", say("Why"), "area"),
    ]
    yield own_form(
        record,
        "vote",
        say("Vote"),
        fields,
        # What is voted on is what this page has shown.
        hidden={"assessment_hash": gate.assessment_hash},
    )


def _decide(record: Record, words: Wording, tried: Tried | None) -> Iterable[Form]:
    """The decision at the gate; it is a step of the project, also on the page of the gate."""
    del tried
    project, say = record.beside.project, words.say
    if project is None:
        return
    gate = record.resource if isinstance(record.resource, gates_pb2.Gate) else None
    kinds_of_all = choices_of(_KIND, words)
    fields = [
        Field(
            "decision",
            say("What the panel has voted for"),
            "choice",
            choices=_votable(gate, record, words) if gate else kinds_of_all,
        ),
        Field("reason", say("Why"), "area", length=_LONG),
        optional(day_field("decided_date.value", say("Decided on, if that is not today"), words)),
    ]
    yield Form(
        name="decide",
        label=say("Record the decision"),
        address=kinds()["projects"].address(project.id, "decide"),
        etag=project.etag,
        intro=say("The decision comes with the terms that the panel has voted for."),
        groups=[FieldGroup("", fields)],
    )


def _acknowledge(record: Record, words: Wording, tried: Tried | None) -> Iterable[Form]:
    del tried
    project, say = _project(record), words.say
    changed = flags_pb2.PROJECT_FLAG_KIND_REGULATION_CHANGED
    names = [
        Choice(flag.resource_id, flag.resource_id) for flag in project.flags if flag.kind == changed
    ]
    fields = [
        Field("regulation_id", say("Regulation that changed"), "choice", choices=names),
        Field("reason", say("What the change means for the project"), "area"),
    ]
    yield own_form(record, "acknowledge-flag", say("Take away a flag of a regulation"), fields)


def _strike(record: Record, words: Wording, tried: Tried | None) -> Iterable[Form]:
    del tried
    say = words.say
    fields = [
        Field("subject", say("Subject of who was named wrongly"), length=255),
        Field("reason", say("What was found"), "area"),
    ]
    intro = say("It is never taken back.")
    yield own_form(record, "strike-naming", say("Strike a naming"), fields, intro=intro)


def _report(record: Record, words: Wording, tried: Tried | None) -> Iterable[Form]:
    del tried
    condition, say = record.resource, words.say
    assert isinstance(condition, conditions_pb2.ProjectCondition)
    pieces = evidence_choices(record, words)
    evidence = Field("evidence_id", say("Evidence that shows it"), "choice", choices=pieces)
    note = optional(Field("note", say("What shows it, in words"), "area"))
    yield own_form(
        record,
        "report",
        say("Report it as met"),
        [evidence if condition.criterion else optional(evidence), note],
        intro=say("Evidence of the criterion is needed.")
        if condition.criterion
        else say("Evidence, a note, or both. Another than you confirms it."),
    )


GATE_FORMS: Mapping[tuple[str, str], Callable[[Record, Wording, Tried | None], Iterable[Form]]] = {
    ("gates", "declare"): _declare,
    ("gates", "vote"): _vote,
    ("gates", "propose"): propose_forms,
    ("projects", "decide"): _decide,
    ("projects", "acknowledge-flag"): _acknowledge,
    ("projects", "strike-naming"): _strike,
    ("conditions", "report"): _report,
}
"""The forms of steps that need more than a few words, by collection and allowed action."""


def gate_forms_of_more(record: Record, words: Wording, tried: Tried | None) -> Iterable[Form]:
    """The forms of what is made for the gate of a project, or is a step of the project."""
    resource = record.resource
    if isinstance(resource, projects_pb2.Project):
        ended = resource.state == projects_pb2.PROJECT_STATE_KILLED
        if "open-gate" in record.may and not ended and not resource.open_gate_id:
            yield from _open_gate(record, words, tried)
        if "waive" in record.may and resource.state in _UNDER_WAY:
            yield from _waive(record, words)
    elif isinstance(resource, gates_pb2.Gate) and resource.state == gates_pb2.GATE_STATE_OPEN:
        project = record.beside.project
        if project is not None and "decide" in project.allowed_actions:
            yield from _decide(record, words, tried)


def _open_gate(record: Record, words: Wording, tried: Tried | None) -> Iterable[Form]:
    project, say = _project(record), words.say
    roles = choices_of(panel_pb2.PanelRole.DESCRIPTOR, words)
    groups = [
        FieldGroup(
            say("Member %(number)s", number=words.number(row + 1)),
            [
                Field(
                    f"gate.panel[{row}].subject",
                    say("Subject of the member's token"),
                    length=255,
                ),
                Field(f"gate.panel[{row}].role", say("Role"), "choice", choices=roles),
            ],
        )
        for row in range(rows_shown(tried, "open-gate", "gate.panel", _SEATS, _MORE_SEATS))
    ]
    fields = [
        Field(
            "gate.quorum",
            say("Quorum"),
            "number",
            hint=say("When it is empty, the least that is more than half of who can vote."),
            is_required=False,
        )
    ]
    if record.beside.decisions:
        last = record.beside.decisions[-1]
        correct = say(
            "the last decision: %(decision)s, %(day)s",
            decision=words.label(_KIND, enum_names(_KIND)[last.kind]),
            day=words.moment(last.created_at).day,
        )
        choices = [
            Choice("", say("nothing; the present stage is reviewed")),
            Choice(last.id, correct),
        ]
        corrects = Field("gate.supersedes_id", say("It corrects"), "choice", choices=choices)
        completed = project.state == projects_pb2.PROJECT_STATE_COMPLETED
        fields.append(corrects if completed else optional(corrects))
    yield own_form(
        record,
        "open-gate",
        say("Open a gate"),
        [*groups, FieldGroup("", fields)],
        intro=say(
            "Three members at least who are not of the team. Rows that are empty are left out."
        ),
        more=say("More members"),
    )


def _waive(record: Record, words: Wording) -> Iterable[Form]:
    say, found = words.say, record.next_gate
    criteria = [
        Choice(item.criterion.code, words.text(item.criterion.text) or item.criterion.code)
        for item in (found.criteria if found else ())
        if item.criterion.deferrable and item.state not in _MET
    ]
    if not criteria:
        return
    fields = [
        Field("waiver.criterion", say("Criterion"), "choice", choices=criteria),
        Field("waiver.reason", say("Why the project can go on without the evidence"), "area"),
        day_field("waiver.expiry_date", say("The last day on which it holds"), words),
    ]
    intro = say("It holds for this visit to the stage alone, once another has granted it.")
    yield own_form(record, "waive", say("Ask for a waiver"), fields, intro=intro)


def _votable(gate: gates_pb2.Gate, record: Record, words: Wording) -> list[Choice]:
    """The decisions that can be voted for now, with the terms that stand."""
    found = [Choice("go", words.label(_KIND, "go"))]
    for item in gate.proposals:
        name = enum_names(_KIND)[item.terms.kind]
        # In full they stand above; an option is one line.
        lines = [without_isolates(line) for line in terms_lines(item.terms, record.beside, words)]
        terms = shorten(" · ".join(lines), _SHORT, placeholder="…")
        found.append(Choice(name, f"{words.label(_KIND, name)}: {terms}"))
    return found


def _gate(record: Record) -> gates_pb2.Gate:
    assert isinstance(record.resource, gates_pb2.Gate)
    return record.resource


def _project(record: Record) -> projects_pb2.Project:
    assert isinstance(record.resource, projects_pb2.Project)
    return record.resource
