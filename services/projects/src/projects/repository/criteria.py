"""How evidence and waivers are stored and found, who sees them, and which files they name."""

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from peyvand.projects.v1 import evidence_pb2, waivers_pb2
from projects import tables
from projects.domain.evidence import Evidence
from projects.domain.project import Project
from projects.domain.visits import Visited
from projects.domain.waivers import Waiver, WaiverState
from projects.repository.gates import read_by
from projects.repository.projects import projects
from servicekit.database import ReadSession, WriteSession
from servicekit.rpc_server import Call
from servicekit.store import AggregateStore

evidence: AggregateStore[Evidence, evidence_pb2.Evidence] = AggregateStore(
    Evidence,
    table=tables.evidence,
    steps=tables.service_tables.step,
    resource=evidence_pb2.Evidence,
    event=evidence_pb2.EvidenceEvent,
)
waivers: AggregateStore[Waiver, waivers_pb2.Waiver] = AggregateStore(
    Waiver,
    table=tables.waiver,
    steps=tables.service_tables.step,
    resource=waivers_pb2.Waiver,
    event=waivers_pb2.WaiverEvent,
)


def of_projects_seen(table: sa.Table, call: Call) -> sa.ColumnElement[bool]:
    """Condition: evidence, or a waiver, is of a project that this caller sees.

    That is one of an own center, or one whose open gate has the caller on its panel.
    """
    return sa.exists().where(tables.project.c.id == table.c.project_id, read_by(call))


async def projects_by_id(session: ReadSession, ids: Iterable[str]) -> dict[str, Project]:
    """The projects with these ids."""
    query = sa.select(tables.project).where(tables.project.c.id.in_(sorted(set(ids))))
    found = [projects.load(row) for row in await session.rows(query)]
    return {project.id: project for project in found}


async def waiting_waiver(session: ReadSession, waiver: Waiver) -> str | None:
    """Id of another waiver of the same criterion and visit that waits to be ruled on."""
    columns = tables.waiver.c
    return await session.scalar(
        sa.select(columns.id)
        .where(columns.project_id == waiver.project_id, columns.criterion == waiver.criterion)
        .where(columns.visit == waiver.visit, columns.state == WaiverState.REQUESTED)
    )


async def hold_file(session: WriteSession, sha256: str) -> None:
    """Keep a file from being swept until the transaction ends; evidence is to name it."""
    await session.scalar(sa.select(sa.func.pg_advisory_xact_lock_shared(_file_lock(sha256))))


async def may_sweep_file(session: WriteSession, sha256: str) -> bool:
    """Tell whether no evidence names a file, nor is about to; until the transaction ends none will.

    Nobody is kept waiting by it who holds the file, or comes to.
    """
    alone = sa.func.pg_try_advisory_xact_lock(_file_lock(sha256))
    if not await session.scalar(sa.select(alone)):
        return False
    return not await is_named(session, sha256)


async def is_named(session: ReadSession, sha256: str, *where: sa.ColumnElement[bool]) -> bool:
    """Tell whether evidence names a file, under further conditions."""
    named = tables.evidence.c.file["sha256"].astext == sha256
    return bool(await session.scalar(sa.select(sa.exists().where(named, *where))))


async def rejected_before(
    session: ReadSession, pieces: Sequence[Evidence], projects: Mapping[str, Project]
) -> Mapping[str, str]:
    """Of pieces whose bytes were rejected as another piece, the id of that, by their own.

    That is for the same criterion, and in the last visit to its stage. Evidence changes
    under the lock of its project's row; under that lock the answer holds.
    """
    columns = tables.evidence.c
    digest = sa.func.coalesce(columns.file["sha256"].astext, columns.reference["sha256"].astext)
    query = sa.select(
        columns.id,
        columns.project_id,
        columns.criterion,
        columns.rejected_visit,
        digest.label("sha256"),
    ).where(
        columns.rejected_visit > 0,
        columns.project_id.in_(sorted({piece.project_id for piece in pieces})),
        digest.in_(sorted({piece.sha256 for piece in pieces})),
    )
    rejected: dict[tuple[str, str, int, str], list[str]] = {}
    for row in await session.rows(query.order_by(columns.id)):
        same = (row.project_id, row.criterion, row.rejected_visit, row.sha256)
        rejected.setdefault(same, []).append(row.id)
    found: dict[str, str] = {}
    for piece in pieces:
        visit = Visited.by(projects[piece.project_id]).last_visit(piece.stage)
        same = (piece.project_id, piece.criterion, visit, piece.sha256)
        others = [id for id in rejected.get(same, ()) if id != piece.id]
        if others:
            found[piece.id] = others[0]
    return found


async def states_of_evidence(session: ReadSession, ids: Iterable[str]) -> dict[str, str]:
    """States of these pieces of evidence, by their ids."""
    columns, wanted = tables.evidence.c, sorted(set(ids))
    if not wanted:
        return {}
    query = sa.select(columns.id, columns.state).where(columns.id.in_(wanted))
    return {row.id: row.state for row in await session.rows(query)}


async def named_files(session: ReadSession, digests: Iterable[str]) -> set[str]:
    """Those of these files that evidence names."""
    digest = tables.evidence.c.file["sha256"].astext
    rows = await session.rows(sa.select(digest.label("sha256")).where(digest.in_(list(digests))))
    return {row.sha256 for row in rows}


async def evidence_of_files(
    session: ReadSession, after: str, limit: int
) -> dict[str, list[tuple[str, str]]]:
    """The first files after a SHA-256 that evidence names, with the project and id of each piece.

    In the order of their SHA-256.
    """
    columns = tables.evidence.c
    digest = columns.file["sha256"].astext
    first = sa.select(digest.label("sha256")).where(digest > after).distinct().order_by(digest)
    some = first.limit(limit).subquery()
    rows = await session.rows(
        sa.select(digest.label("sha256"), columns.project_id, columns.id)
        .where(digest.in_(sa.select(some.c.sha256)))
        .order_by(digest, columns.id)
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        found.setdefault(row.sha256, []).append((row.project_id, row.id))
    return found


def _file_lock(sha256: str) -> sa.ColumnElement[int]:
    return sa.func.hashtextextended(f"file\x1f{sha256}", 0)
