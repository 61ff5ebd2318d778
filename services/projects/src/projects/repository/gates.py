"""How gates are stored and found, and who has no vote at them."""

from collections.abc import Collection, Iterable, Mapping

import sqlalchemy as sa

from peyvand.projects.v1 import gates_pb2 as pb
from projects import tables
from projects.domain.decisions import WithdrawnGate
from projects.domain.gates import Gate, GateState
from projects.domain.panel import Conflict, Declaration
from projects.domain.project import Project
from projects.domain.team import Stake, Team, stake_of, team_of
from projects.repository.projects import of_centers, seen_by_caller
from servicekit.database import ReadSession
from servicekit.policy import reaches
from servicekit.rpc_server import Call
from servicekit.store import AggregateStore


def with_caller_on_panel(gate: Gate, call: Call) -> bool:
    """A gate is the own one of the members of its panel."""
    return gate.has_on_panel(call.principal.subject)


gates: AggregateStore[Gate, pb.Gate] = AggregateStore(
    Gate,
    table=tables.gate,
    steps=tables.service_tables.step,
    resource=pb.Gate,
    event=pb.GateEvent,
    owned_by=with_caller_on_panel,
    as_told=Gate.as_told,
    step_as_told=Gate.step_as_told,
)

_gate, _evidence, _waiver = tables.gate.c, tables.evidence.c, tables.waiver.c
_claim = tables.readiness_claim.c


async def gates_with(session: ReadSession, ids: Iterable[str]) -> list[Gate]:
    """The gates that have these ids."""
    wanted = sorted(ids)
    if not wanted:
        return []
    rows = await session.rows(sa.select(tables.gate).where(_gate.id.in_(wanted)))
    return [gates.load(row) for row in rows]


def with_on_panel(subject: str) -> sa.ColumnElement[bool]:
    """Condition: someone sits on the panel of a gate."""
    return _gate.panel.contains([{"subject": subject}])


def with_reviewer(subject: str) -> sa.ColumnElement[bool]:
    """Condition: someone on the panel of a gate has declared to have no conflict of interest."""
    cleared = {"subject": subject, "conflict": Conflict.NONE.value}
    return sa.and_(with_on_panel(subject), _gate.declarations.contains([cleared]))


def _with_yet_to_declare(subject: str) -> sa.ColumnElement[bool]:
    """Condition: someone on the panel of a gate has not declared anything yet."""
    return sa.and_(with_on_panel(subject), sa.not_(_with_declared(subject)))


def _with_declared(subject: str) -> sa.ColumnElement[bool]:
    """Condition: someone has declared own interests at a gate."""
    return _gate.declarations.contains([{"subject": subject}])


async def conflicts_at(session: ReadSession, project_id: str, visit: int) -> list[Declaration]:
    """The conflicts of interest that were declared at the gates over a visit, the oldest first."""
    own = (_gate.project_id == project_id, _gate.visit == visit)
    query = sa.select(tables.gate).where(*own).order_by(_gate.id)
    found = [gates.load(row) for row in await session.rows(query)]
    return [d for gate in found for d in gate.declarations if d.conflict != Conflict.NONE]


async def in_conflict_at(
    session: ReadSession, visits: Collection[tuple[str, int]]
) -> Mapping[tuple[str, int], frozenset[str]]:
    """Who has declared a conflict of interest at any gate over these visits of projects.

    By project and visit; a visit at which nobody has is absent.
    """
    over = sa.tuple_(_gate.project_id, _gate.visit).in_(sorted(visits))
    subjects: dict[tuple[str, int], set[str]] = {}
    for row in await session.rows(sa.select(tables.gate).where(over)):
        gate = gates.load(row)
        seen = subjects.setdefault((gate.project_id, gate.visit), set())
        seen.update(d.subject for d in gate.declarations if d.conflict != Conflict.NONE)
    return {visit: frozenset(found) for visit, found in subjects.items() if found}


async def withdrawn_at(session: ReadSession, project_id: str, visit: int) -> list[WithdrawnGate]:
    """The gates over a visit that ended without a decision, the oldest first."""
    own = (_gate.project_id == project_id, _gate.visit == visit)
    query = sa.select(tables.gate).where(*own, _gate.state == GateState.WITHDRAWN)
    found = [gates.load(row) for row in await session.rows(query.order_by(_gate.id))]
    if not found:
        return []
    step = tables.service_tables.step.c
    taken = sa.select(step.aggregate_id, step.step["actor"].astext.label("actor")).where(
        step.aggregate_id.in_([gate.id for gate in found]),
        step.step["action"].astext == Gate.EVENTS["withdraw"],
    )
    by = {row.aggregate_id: row.actor for row in await session.rows(taken)}
    return [_withdrawn(gate, by[gate.id]) for gate in found]


def _withdrawn(gate: Gate, by: str) -> WithdrawnGate:
    return WithdrawnGate(
        gate_id=gate.id,
        opened_by=gate.opened_by,
        opened_at=gate.created_at,
        withdrawn_by=by,
        withdrawn_at=gate.state_since,
        reason=gate.state_reason,
        votes=gate.votes,
    )


