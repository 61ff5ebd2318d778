"""The forms that put the terms of a decision to the panel of a gate."""

from collections.abc import Iterable, Sequence

from gateway.pages.form_parts import choices_of, day_field, optional, own_form, rows_shown
from gateway.pages.forms import Choice, Field, FieldGroup, Form, Tried
from gateway.pages.gate_view import stage_label
from gateway.pages.records import Record
from gateway.pages.wording import Wording
from peyvand.projects.v1 import criteria_pb2, decisions_pb2, gates_pb2, stages_pb2
from servicekit.contract import enum_names

_KIND = decisions_pb2.DecisionKind.DESCRIPTOR
_LONG = 10_000


def propose_forms(record: Record, words: Wording, tried: Tried | None) -> Iterable[Form]:
    """The forms that put terms to a panel, one for each kind of decision that has any."""
    say = words.say
    put = {item.terms.kind: item.terms for item in _gate(record).proposals}
    for kind, groups in (
        (decisions_pb2.DECISION_KIND_CONDITIONAL_GO, _conditions),
        (decisions_pb2.DECISION_KIND_HOLD, _hold),
        (decisions_pb2.DECISION_KIND_RECYCLE, _recycle),
        (decisions_pb2.DECISION_KIND_KILL, _kill),
    ):
        name = f"propose-{enum_names(_KIND)[kind].replace('_', '-')}"
        label = words.label(_KIND, enum_names(_KIND)[kind])
        stands = put.get(kind)
        intro = say("What is put here replaces the terms that stand, and voids votes for them.")
        yield own_form(
            record,
            name,
            say("Propose terms: %(decision)s", decision=label),
            groups(record, stands or decisions_pb2.DecisionTerms(), words, tried),
            intro=intro if stands else "",
            more=say("One more condition") if groups is _conditions else "",
        )


def _conditions(
    record: Record, terms: decisions_pb2.DecisionTerms, words: Wording, tried: Tried | None
) -> Sequence[FieldGroup]:
    say = words.say
    left_open = [Choice("", say("none"))]
    left_open += [
        Choice(item.code, words.text(item.text) or item.code) for item in _deferrable(record)
    ]
    rows = rows_shown(
        tried, "propose-conditional-go", "conditions", max(len(terms.conditions), 1), 1
    )
    groups: list[FieldGroup] = []
    for row in range(rows):
        empty = decisions_pb2.Condition()
        has = terms.conditions[row] if row < len(terms.conditions) else empty
        path = f"conditions[{row}]"
        in_fa = Field(f"{path}.text.fa", say("What must be done, in Persian"), "area", has.text.fa)
        in_en = Field(f"{path}.text.en", say("What must be done, in English"), "area", has.text.en)
        own, other = (in_fa, in_en) if words.language == "fa" else (in_en, in_fa)
        groups.append(
            FieldGroup(
                say("Condition %(number)s", number=words.number(row + 1)),
                [
                    own,
                    optional(other),
                    Field(
                        f"{path}.owner",
                        say("Owner"),
                        value=has.owner,
                        hint=say("An office or a role, not a person"),
                        length=200,
                    ),
                    day_field(f"{path}.due_date", say("Due"), words, has.due_date),
                    Field(
                        f"{path}.criterion",
                        say("Criterion that is left open for it"),
                        "choice",
                        has.criterion,
                        choices=left_open,
                        is_required=False,
                    ),
                ],
            )
        )
    return groups


def _hold(
    record: Record, terms: decisions_pb2.DecisionTerms, words: Wording, tried: Tried | None
) -> Sequence[FieldGroup]:
    del record, tried
    label = words.say("Looked at again on")
    return [FieldGroup("", [day_field("resume_date", label, words, terms.resume_date)])]


def _recycle(
    record: Record, terms: decisions_pb2.DecisionTerms, words: Wording, tried: Tried | None
) -> Sequence[FieldGroup]:
    del tried
    gate, beside = _gate(record), record.beside
    pathway = beside.project.pathway if beside.project else 0
    ways = beside.template.pathways if beside.template else ()
    stages = next((way.stages for way in ways if way.pathway == pathway), [])
    names = enum_names(stages_pb2.Stage.DESCRIPTOR)
    choices = [
        Choice(names[stage], stage_label(stage, words)) for stage in stages if stage < gate.stage
    ]
    value = names[terms.to_stage] if terms.to_stage else ""
    label = words.say("The stage to go back to")
    return [FieldGroup("", [Field("to_stage", label, "choice", value, choices=choices)])]


def _kill(
    record: Record, terms: decisions_pb2.DecisionTerms, words: Wording, tried: Tried | None
) -> Sequence[FieldGroup]:
    del record, tried
    code, kill, say = decisions_pb2.KillCode.DESCRIPTOR, terms.kill, words.say
    value = enum_names(code)[kill.code] if kill.code else ""
    return [
        FieldGroup(
            "",
            [
                Field(
                    "kill.code", say("Main cause"), "choice", value, choices=choices_of(code, words)
                ),
                Field("kill.narrative", say("What happened"), "area", kill.narrative, length=_LONG),
                Field(
                    "kill.lessons",
                    say("What others should learn from it"),
                    "area",
                    kill.lessons,
                    length=_LONG,
                ),
            ],
        )
    ]


def _deferrable(record: Record) -> list[criteria_pb2.Criterion]:
    """Criteria of the stage under review that a condition can stand for."""
    beside = record.beside
    if beside.project is None or beside.template is None:
        return []
    return [
        item
        for item in beside.template.criteria
        if item.stage == _gate(record).stage
        and item.deferrable
        and beside.project.pathway in item.pathways
    ]


def _gate(record: Record) -> gates_pb2.Gate:
    assert isinstance(record.resource, gates_pb2.Gate)
    return record.resource
