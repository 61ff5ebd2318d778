"""How conditions are stored and found, and which are overdue."""

from collections.abc import Iterable, Mapping
from datetime import date

import sqlalchemy as sa

from domainkit.aggregate import Occasion
from peyvand.projects.v1 import conditions_pb2 as pb
from projects import tables
from projects.domain.conditions import ConditionState, ProjectCondition, Shown
from projects.domain.evidence import Evidence, EvidenceState
from projects.domain.project import ENDED, ProjectState
from projects.repository.criteria import evidence
from servicekit.database import ReadSession, WriteSession
from servicekit.store import AggregateStore

conditions: AggregateStore[ProjectCondition, pb.ProjectCondition] = AggregateStore(
    ProjectCondition,
    table=tables.project_condition,
    steps=tables.service_tables.step,
    resource=pb.ProjectCondition,
    event=pb.ProjectConditionEvent,
)

_condition = tables.project_condition.c


async def overdue_conditions(
    session: ReadSession, project_id: str, today: date, *, but_of_decision: str = ""
) -> list[str]:
    """Ids of the conditions of a project that are overdue on a day, in their order.

    With those that were met by what has been rejected since. Those that `but_of_decision` has
    made are left out. Conditions and evidence change under the lock of the project's row;
    under that lock no other can come to be overdue on this day before the transaction ends.
    """
    query = sa.select(_condition.id).where(
        _condition.project_id == project_id,
        _condition.decision_id != but_of_decision,
        _stops_on(today),
    )
    return [row.id for row in await session.rows(query.order_by(_condition.id))]


async def projects_overdue(
    session: ReadSession, project_ids: Iterable[str], today: date
) -> set[str]:
    """Those of these projects that have a condition as `overdue_conditions` gives it."""
    wanted = sorted(project_ids)
    if not wanted:
        return set()
    query = sa.select(_condition.project_id).distinct()
    query = query.where(_condition.project_id.in_(wanted), _stops_on(today))
    return {row.project_id for row in await session.rows(query)}


async def unmet_conditions(
    session: ReadSession, project_id: str, *, but_of_decision: str = ""
) -> list[str]:
    """Ids of the conditions that stand for a criterion of an earlier gate and are not met now.

    One that was found met is so for as long as there is verified evidence of its criterion,
    found to hold in the visit in which the condition was made, or a later one. Those that
    `but_of_decision` has made are left out. All of it changes under the lock of the project's
    row.
    """
    query = sa.select(_condition.id).where(
        _condition.project_id == project_id,
        _condition.criterion != "",
        _condition.decision_id != but_of_decision,
        sa.or_(_condition.state == ConditionState.OPEN, _is_shown_no_more()),
    )
    return [row.id for row in await session.rows(query.order_by(_condition.id))]


async def find_shown(session: ReadSession, project_id: str, evidence_id: str) -> Shown | None:
    """What is known of a piece of evidence of a project that shows a condition, or `None`."""
    found = await evidence.find(session, evidence_id)
    return None if found is None or found.project_id != project_id else _shown(found)


async def shown_by_reports(
    session: ReadSession, reported: Iterable[ProjectCondition]
) -> Mapping[str, Shown]:
    """The same of the evidence that the reports of conditions name, by the ids of these."""
    named = {item.id: item.report.evidence_id for item in reported if item.report}
    column = tables.evidence.c.id
    rows = await session.rows(sa.select(tables.evidence).where(column.in_(sorted(named.values()))))
    of = {row.id: _shown(evidence.load(row)) for row in rows}
    return {condition: of[id] for condition, id in named.items() if id in of}


def _shown(found: Evidence) -> Shown:
    return Shown(
        id=found.id,
        criterion=found.criterion,
        state=found.state,
        confirmed_visit=found.confirmed_visit,
        submitted_by=found.submitted_by,
    )


async def active_and_overdue(session: ReadSession, today: date) -> list[str]:
    """Ids of projects that are worked on although a condition of theirs is overdue.

    It is so too where what has shown it was rejected since.
    """
    project = tables.project
    joined = _condition.project_id == project.c.id
    query = sa.select(project.c.id).join(tables.project_condition, joined).distinct()
    query = query.where(project.c.state == ProjectState.ACTIVE, _stops_on(today))
    return [row.id for row in await session.rows(query.order_by(project.c.id))]