def read_by(call: Call) -> sa.ColumnElement[bool]:
    """Condition: a project is one that the caller reads as an own one: see `reads`."""
    reviewed = sa.select(_gate.id).where(
        _gate.state == GateState.OPEN, with_reviewer(call.principal.subject)
    )
    own = of_centers(call.principal.center_ids)
    return sa.or_(own, tables.project.c.open_gate_id.in_(reviewed))


async def reads(
    session: ReadSession, project: Project, call: Call, *, to_declare: bool = False
) -> bool:
    """Tell whether the caller reads a project, and what belongs to it.

    Besides those whom the contract's grants reach as their own, that is who sits on the
    panel of its gate and has declared to have no conflict of interest, for as long as that is
    open; with `to_declare` also who has declared nothing yet. Nobody writes for that reason.
    """
    if reaches(call.rpc, call.principal, own=seen_by_caller(project, call)):
        return True
    if not project.open_gate_id or not reaches(call.rpc, call.principal, own=True):
        return False
    me = call.principal.subject
    may_read = with_reviewer(me)
    if to_declare:
        may_read = sa.or_(may_read, _with_yet_to_declare(me))
    found = sa.exists().where(_gate.id == project.open_gate_id, may_read)
    return bool(await session.scalar(sa.select(found)))


async def teams(session: ReadSession, projects: Iterable[Project]) -> Mapping[str, Team]:
    """The teams of projects, by their ids: those who have no vote at their gates.

    Whatever makes somebody a part of one is done under the lock of the project's row; under
    that lock the answer holds until the transaction ends.
    """
    asked = list(projects)
    found = await _contributors(session, [project.id for project in asked])
    return {project.id: team_of(project, found.get(project.id, ())) for project in asked}


async def _contributors(session: ReadSession, ids: list[str]) -> Mapping[str, set[str]]:
    """The subjects of those who have worked or spoken for projects, by the projects' ids."""
    who = sa.union(
        _acting(_evidence.project_id, _evidence.submitted_by, ids),
        _acting(_waiver.project_id, _waiver.requested_by, ids),
        _acting(_claim.project_id, _claim.claimed_by, ids),
        # A report that was returned, or replaced by another, is in the steps alone.
        _who_took(tables.project_condition, "reported", ids),
        _who_took(tables.award, "milestone_reported", ids),
    ).subquery()
    contributors: dict[str, set[str]] = {}
    for row in await session.rows(sa.select(who)):
        contributors.setdefault(row.project_id, set()).add(row.subject)
    return contributors


async def team_behind(session: ReadSession, project: Project) -> Team:
    """The team of one project; see `teams`."""
    return (await teams(session, [project]))[project.id]


async def stakes(
    session: ReadSession, projects: Iterable[Project], call: Call
) -> Mapping[str, Stake]:
    """The stakes of the caller in projects, by their ids.

    Of what somebody has declared at the gates of a project, whatever the visit, the last
    holds. Under the lock of the project's row the answer holds as that of `teams` does.
    """
    me, asked = call.principal, list(projects)
    ids = [project.id for project in asked]
    contributors = await _contributors(session, ids)
    query = sa.select(tables.gate).where(_gate.project_id.in_(ids)).order_by(_gate.id)
    last: dict[str, Conflict] = {}
    for row in await session.rows(query.where(_with_declared(me.subject))):
        gate = gates.load(row)
        declared = (d.conflict for d in gate.declarations if d.subject == me.subject)
        last[gate.project_id] = next(declared)
    return {
        project.id: stake_of(
            me.subject,
            me.center_ids,
            project,
            contributors.get(project.id, ()),
            in_conflict=last.get(project.id, Conflict.NONE) != Conflict.NONE,
        )
        for project in asked
    }


async def stake_in(session: ReadSession, project: Project, call: Call) -> Stake:
    """The stake of the caller in one project; see `stakes`."""
    return (await stakes(session, [project], call))[project.id]


async def require_disinterested(session: ReadSession, project: Project, call: Call) -> None:
    """Raise `Refused` for who is of the project's team, or has declared a conflict in it.

    ``TEAM_HAS_NO_SAY``, ``CONFLICT_HAS_NO_SAY``. Call it under the lock of the project.
    """
    (await stake_in(session, project, call)).require_none()


def _acting(
    project_id: sa.ColumnElement[str], subject: sa.ColumnElement[str], ids: list[str]
) -> sa.Select[str, str]:
    columns = (project_id.label("project_id"), subject.label("subject"))
    return sa.select(*columns).where(project_id.in_(ids))


def _who_took(table: sa.Table, action: str, ids: list[str]) -> sa.Select[str, str]:
    """Who ever took a step of what belongs to these projects."""
    step = tables.service_tables.step
    query = _acting(table.c.project_id, step.c.step["actor"].astext, ids)
    query = query.join_from(table, step, step.c.aggregate_id == table.c.id)
    return query.where(step.c.step["action"].astext == action)
