"""What the service tells of all projects together."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from google.protobuf.descriptor import EnumDescriptor

from domainkit.provinces import PROVINCES
from peyvand.api.v1 import annotations_pb2
from peyvand.projects.v1 import decisions_pb2, flags_pb2, stages_pb2
from peyvand.projects.v1 import portfolio_pb2 as pb
from projects import tables
from projects.domain.pathways import Stage
from projects.domain.portfolio import PATIENCE_DAYS, StuckReason, open_to
from projects.domain.project import ProjectState
from projects.repository import portfolio, stuck
from projects.repository.portfolio import Part
from projects.repository.projects import of_centers
from projects.repository.stuck import Limits
from servicekit.contract import enum_names
from servicekit.database import ReadSession
from servicekit.errors import Fault, Violation
from servicekit.mapping import to_timestamp
from servicekit.policy import sees_all
from servicekit.rpc_server import Call

_STUCK_LIMIT = 50
_STATES = tuple(state.value for state in ProjectState)


async def get_portfolio(
    session: ReadSession, request: pb.GetPortfolioRequest, call: Call
) -> pb.Portfolio:
    """Give the portfolio that the caller sees; `session` reads one snapshot."""
    part = _part(request, call)
    counts = await _counts(session, part)
    total = sum(getattr(counts.total, state) for state in _STATES)
    return pb.Portfolio(
        as_of=to_timestamp(part.as_of),
        sample=part.sample,
        counts=counts,
        cycle_times=_cycle_times(part, await portfolio.cycle_times(session, part)),
        kills=_kills(part, await portfolio.ends(session, part)),
        money=[_money(part, row, total) for row in await portfolio.money(session, part)],
        stuck=await _stuck(session, part, request, counts),
    )


def _part(request: pb.GetPortfolioRequest, call: Call) -> Part:
    seen: list[portfolio.Condition] = []
    if not sees_all(call.rpc, call.principal):
        seen.append(of_centers(call.principal.center_ids))
    fit: list[portfolio.Condition] = []
    if request.pathway:
        names = enum_names(stages_pb2.Pathway.DESCRIPTOR)
        fit.append(tables.project.c.pathway == names[request.pathway])
    if request.province:
        if request.province not in PROVINCES:
            params = {"value": request.province}
            raise Fault.invalid(Violation("province", "UNKNOWN_PROVINCE", params))
        fit.append(portfolio.in_province(request.province))
    if request.center_id:
        fit.append(of_centers([request.center_id]))
    return Part(seen, fit, request.sample, call.now)


async def _counts(session: ReadSession, part: Part) -> pb.PortfolioCounts:
    rows = await portfolio.counts(session, part)
    by_province: dict[str, list[sa.Row[Any]]] = {}
    for row in rows:
        by_province.setdefault(row.province, []).append(row)
    # All of them, and what is not known where there is something.
    listed = [*sorted(PROVINCES), *sorted(by_province.keys() - PROVINCES)]
    known = [row for row in rows if row.province]
    return pb.PortfolioCounts(
        coverage=_coverage(part, sum(map(_sum, known)), sum(map(_sum, rows))),
        total=_numbers(rows),
        cells=[
            pb.PortfolioCell(
                stage=_number(stages_pb2.Stage.DESCRIPTOR, row.stage),
                pathway=_number(stages_pb2.Pathway.DESCRIPTOR, row.pathway),
                province=row.province,
                projects=_numbers([row]),
            )
            for row in rows
        ],
        provinces=[
            pb.ProvinceNumbers(province=province, projects=_numbers(by_province.get(province, [])))
            for province in listed
        ],
        left_out=await portfolio.left_out(session, part),
    )


def _cycle_times(part: Part, rows: Sequence[sa.Row[Any]]) -> Iterable[pb.CycleTime]:
    by_stage = {row.stage: row for row in rows}
    for stage in Stage:
        message = pb.CycleTime(stage=_number(stages_pb2.Stage.DESCRIPTOR, stage))
        row = by_stage.get(stage)
        if row is None:
            message.coverage.CopyFrom(_coverage(part, 0, 0))
            message.decided.SetInParent()
            message.waiting.SetInParent()
        else:
            message.coverage.CopyFrom(_coverage(part, row.known, row.of))
            message.decided.CopyFrom(_spread(row.decided_count, row.decided))
            message.waiting.CopyFrom(_spread(row.waiting_count, row.waiting))
            if row.expected is not None:
                message.expected_median = row.expected
        yield message


def _spread(count: int, quartiles: Sequence[float] | None) -> pb.DaysSpread:
    if not count or quartiles is None:
        return pb.DaysSpread()
    shortest, first, median, third, longest = quartiles
    return pb.DaysSpread(
        count=count,
        shortest=shortest,
        first_quartile=first,
        median=median,
        third_quartile=third,
        longest=longest,
    )


def _kills(part: Part, rows: Sequence[sa.Row[Any]]) -> Iterable[pb.KillShare]:
    by_stage = {stage: list(found) for stage, found in groupby(rows, lambda row: row.stage)}
    for stage in Stage:
        ended = by_stage.get(stage, [])
        killed = [row for row in ended if row.killed]
        told = sum(row.visits for row in killed if row.code)
        message = pb.KillShare(
            stage=_number(stages_pb2.Stage.DESCRIPTOR, stage),
            ended=sum(row.visits for row in ended),
            killed=sum(row.visits for row in killed),
            reasons=[
                pb.KillCount(
                    code=_number(decisions_pb2.KillCode.DESCRIPTOR, row.code), projects=row.visits
                )
                for row in sorted(killed, key=lambda row: (-row.visits, row.code))
            ],
        )
        message.coverage.CopyFrom(_coverage(part, told, message.killed))
        if message.ended:
            message.share = message.killed / message.ended
        yield message


def _money(part: Part, row: sa.Row[Any], projects: int) -> pb.PortfolioMoney:
    return pb.PortfolioMoney(
        currency=row.currency,
        coverage=_coverage(part, row.projects, projects),
        awards=row.awards,
        awarded=_exact(row.awarded),
        released=_exact(row.released),
        committed=_exact(row.committed),
        committed_to_killed=_exact(row.committed_to_killed),
        lapsed=_exact(row.lapsed),
    )


async def _stuck(
    session: ReadSession, part: Part, request: pb.GetPortfolioRequest, counts: pb.PortfolioCounts
) -> pb.StuckPortfolio:
    patience = timedelta(days=request.patience_days or PATIENCE_DAYS)
    stays = await portfolio.usual_stays(session, part)
    limits = Limits(patience, stays)
    numbers = await stuck.numbers(session, part, limits)
    stages = enum_names(stages_pb2.Stage.DESCRIPTOR)
    under_way = [
        (stages[cell.stage], cell.projects.active + cell.projects.on_hold) for cell in counts.cells
    ]
    names = enum_names(pb.StuckReason.DESCRIPTOR)
    reason = StuckReason(names[request.stuck_reason]) if request.stuck_reason else None
    limit = request.stuck_limit or _STUCK_LIMIT
    rows = await stuck.stuck(session, part, limits, reason, limit)
    return pb.StuckPortfolio(
        coverage=_coverage(
            part,
            sum(count for stage, count in under_way if stage in stays),
            sum(count for _, count in under_way),
        ),
        total=numbers.get("", 0),
        reasons=[
            pb.StuckNumbers(
                reason=_number(pb.StuckReason.DESCRIPTOR, each), projects=numbers.get(each, 0)
            )
            for each in StuckReason
        ],
        projects=[_stuck_project(list(found)) for _, found in groupby(rows, lambda row: row.id)],
    )


def _stuck_project(rows: Sequence[sa.Row[Any]]) -> pb.StuckProject:
    row = rows[0]
    message = pb.StuckProject(
        project_id=row.id,
        lead_center_id=row.lead_center_id,
        province=row.province,
        pathway=_number(stages_pb2.Pathway.DESCRIPTOR, row.pathway),
        stage=_number(stages_pb2.Stage.DESCRIPTOR, row.stage),
        entered_at=to_timestamp(row.entered_at),
        causes=[_cause(each) for each in rows],
    )
    for language, text in row.titles.items():
        setattr(message.titles, language, text or "")
    if row.stuck_since is not None:
        message.since.FromDatetime(row.stuck_since)
    return message


def _cause(row: sa.Row[Any]) -> pb.StuckCause:
    reason = StuckReason(row.reason)
    roles = open_to(reason, row.flag, reported=row.reported)
    message = pb.StuckCause(
        reason=_number(pb.StuckReason.DESCRIPTOR, reason),
        resource_id=row.resource_id,
        open_to=[_number(annotations_pb2.Role.DESCRIPTOR, role) for role in roles],
        owner=row.owner,
        resume_date=row.resume_date,
        flag=_number(flags_pb2.ProjectFlagKind.DESCRIPTOR, row.flag),
        count=row.how_many,
        quorum=row.quorum,
    )
    if row.since is not None:
        message.since.FromDatetime(row.since)
    return message


def _coverage(part: Part, known: int, of: int) -> pb.PortfolioCoverage:
    return pb.PortfolioCoverage(known=known, of=of, as_of=to_timestamp(part.as_of))


def _numbers(rows: Sequence[sa.Row[Any]]) -> pb.ProjectNumbers:
    return pb.ProjectNumbers(
        **{state: sum(getattr(row, state) for row in rows) for state in _STATES}
    )


def _sum(row: sa.Row[Any]) -> int:
    return sum(getattr(row, state) for state in _STATES)


def _exact(value: Decimal) -> str:
    """An amount in full, without zeros that say nothing."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _number(enum: EnumDescriptor, name: str) -> Any:
    """The number that the contract has for a name; 0 for none."""
    return {known: number for number, known in enum_names(enum).items()}.get(name, 0)
