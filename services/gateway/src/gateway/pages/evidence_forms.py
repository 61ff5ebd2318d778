"""The forms by which evidence is brought: for a criterion, or in the place of another piece."""

from collections.abc import Iterable

from gateway.files.routes import PATH as FILES
from gateway.pages.form_parts import choices_of, in_both_languages, optional, own_form
from gateway.pages.forms import Choice, Field, FieldGroup, Form
from gateway.pages.gate_view import stage_label
from gateway.pages.records import Record
from gateway.pages.wording import Wording
from peyvand.projects.v1 import criteria_pb2, evidence_pb2, projects_pb2
from servicekit.contract import enum_names

_KIND = evidence_pb2.EvidenceKind.DESCRIPTOR
_STATE = criteria_pb2.CriterionState.DESCRIPTOR
_UNDER_WAY = (projects_pb2.PROJECT_STATE_ACTIVE, projects_pb2.PROJECT_STATE_ON_HOLD)
_DESCRIBED, _HASH = 4000, 64


def add_evidence(record: Record, words: Wording) -> Iterable[Form]:
    """The form that brings evidence for a criterion of a stage in which the project has been."""
    project, say = record.beside.project, words.say
    criteria = list(_criteria(record, words))
    if project is None or project.state not in _UNDER_WAY or not criteria:
        return
    criterion = Field("evidence.criterion", say("Criterion"), "choice", choices=criteria)
    yield own_form(
        record,
        "add-evidence",
        say("Bring evidence"),
        [FieldGroup("", [criterion, *_described(words)]), _file(words), _reference(words)],
        intro=say("Either a file, or where others keep it. Another than you verifies it."),
    )


def supersede(record: Record, words: Wording) -> Iterable[Form]:
    """The form that brings a better piece; of a verified one not while a panel votes on it."""
    piece, project, say = record.resource, record.beside.project, words.say
    assert isinstance(piece, evidence_pb2.Evidence)
    is_voted_on = piece.state == evidence_pb2.EVIDENCE_STATE_VERIFIED and (
        project is not None and project.open_gate_id
    )
    is_over = piece.state == evidence_pb2.EVIDENCE_STATE_SUPERSEDED
    if project is None or project.state not in _UNDER_WAY or is_over or is_voted_on:
        return
    again = Field(
        "evidence.resubmission_reason",
        say("Why the same is brought again"),
        "area",
        hint=say("Needed for the very bytes that were rejected in this visit."),
        is_required=False,
    )
    yield own_form(
        record,
        "supersede",
        say("Bring another piece in its place"),
        [
            FieldGroup("", _described(words, piece)),
            _file(words),
            _reference(words),
            FieldGroup("", [again]),
        ],
        intro=say("This one stays on record, and counts no more from then on."),
        hidden={"evidence.project_id": piece.project_id, "evidence.criterion": piece.criterion},
    )


def _described(words: Wording, former: evidence_pb2.Evidence | None = None) -> list[Field]:
    """What sort of document it is, and what it shows; at first as it was with a former piece."""
    say = words.say
    kind = enum_names(_KIND)[former.kind] if former else ""
    return [
        Field("evidence.kind", say("Kind"), "choice", kind, choices=choices_of(_KIND, words)),
        *in_both_languages(
            "evidence.title",
            (say("What it is called, in Persian"), say("What it is called, in English")),
            words,
            former.title if former else None,
        ),
        optional(
            Field(
                "evidence.description",
                say("What it shows"),
                "area",
                hint=say("Nothing about a patient or any other person."),
                length=_DESCRIBED,
            )
        ),
    ]


def _file(words: Wording) -> FieldGroup:
    """A file that was sent before; the page sends the one that is chosen."""
    say, path = words.say, "evidence.file"
    return FieldGroup(
        say("A file"),
        [
            optional(Field(f"{path}.name", say("What the file is called"), length=200)),
            optional(Field(f"{path}.media_type", say("Media type"), length=127)),
            optional(Field(f"{path}.size_bytes", say("Size in bytes"), "number", length=13)),
            optional(Field(f"{path}.sha256", say("SHA-256"), length=_HASH)),
        ],
        sends_to=FILES,
    )


def _reference(words: Wording) -> FieldGroup:
    say, path = words.say, "evidence.reference"
    return FieldGroup(
        say("Or where others keep it"),
        [
            optional(Field(f"{path}.uri", say("Where it is kept"))),
            optional(
                Field(
                    f"{path}.sha256",
                    say("SHA-256"),
                    hint=say("Of what was found there, so that it can be told when it changes."),
                    length=_HASH,
                )
            ),
        ],
    )


def _criteria(record: Record, words: Wording) -> Iterable[Choice]:
    """The criteria that evidence can be brought for, those of the present stage first."""
    project, template = record.beside.project, record.beside.template
    if project is None or template is None:
        return
    states = {
        item.criterion.code: words.label(_STATE, enum_names(_STATE)[item.state])
        for item in (record.next_gate.criteria if record.next_gate else ())
    }
    entered = {visit.stage for visit in project.stage_visits}
    known = [
        item
        for item in template.criteria
        if item.stage in entered and project.pathway in item.pathways
    ]
    for item in sorted(known, key=lambda item: (item.stage != project.stage, -item.stage)):
        text = words.text(item.text) or item.code
        aside = states.get(item.code) or stage_label(item.stage, words)
        yield Choice(item.code, f"{text} ({aside})")
