"""The portfolio, counted in the database: every figure is one statement over all projects.

Sample data and the rest are never in one figure. What is recorded with a project is sample
data where either of the two says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, array

from projects import tables
from projects.domain.awards import AwardState
from projects.domain.pathways import Stage
from projects.domain.portfolio import LEAST_VISITS
from projects.domain.project import ENDED, ProjectState
from servicekit.database import ReadSession

Condition = sa.ColumnElement[bool]
_TIME = sa.DateTime(timezone=True)
_DAY_SECONDS = 86_400
_QUARTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
# The curve of Kaplan and Meier is made of logarithms, which know no zero.
_ALMOST_NONE = 1e-300
_HALF = 0.5 + 1e-12


@dataclass(frozen=True)
class Part:
    """Which projects are looked at: those that are `seen`, and of them those that fit.

    With `sample` the sample data, without it the rest; as things are at `as_of`.
    """

    seen: Sequence[Condition]
    fit: Sequence[Condition]
    sample: bool
    as_of: datetime

    @property
    def projects(self) -> sa.CTE:
        """All that are seen and fit, whether sample data or not."""
        return _projects("part", [*self.seen, *self.fit])

    def kept(self, *marks: sa.ColumnElement[bool]) -> Condition:
        """Condition: by all of their marks, some records are of the kind that is asked for."""
        return sa.or_(*marks) == self.sample


def in_province(province: str) -> Condition:
    """Condition: the lead center of a project is in a province."""
    return tables.known_center.c.province == province


def _projects(name: str, where: Sequence[Condition]) -> sa.CTE:
    project, center = tables.project, tables.known_center
    columns = project.c
    return (
        sa.select(
            columns.id,
            columns.sample,
            columns.state,
            columns.stage,
            columns.pathway,
            columns.initial_stage,
            columns.stage_visits,
            columns.latest_decision_id,
            columns.lead_center_id,
            sa.func.coalesce(center.c.province, "").label("province"),
        )
        .select_from(project.outerjoin(center, center.c.id == columns.lead_center_id))
        .where(columns.deleted_at.is_(None), *where)
        .cte(name)
    )


async def counts(session: ReadSession, part: Part) -> Sequence[sa.Row[Any]]:
    """Numbers of projects by `stage`, `pathway` and `province`, a column for each state."""
    projects = part.projects.c
    by = (projects.stage, projects.pathway, projects.province)
    numbers = [
        sa.func.count().filter(projects.state == state).label(state.value) for state in ProjectState
    ]
    query = sa.select(*by, *numbers).where(part.kept(projects.sample))
    return await session.rows(query.group_by(*by).order_by(*by))


async def left_out(session: ReadSession, part: Part) -> int:
    """How many projects fit, and are in no figure because of what they are."""
    projects = part.projects.c
    query = sa.select(sa.func.count(projects.id)).where(sa.not_(part.kept(projects.sample)))
    return await session.scalar(query)


async def cycle_times(session: ReadSession, part: Part) -> Sequence[sa.Row[Any]]:
    """How long visits took, by `stage`: see `_SPREADS` for its columns.

    `decided` and `waiting` are the five quartiles in days, `null` without a visit;
    `expected` is the median of Kaplan and Meier.
    """
    visits = _visits("visit", part.projects, part)
    of = visits.c
    decided = sa.and_(of.begin_known, of.left_at.is_not(None))
    waiting = sa.and_(of.begin_known, of.left_at.is_(None))
    spread = (
        sa.select(
            of.stage,
            sa.func.count().label("of"),
            sa.func.count().filter(of.begin_known).label("known"),
            sa.func.count().filter(decided).label("decided_count"),
            sa.func.count().filter(waiting).label("waiting_count"),
            _quartiles(sa.case((decided, of.days))).label("decided"),
            _quartiles(sa.case((waiting, of.days))).label("waiting"),
        )
        .group_by(of.stage)
        .subquery()
    )
    median = _median(visits)
    query = sa.select(spread, median.c.expected)
    return await session.rows(
        query.select_from(spread.outerjoin(median, median.c.stage == spread.c.stage))
    )


async def ends(session: ReadSession, part: Part) -> Sequence[sa.Row[Any]]:
    """How many `visits` ended, by `stage`, by whether a kill ended them, and by its `code`."""
    visits = _visits("visit", part.projects, part)
    of, decision = visits.c, tables.decision.c
    killed = sa.and_(of.is_last, of.state == ProjectState.KILLED)
    code = decision.decision["kill"]["code"].astext
    ended = (
        sa.select(
            of.stage,
            killed.label("killed"),
            sa.case((killed, sa.func.coalesce(code, "")), else_="").label("code"),
        )
        .select_from(visits.outerjoin(tables.decision, decision.id == of.latest_decision_id))
        .where(of.left_at.is_not(None))
        .subquery()
    )
    by = (ended.c.stage, ended.c.killed, ended.c.code)
    return await session.rows(
        sa.select(*by, sa.func.count().label("visits")).group_by(*by).order_by(*by)
    )


async def money(session: ReadSession, part: Part) -> Sequence[sa.Row[Any]]:
    """Money by `currency`, in exact numbers; nothing is added over currencies.

    What was held back of a tranche when that was released is not released later: it has lapsed.
    """
    projects, award = part.projects, tables.award.c
    held_back = _held_back()
    left = award.awarded_value - award.released_value - held_back
    active = award.state == AwardState.ACTIVE

    def total(value: sa.ColumnElement[Any], *where: Condition) -> sa.ColumnElement[Any]:
        summed = sa.func.sum(value)
        return sa.func.coalesce(summed.filter(*where) if where else summed, 0)

    return await session.rows(
        sa.select(
            award.currency,
            sa.func.count().label("awards"),
            sa.func.count(award.project_id.distinct()).label("projects"),
            total(award.awarded_value).label("awarded"),
            total(award.released_value).label("released"),
            total(left, active).label("committed"),
            total(left, active, projects.c.state == ProjectState.KILLED).label(
                "committed_to_killed"
            ),
            (total(left, sa.not_(active)) + total(held_back)).label("lapsed"),
        )
        .select_from(projects.join(tables.award, award.project_id == projects.c.id))
        .where(award.deleted_at.is_(None), part.kept(projects.c.sample, award.sample))
        .group_by(award.currency)
        .order_by(award.currency)
    )


def _held_back() -> sa.ScalarSelect[Any]:
    """What was held back of the tranches of an award that were released, 0 without any."""
    tranche = sa.func.jsonb_array_elements(tables.award.c.tranches).table_valued(
        sa.column("value", JSONB), name="tranche"
    )

    def amount(name: str) -> sa.ColumnElement[Any]:
        return sa.cast(tranche.c.value[name]["amount"].astext, sa.Numeric)

    held = sa.func.sum(amount("amount") - amount("released"))
    query = sa.select(sa.func.coalesce(held, 0)).select_from(tranche)
    return query.correlate(tables.award).scalar_subquery()


async def usual_stays(session: ReadSession, part: Part) -> dict[str, float]:
    """Third quartile of the visits to each stage that are seen, in days, where it is known.

    That is, whatever the filters are, for the stages that enough visits have ended in.
    """
    of = _visits("seen_visit", _projects("seen", part.seen), part).c
    third = sa.func.percentile_cont(0.75).within_group(of.days.asc())
    query = sa.select(of.stage, third.label("days")).where(of.begin_known, of.left_at.is_not(None))
    rows = await session.rows(
        query.group_by(of.stage).having(sa.func.count() >= LEAST_VISITS).order_by(of.stage)
    )
    return {row.stage: row.days for row in rows}


def _visits(name: str, projects: sa.CTE, part: Part) -> sa.CTE:
    """A row for each stage visit; `days` is how long it took, or has lasted until now.

    The beginning of a first visit is not known where the project was under way already.
    """
    visit = sa.func.jsonb_array_elements(projects.c.stage_visits).table_valued(
        sa.column("value", JSONB), with_ordinality="place", name="each_visit"
    )
    visit = visit.render_derived()
    entered = sa.cast(visit.c.value["entered_at"].astext, _TIME)
    left = sa.cast(visit.c.value["left_at"].astext, _TIME)
    lasted = sa.func.coalesce(left, sa.literal(part.as_of, _TIME)) - entered
    under_way_before = sa.and_(visit.c.place == 1, projects.c.initial_stage != Stage.S0)
    return (
        sa.select(
            projects.c.id,
            projects.c.state,
            projects.c.latest_decision_id,
            visit.c.value["stage"].astext.label("stage"),
            left.label("left_at"),
            sa.not_(under_way_before).label("begin_known"),
            (visit.c.place == sa.func.jsonb_array_length(projects.c.stage_visits)).label("is_last"),
            _days(lasted).label("days"),
        )
        .select_from(projects.join(visit, sa.true()))
        .where(part.kept(projects.c.sample))
        .cte(name)
    )


def _days(lasted: sa.ColumnElement[timedelta]) -> sa.ColumnElement[float]:
    seconds = sa.cast(sa.extract("epoch", lasted), sa.Float)
    return sa.func.greatest(seconds, 0.0) / _DAY_SECONDS


def _quartiles(days: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Least, quartiles and greatest of those values that are there."""
    at = sa.cast(array([sa.literal(share) for share in _QUARTILES]), ARRAY(sa.Float))
    return sa.func.percentile_cont(at).within_group(days.asc())


