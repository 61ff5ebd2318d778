"""What gates and the portfolio cost as records grow.

A decision, and the question what a project still needs, for projects with little and with
much evidence of earlier visits; and the portfolio over thousands of projects, beside a
program that lists them and counts for itself. Both run the use cases as a service does,
each in a transaction of its own on a real PostgreSQL, without the line to a client.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from statistics import median, quantiles

import sqlalchemy as sa

from peyvand.projects.v1 import criteria_pb2, decisions_pb2, gates_pb2, portfolio_pb2, projects_pb2
from peyvandctl.cluster import Cluster
from projects import tables
from projects.use_cases.decisions import decide_project
from projects.use_cases.gates import vote_at_gate
from projects.use_cases.next_gate import get_next_gate
from projects.use_cases.portfolio import get_portfolio
from projects.use_cases.projects import list_projects
from servicekit.contract import contract
from servicekit.database import Database, ReadSession
from servicekit.identity import Principal
from servicekit.mapping import to_datetime
from servicekit.rpc_server import Call
from tests.bench.contenders import cpu_seconds
from tests.support.cluster import Infra, fresh_home
from tests.support.many_projects import ManyProjects, draw, write
from tests.support.standing_projects import PANEL, at_gate

_SERVICE = "peyvand.projects.v1"
_HEADQUARTERS = Principal("hq", "hq", frozenset({"hq_admin"}))
_SEED = 4
PAGE_SIZE = 200


@dataclass(frozen=True)
class GatePlan:
    """How much is measured.

    `little` and `much` are pieces of evidence of a project; `decisions` are made for each,
    and `questions` asked. `projects` are those of the portfolio, asked for `portfolios` times.
    """

    little: int = 10
    much: int = 1_000
    decisions: int = 30
    questions: int = 200
    projects: int = 10_000
    portfolios: int = 5


@dataclass(frozen=True)
class Cost:
    """What one call costs: milliseconds of CPU here and in PostgreSQL, and rows that it reads."""

    what: str
    beside: str
    calls: int
    milliseconds: float
    cpu: float
    postgres_cpu: float
    rows: float


@dataclass
class _Measure:
    """A database with one connection, so that what it counts can be read at once."""

    database: Database
    postgres: int

    async def cost(
        self, what: str, beside: str, works: Sequence[Callable[[], Awaitable[object]]]
    ) -> Cost:
        """Do some works one after the other."""
        rows = await self._rows_read()
        postgres, cpu, began = cpu_seconds(self.postgres), time.process_time(), time.perf_counter()
        for work in works:
            await work()
        took, used = time.perf_counter() - began, time.process_time() - cpu
        served = cpu_seconds(self.postgres) - postgres
        read = await self._rows_read() - rows
        count = len(works)
        return Cost(
            what,
            beside,
            count,
            took * 1e3 / count,
            used * 1e3 / count,
            served * 1e3 / count,
            read / count,
        )

    async def _rows_read(self) -> int:
        """Rows that were read in this database so far, by scans and by indexes."""
        read = sa.text(
            "SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))"
            " FROM pg_stat_user_tables"
        )
        async with self.database.engine.connect() as connection:
            alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await alone.execute(sa.text("SELECT pg_stat_force_next_flush()"))
            await alone.execute(sa.text("SELECT pg_stat_clear_snapshot()"))
            return int((await alone.execute(read)).scalar_one())


async def costs(plan: GatePlan) -> list[Cost]:
    """Measure gates and the portfolio, one after the other in one run."""
    with fresh_home() as home:
        async with Cluster(home.root, services=[], port=0) as cluster:
            infra = Infra(cluster)
            return [*await _gates(infra, plan), *await _portfolio(infra, plan)]


@contextlib.asynccontextmanager
async def _measuring(infra: Infra, made: ManyProjects) -> AsyncGenerator[_Measure]:
    url = await infra.fresh_database("projects", migrated=True)
    database = Database(url, pool=1)
    try:
        await write(database, made)
        yield _Measure(database, infra.cluster.process("postgres").pid)
    finally:
        await database.close()
        await infra.drop_database(url)


async def _gates(infra: Infra, plan: GatePlan) -> list[Cost]:
    now = datetime.now(UTC)
    made = ManyProjects(now, {})
    sizes = {size: f"{size} pieces of evidence" for size in (plan.little, plan.much)}
    # One more of each, with which everything is warmed up.
    ids = {
        size: [at_gate(made, evidence=size) for _ in range(plan.decisions + 1)] for size in sizes
    }
    async with _measuring(infra, made) as measure:
        found: list[Cost] = []
        for size, beside in sizes.items():
            warm, *others = ids[size]
            await _ask(measure.database, warm)
            asked = [others[n % len(others)] for n in range(plan.questions)]
            works = [partial(_ask, measure.database, id) for id in asked]
            found.append(await measure.cost("next gate", beside, works))
        for size, beside in sizes.items():
            warm, *others = ids[size]
            for id in ids[size]:
                await _vote(measure.database, made, id)
            await _decide(measure.database, warm)
            works = [partial(_decide, measure.database, id) for id in others]
            found.append(await measure.cost("decision", beside, works))
        return found


async def _ask(database: Database, project_id: str) -> criteria_pb2.NextGate:
    request = criteria_pb2.GetNextGateRequest(project_id=project_id)
    async with database.read() as session:
        return await get_next_gate(session, request, _call("Criteria/GetNextGate"))


async def _vote(database: Database, made: ManyProjects, project_id: str) -> None:
    """Let all of the panel vote for a go; this is not measured."""
    (gate,) = made.of(tables.gate, project_id)
    for version, subject in enumerate(PANEL, 1):
        request = gates_pb2.VoteAtGateRequest(
            gate_id=gate["id"],
            decision=decisions_pb2.DECISION_KIND_GO,
            reason="As the evidence stands.",
            etag=f"v{version}",
            idempotency_key=f"{project_id} {subject}",
        )
        call = replace(_call("Gates/VoteAtGate"), principal=replace(_HEADQUARTERS, subject=subject))
        await database.write(partial(vote_at_gate, request=request, call=call))


async def _decide(database: Database, project_id: str) -> projects_pb2.Project:
    request = decisions_pb2.DecideProjectRequest(
        project_id=project_id,
        decision=decisions_pb2.DECISION_KIND_GO,
        reason="All evidence is there.",
        etag="v1",
        idempotency_key=project_id,
    )
    call = _call("Projects/DecideProject")
    return await database.write(lambda session: decide_project(session, request, call))


def _call(name: str) -> Call:
    rpc = contract().rpcs[f"/{_SERVICE}.{name}"]
    return Call(rpc, _HEADQUARTERS, "en", datetime.now(UTC))


async def _portfolio(infra: Infra, plan: GatePlan) -> list[Cost]:
    made = draw(plan.projects, seed=_SEED, now=datetime.now(UTC), centers=31)
    async with _measuring(infra, made) as measure:
        database = measure.database

        async def counted() -> portfolio_pb2.Portfolio:
            async with database.snapshot() as session:
                request = portfolio_pb2.GetPortfolioRequest()
                return await get_portfolio(session, request, _call("Portfolios/GetPortfolio"))

        async def listed() -> tuple[Counter[tuple[int, int]], dict[int, list[float]]]:
            async with database.read() as session:
                return await _count_for_oneself(session)

        require_same(await counted(), await listed())
        beside = f"{plan.projects} projects"
        mine = await measure.cost("portfolio", beside, [counted] * plan.portfolios)
        peer = await measure.cost("list and count", beside, [listed] * max(1, plan.portfolios // 2))
        return [mine, peer]


async def _count_for_oneself(
    session: ReadSession,
) -> tuple[Counter[tuple[int, int]], dict[int, list[float]]]:
    """What a program does that has the list of projects and no portfolio.

    It tells the least of the portfolio: how many projects are under way by stage and
    pathway, and how long visits took; nothing of provinces, money, or what is stuck.
    """
    call, token = _call("Projects/ListProjects"), ""
    under_way = Counter[tuple[int, int]]()
    took: dict[int, list[float]] = {}
    while True:
        request = projects_pb2.ListProjectsRequest(page_size=PAGE_SIZE, page_token=token)
        page = await list_projects(session, request, call)
        for project in page.projects:
            if not project.sample:
                _count(project, under_way, took)
        token = page.next_page_token
        if not token:
            return under_way, took


def _count(
    project: projects_pb2.Project,
    under_way: Counter[tuple[int, int]],
    took: dict[int, list[float]],
) -> None:
    if project.state in (projects_pb2.PROJECT_STATE_ACTIVE, projects_pb2.PROJECT_STATE_ON_HOLD):
        under_way[project.stage, project.pathway] += 1
    for place, visit in enumerate(project.stage_visits):
        known = place or not project.initial_stage_reason
        if known and visit.HasField("left_at"):
            lasted = to_datetime(visit.left_at) - to_datetime(visit.entered_at)
            took.setdefault(visit.stage, []).append(lasted.total_seconds() / 86_400)


def require_same(
    told: portfolio_pb2.Portfolio,
    found: tuple[Counter[tuple[int, int]], dict[int, list[float]]],
) -> None:
    """Raise `RuntimeError` unless both come to the same: else there is nothing to compare."""
    under_way, took = found
    cells = Counter[tuple[int, int]]()
    for cell in told.counts.cells:
        cells[cell.stage, cell.pathway] += cell.projects.active + cell.projects.on_hold
    if +cells != under_way:
        raise RuntimeError("the portfolio and the list count differently")
    for item in told.cycle_times:
        days = took.get(item.stage, [])
        if item.decided.count != len(days):
            raise RuntimeError("the portfolio and the list know of different visits")
        if len(days) > 1:
            expected = quantiles(days, n=4, method="inclusive")[2]
            if abs(item.decided.third_quartile - expected) > 1e-3:
                raise RuntimeError("the portfolio and the list measure differently")
            if abs(item.decided.median - median(days)) > 1e-3:
                raise RuntimeError("the portfolio and the list measure differently")


def costs_table(found: Sequence[Cost]) -> str:
    """Return the costs as a Markdown table; each pair is compared with the first of it."""
    head = (
        "| what | over | calls | ms | CPU ms | PostgreSQL CPU ms | both, of the first | rows read |"
    )
    lines = [head, "|---|---|" + "--:|" * 6]
    for place, one in enumerate(found):
        first = found[place - place % 2]
        both, before = one.cpu + one.postgres_cpu, first.cpu + first.postgres_cpu
        cells = [
            one.what,
            one.beside,
            str(one.calls),
            f"{one.milliseconds:.1f}",
            f"{one.cpu:.1f}",
            f"{one.postgres_cpu:.1f}",
            f"{both / before:.2f}",
            f"{one.rows:.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