async def untold_overdue(session: ReadSession, today: date) -> list[str]:
    """Ids of conditions of projects that go on or may, of which nobody has told yet."""
    query = (
        sa.select(_condition.id)
        .join(tables.project, _condition.project_id == tables.project.c.id)
        .where(tables.project.c.state.not_in(ENDED), overdue_on(today), ~_is_told())
    )
    return [row.id for row in await session.rows(query.order_by(_condition.id))]


async def tell_overdue(session: WriteSession, id: str, occasion: Occasion) -> bool:
    """Tell once that a condition is overdue; `False` if it is not, or was told before."""
    condition = await conditions.lock(session, id)
    told = await session.scalar(
        sa.select(sa.literal(value=True)).where(_condition.id == id, _is_told())
    )
    if told or not condition.fall_overdue(occasion):
        return False
    await conditions.save(session, condition)
    return True


def _is_told() -> sa.ColumnElement[bool]:
    """Condition: a step says that it became overdue."""
    step = tables.service_tables.step.c
    return sa.exists().where(
        step.aggregate_id == _condition.id,
        step.step["action"].astext == ProjectCondition.OVERDUE,
    )


def overdue_on(today: date) -> sa.ColumnElement[bool]:
    """Condition: neither met nor cancelled, and the last day is over."""
    open_still = _condition.state == ConditionState.OPEN
    return sa.and_(open_still, _condition.due_date < today.isoformat())


def _stops_on(today: date) -> sa.ColumnElement[bool]:
    """Condition: it stops its project on a day."""
    return sa.or_(overdue_on(today), _fallen_back_on(today))


def _fallen_back_on(today: date) -> sa.ColumnElement[bool]:
    """Condition: it was found met, is not shown any more, and the last day is over."""
    return sa.and_(_is_shown_no_more(), _condition.due_date < today.isoformat())


def _is_shown_no_more() -> sa.ColumnElement[bool]:
    """Condition: it was found met by evidence of a criterion, of which none holds now.

    What holds is verified, and was found to hold in the visit in which the condition was
    made, or a later one.
    """
    decision, evidence = tables.decision.c, tables.evidence.c
    made_in = (
        sa.select(sa.func.coalesce(decision.decision["visit"], sa.text("'0'::jsonb")))
        .where(decision.id == _condition.decision_id)
        .correlate(tables.project_condition)
        .scalar_subquery()
    )
    holds = sa.func.jsonb_path_exists(
        evidence.confirmations,
        sa.text("'$[*] ? (@.visit >= $made_in)'::jsonpath"),
        sa.func.jsonb_build_object("made_in", made_in),
    )
    shown = sa.exists().where(
        evidence.project_id == _condition.project_id,
        evidence.criterion == _condition.criterion,
        evidence.state == EvidenceState.VERIFIED,
        holds,
    )
    met = _condition.state == ConditionState.MET
    return sa.and_(met, _condition.criterion != "", sa.not_(shown))


async def record_conditions(
    session: WriteSession, made: Iterable[ProjectCondition], occasion: Occasion
) -> None:
    """Write the conditions that a decision has made."""
    for condition in made:
        condition.recorded(occasion)
        await conditions.save(session, condition)


async def cancel_conditions(
    session: WriteSession, project_id: str, occasion: Occasion, *, of_decision: str | None = None
) -> None:
    """Cancel the open conditions of a project, or only those that one decision has made.

    The caller holds the lock of the project's row, so that none is made meanwhile.
    """
    query = sa.select(_condition.id).where(
        _condition.project_id == project_id, _condition.state == ConditionState.OPEN
    )
    if of_decision is not None:
        query = query.where(_condition.decision_id == of_decision)
    for row in await session.rows(query.order_by(_condition.id)):
        condition = await conditions.lock(session, row.id)
        # It may have been found met while its row was waited for.
        if condition.state == ConditionState.OPEN:
            condition.take("cancel", occasion)
            await conditions.save(session, condition)