def _median(visits: sa.CTE) -> sa.Subquery:
    """The time within which half of the visits end, by stage (Kaplan and Meier).

    At each time at which visits end, the share that goes on is multiplied by the share of
    those still there that does not end; who goes on is there for as long as it has lasted.
    """
    of = visits.c
    at_a_time = (
        sa.select(
            of.stage,
            of.days,
            sa.func.count().label("leave_sight"),
            sa.func.count().filter(of.left_at.is_not(None)).label("end"),
        )
        .where(of.begin_known)
        .group_by(of.stage, of.days)
        .subquery()
    )
    there = sa.func.sum(at_a_time.c.leave_sight).over(
        partition_by=at_a_time.c.stage, order_by=at_a_time.c.days.desc()
    )
    steps = sa.select(
        at_a_time.c.stage,
        at_a_time.c.days,
        sa.func.greatest(
            1.0 - sa.cast(at_a_time.c.end, sa.Float) / sa.cast(there, sa.Float), _ALMOST_NONE
        ).label("stay"),
    ).subquery()
    curve = sa.select(
        steps.c.stage,
        steps.c.days,
        sa.func.exp(
            sa.func.sum(sa.func.ln(steps.c.stay)).over(
                partition_by=steps.c.stage, order_by=steps.c.days
            )
        ).label("go_on"),
    ).subquery()
    return (
        sa.select(curve.c.stage, sa.func.min(curve.c.days).label("expected"))
        .where(curve.c.go_on <= _HALF)
        .group_by(curve.c.stage)
        .subquery()
    )


def under_way(part: Part) -> sa.CTE:
    """The projects that fit and go on or are on hold, of the kind that is asked for."""
    projects = part.projects
    return (
        sa.select(projects)
        .where(part.kept(projects.c.sample), projects.c.state.not_in(sorted(ENDED)))
        .cte("under_way")
    )
