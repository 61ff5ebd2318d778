"""What a project still needs for its next gate, as its page tells it."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.pages.records import address_of
from gateway.pages.wording import Wording
from peyvand.api.v1 import annotations_pb2
from peyvand.projects.v1 import criteria_pb2, flags_pb2, stages_pb2
from servicekit.contract import enum_names

_STAGE = stages_pb2.Stage.DESCRIPTOR
_STATE = criteria_pb2.CriterionState.DESCRIPTOR
_FLAG = flags_pb2.ProjectFlagKind.DESCRIPTOR
_ROLE = annotations_pb2.Role.DESCRIPTOR


@dataclass(frozen=True)
class CriterionRow:
    """One criterion, how it stands with it, and what would satisfy it.

    `records` are numbers and addresses of the evidence or the waiver that it stands on.
    """

    text: str
    route: str
    state: str
    state_label: str
    next_step: str
    who: str
    records: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class NextGateView:
    """What a project needs to leave its stage; `leads_to` is the stage after it."""

    stage: str
    leads_to: str
    visit: str
    summary: str
    is_satisfied: bool
    criteria: tuple[CriterionRow, ...]
    flags: tuple[tuple[str, str], ...]
    unmet: tuple[tuple[str, str], ...]
    overdue: tuple[tuple[str, str], ...]
    is_on_hold: bool


def next_gate_view(found: criteria_pb2.NextGate, words: Wording) -> NextGateView:
    """Make the view of what is still needed."""
    stages = enum_names(_STAGE)
    missing = len(found.missing)
    summary = words.say("All that is needed is there.")
    if not found.satisfied and not missing:
        summary = words.say("All criteria are met, and a go is still refused.")
    elif not found.satisfied:
        summary = words.say_count(
            "%(count)s criterion is still to be met",
            "%(count)s criteria are still to be met",
            missing,
        )
    flags = enum_names(_FLAG)
    return NextGateView(
        stage=words.label(_STAGE, stages[found.stage]),
        leads_to=words.label(_STAGE, stages[found.next_stage]) if found.next_stage else "",
        visit=words.say("visit %(number)s", number=words.number(found.visit)),
        summary=summary,
        is_satisfied=found.satisfied,
        criteria=tuple(_criterion(item, words) for item in found.criteria),
        flags=tuple(
            (words.label(_FLAG, flags[flag.kind]), address_of(flag.resource_id))
            for flag in found.flags
        ),
        unmet=tuple(_conditions(found.unmet_condition_ids, words)),
        overdue=tuple(_conditions(found.overdue_condition_ids, words)),
        is_on_hold=found.on_hold,
    )


def _conditions(ids: Iterable[str], words: Wording) -> Iterable[tuple[str, str]]:
    for number, id in enumerate(ids, 1):
        yield words.say("condition %(number)s", number=words.number(number)), address_of(id)


def _criterion(item: criteria_pb2.CriterionStanding, words: Wording) -> CriterionRow:
    state = enum_names(_STATE)[item.state]
    roles = enum_names(_ROLE)
    return CriterionRow(
        text=words.text(item.criterion.text) or item.criterion.code,
        route=words.text(item.criterion.route_name),
        state=state,
        state_label=words.label(_STATE, state),
        next_step=words.text(item.next_step),
        who=words.names([words.label(_ROLE, roles[role]) for role in item.open_to]),
        records=tuple(_records(item, words)),
    )


def _records(item: criteria_pb2.CriterionStanding, words: Wording) -> Iterable[tuple[str, str]]:
    if item.waiver_id:
        yield words.say("waiver"), address_of(item.waiver_id)
    # The last ones; of many the first are not told here.
    first = item.evidence_count - len(item.evidence_ids) + 1
    for number, id in enumerate(item.evidence_ids, first):
        yield words.say("evidence %(number)s", number=words.number(number)), address_of(id)
