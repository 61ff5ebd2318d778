"""The forms by which money is given: record an award, report and meet milestones, release."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from gateway.pages.award_view import money
from gateway.pages.form_parts import (
    day_field,
    evidence_choices,
    in_both_languages,
    optional,
    own_form,
    rows_shown,
)
from gateway.pages.forms import Choice, Field, FieldGroup, Form, Tried
from gateway.pages.gate_view import without_isolates
from gateway.pages.records import Record
from gateway.pages.wording import Wording
from peyvand.projects.v1 import awards_pb2

_CODE, _NUMBER, _AMOUNT, _CURRENCY, _ROR = 50, 100, 40, 3, 100
_ROWS = 2


def record_award(record: Record, words: Wording, tried: Tried | None) -> Iterable[Form]:
    """The form that records an award for a project."""
    say = words.say
    given = FieldGroup(
        "",
        [
            *in_both_languages(
                "award.titles",
                (say("What it is called, in Persian"), say("What it is called, in English")),
                words,
            ),
            *in_both_languages(
                "award.funder.names",
                (say("Who gives it, in Persian"), say("Who gives it, in English")),
                words,
            ),
            optional(
                Field("award.funder.ror_id", say("ROR id of who gives it"), length=_ROR),
            ),
            optional(Field("award.grant_number", say("Number of the grant"), length=_NUMBER)),
            Field("award.amount.amount", say("Amount"), "number", length=_AMOUNT),
            Field(
                "award.amount.currency",
                say("Currency"),
                value="IRR",
                hint=say("A code of ISO 4217; all money of the award is in it."),
                length=_CURRENCY,
            ),
            optional(day_field("award.awarded_date.value", say("Awarded on"), words)),
        ],
    )
    yield own_form(
        record,
        "record-award",
        say("Record an award"),
        [
            given,
            *(_milestone(row, words) for row in _rows(tried, "award.milestones")),
            *(_tranche(row, words) for row in _rows(tried, "award.tranches")),
        ],
        intro=say(
            "A tranche is released once its milestone is met. Rows that are empty are left out."
        ),
        more=say("More milestones and tranches"),
    )


def _rows(tried: Tried | None, of: str) -> range:
    return range(rows_shown(tried, "record-award", of, _ROWS, 1))


def _milestone(row: int, words: Wording) -> FieldGroup:
    say, path = words.say, f"award.milestones[{row}]"
    return FieldGroup(
        say("Milestone %(number)s", number=words.number(row + 1)),
        [
            Field(
                f"{path}.code",
                say("Code"),
                hint=say("A short name of your choice, such as m1"),
                length=_CODE,
            ),
            *in_both_languages(
                f"{path}.text",
                (
                    say("What has to be reached, in Persian"),
                    say("What has to be reached, in English"),
                ),
                words,
            ),
            optional(day_field(f"{path}.due_date", say("Due"), words)),
        ],
    )


def _tranche(row: int, words: Wording) -> FieldGroup:
    say, path = words.say, f"award.tranches[{row}]"
    return FieldGroup(
        say("Tranche %(number)s", number=words.number(row + 1)),
        [
            Field(
                f"{path}.code",
                say("Code"),
                hint=say("A short name of your choice, such as t1"),
                length=_CODE,
            ),
            Field(f"{path}.amount.amount", say("Amount"), "number", length=_AMOUNT),
            Field(f"{path}.milestone_code", say("Code of its milestone"), length=_CODE),
        ],
    )


def _report(record: Record, words: Wording, tried: Tried | None) -> Iterable[Form]:
    say = words.say
    pieces = evidence_choices(record, words)
    shown = [
        optional(
            Field(f"evidence_ids[{row}]", say("Evidence that shows it"), "choice", choices=pieces)
        )
        for row in range(rows_shown(tried, "report-milestone", "evidence_ids", 1, 1))
    ]
    yield own_form(
        record,
        "report-milestone",
        say("Report a milestone as reached"),
        [
            _choice_of(record, words, awards_pb2.MILESTONE_STATE_OPEN),
            *shown,
            optional(Field("note", say("What shows it, in words"), "area")),
        ],
        intro=say("Evidence, a note, or both. Another than you confirms it."),
        more=say("One more piece of evidence"),
    )


def _meet(record: Record, words: Wording, tried: Tried | None) -> Iterable[Form]:
    del tried
    yield own_form(
        record,
        "meet-milestone",
        words.say("Confirm a milestone"),
        [
            _choice_of(record, words, awards_pb2.MILESTONE_STATE_REPORTED),
            optional(Field("reason", words.say("Why"), "area")),
        ],
    )


def _return(record: Record, words: Wording, tried: Tried | None) -> Iterable[Form]:
    del tried
    award, say = _award(record), words.say
    paid = {item.milestone_code for item in award.tranches if item.HasField("released")}
    reached = (awards_pb2.MILESTONE_STATE_REPORTED, awards_pb2.MILESTONE_STATE_MET)
    yield own_form(
        record,
        "return-milestone",
        say("Give the report of a milestone back"),
        [
            _choice_of(record, words, *reached, but=paid),
            Field("reason", say("Why"), "area"),
        ],
        intro=say("It is open again, as long as nothing was released for it."),
    )


def _release(record: Record, words: Wording, tried: Tried | None) -> Iterable[Form]:
    del tried
    award, say = _award(record), words.say
    met = {item.code for item in award.milestones if item.state == awards_pb2.MILESTONE_STATE_MET}
    waiting = [
        Choice(item.code, without_isolates(f"{item.code} · {money(item.amount, words)}"))
        for item in award.tranches
        if item.milestone_code in met and not item.HasField("released")
    ]
    fields = [
        Field("tranche_code", say("Tranche"), "choice", choices=waiting),
        optional(
            Field(
                "amount.amount",
                say("How much of it, if not all"),
                "number",
                hint=say("What is held back is not released later."),
                length=_AMOUNT,
            )
        ),
        optional(Field("payment_reference", say("Number of the payment order"), length=_NUMBER)),
        optional(Field("reason", say("Why"), "area")),
    ]
    yield own_form(
        record,
        "release-tranche",
        say("Release a tranche"),
        fields,
        hidden={"currency": award.amount.currency},
    )


AWARD_FORMS: Mapping[tuple[str, str], Callable[[Record, Wording, Tried | None], Iterable[Form]]] = {
    ("awards", "report-milestone"): _report,
    ("awards", "meet-milestone"): _meet,
    ("awards", "return-milestone"): _return,
    ("awards", "release-tranche"): _release,
}
"""The forms of the steps of awards, by collection and allowed action."""


def _choice_of(record: Record, words: Wording, *states: int, but: Iterable[str] = ()) -> Field:
    """A field for one of the milestones that are in one of these states."""
    choices: Sequence[Choice] = [
        Choice(item.code, f"{item.code} · {words.text(item.text)}")
        for item in _award(record).milestones
        if item.state in states and item.code not in but
    ]
    return Field("milestone_code", words.say("Milestone"), "choice", choices=choices)


def _award(record: Record) -> awards_pb2.Award:
    assert isinstance(record.resource, awards_pb2.Award)
    return record.resource
