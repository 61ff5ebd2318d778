"""What the page of an award shows: its money, what has to be reached, what was released."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from gateway.pages.beside import Beside
from gateway.pages.gate_view import apart
from gateway.pages.reading import Reader
from gateway.pages.records import address_of
from gateway.pages.wording import Moment, Wording
from peyvand.projects.v1 import awards_pb2
from servicekit.contract import enum_names

_STATE = awards_pb2.MilestoneState.DESCRIPTOR


@dataclass(frozen=True)
class MilestoneRow:
    """One milestone; `records` are names and addresses of the evidence it was reported with."""

    code: str
    text: str
    due: str
    state: str
    state_label: str
    note: str
    people: str
    records: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class TrancheRow:
    """One part of the money, and what was released of it."""

    code: str
    amount: str
    milestone: str
    released: str
    people: str
    when: Moment | None


@dataclass(frozen=True)
class AwardView:
    """An award: the facts about its money, its milestones and its tranches."""

    lines: Sequence[tuple[str, str]]
    milestones: Sequence[MilestoneRow]
    tranches: Sequence[TrancheRow]


def award_view(award: awards_pb2.Award, beside: Beside, reader: Reader) -> AwardView:
    """Make the view of an award."""
    words = reader.words
    lines = [
        (words.say("Who gives it"), _given(words.text(award.funder.names))),
        (words.say("Number of the grant"), _given(award.grant_number)),
        (words.say("Amount"), money(award.amount, words)),
        (words.say("Released so far"), money(award.released, words)),
        (
            words.say("Awarded on"),
            words.imprecise(award.awarded_date) if award.HasField("awarded_date") else "",
        ),
    ]
    return AwardView(
        lines=[(label, value) for label, value in lines if value],
        milestones=[_milestone(item, beside, words) for item in award.milestones],
        tranches=[_tranche(item, reader) for item in award.tranches],
    )


def money(value: awards_pb2.Money, words: Wording) -> str:
    """An amount with its currency; empty where there is none."""
    if not value.amount:
        return ""
    return f"{words.amount(Decimal(value.amount))} {apart(value.currency)}"


def _given(text: str) -> str:
    return apart(text) if text else ""


def _milestone(item: awards_pb2.Milestone, beside: Beside, words: Wording) -> MilestoneRow:
    state = enum_names(_STATE)[item.state]
    people: list[str] = []
    if item.reported_by:
        people.append(words.say("reported by %(subject)s", subject=apart(item.reported_by)))
    if item.confirmed_by:
        people.append(words.say("confirmed by %(subject)s", subject=apart(item.confirmed_by)))
    return MilestoneRow(
        code=item.code,
        text=words.text(item.text),
        due=words.say("by %(day)s", day=words.day(item.due_date)) if item.due_date else "",
        state=state,
        state_label=words.label(_STATE, state),
        note=item.note,
        people=" · ".join(people),
        records=tuple(_records(item, beside, words)),
    )


def _records(
    item: awards_pb2.Milestone, beside: Beside, words: Wording
) -> Iterable[tuple[str, str]]:
    titles = {piece.id: words.text(piece.title) for piece in beside.evidence}
    for number, id in enumerate(item.evidence_ids, 1):
        unnamed = words.say("evidence %(number)s", number=words.number(number))
        yield titles.get(id) or unnamed, address_of(id)


def _tranche(item: awards_pb2.Tranche, reader: Reader) -> TrancheRow:
    words = reader.words
    people: list[str] = []
    if item.released_by:
        people.append(apart(item.released_by))
    if item.payment_reference:
        people.append(apart(item.payment_reference))
    return TrancheRow(
        code=item.code,
        amount=money(item.amount, words),
        milestone=words.say("for %(milestone)s", milestone=apart(item.milestone_code)),
        released=money(item.released, words),
        people=" · ".join(people),
        when=reader.moment(item.released_at) if item.HasField("released_at") else None,
    )
