"""What the page of a gate shows: its panel, what was declared, proposed and voted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gateway.pages.beside import Beside
from gateway.pages.reading import Reader
from gateway.pages.records import address_of
from gateway.pages.wording import Moment, Wording
from peyvand.projects.v1 import decisions_pb2, gates_pb2, panel_pb2, stages_pb2
from servicekit.contract import enum_names

_ISOLATE, _POP = "\u2068", "\u2069"
_KIND = decisions_pb2.DecisionKind.DESCRIPTOR
_CODE = decisions_pb2.KillCode.DESCRIPTOR
_STAGE = stages_pb2.Stage.DESCRIPTOR
_ROLE = panel_pb2.PanelRole.DESCRIPTOR
_CONFLICT = panel_pb2.Conflict.DESCRIPTOR


@dataclass(frozen=True)
class Seat:
    """One member of the panel; `vote_is_old` where it was given on what has changed since."""

    subject: str
    role: str
    declared: str
    note: str
    has_conflict: bool
    vote: str
    reason: str
    vote_is_old: bool


@dataclass(frozen=True)
class ProposalRow:
    """The terms of one kind of decision, as they are put to the panel."""

    kind: str
    label: str
    terms: Sequence[str]
    by: str
    when: Moment


@dataclass(frozen=True)
class DecisionRow:
    """One decision on a project; `corrected` where a later one has superseded it."""

    kind: str
    label: str
    stages: str
    terms: Sequence[str]
    reason: str
    by: str
    when: Moment
    gate: str
    corrected: bool


@dataclass(frozen=True)
class GateView:
    """How it stands with a gate: the quorum, who sits on it, what is proposed and decided."""

    counted: str
    seats: Sequence[Seat] = field(default_factory=tuple)
    proposals: Sequence[ProposalRow] = field(default_factory=tuple)
    decision: DecisionRow | None = None


def gate_view(gate: gates_pb2.Gate, beside: Beside, reader: Reader) -> GateView:
    """Make the view of a gate."""
    words = reader.words
    own = [row for item, row in _decisions(beside, reader) if item.id == gate.decision_id]
    counted = words.say("Quorum: %(quorum)s", quorum=words.number(gate.quorum))
    if gate.state == gates_pb2.GATE_STATE_OPEN and gate.counted_votes:
        counted = words.say_count(
            "%(count)s vote counts; the quorum is %(quorum)s",
            "%(count)s votes count; the quorum is %(quorum)s",
            gate.counted_votes,
            quorum=words.number(gate.quorum),
        )
    return GateView(
        counted=counted,
        seats=tuple(_seats(gate, words)),
        proposals=tuple(_proposals(gate, beside, reader)),
        decision=own[0] if own else None,
    )


def decision_rows(beside: Beside, reader: Reader) -> Sequence[DecisionRow]:
    """The decisions on a project, the latest first."""
    return tuple(row for _, row in _decisions(beside, reader))[::-1]


def terms_lines(
    terms: decisions_pb2.DecisionTerms | decisions_pb2.Decision, beside: Beside, words: Wording
) -> list[str]:
    """What a decision comes with, a line for each thing."""
    criteria = (
        {item.code: item.text for item in beside.template.criteria} if beside.template else {}
    )
    found: list[str] = []
    if terms.kind == decisions_pb2.DECISION_KIND_HOLD and terms.resume_date:
        found.append(words.say("looked at again on %(day)s", day=words.day(terms.resume_date)))
    if terms.kind == decisions_pb2.DECISION_KIND_RECYCLE:
        found.append(words.say("back to %(stage)s", stage=stage_label(terms.to_stage, words)))
    if terms.HasField("kill"):
        code = words.label(_CODE, enum_names(_CODE)[terms.kill.code])
        found += [f"{code}: {apart(terms.kill.narrative)}", apart(terms.kill.lessons)]
    for item in terms.conditions:
        line = words.say(
            "%(what)s (%(owner)s, by %(day)s)",
            what=apart(words.text(item.text)),
            owner=apart(item.owner),
            day=words.day(item.due_date),
        )
        if item.criterion:
            known = criteria.get(item.criterion)
            named = (words.text(known) if known else "") or item.criterion
            left_open = words.say("left open: %(criterion)s", criterion=apart(named))
            line = words.clauses([line, left_open])
        found.append(line)
    return found


def apart(text: str) -> str:
    """A text that others have written, so that its direction does not reach what is around it."""
    return f"{_ISOLATE}{text}{_POP}"


def without_isolates(text: str) -> str:
    """A text that is cut, where what is set apart could lose its end."""
    return text.replace(_ISOLATE, "").replace(_POP, "")


def stage_label(stage: int, words: Wording) -> str:
    """What a stage is called."""
    return words.label(_STAGE, enum_names(_STAGE)[stage])


def _seats(gate: gates_pb2.Gate, words: Wording) -> Iterable[Seat]:
    declared = {item.subject: item for item in gate.declarations}
    votes = {item.subject: item for item in gate.votes}
    hashes = {item.terms.kind: item.terms_hash for item in gate.proposals}
    for member in gate.panel:
        own, vote = declared.get(member.subject), votes.get(member.subject)
        old = False
        if vote is not None and gate.state == gates_pb2.GATE_STATE_OPEN:
            on_terms = hashes.get(vote.kind, vote.terms_hash) == vote.terms_hash
            old = not on_terms or vote.assessment_hash != gate.assessment_hash
        yield Seat(
            subject=member.subject,
            role=words.label(_ROLE, enum_names(_ROLE)[member.role]),
            declared=words.label(_CONFLICT, enum_names(_CONFLICT)[own.conflict])
            if own
            else words.say("nothing declared yet"),
            note=own.note if own else "",
            has_conflict=own is not None and own.conflict != panel_pb2.CONFLICT_NONE,
            vote=words.label(_KIND, enum_names(_KIND)[vote.kind]) if vote else "",
            reason=vote.reason if vote else "",
            vote_is_old=old,
        )


def _proposals(gate: gates_pb2.Gate, beside: Beside, reader: Reader) -> Iterable[ProposalRow]:
    words = reader.words
    for item in gate.proposals:
        kind = enum_names(_KIND)[item.terms.kind]
        yield ProposalRow(
            kind=kind,
            label=words.label(_KIND, kind),
            terms=terms_lines(item.terms, beside, words),
            by=item.proposed_by,
            when=reader.moment(item.proposed_at),
        )


def _decisions(
    beside: Beside, reader: Reader
) -> Iterable[tuple[decisions_pb2.Decision, DecisionRow]]:
    words = reader.words
    superseded = {item.supersedes_id for item in beside.decisions}
    for item in beside.decisions:
        kind = enum_names(_KIND)[item.kind]
        ways = dict.fromkeys(
            stage_label(stage, words) for stage in (item.from_stage, item.to_stage)
        )
        yield (
            item,
            DecisionRow(
                kind=kind,
                label=words.label(_KIND, kind),
                stages=words.say(" to ").join(ways),
                terms=terms_lines(item, beside, words),
                reason=item.reason,
                by=item.recorded_by,
                when=reader.moment(item.created_at),
                gate=address_of(item.gate_id) if item.gate_id else "",
                corrected=item.id in superseded,
            ),
        )
