"""What of the portfolio is stuck, and why: every cause is a row, found in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from projects import tables
from projects.domain.evidence import EvidenceState
from projects.domain.gates import GateState
from projects.domain.panel import Conflict
from projects.domain.portfolio import StuckReason
from projects.domain.project import ProjectState
from projects.repository.conditions import overdue_on
from projects.repository.portfolio import Part, under_way
from servicekit.database import ReadSession

_TIME = sa.DateTime(timezone=True)
# What a cause may tell besides its project and reason, and what it tells where it does not.
_NOTHING_TOLD: dict[str, sa.ColumnElement[Any]] = {
    "since": sa.cast(sa.null(), _TIME),
    "resource_id": sa.literal(""),
    "owner": sa.literal(""),
    "resume_date": sa.literal(""),
    "flag": sa.literal(""),
    "reported": sa.false(),
    "how_many": sa.literal(0, sa.BigInteger),
    "quorum": sa.literal(0, sa.Integer),
}


@dataclass(frozen=True)
class Limits:
    """From when on something is stuck.

    `patience` is for what waits; `stays` are days by stage, those in which three of four
    visits ended, for the stages of which that is known.
    """

    patience: timedelta
    stays: Mapping[str, float]


async def numbers(session: ReadSession, part: Part, limits: Limits) -> dict[str, int]:
    """How many projects are stuck, by reason; under the empty text, for whatever reason."""
    cause = causes(part, limits)
    by = sa.func.grouping_sets(sa.tuple_(cause.c.reason), sa.tuple_())
    query = sa.select(
        sa.func.coalesce(cause.c.reason, "").label("reason"),
        sa.func.count(cause.c.id.distinct()).label("projects"),
    )
    return {row.reason: row.projects for row in await session.rows(query.group_by(by))}


async def stuck(
    session: ReadSession, part: Part, limits: Limits, reason: StuckReason | None, limit: int
) -> Sequence[sa.Row[Any]]:
    """The causes of those projects that are stuck the longest, `limit` projects at most.

    Rows of one project stand together, the oldest cause first. With `reason` only projects
    that are stuck for this one.
    """
    cause, project, center = causes(part, limits), tables.project.c, tables.known_center.c
    oldest = sa.func.min(cause.c.since)
    longest = sa.select(cause.c.id, oldest.label("stuck_since")).group_by(cause.c.id)
    if reason is not None:
        longest = longest.having(sa.func.bool_or(cause.c.reason == reason))
    longest = longest.order_by(oldest.asc().nulls_last(), cause.c.id).limit(limit)
    first = longest.subquery()
    return await session.rows(
        sa.select(
            *cause.c,
            first.c.stuck_since,
            project.titles,
            project.lead_center_id,
            project.pathway,
            project.stage,
            _entered(project.stage_visits).label("entered_at"),
            sa.func.coalesce(center.province, "").label("province"),
        )
        .select_from(
            first.join(cause, cause.c.id == first.c.id)
            .join(tables.project, project.id == first.c.id)
            .outerjoin(tables.known_center, center.id == project.lead_center_id)
        )
        .order_by(
            first.c.stuck_since.asc().nulls_last(),
            first.c.id,
            cause.c.since.asc().nulls_last(),
            cause.c.reason,
            cause.c.resource_id,
        )
    )


def causes(part: Part, limits: Limits) -> sa.CTE:
    """A row for each cause: `id` of its project, its `reason`, and what `_NOTHING_TOLD` names."""
    projects = under_way(part)
    before = part.as_of - limits.patience
    found = [
        *([_long_in_stage(projects, part, limits.stays)] if limits.stays else []),
        _on_hold(projects),
        _flagged(projects),
        _conditions_overdue(projects, part),
        *_gates_that_wait(projects, part, before),
        _evidence_that_waits(projects, part, before),
    ]
    return sa.union_all(*found).cte("cause")


def _cause(
    projects: sa.CTE, reason: StuckReason, **told: sa.ColumnElement[Any]
) -> sa.Select[*tuple[Any, ...]]:
    columns = [told.get(name, nothing).label(name) for name, nothing in _NOTHING_TOLD.items()]
    return sa.select(projects.c.id, sa.literal(reason.value).label("reason"), *columns)


def _long_in_stage(
    projects: sa.CTE, part: Part, stays: Mapping[str, float]
) -> sa.Select[*tuple[Any, ...]]:
    """Longer in the stage than three of four visits.

    Who was in it before being recorded here is in it for at least as long as since then.
    """
    stay = sa.case(
        {stage: timedelta(days=days) for stage, days in stays.items()}, value=projects.c.stage
    )
    until = _entered(projects.c.stage_visits) + stay
    query = _cause(projects, StuckReason.LONG_IN_STAGE, since=until, resource_id=projects.c.id)
    return query.select_from(projects).where(until < part.as_of)


def _on_hold(projects: sa.CTE) -> sa.Select[*tuple[Any, ...]]:
    project = tables.project.c
    query = _cause(
        projects,
        StuckReason.ON_HOLD,
        since=project.state_since,
        resource_id=project.id,
        resume_date=project.resume_date,
    )
    return query.select_from(_whole(projects)).where(project.state == ProjectState.ON_HOLD)


def _flagged(projects: sa.CTE) -> sa.Select[*tuple[Any, ...]]:
    flag = sa.func.jsonb_array_elements(tables.project.c.flags).table_valued(
        sa.column("value", JSONB), name="flag"
    )
    told = flag.c.value
    query = _cause(
        projects,
        StuckReason.FLAGGED,
        since=sa.cast(told["since"].astext, _TIME),
        resource_id=told["resource_id"].astext,
        flag=told["kind"].astext,
    )
    return query.select_from(_whole(projects).join(flag, sa.true()))


def _conditions_overdue(projects: sa.CTE, part: Part) -> sa.Select[*tuple[Any, ...]]:
    condition = tables.project_condition.c
    day_after = sa.cast(condition.due_date, sa.Date) + 1
    query = _cause(
        projects,
        StuckReason.CONDITION_OVERDUE,
        since=sa.func.timezone("UTC", sa.cast(day_after, sa.DateTime)),
        resource_id=condition.id,
        owner=condition.owner,
        reported=condition.report.is_not(None),
    )
    joined = projects.join(tables.project_condition, condition.project_id == projects.c.id)
    return query.select_from(joined).where(
        overdue_on(part.as_of.astimezone(UTC).date()),
        part.kept(projects.c.sample, condition.sample),
    )


def _gates_that_wait(
    projects: sa.CTE, part: Part, before: datetime
) -> list[sa.Select[*tuple[Any, ...]]]:
    """Gates open for long: those that too few have voted at, and those that wait for a decision.

    Whether each vote counts is for the domain to say; this is who has voted at all.
    """
    gate, voted = tables.gate.c, _voted()
    joined = projects.join(tables.gate, gate.project_id == projects.c.id)

    def told(reason: StuckReason, which: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
        query = _cause(
            projects,
            reason,
            since=gate.created_at,
            resource_id=gate.id,
            how_many=voted,
            quorum=gate.quorum,
        )
        return query.select_from(joined).where(
            gate.state == GateState.OPEN,
            gate.created_at < before,
            part.kept(projects.c.sample, gate.sample),
            which,
        )

    return [
        told(StuckReason.GATE_WITHOUT_QUORUM, voted < gate.quorum),
        told(StuckReason.GATE_UNDECIDED, voted >= gate.quorum),
    ]


def _voted() -> sa.ScalarSelect[int]:
    """How many members have voted at a gate who have declared no conflict of interest."""
    gate = tables.gate.c
    vote, declared = _elements(gate.votes, "vote"), _elements(gate.declarations, "declared")
    free = sa.exists(
        sa.select(1)
        .select_from(declared.scalar_alias)
        .where(
            declared["subject"].astext == vote["subject"].astext,
            declared["conflict"].astext == Conflict.NONE.value,
        )
        .correlate_except(declared.scalar_alias)
    )
    counted = sa.select(sa.func.count()).select_from(vote.scalar_alias).where(free)
    return counted.correlate(tables.gate).scalar_subquery()


def _evidence_that_waits(
    projects: sa.CTE, part: Part, before: datetime
) -> sa.Select[*tuple[Any, ...]]:
    """What is for another stage than the present one stops nothing."""
    evidence = tables.evidence.c
    oldest_first = aggregate_order_by(evidence.id, evidence.created_at, evidence.id)
    query = _cause(
        projects,
        StuckReason.EVIDENCE_WAITS,
        since=sa.func.min(evidence.created_at),
        resource_id=sa.func.array_agg(oldest_first)[1],
        how_many=sa.func.count(),
    )
    joined = projects.join(tables.evidence, evidence.project_id == projects.c.id)
    return (
        query.select_from(joined)
        .where(
            evidence.state == EvidenceState.SUBMITTED,
            evidence.stage == projects.c.stage,
            evidence.created_at < before,
            part.kept(projects.c.sample, evidence.sample),
        )
        .group_by(projects.c.id)
    )


def _whole(projects: sa.CTE) -> sa.Join:
    """Projects with all that their rows hold."""
    return projects.join(tables.project, tables.project.c.id == projects.c.id)


def _elements(column: sa.ColumnElement[Any], name: str) -> sa.TableValuedColumn[Any]:
    """Each of the items of a list that a column holds."""
    return sa.func.jsonb_array_elements(column, type_=JSONB).column_valued(name)


def _entered(stage_visits: sa.ColumnElement[Any]) -> sa.ColumnElement[datetime]:
    """When the present stage was entered."""
    return sa.cast(stage_visits[-1]["entered_at"].astext, _TIME)
